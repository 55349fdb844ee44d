//! Joining and inviting.

say! {
    name_empty => "The name is empty.";
    name_long => "The name has more than 40 characters.";
    name_forbidden => "The name holds a character that names may not hold.";
    code_again => "Compare it with the invitation and try again: \
        HOST/XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX. Nothing was changed.";
    code_garbled => "The code has several typing errors.";
    code_host => "What stands before the / of the code is no address of a relay.";
    code_length(found: usize) => "The code has {found} letters and digits after the / instead of 30.";
    root_words_file_exists => "The file for the root words exists already.";
    other_root_words_file => "Name a file that does not exist. Nothing was changed.";
    root_words => "These 24 words are the root of the team: they outrank every admin. Write them on paper and\n\
        keep it away from computers. They are shown once and stored nowhere.";
    root_words_written => "The 24 root words are in the file. Print them, then delete it.";
    waiting => "Waiting for approval. If this is interrupted, repeat the command.";
    not_waiting => "The request waits at the relay. Repeat the command later.";
    root_words_file_failed(why: &str) => "The file for the root words cannot be written: {why}.";
    joining(team: &str, inviter: &str) => "You are joining {team}, invited by {inviter}.";
    call(inviter: &str) => "Call {inviter}. They must hear these five words:";
    joined(team: &str, member: &str) => "You are inside {team} as {member}. Try: staffetta send general hello";
    one_use => "One person, one use. Keep this machine online (`staffetta agent` or the screen) until \
        they are in.";
    one_device => "One device, one use: staffetta join CODE --name YOU on it, then `staffetta approve` here \
        with the five words it shows. Some admin's device has to be online.";
    ask_words => "The five words you heard: ";
    words_needed => "The five words are needed.";
    how_to_approve => "Use --words \"a b c d e\" with the words you heard, or --unverified without comparing them.";
    no_invites => "There are no invites.";
    list_invites => "See them all: staffetta invites";
    list_devices => "See them all: staffetta team --json";
    unseen => "(not seen for 30 days: still needed?)";
    rejected => "Turned away. The invite is closed.";
    expires(at: &str) => "Works until {at}.";
    wrong_number_of_words(count: usize) => "Five words are needed, not {count}.";
    no_such_id(prefix: &str) => "Nothing here has an id that starts with {prefix}.";
    ambiguous_id(prefix: &str) => "More than one id starts with {prefix}.";
    approved(member: &str) => "{member} is in.";
}

pub(in crate::text) fn code_typo(groups: &[u8]) -> String {
    const NTH: [&str; 6] = ["first", "second", "third", "fourth", "fifth", "sixth"];
    let nth = |&group: &u8| NTH.get(usize::from(group).wrapping_sub(1)).copied();
    let groups: Vec<&str> = groups.iter().filter_map(nth).collect();
    match groups.as_slice() {
        [one] => format!("The {one} group of the code is wrong."),
        several => format!("These groups of the code are wrong: {}.", several.join(", ")),
    }
}

pub(in crate::text) fn revoked(count: usize) -> String {
    match count {
        1 => "1 device is cut off.".into(),
        _ => format!("{count} devices are cut off."),
    }
}
