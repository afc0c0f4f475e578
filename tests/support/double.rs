//! A server that answers as a test tells it to, also wrongly.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use super::http::{Head, PATIENCE, RecordedRequest, Recording, add_body, read_body};
use super::listener::Listener;
use super::tls::Identity;

type Handler = Box<dyn Fn(&RecordedRequest) -> Reply + Send + Sync>;
type EarlyHandler = Box<dyn Fn(&RecordedRequest) -> Option<Reply> + Send + Sync>;

/// An HTTP server on loopback whose every answer is a closure's. It records all requests.
#[derive(Debug)]
pub struct Double {
    listener: Listener,
    recording: Recording,
    scheme: &'static str,
    over: Arc<Over>,
}

impl Double {
    /// A plain-HTTP server. `answer` is called with each request once its body has been read.
    pub fn plain(answer: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static) -> Double {
        Double::setup().start(answer)
    }

    /// The same over TLS.
    pub fn tls(
        identity: &Identity,
        answer: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static,
    ) -> Double {
        Double::setup().tls(identity).start(answer)
    }

    /// A server with more to say before it starts.
    pub fn setup() -> Setup {
        Setup { tls: None, early: Box::new(|_| None) }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.listener.host()
    }

    /// `http://127.0.0.1:PORT`, or with `https`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.host())
    }

    /// Every request so far, in the order in which their heads arrived, each with the first MiB of its body.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.recording.requests()
    }

    /// TCP connections accepted so far, also those whose TLS handshake failed.
    pub fn connections(&self) -> usize {
        self.recording.connections()
    }

    /// Forgets what was recorded, so that a test counts from here; the requests' numbers go on.
    pub fn clear(&self) {
        self.recording.clear();
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.over.set();
    }
}

/// What a [`Double`] is before it starts.
pub struct Setup {
    tls: Option<Arc<rustls::ServerConfig>>,
    early: EarlyHandler,
}

impl Setup {
    /// Speaks TLS with this identity.
    pub fn tls(mut self, identity: &Identity) -> Setup {
        self.tls = Some(identity.server_config(false));
        self
    }

    /// Speaks TLS with this identity and refuses clients that show no certificate of its authority.
    pub fn mutual_tls(mut self, identity: &Identity) -> Setup {
        self.tls = Some(identity.server_config(true));
        self
    }

    /// Asks `early` as soon as a request's head has arrived; `Some` is sent before any byte of the body is
    /// read, and the usual answer is not asked for.
    pub fn early(
        mut self,
        early: impl Fn(&RecordedRequest) -> Option<Reply> + Send + Sync + 'static,
    ) -> Setup {
        self.early = Box::new(early);
        self
    }

    /// Starts the server.
    pub fn start(self, answer: impl Fn(&RecordedRequest) -> Reply + Send + Sync + 'static) -> Double {
        let recording = Recording::default();
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let over = Arc::new(Over::default());
        let script = Script {
            tls: self.tls,
            early: self.early,
            answer: Box::new(answer),
            recording: recording.clone(),
            over: over.clone(),
        };
        let listener = Listener::start(move |socket, connection| {
            script.recording.connected();
            // How a connection ends is for the client under test to see.
            let _ = script.serve(&socket, connection);
        });
        Double { listener, recording, scheme, over }
    }
}

/// What to do with one request.
#[derive(Clone, Debug)]
pub struct Reply {
    content: Content,
    then: Then,
}

#[derive(Clone, Debug)]
enum Content {
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    Raw(Vec<u8>),
    Stall,
}

/// What happens to the connection after an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Then {
    Keep,
    Close,
    Reset,
}

impl Reply {
    /// An answer with this status, no body, on a connection that stays open.
    pub fn status(status: u16) -> Reply {
        Reply { content: Content::Answer { status, headers: Vec::new(), body: Vec::new() }, then: Then::Keep }
    }

    /// That what was asked for is there: 201, with a `Location` that names it as the request did.
    pub fn stored(request: &RecordedRequest) -> Reply {
        Reply::status(201).header("Location", request.target.clone())
    }

    /// An error in the shape of the distribution spec ("Error codes").
    pub fn error(status: u16, code: &str, message: &str) -> Reply {
        let body = serde_json::json!({ "errors": [{ "code": code, "message": message, "detail": null }] });
        Reply::status(status).header("Content-Type", "application/json").body(body.to_string())
    }

    /// These bytes instead of an HTTP answer, then the connection is closed.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { content: Content::Raw(bytes.into()), then: Then::Close }
    }

    /// No answer: the connection is closed.
    pub fn hang_up() -> Reply {
        Reply::raw(Vec::new())
    }

    /// No answer, and nothing more is read, while the connection stays open until the double is dropped.
    pub fn stall() -> Reply {
        Reply { content: Content::Stall, then: Then::Reset }
    }

    /// Adds a header. A `Content-Length` given here replaces the right one.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Reply {
        if let Content::Answer { headers, .. } = &mut self.content {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Reply {
        if let Content::Answer { body, .. } = &mut self.content {
            *body = bytes.into();
        }
        self
    }

    /// Closes the connection after the answer: nothing more is sent, what the client still sends is read and
    /// thrown away.
    pub fn close(mut self) -> Reply {
        self.then = Then::Close;
        self
    }

    /// Drops the connection right after the answer. When part of the request has not been read (see
    /// [`Setup::early`]), the client gets a TCP reset and may lose the answer.
    pub fn reset(mut self) -> Reply {
        self.then = Then::Reset;
        self
    }

    fn bytes(&self, method: &str) -> Vec<u8> {
        let (status, headers, body) = match &self.content {
            Content::Answer { status, headers, body } => (*status, headers, body),
            Content::Raw(bytes) => return bytes.clone(),
            Content::Stall => return Vec::new(),
        };
        let mut head = format!("HTTP/1.1 {status} Told\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        });
        let bodiless = status < 200 || status == 204 || status == 304;
        if !framed && !bodiless {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        if self.then == Then::Close {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if method != "HEAD" && !bodiless {
            bytes.extend_from_slice(body);
        }
        bytes
    }
}

/// A running server's part of the work.
struct Script {
    tls: Option<Arc<rustls::ServerConfig>>,
    early: EarlyHandler,
    answer: Handler,
    recording: Recording,
    over: Arc<Over>,
}

impl Script {
    fn serve(&self, socket: &TcpStream, connection: usize) -> io::Result<()> {
        socket.set_write_timeout(Some(PATIENCE))?;
        let Some(config) = &self.tls else {
            return self.converse(socket, connection, |socket| socket.shutdown(Shutdown::Write));
        };
        let session = rustls::ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        self.converse(rustls::StreamOwned::new(session, socket), connection, |stream| {
            stream.conn.send_close_notify();
            stream.flush()?;
            stream.sock.shutdown(Shutdown::Write)
        })
    }

    fn converse<S: Read + Write>(
        &self,
        stream: S,
        connection: usize,
        end_writing: impl Fn(&mut S) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        while let Some(head) = Head::read(&mut stream)? {
            let mut request = self.recording.begin(&head, connection);
            let early = (self.early)(&request);
            if let Some(reply) = &early {
                send(stream.get_mut(), reply, &request)?;
            }
            if early.as_ref().is_none_or(|reply| reply.then == Then::Keep) {
                if early.is_none() && head.expects_continue() {
                    stream.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                }
                read_body(&mut stream, head.framing()?, &mut io::sink(), |bytes| {
                    self.recording.body(request.number, bytes, true);
                    add_body(&mut request, bytes, true);
                })?;
            }
            let reply = match early {
                Some(reply) => reply,
                None => {
                    let reply = (self.answer)(&request);
                    send(stream.get_mut(), &reply, &request)?;
                    reply
                }
            };
            match (reply.content, reply.then) {
                (Content::Stall, _) => {
                    self.over.wait();
                    return Ok(());
                }
                (_, Then::Keep) => {}
                (_, Then::Close) => {
                    end_writing(stream.get_mut())?;
                    return drain(&mut stream);
                }
                (_, Then::Reset) => return Ok(()),
            }
        }
        Ok(())
    }
}

fn send(stream: &mut impl Write, reply: &Reply, request: &RecordedRequest) -> io::Result<()> {
    stream.write_all(&reply.bytes(&request.method))?;
    stream.flush()
}

/// Reads until the client closes, so that no reset overtakes what was sent.
fn drain(stream: &mut impl Read) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

/// Whether the test has finished with its double.
#[derive(Debug, Default)]
struct Over {
    set: Mutex<bool>,
    changed: Condvar,
}

impl Over {
    fn set(&self) {
        *self.set.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let set = self.set.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        drop(self.changed.wait_while(set, |set| !*set));
    }
}
