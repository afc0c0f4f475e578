//! What a client can be told before it is made.

use std::ffi::c_char;
use std::time::Duration;

use crate::client::{Client, ClientBuilder, TrustRoots};
use crate::ffi::argument::{free, object, path, text};
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Slot, guard, guard_or};
use crate::ffi::status::ocireg_status;

/// Options of a client; freed with ocireg_client_options_free, at any time after ocireg_client_new.
///
/// Every setter takes options that must not be NULL, copies what it is given, and replaces what was set before. What is
/// wrong with a setting is said by ocireg_client_new.
pub struct ocireg_client_options {
    builder: Slot<ClientBuilder>,
}

impl ocireg_client_options {
    pub(super) fn builder(&self) -> Result<ClientBuilder, Failure> {
        Ok(self.builder.read()?.clone())
    }

    fn change(&self, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<(), Failure> {
        let mut builder = self.builder.write()?;
        *builder = change(builder.clone());
        Ok(())
    }
}

/// Which certificate authorities are trusted, before those of a CA file: `OCIREG_TRUST_ROOTS_...`.
pub type ocireg_trust_roots = i32;

/// Those of the system. Where it has no store at all, the bundled ones; where it has one that cannot be read, that is an
/// error. The default.
pub const OCIREG_TRUST_ROOTS_SYSTEM: ocireg_trust_roots = 0;
/// Those of the system and no others.
pub const OCIREG_TRUST_ROOTS_SYSTEM_ONLY: ocireg_trust_roots = 1;
/// Mozilla's, as they were when ocireg was built.
pub const OCIREG_TRUST_ROOTS_BUNDLED: ocireg_trust_roots = 2;
/// None but those of ocireg_client_options_add_ca_file.
pub const OCIREG_TRUST_ROOTS_GIVEN: ocireg_trust_roots = 3;

/// New options with every default, to be freed with ocireg_client_options_free.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_client_options_new() -> *mut ocireg_client_options {
    guard_or(std::ptr::null_mut(), || {
        Box::into_raw(Box::new(ocireg_client_options { builder: Slot::new(Client::builder()) }))
    })
}

/// Goes before `ocireg/VERSION` in the `User-Agent` of every request.
///
/// - `user_agent`: visible ASCII characters and spaces; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_user_agent(
    options: *mut ocireg_client_options,
    user_agent: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let user_agent = text(user_agent, "user_agent")?;
            object(options, "options")?.change(|builder| builder.user_agent(user_agent))
        })
    }
}

/// For a connection to be made, TLS included, over all addresses of a host: 30,000 by default. Looking up the name is
/// not covered: `resolv.conf` sets its limit.
///
/// - `milliseconds`: not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_connect_timeout_ms(
    options: *mut ocireg_client_options,
    milliseconds: u64,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let limit = Duration::from_millis(milliseconds);
            object(options, "options")?.change(|builder| builder.connect_timeout(limit))
        })
    }
}

/// For each wait for the registry to say something, not for all of them: 60,000 by default.
///
/// - `milliseconds`: not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_read_timeout_ms(
    options: *mut ocireg_client_options,
    milliseconds: u64,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let limit = Duration::from_millis(milliseconds);
            object(options, "options")?.change(|builder| builder.read_timeout(limit))
        })
    }
}

/// For each wait for the registry to take something, not for all of them: 60,000 by default.
///
/// - `milliseconds`: not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_write_timeout_ms(
    options: *mut ocireg_client_options,
    milliseconds: u64,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let limit = Duration::from_millis(milliseconds);
            object(options, "options")?.change(|builder| builder.write_timeout(limit))
        })
    }
}

/// For the answer to a request with a body, when its last byte has been sent: a registry may have to hash a large blob
/// first. 600,000 by default.
///
/// - `milliseconds`: not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_commit_timeout_ms(
    options: *mut ocireg_client_options,
    milliseconds: u64,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let limit = Duration::from_millis(milliseconds);
            object(options, "options")?.change(|builder| builder.commit_timeout(limit))
        })
    }
}

/// Which certificate authorities are trusted.
///
/// - `trust_roots`: one of `OCIREG_TRUST_ROOTS_...`; anything else is `OCIREG_E_INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_trust_roots(
    options: *mut ocireg_client_options,
    trust_roots: ocireg_trust_roots,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let roots = match trust_roots {
                OCIREG_TRUST_ROOTS_SYSTEM => TrustRoots::System,
                OCIREG_TRUST_ROOTS_SYSTEM_ONLY => TrustRoots::SystemOnly,
                OCIREG_TRUST_ROOTS_BUNDLED => TrustRoots::Bundled,
                OCIREG_TRUST_ROOTS_GIVEN => TrustRoots::Given,
                other => {
                    return Err(Failure::argument("trust_roots", format_args!("has no value {other}")));
                }
            };
            object(options, "options")?.change(|builder| builder.trust_roots(roots))
        })
    }
}

/// Trusts the authorities in this PEM file too; alone with `OCIREG_TRUST_ROOTS_GIVEN`. May be called again.
///
/// - `path`: must not be NULL. The file is read by ocireg_client_new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_add_ca_file(
    options: *mut ocireg_client_options,
    path: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let file = crate::ffi::argument::path(path, "path")?;
            object(options, "options")?.change(|builder| builder.ca_file(file))
        })
    }
}

/// Shows this certificate to a registry that asks for one; never to another host that the registry leads to.
///
/// - `certificate_path`: PEM file with the certificate and its chain; must not be NULL.
/// - `key_path`: PEM file with its private key; must not be NULL; may be the same file.
///
/// The files are read by ocireg_client_new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_client_certificate(
    options: *mut ocireg_client_options,
    certificate_path: *const c_char,
    key_path: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let certificate = path(certificate_path, "certificate_path")?;
            let key = path(key_path, "key_path")?;
            object(options, "options")?.change(|builder| builder.client_certificate(certificate, key))
        })
    }
}

/// The size of a chunk in bytes. A blob larger than that then goes in chunks where the host takes them, also where it
/// could go in one request.
///
/// Not set by default: only what must goes in chunks, files in large ones and readers of unknown length in chunks of
/// 4 MiB. A chunk of a reader is held in memory. Hosts that are known to take less get less.
///
/// - `bytes`: not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_chunk_size(
    options: *mut ocireg_client_options,
    bytes: u64,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard(err, || object(options, "options")?.change(|builder| builder.chunk_size(bytes))) }
}

/// Takes every certificate, also a forged one, when `accept` is true: whoever sits between can then read and change
/// everything, and has the password. For tests; ocireg_client_options_add_ca_file trusts a registry's own certificate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_danger_accept_invalid_certificates(
    options: *mut ocireg_client_options,
    accept: bool,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            object(options, "options")?.change(|builder| builder.danger_accept_invalid_certificates(accept))
        })
    }
}

/// Signs in with a user name and password by HTTP Basic, where a registry asks for that; otherwise the client is
/// anonymous. They go to the registries whose repositories the client opens, and to nobody they lead to.
///
/// - `user`, `password`: must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_basic_auth(
    options: *mut ocireg_client_options,
    user: *const c_char,
    password: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let user = text(user, "user")?;
            let password = text(password, "password")?;
            object(options, "options")?.change(|builder| builder.basic_auth(user, password))
        })
    }
}

/// How often a request without a large body is tried in all, when the connection breaks or the registry answers 408,
/// 429, 500, 502, 503 or 504: 4 by default, 1 for never again. The waits in between begin at a quarter of a second and
/// double, or last as long as the registry asks for, up to a minute.
///
/// - `attempts`: not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_set_attempts(
    options: *mut ocireg_client_options,
    attempts: u32,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard(err, || object(options, "options")?.change(|builder| builder.attempts(attempts))) }
}

/// Frees options; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_options_free(options: *mut ocireg_client_options) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(options)) }
}
