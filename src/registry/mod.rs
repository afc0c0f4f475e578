//! A repository at a registry, over HTTP (OCI distribution-spec 1.1).

mod chunks;
mod hosts;
mod manifest;
mod session;
mod spool;
mod upload;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ureq::http::{HeaderValue, Method};

use crate::digest::Digest;
use crate::error::Result;
use crate::http::{Access, Call, Http, Scope};
use crate::reference::Scheme;
use crate::transport::Url;

pub(crate) use hosts::Host;

/// A repository at a registry.
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    http: Http,
    scheme: Scheme,
    /// `host` or `host:port`, as in the address.
    authority: Arc<str>,
    name: Arc<str>,
    host: Host,
    chunk_size: Option<u64>,
    memory: Arc<HostMemory>,
}

/// What a client has learned about one host; shared by all its repositories there.
#[derive(Debug, Default)]
pub(crate) struct HostMemory {
    /// Mounting a blob from the repository itself was refused, where plain uploads work.
    self_mount_refused: AtomicBool,
    /// `?tag=` on a manifest was ignored or refused, where plain uploads work.
    tag_parameter_refused: AtomicBool,
}

impl Registry {
    pub(crate) fn new(
        http: Http,
        base: &Url,
        authority: &str,
        name: &str,
        chunk_size: Option<u64>,
        memory: Arc<HostMemory>,
    ) -> Registry {
        Registry {
            http,
            scheme: base.scheme(),
            authority: authority.into(),
            name: name.into(),
            host: Host::named(&base.origin().host),
            chunk_size,
            memory,
        }
    }

    /// Whether the repository has this blob.
    pub(crate) fn blob_exists(&self, digest: &Digest) -> Result<bool> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let own = url.origin();
        let answer = self.http.send(Call::new(Method::HEAD, url, self.scope(Access::Pull)))?;
        match answer.status() {
            200 => Ok(true),
            404 => Ok(false),
            // A storage host that was signed for GET alone; the registry would not have sent us there for nothing.
            403 if answer.url().origin() != own => Ok(true),
            _ => Err(answer.into_protocol_error("200 or 404")),
        }
    }

    /// The URL of something in this repository.
    fn url(&self, what: &str) -> Result<Url> {
        Url::at(self.scheme, &self.authority, &format!("/v2/{}/{what}", self.name))
    }

    fn scope(&self, access: Access) -> Scope {
        Scope::new(&self.name, access)
    }
}

/// The digest that an answer names, where it names one that can be compared with `ours`: the header may be missing,
/// empty, or of another algorithm (distribution answers a sha512 upload with the sha256 digest).
fn named_digest(header: Option<&str>, ours: &Digest) -> Option<Digest> {
    header.and_then(|text| Digest::parse(text).ok()).filter(|named| named.algorithm() == ours.algorithm())
}

/// A header value made of a media type, which has been checked.
fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| {
        crate::error::Error::new(
            crate::error::ErrorKind::InvalidArgument,
            format!("{text:?} cannot be sent in an HTTP header"),
        )
    })
}
