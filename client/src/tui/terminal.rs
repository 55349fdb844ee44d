//! The edge to the terminal: keys in, frames out, and everything given back at the end.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind,
};
use crossterm::execute;
use crossterm::terminal::SetTitle;
use data_encoding::BASE64;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc::Sender;

use super::geometry::Size;
use super::key::{Code, Key, Mouse};
use super::state::{Event, State};
use super::view;

/// The window's title: the same whatever is on the screen.
const TITLE: &str = "staffetta";

/// How often the thread that reads keys looks whether the screen has ended.
const KEY_POLL: Duration = Duration::from_millis(100);

/// The most bytes handed to the terminal's clipboard.
const MOST_COPIED: usize = 65_536;

/// The thread that waits for keys; it ends soon after this is dropped.
pub(super) struct Keys(Arc<AtomicBool>);

impl Keys {
    pub(super) fn start(happened: Sender<Event>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                let event = match event::poll(KEY_POLL) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let Ok(event) = event else { return };
                if let Some(event) = translated(event)
                    && happened.blocking_send(event).is_err()
                {
                    return;
                }
            }
        });
        Self(ended)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn translated(event: event::Event) -> Option<Event> {
    Some(match event {
        event::Event::Key(pressed) if pressed.kind != KeyEventKind::Release => {
            Event::Key(key(pressed)?)
        }
        event::Event::Paste(pasted) => Event::Paste(pasted),
        event::Event::Resize(width, height) => Event::Resize(Size { width, height }),
        event::Event::Mouse(mouse) => Event::Mouse(match mouse.kind {
            MouseEventKind::ScrollUp => Mouse::Up,
            MouseEventKind::ScrollDown => Mouse::Down,
            MouseEventKind::Down(_) => Mouse::Press { column: mouse.column, row: mouse.row },
            _ => return None,
        }),
        _ => return None,
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

/// The terminal in the screen's hands; given back on drop and, through a hook, on panic.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    pub(super) fn open() -> io::Result<Self> {
        // The drawing library's own hook gives back what it took; this one runs first.
        let terminal = ratatui::try_init()?;
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let _ = execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture);
            hook(info);
        }));
        execute!(io::stdout(), EnableBracketedPaste, SetTitle(TITLE))?;
        Ok(Self(terminal))
    }

    pub(super) fn size(&self) -> io::Result<Size> {
        let size = self.0.size()?;
        Ok(Size { width: size.width, height: size.height })
    }

    pub(super) fn draw(&mut self, state: &State) -> io::Result<()> {
        self.0.draw(|frame| view::draw(frame, state)).map(drop)
    }

    pub(super) fn bell(&self) -> io::Result<()> {
        io::stdout().write_all(b"\x07")?;
        io::stdout().flush()
    }

    /// Hands a text to the terminal's clipboard (OSC 52), because somebody asked for it.
    pub(super) fn copy(&self, text: &str) -> io::Result<()> {
        if text.len() <= MOST_COPIED {
            write!(io::stdout(), "\x1b]52;c;{}\x07", BASE64.encode(text.as_bytes()))?;
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
        let _ = execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture);
        ratatui::restore();
    }
}
