//! Image layouts: what is in the directory afterwards, and who else can read it.

#![cfg(unix)]
// A helper that cannot do its work fails the test that called it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blobs;
mod manifests;
mod paths;
mod processes;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ocireg::{Client, Digest, Manifest, Repository, annotation, media_type};
use serde_json::{Value, json};
use support::{TempDir, clients, tools};

#[test]
fn opening_a_layout_creates_nothing() {
    let temp = TempDir::new();
    let repository = open(&temp.join("layout"));
    assert!(!repository.blob_exists(&Digest::sha256(b"x")).unwrap());
    assert!(files(temp.path()).is_empty());
    assert!(!temp.join("layout").exists());
}

#[test]
fn a_layout_has_the_files_that_the_specification_names_and_no_others() {
    let temp = TempDir::new();
    let root = temp.join("below/layout");
    let repository = open(&root);
    let blob = repository.upload_blob("Sample layer").unwrap();
    let layer = format!("blobs/sha256/{}", blob.digest().encoded());
    assert_eq!(files(&root), [layer.clone(), "index.json".into(), "oci-layout".into()]);
    assert_eq!(fs::read_to_string(root.join("oci-layout")).unwrap(), r#"{"imageLayoutVersion":"1.0.0"}"#);
    assert_eq!(
        index(&root),
        json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": []})
    );

    let manifest = sample(&repository);
    let uploaded = repository.upload_manifest(&manifest, ["demo"]).unwrap();
    assert_eq!(files(&root).len(), 5);
    let written = fs::read(blob_path(&root, uploaded.digest())).unwrap();
    assert_eq!(Digest::sha256(&written), *uploaded.digest());
    assert_eq!(
        index(&root)["manifests"],
        json!([{
            "mediaType": media_type::IMAGE_MANIFEST,
            "digest": uploaded.digest().as_str(),
            "size": written.len(),
            "annotations": {annotation::REF_NAME: "demo"},
        }])
    );
}

#[test]
fn umoci_and_skopeo_read_the_sample_artifact_back() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let manifest = sample(&repository);
    let uploaded = repository.upload_manifest(&manifest, ["demo", "other"]).unwrap();

    if let Some(tags) = clients::layout_tags(&root) {
        assert_eq!(BTreeSet::from_iter(tags), BTreeSet::from(["demo".into(), "other".into()]));
    }
    if let Some(bytes) = clients::layout_manifest(&root, "demo") {
        assert_eq!(Digest::sha256(&bytes), *uploaded.digest());
    }
    for (listed, text) in [(manifest.config(), "Sample config"), (&manifest.layers()[0], "Sample layer")] {
        if let Some(bytes) = clients::layout_blob(&root, "demo", listed.digest().as_str()) {
            assert_eq!(bytes, text.as_bytes());
        }
    }
}

#[test]
fn a_layout_that_umoci_and_skopeo_wrote_is_extended() {
    let (Some(umoci), Some(skopeo)) = (tools::find("umoci"), tools::find("skopeo")) else { return };
    let temp = TempDir::new();
    let ours = temp.join("ours");
    let repository = open(&ours);
    let config = repository.upload_blob("{}").unwrap().with_media_type(media_type::IMAGE_CONFIG);
    repository.upload_manifest(&Manifest::new(config), ["first"]).unwrap();

    let theirs = temp.join("theirs");
    let mut init = Command::new(umoci);
    init.args(["init", "--layout"]).arg(&theirs);
    clients::output(init);
    let copy = |from: &Path, from_tag: &str, to: &Path, to_tag: &str| {
        let mut copy = Command::new(&skopeo);
        copy.arg("copy");
        copy.args([format!("oci:{}:{from_tag}", from.display()), format!("oci:{}:{to_tag}", to.display())]);
        clients::output(copy);
    };
    copy(&ours, "first", &theirs, "by-skopeo");
    let repository = open(&theirs);
    repository.upload_manifest(&sample(&repository), ["by-ocireg"]).unwrap();
    copy(&ours, "first", &theirs, "by-skopeo-again");

    let tags = clients::layout_tags(&theirs).unwrap();
    let expected = ["by-ocireg", "by-skopeo", "by-skopeo-again"].map(str::to_owned);
    assert_eq!(BTreeSet::from_iter(tags), BTreeSet::from(expected));
}

/// More than the library keeps in memory, so that a temporary file is written.
const LARGE: usize = 1024 * 1024;

fn address(path: &Path) -> String {
    format!("oci-layout:{}", path.display())
}

fn open(path: &Path) -> Repository {
    Client::builder().build().unwrap().repository(&address(path)).unwrap()
}

fn open_error(path: &Path) -> ocireg::Error {
    Client::builder().build().unwrap().repository(&address(path)).unwrap_err()
}

/// Every file below the directory, by its relative path, in order.
fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, directory: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                walk(root, &entry.path(), found);
            } else {
                found.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

/// The files of a layout that are neither `oci-layout` nor `index.json`.
fn blob_files(root: &Path) -> Vec<String> {
    files(root).into_iter().filter(|name| name != "oci-layout" && name != "index.json").collect()
}

fn blob_path(root: &Path, digest: &Digest) -> PathBuf {
    root.join("blobs").join(digest.algorithm()).join(digest.encoded())
}

fn index(root: &Path) -> Value {
    serde_json::from_slice(&fs::read(root.join("index.json")).unwrap()).unwrap()
}

/// Tag and digest of every entry, in order.
fn listed(root: &Path) -> Vec<(Option<String>, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let entries = index(root)["manifests"].as_array().unwrap().clone();
    entries
        .iter()
        .map(|entry| (text(&entry["annotations"][annotation::REF_NAME]), text(&entry["digest"]).unwrap()))
        .collect()
}

/// Content that differs from one byte to the next, and from one seed to another.
fn content(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}

fn sample(repository: &Repository) -> Manifest {
    let config = repository.upload_blob("Sample config").unwrap();
    let layer = repository.upload_blob("Sample layer").unwrap();
    Manifest::new(config.with_media_type(media_type::IMAGE_CONFIG))
        .layer(layer.with_media_type(media_type::IMAGE_LAYER))
}

/// A small manifest that is not like another name's.
fn manifest_named(name: &str) -> Manifest {
    Manifest::artifact("application/vnd.example.test").with_annotation("name", name)
}
