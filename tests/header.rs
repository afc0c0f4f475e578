//! The C header says what the library does: it is up to date, compiles everywhere, and declares what is exported.
//!
//! `UPDATE_HEADER=1 cargo test --features capi --test header` refreshes the committed copy.
#![cfg(feature = "capi")]
// A helper that cannot do its work fails the test that called it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use support::{TempDir, tools};

const COMMITTED: &str = "include/ocireg.h";

#[test]
fn the_committed_header_is_the_generated_one() {
    let generated = read(env!("OCIREG_GENERATED_HEADER"));
    if env::var_os("UPDATE_HEADER").is_some_and(|value| value == "1") {
        fs::write(root().join(COMMITTED), &generated).unwrap();
    }
    let committed = header();
    let difference =
        committed.lines().zip(generated.lines()).position(|(committed, generated)| committed != generated);
    assert!(
        committed == generated,
        "{COMMITTED} is out of date, from line {}; refresh it: UPDATE_HEADER=1 cargo test --features capi --test header",
        difference.map_or(committed.lines().count().min(generated.lines().count()), |line| line) + 1
    );
}

#[test]
fn the_version_macros_are_those_of_the_package() {
    let macros = macros(&header(), "OCIREG_VERSION");
    let parts =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    assert_eq!(macros[""], format!("{:?}", env!("CARGO_PKG_VERSION")));
    assert_eq!([&*macros["_MAJOR"], &*macros["_MINOR"], &*macros["_PATCH"]], parts);

    let Some(cc) = tools::find("cc") else { return };
    let [major, minor, patch] = parts.map(|part| part.parse::<u32>().unwrap());
    let number = major * 1_000_000 + minor * 1_000 + patch;
    let source = format!(
        "#include \"ocireg.h\"\n\
         #if OCIREG_VERSION_NUMBER != {number}\n#error the number\n#endif\n\
         typedef char version[sizeof(OCIREG_VERSION) == sizeof({:?}) ? 1 : -1];\n",
        env!("CARGO_PKG_VERSION")
    );
    compile(&cc, &["-std=c99"], "version.c", &source);
    assert_eq!(ocireg::ffi::ocireg_version_number(), number);
}

#[test]
fn every_kind_of_error_has_its_status_and_no_status_is_without_one() {
    let mut expected: BTreeMap<String, String> =
        ocireg::ErrorKind::ALL.iter().map(|(_, code, name)| ((*name).to_owned(), code.to_string())).collect();
    expected.insert("PANIC".into(), "99".into());
    assert_eq!(macros(&header(), "OCIREG_E_"), expected);
}

#[test]
fn status_codes_never_change() {
    // Codes are only ever added: this list is what programs have been compiled with.
    let released = "INVALID_ARGUMENT=1 INVALID_REFERENCE=2 INVALID_DIGEST=3 INVALID_MANIFEST=4 BUSY=5 IO=20 SOURCE=21 \
                    NOT_REWINDABLE=22 SOURCE_CHANGED=23 INVALID_LAYOUT=24 DNS=30 CONNECT=31 CONNECTION=32 TLS=33 \
                    UNAUTHORIZED=40 DENIED=41 NOT_FOUND=42 RATE_LIMITED=43 TOO_LARGE=44 REJECTED=45 \
                    REGISTRY_FAILED=46 PROTOCOL=47 REDIRECT=48 TAG_CONFLICT=49 LIMIT_EXCEEDED=50 DIGEST_MISMATCH=70 \
                    SIZE_MISMATCH=71 ABORTED=90 TIMEOUT=93 PANIC=99";
    let now = macros(&header(), "OCIREG_E_");
    for entry in released.split_whitespace() {
        let (name, code) = entry.split_once('=').unwrap();
        assert_eq!(now.get(name).map(String::as_str), Some(code), "OCIREG_E_{name}");
    }
}

#[test]
fn media_types_and_annotation_keys_are_those_of_rust() {
    for (prefix, file) in
        [("OCIREG_MEDIA_TYPE_", "src/model/media_type.rs"), ("OCIREG_ANNOTATION_", "src/model/annotation.rs")]
    {
        let source = read(root().join(file));
        let rust: BTreeMap<String, String> = source
            .lines()
            .filter_map(|line| line.strip_prefix("pub const ")?.strip_suffix(';')?.split_once(": &str = "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert!(!rust.is_empty());
        assert_eq!(macros(&header(), prefix), rust, "{file}");
    }
}

#[test]
fn every_exported_body_begins_with_the_panic_guard() {
    let mut seen = 0;
    for path in rust_files(&root().join("src")) {
        let source = read(&path);
        let in_ffi = path.starts_with(root().join("src/ffi"));
        for (position, _) in source.match_indices("no_mangle") {
            assert!(in_ffi, "{} exports a symbol", path.display());
            let function = &source[position..];
            let name = function.split_once("fn ").unwrap().1.split('(').next().unwrap();
            let body = function.split_once("{\n").unwrap().1.trim_start();
            let body = body
                .strip_prefix("// SAFETY: the pointers are as the header asks.")
                .unwrap_or(body)
                .trim_start();
            let body = body.strip_prefix("unsafe {").unwrap_or(body).trim_start();
            assert!(
                body.starts_with("guard(err, ||") || body.starts_with("guard_or("),
                "{name} in {} does not begin with guard: {}",
                path.display(),
                body.lines().next().unwrap_or_default()
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} exported functions found");
}

#[test]
fn the_header_compiles_as_c_and_as_cpp_with_every_warning() {
    const COMMON: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion"];
    let source = "#include \"ocireg.h\"\n#include \"ocireg.h\"\n\
                  ocireg_reader make(void);\n\
                  ocireg_reader make(void) { ocireg_reader reader = OCIREG_READER_INIT; return reader; }\n";
    if let Some(cc) = tools::find("cc") {
        for standard in ["c99", "c11", "c17"] {
            let mut flags = COMMON.to_vec();
            let standard = format!("-std={standard}");
            flags.extend(["-Wstrict-prototypes", "-Wc++-compat", &standard]);
            compile(&cc, &flags, "header.c", source);
        }
    }
    if let Some(cpp) = tools::find("c++") {
        for standard in ["c++11", "c++17", "c++20"] {
            let mut flags = COMMON.to_vec();
            let standard = format!("-std={standard}");
            flags.extend(["-Wold-style-cast", &standard]);
            compile(&cpp, &flags, "header.cpp", source);
        }
    }
}

#[test]
fn the_library_exports_what_the_header_declares_and_nothing_else() {
    let Some(nm) = tools::find("nm") else { return };
    let library = env::current_exe().unwrap().with_file_name("libocireg.so");
    assert!(library.exists(), "{} was not built", library.display());
    let output = Command::new(nm).args(["-D", "--defined-only"]).arg(&library).output().unwrap();
    let exported: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        // The one function of feature capi-test-panic.
        .filter(|name| *name != "ocireg_test_panic")
        .map(str::to_owned)
        .collect();
    assert_eq!(exported, declared(&header()));
}

#[test]
fn every_object_can_be_freed_and_every_function_belongs_to_a_type() {
    let header = header();
    let functions = declared(&header);
    let objects: BTreeSet<&str> = header
        .lines()
        .filter_map(|line| line.strip_prefix("typedef struct ")?.strip_suffix(';')?.split(' ').next())
        .collect();
    assert!(objects.len() > 10, "{objects:?}");
    for object in &objects {
        // The library owns the state that it shows to a progress callback.
        let freed = functions.contains(&format!("{object}_free"));
        assert_eq!(freed, *object != "ocireg_progress", "{object}");
    }
    for function in &functions {
        let belongs = objects.iter().any(|object| function.starts_with(&format!("{object}_")));
        assert!(
            belongs || function.starts_with("ocireg_version") || function == "ocireg_status_name",
            "{function}"
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn header() -> String {
    read(root().join(COMMITTED))
}

/// Name (what follows the prefix) and value of every macro that begins with the prefix.
fn macros(header: &str, prefix: &str) -> BTreeMap<String, String> {
    header
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.strip_prefix(prefix)?.split_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The functions that the header declares: every name in front of a parenthesis, outside comments.
fn declared(header: &str) -> BTreeSet<String> {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").unwrap().1;
    }
    code.push_str(rest);
    code.split('(')
        .filter_map(|before| before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next())
        .filter(|name| name.starts_with("ocireg_") && !code.contains(&format!("typedef struct {name} ")))
        .map(str::to_owned)
        .collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Compiles a source that uses the committed header; any warning is an error.
fn compile(compiler: &Path, flags: &[&str], name: &str, source: &str) {
    let directory = TempDir::new();
    let path = directory.path().join(name);
    fs::write(&path, source).unwrap();
    let output = Command::new(compiler)
        .args(flags)
        .args(["-Werror", "-fsyntax-only", "-I"])
        .arg(root().join("include"))
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{flags:?}: {}", String::from_utf8_lossy(&output.stderr));
}
