//! What a blob is read from: bytes, a file, or a reader with or without a length.

use std::borrow::Cow;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Phase, Reporter};

/// What a blob is read from.
///
/// Bytes and text convert by themselves, as does a [`Path`]; readers are named:
///
/// ```
/// use ocireg::Source;
///
/// let text = Source::from("Sample config");
/// let file = Source::file("layer.tar");
/// let pipe = Source::reader(std::io::stdin());
/// let sized = Source::sized_reader(&b"four"[..], 4);
/// ```
pub struct Source<'a> {
    kind: Kind<'a>,
}

enum Kind<'a> {
    Bytes(Cow<'a, [u8]>),
    File(PathBuf),
    Seekable(Box<dyn ReadSeek + 'a>),
    Reader { reader: Box<dyn Read + 'a>, size: Option<u64> },
}

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

impl<'a> Source<'a> {
    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Cow<'a, [u8]>>) -> Source<'a> {
        Source { kind: Kind::Bytes(bytes.into()) }
    }

    /// The file at this path, opened when the upload begins. It is read twice: once for its digest, once to send it.
    /// A file that changes in between is an error ([`ErrorKind::SourceChanged`]).
    pub fn file(path: impl Into<PathBuf>) -> Source<'a> {
        Source { kind: Kind::File(path.into()) }
    }

    /// A reader that can seek, from where it stands to its end. Like a file, it is read twice.
    pub fn seekable(reader: impl Read + Seek + 'a) -> Source<'a> {
        Source { kind: Kind::Seekable(Box::new(reader)) }
    }

    /// A reader that can be read once and ends after `size` bytes. Ending earlier or later is an error
    /// ([`ErrorKind::SizeMismatch`]); to see the latter, one byte more is asked for.
    pub fn sized_reader(reader: impl Read + 'a, size: u64) -> Source<'a> {
        Source { kind: Kind::Reader { reader: Box::new(reader), size: Some(size) } }
    }

    /// A reader that can be read once and ends whenever it does.
    pub fn reader(reader: impl Read + 'a) -> Source<'a> {
        Source { kind: Kind::Reader { reader: Box::new(reader), size: None } }
    }
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Bytes(bytes) => write!(f, "Source::Bytes({} bytes)", bytes.len()),
            Kind::File(path) => write!(f, "Source::File({})", path.display()),
            Kind::Seekable(_) => f.write_str("Source::Seekable"),
            Kind::Reader { size, .. } => write!(f, "Source::Reader({size:?})"),
        }
    }
}

impl<'a> From<&'a [u8]> for Source<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Source::bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Source<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Source::bytes(&bytes[..])
    }
}

impl<'a> From<&'a Vec<u8>> for Source<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Source::bytes(&bytes[..])
    }
}

impl From<Vec<u8>> for Source<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Source::bytes(bytes)
    }
}

/// The text itself, not a path: a path is a [`Path`].
impl<'a> From<&'a str> for Source<'a> {
    fn from(text: &'a str) -> Self {
        Source::bytes(text.as_bytes())
    }
}

impl From<&Path> for Source<'_> {
    fn from(path: &Path) -> Self {
        Source::file(path)
    }
}

impl From<PathBuf> for Source<'_> {
    fn from(path: PathBuf) -> Self {
        Source::file(path)
    }
}

impl From<&PathBuf> for Source<'_> {
    fn from(path: &PathBuf) -> Self {
        Source::file(path.as_path())
    }
}

/// A source that is open: what the backends read.
///
/// As a reader it keeps the source to its word: the piece that completes the announced size is handed out only after
/// the source has proved to end there, and the file to be the one that was opened, so that a body which would be wrong
/// is never complete. Errors are [`Error`]s inside an [`io::Error`]; [`Content::take_error`] gets them out.
pub(crate) struct Content<'a> {
    stream: Stream<'a>,
    size: Option<u64>,
    read: u64,
    verify: Option<Verify>,
}

enum Stream<'a> {
    Bytes(io::Cursor<Cow<'a, [u8]>>),
    File { file: File, path: PathBuf, stamp: Stamp },
    Seekable { reader: Box<dyn ReadSeek + 'a>, start: u64 },
    Reader(Box<dyn Read + 'a>),
}

/// The digest that the bytes must have, computed while they are read.
struct Verify {
    expected: Digest,
    hasher: Hasher,
}

/// What tells that a file is still the one that was hashed.
#[derive(PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl<'a> Content<'a> {
    /// A file of our own that nobody else knows of, such as a spooled reader; read from its first byte.
    pub(crate) fn own_file(file: File, size: u64) -> Result<Content<'a>> {
        let mut content = Content::open(Source::seekable(file))?;
        content.size = Some(size);
        content.rewind()?;
        Ok(content)
    }

    /// Opens the source; nothing is read yet.
    pub(crate) fn open(source: Source<'a>) -> Result<Content<'a>> {
        let (stream, size) = match source.kind {
            Kind::Bytes(bytes) => {
                let size = bytes.len() as u64;
                (Stream::Bytes(io::Cursor::new(bytes)), Some(size))
            }
            Kind::File(path) => open_file(path)?,
            Kind::Seekable(mut reader) => {
                let start = reader.stream_position().map_err(source_failed)?;
                let end = reader.seek(SeekFrom::End(0)).map_err(source_failed)?;
                reader.seek(SeekFrom::Start(start)).map_err(source_failed)?;
                (Stream::Seekable { reader, start }, Some(end.saturating_sub(start)))
            }
            Kind::Reader { reader, size } => (Stream::Reader(reader), size),
        };
        Ok(Content { stream, size, read: 0, verify: None })
    }

    /// Size in bytes, where it is known before the source has been read.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// Whether [`Content::rewind`] works.
    pub(crate) fn can_rewind(&self) -> bool {
        !matches!(self.stream, Stream::Reader(_))
    }

    /// Back to the first byte.
    pub(crate) fn rewind(&mut self) -> Result<()> {
        self.seek(0)
    }

    /// Back or forth to this offset from the first byte; for a source that can rewind.
    pub(crate) fn seek(&mut self, offset: u64) -> Result<()> {
        match &mut self.stream {
            Stream::Bytes(cursor) => cursor.set_position(offset),
            Stream::File { file, path, .. } => {
                file.seek(SeekFrom::Start(offset)).map_err(|e| Error::io("cannot seek in", path, e))?;
            }
            Stream::Seekable { reader, start } => {
                reader.seek(SeekFrom::Start(*start + offset)).map_err(source_failed)?;
            }
            Stream::Reader(_) => {
                return Err(Error::new(
                    ErrorKind::NotRewindable,
                    "the reader has been read and cannot be read again",
                ));
            }
        }
        self.read = offset;
        match &mut self.verify {
            Some(verify) if offset == 0 => verify.hasher = verify.hasher.fresh(),
            // What was hashed no longer fits; the registry checks the digest in the end.
            _ => self.verify = None,
        }
        Ok(())
    }

    /// From here on the bytes must have this size and digest; both are checked while they are read, before the last
    /// piece is handed out.
    pub(crate) fn expect(&mut self, digest: &Digest, size: u64) -> Result<()> {
        if let Some(actual) = self.size.filter(|actual| *actual != size) {
            return Err(size_mismatch(size, actual));
        }
        self.size = Some(size);
        let hasher = Hasher::new(digest.known_algorithm()?);
        self.verify = Some(Verify { expected: digest.clone(), hasher });
        // Of an empty content nothing will be read.
        if size == 0 { self.check_end() } else { Ok(()) }
    }

    /// Digest and size of a source that can rewind; afterwards it stands at its first byte.
    pub(crate) fn digest(
        &mut self,
        algorithm: Algorithm,
        reporter: &mut Reporter<'_>,
    ) -> Result<(Digest, u64)> {
        let mut hasher = Hasher::new(algorithm);
        if let Stream::Bytes(cursor) = &self.stream {
            hasher.update(cursor.get_ref());
            return Ok((hasher.finish(), cursor.get_ref().len() as u64));
        }
        reporter.begin(Phase::Hashing)?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let n = self.read(&mut buffer).map_err(Content::take_error)?;
            if n == 0 {
                break;
            }
            hasher.update(&buffer[..n]);
            reporter.advance(n as u64)?;
        }
        let size = self.read;
        self.rewind()?;
        Ok((hasher.finish(), size))
    }

    /// Fills the buffer as far as the source goes; fewer bytes than asked for mean its end.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..]).map_err(Content::take_error)? {
                0 => break,
                n => filled += n,
            }
        }
        Ok(filled)
    }

    /// That a file is still the one that was opened; everything else cannot tell.
    pub(crate) fn unchanged(&self) -> Result<()> {
        if let Stream::File { file, path, stamp } = &self.stream {
            let now = Stamp::of(&file.metadata().map_err(|e| Error::io("cannot look at", path, e))?);
            if now != *stamp {
                return Err(Error::new(
                    ErrorKind::SourceChanged,
                    format!(
                        "{} changed while it was being read ({} bytes at first, {} now)",
                        path.display(),
                        stamp.size,
                        now.size
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The [`Error`] that a read carried through somebody else's code as an [`io::Error`].
    pub(crate) fn take_error(error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(inner) => inner,
            Err(error) => source_failed(error),
        }
    }

    fn read_stream(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let offered = buffer.len();
        let n = loop {
            let read = match &mut self.stream {
                Stream::Bytes(cursor) => cursor.read(buffer),
                Stream::File { file, .. } => file.read(buffer),
                Stream::Seekable { reader, .. } => reader.read(buffer),
                Stream::Reader(reader) => reader.read(buffer),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(match &self.stream {
                        Stream::File { path, .. } => Error::io("cannot read", path, error),
                        _ => Content::take_error(error),
                    });
                }
                Ok(n) => break n,
            }
        };
        if n > offered {
            return Err(Error::new(
                ErrorKind::Source,
                format!("the reader says that it put {n} bytes into a buffer of {offered}"),
            ));
        }
        Ok(n)
    }

    /// Checks everything that can be known when the last byte has been read.
    fn check_end(&mut self) -> Result<()> {
        self.unchanged()?;
        if let Stream::Reader(_) | Stream::Seekable { .. } = self.stream {
            let size = self.size.unwrap_or(self.read);
            if self.read_stream(&mut [0])? > 0 {
                return Err(Error::new(
                    ErrorKind::SizeMismatch,
                    format!("the reader goes on after the {size} bytes that were announced"),
                ));
            }
        }
        if let Some(verify) = &self.verify {
            let actual = verify.hasher.clone().finish();
            if actual != verify.expected {
                return Err(Error::new(
                    ErrorKind::DigestMismatch,
                    format!("the content has the digest {actual}, not {} as announced", verify.expected),
                ));
            }
        }
        Ok(())
    }

    fn read_checked(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let left = self.size.map_or(u64::MAX, |size| size.saturating_sub(self.read));
        let offered = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if offered == 0 {
            if self.size == Some(0) && self.read == 0 {
                self.check_end()?;
            }
            return Ok(0);
        }
        let n = self.read_stream(&mut buffer[..offered])?;
        if n == 0 && self.size.is_some() {
            self.unchanged()?;
            return Err(size_mismatch(self.size.unwrap_or_default(), self.read));
        }
        self.read += n as u64;
        if let Some(verify) = &mut self.verify {
            verify.hasher.update(&buffer[..n]);
        }
        if Some(self.read) == self.size {
            self.check_end()?;
        }
        Ok(n)
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read_checked(buffer).map_err(io::Error::other)
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("size", &self.size).field("read", &self.read).finish()
    }
}

/// How much of a source is read at once.
pub(crate) const BUFFER: usize = 256 * 1024;

fn open_file<'a>(path: PathBuf) -> Result<(Stream<'a>, Option<u64>)> {
    let file = File::open(&path).map_err(|e| Error::io("cannot open", &path, e))?;
    let metadata = file.metadata().map_err(|e| Error::io("cannot look at", &path, e))?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Io, format!("{} is a directory, not a file", path.display())));
    }
    if !metadata.is_file() {
        // A pipe or device: it has no size and is read once.
        return Ok((Stream::Reader(Box::new(file)), None));
    }
    let stamp = Stamp::of(&metadata);
    let size = stamp.size;
    Ok((Stream::File { file, path, stamp }, Some(size)))
}

fn source_failed(error: io::Error) -> Error {
    Error::new(ErrorKind::Source, format!("the source failed: {error}")).with_source(error)
}

fn size_mismatch(announced: u64, actual: u64) -> Error {
    Error::new(
        ErrorKind::SizeMismatch,
        format!("the content has {actual} bytes, not {announced} as announced"),
    )
}
