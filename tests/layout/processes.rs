//! Several processes at one layout, one that is killed, and one that may not write.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use ocireg::{Digest, NO_TAGS, Source};

use crate::support::TempDir;
use crate::{LARGE, address, blob_files, blob_path, content, listed, manifest_named, open};

#[test]
fn processes_that_write_one_layout_lose_no_tag() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let program = std::env::current_exe().unwrap();
    let children: Vec<Child> = ["a", "b"]
        .iter()
        .map(|name| child_command(&program, &format!("tags {name}"), &root).spawn().unwrap())
        .collect();
    std::thread::scope(|scope| {
        for name in ["c", "d"] {
            let root = &root;
            scope.spawn(move || upload_tags(root, name));
        }
    });
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    let tags: BTreeSet<String> = listed(&root).into_iter().filter_map(|(tag, _)| tag).collect();
    let expected: BTreeSet<String> =
        ["a", "b", "c", "d"].iter().flat_map(|name| (0..TAGS).map(move |n| format!("{name}-{n}"))).collect();
    assert_eq!(tags, expected);
    // The manifest of each tag, and the empty blob.
    assert_eq!(blob_files(&root).len(), 4 * TAGS + 1);
}

#[test]
fn a_process_that_is_killed_leaves_no_partial_blob() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let mut child = child_command(&std::env::current_exe().unwrap(), "upload standard input", &root);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    let bytes = content(6, 2 * LARGE);
    child.stdin.as_mut().unwrap().write_all(&bytes).unwrap();
    // The child says when it has written some of it; its input stays open, so that it cannot be done.
    let lines = io::BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line.contains(WRITING)), "the child ended");
    child.kill().unwrap();
    child.wait().unwrap();

    let left = blob_files(&root);
    assert!(left.len() == 1 && left[0].starts_with(".ocireg-"), "{left:?}");
    let repository = open(&root);
    repository.upload_blob(&bytes).unwrap();
    assert_eq!(fs::read(blob_path(&root, &Digest::sha256(&bytes))).unwrap(), bytes);

    // A file that young may be in use; one of two days is not.
    repository.upload_manifest(&manifest_named("young"), NO_TAGS).unwrap();
    assert!(root.join(&left[0]).exists());
    let file = fs::OpenOptions::new().write(true).open(root.join(&left[0])).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(48 * 60 * 60)).unwrap();
    repository.upload_manifest(&manifest_named("old"), NO_TAGS).unwrap();
    assert!(!root.join(&left[0]).exists());
}

#[test]
fn a_directory_that_cannot_be_written_is_named_with_the_cause() {
    let temp = TempDir::new();
    let root = temp.join("closed/layout");
    open(&root).upload_blob("content").unwrap();
    // The test runner may be root, for whom nothing is closed: another user tries, with a copy of this program.
    let program = temp.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for directory in [&root, &temp.join("closed")] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let is_root = fs::metadata(&program).unwrap().uid() == 0;
    for (path, said) in [
        (temp.join("closed/new"), format!("cannot create {}", temp.join("closed/new").display())),
        (root.clone(), format!("cannot create a file in {}", root.display())),
    ] {
        let mut child = child_command(&program, "upload", &path);
        if is_root {
            child.uid(65534).gid(65534);
        }
        let output = child.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains(&format!("Io: upload blob {}: {said}: Permission denied", address(&path))),
            "{text}"
        );
    }
    for directory in [&temp.join("closed"), &root] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(blob_files(&root).len(), 1);
}

/// How many tags each writer sets in [`processes_that_write_one_layout_lose_no_tag`].
const TAGS: usize = 50;

/// What the child of [`a_process_that_is_killed_leaves_no_partial_blob`] says.
const WRITING: &str = "the upload has begun";

const CHILD_JOB: &str = "OCIREG_TEST_CHILD_JOB";
const CHILD_LAYOUT: &str = "OCIREG_TEST_CHILD_LAYOUT";

/// A reader without content that says when it is reached.
struct Announcing;

impl Read for Announcing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        eprintln!("{WRITING}");
        Ok(0)
    }
}

fn upload_tags(root: &Path, name: &str) {
    let repository = open(root);
    for number in 0..TAGS {
        let tag = format!("{name}-{number}");
        repository.upload_manifest(&manifest_named(&tag), [tag]).unwrap();
    }
}

/// This program again, to do one job of [`the_job_of_a_child_process`].
fn child_command(program: &Path, job: &str, layout: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", "processes::the_job_of_a_child_process", "--nocapture"]);
    command.env(CHILD_JOB, job).env(CHILD_LAYOUT, layout);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Does nothing in a normal run: other tests start it in a process of its own.
#[test]
fn the_job_of_a_child_process() {
    let (Ok(job), Some(layout)) = (std::env::var(CHILD_JOB), std::env::var_os(CHILD_LAYOUT)) else { return };
    let layout = Path::new(&layout);
    if let Some(name) = job.strip_prefix("tags ") {
        return upload_tags(layout, name);
    }
    let result = match job.as_str() {
        "upload" => open(layout).upload_blob("something new"),
        "upload standard input" => {
            // After the first mebibyte, most of which has been written before more is asked for.
            let source = io::stdin().take(LARGE as u64).chain(Announcing).chain(io::stdin());
            open(layout).upload_blob(Source::reader(source))
        }
        _ => panic!("{job} is not a job"),
    };
    if let Err(error) = result {
        eprintln!("{:?}: {error}", error.kind());
    }
}
