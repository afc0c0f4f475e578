//! A repository in a directory: the OCI image layout (image-spec, "OCI Image Layout Specification").
//!
//! ```text
//! oci-layout            {"imageLayoutVersion":"1.0.0"}
//! index.json            an image index; the tag of an entry is its annotation org.opencontainers.image.ref.name
//! blobs/ALG/ENCODED     blobs and manifests alike
//! .ocireg-….tmp         a file that is being written; it gets its name when it is complete and on the disk
//! ```
//!
//! Nobody ever sees a half-written file. Several processes may write one layout at the same time: blobs are named
//! after their content, and `index.json` is changed under a lock. Other programs do not know of that lock.
//!
//! Symbolic links inside the layout are not followed, so that a layout made by somebody else cannot lead us out of its
//! directory.

mod atomic;
mod blobs;
mod header;
mod index;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::model::{Descriptor, RawManifest, media_type};
use crate::progress::{Phase, Reporter};
use crate::reference::Tag;
use crate::repository::{BlobUpload, ManifestOptions};
use crate::source::{BUFFER, Content};

use atomic::{DirectoryLock, TempFile};
use index::{Entry, IndexFile};

/// An image layout that exists, or that the first upload creates.
#[derive(Clone)]
pub(crate) struct Layout {
    root: Arc<Path>,
}

impl Layout {
    /// Opens the layout in this directory. Nothing is created: the first upload makes a directory that does not exist,
    /// and the files of a layout in one that has none.
    ///
    /// The path is made absolute, so that the layout stays where it is when the process changes its directory.
    ///
    /// Fails with [`InvalidLayout`](crate::ErrorKind::InvalidLayout) when the path is not a directory, or when what stands there under the
    /// names of a layout is not an image layout of version 1.0.0.
    pub(crate) fn open(path: PathBuf) -> Result<Layout> {
        let root = std::path::absolute(&path).map_err(|e| Error::io("cannot use the path", &path, e))?;
        if atomic::is_directory(&root)? {
            header::exists(&root)?;
            IndexFile::read(&root)?;
        }
        Ok(Layout { root: root.into() })
    }

    /// Writes a blob, unless it is there. The source is read once, and hashed while it goes into a temporary file.
    ///
    /// With a known digest, and a blob of that digest and size in the layout, the source is not read. A blob of
    /// another size is a damaged one and is replaced.
    pub(crate) fn upload_blob(&self, upload: BlobUpload<'_>) -> Result<Descriptor> {
        let BlobUpload { mut content, known, algorithm, mut reporter, .. } = upload;
        let (digest, size, received) = match known {
            Some((digest, size)) => {
                if blobs::size_of(&self.root, &digest)? == Some(size) {
                    return Ok(Descriptor::new(media_type::OCTET_STREAM, digest, size));
                }
                content.expect(&digest, size)?;
                reporter.set_digest(&digest);
                let received = self.receive(&mut content, &mut reporter, |_| ())?;
                (digest, size, received)
            }
            None => {
                let (mut hasher, mut size) = (Hasher::new(algorithm), 0);
                let received = self.receive(&mut content, &mut reporter, |piece| {
                    hasher.update(piece);
                    size += piece.len() as u64;
                })?;
                (hasher.finish(), size, received)
            }
        };
        if blobs::size_of(&self.root, &digest)? != Some(size) {
            let file = match received {
                Received::OnDisk(file) => file,
                Received::InMemory(bytes) => self.write_temporary(&bytes)?,
            };
            file.keep_as(&blobs::path_for_writing(&self.root, &digest)?)?;
        }
        Ok(Descriptor::new(media_type::OCTET_STREAM, digest, size))
    }

    /// Whether the layout has a blob with this digest.
    pub(crate) fn blob_exists(&self, digest: &Digest) -> Result<bool> {
        Ok(blobs::size_of(&self.root, digest)?.is_some())
    }

    /// Writes a manifest and lists it in `index.json`: one entry a tag, or one without a name when there is no tag and
    /// the manifest is not listed yet. [`IndexFile::list`] says what becomes of entries that had the tags.
    ///
    /// As at a registry, everything that the manifest lists must be there ([`NotFound`](crate::ErrorKind::NotFound) otherwise), except
    /// its subject and what is fetched from elsewhere. With `keep_existing_tags`, tags are looked at and set under one
    /// lock: no other process that uses this library comes in between.
    pub(crate) fn upload_manifest(
        &self,
        manifest: &RawManifest,
        tags: &[Tag],
        options: ManifestOptions,
    ) -> Result<Descriptor> {
        blobs::check_listed(&self.root, manifest)?;
        let descriptor = manifest.descriptor();
        let entry = Entry::of(&descriptor)?;
        self.create()?;

        let _lock = DirectoryLock::acquire(&self.root)?;
        let mut index = IndexFile::read(&self.root)?.unwrap_or_default();
        if options.keep_existing_tags {
            index.check_tags(&entry, tags)?;
        }
        atomic::remove_left_overs(&self.root);
        if blobs::size_of(&self.root, descriptor.digest())? != Some(descriptor.size()) {
            let target = blobs::path_for_writing(&self.root, descriptor.digest())?;
            self.write_temporary(manifest.bytes())?.keep_as(&target)?;
        }
        if index.list(&entry, tags) {
            index.write(&self.root)?;
        }
        Ok(descriptor)
    }

    /// Reads the content to its end. What fits one buffer stays in memory, so that a small blob that is wrong, or
    /// there already, causes no writing.
    fn receive(
        &self,
        content: &mut Content<'_>,
        reporter: &mut Reporter<'_>,
        mut each_piece: impl FnMut(&[u8]),
    ) -> Result<Received> {
        reporter.set_total(content.size());
        reporter.begin(Phase::Uploading)?;
        let mut buffer = vec![0; BUFFER];
        let mut filled = fill(content, &mut buffer, reporter)?;
        each_piece(&buffer[..filled]);
        if filled < buffer.len() {
            buffer.truncate(filled);
            return Ok(Received::InMemory(buffer));
        }
        let mut file = self.new_temporary()?;
        loop {
            file.write(&buffer[..filled])?;
            if filled < buffer.len() {
                return Ok(Received::OnDisk(file));
            }
            filled = fill(content, &mut buffer, reporter)?;
            each_piece(&buffer[..filled]);
        }
    }

    fn write_temporary(&self, bytes: &[u8]) -> Result<TempFile> {
        let mut file = self.new_temporary()?;
        file.write(bytes)?;
        Ok(file)
    }

    fn new_temporary(&self) -> Result<TempFile> {
        self.create()?;
        TempFile::create(&self.root)
    }

    /// Makes what a layout has and this directory lacks.
    fn create(&self) -> Result<()> {
        atomic::create_directories(&self.root)?;
        blobs::create_directory(&self.root)?;
        if header::exists(&self.root)? && IndexFile::exists(&self.root)? {
            return Ok(());
        }
        let _lock = DirectoryLock::acquire(&self.root)?;
        if !header::exists(&self.root)? {
            header::write(&self.root)?;
        }
        if !IndexFile::exists(&self.root)? {
            IndexFile::default().write(&self.root)?;
        }
        Ok(())
    }
}

/// Content that has been read to its end and waits for its name.
enum Received {
    InMemory(Vec<u8>),
    OnDisk(TempFile),
}

/// Fills the buffer as far as the content goes, and reports each piece when it comes: a slow reader can be ended while
/// the buffer is being filled.
fn fill(content: &mut Content<'_>, buffer: &mut [u8], reporter: &mut Reporter<'_>) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        let n = content.read(&mut buffer[filled..]).map_err(Content::take_error)?;
        if n == 0 {
            reporter.end()?;
            break;
        }
        reporter.advance(n as u64)?;
        filled += n;
    }
    Ok(filled)
}
