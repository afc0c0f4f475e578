//! What can be said about one blob upload.

use std::ffi::{c_char, c_void};

use crate::digest::{Algorithm, Digest};
use crate::ffi::argument::{free, object, text};
use crate::ffi::callbacks::ocireg_progress_fn;
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Slot, guard, guard_or};
use crate::ffi::status::ocireg_status;

/// Options of a blob upload; freed with ocireg_blob_options_free. They may be used for any number of uploads.
///
/// Every setter takes options that must not be NULL, copies what it is given, and replaces what was set before.
pub struct ocireg_blob_options {
    settings: Slot<Settings>,
}

#[derive(Clone, Copy)]
pub(super) struct ProgressCallback {
    pub(super) callback: ocireg_progress_fn,
    pub(super) user: *mut c_void,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) known: Option<(Digest, u64)>,
    pub(super) mount_from: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) progress: ProgressCallback,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            known: None,
            mount_from: None,
            algorithm: Algorithm::default(),
            progress: ProgressCallback { callback: None, user: std::ptr::null_mut() },
        }
    }
}

impl ocireg_blob_options {
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        Ok(self.settings.read()?.clone())
    }
}

/// Which digest is computed: `OCIREG_ALGORITHM_...`.
pub type ocireg_algorithm = i32;

/// SHA-256, which every registry takes. The default.
pub const OCIREG_ALGORITHM_SHA256: ocireg_algorithm = 1;
/// SHA-512.
pub const OCIREG_ALGORITHM_SHA512: ocireg_algorithm = 2;

pub(super) fn algorithm(algorithm: ocireg_algorithm) -> Result<Algorithm, Failure> {
    match algorithm {
        OCIREG_ALGORITHM_SHA256 => Ok(Algorithm::Sha256),
        OCIREG_ALGORITHM_SHA512 => Ok(Algorithm::Sha512),
        other => Err(Failure::argument("algorithm", format_args!("has no value {other}"))),
    }
}

/// New options that say nothing, to be freed with ocireg_blob_options_free.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_blob_options_new() -> *mut ocireg_blob_options {
    guard_or(std::ptr::null_mut(), || {
        Box::into_raw(Box::new(ocireg_blob_options { settings: Slot::new(Settings::default()) }))
    })
}

/// Digest and size in bytes that the caller knows already.
///
/// The blob is then not hashed first; where the repository has it, **the source is not read at all**, and the digest
/// is taken on trust. Where it must be sent, size and digest are checked while it is read, and a difference is
/// `OCIREG_E_SIZE_MISMATCH` or `OCIREG_E_DIGEST_MISMATCH`.
///
/// - `digest`: such as "sha256:44136f..."; must not be NULL. `OCIREG_E_INVALID_DIGEST` when it is not one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_blob_options_set_known(
    options: *mut ocireg_blob_options,
    digest: *const c_char,
    size: u64,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let digest = Digest::parse(text(digest, "digest")?)?;
            object(options, "options")?.settings.write()?.known = Some((digest, size));
            Ok(())
        })
    }
}

/// Name of another repository at the same registry that may have the blob: it is then mounted from there instead of
/// being sent, where the registry allows it. Layouts ignore it.
///
/// - `repository`: a name without a host, such as "library/base"; must not be NULL. It is checked by the upload.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_blob_options_set_mount_from(
    options: *mut ocireg_blob_options,
    repository: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let repository = text(repository, "repository")?;
            object(options, "options")?.settings.write()?.mount_from = Some(repository.to_owned());
            Ok(())
        })
    }
}

/// Algorithm of the digest that is computed. A digest given by ocireg_blob_options_set_known decides for itself.
///
/// - `algorithm`: one of `OCIREG_ALGORITHM_...`; anything else is `OCIREG_E_INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_blob_options_set_algorithm(
    options: *mut ocireg_blob_options,
    algorithm: ocireg_algorithm,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let algorithm = self::algorithm(algorithm)?;
            object(options, "options")?.settings.write()?.algorithm = algorithm;
            Ok(())
        })
    }
}

/// Follows the upload, and can end it.
///
/// - `callback`: see ocireg_progress_fn; NULL for none.
/// - `user`: first argument of the callback; may be NULL. It is used by uploads with these options only, and stays
///   the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_blob_options_set_progress(
    options: *mut ocireg_blob_options,
    callback: ocireg_progress_fn,
    user: *mut c_void,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            object(options, "options")?.settings.write()?.progress = ProgressCallback { callback, user };
            Ok(())
        })
    }
}

/// Frees options; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_blob_options_free(options: *mut ocireg_blob_options) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(options)) }
}
