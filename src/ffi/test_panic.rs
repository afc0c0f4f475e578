//! A fault on purpose, for the test of the panic guard.

use crate::ffi::argument::object;
use crate::ffi::client::ocireg_client;
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::guard;
use crate::ffi::status::ocireg_status;

/// Panics while it uses the client. Not in the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_test_panic(
    client: *const ocireg_client,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let _entered = object(client, "client")?.poison.enter()?;
            #[allow(clippy::panic)]
            {
                panic!("a panic on purpose")
            }
        })
    }
}
