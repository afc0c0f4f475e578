//! The files under `blobs/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Descriptor, RawManifest};

use super::atomic;

const DIRECTORY: &str = "blobs";

/// Size in bytes of the blob with this digest; `None` when there is none. What has its name and is not a file, such
/// as a symbolic link, is not a blob.
pub(super) fn size_of(root: &Path, digest: &Digest) -> Result<Option<u64>> {
    let blobs = root.join(DIRECTORY);
    let directory = blobs.join(digest.algorithm());
    if !is_own_directory(&blobs)? || !is_own_directory(&directory)? {
        return Ok(None);
    }
    let path = directory.join(digest.encoded());
    match fs::symlink_metadata(&path) {
        Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("cannot look at", &path, error)),
    }
}

/// Makes `blobs/`, which a layout has even when it is empty.
pub(super) fn create_directory(root: &Path) -> Result<()> {
    create_own_directory(&root.join(DIRECTORY))
}

/// Where the blob with this digest is to be written. Its directory is made; what stands there is replaced by a
/// rename, except a directory.
pub(super) fn path_for_writing(root: &Path, digest: &Digest) -> Result<PathBuf> {
    let directory = root.join(DIRECTORY).join(digest.algorithm());
    create_own_directory(&directory)?;
    let path = directory.join(digest.encoded());
    if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
        return Err(atomic::invalid(&path, "is a directory, not a blob"));
    }
    Ok(path)
}

/// That everything is there which this manifest or index lists, with the size that it says.
pub(super) fn check_listed(root: &Path, manifest: &RawManifest) -> Result<()> {
    // A manifest of a known type has been checked. What members of these names are in another type is not known.
    let Ok(listed) = serde_json::from_slice::<Listed>(manifest.bytes()) else { return Ok(()) };
    let lists = [listed.layers, listed.manifests, listed.blobs].into_iter().flatten().flatten();
    for descriptor in listed.config.into_iter().chain(lists).filter(|descriptor| !is_elsewhere(descriptor)) {
        let (digest, size) = (descriptor.digest(), descriptor.size());
        match size_of(root, digest)? {
            Some(actual) if actual == size => {}
            Some(actual) => {
                let message = format!(
                    "the manifest gives {digest} a size of {size} bytes, but the layout has {actual}"
                );
                return Err(Error::new(ErrorKind::SizeMismatch, message));
            }
            None => {
                let message =
                    format!("the manifest lists {digest}, which is not in the layout: upload it first");
                return Err(Error::new(ErrorKind::NotFound, message));
            }
        }
    }
    Ok(())
}

/// What must be there before a manifest or an index is uploaded. The subject need not (distribution-spec, "Pushing
/// Manifests with Subject").
#[derive(Deserialize)]
struct Listed {
    config: Option<Descriptor>,
    // Each may also be null: some programs write that for an empty list.
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    blobs: Option<Vec<Descriptor>>,
}

/// Whether this content need not be where its manifest is: it is fetched from a URL, or is not to be distributed.
fn is_elsewhere(descriptor: &Descriptor) -> bool {
    let media_type = descriptor.media_type();
    !descriptor.urls().is_empty()
        || media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.foreign.")
}

/// Whether this directory is there. A link in its place would lead out of the layout.
fn is_own_directory(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(true),
        Ok(metadata) if metadata.is_symlink() => {
            Err(atomic::invalid(path, "is a symbolic link, which is not followed"))
        }
        Ok(_) => Err(atomic::invalid(path, "is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("cannot look at", path, error)),
    }
}

fn create_own_directory(path: &Path) -> Result<()> {
    if !is_own_directory(path)? {
        atomic::create_directory(path)?;
    }
    Ok(())
}
