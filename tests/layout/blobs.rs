//! Blobs: every kind of source, and what is left when one fails.

use std::fs;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use ocireg::{Algorithm, BlobOptions, Digest, ErrorKind, Source};

use crate::support::{TempDir, clients};
use crate::{LARGE, blob_files, blob_path, content, open, sample};

#[test]
fn every_kind_of_source_gives_the_same_blob_at_every_size() {
    let temp = TempDir::new();
    let buffer = 256 * 1024;
    for size in [0, 1, buffer - 1, buffer, buffer + 1, 2 * buffer, 2 * buffer + 1] {
        let bytes = content(size as u64, size);
        let file = temp.write("source", &bytes);
        let sources: [(&str, Source<'_>); 5] = [
            ("bytes", Source::bytes(&bytes[..])),
            ("file", Source::file(&file)),
            ("seekable", Source::seekable(io::Cursor::new(&bytes))),
            ("sized reader", Source::sized_reader(Trickle(&bytes), size as u64)),
            ("reader", Source::reader(Trickle(&bytes))),
        ];
        for (name, source) in sources {
            let root = temp.join(format!("{name} {size}"));
            let blob = open(&root).upload_blob(source).unwrap();
            assert_eq!((blob.digest(), blob.size()), (&Digest::sha256(&bytes), size as u64), "{name} {size}");
            assert_eq!(fs::read(blob_path(&root, blob.digest())).unwrap(), bytes, "{name} {size}");
            assert_eq!(blob_files(&root).len(), 1, "{name} {size}");
        }
    }
}

#[test]
fn a_blob_can_be_named_by_its_sha512_digest() {
    let temp = TempDir::new();
    let repository = open(&temp.join("layout"));
    let options = BlobOptions::new().algorithm(Algorithm::Sha512);
    let blob = repository.upload_blob_with("Sample layer", options).unwrap();
    assert_eq!(*blob.digest(), Digest::of(Algorithm::Sha512, b"Sample layer"));
    assert_eq!(blob_files(&temp.join("layout")), [format!("blobs/sha512/{}", blob.digest().encoded())]);
    assert!(repository.blob_exists(blob.digest()).unwrap());
}

#[test]
fn a_source_is_not_read_when_its_known_digest_is_there() {
    let temp = TempDir::new();
    let repository = open(&temp.join("layout"));
    let blob = repository.upload_blob("Sample layer").unwrap();
    let known = || BlobOptions::new().known(blob.digest().clone(), blob.size());
    let again = repository.upload_blob_with(Source::reader(Untouched), known()).unwrap();
    assert_eq!(again, blob);

    let other = Digest::sha256(b"other");
    let options = BlobOptions::new().known(other, 5);
    let error = repository.upload_blob_with(Source::reader(Untouched), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source, "{error}");
}

#[test]
fn a_blob_that_is_there_is_not_written_again() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let bytes = content(1, LARGE);
    for (small, large) in [(&b"small"[..], &bytes[..]); 2] {
        open(&root).upload_blob(small).unwrap();
        open(&root).upload_blob(large).unwrap();
    }
    let inode = |bytes| fs::metadata(blob_path(&root, &Digest::sha256(bytes))).unwrap().ino();
    let before = (inode(b"small"), inode(&bytes));
    open(&root).upload_blob(&b"small"[..]).unwrap();
    open(&root).upload_blob(Source::reader(&bytes[..])).unwrap();
    assert_eq!((inode(b"small"), inode(&bytes)), before);
    assert_eq!(blob_files(&root).len(), 2, "no temporary file is left");
}

#[test]
fn a_damaged_blob_is_replaced() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let blob = repository.upload_blob("Sample layer").unwrap();
    let path = blob_path(&root, blob.digest());
    for options in [BlobOptions::new(), BlobOptions::new().known(blob.digest().clone(), blob.size())] {
        fs::write(&path, "Sample").unwrap();
        repository.upload_blob_with("Sample layer", options).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "Sample layer");
    }
}

#[test]
fn content_that_is_not_what_was_announced_leaves_nothing() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    for size in [10, LARGE] {
        let bytes = content(2, size);
        let right = Digest::sha256(&bytes);
        let wrong = Digest::sha256(b"other");
        let length = size as u64;
        let cases = [
            (ErrorKind::DigestMismatch, Source::bytes(&bytes[..]), Some((&wrong, length))),
            (ErrorKind::DigestMismatch, Source::reader(Trickle(&bytes)), Some((&wrong, length))),
            (ErrorKind::SizeMismatch, Source::bytes(&bytes[..]), Some((&right, length + 1))),
            (ErrorKind::SizeMismatch, Source::reader(Trickle(&bytes)), Some((&right, length + 1))),
            (ErrorKind::SizeMismatch, Source::reader(Trickle(&bytes)), Some((&right, length - 1))),
            (ErrorKind::SizeMismatch, Source::sized_reader(Trickle(&bytes), length + 1), None),
            (ErrorKind::SizeMismatch, Source::sized_reader(Trickle(&bytes), length - 1), None),
            (ErrorKind::Source, Source::reader(Trickle(&bytes).chain(Untouched)), None),
        ];
        for (number, (kind, source, known)) in cases.into_iter().enumerate() {
            let mut options = BlobOptions::new();
            if let Some((digest, size)) = known {
                options = options.known(digest.clone(), size);
            }
            let error = repository.upload_blob_with(source, options).unwrap_err();
            assert_eq!(error.kind(), kind, "{number} of {size}: {error}");
            assert_eq!(error.operation(), "upload blob");
            if root.exists() {
                assert_eq!(blob_files(&root), [""; 0], "{number} of {size}");
            }
        }
    }
    repository.upload_blob("The repository works afterwards").unwrap();
}

#[test]
fn a_file_that_changes_while_it_is_read_leaves_nothing() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    for shrink in [true, false] {
        let path = temp.write("source", content(3, 4 * LARGE));
        let options = BlobOptions::new().progress(|progress| {
            if progress.bytes_done() == 0 {
                let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
                file.set_len(if shrink { 3 } else { 5 } * LARGE as u64).unwrap();
            }
            ControlFlow::Continue(())
        });
        let error = open(&root).upload_blob_with(Source::file(&path), options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SourceChanged, "{error}");
        assert_eq!(blob_files(&root), [""; 0]);
    }
}

#[test]
fn an_upload_that_progress_ends_leaves_nothing() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let bytes = content(4, LARGE);
    let mut written_to = Vec::new();
    let options = BlobOptions::new().progress(|progress| {
        if progress.bytes_done() < LARGE as u64 {
            return ControlFlow::Continue(());
        }
        written_to = blob_files(&root);
        ControlFlow::Break(())
    });
    let error =
        open(&root).upload_blob_with(Source::sized_reader(&bytes[..], LARGE as u64), options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted, "{error}");
    assert_eq!(written_to.len(), 1, "a temporary file was there: {written_to:?}");
    assert_eq!(blob_files(&root), [""; 0]);
}

#[test]
fn progress_goes_from_nothing_to_all() {
    let temp = TempDir::new();
    for size in [0, 12, LARGE] {
        let bytes = content(5, size);
        let mut seen = Vec::new();
        let options = BlobOptions::new().progress(|progress| {
            seen.push((progress.bytes_done(), progress.total()));
            ControlFlow::Continue(())
        });
        open(&temp.join("layout")).upload_blob_with(&bytes, options).unwrap();
        assert_eq!(seen.first(), Some(&(0, Some(size as u64))));
        assert_eq!(seen.last(), Some(&(size as u64, Some(size as u64))));
    }
}

#[test]
fn blobs_can_be_read_as_the_umask_allows() {
    let temp = TempDir::new();
    let root = temp.join("layout");
    let repository = open(&root);
    let uploaded = repository.upload_manifest(&sample(&repository), ["demo"]).unwrap();
    let mut umask = Command::new("sh");
    umask.args(["-c", "umask"]);
    let umask = String::from_utf8(clients::output(umask)).unwrap();
    let expected = 0o644 & !u32::from_str_radix(umask.trim(), 8).unwrap();
    for path in [blob_path(&root, uploaded.digest()), root.join("index.json"), root.join("oci-layout")] {
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, expected, "{}", path.display());
    }
}

#[test]
fn a_directory_is_not_a_source() {
    let temp = TempDir::new();
    let error = open(&temp.join("layout")).upload_blob(temp.path()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(!temp.join("layout").exists());
}

/// Gives its bytes in small pieces, as a pipe does.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.len().min(buffer.len()).min(4093);
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// A reader that must not be read.
struct Untouched;

impl Read for Untouched {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the source was read"))
    }
}
