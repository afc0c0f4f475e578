//! How manifests in repositories are named: tags and references, by a strict grammar.

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::error::{Error, Result, excerpt};

mod address;

pub(crate) use address::check_repository_name;
pub use address::{Address, Scheme};
use address::{LAYOUT, Parts, invalid, layout, split_name};

/// A name that a manifest can have in its repository: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (distribution-spec).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

impl Tag {
    /// Parses a tag.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`](crate::ErrorKind::InvalidReference) says what is wrong.
    pub fn parse(text: &str) -> Result<Tag> {
        let reason = match text.bytes().next() {
            None => "it is empty",
            Some(b'.' | b'-') => "it must not begin with `.` or `-`",
            Some(_) if text.len() > 128 => "it is longer than 128 characters",
            Some(_) if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) => {
                "only letters, digits, `.`, `_` and `-` are allowed"
            }
            Some(_) => return Ok(Tag(text.to_owned())),
        };
        Err(invalid(format!("{} is not a tag: {reason}", excerpt(text))))
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Tag> {
        Tag::parse(text)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A manifest in a repository: an address, with `:TAG` or `@DIGEST` or both behind it.
///
/// In `oci-layout:PATH:TAG` the tag follows the last `:` behind the last `/`, so that directories whose names have a
/// colon can be named with a `/` at their end.
///
/// ```
/// use ocireg::Reference;
///
/// let reference: Reference = "myregistry.azurecr.io/sample-artifact:demo".parse()?;
/// assert_eq!(reference.tag().map(|tag| tag.as_str()), Some("demo"));
/// assert_eq!(reference.address().to_string(), "myregistry.azurecr.io/sample-artifact");
/// # Ok::<(), ocireg::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    address: Address,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses a reference. One with neither tag nor digest names the repository.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`](crate::ErrorKind::InvalidReference) says which part is wrong and what is
    /// allowed; so does [`ErrorKind::InvalidDigest`](crate::ErrorKind::InvalidDigest) for a digest.
    pub fn parse(text: &str) -> Result<Reference> {
        if let Some(rest) = text.strip_prefix(LAYOUT) {
            let (path, tag, digest) = split_name(rest);
            return Ok(Reference {
                address: layout(path)?,
                tag: tag.map(Tag::parse).transpose()?,
                digest: digest.map(Digest::parse).transpose()?,
            });
        }
        let parts = Parts::split(text)?;
        // First: what is in front of an `@` that no digest follows may be a password and must not be shown.
        let digest = parts.digest.map(Digest::parse).transpose()?;
        Ok(Reference { address: parts.address()?, tag: parts.tag.map(Tag::parse).transpose()?, digest })
    }

    /// The repository.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The tag, where there is one.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, where there is one. It then decides, whatever the tag points at.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Reference> {
        Reference::parse(text)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// An address or reference as an error shows it while it is not known to be one: bounded, and without what may be a
/// password or a secret in a query.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    let mut shown = String::new();
    let rest = match text.rsplit_once('@') {
        Some((_, behind)) if !text.starts_with(LAYOUT) && Reference::parse(text).is_err() => {
            shown.push_str("…@");
            behind
        }
        _ => text,
    };
    let end = if text.starts_with(LAYOUT) { None } else { rest.find(['?', '#']) };
    let rest = &rest[..end.unwrap_or(rest.len())];
    shown.extend(rest.chars().take(MOST).flat_map(char::escape_debug));
    if rest.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;

    const DIGEST: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn a_reference_has_a_tag_or_a_digest_or_both_or_none() {
        for (text, address, tag, digest) in [
            ("host/name", "host/name", None, None),
            ("host:5000/name:demo", "host:5000/name", Some("demo"), None),
            (&format!("http://host/a/b@{DIGEST}"), "http://host/a/b", None, Some(DIGEST)),
            (&format!("[::1]:5000/a:1@{DIGEST}"), "[::1]:5000/a", Some("1"), Some(DIGEST)),
            ("oci-layout:dir", "oci-layout:dir", None, None),
            ("oci-layout:dir:demo", "oci-layout:dir", Some("demo"), None),
            ("oci-layout:/a:b/dir", "oci-layout:/a:b/dir", None, None),
            ("oci-layout:/a@b:c/dir:x:demo", "oci-layout:/a@b:c/dir:x", Some("demo"), None),
            ("oci-layout:a:b/", "oci-layout:a:b/", None, None),
            (&format!("oci-layout:./dir@{DIGEST}"), "oci-layout:./dir", None, Some(DIGEST)),
            (&format!("oci-layout:./dir:demo@{DIGEST}"), "oci-layout:./dir", Some("demo"), Some(DIGEST)),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!(reference.address().to_string(), address, "{text}");
            assert_eq!(reference.tag().map(Tag::as_str), tag, "{text}");
            assert_eq!(reference.digest().map(Digest::as_str), digest, "{text}");
            assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn malformed_references_are_refused() {
        for (text, kind) in [
            ("host/name:", ErrorKind::InvalidReference),
            ("host/name:a:b", ErrorKind::InvalidReference),
            ("host/name@", ErrorKind::InvalidDigest),
            ("host/name@sha256:abc", ErrorKind::InvalidDigest),
            ("host/name@demo", ErrorKind::InvalidDigest),
            ("host/name:ü", ErrorKind::InvalidReference),
            ("oci-layout:", ErrorKind::InvalidReference),
            ("oci-layout::demo", ErrorKind::InvalidReference),
            ("oci-layout:dir:", ErrorKind::InvalidReference),
            ("oci-layout:dir@x", ErrorKind::InvalidDigest),
        ] {
            assert_eq!(Reference::parse(text).unwrap_err().kind(), kind, "{text}");
        }
    }

    #[test]
    fn tags_follow_the_grammar() {
        for text in ["a", "_", "1.0", "V2-rc.1_x", &"a".repeat(128)] {
            assert_eq!(text.parse::<Tag>().unwrap().to_string(), text);
        }
        for text in ["", ".a", "-a", "a b", "a/b", "a:b", "a+b", "ä", "a\n", &"a".repeat(129)] {
            let error = text.parse::<Tag>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidReference);
            assert!(error.message().contains("is not a tag"), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for text in [
            "https://user:hunter2@host/name",
            "https://user:hunter2@host/name:demo",
            "https://user:hunter2@host",
            "user:hunter2@host/name",
            "user:hunter2/x@host/name",
            "user:5000/hunter2@host/name",
            "user:5000/Hunter2@host",
            "user:5000/x:hunter2@host",
            "user:hun@ter2@host/name",
            "user:5000/hun@hunter2/x@host/name",
            "user:hunter2?x@host/name",
            "user:hunter2#x@host/name",
            "user:://hunter2@host/name",
            "hunter2@host/name",
            "http://:hunter2@/",
        ] {
            for error in [Reference::parse(text).unwrap_err(), Address::parse(text).unwrap_err()] {
                let message = format!("{error} {error:?}").to_lowercase();
                assert!(!message.contains("ter2"), "{text}: {message}");
            }
            assert!(!shown(text).to_lowercase().contains("ter2"), "{}", shown(text));
        }
        assert!(Address::parse("https://user:x@host/name").unwrap_err().message().contains("password"));
    }

    #[test]
    fn what_is_not_a_reference_is_shown_bounded_and_without_secrets() {
        let long = format!("{}@host/name", "p".repeat(300));
        for (text, expected) in [
            ("https://Bad Host/x", "https://Bad Host/x"),
            ("https://user:x@host/name", "…@host/name"),
            ("host/name?token=x", "host/name"),
            ("host/name\n:demo", "host/name\\n:demo"),
            ("oci-layout:/a@b?c/d e", "oci-layout:/a@b?c/d e"),
            (&long, "…@host/name"),
            (&format!("host/name@{DIGEST}"), &format!("host/name@{DIGEST}")),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown(&"x".repeat(300)).chars().count(), 201);
    }

    fn any_text() -> impl Strategy<Value = String> {
        let part = prop_oneof!["[a-z0-9._-]{0,5}", Just(DIGEST.to_owned()), "[A-Z\\PC]{0,3}", "[0-9]{1,6}"];
        let mark = prop_oneof![
            Just(""),
            Just("/"),
            Just("//"),
            Just(":"),
            Just("@"),
            Just("https://"),
            Just("http://"),
            Just("oci-layout:"),
            Just("[::1]"),
        ];
        prop::collection::vec((mark, part), 0..7)
            .prop_map(|pieces| pieces.into_iter().map(|(mark, part)| format!("{mark}{part}")).collect())
    }

    proptest! {
        #[test]
        fn what_parses_comes_back_from_its_own_text(text in any_text()) {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()).unwrap(), reference);
            }
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(&address.to_string()).unwrap(), address);
            }
            if let Ok(tag) = Tag::parse(&text) {
                prop_assert_eq!(tag.as_str(), text);
            }
        }

        #[test]
        fn well_formed_references_parse(
            scheme in "(https?://)?",
            host in "([a-z0-9]{1,8}\\.){0,2}[a-z0-9]{1,8}(:[1-9][0-9]{0,3})?",
            name in "[a-z0-9]{1,4}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}(/[a-z0-9]{1,4}((\\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}){0,2}",
            tag in "(:[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20})?",
        ) {
            let text = format!("{scheme}{host}/{name}{tag}@{DIGEST}");
            let reference = Reference::parse(&text).unwrap();
            prop_assert_eq!(reference.to_string(), text.strip_prefix("https://").unwrap_or(&text));
        }
    }
}
