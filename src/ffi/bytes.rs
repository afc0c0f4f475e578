//! Bytes that a call gives to a C program.

use crate::ffi::argument::free;
use crate::ffi::guard::guard_or;

/// Bytes that a call has returned. Never changes; freed with ocireg_bytes_free.
pub struct ocireg_bytes {
    // With a NUL at the end that does not count.
    bytes: Vec<u8>,
}

impl ocireg_bytes {
    pub(super) fn new(mut bytes: Vec<u8>) -> ocireg_bytes {
        bytes.push(0);
        ocireg_bytes { bytes }
    }
}

/// The bytes, borrowed from `bytes`, with a NUL after the last one so that JSON can be used as text. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_bytes_data(bytes: *const ocireg_bytes) -> *const u8 {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || bytes.as_ref().map_or(std::ptr::null(), |bytes| bytes.bytes.as_ptr()))
    }
}

/// How many bytes there are, without the NUL. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_bytes_len(bytes: *const ocireg_bytes) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || bytes.as_ref().map_or(0, |bytes| bytes.bytes.len() - 1)) }
}

/// Frees the bytes; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_bytes_free(bytes: *mut ocireg_bytes) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(bytes)) }
}
