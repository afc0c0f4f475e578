//! A recording proxy: what a real registry was asked, over how many connections.

use std::io::{self, BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use super::http::{Head, RecordedRequest, Recording, read_body};
use super::listener::Listener;

/// Stands in front of a plain-HTTP server and passes every byte through unchanged.
///
/// The client's `Host` header reaches the server too, so a server that builds absolute URLs from it names the
/// proxy. Every connection to the proxy opens one connection of its own to the server.
#[derive(Debug)]
pub struct CountingProxy {
    listener: Listener,
    recording: Recording,
}

impl CountingProxy {
    /// Starts a proxy in front of the server at `host` (`127.0.0.1:PORT`).
    pub fn in_front_of(host: impl Into<String>) -> CountingProxy {
        let server = host.into();
        let recording = Recording::default();
        let listener = Listener::start({
            let recording = recording.clone();
            move |client, connection| {
                recording.connected();
                // A broken connection is the business of the client under test, which sees it broken.
                let _ = pass(&client, &server, connection, &recording);
                let _ = client.shutdown(Shutdown::Both);
            }
        });
        CountingProxy { listener, recording }
    }

    /// `127.0.0.1:PORT` of the proxy.
    pub fn host(&self) -> String {
        self.listener.host()
    }

    /// `http://127.0.0.1:PORT` of the proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// Every request so far, in the order in which their heads arrived. Bodies are counted, not kept.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.recording.requests()
    }

    /// TCP connections accepted so far.
    pub fn connections(&self) -> usize {
        self.recording.connections()
    }

    /// Forgets what was recorded, so that a test counts from here.
    pub fn clear(&self) {
        self.recording.clear();
    }
}

/// Serves one connection: requests are read and recorded on this thread, answers are copied by another.
fn pass(client: &Arc<TcpStream>, server: &str, connection: usize, recording: &Recording) -> io::Result<()> {
    let upstream = Arc::new(TcpStream::connect(server)?);
    upstream.set_nodelay(true)?;
    let answers = std::thread::spawn({
        let (client, upstream) = (client.clone(), upstream.clone());
        move || {
            let _ = io::copy(&mut &*upstream, &mut &*client);
            // The server has closed, so has the proxy.
            let _ = client.shutdown(Shutdown::Both);
        }
    });
    let result = pass_requests(client, &upstream, connection, recording);
    // The server's last answer, if one is on its way, still reaches the client.
    let _ = upstream.shutdown(Shutdown::Write);
    let _ = answers.join();
    result
}

fn pass_requests(
    client: &TcpStream,
    upstream: &TcpStream,
    connection: usize,
    recording: &Recording,
) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(64 * 1024, client);
    let mut upstream = upstream;
    while let Some(head) = Head::read(&mut reader)? {
        let request = recording.begin(&head, connection);
        upstream.write_all(&head.bytes)?;
        read_body(&mut reader, head.framing()?, &mut upstream, |bytes| {
            recording.body(request.number, bytes, false);
        })?;
    }
    Ok(())
}
