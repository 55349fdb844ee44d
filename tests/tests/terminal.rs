//! People at real terminals: every story types keys and reads the screen, as somebody would.

use std::process::Command;

use staffetta_tests::terminal::{Terminal, client, key};
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World};

const COLUMNS: u16 = 80;
const ROWS: u16 = 24;
/// What the newcomer chooses.
const PASSPHRASE: &str = "seven plain words of my own";

/// The screen of somebody's profile.
fn screen_of(staff: &Staff) -> Command {
    client(&["--profile".as_ref(), staff.profile.as_os_str()])
}

fn open(staff: &Staff) -> Terminal {
    Terminal::start(&screen_of(staff), COLUMNS, ROWS)
}

/// The five words that stand on the screen.
fn five_words(terminal: &Terminal) -> String {
    terminal.comes_to("five words", |screen| {
        let (_, after) = screen.split_once("five words:")?;
        let line = after.lines().find(|line| !line.trim().is_empty())?;
        (line.split_whitespace().count() == 5).then(|| line.trim().to_owned())
    })
}

/// Leads a newcomer through the first run; counts what is typed beyond code, name and passphrase.
fn first_run(terminal: &Terminal, pasted: &str, name: &str) -> usize {
    terminal.shows("Paste the invitation");
    terminal.pastes(pasted);
    terminal.shows("That is a whole invitation");
    terminal.types(key::ENTER);
    terminal.shows("[ Yes ]");
    terminal.types(key::ENTER);
    terminal.shows("your name");
    terminal.types(name);
    terminal.types(key::ENTER);
    terminal.shows("passphrase");
    terminal.types(PASSPHRASE);
    terminal.types(key::ENTER);
    4 * key::ENTER.len()
}

#[test]
fn first_run_from_a_pasted_code_to_the_first_message() {
    let world = World::usual();
    let (id, code) = world.invite(&["Lea"]);
    let mut lea = Staff::new(world.dir(), "Lea");
    let terminal = open(&lea);
    let mail = format!("Bonjour Lea,\nvoici ton invitation :\n\n    {code}\n\nKarim");
    let typed = first_run(&terminal, &mail, "Lea");
    assert!(typed <= 60, "{typed} characters beyond code, name and passphrase");
    // Typed while keys are made: nobody asked for it.
    terminal.shows_no_longer("passphrase");
    terminal.types("dropped");

    let words = five_words(&terminal);
    assert!(terminal.screen().contains("Karim"));
    world.founder_sees(&id, "asking");
    world.founder.ok(&["approve", &id, "--words", &words]);
    terminal.shows(GENERAL);
    terminal.types("Bonjour de Lea");
    terminal.types(key::ENTER);
    world.founder.reads(GENERAL, "Bonjour de Lea");
    assert_eq!(world.founder.texts(GENERAL), ["Bonjour de Lea"]);

    // She leaves and comes back to where she was.
    terminal.quits();
    let passphrase = lea.home().join("typed");
    staffetta_tests::staff::write_private(&passphrase, PASSPHRASE);
    lea.use_passphrase_file(passphrase);
    lea.go_online();
    let again = open(&lea);
    again.shows("Bonjour de Lea");
}

#[test]
fn a_wrong_third_group_is_said_while_it_is_typed() {
    let world = World::usual();
    let (_, code) = world.invite(&["Lea"]);
    let lea = Staff::new(world.dir(), "Lea");
    let (host, symbols) = code.split_once('/').expect("HOST/SYMBOLS");
    let mut groups: Vec<String> = symbols.split('-').map(str::to_owned).collect();
    let other = if groups[2].starts_with('A') { "B" } else { "A" };
    groups[2].replace_range(0..1, other);
    let terminal = open(&lea);
    terminal.shows("Paste the invitation");
    terminal.types(&format!("{host}/{}", groups.join("-")));
    terminal.shows("The third group of the code is wrong.");
    terminal.types(key::ENTER);
    terminal.types(&key::control('u'));
    terminal.types(&code);
    terminal.shows("That is a whole invitation");
    assert!(!lea.profile.exists(), "a mistyped code makes no profile");
}

#[test]
fn a_founder_reads_the_root_words_once_and_comes_into_the_room() {
    let world = World::usual();
    let mut relay = staffetta_tests::Relay::init(&world.dir().join("second"), "Campagne Deux");
    relay.serve();
    let founder = Staff::new(world.dir(), "Nadia");
    let terminal = open(&founder);
    first_run(&terminal, &relay.founder_code, "Nadia");
    terminal.shows("These 24 words");
    terminal.shows("24 ");
    terminal.types(key::ENTER);
    // The room only after the words are gone: its name may be one of them.
    terminal.shows_no_longer("These 24 words");
    terminal.shows(GENERAL);
    assert!(!terminal.screen().contains("These 24 words"));
    terminal.quits();
}

#[test]
fn a_screen_that_begins_during_a_command_says_so_and_goes_on_without_it() {
    let mut world = World::usual();
    world.founder.ok(&["send", GENERAL, "Before."]);
    let command = world.begin_to_wait();
    let terminal = open(&world.founder);
    terminal.shows("Waiting for another");
    world.ends_waiting(command);
    terminal.shows("Passphrase:");
    terminal.types("correct horse battery Karim");
    terminal.types(key::ENTER);
    terminal.shows("Before.");
    terminal.quits();
}

#[test]
fn a_newcomer_killed_while_waiting_goes_on_waiting() {
    let world = World::usual();
    let (id, code) = world.invite(&["Lea"]);
    let lea = Staff::new(world.dir(), "Lea");
    let mut terminal = open(&lea);
    first_run(&terminal, &code, "Lea");
    let words = five_words(&terminal);
    world.founder_sees(&id, "asking");
    terminal.is_killed();

    let again = open(&lea);
    again.shows("Passphrase:");
    again.types(PASSPHRASE);
    again.types(key::ENTER);
    assert_eq!(five_words(&again), words);
    assert!(again.screen().contains("Karim"));
    world.founder.ok(&["approve", &id, "--words", &words]);
    again.shows(GENERAL);
    again.types("Here I am.");
    again.types(key::ENTER);
    world.founder.reads(GENERAL, "Here I am.");
}

/// The code that stands on the screen.
fn code_on(terminal: &Terminal) -> String {
    terminal.comes_to("a code", |screen| {
        let words = screen.split_whitespace();
        let mut codes = words.filter(|word| {
            let Some((_, symbols)) = word.split_once('/') else { return false };
            let groups: Vec<&str> = symbols.split('-').collect();
            groups.len() == 6 && groups.iter().all(|group| group.len() == 5)
        });
        codes.next().map(str::to_owned)
    })
}

#[test]
fn somebody_is_invited_approved_and_cut_off_by_keys_alone() {
    let mut world = World::usual();
    world.founder.go_offline();
    let his = Terminal::start(&world.founder.command::<&str>(&[]), COLUMNS, ROWS);
    his.shows(GENERAL);
    world.founder.is_connected();
    let command = |text: &str| {
        his.types(text);
        his.types(key::ENTER);
    };
    command("/invite Nora");
    let code = code_on(&his);
    his.types(key::ESC);

    let nora = Staff::new(world.dir(), "Nora");
    let hers = open(&nora);
    first_run(&hers, &code, "Nora");
    let words = five_words(&hers);
    his.shows("Nora asks to come in");
    assert!(!his.screen().contains(&words), "who approves hears the words and never sees them");
    command("/approve");
    his.shows("Enter: approve");
    his.types(key::ENTER);
    his.shows("type the five words");
    assert!(!his.screen().contains(&words), "who approves hears the words and never sees them");
    command(&words);
    his.shows("Nora is in");
    hers.shows(GENERAL);
    hers.types("Hello from Nora");
    hers.types(key::ENTER);
    his.shows("Hello from Nora");

    command("/revoke @Nora");
    his.shows("Cut off Nora");
    his.types("y");
    his.shows("Nora is cut off");
    let team = world.founder.ok(&["team"]);
    let states: Vec<_> =
        team.iter().filter(|it| it["member"] == "Nora").map(|it| it["state"].clone()).collect();
    assert_eq!(states, ["revoked"]);
    hers.types("said too late");
    hers.types(key::ENTER);
    hers.shows("revoked");
    assert!(!world.founder.texts(GENERAL).iter().any(|text| text == "said too late"));
}

#[test]
fn somebody_who_was_not_expected_leaves_the_invitation_unused() {
    let world = World::usual();
    let (id, code) = world.invite(&["Lea"]);
    let wary = Staff::new(world.dir(), "Wary");
    let mut terminal = open(&wary);
    terminal.shows("Paste the invitation");
    terminal.pastes(&code);
    terminal.shows("That is a whole invitation");
    terminal.types(key::ENTER);
    terminal.shows("invited by Karim");
    terminal.types(key::DOWN);
    terminal.types(key::ENTER);
    terminal.shows("Nothing was sent");
    terminal.types(&key::control('q'));
    assert_eq!(terminal.ends(), 0);
    assert!(!wary.profile.exists(), "who is wary makes no profile");
    world.founder_sees(&id, "open");
    // Whom it was meant for comes in with it.
    world.let_in(Staff::new(world.dir(), "Lea"), &id, &code, "laptop");
}
