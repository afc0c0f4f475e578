//! Descriptors: how a manifest points at content.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json::{self, null_is_default};
use super::{Platform, media_type};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};

/// Points at content: its media type, digest and size, and what else is known about it (image-spec, "OCI Content
/// Descriptors").
///
/// Members that this version does not know are kept when a descriptor is read and written again.
///
/// ```
/// use ocireg::{Descriptor, Digest, annotation, media_type};
///
/// let content = b"Sample layer";
/// let layer = Descriptor::new(media_type::IMAGE_LAYER, Digest::sha256(content), content.len() as u64)
///     .with_annotation(annotation::TITLE, "sample.txt");
/// assert_eq!(layer.size(), 12);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    media_type: String,
    digest: Digest,
    #[serde(deserialize_with = "read_size")]
    size: u64,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    urls: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(default, with = "base64_data", skip_serializing_if = "Option::is_none")]
    data: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
    #[serde(flatten)]
    extra: BTreeMap<String, serde_json::Value>,
}

/// The image-spec makes `size` an int64.
const MAX_SIZE: u64 = i64::MAX as u64;

impl Descriptor {
    /// The content of the empty descriptor: `{}`.
    pub const EMPTY_CONTENT: &'static [u8] = b"{}";

    /// A descriptor of content with this media type, digest and size in bytes.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Descriptor {
        Descriptor {
            media_type: media_type.into(),
            digest,
            size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            data: None,
            artifact_type: None,
            platform: None,
            extra: BTreeMap::new(),
        }
    }

    /// The empty descriptor, which stands where a manifest needs one and there is nothing to point at (image-spec,
    /// "Guidance for an Empty Descriptor"). Its blob is [`EMPTY_CONTENT`](Descriptor::EMPTY_CONTENT), which
    /// [`Repository::upload_manifest`](crate::Repository::upload_manifest) uploads by itself.
    pub fn empty() -> Descriptor {
        let content = Descriptor::EMPTY_CONTENT;
        Descriptor::new(media_type::EMPTY, Digest::sha256(content), content.len() as u64)
    }

    /// The same content under another media type.
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Descriptor {
        self.media_type = media_type.into();
        self
    }

    /// Adds an annotation, or replaces the one with this key.
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Descriptor {
        self.annotations.insert(key.into(), value.into());
        self
    }

    /// The type of the artifact, when the content is a manifest.
    pub fn with_artifact_type(mut self, artifact_type: impl Into<String>) -> Descriptor {
        self.artifact_type = Some(artifact_type.into());
        self
    }

    /// What the content runs on; for the entries of an index.
    pub fn with_platform(mut self, platform: Platform) -> Descriptor {
        self.platform = Some(platform);
        self
    }

    /// Where else the content can be downloaded.
    pub fn with_urls(mut self, urls: impl IntoIterator<Item = impl Into<String>>) -> Descriptor {
        self.urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// The content itself, for something small. It must have the size and digest of the descriptor.
    pub fn with_data(mut self, data: impl Into<Vec<u8>>) -> Descriptor {
        self.data = Some(data.into());
        self
    }

    /// The media type; empty when a received document leaves it out.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// The digest of the content.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The size of the content in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where else the content can be downloaded.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Keys and values; the keys that the image-spec defines are in [`annotation`](crate::annotation).
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The content itself, where the descriptor carries it. Not verified for a received descriptor.
    pub fn data(&self) -> Option<&[u8]> {
        self.data.as_deref()
    }

    /// The type of the artifact, when the content is a manifest.
    pub fn artifact_type(&self) -> Option<&str> {
        self.artifact_type.as_deref()
    }

    /// What the content runs on.
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// Whether this points at the two bytes `{}`, under any media type.
    pub fn is_empty_descriptor(&self) -> bool {
        self.size == Descriptor::EMPTY_CONTENT.len() as u64
            && self
                .digest
                .known_algorithm()
                .is_ok_and(|a| Digest::of(a, Descriptor::EMPTY_CONTENT) == self.digest)
    }

    /// Reads a descriptor from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidManifest`] when it is not a JSON object, has no well-formed `digest` and `size`, or has a
    /// name twice.
    pub fn from_json(json: &[u8]) -> Result<Descriptor> {
        json::check_object(json)?;
        json::read(json)
    }

    /// The descriptor as compact JSON, the same every time.
    pub fn to_json(&self) -> String {
        // Every key is a string and no value has a serialiser that fails.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Checks what a descriptor must be to be uploaded as part of a manifest.
    pub(super) fn check(&self) -> Result<()> {
        media_type::check(&self.media_type)?;
        if self.size > MAX_SIZE {
            return Err(invalid(format!("the size {} does not fit an int64", self.size)));
        }
        if let Some(data) = &self.data {
            let size = data.len() as u64;
            if size != self.size {
                return Err(invalid(format!("`data` has {size} bytes, not {} as `size` says", self.size)));
            }
            if let Ok(algorithm) = self.digest.known_algorithm()
                && Digest::of(algorithm, data) != self.digest
            {
                return Err(invalid(format!("`data` does not have the digest {}", self.digest)));
            }
        }
        Ok(())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidManifest, message)
}

fn read_size<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    if size > MAX_SIZE {
        return Err(serde::de::Error::custom("`size` does not fit an int64"));
    }
    Ok(size)
}

/// Bytes that are base64 in JSON.
mod base64_data {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(data: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match data {
            Some(data) => serializer.serialize_str(&STANDARD.encode(data)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let data = STANDARD.decode(text).map_err(|_| D::Error::custom("`data` is not base64"))?;
        Ok(Some(data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(content: &[u8]) -> Descriptor {
        Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(content), content.len() as u64)
    }

    #[test]
    fn every_member_is_written_and_read_back() {
        let descriptor = small(b"hi")
            .with_media_type("text/plain")
            .with_urls(["https://a", "https://b"])
            .with_annotation("k", "v")
            .with_data(*b"hi")
            .with_artifact_type("application/vnd.example")
            .with_platform(Platform::new("linux", "amd64"));
        let json = descriptor.to_json();
        assert_eq!(
            json,
            concat!(
                r#"{"mediaType":"text/plain","#,
                r#""digest":"sha256:8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4","size":2,"#,
                r#""urls":["https://a","https://b"],"annotations":{"k":"v"},"data":"aGk=","#,
                r#""artifactType":"application/vnd.example","platform":{"architecture":"amd64","os":"linux"}}"#,
            )
        );
        assert_eq!(Descriptor::from_json(json.as_bytes()).unwrap(), descriptor);
        descriptor.check().unwrap();
    }

    #[test]
    fn unknown_members_are_kept() {
        let json = r#"{"digest":"a:b","size":0,"annotations":null,"platform":{"os":"x","y":1},"z":[{}]}"#;
        let descriptor = Descriptor::from_json(json.as_bytes()).unwrap();
        assert_eq!(descriptor.media_type(), "");
        assert_eq!(descriptor.to_json(), r#"{"digest":"a:b","size":0,"platform":{"os":"x","y":1},"z":[{}]}"#);
    }

    #[test]
    fn the_empty_descriptor_points_at_an_empty_object() {
        let empty = Descriptor::empty();
        assert!(empty.is_empty_descriptor());
        assert!(empty.clone().with_data(Descriptor::EMPTY_CONTENT).is_empty_descriptor());
        assert_eq!(empty.digest(), &Digest::sha256(b"{}"));
        assert_eq!((empty.size(), empty.media_type()), (2, "application/vnd.oci.empty.v1+json"));
        assert!(!small(b"[]").is_empty_descriptor());
    }

    #[test]
    fn what_must_not_be_uploaded_is_found() {
        for (descriptor, reason) in [
            (small(b"x").with_media_type(""), "is empty"),
            (small(b"x").with_media_type("text"), "has no `/`"),
            (Descriptor::new("a/b", Digest::sha256(b""), 1 << 63), "int64"),
            (small(b"x").with_data(*b"xy"), "`data` has 2 bytes, not 1"),
            (small(b"x").with_data(*b"y"), "`data` does not have the digest"),
        ] {
            let error = descriptor.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidManifest);
            assert!(error.message().contains(reason), "{error}");
        }
    }

    #[test]
    fn malformed_descriptors_are_refused() {
        for json in [
            "",
            "1",
            r#"{"size":0}"#,
            r#"{"digest":"a:b"}"#,
            r#"{"digest":"a:b","size":"0"}"#,
            r#"{"digest":"a:b","size":0.5}"#,
            r#"{"digest":"a:b","size":0,"data":"***"}"#,
            r#"{"digest":"a:b","size":0,"z":{"y":1,"y":1}}"#,
        ] {
            assert_eq!(
                Descriptor::from_json(json.as_bytes()).unwrap_err().kind(),
                ErrorKind::InvalidManifest,
                "{json}"
            );
        }
        let long = format!(r#"{{"digest":"a:b","size":"{}"}}"#, "x".repeat(100_000));
        assert!(Descriptor::from_json(long.as_bytes()).unwrap_err().message().len() < 1000);
    }
}
