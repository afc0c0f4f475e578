//! The C ABI: what `include/ocireg.h` declares. One file per C type; the only room, with `transport/sys.rs`, where
//! pointers are followed.
//!
//! Every exported function is written out (a macro would hide it from the header's generator), has an `unsafe` block
//! whose first call is `guard` or `guard_or`, and reads its arguments through `argument` alone. The names are those of
//! C, so that source, header and documentation can be searched alike.

#![allow(unsafe_code)]
#![allow(non_camel_case_types, missing_debug_implementations)]
// What a caller must keep to is said parameter by parameter, in the words of the header.
#![allow(clippy::missing_safety_doc)]

mod argument;
mod blob_options;
mod bytes;
mod callbacks;
mod client;
mod client_options;
mod descriptor;
mod error;
mod guard;
mod hasher;
mod index;
mod manifest;
mod manifest_options;
mod reference;
mod repository;
mod status;
#[cfg(feature = "capi-test-panic")]
mod test_panic;
mod texts;
mod version;

pub use blob_options::*;
pub use bytes::*;
pub use callbacks::*;
pub use client::*;
pub use client_options::*;
pub use descriptor::*;
pub use error::*;
pub use hasher::*;
pub use index::*;
pub use manifest::*;
pub use manifest_options::*;
pub use reference::*;
pub use repository::*;
pub use status::*;
#[cfg(feature = "capi-test-panic")]
pub use test_panic::*;
pub use version::*;
