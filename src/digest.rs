//! Content digests, such as `sha256:6c3c624b58db…` (image-spec, "Digests"), and how they are computed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

use crate::error::{Error, ErrorKind, Result, excerpt};

/// A digest algorithm that ocireg computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256: the one that every registry takes.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name in front of the colon of a digest, such as `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The digest of some content: `algorithm:encoded`.
///
/// Every digest that follows the grammar of the image-spec can be held; [`Algorithm`] lists those that can also be
/// computed here. The registered algorithms sha256, sha512 and blake3 must have their exact length in lower-case
/// hexadecimal digits.
///
/// ```
/// use ocireg::Digest;
///
/// let digest = Digest::sha256(b"{}");
/// assert_eq!(digest.algorithm(), "sha256");
/// assert_eq!(digest.to_string().parse::<Digest>()?, digest);
/// # Ok::<(), ocireg::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    text: String,
    /// Where the colon is.
    colon: usize,
}

/// Longest digest that is taken, in bytes. sha512 has 135.
const MAX_LENGTH: usize = 512;

impl Digest {
    /// Parses `algorithm:encoded`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidDigest`] says which part is wrong.
    pub fn parse(text: &str) -> Result<Digest> {
        if text.len() > MAX_LENGTH {
            return Err(invalid(text, format_args!("it is longer than {MAX_LENGTH} bytes")));
        }
        let Some((algorithm, encoded)) = text.split_once(':') else {
            return Err(invalid(
                text,
                "it has no `:`; a digest reads `algorithm:encoded`, such as `sha256:6c3c…`",
            ));
        };
        if !is_algorithm(algorithm) {
            return Err(invalid(
                text,
                "the algorithm must be lower-case letters and digits, such as `sha256`",
            ));
        }
        match hex_length(algorithm) {
            Some(length) if encoded.len() != length || !encoded.bytes().all(is_lower_hex) => {
                return Err(invalid(
                    text,
                    format_args!("{algorithm} needs exactly {length} lower-case hexadecimal digits"),
                ));
            }
            None if encoded.is_empty() || !encoded.bytes().all(is_encoded) => {
                return Err(invalid(text, "only letters, digits, `=`, `_` and `-` may follow the `:`"));
            }
            _ => {}
        }
        Ok(Digest { text: text.to_owned(), colon: algorithm.len() })
    }

    /// The digest of these bytes.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The sha256 digest of these bytes.
    pub fn sha256(bytes: &[u8]) -> Digest {
        Digest::of(Algorithm::Sha256, bytes)
    }

    /// The whole digest, `algorithm:encoded`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of the algorithm: what stands before the colon.
    pub fn algorithm(&self) -> &str {
        &self.text[..self.colon]
    }

    /// The hash itself: what follows the colon.
    pub fn encoded(&self) -> &str {
        &self.text[self.colon + 1..]
    }

    /// The algorithm, if digests of this kind can be computed here.
    pub(crate) fn known_algorithm(&self) -> Result<Algorithm> {
        match self.algorithm() {
            "sha256" => Ok(Algorithm::Sha256),
            "sha512" => Ok(Algorithm::Sha512),
            other => Err(Error::new(
                ErrorKind::InvalidDigest,
                format!(
                    "a digest of the algorithm {} cannot be computed here, only sha256 and sha512",
                    excerpt(other)
                ),
            )),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.text)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Digest> {
        Digest::parse(text)
    }
}

impl TryFrom<&str> for Digest {
    type Error = Error;

    fn try_from(text: &str) -> Result<Digest> {
        Digest::parse(text)
    }
}

impl AsRef<str> for Digest {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        Digest::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Computes a digest piece by piece.
#[derive(Debug, Clone)]
pub struct Hasher {
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    /// A hasher that has seen no bytes.
    pub fn new(algorithm: Algorithm) -> Hasher {
        let state = match algorithm {
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            Algorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
        };
        Hasher { state }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        match self.state {
            State::Sha256(state) => from_hash(Algorithm::Sha256, &state.finalize()),
            State::Sha512(state) => from_hash(Algorithm::Sha512, &state.finalize()),
        }
    }

    /// A hasher of the same algorithm that has seen no bytes.
    pub(crate) fn fresh(&self) -> Hasher {
        Hasher::new(match self.state {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        })
    }
}

fn from_hash(algorithm: Algorithm, hash: &[u8]) -> Digest {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let name = algorithm.name();
    let mut text = String::with_capacity(name.len() + 1 + 2 * hash.len());
    text.push_str(name);
    text.push(':');
    for byte in hash {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    Digest { text, colon: name.len() }
}

/// `component ([+._-] component)*`, a component being `[a-z0-9]+`.
fn is_algorithm(text: &str) -> bool {
    text.split(['+', '.', '_', '-'])
        .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// How many hexadecimal digits a digest of a registered algorithm has.
fn hex_length(algorithm: &str) -> Option<usize> {
    match algorithm {
        "sha256" | "blake3" => Some(64),
        "sha512" => Some(128),
        _ => None,
    }
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn is_encoded(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'_' | b'-')
}

fn invalid(text: &str, reason: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidDigest, format!("{} is not a digest: {reason}", excerpt(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY_OBJECT: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    #[test]
    fn the_digest_of_known_content_is_the_known_digest() {
        assert_eq!(Digest::sha256(b"{}").as_str(), EMPTY_OBJECT);
        assert_eq!(
            Digest::of(Algorithm::Sha512, b"abc").as_str(),
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
             454d4423643ce80e2a9ac94fa54ca49f"
        );
    }

    #[test]
    fn hashing_in_pieces_gives_the_digest_of_the_whole() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"Sample ");
            let fresh = hasher.fresh();
            hasher.update(b"config");
            assert_eq!(hasher.finish(), Digest::of(algorithm, b"Sample config"));
            assert_eq!(fresh.finish(), Digest::of(algorithm, b""));
        }
    }

    #[test]
    fn digests_of_other_algorithms_are_held_but_not_computed() {
        for text in [
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564",
            "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
            "blake3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        ] {
            let digest = Digest::parse(text).unwrap();
            assert_eq!(format!("{}:{}", digest.algorithm(), digest.encoded()), text);
            let error = digest.known_algorithm().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidDigest);
            assert!(error.message().contains("cannot be computed here"), "{error}");
        }
        assert_eq!(Digest::sha256(b"").known_algorithm().unwrap(), Algorithm::Sha256);
    }

    #[test]
    fn malformed_digests_are_refused() {
        let upper = EMPTY_OBJECT.to_uppercase().replace("SHA256", "sha256");
        let long = format!("x:{}", "a".repeat(MAX_LENGTH));
        for text in [
            "",
            "sha256",
            ":",
            "sha256:",
            "sha256:abc",
            &EMPTY_OBJECT[..EMPTY_OBJECT.len() - 1],
            &format!("{EMPTY_OBJECT}0"),
            &upper,
            "SHA256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "sha512:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "a++b:x",
            "+a:x",
            "a:b:c",
            "a:b/../c",
            "a:b\n",
            &long,
        ] {
            let error = Digest::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidDigest);
            assert!(error.message().len() < 600 && !error.message().contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_digest_is_a_string_in_json() {
        let json = format!("\"{EMPTY_OBJECT}\"");
        let digest: Digest = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&digest).unwrap(), json);
        assert!(serde_json::from_str::<Digest>("\"sha256:1\"").is_err());
    }

    proptest! {
        #[test]
        fn any_text_parses_to_itself_or_not_at_all(text in "\\PC*|[a-z0-9+._-]{0,9}:[a-zA-Z0-9=_-]{0,70}") {
            if let Ok(digest) = Digest::parse(&text) {
                prop_assert_eq!(digest.to_string(), text);
            }
        }

        #[test]
        fn any_content_has_a_digest_that_parses(content: Vec<u8>) {
            for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
                let digest = Digest::of(algorithm, &content);
                prop_assert_eq!(Digest::parse(digest.as_str()).unwrap(), digest);
            }
        }
    }
}
