//! Indexes: lists of manifests.

use std::ffi::{CStr, CString, c_char};

use crate::ffi::argument::{bytes, c_pointer, free, handle, object, optional_output, text};
use crate::ffi::bytes::ocireg_bytes;
use crate::ffi::descriptor::ocireg_descriptor;
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Slot, guard, guard_or};
use crate::ffi::status::ocireg_status;
use crate::ffi::texts::{Common, Speak, Spoken};
use crate::model::{Index, ToManifest};

/// An index: a list of manifests, such as one for each platform (image-spec 1.1, "OCI Image Index Specification"). Freed
/// with ocireg_index_free.
///
/// What is built here is written as the same compact JSON every time, always with its `mediaType`. One that was read by
/// ocireg_index_from_bytes keeps its exact bytes until it is changed, and members that are not known here even then.
/// Every setter takes an index that must not be NULL, and copies what it is given.
pub struct ocireg_index {
    state: Slot<Spoken<Index, Common>>,
}

impl Speak for Index {
    type Texts = Common;

    fn texts(&self) -> Common {
        Common::new(self.media_type(), self.artifact_type(), self.annotations())
    }

    fn placeholder() -> Index {
        Index::new()
    }
}

impl ocireg_index {
    fn new(index: Index) -> ocireg_index {
        ocireg_index { state: Slot::holding(index) }
    }

    pub(super) fn copy(&self) -> Result<Index, Failure> {
        self.state.copy()
    }
}

/// A text of the index; NULL where there is none, and for NULL.
unsafe fn say(index: *const ocireg_index, say: impl FnOnce(&Common) -> Option<&CString>) -> *const c_char {
    // SAFETY: NULL or an index of this library.
    let Some(index) = (unsafe { index.as_ref() }) else { return std::ptr::null() };
    index.state.say(std::ptr::null(), |texts| c_pointer(say(texts)))
}

/// An index of no manifests, to be freed with ocireg_index_free.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_index_new() -> *mut ocireg_index {
    guard_or(std::ptr::null_mut(), || Box::into_raw(Box::new(ocireg_index::new(Index::new()))))
}

/// A copy, to be freed with ocireg_index_free. NULL for NULL, and for an index that is being changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_clone(index: *const ocireg_index) -> *mut ocireg_index {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null_mut(), || {
            let copy = index.as_ref().and_then(|index| index.copy().ok());
            copy.map_or(std::ptr::null_mut(), |copy| Box::into_raw(Box::new(ocireg_index::new(copy))))
        })
    }
}

/// Reads an index that was received; its exact bytes are kept. Docker's manifest lists have the same form and are read too.
///
/// - `data`, `len`: one JSON object; used during the call only.
/// - `out`: gets the index, to be freed with ocireg_index_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` when it is larger than 4 MiB or not an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_from_bytes(
    data: *const u8,
    len: usize,
    out: *mut *mut ocireg_index,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            out.give(ocireg_index::new(Index::from_bytes(bytes(data, len, "data")?)?));
            Ok(())
        })
    }
}

/// The exact bytes that are uploaded: compact JSON, or what an index was read from.
///
/// - `index`: must not be NULL.
/// - `out`: gets the bytes, to be freed with ocireg_bytes_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` when what was built is not an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_to_bytes(
    index: *const ocireg_index,
    out: *mut *mut ocireg_bytes,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let raw = object(index, "index")?.state.read()?.value.to_manifest()?;
            out.give(ocireg_bytes::new(raw.bytes().to_vec()));
            Ok(())
        })
    }
}

/// A descriptor that points at the index, as uploading it gives; nothing is uploaded.
///
/// - `index`: must not be NULL.
/// - `out`: gets the descriptor, to be freed with ocireg_descriptor_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` when what was built is not an index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_descriptor(
    index: *const ocireg_index,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let raw = object(index, "index")?.state.read()?.value.to_manifest()?;
            out.give(ocireg_descriptor::new(raw.descriptor()));
            Ok(())
        })
    }
}

/// Adds a manifest after those that are there.
///
/// - `manifest`: its descriptor; copied; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_add_manifest(
    index: *mut ocireg_index,
    manifest: *const ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let manifest = object(manifest, "manifest")?.copy()?;
            object(index, "index")?.state.change(|index| index.manifest(manifest))
        })
    }
}

/// The manifest that this index refers to: this becomes one of its referrers.
///
/// - `subject`: copied; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_set_subject(
    index: *mut ocireg_index,
    subject: *const ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let subject = object(subject, "subject")?.copy()?;
            object(index, "index")?.state.change(|index| index.with_subject(subject))
        })
    }
}

/// Adds an annotation, or replaces the one with this key.
///
/// - `key`, `value`: must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_set_annotation(
    index: *mut ocireg_index,
    key: *const c_char,
    value: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let key = text(key, "key")?;
            let value = text(value, "value")?;
            object(index, "index")?.state.change(|index| index.with_annotation(key, value))
        })
    }
}

/// The type of the artifact.
///
/// - `artifact_type`: a media type; must not be NULL. It is checked when the index is uploaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_set_artifact_type(
    index: *mut ocireg_index,
    artifact_type: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let artifact_type = text(artifact_type, "artifact_type")?;
            object(index, "index")?.state.change(|index| index.with_artifact_type(artifact_type))
        })
    }
}

/// The index's own media type. Borrowed from `index`, until it is changed or freed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_media_type(index: *const ocireg_index) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(index, |texts| Some(&texts.media_type))) }
}

/// The type of the artifact. Borrowed from `index`, until it is changed or freed; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_artifact_type(index: *const ocireg_index) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(index, |texts| texts.artifact_type.as_ref())) }
}

/// How many manifests there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_manifest_count(index: *const ocireg_index) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(0, || {
            let Some(index) = index.as_ref() else { return 0 };
            index.state.read().map_or(0, |spoken| spoken.value.manifests().len())
        })
    }
}

/// One manifest of the list.
///
/// - `index`: must not be NULL.
/// - `position`: from 0; `OCIREG_E_INVALID_ARGUMENT` when there is no manifest there.
/// - `out`: gets a copy of its descriptor, to be freed with ocireg_descriptor_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_manifest(
    index: *const ocireg_index,
    position: usize,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let index = object(index, "index")?.state.read()?;
            let manifests = index.value.manifests();
            let Some(manifest) = manifests.get(position) else {
                let message = format!("is {position}, but there are {} manifests", manifests.len());
                return Err(Failure::argument("position", message));
            };
            out.give(ocireg_descriptor::new(manifest.clone()));
            Ok(())
        })
    }
}

/// The manifest that this index refers to.
///
/// - `index`: must not be NULL.
/// - `out`: gets a copy, to be freed with ocireg_descriptor_free, or NULL when there is none; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_subject(
    index: *const ocireg_index,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            if let Some(subject) = object(index, "index")?.state.read()?.value.subject() {
                out.give(ocireg_descriptor::new(subject.clone()));
            }
            Ok(())
        })
    }
}

/// The value of an annotation. Borrowed from `index`, until it is changed or freed; NULL when there is none.
///
/// - `key`: such as `OCIREG_ANNOTATION_CREATED`; NULL finds nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_annotation(
    index: *const ocireg_index,
    key: *const c_char,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            let Some(index) = index.as_ref().filter(|_| !key.is_null()) else { return std::ptr::null() };
            index.state.say(std::ptr::null(), |texts| texts.annotation(CStr::from_ptr(key)))
        })
    }
}

/// How many annotations there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_annotation_count(index: *const ocireg_index) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(0, || {
            let Some(index) = index.as_ref() else { return 0 };
            index.state.say(0, Common::annotation_count)
        })
    }
}

/// Key and value of one annotation, in the order of the keys. False when there is none at `position`.
///
/// - `position`: from 0.
/// - `key`, `value`: get texts borrowed from `index`, until it is changed or freed, or NULL; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_annotation_at(
    index: *const ocireg_index,
    position: usize,
    key: *mut *const c_char,
    value: *mut *const c_char,
) -> bool {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(false, || {
            let key = optional_output(key, std::ptr::null());
            let value = optional_output(value, std::ptr::null());
            let Some(index) = index.as_ref() else { return false };
            let Some(found) = index.state.say(None, |texts| texts.annotation_at(position)) else {
                return false;
            };
            key.put(found.0);
            value.put(found.1);
            true
        })
    }
}

/// Frees an index; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_index_free(index: *mut ocireg_index) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(index)) }
}
