//! Where a redirect or a `Location` may lead.
//!
//! The targets that other clients have been led to: another port with credentials (GHSA-vh4v-2xq2-g5cg), an upload host
//! with the registry's token (GHSA-jxpm-75mh-9fp7), the metadata service of a cloud. Credentials are no matter here:
//! `Http` gives them to the registry's own origin only.

use ureq::http::Method;

use crate::error::{Error, ErrorKind, Result};
use crate::reference::Scheme;
use crate::transport::Url;

use super::{Answer, request_error};

/// As many as a registry with a storage host behind it needs, and no more.
const MOST_REDIRECTS: u32 = 5;

/// The URL that this 3xx answer, the `count`th in a row, leads to.
///
/// A request that writes is repeated as it is (307, 308); 301, 302 and 303 would turn it into a GET (RFC 9110 section
/// 15.4), which uploads nothing.
pub(super) fn next(answer: &Answer, count: u32) -> Result<Url> {
    let reject = |reason: String| {
        request_error(
            Error::new(ErrorKind::Redirect, reason).with_status(answer.status()),
            answer.method(),
            answer.url(),
        )
    };
    if count > MOST_REDIRECTS {
        return Err(reject(format!("the registry redirects more than {MOST_REDIRECTS} times")));
    }
    let reads = *answer.method() == Method::GET || *answer.method() == Method::HEAD;
    if !reads && !matches!(answer.status(), 307 | 308) {
        return Err(reject(format!(
            "the registry redirects a {} with status {}, which would make it a GET; is the address right?",
            answer.method(),
            answer.status()
        )));
    }
    let Some(location) = answer.header("location") else {
        return Err(reject(format!(
            "the registry redirects with status {} but not where to",
            answer.status()
        )));
    };
    vet(answer.url(), location)
        .map_err(|error| request_error(error.with_status(answer.status()), answer.method(), answer.url()))
}

/// Resolves `target` against `base`, and refuses what no registry has a reason for: leaving https, and an address of
/// the private or local network that is not the registry's own host.
pub(super) fn vet(base: &Url, target: &str) -> Result<Url> {
    let url = base.join(target).map_err(|error| {
        Error::new(ErrorKind::Redirect, format!("the registry leads to a bad URL; {error}"))
    })?;
    let (from, to) = (base.origin(), url.origin());
    if from.scheme == Scheme::Https && to.scheme == Scheme::Http {
        return Err(Error::new(
            ErrorKind::Redirect,
            format!("the registry leads from https to plain http ({url}), which is not followed"),
        ));
    }
    if to.is_internal() && to.host != from.host {
        return Err(Error::new(
            ErrorKind::Redirect,
            format!("the registry leads to an internal address ({url}), which is not followed"),
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vetted(base: &str, target: &str) -> std::result::Result<String, ErrorKind> {
        vet(&Url::parse(base).unwrap(), target)
            .map(|url| url.to_request_target())
            .map_err(|error| error.kind())
    }

    #[test]
    fn storage_hosts_and_other_ports_may_be_led_to() {
        assert_eq!(
            vetted("https://r.example/v2/", "https://blobs.example/x?sig=1").unwrap(),
            "https://blobs.example/x?sig=1"
        );
        assert_eq!(vetted("http://127.0.0.1:1/v2/", "http://127.0.0.1:2/x").unwrap(), "http://127.0.0.1:2/x");
        assert_eq!(vetted("http://r.example/v2/", "https://r.example/x").unwrap(), "https://r.example/x");
    }

    #[test]
    fn plain_http_and_internal_addresses_may_not() {
        for target in [
            "http://r.example/x",
            "https://127.0.0.1/x",
            "https://169.254.169.254/latest/meta-data/",
            "https://10.0.0.1/x",
            "https://[::1]/x",
            "https://localhost:8443/x",
            "file:///etc/passwd",
        ] {
            assert_eq!(vetted("https://r.example/v2/", target), Err(ErrorKind::Redirect), "{target}");
        }
    }
}
