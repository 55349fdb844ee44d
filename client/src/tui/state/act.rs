//! What slash commands do, and the panels that show what the agent answered.

use serde_json::{Value, json};

use super::super::rows::{Ink, Row};
use super::super::slash::{Command, Verb};
use super::super::untrusted::Untrusted;
use super::panel::{Confirm, Item, Kind, List, Page, Panel, Pick, Prompt, Want, Yes};
use super::timeline::Body;
use super::{Ask, Effect, Lane, Line, State, Theme, call, slow};
use crate::output::is_set;
use crate::{qr, time};

impl State {
    /// Does what a slash command says.
    pub(super) fn act(&mut self, command: &Command) -> Vec<Effect> {
        let words = self.words();
        let rest = command.rest.as_str();
        match command.verb {
            Verb::Quit => return [self.keep(), vec![Effect::Quit]].concat(),
            Verb::Lock => return self.lock(),
            Verb::Help => self.help(),
            Verb::Settings => self.list_settings(0),
            Verb::Dismiss => {
                self.banners.clear();
                return vec![call(Ask::Change, "alarms.clear", json!({}))];
            }
            Verb::Theme => self.choose_theme(rest),
            Verb::Mute => self.mute(),
            Verb::Read => return self.newest(),
            Verb::Search => {
                let mut list = List::new(Kind::Search, words.search);
                list.query = Some(Line::with(rest.to_owned()));
                self.panel = Some(Panel::List(list));
                return self.narrow();
            }
            Verb::React => {
                let id = self.meant(|message| !message.own).map(|message| message.id.clone());
                match id {
                    Some(id) => return self.react(&id, rest),
                    None => self.notice = Some(words.no_message.into()),
                }
            }
            Verb::Edit => self.edit_last(),
            Verb::Delete => match self.meant(|message| message.own).map(|it| it.id.clone()) {
                Some(id) => self.ask_delete(id),
                None => self.notice = Some(words.no_message.into()),
            },
            Verb::File => return self.send_file(rest),
            Verb::Save if rest.is_empty() => return self.save_file(None),
            Verb::Save => {
                let file = self.meant(|message| matches!(message.body, Body::File { .. }));
                match file.map(|message| message.id.clone()) {
                    Some(id) => return self.fetch(&id, rest),
                    None => self.notice = Some(words.no_file.into()),
                }
            }
            Verb::Wipe => {
                self.panel = Some(Panel::Prompt(Prompt {
                    title: words.wipe.into(),
                    text: (words.wipe_how)(words.wipe_word),
                    line: Line::default(),
                    want: Want::Wipe,
                }));
            }
            _ => return self.act_on_people(command),
        }
        Vec::new()
    }

    fn act_on_people(&mut self, command: &Command) -> Vec<Effect> {
        let words = self.words();
        let rest = command.rest.as_str();
        let name = rest.trim_start_matches('@');
        match command.verb {
            Verb::Go if rest.is_empty() => self.go_to(),
            Verb::Go => return self.go(rest),
            Verb::Next => return self.next_unread(),
            Verb::Dm => {
                let wanted = Untrusted::from(name).conversation();
                let found = self.entries.iter().find(|entry| entry.name.names(&wanted));
                match found.map(|entry| entry.key.clone()) {
                    Some(key) => return self.open(&key),
                    None => self.notice = Some((words.nobody)(name)),
                }
            }
            Verb::Room => {
                let said = Ask::Act((words.room_made)(rest));
                return vec![slow(
                    said,
                    "room.create",
                    json!({"name": rest.trim_start_matches('#')}),
                )];
            }
            Verb::Members => {
                let mut list = List::new(Kind::Members, words.members);
                list.waiting = true;
                self.panel = Some(Panel::List(list));
                return self.ask_members();
            }
            Verb::Add => {
                return self.room_call("room.add", json!({"member": name}), (words.added)(name));
            }
            Verb::Remove => {
                return self.room_call(
                    "room.remove",
                    json!({"member": name}),
                    (words.removed)(name),
                );
            }
            Verb::Topic => {
                return self.room_call("room.set", json!({"topic": rest}), words.changed.into());
            }
            Verb::Expire => match seconds(rest) {
                Some(lifetime) => {
                    let change = json!({"lifetime_s": lifetime});
                    return self.room_call("room.set", change, words.changed.into());
                }
                None => self.notice = Some(words.expire_how.into()),
            },
            Verb::Leave => {
                self.panel = Some(Panel::Confirm(Confirm {
                    title: words.leave.into(),
                    text: words.leave_room.into(),
                    danger: true,
                    yes: Yes::Leave,
                }));
            }
            Verb::Invite => return self.invite(rest),
            Verb::Approve => return vec![call(Ask::Invites, "invite.list", json!({}))],
            Verb::Verify if rest.is_empty() => {
                return vec![call(Ask::Words, "verify", json!({}))];
            }
            Verb::Verify => self.ask_safety_words(Untrusted::from(name)),
            Verb::Devices => return vec![call(Ask::Devices, "team", json!({}))],
            Verb::Revoke => {
                self.panel = Some(Panel::Confirm(Confirm {
                    title: words.revoke.into(),
                    text: (words.revoke_member)(name),
                    danger: true,
                    yes: Yes::Revoke(Untrusted::from(name)),
                }));
            }
            _ => {}
        }
        Vec::new()
    }

    /// Something is done with the open room.
    fn room_call(&mut self, method: &'static str, mut params: Value, said: String) -> Vec<Effect> {
        let Some(room) = self.here().map(Untrusted::to_agent) else { return Vec::new() };
        if let Some(fields) = params.as_object_mut() {
            fields.insert("room".into(), room);
        }
        self.notice = Some(self.words().working.into());
        vec![Effect::Call { ask: Ask::Act(said), lane: Lane::Slow, method, params }]
    }

    pub(super) fn leave_room(&mut self) -> Vec<Effect> {
        let said = self.words().left.into();
        self.room_call("room.leave", json!({}), said)
    }

    fn invite(&mut self, rest: &str) -> Vec<Effect> {
        let (name, role) = match rest.rsplit_once(' ').unwrap_or(("", rest)) {
            (name, role @ ("member" | "admin" | "bot")) => (name.trim(), role),
            _ => (rest, "member"),
        };
        let mut params = json!({"role": role});
        if let (Some(fields), false) = (params.as_object_mut(), name.is_empty()) {
            fields.insert("name".into(), name.into());
        }
        self.notice = Some(self.words().working.into());
        vec![slow(Ask::Invite, "invite.create", params)]
    }

    fn choose_theme(&mut self, typed: &str) {
        let known = Theme::ALL.iter().find(|(_, name)| *name == typed.to_lowercase());
        match known {
            Some((theme, _)) if !self.setup.no_colour => self.theme = *theme,
            Some(_) => self.notice = Some(self.words().no_colour.into()),
            None => {
                let names: Vec<&str> = Theme::ALL.iter().map(|(_, name)| *name).collect();
                self.notice = Some(names.join("  "));
            }
        }
    }

    fn mute(&mut self) {
        let muted = !self.muted.remove(&self.current);
        if muted {
            self.muted.insert(self.current.clone());
        }
        self.notice = Some((self.words().muted)(muted));
    }

    /// Asks for the words somebody reads out. **Words are typed as they were heard, and never shown
    /// first.**
    pub(super) fn ask_safety_words(&mut self, name: Untrusted) {
        let words = self.words();
        self.panel = Some(Panel::Prompt(Prompt {
            title: (words.verify)(&name.line()),
            text: (words.verify_how)(&name.line()),
            line: Line::default(),
            want: Want::Verify(name),
        }));
    }

    pub(super) fn show_invite(&mut self, answer: &Value) {
        let words = self.words();
        let code = Untrusted::of(answer, "code").line();
        let until = time::minute(&Untrusted::of(answer, "expires_at").line());
        let mut rows = vec![Row::new(Ink::Strong, code.as_str())];
        // A code that is drawn in ASCII is read by nobody.
        if let (Some(code), false) = (qr::rows(&code), self.setup.ascii) {
            rows.extend(code.into_iter().map(|row| Row::new(Ink::Paper, row)));
        }
        rows.push(Row::new(Ink::Plain, (words.invite_how)(&until)));
        let title = words.invitation.into();
        self.notice = None;
        self.panel = Some(Panel::Page(Page { title, rows, copy: Some(code), top: 0 }));
    }

    pub(super) fn list_invites(&mut self, invites: &Value) {
        let words = self.words();
        let mut list = List::new(Kind::Invites, words.invites);
        for invite in invites.as_array().into_iter().flatten() {
            let id = invite.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            let state = Untrusted::of(invite, "state").line();
            let asking = invite.get("asking").filter(|asking| asking.is_object());
            let item = match asking {
                Some(asking) => {
                    let name = Untrusted::of(asking, "name").line();
                    let said = (words.asks_to_come_in)(&name);
                    let item = Item::new(said, Pick::Approve { id, name }).ink(Ink::Mark);
                    list.items.insert(0, item.note(words.approve_key));
                    continue;
                }
                None => Item::new(Untrusted::of(invite, "name").line(), Pick::Nothing),
            };
            let until = time::minute(&Untrusted::of(invite, "expires_at").line());
            list.items.push(item.ink(Ink::Dim).note(format!("{state} {until}")));
        }
        self.panel = Some(Panel::List(list));
    }

    pub(super) fn list_words(&mut self, people: &Value) {
        let words = self.words();
        let mut list = List::new(Kind::People, words.safety_words);
        for person in people.as_array().into_iter().flatten() {
            let name = Untrusted::of(person, "member");
            if is_set(person, "own") {
                let safety = Untrusted::of(person, "words").line();
                let mine = [
                    Item::new((words.own_words)(&safety), Pick::Nothing).ink(Ink::Strong),
                    Item::new(
                        (words.team_number)(&Untrusted::of(person, "team_number").line()),
                        Pick::Nothing,
                    ),
                ];
                list.items.splice(0..0, mine);
                continue;
            }
            let (ink, note) = match is_set(person, "verified") {
                true => (Ink::Trusted, words.is_verified),
                false => (Ink::Warn, words.is_not_verified),
            };
            list.items.push(Item::new(name.line(), Pick::Verify(name)).ink(ink).note(note));
        }
        self.panel = Some(Panel::List(list));
    }

    pub(super) fn list_devices(&mut self, team: &Value) {
        let words = self.words();
        let me = self.home.me.clone();
        let mut list = List::new(Kind::Devices, words.devices);
        list.items.push(Item::new(words.link_device, Pick::LinkDevice).ink(Ink::Strong));
        for device in team.as_array().into_iter().flatten() {
            let active = device.get("state").and_then(Value::as_str) == Some("active");
            if !Untrusted::of(device, "member").names(&me) || !active {
                continue;
            }
            let id = device.get("device").and_then(Value::as_str).unwrap_or_default().to_owned();
            let name = Untrusted::of(device, "label").line();
            let short: String = id.chars().take(8).collect();
            let own = is_set(device, "own");
            let note = if own { words.this_device } else { words.revoke_key };
            let pick = if own { Pick::Nothing } else { Pick::Device { id, name: name.clone() } };
            list.items.push(Item::new(format!("{name}  {short}"), pick).note(note));
        }
        self.panel = Some(Panel::List(list));
    }

    pub(super) fn list_members(&mut self, members: &Value) {
        let words = self.words();
        let mut list = List::new(Kind::Members, words.members);
        for member in members.as_array().into_iter().flatten() {
            let name = Untrusted::of(member, "member");
            let role = match member.get("role").and_then(Value::as_str) {
                Some("bot") => words.is_bot,
                Some("admin") => words.is_admin,
                _ => "",
            };
            let verified = is_set(member, "verified");
            let trust = if verified { words.is_verified } else { words.is_not_verified };
            let ink = if verified { Ink::Trusted } else { Ink::Warn };
            let note = format!("{role} {trust}").trim().to_owned();
            let me = name.names(&self.home.me);
            let line = name.line();
            let pick = if me { Pick::Nothing } else { Pick::Person(name) };
            list.items.push(Item::new(line, pick).ink(ink).note(note));
        }
        self.panel = Some(Panel::List(list));
    }

    pub(super) fn on_found(&mut self, typed: &str, found: &Value) -> Vec<Effect> {
        if !self.is_search_for(typed) {
            return self.search_again();
        }
        let hit = |message: &Value| {
            let room = self.key_of(message)?;
            let id = message.get("id")?.as_str()?.to_owned();
            let text = super::timeline::Message::read(message);
            let said = format!("{}: {}", text.from.line(), text.words().line());
            let at = time::minute(&text.sent_at);
            let name = Untrusted::of(message, "room").line();
            Some(Item::new(said, Pick::Hit { room, id }).note(format!("{name} {at}")))
        };
        let mut items: Vec<Item> = found.as_array().into_iter().flatten().filter_map(hit).collect();
        items.reverse();
        if let Some(Panel::List(list)) = &mut self.panel {
            list.waiting = false;
            list.set(items);
        }
        Vec::new()
    }

    pub(super) fn is_search_for(&self, typed: &str) -> bool {
        matches!(&self.panel, Some(Panel::List(list)) if list.kind == Kind::Search
            && list.query.as_ref().is_some_and(|query| query.text() == typed))
    }

    /// Somebody typed on while a search ran: what stands there now is looked for.
    pub(super) fn search_again(&mut self) -> Vec<Effect> {
        match &mut self.panel {
            Some(Panel::List(list)) if list.kind == Kind::Search => {
                list.waiting = false;
                self.narrow()
            }
            _ => Vec::new(),
        }
    }
}

/// A lifetime in seconds: `7d`, or `off` for none.
fn seconds(typed: &str) -> Option<u64> {
    match typed {
        "off" | "0" | "non" => Some(0),
        _ => time::parse_duration(typed).ok().filter(|seconds| *seconds <= u64::from(u32::MAX)),
    }
}
