//! References: the address of a repository with a tag, a digest or both.

use std::ffi::{CString, c_char};

use crate::ffi::argument::{c_pointer, c_text, free, handle, text};
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{guard, guard_or};
use crate::ffi::status::ocireg_status;
use crate::reference::Reference;

/// A reference taken apart. Never changes; freed with ocireg_reference_free.
pub struct ocireg_reference {
    address: CString,
    tag: Option<CString>,
    digest: Option<CString>,
}

/// Takes a reference apart: the address of a repository, and then `:TAG`, `@DIGEST`, both or neither. In
/// `oci-layout:PATH:TAG` the tag follows the last `:` after the last `/`.
///
/// - `text`: such as "localhost:5000/app:1.0"; must not be NULL.
/// - `out`: gets the parts, to be freed with ocireg_reference_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_REFERENCE` or `OCIREG_E_INVALID_DIGEST` when it does not follow the grammar.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_reference_new(
    text: *const c_char,
    out: *mut *mut ocireg_reference,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let reference = Reference::parse(self::text(text, "text")?)?;
            out.give(ocireg_reference {
                address: c_text(&reference.address().to_string()),
                tag: reference.tag().map(|tag| c_text(tag.as_str())),
                digest: reference.digest().map(|digest| c_text(digest.as_str())),
            });
            Ok(())
        })
    }
}

/// The address of the repository, as ocireg_client_repository takes it. Borrowed from `reference`; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_reference_address(reference: *const ocireg_reference) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || c_pointer(reference.as_ref().map(|reference| &reference.address)))
    }
}

/// The tag. Borrowed from `reference`; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_reference_tag(reference: *const ocireg_reference) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            c_pointer(reference.as_ref().and_then(|reference| reference.tag.as_ref()))
        })
    }
}

/// The digest, which decides whatever the tag points at. Borrowed from `reference`; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_reference_digest(reference: *const ocireg_reference) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            c_pointer(reference.as_ref().and_then(|reference| reference.digest.as_ref()))
        })
    }
}

/// Frees a reference; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_reference_free(reference: *mut ocireg_reference) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(reference)) }
}
