//! Sources that do not keep their word: files that change, readers that fail, digests that are wrong.
//!
//! Each gives its own error at every registry, leaves neither a blob nor a session, and a client that works.

// A helper outside a test fails the test that called it.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ocireg::{BlobOptions, Client, Digest, Error, ErrorKind, Phase, Repository, Source};
use support::uploads::{NAME, assert_cancelled, assert_stored, client, content, open};
use support::{CountingProxy, Double, Registry, Reply, TempDir};

/// A blob that is in memory before anything is sent.
const SMALL: usize = 1000;
/// A blob of which much has been sent when its last byte is read.
const LARGE: usize = 3_000_000;

/// One registry with a proxy in front of it.
struct Place {
    registry: Registry,
    proxy: CountingProxy,
    client: Client,
    repository: Repository,
}

impl Place {
    /// One of every kind that is on this machine, for clients that send readers in chunks of [`SMALL`] bytes or in
    /// the usual ones.
    fn all(small_chunks: bool) -> Vec<Place> {
        let place = |registry: Registry| {
            let proxy = CountingProxy::in_front_of(registry.host());
            let client = if small_chunks {
                Client::builder().attempts(1).chunk_size(SMALL as u64).build().unwrap()
            } else {
                client()
            };
            let repository = open(&client, &proxy.url());
            Place { registry, proxy, client, repository }
        };
        Registry::all_plain().into_iter().map(place).collect()
    }

    /// Uploads what must not arrive. `digest` is the one under which it could.
    fn refuses<'a>(&self, source: Source<'a>, options: BlobOptions<'a>, digest: &Digest) -> Error {
        self.proxy.clear();
        let error = self.repository.upload_blob_with(source, options).unwrap_err();
        if self.proxy.requests().iter().any(|request| request.method == "POST") {
            assert_cancelled(&self.registry, &self.proxy);
        }
        assert!(!self.repository.blob_exists(digest).unwrap(), "{error}");
        assert_eq!(error.operation(), "upload blob");
        assert!(!error.is_retryable(), "{error}");
        error
    }

    /// That the same client uploads something good.
    fn works(&self, seed: u64) {
        let bytes = content(5 * SMALL / 2, seed);
        let repository = open(&self.client, &self.proxy.url());
        let blob = repository.upload_blob(&bytes).unwrap();
        assert_stored(&self.registry, NAME, &[(blob, &bytes)]);
    }

    /// Whether the last upload has sent any byte of a blob.
    fn sent_nothing(&self) -> bool {
        self.proxy.requests().iter().all(|request| request.body_length == 0)
    }
}

/// Calls `change` once, as soon as the upload is in this phase.
fn when<'a>(phase: Phase, change: impl FnOnce() + 'a) -> BlobOptions<'a> {
    let mut change = Some(change);
    BlobOptions::new().progress(move |progress| {
        if progress.phase() == phase
            && let Some(change) = change.take()
        {
            change();
        }
        ControlFlow::Continue(())
    })
}

fn append(path: &Path) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap();
}

fn shorten(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - 10).unwrap();
}

/// Another last byte, at a time that differs also where clocks are coarse.
fn alter(path: &Path) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::End(-1)).unwrap();
    file.write_all(b"\n").unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(10)).unwrap();
}

/// Another last byte, and nothing that tells of it.
fn alter_unseen(path: &Path) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    alter(path);
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

#[test]
fn a_file_that_changes_after_it_was_hashed_is_named_before_a_byte_is_sent() {
    let directory = TempDir::new();
    for place in Place::all(false) {
        for size in [SMALL, LARGE] {
            let bytes = content(size, 1);
            for change in [append as fn(&Path), shorten, alter] {
                let file = directory.write("blob", &bytes);
                let options = when(Phase::Uploading, || change(&file));
                let error = place.refuses(Source::file(&file), options, &Digest::sha256(&bytes));
                assert_eq!(error.kind(), ErrorKind::SourceChanged, "{error}");
                let expected =
                    format!("{} changed while it was being read ({size} bytes at first", file.display());
                assert!(error.message().starts_with(&expected), "{error}");
                assert!(place.sent_nothing(), "{:?}", place.proxy.requests());
            }
        }
        place.works(1);
    }
}

#[test]
fn a_file_that_changes_while_it_is_hashed_costs_no_request() {
    let directory = TempDir::new();
    let double = Double::plain(Reply::stored);
    let repository = open(&client(), &double.url());
    for size in [SMALL, LARGE] {
        for change in [append as fn(&Path), shorten, alter] {
            let file = directory.write("blob", content(size, 2));
            let options = when(Phase::Hashing, || change(&file));
            let error = repository.upload_blob_with(&file, options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SourceChanged, "{error}");
        }
    }
    assert_eq!(double.connections(), 0);
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_never_sent_to_its_end() {
    let directory = TempDir::new();
    // So large that a part of it is still unread when the registry sees the head of the request.
    let bytes = content(32 << 20, 3);
    for change in [append as fn(&Path), shorten, alter] {
        let file = directory.write("blob", &bytes);
        let double = Double::setup()
            .early({
                let file = file.clone();
                move |request| {
                    if request.method == "PUT" {
                        change(&file);
                    }
                    None
                }
            })
            .start(|request| match request.method.as_str() {
                "POST" => Reply::status(202).header("Location", "/session"),
                _ => Reply::status(201),
            });
        let repository = open(&client(), &double.url());
        let error = repository.upload_blob(&file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SourceChanged, "{error}");
        assert!(error.message().contains("changed while it was being read"), "{error}");
        let requests = double.requests();
        let put = requests.iter().find(|request| request.method == "PUT").unwrap();
        assert!(put.body_length < bytes.len() as u64);
        assert!(requests.iter().any(|request| request.method == "DELETE" && request.path() == "/session"));
        repository.upload_blob("Sample layer").unwrap();
    }
}

#[test]
fn a_change_that_nobody_can_see_is_found_by_the_registry() {
    let directory = TempDir::new();
    for place in Place::all(false) {
        for size in [SMALL, LARGE] {
            let bytes = content(size, 4);
            let file = directory.write("blob", &bytes);
            let options = when(Phase::Uploading, || alter_unseen(&file));
            let error = place.refuses(Source::file(&file), options, &Digest::sha256(&bytes));
            assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{:?}: {error}", place.registry.kind());
            assert_eq!(error.registry_code(), Some("DIGEST_INVALID"));
        }
        place.works(4);
    }
}

#[test]
fn a_file_that_is_replaced_by_another_is_sent_as_it_was() {
    let directory = TempDir::new();
    let Some(setup) = Registry::docker() else { return };
    let registry = setup.start();
    let (old, new) = (content(LARGE, 5), content(LARGE, 6));
    let (file, other) = (directory.write("blob", &old), directory.write("other", &new));
    let options = when(Phase::Uploading, || fs::rename(&other, &file).unwrap());
    let blob = open(&client(), &registry.url()).upload_blob_with(&file, options).unwrap();
    assert_stored(&registry, NAME, &[(blob, &old)]);
}

/// Gives its bytes, then fails.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is on fire")),
            n => Ok(n),
        }
    }
}

/// Says that it has read more than there was room for.
struct Boasting<'a>(&'a [u8]);

impl Read for Boasting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Ok(buffer.len() + 1),
            n => Ok(n),
        }
    }
}

#[test]
fn a_reader_that_fails_is_the_cause_that_is_named() {
    // Nothing, within a chunk, at the end of a chunk and within the third.
    let contents = [0, SMALL / 2, SMALL, 5 * SMALL / 2].map(|size| content(size, 7));
    for place in Place::all(true) {
        for bytes in &contents {
            let digest = Digest::sha256(bytes);
            let known = || BlobOptions::new().known(Digest::sha256(b"longer"), 10 * SMALL as u64);
            for (source, options) in [
                (Source::reader(Failing(bytes)), BlobOptions::new()),
                (Source::sized_reader(Failing(bytes), 10 * SMALL as u64), BlobOptions::new()),
                (Source::reader(Failing(bytes)), known()),
            ] {
                let error = place.refuses(source, options, &digest);
                assert_eq!(error.kind(), ErrorKind::Source, "{error}");
                assert_eq!(error.message(), "the source failed: the disk is on fire");
                let cause = std::error::Error::source(&error).unwrap().downcast_ref::<io::Error>().unwrap();
                assert_eq!(cause.kind(), io::ErrorKind::StorageFull);
            }
            for source in
                [Source::reader(Boasting(bytes)), Source::sized_reader(Boasting(bytes), 10 * SMALL as u64)]
            {
                let error = place.refuses(source, BlobOptions::new(), &digest);
                assert_eq!(error.kind(), ErrorKind::Source, "{error}");
                assert!(error.message().starts_with("the reader says that it put "), "{error}");
            }
        }
        place.works(7);
    }
}

/// A reader that cannot do one thing.
struct NoSeek(Cursor<Vec<u8>>, usize);

impl Read for NoSeek {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for NoSeek {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        if self.1 == 0 {
            return Err(io::Error::other("the tape is torn"));
        }
        self.1 -= 1;
        self.0.seek(position)
    }
}

#[test]
fn a_reader_that_cannot_seek_although_it_says_so_costs_no_request() {
    let double = Double::plain(Reply::stored);
    let repository = open(&client(), &double.url());
    // Position, end and back are asked for at first, the beginning again after the digest.
    for seeks in 0..4 {
        let source = Source::seekable(NoSeek(Cursor::new(content(SMALL, 8)), seeks));
        let error = repository.upload_blob(source).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Source, "{error}");
        assert_eq!(error.message(), "the source failed: the tape is torn");
    }
    assert_eq!(double.connections(), 0);
    repository.upload_blob(Source::seekable(NoSeek(Cursor::new(content(SMALL, 8)), 4))).unwrap();
}

#[test]
fn a_reader_of_another_length_than_it_was_said_to_have_is_refused() {
    for place in Place::all(true) {
        for actual in [0, 1, SMALL - 1, SMALL, SMALL + 1, 5 * SMALL / 2] {
            let bytes = content(actual, 9);
            let digest = Digest::sha256(&bytes);
            let announced = 3 * SMALL as u64;
            let error =
                place.refuses(Source::sized_reader(&bytes[..], announced), BlobOptions::new(), &digest);
            assert_eq!(error.kind(), ErrorKind::SizeMismatch);
            assert_eq!(
                error.message(),
                format!("the content has {actual} bytes, not {announced} as announced")
            );
        }
        for announced in [0, 1, SMALL, SMALL + 1, 2 * SMALL] {
            let bytes = content(announced + 1, 10);
            let source = Source::sized_reader(&bytes[..], announced as u64);
            let error = place.refuses(source, BlobOptions::new(), &Digest::sha256(&bytes[..announced]));
            assert_eq!(error.kind(), ErrorKind::SizeMismatch);
            let expected = format!("the reader goes on after the {announced} bytes that were announced");
            assert_eq!(error.message(), expected);
        }
        place.works(9);
    }
}

#[test]
fn a_wrong_digest_or_size_that_was_said_to_be_known_is_refused() {
    let directory = TempDir::new();
    for place in Place::all(false) {
        for size in [0, 1, SMALL, LARGE] {
            let bytes = content(size, 11);
            let (right, length) = (Digest::sha256(&bytes), bytes.len() as u64);
            let file = directory.write("blob", &bytes);
            let sources = || {
                [
                    Source::bytes(&bytes[..]),
                    Source::file(&file),
                    Source::seekable(Cursor::new(&bytes)),
                    Source::reader(&bytes[..]),
                    Source::sized_reader(&bytes[..], length),
                ]
            };
            for source in sources() {
                let wrong = Digest::sha256(b"something else");
                let what = format!("{source:?} at {:?}", place.registry.kind());
                let error = place.refuses(source, BlobOptions::new().known(wrong.clone(), length), &wrong);
                assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{what}");
                let expected = format!("the content has the digest {right}, not {wrong} as announced");
                assert_eq!(error.message(), expected, "{what}");
            }
            for announced in [length + 1, length.saturating_sub(1), 0] {
                if announced == length {
                    continue;
                }
                for source in sources() {
                    let what = format!("{source:?}, {announced} announced, at {:?}", place.registry.kind());
                    let options = BlobOptions::new().known(right.clone(), announced);
                    let error = place.refuses(source, options, &right);
                    assert_eq!(error.kind(), ErrorKind::SizeMismatch, "{what}: {error}");
                    assert!(error.message().contains(&format!("{announced} ")), "{what}: {error}");
                }
            }
        }
        place.works(11);
    }
}
