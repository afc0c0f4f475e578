//! A client: settings, credentials and connections, shared by the repositories that it opens.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ureq::http::HeaderValue;

use crate::auth::{BasicAuthorizer, BasicCredentials};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Authorizer, Http, RetryPolicy};
use crate::layout::Layout;
use crate::reference::{Address, shown};
use crate::registry::{HostMemory, Registry};
use crate::repository::Repository;
pub use crate::transport::TrustRoots;
use crate::transport::{Origin, Settings, TlsSettings, Transport, Url};

/// Settings, credentials and connections, shared by the repositories that it opens.
///
/// A client may be used from several threads at once; a clone shares everything with the original. It keeps connections
/// open for a minute, so one client for a whole program is best.
///
/// ```
/// use ocireg::Client;
///
/// let client = Client::builder().user_agent("my-build-tool/1.0").build()?;
/// let repository = client.repository("myregistry.azurecr.io/sample-artifact")?;
/// # Ok::<(), ocireg::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<Transport>,
    authorizer: Arc<dyn Authorizer>,
    retry: RetryPolicy,
    chunk_size: Option<u64>,
    hosts: Mutex<HashMap<Origin, Arc<HostMemory>>>,
}

impl Client {
    /// A client with settings of its own. [`ClientBuilder::build`] at once gives one with the defaults: anonymous,
    /// trusting the system's certificate authorities.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Opens a repository by its address. Nothing is sent yet.
    ///
    /// `[https://|http://]host[:port]/name` is a repository at a registry; plain HTTP is spoken only where `http://` is
    /// written. `oci-layout:PATH` is an OCI image layout in a directory, made when first written to.
    ///
    /// # Errors
    ///
    /// [`InvalidReference`](ErrorKind::InvalidReference), also for an address with a tag or digest;
    /// [`InvalidLayout`](ErrorKind::InvalidLayout) where the path is something else already.
    pub fn repository(&self, address: &str) -> Result<Repository> {
        self.open(address).map_err(|error| error.at("open repository", shown(address)))
    }

    fn open(&self, address: &str) -> Result<Repository> {
        let address: Address = address.parse()?;
        match &address {
            Address::Layout { path } => {
                let layout = Layout::open(path.clone())?;
                Ok(Repository::in_layout(address, layout))
            }
            Address::Registry { scheme, host, name } => {
                let base = Url::at(*scheme, host, "/")?;
                let shared = &self.shared;
                let http = Http::new(
                    Arc::clone(&shared.transport),
                    Arc::clone(&shared.authorizer),
                    base.origin(),
                    shared.retry,
                );
                let memory = self.host_memory(base.origin());
                let registry = Registry::new(http, &base, host, name, shared.chunk_size, memory);
                Ok(Repository::at_registry(address, registry))
            }
        }
    }

    fn host_memory(&self, origin: Origin) -> Arc<HostMemory> {
        let mut hosts = self.shared.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(origin).or_default())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("transport", &self.shared.transport)
            .field("authorizer", &self.shared.authorizer)
            .field("retry", &self.shared.retry)
            .field("chunk_size", &self.shared.chunk_size)
            .finish_non_exhaustive()
    }
}

/// The settings of a [`Client`]. Every setting has a default; what is wrong with one is said by
/// [`build`](ClientBuilder::build).
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    user_agent: Option<String>,
    connect_timeout: Duration,
    read_timeout: Duration,
    write_timeout: Duration,
    commit_timeout: Duration,
    trust_roots: TrustRoots,
    ca_files: Vec<PathBuf>,
    client_certificate: Option<(PathBuf, PathBuf)>,
    accept_invalid_certificates: bool,
    basic_auth: Option<(String, zeroize::Zeroizing<String>)>,
    chunk_size: Option<u64>,
    attempts: u32,
}

impl ClientBuilder {
    fn new() -> ClientBuilder {
        ClientBuilder {
            user_agent: None,
            connect_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
            commit_timeout: Duration::from_secs(600),
            trust_roots: TrustRoots::default(),
            ca_files: Vec::new(),
            client_certificate: None,
            accept_invalid_certificates: false,
            basic_auth: None,
            chunk_size: None,
            attempts: 4,
        }
    }

    /// Goes before `ocireg/VERSION` in the `User-Agent` of every request: visible ASCII characters and spaces.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> ClientBuilder {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// For a connection to be made, TLS included, over all addresses of a host. 30 seconds by default. Looking up a
    /// name is not covered, for lack of a way to do that without a thread: `resolv.conf` sets its limit.
    pub fn connect_timeout(mut self, limit: Duration) -> ClientBuilder {
        self.connect_timeout = limit;
        self
    }

    /// For each wait for the registry to say something, not for all of them. 60 seconds by default.
    pub fn read_timeout(mut self, limit: Duration) -> ClientBuilder {
        self.read_timeout = limit;
        self
    }

    /// For each wait for the registry to take something, not for all of them. 60 seconds by default.
    pub fn write_timeout(mut self, limit: Duration) -> ClientBuilder {
        self.write_timeout = limit;
        self
    }

    /// For the answer to a request with a body, when its last byte has been sent: a registry may have to hash a large
    /// blob first. 10 minutes by default.
    pub fn commit_timeout(mut self, limit: Duration) -> ClientBuilder {
        self.commit_timeout = limit;
        self
    }

    /// Which certificate authorities are trusted: [`TrustRoots::System`] by default.
    pub fn trust_roots(mut self, roots: TrustRoots) -> ClientBuilder {
        self.trust_roots = roots;
        self
    }

    /// Trusts the authorities in this PEM file too; alone with [`TrustRoots::Given`]. May be called again.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> ClientBuilder {
        self.ca_files.push(path.into());
        self
    }

    /// Shows this certificate (a PEM file with the chain) and key (a PEM file) to a registry that asks for one; never to
    /// another host that the registry leads to.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> ClientBuilder {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Takes every certificate, also a forged one: whoever sits between can then read and change everything, and has
    /// the password. For tests.
    pub fn danger_accept_invalid_certificates(mut self, accept: bool) -> ClientBuilder {
        self.accept_invalid_certificates = accept;
        self
    }

    /// Signs in with a user name and password by HTTP Basic, where a registry asks for that. They go to the registries
    /// whose repositories this client opens, and to nobody they lead to.
    pub fn basic_auth(mut self, user: impl Into<String>, password: impl Into<String>) -> ClientBuilder {
        self.basic_auth = Some((user.into(), zeroize::Zeroizing::new(password.into())));
        self
    }

    /// The size of a chunk in bytes. A blob larger than that then goes in chunks where the host takes them, also where
    /// it could go in one request.
    ///
    /// Not set by default: only what must goes in chunks, files in large ones and readers of unknown length in chunks
    /// of 4 MiB. A chunk of a reader is held in memory. Hosts that are known to take less get less.
    pub fn chunk_size(mut self, bytes: u64) -> ClientBuilder {
        self.chunk_size = Some(bytes);
        self
    }

    /// How often a request is tried in all, when the connection breaks or the registry answers 408, 429, 500, 502, 503
    /// or 504: 4 by default, 1 for never again. The waits in between begin at a quarter of a second and double, or last
    /// as long as the registry asks for, up to a minute. The request that carries the content of a blob from a source is
    /// sent once: how much of it has arrived, only the registry knows.
    pub fn attempts(mut self, attempts: u32) -> ClientBuilder {
        self.attempts = attempts;
        self
    }

    /// Checks the settings and makes the client. Reads the files that they name; opens no connection.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for a setting that cannot be used and
    /// [`Io`](ErrorKind::Io) for a file that cannot be read.
    pub fn build(self) -> Result<Client> {
        self.check_and_build().map_err(|error| error.at("set up", "the client"))
    }

    fn check_and_build(self) -> Result<Client> {
        for (name, limit) in [
            ("connect_timeout", self.connect_timeout),
            ("read_timeout", self.read_timeout),
            ("write_timeout", self.write_timeout),
            ("commit_timeout", self.commit_timeout),
        ] {
            if limit.is_zero() {
                return Err(invalid(format!("{name} must not be zero")));
            }
        }
        if self.chunk_size == Some(0) {
            return Err(invalid("chunk_size must not be zero"));
        }
        if self.attempts == 0 {
            return Err(invalid("attempts must be at least 1"));
        }
        let mut tls = TlsSettings::default();
        tls.set_roots(self.trust_roots);
        for path in &self.ca_files {
            tls.add_ca_file(path)?;
        }
        if self.trust_roots == TrustRoots::Given
            && self.ca_files.is_empty()
            && !self.accept_invalid_certificates
        {
            return Err(invalid(
                "only given certificate authorities are to be trusted, but no CA file is given",
            ));
        }
        if let Some((certificate, key)) = &self.client_certificate {
            tls.set_client_certificate(certificate, key)?;
        }
        tls.accept_invalid_certificates(self.accept_invalid_certificates);
        let credentials = match &self.basic_auth {
            Some((user, password)) => Some(BasicCredentials::new(user, password)?),
            None => None,
        };
        let settings = Settings {
            user_agent: user_agent(self.user_agent.as_deref())?,
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            write_timeout: self.write_timeout,
            commit_timeout: self.commit_timeout,
            tls,
        };
        Ok(Client {
            shared: Arc::new(Shared {
                transport: Arc::new(Transport::new(settings)),
                authorizer: Arc::new(BasicAuthorizer::new(credentials)),
                retry: RetryPolicy { attempts: self.attempts },
                chunk_size: self.chunk_size,
                hosts: Mutex::default(),
            }),
        })
    }
}

fn user_agent(own: Option<&str>) -> Result<HeaderValue> {
    let ours = concat!("ocireg/", env!("CARGO_PKG_VERSION"));
    match own {
        None => Ok(HeaderValue::from_static(ours)),
        Some(own) if !own.trim().is_empty() && own.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
            HeaderValue::from_str(&format!("{own} {ours}")).map_err(|_| invalid("user_agent cannot be sent"))
        }
        Some(_) => Err(invalid("user_agent must consist of visible ASCII characters and spaces")),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
