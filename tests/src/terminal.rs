//! A person at a real terminal: a pseudo-terminal, a program in it, and what its screen shows.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::eventually::{PATIENCE, eventually, within};

/// How long the reading thread waits before it looks whether it is over.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// Keys that are no characters, as a terminal sends them.
pub mod key {
    /// Enter.
    pub const ENTER: &str = "\r";
    /// Alt and Enter.
    pub const ALT_ENTER: &str = "\x1b\r";
    /// Escape.
    pub const ESC: &str = "\x1b";
    /// Tab.
    pub const TAB: &str = "\t";
    /// Up.
    pub const UP: &str = "\x1b[A";
    /// Down.
    pub const DOWN: &str = "\x1b[B";
    /// Page up.
    pub const PAGE_UP: &str = "\x1b[5~";
    /// Page down.
    pub const PAGE_DOWN: &str = "\x1b[6~";
    /// End.
    pub const END: &str = "\x1b[F";

    /// Control and a small letter.
    pub fn control(letter: char) -> String {
        char::from(letter as u8 & 0x1f).to_string()
    }
}

/// What the program wrote, and what a terminal makes of it.
struct Shown {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    /// How many of the bytes the screen has been given.
    drawn: usize,
}

/// Between these a frame is held back until it is whole (private mode 2026).
const HOLD: &[u8] = b"\x1b[?2026h";
const SHOW: &[u8] = b"\x1b[?2026l";

impl Shown {
    /// Takes what the program wrote; a frame that is not whole yet is not shown.
    fn takes(&mut self, written: &[u8]) {
        self.bytes.extend_from_slice(written);
        // What begins a frame may have come in two parts, of which the screen has the first.
        let from = self.drawn.saturating_sub(HOLD.len());
        let fresh = &self.bytes[from..];
        let held = places(fresh, HOLD).last();
        let held = held.filter(|at| places(&fresh[*at..], SHOW).next().is_none());
        let whole = held.map_or(self.bytes.len(), |at| from + at).max(self.drawn);
        self.screen.process(&self.bytes[self.drawn..whole]);
        self.drawn = whole;
    }
}

/// Where `wanted` begins, each time.
fn places(bytes: &[u8], wanted: &[u8]) -> impl Iterator<Item = usize> {
    bytes.windows(wanted.len()).enumerate().filter(move |(_, at)| *at == wanted).map(|(at, _)| at)
}

/// It, and word of each change.
type Watched = (Mutex<Shown>, Condvar);

/// What ends a frame: the cursor is shown again.
const FRAME: &[u8] = b"\x1b[?25h";

/// A terminal with a program in it, which ends when dropped.
pub struct Terminal {
    child: Child,
    /// The terminal's end; `None` once it is gone.
    master: Option<File>,
    /// Kept open to look at the modes; the program's end.
    slave: Option<File>,
    shown: Arc<Watched>,
    over: Arc<AtomicBool>,
    reading: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Runs `command` in a terminal of `columns` by `rows`.
    pub fn start(command: &Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a pseudo-terminal");
        grantpt(&master).expect("a pseudo-terminal");
        unlockpt(&master).expect("a pseudo-terminal");
        let name = ptsname(&master, Vec::new()).expect("a pseudo-terminal");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = File::from(rustix::fs::open(&name, flags, Mode::empty()).expect("its end"));
        let master = File::from(master);
        tcsetwinsize(&master, size(columns, rows)).expect("a size");

        // A program of its own session with this as its terminal, which we could not make without
        // unsafe code.
        let mut started = Command::new("setsid");
        started.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => started.env(name, value),
                None => started.env_remove(name),
            };
        }
        started.env("TERM", "xterm-256color").env_remove("NO_COLOR");
        let end = || slave.try_clone().expect("a copy");
        started.stdin(end()).stdout(end()).stderr(end());
        let child = started.spawn().expect("setsid of util-linux");

        let screen = vt100::Parser::new(some(rows), some(columns), 0);
        let shown = Shown { screen, bytes: Vec::new(), drawn: 0 };
        let shown = Arc::new((Mutex::new(shown), Condvar::new()));
        let over = Arc::new(AtomicBool::new(false));
        let reading = read(master.try_clone().expect("a copy"), &shown, &over);
        Self {
            child,
            master: Some(master),
            slave: Some(slave),
            shown,
            over,
            reading: Some(reading),
        }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands on the screen, a row a line.
    pub fn screen(&self) -> String {
        self.shown().screen.screen().contents()
    }

    /// Everything the program ever wrote.
    pub fn written(&self) -> Vec<u8> {
        self.shown().bytes.clone()
    }

    /// Waits until the screen is as wanted.
    ///
    /// # Panics
    /// If it never is; says what it shows.
    pub fn comes_to<T>(&self, fact: &str, mut pick: impl FnMut(&str) -> Option<T>) -> T {
        within(PATIENCE, || pick(&self.screen()))
            .unwrap_or_else(|| panic!("the screen never shows {fact}:\n{}", self.screen()))
    }

    /// Waits until a text stands on the screen, wherever rows end.
    pub fn shows(&self, text: &str) {
        self.comes_to(&format!("{text:?}"), |screen| {
            let flat = screen.split_whitespace().collect::<Vec<_>>().join(" ");
            (screen.contains(text) || flat.contains(text)).then_some(())
        });
    }

    /// Waits until a text stands on the screen no longer.
    pub fn shows_no_longer(&self, text: &str) {
        self.comes_to(&format!("no {text:?}"), |screen| (!screen.contains(text)).then_some(()));
    }

    /// Waits until the screen is as wanted, and not a moment longer: for figures.
    ///
    /// # Panics
    /// If it never is; says what it shows.
    pub fn waits<T>(&self, fact: &str, mut pick: impl FnMut(&vt100::Screen) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut shown = self.shown();
        loop {
            if let Some(found) = pick(shown.screen.screen()) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                panic!("the screen never shows {fact}:\n{}", shown.screen.screen().contents());
            }
            let waited = self.shown.1.wait_timeout(shown, left);
            shown = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// How many frames with a cursor were drawn so far.
    pub fn frames(&self) -> usize {
        places(&self.shown().bytes, FRAME).count()
    }

    /// How many frames were held back until they were whole.
    pub fn held_frames(&self) -> usize {
        places(&self.shown().bytes, HOLD).count()
    }

    /// The program's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Types.
    pub fn types(&self, text: &str) {
        let mut master = self.master.as_ref().expect("a terminal");
        master.write_all(text.as_bytes()).expect("the terminal takes what is typed");
    }

    /// Pastes, as a terminal does that brackets what is pasted.
    pub fn pastes(&self, text: &str) {
        self.types(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Gives the window another size.
    pub fn resizes(&self, columns: u16, rows: u16) {
        self.shown().screen.screen_mut().set_size(some(rows), some(columns));
        let master = self.master.as_ref().expect("a terminal");
        tcsetwinsize(master, size(columns, rows)).expect("a size");
    }

    /// Waits until the program ends by itself and returns its exit code; -1 if a signal ended it.
    pub fn ends(&mut self) -> i32 {
        let fact = format!("the program ends; its screen:\n{}", self.screen());
        let status = eventually(&fact, || self.child.try_wait().expect("a child can be asked"));
        status.code().unwrap_or(-1)
    }

    /// Whether the program has given the terminal back as it took it: the first screen, lines that
    /// are edited, letters that are echoed, a cursor.
    pub fn is_restored(&self) -> bool {
        let slave = self.slave.as_ref().expect("a terminal");
        let modes = tcgetattr(slave).expect("modes").local_modes;
        let shown = self.shown();
        let screen = shown.screen.screen();
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
            && !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
    }

    /// Ctrl-Q: the program ends in order and gives the terminal back.
    pub fn quits(mut self) {
        self.types(&key::control('q'));
        assert_eq!(self.ends(), 0);
        assert!(self.is_restored());
    }

    /// Sends the program a signal.
    pub fn signal(&mut self, signal: Signal) {
        // It has not been waited for, so the id is still its own.
        if self.child.try_wait().expect("a child can be asked").is_none() {
            kill_process(Pid::from_child(&self.child), signal).expect("our own child");
        }
    }

    /// The window is closed, or the connection to it lost; waits until the program has noticed.
    pub fn hangs_up(&mut self) {
        self.let_go();
        self.ends();
    }

    /// kill -9.
    pub fn is_killed(&mut self) {
        self.signal(Signal::KILL);
        self.ends();
    }

    fn let_go(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(reading) = self.reading.take() {
            let _ = reading.join();
        }
        (self.slave, self.master) = (None, None);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that has ended already is as dead.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.let_go();
    }
}

fn some(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has rows and columns")
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Reads whatever the program writes, so that it never waits for us.
fn read(mut master: File, shown: &Arc<Watched>, over: &Arc<AtomicBool>) -> JoinHandle<()> {
    let (shown, over) = (Arc::clone(shown), Arc::clone(over));
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        while !over.load(Ordering::Relaxed) {
            let mut wanted = [PollFd::new(&master, PollFlags::IN)];
            if !matches!(poll(&mut wanted, Some(&LOOK)), Ok(1..)) {
                continue;
            }
            let Ok(count @ 1..) = master.read(&mut chunk) else { return };
            let (shown, changed) = &*shown;
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.takes(&chunk[..count]);
            changed.notify_all();
        }
    })
}

/// A `staffetta` command for a person at a terminal, in English.
pub fn client<S: AsRef<OsStr>>(args: &[S]) -> Command {
    let mut command = Command::new(crate::binaries::client());
    command.args(args).env("LC_ALL", "C.UTF-8").env_remove("RUST_LOG");
    command
}
