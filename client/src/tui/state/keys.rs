//! What keys, pasted text and the mouse do.

use serde_json::json;
use zeroize::Zeroizing;

use super::super::geometry::MOST_BANNERS;
use super::super::key::{Code, Key, Mouse};
use super::super::slash::{self, Typed, Wrong};
use super::super::untrusted::Untrusted;
use super::panel::{Confirm, Help, Kind, List, Panel, Yes};
use super::timeline::Body;
use super::{About, Ask, At, Compose, Curtain, Effect, Line, State, call};
use crate::api::{self, MAX_TEXT};
use crate::output::clean_block;

/// The most lines of a pasted text that nobody is asked about.
const PASTE_LINES: usize = 20;

/// The most bytes of a passphrase typed at a locked screen.
const MOST_PASSPHRASE: usize = 1_024;

/// The rows that the wheel moves.
const WHEEL: usize = 3;

impl State {
    pub(super) fn on_key(&mut self, key: Key) -> Vec<Effect> {
        match &self.curtain {
            Curtain::Open => {}
            Curtain::Blank => {
                self.curtain = Curtain::Open;
                return self.mark();
            }
            Curtain::Locked { .. } => return self.locked_key(key),
        }
        (self.notice, self.answer) = (None, None);
        if key.code != Code::Tab {
            self.completion = None;
        }
        if let Some(effects) = self.anywhere(key) {
            return effects;
        }
        match self.panel.take() {
            Some(panel) => self.panel_key(panel, key),
            None => self.line_key(key),
        }
    }

    /// Keys that do the same wherever one is.
    fn anywhere(&mut self, key: Key) -> Option<Vec<Effect>> {
        match key.code {
            Code::Char('q') if key.control => {
                let mut effects = self.keep();
                effects.push(Effect::Quit);
                return Some(effects);
            }
            Code::Char('c') if key.control => {
                self.notice = Some(self.words().quit_how.into());
            }
            Code::Char('l') if key.control => return Some(self.lock()),
            Code::Char('p') if key.control => self.go_to(),
            Code::Char('n') if key.control => {
                self.panel = None;
                return Some(self.next_unread());
            }
            Code::Char('f') if key.control => {
                self.panel = Some(Panel::List(List::new(Kind::Search, self.words().search)));
            }
            Code::F(1) => self.help(),
            Code::F(9) => return Some(self.set_mouse(!self.mouse)),
            Code::F(12) => self.curtain = Curtain::Blank,
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Keys while nothing stands over the messages.
    fn line_key(&mut self, key: Key) -> Vec<Effect> {
        let page = self.page().saturating_sub(1).max(1);
        match key.code {
            Code::Enter if key.alt => self.write("\n"),
            Code::Char('j') if key.control => self.write("\n"),
            Code::Enter => return self.enter(),
            Code::Esc => self.escape(),
            Code::Tab => self.complete(),
            Code::PageUp => return self.scroll(true, page),
            Code::PageDown => return self.scroll(false, page),
            Code::Up if key.alt || key.control => return self.neighbour(-1),
            Code::Down if key.alt || key.control => return self.neighbour(1),
            Code::End if self.compose.line.is_empty() => return self.newest(),
            Code::Up if self.compose.line.is_empty() => self.edit_last(),
            Code::Up => drop(self.compose.line.vertical(true)),
            Code::Down => drop(self.compose.line.vertical(false)),
            Code::Char('r') if key.control => self.select(),
            Code::Char('o') if key.control => return self.save_file(None),
            Code::Char('?') if self.compose.line.is_empty() && !key.control => {
                self.help();
            }
            _ if self.compose.line.key(key) => {}
            Code::Char(typed) if !key.control && !key.alt => {
                self.write(typed.encode_utf8(&mut [0; 4]));
            }
            _ => {}
        }
        Vec::new()
    }

    /// Help for where one is.
    pub(super) fn help(&mut self) {
        let back = match self.panel.take() {
            Some(Panel::Help(help)) => help.back,
            panel => panel.map(Box::new),
        };
        let place = Panel::place(back.as_deref());
        self.panel = Some(Panel::Help(Help { place, top: 0, back }));
    }

    fn write(&mut self, typed: &str) {
        if !self.compose.line.insert(typed, MAX_TEXT) {
            self.notice = Some(self.words().line_full.into());
        }
    }

    fn escape(&mut self) {
        let about = std::mem::take(&mut self.compose.about);
        if matches!(about, About::Edit(_)) {
            self.compose.line = Line::default();
        }
    }

    /// To the newest message.
    pub(super) fn newest(&mut self) -> Vec<Effect> {
        let Some(timeline) = self.timelines.get_mut(&self.current) else { return Vec::new() };
        timeline.anchor = None;
        if timeline.at_end { self.mark() } else { self.load(At::Newest) }
    }

    /// Sends the line, or does what it says.
    fn enter(&mut self) -> Vec<Effect> {
        let text = self.compose.line.text();
        if text.trim().is_empty() || self.current.is_empty() {
            return Vec::new();
        }
        if matches!(self.compose.about, About::Edit(_)) {
            return self.send(text);
        }
        match slash::read(&text) {
            Typed::Text(text) if holds_invitation(&text) => {
                let words = self.words();
                self.panel = Some(Panel::Confirm(Confirm {
                    title: words.is_invitation.into(),
                    text: words.send_invitation.into(),
                    danger: true,
                    yes: Yes::Send,
                }));
                Vec::new()
            }
            Typed::Text(text) => self.send(text),
            Typed::Command(command) => {
                self.compose = Compose::default();
                self.act(&command)
            }
            Typed::Wrong(wrong) => {
                let words = self.words();
                self.notice = Some(match wrong {
                    Wrong::Unknown(near) => (words.no_command)(near),
                    Wrong::Usage(verb) => (words.usage)(&slash::usage(verb, words)),
                });
                Vec::new()
            }
        }
    }

    /// Sends the line although something in it was asked about.
    pub(super) fn send_anyway(&mut self) -> Vec<Effect> {
        match slash::read(&self.compose.line.text()) {
            Typed::Text(text) => self.send(text),
            _ => Vec::new(),
        }
    }

    fn send(&mut self, text: String) -> Vec<Effect> {
        let Some(room) = self.here().map(Untrusted::to_agent) else { return Vec::new() };
        let key = self.current.clone();
        let Compose { about, .. } = std::mem::take(&mut self.compose);
        let (ask, method, params) = match about {
            About::Edit(id) => {
                let params = json!({"id": id, "text": text, "wait_ms": 0});
                (Ask::Edit { key, id, text }, "edit", params)
            }
            about => {
                let reply_to = match about {
                    About::Reply(id) => Some(id),
                    _ => None,
                };
                let params =
                    json!({"room": room, "text": text, "reply_to": reply_to, "wait_ms": 0});
                (Ask::Send { key, text, reply_to }, "send", params)
            }
        };
        let mut effects = vec![call(ask, method, params)];
        if let Some(timeline) = self.timelines.get_mut(&self.current) {
            timeline.new_from = None;
        }
        effects.extend(self.newest());
        effects
    }

    /// Puts the last own message into the line.
    pub(super) fn edit_last(&mut self) {
        let own = self.timeline().and_then(|timeline| {
            let mut own = timeline.messages.iter().rev().filter(|message| message.own);
            own.find(|message| matches!(message.body, Body::Text(_)))
        });
        if let Some(message) = own {
            let (id, text) = (message.id.clone(), message.words().block());
            self.compose = Compose { line: Line::with(text), about: About::Edit(id) };
        }
    }

    pub(super) fn on_paste(&mut self, pasted: &str) -> Vec<Effect> {
        let text = clean_block(&pasted.replace("\r\n", "\n").replace('\r', "\n"));
        match (&mut self.curtain, &self.panel) {
            (Curtain::Locked { typed, waiting: false, .. }, _) => {
                let pasted = pasted.trim_end_matches(['\r', '\n']);
                if typed.len() + pasted.len() <= MOST_PASSPHRASE {
                    typed.push_str(pasted);
                }
            }
            (Curtain::Open, Some(_)) => {
                let line = text.replace('\n', " ");
                return self.panel_paste(&line).unwrap_or_default();
            }
            (Curtain::Open, None) => {
                self.completion = None;
                let lines = text.trim_end_matches('\n').split('\n').count();
                if lines > PASTE_LINES {
                    let words = self.words();
                    self.panel = Some(Panel::Confirm(Confirm {
                        title: words.paste.into(),
                        text: (words.paste_lines)(lines),
                        danger: false,
                        yes: Yes::Paste(text),
                    }));
                } else {
                    self.write(&text);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn paste_anyway(&mut self, text: &str) {
        self.write(text.trim_end_matches('\n'));
    }

    pub(super) fn set_mouse(&mut self, on: bool) -> Vec<Effect> {
        self.mouse = on;
        self.notice = Some((self.words().mouse)(on));
        vec![Effect::Mouse(on)]
    }

    pub(super) fn on_mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        if !matches!(self.curtain, Curtain::Open) || self.panel.is_some() {
            return Vec::new();
        }
        match mouse {
            Mouse::Up => self.scroll(true, WHEEL),
            Mouse::Down => self.scroll(false, WHEEL),
            Mouse::Press { column, row } => self.press(column, row),
        }
    }

    fn press(&mut self, column: u16, row: u16) -> Vec<Effect> {
        let at = self.geometry();
        if let Some(side) = at.side.map(|side| side.inside()).filter(|it| it.holds(column, row)) {
            let line = usize::from(row - side.y);
            return match self.side_key(usize::from(side.height), line) {
                Some(key) => self.open(&key),
                None => Vec::new(),
            };
        }
        let main = at.main.inside();
        if main.holds(column, row) {
            let height = usize::from(main.height);
            let found = self.with_timeline(|paper, timeline, _| {
                let shown = paper.visible(timeline, height);
                let above = height.saturating_sub(shown.len());
                let line = usize::from(row - main.y).checked_sub(above)?;
                let id = shown.get(line).and_then(|(at, _)| timeline.messages.get(*at));
                timeline.selected = id.map(|message| message.id.clone());
                timeline.selected.clone()
            });
            if found.flatten().is_some() {
                self.panel = Some(Panel::Select);
            }
        }
        Vec::new()
    }

    /// The most banners there are rows for.
    pub(in crate::tui) fn shown_banners(&self) -> (usize, usize) {
        let shown = self.banners.len().min(MOST_BANNERS);
        (shown, self.banners.len() - shown)
    }

    pub(super) fn lock(&mut self) -> Vec<Effect> {
        let mut effects = self.keep();
        effects.push(call(Ask::Lock, "lock", json!({})));
        self.close_curtain();
        effects
    }

    /// Nothing that was read stays in the memory of a locked screen.
    pub(super) fn close_curtain(&mut self) {
        if matches!(self.curtain, Curtain::Locked { .. }) {
            return;
        }
        self.leave();
        self.timelines.clear();
        (self.panel, self.notice, self.answer) = (None, None, None);
        self.curtain = Curtain::Locked { typed: unwritten(), said: None, waiting: false };
    }

    fn locked_key(&mut self, key: Key) -> Vec<Effect> {
        let Curtain::Locked { typed, said, waiting } = &mut self.curtain else {
            return Vec::new();
        };
        match key.code {
            Code::Char('q') if key.control => return vec![Effect::Quit],
            _ if *waiting => {}
            Code::Enter if !typed.is_empty() => {
                (*waiting, *said) = (true, None);
                return vec![Effect::Unlock];
            }
            Code::Backspace => drop(typed.pop()),
            Code::Char('u') if key.control => typed.clear(),
            Code::Char(found) if !key.control && !key.alt && typed.len() < MOST_PASSPHRASE => {
                typed.push(found);
            }
            _ => {}
        }
        Vec::new()
    }

    /// The passphrase typed at the curtain, taken out of the state.
    pub(in crate::tui) fn take_passphrase(&mut self) -> Zeroizing<String> {
        match &mut self.curtain {
            Curtain::Locked { typed, .. } => std::mem::replace(typed, unwritten()),
            _ => Zeroizing::default(),
        }
    }

    pub(super) fn unlocked(&mut self) -> Vec<Effect> {
        if !matches!(self.curtain, Curtain::Locked { .. }) {
            return Vec::new();
        }
        self.curtain = Curtain::Open;
        if let Some(draft) = self.drafts.remove(&self.current) {
            self.compose = Compose { line: Line::with(draft), about: About::Nothing };
        }
        let mut effects = self.again();
        if !self.restored {
            effects.push(call(Ask::Kept, "screen", json!({})));
        }
        effects
    }
}

/// Room for a passphrase, so that it is never moved in memory while it is typed.
fn unwritten() -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(MOST_PASSPHRASE + 4))
}

/// Whether an invitation stands in a text: whoever reads it could use it.
fn holds_invitation(text: &str) -> bool {
    let code = |text: &str| api::read_code(text).is_ok();
    code(text.trim()) || text.split_whitespace().any(code) || text.lines().any(code)
}
