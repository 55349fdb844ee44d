//! Bots and the webhook.

say! {
    bot_ready => "ready";
    bot_not_inside => "This profile has not joined a team yet.";
    bot_join_first => "Ask an admin for `staffetta invite NAME --role bot`, then: staffetta join CODE --name NAME";
    bot_no_command => "There is no program to run.";
    bot_name_command => "Write it after --: staffetta bot run -- ./echo.py";
    bot_no_pipes => "The program's standard input and output cannot be used.";
    bot_not_started(why: &str) => "The program cannot be started: {why}.";
    bot_ended(code: i32) => "The program ended with {code}; it is started again.";
    bot_killed => "The program was ended; it is started again.";
    webhook_not_loopback => "This is not an address of this machine's own.";
    webhook_public => "Listen on 127.0.0.1 behind a proxy that speaks TLS, or add --public.";
    webhook_other_port => "Name another one with --listen.";
    webhook_secret_how => "Make one: (umask 077; head -c 24 /dev/urandom | base64 > FILE). Nothing was opened.";
    webhook_secret_open => "Others can read the secret's file.";
    webhook_secret_length => "A secret has 16 to 4096 bytes.";
    webhook_secret_unreadable(why: &str) => "The secret's file cannot be read: {why}.";
    webhook_no_port(why: &str) => "This address cannot be listened on: {why}.";
    webhook_listens(address: &str) => "listening on {address}";
    man_not_written(why: &str) => "The manual cannot be written: {why}.";
    man_elsewhere => "Name another directory: staffetta man DIR";
    man_keys => "KEYS ON THE SCREEN";
    man_commands => "COMMANDS ON THE SCREEN";
    man_how => "They begin with a slash, and Tab completes them. One that is mistyped is never sent. //x sends /x.";
    man_notice => "NOTIFICATIONS";
    man_notice_how => "When somebody mentions you or writes to you alone, and you look elsewhere, the terminal's bell rings; /settings turns it off. A program built with the feature notify also asks the terminal for a notification on the desktop, by OSC 9 (OSC 777 for rxvt), which works over ssh. It says that there is a message, and what the message says only if /settings told it to.";
}
