//! Descriptors: how a manifest points at content.

use std::ffi::{CStr, CString, c_char};

use crate::digest::Digest;
use crate::ffi::argument::{
    bytes, c_pointer, c_text, free, handle, object, optional_output, optional_text, text, texts,
};
use crate::ffi::bytes::ocireg_bytes;
use crate::ffi::error::ocireg_error;
use crate::ffi::guard::{Failure, Slot, guard, guard_or};
use crate::ffi::status::ocireg_status;
use crate::ffi::texts::{Common, Speak, Spoken};
use crate::model::{Descriptor, Platform};

/// Points at content: its media type, digest and size, and what else is known about it (image-spec, "OCI Content
/// Descriptors"). An object of its own, whatever it was made from; freed with ocireg_descriptor_free.
///
/// Every setter takes a descriptor that must not be NULL, and copies what it is given.
pub struct ocireg_descriptor {
    state: Slot<Spoken<Descriptor, Texts>>,
}

pub(super) struct Texts {
    common: Common,
    digest: CString,
    urls: Vec<CString>,
    platform: Option<PlatformTexts>,
}

struct PlatformTexts {
    os: CString,
    architecture: CString,
    variant: Option<CString>,
    os_version: Option<CString>,
    os_features: Vec<CString>,
}

impl Speak for Descriptor {
    type Texts = Texts;

    fn texts(&self) -> Texts {
        Texts {
            common: Common::new(self.media_type(), self.artifact_type(), self.annotations()),
            digest: c_text(self.digest().as_str()),
            urls: c_texts(self.urls()),
            platform: self.platform().map(|platform| PlatformTexts {
                os: c_text(platform.os()),
                architecture: c_text(platform.architecture()),
                variant: platform.variant().map(c_text),
                os_version: platform.os_version().map(c_text),
                os_features: c_texts(platform.os_features()),
            }),
        }
    }

    fn placeholder() -> Descriptor {
        Descriptor::empty()
    }
}

fn c_texts(texts: &[String]) -> Vec<CString> {
    texts.iter().map(|text| c_text(text)).collect()
}

impl ocireg_descriptor {
    pub(super) fn new(descriptor: Descriptor) -> ocireg_descriptor {
        ocireg_descriptor { state: Slot::holding(descriptor) }
    }

    pub(super) fn copy(&self) -> Result<Descriptor, Failure> {
        self.state.copy()
    }
}

/// A text of the descriptor; NULL where there is none, and for NULL.
unsafe fn say(
    descriptor: *const ocireg_descriptor,
    say: impl FnOnce(&Texts) -> Option<&CString>,
) -> *const c_char {
    // SAFETY: NULL or a descriptor of this library.
    let Some(descriptor) = (unsafe { descriptor.as_ref() }) else { return std::ptr::null() };
    descriptor.state.say(std::ptr::null(), |texts| c_pointer(say(texts)))
}

/// A text of the descriptor's platform.
unsafe fn say_platform(
    descriptor: *const ocireg_descriptor,
    part: impl FnOnce(&PlatformTexts) -> Option<&CString>,
) -> *const c_char {
    // SAFETY: as for this function.
    unsafe { say(descriptor, |texts| texts.platform.as_ref().and_then(part)) }
}

/// A number of the descriptor; 0 for NULL.
unsafe fn count(descriptor: *const ocireg_descriptor, count: impl FnOnce(&Texts) -> usize) -> usize {
    // SAFETY: NULL or a descriptor of this library.
    unsafe { descriptor.as_ref() }.map_or(0, |descriptor| descriptor.state.say(0, count))
}

/// A descriptor of content with this media type, digest and size in bytes.
///
/// - `media_type`: such as `OCIREG_MEDIA_TYPE_IMAGE_LAYER`; must not be NULL. It is checked when a manifest with the
///   descriptor is uploaded.
/// - `digest`: such as "sha256:44136f..."; must not be NULL. `OCIREG_E_INVALID_DIGEST` when it is not one.
/// - `out`: gets the descriptor, to be freed with ocireg_descriptor_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_new(
    media_type: *const c_char,
    digest: *const c_char,
    size: u64,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let media_type = text(media_type, "media_type")?;
            let digest = Digest::parse(text(digest, "digest")?)?;
            out.give(ocireg_descriptor::new(Descriptor::new(media_type, digest, size)));
            Ok(())
        })
    }
}

/// The empty descriptor, which stands where a manifest needs one and there is nothing to point at (image-spec,
/// "Guidance for an Empty Descriptor"), to be freed with ocireg_descriptor_free. Its blob "{}" is uploaded with the
/// manifest that uses it.
#[unsafe(no_mangle)]
pub extern "C" fn ocireg_descriptor_empty() -> *mut ocireg_descriptor {
    guard_or(std::ptr::null_mut(), || Box::into_raw(Box::new(ocireg_descriptor::new(Descriptor::empty()))))
}

/// A copy, to be freed with ocireg_descriptor_free. NULL for NULL, and for a descriptor that is being changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_clone(
    descriptor: *const ocireg_descriptor,
) -> *mut ocireg_descriptor {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null_mut(), || {
            let copy = descriptor.as_ref().and_then(|descriptor| descriptor.copy().ok());
            copy.map_or(std::ptr::null_mut(), |copy| Box::into_raw(Box::new(ocireg_descriptor::new(copy))))
        })
    }
}

/// Reads a descriptor from JSON. Members that are not known here are kept, and written again.
///
/// - `data`, `len`: one JSON object; used during the call only.
/// - `out`: gets the descriptor, to be freed with ocireg_descriptor_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
///
/// `OCIREG_E_INVALID_MANIFEST` when it is not a descriptor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_from_json(
    data: *const u8,
    len: usize,
    out: *mut *mut ocireg_descriptor,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            out.give(ocireg_descriptor::new(Descriptor::from_json(bytes(data, len, "data")?)?));
            Ok(())
        })
    }
}

/// The descriptor as compact JSON, the same every time.
///
/// - `descriptor`: must not be NULL.
/// - `out`: gets the JSON, to be freed with ocireg_bytes_free; must not be NULL.
/// - `err`: gets the error; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_to_json(
    descriptor: *const ocireg_descriptor,
    out: *mut *mut ocireg_bytes,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let out = handle(out, "out")?;
            let json = object(descriptor, "descriptor")?.state.read()?.value.to_json();
            out.give(ocireg_bytes::new(json.into()));
            Ok(())
        })
    }
}

/// The media type; "" when a received document leaves it out. Borrowed from `descriptor`, until it is changed or freed;
/// NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_media_type(descriptor: *const ocireg_descriptor) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(descriptor, |texts| Some(&texts.common.media_type))) }
}

/// The digest of the content. Borrowed from `descriptor`, until it is changed or freed; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_digest(descriptor: *const ocireg_descriptor) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(descriptor, |texts| Some(&texts.digest))) }
}

/// The size of the content in bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_size(descriptor: *const ocireg_descriptor) -> u64 {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(0, || {
            let Some(descriptor) = descriptor.as_ref() else { return 0 };
            descriptor.state.read().map_or(0, |spoken| spoken.value.size())
        })
    }
}

/// The type of the artifact, when the content is a manifest. Borrowed from `descriptor`, until it is changed or freed;
/// NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_artifact_type(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(descriptor, |texts| texts.common.artifact_type.as_ref())) }
}

/// The value of an annotation. Borrowed from `descriptor`, until it is changed or freed; NULL when there is none.
///
/// - `key`: such as `OCIREG_ANNOTATION_TITLE`; NULL finds nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_annotation(
    descriptor: *const ocireg_descriptor,
    key: *const c_char,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            let Some(descriptor) = descriptor.as_ref().filter(|_| !key.is_null()) else {
                return std::ptr::null();
            };
            descriptor.state.say(std::ptr::null(), |texts| texts.common.annotation(CStr::from_ptr(key)))
        })
    }
}

/// How many annotations there are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_annotation_count(descriptor: *const ocireg_descriptor) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || count(descriptor, |texts| texts.common.annotation_count())) }
}

/// Key and value of one annotation, in the order of the keys. False when there is none at `position`.
///
/// - `position`: from 0.
/// - `key`, `value`: get texts borrowed from `descriptor`, until it is changed or freed, or NULL; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_annotation_at(
    descriptor: *const ocireg_descriptor,
    position: usize,
    key: *mut *const c_char,
    value: *mut *const c_char,
) -> bool {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(false, || {
            let key = optional_output(key, std::ptr::null());
            let value = optional_output(value, std::ptr::null());
            let Some(descriptor) = descriptor.as_ref() else { return false };
            let Some(found) = descriptor.state.say(None, |texts| texts.common.annotation_at(position)) else {
                return false;
            };
            key.put(found.0);
            value.put(found.1);
            true
        })
    }
}

/// How many other places the content can be downloaded from; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_url_count(descriptor: *const ocireg_descriptor) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(0, || count(descriptor, |texts| texts.urls.len())) }
}

/// One other place where the content can be downloaded. Borrowed from `descriptor`, until it is changed or freed; NULL when
/// there is none at `position`, which counts from 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_url(
    descriptor: *const ocireg_descriptor,
    position: usize,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say(descriptor, |texts| texts.urls.get(position))) }
}

/// The content itself, where the descriptor carries it. Borrowed from `descriptor`, until it is changed or freed; NULL
/// when it does not. Not verified for a received descriptor.
///
/// - `out_len`: gets the number of bytes, or 0; may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_data(
    descriptor: *const ocireg_descriptor,
    out_len: *mut usize,
) -> *const u8 {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || {
            let out_len = optional_output(out_len, 0);
            let Some(descriptor) = descriptor.as_ref() else { return std::ptr::null() };
            let Ok(spoken) = descriptor.state.read() else { return std::ptr::null() };
            let Some(data) = spoken.value.data() else { return std::ptr::null() };
            out_len.put(data.len());
            data.as_ptr()
        })
    }
}

/// The operating system that the content runs on, such as "linux"; "" when the platform leaves it out. Borrowed from
/// `descriptor`, until it is changed or freed; NULL when there is no platform.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_platform_os(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say_platform(descriptor, |platform| Some(&platform.os))) }
}

/// The architecture that the content runs on, such as "amd64"; "" when the platform leaves it out. Borrowed from
/// `descriptor`, until it is changed or freed; NULL when there is no platform.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_platform_architecture(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || say_platform(descriptor, |platform| Some(&platform.architecture)))
    }
}

/// The variant of the CPU, such as "v8". Borrowed from `descriptor`, until it is changed or freed; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_platform_variant(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or(std::ptr::null(), || say_platform(descriptor, |platform| platform.variant.as_ref())) }
}

/// The version of the operating system. Borrowed from `descriptor`, until it is changed or freed; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_platform_os_version(
    descriptor: *const ocireg_descriptor,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || say_platform(descriptor, |platform| platform.os_version.as_ref()))
    }
}

/// How many features of the operating system are needed; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_platform_os_feature_count(
    descriptor: *const ocireg_descriptor,
) -> usize {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(0, || {
            count(descriptor, |texts| {
                texts.platform.as_ref().map_or(0, |platform| platform.os_features.len())
            })
        })
    }
}

/// One feature of the operating system that is needed. Borrowed from `descriptor`, until it is changed or freed; NULL when
/// there is none at `position`, which counts from 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_platform_os_feature(
    descriptor: *const ocireg_descriptor,
    position: usize,
) -> *const c_char {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard_or(std::ptr::null(), || say_platform(descriptor, |platform| platform.os_features.get(position)))
    }
}

/// The same content under another media type.
///
/// - `media_type`: such as `OCIREG_MEDIA_TYPE_IMAGE_CONFIG`; must not be NULL. It is checked when a manifest with the
///   descriptor is uploaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_set_media_type(
    descriptor: *mut ocireg_descriptor,
    media_type: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let media_type = text(media_type, "media_type")?;
            object(descriptor, "descriptor")?
                .state
                .change(|descriptor| descriptor.with_media_type(media_type))
        })
    }
}

/// Adds an annotation, or replaces the one with this key.
///
/// - `key`, `value`: must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_set_annotation(
    descriptor: *mut ocireg_descriptor,
    key: *const c_char,
    value: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let key = text(key, "key")?;
            let value = text(value, "value")?;
            object(descriptor, "descriptor")?
                .state
                .change(|descriptor| descriptor.with_annotation(key, value))
        })
    }
}

/// The type of the artifact, when the content is a manifest.
///
/// - `artifact_type`: a media type; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_set_artifact_type(
    descriptor: *mut ocireg_descriptor,
    artifact_type: *const c_char,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let artifact_type = text(artifact_type, "artifact_type")?;
            object(descriptor, "descriptor")?
                .state
                .change(|descriptor| descriptor.with_artifact_type(artifact_type))
        })
    }
}

/// What the content runs on; for the entries of an index.
///
/// - `os`, `architecture`: by their Go names, such as "linux" and "amd64"; must not be NULL.
/// - `variant`: of the CPU, such as "v8"; NULL for none.
/// - `os_version`: NULL for none.
/// - `os_features`, `os_feature_count`: features of the operating system that are needed; (NULL, 0) for none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_set_platform(
    descriptor: *mut ocireg_descriptor,
    os: *const c_char,
    architecture: *const c_char,
    variant: *const c_char,
    os_version: *const c_char,
    os_features: *const *const c_char,
    os_feature_count: usize,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let mut platform = Platform::new(text(os, "os")?, text(architecture, "architecture")?);
            if let Some(variant) = optional_text(variant, "variant")? {
                platform = platform.with_variant(variant);
            }
            if let Some(version) = optional_text(os_version, "os_version")? {
                platform = platform.with_os_version(version);
            }
            let features = texts(os_features, os_feature_count, "os_features")?;
            let platform = platform.with_os_features(features);
            object(descriptor, "descriptor")?.state.change(|descriptor| descriptor.with_platform(platform))
        })
    }
}

/// Where else the content can be downloaded; replaces what was there.
///
/// - `urls`, `url_count`: (NULL, 0) for nowhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_set_urls(
    descriptor: *mut ocireg_descriptor,
    urls: *const *const c_char,
    url_count: usize,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let urls = texts(urls, url_count, "urls")?;
            object(descriptor, "descriptor")?.state.change(|descriptor| descriptor.with_urls(urls))
        })
    }
}

/// The content itself, for something small. It must have the size and digest of the descriptor, which is checked when
/// a manifest with the descriptor is uploaded.
///
/// - `data`, `len`: (NULL, 0) is the empty content.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_set_data(
    descriptor: *mut ocireg_descriptor,
    data: *const u8,
    len: usize,
    err: *mut *mut ocireg_error,
) -> ocireg_status {
    // SAFETY: the pointers are as the header asks.
    unsafe {
        guard(err, || {
            let data = bytes(data, len, "data")?;
            object(descriptor, "descriptor")?.state.change(|descriptor| descriptor.with_data(data))
        })
    }
}

/// Frees a descriptor; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ocireg_descriptor_free(descriptor: *mut ocireg_descriptor) {
    // SAFETY: the pointers are as the header asks.
    unsafe { guard_or((), || free(descriptor)) }
}
