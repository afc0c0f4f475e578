//! Manifests and their tags: what `index.json` says.

use std::fs;

use ocireg::{
    Descriptor, Digest, ErrorKind, Index, Manifest, ManifestOptions, NO_TAGS, ToManifest, annotation,
    media_type,
};
use serde_json::json;

use crate::support::TempDir;
use crate::{files, index, listed, manifest_named, open};

#[test]
fn a_moved_tag_leaves_its_old_manifest_listed() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let upload = |name, tags: &[&str]| {
        let uploaded = repository.upload_manifest(&manifest_named(name), tags).unwrap();
        uploaded.digest().to_string()
    };
    let first = upload("first", &["demo", "one"]);
    let second = upload("second", &["demo"]);
    assert_eq!(listed(&root), [(Some("one".into()), first.clone()), (Some("demo".into()), second.clone())]);
    let third = upload("third", &["demo"]);
    let expected =
        [(Some("one".into()), first), (None, second.clone()), (Some("demo".into()), third.clone())];
    assert_eq!(listed(&root), expected);
    assert_eq!(upload("second", &["demo"]), second);
    assert_eq!(listed(&root)[1..], [(Some("demo".into()), second), (None, third)]);
}

#[test]
fn a_manifest_without_tags_is_listed_once() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let uploaded = repository.upload_manifest(&manifest_named("only"), NO_TAGS).unwrap();
    repository.upload_manifest(&manifest_named("only"), NO_TAGS).unwrap();
    assert_eq!(listed(&root), [(None, uploaded.digest().to_string())]);
    assert_eq!(index(&root)["manifests"][0]["artifactType"], "application/vnd.example.test");
}

#[test]
fn an_existing_tag_is_kept_when_asked_for() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let keep = ManifestOptions::new().keep_existing_tags(true);
    let first = repository.upload_manifest_with(&manifest_named("first"), ["demo"], keep).unwrap();
    repository.upload_manifest_with(&manifest_named("first"), ["demo"], keep).unwrap();

    let before = (files(&root), fs::read(root.join("index.json")).unwrap());
    let error =
        repository.upload_manifest_with(&manifest_named("second"), ["new", "demo"], keep).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TagConflict);
    let second = manifest_named("second").to_manifest().unwrap().digest().clone();
    for part in ["demo", first.digest().as_str(), second.as_str()] {
        assert!(error.message().contains(part), "{error}");
    }
    assert_eq!((files(&root), fs::read(root.join("index.json")).unwrap()), before, "nothing was written");
}

#[test]
fn what_others_wrote_into_the_index_is_kept() {
    let temp = TempDir::new();
    let root = temp.path().to_owned();
    let foreign = json!({
        "mediaType": "application/vnd.example", "digest": "example+x:abc=", "size": 7,
        "annotations": {annotation::REF_NAME: "docker.io/library/x:1", "io.example": "1"},
        "x-entry": [1, {"deep": null}],
    });
    temp.write("oci-layout", r#"{"imageLayoutVersion":"1.0.0","x":1}"#);
    temp.write(
        "index.json",
        json!({"schemaVersion": 2, "manifests": [foreign], "annotations": {"a": "b"}, "x-index": {"y": 1.5}})
            .to_string(),
    );
    let repository = open(&root);
    repository.upload_manifest(&manifest_named("ours"), ["demo"]).unwrap();
    let index = index(&root);
    assert_eq!(index["manifests"][0], foreign);
    assert_eq!((&index["annotations"]["a"], &index["x-index"]["y"]), (&json!("b"), &json!(1.5)));
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    assert_eq!(
        fs::read_to_string(root.join("oci-layout")).unwrap(),
        r#"{"imageLayoutVersion":"1.0.0","x":1}"#
    );
}

#[test]
fn a_manifest_needs_the_blobs_that_it_lists() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let missing = Descriptor::new(media_type::IMAGE_LAYER, Digest::sha256(b"missing"), 7);
    let as_config = Manifest::new(missing.clone().with_media_type("application/vnd.example"));
    let as_layer = manifest_named("layer").layer(missing.clone());
    let in_index = Index::new().manifest(missing.clone().with_media_type(media_type::IMAGE_MANIFEST));
    let errors = [
        repository.upload_manifest(&as_config, ["demo"]).unwrap_err(),
        repository.upload_manifest(&as_layer, ["demo"]).unwrap_err(),
        repository.upload_manifest(&in_index, ["demo"]).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains(missing.digest().as_str()), "{error}");
    }
    assert_eq!(listed(&root), [], "nothing was listed");

    repository.upload_blob("missing").unwrap();
    let of_wrong_size = Descriptor::new(media_type::IMAGE_LAYER, missing.digest().clone(), 8);
    let error =
        repository.upload_manifest(&manifest_named("size").layer(of_wrong_size), ["demo"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SizeMismatch);
    repository.upload_manifest(&as_layer, ["demo"]).unwrap();
}

#[test]
fn a_subject_and_what_is_elsewhere_need_not_be_there() {
    let temp = TempDir::new();
    let repository = open(&temp.join("layout"));
    let missing = |media_type| Descriptor::new(media_type, Digest::sha256(b"missing"), 7);
    let manifest = manifest_named("x")
        .with_subject(missing(media_type::IMAGE_MANIFEST))
        .layer(missing("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"))
        .layer(missing("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"))
        .layer(missing(media_type::IMAGE_LAYER).with_urls(["https://example.com/layer"]));
    repository.upload_manifest(&manifest, ["demo"]).unwrap();
}

#[test]
fn an_index_lists_manifests_of_the_layout() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let one = repository.upload_manifest(&manifest_named("one"), NO_TAGS).unwrap();
    let two = repository.upload_manifest(&manifest_named("two"), NO_TAGS).unwrap();
    let uploaded = repository.upload_manifest(&Index::new().with_manifests([one, two]), ["all"]).unwrap();
    assert_eq!(uploaded.media_type(), media_type::IMAGE_INDEX);
    assert_eq!(listed(&root).last().unwrap(), &(Some("all".into()), uploaded.digest().to_string()));
}
