//! Registries that answer what they should not: every answer has its own clear error, and nothing hangs.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ocireg::{Client, Digest, Error, ErrorKind, Manifest, Repository, media_type};
use support::uploads::{NAME, client, open};
use support::{Double, RecordedRequest, Reply};

/// A double that takes uploads, but for what `odd` says.
fn registry(odd: impl Fn(&RecordedRequest) -> Option<Reply> + Send + Sync + 'static) -> Double {
    Double::plain(move |request| odd(request).unwrap_or_else(|| usual(request)))
}

fn usual(request: &RecordedRequest) -> Reply {
    match request.method.as_str() {
        "POST" => Reply::status(202).header("Location", "/session"),
        "DELETE" => Reply::status(204),
        "HEAD" => Reply::status(404),
        _ => Reply::status(201),
    }
}

fn upload(repository: &Repository) -> ocireg::Result<ocireg::Descriptor> {
    repository.upload_blob("Sample layer")
}

fn upload_error(double: &Double) -> Error {
    upload(&open(&client(), &double.url())).unwrap_err()
}

fn manifest() -> Manifest {
    let blob = ocireg::Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(b"x"), 1);
    Manifest::new(blob.clone()).layer(blob)
}

fn methods(requests: &[RecordedRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.method.as_str()).collect()
}

const PAGE: &str = "<!DOCTYPE html><html><body>Please sign in</body></html>";

#[test]
fn a_web_page_is_not_taken_for_a_registry() {
    let page = |status| Reply::status(status).header("Content-Type", "text/html; charset=utf-8").body(PAGE);
    let double = registry(move |_| Some(page(200)));
    let repository = open(&client(), &double.url());
    for error in [
        upload(&repository).unwrap_err(),
        repository.upload_manifest(&manifest(), ["demo"]).unwrap_err(),
        repository.upload_manifest(&manifest(), ["a", "b"]).unwrap_err(),
    ] {
        assert_eq!((error.kind(), error.status()), (ErrorKind::Protocol, Some(200)), "{error}");
        let message = error.message();
        assert!(message.contains("the answer 200 with an HTML page is not that of a registry"), "{error}");
        assert!(message.ends_with("is the address right?") && !message.contains('<'), "{error}");
    }
    for (status, kind) in
        [(404, ErrorKind::NotFound), (403, ErrorKind::Denied), (502, ErrorKind::RegistryFailed)]
    {
        let double = registry(move |_| Some(page(status)));
        let error = upload_error(&double);
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert!(
            error.message().starts_with(&format!("the registry answered {status} with an HTML page")),
            "{error}"
        );
        assert!(error.registry_errors().is_empty());
    }
    // Not every page says what it is, and a page can come at any step.
    let double = registry(|request| (request.method == "PUT").then(|| Reply::status(200).body(PAGE)));
    let error = upload_error(&double);
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.message().contains("200 with an HTML page"), "{error}");
    assert_eq!(error.request(), Some(format!("PUT {}/session", double.url()).as_str()));
    assert_eq!(methods(&double.requests()), ["POST", "PUT", "DELETE"]);
}

#[test]
fn an_error_body_without_end_is_read_to_a_limit() {
    let large = "x".repeat(5 << 20);
    for body in [large.clone(), format!("{{\"errors\":[{{\"code\":\"A\",\"message\":\"{large}\"}}]}}")] {
        let double = registry(move |_| Some(Reply::status(400).body(body.as_str())));
        let error = upload_error(&double);
        assert_eq!((error.kind(), error.status()), (ErrorKind::Rejected, Some(400)));
        assert_eq!(error.message(), "the registry answered 400 with a body of more than 65536 bytes");
    }
}

#[test]
fn errors_are_understood_in_every_shape_that_registries_send() {
    let long = "m".repeat(5000);
    let bare = r#"{"code":"UNAUTHORIZED","message":"authentication required","detail":{"error":"x"}}"#;
    type Expected<'a> = (Vec<(&'a str, &'a str)>, String);
    let cases: [(&str, &str, Expected<'_>); 9] = [
        (
            "application/json",
            r#"{"errors":[{"code":"NAME_INVALID","message":"bad name"},{"code":"OTHER","detail":7}]}"#,
            (vec![("NAME_INVALID", "bad name"), ("OTHER", "")], " NAME_INVALID: bad name".to_owned()),
        ),
        // crane says that its JSON is text.
        (
            "text/plain",
            r#"{"errors":[{"code":"NAME_INVALID","message":""}]}"#,
            (vec![("NAME_INVALID", "")], " NAME_INVALID".to_owned()),
        ),
        // zot's answer to a wrong password has no list around it.
        (
            "application/json",
            bare,
            (
                vec![("UNAUTHORIZED", "authentication required")],
                " UNAUTHORIZED: authentication required".to_owned(),
            ),
        ),
        ("text/plain", "\n  404 page not found\nmore", (vec![], ": 404 page not found".to_owned())),
        ("application/json", "{\"errors\":null}", (vec![], ": {\"errors\":null}".to_owned())),
        ("application/json", "{\"errors\":[{\"code\":", (vec![], ": {\"errors\":[{\"code\":".to_owned())),
        ("text/plain", "", (vec![], String::new())),
        ("text/plain", "red \u{1b}[31m\u{7}text", (vec![], ": red  [31m text".to_owned())),
        ("text/plain", &long, (vec![], format!(": {}…", "m".repeat(200)))),
    ];
    for (content_type, body, (entries, shown)) in cases {
        let text = body.to_owned();
        let double = registry(move |_| {
            Some(Reply::status(400).header("Content-Type", content_type).body(text.as_str()))
        });
        let error = upload_error(&double);
        let found: Vec<(&str, &str)> = error
            .registry_errors()
            .iter()
            .map(|entry| (entry.code.as_str(), entry.message.as_str()))
            .collect();
        assert_eq!(found, entries, "{body:.80}");
        assert_eq!(error.registry_code(), entries.first().map(|entry| entry.0));
        assert_eq!(error.message(), format!("the registry answered 400{shown}"));
    }
}

#[test]
fn each_status_has_its_kind() {
    for (status, kind, retryable) in [
        (401, ErrorKind::Unauthorized, false),
        (403, ErrorKind::Denied, false),
        (404, ErrorKind::NotFound, false),
        (408, ErrorKind::Timeout, true),
        (413, ErrorKind::TooLarge, false),
        (418, ErrorKind::Rejected, false),
        (429, ErrorKind::RateLimited, true),
        (500, ErrorKind::RegistryFailed, true),
        (507, ErrorKind::RegistryFailed, true),
        (204, ErrorKind::Protocol, false),
        (304, ErrorKind::Protocol, false),
    ] {
        let double = registry(move |request| (request.method == "POST").then(|| Reply::status(status)));
        let error = upload_error(&double);
        assert_eq!((error.kind(), error.status()), (kind, Some(status)), "{error}");
        assert_eq!(error.is_retryable(), retryable, "{status}");
        assert!(error.request().unwrap().starts_with("POST "), "{error:#?}");
    }
}

#[test]
fn an_endless_redirect_ends() {
    let double =
        registry(|request| Some(Reply::status(307).header("Location", format!("/again?{}", request.number))));
    let error = upload_error(&double);
    assert_eq!((error.kind(), error.status()), (ErrorKind::Redirect, Some(307)));
    assert_eq!(error.message(), "the registry redirects more than 5 times");
    assert_eq!(double.requests().len(), 6);
    let error = open(&client(), &double.url()).blob_exists(&Digest::sha256(b"x")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
}

#[test]
fn a_redirect_that_would_turn_an_upload_into_a_get_is_not_followed() {
    for status in [301, 302, 303] {
        for method in ["POST", "PUT"] {
            let double = registry(move |request| {
                (request.method == method).then(|| Reply::status(status).header("Location", "/elsewhere"))
            });
            let error = upload_error(&double);
            assert_eq!((error.kind(), error.status()), (ErrorKind::Redirect, Some(status)));
            let message =
                format!("the registry redirects a {method} with status {status}, which would make it a GET");
            assert!(error.message().starts_with(&message), "{error}");
            assert!(double.requests().iter().all(|request| request.path() != "/elsewhere"));
        }
    }
}

#[test]
fn a_redirect_that_keeps_the_method_is_followed_with_the_body() {
    for status in [307, 308] {
        let double = registry(move |request| match request.path() {
            "/session" => Some(Reply::status(status).header("Location", "/moved?key=a%2Fb")),
            "/v2/team/sample/manifests/demo" => {
                Some(Reply::status(status).header("Location", "../other/demo"))
            }
            _ => None,
        });
        let repository = open(&client(), &double.url());
        upload(&repository).unwrap();
        repository.upload_manifest(&manifest(), ["demo"]).unwrap();
        let requests = double.requests();
        let lines: Vec<String> = requests.iter().map(RecordedRequest::line).collect();
        assert_eq!(lines[2], "PUT /moved?key=a%2Fb");
        assert_eq!(requests[2].body, b"Sample layer");
        assert_eq!(lines[4], format!("PUT /v2/{NAME}/other/demo"));
        assert_eq!(requests[4].body, requests[3].body);
        assert_eq!(requests[4].header("content-type"), Some(media_type::IMAGE_MANIFEST));
    }
}

#[test]
fn a_redirect_without_a_target_or_with_an_impossible_one_is_an_error() {
    for (location, fragment) in [
        (None, "redirects with status 307 but not where to"),
        (Some("ftp://127.0.0.1/x"), "neither http nor https"),
        (Some("http://user:password@127.0.0.1/x"), "carries a user name"),
        (Some("http://[::1"), "leads to a bad URL"),
    ] {
        let double = registry(move |_| {
            Some(
                location
                    .map_or(Reply::status(307), |location| Reply::status(307).header("Location", location)),
            )
        });
        let error = upload_error(&double);
        assert_eq!(error.kind(), ErrorKind::Redirect, "{location:?}");
        assert!(error.message().contains(fragment), "{error}");
        assert!(!error.to_string().contains("password"), "{error}");
    }
}

#[test]
fn the_location_of_a_session_is_taken_as_it_stands() {
    let digest = Digest::sha256(b"Sample layer");
    for (location, expected) in [
        ("/up/1", format!("/up/1?digest={digest}")),
        ("/up/1?_state=a%3D%3D&b=c%2Fd", format!("/up/1?_state=a%3D%3D&b=c%2Fd&digest={digest}")),
        ("/up/1?", format!("/up/1?digest={digest}")),
        ("up/1", format!("/v2/{NAME}/blobs/uploads/up/1?digest={digest}")),
        ("?only=query", format!("/v2/{NAME}/blobs/uploads/?only=query&digest={digest}")),
        ("HOST/up/1?x=y#fragment", format!("/up/1?x=y&digest={digest}")),
    ] {
        let double = Double::plain(move |request| match (request.method.as_str(), request.header("host")) {
            ("POST", Some(host)) => {
                let absolute = format!("http://{host}");
                Reply::status(202).header("Location", location.replace("HOST", &absolute))
            }
            _ => Reply::status(201),
        });
        upload(&open(&client(), &double.url())).unwrap();
        assert_eq!(double.requests()[1].target, expected);
        assert_eq!(double.requests()[1].body, b"Sample layer");
    }
}

#[test]
fn a_session_without_a_location_is_an_error() {
    let double = registry(|request| (request.method == "POST").then(|| Reply::status(202)));
    let error = upload_error(&double);
    assert_eq!((error.kind(), error.status()), (ErrorKind::Protocol, Some(202)));
    assert_eq!(error.message(), "the registry's answer has no Location");
}

#[test]
fn a_location_at_another_origin_gets_the_bytes_and_no_password() {
    for redirected in [false, true] {
        let storage = Double::plain(|_| Reply::status(201));
        let there = format!("{}/up?signature=mine", storage.url());
        let double =
            registry(move |request| match (request.header("authorization"), request.method.as_str()) {
                (None, _) => Some(Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")),
                (_, "POST") if !redirected => Some(Reply::status(202).header("Location", there.as_str())),
                (_, "PUT") if redirected => Some(Reply::status(307).header("Location", there.as_str())),
                _ => None,
            });
        let client = Client::builder().attempts(1).basic_auth("somebody", "a secret").build().unwrap();
        upload(&open(&client, &double.url())).unwrap();
        let requests = storage.requests();
        assert_eq!(methods(&requests), ["PUT"]);
        assert_eq!(
            (requests[0].body.as_slice(), requests[0].header("authorization")),
            (&b"Sample layer"[..], None)
        );
        assert_eq!(requests[0].header("host"), Some(storage.host().as_str()));
        assert!(requests[0].query().starts_with("signature=mine"));
    }
}

#[test]
fn a_storage_host_that_asks_for_a_password_does_not_get_it() {
    let storage = Double::plain(|_| Reply::status(401).header("WWW-Authenticate", "Basic realm=\"give\""));
    let there = storage.url();
    let double = registry(move |request| match (request.header("authorization"), request.method.as_str()) {
        (None, _) => Some(Reply::status(401).header("WWW-Authenticate", "Basic realm=\"x\"")),
        (_, "POST") => Some(Reply::status(202).header("Location", there.as_str())),
        _ => None,
    });
    let client = Client::builder().attempts(1).basic_auth("somebody", "a secret").build().unwrap();
    let error = upload(&open(&client, &double.url())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(methods(&storage.requests()), ["PUT", "DELETE"]);
    assert!(storage.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn where_no_registry_has_a_reason_to_lead_is_not_gone() {
    let identity = support::Identity::new();
    for target in ["http://127.0.0.1:1/x?sig=s", "http://registry.example/x?sig=s"] {
        for redirected in [false, true] {
            let double = Double::tls(&identity, move |_| {
                Reply::status(if redirected { 307 } else { 202 }).header("Location", target)
            });
            let client = Client::builder().attempts(1).ca_file(identity.ca_pem_path()).build().unwrap();
            let error = upload(&open(&client, &double.url())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Redirect, "{error}");
            assert!(
                error.message().starts_with("the registry leads from https to plain http (http://"),
                "{error}"
            );
            assert!(!error.to_string().contains("sig="), "{error}");
        }
    }
    for target in [
        "http://169.254.169.254/latest/meta-data/?sig=s",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
    ] {
        for status in [202, 307] {
            let double = registry(move |_| Some(Reply::status(status).header("Location", target)));
            let error = upload_error(&double);
            assert_eq!((error.kind(), error.status()), (ErrorKind::Redirect, Some(status)), "{error}");
            assert!(
                error.message().starts_with("the registry leads to an internal address (http"),
                "{error}"
            );
            assert!(!error.to_string().contains("sig="), "{error}");
        }
    }
}

#[test]
fn a_connection_that_breaks_is_named_as_that() {
    let double = registry(|_| Some(Reply::hang_up()));
    let error = upload_error(&double);
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Connection, true), "{error}");
    assert!(
        error.message().contains("closed the connection") || error.message().contains("disconnected"),
        "{error}"
    );
    assert_eq!(error.status(), None);

    // In the middle of an answer.
    let double = registry(|_| Some(Reply::raw("HTTP/1.1 202 Accepted\r\nLocat")));
    assert!(matches!(upload_error(&double).kind(), ErrorKind::Connection | ErrorKind::Protocol));

    // With the body on its way.
    let double = registry(|request| (request.method == "PUT").then(Reply::hang_up));
    let error = upload_error(&double);
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(error.request(), Some(format!("PUT {}/session", double.url()).as_str()));
    assert_eq!(methods(&double.requests()), ["POST", "PUT", "DELETE"]);
}

#[test]
fn a_broken_connection_is_replaced_when_nothing_can_have_been_lost() {
    let asked = AtomicUsize::new(0);
    let double = registry(move |_| (asked.fetch_add(1, Ordering::SeqCst) == 0).then(Reply::hang_up));
    let client = Client::builder().attempts(2).build().unwrap();
    upload(&open(&client, &double.url())).unwrap();
    assert_eq!(methods(&double.requests()), ["POST", "POST", "PUT"]);
}

#[test]
fn garbage_is_not_http() {
    for garbage in ["this is no HTTP\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 999999 X\r\n\r\n"] {
        let double = registry(move |_| Some(Reply::raw(garbage)));
        let error = upload_error(&double);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{garbage}: {error}");
        assert!(error.message().contains("does not answer in proper HTTP"), "{error}");
        assert!(!error.is_retryable());
    }
}

#[test]
fn a_registry_that_says_nothing_is_given_up_within_the_limits() {
    const LIMIT: Duration = Duration::from_millis(200);
    // Generous, for a machine under load; without a limit the test would take for ever.
    const MOST: Duration = Duration::from_secs(20);
    for method in ["POST", "PUT"] {
        let double = registry(move |request| (request.method == method).then(Reply::stall));
        let builder = Client::builder().attempts(1).read_timeout(LIMIT).commit_timeout(LIMIT);
        let repository = open(&builder.build().unwrap(), &double.url());
        let begun = Instant::now();
        let error = upload(&repository).unwrap_err();
        let taken = begun.elapsed();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true), "{error}");
        assert!(error.message().ends_with("has not answered within the time limit"), "{error}");
        assert!(taken >= LIMIT && taken < MOST, "{taken:?}");
    }
    // A registry that does not take the body; large, so that the buffers of the sockets do not hold it.
    let double = Double::setup().early(|request| (request.method == "PUT").then(Reply::stall)).start(usual);
    let builder = Client::builder().attempts(1).write_timeout(LIMIT).commit_timeout(LIMIT);
    let begun = Instant::now();
    let body = vec![0; 64 << 20];
    let error = open(&builder.build().unwrap(), &double.url()).upload_blob(&body).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.message().ends_with("has not taken any data within the time limit"), "{error}");
    assert!(begun.elapsed() < MOST);
}

#[test]
fn an_answer_that_comes_byte_by_byte_is_given_up_within_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Always within the limit of one wait, and never at its end.
    let drip = move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.write_all(b"HTTP/1.1 202 Accepted\r\nX-Drip: ");
        while connection.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let server = std::thread::spawn(drip);
    let limit = Duration::from_millis(500);
    let builder = Client::builder().attempts(1).read_timeout(limit).commit_timeout(limit);
    let begun = Instant::now();
    let error = upload(&open(&builder.build().unwrap(), &url)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    server.join().unwrap();
}

#[test]
fn a_session_is_cancelled_where_the_registry_says_that_it_is_now() {
    // As distribution 3 does it: the Location of a session that has moved on is not the one that was given.
    let double = registry(|request| match (request.method.as_str(), request.target.as_str()) {
        ("PUT", _) => Some(Reply::error(400, "DIGEST_INVALID", "no")),
        ("DELETE", "/session") => Some(Reply::error(416, "RANGE_INVALID", "invalid content range")),
        ("GET", "/session") => Some(Reply::status(204).header("Location", "/session?at=12")),
        _ => None,
    });
    assert_eq!(upload_error(&double).kind(), ErrorKind::DigestMismatch);
    let lines: Vec<String> = double.requests()[2..].iter().map(RecordedRequest::line).collect();
    assert_eq!(lines, ["DELETE /session", "GET /session", "DELETE /session?at=12"]);

    // A registry that goes on like this is left alone.
    let double = registry(|request| match request.method.as_str() {
        "PUT" => Some(Reply::status(500)),
        "DELETE" => Some(Reply::status(416)),
        "GET" => Some(Reply::status(204).header("Location", "/session")),
        _ => None,
    });
    assert_eq!(upload_error(&double).status(), Some(500));
    assert!(double.requests().len() <= 8, "{:?}", methods(&double.requests()));
}
