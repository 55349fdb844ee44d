//! A running program whose output is read while it runs, and which ends when dropped.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use crate::eventually::{PATIENCE, eventually};

#[derive(Default)]
struct Printed {
    lines: Vec<String>,
    is_over: bool,
}

/// The lines a program has printed so far.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Printed>, Condvar)>);

impl Lines {
    fn of(from: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let filled = lines.clone();
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                filled.change(|read| read.lines.push(text));
                line.clear();
            }
            filled.change(|read| read.is_over = true);
        });
        lines
    }

    fn change(&self, change: impl FnOnce(&mut Printed)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    /// Everything printed so far.
    pub fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }

    /// Waits for the output's end and returns all of it.
    pub fn to_the_end(&self) -> Vec<String> {
        self.search("the output's end", |_, is_over| is_over.then_some(()));
        self.all()
    }

    /// Waits for a line, among those already printed too.
    ///
    /// # Panics
    /// If the program ends or [`PATIENCE`] is over before.
    pub fn wait_for<T>(&self, fact: &str, mut pick: impl FnMut(&str) -> Option<T>) -> T {
        let mut next = 0;
        self.search(fact, |lines, is_over| {
            let picked = lines[next..].iter().find_map(|line| pick(line));
            next = lines.len();
            assert!(picked.is_some() || !is_over, "ended before {fact}; printed {lines:#?}");
            picked
        })
    }

    fn search<T>(&self, fact: &str, mut look: impl FnMut(&[String], bool) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let (read, changed) = &*self.0;
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = look(&read.lines, read.is_over) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "did not happen: {fact}; printed {:#?}", read.lines);
            read = changed.wait_timeout(read, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// A running program.
pub struct Process {
    name: String,
    child: Child,
    /// What it prints.
    pub stdout: Lines,
    /// What it says.
    pub stderr: Lines,
}

impl Process {
    /// Starts a program with nothing on its standard input.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let stdout = Lines::of(child.stdout.take().expect("it is piped"));
        let stderr = Lines::of(child.stderr.take().expect("it is piped"));
        Self { name: name.to_owned(), child, stdout, stderr }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// Waits until it ends by itself and returns its exit code; -1 if a signal ended it.
    pub fn wait(&mut self) -> i32 {
        let fact = format!("{} ends; it said {:#?}", self.name, self.stderr.all());
        code(eventually(&fact, || self.child.try_wait().expect("a child can be asked")))
    }

    /// kill -9.
    pub fn kill(&mut self) {
        // One that has ended already is as dead.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits.
    pub fn terminate(&mut self) -> i32 {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// SIGINT, as from Ctrl-C, and waits.
    pub fn interrupt(&mut self) -> i32 {
        self.signal(Signal::INT);
        self.wait()
    }

    fn signal(&mut self, signal: Signal) {
        if self.is_alive() {
            kill_process(Pid::from_child(&self.child), signal).expect("our own child");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}
