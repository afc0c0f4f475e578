//! The OCI registry client that you can link: blocking, with no runtime and no threads.
//!
//! A [`Client`] holds settings and credentials; a [`Repository`] is a place that holds blobs and manifests, either at a
//! registry or in a directory (an OCI image layout). Blobs are uploaded first, then the manifest that lists them.
//!
//! ```no_run
//! use ocireg::{Client, Manifest, media_type};
//!
//! let client = Client::builder().build()?;
//! let repository = client.repository("myregistry.azurecr.io/sample-artifact")?;
//!
//! let config = repository.upload_blob("Sample config")?;
//! let layer = repository.upload_blob(std::path::Path::new("layer.tar"))?;
//!
//! let manifest = Manifest::new(config.with_media_type(media_type::IMAGE_CONFIG))
//!     .layer(layer.with_media_type(media_type::IMAGE_LAYER));
//! let uploaded = repository.upload_manifest(&manifest, ["demo"])?;
//! println!("{}", uploaded.digest());
//! # Ok::<(), ocireg::Error>(())
//! ```
//!
//! No call creates a thread, and memory does not grow with the size of a blob. Every failure is an [`Error`] that says
//! what was being done, to what, what the registry answered, and whether trying again can help.
//!
//! # Crate features
//!
//! - `capi` (off by default): the C ABI and its header, for C, C++ and Python. A Rust program does not need it.

// Nothing that comes from outside may panic. Here and not in Cargo.toml, where it would hold for tests and examples.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod client;
mod digest;
mod error;
#[cfg(feature = "capi")]
pub mod ffi;
mod http;
mod layout;
mod model;
mod progress;
mod reference;
mod registry;
mod repository;
mod source;
mod transport;

pub use client::{Client, ClientBuilder, TrustRoots};
pub use digest::{Algorithm, Digest, Hasher};
pub use error::{Error, ErrorKind, RegistryError, Result};
pub use model::{Descriptor, Index, Manifest, Platform, RawManifest, ToManifest, annotation, media_type};
pub use reference::{Address, Reference, Scheme, Tag};
pub use repository::{BlobOptions, ManifestOptions, NO_TAGS, Phase, Progress, Repository};
pub use source::Source;
