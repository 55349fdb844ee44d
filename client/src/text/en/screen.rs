//! The screen.

use jiff::civil::{Date, Weekday};

use crate::text::screen::{Keys, Place, Words};
use crate::tui::slash::Verb;

pub(crate) static EN: Words = Words {
    online: "Online",
    offline: "Offline",
    refused: "Refused",
    trust: |good, bad| match bad {
        0 => format!("{good} verified"),
        _ => format!("{good} verified, {bad} NOT verified"),
    },
    rooms: "Rooms",
    people: "People",
    bots: "Bots",
    mute: "mute",
    people_in: |count| match count {
        1 => "1 person".into(),
        _ => format!("{count} people"),
    },
    bots_in: |names| format!("read by bots: {names}"),
    vanish: |seconds| format!("messages vanish after {}", span(seconds)),
    frozen: "frozen: nothing can be sent here",
    write_to: |room| format!("Write to {room}"),
    replying: |name| format!("Answer to {name}; Esc: no"),
    editing: "Change your message; Esc: leave it as it is",
    alarm: |what| format!("ALARM: {what}"),
    missing: |count, from, room| match count {
        1 => format!("1 message from {from} is missing in {room}."),
        _ => format!("{count} messages from {from} are missing in {room}."),
    },
    more_banners: |count| format!("{count} more; /dismiss puts all away"),
    below: "More below: End",
    you: "you",
    nobody_wrote: "Nobody has written here yet. /invite brings somebody into the team, F1 is help.",
    earlier: "(an earlier message)",
    edited: "(edited)",
    queued: "queued",
    stored: "on the relay",
    sent: "sent",
    read_by: |count| format!("read by {count}"),
    not_verified: |name| format!("(!) {name} is not verified."),
    new_messages: |count| match count {
        1 => "1 new message".into(),
        _ => format!("{count} new messages"),
    },
    day,
    file: |name, bytes, moved| match moved {
        None => format!("[{name} {}  ^O save]", size(bytes)),
        Some(percent) => format!("[{name} {}  {percent} %]", size(bytes)),
    },
    progress: |name, percent, up| {
        format!("{} {name}: {percent} %", if up { "Sending" } else { "Fetching" })
    },
    link_elsewhere: |host| format!("(!) This link leads to {host}."),
    link_punycode: |host| format!("(!) This host is written in code: {host}."),
    link_foreign: |host, code| format!("(!) {host} is really {code}."),
    link_confusable: |host, code, like| {
        format!("(!) {host} looks like {like} and is not: it is really {code}.")
    },
    no_command: |near| match near {
        Some(name) => format!("Did you mean /{name}? Nothing was sent."),
        None => "There is no such command. Nothing was sent; //x sends /x.".into(),
    },
    usage: |usage| format!("Write: {usage}. Nothing was sent."),
    quit_how: "^Q quits.",
    line_full: "A message has 24,000 bytes at most.",
    nothing_unread: "Nothing is unread.",
    no_message: "There is no message for that here.",
    no_file: "There is no file here.",
    copied: "Handed to the clipboard of the terminal.",
    working: "Working on it …",
    busy: "Too much is waiting. Nothing was done; try again.",
    mouse: |on| {
        if on {
            "The mouse scrolls and chooses. F9 gives it back."
        } else {
            "The mouse is the terminal’s."
        }
        .into()
    },
    muted: |muted| if muted { "Muted." } else { "No longer muted." }.into(),
    no_colour: "NO_COLOR is set: there is no colour.",
    asks: |name| format!("{name} asks to come in: /approve"),
    came_or_went: |name, room, came| {
        format!("{name} {} {room}.", if came { "is now in" } else { "is no longer in" })
    },
    was_revoked: |name| format!("{name} was cut off."),
    has_role: |name, role, by| match by {
        "" => format!("{name} is {role} now."),
        _ => format!("{by} made {name} {role}."),
    },
    paste: "A long text",
    paste_lines: |count| format!("Put {count} lines into one message?"),
    is_invitation: "This is an invitation",
    send_invitation: "This is an invitation. Send it to everyone here?",
    yes_no: "y yes   n no",
    yes_key: "y",
    go_to: "Go to",
    search: "Search",
    nothing_found: "Nothing found.",
    waiting: "One moment …",
    members: "Who is here",
    devices: "Your devices",
    this_device: "this one",
    link_device: "Link another device of yours",
    revoke_key: "Enter: cut off",
    invites: "Invitations",
    approve_key: "Enter: approve",
    asks_to_come_in: |name| format!("{name} asks to come in"),
    approve: |name| format!("Let {name} in"),
    approve_how: |name| {
        format!(
            "Call {name} and type the five words you hear. They are on {name}’s screen, not on yours."
        )
    },
    approved: |name| format!("{name} is in."),
    invitation: "Invitation",
    invite_how: |until| format!("One person, once, until {until}. Stay online until they are in."),
    safety_words: "Safety words",
    own_words: |words| format!("Yours, to read out: {words}"),
    team_number: |number| format!("Team number: {number}"),
    verify: |name| format!("Verify {name}"),
    verify_how: |name| {
        format!(
            "Call {name}, ask for the safety words (/verify on their screen), and type what you hear."
        )
    },
    verified: |name| format!("{name} is verified."),
    is_verified: "verified",
    is_not_verified: "NOT verified",
    is_bot: "bot",
    is_admin: "admin",
    revoke: "Cut off",
    revoke_member: |name| format!("Cut off {name} with all devices, at once and for good?"),
    revoke_device: |name| format!("Cut off your device {name}, at once and for good?"),
    revoked: |name| format!("{name} is cut off."),
    device_revoked: "The device is cut off.",
    nobody: |name| format!("There is nobody called {name}."),
    room_made: |room| format!("Room {room} is there. /add NAME brings people in."),
    added: |name| format!("{name} is in this room."),
    removed: |name| format!("{name} is no longer in this room."),
    changed: "The room is changed, for everybody in it.",
    expire_how: "Write 7d, 24h, 30m, or off.",
    leave: "Leave the room",
    leave_room: "Go out of this room with all your devices?",
    left: "You are no longer in that room.",
    react: "React",
    which_emoji: "An emoji, or its name: heart, yes, thanks …",
    delete: "Delete",
    delete_for_all: "Delete this message for everybody?",
    save: "Save",
    save_where: |name| format!("Where to? Enter alone: {name} in the directory you started in."),
    saved: |path| format!("Saved in {path}."),
    file_sent: |path| format!("Sent: {path}"),
    wipe: "Destroy this profile",
    wipe_how: |word| {
        format!(
            "Everything here is lost, the keys first, and this device is cut off. Write {word} to do it."
        )
    },
    wipe_word: "destroy",
    not_wiped: "Nothing was destroyed.",
    settings: "Settings",
    theme: "Theme",
    mouse_setting: "Mouse",
    bell_setting: "Bell when somebody needs you",
    notify_setting: "Notifications on the desktop",
    notify_hidden: "without the words",
    notify_shown: "with the words",
    new_message: "New message",
    needs_you: "Somebody needs you",
    on: "on",
    off: "off",
    locked: "Locked",
    passphrase: "Passphrase",
    unlocking: "Unlocking …",
    blank: "Any key",
    help: "Help",
    commands: "Commands",
    pick: "A number chooses; an empty line goes back.",
    unread_in: |room, count| format!("{room}: {count} unread"),
    command,
    keys,
    emoji: EMOJI,
};

fn span(seconds: u64) -> String {
    let say = |count: u64, unit: &str| match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    };
    match seconds {
        s if s % 86_400 == 0 => say(s / 86_400, "day"),
        s if s % 3_600 == 0 => say(s / 3_600, "hour"),
        s => say(s.div_ceil(60), "minute"),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} kB", bytes / 1_024),
        _ => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

fn day(date: Date) -> String {
    let weekday = match date.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    };
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let month = usize::from(date.month().unsigned_abs()).checked_sub(1);
    let month = month.and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
    format!("{weekday} {} {month}", date.day())
}

fn command(verb: Verb) -> (&'static str, &'static str) {
    match verb {
        Verb::Go => ("[NAME]", "Go to a room or person"),
        Verb::Next => ("", "Go to what is unread"),
        Verb::Dm => ("NAME", "Write to one person"),
        Verb::Room => ("NAME", "Create a room"),
        Verb::Members => ("", "Show who is in this room"),
        Verb::Add => ("NAME", "Bring somebody into this room"),
        Verb::Remove => ("NAME", "Put somebody out of this room"),
        Verb::Leave => ("", "Go out of this room"),
        Verb::Topic => ("TEXT", "Say what this room is about"),
        Verb::Expire => ("7d|24h|off", "Set how long messages are kept here"),
        Verb::Mute => ("", "Mute this room, or no longer"),
        Verb::Read => ("", "Go to the newest message"),
        Verb::Search => ("WORDS", "Search all rooms"),
        Verb::React => ("EMOJI", "React to the last message"),
        Verb::Edit => ("", "Change your last message"),
        Verb::Delete => ("", "Delete your last message"),
        Verb::File => ("PATH", "Send a file"),
        Verb::Save => ("[PATH]", "Save the last file"),
        Verb::Invite => ("[NAME] [member|admin|bot]", "Invite somebody"),
        Verb::Approve => ("", "Let in who asks, by the five words"),
        Verb::Verify => ("[NAME]", "Compare safety words by voice"),
        Verb::Devices => ("", "Show, link and cut off your devices"),
        Verb::Revoke => ("NAME", "Cut somebody off for good"),
        Verb::Dismiss => ("", "Put the warnings away"),
        Verb::Theme => ("dark|light|mono|contrast", "Choose the colours"),
        Verb::Settings => ("", "Show and change the settings"),
        Verb::Lock => ("", "Lock; so do 5 idle minutes"),
        Verb::Wipe => ("", "Destroy this profile"),
        Verb::Help => ("", "Show this help"),
        Verb::Quit => ("", "Leave"),
    }
}

fn keys(place: Place) -> Keys {
    match place {
        Place::Room => &[
            ("F1", "help"),
            ("^Q", "quit"),
            ("Enter", "send"),
            ("^P", "go to"),
            ("^N", "unread"),
            ("^F", "search"),
            ("^L", "lock"),
            ("^R", "reply, react"),
            ("^O", "save"),
            ("PgUp PgDn", "scroll"),
            ("Alt-Enter", "new line"),
            ("Up", "change your last message"),
            ("Tab", "complete @ # / :"),
            ("Alt-Up Alt-Down", "next room"),
            ("F9", "mouse on, off"),
            ("F12", "blank the screen"),
        ],
        Place::Select => &[
            ("F1", "help"),
            ("^Q", "quit"),
            ("r", "reply"),
            ("+", "react"),
            ("e", "edit"),
            ("d", "delete"),
            ("c", "copy"),
            ("s", "save"),
            ("Up Down", "choose"),
            ("Esc", "back"),
        ],
        Place::List => &[
            ("F1", "help"),
            ("^Q", "quit"),
            ("Enter", "take"),
            ("Up Down", "choose"),
            ("Esc", "back"),
        ],
        Place::Question => &[("F1", "help"), ("^Q", "quit"), ("Enter", "done"), ("Esc", "back")],
        Place::Page => {
            &[("F1", "help"), ("^Q", "quit"), ("Up Down", "scroll"), ("c", "copy"), ("Esc", "back")]
        }
    }
}

const EMOJI: Keys = &[
    ("yes", "👍"),
    ("no", "👎"),
    ("heart", "❤"),
    ("thanks", "🙏"),
    ("joy", "😂"),
    ("smile", "😀"),
    ("wink", "😉"),
    ("sad", "😢"),
    ("angry", "😠"),
    ("wow", "😮"),
    ("think", "🤔"),
    ("party", "🎉"),
    ("clap", "👏"),
    ("fire", "🔥"),
    ("eyes", "👀"),
    ("check", "✅"),
    ("cross", "❌"),
    ("warning", "⚠"),
    ("star", "⭐"),
    ("rocket", "🚀"),
    ("wave", "👋"),
    ("strong", "💪"),
    ("coffee", "☕"),
    ("phone", "📞"),
    ("calendar", "📅"),
    ("pin", "📌"),
    ("question", "❓"),
    ("flower", "🌹"),
    ("sun", "☀"),
    ("rain", "🌧"),
    ("vote", "🗳"),
    ("megaphone", "📣"),
];
