//! What the integration tests share: real registries on ports of their own, a recording proxy in front of
//! them, a server that misbehaves as told, and the clients of other projects that read back what was uploaded.

// Each test program includes this module and uses a part of it.
#![allow(dead_code, unused_imports, unreachable_pub)]
// A helper that cannot do its work fails the test that called it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod clients;
pub mod counting;
pub mod double;
pub mod http;
pub mod listener;
pub mod servers;
pub mod temp;
pub mod tls;
pub mod tools;
pub mod uploads;

pub use clients::Reader;
pub use counting::CountingProxy;
pub use double::{Double, Reply};
pub use http::RecordedRequest;
pub use servers::{Kind, Registry};
pub use temp::TempDir;
pub use tls::Identity;
