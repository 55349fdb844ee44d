//! What a person does when somebody else might come to the computer.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use staffetta_tests::rpc::Rpc;
use staffetta_tests::staff::write_private;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{World, eventually};

#[test]
fn a_locked_holder_is_unlocked_by_whoever_has_the_passphrase_and_by_nobody_else() {
    let world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let mut rpc = lea.rpc();
    assert_eq!(lea.one(&["lock"])["locked"], true);
    let status = lea.call("status", json!({}));
    assert_eq!((&status["locked"], &status["connected"]), (&json!(true), &json!(false)));
    assert_eq!(lea.one(&["status"])["locked"], true, "asking unlocks nothing");
    assert!(rpc.call("room.list", json!({})).is_err());

    // What comes meanwhile waits at the relay.
    world.founder.ok(&["send", GENERAL, "while you were out"]);
    let guess = lea.home().join("guess");
    write_private(&guess, "not the passphrase\n");
    let right = lea.use_passphrase_file(guess);
    for command in [&["unlock"][..], &["send", GENERAL, "it is me"], &["read", GENERAL]] {
        lea.fails(77, command);
    }
    assert_eq!(lea.call("status", json!({}))["locked"], true);
    lea.use_passphrase_file(right);
    lea.ok(&["unlock"]);
    lea.is_connected();
    lea.reads(GENERAL, "while you were out");

    // Any command unlocks with the passphrase it was given, and does what it was asked.
    lea.ok(&["lock"]);
    lea.ok(&["send", GENERAL, "back"]);
    world.founder.reads(GENERAL, "back");
    assert_eq!(lea.call("status", json!({}))["locked"], false);
    lea.go_offline();
    assert_eq!(lea.one(&["lock"])["locked"], true, "nobody holds it");
    lea.fails(1, &["unlock"]);
}

#[test]
fn an_agent_locks_itself_when_nobody_asks_for_anything_if_it_was_told_to() {
    let world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    lea.go_offline();
    let agent = lea.start(&["agent", "--lock-after", "1s"]);
    agent.stderr.wait_for("it is locked", |line| line.contains("locked").then_some(()));
    let pong = Rpc::open(&lea.profile).expect("a holder").call("ping", json!({}));
    assert_eq!(pong.expect("an answer")["locked"], true);
}

#[test]
fn wipe_destroys_the_profile_and_ends_whoever_holds_it() {
    let world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let wiped = lea.one(&["wipe", "--yes-i-mean-it"]);
    assert_eq!((&wiped["wiped"], &wiped["revoked"]), (&json!(true), &json!(true)));
    assert_ne!(lea.holder().expect("an agent").wait(), 0, "it says that its profile is gone");
    assert!(!lea.profile.exists());
    eventually("the team sees that she is out", || {
        let team = world.founder.ok(&["team"]);
        team.iter().any(|it| it["member"] == "Lea" && it["state"] == "revoked").then_some(())
    });

    // One that is locked cannot give itself up, but it goes.
    let mut sofia = world.admit_unseen("Sofia", "phone", "member");
    sofia.ok(&["lock"]);
    let guess = sofia.home().join("guess");
    write_private(&guess, "not the passphrase\n");
    sofia.use_passphrase_file(guess);
    assert_eq!(sofia.one(&["wipe", "--yes-i-mean-it"])["revoked"], false);
    assert_ne!(sofia.holder().expect("an agent").wait(), 0);
    assert!(!sofia.profile.exists());
}

/// Any user but root and oneself.
const NOBODY: u32 = 65_534;
/// Asks the socket that it is given for a sign of life, and prints what comes until the end.
const ASK: &str = r#"use IO::Socket::UNIX;
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "no way in: $!";
$SIG{PIPE} = "IGNORE";
$socket->syswrite("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
$socket->shutdown(1);
print while <$socket>;"#;

/// What a process of that user, or of one's own, hears at a socket.
fn hears(socket: &Path, user: Option<u32>) -> String {
    let mut asking = Command::new("perl");
    asking.args(["-e", ASK]).arg(socket);
    if let Some(user) = user {
        asking.uid(user);
    }
    let done = asking.output().expect("perl runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

#[test]
fn the_socket_answers_no_other_user_even_where_its_modes_would_let_them_in() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can ask as another user");
        return;
    }
    let world = World::usual();
    let mut lea = world.admit_unseen("Lea", "laptop", "member");
    let socket = lea.socket();
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&lea.profile), mode(&socket)), (0o700, 0o600));
    fs::set_permissions(&socket, Permissions::from_mode(0o666)).unwrap();
    for dir in lea.profile.ancestors().take_while(|dir| dir.starts_with(world.dir())) {
        fs::set_permissions(dir, Permissions::from_mode(0o711)).unwrap();
    }
    assert!(hears(&socket, None).contains("result"), "oneself is answered");
    assert_eq!(hears(&socket, Some(NOBODY)), "");
    lea.is_connected();
    lea.go_offline();
    assert!(!socket.exists(), "it is gone with its holder");
}
