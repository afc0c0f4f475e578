//! What ureq, rustls and the socket report, in our words.

use std::error::Error as StdError;
use std::{fmt, io};

use ureq::Timeout;

use crate::error::{Error, ErrorKind};
use crate::reference::Scheme;

use super::url::Url;

/// A name that has no address; ureq has no error for the reason.
#[derive(Debug)]
pub(super) struct Unresolved {
    pub(super) reason: String,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl StdError for Unresolved {}

/// Translates a failed exchange with this URL.
pub(super) fn translate(error: ureq::Error, url: &Url) -> Error {
    let origin = url.origin();
    match error {
        ureq::Error::Io(error) => translate_io(error, url),
        ureq::Error::Timeout(Timeout::Connect) => {
            Error::new(ErrorKind::Timeout, format!("no connection to {origin} within the time limit"))
        }
        ureq::Error::Timeout(Timeout::PerWrite) => {
            Error::new(ErrorKind::Timeout, format!("{origin} has not taken any data within the time limit"))
        }
        ureq::Error::Timeout(_) => {
            Error::new(ErrorKind::Timeout, format!("{origin} has not answered within the time limit"))
        }
        ureq::Error::HostNotFound => Error::new(ErrorKind::Dns, format!("{} has no address", origin.host)),
        ureq::Error::Other(error) => match error.downcast::<Unresolved>() {
            Ok(unresolved) => {
                Error::new(ErrorKind::Dns, format!("cannot resolve {}: {unresolved}", origin.host))
            }
            Err(error) => {
                Error::new(ErrorKind::Connection, format!("the exchange with {origin} failed: {error}"))
            }
        },
        ureq::Error::Rustls(error) => tls(&error, url),
        error @ (ureq::Error::Protocol(_)
        | ureq::Error::LargeResponseHeader(..)
        | ureq::Error::Http(_)
        | ureq::Error::BodyStalled) => {
            Error::new(ErrorKind::Protocol, format!("{origin} does not answer in proper HTTP: {error}"))
                .with_source(error)
        }
        error => Error::new(ErrorKind::Connection, format!("the exchange with {origin} failed: {error}"))
            .with_source(error),
    }
}

/// Translates what a read from the body of an answer reports.
pub(super) fn translate_io(error: io::Error, url: &Url) -> Error {
    let origin = url.origin();
    // Our own errors, from the source of a request's body, come back unchanged.
    let error = match error.downcast::<Error>() {
        Ok(own) => return own,
        Err(error) => error,
    };
    let error = match error.downcast::<ureq::Error>() {
        Ok(ureq::Error::Io(error)) => error,
        Ok(error) => return translate(error, url),
        Err(error) => error,
    };
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return tls(error, url);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Error::new(ErrorKind::Connect, format!("{origin} refuses connections: nothing listens there"))
        }
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::AddrNotAvailable => {
            Error::new(ErrorKind::Connect, format!("cannot reach {origin}: {error}"))
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            Error::new(ErrorKind::Timeout, format!("{origin} has not answered within the time limit"))
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected => {
            Error::new(ErrorKind::Connection, format!("{origin} closed the connection: {error}"))
        }
        _ => Error::new(ErrorKind::Connection, format!("the connection to {origin} failed: {error}")),
    }
    .with_source(error)
}

fn tls(error: &rustls::Error, url: &Url) -> Error {
    use rustls::{AlertDescription, CertificateError as Bad, Error as Tls, InvalidMessage};

    let origin = url.origin();
    let host = &origin.host;
    let reason = match error {
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) if url.scheme() == Scheme::Https => format!(
            "{host}:{} does not speak TLS; if it is a plain-HTTP registry, write http:// before the address",
            origin.port
        ),
        Tls::InvalidCertificate(Bad::UnknownIssuer) => format!(
            "the certificate of {host} is not trusted: it was issued by an unknown authority, whose certificate can be \
             added with a CA file"
        ),
        // As when an authority has been made anew, under its old name.
        Tls::InvalidCertificate(Bad::BadSignature) => format!(
            "the certificate of {host} is not trusted: it was not signed by the authority whose name it bears"
        ),
        Tls::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            format!("the certificate of {host} has expired")
        }
        Tls::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            format!("the certificate of {host} is not valid yet; is the clock right?")
        }
        Tls::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            format!("the certificate of {host} was issued for another name")
        }
        Tls::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{host} wants a client certificate")
        }
        other => format!("the TLS connection to {host} failed: {other}"),
    };
    Error::new(ErrorKind::Tls, reason).with_source(error.clone())
}
