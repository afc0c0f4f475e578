//! How a caller follows a transfer, and ends it.

use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};

/// What a transfer is doing now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The source is read once, to compute its digest.
    Hashing,
    /// Bytes are sent to the registry, or written to the layout.
    Uploading,
}

/// The state of a transfer, as a progress callback sees it.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    phase: Phase,
    bytes_done: u64,
    total: Option<u64>,
    digest: Option<&'a Digest>,
    attempt: u32,
}

impl Progress<'_> {
    /// What is being done.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Bytes that this phase has behind it. Can go back when a body is sent again.
    pub fn bytes_done(&self) -> u64 {
        self.bytes_done
    }

    /// Size of the blob in bytes; `None` for a reader of unknown length, until its end has been read.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// Digest of the blob, once it is known.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest
    }

    /// 1 for the first try of this blob, 2 for the second, and so on.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }
}

/// What a caller gives to follow a transfer: called on the caller's thread, during the call only.
pub(crate) type Callback<'a> = Box<dyn FnMut(&Progress<'_>) -> ControlFlow<()> + 'a>;

/// Reports to the callback at most about ten times a second, and always at the start and end of a phase.
pub(crate) struct Reporter<'a> {
    callback: Option<Callback<'a>>,
    phase: Phase,
    bytes_done: u64,
    total: Option<u64>,
    digest: Option<Digest>,
    attempt: u32,
    reported: Option<Instant>,
}

const INTERVAL: Duration = Duration::from_millis(100);

impl<'a> Reporter<'a> {
    pub(crate) fn new(callback: Option<Callback<'a>>) -> Reporter<'a> {
        Reporter {
            callback,
            phase: Phase::Hashing,
            bytes_done: 0,
            total: None,
            digest: None,
            attempt: 1,
            reported: None,
        }
    }

    pub(crate) fn set_total(&mut self, total: Option<u64>) {
        self.total = total;
    }

    pub(crate) fn set_digest(&mut self, digest: &Digest) {
        self.digest = Some(digest.clone());
    }

    /// Begins a phase at byte 0.
    pub(crate) fn begin(&mut self, phase: Phase) -> Result<()> {
        self.phase = phase;
        self.bytes_done = 0;
        self.report()
    }

    /// Counts bytes, and reports them when it is time.
    pub(crate) fn advance(&mut self, bytes: u64) -> Result<()> {
        self.bytes_done += bytes;
        let due = self.reported.is_none_or(|last| last.elapsed() >= INTERVAL);
        if due || Some(self.bytes_done) == self.total { self.report() } else { Ok(()) }
    }

    /// The phase has its last byte behind it; reports that where only now the total is known.
    pub(crate) fn end(&mut self) -> Result<()> {
        if self.total.is_some() {
            return Ok(());
        }
        self.total = Some(self.bytes_done);
        self.report()
    }

    /// Goes back to this byte of the phase, to send the rest again.
    pub(crate) fn rewind(&mut self, bytes_done: u64) -> Result<()> {
        self.attempt += 1;
        self.bytes_done = bytes_done;
        self.report()
    }

    fn report(&mut self) -> Result<()> {
        let Some(callback) = &mut self.callback else { return Ok(()) };
        self.reported = Some(Instant::now());
        let progress = Progress {
            phase: self.phase,
            bytes_done: self.bytes_done,
            total: self.total,
            digest: self.digest.as_ref(),
            attempt: self.attempt,
        };
        match callback(&progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::new(ErrorKind::Aborted, "ended by the progress callback")),
        }
    }
}

impl fmt::Debug for Reporter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").field("phase", &self.phase).field("bytes_done", &self.bytes_done).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_byte_are_always_reported() {
        let seen = std::cell::RefCell::new(Vec::new());
        let mut reporter = Reporter::new(Some(Box::new(|progress| {
            seen.borrow_mut().push((progress.bytes_done(), progress.total()));
            ControlFlow::Continue(())
        })));
        reporter.set_total(Some(1000));
        reporter.begin(Phase::Uploading).unwrap();
        for _ in 0..1000 {
            reporter.advance(1).unwrap();
        }
        drop(reporter);
        let seen = seen.into_inner();
        assert_eq!(seen.first(), Some(&(0, Some(1000))));
        assert_eq!(seen.last(), Some(&(1000, Some(1000))));
        assert!(seen.len() < 50, "{}", seen.len());
    }

    #[test]
    fn a_break_is_an_aborted_error() {
        let mut reporter = Reporter::new(Some(Box::new(|_| ControlFlow::Break(()))));
        assert_eq!(reporter.begin(Phase::Hashing).unwrap_err().kind(), ErrorKind::Aborted);
    }
}
