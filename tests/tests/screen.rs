//! Living in the screen: at real terminals, with a relay that comes and goes.

use rustix::process::Signal;
use staffetta_tests::terminal::{Terminal, key};
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World};

const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// Opens the screen of somebody whose agent is not running: the screen holds the profile itself.
fn open(staff: &mut Staff) -> Terminal {
    staff.go_offline();
    let terminal = Terminal::start(&staff.command::<&str>(&[]), COLUMNS, ROWS);
    terminal.shows(GENERAL);
    staff.is_connected();
    terminal
}

fn say(terminal: &Terminal, text: &str) {
    terminal.types(text);
    terminal.types(key::ENTER);
}

#[test]
fn two_people_talk_from_screen_to_screen() {
    let mut world = World::usual();
    let mut lea = world.admit("Lea", "laptop");
    let hers = open(&mut lea);
    let his = open(&mut world.founder);
    say(&his, "The hall is confirmed for 19:00.");
    hers.shows("The hall is confirmed for 19:00.");
    say(&hers, "Great, I print 200 copies.");
    his.shows("Great, I print 200 copies.");
    // What is being written is nobody else's business.
    hers.types("not finished");
    say(&his, "Thank you.");
    hers.shows("Thank you.");
    assert!(!his.screen().contains("not finished"));
    // Nobody sees half a frame.
    assert!(his.frames() > 0 && his.held_frames() >= his.frames());
    his.quits();
    hers.quits();
}

#[test]
fn a_relay_killed_under_their_hands_loses_nothing_and_blocks_nothing() {
    let mut world = World::usual();
    let mut lea = world.admit("Lea", "laptop");
    let hers = open(&mut lea);
    let his = open(&mut world.founder);
    say(&hers, "before");
    his.shows("before");
    world.relay.kill();
    lea.status_comes("has noticed", |status| status["connected"] == false);
    // The screen goes on: what is written is shown at once and waits.
    say(&hers, "written while it was dead");
    hers.shows("written while it was dead");
    say(&his, "and this as well");
    his.shows("and this as well");
    world.relay.serve();
    his.shows("written while it was dead");
    hers.shows("and this as well");
    lea.has_sent_everything();
    let texts = lea.texts(GENERAL);
    assert_eq!(texts.len(), 3, "{texts:?}");
    his.quits();
    hers.quits();
}

#[test]
fn a_closed_window_or_a_kill_loses_nothing_that_was_queued() {
    let mut world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let mut hers = open(&mut lea);
    world.relay.proxy.cut();
    lea.status_comes("has noticed", |status| status["connected"] == false);
    say(&hers, "before the window is closed");
    lea.reads(GENERAL, "before the window is closed");
    hers.hangs_up();

    let mut again = Terminal::start(&lea.command::<&str>(&[]), COLUMNS, ROWS);
    again.shows("before the window is closed");
    say(&again, "before the kill");
    lea.reads(GENERAL, "before the kill");
    again.is_killed();

    let mut third = Terminal::start(&lea.command::<&str>(&[]), COLUMNS, ROWS);
    third.shows("before the kill");
    third.signal(Signal::TERM);
    assert_eq!(third.ends(), 0);
    assert!(third.is_restored());

    world.relay.proxy.mend();
    lea.go_online();
    lea.has_sent_everything();
    world.founder.reads(GENERAL, "before the kill");
    let texts = world.founder.texts(GENERAL);
    assert_eq!(texts, ["before the window is closed", "before the kill"]);
}

#[test]
fn what_is_entered_last_is_not_lost_when_one_leaves_at_once() {
    let mut world = World::usual();
    let mut his = open(&mut world.founder);
    his.types(&["the last word", key::ENTER, &key::control('q')].concat());
    assert_eq!(his.ends(), 0);
    world.founder.go_online();
    world.founder.reads(GENERAL, "the last word");
}

#[test]
fn a_mistyped_command_sends_nothing() {
    let mut world = World::usual();
    let his = open(&mut world.founder);
    say(&his, "/invit Lea");
    his.shows("Nothing was sent");
    assert!(world.founder.texts(GENERAL).is_empty());
    his.types(&key::control('u'));
    his.quits();
}

#[test]
fn what_others_write_never_reaches_the_terminal_as_orders() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let his = open(&mut world.founder);
    let orders = "\u{1b}]0;owned\u{7}\u{1b}[2Jgone \u{202e}live\u{202c} \u{9b}31m \u{e0041}\u{e0042}tag \u{200b}end";
    let sent = lea.run_with_input(&["send", GENERAL, "-"], orders.as_bytes());
    assert_eq!(sent.code, 0, "{sent:?}");
    his.shows("end");
    let written = String::from_utf8_lossy(&his.written()).into_owned();
    for bad in ['\u{7}', '\u{202e}', '\u{202c}', '\u{9b}', '\u{e0041}', '\u{e0042}', '\u{200b}'] {
        assert!(!written.contains(bad), "{bad:?} was written to the terminal");
    }
    for order in ["\u{1b}]0;owned", "\u{1b}[2Jgone", "31m \u{e0041}"] {
        assert!(!written.contains(order), "{order:?}");
    }
    his.quits();
}

#[test]
fn a_window_that_changes_its_size_keeps_what_one_reads_and_writes() {
    let mut world = World::usual();
    let texts: Vec<String> = (1..=60).map(|n| format!("message number {n}.")).collect();
    world.founder.queue(GENERAL, &texts);
    world.founder.has_sent_everything();
    let his = open(&mut world.founder);
    his.shows("message number 60.");
    his.types("a draft");
    his.types(key::PAGE_UP);
    his.types(key::PAGE_UP);
    his.shows_no_longer("message number 60.");
    for (columns, rows) in [(60, 20), (200, 50), (80, 24)] {
        his.resizes(columns, rows);
        let last = usize::from(rows) - 1;
        his.comes_to("its last row", |screen| {
            screen.lines().nth(last)?.contains("^Q").then_some(())
        });
        his.shows("a draft");
        his.shows("message number");
    }
    his.types(key::PAGE_DOWN);
    his.types(key::PAGE_DOWN);
    his.types(key::PAGE_DOWN);
    his.shows("message number 60.");
    his.shows("a draft");
    his.quits();
}

#[test]
fn two_hundred_pasted_lines_are_one_message() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let his = open(&mut world.founder);
    let lines: Vec<String> = (1..=200).map(|n| format!("line {n}")).collect();
    // As terminals paste: with carriage returns.
    his.pastes(&lines.join("\r"));
    // So much is not put into a line unasked.
    his.shows("200 lines");
    his.types("y");
    his.shows("line 200");
    his.types(key::ENTER);
    lea.reads(GENERAL, &lines.join("\n"));
    assert_eq!(lea.texts(GENERAL).len(), 1);
    his.quits();
}

#[test]
fn a_locked_screen_shows_nothing_and_opens_with_the_passphrase_alone() {
    let mut world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let his = open(&mut world.founder);
    say(&his, "before the lock");
    lea.reads(GENERAL, "before the lock");
    his.types("a draft");
    his.shows("a draft");
    his.types(&key::control('l'));
    his.shows("Locked");
    assert!(!his.screen().contains("before the lock") && !his.screen().contains("a draft"));
    lea.ok(&["send", GENERAL, "said meanwhile"]);
    say(&his, "not the passphrase");
    his.shows("wrong");
    assert!(!his.screen().contains("said meanwhile"));
    say(&his, "correct horse battery Karim");
    his.shows("said meanwhile");
    his.shows("before the lock");
    his.shows("a draft");
    assert_eq!(lea.texts(GENERAL), ["before the lock", "said meanwhile"]);
    his.quits();
}
