//! How a blob reaches a registry: mounted, in one PUT, or in chunks.

use std::io::{self, Read};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::http::{Body, BodyStream};
use crate::model::{Descriptor, media_type};
use crate::progress::{Phase, Reporter};
use crate::repository::BlobUpload;
use crate::source::{Content, Source};

use super::Registry;
use super::chunks::FirstChunk;
use super::hosts::Chunks;
use super::session::{Opened, Session};
use super::spool;

/// The size of a chunk that is held in memory, where neither caller nor host says otherwise.
const CHUNK_IN_MEMORY: u64 = 4 * 1024 * 1024;
/// The size of a chunk that is read from a source of known digest while it is sent.
const CHUNK_FROM_SOURCE: u64 = 64 * 1024 * 1024;

impl Registry {
    /// Uploads a blob unless it is there.
    pub(crate) fn upload_blob(&self, upload: BlobUpload<'_>) -> Result<Descriptor> {
        let BlobUpload { mut content, known, algorithm, mount_from, mut reporter } = upload;
        reporter.set_total(content.size().or(known.as_ref().map(|(_, size)| *size)));
        let from = mount_from.as_deref();
        let (digest, size) = if let Some((digest, size)) = known {
            self.upload_known(content, &digest, size, from, true, &mut reporter)?;
            (digest, size)
        } else if content.can_rewind() {
            let (digest, size) = content.digest(algorithm, &mut reporter)?;
            self.upload_known(content, &digest, size, from, false, &mut reporter)?;
            (digest, size)
        } else {
            match FirstChunk::read(&mut content, self.chunk_in_memory())? {
                FirstChunk::Whole(bytes) => {
                    let digest = Digest::of(algorithm, &bytes);
                    let size = bytes.len() as u64;
                    let content = Content::open(Source::bytes(bytes))?;
                    self.upload_known(content, &digest, size, from, false, &mut reporter)?;
                    (digest, size)
                }
                FirstChunk::More(buffer) if self.host.chunks == Chunks::Never => {
                    let (file, digest, size) = spool::spool(buffer, &mut content, algorithm, &mut reporter)?;
                    let content = Content::own_file(file, size)?;
                    self.upload_known(content, &digest, size, from, false, &mut reporter)?;
                    (digest, size)
                }
                FirstChunk::More(buffer) => self.upload_stream(buffer, content, algorithm, &mut reporter)?,
            }
        };
        Ok(Descriptor::new(media_type::OCTET_STREAM, digest, size))
    }

    /// Rules 1 and 2: a POST that asks for a mount, then the body.
    fn upload_known<'a>(
        &self,
        mut content: Content<'a>,
        digest: &Digest,
        size: u64,
        from: Option<&str>,
        check: bool,
        reporter: &mut Reporter<'a>,
    ) -> Result<()> {
        reporter.set_total(Some(size));
        reporter.set_digest(digest);
        let mut session = match self.mount_or_open(digest, from)? {
            Opened::AlreadyThere => return Ok(()),
            Opened::Session(session) => session,
        };
        let sent = (|| {
            if check {
                content.expect(digest, size)?;
            }
            reporter.begin(Phase::Uploading)?;
            // A change since the content was hashed is cheaper to find now than at its end.
            content.unchanged()?;
            self.send_content(&mut session, &mut content, digest, size, reporter)
        })();
        sent.map_err(|error| {
            session.cancel(&error);
            // Where the source is the cause, that is what the caller must know, also if the registry noticed first.
            content.unchanged().err().unwrap_or(error)
        })
    }

    fn send_content<'a>(
        &self,
        session: &mut Session<'_>,
        content: &mut Content<'a>,
        digest: &Digest,
        size: u64,
        reporter: &mut Reporter<'a>,
    ) -> Result<()> {
        let chunk = self.chunk_from_source(size).map_or(size, |chunk| chunk.max(session.smallest_chunk));
        let mut first = 0;
        while size - first > chunk {
            let mut body = Window::new(content, reporter, first, chunk);
            session.append(Body::Stream(&mut body), first, chunk)?;
            first += chunk;
        }
        let mut body = Window::new(content, reporter, first, size - first);
        session.commit(Body::Stream(&mut body), first, size - first, digest)
    }

    /// The chunk size for a body of this size, or `None` where one PUT is better.
    fn chunk_from_source(&self, size: u64) -> Option<u64> {
        let Chunks::UpTo(largest) = self.host.chunks else { return None };
        let wanted = self.chunk_size.filter(|chunk| size > *chunk);
        let needed = (size > self.host.largest_put).then_some(CHUNK_FROM_SOURCE);
        wanted.or(needed).map(|chunk| chunk.min(largest))
    }

    /// The size of a chunk of a reader that can be read once.
    fn chunk_in_memory(&self) -> u64 {
        let wanted = self.chunk_size.unwrap_or(CHUNK_IN_MEMORY);
        match self.host.chunks {
            Chunks::UpTo(largest) => wanted.min(largest),
            Chunks::Never => wanted,
        }
    }
}

/// A part of a source, as the body of a request.
struct Window<'w, 'a> {
    content: &'w mut Content<'a>,
    reporter: &'w mut Reporter<'a>,
    first: u64,
    size: u64,
    left: u64,
}

impl<'w, 'a> Window<'w, 'a> {
    /// The content must stand at `first`.
    fn new(content: &'w mut Content<'a>, reporter: &'w mut Reporter<'a>, first: u64, size: u64) -> Self {
        Window { content, reporter, first, size, left: size }
    }
}

impl Read for Window<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = self.content.read(&mut buffer[..most])?;
        self.left -= n as u64;
        self.reporter.advance(n as u64).map_err(io::Error::other::<Error>)?;
        Ok(n)
    }
}

impl BodyStream for Window<'_, '_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn restart(&mut self) -> Result<()> {
        if self.left < self.size {
            self.content.seek(self.first)?;
            self.left = self.size;
            self.reporter.rewind(self.first)?;
        }
        Ok(())
    }
}
