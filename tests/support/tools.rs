//! Finding the programs that the tests use, and saying so when one is missing.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The path of a program, or `None` after one line that says what is not tested. With `OCIREG_REQUIRE_ALL=1`
/// a missing program is a failure.
///
/// Looked for in `OCIREG_TOOLS_DIR`, in `target/tools/bin` (where `tests/run` installs), then on `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    let found = look_for(program);
    if found.is_none() {
        missing(program);
    }
    found
}

/// Like [`find`], without a word when the program is not there.
pub fn look_for(program: &str) -> Option<PathBuf> {
    directories().into_iter().map(|directory| directory.join(program)).find(|path| is_executable(path))
}

/// Says that something is not tested here, or fails where everything is required.
fn missing(what: &str) {
    assert!(
        !everything_is_required(),
        "{what} is missing, and OCIREG_REQUIRE_ALL=1 asks for it (tests/run tools)"
    );
    say_once(format!("skipped: {what} is not on this machine"));
}

/// Prints a line that the test runner does not hold back, once for each test program.
pub fn say_once(line: String) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut said = SAID.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !said.contains(&line) {
        // Unlike eprintln!, whose lines are shown for failed tests only.
        let _ = writeln!(std::io::stderr(), "{line}");
        said.insert(line);
    }
}

/// Whether a missing program fails the tests instead of skipping them.
fn everything_is_required() -> bool {
    std::env::var_os("OCIREG_REQUIRE_ALL").is_some_and(|value| value == "1")
}

fn directories() -> Vec<PathBuf> {
    let mut directories = Vec::new();
    directories.extend(std::env::var_os("OCIREG_TOOLS_DIR").map(PathBuf::from));
    directories.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    directories.extend(std::env::split_paths(&path));
    directories
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
