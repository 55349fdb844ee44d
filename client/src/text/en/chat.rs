//! Messages, rooms, files and what happens in them.

say! {
    text_empty => "The message is empty.";
    text_not_utf8 => "The message is not UTF-8 text.";
    nothing_sent => "Nothing was sent.";
    queued => "Queued. It goes out with the next connection.";
    reached => "Everything is read and sent.";
    is_edited => " (edited)";
    edit_done => "Edited.";
    delete_done => "Deleted on every device that reads the deletion.";
    react_done => "Done.";
    nothing_found => "Nothing found.";
    large_file => "It is larger than 900 KiB: the host can see who fetches it, though not what it is.";
    fetch_seen => "The host can see who fetches this: it is too large for every device to fetch it.";
    list_files => "See them all: staffetta file list";
    path_utf8 => "That path is not UTF-8.";
    check_path => "Check the path. Nothing was sent or written.";
    no_path(why: &str) => "That path cannot be used: {why}.";
    saved(path: &str) => "Saved as {path}.";
    progress(name: &str, percent: u64) => "{name}: {percent} %";
    edited(id: &str, text: &str) => "edited {id}: {text}";
    deleted(id: &str) => "deleted {id}";
    reacted(id: &str, emoji: &str) => "{emoji} to {id}";
    text_long(most: usize) => "The message is longer than {most} bytes.";
    stdin_unreadable(why: &str) => "Standard input cannot be read: {why}.";
    sent(room: &str) => "Sent to {room}.";
    room_created(room: &str) => "Room {room} is there. Add people: staffetta room add {room} NAME";
    added(member: &str, room: &str) => "{member} is in {room}.";
    removed(member: &str, room: &str) => "{member} is no longer in {room}.";
    room_restarted(room: &str, without: &str) => "Room {room} begins again without {without}'s device. The others come in by themselves.";
    room_changed => "The room is changed, for everybody in it.";
    left(room: &str) => "You are no longer in {room}.";
    how_to_verify => "Everybody sees the same words. Let the person read theirs out, then: staffetta verify NAME --words \"...\"";
    verified(member: &str) => "{member} is verified, with all devices there are now.";
    team_number(number: &str) => "Team number: {number}";
    compared_by(names: &str) => "compared by {names}";
    is_undone => "undone";
    ask_root_words => "The 24 root words: ";
    addresses_changed => "Every device learns this. Every screen says so.";
    in_use => "in use";
    team_moves => "The team moves. Every device follows by itself; every screen says so.";
    relay_accepted => "The team goes on with this relay. Every device follows by itself.";
    ask_spare_code => "The spare relay's code: ";
    no_code => "No code was given.";
    spare_added => "The team has a spare relay. When the relay is gone, every device goes there by itself.";
    spare_removed => "The team has no spare relay any more. Every screen says so.";
    no_spare => "The team has no spare relay. To add one: staffetta relay spare add";
    spare_after(seconds: u64) => "after {seconds} s without the relay";
    spare_answered => "last answered";
    relay_found => "This device looks there for an admin's word. See: staffetta status";
    receipts_on => "Receipts are on: a message tells how far its sender has read.";
    receipts_off => "Receipts are off.";
    role_given(member: &str, role: &str) => "{member} is {role} now. Every screen says so.";
    wiped => "The profile is destroyed.";
    forsaken => "The team has cut off this device.";
    not_forsaken => "The team could not be asked to cut off this device. Tell an admin to revoke it.";
    passphrase_changed => "The passphrase is changed. Copies of the old profile still open with the old one.";
    somebody_asks => "Somebody asks to come in. See: staffetta invites";
    alarm_raised => "There is an alarm. See: staffetta status";
    refused => "The relay refuses this device: revoked, or the clock is off by more than 10 minutes.";
    asks(name: &str, id: &str) => "{name} asks to come in: staffetta approve {id}";
    alarm(what: &str) => "ALARM: {what}";
    connection(state: &str) => "({state})";
}

pub(in crate::text) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{}.{} MiB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

pub(in crate::text) fn file(name: &str, bytes: u64, id: &str) -> String {
    format!("[{name}, {}: staffetta file get {id}]", size(bytes))
}

pub(in crate::text) fn missing(count: u64, from: &str, room: &str) -> String {
    match count {
        1 => format!("1 message from {from} is missing in {room}."),
        _ => format!("{count} messages from {from} are missing in {room}."),
    }
}

pub(in crate::text) fn undone(count: usize) -> String {
    match count {
        1 => "1 change is undone.".into(),
        _ => format!("{count} changes are undone."),
    }
}

pub(in crate::text) fn relay_says(what: &str, retry_ms: u64) -> String {
    match retry_ms.div_ceil(1_000) {
        0 => format!("Relay: {what}."),
        seconds => format!("Relay: {what}; next try in {seconds} s."),
    }
}
