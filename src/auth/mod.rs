//! Who the caller is: credentials, and how a registry's challenge is met with them.

mod basic;

pub(crate) use basic::{BasicAuthorizer, BasicCredentials};
