//! Image indexes: lists of manifests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json::{self, null_is_default};
use super::raw::Head;
use super::{Descriptor, RawManifest, ToManifest, media_type};
use crate::error::Result;

/// An index: a list of manifests, for example of one image for several platforms (image-spec 1.1, "OCI Image Index
/// Specification").
///
/// Bytes and unknown members are kept as in a [`Manifest`](crate::Manifest).
#[derive(Debug, Clone)]
pub struct Index {
    fields: Fields,
    /// The document that this was read from, until something is changed.
    received: Option<RawManifest>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    schema_version: u8,
    #[serde(default)]
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(deserialize_with = "null_is_default")]
    manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    extra: BTreeMap<String, serde_json::Value>,
}

impl Index {
    /// An index of no manifests.
    pub fn new() -> Index {
        Index {
            fields: Fields {
                schema_version: 2,
                media_type: media_type::IMAGE_INDEX.to_owned(),
                artifact_type: None,
                manifests: Vec::new(),
                subject: None,
                annotations: BTreeMap::new(),
                extra: BTreeMap::new(),
            },
            received: None,
        }
    }

    /// Reads an index that was received; its exact bytes are kept. Docker's manifest lists have the same form and are
    /// read too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidManifest`](crate::ErrorKind::InvalidManifest) when it is larger than 4 MiB, is not JSON of
    /// this form, has a name twice, has another `schemaVersion` than 2 or another `mediaType`, or could also be taken
    /// for a manifest.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Index> {
        let bytes = bytes.into();
        let head = Head::read(&bytes)?;
        head.check_version()?;
        let media_type =
            head.media_type_among([media_type::IMAGE_INDEX, media_type::DOCKER_MANIFEST_LIST])?;
        let mut fields: Fields = json::read(&bytes)?;
        fields.media_type = media_type.to_owned();
        Ok(Index { fields, received: Some(RawManifest::new(media_type, bytes)) })
    }

    /// Adds a manifest after those that are there.
    pub fn manifest(mut self, manifest: Descriptor) -> Index {
        self.change().manifests.push(manifest);
        self
    }

    /// Adds manifests after those that are there.
    pub fn with_manifests(mut self, manifests: impl IntoIterator<Item = Descriptor>) -> Index {
        self.change().manifests.extend(manifests);
        self
    }

    /// The manifest that this index refers to: this becomes one of its referrers.
    pub fn with_subject(mut self, subject: Descriptor) -> Index {
        self.change().subject = Some(subject);
        self
    }

    /// Adds an annotation, or replaces the one with this key.
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Index {
        self.change().annotations.insert(key.into(), value.into());
        self
    }

    /// The type of the artifact, a media type.
    pub fn with_artifact_type(mut self, artifact_type: impl Into<String>) -> Index {
        self.change().artifact_type = Some(artifact_type.into());
        self
    }

    /// The index's own media type.
    pub fn media_type(&self) -> &str {
        &self.fields.media_type
    }

    /// The type of the artifact.
    pub fn artifact_type(&self) -> Option<&str> {
        self.fields.artifact_type.as_deref()
    }

    /// The manifests, in order.
    pub fn manifests(&self) -> &[Descriptor] {
        &self.fields.manifests
    }

    /// The manifest that this index refers to.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.fields.subject.as_ref()
    }

    /// Keys and values; the keys that the image-spec defines are in [`annotation`](crate::annotation).
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.fields.annotations
    }

    fn change(&mut self) -> &mut Fields {
        self.received = None;
        &mut self.fields
    }
}

impl Default for Index {
    fn default() -> Index {
        Index::new()
    }
}

impl ToManifest for Index {
    fn to_manifest(&self) -> Result<RawManifest> {
        match &self.received {
            Some(received) => Ok(received.clone()),
            None => json::write(&self.fields.media_type, &self.fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::digest::Digest;
    use crate::model::Platform;

    fn entry(content: &[u8]) -> Descriptor {
        Descriptor::new(media_type::IMAGE_MANIFEST, Digest::sha256(content), content.len() as u64)
    }

    fn text(index: &Index) -> String {
        String::from_utf8(index.to_manifest().unwrap().bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_empty_index_has_these_bytes() {
        let index = Index::new();
        assert_eq!(
            text(&index),
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        );
        index.to_manifest().unwrap().validate().unwrap();
    }

    #[test]
    fn an_index_reads_back_the_same() {
        let platform = Platform::new("linux", "arm64")
            .with_variant("v8")
            .with_os_version("1")
            .with_os_features(["f"])
            .with_features(["g"]);
        let index = Index::new()
            .manifest(entry(b"1").with_platform(platform.clone()))
            .with_manifests([entry(b"2")])
            .with_subject(entry(b"3"))
            .with_artifact_type("application/vnd.example")
            .with_annotation("k", "v");
        let raw = index.to_manifest().unwrap();
        raw.validate().unwrap();
        assert_eq!(raw.descriptor().artifact_type(), Some("application/vnd.example"));
        let read = Index::from_bytes(raw.bytes()).unwrap();
        assert_eq!(read.manifests(), index.manifests());
        assert_eq!(read.manifests()[0].platform(), Some(&platform));
        assert_eq!(read.subject(), index.subject());
        assert_eq!(text(&read.with_annotation("k", "v")), text(&index));
    }

    #[test]
    fn a_received_index_keeps_its_bytes_and_unknown_members() {
        let received = r#"{ "schemaVersion": 2, "manifests": null, "future": [1, 2] }"#;
        let index = Index::from_bytes(received).unwrap();
        assert_eq!(text(&index), received);
        assert_eq!(index.media_type(), media_type::IMAGE_INDEX);
        let json: Value = serde_json::from_str(&text(&index.manifest(entry(b"1")))).unwrap();
        assert_eq!(json["future"], json!([1, 2]));
        assert_eq!(json["manifests"][0]["size"], 1);
    }

    #[test]
    fn a_document_that_is_no_index_is_refused() {
        for (bad, reason) in [
            (r#"{"schemaVersion":2}"#, "manifests"),
            (r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, "of an index"),
            (r#"{"schemaVersion":2,"manifests":[],"config":{}}"#, "of an index"),
            (r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#, "occurs twice"),
            (
                r#"{"schemaVersion":2,"manifests":[],"mediaType":"application/vnd.oci.image.manifest.v1+json"}"#,
                "mediaType",
            ),
            (r#"{"manifests":[]}"#, "schemaVersion"),
            (r#"{"schemaVersion":2,"manifests":[1]}"#, "malformed"),
        ] {
            let error = Index::from_bytes(bad).unwrap_err();
            assert!(error.message().contains(reason), "{bad}: {error}");
        }
    }
}
