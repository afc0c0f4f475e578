//! Files that appear complete or not at all, and the lock that keeps two writers of `index.json` apart.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::error::{Error, ErrorKind, Result};

const PREFIX: &str = ".ocireg-";
const SUFFIX: &str = ".tmp";

/// A temporary file of a process that was killed is removed after this time.
const LEFT_OVER_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A file under a temporary name, in the directory of the layout: a rename works only within one file system.
/// It is removed when it is dropped before it was kept.
pub(super) struct TempFile {
    file: File,
    path: PathBuf,
    kept: bool,
}

impl TempFile {
    pub(super) fn create(root: &Path) -> Result<TempFile> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
        loop {
            // Each RandomState has keys of its own that come from the operating system's random numbers.
            let random = RandomState::new().build_hasher().finish();
            let path = root.join(format!("{PREFIX}{}-{random:016x}{SUFFIX}", std::process::id()));
            match options.open(&path) {
                Ok(file) => return Ok(TempFile { file, path, kept: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io("cannot create a file in", root, error)),
            }
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|e| Error::io("cannot write", &self.path, e))
    }

    /// Gives the file its name, in place of what has that name now, once all of it is on the disk. A symbolic link of
    /// that name is replaced, not followed.
    pub(super) fn keep_as(mut self, target: &Path) -> Result<()> {
        self.file.sync_all().map_err(|e| Error::io("cannot write", &self.path, e))?;
        fs::rename(&self.path, target).map_err(|e| Error::io("cannot create", target, e))?;
        self.kept = true;
        match target.parent() {
            Some(directory) => sync_directory(directory),
            None => Ok(()),
        }
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done; remove_left_overs gets it later.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes a small file of the layout.
pub(super) fn write_file(root: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let mut file = TempFile::create(root)?;
    file.write(bytes)?;
    file.keep_as(&root.join(name))
}

/// Reads a small file of the layout; `None` when it does not exist.
pub(super) fn read_file(root: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    let path = root.join(name);
    if regular_file_size(&path)?.is_none() {
        return Ok(None);
    }
    let file = match open_regular(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("cannot open", &path, error)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| Error::io("cannot read", &path, e))?;
    if bytes.len() as u64 > limit {
        let message = format!("{} is larger than {limit} bytes", path.display());
        return Err(Error::new(ErrorKind::LimitExceeded, message));
    }
    Ok(Some(bytes))
}

/// Opens a file that was seen to be a regular one; if it is a link or a pipe by now, this fails or does not wait.
fn open_regular(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)
}

/// The size of this file; `None` when there is none of this name. Anything else of this name is not a layout's.
pub(super) fn regular_file_size(path: &Path) -> Result<Option<u64>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
        Ok(metadata) => {
            Err(invalid(path, if metadata.is_dir() { "is a directory, not a file" } else { "is not a file" }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("cannot look at", path, error)),
    }
}

/// Whether there is a directory at this path; a path that is something else is not a layout's. A link to a directory
/// counts: where the layout stands is for the user to say.
pub(super) fn is_directory(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(_) => Err(invalid(path, "is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("cannot look at", path, error)),
    }
}

/// Makes this directory and those above it, where they do not exist.
pub(super) fn create_directories(path: &Path) -> Result<()> {
    if is_directory(path)? {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(|e| Error::io("cannot create", path, e))?;
    match path.parent() {
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}

/// Makes this directory inside of one that exists. It may have been made by somebody else meanwhile.
pub(super) fn create_directory(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(Error::io("cannot create", path, error)),
    }
    match path.parent() {
        Some(parent) => sync_directory(parent),
        None => Ok(()),
    }
}

/// Removes the temporary files of processes that were killed. What cannot be removed stays.
pub(super) fn remove_left_overs(root: &Path) {
    let Some(limit) = SystemTime::now().checked_sub(LEFT_OVER_AFTER) else { return };
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // Metadata of the entry itself, not of what a link leads to.
        let old = |entry: &fs::DirEntry| {
            let metadata = entry.metadata()?;
            Ok::<_, io::Error>(metadata.is_file() && metadata.modified()? < limit)
        };
        if ours && old(&entry).unwrap_or(false) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// An advisory lock on the directory of a layout, released when it is dropped or its process ends. Waits for whoever
/// has it: hold it for a few small files only.
pub(super) struct DirectoryLock {
    _file: File,
}

/// How long another process may take to change `index.json`.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

impl DirectoryLock {
    pub(super) fn acquire(root: &Path) -> Result<DirectoryLock> {
        let failed = |error| Error::io("cannot lock", root, error);
        let file = open_for_lock(root).map_err(failed)?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(DirectoryLock { _file: file }),
                // Whoever can read the directory can lock it, and may never let go.
                Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_WAIT => {
                    thread::sleep(BETWEEN_TRIES)
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::new(
                        ErrorKind::Busy,
                        format!("{} has been locked by somebody else for {LONGEST_WAIT:?}", root.display()),
                    ));
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(unix)]
fn open_for_lock(root: &Path) -> io::Result<File> {
    File::open(root)
}

/// Where a directory cannot be opened, a file stands for it.
#[cfg(not(unix))]
fn open_for_lock(root: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(root.join(".ocireg-lock"))
}

/// Puts the names in a directory on the disk: without this, a crash can lose a file that was renamed into it.
fn sync_directory(path: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(|e| Error::io("cannot write", path, e))?;
    }
    Ok(())
}

/// That something in the layout is not what its name says.
pub(super) fn invalid(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidLayout, format!("{} {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory for one test, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let path = std::env::temp_dir().join(format!("ocireg-atomic-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Scratch(path)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<_> = fs::read_dir(&self.0)
                .unwrap()
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_file_has_no_name_until_it_is_kept() {
        let scratch = Scratch::new("kept");
        let mut file = TempFile::create(&scratch.0).unwrap();
        file.write(b"content").unwrap();
        assert!(!scratch.0.join("name").exists());
        file.keep_as(&scratch.0.join("name")).unwrap();
        assert_eq!(scratch.names(), ["name"]);
        assert_eq!(fs::read(scratch.0.join("name")).unwrap(), b"content");
    }

    #[test]
    fn a_file_that_is_not_kept_or_cannot_be_is_removed() {
        let scratch = Scratch::new("dropped");
        drop(TempFile::create(&scratch.0).unwrap());
        fs::create_dir(scratch.0.join("taken")).unwrap();
        let error = TempFile::create(&scratch.0).unwrap().keep_as(&scratch.0.join("taken")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert_eq!(scratch.names(), ["taken"]);
    }

    #[test]
    fn left_overs_are_removed_when_they_are_old_and_ours() {
        let scratch = Scratch::new("left-overs");
        let old = SystemTime::now() - LEFT_OVER_AFTER - Duration::from_secs(60);
        for (name, modified) in
            [(".ocireg-1-a.tmp", old), (".ocireg-1-b.tmp", SystemTime::now()), (".other-1.tmp", old)]
        {
            let file = File::create(scratch.0.join(name)).unwrap();
            file.set_modified(modified).unwrap();
        }
        remove_left_overs(&scratch.0);
        assert_eq!(scratch.names(), [".ocireg-1-b.tmp", ".other-1.tmp"]);
    }

    #[test]
    fn a_file_above_the_limit_is_not_read() {
        let scratch = Scratch::new("limit");
        fs::write(scratch.0.join("file"), b"12345").unwrap();
        assert_eq!(read_file(&scratch.0, "file", 5).unwrap().unwrap(), b"12345");
        assert_eq!(read_file(&scratch.0, "file", 4).unwrap_err().kind(), ErrorKind::LimitExceeded);
        assert!(read_file(&scratch.0, "none", 5).unwrap().is_none());
    }

    #[test]
    fn the_lock_is_for_one_at_a_time() {
        let scratch = Scratch::new("lock");
        let held = DirectoryLock::acquire(&scratch.0).unwrap();
        let other = open_for_lock(&scratch.0).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        other.try_lock().unwrap();
    }
}
