//! What goes wrong, said with an exit code, a reason and the next step.

use std::collections::HashSet;

use serde_json::{Value, json};
use staffetta_tests::staff::write_private;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Done, Staff, World, eventually};

fn says(done: &Done, words: &[&str]) {
    let said = done.stderr.to_lowercase();
    for word in words {
        assert!(said.contains(&word.to_lowercase()), "{word:?} is not in {}", done.stderr);
    }
}

#[test]
fn a_wrong_passphrase_is_77_and_changes_nothing() {
    let mut world = World::usual();
    world.founder.ok(&["send", GENERAL, "before"]);
    world.founder.go_offline();
    let wrong = world.dir().join("wrong-passphrase");
    write_private(&wrong, "correct horse battery stapler\n");
    let right = world.founder.use_passphrase_file(wrong);
    for args in [&["read", GENERAL][..], &["send", GENERAL, "no"], &["agent"], &["sync"]] {
        says(&world.founder.fails(77, args), &["passphrase"]);
    }
    world.founder.use_passphrase_file(right);
    let texts: Vec<_> = world.founder.ok(&["read", GENERAL]);
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[test]
fn an_unreachable_relay_is_69_and_the_message_is_queued_and_goes_out_later() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    world.founder.ok(&["send", GENERAL, "reachable"]);
    lea.reads(GENERAL, "reachable");
    world.relay.proxy.cut();

    let failed = world.founder.fails(69, &["send", GENERAL, "queued 1"]);
    says(&failed, &["queued"]);
    let told = failed.json();
    let [told] = &told[..] else { panic!("one object: {failed:?}") };
    assert_eq!((&told["seq"], &told["state"]), (&Value::Null, &"queued".into()));
    let later = world.founder.one(&["send", GENERAL, "queued 2", "--no-wait"]);
    assert_eq!(later["state"], "queued");
    let status = world.founder.one(&["status"]);
    assert_eq!((&status["connected"], &status["queued"]), (&false.into(), &2.into()), "{status}");
    // What is here can still be read.
    assert_eq!(world.founder.ok(&["read", GENERAL, "--limit", "1000"]).len(), 3);

    // Also over an end of the holder.
    world.founder.go_offline();
    world.founder.fails(69, &["sync"]);
    let read = world.founder.run(&["read", GENERAL, "--json"]);
    assert_eq!(read.code, 0, "local data, with a warning: {read:?}");
    assert!(!read.stderr.is_empty() && read.stdout.contains("reachable"), "{read:?}");
    world.relay.proxy.mend();
    world.founder.ok(&["sync"]);
    lea.reads(GENERAL, "queued 2");
    assert_eq!(lea.texts(GENERAL), ["reachable", "queued 1", "queued 2"]);
    let ids: Vec<_> = lea.messages(GENERAL).iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids[1..], [told["id"].clone(), later["id"].clone()]);
}

#[test]
fn unknown_rooms_and_people_are_1_with_the_nearest_names() {
    let world = World::usual();
    let _lea = world.admit_unseen("Lea", "laptop", "member");
    let karim = &world.founder;
    world.room("press", &["Lea"]);
    says(&karim.fails(1, &["send", "pres", "hello"]), &["pres", "press"]);
    says(&karim.fails(1, &["read", "generla"]), &["general"]);
    says(&karim.fails(1, &["room", "members", "presse"]), &["press"]);
    says(&karim.fails(1, &["room", "add", "press", "Leo"]), &["Lea"]);
    says(&karim.fails(1, &["room", "remove", "press", "Lae"]), &["Lea"]);
    says(&karim.fails(1, &["send", "@Lae", "hello"]), &["Lea"]);
    // A name is taken whatever its case.
    says(&karim.fails(1, &["room", "create", "Press"]), &["press"]);
    karim.has_sent_everything();
}

/// The code with one symbol of its third group changed.
fn mistyped(code: &str) -> String {
    let (host, symbols) = code.split_once('/').expect("HOST/SYMBOLS");
    let mut groups: Vec<String> = symbols.split('-').map(str::to_owned).collect();
    let changed = if groups[2].starts_with('A') { "B" } else { "A" };
    groups[2].replace_range(0..1, changed);
    format!("{host}/{}", groups.join("-"))
}

#[test]
fn used_expired_mistyped_and_foreign_codes_are_1_with_what_to_do_next() {
    let mut world = World::usual();
    let join = |who: &Staff, code: &str| who.fails(1, &["join", code, "--name", &who.name]);

    let (_, code) = world.invite(&["--auto-approve", "--ttl", "30m"]);
    let late = Staff::new(world.dir(), "Late");
    says(&join(&late, &mistyped(&code)), &["third group"]);
    assert!(!late.profile.exists(), "a mistyped code makes no profile");
    let nonsense = join(&late, "not a code");
    assert!(!nonsense.stderr.is_empty());

    // Used: a code lets one in.
    let lea = Staff::new(world.dir(), "Lea");
    lea.ok(&["join", &code, "--name", "Lea"]);
    says(&join(&late, &code), &["already used", "admin"]);

    // An existing profile is never joined over.
    let (_, fresh) = world.invite(&["--auto-approve", "--ttl", "30m"]);
    says(&lea.fails(1, &["join", &fresh, "--name", "Lea again"]), &["profile"]);

    // Expired. Long enough to reach the relay on a machine that has much else to do.
    let (id, short) = world.invite(&["--ttl", "5s"]);
    world.founder_sees(&id, "expired");
    let slow = Staff::new(world.dir(), "Slow");
    says(&join(&slow, &short), &["admin"]);

    // The founder code died with the founding.
    let founder_code = world.relay.founder_code.clone();
    let second = Staff::new(world.dir(), "Second");
    says(&join(&second, &founder_code), &["used"]);

    // No relay there at all.
    world.relay.proxy.cut();
    let far = Staff::new(world.dir(), "Far");
    far.fails(69, &["join", &fresh, "--name", "Far"]);
}

#[test]
fn a_rejected_newcomer_is_told_and_a_wrong_word_lets_nobody_in() {
    let world = World::usual();
    let (id, code) = world.invite(&["Paul"]);
    let paul = Staff::new(world.dir(), "Paul");
    let mut joining = paul.start(&["join", &code, "--name", "Paul", "--json"]);
    let words = joining.stdout.wait_for("the five words", |line| {
        let state: Value = serde_json::from_str(line).ok()?;
        let words = state["words"].as_array()?;
        Some(words.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
    });
    world.founder_sees(&id, "asking");
    let mut wrong = words.clone();
    wrong.swap(0, 1);
    assert!(words.iter().collect::<HashSet<_>>().len() > 1, "words differ");
    if wrong == words {
        wrong.swap(0, 2);
    }
    world.founder.fails(1, &["approve", &id, "--words", &wrong.join(" ")]);
    assert!(world.founder.ok(&["team"]).iter().all(|it| it["member"] != "Paul"));
    world.founder.ok(&["reject", &id]);
    assert_eq!(joining.wait(), 1, "{:#?}", joining.stderr.to_the_end());
    assert!(!joining.stderr.to_the_end().is_empty());
}

#[test]
fn a_second_process_on_a_profile_works_through_the_first() {
    let mut world = World::usual();
    // The holder's socket needs no passphrase: a wrong file shows that it is not read.
    let wrong = world.dir().join("wrong-passphrase");
    write_private(&wrong, "something else entirely\n");
    let right = world.founder.use_passphrase_file(wrong);
    world.founder.ok(&["send", GENERAL, "through the holder"]);
    assert_eq!(world.founder.texts(GENERAL), ["through the holder"]);
    assert_eq!(world.founder.one(&["status"])["agent"], true);
    // Many at once.
    let mut senders: Vec<_> = (0..8)
        .map(|n| world.founder.start(&["send", GENERAL, &format!("at once {n}"), "--json"]))
        .collect();
    for sender in &mut senders {
        assert_eq!(sender.wait(), 0, "{:#?}", sender.stderr.to_the_end());
    }
    assert_eq!(world.founder.texts(GENERAL).len(), 9);

    // No holder, no socket; a one-shot command holds the profile itself while it runs.
    world.founder.use_passphrase_file(right);
    let socket = world.founder.socket();
    assert!(socket.exists());
    world.founder.go_offline();
    assert!(!socket.exists());
    world.founder.ok(&["send", GENERAL, "without a holder"]);
    assert!(!socket.exists());
    // Two one-shot commands at the same time wait for each other.
    let mut both = ["one", "two"].map(|text| world.founder.start(&["send", GENERAL, text]));
    for sender in &mut both {
        assert_eq!(sender.wait(), 0, "{:#?}", sender.stderr.to_the_end());
    }
    assert_eq!(world.founder.ok(&["read", GENERAL]).len(), 12);
}

#[test]
fn an_agent_that_begins_during_a_command_takes_over_from_it() {
    let mut world = World::usual();
    let command = world.begin_to_wait();
    world.founder.begin_to_hold();
    // While one more command begins, works through the first and ends, the agent finds it too.
    world.founder.ok(&["status"]);
    world.ends_waiting(command);
    world.founder.agent_answers();
    world.founder.is_connected();
}

#[test]
fn usage_is_2_and_no_profile_is_1() {
    let dir = tempfile::tempdir().expect("a directory");
    let nobody = Staff::new(dir.path(), "Nobody");
    for args in [&["send"][..], &["nonsense"], &["send", "general", "x", "--no-such-flag"]] {
        assert_eq!(nobody.run(args).code, 2, "{args:?}");
    }
    for args in [&["read"][..], &["send", "general", "x"], &["agent"], &["sync"], &["status"]] {
        nobody.fails(1, args);
    }
    assert!(!nobody.profile.exists(), "asking makes nothing");
    let version = nobody.run(&["version", "--json"]);
    assert_eq!(version.code, 0, "{version:?}");
    assert!(version.json()[0]["version"].is_string());
}

#[test]
fn the_socket_answers_what_is_malformed_and_goes_on() {
    let world = World::usual();
    let mut rpc = world.founder.rpc();
    let error = rpc.call("no.such.method", json!({})).expect_err("there is none");
    assert_eq!(error["code"], -32_601);
    let error = rpc.call("send", json!({"room": 7})).expect_err("a room is a text");
    assert_eq!(error["code"], -32_602);
    assert_eq!(rpc.call("ping", json!({})).expect("still there")["v"], 1);
    eventually("the founder is online", || {
        (rpc.call("status", json!({})).ok()?["connected"] == true).then_some(())
    });
}
