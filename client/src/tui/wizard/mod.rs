//! The first run: from a pasted invitation to the room, in five pages. It thinks in `state`, draws in
//! `view`, and redeems the code on a thread of its own, because making keys takes seconds. It must
//! never know what a room is.

mod line;
mod state;
mod view;

use std::ops::ControlFlow;
use std::sync::mpsc as std_mpsc;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender};
use zeroize::Zeroizing;

use self::state::{Effect, Event, Said, State, update};
use super::terminal::{Keys, Screen, Typed, told_to_end};
use crate::api::{self, Api, Invitation, InviteCode, Join, JoinStep, Profile};
use crate::errors::{Failure, exit};
use crate::passphrase::{Passphrase, Source};
use crate::text;

/// The most events that wait.
const WAITING: usize = 64;

/// Words of a proposed passphrase: 66 bits.
const PROPOSED_WORDS: usize = 6;

/// Leads somebody without a profile into a team. `None` if it was left before the end; started again
/// with the same code it goes on.
///
/// # Errors
/// If the terminal cannot be used, or the passphrase file cannot be read.
pub(super) async fn run(profile: &Profile) -> Result<Option<Api>, Failure> {
    let state = State {
        proposal: api::propose_passphrase(PROPOSED_WORDS, text::language()),
        passphrase_known: !matches!(profile.passphrase, Source::Terminal),
        ..State::default()
    };
    let passphrase = match state.passphrase_known {
        true => Some(profile.passphrase.new_profile()?.copy()),
        false => None,
    };
    lead(profile, state, passphrase, false).await
}

/// Goes on with a request that waits, in a profile whose passphrase is known.
///
/// # Errors
/// As [`run`].
pub(super) async fn resume(
    profile: &Profile,
    name: String,
    passphrase: Zeroizing<String>,
) -> Result<Option<Api>, Failure> {
    lead(profile, State::again(&name), Some(passphrase), true).await
}

async fn lead(
    profile: &Profile,
    mut state: State,
    passphrase: Option<Zeroizing<String>>,
    asked: bool,
) -> Result<Option<Api>, Failure> {
    let (happened, happening) = mpsc::channel(WAITING);
    let mut work = Work {
        profile: profile.clone(),
        passphrase,
        happened: happened.clone(),
        written: None,
        inside: None,
    };
    if asked {
        work.redeem(None, state.name.text().to_owned());
    }
    let keys = Keys::start(happened, event);
    let mut screen = Screen::open()?;
    let result = tokio::select! {
        result = turn(&mut screen, happening, &mut state, &mut work) => result,
        () = told_to_end() => Ok(None),
    };
    drop(screen);
    drop(keys);
    result
}

async fn turn(
    screen: &mut Screen,
    mut happening: Receiver<Event>,
    state: &mut State,
    work: &mut Work,
) -> Result<Option<Api>, Failure> {
    loop {
        screen.draw(|frame| view::draw(frame, state))?;
        let Some(event) = happening.recv().await else { return Ok(None) };
        if matches!(event, Event::Resized) {
            screen.forget()?;
        }
        match update(state, event) {
            None => {}
            Some(Effect::Quit) => return Ok(None),
            Some(Effect::Enter) => {
                return Ok(match work.inside.take() {
                    Some(inside) => inside.recv().ok(),
                    None => None,
                });
            }
            Some(Effect::Written) => {
                if let Some(written) = work.written.take() {
                    let _ = written.send(());
                }
            }
            Some(Effect::Look(code)) => work.look(code),
            Some(Effect::Join { code, name, passphrase }) => work.join(&code, name, passphrase),
        }
    }
}

/// What goes on beside the drawing.
struct Work {
    profile: Profile,
    /// What the profile's key is wrapped with, for another attempt.
    passphrase: Option<Zeroizing<String>>,
    happened: Sender<Event>,
    /// Tells the joining thread that the root words are on paper.
    written: Option<std_mpsc::Sender<()>>,
    /// Brings the open profile.
    inside: Option<std_mpsc::Receiver<Api>>,
}

impl Work {
    /// Reads what the invitation says.
    fn look(&self, code: Zeroizing<String>) {
        let (profile, happened) = (self.profile.clone(), self.happened.clone());
        tokio::spawn(async move {
            let looked = api::look(&profile, &code).await;
            let _ = happened.send(Event::Looked(looked.map_err(|error| said(&error)))).await;
        });
    }

    /// Redeems the code, on a thread of its own.
    fn join(&mut self, code: &str, name: String, passphrase: Option<Zeroizing<String>>) {
        if passphrase.is_some() {
            self.passphrase = passphrase;
        }
        let code = match api::read_code(code) {
            _ if code.is_empty() => None,
            Ok(code) => Some(code),
            Err(failure) => {
                let _ = self.happened.try_send(Event::Failed(said(&failure)));
                return;
            }
        };
        self.redeem(code, name);
    }

    /// Redeems a code, or goes on with the request that waits.
    fn redeem(&mut self, code: Option<InviteCode>, name: String) {
        let passphrase = Passphrase::typed(self.passphrase.clone().unwrap_or_default());
        let device = crate::commands::DEVICE.to_owned();
        let (profile, happened) = (self.profile.clone(), self.happened.clone());
        let (written, on_paper) = std_mpsc::channel();
        let (came_in, inside) = std_mpsc::channel();
        (self.written, self.inside) = (Some(written), Some(inside));
        let runtime = Handle::current();
        std::thread::spawn(move || {
            let join = Join { code, name, device };
            let mut on = |step| tell(step, &happened, &on_paper);
            let event = match runtime.block_on(api::join(&profile, passphrase, join, &mut on)) {
                Ok(Some(api)) => match came_in.send(api) {
                    Ok(()) => Event::Inside,
                    // The screen was left meanwhile.
                    Err(_) => return,
                },
                Ok(None) => return,
                Err(failure) => Event::Failed(said(&failure)),
            };
            let _ = happened.blocking_send(event);
        });
    }
}

/// Shows what happens while joining; the root words until they are on paper, because only then is the
/// root key forgotten.
fn tell(
    step: JoinStep,
    happened: &Sender<Event>,
    on_paper: &std_mpsc::Receiver<()>,
) -> Result<ControlFlow<()>, Failure> {
    let left = || Failure::with(exit::FAILED, text::holder_gone(), text::run_again());
    match step {
        JoinStep::Founded(words) => {
            happened.try_send(Event::Founded(words)).map_err(|_| left())?;
            on_paper.recv().map_err(|_| left())?;
        }
        JoinStep::Waiting { words, team, inviter } => {
            let invitation =
                Invitation { team, inviter: Some(inviter), auto_approve: words.is_none() };
            happened.try_send(Event::Waiting(invitation, words)).map_err(|_| left())?;
        }
        JoinStep::Joined { .. } => {}
    }
    Ok(ControlFlow::Continue(()))
}

fn said(failure: &Failure) -> Said {
    Said { exit: failure.exit(), lines: failure.lines() }
}

fn event(typed: Typed) -> Option<Event> {
    match typed {
        Typed::Key(key) => Some(Event::Key(key)),
        Typed::Paste(pasted) => Some(Event::Paste(pasted)),
        Typed::Resized(_) => Some(Event::Resized),
        Typed::Mouse(_) | Typed::Focus(_) => None,
    }
}
