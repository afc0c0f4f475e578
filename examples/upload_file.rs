//! Uploads files, or what comes through standard input, as one artifact: for people with something large.
//!
//! ```text
//! upload_file REPOSITORY PATH…|- [--tag TAG] [--chunk-size BYTES]
//! ```
//!
//! Each file is a layer, and its name the layer's title; of a directory every file below it, named by its path from
//! there, in the order of their names. Links in a directory are followed to files in that directory and refused
//! otherwise, so that nothing is uploaded that lies elsewhere. Everything is looked at before anything is sent.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lexopt::Arg::{Long, Short, Value};
use lexopt::ValueExt;
use ocireg::{BlobOptions, Client, Manifest, Phase, Progress, Source, Tag, annotation};

const USAGE: &str = "usage: upload_file REPOSITORY PATH…|- [--tag TAG] [--chunk-size BYTES]";

const HELP: &str = "\
Uploads files as an artifact of one layer each, and prints the digest of its manifest.

  REPOSITORY          [https://|http://]host[:port]/name, or oci-layout:PATH
  PATH…               files, and directories with all files below them
  -                   standard input, instead of files
  --tag TAG           the artifact's tag (default: latest)
  --chunk-size BYTES  sends what is larger in chunks of this size
  --help              this text";

const ARTIFACT_TYPE: &str = "application/vnd.ocireg.files.v1";

/// An [`ocireg::Error`], or a text about the files.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(lexopt::Parser::from_env()) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return print(&format!("{USAGE}\n\n{HELP}")),
        Err(error) => {
            eprintln!("upload_file: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match upload(&arguments) {
        Ok(digest) => print(&digest),
        Err(error) => {
            eprintln!("upload_file: {}", in_one_line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn upload(arguments: &Arguments) -> Result<String, Failure> {
    let tag: Tag = arguments.tag.parse()?;
    let mut client = Client::builder();
    if let Some(chunk_size) = arguments.chunk_size {
        client = client.chunk_size(chunk_size.get());
    }
    let repository = client.build()?.repository(&arguments.repository)?;

    let mut manifest = Manifest::artifact(ARTIFACT_TYPE);
    for input in inputs(&arguments.paths)? {
        let bar = Bar::new(input.title.as_deref().unwrap_or("standard input"));
        let source = match &input.path {
            Some(path) => Source::file(path),
            None => Source::reader(io::stdin().lock()),
        };
        let options = BlobOptions::new().progress(|progress| {
            bar.show(progress);
            ControlFlow::Continue(())
        });
        let mut layer = repository.upload_blob_with(source, options)?;
        if let Some(title) = input.title {
            layer = layer.with_annotation(annotation::TITLE, title);
        }
        manifest = manifest.layer(layer);
    }
    Ok(repository.upload_manifest(&manifest, [tag.as_str()])?.digest().to_string())
}

/// Ends with status 1 where standard output takes nothing, such as a pipe that was closed.
fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The error and its causes, but for those that the text before has told already.
fn in_one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text.replace(['\n', '\r'], " ")
}

// --- Arguments ----------------------------------------------------------------------------------------------------

struct Arguments {
    repository: String,
    /// Files and directories; none for standard input.
    paths: Vec<PathBuf>,
    tag: String,
    chunk_size: Option<NonZeroU64>,
}

impl Arguments {
    /// `None` when help is asked for.
    fn parse(mut parser: lexopt::Parser) -> Result<Option<Arguments>, lexopt::Error> {
        let mut values: Vec<OsString> = Vec::new();
        let mut tag = "latest".to_owned();
        let mut chunk_size = None;
        while let Some(argument) = parser.next()? {
            match argument {
                Long("help") | Short('h') => return Ok(None),
                Long("tag") => tag = parser.value()?.string()?,
                Long("chunk-size") => chunk_size = Some(parser.value()?.parse()?),
                Value(value) => values.push(value),
                _ => return Err(argument.unexpected()),
            }
        }
        let mut values = values.into_iter();
        let repository = values.next().ok_or("REPOSITORY is missing")?.string()?;
        let mut paths: Vec<PathBuf> = values.map(PathBuf::from).collect();
        if paths.is_empty() {
            return Err("PATH is missing; `-` is standard input".into());
        }
        let dash = Path::new("-");
        if paths == [dash] {
            paths.clear();
        } else if paths.iter().any(|path| path == dash) {
            return Err("`-` goes alone; a file of that name is `./-`".into());
        }
        Ok(Some(Arguments { repository, paths, tag, chunk_size }))
    }
}

// --- Files --------------------------------------------------------------------------------------------------------

/// What becomes a layer.
struct Input {
    title: Option<String>,
    /// `None` for standard input.
    path: Option<PathBuf>,
}

fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    if paths.is_empty() {
        return Ok(vec![Input { title: None, path: None }]);
    }
    let mut inputs = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if metadata.is_dir() {
            let root = fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let before = inputs.len();
            add_directory(path, "", &root, &mut inputs)?;
            if inputs.len() == before {
                return Err(format!("{} holds no files", path.display()).into());
            }
        } else {
            let name = path.file_name().unwrap_or(path.as_os_str());
            let title = name.to_str().ok_or_else(|| not_text(path))?.to_owned();
            inputs.push(Input { title: Some(title), path: Some(path.clone()) });
        }
    }
    let mut titles = BTreeSet::new();
    match inputs.iter().filter_map(|input| input.title.as_ref()).find(|title| !titles.insert(*title)) {
        Some(title) => Err(format!("two files would have the title {title}").into()),
        None => Ok(inputs),
    }
}

/// Adds the files below `directory`, whose own path from `root` is `prefix`, sorted by name.
fn add_directory(
    directory: &Path,
    prefix: &str,
    root: &Path,
    inputs: &mut Vec<Input>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| format!("{}: {error}", directory.display());
    let mut entries =
        fs::read_dir(directory).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let name = entry.file_name().into_string().map_err(|_| not_text(&path))?;
        let title = format!("{prefix}{name}");
        let mut kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            add_directory(&path, &format!("{title}/"), root, inputs)?;
            continue;
        }
        if kind.is_symlink() {
            let target = fs::canonicalize(&path).map_err(failed)?;
            kind = fs::metadata(&target).map_err(failed)?.file_type();
            if !target.starts_with(root) || !kind.is_file() {
                return Err(format!(
                    "{} is a link to something else than a file in the directory",
                    path.display()
                )
                .into());
            }
        }
        if !kind.is_file() {
            return Err(format!("{} is neither a file nor a directory", path.display()).into());
        }
        inputs.push(Input { title: Some(title), path: Some(path) });
    }
    Ok(())
}

fn not_text(path: &Path) -> String {
    format!("{} is not named in UTF-8, as a title must be", path.display())
}

// --- Progress -----------------------------------------------------------------------------------------------------

/// A line on standard error that shows how far a layer is, and vanishes with it. Nothing where that is no terminal.
struct Bar {
    bar: ProgressBar,
    name: String,
}

impl Bar {
    fn new(name: &str) -> Bar {
        // Drawn from the callback alone: a ticker would be a thread.
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        // Names are not ours: what a terminal would obey does not get there.
        Bar { bar: ProgressBar::with_draw_target(None, target), name: name.replace(char::is_control, "?") }
    }

    fn show(&self, progress: &Progress<'_>) {
        if self.bar.length() != progress.total() || self.bar.message().is_empty() {
            let template = match progress.total() {
                Some(total) => {
                    self.bar.set_length(total);
                    "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}"
                }
                None => "{msg} {bytes} {bytes_per_sec}",
            };
            self.bar
                .set_style(ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar()));
        }
        let doing = if progress.phase() == Phase::Hashing { "hashing" } else { "uploading" };
        self.bar.set_message(format!("{doing} {}", self.name));
        self.bar.set_position(progress.bytes_done());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
