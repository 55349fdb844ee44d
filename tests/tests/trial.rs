//! The one command with which a stranger tries the project.

use std::os::unix::fs::symlink;
use std::process::Command;

use staffetta_tests::binaries;
use staffetta_tests::process::Process;

#[test]
fn the_trial_script_talks_stops_the_relay_and_finds_nothing_on_its_disk() {
    let dir = tempfile::tempdir().expect("a directory");
    let programs = [
        ("staffetta", binaries::client()),
        ("staffetta-relay", binaries::relay()),
        ("echo_bot", binaries::echo_bot()),
    ];
    for (name, path) in programs {
        symlink(path, dir.path().join(name)).expect("a link");
    }
    let mut script = Command::new(binaries::workspace().join("deploy/try.sh"));
    script.arg("--no-tui").arg("--bin").arg(dir.path()).env("TMPDIR", dir.path());
    let mut trial = Process::start("try.sh", &mut script);
    let code = trial.wait();
    let (said, shown) = (trial.stderr.to_the_end(), trial.stdout.to_the_end());
    assert_eq!(code, 0, "{said:#?}\n{shown:#?}");
    let found = shown.iter().find(|line| line.ends_with(" secrets found")).expect("the search");
    assert!(found.starts_with("0 of "), "{found}");
    assert!(shown.iter().any(|line| line.contains("echo: ")), "the bot answered: {shown:#?}");
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("a directory").collect();
    assert_eq!(left.len(), 3, "it leaves nothing behind: {left:?}");
}
