//! The door to `auth/`: how a request to a registry is authorised.

use std::fmt;

use ureq::http::{HeaderMap, HeaderValue};

use crate::error::Result;
use crate::transport::Origin;

/// Gives requests their `Authorization`. Implemented by `auth/`; asked for requests to the registry's own origin only.
pub(crate) trait Authorizer: fmt::Debug + Send + Sync {
    /// The header for a request with this scope, where the registry is known to want one.
    fn authorization(&self, registry: &Origin, scope: &Scope) -> Result<Option<HeaderValue>>;

    /// The registry has answered 401 with these headers to a request with `sent`. Returns the header to try once more
    /// with, or `None` to leave the answer as it is.
    fn challenged(
        &self,
        registry: &Origin,
        scope: &Scope,
        headers: &HeaderMap,
        sent: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>>;
}

/// What a request does, in the words of the token protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) repository: String,
    pub(crate) access: Access,
    /// Another repository that is read from, in a mount.
    pub(crate) mount_from: Option<String>,
}

/// Reading, or reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
}

impl Scope {
    pub(crate) fn new(repository: &str, access: Access) -> Scope {
        Scope { repository: repository.to_owned(), access, mount_from: None }
    }

    pub(crate) fn mounting_from(mut self, repository: &str) -> Scope {
        if repository != self.repository {
            self.mount_from = Some(repository.to_owned());
        }
        self
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Pull => "pull from",
            Access::Push => "push to",
        };
        write!(f, "{access} {}", self.repository)?;
        match &self.mount_from {
            Some(repository) => write!(f, " and pull from {repository}"),
            None => Ok(()),
        }
    }
}
