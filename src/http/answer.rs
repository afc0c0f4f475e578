//! What a registry answered, and what it means when it is not what was hoped for.

use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Method, header};

use crate::error::{Error, ErrorKind, RegistryError, Result};
use crate::transport::{Origin, Response, Url};

use super::{Scope, request_error};

/// An error body is read this far.
const MOST_ERROR_BODY: usize = 64 * 1024;
/// Of an error body that is not JSON, this much is shown.
const MOST_SHOWN: usize = 200;
/// More is not worth telling.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// Entries that are kept of one `errors` list.
const MOST_ERRORS: usize = 16;

/// The answer to a [`Call`](super::Call), its body unread.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response,
    method: Method,
    url: Url,
    scope: Scope,
    /// Where the next step must not lead.
    forbidden: Option<Origin>,
}

impl Answer {
    pub(super) fn new(response: Response, method: Method, url: Url, scope: Scope) -> Answer {
        Answer { response, method, url, scope, forbidden: None }
    }

    /// Somebody other than the registry gave this answer: it must not choose what is asked of the registry next.
    pub(super) fn forbid(&mut self, registry: &Origin) {
        self.forbidden = Some(registry.clone());
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.header(name)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.response.headers
    }

    /// The URL that gave this answer, after redirects.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn method(&self) -> &Method {
        &self.method
    }

    /// Reads what is left of a small body, so that the connection can be used again.
    pub(crate) fn discard(&mut self) {
        // A large body, or one that breaks, costs the connection and nothing else.
        let _ = self.response.read(MOST_ERROR_BODY);
    }

    /// The whole body, which must not be larger than `limit` bytes.
    pub(crate) fn read_whole(mut self, limit: u64) -> Result<Vec<u8>> {
        match self.response.read(usize::try_from(limit).unwrap_or(usize::MAX))? {
            (bytes, true) => Ok(bytes),
            (_, false) => {
                Err(self.error(ErrorKind::LimitExceeded, format!("the answer has more than {limit} bytes")))
            }
        }
    }

    /// `Retry-After` in seconds; the form with a date is not read.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let seconds: u64 = self.header("retry-after")?.trim().parse().ok()?;
        // A caller that adds it to the time of day must not overflow.
        Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
    }

    /// The error that an answer with a status of 400 or more is.
    pub(crate) fn into_error(mut self) -> Error {
        let status = self.status();
        let (body, whole) = self.response.read(MOST_ERROR_BODY).unwrap_or_default();
        let errors = parse_errors(&body);
        let kind = kind_of(status);
        let mut message = format!("the registry answered {status}");
        match errors.first() {
            Some(first) => {
                message.push_str(&format!(" {}", first.code));
                if !first.message.is_empty() {
                    message.push_str(&format!(": {}", first.message));
                }
            }
            None => message.push_str(&describe(&body, whole, self.header(header::CONTENT_TYPE.as_str()))),
        }
        match kind {
            ErrorKind::Unauthorized => message.push_str(&format!(" (needed: to {})", self.scope)),
            ErrorKind::Denied => message.push_str(&format!(" (wanted: to {})", self.scope)),
            _ => {}
        }
        let error = Error::new(kind, message)
            .with_status(status)
            .with_registry_errors(errors)
            .with_retry_after(self.retry_after());
        request_error(error, &self.method, &self.url)
    }

    /// The error that an answer is which no registry should have given here.
    pub(crate) fn into_protocol_error(mut self, expected: &str) -> Error {
        if self.status() >= 400 {
            return self.into_error();
        }
        let (body, whole) = self.response.read(MOST_ERROR_BODY).unwrap_or_default();
        let shown = describe(&body, whole, self.header(header::CONTENT_TYPE.as_str()));
        let message = format!(
            "the answer {}{shown} is not that of a registry ({expected} was expected); is the address right?",
            self.status()
        );
        let error = Error::new(ErrorKind::Protocol, message).with_status(self.status());
        request_error(error, &self.method, &self.url)
    }

    /// An error of this kind about this answer.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        request_error(Error::new(kind, message).with_status(self.status()), &self.method, &self.url)
    }

    /// The `Location` of the next step, resolved against the URL that gave the answer.
    pub(crate) fn location(&self) -> Result<Url> {
        let location = self
            .header("location")
            .ok_or_else(|| self.error(ErrorKind::Protocol, "the registry's answer has no Location"))?;
        let url = super::resolve_location(&self.url, location)
            .map_err(|error| request_error(error.with_status(self.status()), &self.method, &self.url))?;
        if self.forbidden.as_ref() == Some(&url.origin()) {
            return Err(self.error(
                ErrorKind::Redirect,
                format!("{} leads back to the registry ({url}), which is not followed", self.url.origin()),
            ));
        }
        Ok(url)
    }
}

fn kind_of(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        413 => ErrorKind::TooLarge,
        429 => ErrorKind::RateLimited,
        400..=499 => ErrorKind::Rejected,
        500..=599 => ErrorKind::RegistryFailed,
        _ => ErrorKind::Protocol,
    }
}

/// Reads the list by its shape, whatever the Content-Type says: registries send it as `text/plain` too, and a single
/// error without the list around it.
fn parse_errors(body: &[u8]) -> Vec<RegistryError> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let entries = match value.get("errors") {
        Some(Value::Array(entries)) => entries.as_slice(),
        _ => std::slice::from_ref(&value),
    };
    entries.iter().filter_map(parse_error).take(MOST_ERRORS).collect()
}

fn parse_error(entry: &Value) -> Option<RegistryError> {
    let text = |key: &str| match entry.get(key) {
        Some(Value::String(text)) => shown(text),
        _ => String::new(),
    };
    let detail = match entry.get("detail") {
        None | Some(Value::Null) => String::new(),
        Some(detail) => without_queries_inside(detail.clone()).to_string(),
    };
    let code = text("code");
    (!code.is_empty()).then(|| RegistryError { code, message: text("message"), detail })
}

/// What is said of a body that is not a registry's error list.
fn describe(body: &[u8], whole: bool, content_type: Option<&str>) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4096)]);
    let kind = content_type.unwrap_or("").split(';').next().unwrap_or("").trim();
    if kind.eq_ignore_ascii_case("text/html") || text.trim_start().starts_with('<') {
        return " with an HTML page".to_owned();
    }
    if !whole {
        return format!(" with a body of more than {MOST_ERROR_BODY} bytes");
    }
    let line = shown(text.lines().find(|line| !line.trim().is_empty()).unwrap_or("").trim());
    if line.is_empty() { String::new() } else { format!(": {line}") }
}

/// Text of somebody else's, made fit for one line of a log: bounded, without control characters, and without the
/// queries of URLs in it.
fn shown(text: &str) -> String {
    let mut result = String::new();
    for (position, character) in without_queries(text).chars().enumerate() {
        if position >= MOST_SHOWN {
            result.push('…');
            return result;
        }
        result.push(if character.is_control() { ' ' } else { character });
    }
    result
}

/// Cuts the queries off the URLs in a text: they can carry the signature of a storage host.
fn without_queries(text: &str) -> String {
    let mut result = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        match word.split_once('?') {
            Some((url, rest)) if url.contains('/') && !rest.trim().is_empty() || rest.contains('=') => {
                result.push_str(url);
                result.push_str("?…");
                result.extend(rest.chars().next_back().filter(|last| last.is_whitespace()));
            }
            _ => result.push_str(word),
        }
    }
    result
}

/// The same for every text in a JSON value.
fn without_queries_inside(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_queries(&text)),
        Value::Array(list) => Value::Array(list.into_iter().map(without_queries_inside).collect()),
        Value::Object(members) => {
            let clean = members.into_iter();
            let clean = clean.map(|(name, value)| (without_queries(&name), without_queries_inside(value)));
            Value::Object(clean.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_read_by_their_shape() {
        let list = br#"{"errors":[{"code":"A","message":"m","detail":{"x":1}},{"code":"B","detail":null},{"no":1},7]}"#;
        let errors = parse_errors(list);
        assert_eq!(errors.len(), 2);
        assert_eq!((errors[0].code.as_str(), errors[0].message.as_str()), ("A", "m"));
        assert_eq!(errors[0].detail, r#"{"x":1}"#);
        assert_eq!(errors[1].detail, "");
        assert_eq!(parse_errors(br#"{"code":"UNAUTHORIZED","message":"no"}"#)[0].code, "UNAUTHORIZED");
        assert!(parse_errors(b"<html>").is_empty());
        assert!(parse_errors(br#"{"errors":null}"#).is_empty());
    }

    #[test]
    fn text_of_others_is_bounded_and_loses_queries() {
        assert_eq!(shown("see https://h/x?sig=secret now"), "see https://h/x?… now");
        assert_eq!(shown("a\r\nb\u{1b}[31m"), "a  b [31m");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), MOST_SHOWN + 1);
    }

    proptest::proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            parse_errors(&body);
            describe(&body, true, None);
        }
    }
}
