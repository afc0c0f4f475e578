//! Media types of the image-spec and their Docker counterparts, and the check of any other.

use crate::error::{Error, ErrorKind, Result, excerpt};

/// An image manifest; also used for every other artifact.
pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index: a list of manifests.
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The configuration of a container image.
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// A layer: a tar archive.
pub const IMAGE_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// A layer: a tar archive compressed with gzip.
pub const IMAGE_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// A layer: a tar archive compressed with zstd.
pub const IMAGE_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
/// The two bytes `{}` that stand for "nothing here".
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A descriptor.
pub const DESCRIPTOR: &str = "application/vnd.oci.descriptor.v1+json";
/// The file `oci-layout` of an image layout.
pub const LAYOUT_HEADER: &str = "application/vnd.oci.layout.header.v1+json";
/// Bytes of which nothing more is known.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// Docker's image manifest, version 2, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's list of manifests.
pub const DOCKER_MANIFEST_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// The configuration of a Docker image.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// A layer of a Docker image: a tar archive compressed with gzip.
pub const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// Checks that this is a media type as the image-spec wants it: `type/subtype`, both names as in RFC 6838, section
/// 4.2, without parameters.
///
/// # Errors
///
/// [`ErrorKind::InvalidManifest`] says what is wrong.
pub fn check(media_type: &str) -> Result<()> {
    let reason = match media_type.split_once('/') {
        _ if media_type.is_empty() => "is empty",
        None => "has no `/`",
        Some((_, subtype)) if subtype.contains(';') => "has parameters",
        Some((kind, subtype)) if !is_name(kind) || !is_name(subtype) => {
            "has names that RFC 6838 does not allow (letters, digits and `!#$&-^_.+`, at most 127 each)"
        }
        Some(_) => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::InvalidManifest,
        format!(
            "the media type {} {reason}; it must read like `application/vnd.example+json`",
            excerpt(media_type)
        ),
    ))
}

fn is_name(name: &str) -> bool {
    name.len() <= 127
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_follow_rfc_6838() {
        let longest = format!("{0}/{0}", "a".repeat(127));
        for good in [IMAGE_MANIFEST, DOCKER_LAYER, EMPTY, OCTET_STREAM, "a/b", "1x/y!#$&-^_.+", &longest] {
            check(good).unwrap();
        }
        let too_long = format!("a/{}", "a".repeat(128));
        for bad in [
            "",
            "a",
            "/",
            "a/",
            "/b",
            "a/b/c",
            "a b/c",
            "a/b; charset=utf-8",
            "a/.b",
            "a/ä",
            "a/b\r\n",
            &too_long,
        ] {
            let error = check(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidManifest);
            assert!(!error.message().contains('\n'), "{error}");
        }
    }
}
