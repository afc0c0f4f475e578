//! Where a repository is: host and name at a registry, or the directory of a layout.

use std::fmt;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{Error, ErrorKind, Result, excerpt};

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP; only when an address begins with `http://`.
    Http,
    /// HTTPS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a repository is.
///
/// It is written `[https://|http://]host[:port]/name` or `oci-layout:PATH`. The first part is always the host, also
/// without a dot or port. One slash too many behind the host is ignored, so that an endpoint such as
/// `https://myregistry.azurecr.io/` can be joined with a `/` and a name.
///
/// `Display` gives the full form, without the scheme where it is https.
///
/// ```
/// use ocireg::Address;
///
/// let address: Address = "https://MyRegistry.azurecr.io//sample-artifact".parse()?;
/// assert_eq!(address.to_string(), "myregistry.azurecr.io/sample-artifact");
/// assert!("myregistry.azurecr.io/sample-artifact:demo".parse::<Address>().is_err());
/// # Ok::<(), ocireg::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// At a registry.
    #[non_exhaustive]
    Registry {
        /// How the registry is spoken to.
        scheme: Scheme,
        /// `host` or `host:port`, in lower case; an IPv6 address is in brackets.
        host: String,
        /// The name of the repository at the registry, such as `team/app`.
        name: String,
    },
    /// An OCI image layout: a directory.
    #[non_exhaustive]
    Layout {
        /// The directory, which need not exist yet.
        path: PathBuf,
    },
}

pub(super) const LAYOUT: &str = "oci-layout:";

/// Most characters of `host[:port]/name`, and of a name alone. The distribution-spec notes this limit of many clients.
const MAX_NAME: usize = 255;

impl Address {
    /// Parses an address.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`] says which part is wrong and what is allowed. A password in the address is
    /// refused and never shown.
    pub fn parse(text: &str) -> Result<Address> {
        if let Some(path) = text.strip_prefix(LAYOUT) {
            return layout(path);
        }
        let parts = Parts::split(text)?;
        if let Some(digest) = parts.digest {
            return Err(invalid(format!(
                "the digest {} does not belong in the address of a repository, which ends with the name",
                excerpt(digest)
            )));
        }
        if let Some(tag) = parts.tag {
            return Err(invalid(format!(
                "the tag {} does not belong in the address of a repository, which ends with the name",
                excerpt(tag)
            )));
        }
        parts.address()
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Address> {
        Address::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Registry { scheme: Scheme::Https, host, name } => write!(f, "{host}/{name}"),
            Address::Registry { scheme: Scheme::Http, host, name } => write!(f, "http://{host}/{name}"),
            Address::Layout { path } => write!(f, "{LAYOUT}{}", path.display()),
        }
    }
}

/// Checks the name of a repository by the distribution-spec:
/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`.
pub(crate) fn check_repository_name(name: &str) -> Result<()> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.len() > MAX_NAME {
        "it is longer than 255 characters"
    } else if name.bytes().any(|b| b.is_ascii_uppercase()) {
        "repository names are lower case"
    } else if name.bytes().any(|b| !is_name_letter(b) && !b"._-/".contains(&b)) {
        "only lower-case letters, digits, `.`, `_`, `-` and `/` are allowed"
    } else if name.split('/').any(str::is_empty) {
        "a part before, between or behind slashes is empty"
    } else if !name.split('/').all(is_name_part) {
        "between letters or digits of a part there may be one `.`, one or two `_`, or any number of `-`"
    } else {
        return Ok(());
    };
    Err(invalid(format!("{} is not the name of a repository: {reason}", excerpt(name))))
}

fn is_name_letter(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// One part of a name between slashes: runs of letters and digits, with one separator between two of them.
fn is_name_part(part: &str) -> bool {
    let mut separator = String::new();
    let mut letter_before = false;
    for c in part.chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            let allowed = match separator.as_str() {
                "" => true,
                "." | "_" | "__" => letter_before,
                dashes => letter_before && dashes.bytes().all(|b| b == b'-'),
            };
            if !allowed {
                return false;
            }
            separator.clear();
            letter_before = true;
        } else {
            separator.push(c);
        }
    }
    letter_before && separator.is_empty()
}

/// The text of an address or reference at a registry, cut into its parts. Only scheme and host have been checked.
pub(super) struct Parts<'a> {
    scheme: Scheme,
    host: String,
    name: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(super) fn split(text: &'a str) -> Result<Parts<'a>> {
        let (scheme, rest) = split_scheme(text)?;
        if rest.contains(['?', '#']) {
            return Err(invalid("an address has no query and no fragment (`?`, `#`)"));
        }
        if rest.is_empty() {
            return Err(invalid("the address is empty; it must read like `host/name` or `oci-layout:PATH`"));
        }
        // An `@` begins a digest when it is the only one, behind a host and a name, and in front of the last part.
        // Elsewhere it ends user name and password, and no message may show what is in front of it.
        let (front, behind) = rest.rsplit_once('@').unwrap_or((rest, ""));
        let has_at = front.len() < rest.len();
        let host = match front.split_once('/') {
            _ if front.contains('@') || behind.contains('/') => Err(user_info()),
            None if has_at => Err(user_info()),
            None => Err(invalid(format!(
                "{} has no name of a repository: the first part is always the host, as in `host/name`",
                excerpt(rest)
            ))),
            Some((host, _)) if has_at => check_host(host).map_err(|_| user_info()),
            Some((host, _)) => check_host(host),
        }?;
        let (_, path) = rest.split_once('/').unwrap_or_default();
        let (name, tag, digest) = split_name(path.strip_prefix('/').unwrap_or(path));
        Ok(Parts { scheme, host, name, tag, digest })
    }

    pub(super) fn address(&self) -> Result<Address> {
        check_repository_name(self.name)?;
        let length = self.host.len() + 1 + self.name.len();
        if length > MAX_NAME {
            return Err(invalid(format!("host and name together have {length} characters; 255 are allowed")));
        }
        Ok(Address::Registry { scheme: self.scheme, host: self.host.clone(), name: self.name.to_owned() })
    }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str)> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok((Scheme::Https, text));
    };
    if scheme.eq_ignore_ascii_case("https") {
        Ok((Scheme::Https, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Ok((Scheme::Http, rest))
    } else {
        Err(invalid(
            "an address begins with `https://`, `http://`, `oci-layout:` or the host, and nothing else",
        ))
    }
}

/// Cuts `path[:tag][@digest]`; tag and digest are looked for behind the last slash.
pub(super) fn split_name(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let last = text.rfind('/').map_or(0, |slash| slash + 1);
    let (text, digest) = match text[last..].find('@') {
        Some(at) => (&text[..last + at], Some(&text[last + at + 1..])),
        None => (text, None),
    };
    match text[last..].rfind(':') {
        Some(colon) => (&text[..last + colon], Some(&text[last + colon + 1..]), digest),
        None => (text, None, digest),
    }
}

pub(super) fn layout(path: &str) -> Result<Address> {
    if path.is_empty() {
        return Err(invalid("`oci-layout:` must be followed by a path"));
    }
    if path.contains('\0') {
        return Err(invalid("a path has no NUL character"));
    }
    Ok(Address::Layout { path: PathBuf::from(path) })
}

/// Checks `host[:port]` and gives it in lower case.
fn check_host(text: &str) -> Result<String> {
    let (host, port) = match text.rsplit_once(':') {
        // The last colon of a bare IPv6 address is inside the brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let mut canonical = if let Some(inside) = host.strip_prefix('[') {
        let address: Option<Ipv6Addr> = inside.strip_suffix(']').and_then(|inside| inside.parse().ok());
        let address = address
            .ok_or_else(|| invalid(format!("{} is not an IPv6 address in brackets", excerpt(host))))?;
        format!("[{address}]")
    } else {
        check_host_name(host)?;
        host.to_ascii_lowercase()
    };
    if let Some(port) = port {
        let number = Some(port).filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
        let number = number.and_then(|port| port.parse::<u16>().ok()).filter(|number| *number != 0);
        // Not shown: it may be a password that was written without the `@` behind it.
        let number = number.ok_or_else(|| {
            invalid(format!("the port behind the host {} is not a number from 1 to 65535", excerpt(host)))
        })?;
        canonical.push_str(&format!(":{number}"));
    }
    Ok(canonical)
}

fn check_host_name(host: &str) -> Result<()> {
    let is_label = |label: &str| {
        label.len() <= 63
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let reason = if host.is_empty() {
        "it is empty"
    } else if host.contains(':') {
        "an IPv6 address must be in brackets, as in `[::1]:5000`"
    } else if host.len() > 253 || !host.split('.').all(is_label) {
        "only letters, digits and `-` are allowed between dots, at most 63 of them, and no `-` at either end"
    } else {
        return Ok(());
    };
    Err(invalid(format!("{} is not a host: {reason}", excerpt(host))))
}

fn user_info() -> Error {
    invalid(
        "what stands in front of the `@` is not a host and a name; user name and password do not belong in an \
         address, give them to the client",
    )
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidReference, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_is_always_the_host() {
        for (text, scheme, host, name) in [
            (
                "myregistry.azurecr.io/sample-artifact",
                Scheme::Https,
                "myregistry.azurecr.io",
                "sample-artifact",
            ),
            ("https://host/name", Scheme::Https, "host", "name"),
            ("HTTP://HOST/name", Scheme::Http, "host", "name"),
            ("library/nginx", Scheme::Https, "library", "nginx"),
            ("localhost:5000/a/b/c", Scheme::Https, "localhost:5000", "a/b/c"),
            ("http://127.0.0.1:5000/a", Scheme::Http, "127.0.0.1:5000", "a"),
            ("http://127.0.0.1:5000//sample-artifact", Scheme::Http, "127.0.0.1:5000", "sample-artifact"),
            ("[::1]/a", Scheme::Https, "[::1]", "a"),
            ("[FE80::0:1]:05000/a", Scheme::Https, "[fe80::1]:5000", "a"),
            ("host:65535/a.b_c__d---e", Scheme::Https, "host:65535", "a.b_c__d---e"),
        ] {
            let expected = Address::Registry { scheme, host: host.to_owned(), name: name.to_owned() };
            assert_eq!(Address::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_layout_is_any_path() {
        for path in ["a", "./a b", "/x/y:z", "../ä@b", "https://x"] {
            let address = Address::parse(&format!("oci-layout:{path}")).unwrap();
            assert_eq!(address, Address::Layout { path: PathBuf::from(path) });
            assert_eq!(address.to_string(), format!("oci-layout:{path}"));
        }
        for text in ["oci-layout:", "oci-layout:a\0b"] {
            assert_eq!(Address::parse(text).unwrap_err().kind(), ErrorKind::InvalidReference);
        }
    }

    #[test]
    fn a_malformed_address_is_refused_with_the_reason() {
        let long = format!("host/{}", "a".repeat(251));
        let longest_label = format!("{}/a", "h".repeat(64));
        for (text, reason) in [
            ("", "is empty"),
            ("https://", "is empty"),
            ("nginx", "the first part is always the host"),
            ("https://host", "has no name of a repository"),
            ("host/", "it is empty"),
            ("host//", "it is empty"),
            ("host///name", "is empty"),
            ("host/name/", "is empty"),
            ("host/a//b", "is empty"),
            ("/name", "is not a host: it is empty"),
            ("https:///name", "is not a host: it is empty"),
            ("https://Bad Host/x", "`Bad Host` is not a host"),
            ("-host/x", "is not a host"),
            ("a..b/x", "is not a host"),
            ("under_score/x", "is not a host"),
            ("höst/x", "is not a host"),
            ("host\r\nx:/y", "is not a host"),
            (&longest_label, "at most 63"),
            ("::1/x", "must be in brackets"),
            ("[::1/x", "IPv6"),
            ("[::g]:1/x", "IPv6"),
            ("[::1]x/x", "IPv6"),
            ("host:/x", "not a number from 1 to 65535"),
            ("host:0/x", "not a number from 1 to 65535"),
            ("host:65536/x", "not a number from 1 to 65535"),
            ("host:+80/x", "not a number from 1 to 65535"),
            ("host/Name", "repository names are lower case"),
            ("host/na me", "only lower-case letters"),
            ("host/näme", "only lower-case letters"),
            ("host/a___b", "between letters or digits"),
            ("host/a..b", "between letters or digits"),
            ("host/a._b", "between letters or digits"),
            ("host/.a", "between letters or digits"),
            ("host/a-", "between letters or digits"),
            ("host/..", "between letters or digits"),
            (&long, "255"),
            ("host/name:demo", "the tag `demo` does not belong"),
            ("host/name@sha256:abc", "the digest `sha256:abc` does not belong"),
            ("host/name:demo@sha256:abc", "does not belong"),
            ("host/name?x=y", "no query"),
            ("host/name#x", "no query"),
            ("docker://host/name", "begins with `https://`"),
            ("HTTP:/host/name", "not a number"),
            ("user@host/name", "user name and password do not belong"),
        ] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidReference, "{text}");
            assert!(error.message().contains(reason), "{text}: {error}");
            assert!(!error.message().contains(['\r', '\n']), "{text}: {error}");
        }
    }

    #[test]
    fn an_error_shows_only_the_start_of_long_input() {
        for text in
            [format!("host/{}", "A".repeat(100_000)), "B".repeat(100_000), format!("{}/a", "-".repeat(9999))]
        {
            assert!(Address::parse(&text).unwrap_err().message().len() < 500);
        }
    }

    #[test]
    fn the_longest_name_is_255_characters_with_its_host() {
        assert!(Address::parse(&format!("host/{}", "a".repeat(250))).is_ok());
        assert!(check_repository_name(&"a".repeat(255)).is_ok());
        assert!(check_repository_name(&"a".repeat(256)).is_err());
    }
}
