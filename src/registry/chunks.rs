//! A reader that can be read once, of which only a chunk is ever held in memory.

use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{Error, ErrorKind, Result};
use crate::http::Body;
use crate::progress::{Phase, Reporter};
use crate::source::Content;

use super::Registry;
use super::session::Session;

/// A registry that wants chunks larger than this gets none: they would have to be held in memory.
const LARGEST_CHUNK_IN_MEMORY: u64 = 64 * 1024 * 1024;

/// The beginning of a reader, which tells how it goes on.
pub(super) enum FirstChunk {
    /// It ends within one chunk: these are all its bytes.
    Whole(Vec<u8>),
    /// It goes on.
    More(ChunkBuffer),
}

/// One chunk, full, and the first byte of the next, by which the last one is known as such.
pub(super) struct ChunkBuffer {
    bytes: Vec<u8>,
    chunk: usize,
}

impl FirstChunk {
    pub(super) fn read(content: &mut Content<'_>, chunk: u64) -> Result<FirstChunk> {
        let chunk = to_memory(chunk)?;
        // Small readers should not cost a whole chunk of memory.
        let mut bytes = vec![0; chunk.min(crate::source::BUFFER) + 1];
        let mut filled = 0;
        loop {
            filled += content.fill(&mut bytes[filled..])?;
            if filled < bytes.len() {
                bytes.truncate(filled);
                return Ok(FirstChunk::Whole(bytes));
            }
            if filled > chunk {
                return Ok(FirstChunk::More(ChunkBuffer { bytes, chunk }));
            }
            bytes.resize(chunk + 1, 0);
        }
    }
}

impl ChunkBuffer {
    /// The bytes of the chunk that is to be sent now.
    pub(super) fn chunk(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(self.chunk)]
    }

    /// Everything that was read so far, for who does not send chunks.
    pub(super) fn all(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the reader ends with this chunk.
    pub(super) fn is_last(&self) -> bool {
        self.bytes.len() <= self.chunk
    }

    /// Goes on to the next chunk, filling it however short the reads are.
    pub(super) fn advance(&mut self, content: &mut Content<'_>) -> Result<()> {
        self.bytes[0] = self.bytes[self.chunk];
        let filled = 1 + content.fill(&mut self.bytes[1..])?;
        self.bytes.truncate(filled);
        Ok(())
    }

    /// Enlarges the chunk to what the registry wants at least.
    fn enlarge(&mut self, chunk: u64, content: &mut Content<'_>) -> Result<()> {
        let chunk = to_memory(chunk)?;
        if chunk > self.chunk {
            let filled = self.bytes.len();
            self.bytes.resize(chunk + 1, 0);
            let filled = filled + content.fill(&mut self.bytes[filled..])?;
            self.bytes.truncate(filled);
            self.chunk = chunk;
        }
        Ok(())
    }
}

impl Registry {
    /// Rule 3: sends a reader in chunks, of which the last goes in the closing PUT, and hashes it on the way.
    pub(super) fn upload_stream(
        &self,
        buffer: ChunkBuffer,
        mut content: Content<'_>,
        algorithm: Algorithm,
        reporter: &mut Reporter<'_>,
    ) -> Result<(Digest, u64)> {
        let mut session = self.open_session()?;
        let sent = send_chunks(&mut session, buffer, &mut content, algorithm, reporter);
        sent.inspect_err(|error| session.cancel(error))
    }
}

fn send_chunks(
    session: &mut Session<'_>,
    mut buffer: ChunkBuffer,
    content: &mut Content<'_>,
    algorithm: Algorithm,
    reporter: &mut Reporter<'_>,
) -> Result<(Digest, u64)> {
    let mut hasher = Hasher::new(algorithm);
    let mut first = 0;
    reporter.begin(Phase::Uploading)?;
    buffer.enlarge(session.smallest_chunk, content)?;
    while !buffer.is_last() {
        let chunk = buffer.chunk();
        let size = chunk.len() as u64;
        hasher.update(chunk);
        session.append(Body::Bytes(chunk), first, size)?;
        reporter.advance(size)?;
        first += size;
        buffer.advance(content)?;
    }
    let chunk = buffer.chunk();
    let size = chunk.len() as u64;
    hasher.update(chunk);
    let digest = hasher.finish();
    reporter.set_total(Some(first + size));
    reporter.set_digest(&digest);
    // Before the commit: who ends the upload at its last byte must not find it stored.
    reporter.advance(size)?;
    session.commit(Body::Bytes(chunk), first, size, &digest)?;
    Ok((digest, first + size))
}

fn to_memory(chunk: u64) -> Result<usize> {
    usize::try_from(chunk.max(1)).ok().filter(|_| chunk <= LARGEST_CHUNK_IN_MEMORY).ok_or_else(|| {
        Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "chunks of {chunk} bytes are too large to be held in memory (at most {LARGEST_CHUNK_IN_MEMORY}); a \
                 file can be sent in larger ones"
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;
    use std::io::Read;

    /// Gives one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn chunks_of(bytes: &[u8], chunk: u64) -> Vec<Vec<u8>> {
        let mut content = Content::open(Source::reader(Drip(bytes))).unwrap();
        match FirstChunk::read(&mut content, chunk).unwrap() {
            FirstChunk::Whole(bytes) => vec![bytes],
            FirstChunk::More(mut buffer) => {
                let mut chunks = Vec::new();
                loop {
                    chunks.push(buffer.chunk().to_vec());
                    if buffer.is_last() {
                        return chunks;
                    }
                    buffer.advance(&mut content).unwrap();
                }
            }
        }
    }

    #[test]
    fn short_reads_refill_the_chunk_and_the_last_is_known_as_such() {
        assert_eq!(chunks_of(b"", 4), [b""]);
        assert_eq!(chunks_of(b"1234", 4), [b"1234"]);
        assert_eq!(chunks_of(b"12345", 4), [b"1234".to_vec(), b"5".to_vec()]);
        assert_eq!(chunks_of(b"12345678", 4), [b"1234", b"5678"]);
    }

    #[test]
    fn a_chunk_is_enlarged_to_what_the_registry_wants() {
        let mut content = Content::open(Source::reader(Drip(b"123456789"))).unwrap();
        let FirstChunk::More(mut buffer) = FirstChunk::read(&mut content, 2).unwrap() else {
            panic!("it does not fit")
        };
        buffer.enlarge(5, &mut content).unwrap();
        assert_eq!(buffer.chunk(), b"12345");
        buffer.advance(&mut content).unwrap();
        assert_eq!((buffer.chunk(), buffer.is_last()), (&b"6789"[..], true));
        assert_eq!(to_memory(1 << 40).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }
}
