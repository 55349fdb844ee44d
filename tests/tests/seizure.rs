//! The relay is seized: its directory and everything it printed hold nothing that was said, no
//! name, no room, no label and no key of a device.

use staffetta_protocol::member::e2ee;
use staffetta_protocol::member::store::{Passphrase, Store, StoreError, unlock_key};
use staffetta_tests::canary::Canaries;
use staffetta_tests::world::GENERAL;
use staffetta_tests::{Staff, World};
use zeroize::Zeroizing;

const TEAM: &str = "Campagne des Tilleuls";
const FOUNDER: &str = "Karim Benali";
const NEWCOMER: &str = "Léa Fontaine";
const UNSEEN: &str = "Sofia Marchetti";
const LABELS: [&str; 3] = ["desk upstairs", "grey laptop", "old telephone"];
const ROOM: &str = "strategy of the north";
const TOPIC: &str = "posters and the hall";
const TEXTS: [&str; 5] = [
    "The hall is confirmed for 19:00, tell nobody else.",
    "Où sont les deux cents affiches ?",
    "Between the two of us.",
    "this one waited in a queue",
    "written after the relay came back",
];

/// What a device's own store holds of its keys, public halves only.
fn add_keys(staff: &Staff, canaries: &mut Canaries) {
    let typed = std::fs::read_to_string(staff.passphrase_file()).expect("the passphrase");
    let passphrase = Passphrase::new(Zeroizing::new(typed.trim_end().to_owned()));
    let key = unlock_key(&staff.profile, &passphrase).expect("the right passphrase");
    let store = Store::open(&staff.profile, &key, e2ee::migrate).expect("the profile opens");
    let keys = store.view(|view| view.device_keys()).map_err(|error: StoreError| error);
    let keys = keys.expect("a readable store").expect("an enrolled device");
    for (which, bytes) in [
        ("identity", keys.identity.public().0),
        ("leaf", keys.leaf.public().0),
        ("direct", keys.direct.public().0),
        ("transport", keys.transport.public().0),
    ] {
        canaries.bytes(&format!("{}'s {which} key", staff.name), &bytes);
    }
}

#[test]
fn a_seized_relay_holds_no_text_name_room_label_or_key() {
    let mut world = World::found(TEAM, FOUNDER, LABELS[0]);
    let mut lea = world.admit(NEWCOMER, LABELS[1]);
    let mut sofia = world.admit_unseen(UNSEEN, LABELS[2], "member");
    world.founder.ok(&["room", "create", ROOM, "--topic", TOPIC]);
    world.founder.ok(&["room", "add", ROOM, NEWCOMER]);
    world.founder.ok(&["send", GENERAL, TEXTS[0]]);
    lea.ok(&["send", ROOM, TEXTS[1]]);
    lea.ok(&["send", ROOM, TEXTS[2]]);
    world.relay.proxy.cut();
    sofia.queue(GENERAL, &[TEXTS[3].to_owned()]);
    world.relay.kill();
    world.relay.serve();
    world.relay.proxy.mend();
    sofia.has_sent_everything();
    lea.ok(&["send", GENERAL, TEXTS[4]]);
    for staff in [&world.founder, &lea, &sofia] {
        staff.reads(GENERAL, TEXTS[3]);
        staff.reads(GENERAL, TEXTS[4]);
    }

    let mut canaries = Canaries::default();
    let said = TEXTS.iter().chain(&LABELS).chain(&[TEAM, FOUNDER, NEWCOMER, UNSEEN, ROOM, TOPIC]);
    for text in said.chain(&[GENERAL]) {
        canaries.text(text);
    }
    for device in world.founder.ok(&["team"]) {
        let id = device["device"].as_str().expect("an id").to_owned();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(id.as_bytes()).expect("hex");
        canaries.bytes(&format!("device {id}"), &bytes);
    }
    for room in world.founder.ok(&["room", "list"]) {
        let id = room["id"].as_str().expect("an id").to_owned();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(id.as_bytes()).expect("hex");
        canaries.bytes(&format!("room {id}"), &bytes);
    }
    for staff in [&mut world.founder, &mut lea, &mut sofia] {
        staff.go_offline();
        add_keys(staff, &mut canaries);
    }
    assert!(canaries.len() > 30, "{} canaries", canaries.len());

    assert_eq!(world.relay.stop(), 0);
    let found = canaries.in_directory(&world.relay.data);
    println!("figure: {} of {} planted things found", found.len(), canaries.len());
    assert!(found.is_empty(), "{found:#?}");
    let log = world.relay.log().join("\n");
    assert!(!log.is_empty());
    assert!(canaries.in_bytes(log.as_bytes()).is_empty(), "{log}");
    // Addresses of devices are nobody's business either.
    let address = world.address();
    let host = address.split(':').next().expect("a host");
    assert!(
        log.lines()
            .filter(|line| !line.starts_with("listening on "))
            .all(|line| { !line.contains(host) && !line.contains("127.0.0.1") })
    );

    // The search finds, in the one place where these things do stand.
    let mut mine = Canaries::default();
    mine.text("correct horse battery");
    assert!(!mine.in_directory(lea.home()).is_empty());
}
