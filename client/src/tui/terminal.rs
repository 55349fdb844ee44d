//! The edge to the terminal: taking it and giving it back, and the thread that waits for keys.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, KeyEvent, KeyEventKind};
use crossterm::execute;
use ratatui::layout::{Position, Rect};
use ratatui::{DefaultTerminal, Frame};
use tokio::sync::mpsc::Sender;

/// How often the thread that reads keys looks whether the screen has ended.
const KEY_POLL: Duration = Duration::from_millis(100);

/// What comes from the terminal.
pub(super) enum Typed {
    Key(KeyEvent),
    Paste(String),
    Resized,
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

/// The thread that waits for keys. Dropping it ends the thread, so that the next one misses nothing.
pub(super) struct Keys {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Keys {
    /// Starts the thread, which tells `happened` what was typed. The other end has to be dropped
    /// before this is.
    pub(super) fn start<E: Send + 'static>(happened: Sender<E>, event: fn(Typed) -> E) -> Self {
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
                    Ok(event::Event::Resize(..)) => Typed::Resized,
                    Ok(_) => continue,
                    Err(_) => return,
                };
                if happened.blocking_send(event(typed)).is_err() {
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

/// The terminal in the screen's hands; given back on drop and, through a hook, on panic.
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If the terminal does not let itself be used.
    pub(super) fn open() -> io::Result<Self> {
        // ratatui's own hook gives back what ratatui took; this one runs first.
        let terminal = ratatui::try_init()?;
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let _ = execute!(io::stdout(), DisableBracketedPaste);
            hook(info);
        }));
        execute!(io::stdout(), EnableBracketedPaste)?;
        Ok(Self(terminal))
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

    /// Draws a frame.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.0.draw(draw).map(|_| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), DisableBracketedPaste);
        ratatui::restore();
    }
}
