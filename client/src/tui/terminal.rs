//! The edge to the terminal: keys in, frames out, and everything given back at the end.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::event::{
    self, DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture, KeyCode, KeyEvent, KeyEventKind, KeyModifiers,
    MouseEvent, MouseEventKind,
};
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{execute, queue};
use data_encoding::BASE64;
use ratatui::layout::{Position, Rect};
use ratatui::{DefaultTerminal, Frame};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc::Sender;

use super::geometry::Size;
use super::key::{Code, Key, Mouse};
use super::state::Event;

/// The window's title: the same whatever is on the screen.
const TITLE: &str = "staffetta";

/// How often the thread that reads keys looks whether the screen has ended.
const KEY_POLL: Duration = Duration::from_millis(100);

/// The most bytes handed to the terminal's clipboard.
const MOST_COPIED: usize = 65_536;

/// What comes from the terminal.
pub(super) enum Typed {
    Key(KeyEvent),
    Paste(String),
    Mouse(MouseEvent),
    Resized(Size),
    Focus(bool),
}

/// Waits until the process is told to end, or its terminal is gone.
pub(super) async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
        (Ok(mut terminate), Ok(mut hangup)) => tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        },
        _ => std::future::pending().await,
    }
}

/// The echo of a terminal whose lines are read: it can be turned off while a passphrase is typed. It is
/// back on drop.
pub(super) struct Echo {
    before: Option<Termios>,
    shown: bool,
}

impl Echo {
    /// That of standard input, if it is a terminal.
    pub(super) fn of_terminal() -> Self {
        Self { before: tcgetattr(io::stdin()).ok(), shown: true }
    }

    /// Whether there is a terminal.
    pub(super) fn is_there(&self) -> bool {
        self.before.is_some()
    }

    /// Shows what is typed from now on, or hides it: then what was typed before is dropped, it was no
    /// passphrase.
    pub(super) fn show(&mut self, shown: bool) -> io::Result<()> {
        if let (Some(before), true) = (&self.before, self.shown != shown) {
            let (mut modes, mut when) = (before.clone(), OptionalActions::Now);
            if !shown {
                modes.local_modes.remove(LocalModes::ECHO);
                when = OptionalActions::Flush;
            }
            tcsetattr(io::stdin(), when, &modes)?;
        }
        self.shown = shown;
        Ok(())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.show(true);
    }
}

/// The thread that waits for keys. Dropping it ends the thread, so that the next one misses nothing.
pub(super) struct Keys {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    /// Starts the thread, which tells `happened` what was typed, as far as `event` knows it. The
    /// other end has to be dropped before this is.
    pub(super) fn start<E: Send + 'static>(
        happened: Sender<E>,
        event: fn(Typed) -> Option<E>,
    ) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let thread = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                let typed = match event::poll(KEY_POLL) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let typed = match typed {
                    Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => {
                        Typed::Key(key)
                    }
                    Ok(event::Event::Paste(pasted)) => Typed::Paste(pasted),
                    Ok(event::Event::Mouse(mouse)) => Typed::Mouse(mouse),
                    Ok(event::Event::Resize(width, height)) => {
                        Typed::Resized(Size { width, height })
                    }
                    Ok(event::Event::FocusGained) => Typed::Focus(true),
                    Ok(event::Event::FocusLost) => Typed::Focus(false),
                    Ok(_) => continue,
                    Err(_) => return,
                };
                if let Some(event) = event(typed)
                    && happened.blocking_send(event).is_err()
                {
                    return;
                }
            }
        });
        Self { ended, thread: Some(thread) }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the screen makes of it.
pub(super) fn event(typed: Typed) -> Option<Event> {
    Some(match typed {
        Typed::Key(pressed) => Event::Key(key(pressed)?),
        Typed::Paste(pasted) => Event::Paste(pasted),
        Typed::Resized(size) => Event::Resize(size),
        Typed::Focus(here) => Event::Focus(here),
        Typed::Mouse(mouse) => Event::Mouse(match mouse.kind {
            MouseEventKind::ScrollUp => Mouse::Up,
            MouseEventKind::ScrollDown => Mouse::Down,
            MouseEventKind::Down(_) => Mouse::Press { column: mouse.column, row: mouse.row },
            _ => return None,
        }),
    })
}

fn key(pressed: KeyEvent) -> Option<Key> {
    let code = match pressed.code {
        KeyCode::Char(found) => Code::Char(found),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(number) => Code::F(number),
        _ => return None,
    };
    Some(Key {
        code,
        control: pressed.modifiers.contains(KeyModifiers::CONTROL),
        alt: pressed.modifiers.contains(KeyModifiers::ALT),
    })
}

/// What asks a terminal for a notification: OSC 777 in the family of rxvt, OSC 9 elsewhere; others
/// take neither for anything. No program is started and no bus is spoken to, so it works over ssh.
fn notification(said: &str, term: &str) -> String {
    // Whoever made the text has cleaned it; what would end the order is not handed on in any case.
    let said: String = said.chars().filter(|c| !c.is_control()).collect();
    match term.starts_with("rxvt") {
        true => format!("\x1b]777;notify;{TITLE};{said}\x1b\\"),
        // Never at the beginning: a number there is another order.
        false => format!("\x1b]9;{TITLE}: {said}\x1b\\"),
    }
}

fn give_back() {
    let mut out = io::stdout();
    // A frame may have been left half drawn.
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        DisableBracketedPaste,
        DisableFocusChange,
        DisableMouseCapture
    );
}

/// The terminal in the screen's hands; given back on drop and, through a hook, on panic.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        // The drawing library's own hook gives back what it took; this one runs first.
        let terminal = ratatui::try_init()?;
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            hook(info);
        }));
        execute!(io::stdout(), EnableBracketedPaste, EnableFocusChange)?;
        // Ended by ST: a BEL on the screen's way out is somebody's message.
        write!(io::stdout(), "\x1b]0;{TITLE}\x1b\\")?;
        Ok(Self(terminal))
    }

    pub(super) fn size(&self) -> io::Result<Size> {
        let size = self.0.size()?;
        Ok(Size { width: size.width, height: size.height })
    }

    /// Forgets what stands on the screen, so that the next frame is drawn whole: a window that changed
    /// its size and changed it back may have lost what the program takes for drawn.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        // Not `clear`, which asks the terminal where the cursor is and waits for the answer.
        let size = self.0.size()?;
        self.0.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Draws a frame, which terminals that can do so show only when it is whole (private mode 2026).
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        self.0.draw(draw)?;
        execute!(io::stdout(), EndSynchronizedUpdate)
    }

    pub(super) fn bell(&self) -> io::Result<()> {
        io::stdout().write_all(b"\x07")?;
        io::stdout().flush()
    }

    /// Asks the terminal to tell the desktop.
    pub(super) fn notify(&self, said: &str) -> io::Result<()> {
        let term = std::env::var("TERM").unwrap_or_default();
        io::stdout().write_all(notification(said, &term).as_bytes())?;
        io::stdout().flush()
    }

    /// Hands a text to the terminal's clipboard (OSC 52), because somebody asked for it.
    pub(super) fn copy(&self, text: &str) -> io::Result<()> {
        if text.len() <= MOST_COPIED {
            write!(io::stdout(), "\x1b]52;c;{}\x1b\\", BASE64.encode(text.as_bytes()))?;
        }
        io::stdout().flush()
    }

    pub(super) fn mouse(&self, on: bool) -> io::Result<()> {
        match on {
            true => execute!(io::stdout(), EnableMouseCapture),
            false => execute!(io::stdout(), DisableMouseCapture),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        ratatui::restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_one_order_whatever_it_says() {
        assert_eq!(notification("New message", "xterm"), "\x1b]9;staffetta: New message\x1b\\");
        let evil = notification("4;1\x1b\\\x07\u{9c}\x1b]0;x", "rxvt-unicode");
        assert_eq!(evil, "\x1b]777;notify;staffetta;4;1\\]0;x\x1b\\");
    }
}
