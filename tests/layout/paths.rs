//! Directories that are no layouts, and links that must not lead out of one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use ocireg::{Client, Digest, ErrorKind};

use crate::support::TempDir;
use crate::{address, blob_files, blob_path, files, manifest_named, open, open_error};

#[test]
fn a_path_that_is_not_a_layout_is_refused() {
    let temp = TempDir::new();
    let file = temp.write("file", "content");
    let error = open_error(&file);
    assert_eq!(error.kind(), ErrorKind::InvalidLayout);
    assert!(error.message().contains(file.to_str().unwrap()), "{error}");

    let cases = [
        ("oci-layout", "not JSON"),
        ("oci-layout", "{}"),
        ("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#),
        ("oci-layout", r#"{"imageLayoutVersion":1}"#),
        ("index.json", "not JSON"),
        ("index.json", r#"{"schemaVersion":2,"mediaType":"application/json","manifests":[]}"#),
    ];
    for (number, (name, text)) in cases.into_iter().enumerate() {
        let root = temp.join(format!("foreign-{number}"));
        fs::create_dir(&root).unwrap();
        fs::write(root.join(name), text).unwrap();
        let error = open_error(&root);
        assert_eq!(error.kind(), ErrorKind::InvalidLayout, "{error}");
        assert!(error.message().contains(root.join(name).to_str().unwrap()), "{error}");
        assert_eq!(files(&root), [name], "{text}");
    }
    for name in ["oci-layout", "index.json"] {
        let root = temp.join(format!("directory-{name}"));
        fs::create_dir_all(root.join(name)).unwrap();
        assert_eq!(open_error(&root).kind(), ErrorKind::InvalidLayout);
    }
}

#[test]
fn a_directory_in_the_place_of_a_blob_is_an_error() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let digest = Digest::sha256(b"content");
    fs::create_dir_all(blob_path(&root, &digest)).unwrap();
    assert!(!repository.blob_exists(&digest).unwrap());
    let error = repository.upload_blob("content").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidLayout);
    assert!(error.message().contains(blob_path(&root, &digest).to_str().unwrap()), "{error}");
    assert_eq!(blob_files(&root), [""; 0]);
}

#[test]
fn a_link_in_the_place_of_a_blob_is_replaced_and_not_followed() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    // Of the size of the blob: only that it is a link tells that it is not one.
    let victim = temp.write("victim", "CONTENT");
    let path = blob_path(&root, &Digest::sha256(b"content"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(&victim, &path).unwrap();

    assert!(!repository.blob_exists(&Digest::sha256(b"content")).unwrap());
    repository.upload_blob("content").unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read_to_string(&path).unwrap(), "content");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "CONTENT");
}

#[test]
fn a_link_in_the_place_of_another_part_of_the_layout_is_refused() {
    let temp = TempDir::new();
    for name in ["blobs", "blobs/sha256", "index.json", "oci-layout"] {
        let root = temp.join(format!("layout-{}", name.replace('/', "-")));
        let elsewhere = temp.join(format!("elsewhere-{}", name.replace('/', "-")));
        open(&root).upload_manifest(&manifest_named("before"), ["demo"]).unwrap();
        fs::rename(root.join(name), &elsewhere).unwrap();
        symlink(&elsewhere, root.join(name)).unwrap();
        let state =
            |path: &Path| if path.is_dir() { files(path) } else { vec![fs::read_to_string(path).unwrap()] };
        let before = state(&elsewhere);

        let client = Client::builder().build().unwrap();
        let error = client.repository(&address(&root)).and_then(|r| r.upload_blob("content")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidLayout, "{name}: {error}");
        assert!(error.message().contains(root.join(name).to_str().unwrap()), "{error}");
        assert_eq!(state(&elsewhere), before, "{name}");
    }
}

#[test]
fn the_layout_itself_may_be_a_link() {
    let temp = TempDir::new();
    fs::create_dir(temp.join("real")).unwrap();
    symlink(temp.join("real"), temp.join("link")).unwrap();
    open(&temp.join("link")).upload_blob("content").unwrap();
    assert_eq!(blob_files(&temp.join("real")).len(), 1);
}
