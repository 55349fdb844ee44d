//! The head, the banners, the titles and the foot, as rows.

use super::rows::{Ink, Piece, Row, columns, cut};
use super::state::panel::Panel;
use super::state::{About, Banner, Connection, State};
use crate::text;

/// Who and where one is, and how much of the team is verified.
pub(super) fn head(state: &State, width: usize) -> Row {
    let (words, signs) = (state.words(), state.signs());
    let (sign, said, ink) = match state.home.connection {
        Connection::Online => (signs.online, words.online, Ink::Trusted),
        Connection::Offline => (signs.offline, words.offline, Ink::Warn),
        Connection::Refused => (signs.offline, words.refused, Ink::Alarm),
    };
    let others = || state.people.iter().filter(|person| !person.me);
    let bad = others().filter(|person| !person.verified).count();
    let trust = (words.trust)(others().count() - bad, bad);
    let me = [state.home.me.line(), state.home.label.line()].join(" | ");
    let me = cut(&me, width / 3, signs.cut);
    let mut row = Row::new(ink, format!(" {sign} {said}"));
    let room = width.saturating_sub(columns(&me) + 2);
    let trust = Piece::new(Ink::Plain, format!(" | {trust}"));
    let relay = Piece::new(Ink::Dim, format!(" | {}", state.home.relay.line()));
    // The relay's name gives way first.
    for more in [vec![relay, trust.clone()], vec![trust]] {
        let wanted: usize = more.iter().map(|piece| columns(&piece.text)).sum();
        if row.columns() + wanted <= room {
            row.pieces.extend(more);
            break;
        }
    }
    row.right(Piece::new(Ink::Me, format!("{me} ")), width);
    row
}

/// The banners that are shown.
pub(super) fn banners(state: &State, width: usize) -> Vec<Row> {
    let words = state.words();
    let (shown, more) = state.shown_banners();
    let newest = state.banners.iter().rev().take(shown);
    let mut rows: Vec<Row> = newest
        .map(|banner| {
            let (ink, said) = match banner {
                Banner::Alarm(what) => (Ink::Alarm, (words.alarm)(&text::said(&what.line()))),
                Banner::Refused(why) => (Ink::Alarm, text::sentence(&why.line())),
                Banner::Missing { from, room, count } => {
                    (Ink::Warn, (words.missing)(*count, &from.line(), &room.line()))
                }
                Banner::Power(said) => (Ink::Warn, said.clone()),
            };
            Row::new(ink, cut(&format!(" {said}"), width, state.signs().cut))
        })
        .collect();
    if more > 0 {
        let said = format!(" {}", (words.more_banners)(more));
        rows.push(Row::new(Ink::Warn, cut(&said, width, state.signs().cut)));
    }
    rows
}

/// What room is open, and what goes for it.
pub(super) fn title(state: &State, width: usize) -> String {
    let words = state.words();
    let Some(entry) = state.entry(&state.current) else { return String::new() };
    let name = match entry.name.person() {
        Some(person) => person.line(),
        None => format!("# {}", entry.name.line()),
    };
    let mut parts = vec![name];
    if entry.frozen {
        parts.push(words.frozen.into());
    }
    if !entry.bots.is_empty() {
        let names: Vec<String> = entry.bots.iter().map(|bot| bot.line()).collect();
        parts.push((words.bots_in)(&names.join(", ")));
    }
    if entry.members > 0 && entry.name.person().is_none() {
        parts.push((words.people_in)(entry.members));
    }
    if entry.lifetime_s > 0 {
        parts.push((words.vanish)(entry.lifetime_s));
    }
    if !entry.topic.is_empty() {
        parts.push(entry.topic.line());
    }
    let mut title = String::new();
    for part in parts {
        let next = if title.is_empty() { part } else { format!("{title} | {part}") };
        if !title.is_empty() && columns(&next) > width {
            break;
        }
        title = cut(&next, width, state.signs().cut);
    }
    title
}

/// Above the text being written.
pub(super) fn writing(state: &State) -> String {
    let words = state.words();
    match &state.compose.about {
        About::Edit(_) => words.editing.into(),
        About::Reply(id) => {
            let message = state.timeline().and_then(|timeline| timeline.get(id));
            let name = match message {
                Some(message) if message.own => words.you.to_owned(),
                Some(message) => message.from.line(),
                None => words.earlier.to_owned(),
            };
            (words.replying)(&name)
        }
        About::Nothing => match state.entry(&state.current) {
            Some(entry) => match entry.name.person() {
                Some(person) => (words.write_to)(&person.line()),
                None => (words.write_to)(&format!("# {}", entry.name.line())),
            },
            None => String::new(),
        },
    }
}

/// The keys that fit: the first two, help and the way out, go last.
pub(super) fn foot(state: &State, width: usize) -> Row {
    let keys = (state.words().keys)(Panel::place(state.panel.as_ref()));
    let wide = |(key, said): &(&str, &str)| columns(key) + columns(said) + 3;
    let mut used = 1;
    let fitting = keys.iter().take_while(|key| {
        used += wide(key);
        used <= width
    });
    let shown = fitting.count().max(1);
    let mut order: Vec<&(&str, &str)> = keys.iter().take(shown).collect();
    if shown > 1 {
        // Help at the left, the way out at the right, what is done most between.
        let quit = order.remove(1);
        order.push(quit);
    }
    let mut row = Row::new(Ink::Plain, " ");
    for (key, said) in order {
        row.pieces.push(Piece::new(Ink::Strong, *key));
        row.pieces.push(Piece::new(Ink::Dim, format!(" {said}  ")));
    }
    row
}
