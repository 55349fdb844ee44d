//! A relay that forks, drops, reorders, replays, rewrites, or keeps everything from one.

use serde_json::json;

use super::hostile::Forged;
use super::team::{KARIM, LEA};
use super::world::World;
use crate::member::agent::core::Core as _;
use crate::random::OsRandom;
use crate::wire::Cells;
use crate::wire::frame::ToDevice;
use crate::wire::ids::{CellId, Digest, Lane};

/// What the relay does, who notices, and what it is called; `None` if there is nothing to notice.
type Row = (&'static str, fn(&mut World), usize, Option<&'static str>);

const ACTIONS: &[Row] = &[
    ("forks, and the others speak first", |w| lie(w, |cells| cells[0].1[500] ^= 1), KARIM, FORK),
    ("forks, and the one it lies to starts again", lie_and_restart, KARIM, FORK),
    ("forks, and the one it lies to speaks first", answer_across_a_fork, LEA, FORK),
    ("drops, and leaves a hole", |w| show(w, 1, 1..2, 2), KARIM, Some("drop")),
    ("drops, and closes the ranks", |w| lie(w, leave_out), KARIM, FORK),
    ("drops, and counts on", |w| show(w, 0, 1..2, 2), KARIM, FORK),
    ("reorders", |w| show_as(w, |cells| cells.swap(0, 1)), KARIM, Some("reorder")),
    ("reorders, and hashes to fit", |w| lie(w, |cells| cells.swap(0, 1)), KARIM, FORK),
    ("replays what was read", show_twice, KARIM, Some("replay")),
    ("replays in one push", |w| show_as(w, |cells| cells.insert(1, cells[0])), KARIM, REPLAY),
    ("replays to one, and hashes to fit", |w| lie(w, replay_first), KARIM, FORK),
    ("replays to everybody, as any member could", replay_to_all, KARIM, None),
    ("rewrites what it has counted", |w| show_as(w, |cells| cells[0].1[500] ^= 1), KARIM, FORK),
    ("rewrites what its author gave it", rewrite_for_all, LEA, Some("rewrite")),
    ("withholds from one for a while", withhold, KARIM, None),
];

const FORK: Option<&str> = Some("fork");
const REPLAY: Option<&str> = Some("replay");

/// Lea has said `one`, which all have read, and then `two` and `three` while Karim was away.
fn world() -> World {
    let mut world = World::with(&["Karim", "Sofia"]);
    say(&mut world, "one");
    world.disconnect(KARIM);
    say(&mut world, "two");
    say(&mut world, "three");
    world
}

fn say(world: &mut World, text: &str) {
    world.ok(LEA, "send", json!({"room": "general", "text": text}));
}

/// Two cells are what Karim has not read: `two` and `three`.
fn unread(world: &World) -> usize {
    world.relay.log.len() - 2
}

/// Karim is shown another past, with hashes to fit, and then the first message across it.
fn lie(world: &mut World, lie: impl FnOnce(&mut Forged)) {
    world.lie_to(KARIM, unread(world), lie);
    world.connect(KARIM);
    world.run();
    say(world, "four");
    world.extend_fork();
    world.run();
}

/// What Karim read before he was started again is compared all the same.
fn lie_and_restart(world: &mut World) {
    world.fork_for(KARIM);
    world.connect(KARIM);
    world.run();
    world.restart(KARIM);
    world.connect(KARIM);
    world.run();
    say(world, "four");
    world.extend_fork();
    world.run();
}

fn leave_out(cells: &mut Forged) {
    cells.remove(0);
}

/// The same cell again, under another id.
fn replay_first(cells: &mut Forged) {
    let copy = (CellId::random(&mut OsRandom), cells[0].1);
    cells.insert(1, copy);
}

fn replay_to_all(world: &mut World) {
    world.replay_last(2);
    world.connect(KARIM);
    world.run();
}

/// Karim, in his past, is the first to speak.
fn answer_across_a_fork(world: &mut World) {
    world.fork_for(KARIM);
    world.connect(KARIM);
    world.run();
    world.begin(KARIM, "send", json!({"room": "general", "text": "four"}));
    world.run();
}

/// A push to Karim, and to nobody else: `cells` of the unread ones from the `first` of them on,
/// with the running hash behind the `hashed` first of them.
fn show(world: &mut World, first: usize, cells: std::ops::Range<usize>, hashed: usize) {
    let from = unread(world);
    let shown = world.relay.log[from..][cells].to_vec();
    push(world, from + first, &shown, world.relay.hashes[from + hashed]);
}

/// Both unread cells after a change, with the true hash.
fn show_as(world: &mut World, change: impl FnOnce(&mut Forged)) {
    let from = unread(world);
    let mut shown = world.relay.log[from..].to_vec();
    change(&mut shown);
    push(world, from, &shown, *world.relay.hashes.last().unwrap());
}

fn show_twice(world: &mut World) {
    show(world, 0, 0..2, 2);
    show(world, 0, 0..2, 2);
}

fn push(world: &mut World, from: usize, cells: &Forged, hash: Digest) {
    if world.devices[KARIM].cursor.is_none() {
        world.connect(KARIM);
    }
    let cells = Cells::collect(cells.iter().map(|(id, cell)| (*id, cell)));
    let push = ToDevice::Push { lane: Lane(0), first: from as u64 + 1, hash, cells };
    let now = world.now;
    world.devices[KARIM].engine.frame(now, push);
    world.relay.silent = true;
    world.turn(KARIM);
}

fn rewrite_for_all(world: &mut World) {
    world.relay.silent = true;
    world.begin(LEA, "send", json!({"room": "general", "text": "four"}));
    world.turn(LEA);
    let last = world.relay.log.len() - 1;
    world.rewrite(last, |cells| {
        cells[0].1[700] ^= 1;
        cells[0].0 = CellId::random(&mut OsRandom);
    });
    world.relay.silent = false;
    world.run();
}

fn withhold(world: &mut World) {
    say(world, "four");
    world.settle(5_000);
    assert_eq!(world.texts(KARIM, "general"), ["one"]);
    world.connect(KARIM);
    world.run();
    assert_eq!(world.texts(KARIM, "general"), ["one", "two", "three", "four"]);
}

#[test]
fn a_hostile_relay_is_caught_by_name_with_the_first_message_and_nothing_wrong_is_shown_as_right() {
    let mut noticed = 0;
    for (what, act, at, name) in ACTIONS {
        let mut world = world();
        act(&mut world);
        let kinds: Vec<_> = world.devices[*at]
            .events
            .iter()
            .filter(|event| event["type"] == "alarm")
            .filter_map(|event| event["kind"].as_str())
            .collect();
        assert_eq!(kinds.first().copied(), *name, "{what}: {kinds:?}");
        noticed += usize::from(!kinds.is_empty());
        world.relay.silent = false;
        for reader in 0..3 {
            let mut texts = world.texts(reader, "general");
            assert!(texts.iter().all(|t| ["one", "two", "three", "four"].contains(&t.as_str())));
            let shown = texts.len();
            texts.sort();
            texts.dedup();
            assert_eq!(texts.len(), shown, "{what}: nothing is shown twice");
        }
    }
    let harmless = ACTIONS.iter().filter(|(.., name)| name.is_none()).count();
    println!(
        "figure: {noticed} of {} actions noticed by name, {harmless} that change nothing",
        ACTIONS.len()
    );
}
