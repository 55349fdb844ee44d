//! The screen: rooms, messages and a line to write on. The only place that names ratatui and
//! crossterm. It thinks in `state`, draws in `view`, and talks to the agent from a task of its
//! own, so that a slow relay never stops a key. It must never know what a command line is.

mod input;
mod state;
mod terminal;
mod view;
mod wizard;

use std::io::{self, IsTerminal};

use serde_json::{Value, json};
use tokio::sync::mpsc::{self, Receiver, Sender};

use self::state::{Effect, Event, State, undo, update};
use self::terminal::{Keys, Screen, Typed, told_to_end};
use crate::api::{self, Api, ApiError, Calls, Events, Profile};
use crate::errors::Failure;
use crate::output::{clean_line, is_set, line_of};
use crate::text;

/// The most events or effects that wait; beyond it keys wait, and nothing is lost.
const WAITING: usize = 256;

/// The most messages read when a room is opened.
const NEWEST: usize = 200;

/// Opens the profile and shows the screen until it is left; without a profile the first run comes first.
///
/// # Errors
/// Exit 2 without a terminal; whatever opening the profile or the terminal fails with.
pub(crate) async fn run(profile: &Profile) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Failure::usage(text::screen_needs_terminal(), text::see_help()));
    }
    let api = if api::has_profile(&profile.dir) {
        unlock(profile).await?
    } else {
        wizard::run(profile).await?
    };
    let Some(api) = api else { return Ok(()) };
    let result = match api.events(api::none()).await {
        Ok(events) => show(&api, events).await,
        Err(error) => Err(error.into()),
    };
    api.close().await;
    result
}

/// Opens a profile; one that is still on its way into its team goes on waiting there.
async fn unlock(profile: &Profile) -> Result<Option<Api>, Failure> {
    let (api, passphrase) = Api::open_keeping(profile).await?;
    let status = api.call("status", api::none()).await?;
    match passphrase {
        Some(passphrase) if !is_set(&status, "inside") => {
            api.close().await;
            wizard::resume(profile, line_of(&status, "member"), passphrase).await
        }
        _ => Ok(Some(api)),
    }
}

async fn show(api: &Api, events: Events<'_>) -> Result<(), Failure> {
    let (effects, work) = mpsc::channel(WAITING);
    let (happened, happening) = mpsc::channel(WAITING);
    let keys = Keys::start(happened.clone(), Event::from);
    let mut screen = Screen::open()?;
    let result = tokio::select! {
        result = turn(&mut screen, happening, &effects) => result,
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
    Err(Failure::refused(text::holder_gone(), text::run_again()))
}

async fn turn(
    screen: &mut Screen,
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
        screen.draw(|frame| view::draw(frame, &state))?;
        let Some(event) = happening.recv().await else { return Ok(()) };
        let mut resized = matches!(event, Event::Resized);
        todo = update(&mut state, event);
        // A burst is one frame, not hundreds.
        while let Ok(event) = happening.try_recv() {
            resized |= matches!(event, Event::Resized);
            todo.extend(update(&mut state, event));
        }
        todo.dedup();
        if resized {
            screen.forget()?;
        }
    }
}

impl From<Typed> for Event {
    fn from(typed: Typed) -> Self {
        match typed {
            Typed::Key(key) => Self::Key(key),
            Typed::Paste(pasted) => Self::Paste(pasted),
            Typed::Resized => Self::Resized,
        }
    }
}
