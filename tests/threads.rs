//! No call ever creates a thread, with every time limit set.
//!
//! The calls are made in a process of their own, which is this program started again, so that the threads of servers
//! and of other tests are not counted.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::Duration;

use ocireg::{
    BlobOptions, Client, ClientBuilder, Descriptor, Digest, ErrorKind, Index, Manifest, ManifestOptions,
    NO_TAGS, Repository, Source, TrustRoots,
};

mod support;
use support::uploads::{ShortReads, content};
use support::{Double, Registry, Reply, TempDir, tools};

/// Set in the process that makes the calls: the servers that it talks to.
const PLAIN: &str = "OCIREG_TEST_PLAIN";
const SECURE: &str = "OCIREG_TEST_SECURE";
const CA_FILE: &str = "OCIREG_TEST_CA_FILE";
const BUSY: &str = "OCIREG_TEST_BUSY";
const SILENT: &str = "OCIREG_TEST_SILENT";

/// What the test runner itself has in that process: its main thread, and the one that it starts for the test.
const RUNNER: usize = 2;

const USER: &str = "user";
const PASSWORD: &str = "secret";

#[test]
fn a_process_has_no_more_threads_during_every_call() {
    if is_child() {
        return make_every_kind_of_call();
    }
    let Some(servers) = Servers::start() else { return };
    let mut child = Command::new(std::env::current_exe().unwrap());
    servers.point_to(child.args(arguments("a_process_has_no_more_threads_during_every_call")));
    let mut child = child.stdin(Stdio::null()).spawn().unwrap();
    // Besides what the process sees itself in its callbacks: what others see at any time.
    let mut most = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        most = most.max(tasks(&child.id().to_string()));
        std::thread::yield_now();
    };
    assert!(status.success(), "{status}");
    assert_eq!(most, RUNNER);
}

#[test]
fn no_call_asks_the_kernel_for_a_thread() {
    if is_child() {
        return make_every_kind_of_call();
    }
    let Some(strace) = tools::find("strace") else { return };
    let Some(servers) = Servers::start() else { return };
    let directory = TempDir::new();
    let log = directory.join("log");
    let mut child = Command::new(strace);
    // connect only to see that the calls were traced.
    child.args(["-f", "-e", "trace=clone,clone3,fork,vfork,connect", "-o"]).arg(&log);
    child.arg(std::env::current_exe().unwrap());
    servers.point_to(child.args(arguments("no_call_asks_the_kernel_for_a_thread")));
    let status = child.stdin(Stdio::null()).status().unwrap();
    let log = fs::read_to_string(log).unwrap();
    assert!(status.success(), "{status}\n{log}");
    assert!(log.contains("connect("), "{log}");
    let created: Vec<&str> =
        log.lines().filter(|line| ["clone", "fork"].iter().any(|call| line.contains(call))).collect();
    assert_eq!(created.len(), RUNNER - 1, "{created:#?}");
}

/// One test alone.
fn arguments(test: &str) -> [&str; 4] {
    ["--exact", test, "--test-threads=1", "--nocapture"]
}

struct Servers {
    plain: Registry,
    secure: Registry,
    /// Answers 503 to everything.
    busy: Double,
    /// Answers nothing.
    silent: Double,
}

impl Servers {
    fn start() -> Option<Servers> {
        Some(Servers {
            plain: Registry::docker()?.start(),
            secure: Registry::docker()?.tls().htpasswd(USER, PASSWORD).start(),
            busy: Double::plain(|_| Reply::error(503, "UNAVAILABLE", "later").header("Retry-After", "0")),
            silent: Double::plain(|_| Reply::stall()),
        })
    }

    fn point_to(&self, child: &mut Command) {
        child.env(PLAIN, self.plain.host());
        child.env(SECURE, self.secure.host()).env(CA_FILE, self.secure.ca_pem_path());
        child.env(BUSY, self.busy.url()).env(SILENT, self.silent.url());
    }
}

/// Threads of a process (proc(5)).
fn tasks(process: &str) -> usize {
    fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count)
}

// --- In the process that makes the calls ----------------------------------------------------------------------------

fn is_child() -> bool {
    std::env::var_os(PLAIN).is_some()
}

fn setting(name: &str) -> String {
    std::env::var(name).unwrap()
}

fn make_every_kind_of_call() {
    let limits = || {
        Client::builder()
            .connect_timeout(Duration::from_secs(20))
            .read_timeout(Duration::from_secs(20))
            .write_timeout(Duration::from_secs(20))
            .commit_timeout(Duration::from_secs(20))
            .attempts(2)
    };
    let plain = setting(PLAIN);
    let client = limits().build().unwrap();
    use_repository(&client.repository(&format!("http://{plain}/team/plain")).unwrap());
    // A name that is looked up, and has two addresses on most machines.
    let by_name = plain.replace("127.0.0.1", "localhost");
    use_repository(&client.repository(&format!("http://{by_name}/team/by-name")).unwrap());
    let chunked = limits().chunk_size(70_000).build().unwrap();
    use_repository(&chunked.repository(&format!("http://{plain}/team/chunked")).unwrap());
    let layout = TempDir::new();
    use_repository(&client.repository(&format!("oci-layout:{}", layout.join("layout").display())).unwrap());

    let trusting = |client: ClientBuilder| {
        client.trust_roots(TrustRoots::Given).ca_file(setting(CA_FILE)).build().unwrap()
    };
    let secure = setting(SECURE);
    let signed_in = trusting(limits().basic_auth(USER, PASSWORD));
    for host in [secure.clone(), secure.replace("127.0.0.1", "localhost")] {
        use_repository(&signed_in.repository(&format!("{host}/team/secure")).unwrap());
    }

    let fails = |client: &Client, address: &str, kind: ErrorKind| {
        let error = client.repository(address).unwrap().upload_blob("content").unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(tasks("self"), RUNNER);
    };
    fails(&client, "http://127.0.0.1:1/refused", ErrorKind::Connect);
    fails(&client, "http://no-such-registry.invalid/unknown", ErrorKind::Dns);
    // The system's authorities are read for this one.
    fails(&client, &format!("{secure}/untrusted"), ErrorKind::Tls);
    fails(&trusting(limits()), &format!("{secure}/anonymous"), ErrorKind::Unauthorized);
    fails(&client, &format!("{}/busy", setting(BUSY)), ErrorKind::RegistryFailed);
    let impatient = limits().read_timeout(Duration::from_millis(100)).attempts(1).build().unwrap();
    fails(&impatient, &format!("{}/silent", setting(SILENT)), ErrorKind::Timeout);
}

/// Every verb, and every kind of source.
fn use_repository(repository: &Repository) {
    let bytes = content(300_000, 1);
    let alone = || {
        BlobOptions::new().progress(|_| {
            assert_eq!(tasks("self"), RUNNER);
            ControlFlow::Continue(())
        })
    };
    let directory = TempDir::new();
    let file = directory.write("file", content(300_000, 2));
    let seekable = content(300_000, 3);
    let sized = content(300_000, 4);
    let endless = content(9_000_000, 5);
    let known = content(300_000, 6);
    let mounted = content(300_000, 7);
    let cancelled = content(300_000, 8);
    let sizes = [1000, 70_000];
    let mut layers: Vec<Descriptor> = [
        (Source::bytes(&bytes), alone()),
        // This one is there.
        (Source::bytes(&bytes), alone()),
        (Source::bytes(&b""[..]), alone()),
        (Source::file(file), alone()),
        (Source::seekable(Cursor::new(&seekable)), alone()),
        (Source::sized_reader(ShortReads::new(&sized, &sizes), 300_000), alone()),
        (Source::reader(ShortReads::new(&endless, &sizes)), alone()),
        (Source::reader(ShortReads::new(&known, &sizes)), alone().known(Digest::sha256(&known), 300_000)),
        (Source::bytes(&mounted), alone().mount_from("another/repository")),
    ]
    .into_iter()
    .map(|(source, options)| repository.upload_blob_with(source, options).unwrap())
    .collect();
    layers.dedup();
    let cancel = BlobOptions::new().progress(|progress| {
        if progress.bytes_done() > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let error = repository.upload_blob_with(Source::seekable(Cursor::new(&cancelled)), cancel).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Aborted, "{error}");

    assert!(repository.blob_exists(layers[0].digest()).unwrap());
    assert!(!repository.blob_exists(&Digest::sha256(b"not there")).unwrap());
    let manifest = Manifest::artifact("application/vnd.example.threads").with_layers(layers);
    let uploaded = repository.upload_manifest(&manifest, ["one"]).unwrap();
    repository.upload_manifest(&manifest, ["two", "three"]).unwrap();
    let keep = ManifestOptions::new().keep_existing_tags(true);
    repository.upload_manifest_with(&manifest, ["one"], keep).unwrap();
    repository.upload_manifest(&Index::new().manifest(uploaded), NO_TAGS).unwrap();
    assert_eq!(tasks("self"), RUNNER);
}
