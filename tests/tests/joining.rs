//! Coming in, with all that may come between.

use serde_json::Value;
use staffetta_tests::process::Process;
use staffetta_tests::world::{GENERAL, five_words};
use staffetta_tests::{Relay, Staff, World, eventually};

fn joining(newcomer: &Staff, code: &str) -> Process {
    newcomer.start(&["join", code, "--name", &newcomer.name, "--device", "laptop", "--json"])
}

#[test]
fn an_interrupted_join_goes_on_with_the_same_words() {
    let mut world = World::usual();
    let (id, code) = world.invite(&["Lea"]);
    let mut lea = Staff::new(world.dir(), "Lea");

    // Killed while it waits, and once more with the relay killed as well.
    let mut first = joining(&lea, &code);
    let words = five_words(&first);
    first.kill();
    let mut second = joining(&lea, &code);
    assert_eq!(five_words(&second), words);
    world.relay.kill();
    second.kill();
    world.relay.serve();
    world.founder.is_connected();

    // Asked for the words only.
    let said = lea.ok(&["join", &code, "--name", "Lea", "--device", "laptop", "--no-wait"]);
    let shown: Vec<_> = said[0]["words"].as_array().expect("words").clone();
    assert_eq!(shown.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "), words);

    // Approved while the newcomer is away.
    world.founder_sees(&id, "asking");
    world.founder.ok(&["approve", &id, "--words", &words]);
    let mut last = joining(&lea, &code);
    assert_eq!(last.wait(), 0, "{:#?}", last.stderr.to_the_end());
    lea.go_online();
    world.founder.ok(&["send", GENERAL, "welcome"]);
    lea.reads(GENERAL, "welcome");
    world.founder_sees(&id, "used");
    // Once in, the command has nothing more to do.
    lea.go_offline();
    lea.fails(1, &["join", &code, "--name", "Lea"]);
}

#[test]
fn the_second_use_of_a_code_is_refused_with_the_time_of_the_first() {
    let world = World::usual();
    let (id, code) = world.invite(&["Lea"]);
    let lea = Staff::new(world.dir(), "Lea");
    let mut first = joining(&lea, &code);
    let words = five_words(&first);
    world.founder_sees(&id, "asking");

    let thief = Staff::new(world.dir(), "Mallory");
    let done = thief.fails(1, &["join", &code, "--name", "Mallory"]);
    let said = done.stderr.to_lowercase();
    assert!(said.contains("already used at") && said.contains("admin"), "{said}");
    // The first is let in all the same.
    world.founder.ok(&["approve", &id, "--words", &words]);
    assert_eq!(first.wait(), 0, "{:#?}", first.stderr.to_the_end());
    let team = world.founder.ok(&["team"]);
    assert!(team.iter().all(|it| it["member"] != "Mallory"), "{team:?}");
}

#[test]
fn a_thief_of_the_code_shows_other_words_and_gets_nothing_and_both_others_are_told() {
    let world = World::usual();
    let (id, code) = world.invite(&["Lea"]);
    let thief = Staff::new(world.dir(), "Thief");
    let mut stolen = thief.start(&["join", &code, "--name", "Lea", "--json"]);
    let shown = five_words(&stolen);
    world.founder_sees(&id, "asking");

    // The rightful newcomer is told that she is late, and calls.
    let lea = Staff::new(world.dir(), "Lea");
    let said = lea.fails(1, &["join", &code, "--name", "Lea"]).stderr.to_lowercase();
    assert!(said.contains("already used at") && said.contains("call your admin"), "{said}");
    world.founder.status_comes("is alarmed", |status| {
        let alarms = status["alarms"].as_array().expect("a list");
        alarms.iter().any(|it| it.as_str().expect("a text").contains("Somebody else tried"))
    });
    // She has no words to say; whatever is typed, the thief's are not among what anybody hears.
    let guess = "abandon ability able about above";
    assert_ne!(shown, guess);
    world.founder.fails(1, &["approve", &id, "--words", guess]);
    world.founder.ok(&["reject", &id]);
    assert_eq!(stolen.wait(), 1, "{:#?}", stolen.stderr.to_the_end());
    let team = world.founder.ok(&["team"]);
    assert_eq!(team.len(), 1, "{team:?}");
    world.founder.ok(&["send", GENERAL, "who was that?"]);
    thief.fails(1, &["read", GENERAL]);

    // With a fresh code she comes in.
    let (id, code) = world.invite(&["Lea"]);
    let lea = Staff::new(world.dir(), "Lea again");
    let words = {
        let mut joining = lea.start(&["join", &code, "--name", "Lea", "--json"]);
        let words = five_words(&joining);
        world.founder_sees(&id, "asking");
        world.founder.ok(&["approve", &id, "--words", &words]);
        assert_eq!(joining.wait(), 0, "{:#?}", joining.stderr.to_the_end());
        words
    };
    assert_ne!(words, shown);
}

#[test]
fn an_interrupted_founding_is_finished_by_the_same_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut relay = Relay::init(dir.path(), "Campagne");
    relay.serve();
    let mut founder = Staff::new(dir.path(), "Karim");
    let code = relay.founder_code.clone();
    let file = founder.home().join("root-words");
    let words = file.to_str().expect("a path in UTF-8").to_owned();
    let join = ["join", &code, "--name", "Karim", "--root-words-file", &words, "--json"];

    // Killed each time it has reached the relay once more, however far it has come by then.
    let mut is_in = false;
    for _ in 0..5 {
        let before = relay.proxy.accepted();
        let mut attempt = founder.start(&join);
        let ended = eventually("the relay is reached, or it has ended", || {
            (relay.proxy.accepted() > before || !attempt.is_alive()).then(|| !attempt.is_alive())
        });
        if ended {
            is_in |= attempt.wait() == 0;
            break;
        }
        attempt.kill();
    }
    if !is_in {
        let last = founder.run(&join);
        // The attempt that was killed last may have been through, and only not have said so.
        let was_through = last.code == 1 && last.stderr.contains("already a member");
        assert!(last.code == 0 || was_through, "{last:?}");
    }
    let written = std::fs::read_to_string(&file).expect("the root words");
    assert_eq!(written.split_whitespace().count(), 24);
    founder.go_online();
    founder.ok(&["send", GENERAL, "founded"]);
    assert_eq!(founder.texts(GENERAL), ["founded"]);
    assert_eq!(founder.ok(&["team"]).len(), 1);
}
