//! The annotation keys that the image-spec defines ("Pre-Defined Annotation Keys").

/// When the image was built (RFC 3339).
pub const CREATED: &str = "org.opencontainers.image.created";
/// The people or organisation responsible for it.
pub const AUTHORS: &str = "org.opencontainers.image.authors";
/// Where to find more about it.
pub const URL: &str = "org.opencontainers.image.url";
/// Where its documentation is.
pub const DOCUMENTATION: &str = "org.opencontainers.image.documentation";
/// Where its source code is.
pub const SOURCE: &str = "org.opencontainers.image.source";
/// Version of the packaged software.
pub const VERSION: &str = "org.opencontainers.image.version";
/// Revision of its source code in version control.
pub const REVISION: &str = "org.opencontainers.image.revision";
/// The people or organisation that distribute it.
pub const VENDOR: &str = "org.opencontainers.image.vendor";
/// Its licences, as an SPDX expression.
pub const LICENSES: &str = "org.opencontainers.image.licenses";
/// Name of a target: in the `index.json` of an image layout, the tag.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Title for people; on a layer, the name of the file.
pub const TITLE: &str = "org.opencontainers.image.title";
/// Description for people.
pub const DESCRIPTION: &str = "org.opencontainers.image.description";
/// Digest of the image that this one is based on.
pub const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// Reference of the image that this one is based on.
pub const BASE_NAME: &str = "org.opencontainers.image.base.name";
