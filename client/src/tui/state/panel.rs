//! What can stand over the messages: lists to choose from, questions, pages to read.

use super::super::line::Line;
use super::super::rows::{Ink, Row};
use super::super::untrusted::Untrusted;
use crate::text::screen::Place;

/// What stands over the messages.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Panel {
    Help(Help),
    List(List),
    Prompt(Prompt),
    Confirm(Confirm),
    Page(Page),
    /// A message is chosen and something is done with it.
    Select,
}

/// Help for where one is.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Help {
    pub(in crate::tui) place: Place,
    /// The first row shown.
    pub(in crate::tui) top: usize,
    /// Where one was.
    pub(in crate::tui) back: Option<Box<Panel>>,
}

impl Panel {
    /// Where one is with this panel, or without one.
    pub(in crate::tui) fn place(panel: Option<&Self>) -> Place {
        match panel {
            None => Place::Room,
            Some(Self::Help(help)) => help.place,
            Some(Self::List(_)) => Place::List,
            Some(Self::Prompt(_) | Self::Confirm(_)) => Place::Question,
            Some(Self::Page(_)) => Place::Page,
            Some(Self::Select) => Place::Select,
        }
    }
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Kind {
    Goto,
    Search,
    Members,
    Devices,
    Invites,
    People,
    Settings,
}

/// A list to choose from.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct List {
    pub(in crate::tui) kind: Kind,
    pub(in crate::tui) title: String,
    /// What narrows the list, if something does.
    pub(in crate::tui) query: Option<Line>,
    pub(in crate::tui) items: Vec<Item>,
    pub(in crate::tui) at: usize,
    /// Whether an answer is waited for.
    pub(in crate::tui) waiting: bool,
}

/// A line of a list, sanitised.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Item {
    pub(in crate::tui) ink: Ink,
    pub(in crate::tui) text: String,
    /// At the right edge.
    pub(in crate::tui) note: String,
    pub(in crate::tui) pick: Pick,
}

/// What choosing a line does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Pick {
    Nothing,
    Room(String),
    Hit { room: String, id: String },
    Person(Untrusted),
    Verify(Untrusted),
    Device { id: String, name: String },
    LinkDevice,
    Approve { id: String, name: String },
    Setting(Setting),
}

/// Something that a person may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Setting {
    Theme,
    Mouse,
    Bell,
    Notify,
}

/// A question that is answered in words.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Prompt {
    pub(in crate::tui) title: String,
    pub(in crate::tui) text: String,
    pub(in crate::tui) line: Line,
    pub(in crate::tui) want: Want,
}

/// What the words of a prompt are for.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Want {
    /// The five words of who asks to come in.
    Approve { id: String, name: String },
    /// The safety words of a person.
    Verify(Untrusted),
    /// The path for the file of this message.
    Save(String),
    /// The emoji for this message.
    React(String),
    /// The word that destroys the profile.
    Wipe,
}

/// A question that is answered by yes or no.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Confirm {
    pub(in crate::tui) title: String,
    pub(in crate::tui) text: String,
    /// Whether Enter alone must not mean yes.
    pub(in crate::tui) danger: bool,
    pub(in crate::tui) yes: Yes,
}

/// What a yes does.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) enum Yes {
    /// Puts a long text into the line.
    Paste(String),
    /// Sends the line although an invitation stands in it.
    Send,
    Delete(String),
    Revoke(Untrusted),
    RevokeDevice(String),
    Leave,
}

/// Something to read.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::tui) struct Page {
    pub(in crate::tui) title: String,
    pub(in crate::tui) rows: Vec<Row>,
    /// What `c` copies.
    pub(in crate::tui) copy: Option<String>,
    pub(in crate::tui) top: usize,
}

impl List {
    pub(in crate::tui) fn new(kind: Kind, title: impl Into<String>) -> Self {
        let query = matches!(kind, Kind::Goto | Kind::Search).then(Line::default);
        Self { kind, title: title.into(), query, items: Vec::new(), at: 0, waiting: false }
    }

    pub(in crate::tui) fn set(&mut self, items: Vec<Item>) {
        self.items = items;
        self.at = self.at.min(self.items.len().saturating_sub(1));
    }
}

impl Item {
    pub(in crate::tui) fn new(text: impl Into<String>, pick: Pick) -> Self {
        Self { ink: Ink::Plain, text: text.into(), note: String::new(), pick }
    }

    pub(in crate::tui) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(in crate::tui) fn ink(mut self, ink: Ink) -> Self {
        self.ink = ink;
        self
    }
}
