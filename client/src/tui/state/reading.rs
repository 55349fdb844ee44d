//! Looking into a room's history: reading it page by page, scrolling, what is read and what is over.

use serde_json::json;

use super::super::lines::Paper;
use super::super::untrusted::Untrusted;
use super::timeline::{KEPT, Owed, PAGE, Timeline};
use super::{Ask, At, Effect, State, call};

/// How many screens of messages are read ahead of somebody who scrolls.
const AHEAD: usize = 3;

impl State {
    /// Reads a part of the open room's history.
    pub(super) fn load(&mut self, at: At) -> Vec<Effect> {
        let key = self.current.clone();
        let Some(name) = self.here().map(Untrusted::to_agent) else { return Vec::new() };
        let Some(timeline) = self.timelines.get_mut(&key) else { return Vec::new() };
        if timeline.loading {
            return Vec::new();
        }
        timeline.loading = true;
        let mut params = json!({"room": name, "limit": PAGE});
        if let Some(fields) = params.as_object_mut() {
            match &at {
                At::Newest => {}
                At::Unread => drop(fields.insert("around".into(), "unread".into())),
                At::Around(id) => drop(fields.insert("around".into(), id.clone().into())),
                At::Before(id) => drop(fields.insert("before".into(), id.clone().into())),
                At::After(id) => {
                    fields.insert("since".into(), id.clone().into());
                    fields.insert("oldest".into(), true.into());
                }
            }
        }
        vec![call(Ask::History { key, at }, "read", params)]
    }

    pub(super) fn ask_members(&self) -> Vec<Effect> {
        let Some(name) = self.here() else { return Vec::new() };
        vec![call(
            Ask::Members(self.current.clone()),
            "room.members",
            json!({"room": name.to_agent()}),
        )]
    }

    /// Does something with the open room's messages and what they are laid out on.
    pub(super) fn with_timeline<T>(
        &mut self,
        work: impl FnOnce(&Paper<'_>, &mut Timeline, usize) -> T,
    ) -> Option<T> {
        let (key, mut timeline) = self.timelines.remove_entry(&self.current)?;
        let done = work(&self.paper(), &mut timeline, self.page());
        self.timelines.insert(key, timeline);
        Some(done)
    }

    /// Shows the first new message, or the newest ones if all new ones fit.
    pub(super) fn show_new(&mut self) {
        self.with_timeline(|paper, timeline, height| {
            timeline.anchor = None;
            let new = timeline.new_from.as_deref().and_then(|id| timeline.index(id));
            if let Some(at) = new {
                paper.show(timeline, at, 0, height);
            }
        });
    }

    /// Scrolls by `rows`, up or down, and reads on before the window ends. What could not be done
    /// because the next page was not read yet is done when it comes.
    pub(super) fn scroll(&mut self, up: bool, rows: usize) -> Vec<Effect> {
        let left = self.with_timeline(|paper, timeline, height| {
            let owed = timeline.owed.take().filter(|owed| owed.up == up);
            let rows = rows + owed.map_or(0, |owed| owed.rows);
            let left = match up {
                true => paper.up(timeline, rows, height),
                false => paper.down(timeline, rows),
            };
            let rows = left.min(AHEAD * height);
            timeline.owed = (rows > 0 && timeline.goes_on(up)).then_some(Owed { up, rows });
            left
        });
        let ahead = AHEAD * self.page();
        if self.timeline().is_some_and(|timeline| timeline.ends_within(up, ahead)) {
            return self.read_on(up);
        }
        if left == Some(0) && up { Vec::new() } else { self.mark() }
    }

    /// Scrolls by what somebody wanted while the page that has just come was being read.
    pub(super) fn scroll_on(&mut self) -> Vec<Effect> {
        let owed = self.timeline().and_then(|timeline| timeline.owed);
        owed.map(|owed| self.scroll(owed.up, 0)).unwrap_or_default()
    }

    /// Reads what is before or behind the window.
    fn read_on(&mut self, up: bool) -> Vec<Effect> {
        let at = self.timeline().and_then(|timeline| match up {
            true => timeline.messages.first().map(|first| At::Before(first.id.clone())),
            false => timeline.messages.last().map(|last| At::After(last.id.clone())),
        });
        let mut effects = at.map(|at| self.load(at)).unwrap_or_default();
        effects.extend(self.mark());
        effects
    }

    /// Says that what stands on the screen is read, if somebody looks at it.
    pub(super) fn mark(&mut self) -> Vec<Effect> {
        if self.away {
            return Vec::new();
        }
        let name = self.here().cloned();
        let key = self.current.clone();
        let Some(timeline) = self.timelines.get_mut(&key) else { return Vec::new() };
        let lowest = timeline.anchor.as_ref().and_then(|anchor| timeline.index(&anchor.id));
        let upto = lowest.map_or(timeline.messages.len(), |at| at + 1);
        let unread = timeline.messages.iter_mut().take(upto).filter(|message| message.unread);
        let news = unread.map(|message| message.unread = false).count();
        let last = timeline.messages.iter().take(upto).rev().find(|it| it.seq.is_some());
        let (Some(last), Some(name)) = (last.map(|it| it.id.clone()), name) else {
            return Vec::new();
        };
        let left = !timeline.messages.iter().any(|message| message.unread) && timeline.at_end;
        let Some(entry) = self.entry_mut(&key) else { return Vec::new() };
        if news == 0 && (entry.unread == 0 || !left) {
            return Vec::new();
        }
        entry.unread = entry.unread.saturating_sub(u64::try_from(news).unwrap_or(u64::MAX));
        if left {
            (entry.unread, entry.mentions) = (0, 0);
        }
        let params = json!({"room": name.to_agent(), "upto": last});
        vec![call(Ask::Read(key), "mark_read", params)]
    }

    /// Takes away what has outlived its time; `now` is RFC 3339.
    pub(super) fn expire(&mut self, now: &str) -> bool {
        let Ok(now) = now.parse::<jiff::Timestamp>() else { return false };
        let mut gone = false;
        for timeline in self.timelines.values_mut() {
            let over = |at: &String| at.parse::<jiff::Timestamp>().is_ok_and(|at| at <= now);
            let old: Vec<String> = timeline
                .messages
                .iter()
                .filter(|message| message.expires_at.as_ref().is_some_and(over))
                .map(|message| message.id.clone())
                .collect();
            for id in old {
                gone |= timeline.remove(&id);
            }
            timeline.trim(KEPT);
        }
        gone
    }
}
