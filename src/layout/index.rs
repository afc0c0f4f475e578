//! The file `index.json`: what the layout holds, and under which tags (image-spec, "index.json file").

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::error::{Error, ErrorKind, Result, excerpt};
use crate::model::{Descriptor, annotation, media_type};
use crate::reference::Tag;

use super::atomic;

const NAME: &str = "index.json";

/// Room for more than a hundred thousand entries.
const LIMIT: u64 = 4 * 1024 * 1024;

/// The content of `index.json`. What is not named here is kept as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IndexFile {
    schema_version: u64,
    media_type: Option<String>,
    // Some programs write null for an empty list.
    manifests: Option<Vec<Entry>>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// One manifest in `index.json`, with one tag or none. What is not named here is kept as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    media_type: String,
    digest: String,
    size: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Map<String, Value>>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

impl Default for IndexFile {
    fn default() -> IndexFile {
        IndexFile {
            schema_version: 2,
            media_type: Some(media_type::IMAGE_INDEX.into()),
            manifests: Some(Vec::new()),
            other: Map::new(),
        }
    }
}

impl IndexFile {
    pub(super) fn exists(root: &Path) -> Result<bool> {
        Ok(atomic::regular_file_size(&root.join(NAME))?.is_some())
    }

    /// `None` when there is no such file.
    pub(super) fn read(root: &Path) -> Result<Option<IndexFile>> {
        let Some(bytes) = atomic::read_file(root, NAME, LIMIT)? else { return Ok(None) };
        IndexFile::parse(&bytes).map(Some).map_err(|what| atomic::invalid(&root.join(NAME), what))
    }

    pub(super) fn write(&self, root: &Path) -> Result<()> {
        let bytes = serde_json::to_vec(self)
            .map_err(|e| Error::new(ErrorKind::InvalidLayout, format!("cannot write {NAME}: {e}")))?;
        if bytes.len() as u64 > LIMIT {
            // It could not be read again.
            let message = format!("{NAME} would be larger than {LIMIT} bytes");
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        atomic::write_file(root, NAME, &bytes)
    }

    fn parse(bytes: &[u8]) -> std::result::Result<IndexFile, String> {
        let index: IndexFile = serde_json::from_slice(bytes)
            .map_err(|e| format!("is not an image index: {}", excerpt(&e.to_string())))?;
        if index.schema_version != 2 {
            return Err(format!("has the schema version {}; only 2 is supported", index.schema_version));
        }
        match index.media_type.as_deref() {
            None | Some(media_type::IMAGE_INDEX) => Ok(index),
            Some(other) => {
                Err(format!("has the media type {}, not `{}`", excerpt(other), media_type::IMAGE_INDEX))
            }
        }
    }

    /// That none of these tags is in use for another manifest.
    pub(super) fn check_tags(&self, new: &Entry, tags: &[Tag]) -> Result<()> {
        for tag in tags {
            let of_tag = |entry: &&Entry| entry.tag() == Some(tag.as_str());
            if let Some(other) = self.entries().iter().filter(of_tag).find(|entry| entry.digest != new.digest)
            {
                let message = format!(
                    "the tag {} points at {}, not at {}, and was not moved",
                    tag.as_str(),
                    excerpt(&other.digest),
                    new.digest
                );
                return Err(Error::new(ErrorKind::TagConflict, message));
            }
        }
        Ok(())
    }

    /// Lists the manifest under each tag, or, with no tags, once without one unless it is listed already. Says
    /// whether that changed anything.
    ///
    /// Another manifest that had one of the tags stays listed, without a tag, so that it is still found by its digest
    /// as at a registry; where another entry lists it as well, this one goes. Skopeo and oras do the same; umoci drops
    /// the entry always. An entry of this manifest that has no tag gets the first new one.
    pub(super) fn list(&mut self, new: &Entry, tags: &[Tag]) -> bool {
        let before = self.clone();
        self.media_type = Some(media_type::IMAGE_INDEX.into());
        let entries = self.manifests.get_or_insert_default();
        for tag in tags {
            list_under(entries, new, tag);
        }
        if tags.is_empty() && !entries.iter().any(|entry| entry.digest == new.digest) {
            entries.push(new.clone());
        }
        *self != before
    }

    fn entries(&self) -> &[Entry] {
        self.manifests.as_deref().unwrap_or_default()
    }
}

fn list_under(entries: &mut Vec<Entry>, new: &Entry, tag: &Tag) {
    let is_other = |entry: &Entry| entry.tag() == Some(tag.as_str()) && entry.digest != new.digest;
    while let Some(position) = entries.iter().position(is_other) {
        let mut other = entries.remove(position);
        if !entries.iter().any(|entry| entry.digest == other.digest) {
            other.remove_tag();
            entries.insert(position, other);
        }
    }
    let position_of = |tag| entries.iter().position(|entry| entry.digest == new.digest && entry.tag() == tag);
    match position_of(Some(tag.as_str())).or_else(|| position_of(None)) {
        Some(position) => entries[position].refresh(new, tag),
        None => {
            let mut entry = new.clone();
            entry.set_tag(tag);
            entries.push(entry);
        }
    }
}

impl Entry {
    pub(super) fn of(descriptor: &Descriptor) -> Result<Entry> {
        serde_json::to_value(descriptor)
            .and_then(serde_json::from_value)
            .map_err(|e| Error::new(ErrorKind::InvalidManifest, format!("cannot list the manifest: {e}")))
    }

    fn tag(&self) -> Option<&str> {
        self.annotations.as_ref()?.get(annotation::REF_NAME)?.as_str()
    }

    /// Takes over what the new descriptor says, and keeps the rest.
    fn refresh(&mut self, new: &Entry, tag: &Tag) {
        self.media_type.clone_from(&new.media_type);
        self.size.clone_from(&new.size);
        self.other.extend(new.other.clone());
        self.set_tag(tag);
    }

    fn set_tag(&mut self, tag: &Tag) {
        let annotations = self.annotations.get_or_insert_default();
        annotations.insert(annotation::REF_NAME.into(), tag.as_str().into());
    }

    fn remove_tag(&mut self) {
        if let Some(annotations) = &mut self.annotations {
            annotations.remove(annotation::REF_NAME);
            if annotations.is_empty() {
                self.annotations = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn entry(content: &str) -> Entry {
        let digest = Digest::sha256(content.as_bytes());
        Entry::of(&Descriptor::new(media_type::IMAGE_MANIFEST, digest, content.len() as u64)).unwrap()
    }

    fn tags(names: &[&str]) -> Vec<Tag> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    /// Digest and tag of each entry, in order.
    fn listed(index: &IndexFile) -> Vec<(String, Option<&str>)> {
        index.entries().iter().map(|entry| (entry.digest.clone(), entry.tag())).collect()
    }

    fn json(index: &IndexFile) -> Value {
        serde_json::to_value(index).unwrap()
    }

    #[test]
    fn a_new_index_has_its_media_type_and_an_empty_list() {
        let text = serde_json::to_string(&IndexFile::default()).unwrap();
        assert_eq!(
            text,
            r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        );
    }

    #[test]
    fn each_tag_is_an_entry() {
        let (a, mut index) = (entry("a"), IndexFile::default());
        assert!(index.list(&a, &tags(&["one", "two"])));
        assert_eq!(listed(&index), [(a.digest.clone(), Some("one")), (a.digest.clone(), Some("two"))]);
        assert!(!index.list(&a, &tags(&["two", "one"])), "nothing is left to do");
    }

    #[test]
    fn a_manifest_without_a_tag_is_listed_once() {
        let (a, mut index) = (entry("a"), IndexFile::default());
        assert!(index.list(&a, &[]));
        assert!(!index.list(&a, &[]));
        assert_eq!(listed(&index), [(a.digest.clone(), None)]);
        index.list(&a, &tags(&["one"]));
        assert_eq!(listed(&index), [(a.digest.clone(), Some("one"))], "the entry gets the tag");
        assert!(!index.list(&a, &[]), "it is listed under its tag");
    }

    #[test]
    fn a_manifest_that_loses_its_only_tag_stays_listed() {
        let (a, b, mut index) = (entry("a"), entry("b"), IndexFile::default());
        index.list(&a, &tags(&["demo"]));
        index.list(&b, &tags(&["demo"]));
        assert_eq!(listed(&index), [(a.digest.clone(), None), (b.digest.clone(), Some("demo"))]);
        assert!(json(&index)["manifests"][0].get("annotations").is_none());
    }

    #[test]
    fn a_manifest_that_keeps_another_tag_is_not_listed_without_one() {
        let (a, b, mut index) = (entry("a"), entry("b"), IndexFile::default());
        index.list(&a, &tags(&["demo", "kept"]));
        index.list(&b, &tags(&["demo"]));
        assert_eq!(listed(&index), [(a.digest.clone(), Some("kept")), (b.digest.clone(), Some("demo"))]);
    }

    #[test]
    fn a_tag_that_two_entries_have_is_left_with_one() {
        let (a, b, c, mut index) = (entry("a"), entry("b"), entry("c"), IndexFile::default());
        for old in [&a, &b] {
            let mut old = old.clone();
            old.set_tag(&tags(&["demo"])[0]);
            index.manifests.get_or_insert_default().push(old);
        }
        index.list(&c, &tags(&["demo"]));
        assert_eq!(listed(&index), [(a.digest, None), (b.digest, None), (c.digest, Some("demo"))]);
    }

    #[test]
    fn a_tag_of_another_manifest_is_a_conflict_with_both_digests() {
        let (a, b, mut index) = (entry("a"), entry("b"), IndexFile::default());
        index.list(&a, &tags(&["demo"]));
        index.check_tags(&a, &tags(&["demo", "new"])).unwrap();
        let error = index.check_tags(&b, &tags(&["new", "demo"])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TagConflict);
        for part in ["demo", &a.digest, &b.digest] {
            assert!(error.message().contains(part), "{error}");
        }
    }

    #[test]
    fn what_others_wrote_is_kept() {
        let a = entry("a");
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[
                {{"mediaType":"m","digest":"{}","size":1,"x-entry":{{"deep":[1]}},
                  "annotations":{{"org.opencontainers.image.ref.name":"old","k":"v"}},
                  "platform":{{"os":"linux","architecture":"arm64"}}}}],
                "annotations":{{"of":"index"}},"x-index":null}}"#,
            entry("b").digest
        );
        let mut index = IndexFile::parse(text.as_bytes()).unwrap();
        index.list(&a, &tags(&["old"]));
        let json = json(&index);
        assert_eq!(json["annotations"]["of"], "index");
        assert_eq!(json.get("x-index"), Some(&Value::Null));
        let old = &json["manifests"][0];
        assert_eq!(old["x-entry"]["deep"][0], 1);
        assert_eq!(old["platform"]["architecture"], "arm64");
        assert_eq!(old["annotations"], serde_json::json!({"k": "v"}));
        assert_eq!(json["mediaType"], media_type::IMAGE_INDEX, "written where it was missing");
    }

    #[test]
    fn an_empty_list_may_be_null_or_missing() {
        for text in [r#"{"schemaVersion":2,"manifests":null}"#, r#"{"schemaVersion":2}"#] {
            let mut index = IndexFile::parse(text.as_bytes()).unwrap();
            index.list(&entry("a"), &tags(&["demo"]));
            assert_eq!(index.entries().len(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_image_index_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"schemaVersion":1,"manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[{}]}"#,
            r#"{"schemaVersion":2,"manifests":{}}"#,
            r#"{"schemaVersion":2,"manifests":[],"manifests":[]}"#,
            r#"{"schemaVersion":2,"mediaType":"application/json","manifests":[]}"#,
            r#"{"schemaVersion":2,"manifests":[]} trailing"#,
        ] {
            assert!(IndexFile::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
