//! Status codes: the numbers of [`ErrorKind`](crate::ErrorKind) as C knows them.

use std::ffi::c_char;

use crate::ffi::guard::guard_or;

/// Outcome of a call: `OCIREG_OK` or one of `OCIREG_E_...`. The numbers never change and are never used again; new ones
/// may be added, so treat one that you do not know as a failure.
pub type ocireg_status = i32;

/// Success.
pub const OCIREG_OK: ocireg_status = 0;
/// An argument is not allowed here: NULL, not UTF-8, out of range, or in conflict with another.
pub const OCIREG_E_INVALID_ARGUMENT: ocireg_status = 1;
/// A repository address, reference or tag does not follow the grammar.
pub const OCIREG_E_INVALID_REFERENCE: ocireg_status = 2;
/// A digest does not follow the grammar, or its algorithm is not one that ocireg computes.
pub const OCIREG_E_INVALID_DIGEST: ocireg_status = 3;
/// A manifest is not valid: too large, malformed, or with a malformed descriptor.
pub const OCIREG_E_INVALID_MANIFEST: ocireg_status = 4;
/// The object is in use by another call, or by the call whose callback runs now.
pub const OCIREG_E_BUSY: ocireg_status = 5;
/// A local file or directory could not be read or written.
pub const OCIREG_E_IO: ocireg_status = 20;
/// The source of a blob failed: a reader broke its contract.
pub const OCIREG_E_SOURCE: ocireg_status = 21;
/// The source must be read again and cannot be.
pub const OCIREG_E_NOT_REWINDABLE: ocireg_status = 22;
/// A file changed its size or modification time while it was being uploaded.
pub const OCIREG_E_SOURCE_CHANGED: ocireg_status = 23;
/// A directory is not an image layout that can be used.
pub const OCIREG_E_INVALID_LAYOUT: ocireg_status = 24;
/// The host name could not be resolved.
pub const OCIREG_E_DNS: ocireg_status = 30;
/// No connection could be made.
pub const OCIREG_E_CONNECT: ocireg_status = 31;
/// The connection broke.
pub const OCIREG_E_CONNECTION: ocireg_status = 32;
/// The TLS handshake failed: a certificate is not trusted, has expired, or names another host.
pub const OCIREG_E_TLS: ocireg_status = 33;
/// The registry wants credentials, or does not accept the ones it was given (401).
pub const OCIREG_E_UNAUTHORIZED: ocireg_status = 40;
/// The credentials do not allow this (403).
pub const OCIREG_E_DENIED: ocireg_status = 41;
/// The repository, manifest, tag or blob does not exist (404).
pub const OCIREG_E_NOT_FOUND: ocireg_status = 42;
/// The registry limits the rate of requests (429).
pub const OCIREG_E_RATE_LIMITED: ocireg_status = 43;
/// The registry does not take a body of this size (413).
pub const OCIREG_E_TOO_LARGE: ocireg_status = 44;
/// The registry refused the request (any other 4xx).
pub const OCIREG_E_REJECTED: ocireg_status = 45;
/// The registry failed (5xx).
pub const OCIREG_E_REGISTRY_FAILED: ocireg_status = 46;
/// The answer is not one that a registry gives.
pub const OCIREG_E_PROTOCOL: ocireg_status = 47;
/// A redirect or `Location` leads where it must not be followed, or there are too many of them.
pub const OCIREG_E_REDIRECT: ocireg_status = 48;
/// A tag exists, points at other content, and was not moved.
pub const OCIREG_E_TAG_CONFLICT: ocireg_status = 49;
/// An answer was larger, or a list longer, than the limit.
pub const OCIREG_E_LIMIT_EXCEEDED: ocireg_status = 50;
/// The digest of the content is not the expected one.
pub const OCIREG_E_DIGEST_MISMATCH: ocireg_status = 70;
/// The size of the content is not the expected one.
pub const OCIREG_E_SIZE_MISMATCH: ocireg_status = 71;
/// A callback of the caller ended the call.
pub const OCIREG_E_ABORTED: ocireg_status = 90;
/// The registry did not move for longer than the time limit.
pub const OCIREG_E_TIMEOUT: ocireg_status = 93;
/// A fault inside the library, or a call on an object that was in use when one happened. Free the object; please
/// report the message.
pub const OCIREG_E_PANIC: ocireg_status = 99;

/// Name of a status, as it is written here: `"OCIREG_E_NOT_FOUND"`; `"unknown status"` for any other number.
///
/// The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_status_name(status: ocireg_status) -> *const c_char {
    guard_or(c"unknown status".as_ptr(), || name(status).as_ptr())
}

fn name(status: ocireg_status) -> &'static std::ffi::CStr {
    macro_rules! names {
        ($($name:ident)*) => {
            match status {
                $($name => {
                    const TEXT: &str = concat!(stringify!($name), "\0");
                    match std::ffi::CStr::from_bytes_with_nul(TEXT.as_bytes()) {
                        Ok(text) => text,
                        Err(_) => c"unknown status",
                    }
                })*
                _ => c"unknown status",
            }
        };
    }
    names! {
        OCIREG_OK OCIREG_E_INVALID_ARGUMENT OCIREG_E_INVALID_REFERENCE OCIREG_E_INVALID_DIGEST
        OCIREG_E_INVALID_MANIFEST OCIREG_E_BUSY OCIREG_E_IO OCIREG_E_SOURCE OCIREG_E_NOT_REWINDABLE
        OCIREG_E_SOURCE_CHANGED OCIREG_E_INVALID_LAYOUT OCIREG_E_DNS OCIREG_E_CONNECT OCIREG_E_CONNECTION
        OCIREG_E_TLS OCIREG_E_UNAUTHORIZED OCIREG_E_DENIED OCIREG_E_NOT_FOUND OCIREG_E_RATE_LIMITED
        OCIREG_E_TOO_LARGE OCIREG_E_REJECTED OCIREG_E_REGISTRY_FAILED OCIREG_E_PROTOCOL OCIREG_E_REDIRECT
        OCIREG_E_TAG_CONFLICT OCIREG_E_LIMIT_EXCEEDED OCIREG_E_DIGEST_MISMATCH OCIREG_E_SIZE_MISMATCH
        OCIREG_E_ABORTED OCIREG_E_TIMEOUT OCIREG_E_PANIC
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn every_kind_of_error_has_its_status_name() {
        for (_, code, kind) in ErrorKind::ALL {
            assert_eq!(name(*code).to_str().unwrap(), format!("OCIREG_E_{kind}"));
        }
        assert_eq!(name(OCIREG_OK), c"OCIREG_OK");
        assert_eq!(name(OCIREG_E_PANIC), c"OCIREG_E_PANIC");
        assert_eq!(name(-1), c"unknown status");
    }
}
