//! The first run. Only the page that asks for it says `your name`, and only the page that asks for it
//! says `passphrase`.

sentences! {
    wizard:
    code;
    code_looks;
    code_how;
    code_good;
    code_partial(count: usize);
    looking;
    founding(team: &str);
    founding_unnamed;
    yes;
    not_who;
    not_expected_invited;
    not_expected_founder;
    name;
    name_how;
    passphrase;
    passphrase_why;
    passphrase_proposed;
    passphrase_own(least: usize);
    passphrase_short(typed: usize, least: usize);
    working;
    words_wait(inviter: &str);
    again;
    quit_how;
    keys_code;
    keys_team;
    keys_name;
    keys_passphrase;
    keys_root_words;
    keys_again;
    keys_wait;
}
