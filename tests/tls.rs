//! Who is trusted, and who is shown what, over TLS.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use ocireg::{Client, ClientBuilder, Digest, Error, ErrorKind, Manifest, Repository, TrustRoots, media_type};
use support::clients::{Tool, output};
use support::uploads::{NAME, assert_stored, client, content, open};
use support::{Double, Identity, RecordedRequest, Registry, Reply, TempDir};

fn builder() -> ClientBuilder {
    Client::builder().attempts(1)
}

/// Uploads one blob with a client that must not succeed.
fn refused(client: Client, url: &str) -> Error {
    let error = open(&client, url).upload_blob("Sample layer").unwrap_err();
    assert!(error.to_string().starts_with("upload blob "), "{error}");
    error
}

/// A registry that takes one blob, whose session is at `location`.
fn uploads(request: &RecordedRequest, location: &str) -> Reply {
    match request.method.as_str() {
        "POST" => Reply::status(202).header("Location", location),
        _ => Reply::status(201),
    }
}

#[test]
fn every_way_to_trust_the_authority_of_a_registry_leads_to_it() {
    let all = [Registry::docker(), Registry::distribution(), Registry::zot()];
    for setup in all.into_iter().flatten() {
        let registry = setup.tls().htpasswd("somebody", "a secret").start();
        let ca = registry.ca_pem_path();
        let ways = [
            builder().ca_file(&ca),
            builder().ca_file(&ca).trust_roots(TrustRoots::SystemOnly),
            builder().ca_file(&ca).trust_roots(TrustRoots::Bundled),
            builder().ca_file(&ca).trust_roots(TrustRoots::Given),
            builder().danger_accept_invalid_certificates(true),
            builder().danger_accept_invalid_certificates(true).trust_roots(TrustRoots::Given),
        ];
        let contents: Vec<Vec<u8>> = (0..ways.len() as u64).map(|seed| content(700_000, seed)).collect();
        let mut blobs = Vec::new();
        for (way, bytes) in ways.into_iter().zip(&contents) {
            let client = way.basic_auth("somebody", "a secret").build().unwrap();
            let repository = open(&client, &registry.url());
            blobs.push(repository.upload_blob(bytes).unwrap().with_media_type("application/vnd.example"));
            let manifest = Manifest::new(blobs[0].clone()).with_layers(blobs.clone());
            repository.upload_manifest(&manifest, ["demo"]).unwrap();
        }
        let digests: Vec<&str> = blobs.iter().map(|blob| blob.digest().as_str()).collect();
        for reader in registry.readers() {
            let read = reader.blobs(&format!("{NAME}:demo"), &digests);
            assert!(read == contents, "{:?} from {:?}", reader.tool(), registry.kind());
        }
    }
}

#[test]
fn a_registry_that_is_not_trusted_is_sent_nothing() {
    let identity = Identity::new();
    let stranger = Identity::new();
    let double = Double::tls(&identity, |request| uploads(request, "/session"));
    let unknown = "it was issued by an unknown authority, whose certificate can be added with a CA file";
    let namesake = "it was not signed by the authority whose name it bears";
    for (way, reason) in [
        (Client::builder(), unknown),
        (Client::builder().trust_roots(TrustRoots::Bundled), unknown),
        (Client::builder().trust_roots(TrustRoots::Given).ca_file(stranger.ca_pem_path()), namesake),
        (Client::builder().ca_file(stranger.ca_pem_path()), namesake),
    ] {
        let before = double.connections();
        let error = refused(way.build().unwrap(), &double.url());
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert_eq!(error.message(), format!("the certificate of 127.0.0.1 is not trusted: {reason}"));
        assert!(!error.is_retryable() && error.status().is_none());
        assert_eq!(double.connections() - before, 1, "a forged certificate is no reason to try again");
    }
    assert_eq!(double.requests().len(), 0);
}

#[test]
fn the_error_names_what_is_wrong_with_a_certificate() {
    for (identity, reason) in [
        (
            Identity::for_hosts(&["registry.example"]),
            "the certificate of 127.0.0.1 was issued for another name",
        ),
        (Identity::expired(), "the certificate of 127.0.0.1 has expired"),
    ] {
        let double = Double::tls(&identity, |request| uploads(request, "/session"));
        let trusting = || builder().ca_file(identity.ca_pem_path());
        let error = refused(trusting().build().unwrap(), &double.url());
        assert_eq!((error.kind(), error.message()), (ErrorKind::Tls, reason));
        assert_eq!(double.requests().len(), 0);

        // The option takes these too, and its name says what it is.
        let client = trusting().danger_accept_invalid_certificates(true).build().unwrap();
        open(&client, &double.url()).upload_blob("Sample layer").unwrap();
    }
}

#[test]
fn https_spoken_to_a_plain_http_port_says_to_write_http() {
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.start();
    let client = client();
    let address = format!("{}/{NAME}", registry.host());
    let error = client.repository(&address).unwrap().upload_blob("Sample layer").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "upload blob {address}: {} does not speak TLS; if it is a plain-HTTP registry, write http:// before the \
             address",
            registry.host()
        )
    );
    let blob = open(&client, &registry.url()).upload_blob("Sample layer").unwrap();
    assert_stored(&registry, NAME, &[(blob, b"Sample layer")]);
}

#[test]
fn plain_http_spoken_to_a_tls_port_shows_what_the_registry_says_to_it() {
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.tls().start();
    let error = refused(client(), &format!("http://{}", registry.host()));
    assert_eq!((error.kind(), error.status()), (ErrorKind::Rejected, Some(400)));
    assert!(error.message().contains("HTTP request to an HTTPS server"), "{error}");
}

#[test]
fn a_client_certificate_opens_a_registry_that_wants_one() {
    for setup in [Registry::docker(), Registry::distribution()].into_iter().flatten() {
        let registry = setup.mutual_tls().start();
        let identity = registry.identity();
        let trusting = || builder().ca_file(identity.ca_pem_path());
        let error = refused(trusting().build().unwrap(), &registry.url());
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");

        let with_certificate =
            trusting().client_certificate(identity.client_pem_path(), identity.client_key_path());
        let repository: Repository = open(&with_certificate.build().unwrap(), &registry.url());
        let blob = repository.upload_blob("Sample layer").unwrap();
        let blob = blob.with_media_type("application/vnd.example");
        let manifest = Manifest::new(blob.clone()).layer(blob);
        let uploaded = repository.upload_manifest(&manifest, ["demo"]).unwrap();

        let Some(skopeo) = registry.reader(Tool::Skopeo) else { continue };
        let certificates = TempDir::new();
        for (from, to) in [
            (identity.client_pem_path(), "client.cert"),
            (identity.client_key_path(), "client.key"),
            (identity.ca_pem_path(), "ca.crt"),
        ] {
            std::fs::copy(from, certificates.join(to)).unwrap();
        }
        let mut inspect = skopeo.command();
        inspect.args(["inspect", "--raw", "--cert-dir"]).arg(certificates.path());
        inspect.arg(format!("docker://{}", skopeo.reference(&format!("{NAME}:demo"))));
        assert_eq!(&Digest::sha256(&output(inspect)), uploaded.digest());
    }
}

#[test]
fn a_registry_without_the_wanted_client_certificate_says_so() {
    let identity = Identity::new();
    let double = Double::setup().mutual_tls(&identity).start(|request| uploads(request, "/session"));
    let error = refused(builder().ca_file(identity.ca_pem_path()).build().unwrap(), &double.url());
    assert_eq!((error.kind(), error.message()), (ErrorKind::Tls, "127.0.0.1 wants a client certificate"));
    assert_eq!(double.requests().len(), 0);
}

#[test]
fn files_that_cannot_be_used_are_found_when_the_client_is_made() {
    let (identity, other) = (Identity::new(), Identity::new());
    let directory = TempDir::new();
    let (certificate, key) = (identity.client_pem_path(), identity.client_key_path());
    let empty = directory.write("empty.pem", "");
    let broken =
        directory.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let missing = directory.join("missing.pem");
    let cases = [
        (
            builder().client_certificate(&certificate, other.client_key_path()),
            ErrorKind::InvalidArgument,
            "client.pem: it cannot be used with the private key",
        ),
        (
            builder().client_certificate(&certificate, &certificate),
            ErrorKind::InvalidArgument,
            "client.pem: it holds no private key",
        ),
        (
            builder().client_certificate(&key, &key),
            ErrorKind::InvalidArgument,
            "client.key: it holds no certificate in PEM form",
        ),
        (builder().client_certificate(&missing, &key), ErrorKind::Io, "missing.pem"),
        (builder().client_certificate(&certificate, &missing), ErrorKind::Io, "cannot read the private key"),
        (builder().ca_file(&missing), ErrorKind::Io, "missing.pem"),
        (builder().ca_file(directory.path()), ErrorKind::Io, "cannot read the certificates in"),
        (builder().ca_file(&empty), ErrorKind::InvalidArgument, "empty.pem: it holds no certificate"),
        (builder().ca_file(&broken), ErrorKind::InvalidArgument, "broken.pem: one of its certificates"),
        (builder().ca_file(&key), ErrorKind::InvalidArgument, "it holds no certificate in PEM form"),
        (
            builder().trust_roots(TrustRoots::Given),
            ErrorKind::InvalidArgument,
            "only given certificate authorities are to be trusted, but no CA file is given",
        ),
    ];
    for (builder, kind, fragment) in cases {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with("set up the client: "), "{error}");
        assert!(error.message().contains(fragment), "{error}");
        let key = std::fs::read_to_string(&key).unwrap();
        assert!(!format!("{error:#?}").contains(key.lines().nth(1).unwrap()), "the key is not shown");
    }
}

#[test]
fn a_password_and_a_client_certificate_stay_with_the_origin_they_are_for() {
    let identity = Identity::new();
    let storage = Double::setup().tls(&identity).start(|_| Reply::status(201));
    let wants_certificate = Double::setup().mutual_tls(&identity).start(|_| Reply::status(201));
    for (there, redirected) in
        [(&storage, false), (&storage, true), (&wants_certificate, false), (&wants_certificate, true)]
    {
        there.clear();
        let elsewhere = format!("{}/up?signature=mine", there.url());
        let registry = Double::setup().mutual_tls(&identity).start(move |request| {
            match (request.header("authorization"), request.method.as_str()) {
                (None, _) => {
                    Reply::error(401, "UNAUTHORIZED", "who?").header("WWW-Authenticate", "Basic realm=x")
                }
                (_, "POST") if redirected => Reply::status(202).header("Location", "/up"),
                (_, "POST") => Reply::status(202).header("Location", elsewhere.as_str()),
                (_, "PUT") if request.path() == "/up" => {
                    Reply::status(307).header("Location", elsewhere.as_str())
                }
                _ => Reply::status(201),
            }
        });
        let client = builder()
            .ca_file(identity.ca_pem_path())
            .client_certificate(identity.client_pem_path(), identity.client_key_path())
            .basic_auth("somebody", "a secret")
            .build()
            .unwrap();
        let repository = open(&client, &registry.url());
        let result = repository.upload_blob("Sample layer");
        if std::ptr::eq(there, &wants_certificate) {
            let error = result.unwrap_err();
            assert_eq!(
                (error.kind(), error.message()),
                (ErrorKind::Tls, "127.0.0.1 wants a client certificate")
            );
            assert!(!format!("{error} {error:#?}").contains("signature"), "{error:#?}");
            assert_eq!(there.requests().len(), 0);
        } else {
            result.unwrap();
            let [put] = &there.requests()[..] else { panic!("{:?}", there.requests()) };
            assert_eq!((put.method.as_str(), put.body.as_slice()), ("PUT", &b"Sample layer"[..]));
            assert!(put.target.starts_with("/up?signature=mine"), "{}", put.target);
            assert_eq!(put.header("authorization"), None);
        }
        // The registry itself is still told who asks.
        let blob = ocireg::Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(b"x"), 1);
        repository.upload_manifest(&Manifest::new(blob), ["demo"]).unwrap();
        assert!(registry.requests().last().unwrap().header("authorization").is_some());
    }
}
