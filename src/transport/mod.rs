//! One HTTP exchange over a socket: everything of ureq and rustls that may change is in this room.
//!
//! No authorisation, no redirects, no retries: that is `http/`.

mod connector;
mod failure;
mod resolver;
mod tls;
mod url;

use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use once_cell::sync::OnceCell;
use ureq::http::{HeaderMap, HeaderValue, Method, header};
use ureq::unversioned::transport::Connector;
use ureq::{Agent, SendBody};

use crate::error::{Error, Result};
use crate::reference::Scheme;

pub(crate) use tls::TlsSettings;
pub use tls::TrustRoots;
pub(crate) use url::{Origin, Url};

/// What holds for every connection of a client. All limits are mandatory, so that no call can hang for ever.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) user_agent: HeaderValue,
    /// For all addresses of a host and the TLS handshake together.
    pub(crate) connect_timeout: Duration,
    /// For each wait for data, not in all.
    pub(crate) read_timeout: Duration,
    /// For each wait to get rid of data, not in all.
    pub(crate) write_timeout: Duration,
    /// Takes the place of `read_timeout` in an exchange that has a body: the registry may have to hash it.
    pub(crate) commit_timeout: Duration,
    pub(crate) tls: TlsSettings,
}

/// The connections of a client.
pub(crate) struct Transport {
    settings: Settings,
    // Built when first needed: reading the system's certificates takes longer than a small upload, and must not fail
    // where no certificate is needed.
    plain: OnceCell<Agent>,
    secure: OnceCell<Agent>,
    foreign: OnceCell<Agent>,
}

/// One request.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body<'a>,
    /// Takes the place of the read and commit timeouts.
    pub(crate) answer_timeout: Option<Duration>,
    /// The URL is not at the registry that the client talks to: no client certificate is shown.
    pub(crate) foreign: bool,
}

/// The body of a request.
pub(crate) enum Body<'a> {
    /// None at all, as in GET, HEAD and DELETE.
    None,
    /// These bytes, with their length; none are written as `Content-Length: 0`.
    Bytes(&'a [u8]),
    /// As many bytes as announced, from a reader.
    Reader { reader: &'a mut dyn Read, size: u64 },
}

/// An exchange that failed.
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// The request went over a connection that had been used before and broke: it may have been dead already.
    pub(crate) reused_connection: bool,
}

/// The head of an answer, and its body, unread.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    url: Url,
    body: ureq::Body,
}

/// Buffers of a connection: larger ones are no faster, smaller ones cost system calls.
const OUTPUT_BUFFER: usize = 256 * 1024;
const INPUT_BUFFER: usize = 64 * 1024;

impl Transport {
    pub(crate) fn new(settings: Settings) -> Transport {
        Transport { settings, plain: OnceCell::new(), secure: OnceCell::new(), foreign: OnceCell::new() }
    }

    /// Sends one request and waits for the head of its answer, whatever its status.
    pub(crate) fn send(&self, request: Request<'_>) -> std::result::Result<Response, Failure> {
        let url = request.url.clone();
        let agent = self.agent(&request).map_err(|error| Failure { error, reused_connection: false })?;
        connector::reset_connected();
        self.exchange(agent, request)
            .map(|(head, body)| Response {
                status: head.status.as_u16(),
                headers: head.headers,
                url: url.clone(),
                body,
            })
            .map_err(|error| Failure {
                error: failure::translate(error, &url),
                reused_connection: !connector::connected_since_reset(),
            })
    }

    fn exchange(
        &self,
        agent: &Agent,
        mut request: Request<'_>,
    ) -> std::result::Result<(ureq::http::response::Parts, ureq::Body), ureq::Error> {
        request.headers.insert(header::USER_AGENT, self.settings.user_agent.clone());
        // ureq would take compressed answers if another crate in the program switched that on; digests are of the
        // bytes as they are stored.
        request.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut built =
            ureq::http::Request::builder().method(request.method).uri(request.url.to_request_target());
        if let Body::Reader { size, .. } = &request.body {
            request.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(*size));
        }
        if let Some(headers) = built.headers_mut() {
            *headers = request.headers;
        }
        let response = match request.body {
            Body::None => {
                let timeout = request.answer_timeout.unwrap_or(self.settings.read_timeout);
                agent.run(with_read_timeout(agent, built.body(())?, timeout))
            }
            Body::Bytes(bytes) => {
                let limit =
                    if bytes.is_empty() { self.settings.read_timeout } else { self.settings.commit_timeout };
                agent.run(with_read_timeout(
                    agent,
                    built.body(bytes)?,
                    request.answer_timeout.unwrap_or(limit),
                ))
            }
            Body::Reader { reader, size } => {
                let mut guarded = GuardedReader { reader, left: size };
                let timeout = request.answer_timeout.unwrap_or(self.settings.commit_timeout);
                let body = SendBody::from_reader(&mut guarded);
                agent.run(with_read_timeout(agent, built.body(body)?, timeout))
            }
        }?;
        Ok(response.into_parts())
    }

    fn agent(&self, request: &Request<'_>) -> Result<&Agent> {
        let settings = &self.settings;
        match (request.url.scheme(), request.foreign) {
            (Scheme::Http, _) => Ok(self.plain.get_or_init(|| {
                Agent::with_parts(
                    config(settings),
                    ().chain(connector::NotingConnector::default()),
                    resolver::CachingResolver::default(),
                )
            })),
            (Scheme::Https, false) => self.secure.get_or_try_init(|| secure_agent(settings, &settings.tls)),
            (Scheme::Https, true) => self.foreign.get_or_try_init(|| {
                secure_agent(settings, &settings.tls.clone().without_client_certificate())
            }),
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Response {
    /// A header's value, where there is exactly one readable.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body up to `limit` bytes, and whether that was all. Only a body that was read to its end leaves the
    /// connection to the next request.
    pub(crate) fn read(&mut self, limit: usize) -> Result<(Vec<u8>, bool)> {
        let mut bytes = Vec::new();
        self.body
            .as_reader()
            .take(limit as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failure::translate_io(error, &self.url))?;
        let whole = bytes.len() <= limit;
        bytes.truncate(limit);
        Ok((bytes, whole))
    }
}

fn with_read_timeout<B: ureq::AsSendBody>(
    agent: &Agent,
    request: ureq::http::Request<B>,
    timeout: Duration,
) -> ureq::http::Request<B> {
    agent
        .configure_request(request)
        .timeout_per_read(Some(timeout))
        // Not only for each wait: an answer that comes byte by byte is as good as none.
        .timeout_recv_response(Some(timeout))
        .timeout_recv_body(Some(timeout))
        .build()
}

fn secure_agent(settings: &Settings, tls: &TlsSettings) -> Result<Agent> {
    let connector =
        ().chain(connector::NotingConnector::default()).chain(tls::TlsConnector::new(tls.client_config()?));
    Ok(Agent::with_parts(config(settings), connector, resolver::CachingResolver::default()))
}

fn config(settings: &Settings) -> ureq::config::Config {
    Agent::config_builder()
        // Proxies of the environment are chosen by wrong rules; see the README.
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_per_read(Some(settings.read_timeout))
        .timeout_per_write(Some(settings.write_timeout))
        .input_buffer_size(INPUT_BUFFER)
        .output_buffer_size(OUTPUT_BUFFER)
        // As many as a pool of workers may use at once; ureq's own default is 3.
        .max_idle_connections_per_host(64)
        .max_idle_connections(256)
        .max_idle_age(Duration::from_secs(60))
        .build()
}

/// Keeps a reader to the announced size: ureq spins for ever on one that ends early, and sends too much of one that
/// goes on.
struct GuardedReader<'a> {
    reader: &'a mut dyn Read,
    left: u64,
}

impl Read for GuardedReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let n = self.reader.read(&mut buffer[..most])?;
        if n == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the body ended before its announced size",
            ));
        }
        self.left -= n as u64;
        Ok(n)
    }
}
