//! Which library this is.

use std::ffi::c_char;

use crate::ffi::guard::guard_or;

/// Version of the library that is loaded, such as "0.1.0"; `OCIREG_VERSION` is that of the header. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_version() -> *const c_char {
    guard_or(std::ptr::null(), || concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast())
}

/// Version of the library that is loaded as one number, as `OCIREG_VERSION_NUMBER` is that of the header:
/// major * 1,000,000 + minor * 1,000 + patch.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_version_number() -> u32 {
    guard_or(0, || NUMBER)
}

const NUMBER: u32 = part(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
    + part(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
    + part(env!("CARGO_PKG_VERSION_PATCH"));

const fn part(digits: &str) -> u32 {
    let mut number = 0;
    let mut position = 0;
    while position < digits.len() {
        number = number * 10 + (digits.as_bytes()[position] - b'0') as u32;
        position += 1;
    }
    number
}
