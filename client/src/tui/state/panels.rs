//! Keys while something stands over the messages.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use serde_json::json;

use super::super::key::{Code, Key};
use super::super::rows::Ink;
use super::super::slash::Verb;
use super::attention::Tells;
use super::panel::{
    Confirm, Help, Item, Kind, List, Page, Panel, Pick, Prompt, Setting, Want, Yes,
};
use super::rooms::Section;
use super::{Ask, At, Effect, State, Theme, call, slow};

/// The most bytes of a line in a panel.
const MOST_TYPED: usize = 1_024;

/// The messages found by one search, at most.
const FOUND: usize = 100;

/// The rows that a page key moves in a panel.
const STEP: usize = 10;

impl State {
    pub(super) fn panel_key(&mut self, panel: Panel, key: Key) -> Vec<Effect> {
        match panel {
            Panel::Help(help) => self.help_key(help, key),
            Panel::List(list) => self.list_key(list, key),
            Panel::Prompt(prompt) => self.prompt_key(prompt, key),
            Panel::Confirm(confirm) => self.confirm_key(confirm, key),
            Panel::Page(page) => self.page_key(page, key),
            Panel::Select => self.select_key(key),
        }
    }

    /// Pastes into the panel that is open.
    pub(super) fn panel_paste(&mut self, text: &str) -> Option<Vec<Effect>> {
        match self.panel.as_mut()? {
            Panel::Prompt(prompt) => drop(prompt.line.insert(text, MOST_TYPED)),
            Panel::List(list) => {
                list.query.as_mut()?.insert(text, MOST_TYPED);
                return Some(self.narrow());
            }
            _ => {}
        }
        None
    }

    fn help_key(&mut self, help: Help, key: Key) -> Vec<Effect> {
        self.panel = match moved(help.top, key) {
            Some(top) => Some(Panel::Help(Help { top, ..help })),
            None => help.back.map(|panel| *panel),
        };
        Vec::new()
    }

    fn page_key(&mut self, mut page: Page, key: Key) -> Vec<Effect> {
        let copy = page.copy.clone().filter(|_| key.code == Code::Char('c'));
        if let Some(text) = copy {
            self.notice = Some(self.words().copied.into());
            self.panel = Some(Panel::Page(page));
            return vec![Effect::Copy(text)];
        }
        if let Some(top) = moved(page.top, key) {
            page.top = top;
            self.panel = Some(Panel::Page(page));
        }
        Vec::new()
    }

    fn list_key(&mut self, mut list: List, key: Key) -> Vec<Effect> {
        let last = list.items.len().saturating_sub(1);
        match key.code {
            Code::Esc => return Vec::new(),
            Code::Up => list.at = list.at.saturating_sub(1),
            Code::Down => list.at = (list.at + 1).min(last),
            Code::PageUp => list.at = list.at.saturating_sub(STEP),
            Code::PageDown => list.at = (list.at + STEP).min(last),
            Code::Enter => {
                return match list.items.get(list.at).map(|item| item.pick.clone()) {
                    Some(Pick::Nothing) | None => {
                        self.panel = Some(Panel::List(list));
                        Vec::new()
                    }
                    Some(pick) => self.picked(pick, list),
                };
            }
            _ => {
                let Some(query) = &mut list.query else {
                    self.panel = Some(Panel::List(list));
                    return Vec::new();
                };
                match key.code {
                    Code::Char(typed) if !key.control && !key.alt => {
                        query.insert(typed.encode_utf8(&mut [0; 4]), MOST_TYPED);
                    }
                    _ => drop(query.key(key)),
                }
                list.at = 0;
                self.panel = Some(Panel::List(list));
                return self.narrow();
            }
        }
        self.panel = Some(Panel::List(list));
        Vec::new()
    }

    /// The list follows what narrows it.
    pub(super) fn narrow(&mut self) -> Vec<Effect> {
        let Some(Panel::List(list)) = &mut self.panel else { return Vec::new() };
        let typed = list.query.as_ref().map(super::Line::text).unwrap_or_default();
        match list.kind {
            Kind::Goto => {
                let items = self.places(&typed);
                if let Some(Panel::List(list)) = &mut self.panel {
                    list.set(items);
                }
                Vec::new()
            }
            Kind::Search if typed.chars().any(char::is_alphanumeric) => {
                // One at a time: who types fast waits for the last, not for all before it.
                if std::mem::replace(&mut list.waiting, true) {
                    return Vec::new();
                }
                let params = json!({"words": typed, "limit": FOUND});
                vec![call(Ask::Search(typed), "search", params)]
            }
            Kind::Search => {
                list.items.clear();
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Ctrl-P: everywhere one can go.
    pub(super) fn go_to(&mut self) {
        let mut list = List::new(Kind::Goto, self.words().go_to);
        list.set(self.places(""));
        self.panel = Some(Panel::List(list));
    }

    /// Goes where these letters lead.
    pub(super) fn go(&mut self, typed: &str) -> Vec<Effect> {
        match self.places(typed).into_iter().next().map(|item| item.pick) {
            Some(Pick::Room(key)) => self.open(&key),
            _ => {
                self.notice = Some(self.words().nothing_found.into());
                Vec::new()
            }
        }
    }

    fn places(&self, typed: &str) -> Vec<Item> {
        let named = |entry: &super::Entry| {
            let sign = if entry.section == Section::Rooms { "#" } else { "@" };
            format!("{sign}{}", entry.title().line())
        };
        let item = |entry: &super::Entry| {
            let note = if entry.unread > 0 { entry.unread.to_string() } else { String::new() };
            Item::new(named(entry), Pick::Room(entry.key.clone())).note(note)
        };
        if typed.is_empty() {
            // Where something waits comes first.
            let mut entries: Vec<&super::Entry> = self.entries.iter().collect();
            entries.sort_by_key(|entry| (entry.mentions == 0, entry.unread == 0));
            return entries.into_iter().map(item).collect();
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
        let names: Vec<(usize, String)> = self.entries.iter().map(named).enumerate().collect();
        let shown = names.iter().map(|(at, name)| Named { at: *at, name });
        let found = pattern.match_list(shown, &mut matcher);
        found.into_iter().filter_map(|(it, _)| self.entries.get(it.at)).map(item).collect()
    }

    fn picked(&mut self, pick: Pick, list: List) -> Vec<Effect> {
        let words = self.words();
        match pick {
            Pick::Nothing => Vec::new(),
            Pick::Room(key) => self.open(&key),
            Pick::Hit { room, id } => self.jump(&room, id),
            Pick::Person(name) => {
                let name = name.conversation();
                let key = self.entries.iter().find(|it| it.name.names(&name));
                let key = key.map(|entry| entry.key.clone());
                key.map(|key| self.open(&key)).unwrap_or_default()
            }
            Pick::Verify(name) => {
                self.ask_safety_words(name);
                Vec::new()
            }
            Pick::Approve { id, name } => {
                self.panel = Some(Panel::Prompt(Prompt {
                    title: (words.approve)(&name),
                    text: (words.approve_how)(&name),
                    line: super::Line::default(),
                    want: Want::Approve { id, name },
                }));
                Vec::new()
            }
            Pick::Device { id, name } => {
                self.panel = Some(Panel::Confirm(Confirm {
                    title: words.revoke.into(),
                    text: (words.revoke_device)(&name),
                    danger: true,
                    yes: Yes::RevokeDevice(id),
                }));
                Vec::new()
            }
            Pick::LinkDevice => {
                self.notice = Some(words.working.into());
                vec![slow(Ask::Invite, "device.add", json!({}))]
            }
            Pick::Setting(setting) => {
                let effects = self.set(setting);
                self.list_settings(list.at);
                effects
            }
        }
    }

    fn set(&mut self, setting: Setting) -> Vec<Effect> {
        match setting {
            Setting::Theme if self.setup.no_colour => {
                self.notice = Some(self.words().no_colour.into());
            }
            Setting::Theme => {
                let themes = Theme::ALL.iter().map(|(theme, _)| *theme);
                let next = themes.clone().cycle().skip_while(|it| *it != self.theme).nth(1);
                self.theme = next.unwrap_or_default();
            }
            Setting::Mouse => return self.set_mouse(!self.mouse),
            Setting::Bell => self.bell = !self.bell,
            Setting::Notify => self.tells = self.tells.next(),
        }
        Vec::new()
    }

    /// Goes to a message that was found.
    fn jump(&mut self, room: &str, id: String) -> Vec<Effect> {
        let mut effects = if room == self.current { Vec::new() } else { self.open(room) };
        let inside = self.with_timeline(|paper, timeline, height| {
            let at = timeline.index(&id)?;
            paper.show(timeline, at, height / 3, height);
            timeline.selected = Some(id.clone());
            Some(())
        });
        self.panel = Some(Panel::Select);
        if inside.flatten().is_none() {
            // What opening the room has asked for would lead elsewhere.
            effects
                .retain(|effect| !matches!(effect, Effect::Call { ask: Ask::History { .. }, .. }));
            if let Some(timeline) = self.timelines.get_mut(&self.current) {
                timeline.loading = false;
            }
            effects.extend(self.load(At::Around(id)));
        }
        effects
    }

    fn prompt_key(&mut self, mut prompt: Prompt, key: Key) -> Vec<Effect> {
        match key.code {
            Code::Esc => return Vec::new(),
            Code::Enter => return self.prompted(prompt),
            Code::Char(typed) if !key.control && !key.alt => {
                prompt.line.insert(typed.encode_utf8(&mut [0; 4]), MOST_TYPED);
            }
            _ => drop(prompt.line.key(key)),
        }
        self.panel = Some(Panel::Prompt(prompt));
        Vec::new()
    }

    fn prompted(&mut self, prompt: Prompt) -> Vec<Effect> {
        let typed = prompt.line.text().trim().to_owned();
        let heard: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
        let words = self.words();
        match prompt.want {
            Want::Save(id) => self.fetch(&id, &typed),
            _ if typed.is_empty() => Vec::new(),
            Want::React(id) => self.react(&id, &typed),
            Want::Approve { id, name } => {
                self.notice = Some(words.working.into());
                let said = Ask::Act((words.approved)(&name));
                vec![slow(said, "invite.approve", json!({"id": id, "words": heard}))]
            }
            Want::Verify(name) => {
                let said = Ask::Act((words.verified)(&name.line()));
                let params = json!({"member": name.to_agent(), "words": heard});
                vec![slow(said, "verify", params)]
            }
            Want::Wipe if typed == words.wipe_word => vec![Effect::Wipe],
            Want::Wipe => {
                self.notice = Some(words.not_wiped.into());
                Vec::new()
            }
        }
    }

    fn confirm_key(&mut self, confirm: Confirm, key: Key) -> Vec<Effect> {
        let yes = match key.code {
            Code::Char(typed) => typed.to_lowercase().eq(self.words().yes_key.chars()),
            Code::Enter => !confirm.danger,
            Code::Esc => false,
            _ => {
                self.panel = Some(Panel::Confirm(confirm));
                return Vec::new();
            }
        };
        if !yes {
            // What was to be pasted is still where it came from.
            return Vec::new();
        }
        let words = self.words();
        match confirm.yes {
            Yes::Paste(text) => {
                self.paste_anyway(&text);
                Vec::new()
            }
            Yes::Send => self.send_anyway(),
            Yes::Delete(id) => {
                vec![call(Ask::Change, "delete", json!({"id": id, "wait_ms": 0}))]
            }
            Yes::Revoke(name) => {
                self.notice = Some(words.working.into());
                let said = Ask::Act((words.revoked)(&name.line()));
                vec![slow(said, "revoke", json!({"member": name.to_agent()}))]
            }
            Yes::RevokeDevice(id) => {
                self.notice = Some(words.working.into());
                let said = Ask::Act(words.device_revoked.into());
                vec![slow(said, "revoke", json!({"device": id}))]
            }
            Yes::Leave => self.leave_room(),
        }
    }

    /// The settings, with line `at` chosen.
    pub(super) fn list_settings(&mut self, at: usize) {
        let words = self.words();
        let on = |on: bool| if on { words.on } else { words.off };
        let mut list = List::new(Kind::Settings, words.settings);
        list.items = vec![
            Item::new(words.theme, Pick::Setting(Setting::Theme)).note(self.theme.name()),
            Item::new(words.mouse_setting, Pick::Setting(Setting::Mouse)).note(on(self.mouse)),
            Item::new(words.bell_setting, Pick::Setting(Setting::Bell)).note(on(self.bell)),
            Item::new((words.command)(Verb::Lock).1, Pick::Nothing).note("^L").ink(Ink::Dim),
        ];
        if self.setup.notifies {
            let note = match self.tells {
                Tells::Nothing => words.off,
                Tells::Hidden => words.notify_hidden,
                Tells::Shown => words.notify_shown,
            };
            let item = Item::new(words.notify_setting, Pick::Setting(Setting::Notify));
            list.items.insert(3, item.note(note));
        }
        list.at = at;
        self.panel = Some(Panel::List(list));
    }
}

struct Named<'a> {
    at: usize,
    name: &'a str,
}

impl AsRef<str> for Named<'_> {
    fn as_ref(&self) -> &str {
        self.name
    }
}

/// The first row shown after a key; none if the key closes what is shown.
fn moved(top: usize, key: Key) -> Option<usize> {
    match key.code {
        Code::Up => Some(top.saturating_sub(1)),
        Code::Down => Some(top + 1),
        Code::PageUp => Some(top.saturating_sub(STEP)),
        Code::PageDown => Some(top + STEP),
        _ => None,
    }
}
