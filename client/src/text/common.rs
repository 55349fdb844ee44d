//! The passphrase, the profile, the process.

sentences! {
    common:
    ask_passphrase;
    ask_new_passphrase;
    ask_again;
    passphrases_differ;
    repeat;
    no_terminal;
    use_passphrase_file;
    check_passphrase_file;
    passphrase_empty;
    passphrase_not_text;
    passphrase_too_long;
    passphrase_idea;
    stdin_twice;
    stdin_once;
    passphrase_file_unreadable(why: &str);
    passphrase_short(least: usize);
    no_home;
    name_a_profile;
    screen_needs_terminal;
    see_help;
    waiting_for_other;
    already_held;
    use_the_other;
    holder_gone;
    run_again;
    unexpected_answer;
    same_version;
    agent_ready;
    locked;
    unlocked;
    is_locked;
    not_held;
    nobody_holds;
    commands_unlock;
    offline_data;
    terminal_failed(why: &str);
    runtime_failed(why: &str);
    no_proxy;
    how_proxy;
    not_hardened;
    check_sandbox;
}
