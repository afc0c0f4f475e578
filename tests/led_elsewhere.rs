//! What a host that the registry leads to may do: take the body, and nothing else.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::{Arc, OnceLock};

use ocireg::{Client, ErrorKind, Source};
use support::uploads::open;
use support::{Double, RecordedRequest, Reply};

/// A registry that wants Basic and uploads to a storage host, which answers as `storage` says, knowing the registry.
fn registry_and_storage(
    storage: impl Fn(&RecordedRequest, &str) -> Reply + Send + Sync + 'static,
) -> (Double, Double) {
    let registry_url = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&registry_url);
    let storage = Double::plain(move |request| storage(request, known.get().unwrap()));
    let upload = format!("{}/upload", storage.url());
    let registry = Double::plain(move |request| match request.method.as_str() {
        _ if request.header("authorization").is_none() => {
            Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\"")
        }
        "POST" => Reply::status(202).header("Location", upload.clone()),
        _ => Reply::status(201),
    });
    registry_url.set(registry.url()).unwrap();
    (registry, storage)
}

fn client() -> Client {
    Client::builder().basic_auth("user", "password").attempts(1).chunk_size(1000).build().unwrap()
}

#[test]
fn a_location_from_elsewhere_does_not_lead_back_to_the_registry() {
    let (registry, storage) = registry_and_storage(|_, registry| {
        Reply::status(202).header("Location", format!("{registry}/v2/victim/manifests/latest"))
    });
    let source = Source::reader(&[7; 2500][..]);
    let error = open(&client(), &registry.url()).upload_blob(source).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect, "{error}");
    assert!(error.message().contains("leads back to the registry"), "{error}");
    assert!(registry.requests().iter().all(|request| request.method == "POST"));
    assert!(storage.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_redirect_from_elsewhere_comes_back_as_a_stranger() {
    let (registry, storage) = registry_and_storage(|_, registry| {
        Reply::status(307).header("Location", format!("{registry}/v2/victim/manifests/latest"))
    });
    let error = open(&client(), &registry.url()).upload_blob("Sample layer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    let back: Vec<_> = registry.requests().into_iter().filter(|request| request.method != "POST").collect();
    assert!(!back.is_empty() && back.iter().all(|request| request.header("authorization").is_none()));
    assert!(storage.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_server_that_says_201_to_everything_has_no_blob_and_gets_it() {
    let double =
        Double::plain(|request| match (request.method.as_str(), request.target.contains("mount=")) {
            ("POST", false) => Reply::status(202).header("Location", "/session"),
            _ => Reply::status(201),
        });
    open(&client(), &double.url()).upload_blob("Sample layer").unwrap();
    let methods: Vec<_> = double.requests().into_iter().map(|request| request.method).collect();
    assert_eq!(methods, ["POST", "POST", "PUT"]);
}
