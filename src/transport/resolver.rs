//! Name resolution on the caller's thread.
//!
//! ureq's own resolver starts a thread as soon as a time limit covers the look-up, and looks names up again for every
//! request, also when the connection is there already. This one never starts a thread. The look-up itself can
//! therefore not be given a limit here: `resolv.conf` does that (`timeout`, `attempts`).

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::failure::Unresolved;

/// How long an answer is used again: long enough for the requests of one push, short enough to follow a registry that
/// moves.
const KEPT: Duration = Duration::from_secs(30);

/// As many as ureq's list of addresses holds.
const MOST_ADDRESSES: usize = 16;

#[derive(Debug, Default)]
pub(super) struct CachingResolver {
    known: Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>,
}

impl CachingResolver {
    fn look_up(&self, host_and_port: &str) -> std::io::Result<Vec<SocketAddr>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, addresses)) = known.get(host_and_port)
            && since.elapsed() < KEPT
        {
            return Ok(addresses.clone());
        }
        known.remove(host_and_port);
        // Other threads may look up other names meanwhile.
        drop(known);
        let addresses: Vec<SocketAddr> = host_and_port.to_socket_addrs()?.take(MOST_ADDRESSES).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (since, _)| since.elapsed() < KEPT);
        known.insert(host_and_port.to_owned(), (Instant::now(), addresses.clone()));
        Ok(addresses)
    }
}

impl Resolver for CachingResolver {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default();
        let default_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default_port);
        let addresses = self
            .look_up(&format!("{host}:{port}"))
            .map_err(|error| ureq::Error::Other(Box::new(Unresolved { reason: error.to_string() })))?;
        if addresses.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        let mut result = self.empty();
        for address in addresses {
            result.push(address);
        }
        Ok(result)
    }
}
