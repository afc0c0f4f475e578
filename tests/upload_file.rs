//! The example `upload_file`, as its users run it.

#![cfg(unix)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

mod support;
use support::clients::{self, Tool};
use support::uploads::content;
use support::{Registry, TempDir};

#[test]
fn a_directory_is_pulled_back_by_oras_as_it_was() {
    let Some(registry) = Registry::docker().map(|setup| setup.start()) else { return };
    let Some(oras) = registry.reader(Tool::Oras) else { return };
    let directory = directory();
    let large = content(3_000_000, 1);
    directory.write("tree/sub/large.bin", &large);
    let address = format!("{}/team/files", registry.url());

    let digest = succeeds(upload_file().arg(address).arg(directory.join("tree")).args(["--tag", "v1"]));

    let manifest = oras.manifest("team/files:v1");
    assert_eq!(ocireg::Digest::sha256(&manifest).to_string(), digest);
    assert_eq!(titles(&manifest), ["a.txt", "b/empty", "b/inner/deep.txt", "link", "sub/large.bin"]);
    let pulled = TempDir::new();
    let mut pull = oras.command();
    pull.args(["pull", "--plain-http", "--output"]).arg(pulled.path()).arg(oras.reference("team/files:v1"));
    clients::output(pull);
    for (title, expected) in [
        ("a.txt", &b"first"[..]),
        ("b/empty", b""),
        ("b/inner/deep.txt", b"deep"),
        ("link", b"first"),
        ("sub/large.bin", &large),
    ] {
        let read = fs::read(pulled.join(title)).unwrap_or_else(|error| panic!("{title}: {error}"));
        assert!(read == expected, "{title} has other bytes");
    }
}

#[test]
fn standard_input_becomes_one_layer_without_a_title() {
    let Some(registry) = Registry::docker().map(|setup| setup.start()) else { return };
    let directory = TempDir::new();
    let bytes = content(200_000, 2);
    let file = directory.write("input", &bytes);
    let address = format!("{}/team/stream", registry.url());

    let mut command = upload_file();
    // Larger than a chunk, so that it is sent in several.
    command.args([&address, "-", "--chunk-size=65536"]).stdin(File::open(file).unwrap());
    succeeds(&mut command);

    for reader in registry.readers() {
        let manifest = reader.manifest("team/stream:latest");
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let layers = manifest["layers"].as_array().unwrap();
        assert_eq!(layers.len(), 1);
        assert_eq!(layers[0]["annotations"], Value::Null);
        let digest = ocireg::Digest::sha256(&bytes).to_string();
        assert_eq!(layers[0]["digest"], digest.as_str());
        assert!(reader.blob("team/stream:latest", &digest) == bytes, "{:?} reads other bytes", reader.tool());
    }
}

#[test]
fn files_are_written_to_a_layout_in_the_order_given() {
    let directory = directory();
    let layout = directory.join("layout");
    let address = format!("oci-layout:{}", layout.display());

    let digest = succeeds(
        upload_file()
            .arg(address)
            .arg(directory.join("tree/b/inner/deep.txt"))
            .arg(directory.join("tree/a.txt")),
    );

    let blobs = layout.join("blobs/sha256");
    let manifest = fs::read(blobs.join(digest.strip_prefix("sha256:").unwrap())).unwrap();
    assert_eq!(titles(&manifest), ["deep.txt", "a.txt"]);
    assert!(blobs.join(&ocireg::Digest::sha256(b"deep").to_string()[7..]).exists());
    if let Some(read) = clients::layout_manifest(&layout, "latest") {
        assert_eq!(read, manifest);
    }
}

#[test]
fn a_link_that_leads_out_of_the_directory_is_refused_before_anything_is_written() {
    let directory = directory();
    let secret = directory.write("secret", "not to be uploaded");
    std::os::unix::fs::symlink(secret, directory.join("tree/way-out")).unwrap();
    let layout = directory.join("layout");
    let address = format!("oci-layout:{}", layout.display());

    let said = fails(upload_file().arg(&address).arg(directory.join("tree")), 1);

    assert!(said.contains("way-out is a link"), "{said}");
    assert!(!layout.exists());
}

#[test]
fn files_of_one_title_and_directories_without_files_are_refused() {
    let directory = directory();
    let address = format!("oci-layout:{}", directory.join("layout").display());
    let a = directory.join("tree/a.txt");
    let said = fails(upload_file().arg(&address).args([&a, &a]), 1);
    assert!(said.contains("two files would have the title a.txt"), "{said}");

    fs::create_dir(directory.join("hollow")).unwrap();
    let said = fails(upload_file().arg(&address).arg(directory.join("hollow")), 1);
    assert!(said.contains("hollow holds no files"), "{said}");
}

#[test]
fn a_failure_is_told_in_one_line_and_no_progress_is_shown_where_there_is_no_terminal() {
    let directory = directory();
    let file = directory.join("tree/a.txt");
    // Port 1 of loopback: nobody listens there.
    let said = fails(upload_file().arg("http://127.0.0.1:1/sample").arg(&file), 1);
    assert!(said.starts_with("upload_file: upload blob"), "{said}");
    let said = fails(upload_file().arg("http://127.0.0.1:1/sample").arg(directory.join("missing")), 1);
    assert!(said.contains("missing: No such file"), "{said}");
    let said = fails(upload_file().arg("no address").arg(&file), 1);
    assert!(said.contains("no address"), "{said}");
    let said = fails(upload_file().arg("localhost/sample").arg(&file).args(["--tag", "no tag"]), 1);
    assert!(said.contains("no tag"), "{said}");
}

#[test]
fn wrong_arguments_end_with_status_2_and_show_the_usage() {
    for arguments in [
        &[][..],
        &["localhost/sample"],
        &["localhost/sample", "a", "-"],
        &["localhost/sample", "a", "--chunk-size", "0"],
        &["localhost/sample", "a", "--chunk-size", "many"],
        &["localhost/sample", "a", "--tag"],
        &["localhost/sample", "a", "--unknown"],
    ] {
        let output = upload_file().args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("usage: upload_file REPOSITORY"), "{arguments:?}: {said}");
    }
    let help = succeeds(upload_file().arg("--help"));
    assert!(help.contains("--chunk-size"), "{help}");
}

/// `tree` with files at three depths, one of them empty, and a link to one of them.
fn directory() -> TempDir {
    let directory = TempDir::new();
    fs::create_dir_all(directory.join("tree/b/inner")).unwrap();
    fs::create_dir_all(directory.join("tree/sub")).unwrap();
    directory.write("tree/b/inner/deep.txt", "deep");
    directory.write("tree/b/empty", "");
    directory.write("tree/a.txt", "first");
    std::os::unix::fs::symlink("a.txt", directory.join("tree/link")).unwrap();
    directory
}

/// The example as cargo built it together with this test.
fn upload_file() -> Command {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program: PathBuf = profile.join("examples/upload_file");
    assert!(
        program.exists(),
        "`cargo test` builds {}; before `cargo test --test upload_file` that needs `cargo build --example upload_file`",
        program.display()
    );
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// What a successful run prints: nothing but one text on standard output.
fn succeeds(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {status}: {said}");
    assert_eq!(said, "");
    String::from_utf8(stdout).unwrap().trim_end().to_owned()
}

/// The one line on standard error of a run that fails with this status.
fn fails(command: &mut Command, status: i32) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{command:?}: {said}");
    assert_eq!(output.stdout, b"");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn titles(manifest: &[u8]) -> Vec<String> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    let title = |layer: &Value| {
        layer["annotations"]["org.opencontainers.image.title"].as_str().expect("a title").to_owned()
    };
    manifest["layers"].as_array().unwrap().iter().map(title).collect()
}
