//! What the tests of uploads do again and again: open a repository, make content, have others read it back.

use std::io::{self, Read};

use ocireg::{Client, Descriptor, Manifest, Repository};

use super::clients::Tool;
use super::counting::CountingProxy;
use super::http::RecordedRequest;
use super::servers::{Kind, Registry};

/// The name of the repository that most tests upload to.
pub const NAME: &str = "team/sample";

/// A client with the defaults, but that every request is tried once: a test that fails should do so at once.
pub fn client() -> Client {
    Client::builder().attempts(1).build().expect("a client")
}

/// [`NAME`] at `url` (`http://127.0.0.1:PORT`).
pub fn open(client: &Client, url: &str) -> Repository {
    client.repository(&format!("{url}/{NAME}")).expect("an address")
}

/// Bytes that no other `seed` gives and that do not repeat.
pub fn content(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(next).take(size.div_ceil(8)).flatten().collect();
    bytes.truncate(size);
    bytes
}

/// Reads in pieces of at most these sizes, over and over.
#[derive(Debug)]
pub struct ShortReads<'a> {
    rest: &'a [u8],
    sizes: Vec<usize>,
    reads: usize,
}

impl<'a> ShortReads<'a> {
    /// Gives `bytes` and then ends.
    pub fn new(bytes: &'a [u8], sizes: &[usize]) -> ShortReads<'a> {
        ShortReads { rest: bytes, sizes: sizes.to_vec(), reads: 0 }
    }
}

impl Read for ShortReads<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.sizes[self.reads % self.sizes.len()];
        self.reads += 1;
        let most = buffer.len().min(most);
        self.rest.read(&mut buffer[..most])
    }
}

/// A source that fails the test when it is read.
#[derive(Debug)]
pub struct NeverRead;

impl Read for NeverRead {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("the source was read")
    }
}

/// Lists these blobs of a repository in a manifest, and has every reader on this machine read them back. skopeo and
/// crane know no digests but sha256.
pub fn assert_stored(registry: &Registry, name: &str, blobs: &[(Descriptor, &[u8])]) {
    let repository = client().repository(&format!("{}/{name}", registry.url())).expect("an address");
    let layers = blobs.iter().map(|(descriptor, _)| descriptor.clone());
    let manifest = Manifest::artifact("application/vnd.example.test").with_layers(layers);
    repository.upload_manifest(&manifest, ["read-back"]).expect("the manifest is taken");
    for (descriptor, bytes) in blobs {
        assert_eq!(descriptor.size(), bytes.len() as u64, "{descriptor:?}");
    }
    let only_sha256 = blobs.iter().all(|(descriptor, _)| descriptor.digest().algorithm() == "sha256");
    for reader in registry.readers() {
        if reader.tool() != Tool::Oras && !only_sha256 {
            continue;
        }
        let digests: Vec<&str> = blobs.iter().map(|(descriptor, _)| descriptor.digest().as_str()).collect();
        let read = reader.blobs(&format!("{name}:read-back"), &digests);
        for ((descriptor, bytes), read) in blobs.iter().zip(read) {
            // Not assert_eq!, which would print the bytes.
            assert!(
                read == *bytes,
                "{:?} reads {} other bytes of {} from {:?}",
                reader.tool(),
                read.len(),
                descriptor.digest(),
                registry.kind()
            );
        }
    }
}

/// That the registry was asked to end the only session that it was asked to open, and has kept nothing of it. `proxy`
/// stands in front of it and has seen this upload alone.
pub fn assert_cancelled(registry: &Registry, proxy: &CountingProxy) {
    let requests = proxy.requests();
    let lines: Vec<String> = requests.iter().map(RecordedRequest::line).collect();
    let with = |method: &str| requests.iter().filter(|request| request.method == method).collect::<Vec<_>>();
    assert_eq!(with("POST").len(), 1, "{lines:?}");
    // What was sent last goes over a connection that was closed, so the end of the session can overtake it.
    let end = *with("DELETE").first().unwrap_or_else(|| panic!("not cancelled: {lines:?}"));
    let sent = requests.iter().rev().find(|request| matches!(request.method.as_str(), "PUT" | "PATCH"));
    assert!(sent.is_none_or(|sent| sent.path() == end.path()), "{lines:?}");
    // docker-registry forgets where a session is of which a request has failed after its first byte, and then neither
    // goes on with it nor ends it (ResumeBlobUpload in registry/handlers/blobupload.go): no client can.
    let failed = |request: &RecordedRequest| {
        let whole = request.header("content-length") == Some(&request.body_length.to_string());
        request.body_length > 0 && (request.method == "PUT" || !whole)
    };
    let lost = registry.kind() == Kind::Docker && sent.is_some_and(failed);
    if registry.kind() != Kind::Crane && !lost {
        let session = end.path().rsplit('/').next();
        let open = registry.open_uploads(NAME);
        assert!(
            !open.iter().any(|open| open.file_name().and_then(|name| name.to_str()) == session),
            "{lines:?}"
        );
    }
}
