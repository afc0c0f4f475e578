//! A repository: the verbs.

use std::cell::Cell;
use std::ffi::{CString, c_char};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::ffi::argument::{bytes, c_text, free, object, optional_output, output, path, text, texts};
use crate::ffi::blob_options::{Settings, ocireg_blob_options};
use crate::ffi::callbacks::{CallbackProgress, ocireg_reader, read_table};
use crate::ffi::descriptor::ocireg_descriptor;
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Poison, guard, guard_or};
use crate::ffi::index::ocireg_index;
use crate::ffi::manifest::ocireg_manifest;
use crate::ffi::manifest_options::ocireg_manifest_options;
use crate::ffi::status::ocireg_status;
use crate::model::{Descriptor, RawManifest, ToManifest};
use crate::repository::{BlobOptions, ManifestOptions, Repository};
use crate::source::Source;

/// A place that holds blobs and manifests: a repository at a registry, or an image layout in a directory. May be used
/// from several threads at once; freed with ocireg_repository_free.
pub struct ocireg_repository {
    repository: Repository,
    address: CString,
    poison: Poison,
}

impl ocireg_repository {
    pub(super) fn new(repository: Repository) -> ocireg_repository {
        let address = c_text(&repository.address().to_string());
        ocireg_repository { repository, address, poison: Poison::default() }
    }

    fn upload_blob(&self, source: Source<'_>, settings: Settings) -> Result<Descriptor, Failure> {
        let _entered = self.poison.enter()?;
        // The callback may free everything but the repository; and what is ours must not be locked while it runs.
        let repository = self.repository.clone();
        let stopped = Cell::new(0);
        let mut options = BlobOptions::new().algorithm(settings.algorithm);
        if let Some((digest, size)) = settings.known {
            options = options.known(digest, size);
        }
        if let Some(name) = settings.mount_from {
            options = options.mount_from(name);
        }
        if let Some(callback) = settings.progress.callback {
            let progress = CallbackProgress { callback, user: settings.progress.user };
            let stopped = &stopped;
            options = options.progress(move |state| progress.report(state, stopped));
        }
        repository.upload_blob_with(source, options).map_err(|error| keep_result(error, stopped.get()).into())
    }

    fn upload_manifest(
        &self,
        manifest: &dyn ToManifest,
        tags: &[&str],
        options: ManifestOptions,
    ) -> Result<Descriptor, Failure> {
        let _entered = self.poison.enter()?;
        Ok(self.repository.upload_manifest_with(manifest, tags, options)?)
    }
}

/// Keeps what the progress callback returned, where nothing more particular is known.
fn keep_result(error: Error, stopped: i32) -> Error {
    if stopped != 0 && error.kind() == ErrorKind::Aborted && error.callback_result().is_none() {
        error.with_callback_result(stopped)
    } else {
        error
    }
}

unsafe fn blob_settings(options: *const ocireg_blob_options) -> Result<Settings, Failure> {
    // SAFETY: NULL or options of this library.
    unsafe { options.as_ref() }.map_or_else(|| Ok(Settings::default()), ocireg_blob_options::settings)
}

unsafe fn manifest_settings(options: *const ocireg_manifest_options) -> Result<ManifestOptions, Failure> {
    // SAFETY: NULL or options of this library.
    unsafe { options.as_ref() }.map_or_else(|| Ok(ManifestOptions::new()), ocireg_manifest_options::options)
}

/// The address that this repository was opened with, in its full form. Borrowed from `repository`; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_repository_address(repository: *const ocireg_repository) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            repository.as_ref().map_or(std::ptr::null(), |repository| repository.address.as_ptr())
        })
    }
}

/// Uploads a blob from memory.
///
/// The blob is in the repository, with the digest in the descriptor, when the call returns. One that is there already
/// is not sent again: a new blob costs two requests, one that is there costs one.
///
/// - `repository`: must not be NULL.
/// - `data`, `len`: the bytes; (NULL, 0) is the empty blob. Used during the call only.
/// - `options`: NULL for the defaults.
/// - `out`: gets the descriptor, with the media type "application/octet-stream", to be freed with
///   ocireg_descriptor_free; NULL when it is not wanted.
/// - `err`: gets the error; may be NULL.
///
/// Statuses that come from the network and the registry: `OCIREG_E_DNS` to `OCIREG_E_LIMIT_EXCEEDED` and
/// `OCIREG_E_TIMEOUT`; ocireg_error_is_retryable tells whether trying again can help. On an error the registry has no
/// half-written blob and no open session of this call.
///
/// ```c
/// const char text[] = "Sample config";
/// ocireg_descriptor *config;
/// if (ocireg_repository_upload_blob(repository, (const uint8_t *)text, strlen(text), NULL, &config, &err)
///     == OCIREG_OK) {
///     puts(ocireg_descriptor_digest(config));
///     ocireg_descriptor_free(config);
/// }
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_repository_upload_blob(
    repository: *const ocireg_repository,
    data: *const u8,
    len: usize,
    options: *const ocireg_blob_options,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = optional_output(out, std::ptr::null_mut());
            let repository = object(repository, "repository")?;
            let source = Source::bytes(bytes(data, len, "data")?);
            out.give(ocireg_descriptor::new(repository.upload_blob(source, blob_settings(options)?)?));
            Ok(())
        })
    }
}

/// Uploads a blob from a file; otherwise as ocireg_repository_upload_blob.
///
/// - `path`: a file, which is read twice, or a pipe, which is read once; must not be NULL.
///
/// `OCIREG_E_IO` when it cannot be read or is a directory, `OCIREG_E_SOURCE_CHANGED` when the file changes while it is
/// uploaded.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_repository_upload_blob_file(
    repository: *const ocireg_repository,
    path: *const c_char,
    options: *const ocireg_blob_options,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = optional_output(out, std::ptr::null_mut());
            let repository = object(repository, "repository")?;
            let source = Source::file(self::path(path, "path")?);
            out.give(ocireg_descriptor::new(repository.upload_blob(source, blob_settings(options)?)?));
            Ok(())
        })
    }
}

/// Uploads a blob from callbacks; otherwise as ocireg_repository_upload_blob.
///
/// - `reader`: copied; must not be NULL. Its callbacks are called during this call only. A reader that cannot seek is
///   read once, whether its size is known or not, and held in memory one chunk at a time.
///
/// `OCIREG_E_ABORTED` when a callback returns anything but 0, `OCIREG_E_SOURCE` when one breaks its contract,
/// `OCIREG_E_SIZE_MISMATCH` when the reader ends before or after its size.
///
/// ```c
/// static int32_t read_stream(void *user, uint8_t *buffer, size_t capacity, size_t *out_n)
/// {
///     *out_n = fread(buffer, 1, capacity, user);
///     return ferror((FILE *)user) ? -1 : 0;
/// }
///
/// ocireg_reader reader = OCIREG_READER_INIT;
/// reader.user = stdin;
/// reader.read = read_stream;
/// status = ocireg_repository_upload_blob_reader(repository, &reader, NULL, &layer, &err);
/// ```
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_repository_upload_blob_reader(
    repository: *const ocireg_repository,
    reader: *const ocireg_reader,
    options: *const ocireg_blob_options,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = optional_output(out, std::ptr::null_mut());
            let repository = object(repository, "repository")?;
            let source = read_table(reader)?.source();
            out.give(ocireg_descriptor::new(repository.upload_blob(source, blob_settings(options)?)?));
            Ok(())
        })
    }
}

/// Whether the repository has a blob.
///
/// - `repository`: must not be NULL.
/// - `digest`: must not be NULL; `OCIREG_E_INVALID_DIGEST` when it is not one.
/// - `out`: gets the answer; false on an error. Must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_repository_blob_exists(
    repository: *const ocireg_repository,
    digest: *const c_char,
    out: *mut bool,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = output(out, false, "out")?;
            let repository = object(repository, "repository")?;
            let digest = Digest::parse(text(digest, "digest")?)?;
            let _entered = repository.poison.enter()?;
            out.put(repository.repository.blob_exists(&digest)?);
            Ok(())
        })
    }
}

/// Uploads a manifest, under any number of tags.
///
/// Everything that the manifest lists must have been uploaded before, except the empty descriptor, whose blob is
/// uploaded here. One request, however many tags, at a registry that can take them together. A tag that exists is
/// moved, unless the options say otherwise or the registry refuses.
///
/// - `repository`, `manifest`: must not be NULL.
/// - `tags`, `tag_count`: (NULL, 0) uploads it by its digest alone.
/// - `options`: NULL for the defaults.
/// - `out`: gets the descriptor of the manifest, to be freed with ocireg_descriptor_free; NULL when it is not wanted.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` and `OCIREG_E_INVALID_REFERENCE` before anything is sent; `OCIREG_E_TAG_CONFLICT` when a
/// tag points at other content and was not moved; and those of ocireg_repository_upload_blob.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_repository_upload_manifest(
    repository: *const ocireg_repository,
    manifest: *const ocireg_manifest,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const ocireg_manifest_options,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = optional_output(out, std::ptr::null_mut());
            let repository = object(repository, "repository")?;
            let manifest = object(manifest, "manifest")?.copy()?;
            let tags = texts(tags, tag_count, "tags")?;
            let uploaded = repository.upload_manifest(&manifest, &tags, manifest_settings(options)?)?;
            out.give(ocireg_descriptor::new(uploaded));
            Ok(())
        })
    }
}

/// Uploads an index, under any number of tags; otherwise as ocireg_repository_upload_manifest.
///
/// - `index`: must not be NULL.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_repository_upload_index(
    repository: *const ocireg_repository,
    index: *const ocireg_index,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const ocireg_manifest_options,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = optional_output(out, std::ptr::null_mut());
            let repository = object(repository, "repository")?;
            let index = object(index, "index")?.copy()?;
            let tags = texts(tags, tag_count, "tags")?;
            let uploaded = repository.upload_manifest(&index, &tags, manifest_settings(options)?)?;
            out.give(ocireg_descriptor::new(uploaded));
            Ok(())
        })
    }
}

/// Uploads a manifest of any type as the exact bytes given; otherwise as ocireg_repository_upload_manifest.
///
/// - `media_type`: sent as the type of the manifest; must not be NULL.
/// - `data`, `len`: the manifest; used during the call only.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn ocireg_repository_upload_manifest_bytes(
    repository: *const ocireg_repository,
    media_type: *const c_char,
    data: *const u8,
    len: usize,
    tags: *const *const c_char,
    tag_count: usize,
    options: *const ocireg_manifest_options,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = optional_output(out, std::ptr::null_mut());
            let repository = object(repository, "repository")?;
            let manifest = RawManifest::new(text(media_type, "media_type")?, bytes(data, len, "data")?);
            let tags = texts(tags, tag_count, "tags")?;
            let uploaded = repository.upload_manifest(&manifest, &tags, manifest_settings(options)?)?;
            out.give(ocireg_descriptor::new(uploaded));
            Ok(())
        })
    }
}

/// Frees a repository; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_repository_free(repository: *mut ocireg_repository) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(repository)) }
}
