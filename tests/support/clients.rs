//! Clients of other projects, which read back what was uploaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;

use super::temp::TempDir;
use super::tools;

/// A client that nobody here wrote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool {
    Skopeo,
    Oras,
    Crane,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 3] = [Tool::Skopeo, Tool::Oras, Tool::Crane];

    fn program(self) -> &'static str {
        match self {
            Tool::Skopeo => "skopeo",
            Tool::Oras => "oras",
            Tool::Crane => "crane",
        }
    }
}

/// How a registry is reached.
#[derive(Clone, Debug)]
pub struct Access {
    /// `127.0.0.1:PORT`.
    pub host: String,
    /// The authority of a registry with TLS; `None` for plain HTTP.
    pub ca_pem: Option<PathBuf>,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

/// One tool, set up for one registry.
#[derive(Debug)]
pub struct Reader {
    tool: Tool,
    program: PathBuf,
    access: Access,
    /// Holds `config.json`, so that no credentials of the user's are read.
    settings: TempDir,
}

impl Reader {
    /// The tool, or `None` after a line that says so when it is not on this machine.
    pub fn new(tool: Tool, access: Access) -> Option<Reader> {
        let program = tools::find(tool.program())?;
        let settings = TempDir::new();
        let mut config = serde_json::json!({ "auths": {} });
        if let Some((user, password)) = &access.credentials {
            let auth = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            config["auths"][&access.host] = serde_json::json!({ "auth": auth });
        }
        settings.write("config.json", config.to_string());
        Some(Reader { tool, program, access, settings })
    }

    /// Which tool this is.
    pub fn tool(&self) -> Tool {
        self.tool
    }

    /// The exact bytes of a manifest, named `repository:tag` or `repository@digest`.
    pub fn manifest(&self, name: &str) -> Vec<u8> {
        let reference = self.reference(name);
        let mut command = self.command();
        match self.tool {
            Tool::Skopeo => {
                command.args(["inspect", "--raw"]).args(self.plain("--tls-verify=false"));
                command.arg(format!("docker://{reference}"));
            }
            Tool::Oras => {
                command.args(["manifest", "fetch"]).args(self.plain("--plain-http")).arg(reference);
            }
            Tool::Crane => {
                command.arg("manifest").args(self.plain("--insecure")).arg(reference);
            }
        }
        output(command)
    }

    /// The exact bytes of a blob of the manifest named `repository:tag` or `repository@digest`.
    ///
    /// skopeo reads blobs only as parts of a whole image, so the manifest must list this one.
    pub fn blob(&self, name: &str, digest: &str) -> Vec<u8> {
        self.blobs(name, &[digest]).remove(0)
    }

    /// Several blobs of one manifest, as [`blob`](Reader::blob) reads one.
    pub fn blobs(&self, name: &str, digests: &[&str]) -> Vec<Vec<u8>> {
        if self.tool == Tool::Skopeo {
            let target = TempDir::new();
            let mut command = self.command();
            command.arg("copy").args(self.plain("--src-tls-verify=false"));
            command.arg(format!("docker://{}", self.reference(name)));
            command.arg(format!("dir:{}", target.path().display()));
            output(command);
            return digests.iter().map(|digest| read_dir_blob(target.path(), digest)).collect();
        }
        digests.iter().map(|digest| self.fetch(name, digest)).collect()
    }

    fn fetch(&self, name: &str, digest: &str) -> Vec<u8> {
        let blob = format!("{}@{digest}", self.reference(repository_of(name)));
        let mut command = self.command();
        if self.tool == Tool::Oras {
            command.args(["blob", "fetch", "--output", "-"]).args(self.plain("--plain-http")).arg(blob);
        } else {
            command.arg("blob").args(self.plain("--insecure")).arg(blob);
        }
        output(command)
    }

    /// The tool with its settings and no arguments, for what has no method of its own.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("DOCKER_CONFIG", self.settings.path());
        command.env("REGISTRY_AUTH_FILE", self.settings.join("config.json"));
        if let Some(ca_pem) = &self.access.ca_pem {
            command.env("SSL_CERT_FILE", ca_pem);
        }
        command
    }

    /// `HOST/NAME`, as the tools want it.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.access.host)
    }

    fn plain(&self, option: &'static str) -> Option<&'static str> {
        self.access.ca_pem.is_none().then_some(option)
    }
}

/// The manifest of a tag in an image layout, as skopeo reads it, or `None` when skopeo is not on this machine.
pub fn layout_manifest(layout: &Path, tag: &str) -> Option<Vec<u8>> {
    let mut command = Command::new(tools::find("skopeo")?);
    command.args(["inspect", "--raw"]).arg(format!("oci:{}:{tag}", layout.display()));
    Some(output(command))
}

/// A blob of a tag's manifest in an image layout, as `skopeo copy` reads it, or `None` when skopeo is not on
/// this machine.
pub fn layout_blob(layout: &Path, tag: &str, digest: &str) -> Option<Vec<u8>> {
    let mut command = Command::new(tools::find("skopeo")?);
    let target = TempDir::new();
    command.arg("copy").arg(format!("oci:{}:{tag}", layout.display()));
    command.arg(format!("dir:{}", target.path().display()));
    output(command);
    Some(read_dir_blob(target.path(), digest))
}

/// The tags of an image layout, as `umoci ls` lists them, or `None` when umoci is not on this machine.
pub fn layout_tags(layout: &Path) -> Option<Vec<String>> {
    let mut command = Command::new(tools::find("umoci")?);
    command.args(["ls", "--layout"]).arg(layout);
    Some(String::from_utf8(output(command)).expect("tags are text").lines().map(str::to_owned).collect())
}

/// Runs a command to its end and gives back what it printed; anything but success fails the test with what it
/// said.
pub fn output(mut command: Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    output.stdout
}

/// skopeo's `dir:` keeps each blob under the hexadecimal part of its digest.
fn read_dir_blob(directory: &Path, digest: &str) -> Vec<u8> {
    let (_, encoded) = digest.split_once(':').expect("a digest has an algorithm");
    let path = directory.join(encoded);
    fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The name without its tag or digest.
fn repository_of(name: &str) -> &str {
    let name = name.split_once('@').map_or(name, |(repository, _)| repository);
    name.split_once(':').map_or(name, |(repository, _)| repository)
}
