//! User name and password by HTTP Basic (RFC 7617).

use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Authorizer, Scope};
use crate::transport::Origin;

/// A user name and a password, or token.
pub(crate) struct BasicCredentials {
    header: Zeroizing<String>,
}

impl BasicCredentials {
    /// A user name must not contain a colon (RFC 7617 section 2), neither may contain control characters.
    pub(crate) fn new(user: &str, password: &str) -> Result<BasicCredentials> {
        if user.is_empty() || user.contains(':') {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "a user name must not be empty or contain a colon",
            ));
        }
        if user.chars().chain(password.chars()).any(char::is_control) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "user name and password must not contain control characters, such as the end of a line",
            ));
        }
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        Ok(BasicCredentials { header: Zeroizing::new(format!("Basic {}", *encoded)) })
    }

    fn header(&self) -> Result<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.header).map_err(|_| {
            Error::new(ErrorKind::InvalidArgument, "the credentials cannot be sent in a header")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials")
    }
}

/// Meets `Basic` challenges with one user name and password, or leaves every challenge unmet.
///
/// Credentials are first sent when a registry asks for them with a `Basic` challenge, and from then on with every
/// request to it.
#[derive(Debug)]
pub(crate) struct BasicAuthorizer {
    credentials: Option<BasicCredentials>,
    wanted_by: Mutex<HashSet<Origin>>,
}

impl BasicAuthorizer {
    pub(crate) fn new(credentials: Option<BasicCredentials>) -> BasicAuthorizer {
        BasicAuthorizer { credentials, wanted_by: Mutex::default() }
    }
}

impl Authorizer for BasicAuthorizer {
    fn authorization(&self, registry: &Origin, _: &Scope) -> Result<Option<HeaderValue>> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        let wanted = self.wanted_by.lock().unwrap_or_else(PoisonError::into_inner).contains(registry);
        if wanted { credentials.header().map(Some) } else { Ok(None) }
    }

    fn challenged(
        &self,
        registry: &Origin,
        _: &Scope,
        headers: &HeaderMap,
        sent: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        if sent.is_some() || !asks_for_basic(headers) {
            return Ok(None);
        }
        self.wanted_by.lock().unwrap_or_else(PoisonError::into_inner).insert(registry.clone());
        credentials.header().map(Some)
    }
}

/// Whether one of the challenges has the scheme `Basic`, in any case (Nexus writes `BASIC`).
fn asks_for_basic(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(outside_quotes)
        .any(|part| part.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("basic")))
}

/// The parts between the commas of a header value; what stands in quotes is left out, so that it can hold anything.
fn outside_quotes(value: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' if quoted => {
                characters.next();
            }
            ',' if !quoted => parts.push(std::mem::take(&mut part)),
            other if !quoted => part.push(other),
            _ => {}
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Access;
    use crate::transport::Url;

    fn challenge(text: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(text));
        headers
    }

    #[test]
    fn credentials_are_sent_to_a_registry_that_asked_for_them_and_to_no_other() {
        let basic = BasicAuthorizer::new(Some(BasicCredentials::new("Aladdin", "open sesame").unwrap()));
        let scope = Scope::new("x", Access::Push);
        let one = Url::parse("https://one.example/").unwrap().origin();
        let other = Url::parse("https://one.example:8443/").unwrap().origin();
        assert!(basic.authorization(&one, &scope).unwrap().is_none());
        let offered =
            basic.challenged(&one, &scope, &challenge("BASIC realm=\"a, b\""), None).unwrap().unwrap();
        assert_eq!(offered.to_str().unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(basic.authorization(&one, &scope).unwrap().is_some());
        assert!(basic.authorization(&other, &scope).unwrap().is_none());
        assert!(
            basic.challenged(&one, &scope, &challenge("Basic realm=x"), Some(&offered)).unwrap().is_none()
        );
    }

    #[test]
    fn a_bearer_challenge_gets_no_password() {
        let basic = BasicAuthorizer::new(Some(BasicCredentials::new("u", "p").unwrap()));
        let origin = Url::parse("https://one.example/").unwrap().origin();
        let scope = Scope::new("x", Access::Push);
        for text in [
            "Bearer realm=\"https://t/\",service=\"s\"",
            "Bearer realm=\"a, Basic b\"",
            "Bearer x=\"\\\", Basic \"",
        ] {
            assert!(basic.challenged(&origin, &scope, &challenge(text), None).unwrap().is_none(), "{text}");
        }
    }

    #[test]
    fn credentials_that_cannot_be_sent_are_refused() {
        for (user, password) in [("", "p"), ("a:b", "p"), ("a", "p\r\nX: y"), ("a\0", "p")] {
            assert_eq!(BasicCredentials::new(user, password).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }
}
