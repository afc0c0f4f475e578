//! A place that holds blobs and manifests: the verbs that a user calls.

use std::fmt;
use std::ops::ControlFlow;

use crate::digest::{Algorithm, Digest};
use crate::error::Result;
use crate::layout::Layout;
use crate::model::{Descriptor, RawManifest, ToManifest};
use crate::progress::{Callback, Reporter};
pub use crate::progress::{Phase, Progress};
use crate::reference::{Address, Tag};
use crate::registry::Registry;
use crate::source::{Content, Source};

/// For [`Repository::upload_manifest`] when the manifest gets no tag and is found by its digest.
pub const NO_TAGS: [&str; 0] = [];

/// A place that holds blobs and manifests: a repository at a registry, or an OCI image layout in a directory.
///
/// Opened by [`Client::repository`](crate::Client::repository). It may be used from several threads at once; a clone
/// shares everything with the original.
#[derive(Clone)]
pub struct Repository {
    address: Address,
    backend: Backend,
}

#[derive(Clone)]
enum Backend {
    Registry(Registry),
    Layout(Layout),
}

/// One blob to upload, as a backend gets it.
pub(crate) struct BlobUpload<'a> {
    pub(crate) content: Content<'a>,
    /// Given by the caller: not computed, but checked if the content is read.
    pub(crate) known: Option<(Digest, u64)>,
    pub(crate) algorithm: Algorithm,
    /// Name of another repository at the same registry that has the blob.
    pub(crate) mount_from: Option<String>,
    pub(crate) reporter: Reporter<'a>,
}

impl Repository {
    pub(crate) fn at_registry(address: Address, registry: Registry) -> Repository {
        Repository { address, backend: Backend::Registry(registry) }
    }

    pub(crate) fn in_layout(address: Address, layout: Layout) -> Repository {
        Repository { address, backend: Backend::Layout(layout) }
    }

    /// The address that this repository was opened with, in its full form.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Uploads one blob and returns its descriptor, with the media type `application/octet-stream`.
    ///
    /// The blob is there, with this digest, when the call returns. A blob that the repository has already is not sent
    /// again. A new blob costs two requests, one that is there costs one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Source`](crate::ErrorKind::Source), [`Io`](crate::ErrorKind::Io) and
    /// [`SourceChanged`](crate::ErrorKind::SourceChanged) come from the source; everything else from the registry or
    /// the way to it. On an error the registry has no half-written blob, and our upload session has been cancelled;
    /// docker-registry 2 keeps a session whose body broke off until it purges it, whatever a client does.
    pub fn upload_blob<'a>(&self, source: impl Into<Source<'a>>) -> Result<Descriptor> {
        self.upload_blob_with(source, BlobOptions::new())
    }

    /// [`upload_blob`](Repository::upload_blob) with options.
    pub fn upload_blob_with<'a>(
        &self,
        source: impl Into<Source<'a>>,
        options: BlobOptions<'a>,
    ) -> Result<Descriptor> {
        self.upload(source.into(), options).map_err(|error| error.at("upload blob", &self.address))
    }

    fn upload<'a>(&self, source: Source<'a>, options: BlobOptions<'a>) -> Result<Descriptor> {
        if let Some(repository) = &options.mount_from {
            crate::reference::check_repository_name(repository)?;
        }
        if let Some((digest, _)) = &options.known {
            digest.known_algorithm()?;
        }
        let upload = BlobUpload {
            content: Content::open(source)?,
            known: options.known,
            algorithm: options.algorithm,
            mount_from: options.mount_from,
            reporter: Reporter::new(options.progress),
        };
        match &self.backend {
            Backend::Registry(registry) => registry.upload_blob(upload),
            Backend::Layout(layout) => layout.upload_blob(upload),
        }
    }

    /// Whether the repository has a blob with this digest.
    pub fn blob_exists(&self, digest: &Digest) -> Result<bool> {
        match &self.backend {
            Backend::Registry(registry) => registry.blob_exists(digest),
            Backend::Layout(layout) => layout.blob_exists(digest),
        }
        .map_err(|error| error.at("look for blob", format_args!("{}@{digest}", self.address)))
    }

    /// Uploads a manifest or an index, under any number of tags ([`NO_TAGS`] for none), and returns its descriptor.
    ///
    /// Everything that the manifest lists must have been uploaded before, except the empty descriptor, whose blob `{}`
    /// is uploaded here when it is used. One request, however many tags, at a registry that can take them together.
    ///
    /// A tag that exists is moved, unless [`ManifestOptions::keep_existing_tags`] says otherwise or the registry
    /// refuses; where it then points at the same digest, that counts as success.
    ///
    /// # Errors
    ///
    /// [`InvalidManifest`](crate::ErrorKind::InvalidManifest) and
    /// [`InvalidReference`](crate::ErrorKind::InvalidReference) before anything is sent;
    /// [`TagConflict`](crate::ErrorKind::TagConflict) when a tag points at other content and was not moved.
    pub fn upload_manifest<T: AsRef<str>>(
        &self,
        manifest: &(impl ToManifest + ?Sized),
        tags: impl IntoIterator<Item = T>,
    ) -> Result<Descriptor> {
        self.upload_manifest_with(manifest, tags, ManifestOptions::new())
    }

    /// [`upload_manifest`](Repository::upload_manifest) with options.
    pub fn upload_manifest_with<T: AsRef<str>>(
        &self,
        manifest: &(impl ToManifest + ?Sized),
        tags: impl IntoIterator<Item = T>,
        options: ManifestOptions,
    ) -> Result<Descriptor> {
        let mut target = self.address.to_string();
        let result = (|| {
            let mut parsed = Vec::new();
            for tag in tags {
                let tag: Tag = tag.as_ref().parse()?;
                if !parsed.contains(&tag) {
                    parsed.push(tag);
                }
            }
            for (position, tag) in parsed.iter().enumerate() {
                target.push(if position == 0 { ':' } else { ',' });
                target.push_str(tag.as_str());
            }
            let manifest = manifest.to_manifest()?;
            manifest.validate()?;
            self.put_manifest(&manifest, &parsed, options)
        })();
        result.map_err(|error| error.at("upload manifest", target))
    }

    fn put_manifest(
        &self,
        manifest: &RawManifest,
        tags: &[Tag],
        options: ManifestOptions,
    ) -> Result<Descriptor> {
        if manifest.uses_empty_descriptor() {
            self.upload_blob(Descriptor::EMPTY_CONTENT)?;
        }
        match &self.backend {
            Backend::Registry(registry) => registry.upload_manifest(manifest, tags, options),
            Backend::Layout(layout) => layout.upload_manifest(manifest, tags, options),
        }
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What can be said about one blob upload. [`BlobOptions::new`] says nothing.
#[derive(Default)]
pub struct BlobOptions<'a> {
    known: Option<(Digest, u64)>,
    algorithm: Algorithm,
    mount_from: Option<String>,
    progress: Option<Callback<'a>>,
}

impl<'a> BlobOptions<'a> {
    /// The defaults.
    pub fn new() -> BlobOptions<'a> {
        BlobOptions::default()
    }

    /// Digest and size that the caller knows already. The source is then not hashed first; where the repository has
    /// the blob, the source is **not read at all**, and the digest is taken on trust. Where it must be sent, size and
    /// digest are checked while it is read, and a difference is
    /// [`SizeMismatch`](crate::ErrorKind::SizeMismatch) or [`DigestMismatch`](crate::ErrorKind::DigestMismatch).
    pub fn known(mut self, digest: Digest, size: u64) -> BlobOptions<'a> {
        self.known = Some((digest, size));
        self
    }

    /// Algorithm of the digest that is computed; sha256 by default, which every registry takes. A digest given by
    /// [`known`](BlobOptions::known) decides for itself.
    pub fn algorithm(mut self, algorithm: Algorithm) -> BlobOptions<'a> {
        self.algorithm = algorithm;
        self
    }

    /// Name of another repository at the same registry, such as `library/base`, that may have the blob: it is then
    /// mounted from there instead of being sent. Where it cannot be mounted, it is sent. Layouts ignore it.
    pub fn mount_from(mut self, repository: impl Into<String>) -> BlobOptions<'a> {
        self.mount_from = Some(repository.into());
        self
    }

    /// Called on this thread while the blob is hashed and sent, about ten times a second, and at the start and end of
    /// each phase. `ControlFlow::Break(())` ends the upload with [`Aborted`](crate::ErrorKind::Aborted).
    pub fn progress(
        mut self,
        callback: impl FnMut(&Progress<'_>) -> ControlFlow<()> + 'a,
    ) -> BlobOptions<'a> {
        self.progress = Some(Box::new(callback));
        self
    }
}

impl fmt::Debug for BlobOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobOptions")
            .field("known", &self.known)
            .field("algorithm", &self.algorithm)
            .field("mount_from", &self.mount_from)
            .finish_non_exhaustive()
    }
}

/// What can be said about one manifest upload.
#[derive(Debug, Clone, Copy, Default)]
pub struct ManifestOptions {
    pub(crate) keep_existing_tags: bool,
}

impl ManifestOptions {
    /// The defaults.
    pub fn new() -> ManifestOptions {
        ManifestOptions::default()
    }

    /// Never moves a tag that exists: where it points at the same digest that is success, where it points elsewhere
    /// the call ends with [`TagConflict`](crate::ErrorKind::TagConflict) before the manifest is uploaded. Costs one
    /// request a tag. Registries have no way to do this atomically: a tag made by somebody else between the look and
    /// the upload is moved.
    pub fn keep_existing_tags(mut self, keep: bool) -> ManifestOptions {
        self.keep_existing_tags = keep;
        self
    }
}
