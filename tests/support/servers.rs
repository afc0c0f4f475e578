//! Real registries, each a process of its own with its own port and storage.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::clients::{Access, Reader, Tool};
use super::temp::TempDir;
use super::tls::Identity;
use super::tools;

/// How long a registry may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Which registry a server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Debian's docker-registry, 2.8.2.
    Docker,
    /// distribution, 3.1.1.
    Distribution,
    /// `crane registry serve`.
    Crane,
    /// zot, 2.1.20.
    Zot,
}

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Kind::Docker => "docker-registry",
            Kind::Distribution => "registry",
            Kind::Crane => "crane",
            Kind::Zot => "zot",
        }
    }

    fn find(self) -> Option<PathBuf> {
        if self == Kind::Zot {
            let chosen = std::env::var_os("OCIREG_ZOT").map(PathBuf::from);
            let found = chosen.or_else(|| tools::look_for(self.program()));
            if found.is_none() {
                // The one server that nothing requires: it cannot be had everywhere.
                tools::say_once("not run: zot".to_owned());
            }
            return found;
        }
        tools::find(self.program())
    }
}

/// A running registry on a port of 127.0.0.1, stopped and removed when dropped. Deletes are enabled.
#[derive(Debug)]
pub struct Registry {
    kind: Kind,
    process: Child,
    port: u16,
    directory: TempDir,
    identity: Option<Identity>,
    credentials: Option<(String, String)>,
}

impl Registry {
    /// Debian's docker-registry 2.8.2, or `None` after a line that says so when it is not on this machine.
    pub fn docker() -> Option<Setup> {
        Registry::of(Kind::Docker)
    }

    /// distribution 3.1.1, or `None` after a line that says so when it is not on this machine.
    pub fn distribution() -> Option<Setup> {
        Registry::of(Kind::Distribution)
    }

    /// crane's registry, or `None` after a line that says so when it is not on this machine. It knows neither TLS
    /// nor passwords.
    pub fn crane() -> Option<Setup> {
        Registry::of(Kind::Crane)
    }

    /// zot 2.1.20, or `None` after the line `not run: zot`, also where everything else is required.
    pub fn zot() -> Option<Setup> {
        Registry::of(Kind::Zot)
    }

    /// The registry of this kind, as above.
    pub fn of(kind: Kind) -> Option<Setup> {
        let program = kind.find()?;
        Some(Setup {
            kind,
            program,
            identity: None,
            client_certificates: false,
            credentials: None,
            relative_locations: false,
        })
    }

    /// One running plain-HTTP server of every kind that is on this machine.
    pub fn all_plain() -> Vec<Registry> {
        let kinds = [Kind::Docker, Kind::Distribution, Kind::Crane, Kind::Zot];
        kinds.into_iter().filter_map(Registry::of).map(Setup::start).collect()
    }

    /// Which registry this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `http://127.0.0.1:PORT`, or with `https`.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    /// The certificates of a server with TLS.
    pub fn identity(&self) -> &Identity {
        self.identity.as_ref().expect("this registry was started without tls()")
    }

    /// The certificate that a client of a server with TLS must trust.
    pub fn ca_pem_path(&self) -> PathBuf {
        self.identity().ca_pem_path()
    }

    /// Where the server keeps what it was sent.
    pub fn storage_dir(&self) -> PathBuf {
        self.directory.join("storage")
    }

    /// Upload sessions of a repository that have neither ended nor been cancelled, one path each.
    ///
    /// crane keeps its sessions in memory: asking for them fails the test.
    pub fn open_uploads(&self, repository: &str) -> Vec<PathBuf> {
        let storage = self.storage_dir();
        let (uploads, mark) = match self.kind {
            // A cancelled session leaves a directory with the states of its hash behind.
            Kind::Docker | Kind::Distribution => (
                storage.join("docker/registry/v2/repositories").join(repository).join("_uploads"),
                Some("startedat"),
            ),
            Kind::Zot => (storage.join(repository).join(".uploads"), None),
            Kind::Crane => panic!("crane keeps upload sessions in memory"),
        };
        match fs::read_dir(&uploads) {
            Ok(entries) => entries
                .map(|entry| entry.expect("an entry").path())
                .filter(|session| mark.is_none_or(|mark| session.join(mark).exists()))
                .collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => panic!("cannot read {}: {error}", uploads.display()),
        }
    }

    /// What the server has printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Every reader on this machine, set up for this registry: its address, certificate and password.
    pub fn readers(&self) -> Vec<Reader> {
        Tool::ALL.into_iter().filter_map(|tool| self.reader(tool)).collect()
    }

    /// One reader, or `None` after a line that says so when it is not on this machine.
    pub fn reader(&self, tool: Tool) -> Option<Reader> {
        let access = Access {
            host: self.host(),
            ca_pem: self.identity.as_ref().map(Identity::ca_pem_path),
            credentials: self.credentials.clone(),
        };
        Reader::new(tool, access)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a [`Registry`] is before it starts.
#[derive(Debug)]
pub struct Setup {
    kind: Kind,
    program: PathBuf,
    identity: Option<Identity>,
    client_certificates: bool,
    credentials: Option<(String, String)>,
    relative_locations: bool,
}

impl Setup {
    /// Speaks TLS with a certificate from an authority of its own.
    pub fn tls(mut self) -> Setup {
        self.identity = Some(Identity::new());
        self
    }

    /// Speaks TLS and refuses clients that show no certificate of that authority (docker-registry and
    /// distribution; zot lets them in as anonymous).
    pub fn mutual_tls(mut self) -> Setup {
        assert!(matches!(self.kind, Kind::Docker | Kind::Distribution), "{:?} refuses nobody", self.kind);
        self.client_certificates = true;
        self.tls()
    }

    /// Asks for this user and password (Basic).
    pub fn htpasswd(mut self, user: &str, password: &str) -> Setup {
        self.credentials = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Answers with `Location` headers that name no host (docker-registry and distribution; crane's never do).
    pub fn relative_locations(mut self) -> Setup {
        self.relative_locations = true;
        self
    }

    /// Starts the server and waits until it answers.
    pub fn start(self) -> Registry {
        let directory = TempDir::new();
        fs::create_dir(directory.join("storage")).expect("a storage directory");
        let mut command = self.command(&directory);
        let log = fs::File::create(directory.join("log")).expect("a log file");
        command.stdin(Stdio::null());
        command.stdout(log.try_clone().expect("the log file")).stderr(log);
        // Variables such as REGISTRY_HTTP_ADDR change the configuration of docker-registry and distribution.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("REGISTRY_") {
                command.env_remove(name);
            }
        }
        // distribution 3 would look for a collector on a fixed port.
        command.env("OTEL_TRACES_EXPORTER", "none");
        let process = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let mut registry = Registry {
            kind: self.kind,
            process,
            port: 0,
            directory,
            identity: self.identity,
            credentials: self.credentials,
        };
        registry.port = wait_for_port(&mut registry);
        registry
    }

    fn command(&self, directory: &TempDir) -> Command {
        let mut command = Command::new(&self.program);
        let storage = directory.join("storage");
        match self.kind {
            Kind::Docker | Kind::Distribution => {
                // Configurations are YAML, of which JSON is a part.
                let config = self.distribution_config(directory, &storage).to_string();
                command.arg("serve").arg(directory.write("config.yml", config));
            }
            Kind::Zot => {
                let config = self.zot_config(directory, &storage).to_string();
                command.arg("serve").arg(directory.write("config.json", config));
            }
            Kind::Crane => {
                assert!(
                    self.identity.is_none() && self.credentials.is_none(),
                    "crane is open and plain only"
                );
                command.args(["registry", "serve", "--address", "127.0.0.1:0", "--disk"]).arg(storage);
            }
        }
        command
    }

    fn distribution_config(&self, directory: &TempDir, storage: &Path) -> Value {
        let mut config = json!({
            "version": "0.1",
            "log": { "level": "error", "accesslog": { "disabled": true } },
            "storage": {
                "filesystem": { "rootdirectory": storage },
                "delete": { "enabled": true },
                "maintenance": { "uploadpurging": { "enabled": false } },
            },
            "http": {
                "addr": "127.0.0.1:0",
                "secret": "for tests only",
                "relativeurls": self.relative_locations,
            },
        });
        if let Some(identity) = &self.identity {
            config["http"]["tls"] = json!({
                "certificate": identity.server_pem_path(),
                "key": identity.server_key_path(),
            });
            if self.client_certificates {
                config["http"]["tls"]["clientcas"] = json!([identity.ca_pem_path()]);
            }
        }
        if let Some((user, password)) = &self.credentials {
            let path = write_htpasswd(directory, user, password);
            config["auth"] = json!({ "htpasswd": { "realm": "test", "path": path } });
        }
        config
    }

    fn zot_config(&self, directory: &TempDir, storage: &Path) -> Value {
        let mut config = json!({
            "distSpecVersion": "1.1.1",
            "storage": { "rootDirectory": storage, "gc": false, "dedupe": false },
            "http": { "address": "127.0.0.1", "port": "0" },
            "log": { "level": "error" },
        });
        if let Some(identity) = &self.identity {
            config["http"]["tls"] =
                json!({ "cert": identity.server_pem_path(), "key": identity.server_key_path() });
        }
        if let Some((user, password)) = &self.credentials {
            config["http"]["auth"] =
                json!({ "htpasswd": { "path": write_htpasswd(directory, user, password) } });
        }
        config
    }
}

/// The only hash that these registries take is bcrypt, which the Apache tool writes.
fn write_htpasswd(directory: &TempDir, user: &str, password: &str) -> PathBuf {
    let program = tools::look_for("htpasswd").expect("htpasswd (apache2-utils); tests/run installs it");
    let output = Command::new(program).args(["-Bbn", user, password]).output().expect("htpasswd runs");
    assert!(output.status.success(), "htpasswd: {}", String::from_utf8_lossy(&output.stderr));
    directory.write("htpasswd", output.stdout)
}

/// Each server picks a free port itself, so that nobody can take it first; this finds which one it was.
fn wait_for_port(registry: &mut Registry) -> u16 {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(port) = listening_port(registry.process.id()) {
            return port;
        }
        let gone = registry.process.try_wait().expect("the server's state");
        if gone.is_some() || Instant::now() > deadline {
            panic!("{:?} did not start ({gone:?}):\n{}", registry.kind, registry.log());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The port of 127.0.0.1 on which a process listens, from the tables of Linux (proc(5)). From then on the kernel
/// accepts connections for it.
fn listening_port(process: u32) -> Option<u16> {
    const LISTEN: &str = "0A";
    let entries = fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let sockets: Vec<String> = entries
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let table = fs::read_to_string(format!("/proc/{process}/net/tcp")).ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        if *state != LISTEN || !sockets.iter().any(|socket| socket == inode) {
            return None;
        }
        u16::from_str_radix(local.split_once(':')?.1, 16).ok()
    })
}
