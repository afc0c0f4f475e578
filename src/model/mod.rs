//! What a registry stores besides blobs: descriptors, manifests and indexes (image-spec 1.1), with their exact bytes.

pub mod annotation;
mod descriptor;
mod index;
mod json;
mod manifest;
pub mod media_type;
mod platform;
mod raw;

pub use descriptor::Descriptor;
pub use index::Index;
pub use manifest::Manifest;
pub use platform::Platform;
pub use raw::{RawManifest, ToManifest};
