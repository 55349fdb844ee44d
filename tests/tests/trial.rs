//! The one command with which a stranger tries the project.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use staffetta_tests::binaries;
use staffetta_tests::process::Process;
use staffetta_tests::terminal::{Terminal, key};

/// The script, with the programs under test in `dir`, where nothing may be left.
fn script(dir: &Path) -> Command {
    let programs = [
        ("staffetta", binaries::client()),
        ("staffetta-relay", binaries::relay()),
        ("echo_bot", binaries::echo_bot()),
    ];
    for (name, path) in programs {
        symlink(path, dir.join(name)).expect("a link");
    }
    let mut script = Command::new(binaries::workspace().join("deploy/try.sh"));
    script.arg("--bin").arg(dir).env("TMPDIR", dir).env("LC_ALL", "C.UTF-8");
    script
}

fn nothing_is_left(dir: &Path) {
    let left: Vec<_> = std::fs::read_dir(dir).expect("a directory").collect();
    assert_eq!(left.len(), 3, "it leaves nothing behind: {left:?}");
}

#[test]
fn at_a_terminal_the_trial_script_ends_in_the_screen() {
    let dir = tempfile::tempdir().expect("a directory");
    let trial = Terminal::start(&script(dir.path()), 80, 24);
    trial.shows("secrets found");
    trial.shows("general");
    trial.shows("F1 help");
    trial.types("Hello from the trial");
    trial.types(key::ENTER);
    trial.shows("echo: Hello from the trial");
    trial.quits();
    nothing_is_left(dir.path());
}

#[test]
fn the_trial_script_talks_stops_the_relay_and_finds_nothing_on_its_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut script = script(dir.path());
    script.arg("--no-tui");
    let mut trial = Process::start("try.sh", &mut script);
    let code = trial.wait();
    let (said, shown) = (trial.stderr.to_the_end(), trial.stdout.to_the_end());
    assert_eq!(code, 0, "{said:#?}\n{shown:#?}");
    let found = shown.iter().find(|line| line.ends_with(" secrets found")).expect("the search");
    assert!(found.starts_with("0 of "), "{found}");
    assert!(shown.iter().any(|line| line.contains("echo: ")), "the bot answered: {shown:#?}");
    nothing_is_left(dir.path());
}
