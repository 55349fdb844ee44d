//! What the agent answers to what it was asked.

use serde_json::{Value, json};

use super::super::untrusted::Untrusted;
use super::panel::{Kind, Panel};
use super::timeline::{KEPT, Message, PAGE};
use super::{About, Ask, At, Banner, Connection, Curtain, Effect, Line, Refusal, State, call};
use crate::output::is_set;
use crate::text;

type Answer = Result<Value, Refusal>;

impl State {
    pub(super) fn on_answer(&mut self, ask: Ask, answer: Answer) -> Vec<Effect> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return self.refused(ask, &why),
        };
        match ask {
            Ask::Status => self.on_status(&answer),
            Ask::Rooms => return self.on_rooms(&answer),
            Ask::Team => return self.on_team(&answer),
            Ask::Members(key) => self.on_members(&key, &answer),
            Ask::Kept => return self.restore(&answer),
            Ask::History { key, at } => return self.on_history(&key, &at, &answer),
            Ask::Search(words) => return self.on_found(&words, &answer),
            Ask::Send { key, text, reply_to } => {
                return self.on_sent(&key, text, reply_to, &answer);
            }
            Ask::Read(key) => {
                let number = |field: &str| answer.get(field).and_then(Value::as_u64);
                if let (Some(entry), Some(unread)) = (self.entry_mut(&key), number("unread")) {
                    entry.unread = unread;
                    entry.mentions = number("mentions").unwrap_or_default();
                }
            }
            Ask::Invite => self.show_invite(&answer),
            Ask::Invites => self.list_invites(&answer),
            Ask::Words => self.list_words(&answer),
            Ask::Devices => self.list_devices(&answer),
            Ask::Act(said) => {
                self.answered(said);
                return vec![
                    call(Ask::Team, "team", json!({})),
                    call(Ask::Rooms, "room.list", json!({})),
                ];
            }
            Ask::Lock => self.close_curtain(),
            Ask::Unlock => return self.unlocked(),
            Ask::Keep | Ask::Change | Ask::Edit { .. } => {}
        }
        Vec::new()
    }

    /// What was not done is said, and what was written is not lost.
    fn refused(&mut self, ask: Ask, why: &Refusal) -> Vec<Effect> {
        let hint = text::next_step(&why.hint.line());
        let said = [text::sentence(&why.message.line()), hint].join(" ").trim().to_owned();
        match ask {
            Ask::Send { key, text, reply_to } => {
                let about = reply_to.map_or(About::Nothing, About::Reply);
                self.give_back(&key, text, about);
            }
            Ask::Edit { key, id, text } => self.give_back(&key, text, About::Edit(id)),
            Ask::History { key, .. } => {
                if let Some(timeline) = self.timelines.get_mut(&key) {
                    (timeline.loading, timeline.owed) = (false, None);
                }
            }
            Ask::Kept => {
                // Nothing is written over what could not be read.
                self.notice = Some(said);
                return self.settle();
            }
            Ask::Keep | Ask::Read(_) | Ask::Members(_) => return Vec::new(),
            Ask::Lock => {
                // Nobody is kept out of what is not locked.
                let effects = self.unlocked();
                self.notice = Some(said);
                return effects;
            }
            Ask::Unlock => {
                if let Curtain::Locked { said: shown, waiting, .. } = &mut self.curtain {
                    (*shown, *waiting) = (Some(said), false);
                    return Vec::new();
                }
            }
            Ask::Search(words) if !self.is_search_for(&words) => return self.search_again(),
            Ask::Search(_) => {
                if let Some(Panel::List(list)) = &mut self.panel {
                    list.waiting = false;
                    list.items.clear();
                }
                return Vec::new();
            }
            _ => {}
        }
        self.answered(said);
        Vec::new()
    }

    fn answered(&mut self, said: String) {
        self.answer = Some(said.clone());
        self.notice = Some(said);
    }

    /// Puts a text back where it was written; behind what was written there since.
    fn give_back(&mut self, key: &str, text: String, about: About) {
        if key != self.current {
            let draft = self.drafts.entry(key.to_owned()).or_default();
            if !draft.is_empty() {
                draft.push('\n');
            }
            draft.push_str(&text);
            return;
        }
        let since = self.compose.line.text();
        if since.is_empty() {
            self.compose.about = about;
            self.compose.line = Line::with(text);
        } else {
            self.compose.line = Line::with([since, text].join("\n"));
        }
    }

    fn on_status(&mut self, status: &Value) {
        if is_set(status, "locked") {
            return self.close_curtain();
        }
        self.home.team = Untrusted::of(status, "team");
        self.home.me = Untrusted::of(status, "member");
        self.home.label = Untrusted::of(status, "label");
        self.home.relay = Untrusted::of(status, "relay");
        let refused = Untrusted::of(status, "refused");
        self.home.connection = match (is_set(status, "connected"), refused.is_empty()) {
            (true, _) => Connection::Online,
            (false, true) => Connection::Offline,
            (false, false) => Connection::Refused,
        };
        self.banners.retain(|banner| !matches!(banner, Banner::Refused(_)));
        for text in Untrusted::list(status, "alarms") {
            self.banner(Banner::Alarm(text));
        }
        for missing in status.get("missing").and_then(Value::as_array).into_iter().flatten() {
            let count = missing.get("count").and_then(Value::as_u64).unwrap_or_default();
            let (from, room) = (Untrusted::of(missing, "from"), Untrusted::of(missing, "room"));
            let known = |banner: &Banner| matches!(banner, Banner::Missing { from: f, room: r, .. } if *f == from && *r == room);
            if !self.banners.iter().any(known) {
                self.banner(Banner::Missing { from, room, count });
            }
        }
        if !refused.is_empty() {
            self.banner(Banner::Refused(refused));
        }
    }

    fn on_members(&mut self, key: &str, members: &Value) {
        let all = members.as_array().into_iter().flatten();
        let bots = all.filter(|it| it.get("role").and_then(Value::as_str) == Some("bot"));
        let bots: Vec<Untrusted> = bots.map(|it| Untrusted::of(it, "member")).collect();
        let count = members.as_array().map(|all| all.len() as u64);
        if let Some(entry) = self.entry_mut(key) {
            entry.bots = bots;
            entry.members = count.unwrap_or(entry.members);
        }
        if let Some(Panel::List(list)) = &self.panel
            && list.kind == Kind::Members
        {
            self.list_members(members);
        }
    }

    fn on_history(&mut self, key: &str, at: &At, answer: &Value) -> Vec<Effect> {
        let read: Vec<Message> =
            answer.as_array().into_iter().flatten().map(Message::read).collect();
        let Some(timeline) = self.timelines.get_mut(key) else { return Vec::new() };
        timeline.loading = false;
        let full = read.len() >= PAGE;
        let first_unread = read.iter().position(|message| message.unread);
        let target = match at {
            At::Around(id) => read.iter().position(|message| message.id == *id),
            At::Unread => first_unread,
            _ => None,
        };
        match (at, target) {
            (At::Before(_), _) => timeline.at_start = !full,
            (At::After(_), _) => timeline.at_end = !full,
            (_, Some(middle)) => {
                timeline.clear();
                timeline.at_start = middle < PAGE / 2;
                timeline.at_end = read.len() - middle <= PAGE / 2;
            }
            (_, None) => {
                timeline.clear();
                (timeline.at_start, timeline.at_end) = (!full, true);
            }
        }
        if let (At::Unread, Some(first)) = (at, first_unread) {
            timeline.new_from = read.get(first).map(|message| message.id.clone());
        }
        match at {
            At::Before(_) => timeline.prepend(read),
            _ => read.into_iter().for_each(|message| timeline.place(message)),
        }
        if key != self.current {
            return Vec::new();
        }
        if let Some(timeline) = self.timelines.get_mut(key) {
            timeline.trim(KEPT);
        }
        match at {
            At::Unread | At::Newest => self.show_new(),
            At::Around(id) => {
                self.with_timeline(|paper, timeline, height| {
                    if let Some(found) = timeline.index(id) {
                        paper.show(timeline, found, height / 3, height);
                        timeline.selected = Some(id.clone());
                    }
                });
            }
            At::Before(_) | At::After(_) => {}
        }
        let mut effects = self.mark();
        effects.extend(self.scroll_on());
        effects
    }

    fn on_sent(
        &mut self,
        key: &str,
        text: String,
        reply_to: Option<String>,
        answer: &Value,
    ) -> Vec<Effect> {
        let mut message = Message::read(answer);
        message.own = true;
        message.verified = true;
        message.from = self.home.me.clone();
        message.reply_to = reply_to;
        message.body = super::timeline::Body::Text(Untrusted::from(text.as_str()));
        if message.sent_at.is_empty() {
            message.sent_at.clone_from(&self.now);
        }
        if let Some(timeline) = self.timelines.get_mut(key) {
            // Its event may have come first, and knows more.
            if timeline.get(&message.id).is_none() && timeline.at_end {
                timeline.place(message);
            }
        }
        if self.entry(key).is_some_and(|entry| !entry.begun) {
            return vec![call(Ask::Rooms, "room.list", json!({}))];
        }
        Vec::new()
    }
}
