//! The passphrase, the profile, the process.

say! {
    ask_passphrase => "Passphrase: ";
    ask_new_passphrase => "Choose a passphrase (six plain words are good): ";
    ask_again => "Once more: ";
    passphrases_differ => "The two passphrases differ.";
    repeat => "Nothing was changed. Repeat the command.";
    no_terminal => "The passphrase is needed and there is no terminal to ask on.";
    use_passphrase_file => "Use --passphrase-file FILE, or - for standard input.";
    check_passphrase_file => "Check what --passphrase-file names. Nothing was changed.";
    passphrase_empty => "The passphrase is empty.";
    passphrase_not_text => "The passphrase is not UTF-8 text.";
    passphrase_too_long => "The passphrase is longer than 4096 bytes.";
    passphrase_idea => "Nothing was changed. Six plain words are easy to keep in mind.";
    stdin_twice => "Standard input cannot be both the passphrase and the message.";
    stdin_once => "Put the passphrase in a file, or the message on the line.";
    passphrase_file_unreadable(why: &str) => "The passphrase file cannot be read: {why}.";
    passphrase_short(least: usize) => "The passphrase is shorter than {least} characters.";
    no_home => "There is no home directory for the profile.";
    name_a_profile => "Use --profile DIR.";
    screen_needs_terminal => "The screen needs a terminal.";
    see_help => "For scripts there are commands: staffetta --help";
    waiting_for_other => "Waiting for another staffetta command on this profile to end...";
    already_held => "Another staffetta process holds this profile already.";
    use_the_other => "Other commands work through it; nothing more is needed.";
    holder_gone => "The process that held this profile has ended.";
    run_again => "Run the command again.";
    unexpected_answer => "The agent gave an answer this client does not know.";
    same_version => "Check that agent and client have the same version.";
    agent_ready => "ready";
    locked => "The profile is locked.";
    unlocked => "The profile is unlocked.";
    is_locked => "running, locked";
    not_held => "No process holds this profile: it is locked already.";
    nobody_holds => "No process holds this profile, so there is nothing to unlock.";
    commands_unlock => "Every command unlocks it for itself.";
    offline_data => "The relay cannot be reached; this is what is stored here.";
    terminal_failed(why: &str) => "The terminal cannot be used: {why}.";
    runtime_failed(why: &str) => "The program cannot start: {why}.";
    no_proxy => "What --proxy names is no SOCKS5 proxy.";
    how_proxy => "Write socks5://HOST:PORT. No connection was made.";
    not_hardened => "This process cannot be kept out of core dumps.";
    check_sandbox => "Nothing was opened. Check what the system forbids it.";
}
