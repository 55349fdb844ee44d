//! The screen: rooms, messages and a line to write on. The only place that names ratatui and
//! crossterm. It thinks in `state`, draws in `view`, and talks to the agent from a task of its
//! own, so that a slow relay never stops a key. It must never know what a command line is.

mod input;
mod state;
mod view;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, KeyEventKind};
use crossterm::execute;
use ratatui::DefaultTerminal;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, Receiver, Sender};

use self::state::{Effect, Event, State, undo, update};
use crate::api::{self, Api, ApiError, Calls, Events, Profile};
use crate::errors::Failure;
use crate::output::clean_line;
use crate::text;

/// The most events or effects that wait; beyond it keys wait, and nothing is lost.
const WAITING: usize = 256;

/// The most messages read when a room is opened.
const NEWEST: usize = 200;

/// How often the thread that reads keys looks whether the screen has ended.
const KEY_POLL: Duration = Duration::from_millis(100);

/// Opens the profile and shows the screen until it is left.
///
/// # Errors
/// Exit 2 without a terminal; whatever opening the profile or the terminal fails with.
pub(crate) async fn run(profile: &Profile) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::usage(text::SCREEN_NEEDS_TERMINAL, text::SEE_HELP));
    }
    let api = Api::open(profile, true).await?;
    let result = match api.events(api::none()).await {
        Ok(events) => show(&api, events).await,
        Err(error) => Err(error.into()),
    };
    api.close().await;
    result
}

async fn show(api: &Api, events: Events<'_>) -> Result<(), Failure> {
    let (effects, work) = mpsc::channel(WAITING);
    let (happened, happening) = mpsc::channel(WAITING);
    let keys = Keys::start(happened.clone());
    let mut screen = Screen::open()?;
    let result = tokio::select! {
        result = screen.turn(happening, &effects) => result,
        () = serve(api, work, &happened) => Ok(()),
        gone = forward(events, &happened) => gone,
        () = told_to_end() => Ok(()),
    };
    drop(screen);
    drop(keys);
    result
}

/// Does one effect after the other, so that messages keep their order.
async fn serve(api: &Api, mut work: Receiver<Effect>, happened: &Sender<Event>) {
    let said = |error: ApiError| Event::Failed(clean_line(&error.message));
    let status = api.call("status", api::none()).await;
    let _ = happened.send(status.map_or_else(said, Event::Status)).await;
    while let Some(effect) = work.recv().await {
        let event = match effect {
            Effect::Quit => return,
            Effect::Rooms => {
                api.call("room.list", api::none()).await.map_or_else(said, Event::Rooms)
            }
            Effect::Open(room) => {
                let params = json!({
                    "room": room, "unread": false, "limit": NEWEST, "mark_read": true,
                });
                let read = api.call("read", params).await;
                read.map_or_else(said, |messages| Event::History(room, messages))
            }
            Effect::Send { room, text } => {
                let params = json!({"room": room, "text": text, "wait_ms": 0});
                let answer: Result<Value, ApiError> = api.call("send", params).await;
                Event::Sent(room, text, answer.map_err(|error| clean_line(&error.message)))
            }
        };
        if happened.send(event).await.is_err() {
            return;
        }
    }
}

async fn forward(mut events: Events<'_>, happened: &Sender<Event>) -> Result<(), Failure> {
    while let Some(event) = events.next().await {
        if happened.send(Event::Agent(event)).await.is_err() {
            return Ok(());
        }
    }
    Err(Failure::refused(text::HOLDER_GONE, text::RUN_AGAIN))
}

async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
        (Ok(mut terminate), Ok(mut hangup)) => tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        },
        _ => std::future::pending().await,
    }
}

/// The thread that waits for keys; it ends soon after this is dropped.
struct Keys(Arc<AtomicBool>);

impl Keys {
    fn start(happened: Sender<Event>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                let event = match event::poll(KEY_POLL) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let event = match event {
                    Ok(event::Event::Key(key)) if key.kind != KeyEventKind::Release => {
                        Event::Key(key)
                    }
                    Ok(event::Event::Paste(pasted)) => Event::Paste(pasted),
                    Ok(event::Event::Resize(..)) => Event::Resized,
                    Ok(_) => continue,
                    Err(_) => return,
                };
                if happened.blocking_send(event).is_err() {
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

/// The terminal in the screen's hands; given back on drop and, through a hook, on panic.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> io::Result<Self> {
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

    async fn turn(
        &mut self,
        mut happening: Receiver<Event>,
        effects: &Sender<Effect>,
    ) -> Result<(), Failure> {
        let mut state = State::default();
        let mut todo = vec![Effect::Rooms];
        loop {
            for effect in todo.drain(..) {
                if effect == Effect::Quit {
                    return Ok(());
                }
                if let Err(error) = effects.try_send(effect) {
                    undo(&mut state, error.into_inner());
                }
            }
            self.0.draw(|frame| view::draw(frame, &state))?;
            let Some(event) = happening.recv().await else { return Ok(()) };
            todo = update(&mut state, event);
            // A burst is one frame, not hundreds.
            while let Ok(event) = happening.try_recv() {
                todo.extend(update(&mut state, event));
            }
            todo.dedup();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), DisableBracketedPaste);
        ratatui::restore();
    }
}
