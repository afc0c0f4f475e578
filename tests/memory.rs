//! Peak memory does not depend on the size of a blob.
//!
//! The uploads run in a process of their own, which is this program started again, so that the memory of servers and
//! of other tests is not counted. Unoptimised builds upload 64 MiB; `tests/limits/run` has this done with 1 GiB.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use ocireg::{Client, Source, TrustRoots};

mod support;
use support::{Registry, TempDir};

const SIZE: u64 = if cfg!(debug_assertions) { 64 << 20 } else { 1 << 30 };
const MOST: u64 = 16 << 20;

/// Set in the process that uploads: what it uploads, where to, and whom it trusts.
const SOURCE: &str = "OCIREG_TEST_SOURCE";
const ADDRESS: &str = "OCIREG_TEST_ADDRESS";
const CA_FILE: &str = "OCIREG_TEST_CA_FILE";

#[test]
fn an_upload_over_plain_http_takes_16_mib_at_most() {
    if is_child() {
        return upload();
    }
    let Some(registry) = Registry::docker().map(|setup| setup.start()) else { return };
    assert_bounded("an_upload_over_plain_http_takes_16_mib_at_most", &registry, None);
}

#[test]
fn an_upload_over_tls_takes_16_mib_at_most() {
    if is_child() {
        return upload();
    }
    let Some(registry) = Registry::docker().map(|setup| setup.tls().start()) else { return };
    let ca = registry.ca_pem_path();
    assert_bounded("an_upload_over_tls_takes_16_mib_at_most", &registry, Some(&ca));
}

fn assert_bounded(test: &str, registry: &Registry, ca: Option<&Path>) {
    let directory = TempDir::new();
    // All holes, so that it takes no room on the disk.
    let file = directory.join("file");
    File::create(&file).unwrap().set_len(SIZE).unwrap();
    for (what, source) in [("file", file.as_os_str()), ("reader of unknown length", "reader".as_ref())] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", test, "--test-threads=1", "--nocapture"]);
        child.env(SOURCE, source).env(ADDRESS, format!("{}/sample", registry.url()));
        if let Some(ca) = ca {
            child.env(CA_FILE, ca);
        }
        let output = child.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{what}: {said}\n{}", String::from_utf8_lossy(&output.stdout));
        let peak = said.lines().find_map(|line| line.strip_prefix("peak: ")).expect("a peak");
        let peak: u64 = peak.parse().expect("a number");
        eprintln!(
            "{} MiB from a {what}: at most {:.1} MiB of memory",
            SIZE >> 20,
            peak as f64 / (1 << 20) as f64
        );
        assert!(peak <= MOST, "{what}: {peak} bytes");
    }
}

// --- In the process that uploads ------------------------------------------------------------------------------------

fn is_child() -> bool {
    std::env::var_os(SOURCE).is_some()
}

fn upload() {
    let mut client = Client::builder();
    if let Some(ca) = std::env::var_os(CA_FILE) {
        client = client.trust_roots(TrustRoots::Given).ca_file(ca);
    }
    let address = std::env::var(ADDRESS).unwrap();
    let repository = client.build().unwrap().repository(&address).unwrap();
    let source = std::env::var_os(SOURCE).unwrap();
    let source =
        if source == "reader" { Source::reader(io::repeat(b'a').take(SIZE)) } else { Source::file(source) };
    let blob = repository.upload_blob(source).unwrap();
    assert_eq!(blob.size(), SIZE);
    eprintln!("peak: {}", peak_memory());
}

/// The most memory that this process ever had, in bytes (proc(5), VmHWM).
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}
