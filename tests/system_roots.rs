//! Which authorities are trusted when the caller says nothing: the system's, as the environment names them.
//!
//! The environment belongs to a process: what is tested is the example `upload_artifact`, run as a program.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::servers::Registry;
use support::temp::TempDir;
use support::{Double, Identity, Reply};

/// Runs the sample against this registry, with this variable alone naming the system's store.
fn upload(endpoint: &str, variable: &str, path: &Path) -> Output {
    let test = std::env::current_exe().unwrap();
    // Cargo builds the examples beside the tests.
    let examples = test.parent().and_then(Path::parent).unwrap().join("examples");
    Command::new(examples.join("upload_artifact"))
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
        .env("REGISTRY_ENDPOINT", endpoint)
        .env(variable, path)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_store_that_the_environment_names_is_the_systems() {
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.tls().start();
    let output = upload(&registry.url(), "SSL_CERT_FILE", &registry.ca_pem_path());
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_store_that_cannot_be_read_is_an_error_and_not_replaced_by_the_bundled_one() {
    let directory = TempDir::new();
    let identity = Identity::new();
    let double = Double::tls(&identity, |_| Reply::status(500));
    let absent = said(&upload(&double.url(), "SSL_CERT_FILE", &directory.join("absent.pem")));
    assert!(absent.contains("the system's trusted certificates cannot be read"), "{absent}");
    assert!(double.requests().is_empty());
}

#[test]
fn the_bundled_store_serves_where_the_system_has_none() {
    let directory = TempDir::new();
    let identity = Identity::new();
    let double = Double::tls(&identity, |_| Reply::status(500));
    // An empty directory is a system without a store: the handshake is tried, with the bundled authorities.
    let none = said(&upload(&double.url(), "SSL_CERT_DIR", directory.path()));
    assert!(none.contains("unknown authority"), "{none}");
    assert!(double.requests().is_empty());
}
