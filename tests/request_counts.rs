//! What an upload costs: requests, connections and bytes, counted in front of the registry.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use ocireg::{Client, Digest, ErrorKind, Manifest, Source, ToManifest, media_type};
use support::uploads::{NAME, ShortReads, assert_stored, client, content, open};
use support::{CountingProxy, Double, RecordedRequest, Registry, Reply, TempDir};

/// The registries that can tell by one request whether they have a blob; crane's cannot.
fn mounting_registries() -> Vec<Registry> {
    let all = [Registry::docker(), Registry::distribution(), Registry::zot()];
    all.into_iter().flatten().map(support::servers::Setup::start).collect()
}

fn methods(requests: &[RecordedRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.method.as_str()).collect()
}

fn sample(url: &str, client: &Client) -> Digest {
    let repository = open(client, url);
    let config = repository.upload_blob("Sample config").unwrap();
    let one = repository.upload_blob("Sample layer").unwrap();
    let two = repository.upload_blob(Source::reader(&b"Another layer"[..])).unwrap();
    let manifest = Manifest::new(config.with_media_type("application/vnd.example.config"))
        .layer(one.with_media_type(media_type::IMAGE_LAYER))
        .layer(two.with_media_type(media_type::IMAGE_LAYER));
    repository.upload_manifest(&manifest, ["demo"]).unwrap().digest().clone()
}

#[test]
fn a_new_blob_costs_two_requests_and_one_that_is_there_costs_one() {
    let directory = TempDir::new();
    let bytes = content(1_000_000, 1);
    let file = directory.write("blob", &bytes);
    for registry in mounting_registries() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let repository = open(&client(), &proxy.url());
        let descriptor = repository.upload_blob(&file).unwrap();
        let digest = descriptor.digest();
        let requests = proxy.requests();
        assert_eq!(methods(&requests), ["POST", "PUT"], "{:?}", registry.kind());
        let post = format!("POST /v2/{NAME}/blobs/uploads/?mount={digest}&from={NAME}");
        assert_eq!(requests[0].line(), post);
        assert_eq!(requests[0].header("content-length"), Some("0"));
        assert_eq!(requests[1].header("content-length"), Some("1000000"));
        assert_eq!(requests[1].header("content-type"), Some("application/octet-stream"));
        assert_eq!(requests[1].header("transfer-encoding"), None);
        assert!(requests[1].query().ends_with(&format!("digest={digest}")), "{}", requests[1].line());

        // Whatever it comes from the second time.
        for source in [Source::file(&file), Source::bytes(&bytes[..]), Source::reader(&bytes[..])] {
            proxy.clear();
            assert_eq!(&repository.upload_blob(source).unwrap(), &descriptor);
            assert_eq!(methods(&proxy.requests()), ["POST"], "{:?}", registry.kind());
            assert_eq!(proxy.requests()[0].line(), post);
        }
        assert_stored(&registry, NAME, &[(descriptor, &bytes)]);
    }
}

#[test]
fn a_manifest_with_one_tag_or_none_costs_one_request() {
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let repository = open(&client(), &proxy.url());
        let blob = repository.upload_blob("x").unwrap().with_media_type("application/vnd.example");
        let manifest = Manifest::new(blob.clone()).layer(blob);
        proxy.clear();
        let uploaded = repository.upload_manifest(&manifest, ["demo"]).unwrap();
        repository.upload_manifest(&manifest, ocireg::NO_TAGS).unwrap();
        let lines: Vec<String> = proxy.requests().iter().map(RecordedRequest::line).collect();
        let put = format!("PUT /v2/{NAME}/manifests");
        assert_eq!(lines, [format!("{put}/demo"), format!("{put}/{}", uploaded.digest())]);
        let sent = &proxy.requests()[0];
        assert_eq!(sent.header("content-type"), Some(media_type::IMAGE_MANIFEST));
        assert_eq!(sent.body_length, uploaded.size());
    }
}

#[test]
fn a_whole_push_goes_over_one_connection() {
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let digest = sample(&proxy.url(), &client());
        assert_eq!(proxy.connections(), 1, "{:?}", registry.kind());
        let expected = ["POST", "PUT", "POST", "PUT", "POST", "PUT", "PUT"];
        assert_eq!(methods(&proxy.requests()), expected, "{:?}", registry.kind());
        for reader in registry.readers() {
            assert_eq!(Digest::sha256(&reader.manifest(&format!("{NAME}:demo"))), digest);
        }
    }
}

#[test]
fn an_answer_with_a_body_or_an_error_does_not_cost_the_connection() {
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.start();
    let proxy = CountingProxy::in_front_of(registry.host());
    let repository = open(&client(), &proxy.url());
    assert!(!repository.blob_exists(&Digest::sha256(b"missing")).unwrap());
    let missing = ocireg::Descriptor::new(media_type::IMAGE_LAYER, Digest::sha256(b"missing"), 7);
    let manifest = Manifest::new(missing.clone()).layer(missing);
    let error = repository.upload_manifest(&manifest, ["demo"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.registry_code().unwrap().starts_with("MANIFEST_"), "{error}");
    sample(&proxy.url(), &client());
    repository.upload_blob("Sample config").unwrap();
    // One of each client.
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn a_password_costs_one_more_request_in_all_and_no_body_before_it_is_accepted() {
    let all = [Registry::docker(), Registry::distribution(), Registry::zot()];
    for setup in all.into_iter().flatten() {
        let registry = setup.htpasswd("somebody", "a secret").start();
        let proxy = CountingProxy::in_front_of(registry.host());
        let client = Client::builder().basic_auth("somebody", "a secret").attempts(1).build().unwrap();
        let digest = sample(&proxy.url(), &client);

        let requests = proxy.requests();
        let expected = ["POST", "POST", "PUT", "POST", "PUT", "POST", "PUT", "PUT"];
        assert_eq!(methods(&requests), expected, "{:?}", registry.kind());
        assert_eq!(requests[0].line(), requests[1].line());
        assert_eq!((requests[0].header("authorization"), requests[0].body_length), (None, 0));
        for request in &requests[1..] {
            let basic = "Basic c29tZWJvZHk6YSBzZWNyZXQ=";
            assert_eq!(request.header("authorization"), Some(basic), "{}", request.line());
        }
        assert_eq!(proxy.connections(), 1, "{:?}", registry.kind());
        for reader in registry.readers() {
            assert_eq!(Digest::sha256(&reader.manifest(&format!("{NAME}:demo"))), digest);
        }
    }
}

#[test]
fn a_wrong_password_is_tried_once() {
    let all = [Registry::docker(), Registry::distribution(), Registry::zot()];
    for setup in all.into_iter().flatten() {
        let registry = setup.htpasswd("somebody", "a secret").start();
        let proxy = CountingProxy::in_front_of(registry.host());
        let client = Client::builder().basic_auth("somebody", "a guess").build().unwrap();
        let error = open(&client, &proxy.url()).upload_blob("Sample layer").unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
        assert_eq!(error.registry_code(), Some("UNAUTHORIZED"), "{:?}", registry.kind());
        assert!(error.message().contains(&format!("needed: to push to {NAME}")), "{error}");
        assert!(!error.to_string().contains("guess") && !format!("{error:#?}").contains("guess"));
        // Of a self-mount and of the plain upload after it; neither sends a byte of the blob.
        assert!(proxy.requests().iter().all(|request| request.method == "POST" && request.body_length == 0));
        let with =
            proxy.requests().iter().filter(|request| request.header("authorization").is_some()).count();
        assert!((1..=2).contains(&with), "{:?}", proxy.requests());
    }
}

#[test]
fn chunks_follow_each_other_without_a_gap_and_the_last_goes_in_the_closing_put() {
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let client = Client::builder().chunk_size(1000).attempts(1).build().unwrap();
        let repository = open(&client, &proxy.url());
        type Chunks = &'static [(&'static str, &'static str, u64)];
        let cases: [(usize, Chunks); 4] = [
            (1001, &[("PATCH", "0-999", 1000), ("PUT", "1000-1000", 1)]),
            (2000, &[("PATCH", "0-999", 1000), ("PUT", "1000-1999", 1000)]),
            (2001, &[("PATCH", "0-999", 1000), ("PATCH", "1000-1999", 1000), ("PUT", "2000-2000", 1)]),
            (2500, &[("PATCH", "0-999", 1000), ("PATCH", "1000-1999", 1000), ("PUT", "2000-2499", 500)]),
        ];
        let mut contents = Vec::new();
        for (size, expected) in cases {
            proxy.clear();
            let bytes = content(size, size as u64);
            let reader = ShortReads::new(&bytes, &[7, 400]);
            let descriptor = repository.upload_blob(Source::reader(reader)).unwrap();
            let requests = proxy.requests();
            assert_eq!(
                requests[0].line(),
                format!("POST /v2/{NAME}/blobs/uploads/"),
                "no digest yet, no mount"
            );
            let chunks: Vec<(&str, &str, u64)> = requests[1..]
                .iter()
                .map(|it| (it.method.as_str(), it.header("content-range").unwrap_or(""), it.body_length))
                .collect();
            assert_eq!(chunks, expected, "{size} {:?}", registry.kind());
            for request in &requests[1..] {
                let length = request.body_length.to_string();
                assert_eq!(request.header("content-length"), Some(length.as_str()));
                assert_eq!(request.header("transfer-encoding"), None);
            }
            contents.push((descriptor, bytes));
        }
        let contents: Vec<_> = contents.iter().map(|(it, bytes)| (it.clone(), bytes.as_slice())).collect();
        assert_stored(&registry, NAME, &contents);
    }
}

#[test]
fn a_reader_that_fits_a_chunk_is_looked_for_like_any_blob_of_known_digest() {
    for registry in mounting_registries() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let client = Client::builder().chunk_size(1000).attempts(1).build().unwrap();
        let repository = open(&client, &proxy.url());
        let bytes = content(1000, 2);
        for expected in [&["POST", "PUT"][..], &["POST"]] {
            proxy.clear();
            repository.upload_blob(Source::reader(ShortReads::new(&bytes, &[3, 333]))).unwrap();
            assert_eq!(methods(&proxy.requests()), expected, "{:?}", registry.kind());
            assert!(proxy.requests()[0].query().starts_with("mount=sha256:"));
            assert!(proxy.requests().iter().all(|request| request.header("content-range").is_none()));
        }
    }
}

#[test]
fn a_registry_that_wants_larger_chunks_gets_them() {
    let double = Double::plain(|request| match request.method.as_str() {
        "POST" => Reply::status(202).header("Location", "/session").header("OCI-Chunk-Min-Length", "1500"),
        "PATCH" => Reply::status(202),
        _ => Reply::status(201),
    });
    let client = Client::builder().chunk_size(1000).attempts(1).build().unwrap();
    let bytes = content(3100, 3);
    let directory = TempDir::new();
    for source in [Source::reader(&bytes[..]), Source::file(directory.write("blob", &bytes))] {
        double.clear();
        open(&client, &double.url()).upload_blob(source).unwrap();
        let requests = double.requests();
        let ranges: Vec<_> = requests[1..].iter().map(|request| request.header("content-range")).collect();
        assert_eq!(ranges, [Some("0-1499"), Some("1500-2999"), Some("3000-3099")]);
        let sent: Vec<u8> = requests.iter().flat_map(|request| request.body.clone()).collect();
        assert!(sent == bytes);
    }
}

#[test]
fn a_host_that_refuses_self_mounts_is_not_asked_for_another() {
    let double = Double::plain(|request| match request.method.as_str() {
        "POST" if !request.query().is_empty() => Reply::error(400, "UNSUPPORTED", "no mounts"),
        "POST" => Reply::status(202).header("Location", "/session"),
        _ => Reply::status(201),
    });
    let client = client();
    let repository = open(&client, &double.url());
    repository.upload_blob("one").unwrap();
    assert_eq!(methods(&double.requests()), ["POST", "POST", "PUT"]);
    assert!(double.requests()[0].query().contains(&format!("&from={NAME}")));
    double.clear();
    repository.upload_blob("two").unwrap();
    client.repository(&format!("{}/other", double.url())).unwrap().upload_blob("three").unwrap();
    let lines: Vec<String> = double.requests().iter().map(RecordedRequest::line).collect();
    assert_eq!(lines[0], format!("POST /v2/{NAME}/blobs/uploads/"));
    assert_eq!(lines[2], "POST /v2/other/blobs/uploads/");
    assert_eq!(lines.len(), 4);

    // Another client, and another host, know nothing of it.
    double.clear();
    open(&support::uploads::client(), &double.url()).upload_blob("four").unwrap();
    assert_eq!(double.requests().len(), 3);
    let elsewhere = Double::plain(Reply::stored);
    open(&client, &elsewhere.url()).upload_blob("five").unwrap();
    assert!(elsewhere.requests()[0].query().contains("mount="));
}

#[test]
fn a_host_that_refuses_every_upload_is_not_remembered_as_one_that_refuses_mounts() {
    let refusing = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let double = Double::plain({
        let refusing = refusing.clone();
        move |request| match request.method.as_str() {
            _ if refusing.load(std::sync::atomic::Ordering::SeqCst) => {
                Reply::error(403, "DENIED", "read-only")
            }
            "POST" => Reply::status(202).header("Location", "/session"),
            _ => Reply::status(201),
        }
    });
    let repository = open(&client(), &double.url());
    assert_eq!(repository.upload_blob("one").unwrap_err().kind(), ErrorKind::Denied);
    assert_eq!(methods(&double.requests()), ["POST", "POST"]);
    refusing.store(false, std::sync::atomic::Ordering::SeqCst);
    double.clear();
    repository.upload_blob("one").unwrap();
    assert!(double.requests()[0].query().contains("mount="));
}

#[test]
fn requests_say_who_sends_them_and_take_no_encoded_answers() {
    let double = Double::plain(Reply::stored);
    let client = Client::builder().user_agent("build-tool/1.0 (test)").build().unwrap();
    let repository = open(&client, &double.url());
    repository.upload_blob("x").unwrap();
    let blob = ocireg::Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(b"x"), 1);
    let manifest = Manifest::new(blob).to_manifest().unwrap();
    repository.upload_manifest(&manifest, ["demo"]).unwrap();
    for request in double.requests() {
        let agent = format!("build-tool/1.0 (test) ocireg/{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(request.header("user-agent"), Some(agent.as_str()));
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        assert_eq!(request.header("host"), Some(double.host().as_str()));
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("cookie"), None);
    }
}
