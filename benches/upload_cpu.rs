//! What an upload costs: the CPU time of 1 GiB from a file over plain HTTP, hashed and sent, against the same done by
//! `openssl dgst -sha256` and `curl -T`.
//!
//! ```text
//! cargo bench --bench upload_cpu
//! ```
//!
//! Each is a process of its own, run in turn, and the server that takes the bytes is another, so that only the clients'
//! time is counted: user and system time as Linux charges it to them, medians of five runs. Ends with status 1 when
//! ocireg takes more than 1.25 times as much. Needs 1 GiB of disk for as long as it runs.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use ocireg::Client;

#[allow(dead_code, unreachable_pub)]
#[path = "../tests/support/temp.rs"]
mod temp;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SIZE: u64 = 1 << 30;
const ROUNDS: usize = 5;
const LARGEST_RATIO: f64 = 1.25;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sink"] => sink().map(|()| true),
        ["upload", address, file] => upload(address, file).map(|()| true),
        _ => compare(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("upload_cpu: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether ocireg is within its bound.
fn compare() -> Result<bool> {
    let directory = temp::TempDir::new();
    let file = directory.join("1GiB");
    write_noise(&file)?;
    let sink = Sink::start()?;
    let ours = std::env::current_exe()?;

    let (mut ocireg, mut openssl, mut curl) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let address = format!("http://{}/sample", sink.host);
        ocireg.push(cpu_of(Command::new(&ours).arg("upload").arg(address).arg(&file))?);
        openssl.push(cpu_of(Command::new("openssl").args(["dgst", "-sha256"]).arg(&file))?);
        let url = format!("http://{}/file", sink.host);
        curl.push(cpu_of(
            Command::new("curl").args(["--silent", "--show-error", "--fail", "-T"]).arg(&file).arg(url),
        )?);
    }

    println!("CPU seconds of 1 GiB (user + system), median of {ROUNDS}:");
    let ocireg = report("ocireg", ocireg);
    let openssl = report("openssl", openssl);
    let curl = report("curl -T", curl);
    let ratio = ocireg / (openssl + curl);
    println!("ocireg / (openssl + curl) = {ratio:.2} (at most {LARGEST_RATIO})");
    Ok(ratio <= LARGEST_RATIO)
}

/// Prints one line and gives the median of the sums.
fn report(name: &str, mut times: Vec<Cpu>) -> f64 {
    times.sort_by(|a, b| a.sum().total_cmp(&b.sum()));
    let Cpu { user, system } = times[times.len() / 2];
    let (least, most) = (times[0].sum(), times[times.len() - 1].sum());
    println!("  {name:8} {:.2} = {user:.2} + {system:.2}   ({least:.2} to {most:.2})", user + system);
    user + system
}

fn upload(address: &str, file: &str) -> Result<()> {
    let repository = Client::builder().build()?.repository(address)?;
    repository.upload_blob(Path::new(file))?;
    Ok(())
}

// --- CPU time -----------------------------------------------------------------------------------------------------

#[derive(Clone, Copy)]
struct Cpu {
    user: f64,
    system: f64,
}

impl Cpu {
    fn sum(&self) -> f64 {
        self.user + self.system
    }

    /// Of all children of this process that have ended (proc(5): cutime and cstime of /proc/PID/stat).
    fn of_children() -> Result<Cpu> {
        // The unit of these fields on every Linux that is in use (USER_HZ).
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = fs::read_to_string("/proc/self/stat")?;
        // The second field, in brackets, is the program's name, which may contain anything.
        let (_, fields) = stat.rsplit_once(')').ok_or("/proc/self/stat has another form")?;
        let mut fields = fields.split_whitespace().skip(13).map(|field| field.parse::<f64>());
        let mut next = || {
            Ok::<_, Box<dyn Error>>(fields.next().ok_or("/proc/self/stat ends early")?? / TICKS_PER_SECOND)
        };
        Ok(Cpu { user: next()?, system: next()? })
    }
}

/// Runs a command to its end.
fn cpu_of(command: &mut Command) -> Result<Cpu> {
    let before = Cpu::of_children()?;
    let status = command.stdout(Stdio::null()).status().map_err(|error| format!("{command:?}: {error}"))?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    let after = Cpu::of_children()?;
    Ok(Cpu { user: after.user - before.user, system: after.system - before.system })
}

/// A file that is not all holes, nor compressible.
fn write_noise(path: &Path) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..SIZE / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    // Written out now, and not while something is measured.
    file.into_inner()?.sync_all()?;
    Ok(())
}

// --- The server ---------------------------------------------------------------------------------------------------

/// The process that takes uploads; stopped when dropped.
struct Sink {
    process: Child,
    host: String,
}

impl Sink {
    fn start() -> Result<Sink> {
        let mut process =
            Command::new(std::env::current_exe()?).arg("sink").stdout(Stdio::piped()).spawn()?;
        let mut host = String::new();
        BufReader::new(process.stdout.take().ok_or("no pipe")?).read_line(&mut host)?;
        Ok(Sink { process, host: host.trim().to_owned() })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers one connection after the other as a registry does that has no blob, and throws away what it gets.
fn sink() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("{}", listener.local_addr()?);
    io::stdout().flush()?;
    for connection in listener.incoming() {
        // A client that goes away is not the server's end.
        if let Err(error) = serve(connection?) {
            eprintln!("sink: {error}");
        }
    }
    Ok(())
}

fn serve(connection: TcpStream) -> io::Result<()> {
    let mut connection = BufReader::with_capacity(1 << 20, connection);
    loop {
        let mut length = 0;
        let mut continues = false;
        let mut request = String::new();
        if connection.read_line(&mut request)? == 0 {
            return Ok(());
        }
        loop {
            let mut line = String::new();
            connection.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(": ") {
                None => break,
                Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
                Some(("expect", _)) => continues = true,
                Some(_) => {}
            }
        }
        if continues {
            connection.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        io::copy(&mut connection.by_ref().take(length), &mut io::sink())?;
        let answer: &[u8] = if request.starts_with("POST") {
            b"HTTP/1.1 202 Accepted\r\nLocation: /v2/sample/blobs/uploads/1\r\nContent-Length: 0\r\n\r\n"
        } else {
            b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
        };
        connection.get_mut().write_all(answer)?;
    }
}
