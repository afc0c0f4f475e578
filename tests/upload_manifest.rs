//! Manifests and their tags, at every kind of registry, read back by clients of other projects.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use ocireg::{
    Descriptor, Digest, ErrorKind, Index, Manifest, ManifestOptions, NO_TAGS, RawManifest, Repository,
    ToManifest, annotation, media_type,
};
use support::servers::Kind;
use support::uploads::{NAME, client, open};
use support::{CountingProxy, Double, RecordedRequest, Registry, Reply};

/// Uploads a config and a layer, and describes them; the manifest itself is not uploaded.
fn image(repository: &Repository, layer: &str) -> Manifest {
    let config = repository.upload_blob("{\"architecture\":\"amd64\",\"os\":\"linux\"}").unwrap();
    let layer = repository.upload_blob(layer).unwrap();
    Manifest::new(config.with_media_type("application/vnd.example.config.v1+json"))
        .layer(layer.with_media_type(media_type::IMAGE_LAYER))
}

/// A manifest for doubles, which do not look into it.
fn some_manifest() -> RawManifest {
    let blob = Descriptor::new("application/vnd.example", Digest::sha256(b"x"), 1);
    Manifest::new(blob.clone()).layer(blob).to_manifest().unwrap()
}

/// That every reader finds exactly these bytes under each of the names, tags or digests.
fn assert_readable(registry: &Registry, names: &[&str], manifest: &RawManifest) {
    for reader in registry.readers() {
        for name in names {
            let separator = if name.contains(':') { '@' } else { ':' };
            let read = reader.manifest(&format!("{NAME}{separator}{name}"));
            assert!(
                read == manifest.bytes(),
                "{:?} from {:?}: {}",
                reader.tool(),
                registry.kind(),
                String::from_utf8_lossy(&read)
            );
        }
    }
}

/// The lines of the requests to manifests.
fn manifest_lines(requests: &[RecordedRequest]) -> Vec<String> {
    requests
        .iter()
        .filter(|request| request.path().contains("/manifests/"))
        .map(RecordedRequest::line)
        .map(|line| line.replace(&format!("/v2/{NAME}/manifests/"), ""))
        .collect()
}

#[test]
fn a_manifest_is_found_by_its_digest_and_by_each_of_its_tags() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let manifest = image(&repository, "untagged");
        let raw = manifest.to_manifest().unwrap();
        let uploaded = repository.upload_manifest(&manifest, NO_TAGS).unwrap();
        assert_eq!(uploaded.digest(), &Digest::sha256(raw.bytes()));
        assert_eq!(uploaded.media_type(), media_type::IMAGE_MANIFEST);
        assert_eq!(uploaded.size(), raw.bytes().len() as u64);
        assert_readable(&registry, &[uploaded.digest().as_str()], &raw);

        let manifest = image(&repository, "one tag");
        let uploaded = repository.upload_manifest(&manifest, ["one"]).unwrap();
        assert_readable(&registry, &["one", uploaded.digest().as_str()], &manifest.to_manifest().unwrap());

        let manifest = image(&repository, "several tags");
        let uploaded = repository.upload_manifest(&manifest, ["1.2.3", "1.2", "v1_x", "1.2"]).unwrap();
        let names = ["1.2.3", "1.2", "v1_x", uploaded.digest().as_str()];
        assert_readable(&registry, &names, &manifest.to_manifest().unwrap());
    }
}

#[test]
fn several_tags_cost_one_request_where_the_registry_makes_them_together() {
    let Some(setup) = Registry::zot() else { return };
    let registry = setup.start();
    let proxy = CountingProxy::in_front_of(registry.host());
    let repository = open(&client(), &proxy.url());
    let manifest = image(&repository, "several tags");
    let uploaded = repository.upload_manifest(&manifest, ["a", "b", "c"]).unwrap();
    let expected = [format!("PUT {}?tag=a&tag=b&tag=c", uploaded.digest())];
    assert_eq!(manifest_lines(&proxy.requests()), expected);
    assert_readable(&registry, &["a", "b", "c"], &manifest.to_manifest().unwrap());
}

#[test]
fn raw_bytes_stay_as_they_are() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let built = image(&repository, "raw").to_manifest().unwrap();
        let text = String::from_utf8(built.bytes().to_vec()).unwrap();
        let spaced =
            format!("{}\n", text.replace("\"layers\":", "\n  \"x-unknown\": [1.50, null],\n  \"layers\" : "));
        let raw = RawManifest::new(media_type::IMAGE_MANIFEST, spaced.clone());
        repository.upload_manifest(&raw, ["raw"]).unwrap();
        assert_readable(&registry, &["raw"], &raw);

        // One that was read and not changed is the same document.
        let received = Manifest::from_bytes(spaced).unwrap();
        let uploaded = repository.upload_manifest(&received, ["received"]).unwrap();
        assert_eq!(uploaded.digest(), raw.digest());
        assert_readable(&registry, &["received"], &raw);
    }
}

#[test]
fn an_index_lists_manifests_that_were_uploaded_before() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let one = repository.upload_manifest(&image(&repository, "one"), NO_TAGS).unwrap();
        let two = repository.upload_manifest(&image(&repository, "two"), NO_TAGS).unwrap();
        let index = Index::new().with_manifests([one, two]).with_annotation(annotation::VERSION, "1");
        let uploaded = repository.upload_manifest(&index, ["both"]).unwrap();
        assert_eq!(uploaded.media_type(), media_type::IMAGE_INDEX);
        assert_readable(&registry, &["both", uploaded.digest().as_str()], &index.to_manifest().unwrap());
    }
}

#[test]
fn an_artifact_without_config_needs_no_upload_of_the_empty_blob() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let layer = repository.upload_blob("the artifact").unwrap();
        let artifact = Manifest::artifact("application/vnd.example.artifact").layer(layer);
        let uploaded = repository.upload_manifest(&artifact, ["artifact"]).unwrap();
        assert_eq!(uploaded.artifact_type(), Some("application/vnd.example.artifact"));
        let empty = Descriptor::empty();
        assert!(repository.blob_exists(empty.digest()).unwrap());
        assert_readable(&registry, &["artifact"], &artifact.to_manifest().unwrap());
        for reader in registry.readers() {
            assert_eq!(reader.blob(&format!("{NAME}:artifact"), empty.digest().as_str()), b"{}");
        }
        // Without any layer, the empty blob is also the only one of those.
        let nothing = Manifest::artifact("application/vnd.example.nothing");
        repository.upload_manifest(&nothing, ["nothing"]).unwrap();
        assert_readable(&registry, &["nothing"], &nothing.to_manifest().unwrap());
    }
}

#[test]
fn a_manifest_can_refer_to_a_subject() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let subject = repository.upload_manifest(&image(&repository, "subject"), ["image"]).unwrap();
        let signature = repository.upload_blob("signature").unwrap();
        let referrer = Manifest::artifact("application/vnd.example.signature")
            .layer(signature)
            .with_subject(subject.clone());
        let uploaded = repository.upload_manifest(&referrer, NO_TAGS).unwrap();
        assert_readable(&registry, &[uploaded.digest().as_str()], &referrer.to_manifest().unwrap());
        if registry.kind() == Kind::Zot {
            let path = format!("/v2/{NAME}/referrers/{}", subject.digest());
            let referrers = support::http::get(&registry.host(), &path, &[]).body;
            let referrers: serde_json::Value = serde_json::from_slice(&referrers).unwrap();
            assert_eq!(referrers["manifests"][0]["digest"], uploaded.digest().as_str());
        }
    }
}

#[test]
fn a_tag_moves_to_the_manifest_that_was_uploaded_last() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let (old, new) = (image(&repository, "old"), image(&repository, "new"));
        repository.upload_manifest(&old, ["latest"]).unwrap();
        repository.upload_manifest(&new, ["latest"]).unwrap();
        assert_readable(&registry, &["latest"], &new.to_manifest().unwrap());
    }
}

#[test]
fn a_tag_that_exists_is_kept_when_that_is_asked_for() {
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let repository = open(&client(), &proxy.url());
        let (old, new) = (image(&repository, "old"), image(&repository, "new"));
        let keep = ManifestOptions::new().keep_existing_tags(true);
        let kept = repository.upload_manifest_with(&old, ["latest"], keep).unwrap();
        assert_readable(&registry, &["latest"], &old.to_manifest().unwrap());

        proxy.clear();
        repository.upload_manifest_with(&old, ["latest"], keep).unwrap();
        assert_eq!(manifest_lines(&proxy.requests()), ["HEAD latest"]);

        proxy.clear();
        let error = repository.upload_manifest_with(&new, ["fresh", "latest"], keep).unwrap_err();
        let refused = new.to_manifest().unwrap().digest().clone();
        assert_eq!(error.kind(), ErrorKind::TagConflict);
        assert_eq!(
            error.to_string(),
            format!(
                "upload manifest {}/{NAME}:fresh,latest: tag latest points at {} and is not moved to {refused}",
                proxy.url(),
                kept.digest()
            )
        );
        assert!(proxy.requests().iter().all(|request| request.method == "HEAD"));
        assert_readable(&registry, &["latest"], &old.to_manifest().unwrap());

        // The tag that is there already needs nothing, the other is made.
        repository.upload_manifest_with(&old, ["latest", "fresh"], keep).unwrap();
        assert_readable(&registry, &["latest", "fresh"], &old.to_manifest().unwrap());
    }
}

/// A registry that answers a PUT by digest as told, and takes every PUT by tag.
fn tag_parameter_double(answer: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static) -> Double {
    Double::plain(move |request| match request.path().contains("/manifests/sha256:") {
        true => answer(request),
        false => Reply::status(201),
    })
}

#[test]
fn tags_that_the_answer_does_not_list_get_a_request_each() {
    let digest = some_manifest().digest().clone();
    let together = format!("PUT {digest}?tag=a&tag=b&tag=c");
    type Expected = &'static [&'static str];
    let cases: [(&[&str], Expected, Expected); 6] = [
        (&["a, b,c"], &[], &[]),
        (&["a", "b", "c"], &[], &[]),
        // Somebody else's tag is none of ours.
        (&["c,other", " a"], &["PUT b"], &["PUT b"]),
        (&["b"], &["PUT a", "PUT c"], &["PUT a", "PUT c"]),
        (&[], &["PUT a", "PUT b", "PUT c"], &["ignored"]),
        (&[""], &["PUT a", "PUT b", "PUT c"], &["ignored"]),
    ];
    for (headers, first, second) in cases {
        let double = tag_parameter_double(move |_| {
            headers.iter().fold(Reply::status(201), |reply, value| reply.header("OCI-Tag", *value))
        });
        let repository = open(&client(), &double.url());
        repository.upload_manifest(&some_manifest(), ["a", "b", "c"]).unwrap();
        assert_eq!(manifest_lines(&double.requests())[0], together);
        assert_eq!(manifest_lines(&double.requests())[1..], *first, "{headers:?}");
        double.clear();
        repository.upload_manifest(&some_manifest(), ["a", "b", "c"]).unwrap();
        let lines = manifest_lines(&double.requests());
        if second == ["ignored"] {
            assert_eq!(lines, ["PUT a", "PUT b", "PUT c"], "the host's answer is remembered");
        } else {
            assert_eq!(
                (&lines[0], &lines[1..]),
                (&together, &second.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()[..]),
                "{headers:?}"
            );
        }
    }
}

#[test]
fn a_host_that_refuses_tags_together_gets_each_alone_and_is_not_asked_again() {
    for status in [400, 404, 405, 415] {
        let double = tag_parameter_double(move |request| match request.query() {
            "" => Reply::status(201),
            _ => Reply::error(status, "UNSUPPORTED", "no parameters"),
        });
        let client = client();
        let repository = open(&client, &double.url());
        repository.upload_manifest(&some_manifest(), ["a", "b"]).unwrap();
        assert_eq!(manifest_lines(&double.requests())[1..], ["PUT a", "PUT b"], "{status}");
        double.clear();
        // Also for another repository at the same host; other clients ask for themselves.
        let other = client.repository(&format!("{}/other", double.url())).unwrap();
        other.upload_manifest(&some_manifest(), ["a", "b"]).unwrap();
        assert_eq!(double.requests().len(), 2, "{status}");
        double.clear();
        open(&support::uploads::client(), &double.url())
            .upload_manifest(&some_manifest(), ["a", "b"])
            .unwrap();
        assert_eq!(double.requests().len(), 3, "{status}");
    }
}

#[test]
fn too_many_tags_for_one_request_say_nothing_about_fewer() {
    for status in [414, 431] {
        let double = tag_parameter_double(move |request| match request.query().matches("tag=").count() {
            0..=2 => {
                Reply::status(201).header("OCI-Tag", request.query().replace("tag=", "").replace('&', ","))
            }
            _ => Reply::status(status),
        });
        let repository = open(&client(), &double.url());
        repository.upload_manifest(&some_manifest(), ["a", "b", "c"]).unwrap();
        assert_eq!(manifest_lines(&double.requests())[1..], ["PUT a", "PUT b", "PUT c"], "{status}");
        double.clear();
        repository.upload_manifest(&some_manifest(), ["a", "b"]).unwrap();
        assert_eq!(double.requests().len(), 1, "{status}");
    }
}

#[test]
fn what_has_nothing_to_do_with_tags_is_not_tried_again_tag_by_tag() {
    for (status, kind) in [
        (401, ErrorKind::Unauthorized),
        (413, ErrorKind::TooLarge),
        (429, ErrorKind::RateLimited),
        (500, ErrorKind::RegistryFailed),
    ] {
        let double = tag_parameter_double(move |_| Reply::error(status, "CODE", "no"));
        let error = open(&client(), &double.url()).upload_manifest(&some_manifest(), ["a", "b"]).unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert_eq!(double.requests().len(), 1, "{status}");
    }
}

#[test]
fn a_refused_tag_that_points_at_the_same_manifest_is_success() {
    let digest = some_manifest().digest().to_string();
    for status in [400, 403, 405, 409, 412] {
        for with_digest in [true, false] {
            let digest = digest.clone();
            let double = Double::plain(move |request| match request.method.as_str() {
                "PUT" => Reply::error(status, "TAG_INVALID", "the tag is immutable"),
                // Not every registry names the digest; then it is that of the bytes.
                "HEAD" if with_digest => Reply::status(200).header("Docker-Content-Digest", digest.as_str()),
                _ => Reply::status(200).body(some_manifest().bytes()),
            });
            let repository = open(&client(), &double.url());
            let uploaded = repository.upload_manifest(&some_manifest(), ["v1"]).unwrap();
            assert_eq!(uploaded.digest(), some_manifest().digest());
            let expected: &[&str] =
                if with_digest { &["PUT v1", "HEAD v1"] } else { &["PUT v1", "HEAD v1", "GET v1"] };
            assert_eq!(manifest_lines(&double.requests()), expected, "{status}");
        }
    }
}

#[test]
fn a_refused_tag_that_points_elsewhere_is_a_conflict_that_names_both_digests() {
    let other = Digest::sha256(b"other");
    for status in [400, 403, 405, 409, 412] {
        let named = other.to_string();
        let double = Double::plain(move |request| match request.method.as_str() {
            "PUT" => Reply::error(status, "TAG_INVALID", "the tag is immutable"),
            _ => Reply::status(200).header("Docker-Content-Digest", named.as_str()),
        });
        let error = open(&client(), &double.url()).upload_manifest(&some_manifest(), ["v1"]).unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::TagConflict, Some(status)));
        assert_eq!(error.registry_code(), Some("TAG_INVALID"));
        assert!(!error.is_retryable());
        assert!(error.to_string().contains(&format!("points at {other}")), "{error}");
        assert!(error.to_string().contains(&format!("not moved to {}", some_manifest().digest())), "{error}");
        assert!(error.to_string().contains("TAG_INVALID: the tag is immutable"), "{error}");
    }
}

#[test]
fn a_refused_tag_that_does_not_exist_leaves_the_refusal_as_it_is() {
    for (status, kind) in [(400, ErrorKind::Rejected), (403, ErrorKind::Denied), (409, ErrorKind::Rejected)] {
        let double = Double::plain(move |request| match request.method.as_str() {
            "PUT" => Reply::error(status, "DENIED", "not you"),
            _ => Reply::status(404),
        });
        let error = open(&client(), &double.url()).upload_manifest(&some_manifest(), ["v1"]).unwrap_err();
        assert_eq!((error.kind(), error.status()), (kind, Some(status)));
        assert_eq!(error.registry_code(), Some("DENIED"));
    }
}

#[test]
fn an_answer_that_names_another_digest_is_an_error() {
    let other = Digest::sha256(b"other").to_string();
    let double = Double::plain(move |_| Reply::status(201).header("Docker-Content-Digest", other.as_str()));
    for tags in [&[][..], &["a"], &["a", "b"]] {
        let error = open(&client(), &double.url()).upload_manifest(&some_manifest(), tags).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{tags:?}");
        assert!(error.message().contains("the registry stored the manifest as sha256:"), "{error}");
    }
}

#[test]
fn a_manifest_that_must_not_be_sent_costs_no_request() {
    let double = Double::plain(|_| Reply::status(201));
    let repository = open(&client(), &double.url());
    let blob = || Descriptor::new("application/vnd.example", Digest::sha256(b"x"), 1);
    let large = Manifest::new(blob()).with_annotation("large", "x".repeat(4 << 20));
    let raw = |text: &str| RawManifest::new(media_type::IMAGE_MANIFEST, text);
    let config = blob().to_json();
    let cases: [(Box<dyn ToManifest>, &str); 9] = [
        (Box::new(large), "at most 4194304"),
        (Box::new(Manifest::new(blob().with_media_type("no slash"))), "`config`: the media type `no slash`"),
        (Box::new(Manifest::new(blob()).layer(blob().with_media_type(""))), "`layers[0]`"),
        (Box::new(Manifest::new(Descriptor::empty())), "needs an artifact type"),
        (
            Box::new(Index::new().manifest(blob().with_data(*b"too long"))),
            "`manifests[0]`: `data` has 8 bytes",
        ),
        (Box::new(raw("no JSON")), "is not a JSON object"),
        (
            Box::new(raw(r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:1","size":1}}"#)),
            "sha256",
        ),
        (Box::new(raw(&format!(r#"{{"schemaVersion":2,"config":{config},"manifests":[]}}"#))), "of an index"),
        (Box::new(RawManifest::new("text/plain; charset=utf-8", "{}")), "has parameters"),
    ];
    for (manifest, reason) in cases {
        let error = repository.upload_manifest(manifest.as_ref(), ["demo"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidManifest, "{error}");
        assert!(error.message().contains(reason), "{error}");
        assert!(error.to_string().starts_with(&format!("upload manifest {}/{NAME}:demo: ", double.url())));
    }
    assert_eq!(double.connections(), 0);
    repository.upload_manifest(&some_manifest(), ["demo"]).unwrap();
    assert_eq!(double.requests().len(), 1);
}

#[test]
fn a_manifest_of_exactly_4_mib_is_uploaded() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let small = image(&repository, "large").with_annotation("filling", "").to_manifest().unwrap();
        let filling = "x".repeat((4 << 20) - small.bytes().len());
        let manifest = image(&repository, "large").with_annotation("filling", filling);
        let raw = manifest.to_manifest().unwrap();
        assert_eq!(raw.bytes().len(), 4 << 20);
        repository.upload_manifest(&manifest, ["large"]).unwrap();
        assert_readable(&registry, &["large"], &raw);
    }
}
