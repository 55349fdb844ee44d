//! Choosing a message, and what is done with it.

use std::path::Path;

use serde_json::json;

use super::super::key::{Code, Key};
use super::super::untrusted::Untrusted;
use super::panel::{Confirm, Panel, Prompt, Want, Yes};
use super::timeline::{Body, Message};
use super::{About, Ask, Compose, Effect, Lane, Line, State, call};

impl State {
    /// Chooses the newest message that is seen.
    pub(super) fn select(&mut self) {
        let found = self.with_timeline(|paper, timeline, height| {
            let (at, _) = paper.visible(timeline, height).pop()?;
            timeline.selected = timeline.messages.get(at).map(|message| message.id.clone());
            timeline.selected.clone()
        });
        match found.flatten() {
            Some(_) => self.panel = Some(Panel::Select),
            None => self.notice = Some(self.words().no_message.into()),
        }
    }

    pub(super) fn selected(&self) -> Option<&Message> {
        let timeline = self.timeline()?;
        timeline.get(timeline.selected.as_deref()?)
    }

    pub(super) fn unselect(&mut self) {
        if let Some(timeline) = self.timelines.get_mut(&self.current) {
            timeline.selected = None;
        }
    }

    /// The message that a command means: the chosen one, else the newest that `fits`.
    pub(super) fn meant(&self, fits: impl Fn(&Message) -> bool) -> Option<&Message> {
        let chosen = self.selected().filter(|message| fits(message));
        chosen.or_else(|| self.timeline()?.messages.iter().rev().find(|message| fits(message)))
    }

    /// A key while a message is chosen.
    pub(super) fn select_key(&mut self, key: Key) -> Vec<Effect> {
        let Some(message) = self.selected().cloned() else { return Vec::new() };
        let text = matches!(message.body, Body::Text(_));
        match key.code {
            Code::Up | Code::Down => {
                let effects = self.move_selection(key.code == Code::Up);
                self.panel = Some(Panel::Select);
                return effects;
            }
            Code::Char('o' | 's') => {
                let effects = self.save_file(Some(&message));
                self.unselect();
                return effects;
            }
            Code::Char('r') | Code::Enter => {
                self.compose.about = About::Reply(message.id);
            }
            Code::Char('+') => self.ask_emoji(message.id),
            Code::Char('e') if message.own && text => {
                let line = Line::with(message.words().block());
                self.compose = Compose { line, about: About::Edit(message.id) };
            }
            Code::Char('d') if message.own => self.ask_delete(message.id),
            Code::Char('c') => {
                self.unselect();
                self.notice = Some(self.words().copied.into());
                return vec![Effect::Copy(message.words().block())];
            }
            Code::Esc => {}
            _ => {
                self.panel = Some(Panel::Select);
                return Vec::new();
            }
        }
        self.unselect();
        Vec::new()
    }

    fn move_selection(&mut self, up: bool) -> Vec<Effect> {
        let moved = self.with_timeline(|paper, timeline, height| {
            let at = timeline.selected.as_deref().and_then(|id| timeline.index(id))?;
            let next = if up { at.checked_sub(1)? } else { at + 1 };
            let id = timeline.messages.get(next)?.id.clone();
            timeline.selected = Some(id);
            let shown = paper.visible(timeline, height);
            let whole = shown.iter().filter(|(at, _)| *at == next).count();
            if whole < paper.block(timeline, next).len() {
                match up {
                    true => paper.show(timeline, next, 0, height),
                    false => {
                        paper.down(timeline, paper.block(timeline, next).len());
                    }
                }
            }
            Some(())
        });
        match moved.flatten() {
            Some(()) if up => Vec::new(),
            Some(()) => self.mark(),
            None => self.scroll(up, 1),
        }
    }

    pub(super) fn ask_emoji(&mut self, id: String) {
        self.panel = Some(Panel::Prompt(Prompt {
            title: self.words().react.into(),
            text: self.words().which_emoji.into(),
            line: Line::default(),
            want: Want::React(id),
        }));
    }

    pub(super) fn ask_delete(&mut self, id: String) {
        self.panel = Some(Panel::Confirm(Confirm {
            title: self.words().delete.into(),
            text: self.words().delete_for_all.into(),
            danger: true,
            yes: Yes::Delete(id),
        }));
    }

    /// An emoji by its name or itself.
    pub(super) fn react(&self, id: &str, typed: &str) -> Vec<Effect> {
        let name = typed.trim_matches(':');
        let known = self.words().emoji.iter().find(|(known, _)| *known == name);
        let emoji = known.map_or(typed, |(_, emoji)| emoji);
        let params = json!({"id": id, "emoji": emoji, "wait_ms": 0});
        vec![call(Ask::Change, "react", params)]
    }

    /// Asks where the file of `message`, or of the newest message with one, is to go.
    pub(super) fn save_file(&mut self, message: Option<&Message>) -> Vec<Effect> {
        let is_file = |message: &Message| matches!(message.body, Body::File { .. });
        let file = match message {
            Some(message) => Some(message).filter(|message| is_file(message)),
            None => self.meant(is_file),
        };
        let Some(file) = file else {
            self.notice = Some(self.words().no_file.into());
            return Vec::new();
        };
        let (id, name) = (file.id.clone(), file.words().line());
        self.panel = Some(Panel::Prompt(Prompt {
            title: self.words().save.into(),
            text: (self.words().save_where)(&name),
            line: Line::default(),
            want: Want::Save(id),
        }));
        Vec::new()
    }

    /// Fetches the file of a message; an empty path is the directory one is in.
    pub(super) fn fetch(&mut self, id: &str, typed: &str) -> Vec<Effect> {
        let path = absolute(if typed.is_empty() { "." } else { typed });
        let params = json!({"id": id, "path": path});
        let said = (self.words().saved)(&path);
        vec![Effect::Call { ask: Ask::Act(said), lane: Lane::Files, method: "download", params }]
    }

    /// Sends a file to the open room.
    pub(super) fn send_file(&mut self, typed: &str) -> Vec<Effect> {
        let Some(room) = self.here().map(Untrusted::to_agent) else { return Vec::new() };
        let path = absolute(typed);
        let said = (self.words().file_sent)(&path);
        let params = json!({"room": room, "path": path});
        vec![Effect::Call { ask: Ask::Act(said), lane: Lane::Files, method: "upload", params }]
    }
}

/// The agent may stand in another directory.
fn absolute(typed: &str) -> String {
    let home = typed.strip_prefix("~/").and_then(|rest| {
        let home = std::env::var_os("HOME")?;
        Some(Path::new(&home).join(rest))
    });
    let path = home.unwrap_or_else(|| typed.into());
    std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned()
}
