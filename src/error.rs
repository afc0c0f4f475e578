//! The one error type: what was being done, to what, what was answered, and whether trying again can help.

use std::fmt;
use std::time::Duration;

/// The result of every fallible call.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in one word: the part of an [`Error`] that a program decides by.
///
/// Each kind has a fixed number in the C ABI (see [`ErrorKind::code`]) that never changes and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is not allowed here: NULL, not UTF-8, out of range, or in conflict with another.
    InvalidArgument,
    /// A repository address, reference or tag does not follow the grammar.
    InvalidReference,
    /// A digest does not follow the grammar, or its algorithm is not one that ocireg computes.
    InvalidDigest,
    /// A manifest is not valid: too large, malformed, or with a malformed descriptor.
    InvalidManifest,
    /// The object is in use by another call, or by the call whose callback runs now.
    Busy,
    /// A local file or directory could not be read or written.
    Io,
    /// The source of a blob failed: a reader returned an error, too much, or broke its contract.
    Source,
    /// The source must be read again and cannot be.
    NotRewindable,
    /// A file changed its size or modification time while it was being uploaded.
    SourceChanged,
    /// A directory is not an image layout that can be used.
    InvalidLayout,
    /// The host name could not be resolved.
    Dns,
    /// No connection could be made.
    Connect,
    /// The connection broke.
    Connection,
    /// The TLS handshake failed: a certificate is not trusted, has expired, or names another host.
    Tls,
    /// The registry did not move for longer than the time limit.
    Timeout,
    /// The registry wants credentials, or does not accept the ones it was given (401).
    Unauthorized,
    /// The credentials do not allow this (403).
    Denied,
    /// The repository, manifest, tag or blob does not exist (404).
    NotFound,
    /// The registry limits the rate of requests (429).
    RateLimited,
    /// The registry does not take a body of this size (413).
    TooLarge,
    /// The registry refused the request (any other 4xx).
    Rejected,
    /// The registry failed (5xx).
    RegistryFailed,
    /// The answer is not one that a registry gives.
    Protocol,
    /// A redirect or `Location` leads where it must not be followed, or there are too many of them.
    Redirect,
    /// A tag exists, points at other content, and was not moved.
    TagConflict,
    /// An answer was larger, or a list longer, than the limit.
    LimitExceeded,
    /// The digest of the content is not the expected one.
    DigestMismatch,
    /// The size of the content is not the expected one.
    SizeMismatch,
    /// A callback of the caller ended the call.
    Aborted,
}

impl ErrorKind {
    /// Every kind with its C status code and name, in the order of the codes. The C header, `ocireg_status_name`
    /// and the maps of the C++ and Python bindings are tested against this table.
    pub const ALL: &'static [(ErrorKind, i32, &'static str)] = &[
        (ErrorKind::InvalidArgument, 1, "INVALID_ARGUMENT"),
        (ErrorKind::InvalidReference, 2, "INVALID_REFERENCE"),
        (ErrorKind::InvalidDigest, 3, "INVALID_DIGEST"),
        (ErrorKind::InvalidManifest, 4, "INVALID_MANIFEST"),
        (ErrorKind::Busy, 5, "BUSY"),
        (ErrorKind::Io, 20, "IO"),
        (ErrorKind::Source, 21, "SOURCE"),
        (ErrorKind::NotRewindable, 22, "NOT_REWINDABLE"),
        (ErrorKind::SourceChanged, 23, "SOURCE_CHANGED"),
        (ErrorKind::InvalidLayout, 24, "INVALID_LAYOUT"),
        (ErrorKind::Dns, 30, "DNS"),
        (ErrorKind::Connect, 31, "CONNECT"),
        (ErrorKind::Connection, 32, "CONNECTION"),
        (ErrorKind::Tls, 33, "TLS"),
        (ErrorKind::Unauthorized, 40, "UNAUTHORIZED"),
        (ErrorKind::Denied, 41, "DENIED"),
        (ErrorKind::NotFound, 42, "NOT_FOUND"),
        (ErrorKind::RateLimited, 43, "RATE_LIMITED"),
        (ErrorKind::TooLarge, 44, "TOO_LARGE"),
        (ErrorKind::Rejected, 45, "REJECTED"),
        (ErrorKind::RegistryFailed, 46, "REGISTRY_FAILED"),
        (ErrorKind::Protocol, 47, "PROTOCOL"),
        (ErrorKind::Redirect, 48, "REDIRECT"),
        (ErrorKind::TagConflict, 49, "TAG_CONFLICT"),
        (ErrorKind::LimitExceeded, 50, "LIMIT_EXCEEDED"),
        (ErrorKind::DigestMismatch, 70, "DIGEST_MISMATCH"),
        (ErrorKind::SizeMismatch, 71, "SIZE_MISMATCH"),
        (ErrorKind::Aborted, 90, "ABORTED"),
        (ErrorKind::Timeout, 93, "TIMEOUT"),
    ];

    /// The number of this kind in the C ABI, `OCIREG_E_…`.
    pub fn code(self) -> i32 {
        self.row().1
    }

    /// The name of this kind as the bindings use it, such as `NOT_FOUND`.
    pub fn name(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> (ErrorKind, i32, &'static str) {
        // Every kind is in the table (a test goes through all of them); the last row only satisfies the compiler.
        Self::ALL.iter().copied().find(|row| row.0 == self).unwrap_or(Self::ALL[0])
    }

    /// Whether the same call can succeed later with nothing changed, when the error itself does not know better.
    fn usually_retryable(self) -> bool {
        matches!(
            self,
            ErrorKind::Dns
                | ErrorKind::Connect
                | ErrorKind::Connection
                | ErrorKind::Timeout
                | ErrorKind::RateLimited
                | ErrorKind::RegistryFailed
                | ErrorKind::Busy
        )
    }
}

/// Why a call failed.
///
/// `Display` gives one line with the operation, its target and the reason; secrets and the query strings of URLs are
/// never part of it. The parts are available one by one.
///
/// ```
/// let error = ocireg::Client::builder().build()?.repository("https://Bad Host/x").unwrap_err();
/// assert_eq!(error.kind(), ocireg::ErrorKind::InvalidReference);
/// assert!(!error.is_retryable());
/// # Ok::<(), ocireg::Error>(())
/// ```
pub struct Error {
    // Boxed, so that a `Result` stays two words.
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    operation: Option<&'static str>,
    target: String,
    request: Option<String>,
    status: Option<u16>,
    registry_errors: Vec<RegistryError>,
    retryable: bool,
    retry_after: Option<Duration>,
    callback_result: Option<i32>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind; the message says what happened, as the end of a sentence that begins with the operation.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                operation: None,
                target: String::new(),
                request: None,
                status: None,
                registry_errors: Vec::new(),
                retryable: kind.usually_retryable(),
                retry_after: None,
                callback_result: None,
                source: None,
            }),
        }
    }

    /// A failed access to a local path. `doing` reads like "cannot open".
    pub(crate) fn io(doing: &str, path: &std::path::Path, source: std::io::Error) -> Error {
        Error::new(ErrorKind::Io, format!("{doing} {}: {source}", path.display())).with_source(source)
    }

    /// Names the operation and its target, unless an inner call has named them already.
    pub(crate) fn at(mut self, operation: &'static str, target: impl fmt::Display) -> Error {
        if self.inner.operation.is_none() {
            self.inner.operation = Some(operation);
            self.inner.target = target.to_string();
        }
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.inner.source = Some(source.into());
        self
    }

    /// `request` is the method and the URL without its query, such as `PUT https://host/v2/x/manifests/demo`.
    pub(crate) fn with_request(mut self, request: impl Into<String>) -> Error {
        self.inner.request = Some(request.into());
        self
    }

    pub(crate) fn with_message(mut self, message: String) -> Error {
        self.inner.message = message;
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Error {
        self.inner.kind = kind;
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Error {
        self.inner.status = Some(status);
        self
    }

    pub(crate) fn with_registry_errors(mut self, errors: Vec<RegistryError>) -> Error {
        self.inner.registry_errors = errors;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Error {
        self.inner.retry_after = wait;
        self
    }

    pub(crate) fn retryable(mut self, retryable: bool) -> Error {
        self.inner.retryable = retryable;
        self
    }

    /// What the callback that ended the call returned; for the C ABI.
    #[cfg(feature = "capi")]
    pub(crate) fn with_callback_result(mut self, result: i32) -> Error {
        self.inner.callback_result = Some(result);
        self
    }

    /// What went wrong, to decide by.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What went wrong, for people; without operation and target.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// What was being done, such as `upload blob`.
    pub fn operation(&self) -> &str {
        self.inner.operation.unwrap_or("")
    }

    /// What it was done to: a repository, reference, file or host.
    pub fn target(&self) -> &str {
        &self.inner.target
    }

    /// The HTTP request that failed: method and URL, without query. `None` when the failure was local.
    pub fn request(&self) -> Option<&str> {
        self.inner.request.as_deref()
    }

    /// The HTTP status of the registry's answer. `None` when there was no answer.
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// The code of the first error in the registry's answer, such as `MANIFEST_UNKNOWN`.
    pub fn registry_code(&self) -> Option<&str> {
        self.inner.registry_errors.first().map(|error| error.code.as_str())
    }

    /// Every error in the registry's answer.
    pub fn registry_errors(&self) -> &[RegistryError] {
        &self.inner.registry_errors
    }

    /// Whether the same call can succeed later with nothing changed.
    pub fn is_retryable(&self) -> bool {
        self.inner.retryable
    }

    /// How long the registry asked to wait before another try (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// What the C callback that ended the call returned.
    pub fn callback_result(&self) -> Option<i32> {
        self.inner.callback_result
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.inner.operation {
            write!(f, "{operation} {}: ", self.inner.target)?;
        }
        f.write_str(&self.inner.message)
    }
}

/// The line of `Display`, since this is what a `main` that returns the error prints; every part with `{:#?}`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() { self.inner.fmt(f) } else { write!(f, "{self} [{}]", self.inner.kind.name()) }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

/// One entry of the `errors` list in a registry's answer (distribution-spec, "Error Codes").
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryError {
    /// Such as `NAME_UNKNOWN`. Registries also send codes that the specification does not list.
    pub code: String,
    /// For people; may be empty.
    pub message: String,
    /// Any JSON, as text; empty when there is none.
    pub detail: String,
}

/// Input as an error message shows it: quoted, without control characters, and short.
pub(crate) fn excerpt(input: &str) -> String {
    const MOST: usize = 200;
    match input.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", input[..end].escape_debug()),
        None => format!("`{}`", input.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_in_order() {
        for pair in ErrorKind::ALL.windows(2) {
            assert!(pair[0].1 < pair[1].1, "{pair:?}");
            assert_ne!(pair[0].2, pair[1].2);
        }
    }

    #[test]
    fn the_first_operation_named_stays() {
        let error = Error::new(ErrorKind::NotFound, "gone").at("inner", "a").at("outer", "b");
        assert_eq!(error.to_string(), "inner a: gone");
    }
}
