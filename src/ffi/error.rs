//! The error object.

use std::ffi::{CString, c_char};

use crate::error::Error;
use crate::ffi::argument::{c_text, free};
use crate::ffi::guard::{Failure, guard_or};
use crate::ffi::status::{OCIREG_E_PANIC, OCIREG_OK, ocireg_status};

/// Why a call failed. Never changes, may be read from several threads; freed with ocireg_error_free.
///
/// Secrets and the query strings of URLs are never part of it.
pub struct ocireg_error {
    status: ocireg_status,
    message: CString,
    operation: CString,
    target: CString,
    request: CString,
    http_status: u16,
    registry: Vec<RegistryEntry>,
    retryable: bool,
    retry_after_ms: u64,
    callback_result: i32,
}

struct RegistryEntry {
    code: CString,
    message: CString,
    detail: CString,
}

impl ocireg_error {
    /// `function` is named when the failure does not say itself what was being done.
    pub(super) fn boxed(failure: Failure, function: &'static str) -> *mut ocireg_error {
        Box::into_raw(Box::new(match failure {
            Failure::Error(error) => ocireg_error::from_error(&error, function),
            Failure::Panic(text) => ocireg_error {
                status: OCIREG_E_PANIC,
                message: c_text(&format!("{function}: a fault inside ocireg: {text}")),
                operation: c_text(function),
                target: CString::default(),
                request: CString::default(),
                http_status: 0,
                registry: Vec::new(),
                retryable: false,
                retry_after_ms: u64::MAX,
                callback_result: 0,
            },
        }))
    }

    fn from_error(error: &Error, function: &'static str) -> ocireg_error {
        let named = !error.operation().is_empty();
        ocireg_error {
            status: error.kind().code(),
            message: c_text(&if named { error.to_string() } else { format!("{function}: {error}") }),
            operation: c_text(if named { error.operation() } else { function }),
            target: c_text(error.target()),
            request: c_text(error.request().unwrap_or("")),
            http_status: error.status().unwrap_or(0),
            registry: error
                .registry_errors()
                .iter()
                .map(|entry| RegistryEntry {
                    code: c_text(&entry.code),
                    message: c_text(&entry.message),
                    detail: c_text(&entry.detail),
                })
                .collect(),
            retryable: error.is_retryable(),
            retry_after_ms: error
                .retry_after()
                .map_or(u64::MAX, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX - 1)),
            callback_result: error.callback_result().unwrap_or(0),
        }
    }

    #[cfg(test)]
    pub(super) fn message(&self) -> &str {
        self.message.to_str().unwrap_or("")
    }
}

unsafe fn part(error: *const ocireg_error, part: fn(&ocireg_error) -> &CString) -> *const c_char {
    // SAFETY: NULL or an error of this library.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| part(error).as_ptr())
}

unsafe fn registry_part(
    error: *const ocireg_error,
    position: usize,
    part: fn(&RegistryEntry) -> &CString,
) -> *const c_char {
    // SAFETY: NULL or an error of this library.
    let entry = unsafe { error.as_ref() }.and_then(|error| error.registry.get(position));
    entry.map_or(c"".as_ptr(), |entry| part(entry).as_ptr())
}

/// The status that the call returned. `OCIREG_OK` for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_status(error: *const ocireg_error) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(OCIREG_OK, || error.as_ref().map_or(OCIREG_OK, |error| error.status)) }
}

/// The whole error in one line, for people: operation, target and reason. Borrowed from `error`; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_message(error: *const ocireg_error) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(c"".as_ptr(), || part(error, |error| &error.message)) }
}

/// What was being done, such as "upload blob", or the name of the function that refused an argument. Borrowed from
/// `error`; "" for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_operation(error: *const ocireg_error) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(c"".as_ptr(), || part(error, |error| &error.operation)) }
}

/// What it was done to: a repository, reference, file or host. Borrowed from `error`; "" when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_target(error: *const ocireg_error) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(c"".as_ptr(), || part(error, |error| &error.target)) }
}

/// The HTTP request that failed: method and URL, without query. Borrowed from `error`; "" when the failure was local.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_request(error: *const ocireg_error) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(c"".as_ptr(), || part(error, |error| &error.request)) }
}

/// The HTTP status of the registry's answer; 0 when there was no answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_http_status(error: *const ocireg_error) -> u32 {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || error.as_ref().map_or(0, |error| error.http_status.into())) }
}

/// How many errors the registry's answer listed (distribution-spec, "Error Codes"); 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_registry_count(error: *const ocireg_error) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || error.as_ref().map_or(0, |error| error.registry.len())) }
}

/// Code of one error in the registry's answer, such as "MANIFEST_UNKNOWN". Borrowed from `error`; "" when there is no
/// error at `position`, which counts from 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_registry_code(
    error: *const ocireg_error,
    position: usize,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(c"".as_ptr(), || registry_part(error, position, |entry| &entry.code)) }
}

/// Message of one error in the registry's answer; may be empty. Borrowed from `error`; "" when there is no error at
/// `position`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_registry_message(
    error: *const ocireg_error,
    position: usize,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(c"".as_ptr(), || registry_part(error, position, |entry| &entry.message)) }
}

/// Detail of one error in the registry's answer: any JSON, as text, or "" when there is none. Borrowed from `error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_registry_detail(
    error: *const ocireg_error,
    position: usize,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(c"".as_ptr(), || registry_part(error, position, |entry| &entry.detail)) }
}

/// Whether the same call can succeed later with nothing changed; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_is_retryable(error: *const ocireg_error) -> bool {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(false, || error.as_ref().is_some_and(|error| error.retryable)) }
}

/// How many milliseconds the registry asked to wait before another try; `OCIREG_UNKNOWN` when it did not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_retry_after_ms(error: *const ocireg_error) -> u64 {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(u64::MAX, || error.as_ref().map_or(u64::MAX, |error| error.retry_after_ms)) }
}

/// What the callback that ended the call returned; 0 when none did.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_callback_result(error: *const ocireg_error) -> i32 {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || error.as_ref().map_or(0, |error| error.callback_result)) }
}

/// Frees an error; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_error_free(error: *mut ocireg_error) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(error)) }
}
