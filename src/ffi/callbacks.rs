//! What a C program hands in to be called: readers and progress callbacks.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use crate::error::{Error, ErrorKind};
use crate::ffi::argument::{c_pointer, c_text};
use crate::ffi::guard::{Failure, guard_or};
use crate::progress::{Phase, Progress};
use crate::source::Source;

/// Reads the next bytes of a blob. Called on the thread of the upload, while that call lasts.
///
/// - `user`: as in the ocireg_reader.
/// - `buffer`, `capacity`: where the bytes go, and how many fit; at least 1. Writable during this call only.
/// - `out_n`: must be set to the number of bytes put there, at most `capacity`; 0 is the end of the blob, fewer than
///   `capacity` is not. It holds SIZE_MAX before, and leaving that is `OCIREG_E_SOURCE`, as is a larger number than
///   `capacity`.
///
/// Returns 0 to go on; anything else ends the upload with `OCIREG_E_ABORTED` and is kept in the error.
pub type ocireg_read_fn = Option<
    unsafe extern "C" fn(user: *mut c_void, buffer: *mut u8, capacity: usize, out_n: *mut usize) -> i32,
>;

/// Moves a reader: the next byte read is the one at `offset`, counted from the reader's first byte.
///
/// Returns 0 to go on; anything else ends the upload with `OCIREG_E_ABORTED` and is kept in the error.
pub type ocireg_seek_fn = Option<unsafe extern "C" fn(user: *mut c_void, offset: u64) -> i32>;

/// Follows a transfer: called about ten times a second and at the start and end of each phase, on the thread of the
/// upload, while that call lasts.
///
/// - `user`: as given to ocireg_blob_options_set_progress.
/// - `progress`: valid during this call only.
///
/// Returns 0 to go on; anything else ends the upload with `OCIREG_E_ABORTED` and is kept in the error.
pub type ocireg_progress_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, progress: *const ocireg_progress) -> i32>;

/// Where the bytes of a blob come from: a table of callbacks. Begin with `OCIREG_READER_INIT`, so that members which
/// later versions add have their defaults.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ocireg_reader {
    /// `sizeof(ocireg_reader)`.
    pub struct_size: usize,
    /// First argument of the callbacks; may be NULL.
    pub user: *mut c_void,
    /// Must be set.
    pub read: ocireg_read_fn,
    /// NULL when the reader can be read only once. When it is set, `size` must be known, and the blob may be read twice:
    /// once for its digest, once to send it.
    pub seek: ocireg_seek_fn,
    /// How many bytes the reader gives from where it stands to its end; `OCIREG_UNKNOWN` when that is not known.
    /// Giving fewer or more is `OCIREG_E_SIZE_MISMATCH`.
    pub size: u64,
}

/// Larger than any table that will ever be; what is beyond is not a size.
const MAX_STRUCT_SIZE: usize = 4096;

/// A copy of the caller's table.
///
/// # Safety
///
/// `reader` is NULL or has `struct_size` bytes.
pub(super) unsafe fn read_table(reader: *const ocireg_reader) -> Result<ocireg_reader, Failure> {
    const KNOWN: usize = size_of::<ocireg_reader>();
    if reader.is_null() {
        return Err(Failure::argument("reader", "is NULL"));
    }
    // SAFETY: every version of the table begins with its size.
    let size = unsafe { (*reader).struct_size };
    if !(KNOWN..=MAX_STRUCT_SIZE).contains(&size) {
        let message = format!("is {size}; it must be sizeof(ocireg_reader), at least {KNOWN}");
        return Err(Failure::argument("reader->struct_size", message));
    }
    // SAFETY: the table has `size` bytes, by the header.
    let beyond = unsafe { std::slice::from_raw_parts(reader.cast::<u8>().add(KNOWN), size - KNOWN) };
    if beyond.iter().any(|byte| *byte != 0) {
        return Err(Failure::argument(
            "reader",
            "sets members that this version of the library does not know",
        ));
    }
    // SAFETY: the table has at least the members that are known here.
    let table = unsafe { *reader };
    if table.read.is_none() {
        return Err(Failure::argument("reader->read", "is NULL"));
    }
    if table.seek.is_some() && table.size == u64::MAX {
        return Err(Failure::argument("reader->size", "must be known when reader->seek is set"));
    }
    Ok(table)
}

impl ocireg_reader {
    /// The blob that this table reads. Its callbacks are called while the source is used.
    pub(super) fn source<'a>(self) -> Source<'a> {
        let can_seek = self.seek.is_some();
        let size = self.size;
        let reader = CallbackReader { table: self, position: 0, stands_at: 0 };
        match size {
            _ if can_seek => Source::seekable(reader),
            u64::MAX => Source::reader(reader),
            size => Source::sized_reader(reader, size),
        }
    }
}

/// Reads through the caller's table. Seeks are put off until the next read: most of them go where the reader stands.
struct CallbackReader {
    table: ocireg_reader,
    position: u64,
    stands_at: u64,
}

impl Read for CallbackReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.position != self.stands_at {
            let seek = self.table.seek.ok_or(io::ErrorKind::NotSeekable)?;
            // SAFETY: the caller's callback with the caller's argument, during the call that it was given to.
            go_on(unsafe { seek(self.table.user, self.position) }, "seek")?;
            self.stands_at = self.position;
        }
        let read = self.table.read.ok_or(io::ErrorKind::InvalidInput)?;
        let mut n = usize::MAX;
        // SAFETY: as above; the buffer is ours, has that many bytes and is initialised.
        go_on(unsafe { read(self.table.user, buffer.as_mut_ptr(), buffer.len(), &mut n) }, "read")?;
        if n == usize::MAX {
            return Err(broken("the read callback returned 0 without setting *out_n".into()));
        }
        if n > buffer.len() {
            return Err(broken(format!(
                "the read callback set *out_n to {n}, with a capacity of {}",
                buffer.len()
            )));
        }
        self.stands_at += n as u64;
        self.position = self.stands_at;
        Ok(n)
    }
}

impl Seek for CallbackReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.table.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn go_on(result: i32, callback: &str) -> io::Result<()> {
    if result == 0 {
        return Ok(());
    }
    let message = format!("the {callback} callback returned {result}");
    Err(io::Error::other(Error::new(ErrorKind::Aborted, message).with_callback_result(result)))
}

fn broken(message: String) -> io::Error {
    io::Error::other(Error::new(ErrorKind::Source, message))
}

/// The caller's progress callback, and what it returned when it ended the upload.
pub(super) struct CallbackProgress {
    pub(super) callback: unsafe extern "C" fn(user: *mut c_void, progress: *const ocireg_progress) -> i32,
    pub(super) user: *mut c_void,
}

impl CallbackProgress {
    pub(super) fn report(&self, progress: &Progress<'_>, result: &Cell<i32>) -> ControlFlow<()> {
        let progress = ocireg_progress {
            phase: match progress.phase() {
                Phase::Hashing => OCIREG_PHASE_HASHING,
                Phase::Uploading => OCIREG_PHASE_UPLOADING,
            },
            bytes_done: progress.bytes_done(),
            total: progress.total().unwrap_or(u64::MAX),
            digest: progress.digest().map(|digest| c_text(digest.as_str())),
            attempt: progress.attempt(),
        };
        // SAFETY: the caller's callback with the caller's argument, during the call that it was given to.
        match unsafe { (self.callback)(self.user, &progress) } {
            0 => ControlFlow::Continue(()),
            stopped => {
                result.set(stopped);
                ControlFlow::Break(())
            }
        }
    }
}

/// The state of a transfer, as an ocireg_progress_fn sees it; valid during that call.
pub struct ocireg_progress {
    phase: ocireg_phase,
    bytes_done: u64,
    total: u64,
    digest: Option<CString>,
    attempt: u32,
}

/// What a transfer is doing: `OCIREG_PHASE_...`. More may be added.
pub type ocireg_phase = i32;

/// The source is read once, to compute its digest.
pub const OCIREG_PHASE_HASHING: ocireg_phase = 1;
/// Bytes are sent to the registry, or written to the layout.
pub const OCIREG_PHASE_UPLOADING: ocireg_phase = 2;

/// What is being done; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_progress_phase(progress: *const ocireg_progress) -> ocireg_phase {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || progress.as_ref().map_or(0, |progress| progress.phase)) }
}

/// Bytes that this phase has behind it. Can go back when a body is sent again. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_progress_bytes_done(progress: *const ocireg_progress) -> u64 {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || progress.as_ref().map_or(0, |progress| progress.bytes_done)) }
}

/// Size of the blob in bytes; `OCIREG_UNKNOWN` for a reader of unknown length until its end has been read,
/// and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_progress_total(progress: *const ocireg_progress) -> u64 {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(u64::MAX, || progress.as_ref().map_or(u64::MAX, |progress| progress.total)) }
}

/// Digest of the blob, borrowed from `progress`; NULL until it is known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_progress_digest(progress: *const ocireg_progress) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            c_pointer(progress.as_ref().and_then(|progress| progress.digest.as_ref()))
        })
    }
}

/// 1 for the first try of this blob, 2 for the second, and so on; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_progress_attempt(progress: *const ocireg_progress) -> u32 {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || progress.as_ref().map_or(0, |progress| progress.attempt)) }
}
