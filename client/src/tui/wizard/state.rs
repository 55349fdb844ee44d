//! What the first run shows and what happens on each event: no terminal, no clock, no agent.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use zeroize::Zeroizing;

use super::line::Line;
use crate::api::{CodeCheck, Invitation, check_code, check_name, find_code};
use crate::errors::exit;
use crate::passphrase::MIN_CHARS;
use crate::text::wizard as text;

/// The page that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Page {
    /// Paste the invitation.
    #[default]
    Code,
    /// The relay is asked what the invitation says.
    Looking,
    /// "You are joining ..., invited by ...".
    Team,
    /// Your name.
    Name,
    /// The passphrase.
    Passphrase,
    /// Keys are made and the request goes out: nothing can be typed.
    Working,
    /// The five words, until somebody approves.
    Words,
    /// A founder's 24 words.
    RootWords,
    /// It can be tried again as it is.
    Again,
}

/// What went wrong, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) exit: u8,
    pub(super) lines: Vec<String>,
}

/// Everything the first run shows.
#[derive(Default)]
pub(super) struct State {
    pub(super) page: Page,
    pub(super) code: Line,
    pub(super) invitation: Option<Invitation>,
    /// Which of the two answers of [`Page::Team`] is chosen: the second, "not who I expected".
    pub(super) refuse: bool,
    pub(super) name: Line,
    /// The passphrase proposed.
    pub(super) proposal: Zeroizing<String>,
    pub(super) passphrase: Line,
    /// Whether what is typed as a passphrase is hidden.
    pub(super) hidden: bool,
    /// The passphrase comes from a file, or a first attempt has taken it already.
    pub(super) passphrase_known: bool,
    /// The five words.
    pub(super) words: Vec<String>,
    pub(super) root_words: Zeroizing<String>,
    /// What was wrong with the last attempt, with the next step.
    pub(super) said: Option<Said>,
}

impl State {
    /// Of somebody whose request waits already.
    pub(super) fn again(name: &str) -> Self {
        let mut state = Self { page: Page::Working, passphrase_known: true, ..Self::default() };
        state.name.set(name);
        state
    }
}

/// What happened.
pub(super) enum Event {
    Key(KeyEvent),
    Paste(String),
    Resized,
    /// What the invitation says, or why that cannot be known.
    Looked(Result<Invitation, Said>),
    /// The request waits; the words are absent if nobody has to hear them.
    Waiting(Invitation, Option<Vec<String>>),
    /// The team is founded.
    Founded(Zeroizing<String>),
    /// It did not work.
    Failed(Said),
    /// Inside.
    Inside,
}

/// What the loop has to do.
#[derive(PartialEq)]
pub(super) enum Effect {
    Quit,
    /// Read the invitation.
    Look(Zeroizing<String>),
    /// Redeem it. Without a passphrase the one from the file, or of the first attempt, is meant.
    Join {
        /// Empty if one goes on with the request that waits.
        code: Zeroizing<String>,
        name: String,
        passphrase: Option<Zeroizing<String>>,
    },
    /// The root words are on paper.
    Written,
    /// Go on to the room.
    Enter,
}

/// The one transition.
pub(super) fn update(state: &mut State, event: Event) -> Option<Effect> {
    match event {
        Event::Key(key) => return on_key(state, key),
        Event::Paste(pasted) => on_paste(state, &Zeroizing::new(pasted)),
        Event::Resized => {}
        Event::Looked(Ok(invitation)) => {
            state.invitation = Some(invitation);
            state.refuse = false;
            turn_to(state, Page::Team);
        }
        Event::Looked(Err(said)) => fail(state, Page::Code, said),
        Event::Waiting(invitation, words) => {
            state.invitation = Some(invitation);
            // Without words there is nothing to do but wait where one is.
            if let Some(words) = words {
                state.words = words;
                turn_to(state, Page::Words);
            }
        }
        Event::Founded(words) => {
            state.root_words = words;
            turn_to(state, Page::RootWords);
        }
        Event::Failed(said) => {
            let page = match said.exit {
                exit::UNREACHABLE | exit::TRY_AGAIN => Page::Again,
                exit::DENIED => {
                    state.passphrase_known = false;
                    Page::Passphrase
                }
                _ => Page::Code,
            };
            fail(state, page, said);
        }
        Event::Inside => return Some(Effect::Enter),
    }
    None
}

fn turn_to(state: &mut State, page: Page) {
    state.said = None;
    state.page = page;
}

fn fail(state: &mut State, page: Page, said: Said) {
    state.page = page;
    state.said = Some(said);
}

/// The line that is being typed on this page.
fn line(state: &mut State) -> Option<&mut Line> {
    match state.page {
        Page::Code => Some(&mut state.code),
        Page::Name => Some(&mut state.name),
        Page::Passphrase => Some(&mut state.passphrase),
        _ => None,
    }
}

fn on_paste(state: &mut State, pasted: &str) {
    if state.page == Page::Code {
        state.said = None;
        // People copy more than the code: the whole message, or the code broken over two lines.
        match find_code(pasted) {
            Some(code) => state.code.set(&code),
            None => state.code.push(pasted.trim()),
        }
    } else if let Some(line) = line(state) {
        line.push(pasted.trim_end_matches(['\r', '\n']));
        state.said = None;
    }
}

fn on_key(state: &mut State, key: KeyEvent) -> Option<Effect> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match (state.page, key.code) {
        (_, KeyCode::Char('q')) if control => return Some(Effect::Quit),
        (_, KeyCode::Char('c')) if control => say(state, text::quit_how()),
        (Page::Team, code) => return on_answer(state, code),
        (Page::RootWords, KeyCode::Enter) => {
            turn_to(state, Page::Working);
            state.root_words = Zeroizing::default();
            return Some(Effect::Written);
        }
        (Page::Again, KeyCode::Enter) => return Some(join(state)),
        (Page::Passphrase, KeyCode::Tab) => state.hidden = !state.hidden,
        (_, KeyCode::Enter) => return enter(state),
        (_, KeyCode::Char('u')) if control => edit(state, Line::clear),
        (_, KeyCode::Char(_)) if control => {}
        (_, KeyCode::Char(c)) => edit(state, |line| line.push(c.encode_utf8(&mut [0; 4]))),
        (_, KeyCode::Backspace) => edit(state, Line::pop),
        (Page::Name, KeyCode::Esc) => turn_to(state, Page::Team),
        (Page::Passphrase, KeyCode::Esc) => turn_to(state, Page::Name),
        _ => {}
    }
    None
}

fn edit(state: &mut State, change: impl FnOnce(&mut Line)) {
    if let Some(line) = line(state) {
        change(line);
        state.said = None;
    }
}

fn say(state: &mut State, what: impl Into<String>) {
    state.said = Some(Said { exit: exit::FAILED, lines: vec![what.into()] });
}

/// "Yes" or "not who I expected".
fn on_answer(state: &mut State, code: KeyCode) -> Option<Effect> {
    match code {
        KeyCode::Left | KeyCode::Right | KeyCode::Up | KeyCode::Down | KeyCode::Tab => {
            state.refuse = !state.refuse;
        }
        KeyCode::Char('y' | 'Y' | 'o' | 'O') => return agree(state),
        KeyCode::Enter if !state.refuse => return agree(state),
        KeyCode::Enter | KeyCode::Esc | KeyCode::Char('n' | 'N') => {
            let inviter = state.invitation.take().and_then(|it| it.inviter);
            state.code.clear();
            state.page = Page::Code;
            say(
                state,
                match inviter {
                    Some(_) => text::not_expected_invited(),
                    None => text::not_expected_founder(),
                },
            );
        }
        _ => {}
    }
    None
}

fn agree(state: &mut State) -> Option<Effect> {
    turn_to(state, Page::Name);
    None
}

fn enter(state: &mut State) -> Option<Effect> {
    match state.page {
        Page::Code => match check_code(state.code.text()) {
            CodeCheck::Good => {
                turn_to(state, Page::Looking);
                return Some(Effect::Look(state.code.copy()));
            }
            CodeCheck::Wrong(what) => say(state, what),
            CodeCheck::Partial(_) => say(state, text::code_how()),
        },
        Page::Name => match check_name(state.name.text()) {
            Ok(()) if state.passphrase_known => return Some(join(state)),
            Ok(()) => turn_to(state, Page::Passphrase),
            Err(what) => say(state, what),
        },
        Page::Passphrase => {
            let typed = state.passphrase.text().chars().count();
            if typed != 0 && typed < MIN_CHARS {
                say(state, text::passphrase_short(typed, MIN_CHARS));
            } else {
                return Some(join(state));
            }
        }
        _ => {}
    }
    None
}

fn join(state: &mut State) -> Effect {
    let passphrase = match (state.passphrase_known, state.passphrase.text()) {
        (true, _) => None,
        (false, "") => Some(state.proposal.clone()),
        (false, _) => Some(state.passphrase.copy()),
    };
    state.passphrase_known = true;
    state.passphrase.clear();
    turn_to(state, Page::Working);
    Effect::Join { code: state.code.copy(), name: state.name.text().trim().into(), passphrase }
}

#[cfg(test)]
pub(super) mod tests;
