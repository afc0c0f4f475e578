//! Certificates made for one test.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;

use super::temp::TempDir;

/// A certificate authority of its own, with a server certificate for `127.0.0.1` and `localhost` and a client
/// certificate, as PEM files in a temporary directory.
#[derive(Debug)]
pub struct Identity {
    directory: TempDir,
    authority: CertificateDer<'static>,
    server: (CertificateDer<'static>, KeyPair),
}

impl Identity {
    /// Makes the authority and both certificates.
    pub fn new() -> Identity {
        Identity::with_server_certificate(&["127.0.0.1", "localhost"], |_| ())
    }

    /// The same with a server certificate for these hosts alone.
    pub fn for_hosts(hosts: &[&str]) -> Identity {
        Identity::with_server_certificate(hosts, |_| ())
    }

    /// The same with a server certificate that was valid in the year 2001.
    pub fn expired() -> Identity {
        Identity::with_server_certificate(&["127.0.0.1"], |params| {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        })
    }

    fn with_server_certificate(hosts: &[&str], change: fn(&mut CertificateParams)) -> Identity {
        let mut params = named("ocireg test authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let issue = |name: &str, hosts: &[&str], usage, change: fn(&mut CertificateParams)| {
            let mut params = named(name, hosts);
            params.extended_key_usages = vec![usage];
            change(&mut params);
            let key = KeyPair::generate().expect("a key");
            (params.signed_by(&key, &authority).expect("a certificate"), key)
        };
        let server = issue("ocireg test server", hosts, ExtendedKeyUsagePurpose::ServerAuth, change);
        let client = issue("ocireg test client", &[], ExtendedKeyUsagePurpose::ClientAuth, |_| ());

        let directory = TempDir::new();
        directory.write("ca.pem", authority.pem());
        directory.write("server.pem", server.0.pem());
        directory.write("server.key", server.1.serialize_pem());
        directory.write("client.pem", client.0.pem());
        directory.write("client.key", client.1.serialize_pem());
        Identity { directory, authority: authority.der().clone(), server: (server.0.der().clone(), server.1) }
    }

    /// The authority's certificate: what a client must trust.
    pub fn ca_pem_path(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The server's certificate.
    pub fn server_pem_path(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    /// The server's private key.
    pub fn server_key_path(&self) -> PathBuf {
        self.directory.join("server.key")
    }

    /// The client's certificate, from the same authority.
    pub fn client_pem_path(&self) -> PathBuf {
        self.directory.join("client.pem")
    }

    /// The client's private key.
    pub fn client_key_path(&self) -> PathBuf {
        self.directory.join("client.key")
    }

    /// How a server presents this identity; with `client_certificates` it refuses clients without one.
    pub(super) fn server_config(&self, client_certificates: bool) -> Arc<rustls::ServerConfig> {
        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("TLS versions");
        let builder = if client_certificates {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider());
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.server.1.serialize_der()));
        let config = builder.with_single_cert(vec![self.server.0.clone()], key).expect("a matching key");
        Arc::new(config)
    }

    /// The client's end of a TLS connection to `127.0.0.1` that trusts this authority and shows no certificate.
    pub fn client_connection(&self) -> rustls::ClientConnection {
        let config = rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(self.roots())
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        rustls::ClientConnection::new(Arc::new(config), name).expect("a connection")
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).expect("an authority");
        roots
    }
}

fn named(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("host names");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
