//! When a request is tried again, and what an error may say afterwards.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ocireg::{Client, Descriptor, Digest, Error, ErrorKind, Manifest, media_type};
use support::uploads::{NAME, client, open};
use support::{Double, RecordedRequest, Reply};

/// A double that takes uploads, but for its first `count` answers, which are `odd`.
fn odd_at_first(count: usize, odd: Reply) -> Double {
    let asked = AtomicUsize::new(0);
    Double::plain(move |request| {
        if asked.fetch_add(1, Ordering::SeqCst) < count {
            return odd.clone();
        }
        match request.method.as_str() {
            "POST" => Reply::status(202).header("Location", "/session"),
            _ => Reply::status(201),
        }
    })
}

fn client_with(attempts: u32) -> Client {
    Client::builder().attempts(attempts).build().unwrap()
}

fn upload(double: &Double, attempts: u32) -> ocireg::Result<Descriptor> {
    open(&client_with(attempts), &double.url()).upload_blob("Sample layer")
}

fn manifest() -> Manifest {
    let blob = Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(b"x"), 1);
    Manifest::new(blob.clone()).layer(blob)
}

fn methods(requests: &[RecordedRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.method.as_str()).collect()
}

#[test]
fn a_registry_that_is_asked_too_often_is_left_alone_for_as_long_as_it_says() {
    let double = odd_at_first(1, Reply::status(429).header("Retry-After", "1"));
    let begun = Instant::now();
    upload(&double, 2).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(methods(&double.requests()), ["POST", "POST", "PUT"]);
    assert_eq!(double.connections(), 1);
}

#[test]
fn a_wait_that_is_too_long_is_left_to_the_caller() {
    let double =
        odd_at_first(9, Reply::error(429, "TOOMANYREQUESTS", "slow down").header("Retry-After", "3600"));
    let error = upload(&double, 4).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::RateLimited, true));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(error.registry_code(), Some("TOOMANYREQUESTS"));
    assert_eq!(double.requests().len(), 1);
}

#[test]
fn a_registry_that_fails_for_a_while_is_tried_as_often_as_the_client_allows() {
    for status in [408, 429, 500, 502, 503, 504] {
        let failure = Reply::status(status).header("Retry-After", "0");
        let double = odd_at_first(2, failure.clone());
        upload(&double, 3).unwrap();
        assert_eq!(methods(&double.requests()), ["POST", "POST", "POST", "PUT"], "{status}");

        let double = odd_at_first(usize::MAX, failure);
        let error = upload(&double, 3).unwrap_err();
        assert_eq!((error.status(), error.is_retryable()), (Some(status), true));
        assert_eq!(double.requests().len(), 3, "{status}");
    }
}

#[test]
fn a_manifest_is_sent_again_with_the_same_bytes() {
    let double = odd_at_first(1, Reply::status(503).header("Retry-After", "0"));
    open(&client_with(2), &double.url()).upload_manifest(&manifest(), ["demo"]).unwrap();
    let requests = double.requests();
    assert_eq!(methods(&requests), ["PUT", "PUT"]);
    assert!(!requests[0].body.is_empty() && requests[0].body == requests[1].body);
    assert_eq!(requests[0].target, requests[1].target);
}

#[test]
fn an_answer_that_will_not_change_is_not_asked_for_again() {
    for status in [400, 404, 405, 413, 501, 505, 507] {
        let double = odd_at_first(usize::MAX, Reply::status(status));
        let error = open(&client_with(4), &double.url()).upload_manifest(&manifest(), ["demo"]).unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(double.requests().iter().filter(|request| request.method == "PUT").count(), 1, "{status}");
    }
}

#[test]
fn without_a_word_from_the_registry_the_waits_grow() {
    let double = odd_at_first(2, Reply::status(503));
    let begun = Instant::now();
    upload(&double, 3).unwrap();
    // At least half of a quarter and of a half second.
    assert!(begun.elapsed() >= Duration::from_millis(375), "{:?}", begun.elapsed());
}

#[test]
fn a_registry_that_never_accepts_the_password_is_not_asked_for_ever() {
    let challenge = Reply::error(401, "UNAUTHORIZED", "who?").header("WWW-Authenticate", "Basic realm=\"x\"");
    let double = odd_at_first(usize::MAX, challenge);
    let client = Client::builder().basic_auth("somebody", "a secret").build().unwrap();
    let repository = open(&client, &double.url());
    let error = repository.upload_manifest(&manifest(), ["demo"]).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unauthorized, false));
    assert_eq!(methods(&double.requests()), ["PUT", "PUT"]);
    double.clear();
    // From now on the password is sent at once, and its refusal is final.
    assert_eq!(
        repository.upload_manifest(&manifest(), ["demo"]).unwrap_err().kind(),
        ErrorKind::Unauthorized
    );
    assert_eq!(double.requests().len(), 1);
}

#[test]
fn a_password_is_not_given_to_a_registry_that_asks_for_something_else() {
    for challenge in ["Bearer realm=\"http://127.0.0.1:1/token\"", "Digest realm=\"x\"", ""] {
        let reply = Reply::status(401).header("WWW-Authenticate", challenge);
        let double = odd_at_first(usize::MAX, reply);
        let client = Client::builder().basic_auth("somebody", "a secret").build().unwrap();
        let error = open(&client, &double.url()).upload_manifest(&manifest(), ["demo"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(double.requests().len(), 1);
        assert_eq!(double.requests()[0].header("authorization"), None);
    }
}

/// Everything that an error can be made to print.
fn everything(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{:?}", error.registry_errors());
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text.push_str(&format!("\n{inner}\n{inner:#?}"));
        source = inner.source();
    }
    text
}

#[test]
fn no_error_shows_a_secret_or_the_query_of_a_url() {
    let url = "https://storage.example/up?X-Signature=s3cr3t&y=1";
    let told = serde_json::json!({ "errors": [{
        "code": "UNKNOWN",
        "message": format!("cannot write to {url}"),
        "detail": { "url": url, "list": [format!("see {url}, please")] },
    }]});
    let plain = format!("cannot write to {url}");
    for reply in [
        Reply::status(500).body(told.to_string()),
        Reply::status(500).body(plain.clone()),
        Reply::status(200).body(plain),
        Reply::status(400).body("no"),
        Reply::status(413),
        Reply::status(303).header("Location", "/x?X-Signature=s3cr3t"),
        Reply::status(307).header("Location", "http://10.0.0.1/x?X-Signature=s3cr3t"),
        Reply::status(307).header("Location", "ftp://127.0.0.1/x?X-Signature=s3cr3t"),
        Reply::status(307).header("Location", "http://127.0.0.1:0/x?X-Signature=s3cr3t"),
        Reply::status(307).header("Location", "http://s3cr3t@127.0.0.1/"),
        Reply::status(307).header("Location", "/\u{7f}x?X-Signature=s3cr3t"),
        Reply::raw("nonsense"),
        Reply::hang_up(),
    ] {
        let double = Double::plain(move |request| match request.method.as_str() {
            _ if request.header("authorization").is_none() => {
                Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")
            }
            "POST" => Reply::status(202).header("Location", "/session?X-Signature=s3cr3t"),
            _ => reply.clone(),
        });
        let client = Client::builder().attempts(1).basic_auth("somebody", "s3cr3t").build().unwrap();
        let repository = open(&client, &double.url());
        let error = repository.upload_blob("Sample layer").unwrap_err();
        assert_eq!(double.requests()[2].query().split('=').next(), Some("X-Signature"));
        let text = everything(&error) + &format!("{client:#?} {repository:#?}");
        for secret in ["s3cr3t", "X-Signature", "c29tZWJvZHk6czNjcjN0"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(
            text.contains(&format!("PUT {}/session", double.url())) || error.request().is_some(),
            "{text}"
        );
    }
}

#[test]
fn what_a_registry_tells_is_otherwise_kept() {
    let detail = serde_json::json!({ "url": "https://h.example/a", "why": "What? That.", "n": [1, null] });
    let told = serde_json::json!({ "errors": [{ "code": "UNKNOWN", "message": "why?", "detail": detail }]});
    let double = odd_at_first(usize::MAX, Reply::status(400).body(told.to_string()));
    let error = open(&client(), &double.url()).upload_blob("x").unwrap_err();
    let entry = &error.registry_errors()[0];
    assert_eq!(entry.message, "why?");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&entry.detail).unwrap(), detail);
    assert_eq!(error.target(), format!("{}/{NAME}", double.url()));
}

#[test]
fn a_chunk_is_sent_once_since_only_the_session_knows_how_much_of_it_arrived() {
    for answer in [Reply::hang_up, || Reply::status(503)] {
        let double = Double::plain(move |request| match request.method.as_str() {
            "POST" => Reply::status(202).header("Location", "/session"),
            "PATCH" => answer(),
            _ => Reply::status(204),
        });
        let client = Client::builder().chunk_size(1000).build().unwrap();
        open(&client, &double.url()).upload_blob(ocireg::Source::reader(&[7; 2500][..])).unwrap_err();
        let sent: Vec<_> = double.requests().iter().map(|request| request.method.clone()).collect();
        assert_eq!(sent, ["POST", "PATCH", "DELETE"]);
    }
}
