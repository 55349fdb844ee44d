//! What is left of messages whose time is over, in the bytes of the profile.

use aes::Aes256;
use aes::cipher::{BlockDecrypt as _, KeyInit as _};
use serde_json::json;

use super::world::World;

const PAGE: usize = 4_096;
/// At the end of each page: the initialisation vector, and the page's MAC (SQLCipher 4's defaults).
const IV: usize = 16;
const MAC: usize = 64;
const SALT: usize = 16;

/// The plain bytes of a page: AES-256 in CBC mode.
fn open(key: &[u8; 32], page: &[u8]) -> Vec<u8> {
    let (body, rest) = page.split_at(page.len() - IV - MAC);
    let cipher = Aes256::new(key.into());
    let mut before: [u8; 16] = rest[..IV].try_into().unwrap();
    let mut plain = Vec::with_capacity(body.len());
    for block in body.chunks_exact(16) {
        let mut opened = *aes::Block::from_slice(block);
        cipher.decrypt_block(&mut opened);
        plain.extend(opened.iter().zip(before).map(|(byte, mask)| byte ^ mask));
        before = block.try_into().unwrap();
    }
    plain
}

/// All pages of the database and of its write-ahead log, opened with the key: also those that hold
/// nothing any more.
fn pages(world: &World, at: usize) -> Vec<u8> {
    let (dir, key) = world.files_of(at);
    let database = std::fs::read(dir.join("store.db")).unwrap();
    let log = std::fs::read(dir.join("store.db-wal")).unwrap_or_default();
    let mut plain = Vec::new();
    for (number, page) in database.chunks_exact(PAGE).enumerate() {
        // The first page begins with the salt, in the clear.
        plain.extend(open(key, if number == 0 { &page[SALT..] } else { page }));
    }
    // A log begins with 32 bytes of its own, each of its pages with 24.
    for frame in log.get(32..).unwrap_or_default().chunks_exact(24 + PAGE) {
        let first = frame[..4] == 1_u32.to_be_bytes();
        plain.extend(open(key, &frame[24 + if first { SALT } else { 0 }..]));
    }
    plain
}

/// Everything in the profile's directory as it lies there.
fn raw(world: &World, at: usize) -> Vec<u8> {
    let entries = std::fs::read_dir(world.files_of(at).0).unwrap();
    entries.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn after_the_lifetime_the_text_is_found_nowhere_in_the_profile_with_the_key_open_or_closed() {
    const TEXT: &str = "la canaria canta a mezzanotte";
    const EDITED: &str = "il gallo dorme sul tetto rosso";
    const STAYS: &str = "questo resta ancora per un mese";
    let mut world = World::founded();
    let karim = world.join(0, "Karim", "member", true);
    for (room, lifetime) in [("brief", 90), ("long", 30 * 86_400)] {
        world.ok(0, "room.create", json!({"name": room, "lifetime_s": lifetime}));
        world.ok(0, "room.add", json!({"room": room, "member": "Karim"}));
    }
    let sent = world.ok(0, "send", json!({"room": "brief", "text": EDITED}));
    world.ok(0, "edit", json!({"id": sent["id"], "text": TEXT}));
    world.ok(0, "send", json!({"room": "long", "text": STAYS}));
    for at in [0, karim] {
        // Before, it is there for who has the key, and for nobody else. What was edited is gone.
        assert!(holds(&pages(&world, at), TEXT) && holds(&pages(&world, at), STAYS));
        assert!(!holds(&pages(&world, at), EDITED), "{at}: what was replaced");
        assert!(!holds(&raw(&world, at), TEXT) && !holds(&raw(&world, at), STAYS));
    }
    world.pass(91_000);
    for at in [0, karim] {
        assert!(world.texts(at, "brief").is_empty());
        let pages = pages(&world, at);
        assert!(!holds(&pages, TEXT), "{at}: with the key");
        assert!(holds(&pages, STAYS));
        assert!(!holds(&raw(&world, at), TEXT));
    }
    // Also of a device that was off when the time came.
    world.ok(0, "send", json!({"room": "brief", "text": TEXT}));
    world.disconnect(karim);
    world.pass(91_000);
    world.restart(karim);
    world.pass(1_000);
    assert!(!holds(&pages(&world, karim), TEXT) && !holds(&pages(&world, 0), TEXT));
}
