//! The screen read aloud: lines in, lines out, for screen readers, dumb terminals and pipes.

use staffetta_tests::terminal::{Terminal, client, key};
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World};

const PASSPHRASE: &str = "correct horse battery Karim";

fn plain(staff: &Staff) -> std::process::Command {
    client(&["--profile", staff.profile.to_str().expect("a path in UTF-8"), "--plain"])
}

fn enters(terminal: &Terminal, line: &str) {
    terminal.types(line);
    terminal.types(key::ENTER);
}

#[test]
fn a_line_is_a_message_and_what_comes_is_a_line() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    lea.ok(&["send", GENERAL, "said before"]);
    world.founder.reads(GENERAL, "said before");
    world.founder.go_offline();
    let mut his = Terminal::start(&plain(&world.founder), 80, 24);
    his.shows("Passphrase:");
    enters(&his, PASSPHRASE);
    his.shows("== # general");
    his.shows("said before");
    enters(&his, "sent as a line");
    lea.reads(GENERAL, "sent as a line");
    let orders = "\u{1b}]0;owned\u{7}\u{1b}[2Jgone \u{202e}live\u{202c} \u{9b}31m \u{e0041}tag end";
    let sent = lea.run_with_input(&["send", GENERAL, "-"], orders.as_bytes());
    assert_eq!(sent.code, 0, "{sent:?}");
    his.shows("tag end");
    let written = String::from_utf8_lossy(&his.written()).into_owned();
    for bad in ['\u{1b}', '\u{7}', '\u{202e}', '\u{202c}', '\u{9b}', '\u{e0041}'] {
        assert!(!written.contains(bad), "{bad:?} was written to the terminal");
    }
    enters(&his, "/qiut");
    his.shows("Nothing was sent");
    enters(&his, "/quit");
    assert_eq!(his.ends(), 0);
    assert!(his.is_restored());
    assert_eq!(lea.texts(GENERAL).len(), 3, "{:?}", lea.texts(GENERAL));
}

#[test]
fn locked_it_asks_for_the_passphrase_unseen_and_goes_on() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    world.founder.go_offline();
    let mut his = Terminal::start(&plain(&world.founder), 80, 24);
    his.shows("Passphrase:");
    enters(&his, PASSPHRASE);
    his.shows("== # general");
    enters(&his, "/lock");
    his.shows("Locked. Passphrase:");
    enters(&his, "not the passphrase");
    his.shows("The passphrase is wrong");
    enters(&his, PASSPHRASE);
    his.shows("The profile is unlocked.");
    lea.ok(&["send", GENERAL, "said meanwhile"]);
    his.shows("said meanwhile");
    enters(&his, "seen as it is typed");
    lea.reads(GENERAL, "seen as it is typed");
    let written = String::from_utf8_lossy(&his.written()).into_owned();
    assert!(!written.contains("horse") && !written.contains("not the passphrase"), "{written}");
    his.types(&key::control('d'));
    assert_eq!(his.ends(), 0);
    assert!(his.is_restored());
    assert_eq!(lea.texts(GENERAL), ["said meanwhile", "seen as it is typed"]);
}

#[test]
fn without_a_terminal_it_says_what_is_missing_and_a_pipe_with_a_file_will_do() {
    let mut world = World::usual();
    world.founder.go_offline();
    let path = world.founder.profile.to_str().expect("a path in UTF-8").to_owned();
    let nobody = Staff::known(world.dir(), "Nobody");
    let said = nobody.run(&["--plain"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("staffetta join"), "{said:?}");
    for (args, what) in
        [(vec!["--plain"], "--passphrase-file"), (vec![], "The screen needs a terminal")]
    {
        let mut alone = client(&[&["--profile", path.as_str()], args.as_slice()].concat());
        let done = alone.stdin(std::process::Stdio::null()).output().expect("the client runs");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(what), "{said}");
    }
    let piped = world.founder.run_with_input(&["--plain"], b"from a pipe\n/quit\n");
    assert_eq!(piped.code, 0, "{piped:?}");
    assert!(piped.stdout.contains("== # general"), "{piped:?}");
    world.founder.go_online();
    world.founder.reads(GENERAL, "from a pipe");
}
