//! Nothing unwinds into C, and an object that was being changed when something did is never used again.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use crate::error::{Error, ErrorKind};
use crate::ffi::error::ocireg_error;
use crate::ffi::status::{OCIREG_E_PANIC, OCIREG_OK, ocireg_status};

/// Why an exported function failed: an error of the library, or a fault in it.
pub(super) enum Failure {
    Error(Error),
    Panic(String),
}

impl Failure {
    /// An argument that is refused; `parameter` as the header names it.
    pub(super) fn argument(parameter: impl std::fmt::Display, message: impl std::fmt::Display) -> Failure {
        Failure::Error(Error::new(ErrorKind::InvalidArgument, format!("{parameter} {message}")))
    }

    fn busy() -> Failure {
        Failure::Error(Error::new(ErrorKind::Busy, "the object is in use by another call"))
    }

    fn poisoned() -> Failure {
        Failure::Panic(
            "an earlier call on this object failed inside the library; it can only be freed".into(),
        )
    }

    pub(super) fn status(&self) -> ocireg_status {
        match self {
            Failure::Error(error) => error.kind().code(),
            Failure::Panic(_) => OCIREG_E_PANIC,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

/// Runs the body of an exported function that returns a status: writes `*err` in every case, and turns a panic into
/// `OCIREG_E_PANIC`.
///
/// # Safety
///
/// `err` is NULL or can be written to.
pub(super) unsafe fn guard<F>(err: *mut *mut ocireg_error, body: F) -> ocireg_status
where
    F: FnOnce() -> Result<(), Failure>,
{
    if !err.is_null() {
        // SAFETY: not NULL, so it can be written to.
        unsafe { *err = std::ptr::null_mut() };
    }
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return OCIREG_OK,
        Ok(Err(failure)) => failure,
        Err(payload) => Failure::Panic(describe(payload)),
    };
    let status = failure.status();
    if !err.is_null() {
        let error = guard_or(std::ptr::null_mut(), || ocireg_error::boxed(failure, function_name::<F>()));
        // SAFETY: as above.
        unsafe { *err = error };
    }
    status
}

/// Runs the body of an exported function that cannot fail; a panic gives `otherwise`.
pub(super) fn guard_or<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        describe(payload);
        otherwise
    })
}

/// The text of a panic. The payload is somebody else's value: dropping it may panic again.
fn describe(payload: Box<dyn Any + Send>) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (None, Some(text)) => text.clone(),
        (None, None) => "no message".to_owned(),
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
    text
}

/// The exported function that a body was written in; only for messages.
fn function_name<F>() -> &'static str {
    let name = std::any::type_name::<F>();
    name.rsplit("::").find(|part| part.starts_with("ocireg_")).unwrap_or("ocireg")
}

/// A value behind a C handle with setters. A panic while it is changed makes it unusable, and two threads that collide
/// get an error instead of a data race.
pub(super) struct Slot<T>(RwLock<T>);

impl<T> Slot<T> {
    pub(super) fn new(value: T) -> Slot<T> {
        Slot(RwLock::new(value))
    }

    pub(super) fn read(&self) -> Result<RwLockReadGuard<'_, T>, Failure> {
        self.0.try_read().map_err(|error| refusal(&error))
    }

    pub(super) fn write(&self) -> Result<RwLockWriteGuard<'_, T>, Failure> {
        self.0.try_write().map_err(|error| refusal(&error))
    }
}

fn refusal<G>(error: &TryLockError<G>) -> Failure {
    match error {
        TryLockError::WouldBlock => Failure::busy(),
        TryLockError::Poisoned(_) => Failure::poisoned(),
    }
}

/// Set for good when a panic goes through a call on an object that many threads may use at once.
#[derive(Default)]
pub(super) struct Poison(AtomicBool);

/// A call is under way on the object of this [`Poison`].
pub(super) struct Entered<'a>(&'a Poison);

impl Poison {
    pub(super) fn enter(&self) -> Result<Entered<'_>, Failure> {
        if self.0.load(Ordering::Acquire) { Err(Failure::poisoned()) } else { Ok(Entered(self)) }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.0.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("from drop");
        }
    }

    #[test]
    fn a_panic_becomes_a_status_with_its_text() {
        let mut err = std::ptr::null_mut();
        // SAFETY: `err` is a local.
        let status = unsafe { guard(&mut err, || panic!("out of cheese")) };
        assert_eq!(status, OCIREG_E_PANIC);
        // SAFETY: written by guard.
        let error = unsafe { Box::from_raw(err) };
        assert!(error.message().contains("out of cheese"), "{}", error.message());
    }

    #[test]
    fn a_panic_whose_payload_panics_again_stays_inside() {
        // SAFETY: NULL is allowed.
        let status = unsafe { guard(std::ptr::null_mut(), || std::panic::panic_any(PanicsOnDrop)) };
        assert_eq!(status, OCIREG_E_PANIC);
    }

    #[test]
    fn an_object_that_panicked_while_it_was_changed_is_refused() {
        let slot = Slot::new(1);
        let broken = guard_or(true, || {
            let _changing = slot.write();
            panic!("halfway");
        });
        assert!(broken);
        assert_eq!(slot.read().map(|_| ()).map_err(|failure| failure.status()), Err(OCIREG_E_PANIC));
    }

    #[test]
    fn an_object_that_is_being_changed_is_busy() {
        let slot = Slot::new(1);
        let Ok(_changing) = slot.write() else { panic!("free") };
        let status = slot.read().map(|_| ()).map_err(|failure| failure.status());
        assert_eq!(status, Err(ErrorKind::Busy.code()));
    }
}
