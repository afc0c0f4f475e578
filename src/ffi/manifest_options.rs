//! What can be said about one manifest upload.

use crate::ffi::argument::{free, object};
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Slot, guard, guard_or};
use crate::ffi::status::ocireg_status;
use crate::repository::ManifestOptions;

/// Options of a manifest upload; freed with ocireg_manifest_options_free. They may be used for any number of uploads.
pub struct ocireg_manifest_options {
    options: Slot<ManifestOptions>,
}

impl ocireg_manifest_options {
    pub(super) fn options(&self) -> Result<ManifestOptions, Failure> {
        Ok(*self.options.read()?)
    }
}

/// New options that say nothing, to be freed with ocireg_manifest_options_free.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_manifest_options_new() -> *mut ocireg_manifest_options {
    guard_or(std::ptr::null_mut(), || {
        Box::into_raw(Box::new(ocireg_manifest_options { options: Slot::new(ManifestOptions::new()) }))
    })
}

/// Never moves a tag that exists when `keep` is true: where it points at the same digest that is success, where it
/// points elsewhere the upload ends with `OCIREG_E_TAG_CONFLICT`. Costs one request a tag; a tag that somebody else
/// makes between the look and the upload is moved.
///
/// - `options`: must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_options_set_keep_existing_tags(
    options: *mut ocireg_manifest_options,
    keep: bool,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let mut options = object(options, "options")?.options.write()?;
            *options = options.keep_existing_tags(keep);
            Ok(())
        })
    }
}

/// Frees options; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_options_free(options: *mut ocireg_manifest_options) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(options)) }
}
