//! Figures of the screen over a room of 100,000 messages: what it does between an event and the
//! frame that shows it. The agent is a table in memory; what its database takes is measured beside
//! the store.

use std::io;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use serde_json::{Value, json};

use super::geometry::Size;
use super::key::Code;
use super::state::tests::world::{World, control, message, setup};
use super::state::{Effect, Event};
use super::view;
use crate::text::screen::EN;

const MESSAGES: u64 = 100_000;
const SIZE: Size = Size { width: 200, height: 50 };

type Screen = Terminal<CrosstermBackend<io::Sink>>;

/// What this thread has computed so far, whatever else the machine does meanwhile: on a machine
/// that has nothing else to do it is the time that passes.
fn computed() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split_whitespace().next().unwrap().parse().unwrap();
    Duration::from_nanos(nanoseconds)
}

fn stored(n: u64) -> Value {
    let text =
        format!("message {n}: *some* words, a link https://x.example/{n} and what follows it");
    message(&format!("m{n}"), "general", n, &text, n.is_multiple_of(3))
}

/// What the agent would answer to `read`.
fn read(params: &Value) -> Value {
    let place = |field: &str| {
        let id = params[field].as_str()?.strip_prefix('m')?;
        id.parse::<u64>().ok()
    };
    let limit = params["limit"].as_u64().unwrap();
    let (from, to) = match (place("before"), place("since"), place("around")) {
        (Some(before), ..) => (before.saturating_sub(limit), before),
        (_, Some(since), _) => (since + 1, (since + 1 + limit).min(MESSAGES)),
        (.., Some(middle)) => (middle.saturating_sub(limit / 2), middle + limit / 2 + 1),
        _ => (MESSAGES - limit, MESSAGES),
    };
    (from..to).map(stored).collect()
}

fn draw(screen: &mut Screen, world: &mut World) -> bool {
    if !world.state.take_changed() {
        return false;
    }
    screen.draw(|frame| view::draw(frame, &world.state)).unwrap();
    true
}

/// One event, what it leads to, and the frame.
fn step(screen: &mut Screen, world: &mut World, event: Event) -> Duration {
    let begun = computed();
    let mut todo = world.happens(event);
    while let Some(effect) = todo.pop() {
        if let Effect::Call { ask, method: "read", params, .. } = effect {
            todo.extend(world.answer(ask, Ok(read(&params))));
        }
    }
    draw(screen, world);
    computed() - begun
}

fn report(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{what}: n {} p50 {:?} p99 {:?} max {:?}", times.len(), at(0.5), at(0.99), at(1.0));
    at(0.99)
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

#[test]
#[ignore = "prints figures and holds the targets: cargo test -p staffetta -- --ignored --nocapture"]
fn a_room_of_100_000_messages_is_quick() {
    let area = Rect::new(0, 0, SIZE.width, SIZE.height);
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let mut screen = Terminal::with_options(CrosstermBackend::new(io::sink()), options).unwrap();
    let mut world = World::with(setup(&EN, SIZE));
    let begun = computed();
    world.settle();
    world.loaded(read(&json!({"limit": 200})));
    draw(&mut screen, &mut world);
    println!("start: {:?}", computed() - begun);
    assert!(computed() - begun < Duration::from_secs(1));

    let key = |code: Code| Event::Key(code.into());
    let up = (0..600).map(|_| step(&mut screen, &mut world, key(Code::PageUp))).collect();
    assert!(report("page up", up) < Duration::from_millis(50));
    let down = (0..600).map(|_| step(&mut screen, &mut world, key(Code::PageDown))).collect();
    assert!(report("page down", down) < Duration::from_millis(50));

    world.key(control('f'));
    let hits: Value = (0..100).map(|n| stored(n * 997)).collect();
    let search = (0..500).map(|n| {
        let begun = computed();
        let typed = char::from(b'a' + u8::try_from(n % 26).unwrap());
        for effect in world.press(if n % 20 == 19 { Code::Home } else { Code::Char(typed) }) {
            if let Effect::Call { ask, .. } = effect {
                world.answer(ask, Ok(hits.clone()));
            }
        }
        draw(&mut screen, &mut world);
        computed() - begun
    });
    let search = search.collect();
    assert!(report("search", search) < Duration::from_millis(50));
    world.press(Code::Esc);

    // Ten keys a second among 500 messages a second in this room and others, and as many cells of
    // others, of which the agent tells nothing. Bursts of one frame each, as the screen takes them.
    let (mut frames, mut typing) = (0, Vec::new());
    for n in 0..1_000_u64 {
        for m in 0..5 {
            let room = ["general", "press", "legal"][usize::try_from(m % 3).unwrap()];
            let id = format!("new{n}-{m}");
            world.hears(message(&id, room, MESSAGES + n * 5 + m, "something new", false));
        }
        let begun = computed();
        world.press(Code::Char('x'));
        frames += usize::from(draw(&mut screen, &mut world));
        typing.push(computed() - begun);
        if n % 100 == 99 {
            world.clear();
        }
    }
    println!("frames drawn: {frames}");
    assert!(report("typing", typing) < Duration::from_millis(16));
    println!("most memory: {} MiB", resident_mib());
    assert!(resident_mib() < 150);
}
