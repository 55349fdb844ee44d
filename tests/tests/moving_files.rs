//! Files that the new relay does not have: put again by who still holds them, or said to be gone.

use std::fs;

use staffetta_tests::relay_process::Relay;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World, eventually};

/// Of a file that every device fetches, and of one that whoever wants it fetches, in bytes.
const SHARED: usize = 200_000;
const LARGE: usize = 1_500_000;

/// Sends a file; returns its id.
fn sends(staff: &Staff, name: &str, bytes: usize) -> String {
    let path = staff.home().join(name);
    fs::write(&path, vec![7; bytes]).expect("a file");
    let sent = staff.one(&["file", "send", GENERAL, path.to_str().expect("UTF-8")]);
    sent["id"].as_str().expect("an id").to_owned()
}

/// Moves the team to the relay at this address.
fn moves(world: &World, all: &[&Staff], address: &str, args: &[&str]) {
    world.founder.ok(&[&["relay", "move"], args].concat());
    for staff in all {
        staff.comes_to(address);
    }
}

/// Fetches a file to this name; what the command says if it fails.
fn gets(staff: &Staff, id: &str, name: &str) -> Result<usize, String> {
    let path = staff.home().join(name);
    let done = staff.run(&["file", "get", id, "-o", path.to_str().expect("UTF-8")]);
    match done.code {
        0 => Ok(fs::read(path).expect("the file").len()),
        1 => Err(done.stderr),
        _ => panic!("{done:?}"),
    }
}

#[test]
fn files_that_the_new_relay_lacks_are_put_again_or_said_to_be_gone() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let mut sofia = world.admit_unseen("Sofia", "laptop", "member");
    world.founder.ok(&["send", GENERAL, "before"]);
    [&lea, &sofia].into_iter().for_each(|staff| staff.reads(GENERAL, "before"));
    let mut restored = world.relay.restored(world.dir(), "elsewhere");
    restored.serve();
    let mut spare = Relay::spare(world.dir(), "spare");
    spare.serve();
    world.founder.tells(&["relay", "spare", "add", "--after", "7d"], &spare.founder_code);
    sofia.go_offline();

    // After the backup Lea sends two files. She fetches what every device fetches, as all do.
    let ids = [sends(&lea, "small", SHARED), sends(&lea, "large", LARGE)];
    assert_eq!(gets(&lea, &ids[0], "own"), Ok(SHARED));
    let address = restored.proxy.address().to_string();
    moves(&world, &[&world.founder, &lea], &address, &[&address]);

    // And once more to the spare, which has no file at all.
    for (round, way) in ["restored", "spare"].into_iter().enumerate() {
        if way == "spare" {
            let address = spare.proxy.address().to_string();
            moves(&world, &[&world.founder, &lea, &sofia], &address, &["--spare"]);
        } else {
            sofia.go_online();
            sofia.comes_to(&address);
        }
        lea.ok(&["send", GENERAL, way]);
        eventually("she reads it", || {
            sofia.messages(GENERAL).iter().any(|it| it["text"] == way).then_some(())
        });
        let small = eventually("the small file is there", || {
            gets(&sofia, &ids[0], &format!("small {round}")).ok()
        });
        assert_eq!(small, SHARED);
        let said = gets(&sofia, &ids[1], "large").expect_err("it is nowhere");
        assert!(said.contains("no longer has the file"), "{said}");
        assert!(said.contains("send it again"), "{said}");
    }
    // It is as good as new after that.
    let again = sends(&lea, "large again", LARGE);
    eventually("the file is listed", || {
        sofia.ok(&["file", "list"]).iter().any(|it| it["id"] == again).then_some(())
    });
    assert_eq!(gets(&sofia, &again, "large"), Ok(LARGE));
}
