//! The examples of `deploy/bots/` do what they say, started as a person would start them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use staffetta_tests::process::Process;
use staffetta_tests::{Staff, World, binaries, eventually};

const LAB: &str = "lab";

fn example(name: &str) -> String {
    let path = binaries::workspace().join("deploy/bots").join(name);
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Whether a program is there; else says that nothing is shown here.
fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    let there = command.status().is_ok_and(|status| status.success());
    if !there {
        println!("skipped: {program} is not there");
    }
    there
}

/// A team with a bot in the room `lab`, whose profile nobody holds.
fn team() -> (World, Staff) {
    let world = World::usual();
    let mut bot = world.admit_unseen("helper", "computer", "bot");
    world.room(LAB, &["helper"]);
    bot.go_offline();
    (world, bot)
}

fn run(bot: &Staff, program: &[&str], environment: &[(&str, &Path)]) -> Process {
    let mut command = bot.command(&[&["bot", "run", "--"], program].concat());
    command.envs(environment.iter().copied());
    Process::start(program[0], &mut command)
}

fn is_said_once(by: &Staff, text: &str) {
    by.reads(LAB, text);
    let said = by.texts(LAB);
    assert_eq!(said.iter().filter(|it| *it == text).count(), 1, "{said:?}");
}

#[test]
fn the_shortest_bots_answer_what_came_while_they_were_down_too() {
    let (world, bot) = team();
    for (program, file) in [("python3", "echo.py"), ("node", "echo.mjs")] {
        if !is_there(program) {
            continue;
        }
        let (before, after) = (format!("before {program}"), format!("after {program}"));
        world.founder.ok(&["send", LAB, &before]);
        let mut running = run(&bot, &[program, &example(file)], &[]);
        is_said_once(&world.founder, &format!("echo: {before}"));
        world.founder.ok(&["send", LAB, &after]);
        is_said_once(&world.founder, &format!("echo: {after}"));
        assert_eq!(running.terminate(), 0, "{:#?}", running.stderr.to_the_end());
    }
}

#[test]
fn a_reminder_comes_when_it_is_due_although_the_bot_was_killed_meanwhile() {
    if !is_there("python3") {
        return;
    }
    let (world, bot) = team();
    let file = example("reminder.py");
    let mut running = run(&bot, &["python3", &file], &[]);
    world.founder.ok(&["send", LAB, "!remind 2s take the bread out"]);
    is_said_once(&world.founder, "I will.");
    running.kill();
    let _running = run(&bot, &["python3", &file], &[]);
    is_said_once(&world.founder, "@Karim take the bread out");
}

#[test]
fn a_feed_tells_what_is_new_and_not_what_was_there() {
    if !is_there("python3") {
        return;
    }
    let (world, bot) = team();
    let feed = world.dir().join("feed.xml");
    let item = |name: &str| {
        format!("<item><guid>{name}</guid><title>{name}</title><link>l/{name}</link></item>")
    };
    let publish = |items: &str| {
        // At once: it may just be read.
        let new = feed.with_extension("new");
        fs::write(&new, format!("<rss><channel>{items}</channel></rss>")).unwrap();
        fs::rename(new, &feed).unwrap();
    };
    publish(&item("old"));
    let url = PathBuf::from(format!("file://{}", feed.display()));
    let environment = [("FEED", url.as_path()), ("ROOM", LAB.as_ref()), ("EVERY", "1".as_ref())];
    let _running = run(&bot, &["python3", &example("feed.py")], &environment);
    let key = serde_json::json!({"key": url.to_str().unwrap()});
    eventually("the first look is kept", || {
        staffetta_tests::rpc::Rpc::open(&bot.profile)?;
        (!bot.call("kv.get", key.clone())["value"].is_null()).then_some(())
    });
    publish(&[item("new"), item("old")].concat());
    is_said_once(&world.founder, "new\nl/new");
    assert!(!world.founder.texts(LAB).iter().any(|text| text.contains("old")));
}

#[test]
fn files_of_a_room_are_dropped_into_a_directory() {
    if !is_there("python3") {
        return;
    }
    let (world, bot) = team();
    let (drop, sent) = (world.dir().join("drop"), world.dir().join("plan.txt"));
    fs::write(&sent, "the plan").unwrap();
    let _running = run(&bot, &["python3", &example("file_drop.py")], &[("DROP", &drop)]);
    world.founder.ok(&["file", "send", LAB, sent.to_str().unwrap()]);
    let saved = eventually("the file is there", || {
        let file = fs::read_dir(&drop).ok()?.flatten().next()?.path();
        (fs::read(&file).ok()? == b"the plan").then_some(file)
    });
    assert!(saved.to_str().unwrap().ends_with("-plan.txt"), "{saved:?}");
}

#[test]
fn a_command_that_fails_raises_an_alert_and_a_pipe_reads_it() {
    let (world, mut bot) = team();
    bot.go_online();
    // What the script calls `staffetta`: the client with this profile.
    let programs = world.dir().join("bin");
    fs::create_dir(&programs).unwrap();
    let (client, profile) = (binaries::client(), &bot.profile);
    let script = format!(
        "#!/bin/sh\nexec '{}' --profile '{}' \"$@\"\n",
        client.display(),
        profile.display()
    );
    let staffetta = programs.join("staffetta");
    fs::write(&staffetta, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&staffetta, mode).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args([&example("alert.sh"), "sh", "-c", "echo the disk is full; exit 3"]);
    let ended = shell.env("PATH", &path).env("ROOM", LAB).status().unwrap();
    assert_eq!(ended.code(), Some(3), "the command's own code");
    is_said_once(&world.founder, "sh ended with 3\nthe disk is full");
    if !is_there("jq") {
        return;
    }
    let reading = "staffetta read lab --json | jq -r 'select(.type == \"message\") | \"\\(.from): \\(.text)\"'";
    let read = Command::new("sh").args(["-c", reading]).env("PATH", &path).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&read.stdout),
        "helper: sh ended with 3\nthe disk is full\n"
    );
}
