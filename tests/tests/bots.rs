//! A bot answers in the rooms it was added to, and misses nothing while it is down.

use std::path::Path;

use staffetta_tests::World;
use staffetta_tests::bots::Lab;
use staffetta_tests::world::GENERAL;

const MISSED: usize = 10;

#[test]
fn a_bot_is_only_where_it_was_added_and_answers_what_it_missed() {
    let world = World::usual();
    let mut bot = world.admit_echo_bot("echo");
    let karim = &world.founder;
    assert_eq!(karim.members(GENERAL), ["Karim"]);
    karim.ok(&["send", GENERAL, "nobody repeats this"]);
    karim.ok(&["room", "create", "lab"]);
    karim.ok(&["room", "add", "lab", "echo"]);
    assert_eq!(karim.members("lab"), ["Karim", "echo"]);
    karim.ok(&["send", "lab", "first"]);
    karim.reads("lab", "echo: first");

    bot.kill();
    let texts: Vec<String> = (0..MISSED).map(|n| format!("missed {n}")).collect();
    for text in &texts {
        karim.ok(&["send", "lab", text]);
    }
    let mut bot = world.run_echo_bot("echo");
    for text in &texts {
        karim.reads("lab", &format!("echo: {text}"));
    }
    // Killed while it answers, it comes back to what it did not acknowledge.
    let more: Vec<String> = (0..MISSED).map(|n| format!("more {n}")).collect();
    karim.queue("lab", &more);
    karim.reads("lab", "echo: more 0");
    bot.kill();
    let _bot = world.run_echo_bot("echo");
    for text in &more {
        karim.reads("lab", &format!("echo: {text}"));
    }

    // It talks neither to itself nor in rooms it is not in, and answers each message once.
    let said = karim.texts("lab");
    assert!(said.iter().all(|text| !text.starts_with("echo: echo:")), "{said:?}");
    for text in texts.iter().chain(&more) {
        let answers = said.iter().filter(|it| **it == format!("echo: {text}")).count();
        assert_eq!(answers, 1, "{text}: {said:?}");
    }
    karim.has_sent_everything();
    assert_eq!(karim.texts(GENERAL), ["nobody repeats this"]);
}

#[test]
fn a_bot_outlives_the_agent_that_it_works_through() {
    let world = World::usual();
    let mut bot = world.admit_unseen("echo", "computer", "bot");
    world.room("lab", &["echo"]);
    let karim = &world.founder;
    let mut running = world.run_echo_bot("echo");
    karim.ok(&["send", "lab", "through the agent"]);
    karim.reads("lab", "echo: through the agent");
    // It takes the profile over: nobody else is there to hold it.
    bot.kill();
    karim.ok(&["send", "lab", "by itself"]);
    karim.reads("lab", "echo: by itself");
    assert!(running.is_alive(), "{:#?}", running.stderr.to_the_end());
    let answers = karim.texts("lab").into_iter().filter(|text| text.starts_with("echo: "));
    assert_eq!(answers.count(), 2, "each is answered once");
    assert_eq!(running.terminate(), 0, "{:#?}", running.stderr.to_the_end());
    assert!(!bot.socket().exists(), "it held the profile and let go of it");
}

#[test]
fn kills_in_random_order_lose_no_message_and_repeat_no_answer() {
    const KILLS: u64 = 8;
    const MESSAGES: usize = 60;
    let mut lab = Lab::new(Path::new(env!("CARGO_BIN_EXE_stdio_bot")));
    let seen = lab.kills(KILLS, MESSAGES, 7);
    assert_eq!(seen.answered, MESSAGES);
    assert!(seen.killed.iter().sum::<u64>() > 0, "{seen:?}");
}
