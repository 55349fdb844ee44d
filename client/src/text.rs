//! Every sentence of the client, in English, in one place.

/// What the agent says was wrong, as a sentence.
pub(crate) fn sentence(said: &str) -> String {
    let end = if said.ends_with(['.', '!', '?']) { "" } else { "." };
    next_step(said) + end
}

/// The agent's next step, which may end in a command that no full stop should touch.
pub(crate) fn next_step(said: &str) -> String {
    let mut rest = said.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

// Passphrase.
pub(crate) const ASK_PASSPHRASE: &str = "Passphrase: ";
pub(crate) const ASK_NEW_PASSPHRASE: &str = "Choose a passphrase (six plain words are good): ";
pub(crate) const ASK_AGAIN: &str = "Once more: ";
pub(crate) const PASSPHRASES_DIFFER: &str = "The two passphrases differ.";
pub(crate) const REPEAT: &str = "Nothing was changed. Repeat the command.";
pub(crate) const NO_TERMINAL: &str = "The passphrase is needed and there is no terminal to ask on.";
pub(crate) const USE_PASSPHRASE_FILE: &str = "Use --passphrase-file FILE, or - for standard input.";
pub(crate) const CHECK_PASSPHRASE_FILE: &str =
    "Check what --passphrase-file names. Nothing was changed.";
pub(crate) const PASSPHRASE_EMPTY: &str = "The passphrase is empty.";
pub(crate) const PASSPHRASE_NOT_TEXT: &str = "The passphrase is not UTF-8 text.";
pub(crate) const PASSPHRASE_TOO_LONG: &str = "The passphrase is longer than 4096 bytes.";
pub(crate) const PASSPHRASE_IDEA: &str =
    "Nothing was changed. Six plain words are easy to keep in mind.";
pub(crate) const STDIN_TWICE: &str =
    "Standard input cannot be both the passphrase and the message.";
pub(crate) const STDIN_ONCE: &str = "Put the passphrase in a file, or the message on the line.";

pub(crate) fn passphrase_file_unreadable(why: &str) -> String {
    format!("The passphrase file cannot be read: {why}.")
}

pub(crate) fn passphrase_short(least: usize) -> String {
    format!("The passphrase is shorter than {least} characters.")
}

// Profile and process.
pub(crate) const NO_HOME: &str = "There is no home directory for the profile.";
pub(crate) const NAME_A_PROFILE: &str = "Use --profile DIR.";
pub(crate) const SCREEN_NEEDS_TERMINAL: &str = "The screen needs a terminal.";
pub(crate) const SEE_HELP: &str = "For scripts there are commands: staffetta --help";
pub(crate) const ALREADY_HELD: &str = "Another staffetta process holds this profile already.";
pub(crate) const USE_THE_OTHER: &str = "Other commands work through it; nothing more is needed.";
pub(crate) const HOLDER_GONE: &str = "The process that held this profile has ended.";
pub(crate) const RUN_AGAIN: &str = "Run the command again.";
pub(crate) const UNEXPECTED_ANSWER: &str = "The agent gave an answer this client does not know.";
pub(crate) const SAME_VERSION: &str = "Check that agent and client have the same version.";
pub(crate) const AGENT_READY: &str = "ready";
pub(crate) const OFFLINE_DATA: &str = "The relay cannot be reached; this is what is stored here.";

// Bots.
pub(crate) const BOT_READY: &str = "ready";
pub(crate) const BOT_NOT_INSIDE: &str = "This profile has not joined a team yet.";
pub(crate) const BOT_JOIN_FIRST: &str =
    "Ask an admin for `staffetta invite NAME --role bot`, then: staffetta join CODE --name NAME";
pub(crate) const BOT_NO_COMMAND: &str = "There is no program to run.";
pub(crate) const BOT_NAME_COMMAND: &str = "Write it after --: staffetta bot run -- ./echo.py";
pub(crate) const BOT_NO_PIPES: &str = "The program's standard input and output cannot be used.";

pub(crate) const WEBHOOK_NOT_LOOPBACK: &str = "This is not an address of this machine's own.";
pub(crate) const WEBHOOK_PUBLIC: &str =
    "Listen on 127.0.0.1 behind a proxy that speaks TLS, or add --public.";
pub(crate) const WEBHOOK_OTHER_PORT: &str = "Name another one with --listen.";
pub(crate) const WEBHOOK_SECRET_HOW: &str =
    "Make one: (umask 077; head -c 24 /dev/urandom | base64 > FILE). Nothing was opened.";
pub(crate) const WEBHOOK_SECRET_OPEN: &str = "Others can read the secret's file.";
pub(crate) const WEBHOOK_SECRET_LENGTH: &str = "A secret has 16 to 4096 bytes.";

pub(crate) fn webhook_secret_unreadable(why: &str) -> String {
    format!("The secret's file cannot be read: {why}.")
}

pub(crate) fn webhook_no_port(why: &str) -> String {
    format!("This address cannot be listened on: {why}.")
}

pub(crate) fn webhook_listens(address: &str) -> String {
    format!("listening on {address}")
}

pub(crate) fn bot_not_started(why: &str) -> String {
    format!("The program cannot be started: {why}.")
}

pub(crate) fn bot_ended(code: Option<i32>) -> String {
    let how = code.map_or("was ended".to_owned(), |code| format!("ended with {code}"));
    format!("The program {how}; it is started again.")
}

pub(crate) fn terminal_failed(why: &str) -> String {
    format!("The terminal cannot be used: {why}.")
}

pub(crate) fn runtime_failed(why: &str) -> String {
    format!("The program cannot start: {why}.")
}

pub(crate) const NO_PROXY: &str = "What --proxy names is no SOCKS5 proxy.";
pub(crate) const HOW_PROXY: &str = "Write socks5://HOST:PORT. No connection was made.";
pub(crate) const NOT_HARDENED: &str = "This process cannot be kept out of core dumps.";
pub(crate) const CHECK_SANDBOX: &str = "Nothing was opened. Check what the system forbids it.";

// Joining.
pub(crate) const CODE_AGAIN: &str = "Compare it with the invitation and try again: \
     HOST/XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX. Nothing was changed.";
pub(crate) const CODE_GARBLED: &str = "The code has several typing errors.";
pub(crate) const CODE_HOST: &str = "What stands before the / of the code is no address of a relay.";

pub(crate) fn code_typo(groups: &[u8]) -> String {
    const NTH: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
    let nth = |&group: &u8| NTH.get(usize::from(group).wrapping_sub(1)).copied();
    let groups: Vec<&str> = groups.iter().filter_map(nth).collect();
    match groups.as_slice() {
        [one] => format!("The {one} group of the code is wrong."),
        several => format!("These groups of the code are wrong: {}.", several.join(", ")),
    }
}

pub(crate) fn code_length(found: usize) -> String {
    format!("The code has {found} letters and digits after the / instead of 30.")
}

pub(crate) const ROOT_WORDS_FILE_EXISTS: &str = "The file for the root words exists already.";
pub(crate) const OTHER_ROOT_WORDS_FILE: &str =
    "Name a file that does not exist. Nothing was changed.";
pub(crate) const ROOT_WORDS: &str = "These 24 words are the root of the team: they outrank every admin. Write them on paper and\n\
     keep it away from computers. They are shown once and stored nowhere.";
pub(crate) const ROOT_WORDS_WRITTEN: &str =
    "The 24 root words are in the file. Print them, then delete it.";
pub(crate) const WAITING: &str =
    "Waiting for approval. If this is interrupted, repeat the command.";
pub(crate) const NOT_WAITING: &str = "The request waits at the relay. Repeat the command later.";

pub(crate) fn root_words_file_failed(why: &str) -> String {
    format!("The file for the root words cannot be written: {why}.")
}

pub(crate) fn joining(team: &str, inviter: &str) -> String {
    format!("You are joining {team}, invited by {inviter}.")
}

pub(crate) fn call(inviter: &str) -> String {
    format!("Call {inviter}. They must hear these five words:")
}

pub(crate) fn joined(team: &str, member: &str) -> String {
    format!("You are inside {team} as {member}. Try: staffetta send general hello")
}

// Inviting.
pub(crate) const ONE_USE: &str = "One person, one use. Keep this machine online (`staffetta agent` or the screen) until \
     they are in.";
pub(crate) const ONE_DEVICE: &str = "One device, one use: staffetta join CODE --name YOU on it, then `staffetta approve` here \
     with the five words it shows. Some admin's device has to be online.";
pub(crate) const ASK_WORDS: &str = "The five words you heard: ";
pub(crate) const WORDS_NEEDED: &str = "The five words are needed.";
pub(crate) const HOW_TO_APPROVE: &str =
    "Use --words \"a b c d e\" with the words you heard, or --unverified without comparing them.";
pub(crate) const NO_INVITES: &str = "There are no invites.";
pub(crate) const LIST_INVITES: &str = "See them all: staffetta invites";
pub(crate) const LIST_DEVICES: &str = "See them all: staffetta team --json";
pub(crate) const UNSEEN: &str = "(not seen for 30 days: still needed?)";
pub(crate) const REJECTED: &str = "Turned away. The invite is closed.";

pub(crate) fn expires(at: &str) -> String {
    format!("Works until {at}.")
}

pub(crate) fn wrong_number_of_words(count: usize) -> String {
    format!("Five words are needed, not {count}.")
}

pub(crate) fn no_such_id(prefix: &str) -> String {
    format!("Nothing here has an id that starts with {prefix}.")
}

pub(crate) fn ambiguous_id(prefix: &str) -> String {
    format!("More than one id starts with {prefix}.")
}

pub(crate) fn approved(member: &str) -> String {
    format!("{member} is in.")
}

pub(crate) fn revoked(count: usize) -> String {
    match count {
        1 => "1 device is cut off.".into(),
        _ => format!("{count} devices are cut off."),
    }
}

// Rooms and messages.
pub(crate) const TEXT_EMPTY: &str = "The message is empty.";
pub(crate) const TEXT_NOT_UTF8: &str = "The message is not UTF-8 text.";
pub(crate) const NOTHING_SENT: &str = "Nothing was sent.";
pub(crate) const QUEUED: &str = "Queued. It goes out with the next connection.";
pub(crate) const REACHED: &str = "Everything is read and sent.";
pub(crate) const EDITED: &str = " (edited)";
pub(crate) const EDIT_DONE: &str = "Edited.";
pub(crate) const DELETE_DONE: &str = "Deleted on every device that reads the deletion.";
pub(crate) const REACT_DONE: &str = "Done.";
pub(crate) const NOTHING_FOUND: &str = "Nothing found.";

pub(crate) const LARGE_FILE: &str =
    "It is larger than 900 KiB: the host can see who fetches it, though not what it is.";
pub(crate) const FETCH_SEEN: &str =
    "The host can see who fetches this: it is too large for every device to fetch it.";
pub(crate) const LIST_FILES: &str = "See them all: staffetta file list";
pub(crate) const PATH_UTF8: &str = "That path is not UTF-8.";
pub(crate) const CHECK_PATH: &str = "Check the path. Nothing was sent or written.";

pub(crate) fn no_path(why: &str) -> String {
    format!("That path cannot be used: {why}.")
}

pub(crate) fn saved(path: &str) -> String {
    format!("Saved as {path}.")
}

pub(crate) fn progress(name: &str, percent: u64) -> String {
    format!("{name}: {percent} %")
}

pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

pub(crate) fn file(name: &str, bytes: u64, id: &str) -> String {
    format!("[{name}, {}: staffetta file get {id}]", size(bytes))
}

pub(crate) fn edited(id: &str, text: &str) -> String {
    format!("edited {id}: {text}")
}

pub(crate) fn deleted(id: &str) -> String {
    format!("deleted {id}")
}

pub(crate) fn reacted(id: &str, emoji: &str) -> String {
    format!("{emoji} to {id}")
}

pub(crate) fn missing(count: u64, from: &str, room: &str) -> String {
    match count {
        1 => format!("1 message from {from} is missing in {room}."),
        _ => format!("{count} messages from {from} are missing in {room}."),
    }
}

pub(crate) fn text_long(most: usize) -> String {
    format!("The message is longer than {most} bytes.")
}

pub(crate) fn stdin_unreadable(why: &str) -> String {
    format!("Standard input cannot be read: {why}.")
}

pub(crate) fn sent(room: &str) -> String {
    format!("Sent to {room}.")
}

pub(crate) fn room_created(room: &str) -> String {
    format!("Room {room} is there. Add people: staffetta room add {room} NAME")
}

pub(crate) fn added(member: &str, room: &str) -> String {
    format!("{member} is in {room}.")
}

pub(crate) fn removed(member: &str, room: &str) -> String {
    format!("{member} is no longer in {room}.")
}

pub(crate) const ROOM_CHANGED: &str = "The room is changed, for everybody in it.";

pub(crate) fn left(room: &str) -> String {
    format!("You are no longer in {room}.")
}

pub(crate) const HOW_TO_VERIFY: &str = "Everybody sees the same words. Let the person read theirs out, then: staffetta verify NAME --words \"...\"";

pub(crate) fn verified(member: &str) -> String {
    format!("{member} is verified, with all devices there are now.")
}

pub(crate) fn team_number(number: &str) -> String {
    format!("Team number: {number}")
}

pub(crate) const IS_UNDONE: &str = "undone";
pub(crate) const ASK_ROOT_WORDS: &str = "The 24 root words: ";

pub(crate) fn role_given(member: &str, role: &str) -> String {
    format!("{member} is {role} now. Every screen says so.")
}

pub(crate) fn undone(count: usize) -> String {
    match count {
        1 => "1 change is undone.".into(),
        _ => format!("{count} changes are undone."),
    }
}

pub(crate) const WIPED: &str = "The profile is destroyed.";
pub(crate) const FORSAKEN: &str = "The team has cut off this device.";
pub(crate) const NOT_FORSAKEN: &str =
    "The team could not be asked to cut off this device. Tell an admin to revoke it.";
pub(crate) const PASSPHRASE_CHANGED: &str =
    "The passphrase is changed. Copies of the old profile still open with the old one.";

// Events.
pub(crate) const SOMEBODY_ASKS: &str = "Somebody asks to come in. See: staffetta invites";
pub(crate) const ALARM_RAISED: &str = "There is an alarm. See: staffetta status";
pub(crate) const REFUSED: &str =
    "The relay refuses this device: revoked, or the clock is off by more than 10 minutes.";

pub(crate) fn asks(name: &str, id: &str) -> String {
    format!("{name} asks to come in: staffetta approve {id}")
}

pub(crate) fn relay_says(what: &str, retry_ms: u64) -> String {
    match retry_ms.div_ceil(1_000) {
        0 => format!("Relay: {what}."),
        seconds => format!("Relay: {what}; next try in {seconds} s."),
    }
}

pub(crate) fn alarm(what: &str) -> String {
    format!("ALARM: {what}")
}

pub(crate) fn connection(state: &str) -> String {
    format!("({state})")
}

// The screen.
pub(crate) const FOOTER: [&str; 6] = [
    "^Q quit",
    "Enter sends",
    "Up/Down room",
    "^N unread",
    "PgUp/PgDn scroll",
    "Alt-Enter new line",
];
pub(crate) const WRITE_HERE: &str = "Write to";
pub(crate) const NOT_A_COMMAND: &str = "Nothing was sent. Only /quit works here; //x sends /x.";
pub(crate) const BUSY: &str = "Too much is waiting. Nothing was sent; try again.";
pub(crate) const QUIT_HOW: &str = "^Q quits.";
pub(crate) const LINE_FULL: &str = "A message has 24,000 bytes at most.";
pub(crate) const NOT_VERIFIED: &str = "not verified";
