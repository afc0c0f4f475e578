//! A client: settings and credentials.

use std::ffi::c_char;

use crate::client::Client;
use crate::ffi::argument::{free, handle, object, text};
use crate::ffi::client_options::ocireg_client_options;
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Poison, guard, guard_or};
use crate::ffi::repository::ocireg_repository;
use crate::ffi::status::ocireg_status;

/// Settings, credentials and open connections, shared by the repositories opened from it. May be used from several
/// threads at once; freed with ocireg_client_free.
pub struct ocireg_client {
    client: Client,
    pub(super) poison: Poison,
}

/// Makes a client. Nothing is connected to yet.
///
/// - `options`: copied; NULL for the defaults.
/// - `out`: gets the client, to be freed with ocireg_client_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_ARGUMENT` for a setting that cannot be used, `OCIREG_E_IO` for a file that cannot be read.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_new(
    options: *const ocireg_client_options,
    out: *mut *mut ocireg_client,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let builder = match options.as_ref() {
                Some(options) => options.builder()?,
                None => Client::builder(),
            };
            out.give(ocireg_client { client: builder.build()?, poison: Poison::default() });
            Ok(())
        })
    }
}

/// Opens a repository. Nothing is connected to or created yet.
///
/// - `client`: must not be NULL. The repository keeps what it needs of it: the client may be freed first.
/// - `address`: `[https://|http://]HOST[:PORT]/NAME`, the first part always being the host, or `oci-layout:PATH`; without
///   a tag or digest. Must not be NULL.
/// - `out`: gets the repository, to be freed with ocireg_repository_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_REFERENCE` when the address does not follow the grammar, `OCIREG_E_INVALID_LAYOUT` where the path is
/// something else already.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_client_repository(
    client: *const ocireg_client,
    address: *const c_char,
    out: *mut *mut ocireg_repository,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let client = object(client, "client")?;
            let _entered = client.poison.enter()?;
            out.give(ocireg_repository::new(client.client.repository(text(address, "address")?)?));
            Ok(())
        })
    }
}

/// Frees a client; NULL is ignored. Repositories opened from it go on to work.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_client_free(client: *mut ocireg_client) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(client)) }
}
