//! Messages, rooms, files and what happens in them.

sentences! {
    chat:
    text_empty;
    text_not_utf8;
    nothing_sent;
    queued;
    reached;
    is_edited;
    edit_done;
    delete_done;
    react_done;
    nothing_found;
    large_file;
    fetch_seen;
    list_files;
    path_utf8;
    check_path;
    no_path(why: &str);
    saved(path: &str);
    progress(name: &str, percent: u64);
    size(bytes: u64);
    file(name: &str, bytes: u64, id: &str);
    edited(id: &str, text: &str);
    deleted(id: &str);
    reacted(id: &str, emoji: &str);
    missing(count: u64, from: &str, room: &str);
    text_long(most: usize);
    stdin_unreadable(why: &str);
    sent(room: &str);
    room_created(room: &str);
    added(member: &str, room: &str);
    removed(member: &str, room: &str);
    room_changed;
    room_restarted(room: &str, without: &str);
    left(room: &str);
    how_to_verify;
    verified(member: &str);
    team_number(number: &str);
    compared_by(names: &str);
    is_undone;
    ask_root_words;
    role_given(member: &str, role: &str);
    receipts_on;
    receipts_off;
    undone(count: usize);
    wiped;
    forsaken;
    not_forsaken;
    passphrase_changed;
    somebody_asks;
    alarm_raised;
    refused;
    asks(name: &str, id: &str);
    relay_says(what: &str, retry_ms: u64);
    alarm(what: &str);
    connection(state: &str);
}
