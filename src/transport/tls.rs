//! TLS: which certificates are trusted, the client's own, the crypto provider, and rustls over ureq's sockets.
//!
//! ureq's own connector panics on a client certificate that does not fit its key, reports bad roots as an unknown
//! issuer, and cannot join bundled roots with a CA file; hence this one.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::error::{Error, ErrorKind, Result};

use super::url::bare;

/// Which certificate authorities are trusted, before those of a CA file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TrustRoots {
    /// Those of the system (`SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured). Where the system has no store at all,
    /// as in a minimal container, the bundled ones; where it has one that cannot be read, that is an error.
    #[default]
    System,
    /// Those of the system and no others.
    SystemOnly,
    /// Mozilla's, as they were when ocireg was built.
    Bundled,
    /// None but those of the given CA file.
    Given,
}

/// What a connection needs to know of TLS; what the caller named has been read.
#[derive(Clone, Default)]
pub(crate) struct TlsSettings {
    roots: TrustRoots,
    given: Vec<CertificateDer<'static>>,
    client: Option<ClientIdentity>,
    accept_invalid_certificates: bool,
}

#[derive(Clone)]
struct ClientIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    /// For messages.
    certificate: PathBuf,
}

impl TlsSettings {
    pub(crate) fn set_roots(&mut self, roots: TrustRoots) {
        self.roots = roots;
    }

    pub(crate) fn accept_invalid_certificates(&mut self, accept: bool) {
        self.accept_invalid_certificates = accept;
    }

    /// Trusts every certificate in this PEM file too.
    pub(crate) fn add_ca_file(&mut self, path: &Path) -> Result<()> {
        let certificates = read_certificates(path)?;
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|error| {
                bad_file(path, format!("one of its certificates cannot be used: {error}")).with_source(error)
            })?;
        }
        self.given.extend(certificates);
        Ok(())
    }

    /// Shows this certificate chain (PEM) to a registry that asks for one.
    pub(crate) fn set_client_certificate(&mut self, certificate: &Path, key: &Path) -> Result<()> {
        let chain = read_certificates(certificate)?;
        let pem = std::fs::read(key).map_err(|error| Error::io("cannot read the private key", key, error))?;
        let pem = zeroize::Zeroizing::new(pem);
        let private = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|error| bad_file(key, format!("it holds no private key in PEM form: {error}")))?;
        self.client =
            Some(ClientIdentity { chain, key: Arc::new(private), certificate: certificate.to_owned() });
        // Shows a key that does not fit the certificate now, and not in the first request.
        self.clone().with_roots(TrustRoots::Given).client_config().map(|_| ())
    }

    pub(super) fn without_client_certificate(mut self) -> TlsSettings {
        self.client = None;
        self
    }

    pub(super) fn client_config(&self) -> Result<Arc<ClientConfig>> {
        let builder =
            ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(|error| Error::new(ErrorKind::Tls, format!("TLS cannot be set up: {error}")))?;
        let builder = if self.accept_invalid_certificates {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(NoVerifier(provider())))
        } else {
            builder.with_root_certificates(self.root_store()?)
        };
        let config = match &self.client {
            None => builder.with_no_client_auth(),
            Some(client) => builder
                .with_client_auth_cert(client.chain.clone(), client.key.clone_key())
                .map_err(|error| {
                    bad_file(&client.certificate, format!("it cannot be used with the private key: {error}"))
                        .with_source(error)
                })?,
        };
        Ok(Arc::new(config))
    }

    fn with_roots(mut self, roots: TrustRoots) -> TlsSettings {
        self.roots = roots;
        self
    }

    fn root_store(&self) -> Result<RootCertStore> {
        let mut store = RootCertStore::empty();
        let bundled = match self.roots {
            TrustRoots::Bundled => true,
            TrustRoots::Given => false,
            TrustRoots::System | TrustRoots::SystemOnly => {
                let system = rustls_native_certs::load_native_certs();
                if let Some(error) = system.errors.first().filter(|_| system.certs.is_empty()) {
                    return Err(Error::new(
                        ErrorKind::Tls,
                        format!("the system's trusted certificates cannot be read: {error}"),
                    ));
                }
                let found = !system.certs.is_empty();
                // System stores hold certificates that webpki does not take; they are no reason to give up the rest.
                store.add_parsable_certificates(system.certs);
                if !found && self.roots == TrustRoots::SystemOnly && self.given.is_empty() {
                    return Err(Error::new(
                        ErrorKind::Tls,
                        "the system has no store of trusted certificates",
                    ));
                }
                !found && self.roots == TrustRoots::System
            }
        };
        if bundled {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        store.add_parsable_certificates(self.given.iter().cloned());
        Ok(store)
    }
}

impl fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSettings")
            .field("roots", &self.roots)
            .field("given", &self.given.len())
            .field("client", &self.client.as_ref().map(|client| &client.certificate))
            .field("accept_invalid_certificates", &self.accept_invalid_certificates)
            .finish()
    }
}

/// The one place that chooses who computes the cryptography.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem =
        std::fs::read(path).map_err(|error| Error::io("cannot read the certificates in", path, error))?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| bad_file(path, format!("it is not in PEM form: {error}")))?;
    if certificates.is_empty() {
        return Err(bad_file(path, "it holds no certificate in PEM form"));
    }
    Ok(certificates)
}

fn bad_file(path: &Path, reason: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{}: {reason}", path.display()))
}

/// Wraps https connections in TLS; its settings are fixed.
pub(super) struct TlsConnector {
    config: Arc<ClientConfig>,
}

impl TlsConnector {
    pub(super) fn new(config: Arc<ClientConfig>) -> TlsConnector {
        TlsConnector { config }
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = bare(details.uri.host().unwrap_or_default()).to_owned();
        let name = ServerName::try_from(host)
            .map_err(|_| ureq::Error::Tls("the host name cannot be used in TLS"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        if let Err(error) = connection.complete_io(&mut socket) {
            return Err(closed_because(&mut connection, &mut socket, error));
        }
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream: StreamOwned { conn: connection, sock: socket } })))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let written = self.stream.write_all(&self.buffers.output()[..amount]);
        written.map_err(|error| closed_because(&mut self.stream.conn, &mut self.stream.sock, error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf());
        let amount =
            read.map_err(|error| closed_because(&mut self.stream.conn, &mut self.stream.sock, error))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// Why the other side has closed, where it said so and we were still writing: in TLS 1.3 a client certificate is refused
/// after the handshake. A read fails too then, on what is left to be written.
fn closed_because(
    conn: &mut ClientConnection,
    socket: &mut TransportAdapter,
    error: io::Error,
) -> ureq::Error {
    let closed =
        [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionAborted];
    if closed.contains(&error.kind()) {
        while conn.read_tls(socket).is_ok_and(|n| n > 0) {
            if let Err(alert) = conn.process_new_packets() {
                return alert.into();
            }
        }
    }
    error.into()
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

/// Takes every certificate; signatures must still be right.
#[derive(Debug)]
struct NoVerifier(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerifier {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
