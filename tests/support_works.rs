//! The tests' own servers, proxy, double and readers do what the other tests rely on.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;

use support::http::{self, Answer};
use support::servers::Kind;
use support::{CountingProxy, Double, Identity, Registry, Reply, TempDir, clients};

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &[u8] = b"Sample config";
const CONFIG_DIGEST: &str = "sha256:df9f97944d92fcfe0337f2f97202a24e614483bacca59e14419d153b59cd3c54";
/// User `somebody` with the password `a secret`.
const BASIC: (&str, &str) = ("Authorization", "Basic c29tZWJvZHk6YSBzZWNyZXQ=");

/// Sends one request: method, target, headers, body.
type Send<'a> = &'a dyn Fn(&str, &str, &[(&str, &str)], &[u8]) -> Answer;

/// Uploads `CONFIG` with the two requests that every registry takes, and under the tag `demo` a manifest whose
/// config and only layer it is. Gives back the manifest.
fn upload_sample(send: Send<'_>) -> Vec<u8> {
    let started = send("POST", "/v2/sample/blobs/uploads/", &[], b"");
    assert_eq!(started.status, 202);
    let target = target_of(&started);
    let joint = if target.contains('?') { '&' } else { '?' };
    let stored = send("PUT", &format!("{target}{joint}digest={CONFIG_DIGEST}"), &[], CONFIG);
    assert_eq!(stored.status, 201, "{}", String::from_utf8_lossy(&stored.body));

    let descriptor = |media_type: &str| serde_json::json!({ "mediaType": media_type, "digest": CONFIG_DIGEST, "size": CONFIG.len() });
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        // An image config would have to be JSON for zot, which parses it when it knows users.
        "config": descriptor("application/vnd.example.config"),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar")],
    });
    let manifest = manifest.to_string().into_bytes();
    let stored = send("PUT", "/v2/sample/manifests/demo", &[("Content-Type", MANIFEST_TYPE)], &manifest);
    assert_eq!(stored.status, 201, "{}", String::from_utf8_lossy(&stored.body));
    manifest
}

/// Path and query of an answer's `Location`, which may name the host or not.
fn target_of(answer: &Answer) -> &str {
    let location = answer.header("location").unwrap();
    location.find("/v2/").map_or(location, |start| &location[start..])
}

/// Sends requests to the plain-HTTP server at `host`.
fn plain(host: &str) -> impl Fn(&str, &str, &[(&str, &str)], &[u8]) -> Answer {
    move |method, target, headers, body| http::request(host, method, target, headers, body)
}

/// Sends one request over TLS, showing no certificate.
fn over_tls(
    host: &str,
    identity: &Identity,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Answer> {
    let stream = TcpStream::connect(host)?;
    let mut stream = BufReader::new(rustls::StreamOwned::new(identity.client_connection(), stream));
    http::exchange(&mut stream, host, method, target, headers, body)
}

#[test]
fn every_registry_starts_on_a_port_of_its_own_and_answers() {
    let registries = Registry::all_plain();
    let mut hosts: Vec<String> = registries.iter().map(Registry::host).collect();
    for registry in &registries {
        assert_eq!(http::get(&registry.host(), "/v2/", &[]).status, 200, "{:?}", registry.kind());
        assert_eq!(registry.url(), format!("http://{}", registry.host()));
    }
    hosts.sort();
    hosts.dedup();
    assert_eq!(hosts.len(), registries.len());
}

#[test]
fn a_dropped_registry_no_longer_listens() {
    let Some(registry) = Registry::docker() else { return };
    let registry = registry.start();
    let host = registry.host();
    drop(registry);
    assert!(TcpStream::connect(host).is_err());
}

#[test]
fn readers_of_other_projects_give_back_the_bytes_that_were_uploaded() {
    for registry in Registry::all_plain() {
        let manifest = upload_sample(&plain(&registry.host()));
        for reader in registry.readers() {
            let who = format!("{:?} from {:?}", reader.tool(), registry.kind());
            assert_eq!(reader.manifest("sample:demo"), manifest, "{who}");
            assert_eq!(reader.blob("sample:demo", CONFIG_DIGEST), CONFIG, "{who}");
        }
    }
}

#[test]
fn readers_reach_a_registry_with_tls_and_a_password() {
    for setup in [Registry::docker(), Registry::distribution(), Registry::zot()].into_iter().flatten() {
        let registry = setup.tls().htpasswd("somebody", "a secret").start();
        assert_eq!(registry.url(), format!("https://{}", registry.host()));
        let manifest = upload_sample(&|method, target, headers, body| {
            let headers = [headers, &[BASIC]].concat();
            over_tls(&registry.host(), registry.identity(), method, target, &headers, body).unwrap()
        });
        for reader in registry.readers() {
            let who = format!("{:?} from {:?}", reader.tool(), registry.kind());
            assert_eq!(reader.manifest("sample:demo"), manifest, "{who}");
            assert_eq!(reader.blob("sample:demo", CONFIG_DIGEST), CONFIG, "{who}");
        }
    }
}

#[test]
fn a_registry_with_a_password_refuses_without_it() {
    for setup in [Registry::docker(), Registry::distribution(), Registry::zot()].into_iter().flatten() {
        let registry = setup.htpasswd("somebody", "a secret").start();
        assert_eq!(http::get(&registry.host(), "/v2/", &[]).status, 401);
        assert_eq!(http::get(&registry.host(), "/v2/", &[BASIC]).status, 200);
    }
}

#[test]
fn an_open_upload_is_seen_in_the_storage_until_it_is_cancelled() {
    for registry in Registry::all_plain() {
        if registry.kind() == Kind::Crane {
            continue;
        }
        let host = registry.host();
        assert_eq!(registry.open_uploads("sample").len(), 0);
        let started = http::request(&host, "POST", "/v2/sample/blobs/uploads/", &[], b"");
        assert_eq!(registry.open_uploads("sample").len(), 1, "{:?}", registry.kind());
        assert_eq!(http::request(&host, "DELETE", target_of(&started), &[], b"").status, 204);
        assert_eq!(registry.open_uploads("sample").len(), 0, "{:?}", registry.kind());
    }
}

#[test]
fn relative_locations_name_no_host() {
    for setup in [Registry::docker(), Registry::distribution()].into_iter().flatten() {
        let registry = setup.relative_locations().start();
        let started = http::request(&registry.host(), "POST", "/v2/sample/blobs/uploads/", &[], b"");
        assert!(started.header("location").unwrap().starts_with("/v2/sample/blobs/uploads/"));
    }
}

#[test]
fn the_proxy_records_each_request_and_the_registry_names_the_proxy() {
    for setup in [Registry::docker(), Registry::distribution()].into_iter().flatten() {
        let registry = setup.start();
        let proxy = CountingProxy::in_front_of(registry.host());
        let started = http::request(
            &proxy.host(),
            "POST",
            "/v2/sample/blobs/uploads/?from=me",
            &[("X-Test", "1")],
            b"",
        );
        let location = started.header("location").unwrap();
        assert!(location.starts_with(&format!("{}/v2/sample/", proxy.url())), "{location}");
        upload_sample(&plain(&proxy.host()));

        let requests = proxy.requests();
        let methods: Vec<&str> = requests.iter().map(|request| request.method.as_str()).collect();
        assert_eq!(methods, ["POST", "POST", "PUT", "PUT"]);
        assert_eq!(requests[0].line(), "POST /v2/sample/blobs/uploads/?from=me");
        assert_eq!((requests[0].path(), requests[0].query()), ("/v2/sample/blobs/uploads/", "from=me"));
        assert_eq!(requests[0].header("x-test"), Some("1"));
        assert_eq!(requests[2].body_length, CONFIG.len() as u64);
        assert_eq!(proxy.connections(), 4);
        proxy.clear();
        assert_eq!((proxy.requests().len(), proxy.connections()), (0, 0));
    }
}

#[test]
fn the_proxy_passes_many_requests_on_one_connection_and_large_bodies_both_ways() {
    let double = Double::plain(|request| Reply::status(200).body(vec![b'y'; request.body_length as usize]));
    let proxy = CountingProxy::in_front_of(double.host());
    let mut stream = TcpStream::connect(proxy.host()).unwrap();
    let large = vec![b'x'; 8 << 20];
    let mut answers = stream.try_clone().unwrap();
    let reading = std::thread::spawn(move || {
        let mut all = Vec::new();
        answers.read_to_end(&mut all).unwrap();
        all
    });
    write!(stream, "PUT /length HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", large.len()).unwrap();
    stream.write_all(&large).unwrap();
    write!(stream, "PATCH /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    for piece in large.chunks(1 << 20) {
        write!(stream, "{:x};ext=1\r\n", piece.len()).unwrap();
        stream.write_all(piece).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\nTrailer: 1\r\n\r\n").unwrap();
    stream.write_all(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let answers = reading.join().unwrap();
    assert_eq!(answers.iter().filter(|byte| **byte == b'y').count(), 2 * large.len());

    let seen: Vec<(String, u64)> =
        proxy.requests().iter().map(|request| (request.line(), request.body_length)).collect();
    let length = large.len() as u64;
    let expected = [("PUT /length", length), ("PATCH /chunked", length), ("GET /none", 0)];
    assert_eq!(seen, expected.map(|(line, length)| (line.to_owned(), length)));
    assert_eq!(double.requests().iter().map(|request| request.body_length).sum::<u64>(), 2 * length);
    assert_eq!((proxy.connections(), double.connections()), (1, 1));
}

#[test]
fn a_double_answers_as_told_and_records_what_it_was_asked() {
    let double = Double::plain(|request| match request.path() {
        "/body" => Reply::status(201).header("X-Answer", "yes").body(request.body.clone()),
        "/error" => Reply::error(403, "DENIED", "not you"),
        "/large" => Reply::status(500).body(vec![b'x'; 5 << 20]),
        "/loop" => Reply::status(307).header("Location", format!("/loop?{}", request.number)),
        "/short" => Reply::status(200).header("Content-Length", "100").body("too little").close(),
        "/garbage" => Reply::raw("this is no HTTP\r\n\r\n"),
        _ => Reply::hang_up(),
    });
    let ask = |method: &str, path: &str, body: &[u8]| {
        http::try_request(&double.host(), method, path, &[("X-Test", "1")], body)
    };
    let Answer { status, headers, body } = ask("PUT", "/body", b"what was sent").unwrap();
    assert_eq!((status, body.as_slice()), (201, b"what was sent".as_slice()));
    assert!(headers.contains(&("X-Answer".to_owned(), "yes".to_owned())));
    let denied: serde_json::Value = serde_json::from_slice(&ask("GET", "/error", b"").unwrap().body).unwrap();
    assert_eq!(denied["errors"][0]["code"], "DENIED");
    assert_eq!(ask("GET", "/large", b"").unwrap().body.len(), 5 << 20);
    assert_eq!(ask("HEAD", "/large", b"").unwrap().header("content-length"), Some("5242880"));
    assert_eq!(ask("GET", "/loop", b"").unwrap().header("location"), Some("/loop?4"));
    assert!(ask("GET", "/short", b"").is_err());
    assert!(ask("GET", "/garbage", b"").is_err());
    assert!(ask("GET", "/nothing", b"").is_err());

    let requests = double.requests();
    assert_eq!(requests.len(), 8);
    assert_eq!(requests[0].body, b"what was sent");
    assert!(requests.iter().all(|request| request.header("x-test") == Some("1")));
    assert_eq!(double.connections(), 8);
}

#[test]
fn a_double_answers_before_it_reads_the_body() {
    let double = Double::setup()
        .early(|request| {
            (request.method == "PUT").then(|| Reply::error(413, "SIZE_INVALID", "too large").close())
        })
        .start(|_| Reply::status(200));
    let mut stream = TcpStream::connect(double.host()).unwrap();
    stream.write_all(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(double.requests()[0].body_length, 0);
}

#[test]
fn a_double_that_stalls_neither_answers_nor_closes_until_it_is_dropped() {
    let double = Double::plain(|_| Reply::stall());
    let mut stream = TcpStream::connect(double.host()).unwrap();
    stream.write_all(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_millis(100))).unwrap();
    let waited = stream.read(&mut [0]).unwrap_err().kind();
    assert!(matches!(waited, std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{waited}");
    stream.set_read_timeout(Some(http::PATIENCE)).unwrap();
    drop(double);
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}

#[test]
fn a_double_speaks_tls_to_those_who_trust_its_authority_alone() {
    let identity = Identity::new();
    let double = Double::tls(&identity, |_| Reply::status(200).body("safe"));
    let ask = |identity: &Identity| over_tls(&double.host(), identity, "GET", "/", &[], b"");
    assert_eq!(ask(&identity).unwrap().body, b"safe");
    assert!(ask(&Identity::new()).is_err());
    assert_eq!((double.requests().len(), double.connections()), (1, 2));
    assert!(double.url().starts_with("https://127.0.0.1:"));
}

#[test]
fn servers_that_want_a_client_certificate_refuse_those_without() {
    let identity = Identity::new();
    let double = Double::setup().mutual_tls(&identity).start(|_| Reply::status(200));
    assert!(over_tls(&double.host(), &identity, "GET", "/v2/", &[], b"").is_err());
    for setup in [Registry::docker(), Registry::distribution()].into_iter().flatten() {
        let registry = setup.mutual_tls().start();
        let answer = over_tls(&registry.host(), registry.identity(), "GET", "/v2/", &[], b"");
        assert!(answer.is_err(), "{:?}: {answer:?}", registry.kind());
    }
}

#[test]
fn layouts_are_read_by_skopeo_and_umoci() {
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.start();
    let manifest = upload_sample(&plain(&registry.host()));
    let Some(reader) = registry.reader(clients::Tool::Crane) else { return };
    let layout = TempDir::new();
    // crane names no tag in the index that it writes.
    let mut pull = reader.command();
    pull.args(["pull", "--insecure", "--format", "oci"]).arg(reader.reference("sample:demo"));
    pull.arg(layout.path());
    clients::output(pull);
    let index_path = layout.join("index.json");
    let mut index: serde_json::Value = serde_json::from_slice(&std::fs::read(&index_path).unwrap()).unwrap();
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "demo".into();
    std::fs::write(&index_path, index.to_string()).unwrap();

    if let Some(read) = clients::layout_manifest(layout.path(), "demo") {
        assert_eq!(read, manifest);
    }
    if let Some(read) = clients::layout_blob(layout.path(), "demo", CONFIG_DIGEST) {
        assert_eq!(read, CONFIG);
    }
    if let Some(tags) = clients::layout_tags(layout.path()) {
        assert_eq!(tags, ["demo"]);
    }
}
