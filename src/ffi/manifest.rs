//! Manifests: a config and layers, and what they are.

use std::ffi::{CStr, CString, c_char};

use crate::ffi::argument::{bytes, c_pointer, free, handle, object, optional_output, text};
use crate::ffi::bytes::ocireg_bytes;
use crate::ffi::descriptor::ocireg_descriptor;
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Slot, guard, guard_or};
use crate::ffi::status::ocireg_status;
use crate::ffi::texts::{Common, Speak, Spoken};
use crate::model::{Descriptor, Manifest, ToManifest};

/// A manifest: a config and layers, and what they are (image-spec 1.1, "OCI Image Manifest Specification"). Freed with
/// ocireg_manifest_free.
///
/// What is built here is written as the same compact JSON every time, always with its `mediaType`. One that was read by
/// ocireg_manifest_from_bytes keeps its exact bytes until it is changed, and members that are not known here even then.
/// Every setter takes a manifest that must not be NULL, and copies what it is given.
pub struct ocireg_manifest {
    state: Slot<Spoken<Manifest, Common>>,
}

impl Speak for Manifest {
    type Texts = Common;

    fn texts(&self) -> Common {
        Common::new(self.media_type(), self.artifact_type(), self.annotations())
    }

    fn placeholder() -> Manifest {
        Manifest::new(Descriptor::empty())
    }
}

impl ocireg_manifest {
    fn new(manifest: Manifest) -> ocireg_manifest {
        ocireg_manifest { state: Slot::holding(manifest) }
    }

    pub(super) fn copy(&self) -> Result<Manifest, Failure> {
        self.state.copy()
    }
}

/// A text of the manifest; NULL where there is none, and for NULL.
unsafe fn say(
    manifest: *const ocireg_manifest,
    say: impl FnOnce(&Common) -> Option<&CString>,
) -> *const c_char {
    // SAFETY: NULL or a manifest of this library.
    let Some(manifest) = (unsafe { manifest.as_ref() }) else { return std::ptr::null() };
    manifest.state.say(std::ptr::null(), |texts| c_pointer(say(texts)))
}

/// A manifest with this config and no layers yet.
///
/// - `config`: copied; must not be NULL.
/// - `out`: gets the manifest, to be freed with ocireg_manifest_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_new(
    config: *const ocireg_descriptor,
    out: *mut *mut ocireg_manifest,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            out.give(ocireg_manifest::new(Manifest::new(object(config, "config")?.copy()?)));
            Ok(())
        })
    }
}

/// An artifact of this type that has no config: the empty descriptor stands in its place. When no layer is added, it is
/// also the only layer (image-spec, "Guidelines for Artifact Usage").
///
/// - `artifact_type`: a media type of your own, such as "application/vnd.example.sbom"; must not be NULL. It is checked
///   when the manifest is uploaded.
/// - `out`: gets the manifest, to be freed with ocireg_manifest_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_new_artifact(
    artifact_type: *const c_char,
    out: *mut *mut ocireg_manifest,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            out.give(ocireg_manifest::new(Manifest::artifact(text(artifact_type, "artifact_type")?)));
            Ok(())
        })
    }
}

/// A copy, to be freed with ocireg_manifest_free. NULL for NULL, and for a manifest that is being changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_clone(manifest: *const ocireg_manifest) -> *mut ocireg_manifest {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null_mut(), || {
            let copy = manifest.as_ref().and_then(|manifest| manifest.copy().ok());
            copy.map_or(std::ptr::null_mut(), |copy| Box::into_raw(Box::new(ocireg_manifest::new(copy))))
        })
    }
}

/// Reads a manifest that was received; its exact bytes are kept. Docker's image manifests have the same form and are read too.
///
/// - `data`, `len`: one JSON object; used during the call only.
/// - `out`: gets the manifest, to be freed with ocireg_manifest_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` when it is larger than 4 MiB or not a manifest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_from_bytes(
    data: *const u8,
    len: usize,
    out: *mut *mut ocireg_manifest,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            out.give(ocireg_manifest::new(Manifest::from_bytes(bytes(data, len, "data")?)?));
            Ok(())
        })
    }
}

/// The exact bytes that are uploaded: compact JSON, or what a manifest was read from.
///
/// - `manifest`: must not be NULL.
/// - `out`: gets the bytes, to be freed with ocireg_bytes_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` when what was built is not a manifest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_to_bytes(
    manifest: *const ocireg_manifest,
    out: *mut *mut ocireg_bytes,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let raw = object(manifest, "manifest")?.state.read()?.value.to_manifest()?;
            out.give(ocireg_bytes::new(raw.bytes().to_vec()));
            Ok(())
        })
    }
}

/// A descriptor that points at the manifest, as uploading it gives; nothing is uploaded.
///
/// - `manifest`: must not be NULL.
/// - `out`: gets the descriptor, to be freed with ocireg_descriptor_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` when what was built is not a manifest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_descriptor(
    manifest: *const ocireg_manifest,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let raw = object(manifest, "manifest")?.state.read()?.value.to_manifest()?;
            out.give(ocireg_descriptor::new(raw.descriptor()));
            Ok(())
        })
    }
}

/// Adds a layer after those that are there.
///
/// - `layer`: copied; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_add_layer(
    manifest: *mut ocireg_manifest,
    layer: *const ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let layer = object(layer, "layer")?.copy()?;
            object(manifest, "manifest")?.state.change(|manifest| manifest.layer(layer))
        })
    }
}

/// The manifest that this one refers to: this becomes one of its referrers.
///
/// - `subject`: copied; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_set_subject(
    manifest: *mut ocireg_manifest,
    subject: *const ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let subject = object(subject, "subject")?.copy()?;
            object(manifest, "manifest")?.state.change(|manifest| manifest.with_subject(subject))
        })
    }
}

/// Adds an annotation, or replaces the one with this key.
///
/// - `key`, `value`: must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_set_annotation(
    manifest: *mut ocireg_manifest,
    key: *const c_char,
    value: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let key = text(key, "key")?;
            let value = text(value, "value")?;
            object(manifest, "manifest")?.state.change(|manifest| manifest.with_annotation(key, value))
        })
    }
}

/// The type of the artifact.
///
/// - `artifact_type`: a media type; must not be NULL. It is checked when the manifest is uploaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_set_artifact_type(
    manifest: *mut ocireg_manifest,
    artifact_type: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let artifact_type = text(artifact_type, "artifact_type")?;
            object(manifest, "manifest")?.state.change(|manifest| manifest.with_artifact_type(artifact_type))
        })
    }
}

/// The manifest's own media type. Borrowed from `manifest`, until it is changed or freed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_media_type(manifest: *const ocireg_manifest) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(manifest, |texts| Some(&texts.media_type))) }
}

/// The type of the artifact. Borrowed from `manifest`, until it is changed or freed; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_artifact_type(manifest: *const ocireg_manifest) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(manifest, |texts| texts.artifact_type.as_ref())) }
}

/// The config.
///
/// - `manifest`: must not be NULL.
/// - `out`: gets a copy, to be freed with ocireg_descriptor_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_config(
    manifest: *const ocireg_manifest,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let config = object(manifest, "manifest")?.state.read()?.value.config().clone();
            out.give(ocireg_descriptor::new(config));
            Ok(())
        })
    }
}

/// How many layers there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_layer_count(manifest: *const ocireg_manifest) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(0, || {
            let Some(manifest) = manifest.as_ref() else { return 0 };
            manifest.state.read().map_or(0, |spoken| spoken.value.layers().len())
        })
    }
}

/// One layer.
///
/// - `manifest`: must not be NULL.
/// - `position`: from 0; `OCIREG_E_INVALID_ARGUMENT` when there is no layer there.
/// - `out`: gets a copy, to be freed with ocireg_descriptor_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_layer(
    manifest: *const ocireg_manifest,
    position: usize,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let manifest = object(manifest, "manifest")?.state.read()?;
            let layers = manifest.value.layers();
            let Some(layer) = layers.get(position) else {
                let message = format!("is {position}, but there are {} layers", layers.len());
                return Err(Failure::argument("position", message));
            };
            out.give(ocireg_descriptor::new(layer.clone()));
            Ok(())
        })
    }
}

/// The manifest that this one refers to.
///
/// - `manifest`: must not be NULL.
/// - `out`: gets a copy, to be freed with ocireg_descriptor_free, or NULL when there is none; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_subject(
    manifest: *const ocireg_manifest,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            if let Some(subject) = object(manifest, "manifest")?.state.read()?.value.subject() {
                out.give(ocireg_descriptor::new(subject.clone()));
            }
            Ok(())
        })
    }
}

/// The value of an annotation. Borrowed from `manifest`, until it is changed or freed; NULL when there is none.
///
/// - `key`: such as `OCIREG_ANNOTATION_CREATED`; NULL finds nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_annotation(
    manifest: *const ocireg_manifest,
    key: *const c_char,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            let Some(manifest) = manifest.as_ref().filter(|_| !key.is_null()) else {
                return std::ptr::null();
            };
            manifest.state.say(std::ptr::null(), |texts| texts.annotation(CStr::from_ptr(key)))
        })
    }
}

/// How many annotations there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_annotation_count(manifest: *const ocireg_manifest) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(0, || {
            let Some(manifest) = manifest.as_ref() else { return 0 };
            manifest.state.say(0, Common::annotation_count)
        })
    }
}

/// Key and value of one annotation, in the order of the keys. False when there is none at `position`.
///
/// - `position`: from 0.
/// - `key`, `value`: get texts borrowed from `manifest`, until it is changed or freed, or NULL; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_annotation_at(
    manifest: *const ocireg_manifest,
    position: usize,
    key: *mut *const c_char,
    value: *mut *const c_char,
) -> bool {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(false, || {
            let key = optional_output(key, std::ptr::null());
            let value = optional_output(value, std::ptr::null());
            let Some(manifest) = manifest.as_ref() else { return false };
            let Some(found) = manifest.state.say(None, |texts| texts.annotation_at(position)) else {
                return false;
            };
            key.put(found.0);
            value.put(found.1);
            true
        })
    }
}

/// Frees a manifest; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_manifest_free(manifest: *mut ocireg_manifest) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(manifest)) }
}
