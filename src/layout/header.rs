//! The file `oci-layout`, which makes a directory an image layout (image-spec, "oci-layout file").

use std::path::Path;

use serde::Deserialize;

use crate::error::{Result, excerpt};

use super::atomic;

const NAME: &str = "oci-layout";
const CONTENT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const VERSION: &str = "1.0.0";

/// More than any version of the specification writes.
const LIMIT: u64 = 64 * 1024;

#[derive(Deserialize)]
struct Header {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

/// Whether the file is there; one of another version is an error.
pub(super) fn exists(root: &Path) -> Result<bool> {
    let Some(bytes) = atomic::read_file(root, NAME, LIMIT)? else { return Ok(false) };
    let what = match serde_json::from_slice::<Header>(&bytes) {
        Ok(header) if header.version == VERSION => return Ok(true),
        Ok(header) => format!("has the version {}; only `{VERSION}` is supported", excerpt(&header.version)),
        Err(error) => format!("is not that of an image layout: {}", excerpt(&error.to_string())),
    };
    Err(atomic::invalid(&root.join(NAME), what))
}

pub(super) fn write(root: &Path) -> Result<()> {
    atomic::write_file(root, NAME, CONTENT.as_bytes())
}
