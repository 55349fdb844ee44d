//! Bots and the webhook.

sentences! {
    bots:
    bot_ready;
    bot_not_inside;
    bot_join_first;
    bot_no_command;
    bot_name_command;
    bot_no_pipes;
    bot_not_started(why: &str);
    bot_ended(code: i32);
    bot_killed;
    webhook_not_loopback;
    webhook_public;
    webhook_other_port;
    webhook_secret_how;
    webhook_secret_open;
    webhook_secret_length;
    webhook_secret_unreadable(why: &str);
    webhook_no_port(why: &str);
    webhook_listens(address: &str);
    man_not_written(why: &str);
    man_elsewhere;
    man_keys;
    man_commands;
    man_how;
    man_notice;
    man_notice_how;
}
