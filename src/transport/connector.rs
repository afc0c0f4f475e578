//! How a connection is made: TCP by ureq, noted, then TLS by our own [`TlsConnector`](super::tls::TlsConnector).

use std::cell::Cell;

use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector, TcpConnector, Transport};

thread_local! {
    // No destructor, so that the library can be unloaded.
    static CONNECTED: Cell<bool> = const { Cell::new(false) };
}

/// Forgets what [`connected_since_reset`] knows; called before a request.
pub(super) fn reset_connected() {
    CONNECTED.set(false);
}

/// Whether a new connection was made on this thread since [`reset_connected`]. If not, the request went over a pooled
/// connection, which the other side may have closed in the same moment.
pub(super) fn connected_since_reset() -> bool {
    CONNECTED.get()
}

/// ureq's TCP connector, noting that it was used.
#[derive(Debug, Default)]
pub(super) struct NotingConnector(TcpConnector);

impl<In: Transport> Connector<In> for NotingConnector {
    type Out = <TcpConnector as Connector<In>>::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        CONNECTED.set(true);
        self.0.connect(details, chained)
    }
}
