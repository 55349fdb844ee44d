//! What the screen knows and what happens on each event: no terminal, no clock, no agent. The one
//! transition is [`update`]; it answers with what is to be done.

mod act;
mod agent;
mod answer;
mod ask;
mod attention;
mod complete;
mod keep;
mod keys;
pub(super) mod panel;
mod panels;
mod reading;
pub(super) mod rooms;
mod select;
pub(super) mod timeline;

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

pub(super) use self::ask::{Ask, At, Effect, Lane, Refusal};
use self::ask::{call, slow};
use self::attention::Tells;
use self::complete::Completion;
use self::panel::Panel;
use self::rooms::{Entry, Person};
use self::timeline::Timeline;
use super::geometry::{Geometry, Size, geometry, written};
use super::key::{Key, Mouse};
use super::line::Line;
use super::lines::Paper;
use super::rows::{Ink, Piece, Row, wrap};
use super::signs::{ASCII, Signs, UNICODE};
use super::untrusted::Untrusted;
use crate::text::screen::Words;
use zeroize::Zeroizing;

/// How the screen looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Theme {
    #[default]
    Dark,
    Light,
    /// No colour at all.
    Mono,
    /// The strongest colours on black.
    Contrast,
}

impl Theme {
    pub(super) const ALL: [(Self, &str); 4] = [
        (Self::Dark, "dark"),
        (Self::Light, "light"),
        (Self::Mono, "mono"),
        (Self::Contrast, "contrast"),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(theme, _)| *theme == self).map_or("", |(_, name)| *name)
    }
}

/// What was given on the command line or by the system, once.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) words: &'static Words,
    pub(super) zone: TimeZone,
    pub(super) ascii: bool,
    /// Whether colours are forbidden: then no theme brings one.
    pub(super) no_colour: bool,
    pub(super) size: Size,
    /// Whether the desktop can be told of messages.
    pub(super) notifies: bool,
}

/// Whether there is a relay at the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Connection {
    Online,
    #[default]
    Offline,
    Refused,
}

/// Who and where this profile is.
#[derive(Clone, Debug, Default)]
pub(super) struct Home {
    pub(super) team: Untrusted,
    pub(super) me: Untrusted,
    pub(super) label: Untrusted,
    pub(super) relay: Untrusted,
    pub(super) connection: Connection,
}

/// Something that must not be overlooked; it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Banner {
    Alarm(Untrusted),
    Missing {
        from: Untrusted,
        room: Untrusted,
        count: u64,
    },
    Refused(Untrusted),
    /// Somebody's rights or devices changed.
    Power(String),
}

/// What hides the screen.
#[derive(Debug, Default)]
pub(super) enum Curtain {
    #[default]
    Open,
    /// F12: the next key opens it.
    Blank,
    /// The profile is locked; the passphrase typed so far, and why the last one was refused.
    Locked { typed: Zeroizing<String>, said: Option<String>, waiting: bool },
}

/// The text being written and what it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compose {
    pub(super) line: Line,
    pub(super) about: About,
}

/// What the text being written is to become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum About {
    #[default]
    Nothing,
    /// An answer to this message.
    Reply(String),
    /// The new text of this message.
    Edit(String),
}

/// Everything the screen shows.
pub(super) struct State {
    pub(super) setup: Setup,
    pub(super) theme: Theme,
    pub(super) home: Home,
    pub(super) people: Vec<Person>,
    /// The side bar, top to bottom.
    pub(super) entries: Vec<Entry>,
    /// The key of the entry that is open; empty before there is one.
    pub(super) current: String,
    pub(super) timelines: BTreeMap<String, Timeline>,
    pub(super) compose: Compose,
    /// Texts begun in other rooms.
    pub(super) drafts: BTreeMap<String, String>,
    pub(super) panel: Option<Panel>,
    /// One line that goes with the next key.
    pub(super) notice: Option<String>,
    /// What a command was answered, until the next key: news stand behind it, not in its place.
    pub(super) answer: Option<String>,
    pub(super) banners: Vec<Banner>,
    pub(super) curtain: Curtain,
    pub(super) muted: BTreeSet<String>,
    pub(super) mouse: bool,
    pub(super) bell: bool,
    pub(super) tells: Tells,
    /// Whether the terminal said that nobody looks at it.
    away: bool,
    /// The time as RFC 3339, to the minute.
    now: String,
    completion: Option<Completion>,
    /// What the profile has of drafts and settings.
    kept: Value,
    /// Whether what the profile has was read; before that nothing is written.
    restored: bool,
    openings: u64,
    changed: bool,
}

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Key(Key),
    Paste(String),
    Mouse(Mouse),
    Resize(Size),
    /// Whether the window is looked at now.
    Focus(bool),
    /// An event of the agent.
    Agent(Value),
    /// The answer to a call.
    Answer(Ask, Result<Value, Refusal>),
    /// A minute has passed; the time as RFC 3339.
    Minute(String),
    /// Nobody has touched a key for a second.
    Quiet,
    /// Nobody has touched a key for five minutes.
    Idle,
}

impl State {
    pub(super) fn new(setup: Setup) -> Self {
        let theme = if setup.no_colour { Theme::Mono } else { Theme::Dark };
        Self {
            setup,
            theme,
            home: Home::default(),
            people: Vec::new(),
            entries: Vec::new(),
            current: String::new(),
            timelines: BTreeMap::new(),
            compose: Compose::default(),
            drafts: BTreeMap::new(),
            panel: None,
            notice: None,
            answer: None,
            banners: Vec::new(),
            curtain: Curtain::Open,
            muted: BTreeSet::new(),
            mouse: false,
            bell: true,
            tells: Tells::default(),
            away: false,
            now: String::new(),
            completion: None,
            kept: Value::Null,
            restored: false,
            openings: 0,
            changed: true,
        }
    }

    pub(super) fn words(&self) -> &'static Words {
        self.setup.words
    }

    pub(super) fn signs(&self) -> &'static Signs {
        if self.setup.ascii { &ASCII } else { &UNICODE }
    }

    /// Whether something is to be drawn again; asks once.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn timeline(&self) -> Option<&Timeline> {
        self.timelines.get(&self.current)
    }

    pub(super) fn geometry(&self) -> Geometry {
        let width = usize::from(self.setup.size.width.saturating_sub(2));
        let rows = written(&self.compose.line, width, usize::MAX).0.len();
        geometry(self.setup.size, rows, self.banners.len(), self.said().len())
    }

    /// What is said for now, in rows.
    pub(super) fn said(&self) -> Vec<Row> {
        let width = usize::from(self.setup.size.width).max(1);
        let said = self.notice.as_deref().map(|said| [Piece::new(Ink::Strong, said)]);
        said.map(|said| wrap(&said, width)).unwrap_or_default()
    }

    /// What messages are laid out on.
    pub(super) fn paper(&self) -> Paper<'_> {
        let inside = self.geometry().main.inside();
        self.paper_of(usize::from(inside.width))
    }

    pub(super) fn paper_of(&self, width: usize) -> Paper<'_> {
        Paper {
            width,
            words: self.words(),
            signs: self.signs(),
            zone: &self.setup.zone,
            me: &self.home.me,
            people: &self.people,
        }
    }

    /// The rows of messages that are seen at once.
    pub(super) fn page(&self) -> usize {
        usize::from(self.geometry().main.inside().height)
    }

    /// Calls for everything that is shown before anybody does anything.
    pub(super) fn begin(&mut self) -> Vec<Effect> {
        vec![
            call(Ask::Kept, "screen", json!({})),
            call(Ask::Status, "status", json!({})),
            call(Ask::Team, "team", json!({})),
            call(Ask::Rooms, "room.list", json!({})),
        ]
    }
}

/// The one transition.
pub(super) fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let (effects, changed) = match event {
        Event::Key(key) => {
            state.away = false;
            (state.on_key(key), true)
        }
        Event::Paste(text) => {
            state.away = false;
            (state.on_paste(&text), true)
        }
        Event::Focus(here) => (state.on_focus(here), true),
        Event::Mouse(mouse) => (state.on_mouse(mouse), true),
        Event::Resize(size) => {
            state.setup.size = size;
            (Vec::new(), true)
        }
        Event::Agent(event) => state.on_agent(&event),
        Event::Answer(ask, answer) => (state.on_answer(ask, answer), true),
        Event::Minute(now) => {
            let gone = state.expire(&now);
            state.now = now;
            (Vec::new(), gone)
        }
        Event::Quiet => (state.keep(), false),
        Event::Idle => {
            let mut effects = state.keep();
            effects.extend(state.lock());
            (effects, true)
        }
    };
    state.changed |= changed;
    effects
}

#[cfg(test)]
pub(super) mod tests;
