//! Absolute http and https URLs: parsing, joining and comparing by origin (RFC 3986 section 5, RFC 6454 section 4).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;
use ureq::http::uri::PathAndQuery;

use crate::error::{Error, ErrorKind, Result};
use crate::reference::Scheme;

/// An absolute URL without user information and fragment.
///
/// `Display` leaves the query out: it can carry the signature of a storage host or the state of an upload session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    scheme: Scheme,
    /// `host` or `host:port` as it was written; IPv6 in brackets.
    authority: String,
    /// Begins with a slash.
    path_and_query: String,
}

/// Who is spoken to: credentials of one origin are never sent to another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) scheme: Scheme,
    /// Lower case, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Url {
    /// The URL of a path (beginning with a slash) at a host that an address names.
    pub(crate) fn at(scheme: Scheme, authority: &str, path: &str) -> Result<Url> {
        Url::parse(&format!("{}://{authority}{path}", scheme_name(scheme)))
    }

    pub(crate) fn parse(text: &str) -> Result<Url> {
        let text = text.split('#').next().unwrap_or_default();
        let uri: Uri = text.parse().map_err(|error| invalid(format!("it is not a URL: {error}")))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(invalid("its scheme is neither http nor https")),
        };
        let authority = uri.authority().ok_or_else(|| invalid("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("it carries a user name"));
        }
        let (host, port) = split_port(authority.as_str());
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        // The parts of a program that look at a host must not see different ones: no zones, nothing behind a bracket.
        let proper = match literal {
            Some(ip) => ip.parse::<Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
            }
        };
        if !proper {
            return Err(invalid("it names no proper host"));
        }
        if port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().is_err())
        {
            return Err(invalid("its port is not a number up to 65535"));
        }
        let path_and_query = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        if !path_and_query.is_ascii() {
            return Err(invalid("its path is not ASCII"));
        }
        let path_and_query = if path_and_query.starts_with('/') {
            path_and_query.to_owned()
        } else {
            format!("/{path_and_query}")
        };
        Ok(Url { scheme, authority: authority.as_str().to_ascii_lowercase(), path_and_query })
    }

    /// Resolves a `Location` or `Link` target against this URL; its query is kept as it is.
    pub(crate) fn join(&self, target: &str) -> Result<Url> {
        if has_scheme(target) {
            return Url::parse(target);
        }
        if target.starts_with("//") {
            return Url::parse(&format!("{}:{target}", scheme_name(self.scheme)));
        }
        let path = self.path();
        let joined = match target.chars().next() {
            None | Some('#') => self.path_and_query.clone(),
            Some('/') => target.to_owned(),
            Some('?') => format!("{path}{target}"),
            Some(_) => {
                let directory = path.rfind('/').map_or("/", |slash| &path[..=slash]);
                format!("{directory}{target}")
            }
        };
        let (path, query) = match joined.find('?') {
            Some(mark) => joined.split_at(mark),
            None => (joined.as_str(), ""),
        };
        Url::parse(&format!(
            "{}://{}{}{query}",
            scheme_name(self.scheme),
            self.authority,
            without_dot_segments(path)
        ))
    }

    /// Adds one parameter at the end of the query; name and value must need no escaping other than what is done here.
    pub(crate) fn with_parameter(mut self, name: &str, value: &str) -> Url {
        let separator = match self.path_and_query.find('?') {
            None => "?",
            Some(mark) if mark + 1 == self.path_and_query.len() => "",
            Some(_) if self.path_and_query.ends_with('&') => "",
            Some(_) => "&",
        };
        self.path_and_query.push_str(separator);
        self.path_and_query.push_str(name);
        self.path_and_query.push('=');
        for byte in value.bytes() {
            // Digests, tags and repository names keep their ':' and '/', which RFC 3986 allows in a query.
            if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
                self.path_and_query.push(char::from(byte));
            } else {
                self.path_and_query.push_str(&format!("%{byte:02X}"));
            }
        }
        self
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn origin(&self) -> Origin {
        let (host, port) = split_port(&self.authority);
        let default = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        let port = port.and_then(|port| port.parse().ok()).unwrap_or(default);
        Origin { scheme: self.scheme, host: bare(host).to_ascii_lowercase(), port }
    }

    /// The whole URL, to send a request to; never for a message.
    pub(crate) fn to_request_target(&self) -> String {
        format!("{}://{}{}", scheme_name(self.scheme), self.authority, self.path_and_query)
    }

    fn path(&self) -> &str {
        self.path_and_query.split('?').next().unwrap_or("/")
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", scheme_name(self.scheme), self.authority, self.path())
    }
}

impl Origin {
    /// Whether the host is this machine, a private network or a link-local address, written as a literal (or as
    /// `localhost`): where no registry on another host has a reason to send its clients.
    pub(crate) fn is_internal(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        if host == "localhost" || host.ends_with(".localhost") {
            return true;
        }
        match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => internal_v4(ip),
            Ok(IpAddr::V6(ip)) => {
                ip.is_loopback()
                    || ip.is_unspecified()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local()
                    || embedded_v4(ip).is_some_and(internal_v4)
            }
            // A host that ends in a number is an address to most resolvers ("127.1", "0x7f000001"), whatever its form.
            Err(_) => {
                let last = host.rsplit('.').next().unwrap_or_default();
                last.starts_with("0x") || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
            }
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brackets = self.host.contains(':');
        let (open, close) = if brackets { ("[", "]") } else { ("", "") };
        write!(f, "{}://{open}{}{close}:{}", scheme_name(self.scheme), self.host, self.port)
    }
}

fn internal_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    // RFC 6598; a cloud's metadata service is there.
    let shared = first == 100 && second & 0xc0 == 64;
    shared || first == 0 || ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_broadcast()
}

/// The IPv4 address that an IPv6 one stands for: mapped, translated (RFC 6052, RFC 2765) or compatible.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = ip.segments();
    let prefix = [a, b, c, d, e, f];
    let stands =
        matches!(prefix, [0, 0, 0, 0, 0, 0 | 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0]);
    let ([h1, h2], [l1, l2]) = (high.to_be_bytes(), low.to_be_bytes());
    stands.then(|| Ipv4Addr::new(h1, h2, l1, l2))
}

fn scheme_name(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}

fn has_scheme(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

/// RFC 3986 section 5.2.4.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// A host without the brackets of an IPv6 literal.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn invalid(reason: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Protocol, format!("cannot use the URL: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(base: &str, target: &str) -> String {
        Url::parse(base).unwrap().join(target).unwrap().to_request_target()
    }

    #[test]
    fn locations_are_joined_as_the_rfc_says() {
        let base = "https://host:5000/v2/a/blobs/uploads/?x=1";
        assert_eq!(join(base, "/v2/a/u/1?_state=a%3D&b"), "https://host:5000/v2/a/u/1?_state=a%3D&b");
        assert_eq!(join(base, "https://other/up?s=1#f"), "https://other/up?s=1");
        assert_eq!(join(base, "//other:1/up"), "https://other:1/up");
        assert_eq!(join(base, "id?s"), "https://host:5000/v2/a/blobs/uploads/id?s");
        assert_eq!(join(base, "../x/./y"), "https://host:5000/v2/a/blobs/x/y");
        assert_eq!(join(base, "?s=2"), "https://host:5000/v2/a/blobs/uploads/?s=2");
        assert_eq!(join(base, "/../../x/.."), "https://host:5000/");
        assert_eq!(join("http://h/a", "./b:c/d"), "http://h/b:c/d");
        assert!(Url::parse("http://h/a").unwrap().join("mailto:x").is_err());
    }

    #[test]
    fn a_parameter_is_added_with_the_right_separator() {
        let add =
            |base: &str| Url::parse(base).unwrap().with_parameter("digest", "sha256:ab+").to_request_target();
        assert_eq!(add("http://h/u"), "http://h/u?digest=sha256:ab%2B");
        assert_eq!(add("http://h/u?"), "http://h/u?digest=sha256:ab%2B");
        assert_eq!(add("http://h/u?s=1"), "http://h/u?s=1&digest=sha256:ab%2B");
        assert_eq!(add("http://h/u?s=1&"), "http://h/u?s=1&digest=sha256:ab%2B");
    }

    #[test]
    fn origins_compare_by_scheme_host_and_effective_port() {
        let origin = |text: &str| Url::parse(text).unwrap().origin();
        assert_eq!(origin("https://Host/a"), origin("https://host:443/b?c"));
        assert_ne!(origin("https://host"), origin("http://host"));
        assert_ne!(origin("https://host"), origin("https://host:444"));
        assert_eq!(origin("http://[::1]:5000/").host, "::1");
        assert_eq!(origin("http://[::1]:5000/").port, 5000);
    }

    #[test]
    fn internal_hosts_are_known_in_every_form() {
        let internal = |host: &str| Url::parse(&format!("http://{host}/")).unwrap().origin().is_internal();
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "127.1",
            "2130706433",
            "localhost.",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[::ffff:0:127.0.0.1]",
            "100.100.100.200",
            "127.0.0.1.",
            "0x7f000001",
        ] {
            assert!(internal(host), "{host}");
        }
        for host in ["registry.example", "8.8.8.8", "[2606:4700::1]", "myregistry.azurecr.io"] {
            assert!(!internal(host), "{host}");
        }
    }

    #[test]
    fn what_is_shown_has_no_query() {
        let url = Url::parse("https://h/up?sig=secret").unwrap();
        assert_eq!(url.to_string(), "https://h/up");
    }

    #[test]
    fn urls_that_are_not_ours_are_refused() {
        for text in [
            "ftp://h/x",
            "https://user:pass@h/x",
            "/only/a/path",
            "https://",
            "http:///x",
            "x y",
            "http://[::1]x:1/",
            "http://[::1].evil:1/",
            "http://[::1%1]/",
            "http://h:99999/",
            "http://h:/x",
            "http://h%31/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn joining_never_panics_and_never_leaves_http(target in ".{0,60}") {
            if let Ok(url) = Url::parse("https://h/a/b?c").unwrap().join(&target) {
                proptest::prop_assert!(url.to_request_target().starts_with("http"));
                proptest::prop_assert_eq!(Url::parse(&url.to_request_target()).unwrap(), url);
            }
        }
    }
}
