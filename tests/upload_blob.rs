//! Blobs, from every kind of source to every kind of registry, read back by clients of other projects.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::cell::RefCell;
use std::io::{Cursor, Seek, SeekFrom};
use std::ops::ControlFlow;

use ocireg::{Algorithm, BlobOptions, Client, Digest, ErrorKind, Phase, Source};
use support::servers::Kind;
use support::uploads::{NAME, NeverRead, ShortReads, assert_cancelled, assert_stored, client, content, open};
use support::{CountingProxy, Double, Registry, Reply, TempDir, http};

/// Small, so that a few kilobytes are several chunks.
const CHUNK: usize = 1000;

/// A client that sends readers in chunks of [`CHUNK`] bytes.
fn chunking_client() -> Client {
    Client::builder().attempts(1).chunk_size(CHUNK as u64).build().unwrap()
}

/// The methods of the requests that went through a proxy or to a double.
fn methods(requests: &[support::RecordedRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.method.as_str()).collect()
}

#[test]
fn every_kind_of_source_arrives_byte_for_byte() {
    let directory = TempDir::new();
    for registry in Registry::all_plain() {
        let contents: Vec<Vec<u8>> = (0..6).map(|seed| content(300_000, seed)).collect();
        let file = directory.write("blob", &contents[2]);
        let mut seekable = Cursor::new(&contents[3]);
        seekable.seek(SeekFrom::Start(5)).unwrap();

        let repository = open(&client(), &registry.url());
        let uploaded = [
            repository.upload_blob(&contents[0]).unwrap(),
            repository.upload_blob(contents[1].as_slice()).unwrap(),
            repository.upload_blob(file).unwrap(),
            repository.upload_blob(Source::seekable(seekable)).unwrap(),
            repository.upload_blob(Source::sized_reader(&contents[4][..], 300_000)).unwrap(),
            repository.upload_blob(Source::reader(&contents[5][..])).unwrap(),
            repository.upload_blob("Sample config").unwrap(),
        ];
        let mut expected: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
        expected[3] = &contents[3][5..];
        expected.push(b"Sample config");
        for (descriptor, bytes) in uploaded.iter().zip(&expected) {
            assert_eq!(descriptor.digest(), &Digest::sha256(bytes));
            assert_eq!(descriptor.media_type(), "application/octet-stream");
        }
        assert_stored(&registry, NAME, &uploaded.into_iter().zip(expected).collect::<Vec<_>>());
    }
}

#[test]
fn readers_of_any_length_arrive_whatever_the_sizes_of_their_reads_are() {
    for registry in Registry::all_plain() {
        let repository = open(&chunking_client(), &registry.url());
        let sizes = [
            1,
            CHUNK - 1,
            CHUNK,
            CHUNK + 1,
            2 * CHUNK - 1,
            2 * CHUNK,
            3 * CHUNK,
            3 * CHUNK + 1,
            7 * CHUNK / 2,
        ];
        let contents: Vec<Vec<u8>> = sizes.iter().map(|size| content(*size, *size as u64)).collect();
        let mut stored = Vec::new();
        for bytes in &contents {
            let reader = ShortReads::new(bytes, &[1, 700, 3, CHUNK]);
            let descriptor = repository.upload_blob(Source::reader(reader)).unwrap();
            assert_eq!(descriptor.digest(), &Digest::sha256(bytes));
            stored.push((descriptor, bytes.as_slice()));
        }
        assert_stored(&registry, NAME, &stored);
    }
}

#[test]
fn a_reader_of_known_length_that_does_not_fit_a_chunk_arrives_in_chunks() {
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let repository = open(&chunking_client(), &proxy.url());
        let bytes = content(3 * CHUNK + 1, 1);
        let reader = ShortReads::new(&bytes, &[900]);
        let descriptor = repository.upload_blob(Source::sized_reader(reader, bytes.len() as u64)).unwrap();
        assert_eq!(methods(&proxy.requests()), ["POST", "PATCH", "PATCH", "PATCH", "PUT"]);
        assert_stored(&registry, NAME, &[(descriptor, &bytes)]);
    }
}

#[test]
fn a_file_larger_than_the_chunk_size_arrives_in_chunks() {
    let directory = TempDir::new();
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let repository = open(&chunking_client(), &proxy.url());
        let bytes = content(2 * CHUNK + 500, 2);
        let descriptor = repository.upload_blob(directory.write("blob", &bytes)).unwrap();
        assert_eq!(methods(&proxy.requests()), ["POST", "PATCH", "PATCH", "PUT"]);
        let smaller = content(CHUNK, 3);
        let in_one = repository.upload_blob(directory.write("smaller", &smaller)).unwrap();
        assert_eq!(methods(&proxy.requests()[4..]), ["POST", "PUT"]);
        assert_stored(&registry, NAME, &[(descriptor, &bytes), (in_one, &smaller)]);
    }
}

#[test]
fn an_empty_blob_is_a_blob() {
    let directory = TempDir::new();
    let file = directory.write("empty", "");
    for registry in Registry::all_plain() {
        let names = ["bytes", "file", "reader", "sized-reader", "known"];
        let known = BlobOptions::new().known(Digest::sha256(b""), 0);
        for (name, (source, options)) in names.into_iter().zip([
            (Source::bytes(&b""[..]), BlobOptions::new()),
            (Source::file(&file), BlobOptions::new()),
            (Source::reader(&b""[..]), BlobOptions::new()),
            (Source::sized_reader(&b""[..], 0), BlobOptions::new()),
            (Source::reader(&b""[..]), known),
        ]) {
            let repository = client().repository(&format!("{}/{name}", registry.url())).unwrap();
            let descriptor = repository.upload_blob_with(source, options).unwrap();
            assert_eq!((descriptor.digest(), descriptor.size()), (&Digest::sha256(b""), 0), "{name}");
            assert!(repository.blob_exists(descriptor.digest()).unwrap(), "{name}");
            if name == "bytes" {
                assert_stored(&registry, name, &[(descriptor, b"")]);
            }
        }
    }
}

#[test]
fn a_blob_can_have_a_sha512_digest() {
    for registry in Registry::all_plain() {
        // It takes blobs with such digests and never finds them again.
        if registry.kind() == Kind::Crane {
            continue;
        }
        let repository = open(&chunking_client(), &registry.url());
        let (short, long) = (content(CHUNK, 4), content(3 * CHUNK, 5));
        let options = || BlobOptions::new().algorithm(Algorithm::Sha512);
        let whole = repository.upload_blob_with(&short, options()).unwrap();
        let chunked = repository.upload_blob_with(Source::reader(&long[..]), options()).unwrap();
        for (descriptor, bytes) in [(whole, &short), (chunked, &long)] {
            let digest = descriptor.digest();
            assert_eq!(digest, &Digest::of(Algorithm::Sha512, bytes));
            assert!(repository.blob_exists(digest).unwrap(), "{:?}", registry.kind());
            let read = http::get(&registry.host(), &format!("/v2/{NAME}/blobs/{digest}"), &[]);
            assert!(read.status == 200 && read.body == *bytes, "{:?}", registry.kind());
            if registry.kind() == Kind::Zot {
                // distribution names the sha256 digest in its answer, which no other client takes.
                assert_stored(&registry, NAME, &[(descriptor, bytes)]);
            }
        }
    }
}

#[test]
fn a_source_of_known_digest_is_read_only_where_the_blob_is_missing() {
    for registry in Registry::all_plain() {
        let repository = open(&client(), &registry.url());
        let bytes = content(50_000, 6);
        let options = || BlobOptions::new().known(Digest::sha256(&bytes), bytes.len() as u64);
        // Longer than a chunk would be: what is known need not go in chunks.
        let first = repository.upload_blob_with(Source::reader(&bytes[..]), options()).unwrap();
        assert_stored(&registry, NAME, &[(first.clone(), &bytes)]);
        if registry.kind() == Kind::Crane {
            // It mounts nothing, so the blob is sent again.
            continue;
        }
        let again = repository.upload_blob_with(Source::reader(NeverRead), options()).unwrap();
        assert_eq!(again, first);
    }
}

#[test]
fn a_blob_is_mounted_from_the_repository_that_has_it() {
    // crane mounts nothing, and zot only what it keeps once for all repositories.
    for setup in [Registry::docker(), Registry::distribution()].into_iter().flatten() {
        let registry = setup.start();
        let client = client();
        let bytes = content(50_000, 7);
        let base = client.repository(&format!("{}/library/base", registry.url())).unwrap();
        let there = base.upload_blob(&bytes).unwrap();

        let repository = open(&client, &registry.url());
        let options = BlobOptions::new().known(there.digest().clone(), there.size());
        let options = options.mount_from("library/base");
        let mounted = repository.upload_blob_with(Source::reader(NeverRead), options).unwrap();
        assert_eq!(mounted, there);
        assert_stored(&registry, NAME, &[(mounted, &bytes)]);
    }
}

#[test]
fn a_blob_that_cannot_be_mounted_is_sent_in_the_session_that_was_opened_instead() {
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let repository = open(&client(), &proxy.url());
        let bytes = content(50_000, 8);
        let options = BlobOptions::new().mount_from("library/without-it");
        let sent = repository.upload_blob_with(&bytes, options).unwrap();
        assert_eq!(methods(&proxy.requests()), ["POST", "PUT"], "{:?}", registry.kind());
        assert!(proxy.requests()[0].query().ends_with("&from=library/without-it"));
        assert_stored(&registry, NAME, &[(sent, &bytes)]);
    }
}

#[test]
fn a_mount_that_is_refused_is_followed_by_a_plain_upload_of_the_same_bytes() {
    for status in [400, 401, 403, 404, 405, 416] {
        let double = Double::plain(move |request| match request.method.as_str() {
            "POST" if request.query().contains("mount=") => Reply::error(status, "DENIED", "not from there"),
            "POST" => Reply::status(202).header("Location", "/session"),
            _ => Reply::status(201),
        });
        let repository = open(&client(), &double.url());
        for _ in 0..2 {
            let options = BlobOptions::new().mount_from("library/private");
            repository.upload_blob_with("Sample layer", options).unwrap();
        }
        let requests = double.requests();
        // Asked for each time: another repository may be one that can be read.
        assert_eq!(methods(&requests), ["POST", "POST", "PUT", "POST", "POST", "PUT"], "{status}");
        assert_eq!(requests[1].line(), format!("POST /v2/{NAME}/blobs/uploads/"));
        assert_eq!(requests[2].body, b"Sample layer");
    }
}

#[test]
fn an_overloaded_registry_is_no_reason_to_give_up_a_mount() {
    for (status, kind) in [(429, ErrorKind::RateLimited), (503, ErrorKind::RegistryFailed)] {
        let double = Double::plain(move |_| Reply::status(status));
        let repository = open(&client(), &double.url());
        let options = BlobOptions::new().mount_from("library/base");
        let error = repository.upload_blob_with("Sample layer", options).unwrap_err();
        assert_eq!((error.kind(), error.status(), error.is_retryable()), (kind, Some(status), true));
        assert_eq!(methods(&double.requests()), ["POST"]);
    }
}

#[test]
fn blobs_that_exist_are_told_from_those_that_do_not() {
    for registry in Registry::all_plain() {
        let client = client();
        let repository = open(&client, &registry.url());
        assert!(!repository.blob_exists(&Digest::sha256(b"here")).unwrap(), "no such repository yet");
        let here = repository.upload_blob("here").unwrap();
        assert!(repository.blob_exists(here.digest()).unwrap());
        assert!(!repository.blob_exists(&Digest::sha256(b"elsewhere")).unwrap());
        let other = client.repository(&format!("{}/other", registry.url())).unwrap();
        if registry.kind() != Kind::Crane {
            // crane keeps the blobs of all repositories together.
            assert!(!other.blob_exists(here.digest()).unwrap());
        }
    }
}

/// What a progress callback saw.
type Seen = (Phase, u64, Option<u64>, Option<Digest>, u32);

#[test]
fn progress_goes_from_nothing_to_the_whole_in_each_phase() {
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.start();
    let repository = open(&chunking_client(), &registry.url());
    let directory = TempDir::new();
    let bytes = content(5 * CHUNK / 2, 9);
    let (size, digest) = (bytes.len() as u64, Digest::sha256(&bytes));
    let seen: RefCell<Vec<Seen>> = RefCell::default();
    let options = || {
        BlobOptions::new().progress(|progress| {
            let digest = progress.digest().cloned();
            seen.borrow_mut().push((
                progress.phase(),
                progress.bytes_done(),
                progress.total(),
                digest,
                progress.attempt(),
            ));
            ControlFlow::Continue(())
        })
    };

    repository.upload_blob_with(directory.write("blob", &bytes), options()).unwrap();
    let file = seen.take();
    let uploading = file.iter().position(|seen| seen.0 == Phase::Uploading).unwrap();
    assert_eq!(file.first(), Some(&(Phase::Hashing, 0, Some(size), None, 1)));
    assert_eq!(file[uploading - 1], (Phase::Hashing, size, Some(size), None, 1));
    assert_eq!(file[uploading], (Phase::Uploading, 0, Some(size), Some(digest.clone()), 1));
    assert_eq!(file.last(), Some(&(Phase::Uploading, size, Some(size), Some(digest), 1)));
    assert!(file[..uploading].is_sorted_by_key(|seen| seen.1));
    assert!(file[uploading..].is_sorted_by_key(|seen| seen.1));

    let other = content(5 * CHUNK / 2, 10);
    repository.upload_blob_with(Source::reader(&other[..]), options()).unwrap();
    let reader = seen.take();
    assert_eq!(reader.first(), Some(&(Phase::Uploading, 0, None, None, 1)));
    let digest = Some(Digest::sha256(&other));
    assert_eq!(reader.last(), Some(&(Phase::Uploading, size, Some(size), digest, 1)));

    // The blob is there: nothing is sent, so there is nothing to follow after the digest.
    repository.upload_blob_with(directory.write("blob", &bytes), options()).unwrap();
    assert!(seen.take().iter().all(|seen| seen.0 == Phase::Hashing));
}

#[test]
fn a_callback_that_breaks_off_ends_the_session_and_leaves_a_client_that_works() {
    let directory = TempDir::new();
    for registry in Registry::all_plain() {
        let proxy = CountingProxy::in_front_of(registry.host());
        let bytes = content(3_000_000, 11);
        let file = directory.write("blob", &bytes);
        let in_one = open(&client(), &proxy.url());
        let chunking = Client::builder().attempts(1).chunk_size(1_000_000).build().unwrap();
        let in_chunks = open(&chunking, &proxy.url());
        for (phase, from, repository, source) in [
            (Phase::Uploading, 0, &in_one, Source::file(&file)),
            (Phase::Uploading, 1, &in_one, Source::file(&file)),
            (Phase::Uploading, 0, &in_chunks, Source::file(&file)),
            (Phase::Uploading, 1, &in_chunks, Source::file(&file)),
            (Phase::Uploading, 0, &in_chunks, Source::reader(&bytes[..])),
        ] {
            proxy.clear();
            let mut calls_after = 0;
            let mut over = false;
            let options = BlobOptions::new().progress(|progress| {
                calls_after += u32::from(over);
                over = over || (progress.phase() == phase && progress.bytes_done() >= from);
                if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let error = repository.upload_blob_with(source, options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Aborted, "{error}");
            let expected = format!("upload blob {}/{NAME}: ended by the progress callback", proxy.url());
            assert_eq!(error.to_string(), expected);
            assert!(!error.is_retryable());
            assert_eq!(calls_after, 0, "a callback that has ended the call is not called again");
            assert_cancelled(&registry, &proxy);
            assert!(!repository.blob_exists(&Digest::sha256(&bytes)).unwrap());
        }
        let descriptor = in_one.upload_blob(&file).unwrap();
        assert_stored(&registry, NAME, &[(descriptor, &bytes)]);
    }
}

#[test]
fn a_callback_that_breaks_off_while_the_source_is_hashed_costs_no_request() {
    let double = Double::plain(|_| Reply::status(500));
    let options = BlobOptions::new().progress(|_| ControlFlow::Break(()));
    let directory = TempDir::new();
    let file = directory.write("blob", "Sample layer");
    let error = open(&client(), &double.url()).upload_blob_with(file, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted);
    assert_eq!(double.connections(), 0);
}
