//! Two devices change one room at the same moment.

use staffetta_tests::{Staff, World, eventually};

/// Rounds of the race; who wins is up to the relay's log.
const ROUNDS: usize = 5;

fn ends_on_one_epoch(room: &str, all: &[&Staff]) -> u64 {
    eventually("all are on one epoch", || {
        let epochs: Option<Vec<_>> = all.iter().map(|staff| staff.epoch(room)).collect();
        let epochs = epochs?;
        epochs.windows(2).all(|two| two[0] == two[1]).then(|| epochs[0].0)
    })
}

#[test]
fn two_commits_for_one_epoch_end_on_one_epoch_and_the_losers_intent_is_carried_out() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let sofia = world.admit_unseen("Sofia", "phone", "member");
    let paul = world.admit_unseen("Paul", "tablet", "member");
    for round in 0..ROUNDS {
        let room = format!("race {round}");
        world.room(&room, &["Lea"]);
        let before = ends_on_one_epoch(&room, &[&world.founder, &lea]);

        // Both decide on the same epoch, because neither hears of the other.
        world.relay.proxy.cut();
        let mut both = [
            world.founder.start(&["room", "add", &room, "Sofia"]),
            lea.start(&["room", "add", &room, "Paul"]),
        ];
        world.founder.status_comes("has heard of the cut", |status| status["connected"] == false);
        world.relay.proxy.mend();
        for add in &mut both {
            assert_eq!(add.wait(), 0, "{:#?}", add.stderr.to_the_end());
        }

        let all = [&world.founder, &lea, &sofia, &paul];
        for staff in all {
            eventually(&format!("{} is in the room", staff.name), || {
                let rooms = staff.ok(&["room", "list"]);
                rooms.iter().any(|it| it["name"] == room.as_str()).then_some(())
            });
        }
        let after = ends_on_one_epoch(&room, &all);
        assert!(after >= before + 2, "two commits won: {before} to {after}");
        for staff in all {
            assert_eq!(staff.members(&room), ["Karim", "Lea", "Paul", "Sofia"]);
        }
        // Nobody is lost: everybody reads everybody.
        for (n, staff) in all.iter().enumerate() {
            staff.ok(&["send", &room, &format!("{n} is here")]);
        }
        for staff in all {
            for n in 0..all.len() {
                staff.reads(&room, &format!("{n} is here"));
            }
        }
    }
}

#[test]
fn an_own_commit_that_comes_back_is_recognised_and_a_rival_behind_it_is_not_merged() {
    let mut world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let sofia = world.admit_unseen("Sofia", "phone", "member");
    let paul = world.admit_unseen("Paul", "tablet", "member");
    world.room("press", &["Lea"]);
    ends_on_one_epoch("press", &[&world.founder, &lea]);

    // Each has a commit of its own on its disk; both die before they see it in the log.
    world.relay.proxy.cut();
    let mut both = [
        world.founder.start(&["room", "add", "press", "Sofia"]),
        lea.start(&["room", "add", "press", "Paul"]),
    ];
    for add in &mut both {
        assert_eq!(add.wait(), 69, "it was decided and waits: {:#?}", add.stderr.to_the_end());
    }
    world.founder.kill();
    lea.kill();
    world.relay.proxy.mend();
    world.founder.go_online();
    lea.go_online();

    let all = [&world.founder, &lea, &sofia, &paul];
    for staff in all {
        eventually(&format!("{} is in the room", staff.name), || {
            let rooms = staff.ok(&["room", "list"]);
            rooms.iter().any(|it| it["name"] == "press").then_some(())
        });
    }
    ends_on_one_epoch("press", &all);
    for staff in all {
        let text = format!("{} is here", staff.name);
        staff.ok(&["send", "press", &text]);
        for other in all {
            other.reads("press", &text);
        }
    }
}
