//! Image manifests, which also describe every other artifact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json::{self, null_is_default};
use super::raw::Head;
use super::{Descriptor, RawManifest, ToManifest, media_type};
use crate::error::{Error, ErrorKind, Result};

/// A manifest: a config and layers, and what they are (image-spec 1.1, "OCI Image Manifest Specification").
///
/// What is built here is written as the same compact JSON every time, always with its `mediaType`. What was read by
/// [`from_bytes`](Manifest::from_bytes) keeps its exact bytes until it is changed, and members that this version does
/// not know even then.
///
/// ```
/// use ocireg::{Descriptor, Digest, Manifest, ToManifest, media_type};
///
/// let layer = Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(b"hello"), 5);
/// let manifest = Manifest::artifact("application/vnd.example.greeting").layer(layer);
/// println!("{}", manifest.to_manifest()?.digest());
/// # Ok::<(), ocireg::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Manifest {
    fields: Fields,
    /// The document that this was read from, until something is changed.
    received: Option<RawManifest>,
    /// Built here: rules for new documents apply that a received one may break.
    built: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    schema_version: u8,
    #[serde(default)]
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    config: Descriptor,
    #[serde(default, deserialize_with = "null_is_default")]
    layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    extra: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// A manifest with this config and no layers yet.
    pub fn new(config: Descriptor) -> Manifest {
        Manifest {
            fields: Fields {
                schema_version: 2,
                media_type: media_type::IMAGE_MANIFEST.to_owned(),
                artifact_type: None,
                config,
                layers: Vec::new(),
                subject: None,
                annotations: BTreeMap::new(),
                extra: BTreeMap::new(),
            },
            received: None,
            built: true,
        }
    }

    /// An artifact of this type that has no config: the [empty descriptor](Descriptor::empty) stands in its place. When
    /// no layer is added, the empty descriptor is also its only layer (image-spec, "Guidelines for Artifact Usage").
    pub fn artifact(artifact_type: impl Into<String>) -> Manifest {
        Manifest::new(Descriptor::empty()).with_artifact_type(artifact_type)
    }

    /// Reads a manifest that was received; its exact bytes are kept. Docker's image manifests have the same form and
    /// are read too.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidManifest`] when it is larger than 4 MiB, is not JSON of this form, has a name twice, has
    /// another `schemaVersion` than 2 or another `mediaType`, or could also be taken for an index.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Manifest> {
        let bytes = bytes.into();
        let head = Head::read(&bytes)?;
        head.check_version()?;
        let media_type = head.media_type_among([media_type::IMAGE_MANIFEST, media_type::DOCKER_MANIFEST])?;
        let mut fields: Fields = json::read(&bytes)?;
        fields.media_type = media_type.to_owned();
        Ok(Manifest { fields, received: Some(RawManifest::new(media_type, bytes)), built: false })
    }

    /// Adds a layer after those that are there.
    pub fn layer(mut self, layer: Descriptor) -> Manifest {
        self.change().layers.push(layer);
        self
    }

    /// Adds layers after those that are there.
    pub fn with_layers(mut self, layers: impl IntoIterator<Item = Descriptor>) -> Manifest {
        self.change().layers.extend(layers);
        self
    }

    /// The manifest that this one refers to: this becomes one of its referrers.
    pub fn with_subject(mut self, subject: Descriptor) -> Manifest {
        self.change().subject = Some(subject);
        self
    }

    /// Adds an annotation, or replaces the one with this key.
    pub fn with_annotation(mut self, key: impl Into<String>, value: impl Into<String>) -> Manifest {
        self.change().annotations.insert(key.into(), value.into());
        self
    }

    /// The type of the artifact, a media type.
    pub fn with_artifact_type(mut self, artifact_type: impl Into<String>) -> Manifest {
        self.change().artifact_type = Some(artifact_type.into());
        self
    }

    /// The manifest's own media type.
    pub fn media_type(&self) -> &str {
        &self.fields.media_type
    }

    /// The type of the artifact.
    pub fn artifact_type(&self) -> Option<&str> {
        self.fields.artifact_type.as_deref()
    }

    /// The config.
    pub fn config(&self) -> &Descriptor {
        &self.fields.config
    }

    /// The layers that were added or received, in order.
    pub fn layers(&self) -> &[Descriptor] {
        &self.fields.layers
    }

    /// The manifest that this one refers to.
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

impl ToManifest for Manifest {
    fn to_manifest(&self) -> Result<RawManifest> {
        if let Some(received) = &self.received {
            return Ok(received.clone());
        }
        let mut fields = self.fields.clone();
        if self.built && fields.config.media_type() == media_type::EMPTY {
            if fields.artifact_type.is_none() {
                return Err(Error::new(
                    ErrorKind::InvalidManifest,
                    "a manifest whose config is empty needs an artifact type",
                ));
            }
            if fields.layers.is_empty() {
                fields.layers.push(Descriptor::empty());
            }
        }
        if let Some(artifact_type) = fields.artifact_type.as_deref().filter(|_| self.built) {
            media_type::check(artifact_type)?;
        }
        json::write(&fields.media_type, &fields)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::digest::Digest;
    use crate::model::annotation;

    fn blob(content: &str) -> Descriptor {
        Descriptor::new(media_type::OCTET_STREAM, Digest::sha256(content.as_bytes()), content.len() as u64)
    }

    fn text(manifest: &Manifest) -> String {
        String::from_utf8(manifest.to_manifest().unwrap().bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_sample_manifest_has_these_bytes() {
        let manifest = Manifest::new(blob("Sample config").with_media_type(media_type::IMAGE_CONFIG))
            .layer(blob("Sample layer").with_media_type(media_type::IMAGE_LAYER));
        let raw = manifest.to_manifest().unwrap();
        raw.validate().unwrap();
        assert!(!raw.uses_empty_descriptor());
        assert_eq!(
            text(&manifest),
            concat!(
                r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#,
                r#""config":{"mediaType":"application/vnd.oci.image.config.v1+json","#,
                r#""digest":"sha256:df9f97944d92fcfe0337f2f97202a24e614483bacca59e14419d153b59cd3c54","size":13},"#,
                r#""layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","#,
                r#""digest":"sha256:828dee73d26c173f8b8a6a266607b10b8e562d7920c6436997dd032461584c4b","size":12}]}"#,
            )
        );
        assert_eq!(
            raw.digest().as_str(),
            "sha256:6c112766946a96eea3a9e1ee664c879f8a71be1701e2c781b2576c1ac90e3ca8"
        );
    }

    #[test]
    fn members_are_written_in_the_order_of_the_specification() {
        let manifest = Manifest::new(blob("c"))
            .with_annotation("b", "2")
            .with_annotation("a", "1")
            .with_subject(blob("s"))
            .with_layers([blob("x"), blob("y")])
            .with_artifact_type("application/vnd.example");
        manifest.to_manifest().unwrap().validate().unwrap();
        let json = text(&manifest);
        let names =
            ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"];
        let found: Vec<_> = names.iter().map(|name| json.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(found.is_sorted(), "{json}");
        assert!(json.ends_with(r#""annotations":{"a":"1","b":"2"}}"#));
        assert_eq!(json, text(&manifest.clone()));
    }

    #[test]
    fn an_artifact_without_blobs_has_the_empty_descriptor_as_config_and_layer() {
        let manifest = Manifest::artifact("application/vnd.example");
        let empty = serde_json::to_value(Descriptor::empty()).unwrap();
        let json: Value = serde_json::from_str(&text(&manifest)).unwrap();
        assert_eq!(json["config"], empty);
        assert_eq!(json["layers"], json!([empty]));
        assert_eq!(json["artifactType"], "application/vnd.example");

        let with_layer: Value = serde_json::from_str(&text(&manifest.layer(blob("x")))).unwrap();
        assert_eq!(with_layer["layers"].as_array().unwrap().len(), 1);
        assert_eq!(with_layer["layers"][0]["size"], 1);
    }

    #[test]
    fn the_artifact_type_must_be_there_where_the_config_is_empty_and_be_a_media_type() {
        for manifest in
            [Manifest::new(Descriptor::empty()), Manifest::artifact(""), Manifest::artifact("no-slash")]
        {
            assert_eq!(manifest.to_manifest().unwrap_err().kind(), ErrorKind::InvalidManifest);
        }
    }

    const RECEIVED: &str = r#" { "layers" : [], "future": {"b": [1.5, null], "a": "\u00fc"},
        "config": {"size":2,"mediaType":"application/vnd.oci.empty.v1+json","x-more": true,
        "digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
        "annotations": null, "schemaVersion": 2 }
"#;

    #[test]
    fn a_received_manifest_keeps_its_exact_bytes() {
        let manifest = Manifest::from_bytes(RECEIVED).unwrap();
        assert_eq!(text(&manifest), RECEIVED);
        let raw = manifest.to_manifest().unwrap();
        raw.validate().unwrap();
        assert_eq!(raw.digest(), &Digest::sha256(RECEIVED.as_bytes()));
        assert_eq!(raw.media_type(), media_type::IMAGE_MANIFEST);
    }

    #[test]
    fn a_received_manifest_that_is_changed_keeps_its_unknown_members() {
        let manifest = Manifest::from_bytes(RECEIVED).unwrap().with_annotation(annotation::TITLE, "new");
        let json: Value = serde_json::from_str(&text(&manifest)).unwrap();
        assert_eq!(json["future"], json!({"b": [1.5, null], "a": "ü"}));
        assert_eq!(json["config"]["x-more"], true);
        assert_eq!(json["mediaType"], media_type::IMAGE_MANIFEST);
        assert_eq!(json["layers"], json!([]));
        assert_eq!(json["annotations"], json!({annotation::TITLE: "new"}));
    }

    #[test]
    fn a_docker_manifest_stays_one() {
        let json =
            text(&Manifest::new(blob("c"))).replace(media_type::IMAGE_MANIFEST, media_type::DOCKER_MANIFEST);
        let manifest = Manifest::from_bytes(json).unwrap().layer(blob("x"));
        let raw = manifest.to_manifest().unwrap();
        assert_eq!(raw.media_type(), media_type::DOCKER_MANIFEST);
        raw.validate().unwrap();
    }

    #[test]
    fn a_document_that_is_no_manifest_is_refused() {
        let good = text(&Manifest::new(blob("c")));
        Manifest::from_bytes(good.clone()).unwrap();
        for (bad, reason) in [
            (String::new(), "not a JSON object"),
            ("[]".to_owned(), "not a JSON object"),
            ("{}".to_owned(), "schemaVersion"),
            (good[..good.len() - 1].to_owned(), "not JSON"),
            (format!("{good}{{}}"), "not JSON"),
            (good.replace(":2,", ":1,"), "`schemaVersion` is not 2"),
            (good.replace(":2,", ":\"2\","), "`schemaVersion` is not 2"),
            (good.replace("image.manifest", "image.index"), "its `mediaType` is"),
            (good.replace("\"layers\":[]", "\"manifests\":[]"), "of an index"),
            (good.replace("\"layers\"", "\"schemaVersion\""), "occurs twice"),
            (good.replace("\"size\":1", "\"size\":1,\"siz\\u0065\":2"), "`size` occurs twice"),
            (good.replace("\"size\":1", "\"size\":-1"), "malformed"),
            (good.replace("\"size\":1", "\"size\":9223372036854775808"), "int64"),
            (good.replace("sha256:", "sha256:x"), "is not a digest"),
            (good.replace("config", "konfig"), "config"),
            (format!("{good}{}", " ".repeat(4 << 20)), "at most 4194304"),
            (format!("{{\"a\":{}", "[".repeat(100_000)), "recursion"),
        ] {
            let error = Manifest::from_bytes(bad.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidManifest);
            assert!(error.message().contains(reason), "{bad:.200}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_input_makes_the_reader_panic(bytes: Vec<u8>, cut: prop::sample::Index, byte: u8) {
            let _ = Manifest::from_bytes(bytes);
            let mut damaged = text(&Manifest::artifact("application/vnd.example").with_subject(blob("s"))).into_bytes();
            let at = cut.index(damaged.len());
            damaged[at] = byte;
            if let Ok(manifest) = Manifest::from_bytes(damaged.clone()) {
                let raw = manifest.to_manifest().unwrap();
                prop_assert_eq!(raw.bytes(), &damaged[..]);
            }
        }

        #[test]
        fn what_is_built_reads_back_the_same(
            sizes in prop::collection::vec(0..=i64::MAX as u64, 0..4),
            annotations: std::collections::BTreeMap<String, String>,
        ) {
            let layers = sizes.iter().map(|size| {
                Descriptor::new(media_type::IMAGE_LAYER, Digest::sha256(&size.to_le_bytes()), *size)
            });
            let mut built = Manifest::new(blob("c")).with_layers(layers);
            for (key, value) in &annotations {
                built = built.with_annotation(key, value);
            }
            let read = Manifest::from_bytes(text(&built)).unwrap();
            prop_assert_eq!(read.layers(), built.layers());
            prop_assert_eq!(read.annotations(), &annotations);
            prop_assert_eq!(text(&read.with_layers([])), text(&built));
        }
    }
}
