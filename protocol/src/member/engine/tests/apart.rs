//! Two parts of the team come to the spare relay at different moments, and are one again.

use serde_json::json;

use super::chaos::Choices;
use super::moving::{NEW, addresses, goes_to_the_next, names_the_next, swap};
use super::relay::Relay;
use super::team::{KARIM, LEA, PAUL, SOFIA};
use super::world::World;
use crate::member::agent::core::{Core as _, Down};

const ALL: [usize; 4] = [LEA, KARIM, SOFIA, PAUL];

/// Lea and Karim are cut off; Sofia and Paul read on at the old relay and do `meanwhile`. Then it is
/// gone. The spare relay's log begins where Lea and Karim stood.
fn halves(meanwhile: impl FnOnce(&mut World)) -> (World, Relay) {
    let mut world = World::with(&["Karim", "Sofia", "Paul"]);
    world.room(LEA, "press", &["Karim", "Sofia", "Paul"]);
    world.ok(LEA, "team.role", json!({"member": "Sofia", "role": "admin"}));
    world.settle(30_000);
    names_the_next(&mut world);
    world.ok(KARIM, "send", json!({"room": "press", "text": "before"}));
    world.run();
    let new = world.relay.restored();
    world.disconnect(LEA);
    world.disconnect(KARIM);
    meanwhile(&mut world);
    world.run();
    world.disconnect(SOFIA);
    world.disconnect(PAUL);
    (world, new)
}

fn says(world: &mut World, at: usize, texts: &[&str]) {
    for text in texts {
        world.ok(at, "send", json!({"room": "press", "text": text}));
    }
}

fn goes(world: &mut World, all: &[usize]) {
    for at in all {
        goes_to_the_next(world, *at);
    }
    comes_to_rest(world, all);
}

/// Everybody of them has time to do what there is to do, and calls again when it has hung up.
fn comes_to_rest(world: &mut World, all: &[usize]) {
    for _ in 0..90 {
        world.pass(2_000);
        for at in all {
            if world.devices[*at].cursor.is_none() && addresses(world, *at) == [NEW] {
                world.connect(*at);
            }
        }
        world.run();
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// All have all of it, each once, and stand at the same epoch.
fn are_one(world: &mut World, texts: &[&str]) {
    for at in ALL {
        assert_eq!(world.standing(at, "press"), "active", "{at}: {:?}", world.alarms(at));
        let mut wanted: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        wanted.sort();
        let order = world.texts(at, "press");
        assert_eq!(order, world.texts(LEA, "press"), "one order: {at}");
        assert_eq!(sorted(order), wanted, "{at}");
        assert_eq!(addresses(world, at), [NEW]);
        assert!(world.devices[at].engine.memory.profile.stopped.is_none());
        let alarms = world.alarms(at);
        let accusing =
            ["another past", "another list", "another log than this", "different states"];
        assert!(!alarms.iter().any(|a| accusing.iter().any(|b| a.contains(b))), "{at}: {alarms:?}");
    }
    for room in ["press", "general"] {
        world.assert_agree(room, &ALL);
    }
}

#[test]
fn two_halves_of_the_team_that_moved_at_different_moments_converge() {
    let (mut world, mut new) = halves(|world| {
        says(world, SOFIA, &["s1", "s2"]);
        says(world, PAUL, &["p1"]);
    });
    swap(&mut world, &mut new);
    goes(&mut world, &[LEA, KARIM]);
    says(&mut world, LEA, &["l1"]);
    says(&mut world, KARIM, &["k1", "k2", "k3", "k4"]);
    goes(&mut world, &[SOFIA, PAUL]);
    comes_to_rest(&mut world, &ALL);
    are_one(&mut world, &["before", "s1", "s2", "p1", "l1", "k1", "k2", "k3", "k4"]);
    says(&mut world, SOFIA, &["here"]);
    world.run();
    for at in ALL {
        assert_eq!(world.texts(at, "press").last().unwrap(), "here", "{at}");
        assert!(world.alarms(at).iter().any(|a| a.contains("different moments")), "{at}");
    }
}

#[test]
fn a_room_that_went_on_in_one_half_goes_on_for_both() {
    let (mut world, mut new) = halves(|world| {
        says(world, SOFIA, &["s1"]);
        world.ok(SOFIA, "room.set", json!({"room": "press", "topic": "the vote"}));
        says(world, PAUL, &["p1"]);
    });
    swap(&mut world, &mut new);
    goes(&mut world, &[LEA, KARIM]);
    says(&mut world, KARIM, &["k1"]);
    goes(&mut world, &[SOFIA, PAUL]);
    comes_to_rest(&mut world, &ALL);
    are_one(&mut world, &["before", "s1", "p1", "k1"]);
}

#[test]
fn a_room_that_went_on_differently_in_both_halves_goes_on_as_the_first_had_it() {
    let (mut world, mut new) = halves(|world| {
        says(world, SOFIA, &["s1"]);
        world.ok(SOFIA, "room.set", json!({"room": "press", "topic": "the vote"}));
        says(world, PAUL, &["p1"]);
    });
    swap(&mut world, &mut new);
    goes(&mut world, &[LEA, KARIM]);
    says(&mut world, KARIM, &["k1"]);
    world.ok(LEA, "room.set", json!({"room": "press", "topic": "the day after"}));
    says(&mut world, KARIM, &["k2"]);
    comes_to_rest(&mut world, &[LEA, KARIM]);
    goes(&mut world, &[SOFIA, PAUL]);
    comes_to_rest(&mut world, &ALL);
    are_one(&mut world, &["before", "s1", "p1", "k1", "k2"]);
    says(&mut world, PAUL, &["here"]);
    world.run();
    assert!(world.texts(LEA, "press").contains(&"here".to_owned()));
}

#[test]
fn changes_of_the_team_in_both_halves_stand_in_one_order() {
    let (mut world, mut new) = halves(|world| {
        says(world, SOFIA, &["s1"]);
        let words = world.ok(SOFIA, "verify", json!({"member": "Paul"}))[0]["words"].clone();
        let heard = json!({"member": "Paul", "words": words});
        assert_eq!(world.ok(SOFIA, "verify", heard)[0]["verified"], true);
    });
    swap(&mut world, &mut new);
    goes(&mut world, &[LEA, KARIM]);
    world.ok(LEA, "team.policy", json!({"receipts": true}));
    says(&mut world, KARIM, &["k1"]);
    goes(&mut world, &[SOFIA, PAUL]);
    comes_to_rest(&mut world, &ALL);
    are_one(&mut world, &["before", "s1", "k1"]);
    let head =
        |world: &World, at: usize| world.devices[at].engine.memory.roster().unwrap().head().hash;
    for at in ALL {
        assert!(head(&world, at) == head(&world, LEA), "{at}");
    }
}

#[test]
fn a_device_that_is_killed_while_it_finds_its_place_goes_on() {
    let (mut world, mut new) = halves(|world| says(world, SOFIA, &["s1", "s2"]));
    swap(&mut world, &mut new);
    goes(&mut world, &[LEA, KARIM]);
    says(&mut world, KARIM, &["k1", "k2", "k3"]);
    goes_to_the_next(&mut world, PAUL);
    for at in [SOFIA, PAUL] {
        world.disconnect(at);
        world.pass(6_000);
        for _ in 0..6 {
            world.restart(at);
            if addresses(&world, at) != [NEW] {
                world.pass(6_000);
                world.devices[at].engine.down(world.now, Down::Unreachable);
                world.pass(6_000);
                world.devices[at].engine.down(world.now, Down::Unreachable);
            }
            world.connect(at);
            world.turn(at);
            world.turn(at);
        }
    }
    comes_to_rest(&mut world, &ALL);
    are_one(&mut world, &["before", "s1", "s2", "k1", "k2", "k3"]);
}

#[test]
fn a_spare_relay_that_shows_two_pasts_is_caught() {
    let (mut world, mut new) = halves(|world| says(world, SOFIA, &["s1", "s2"]));
    // Its cells are those of the old relay, its hashes are not.
    swap(&mut world, &mut new);
    goes(&mut world, &[LEA]);
    let at = world.relay.hashes.len() - 1;
    world.relay.hashes[at].0[0] ^= 1;
    goes_to_the_next(&mut world, SOFIA);
    for _ in 0..4 {
        world.pass(2_000);
        if world.devices[SOFIA].engine.dial().is_some() {
            world.connect(SOFIA);
        }
        world.run();
    }
    assert!(world.devices[SOFIA].engine.memory.profile.stopped.is_some());
}

#[test]
fn a_revocation_in_one_half_holds_for_both() {
    let (mut world, mut new) = halves(|world| {
        world.ok(SOFIA, "revoke", json!({"member": "Karim"}));
        says(world, SOFIA, &["s1"]);
        world.settle(20_000);
    });
    swap(&mut world, &mut new);
    goes(&mut world, &[LEA, KARIM]);
    // Their list of the team goes on as well: the revocation is to be signed again.
    world.ok(LEA, "team.policy", json!({"receipts": true}));
    says(&mut world, KARIM, &["k1"]);
    goes(&mut world, &[SOFIA, PAUL]);
    comes_to_rest(&mut world, &[LEA, SOFIA, PAUL]);
    comes_to_rest(&mut world, &[LEA, SOFIA, PAUL]);
    let rest = [LEA, SOFIA, PAUL];
    for at in rest {
        let team = world.ok(at, "team", json!({}));
        let karim = team.as_array().unwrap().iter().find(|row| row["member"] == "Karim").cloned();
        assert!(karim.is_none_or(|row| row["devices"].as_array().is_none_or(Vec::is_empty)));
        let texts = sorted(world.texts(at, "press"));
        // What he said apart is nobody's any more to say again.
        assert!(
            texts == ["before", "k1", "s1"] || at != LEA && texts == ["before", "s1"],
            "{texts:?}"
        );
    }
    for room in ["press", "general"] {
        world.assert_agree(room, &rest);
    }
    says(&mut world, SOFIA, &["without him"]);
    world.run();
    assert_ne!(world.standing(KARIM, "press"), "active");
}

/// What a half of the team does while it is alone.
fn lives(world: &mut World, who: [usize; 2], choices: &mut Choices, said: &mut Vec<String>) {
    let admin = who[0];
    for number in 0..6 + choices.below(10) {
        let at = who[choices.below(2)];
        match choices.below(8) {
            0 => drop(world.ok(
                at,
                "room.set",
                json!({"room": "press", "topic": format!("{at} {number}")}),
            )),
            1 => {
                let on = choices.below(2) == 0;
                drop(world.ok(admin, "team.policy", json!({"receipts": on})));
            }
            2 => world.settle(20_000),
            3 => {
                world.restart(at);
                world.connect(at);
            }
            _ => {
                let text = format!("{at} says {number}");
                says(world, at, &[&text]);
                said.push(text);
            }
        }
        world.run();
    }
}

#[test]
fn halves_that_did_anything_meanwhile_converge() {
    for seed in [1, 2] {
        let mut choices = Choices(seed);
        let mut said = vec!["before".to_owned()];
        let (mut world, mut new) =
            halves(|world| lives(world, [SOFIA, PAUL], &mut choices, &mut said));
        swap(&mut world, &mut new);
        goes(&mut world, &[LEA, KARIM]);
        lives(&mut world, [LEA, KARIM], &mut choices, &mut said);
        let order = [[SOFIA, PAUL], [PAUL, SOFIA]][choices.below(2)];
        goes(&mut world, &order);
        comes_to_rest(&mut world, &ALL);
        comes_to_rest(&mut world, &ALL);
        are_one(&mut world, &said.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
