use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("staffetta").chain(args.iter().copied()))
}

fn sent(args: &[&str]) -> SendArgs {
    match parse(args).map(|cli| cli.command) {
        Ok(Some(Command::Send(send))) => send,
        Ok(_) => panic!("another command"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_table_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_means_the_screen() {
    assert!(parse(&["--profile", "p"]).unwrap().command.is_none());
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    for args in [
        ["--json", "--profile", "p", "room", "list"],
        ["room", "--json", "list", "--profile", "p"],
        ["room", "list", "--profile", "p", "--json"],
    ] {
        let cli = parse(&args).unwrap();
        assert!(cli.global.json);
        assert_eq!(cli.global.profile, Some(PathBuf::from("p")));
    }
    assert!(parse(&["send", "general", "hello", "--json"]).unwrap().global.json);
    assert_eq!(
        parse(&["status", "--passphrase-file", "-"]).unwrap().global.passphrase_file,
        Some(PathBuf::from("-"))
    );
}

#[test]
fn a_text_may_start_with_a_dash() {
    for text in ["- a list", "-hello", "--wait for me", "-1", "-", "--", "-rf"] {
        let send = if text == "--" {
            sent(&["send", "general", "--", text])
        } else {
            sent(&["send", "general", text])
        };
        assert_eq!(send.text, text);
    }
    let send = sent(&["send", "general", "--reply-to", "ab", "--", "--json"]);
    assert_eq!(send.text, "--json");
    assert_eq!(send.reply_to.as_deref(), Some("ab"));
}

#[test]
fn flags_of_send_may_follow_the_text() {
    let send = sent(&["send", "@Lea", "hello", "--no-wait"]);
    assert_eq!((send.room.as_str(), send.no_wait), ("@Lea", true));
}

#[cfg(unix)]
#[test]
fn a_text_that_is_not_utf8_reaches_our_own_check() {
    use std::os::unix::ffi::OsStringExt;
    let odd = OsString::from_vec(vec![0xff, 0xfe]);
    let cli = Cli::try_parse_from([
        OsString::from("staffetta"),
        OsString::from("send"),
        OsString::from("general"),
        odd.clone(),
    ]);
    match cli.unwrap().command {
        Some(Command::Send(send)) => assert_eq!(send.text, odd),
        _ => panic!("another command"),
    }
}

#[test]
fn durations_are_read_as_seconds() {
    match parse(&["invite", "Lea", "--ttl", "7d"]).unwrap().command {
        Some(Command::Invite(invite)) => assert_eq!(invite.ttl, Some(7 * 86_400)),
        _ => panic!("another command"),
    }
}

#[test]
fn usage_errors_are_exit_2() {
    for args in [
        vec!["send", "general"],
        vec!["nonsense"],
        vec!["room"],
        vec!["room", "add", "press"],
        vec!["invite", "--ttl", "soon"],
        vec!["invite", "--role", "king"],
        vec!["join", "host/code"],
        vec!["approve", "ab", "--words", "a b", "--unverified"],
        vec!["status", "--json", "--plain"],
    ] {
        let error = parse(&args).err().unwrap_or_else(|| panic!("accepted {args:?}"));
        assert_eq!(error.exit_code(), 2, "{args:?}");
    }
}

#[test]
fn help_and_version_are_exit_0() {
    assert_eq!(parse(&["--version"]).err().unwrap().kind(), ErrorKind::DisplayVersion);
    assert_eq!(parse(&["send", "--help"]).err().unwrap().exit_code(), 0);
}
