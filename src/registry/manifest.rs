//! How a manifest and its tags reach a registry.

use std::sync::atomic::Ordering::Relaxed;

use ureq::http::{HeaderMap, HeaderValue, Method, header};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Access, Answer, Body, Call};
use crate::model::{Descriptor, RawManifest};
use crate::reference::Tag;
use crate::repository::ManifestOptions;

use super::{Registry, header_value, named_digest};

/// What is asked for where a manifest comes back. Distribution answers 404 where only `*/*` is accepted.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, */*";

impl Registry {
    /// Uploads a manifest under these tags, or by its digest alone.
    pub(crate) fn upload_manifest(
        &self,
        manifest: &RawManifest,
        tags: &[Tag],
        options: ManifestOptions,
    ) -> Result<Descriptor> {
        let digest = manifest.digest();
        let missing =
            if options.keep_existing_tags { self.missing_tags(tags, digest)? } else { tags.to_vec() };
        match missing.as_slice() {
            [] if tags.is_empty() => self.put_by_digest(manifest, digest, &[])?.discard(),
            // Every tag is there already, and with them the manifest.
            [] => {}
            [tag] => self.put_tag(manifest, digest, tag)?,
            several => self.put_tags(manifest, digest, several)?,
        }
        Ok(manifest.descriptor())
    }

    /// The tags that do not exist; one that points elsewhere is an error.
    fn missing_tags(&self, tags: &[Tag], digest: &Digest) -> Result<Vec<Tag>> {
        let mut missing = Vec::new();
        for tag in tags {
            match self.resolve_tag(tag)? {
                None => missing.push(tag.clone()),
                Some(existing) if existing == *digest => {}
                Some(existing) => {
                    return Err(Error::new(
                        ErrorKind::TagConflict,
                        format!("tag {tag} points at {existing} and is not moved to {digest}"),
                    ));
                }
            }
        }
        Ok(missing)
    }

    /// All tags with one request where the host can (distribution-spec end-7b), else each with its own.
    fn put_tags(&self, manifest: &RawManifest, digest: &Digest, tags: &[Tag]) -> Result<()> {
        let refused = &self.memory.tag_parameter_refused;
        let mut left = tags.to_vec();
        let mut tried = false;
        if !refused.load(Relaxed) {
            let mut answer = self.put_manifest(manifest, digest.as_str(), tags)?;
            match answer.status() {
                // Unauthorised, too large and too many requests have nothing to do with tags.
                401 | 413 | 429 => return Err(answer.into_error()),
                400..=499 => {
                    // Too long a URL says nothing about fewer tags.
                    tried = !matches!(answer.status(), 414 | 431);
                    answer.discard();
                }
                _ => {
                    let mut answer = check_stored(answer, digest)?;
                    let made = made_tags(answer.headers());
                    answer.discard();
                    tried = made.is_empty();
                    left.retain(|tag| !made.iter().any(|made| made == tag.as_str()));
                }
            }
        }
        for tag in &left {
            self.put_tag(manifest, digest, tag)?;
            if tried {
                refused.store(true, Relaxed);
            }
        }
        Ok(())
    }

    fn put_by_digest(&self, manifest: &RawManifest, digest: &Digest, tags: &[Tag]) -> Result<Answer> {
        check_stored(self.put_manifest(manifest, digest.as_str(), tags)?, digest)
    }

    fn put_tag(&self, manifest: &RawManifest, digest: &Digest, tag: &Tag) -> Result<()> {
        let answer = self.put_manifest(manifest, tag.as_str(), &[])?;
        if !matches!(answer.status(), 400 | 403 | 405 | 409 | 412) {
            check_stored(answer, digest)?.discard();
            return Ok(());
        }
        let refusal = answer.into_error();
        // These are about the manifest; wherever the tag points, the tag is not the reason.
        let about_manifest = refusal.registry_code().is_some_and(|code| code.starts_with("MANIFEST_"));
        if about_manifest {
            return Err(refusal);
        }
        match self.resolve_tag(tag) {
            // An immutable tag, pushed again by a repeated CI run.
            Ok(Some(existing)) if existing == *digest => Ok(()),
            Ok(Some(existing)) => {
                let message = format!(
                    "tag {tag} points at {existing} and was not moved to {digest}: {}",
                    refusal.message()
                );
                Err(refusal.with_kind(ErrorKind::TagConflict).with_message(message).retryable(false))
            }
            Ok(None) | Err(_) => Err(refusal),
        }
    }

    fn put_manifest(&self, manifest: &RawManifest, reference: &str, tags: &[Tag]) -> Result<Answer> {
        let mut url = self.url(&format!("manifests/{reference}"))?;
        for tag in tags {
            url = url.with_parameter("tag", tag.as_str());
        }
        let call = Call::new(Method::PUT, url, self.scope(Access::Push))
            .header(header::CONTENT_TYPE, header_value(manifest.media_type())?)
            .body(Body::Bytes(manifest.bytes()));
        self.http.send(call)
    }

    /// The digest that a tag points at; `None` when there is no such tag.
    fn resolve_tag(&self, tag: &Tag) -> Result<Option<Digest>> {
        let url = self.url(&format!("manifests/{tag}"))?;
        let call = |method| {
            Call::new(method, url.clone(), self.scope(Access::Pull))
                .header(header::ACCEPT, HeaderValue::from_static(ACCEPT))
        };
        let answer = self.http.send(call(Method::HEAD))?;
        match answer.status() {
            404 => return Ok(None),
            200 => {}
            _ => return Err(answer.into_protocol_error("200 or 404")),
        }
        if let Some(digest) = answer.header("docker-content-digest").and_then(|text| Digest::parse(text).ok())
        {
            return Ok(Some(digest));
        }
        // Not every registry names the digest: then it is that of the bytes.
        let answer = self.http.send(call(Method::GET))?;
        match answer.status() {
            200 => answer.read_whole(RawManifest::MAX_SIZE).map(|bytes| Some(Digest::sha256(&bytes))),
            404 => Ok(None),
            _ => Err(answer.into_protocol_error("200 or 404")),
        }
    }
}

/// Turns every answer that does not mean "stored, with this digest" into an error.
fn check_stored(answer: Answer, digest: &Digest) -> Result<Answer> {
    let named = named_digest(answer.header("docker-content-digest"), digest);
    match (answer.status(), named) {
        (200..=204, Some(named)) if named != *digest => Err(answer.error(
            ErrorKind::DigestMismatch,
            format!("the registry stored the manifest as {named}, not as {digest}"),
        )),
        (201, _) | (200 | 202 | 204, Some(_)) => Ok(answer),
        _ => Err(answer.into_protocol_error("201 to a manifest")),
    }
}

/// The tags that `OCI-Tag` headers list: several to a header, several headers.
fn made_tags(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all("oci-tag")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect()
}
