//! The screen: rooms, messages and a line to write on. It thinks in `state`, where one function
//! takes an event and answers what is to be done; it lays out in `lines`, `side`, `edges` and
//! `sheet`, which know rows and columns; and it draws in `view`. Only `view` and `terminal` name
//! the drawing library. The agent is asked by tasks of their own, so that a slow relay never stops
//! a key. It must never know what a command line is, nor hold a key.

#[cfg(test)]
mod bench;
mod edges;
mod feed;
mod geometry;
mod key;
mod line;
mod lines;
#[cfg(test)]
mod picture;
mod plain;
mod rich;
mod rows;
mod sheet;
mod side;
mod signs;
pub(crate) mod slash;
mod state;
mod terminal;
mod untrusted;
mod view;
mod wizard;

use std::io::{self, IsTerminal};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use self::feed::{Call, Lanes};
use self::state::{Ask, Effect, Event, Lane, Refusal, Setup, State, update};
use self::terminal::{Keys, Screen, told_to_end};
use self::untrusted::Untrusted;
use crate::api::{self, Api, Calls, Profile, Stay};
use crate::errors::Failure;
use crate::output::{is_set, line_of};
use crate::text;

/// The most events that wait; beyond it keys wait, and nothing is lost.
const WAITING: usize = 256;

/// How often time is told.
const MINUTE: Duration = Duration::from_secs(60);

/// After how long without a key drafts are kept, and the screen is locked.
const QUIET: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(300);

/// How the screen is to look.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// ASCII alone.
    pub(crate) ascii: bool,
    /// Whether colours are allowed.
    pub(crate) colour: bool,
    /// Lines in, lines out, and no screen.
    pub(crate) plain: bool,
}

/// How the screen was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// As it is.
    Quit,
    /// The profile is to be destroyed.
    Wipe,
}

/// Opens the profile and shows the screen until it is left; without a profile the first run comes
/// first.
///
/// # Errors
/// Exit 2 without a terminal; whatever opening the profile or the terminal fails with.
pub(crate) async fn run(profile: &Profile, look: Look) -> Result<Left, Failure> {
    if !look.plain && (!io::stdin().is_terminal() || !io::stdout().is_terminal()) {
        return Err(Failure::usage(text::screen_needs_terminal(), text::see_help()));
    }
    let api = if look.plain {
        Some(Api::open(profile, Stay::Lasting).await?)
    } else if api::has_profile(&profile.dir) {
        unlock(profile).await?
    } else {
        wizard::run(profile).await?
    };
    let Some(api) = api else { return Ok(Left::Quit) };
    let result = match api.events(api::none()).await {
        Ok(events) => show(&api, events, look).await,
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

async fn show(api: &Api, events: api::Events<'_>, look: Look) -> Result<Left, Failure> {
    let setup = Setup {
        words: text::screen::words(),
        zone: TimeZone::system(),
        ascii: look.ascii || look.plain,
        no_colour: !look.colour,
        size: plain::WIDE,
        notifies: cfg!(feature = "notify"),
    };
    if look.plain {
        return plain::run(api, events, setup).await;
    }
    let (lanes, work) = Lanes::new();
    let (happened, happening) = mpsc::channel(WAITING);
    let keys = Keys::start(happened.clone(), terminal::event);
    let mut screen = Screen::open()?;
    let mut state = State::new(Setup { size: screen.size()?, ..setup });
    let (quick, others) = feed::serve(api, work, &happened);
    tokio::pin!(quick);
    let result = tokio::select! {
        left = turn(&mut screen, &mut state, happening, &lanes) => left,
        () = &mut quick => Ok(Left::Quit),
        () = others => Ok(Left::Quit),
        () = feed::listen(events, &happened) => {
            Err(Failure::refused(text::holder_gone(), text::run_again()))
        }
        () = told_to_end() => Ok(Left::Quit),
    };
    feed::finish(lanes, quick).await;
    // Whatever ended it, what was being written is kept.
    for effect in update(&mut state, Event::Quiet) {
        if let Effect::Call { method, params, .. } = effect {
            let _kept = api.call(method, params).await;
        }
    }
    drop(screen);
    drop(keys);
    result
}

async fn turn(
    screen: &mut Screen,
    state: &mut State,
    mut happening: Receiver<Event>,
    lanes: &Lanes,
) -> Result<Left, Failure> {
    let mut minute = interval(MINUTE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut touched = Instant::now();
    let (mut quiet, mut idle) = (false, false);
    let mut todo = state.begin();
    loop {
        if let Some(left) = carry_out(screen, state, lanes, todo)? {
            return Ok(left);
        }
        if state.take_changed() {
            screen.draw(|frame| view::draw(frame, state))?;
        }
        let event = tokio::select! {
            event = happening.recv() => match event {
                Some(event) => event,
                None => return Ok(Left::Quit),
            },
            _ = minute.tick() => Event::Minute(Timestamp::now().to_string()),
            () = sleep_until(touched + QUIET), if !quiet => {
                quiet = true;
                Event::Quiet
            }
            () = sleep_until(touched + IDLE), if !idle => {
                idle = true;
                Event::Idle
            }
        };
        let mut next = Some(event);
        todo = Vec::new();
        // A burst is one frame, not hundreds; an endless one is several.
        for _ in 0..WAITING {
            let Some(event) = next else { break };
            if matches!(event, Event::Resize(_)) {
                screen.forget()?;
            }
            if matches!(event, Event::Key(_) | Event::Paste(_) | Event::Mouse(_)) {
                touched = Instant::now();
                (quiet, idle) = (false, false);
            }
            todo.extend(update(state, event));
            next = happening.try_recv().ok();
        }
    }
}

/// Does what the state wants done; `Some` if the screen is to be left.
fn carry_out(
    screen: &Screen,
    state: &mut State,
    lanes: &Lanes,
    todo: Vec<Effect>,
) -> io::Result<Option<Left>> {
    for effect in todo {
        match effect {
            Effect::Copy(text) => screen.copy(&text)?,
            Effect::Bell if state.bell => screen.bell()?,
            Effect::Notify(said) => screen.notify(&said)?,
            Effect::Mouse(on) => screen.mouse(on)?,
            effect => {
                if let Some(left) = carry_out_plain(state, lanes, vec![effect]) {
                    return Ok(Some(left));
                }
            }
        }
    }
    Ok(None)
}

/// Does what needs no screen.
fn carry_out_plain(state: &mut State, lanes: &Lanes, todo: Vec<Effect>) -> Option<Left> {
    for effect in todo {
        let back = match effect {
            Effect::Quit => return Some(Left::Quit),
            Effect::Wipe => return Some(Left::Wipe),
            Effect::Call { ask, lane, method, params } => {
                lanes.put(lane, Call::Method { ask, method, params })
            }
            Effect::Unlock => lanes.put(Lane::Quick, Call::Unlock(state.take_passphrase())),
            Effect::Copy(_) | Effect::Bell | Effect::Notify(_) | Effect::Mouse(_) => None,
        };
        if let Some(ask) = back {
            give_back(state, ask);
        }
    }
    None
}

/// Takes back a call for which there is no room: nothing written is lost.
fn give_back(state: &mut State, ask: Ask) {
    let why = Refusal { message: Untrusted::from(state.words().busy), hint: Untrusted::default() };
    // What a refusal leads to can wait for the next event as well.
    let _later = update(state, Event::Answer(ask, Err(why)));
}
