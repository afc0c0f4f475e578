//! With feature `capi`: writes the C header to `OUT_DIR/include/ocireg.h`, from the files listed here alone. Nothing
//! else is read or run, so that a vendored copy builds offline.

// A build script fails by panicking.
#![allow(clippy::expect_used, clippy::panic)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    header::write();
}

#[cfg(feature = "capi")]
mod header {
    use std::path::PathBuf;
    use std::{env, fs};

    /// In the order in which the header is to be read.
    const SOURCES: [&str; 15] = [
        "status.rs",
        "version.rs",
        "error.rs",
        "client_options.rs",
        "client.rs",
        "reference.rs",
        "repository.rs",
        "blob_options.rs",
        "callbacks.rs",
        "manifest_options.rs",
        "descriptor.rs",
        "manifest.rs",
        "index.rs",
        "bytes.rs",
        "hasher.rs",
    ];

    pub(super) fn write() {
        let root = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let room = root.join("src/ffi");
        let settings = root.join("cbindgen.toml");
        let read = |name: &str| {
            let path = room.join(name);
            println!("cargo:rerun-if-changed={}", path.display());
            fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
        };

        println!("cargo:rerun-if-changed={}", settings.display());
        let mut config = cbindgen::Config::from_file(&settings).expect("cbindgen.toml");
        config.header = Some(read("overview.h").trim_end().to_owned());
        config.after_includes = Some(format!("\n{}\n{}", version_macros(), read("prelude.h").trim_end()));

        let mut builder = cbindgen::Builder::new().with_config(config);
        for name in SOURCES {
            println!("cargo:rerun-if-changed={}", room.join(name).display());
            builder = builder.with_src(room.join(name));
        }
        let header = PathBuf::from(variable("OUT_DIR")).join("include/ocireg.h");
        builder.generate().expect("a header from src/ffi/").write_to_file(&header);
        println!("cargo:rustc-env=OCIREG_GENERATED_HEADER={}", header.display());
    }

    fn version_macros() -> String {
        let version = variable("CARGO_PKG_VERSION");
        let [major, minor, patch] =
            ["MAJOR", "MINOR", "PATCH"].map(|part| variable(&format!("CARGO_PKG_VERSION_{part}")));
        format!(
            "/* Version of this header; ocireg_version and ocireg_version_number are those of the library loaded. */\n\
             #define OCIREG_VERSION \"{version}\"\n\
             #define OCIREG_VERSION_MAJOR {major}\n\
             #define OCIREG_VERSION_MINOR {minor}\n\
             #define OCIREG_VERSION_PATCH {patch}\n\
             #define OCIREG_VERSION_NUMBER \
             (OCIREG_VERSION_MAJOR * 1000000 + OCIREG_VERSION_MINOR * 1000 + OCIREG_VERSION_PATCH)\n"
        )
    }

    fn variable(name: &str) -> String {
        env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
    }
}
