//! The screen without a screen: a line in, lines out. For screen readers, dumb terminals and pipes.
//! The same state decides what happens; here it is only read aloud.

mod input;

use std::collections::HashMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use zeroize::Zeroizing;

use self::input::read_lines;
use super::feed::Lanes;
use super::geometry::Size;
use super::key::{Code, Key};
use super::line::Line;
use super::rows::Row;
use super::sheet::sheet;
use super::state::panel::{List, Panel};
use super::state::timeline::KEPT;
use super::state::{Curtain, Effect, Event, Setup, State, update};
use super::terminal::Echo;
use super::{IDLE, Left, MINUTE, WAITING, carry_out_plain, edges, feed};
use crate::api::{Api, Calls as _, Events};
use crate::errors::Failure;
use crate::text;

/// Lines are as long as they want to be: who reads them breaks them.
pub(super) const WIDE: Size = Size { width: 2_000, height: 200 };

/// The messages read aloud when a room is opened.
const LAST: usize = 20;

/// Reads lines and prints lines until the input ends or somebody leaves.
pub(super) async fn run(api: &Api, events: Events<'_>, setup: Setup) -> Result<Left, Failure> {
    let (lanes, work) = Lanes::new();
    let (happened, happening) = mpsc::channel(WAITING);
    let (entered, lines) = mpsc::channel(WAITING);
    let reading = read_lines(entered);
    let mut state = State::new(setup);
    let (quick, others) = feed::serve(api, work, &happened);
    tokio::pin!(quick);
    let result: Result<Left, Failure> = tokio::select! {
        left = turn(&mut state, happening, lines, &lanes) => left,
        () = &mut quick => Ok(Left::Quit),
        () = others => Ok(Left::Quit),
        () = feed::listen(events, &happened) => {
            Err(Failure::refused(text::holder_gone(), text::run_again()))
        }
        () = super::terminal::told_to_end() => Ok(Left::Quit),
    };
    drop(reading);
    feed::finish(lanes, quick).await;
    for effect in update(&mut state, Event::Quiet) {
        if let Effect::Call { method, params, .. } = effect {
            let _kept: Result<Value, _> = api.call(method, params).await;
        }
    }
    result
}

async fn turn(
    state: &mut State,
    mut happening: Receiver<Event>,
    mut lines: Receiver<Zeroizing<String>>,
    lanes: &Lanes,
) -> Result<Left, Failure> {
    let mut echo = Echo::of_terminal();
    let mut aloud = Aloud::default();
    let mut minute = interval(MINUTE);
    minute.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut touched, mut idle) = (Instant::now(), !echo.is_there());
    let mut todo = state.begin();
    loop {
        if let Some(left) = carry_out_plain(state, lanes, todo) {
            return Ok(left);
        }
        let locked = matches!(state.curtain, Curtain::Locked { .. });
        if locked && !echo.is_there() {
            return Err(Failure::usage(text::no_terminal(), text::use_passphrase_file()));
        }
        // Hidden before it is asked for.
        echo.show(!locked)?;
        aloud.tell(state, &mut io::stdout().lock())?;
        todo = tokio::select! {
            event = happening.recv() => match event {
                Some(event) => update(state, event),
                None => return Ok(Left::Quit),
            },
            // Before there is a room a line could only be lost.
            line = lines.recv(), if locked || !state.current.is_empty() => match line {
                Some(line) => {
                    (touched, idle) = (Instant::now(), !echo.is_there());
                    entered(state, &line)
                }
                None => return Ok(Left::Quit),
            },
            _ = minute.tick() => update(state, Event::Minute(Timestamp::now().to_string())),
            () = sleep_until(touched + IDLE), if !idle => {
                idle = true;
                update(state, Event::Idle)
            }
        };
    }
}

/// A line was entered: an answer to what was asked last, a command, or a message.
fn entered(state: &mut State, line: &str) -> Vec<Effect> {
    let press = |state: &mut State, code: Code| update(state, Event::Key(Key::from(code)));
    if matches!(state.curtain, Curtain::Locked { .. }) {
        update(state, Event::Paste(line.to_owned()));
        return press(state, Code::Enter);
    }
    match &mut state.panel {
        None => {
            state.compose.line = Line::with(line.to_owned());
            press(state, Code::Enter)
        }
        Some(_) if line.trim().is_empty() => press(state, Code::Esc),
        Some(Panel::List(list)) => match line.trim().parse::<usize>() {
            Ok(number) if (1..=list.items.len()).contains(&number) => {
                list.at = number - 1;
                press(state, Code::Enter)
            }
            _ => {
                list.query = list.query.take().map(|_| Line::default());
                update(state, Event::Paste(line.to_owned()))
            }
        },
        Some(Panel::Prompt(prompt)) => {
            prompt.line = Line::with(line.to_owned());
            press(state, Code::Enter)
        }
        Some(Panel::Confirm(_)) => {
            press(state, line.trim().chars().next().map_or(Code::Esc, Code::Char))
        }
        Some(Panel::Help(_) | Panel::Page(_) | Panel::Select) => {
            state.panel = None;
            entered(state, line)
        }
    }
}

/// What was read aloud already.
#[derive(Default)]
struct Aloud {
    title: String,
    /// The messages of the open room, as they were said.
    messages: HashMap<String, String>,
    notice: Option<String>,
    banners: Vec<String>,
    panel: Option<Panel>,
    unread: HashMap<String, u64>,
    /// What was said of the lock.
    locked: Option<String>,
}

impl Aloud {
    /// Says what is new.
    fn tell(&mut self, state: &State, out: &mut impl Write) -> io::Result<()> {
        if let Curtain::Locked { said, waiting, .. } = &state.curtain {
            return self.lock(state, said.as_deref(), *waiting, out);
        }
        if self.locked.take().is_some() {
            writeln!(out, "{}", text::unlocked())?;
        }
        let banners: Vec<String> =
            edges::banners(state, usize::from(WIDE.width)).iter().map(Row::text).collect();
        for banner in banners.iter().filter(|banner| !self.banners.contains(banner)) {
            writeln!(out, "{}", banner.trim())?;
        }
        self.banners = banners;
        self.room(state, out)?;
        for entry in &state.entries {
            let before = self.unread.insert(entry.key.clone(), entry.unread).unwrap_or_default();
            if entry.unread > before && entry.key != state.current {
                let said = (state.words().unread_in)(&entry.name.line(), entry.unread);
                writeln!(out, "{said}")?;
            }
        }
        if state.notice != self.notice {
            self.notice.clone_from(&state.notice);
            if let Some(notice) = &self.notice {
                writeln!(out, "{notice}")?;
            }
        }
        if state.panel != self.panel {
            self.panel.clone_from(&state.panel);
            self.panel(state, out)?;
        }
        out.flush()
    }

    /// Asks for the passphrase, and says why again.
    fn lock(
        &mut self,
        state: &State,
        said: Option<&str>,
        waiting: bool,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let words = state.words();
        // What is typed stands behind what is asked, unseen, and so is its line end.
        let now = match (waiting, said) {
            (true, _) => format!("\n{}\n", words.unlocking),
            (false, Some(said)) => format!("{said}\n{}", text::ask_passphrase()),
            (false, None) => format!("{}. {}", words.locked, text::ask_passphrase()),
        };
        if self.locked.as_ref() != Some(&now) {
            write!(out, "{now}")?;
            self.locked = Some(now);
        }
        out.flush()
    }

    fn room(&mut self, state: &State, out: &mut impl Write) -> io::Result<()> {
        let title = edges::title(state, usize::from(WIDE.width));
        let Some(timeline) = state.timeline() else { return Ok(()) };
        if title != self.title {
            writeln!(out, "== {title}")?;
            self.title = title;
            self.messages.clear();
        }
        if self.messages.len() > 2 * KEPT {
            self.messages.retain(|id, _| timeline.index(id).is_some());
        }
        let paper = state.paper_of(usize::from(WIDE.width));
        let first = timeline.messages.len().saturating_sub(LAST);
        for (at, message) in timeline.messages.iter().enumerate() {
            let known = self.messages.get(&message.id);
            if known.is_none() && at < first && !self.messages.is_empty() {
                continue;
            }
            if known.is_none() && at < first {
                continue;
            }
            let rows = paper.block(timeline, at);
            let lines: Vec<String> = rows.iter().map(|row| spoken(&row.text())).collect();
            let text = lines.join("\n");
            if known != Some(&text) {
                writeln!(out, "{text}")?;
                self.messages.insert(message.id.clone(), text);
            }
        }
        Ok(())
    }

    fn panel(&self, state: &State, out: &mut impl Write) -> io::Result<()> {
        let words = state.words();
        if let Some(Panel::List(List { title, items, .. })) = &state.panel {
            writeln!(out, "-- {title}")?;
            for (number, item) in items.iter().enumerate() {
                writeln!(out, "{}. {}  {}", number + 1, item.text, item.note)?;
            }
            return writeln!(out, "{}", words.pick);
        }
        let Some(sheet) = sheet(state, usize::from(WIDE.width), usize::from(WIDE.height)) else {
            return Ok(());
        };
        writeln!(out, "-- {}", sheet.title)?;
        for row in sheet.rows.iter().filter(|row| row.columns() > 0) {
            writeln!(out, "{}", row.text().trim_end())?;
        }
        Ok(())
    }
}

/// Without the blanks and lines that only please the eye.
fn spoken(row: &str) -> String {
    let words = row.split_whitespace().filter(|word| !word.chars().all(|c| c == '-'));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::state::Ask;
    use super::super::state::tests::world::{World, message, no, setup};
    use super::*;
    use crate::text::screen::EN;

    fn told(aloud: &mut Aloud, world: &World) -> String {
        let mut out = Vec::new();
        aloud.tell(&world.state, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn plain() -> (World, Aloud) {
        let mut world = World::with(Setup { ascii: true, no_colour: true, ..setup(&EN, WIDE) });
        world.settle();
        let mut aloud = Aloud::default();
        assert!(told(&mut aloud, &world).contains("== # general"));
        (world, aloud)
    }

    #[test]
    fn what_happens_is_read_aloud_once_and_without_ornament() {
        let (mut world, mut aloud) = plain();
        world.hears(message("a", "general", 1, "The hall is *confirmed*", false));
        let said = told(&mut aloud, &world);
        assert!(said.ends_with("09:12 v Karim The hall is confirmed\n"), "{said:?}");
        assert_eq!(told(&mut aloud, &world), "");
        world.hears(json!({"type": "edit", "id": "e", "target": "a", "text": "moved"}));
        assert!(told(&mut aloud, &world).contains("moved (edited)"));
        world.hears(message("b", "press", 2, "news", false));
        assert_eq!(told(&mut aloud, &world), "press: 1 unread\n");
        world.hears(json!({"type": "alarm", "text": "look"}));
        assert_eq!(told(&mut aloud, &world), "ALARM: look\n");
    }

    #[test]
    fn locked_it_asks_and_takes_the_line_for_the_passphrase() {
        let (mut world, mut aloud) = plain();
        world.hears(json!({"type": "locked"}));
        assert_eq!(told(&mut aloud, &world), "Locked. Passphrase: ");
        assert_eq!(told(&mut aloud, &world), "");
        assert_eq!(entered(&mut world.state, "not this one"), [Effect::Unlock]);
        assert_eq!(*world.state.take_passphrase(), "not this one");
        assert_eq!(told(&mut aloud, &world), "\nUnlocking …\n");
        world.answer(Ask::Unlock, Err(no("the passphrase is wrong")));
        assert_eq!(told(&mut aloud, &world), "The passphrase is wrong.\nPassphrase: ");
        world.hears(json!({"type": "unlocked"}));
        assert!(told(&mut aloud, &world).starts_with("The profile is unlocked.\n"));
        assert!(world.sent().is_empty());
    }

    #[test]
    fn lines_are_messages_commands_and_answers() {
        let (mut world, mut aloud) = plain();
        let effects = entered(&mut world.state, "hello");
        assert_eq!(effects, [super::super::state::tests::world::send("general", "hello")]);
        entered(&mut world.state, "/go pres");
        assert!(told(&mut aloud, &world).contains("== # press"));
        entered(&mut world.state, "/invtie");
        assert!(told(&mut aloud, &world).contains("Nothing was sent"));
        world.state.compose = Default::default();
        entered(&mut world.state, "/revoke Paul");
        assert!(told(&mut aloud, &world).contains("Cut off Paul"));
        assert!(entered(&mut world.state, "").is_empty());
        entered(&mut world.state, "/revoke Paul");
        let effects = entered(&mut world.state, "y");
        assert!(matches!(effects.as_slice(), [Effect::Call { method: "revoke", .. }]));
        entered(&mut world.state, "/approve");
        let invites = json!([{"id": "i", "name": "Nora", "state": "asking", "expires_at": "soon",
            "asking": {"name": "Nora", "device": "phone"}}]);
        world.answer(Ask::Invites, Ok(invites));
        assert!(told(&mut aloud, &world).contains("1. Nora asks to come in"));
        entered(&mut world.state, "1");
        let effects = entered(&mut world.state, "a b c d e");
        assert!(matches!(effects.as_slice(), [Effect::Call { method: "invite.approve", .. }]));
    }
}
