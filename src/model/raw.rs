//! A manifest as the bytes that a registry stores, and what must be true of them before they are sent.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::json::{self, null_is_default};
use super::{Descriptor, media_type};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result, excerpt};

/// What [`Repository::upload_manifest`](crate::Repository::upload_manifest) takes: something that has the exact bytes
/// of a manifest.
pub trait ToManifest {
    /// The media type and the exact bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidManifest`] when what was built is not a manifest.
    fn to_manifest(&self) -> Result<RawManifest>;
}

impl<T: ToManifest + ?Sized> ToManifest for &T {
    fn to_manifest(&self) -> Result<RawManifest> {
        (**self).to_manifest()
    }
}

/// A manifest of any type: a media type and the exact bytes. Cheap to clone.
///
/// Nothing is checked before the upload, where a malformed manifest is refused before a byte is sent.
#[derive(Clone)]
pub struct RawManifest {
    inner: Arc<Inner>,
}

struct Inner {
    media_type: String,
    bytes: Vec<u8>,
    digest: OnceLock<Digest>,
}

impl RawManifest {
    /// Size of the largest manifest that is uploaded or read, in bytes: 4 MiB. The distribution-spec asks registries to
    /// take at least this much, and the common ones take no more.
    pub const MAX_SIZE: u64 = 4 * 1024 * 1024;

    /// A manifest with this media type and these bytes.
    pub fn new(media_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> RawManifest {
        RawManifest {
            inner: Arc::new(Inner {
                media_type: media_type.into(),
                bytes: bytes.into(),
                digest: OnceLock::new(),
            }),
        }
    }

    /// The media type.
    pub fn media_type(&self) -> &str {
        &self.inner.media_type
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.inner.bytes
    }

    /// The sha256 digest of the bytes.
    pub fn digest(&self) -> &Digest {
        self.inner.digest.get_or_init(|| Digest::sha256(&self.inner.bytes))
    }

    /// A descriptor that points at this manifest, with its artifact type where the document has one.
    pub fn descriptor(&self) -> Descriptor {
        let descriptor = Descriptor::new(self.media_type(), self.digest().clone(), self.bytes().len() as u64);
        match json::read::<Head>(self.bytes()) {
            Ok(Head { artifact_type: Some(artifact_type), .. }) => {
                descriptor.with_artifact_type(artifact_type)
            }
            _ => descriptor,
        }
    }

    /// Checks what must be true before the manifest is sent: see [`ErrorKind::InvalidManifest`].
    ///
    /// Of types that are not known here, only the outside is checked: what their members mean is not known either.
    pub(crate) fn validate(&self) -> Result<()> {
        media_type::check(self.media_type())?;
        let head = Head::read(self.bytes())?;
        if let Some(inside) = head.media_type.as_deref().filter(|inside| *inside != self.media_type()) {
            return Err(invalid(format!(
                "its `mediaType` is {}, but it is uploaded as {}",
                excerpt(inside),
                excerpt(self.media_type())
            )));
        }
        match self.media_type() {
            media_type::IMAGE_MANIFEST | media_type::DOCKER_MANIFEST => {
                head.check_version()?;
                if head.config.is_none() {
                    return Err(invalid("it has no `config`"));
                }
            }
            media_type::IMAGE_INDEX | media_type::DOCKER_MANIFEST_LIST => {
                head.check_version()?;
                if head.manifests.is_none() {
                    return Err(invalid("it has no `manifests`"));
                }
            }
            ARTIFACT_MANIFEST => {}
            _ => return Ok(()),
        }
        json::read::<Parts>(self.bytes())?.check()
    }

    /// Whether the blob `{}` must be there before the manifest can be uploaded.
    pub(crate) fn uses_empty_descriptor(&self) -> bool {
        json::read::<Parts>(self.bytes()).is_ok_and(|parts| {
            parts.config.iter().chain(&parts.layers).chain(&parts.blobs).any(Descriptor::is_empty_descriptor)
        })
    }
}

impl ToManifest for RawManifest {
    fn to_manifest(&self) -> Result<RawManifest> {
        Ok(self.clone())
    }
}

impl PartialEq for RawManifest {
    fn eq(&self, other: &RawManifest) -> bool {
        self.media_type() == other.media_type() && self.bytes() == other.bytes()
    }
}

impl Eq for RawManifest {}

impl fmt::Debug for RawManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawManifest({}, {} bytes)", self.media_type(), self.bytes().len())
    }
}

/// Of a release candidate of image-spec 1.1; still found at registries.
const ARTIFACT_MANIFEST: &str = "application/vnd.oci.artifact.manifest.v1+json";

/// What tells one kind of document from another.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    schema_version: Option<serde_json::Value>,
    pub(super) media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    manifests: Option<IgnoredAny>,
}

impl Head {
    /// Reads any document, and refuses one that can be taken for two kinds: a manifest here, an index there
    /// (CVE-2021-41190).
    pub(super) fn read(bytes: &[u8]) -> Result<Head> {
        json::check_object(bytes)?;
        let head: Head = json::read(bytes)?;
        if head.manifests.is_some() && (head.layers.is_some() || head.config.is_some()) {
            return Err(invalid(
                "it has the members of a manifest (`config`, `layers`) and of an index (`manifests`)",
            ));
        }
        Ok(head)
    }

    pub(super) fn check_version(&self) -> Result<()> {
        match &self.schema_version {
            Some(version) if version.as_u64() == Some(2) => Ok(()),
            Some(_) => Err(invalid("its `schemaVersion` is not 2")),
            None => Err(invalid("it has no `schemaVersion`")),
        }
    }

    /// The document's media type, which must be one of these; the first stands for none.
    pub(super) fn media_type_among(&self, allowed: [&'static str; 2]) -> Result<&'static str> {
        let Some(media_type) = &self.media_type else {
            return Ok(allowed[0]);
        };
        allowed.into_iter().find(|one| one == media_type).ok_or_else(|| {
            invalid(format!("its `mediaType` is {}, not `{}`", excerpt(media_type), allowed[0]))
        })
    }
}

/// Every descriptor of a document of any kind.
#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    layers: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    manifests: Vec<Descriptor>,
    #[serde(default, deserialize_with = "null_is_default")]
    blobs: Vec<Descriptor>,
    #[serde(default)]
    subject: Option<Descriptor>,
}

impl Parts {
    fn check(&self) -> Result<()> {
        for (name, one) in [("config", &self.config), ("subject", &self.subject)] {
            if let Some(descriptor) = one {
                descriptor.check().map_err(|error| invalid(format!("`{name}`: {}", error.message())))?;
            }
        }
        for (name, list) in [("layers", &self.layers), ("manifests", &self.manifests), ("blobs", &self.blobs)]
        {
            for (position, descriptor) in list.iter().enumerate() {
                descriptor
                    .check()
                    .map_err(|error| invalid(format!("`{name}[{position}]`: {}", error.message())))?;
            }
        }
        Ok(())
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidManifest, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Manifest;

    const CONFIG: &str = r#""config":{"mediaType":"a/b","digest":"a:b","size":0}"#;

    fn manifest(members: &str) -> RawManifest {
        RawManifest::new(media_type::IMAGE_MANIFEST, format!(r#"{{"schemaVersion":2,{members}}}"#))
    }

    #[test]
    fn the_bytes_are_kept_and_their_digest_is_that_of_the_descriptor() {
        let raw = manifest(&format!(r#" {CONFIG}, "artifactType": "x/y" "#));
        let copy = raw.to_manifest().unwrap();
        assert_eq!(copy, raw);
        assert_eq!(copy.bytes().as_ptr(), raw.bytes().as_ptr(), "the bytes are shared");
        let descriptor = raw.descriptor();
        assert_eq!(descriptor.digest(), &Digest::sha256(raw.bytes()));
        assert_eq!(descriptor.size(), raw.bytes().len() as u64);
        assert_eq!(descriptor.artifact_type(), Some("x/y"));
        assert_eq!(RawManifest::new("a/b", "no json").descriptor().artifact_type(), None);
    }

    #[test]
    fn a_malformed_manifest_is_found_before_it_is_sent() {
        manifest(CONFIG).validate().unwrap();
        let descriptors = [
            ("{}", "digest"),
            (r#"{"mediaType":"a/b","digest":"a:b"}"#, "size"),
            (r#"{"mediaType":"a/b","digest":"a:b","size":-1}"#, "malformed"),
            (r#"{"mediaType":"a/b","digest":"a:b","size":9223372036854775808}"#, "int64"),
            (r#"{"mediaType":"a/b","digest":"sha256:A","size":1}"#, "is not a digest"),
            (r#"{"mediaType":"a","digest":"a:b","size":1}"#, "media type"),
            (r#"{"digest":"a:b","size":1}"#, "media type"),
        ];
        for (descriptor, reason) in descriptors {
            for (place, members) in [
                ("config", format!(r#""config":{descriptor},"layers":[]"#)),
                (
                    "layers[1]",
                    format!(
                        r#"{CONFIG},"layers":[{{"mediaType":"a/b","digest":"a:b","size":0}},{descriptor}]"#
                    ),
                ),
                ("subject", format!(r#"{CONFIG},"subject":{descriptor}"#)),
            ] {
                let error = manifest(&members).validate().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidManifest);
                assert!(error.message().contains(reason), "{members}: {error}");
                if reason == "media type" {
                    assert!(error.message().starts_with(&format!("`{place}`: ")), "{error}");
                }
            }
            let index = format!(r#"{{"schemaVersion":2,"manifests":[{descriptor}]}}"#);
            assert!(RawManifest::new(media_type::IMAGE_INDEX, index).validate().is_err());
        }
    }

    #[test]
    fn documents_that_are_not_what_their_media_type_says_are_refused() {
        let config = format!("{{\"schemaVersion\":2,{CONFIG}}}");
        for (media_type, document, reason) in [
            ("application", "{}", "media type"),
            ("application/json; charset=utf-8", "{}", "parameters"),
            ("application/json", "", "not a JSON object"),
            ("application/json", "[]", "not a JSON object"),
            ("application/json", "{\"a\":1,\"a\":1}", "occurs twice"),
            ("application/json", "{\"a\":\"\u{0}\"}", "not JSON"),
            ("application/json", "{\"manifests\":[],\"config\":1}", "of an index"),
            ("application/json", "{\"mediaType\":\"text/plain\"}", "its `mediaType` is `text/plain`"),
            (media_type::IMAGE_MANIFEST, "{\"schemaVersion\":2}", "no `config`"),
            (media_type::IMAGE_INDEX, &config, "no `manifests`"),
            (media_type::IMAGE_MANIFEST, "{\"config\":{}}", "no `schemaVersion`"),
        ] {
            let error = RawManifest::new(media_type, document).validate().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidManifest);
            assert!(error.message().contains(reason), "{document}: {error}");
        }
        let not_utf8 = b"{\"a\":\"\xff\"}";
        assert!(RawManifest::new("application/json", *not_utf8).validate().is_err());
    }

    #[test]
    fn documents_of_unknown_types_are_not_looked_into() {
        RawManifest::new("application/vnd.example+json", r#"{"config":"mine","layers":3}"#)
            .validate()
            .unwrap();
    }

    #[test]
    fn a_manifest_of_4_mib_is_taken_and_one_byte_more_is_not() {
        let document = |size: usize| {
            let frame = r#"{"a":""}"#.len();
            RawManifest::new("application/json", format!(r#"{{"a":"{}"}}"#, "x".repeat(size - frame)))
        };
        document(4 << 20).validate().unwrap();
        let error = document((4 << 20) + 1).validate().unwrap_err();
        assert!(error.message().contains("4194305 bytes"), "{error}");
    }

    #[test]
    fn the_use_of_the_empty_descriptor_is_seen_in_config_and_layers() {
        let empty = Descriptor::empty();
        let other = Descriptor::new("a/b", Digest::sha256(b"x"), 1);
        let artifact = Manifest::artifact("a/b").layer(other.clone());
        assert!(artifact.to_manifest().unwrap().uses_empty_descriptor());
        let layer = Manifest::new(other.clone()).layer(other.clone()).layer(empty.with_media_type("c/d"));
        assert!(layer.to_manifest().unwrap().uses_empty_descriptor());
        assert!(!Manifest::new(other).to_manifest().unwrap().uses_empty_descriptor());
        assert!(!RawManifest::new("a/b", "not JSON").uses_empty_descriptor());
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_check_panic(bytes: Vec<u8>, media_type in "(\\PC{0,9}|application/vnd.oci.image.(manifest|index).v1\\+json)") {
            let raw = RawManifest::new(media_type, bytes);
            let _ = (raw.validate(), raw.uses_empty_descriptor(), raw.descriptor());
        }
    }
}
