//! As much of HTTP/1.1 as the proxy and the double need, and a client that gives back exact bytes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// How long any single read or write of the test's own sockets may take before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// No test sends a header larger than this; one that does has lost its framing.
const HEAD_LIMIT: usize = 1024 * 1024;

/// How much of a body is kept with a recorded request.
const KEPT_BODY: usize = 1024 * 1024;

/// A request as a server saw it.
#[derive(Clone, Debug, Default)]
pub struct RecordedRequest {
    /// Position among all requests, from 0.
    pub number: usize,
    /// The TCP connection that it came on, from 0.
    pub connection: usize,
    /// The method, in the case it was sent in.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// Names and values in the order they were sent.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body that have arrived, without the framing of a chunked body.
    pub body_length: u64,
    /// The first MiB of the body; empty at the proxy, which keeps none.
    pub body: Vec<u8>,
}

impl RecordedRequest {
    /// `METHOD TARGET`, as in the request line.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// What follows the first `?`, or the empty string.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first value of a header, its name compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// The requests and connections of one server, shared by its threads and the test.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<RecordedRequest>,
    next_number: usize,
    connections: usize,
}

impl Recording {
    /// Every request so far, in the order in which their heads arrived.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.seen().requests.clone()
    }

    /// TCP connections accepted so far.
    pub fn connections(&self) -> usize {
        self.seen().connections
    }

    /// Forgets the requests and connections so far; numbers go on.
    pub fn clear(&self) {
        let mut seen = self.seen();
        seen.requests.clear();
        seen.connections = 0;
    }

    pub(super) fn connected(&self) {
        self.seen().connections += 1;
    }

    /// Adds a request whose head has arrived.
    pub(super) fn begin(&self, head: &Head, connection: usize) -> RecordedRequest {
        let mut seen = self.seen();
        let mut words = head.line.splitn(3, ' ').map(str::to_owned);
        let request = RecordedRequest {
            number: seen.next_number,
            connection,
            method: words.next().unwrap_or_default(),
            target: words.next().unwrap_or_default(),
            headers: head.headers.clone(),
            ..RecordedRequest::default()
        };
        seen.next_number += 1;
        seen.requests.push(request.clone());
        request
    }

    /// Counts bytes of the body of request `number`, and keeps those that fit when asked to.
    pub(super) fn body(&self, number: usize, bytes: &[u8], keep: bool) {
        let mut seen = self.seen();
        // None when the test has cleared the recording meanwhile.
        if let Some(request) = seen.requests.iter_mut().rev().find(|request| request.number == number) {
            add_body(request, bytes, keep);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Counts bytes of a request's body, and keeps those that fit when asked to.
pub(super) fn add_body(request: &mut RecordedRequest, bytes: &[u8], keep: bool) {
    request.body_length += bytes.len() as u64;
    if keep {
        let room = KEPT_BODY - request.body.len();
        request.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// The first line and the headers of a request or an answer.
#[derive(Debug)]
pub(super) struct Head {
    /// The request or status line.
    pub line: String,
    pub headers: Vec<(String, String)>,
    /// The head as it was received, with its empty line.
    pub bytes: Vec<u8>,
}

impl Head {
    /// Reads a head, or `None` when the peer closed before its first byte.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
        let mut bytes = Vec::new();
        let mut lines = Vec::new();
        loop {
            let start = bytes.len();
            let limit = (HEAD_LIMIT - start) as u64;
            if reader.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
                return if bytes.is_empty() { Ok(None) } else { Err(broken("a head that ends early")) };
            }
            let line = String::from_utf8_lossy(&bytes[start..]).trim_end_matches(['\r', '\n']).to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let mut lines = lines.into_iter();
        let line = lines.next().ok_or_else(|| broken("a head without a first line"))?;
        let headers = lines
            .filter_map(|line| {
                line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            })
            .collect();
        Ok(Some(Head { line, headers, bytes }))
    }

    /// How the body of this request is framed.
    pub fn framing(&self) -> io::Result<Framing> {
        if header(&self.headers, "transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            return Ok(Framing::Chunked);
        }
        match header(&self.headers, "content-length") {
            None => Ok(Framing::Length(0)),
            Some(value) => {
                value.parse().map(Framing::Length).map_err(|_| broken("a Content-Length of no number"))
            }
        }
    }

    /// Whether the sender waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        header(&self.headers, "expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// Reads one body: `raw` gets every byte as it was sent, `payload` the bytes without framing, both in pieces.
pub(super) fn read_body(
    reader: &mut impl BufRead,
    framing: Framing,
    raw: &mut impl Write,
    mut payload: impl FnMut(&[u8]),
) -> io::Result<()> {
    match framing {
        Framing::Length(length) => read_exactly(reader, length, raw, &mut payload),
        Framing::Chunked => loop {
            let line = read_line(reader, raw)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| broken("a chunk size of no number"))?;
            if size == 0 {
                while !read_line(reader, raw)?.is_empty() {}
                return Ok(());
            }
            read_exactly(reader, size, raw, &mut payload)?;
            read_line(reader, raw)?;
        },
    }
}

fn read_exactly(
    reader: &mut impl BufRead,
    mut length: u64,
    raw: &mut impl Write,
    payload: &mut impl FnMut(&[u8]),
) -> io::Result<()> {
    while length > 0 {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Err(broken("a body that ends early"));
        }
        let count = bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        payload(&bytes[..count]);
        raw.write_all(&bytes[..count])?;
        reader.consume(count);
        length -= count as u64;
    }
    Ok(())
}

fn read_line(reader: &mut impl BufRead, raw: &mut impl Write) -> io::Result<String> {
    let mut line = Vec::new();
    reader.by_ref().take(HEAD_LIMIT as u64).read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        return Err(broken("a line that ends early"));
    }
    raw.write_all(&line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header, its name compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// Gets `target` from the plain-HTTP server at `host` (`127.0.0.1:PORT`).
pub fn get(host: &str, target: &str, headers: &[(&str, &str)]) -> Answer {
    request(host, "GET", target, headers, b"")
}

/// Sends one request to a plain-HTTP server on a connection of its own, and reads the answer to its end.
pub fn request(host: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    try_request(host, method, target, headers, body)
        .unwrap_or_else(|error| panic!("{method} http://{host}{target}: {error}"))
}

/// Like [`request`], with the failure of the connection as a value.
pub fn try_request(
    host: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    exchange(&mut BufReader::new(stream), host, method, target, headers, body)
}

/// Sends one request on an open connection (plain or TLS), which is closed afterwards, and reads the answer.
pub fn exchange<S: Read + Write>(
    stream: &mut BufReader<S>,
    host: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || matches!(method, "POST" | "PUT" | "PATCH") {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let writer = stream.get_mut();
    writer.write_all(head.as_bytes())?;
    // A server may answer and close before it has read the body: the answer counts, not the broken pipe.
    let sent = writer.write_all(body).and_then(|()| writer.flush());
    read_answer(stream, method).map_err(|error| sent.err().unwrap_or(error))
}

fn read_answer(reader: &mut impl BufRead, method: &str) -> io::Result<Answer> {
    let head = Head::read(reader)?.ok_or_else(|| broken("no answer"))?;
    let status = head.line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status: u16 = status.ok_or_else(|| broken("an answer without a status"))?;
    let mut body = Vec::new();
    let chunked = header(&head.headers, "transfer-encoding").is_some();
    if method != "HEAD" && status != 204 && status != 304 {
        if chunked || header(&head.headers, "content-length").is_some() {
            read_body(reader, head.framing()?, &mut io::sink(), |bytes| body.extend_from_slice(bytes))?;
        } else {
            reader.read_to_end(&mut body)?;
        }
    }
    Ok(Answer { status, headers: head.headers, body })
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
