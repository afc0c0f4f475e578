//! A reader kept in a temporary file, for hosts that take a blob only in one body of known digest.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

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
    // `create_new` neither follows links nor opens what somebody else has put there; another name is tried then.
    for _ in 0..16 {
        let name = format!(".ocireg-{}-{:016x}", std::process::id(), RandomState::new().hash_one(0));
        let path = directory.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&path) {
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
