//! Arguments from C, checked: NULL, UTF-8, lengths; and outputs, which are empty until the call has succeeded.
//!
//! Every function here is unsafe for the same reason: the pointers come from a C program, and each must be NULL or what
//! the header says about it, for as long as the call lasts.

use std::ffi::{CStr, CString, c_char};
use std::path::PathBuf;

use crate::ffi::guard::Failure;

/// The object behind a handle.
pub(super) unsafe fn object<'a, T>(pointer: *const T, parameter: &str) -> Result<&'a T, Failure> {
    // SAFETY: NULL or an object of this library, which is not freed during the call.
    unsafe { pointer.as_ref() }.ok_or_else(|| is_null(parameter))
}

/// A text that must be given.
pub(super) unsafe fn text<'a>(pointer: *const c_char, parameter: &str) -> Result<&'a str, Failure> {
    // SAFETY: as for this function.
    unsafe { optional_text(pointer, parameter) }?.ok_or_else(|| is_null(parameter))
}

/// A text, or NULL for none.
pub(super) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    parameter: &str,
) -> Result<Option<&'a str>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: a NUL-terminated text, by the header.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map(Some).map_err(|_| Failure::argument(parameter, "is not UTF-8"))
}

/// A list of texts; (NULL, 0) is the empty one.
pub(super) unsafe fn texts<'a>(
    pointer: *const *const c_char,
    count: usize,
    parameter: &str,
) -> Result<Vec<&'a str>, Failure> {
    if count > 0 && pointer.is_null() {
        return Err(is_null(parameter));
    }
    let mut texts = Vec::new();
    for position in 0..count {
        // SAFETY: `count` pointers are there, by the header.
        let entry = unsafe { *pointer.add(position) };
        // SAFETY: as for this function.
        texts.push(unsafe { text(entry, &format!("{parameter}[{position}]")) }?);
    }
    Ok(texts)
}

/// Bytes; (NULL, 0) is the empty input.
pub(super) unsafe fn bytes<'a>(pointer: *const u8, len: usize, parameter: &str) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Failure::argument(parameter, format_args!("is NULL, with a length of {len}")));
    }
    if isize::try_from(len).is_err() {
        return Err(Failure::argument(parameter, format_args!("cannot be {len} bytes long")));
    }
    // SAFETY: `len` bytes are there, by the header; the length fits an isize.
    Ok(unsafe { std::slice::from_raw_parts(pointer, len) })
}

/// A path: any bytes on Unix, UTF-8 elsewhere.
pub(super) unsafe fn path(pointer: *const c_char, parameter: &str) -> Result<PathBuf, Failure> {
    if pointer.is_null() {
        return Err(is_null(parameter));
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: a NUL-terminated path, by the header.
        let path = unsafe { CStr::from_ptr(pointer) };
        Ok(PathBuf::from(std::ffi::OsStr::from_bytes(path.to_bytes())))
    }
    #[cfg(not(unix))]
    {
        // SAFETY: as for this function.
        unsafe { text(pointer, parameter) }.map(PathBuf::from)
    }
}

/// Where an output goes. It holds `nothing` from the start, so that it does when the call fails.
pub(super) struct Output<T> {
    // NULL where the caller does not want it.
    pointer: *mut T,
}

/// An output that must be asked for.
pub(super) unsafe fn output<T>(pointer: *mut T, nothing: T, parameter: &str) -> Result<Output<T>, Failure> {
    if pointer.is_null() {
        return Err(is_null(parameter));
    }
    // SAFETY: as for this function.
    Ok(unsafe { optional_output(pointer, nothing) })
}

/// An output that may be NULL.
pub(super) unsafe fn optional_output<T>(pointer: *mut T, nothing: T) -> Output<T> {
    if !pointer.is_null() {
        // SAFETY: it can be written to, by the header; what was there is not ours to drop.
        unsafe { pointer.write(nothing) };
    }
    Output { pointer }
}

/// An output for a new object that must be asked for.
pub(super) unsafe fn handle<T>(pointer: *mut *mut T, parameter: &str) -> Result<Output<*mut T>, Failure> {
    // SAFETY: as for this function.
    unsafe { output(pointer, std::ptr::null_mut(), parameter) }
}

impl<T> Output<T> {
    pub(super) fn put(self, value: T) {
        if !self.pointer.is_null() {
            // SAFETY: the same pointer as at the start of the call.
            unsafe { self.pointer.write(value) };
        }
    }
}

impl<T> Output<*mut T> {
    /// Gives the object to the caller.
    pub(super) fn give(self, object: T) {
        if !self.pointer.is_null() {
            self.put(Box::into_raw(Box::new(object)));
        }
    }
}

/// Frees an object that [`Output::give`] or a `_new` gave; NULL is ignored.
pub(super) unsafe fn free<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: it came from Box::into_raw, and is freed once, by the header.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

/// A text for C. It ends at its first NUL there, so one inside becomes U+FFFD.
pub(super) fn c_text(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default())
}

/// The pointer to an optional text; NULL for none.
pub(super) fn c_pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

fn is_null(parameter: &str) -> Failure {
    Failure::argument(parameter, "is NULL")
}
