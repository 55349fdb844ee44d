//! The first run.

say! {
    code => "Welcome. Paste the invitation you were given.";
    code_looks => "It looks like this: relay.example/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M";
    code_how => "An invitation has an address, a / and 30 letters and digits.";
    code_good => "That is a whole invitation. Enter goes on.";
    code_partial(count: usize) => "{count} of 30 letters and digits";
    looking => "One moment: the invitation is being read.";
    founding(team: &str) => "You are founding {team}.";
    founding_unnamed => "You are founding a team.";
    yes => "Yes";
    not_who => "Not who I expected";
    not_expected_invited => "Nothing was sent. Call the person who invited you, then paste the right invitation.";
    not_expected_founder => "Nothing was sent. Ask the person who runs the relay, then paste the right code.";
    name => "What is your name?";
    name_how => "The whole team will see it. 1 to 40 characters.";
    passphrase => "Choose a passphrase.";
    passphrase_why => "It opens Staffetta on this computer, each time. Nobody can give it back to you.";
    passphrase_proposed => "Write this one on paper and press Enter:";
    passphrase_own(least: usize) => "Or type another one, {least} characters at least:";
    passphrase_short(typed: usize, least: usize) => "That has {typed} characters; {least} are needed.";
    working => "One moment: keys are being made, and the team is asked to let you in.";
    words_wait(inviter: &str) => "This page changes by itself when {inviter} has typed them. Read them to nobody else.";
    again => "That did not work yet. Nothing is lost.";
    quit_how => "^Q quits.";
    keys_code => "Enter go on  ^U empty the line  ^Q quit";
    keys_team => "Enter choose  Up/Down the other answer  ^Q quit";
    keys_name => "Enter go on  Esc back  ^Q quit";
    keys_passphrase => "Enter go on  Tab hide or show  Esc back  ^Q quit";
    keys_root_words => "Enter they are on paper  ^Q quit";
    keys_again => "Enter try again  ^Q quit";
    keys_wait => "^Q quit";
}
