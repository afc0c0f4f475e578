//! An upload session: opened by POST, fed by PATCH and PUT, at the `Location` that each answer gives anew.

use std::time::Duration;

use ureq::http::{HeaderValue, Method, header};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Access, Answer, Body, Call};
use crate::transport::Url;

use super::{Registry, named_digest};

/// How long the answer to a cancel is waited for.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);

/// Milliseconds between the tries to cancel a session that has moved on; after the last one it is left to the registry.
const CANCEL_WAITS: [u64; 6] = [0, 20, 50, 100, 200, 400];

/// An open upload session.
pub(super) struct Session<'r> {
    registry: &'r Registry,
    location: Url,
    /// The smallest chunk that the registry takes, but for the last (`OCI-Chunk-Min-Length`).
    pub(super) smallest_chunk: u64,
}

/// What a POST that offers a mount has led to.
pub(super) enum Opened<'r> {
    /// The blob is in the repository.
    AlreadyThere,
    Session(Session<'r>),
}

impl Registry {
    /// Opens a session, unless the blob can be mounted from a repository: `from`, or else this one itself, which folds
    /// the question whether the blob is there into the POST that is needed anyway.
    pub(super) fn mount_or_open(&self, digest: &Digest, from: Option<&str>) -> Result<Opened<'_>> {
        use std::sync::atomic::Ordering::Relaxed;

        let refused = &self.memory.self_mount_refused;
        if from.is_none() && refused.load(Relaxed) {
            return self.open_session().map(Opened::Session);
        }
        let source = from.unwrap_or(&self.name);
        let url = self
            .url("blobs/uploads/")?
            .with_parameter("mount", digest.as_str())
            .with_parameter("from", source);
        let scope = self.scope(Access::Push).mounting_from(source);
        let mut answer = self.http.send(Call::new(Method::POST, url, scope).body(Body::Bytes(&[])))?;
        match answer.status() {
            201 if names_the_blob(&answer, digest) => {
                answer.discard();
                Ok(Opened::AlreadyThere)
            }
            // A web server that says 201 to everything has stored nothing.
            201 => {
                answer.discard();
                self.open_session().map(Opened::Session)
            }
            202 => self.session(answer).map(Opened::Session),
            408 | 429 | 500.. => Err(answer.into_error()),
            _ => {
                answer.discard();
                let session = self.open_session()?;
                if from.is_none() {
                    refused.store(true, Relaxed);
                }
                Ok(Opened::Session(session))
            }
        }
    }

    pub(super) fn open_session(&self) -> Result<Session<'_>> {
        let url = self.url("blobs/uploads/")?;
        let call = Call::new(Method::POST, url, self.scope(Access::Push)).body(Body::Bytes(&[]));
        let answer = self.http.send(call)?;
        match answer.status() {
            202 => self.session(answer),
            _ => Err(answer.into_protocol_error("202 to the opening of an upload session")),
        }
    }

    fn session(&self, mut answer: Answer) -> Result<Session<'_>> {
        let location = answer.location()?;
        let smallest_chunk =
            answer.header("oci-chunk-min-length").and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        answer.discard();
        Ok(Session { registry: self, location, smallest_chunk })
    }
}

impl Session<'_> {
    /// Appends the bytes from `first` on (PATCH).
    pub(super) fn append(&mut self, body: Body<'_>, first: u64, size: u64) -> Result<()> {
        let call = self.call(Method::PATCH, self.location.clone()).body(body);
        let call = call.header(header::CONTENT_RANGE, content_range(first, size)?);
        let mut answer = self.registry.http.send(call)?;
        // 201 is what ECR answers.
        if !matches!(answer.status(), 201 | 202) {
            return Err(answer.into_protocol_error("202 to a chunk"));
        }
        if let Some(kept) = answer.header("range").and_then(kept_bytes)
            && kept < first + size
        {
            return Err(answer.error(
                ErrorKind::Protocol,
                format!("the registry kept {kept} of the {} bytes sent so far", first + size),
            ));
        }
        if answer.header("location").is_some() {
            self.location = answer.location()?;
        }
        answer.discard();
        Ok(())
    }

    /// Sends the last (or only) bytes and closes the session (PUT); the registry checks the digest.
    pub(super) fn commit(&mut self, body: Body<'_>, first: u64, size: u64, digest: &Digest) -> Result<()> {
        let url = self.location.clone().with_parameter("digest", digest.as_str());
        let mut call = self.call(Method::PUT, url).body(body);
        if first > 0 && size > 0 {
            call = call.header(header::CONTENT_RANGE, content_range(first, size)?);
        }
        let mut answer = self.registry.http.send(call)?;
        let named = named_digest(answer.header("docker-content-digest"), digest);
        match (answer.status(), named) {
            (200..=204, Some(named)) if named != *digest => Err(answer.error(
                ErrorKind::DigestMismatch,
                format!("the registry stored the blob as {named}, not as {digest}"),
            )),
            // 201 is the specification's; the others are met in the field, but a web server that says 200 to
            // everything must not look like a registry.
            (201 | 204, _) | (200 | 202, Some(_)) => {
                answer.discard();
                Ok(())
            }
            _ => Err(refused(answer)),
        }
    }

    /// Tells the registry that nothing more comes. Nothing depends on its answer.
    pub(super) fn cancel(mut self, reason: &Error) {
        // Where nobody answers, another request only costs time.
        if matches!(reason.kind(), ErrorKind::Dns | ErrorKind::Connect) {
            return;
        }
        for wait in CANCEL_WAITS {
            // distribution 3 ends a session only at a Location that counts the bytes of a broken request too, and gives
            // that when asked where the session is. It moves on for as long as it reads what is still on its way.
            match self.ask(Method::DELETE).map(|answer| answer.status()) {
                Some(416) => std::thread::sleep(Duration::from_millis(wait)),
                _ => return,
            }
            match self.ask(Method::GET).map(|answer| answer.location()) {
                Some(Ok(location)) if location != self.location => self.location = location,
                _ => return,
            }
        }
    }

    fn ask(&self, method: Method) -> Option<Answer> {
        let call = Call::new(method, self.location.clone(), self.registry.scope(Access::Push));
        let mut answer = self.registry.http.send(call.best_effort(CANCEL_TIMEOUT)).ok()?;
        answer.discard();
        Some(answer)
    }

    fn call<'a>(&self, method: Method, url: Url) -> Call<'a> {
        Call::new(method, url, self.registry.scope(Access::Push))
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
            .once()
    }
}

/// Whether a 201 is about this blob: by its digest, or by the place where it can be pulled from.
fn names_the_blob(answer: &Answer, digest: &Digest) -> bool {
    match named_digest(answer.header("docker-content-digest"), digest) {
        Some(named) => named == *digest,
        None => answer.header("location").is_some_and(|location| location.contains(digest.encoded())),
    }
}

/// `first-last`, without unit and total (distribution-spec, "Pushing a blob in chunks"; strict registries refuse them).
fn content_range(first: u64, size: u64) -> Result<HeaderValue> {
    super::header_value(&format!("{first}-{}", first + size.saturating_sub(1)))
}

/// The number of bytes that a `Range: 0-n` speaks of. `0-0` can mean none and one; it is read as one, the kinder way.
fn kept_bytes(range: &str) -> Option<u64> {
    let range = range.trim().strip_prefix("bytes=").unwrap_or(range.trim());
    let (first, last) = range.split_once('-')?;
    (first == "0").then(|| last.parse::<u64>().ok()?.checked_add(1)).flatten()
}

fn refused(answer: Answer) -> Error {
    let error = answer.into_protocol_error("201 to the end of an upload");
    if error.registry_code() == Some("DIGEST_INVALID") {
        return error.with_kind(ErrorKind::DigestMismatch);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_registries_write_them() {
        assert_eq!(kept_bytes("0-99"), Some(100));
        assert_eq!(kept_bytes("bytes=0-99"), Some(100));
        for odd in ["", "0--1", "5-9", "0-18446744073709551615", "x"] {
            assert_eq!(kept_bytes(odd), None, "{odd}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_range_panics(text in ".{0,30}") {
            kept_bytes(&text);
        }
    }
}
