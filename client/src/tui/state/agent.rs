//! What the agent tells without being asked.

use serde_json::{Value, json};

use super::super::untrusted::Untrusted;
use super::timeline::{Body, Delivery, KEPT, Message, Reaction};
use super::{Ask, At, Banner, Connection, Curtain, Effect, State, call};
use crate::output::is_set;
use crate::text;

/// The most banners kept; the oldest go first.
const MOST_KEPT: usize = 50;

type Done = (Vec<Effect>, bool);

impl State {
    /// One event: what is to be done, and whether anything looks different.
    pub(super) fn on_agent(&mut self, event: &Value) -> Done {
        let word = |field: &str| event.get(field).and_then(Value::as_str).unwrap_or_default();
        let quiet = |effects: Vec<Effect>| (effects, true);
        match word("type") {
            "message" | "file" => self.on_message(event),
            "sent" => (Vec::new(), self.delivered(event, Delivery::Sent)),
            "stored" => (Vec::new(), self.delivered(event, Delivery::Stored)),
            "edit" => (
                Vec::new(),
                self.change(word("target"), |message| {
                    message.body = Body::Text(Untrusted::of(event, "text"));
                    message.mentions = Untrusted::list(event, "mentions");
                    message.edited = true;
                }),
            ),
            "reaction" => {
                let reaction = Reaction {
                    id: word("id").to_owned(),
                    emoji: Untrusted::of(event, "emoji"),
                    own: is_set(event, "own"),
                };
                (Vec::new(), self.change(word("target"), |it| it.reactions.push(reaction)))
            }
            "receipt" => (Vec::new(), self.on_receipt(event)),
            "delete" => {
                let target = word("target");
                let gone = self.timelines.values_mut().any(|timeline| timeline.remove(target));
                (vec![call(Ask::Rooms, "room.list", json!({}))], gone)
            }
            "progress" => {
                let number = |field: &str| event.get(field).and_then(Value::as_u64);
                let (done, total) = (number("done").unwrap_or(0), number("total").unwrap_or(0));
                let way = word("direction") == "up";
                self.notice = Some((self.words().progress)(
                    &Untrusted::of(event, "name").line(),
                    done * 100 / total.max(1),
                    way,
                ));
                self.change(word("id"), |message| {
                    if let Body::File { moved, .. } = &mut message.body {
                        *moved = (done < total).then_some((done, total));
                    }
                });
                quiet(Vec::new())
            }
            "connection" => {
                self.home.connection = match word("state") {
                    "online" => Connection::Online,
                    "refused" => Connection::Refused,
                    _ => Connection::Offline,
                };
                quiet(vec![call(Ask::Status, "status", json!({}))])
            }
            "alarm" => {
                self.banner(Banner::Alarm(Untrusted::of(event, "text")));
                quiet(self.call_person())
            }
            "notice" => {
                self.news(text::sentence(&Untrusted::of(event, "text").line()));
                quiet(Vec::new())
            }
            "asking" => {
                let name = Untrusted::of(event, "name").line();
                self.news((self.words().asks)(&name));
                quiet(self.call_person())
            }
            "member" => self.on_member(event),
            "room" => {
                let mut effects = vec![call(Ask::Rooms, "room.list", json!({}))];
                effects.extend(self.ask_members());
                quiet(effects)
            }
            "gap" if event.get("missing").is_some() => {
                self.missing(event);
                quiet(Vec::new())
            }
            "gap" => quiet(self.again()),
            "locked" => {
                self.close_curtain();
                quiet(Vec::new())
            }
            "unlocked" => quiet(self.unlocked()),
            _ => (Vec::new(), false),
        }
    }

    fn on_message(&mut self, event: &Value) -> Done {
        let Some(key) = self.key_of(event) else {
            return (vec![call(Ask::Rooms, "room.list", json!({}))], false);
        };
        let mut message = Message::read(event);
        let own = message.own;
        let mentions_me = message.mentions.iter().any(|name| name.names(&self.home.me));
        let (from, said) = (message.from.clone(), message.words().clone());
        let here = key == self.current && matches!(self.curtain, Curtain::Open) && !self.away;
        if let Some(timeline) = self.timelines.get_mut(&key) {
            message.unread = !own && timeline.get(&message.id).is_none_or(|known| known.unread);
            if timeline.at_end {
                timeline.place(message);
                timeline.trim(KEPT);
            }
        }
        if own {
            return (Vec::new(), true);
        }
        if let Some(entry) = self.entry_mut(&key) {
            entry.unread = entry.unread.saturating_add(1);
            entry.mentions = entry.mentions.saturating_add(u64::from(mentions_me));
        }
        let mut effects = if here { self.mark() } else { Vec::new() };
        let direct = self.entry(&key).is_some_and(|entry| entry.name.person().is_some());
        if (mentions_me || direct) && !here && !self.muted.contains(&key) {
            effects.extend(self.call_for(&from, &said));
        }
        (effects, true)
    }

    /// Somebody has read so far.
    fn on_receipt(&mut self, event: &Value) -> bool {
        let from = Untrusted::of(event, "from");
        let upto = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
        let timeline = self.key_of(event).and_then(|key| self.timelines.get_mut(&key));
        let mut changed = false;
        for message in timeline.into_iter().flat_map(|timeline| &mut timeline.messages) {
            let read = message.own && message.seq.is_some_and(|seq| seq <= upto);
            if read && !message.seen_by.contains(&from) {
                message.seen_by.push(from.clone());
                changed = true;
            }
        }
        changed
    }

    fn delivered(&mut self, event: &Value, how: Delivery) -> bool {
        let id = event.get("id").and_then(Value::as_str).unwrap_or_default();
        for timeline in self.timelines.values_mut() {
            let Some(at) = timeline.index(id) else { continue };
            if how == Delivery::Stored {
                let message = timeline.messages.get_mut(at);
                return message.filter(|it| it.delivery == Delivery::Queued).is_some_and(|it| {
                    it.delivery = how;
                    true
                });
            }
            let mut message = timeline.messages.remove(at);
            message.seq = event.get("seq").and_then(Value::as_u64);
            message.delivery = how;
            timeline.place(message);
            return true;
        }
        false
    }

    fn change(&mut self, id: &str, change: impl FnOnce(&mut Message)) -> bool {
        let found = self.timelines.values_mut().find_map(|timeline| timeline.get_mut(id));
        found.map(change).is_some()
    }

    /// What happened, which nobody asked for.
    fn news(&mut self, news: String) {
        self.notice = Some(match &self.answer {
            Some(answer) => format!("{answer} {news}"),
            None => news,
        });
    }

    /// Somebody came, went, or may do more or less than before.
    fn on_member(&mut self, event: &Value) -> Done {
        let change = event.get("change").and_then(Value::as_str).unwrap_or_default();
        let name = Untrusted::of(event, "member").line();
        let by = Untrusted::of(event, "by").line();
        let said = match change {
            "revoked" => Some((self.words().was_revoked)(&name)),
            "role" => {
                let role = Untrusted::of(event, "role").line();
                Some((self.words().has_role)(&name, &role, &by))
            }
            _ => None,
        };
        if let Some(said) = said {
            self.banner(Banner::Power(said));
        } else if event.get("room").is_some() {
            let room = Untrusted::of(event, "room").line();
            self.news((self.words().came_or_went)(&name, &room, change == "joined"));
        }
        let mut effects =
            vec![call(Ask::Team, "team", json!({})), call(Ask::Rooms, "room.list", json!({}))];
        effects.extend(self.ask_members());
        (effects, true)
    }

    fn missing(&mut self, event: &Value) {
        let count = event.get("missing").and_then(Value::as_u64).unwrap_or_default();
        let (from, room) = (Untrusted::of(event, "from"), Untrusted::of(event, "room"));
        self.banners.retain(|banner| {
            !matches!(banner, Banner::Missing { from: f, room: r, .. } if *f == from && *r == room)
        });
        self.banner(Banner::Missing { from, room, count });
    }

    pub(super) fn banner(&mut self, banner: Banner) {
        if !self.banners.contains(&banner) {
            self.banners.push(banner);
        }
        if self.banners.len() > MOST_KEPT {
            self.banners.remove(0);
        }
    }

    /// Something was missed: everything that is shown is read again.
    pub(super) fn again(&mut self) -> Vec<Effect> {
        let anchor = self.timeline().and_then(|timeline| timeline.anchor.clone());
        self.timelines.clear();
        self.timelines.insert(self.current.clone(), super::Timeline::default());
        let mut effects = vec![
            call(Ask::Status, "status", json!({})),
            call(Ask::Team, "team", json!({})),
            call(Ask::Rooms, "room.list", json!({})),
        ];
        effects.extend(self.load(anchor.map_or(At::Unread, |anchor| At::Around(anchor.id))));
        effects
    }
}
