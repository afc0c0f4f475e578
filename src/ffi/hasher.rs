//! Digests that a program computes itself.

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use crate::digest::Hasher;
use crate::ffi::argument::{bytes, c_text, free, handle, object};
use crate::ffi::blob_options::{algorithm, ocireg_algorithm};
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Slot, guard, guard_or};
use crate::ffi::status::ocireg_status;

/// Computes a digest piece by piece; freed with ocireg_hasher_free.
pub struct ocireg_hasher {
    hasher: Slot<Hasher>,
    digest: OnceLock<CString>,
}

/// A hasher that has seen no bytes.
///
/// - `algorithm`: one of `OCIREG_ALGORITHM_...`; anything else is `OCIREG_E_INVALID_ARGUMENT`.
/// - `out`: gets the hasher, to be freed with ocireg_hasher_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_hasher_new(
    algorithm: ocireg_algorithm,
    out: *mut *mut ocireg_hasher,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let hasher = Hasher::new(self::algorithm(algorithm)?);
            out.give(ocireg_hasher { hasher: Slot::new(hasher), digest: OnceLock::new() });
            Ok(())
        })
    }
}

/// Adds bytes; `OCIREG_E_INVALID_ARGUMENT` after ocireg_hasher_digest.
///
/// - `hasher`: must not be NULL.
/// - `data`, `len`: (NULL, 0) adds nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_hasher_update(
    hasher: *mut ocireg_hasher,
    data: *const u8,
    len: usize,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let hasher = object(hasher, "hasher")?;
            if hasher.digest.get().is_some() {
                return Err(Failure::argument("hasher", "has given its digest already"));
            }
            hasher.hasher.write()?.update(bytes(data, len, "data")?);
            Ok(())
        })
    }
}

/// The digest of all bytes added, such as "sha256:44136f...", borrowed from `hasher`; no bytes can be added afterwards.
/// NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_hasher_digest(hasher: *const ocireg_hasher) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            let Ok(object) = object(hasher, "hasher") else { return std::ptr::null() };
            let Ok(hasher) = object.hasher.read() else { return std::ptr::null() };
            object.digest.get_or_init(|| c_text(hasher.clone().finish().as_str())).as_ptr()
        })
    }
}

/// Frees a hasher; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_hasher_free(hasher: *mut ocireg_hasher) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(hasher)) }
}
