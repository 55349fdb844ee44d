//! A room's messages as rows: separators, names, trust, replies, reactions, delivery.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::rich::{self, Doubt};
use super::rows::{Ink, Piece, Row, columns, cut, fit, wrap};
use super::signs::Signs;
use super::state::rooms::Person;
use super::state::timeline::{Anchor, Body, Delivery, Message, Timeline};
use super::untrusted::Untrusted;
use crate::text::screen::Words;

/// What rows depend on beside the messages.
pub(super) struct Paper<'a> {
    pub(super) width: usize,
    pub(super) words: &'static Words,
    pub(super) signs: &'static Signs,
    pub(super) zone: &'a TimeZone,
    pub(super) me: &'a Untrusted,
    pub(super) people: &'a [Person],
}

impl Paper<'_> {
    fn names(&self) -> usize {
        (self.width / 7).clamp(8, 20)
    }

    fn day(&self, sent_at: &str) -> Option<Date> {
        let time: Timestamp = sent_at.parse().ok()?;
        Some(time.to_zoned(self.zone.clone()).date())
    }

    fn clock(&self, sent_at: &str) -> String {
        match sent_at.parse::<Timestamp>() {
            Ok(time) => time.to_zoned(self.zone.clone()).strftime("%H:%M").to_string(),
            Err(_) => "     ".into(),
        }
    }

    /// A line across with words in its middle.
    fn rule(&self, said: &str, ink: Ink) -> Row {
        let said = cut(&format!(" {said} "), self.width, self.signs.cut);
        let free = self.width.saturating_sub(columns(&said));
        let side = |count: usize| Piece::new(ink, self.signs.rule.repeat(count));
        Row::of([side(free / 2), Piece::new(ink, said), side(free - free / 2)])
    }

    /// The sign of trust before a name, and the ink of both.
    fn trust(&self, message: &Message) -> (&'static str, Ink) {
        let bot = self.people.iter().any(|it| it.bot && it.name.names(&message.from));
        match (message.own, message.verified, bot) {
            (true, ..) => (" ", Ink::Me),
            (_, false, _) => (self.signs.unverified, Ink::Warn),
            (_, true, true) => (self.signs.bot, Ink::Trusted),
            (_, true, false) => (self.signs.verified, Ink::Trusted),
        }
    }

    /// The rows of the message at `at`, with the separators above it.
    pub(super) fn block(&self, timeline: &Timeline, at: usize) -> Vec<Row> {
        let Some(message) = timeline.messages.get(at) else { return Vec::new() };
        let before = at.checked_sub(1).and_then(|at| timeline.messages.get(at));
        let mut rows = Vec::new();
        let day = self.day(&message.sent_at);
        if let Some(day) = day
            && before.and_then(|it| self.day(&it.sent_at)) != Some(day)
        {
            rows.push(self.rule(&(self.words.day)(day), Ink::Dim));
        }
        if timeline.new_from.as_deref() == Some(message.id.as_str()) {
            let news = timeline.messages.iter().skip(at).filter(|message| !message.own);
            let count = news.count();
            rows.push(self.rule(&(self.words.new_messages)(count), Ink::Mark));
        }
        let first = rows.len();
        self.message(timeline, message, before, &mut rows);
        if timeline.selected.as_deref() == Some(message.id.as_str()) {
            rows.iter_mut().skip(first).for_each(|row| row.selected = true);
        }
        rows
    }

    fn message(
        &self,
        timeline: &Timeline,
        message: &Message,
        before: Option<&Message>,
        rows: &mut Vec<Row>,
    ) {
        let names = self.names();
        let (sign, ink) = self.trust(message);
        let name = if message.own { self.words.you.into() } else { message.from.line() };
        let head = [
            Piece::new(Ink::Dim, format!("{} ", fit(&self.clock(&message.sent_at), 5, ""))),
            Piece::new(ink, format!("{sign} ")),
            Piece::new(ink, format!("{} ", fit(&name, names, self.signs.cut))),
        ];
        let indent = 5 + 1 + 2 + names + 1;
        let width = self.width.saturating_sub(indent).max(8);
        let margin = || Piece::new(Ink::Plain, " ".repeat(indent));
        let mut body: Vec<Row> = Vec::new();
        if let Some(target) = &message.reply_to {
            body.push(self.quote(timeline.get(target), width));
        }
        body.extend(self.body(message, width));
        for doubt in self.doubts(message) {
            body.extend(wrap(&[Piece::new(Ink::Warn, doubt)], width));
        }
        if !message.reactions.is_empty() {
            body.push(reactions(message, width, self.signs.cut));
        }
        let same = before.is_some_and(|before| before.from == message.from);
        if !message.verified && !message.own && !same {
            let name = message.from.line();
            body.extend(wrap(&[Piece::new(Ink::Warn, (self.words.not_verified)(&name))], width));
        }
        if message.own {
            let said = self.delivery(message);
            let fits = body.last_mut().is_some_and(|row| row.right(said.clone(), width));
            if !fits {
                let mut row = Row::default();
                row.right(said, width);
                body.push(row);
            }
        }
        for (number, mut row) in body.into_iter().enumerate() {
            if number == 0 {
                row.pieces.splice(0..0, head.clone());
            } else {
                row.pieces.insert(0, margin());
            }
            rows.push(row);
        }
    }

    fn body(&self, message: &Message, width: usize) -> Vec<Row> {
        let mut pieces = match &message.body {
            Body::Text(text) => {
                let mine = message.mentions.iter().any(|name| name.names(self.me));
                let names = if mine { vec![self.me.line()] } else { Vec::new() };
                rich::pieces(&text.block(), &names)
            }
            Body::File { name, size, moved } => {
                let moved = moved.and_then(|(done, all)| (done * 100).checked_div(all));
                let said = (self.words.file)(&name.line(), *size, moved);
                vec![Piece::new(Ink::Link, said)]
            }
        };
        if message.edited {
            pieces.push(Piece::new(Ink::Dim, format!(" {}", self.words.edited)));
        }
        wrap(&pieces, width)
    }

    fn quote(&self, target: Option<&Message>, width: usize) -> Row {
        let said = match target {
            Some(target) => {
                let name = if target.own { self.words.you.into() } else { target.from.line() };
                let said: String = match &target.body {
                    // Marks were for the message itself; here they would only stand in the way.
                    Body::Text(text) => {
                        rich::pieces(&text.line(), &[]).into_iter().map(|it| it.text).collect()
                    }
                    Body::File { name, .. } => name.line(),
                };
                format!("{} {name}: {said}", self.signs.quote)
            }
            None => format!("{} {}", self.signs.quote, self.words.earlier),
        };
        Row::new(Ink::Dim, cut(&said, width, self.signs.cut))
    }

    fn doubts(&self, message: &Message) -> Vec<String> {
        let Body::Text(text) = &message.body else { return Vec::new() };
        let words = self.words;
        let said = |doubt: Doubt| match doubt {
            Doubt::Elsewhere { host } => (words.link_elsewhere)(&host),
            Doubt::Punycode { host } => (words.link_punycode)(&host),
            Doubt::Foreign { host, punycode } => (words.link_foreign)(&host, &punycode),
            Doubt::Confusable { host, punycode, like } => {
                (words.link_confusable)(&host, &punycode, &like)
            }
        };
        rich::doubts(&text.block()).into_iter().map(said).collect()
    }

    fn delivery(&self, message: &Message) -> Piece {
        let (sign, said) = match (message.delivery, message.seen_by.len()) {
            (Delivery::Queued, _) => (self.signs.queued, self.words.queued.to_owned()),
            (Delivery::Stored, _) => (self.signs.stored, self.words.stored.to_owned()),
            (Delivery::Sent, 0) => (self.signs.sent, self.words.sent.to_owned()),
            (Delivery::Sent, count) => (self.signs.seen, (self.words.read_by)(count)),
        };
        let ink = if message.delivery == Delivery::Queued { Ink::Warn } else { Ink::Dim };
        Piece::new(ink, format!("{sign} {said}"))
    }

    /// What stands in a room where nobody has written.
    pub(super) fn empty(&self) -> Vec<Row> {
        wrap(&[Piece::new(Ink::Dim, self.words.nobody_wrote)], self.width)
    }

    /// The rows that are seen in `height` rows, each with the index of its message.
    pub(super) fn visible(&self, timeline: &Timeline, height: usize) -> Vec<(usize, Row)> {
        let (mut at, below) = self.lowest(timeline);
        let mut shown: Vec<(usize, Row)> = Vec::new();
        let mut skip = below;
        while shown.len() < height && at > 0 {
            at -= 1;
            for row in self.block(timeline, at).into_iter().rev() {
                if skip > 0 {
                    skip -= 1;
                } else if shown.len() < height {
                    shown.push((at, row));
                }
            }
        }
        shown.reverse();
        shown
    }

    /// One behind the message at the lower edge, and how many of its rows are hidden.
    fn lowest(&self, timeline: &Timeline) -> (usize, usize) {
        let anchor = timeline.anchor.as_ref();
        let found = anchor.and_then(|anchor| Some((timeline.index(&anchor.id)?, anchor.below)));
        found.map_or((timeline.messages.len(), 0), |(at, below)| (at + 1, below))
    }

    /// Moves up by `rows`; returns by how many less because the window ends before.
    pub(super) fn up(&self, timeline: &mut Timeline, rows: usize, height: usize) -> usize {
        let (mut at, mut below) = self.lowest(timeline);
        below += rows;
        while at > 0 {
            let block = self.block(timeline, at - 1).len();
            if below < block {
                break;
            }
            below -= block;
            at -= 1;
        }
        // Every message has a row: far from the first one there is nothing more to look at.
        if at > height {
            self.anchor(timeline, at, below);
            return 0;
        }
        // Not further than a full screen.
        let (mut filled, mut top) = (0, 0);
        while filled < height && top < timeline.messages.len() {
            filled += self.block(timeline, top).len();
            top += 1;
        }
        let above: usize = (0..at).map(|at| self.block(timeline, at).len()).sum();
        let hidden = filled.saturating_sub(height);
        let left = (filled - hidden + below).saturating_sub(above);
        if left > 0 {
            (at, below) = (top, hidden);
        }
        self.anchor(timeline, at, below);
        left
    }

    /// Moves down by `rows`; returns by how many less because the window ends before.
    pub(super) fn down(&self, timeline: &mut Timeline, rows: usize) -> usize {
        let (mut at, mut below) = self.lowest(timeline);
        let mut left = rows;
        loop {
            if below >= left {
                self.anchor(timeline, at, below - left);
                return 0;
            }
            left -= below;
            if at >= timeline.messages.len() {
                self.anchor(timeline, at, 0);
                return left;
            }
            below = self.block(timeline, at).len();
            at += 1;
        }
    }

    /// Shows the message at `at`, with `above` rows before it if there are, at the upper edge.
    pub(super) fn show(&self, timeline: &mut Timeline, at: usize, above: usize, height: usize) {
        let mut rows = above;
        let mut next = at;
        while rows < height && next < timeline.messages.len() {
            rows += self.block(timeline, next).len();
            next += 1;
        }
        self.anchor(timeline, next, rows.saturating_sub(height));
        if next >= timeline.messages.len() && rows <= height {
            timeline.anchor = None;
        }
    }

    fn anchor(&self, timeline: &mut Timeline, behind: usize, below: usize) {
        let last = behind >= timeline.messages.len() && below == 0 && timeline.at_end;
        let message = behind.checked_sub(1).and_then(|at| timeline.messages.get(at));
        timeline.anchor = message.filter(|_| !last).map(|it| Anchor { id: it.id.clone(), below });
    }
}

fn reactions(message: &Message, width: usize, end: &str) -> Row {
    let mut counted: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for reaction in &message.reactions {
        let (count, own) = counted.entry(reaction.emoji.line()).or_default();
        *count += 1;
        *own |= reaction.own;
    }
    let said: Vec<String> = counted
        .iter()
        .map(|(emoji, (count, own))| format!("{emoji} {count}{}", if *own { "*" } else { "" }))
        .collect();
    Row::new(Ink::Dim, cut(&said.join("  "), width, end))
}
