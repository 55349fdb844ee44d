//! The roster, carried by the control channel.

use serde_json::json;

use super::super::control::Origin;
use super::super::rooms::ROOM_COMMIT;
use super::relay::LOG;
use super::team::LEA;
use super::world::{RELAY_KEY, World};
use crate::invite_code::InviteCode;
use crate::member::agent::core::Core as _;
use crate::member::e2ee::Change;
use crate::noise::keys::StaticPublic;
use crate::wire::frame::ToDevice;
use crate::wire::ids::{Lane, LogId};

fn head(world: &mut World, at: usize) -> (u32, [u8; 32]) {
    world.forge(at, |cx| {
        let head = cx.memory.roster().unwrap().head();
        (head.number, head.hash.0)
    })
}

fn active(world: &mut World, at: usize) -> usize {
    world.forge(at, |cx| cx.memory.roster().unwrap().active_devices().count())
}

#[test]
fn two_admins_at_once_log_order_decides_the_loser_rebases() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "admin", false);
    let sofia = world.join(LEA, "Sofia", "member", true);
    world.join(LEA, "Paul", "member", true);
    world.relay.silent = true;
    let a = world.begin(LEA, "revoke", json!({"member": "Sofia"}));
    let b = world.begin(karim, "revoke", json!({"member": "Paul"}));
    world.turn(LEA);
    world.turn(karim);
    world.relay.silent = false;
    world.settle(3_000);
    assert!(world.answer(LEA, a).unwrap().is_ok());
    // The relay is told by the founder's device; the team's list does not wait for that.
    assert!(world.answer(karim, b).is_some());
    assert_eq!(head(&mut world, LEA), head(&mut world, karim));
    assert_eq!((active(&mut world, LEA), active(&mut world, karim)), (2, 2));
    let refused = world.ok(sofia, "status", json!({}));
    assert!(refused["refused"].as_str().unwrap().contains("revoked"));
}

#[test]
fn no_commit_can_void_a_roster_entry() {
    let mut world = World::founded();
    let karim = world.join(LEA, "Karim", "admin", false);
    let sofia = world.join(LEA, "Sofia", "member", true);
    let control = world.forge(LEA, |cx| cx.memory.profile.control().unwrap());
    let epoch =
        |world: &mut World| world.forge(karim, |cx| cx.memory.rooms.get(&control).unwrap().epoch);
    let before = epoch(&mut world);
    // Karim's entry is sealed in this epoch, and placed behind a commit that ends it.
    world.relay.silent = true;
    world.begin(karim, "revoke", json!({"member": "Sofia"}));
    world.turn(karim);
    let entry = world.relay.log.len() - 1;
    let update = world.forge(LEA, |cx| {
        let change = Change { update: true, ..Change::default() };
        let (commit, _) = cx.raw_commit(&control, 0, &change, false);
        cx.seal_in_room(&control, ROOM_COMMIT, &commit).unwrap()
    });
    world.rewrite(entry, |cells| drop(cells.splice(0..0, update)));
    world.relay.silent = false;
    world.disconnect(LEA);
    world.run();
    assert!(epoch(&mut world) > before);
    assert_eq!(active(&mut world, karim), 2);
    let told = world.ok(sofia, "status", json!({}));
    assert!(told["refused"].as_str().unwrap().contains("revoked"));
}

#[test]
fn a_copy_of_an_entry_means_nothing() {
    let mut world = World::with(&["Karim"]);
    let before = head(&mut world, LEA);
    world.replay_last(world.relay.log.len().min(60));
    world.run();
    assert_eq!(head(&mut world, LEA), before);
    let changed = world.forge(LEA, |cx| {
        let entry = super::super::memory::signed_entries(cx.tx, 1).unwrap().remove(1);
        cx.entry(&entry, 9_999, Origin::Other).unwrap();
        cx.memory.roster().unwrap().head().number
    });
    assert_eq!(changed, before.0);
}

#[test]
fn a_log_id_or_a_head_below_ones_own_stops_the_device() {
    for (log, head) in [(LogId([6; 16]), 1_000_000), (LOG, 3)] {
        let mut world = World::founded();
        let karim = world.join(LEA, "Karim", "member", true);
        world.disconnect(karim);
        let welcome = ToDevice::Welcome {
            version: 1,
            lane: Lane(0),
            log,
            oldest: 1,
            head,
            hash: *world.relay.hashes.last().unwrap(),
            admin: false,
            blob_quota: 0,
        };
        let now = world.now;
        world.devices[karim].engine.frame(now, welcome);
        world.run();
        let alarms = world.alarms(karim);
        assert!(alarms.iter().any(|alarm| alarm.contains("another log")), "{alarms:?}");
        // It neither dials nor sends any more, also after a restart; at another log it only looks
        // for an admin's word, without which it takes nothing over.
        world.call(karim, "send", json!({"room": "general", "text": "no"})).unwrap_err();
        world.restart(karim);
        let dials = world.devices[karim].engine.dial().is_some();
        assert_eq!(dials, log != LOG);
        world.relay.id = Some(log);
        let before = (world.relay.log.len(), head);
        if dials {
            world.connect(karim);
            world.run();
            world.pass(60_000);
        }
        assert_eq!(world.relay.log.len(), before.0);
    }
}

#[test]
fn a_newcomer_checks_the_relays_static_key_against_the_bundle_before_it_sends_its_request() {
    let mut world = World::founded();
    let invite = world.ok(LEA, "invite.create", json!({"name": "Karim"}));
    let code = InviteCode::parse(invite["code"].as_str().unwrap()).unwrap();
    let sealed = world.relay.bundles[&code.keys().id].clone();
    let new = world.blank();
    let (now, engine) = (world.now, &mut world.devices[new].engine);
    engine.begin_join(now, &code, "Karim", "computer").unwrap();
    let other = StaticPublic([8; 32]);
    let error = engine.bundle(now, &code, &other, &sealed).err().unwrap();
    assert!(error.message.contains("not the relay"), "{}", error.message);
    assert!(engine.bundle(now, &code, &RELAY_KEY, &sealed).is_ok());
}
