//! Joining and inviting.

sentences! {
    people:
    name_empty;
    name_long;
    name_forbidden;
    code_again;
    code_garbled;
    code_host;
    code_typo(groups: &[u8]);
    code_length(found: usize);
    root_words_file_exists;
    other_root_words_file;
    root_words;
    root_words_written;
    waiting;
    not_waiting;
    root_words_file_failed(why: &str);
    joining(team: &str, inviter: &str);
    call(inviter: &str);
    joined(team: &str, member: &str);
    one_use;
    one_device;
    ask_words;
    words_needed;
    how_to_approve;
    no_invites;
    list_invites;
    list_devices;
    unseen;
    rejected;
    expires(at: &str);
    wrong_number_of_words(count: usize);
    no_such_id(prefix: &str);
    ambiguous_id(prefix: &str);
    approved(member: &str);
    revoked(count: usize);
}
