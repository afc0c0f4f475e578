//! What a caller can get wrong: each mistake has its own clear error, costs nothing, and leaves a client that works.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use ocireg::{
    Algorithm, BlobOptions, Client, ClientBuilder, Descriptor, Digest, Error, ErrorKind, Manifest, Reference,
    Source, Tag, media_type,
};
use support::uploads::{NAME, client, open};
use support::{Double, Registry, Reply, TempDir, listener};

const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn an_address_that_is_none_is_refused_with_the_reason() {
    let long = format!("host/{}", "a".repeat(300));
    for (address, reason) in [
        ("", "is empty"),
        ("nginx", "the first part is always the host"),
        ("host/", "it is empty"),
        ("https://Bad Host/x", "`Bad Host` is not a host"),
        ("host:port/x", "not a number from 1 to 65535"),
        ("ftp://host/x", "begins with `https://`"),
        ("host/Upper", "repository names are lower case"),
        ("host/a//b", "is empty"),
        ("host/../x", "between letters or digits"),
        ("host/name:demo", "the tag `demo` does not belong"),
        ("host/name@sha256:abc", "does not belong"),
        ("host/name?query", "no query"),
        ("host/na\nme", "only lower-case letters"),
        ("höst/x", "is not a host"),
        ("oci-layout:", "must be followed by a path"),
        (&long, "255"),
    ] {
        let error = client().repository(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReference, "{address}");
        assert_eq!(error.operation(), "open repository");
        assert!(error.message().contains(reason), "{address}: {error}");
        assert!(error.to_string().len() < 700 && !error.to_string().contains('\n'), "{error}");
        assert!(!error.is_retryable() && error.status().is_none() && error.request().is_none());
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_shown() {
    for address in
        ["https://user:s3cr3t@host/x", "user:s3cr3t@host/x", "host/x@s3cr3t", "host/x?token=s3cr3t"]
    {
        let error = client().repository(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReference, "{address}");
        if !address.starts_with("host/x@") {
            assert!(!format!("{error} {error:#?}").contains("s3cr3t"), "{error:#?}");
        }
    }
}

#[test]
fn references_tags_and_digests_follow_their_grammars() {
    let long = "a".repeat(129);
    for tag in ["", ".a", "-a", "a b", "a/b", "a:b", "a@b", "ä", "a\n", "a?b", long.as_str()] {
        let error = Tag::parse(tag).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReference, "{tag}");
        assert!(error.message().contains("is not a tag: "), "{error}");
        assert!(Reference::parse(&format!("host/name:{tag}")).is_err(), "{tag}");
    }
    for (digest, reason) in [
        ("", "has no `:`"),
        ("sha256", "has no `:`"),
        (":abc", "the algorithm must be"),
        ("SHA256:abc", "the algorithm must be"),
        ("sha256:", "exactly 64 lower-case hexadecimal digits"),
        ("sha256:abc", "exactly 64 lower-case hexadecimal digits"),
        (&DIGEST.to_uppercase().replace("SHA", "sha"), "exactly 64 lower-case hexadecimal digits"),
        (&DIGEST.replace("sha256", "sha512"), "exactly 128 lower-case hexadecimal digits"),
        ("md5:a/b", "may follow the `:`"),
        ("sha256:\r\nX: y", "exactly 64"),
    ] {
        let error = Digest::parse(digest).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidDigest, "{digest}");
        assert!(error.message().contains(reason), "{digest}: {error}");
        assert!(!error.message().contains(['\r', '\n']), "{error}");
        assert!(Reference::parse(&format!("host/name@{digest}")).is_err(), "{digest}");
    }
    for reference in
        ["host", "host/name:", "host/name:a:b", "host/name@", "host/Name:a", "host/name:a@sha256:1"]
    {
        let kind = Reference::parse(reference).unwrap_err().kind();
        assert!(matches!(kind, ErrorKind::InvalidReference | ErrorKind::InvalidDigest), "{reference}");
    }
}

#[test]
fn a_call_with_a_malformed_argument_costs_no_request() {
    let double = Double::plain(Reply::stored);
    let repository = open(&client(), &double.url());
    let blob = Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(b"x"), 1);
    let manifest = Manifest::new(blob.clone());
    for tags in [vec![""], vec!["good", "not good"], vec!["a/b"], vec![DIGEST]] {
        let error = repository.upload_manifest(&manifest, &tags).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReference, "{error}");
        assert_eq!(error.operation(), "upload manifest");
        assert!(error.message().contains("is not a tag"), "{error}");
    }
    for media_type in ["", "text", "text/plain; charset=utf-8", "a/b\r\nX: y", "a/ä"] {
        let manifest = Manifest::new(blob.clone().with_media_type(media_type));
        let error = repository.upload_manifest(&manifest, ["demo"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidManifest, "{error}");
        assert!(error.message().contains("the media type `"), "{error}");
    }
    for from in ["", "Upper", "a//b", "a b", "../a", "a?b", "host:5000/a"] {
        let error = repository.upload_blob_with("x", BlobOptions::new().mount_from(from)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidReference, "{from}: {error}");
        assert_eq!(error.operation(), "upload blob");
    }
    for digest in ["md5:d41d8cd98f00b204e9800998ecf8427e", "blake3:HEX"] {
        let digest: Digest = digest.replace("HEX", &"a".repeat(64)).parse().unwrap();
        let error = repository.upload_blob_with("x", BlobOptions::new().known(digest, 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidDigest, "{error}");
        assert!(error.message().contains("only sha256 and sha512"), "{error}");
    }
    assert_eq!(double.connections(), 0);
    repository.upload_manifest(&manifest, ["demo"]).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_costs_no_request() {
    let double = Double::plain(Reply::stored);
    let repository = open(&client(), &double.url());
    let directory = TempDir::new();
    let missing = directory.join("missing");
    let known = || BlobOptions::new().known(Digest::sha256(b"x"), 1);
    for (path, reason) in [
        (directory.path(), "is a directory, not a file"),
        (missing.as_path(), "No such file or directory"),
        (&directory.write("file", "x").join("below"), "Not a directory"),
    ] {
        for options in [BlobOptions::new(), known(), BlobOptions::new().algorithm(Algorithm::Sha512)] {
            let error = repository.upload_blob_with(path, options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
            assert!(error.message().contains(reason), "{error}");
            assert!(error.message().contains(&path.display().to_string()), "{error}");
            assert!(!error.is_retryable());
        }
    }
    assert_eq!(double.connections(), 0);
    repository.upload_blob(directory.join("file")).unwrap();
}

#[test]
fn a_client_is_not_made_with_settings_that_cannot_work() {
    let cases: [(ClientBuilder, &str); 13] = [
        (Client::builder().connect_timeout(Duration::ZERO), "connect_timeout must not be zero"),
        (Client::builder().read_timeout(Duration::ZERO), "read_timeout must not be zero"),
        (Client::builder().write_timeout(Duration::ZERO), "write_timeout must not be zero"),
        (Client::builder().commit_timeout(Duration::ZERO), "commit_timeout must not be zero"),
        (Client::builder().chunk_size(0), "chunk_size must not be zero"),
        (Client::builder().attempts(0), "attempts must be at least 1"),
        (Client::builder().user_agent(""), "user_agent must consist of visible ASCII"),
        (Client::builder().user_agent("a\r\nX: y"), "user_agent must consist of visible ASCII"),
        (Client::builder().user_agent("ä"), "user_agent must consist of visible ASCII"),
        (Client::builder().basic_auth("", "s3cr3t"), "must not be empty or contain a colon"),
        (Client::builder().basic_auth("a:b", "s3cr3t"), "must not be empty or contain a colon"),
        (Client::builder().basic_auth("a\nb", "s3cr3t"), "must not contain control characters"),
        (Client::builder().basic_auth("a", "s3cr3t\r\nX: y"), "must not contain control characters"),
    ];
    for (builder, reason) in cases {
        assert!(!format!("{builder:#?}").contains("s3cr3t"), "{builder:#?}");
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(
            error.to_string().starts_with("set up the client: ") && error.message().contains(reason),
            "{error}"
        );
        assert!(!format!("{error:#?}").contains("s3cr3t"), "{error:#?}");
    }
}

#[test]
fn a_chunk_that_does_not_fit_in_memory_is_refused_where_it_would_have_to() {
    let double = Double::plain(|request| match request.method.as_str() {
        "POST" => Reply::status(202).header("Location", "/session"),
        _ => Reply::status(201),
    });
    let client = Client::builder().attempts(1).chunk_size(1 << 40).build().unwrap();
    let repository = open(&client, &double.url());
    let error = repository.upload_blob(Source::reader(&b"x"[..])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains("too large to be held in memory"), "{error}");
    assert_eq!(double.connections(), 0);
    // What need not be held can be of any size.
    repository.upload_blob("x").unwrap();
}

/// Uploads to an address where no registry is, with a client that must then still reach one.
fn unreachable(client: &Client, address: &str) -> Error {
    let error = client.repository(address).unwrap().upload_blob("Sample layer").unwrap_err();
    assert_eq!(error.operation(), "upload blob");
    assert_eq!(error.target(), address);
    assert!(error.is_retryable() && error.status().is_none());
    error
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    let client = client();
    for scheme in ["", "http://"] {
        let error = unreachable(&client, &format!("{scheme}no-such-registry.invalid/sample"));
        assert_eq!(error.kind(), ErrorKind::Dns, "{error}");
        assert!(error.message().starts_with("cannot resolve no-such-registry.invalid: "), "{error}");
        let shown = error.request().unwrap();
        assert!(shown.starts_with("POST ") && shown.ends_with("/v2/sample/blobs/uploads/"), "{shown}");

        // A port that was free a moment ago.
        let host = listener::Listener::start(|_, _| ()).host();
        let error = unreachable(&client, &format!("{scheme}{host}/sample"));
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(
            error.message().ends_with(&format!("{host} refuses connections: nothing listens there")),
            "{error}"
        );
    }
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.start();
    let repository = open(&client, &registry.url());
    let blob = repository.upload_blob("Sample layer").unwrap();
    support::uploads::assert_stored(&registry, NAME, &[(blob, b"Sample layer")]);
}
