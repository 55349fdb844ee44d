//! Programs of any language: `bot run` gives them JSON-RPC over standard input and output.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use staffetta_tests::{Staff, World, eventually};

const PROGRAM: &str = env!("CARGO_BIN_EXE_stdio_bot");

/// A bot in a room `lab`, whose profile nobody holds.
fn bot(world: &World) -> Staff {
    let mut bot = world.admit_unseen("echo", "computer", "bot");
    world.room("lab", &["echo"]);
    bot.go_offline();
    bot
}

fn texts(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("text {n}")).collect()
}

/// Every text is answered, once.
fn each_is_echoed_once(by: &Staff, texts: &[String]) {
    for text in texts {
        by.reads("lab", &format!("echo: {text}"));
    }
    let said = by.texts("lab");
    for text in texts {
        let answers = said.iter().filter(|it| **it == format!("echo: {text}")).count();
        assert_eq!(answers, 1, "{text}: {said:?}");
    }
}

/// The ids that a program has noted as acknowledged, each once.
fn acknowledged(ledger: &Path) -> BTreeSet<String> {
    let noted = std::fs::read_to_string(ledger).unwrap_or_default();
    let ids: BTreeSet<String> = noted.lines().map(str::to_owned).collect();
    assert_eq!(ids.len(), noted.lines().count(), "acknowledged twice");
    ids
}

fn ledger(world: &World) -> (PathBuf, String) {
    let path = world.dir().join("ledger");
    let text = path.to_str().expect("a path in UTF-8").to_owned();
    (path, text)
}

#[test]
fn a_program_that_dies_is_run_again_misses_nothing_and_what_it_printed_counts() {
    let world = World::usual();
    let bot = bot(&world);
    let (path, ledger) = ledger(&world);
    let mut running = bot.start(&["bot", "run", "--", PROGRAM, "die-after", "3", &ledger]);
    let texts = texts(0, 8);
    world.founder.queue("lab", &texts);
    each_is_echoed_once(&world.founder, &texts);
    eventually("everything is acknowledged", || {
        let open = bot.call("deliveries", json!({}));
        (open["events"] == json!([])).then_some(())
    });
    acknowledged(&path);
    assert!(running.stderr.all().iter().any(|line| line.contains("ended with 7")));
    assert_eq!(running.terminate(), 0, "{:#?}", running.stderr.to_the_end());
    assert!(!bot.socket().exists());
}

#[test]
fn a_program_outlives_the_agent_it_works_through() {
    let world = World::usual();
    let mut bot = bot(&world);
    let (path, ledger) = ledger(&world);
    bot.go_online();
    let mut running = bot.start(&["bot", "run", "--", PROGRAM, "echo", &ledger]);
    world.founder.queue("lab", &texts(0, 3));
    each_is_echoed_once(&world.founder, &texts(0, 3));
    // What its supervisor does now, it does as the profile's holder.
    bot.kill();
    world.founder.queue("lab", &texts(3, 6));
    each_is_echoed_once(&world.founder, &texts(0, 6));
    eventually("everything is noted", || (acknowledged(&path).len() == 6).then_some(()));
    assert_eq!(running.terminate(), 0, "{:#?}", running.stderr.to_the_end());
}

#[test]
fn what_is_no_request_is_answered_with_its_code_and_the_session_goes_on() {
    let world = World::usual();
    let bot = bot(&world);
    let (path, ledger) = ledger(&world);
    let answers = world.dir().join("answers");
    let script = format!(
        r#"printf 'garbage\n[]\n{{"jsonrpc":"2.0","id":[1],"method":"ping"}}\n'
        printf '{{"jsonrpc":"2.0","id":"x","method":"nonsense"}}\n\377\376\n'
        printf '{{"jsonrpc":"2.0","id":null,"method":"send","params":{{"room":7,"text":[]}}}}\n'
        printf '[{{"jsonrpc":"2.0","id":2,"method":"ping"}}]\n'
        head -c 10000000 /dev/zero | tr '\0' x; echo
        n=0; while [ $n -lt 8 ]; do IFS= read -r line; case $line in
            *'"error"'*) n=$((n + 1)); printf '%s\n' "$line" ;; esac
        done > '{}'
        exec '{PROGRAM}' echo '{ledger}'"#,
        answers.display()
    );
    let mut running = bot.start(&["bot", "run", "--", "sh", "-c", &script]);
    let mut codes = eventually("eight answers", || {
        let answers = std::fs::read_to_string(&answers).ok()?;
        let code = |line| serde_json::from_str::<Value>(line).ok()?["error"]["code"].as_i64();
        let codes: Vec<i64> = answers.lines().filter_map(code).collect();
        (codes.len() == 8).then_some(codes)
    });
    codes.sort_unstable();
    assert_eq!(codes, [-32_700, -32_700, -32_602, -32_601, -32_600, -32_600, -32_600, -32_600]);
    world.founder.queue("lab", &texts(0, 2));
    each_is_echoed_once(&world.founder, &texts(0, 2));
    eventually("both are noted", || (acknowledged(&path).len() == 2).then_some(()));
    assert_eq!(running.terminate(), 0);
}

#[test]
fn a_program_that_does_not_read_holds_up_nobody_and_nothing_is_lost() {
    let world = World::usual();
    let bot = bot(&world);
    let (_, ledger) = ledger(&world);
    let mut deaf = bot.start(&["bot", "run", "--window", "4", "--", PROGRAM, "deaf"]);
    deaf.stderr.wait_for("the profile is held", |line| (line == "ready").then_some(()));
    world.founder.queue("lab", &texts(0, 20));
    bot.reads("lab", "text 19");
    let open = bot.call("deliveries", json!({"window": 1024}));
    assert_eq!(open["events"].as_array().map(Vec::len), Some(20));
    assert_eq!(deaf.terminate(), 0, "{:#?}", deaf.stderr.to_the_end());
    let _running = bot.start(&["bot", "run", "--", PROGRAM, "echo", &ledger]);
    each_is_echoed_once(&world.founder, &texts(0, 20));
}

#[test]
fn a_program_that_cannot_be_started_is_refused_at_once() {
    let world = World::usual();
    let bot = bot(&world);
    let said = bot.fails(1, &["bot", "run", "--", "/nonexistent/program"]);
    assert!(said.stderr.contains("cannot be started"), "{said:?}");
    bot.fails(2, &["bot", "run"]);
    bot.fails(2, &["bot", "run", "--window", "0", "--", "true"]);
}
