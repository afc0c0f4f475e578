//! Texts of the Rust side as C reads them: NUL-terminated, made when first asked for, kept until the value changes.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::sync::OnceLock;

use crate::ffi::argument::{c_pointer, c_text};
use crate::ffi::guard::{Failure, Slot};

/// A value with setters, and its texts.
pub(super) struct Spoken<T, X> {
    pub(super) value: T,
    texts: OnceLock<X>,
}

/// A value whose texts C can read.
pub(super) trait Speak {
    type Texts;

    fn texts(&self) -> Self::Texts;

    /// Any value, cheap to make: it stands in while another is changed.
    fn placeholder() -> Self;
}

impl<T: Speak<Texts = X>, X> Spoken<T, X> {
    fn new(value: T) -> Spoken<T, X> {
        Spoken { value, texts: OnceLock::new() }
    }

    pub(super) fn texts(&self) -> &X {
        self.texts.get_or_init(|| self.value.texts())
    }
}

impl<T: Speak<Texts = X>, X> Slot<Spoken<T, X>> {
    pub(super) fn holding(value: T) -> Slot<Spoken<T, X>> {
        Slot::new(Spoken::new(value))
    }

    /// A copy of the value.
    pub(super) fn copy(&self) -> Result<T, Failure>
    where
        T: Clone,
    {
        Ok(self.read()?.value.clone())
    }

    /// Replaces the value by what `change` makes of it.
    pub(super) fn change(&self, change: impl FnOnce(T) -> T) -> Result<(), Failure> {
        let mut spoken = self.write()?;
        let value = std::mem::replace(&mut spoken.value, T::placeholder());
        *spoken = Spoken::new(change(value));
        Ok(())
    }

    /// A pointer into the texts, which lives until the value is changed or freed; `nothing` when it cannot be read.
    pub(super) fn say<R>(&self, nothing: R, say: impl FnOnce(&X) -> R) -> R {
        self.read().map_or(nothing, |spoken| say(spoken.texts()))
    }
}

/// What descriptors, manifests and indexes have in common.
pub(super) struct Common {
    pub(super) media_type: CString,
    pub(super) artifact_type: Option<CString>,
    annotations: Vec<(CString, CString)>,
}

impl Common {
    pub(super) fn new(
        media_type: &str,
        artifact_type: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Common {
        Common {
            media_type: c_text(media_type),
            artifact_type: artifact_type.map(c_text),
            annotations: annotations.iter().map(|(key, value)| (c_text(key), c_text(value))).collect(),
        }
    }

    pub(super) fn annotation_count(&self) -> usize {
        self.annotations.len()
    }

    /// The value under this key; NULL when there is none.
    pub(super) fn annotation(&self, key: &CStr) -> *const c_char {
        c_pointer(self.annotations.iter().find(|(found, _)| found.as_c_str() == key).map(|(_, value)| value))
    }

    /// Key and value at this position.
    pub(super) fn annotation_at(&self, index: usize) -> Option<(*const c_char, *const c_char)> {
        self.annotations.get(index).map(|(key, value)| (key.as_ptr(), value.as_ptr()))
    }
}
