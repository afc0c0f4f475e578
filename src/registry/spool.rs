//! A reader kept in a temporary file, for hosts that take a blob only in one body of known digest.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;

use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Phase, Reporter};
use crate::source::{BUFFER, Content};

use super::chunks::ChunkBuffer;

/// Writes what was read already and all the rest into an unlinked temporary file, hashing it on the way.
pub(super) fn spool(
    beginning: ChunkBuffer,
    content: &mut Content<'_>,
    algorithm: Algorithm,
    reporter: &mut Reporter<'_>,
) -> Result<(File, Digest, u64)> {
    let mut file = unlinked_file()?;
    let mut hasher = Hasher::new(algorithm);
    let mut size = 0;
    reporter.begin(Phase::Hashing)?;
    let mut keep = |bytes: &[u8], reporter: &mut Reporter<'_>| {
        hasher.update(bytes);
        file.write_all(bytes).map_err(|error| {
            Error::new(ErrorKind::Io, format!("cannot write to a temporary file: {error}")).with_source(error)
        })?;
        size += bytes.len() as u64;
        reporter.advance(bytes.len() as u64)
    };
    keep(beginning.all(), reporter)?;
    drop(beginning);
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = content.fill(&mut buffer)?;
        keep(&buffer[..n], reporter)?;
        if n < buffer.len() {
            reporter.end()?;
            return Ok((file, hasher.finish(), size));
        }
    }
}

/// A file that vanishes with its handle, also if the process is killed.
fn unlinked_file() -> Result<File> {
    let directory = std::env::temp_dir();
    if let Some(file) = nameless_file(&directory) {
        return Ok(file);
    }
    // `create_new` neither follows links nor opens what somebody else has put there; another name is tried then.
    for _ in 0..16 {
        let name = format!(".ocireg-{}-{:016x}", std::process::id(), RandomState::new().hash_one(0));
        let path = directory.join(name);
        match private().create_new(true).open(&path) {
            Ok(file) => {
                std::fs::remove_file(&path)
                    .map_err(|error| Error::io("cannot unlink the temporary file", &path, error))?;
                return Ok(file);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("cannot make the temporary file", &path, error)),
        }
    }
    Err(Error::new(ErrorKind::Io, format!("cannot make a temporary file in {}", directory.display())))
}

/// A file that never has a name, where the file system can do that (open(2), `O_TMPFILE`).
#[cfg(target_os = "linux")]
fn nameless_file(directory: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;

    private().custom_flags(libc::O_TMPFILE).open(directory).ok()
}

#[cfg(not(target_os = "linux"))]
fn nameless_file(_: &Path) -> Option<File> {
    None
}

/// To read and write, for nobody else.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::chunks::FirstChunk;
    use crate::source::Source;
    use std::io::{Read, Seek};

    #[test]
    fn a_reader_is_kept_whole_and_hashed() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut content = Content::open(Source::reader(&bytes[..])).unwrap();
        let FirstChunk::More(buffer) = FirstChunk::read(&mut content, 1000).unwrap() else {
            panic!("it does not fit")
        };
        let mut reporter = Reporter::new(None);
        let (mut file, digest, size) = spool(buffer, &mut content, Algorithm::Sha256, &mut reporter).unwrap();
        let mut kept = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut kept).unwrap();
        assert!(kept == bytes);
        assert_eq!((digest, size), (Digest::sha256(&bytes), 1_000_000));
    }

    #[test]
    fn a_temporary_file_has_no_name() {
        use std::os::unix::fs::MetadataExt;

        let metadata = unlinked_file().unwrap().metadata().unwrap();
        assert_eq!((metadata.nlink(), metadata.mode() & 0o777), (0, 0o600));
    }
}
