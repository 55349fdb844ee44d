//! Rows that make a device: meta, roster, access rows, invites, packages.

use super::*;
use crate::member::identity::{DeviceKeys, SignatureBytes, SigningSecret};
use crate::noise::keys::{AccessSecret, TransportHash};
use crate::secret::Secret;
use crate::wire::ids::{Digest, InviteId, LogId};

#[test]
fn a_device_stays_the_same_device_across_restarts() {
    let mut world = world();
    let keys = DeviceKeys::generate(&mut OsRandom);
    let authority = SigningSecret::generate(&mut OsRandom);
    assert!(world.view(|view| view.device_keys()).is_none());
    assert!(world.view(|view| view.relay_authority()).is_none());
    world.step(|tx| {
        tx.set_device_keys(&keys)?;
        tx.set_relay_authority(&authority)
    });
    let mut world = world.reopened();
    let read = world.view(|view| view.device_keys()).unwrap();
    assert_eq!(read.device_id(), keys.device_id());
    assert_eq!(read.leaf.public(), keys.leaf.public());
    assert_eq!(read.direct.public(), keys.direct.public());
    assert_eq!(read.transport.public(), keys.transport.public());
    assert!(read.access.secret().ct_eq(keys.access.secret().expose()));
    let found = world.view(|view| view.relay_authority()).unwrap();
    assert_eq!(found.public(), authority.public());
    world.step(|tx| tx.delete_relay_authority());
    assert!(world.view(|view| view.relay_authority()).is_none());
}

#[test]
fn the_team_root_does_not_stay() {
    let mut world = world();
    let root = SigningSecret::generate(&mut OsRandom);
    world.step(|tx| tx.set_team_root(&root));
    assert_eq!(world.view(|view| view.team_root()).unwrap().public(), root.public());
    world.step(|tx| tx.delete_team_root());
    assert!(world.view(|view| view.team_root()).is_none());
}

#[test]
fn single_values_are_kept_replaced_and_removed() {
    let mut world = world();
    world.step(|tx| tx.set(MetaKey::Relay, &("relay.example", 7443_u16)));
    world.step(|tx| tx.set(MetaKey::Relay, &("other.example", 1_u16)));
    let relay: Option<(String, u16)> = world.view(|view| view.get(MetaKey::Relay));
    assert_eq!(relay, Some(("other.example".to_owned(), 1)));
    let other: Result<Option<u32>, _> = world.store.view(|view| view.get(MetaKey::Relay));
    assert!(matches!(other, Err(StoreError::Damaged)));
    world.step(|tx| tx.delete(MetaKey::Relay));
    assert_eq!(world.view(|view| view.get::<u32>(MetaKey::Relay)), None);

    let cursor = Cursor { log: LogId([3; 16]), seq: u64::MAX, hash: Digest([4; 32]) };
    world.step(|tx| tx.set_cursor(&cursor));
    assert_eq!(world.view(|view| view.cursor()), Some(cursor));
}

#[test]
fn roster_entries_come_back_in_the_order_of_the_chain() {
    let mut world = world();
    let signature = SignatureBytes([9; 64]);
    world.step(|tx| {
        tx.append_entry(1, b"second", &signature, 12)?;
        tx.append_entry(0, b"first", &signature, 0)
    });
    let entries = world.view(|view| view.entries());
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1], RosterRow { number: 1, bytes: b"second".to_vec(), signature, seq: 12 });
    let twice = world.store.step(|tx| tx.append_entry(1, b"rival", &signature, 13));
    assert!(matches!(twice, Err(StoreError::Database(_))));
}

#[test]
fn admins_keep_the_relays_rows() {
    let mut world = world();
    let (access, device) = (AccessSecret::generate(&mut OsRandom), device());
    let secret = Secret::copy(access.secret().expose()).unwrap();
    let transport = TransportHash(Digest([5; 32]));
    world.step(|tx| {
        tx.put_access_row(&AccessRow { device, access, transport, admin: false })?;
        let access = AccessSecret::from_secret(secret);
        tx.put_access_row(&AccessRow { device, access, transport, admin: true })
    });
    let rows = world.view(|view| view.access_rows());
    assert_eq!(rows.len(), 1);
    assert!(rows[0].admin && rows[0].device == device && rows[0].transport == transport);
    assert!(world.step(|tx| tx.remove_access_row(&device)));
    assert!(!world.step(|tx| tx.remove_access_row(&device)));
}

#[test]
fn an_invite_is_kept_with_its_secret_and_its_state() {
    let mut world = world();
    let id = InviteId([7; 16]);
    let invite = |state, used_at| InviteRow {
        id,
        secret: Secret::filled(|out| out.fill(42)),
        bundle: b"bundle".to_vec(),
        role: 2,
        name: None,
        auto_approve: true,
        created_at: 10,
        expires_at: 20,
        state,
        used_at,
        request: Some(vec![1]),
        by: DeviceId([8; 16]),
        member: None,
        vouch: None,
        membership: None,
    };
    world.step(|tx| tx.put_invite(&invite(0, None)));
    world.step(|tx| tx.put_invite(&invite(2, Some(15))));
    let world = world.reopened();
    let read = world.view(|view| view.invite(&id)).unwrap();
    assert!(read.secret.ct_eq(&[42; 16]));
    assert_eq!((read.state, read.used_at, read.by), (2, Some(15), DeviceId([8; 16])));
    assert_eq!(world.view(|view| view.invites()).len(), 1);
    let mut world = world;
    world.step(|tx| tx.delete_invite(&id));
    assert!(world.view(|view| view.invite(&id)).is_none());
}

#[test]
fn single_use_packages_go_first_and_once_and_the_last_resort_stays() {
    let mut world = world();
    let device = device();
    world.step(|tx| {
        tx.put_package(&device, &Digest([0; 32]), b"old last", true, 1)?;
        tx.put_package(&device, &Digest([1; 32]), b"last", true, 2)?;
        tx.put_package(&device, &Digest([2; 32]), b"one", false, 3)?;
        tx.put_package(&device, &Digest([3; 32]), b"two", false, 4)?;
        tx.put_package(&device, &Digest([3; 32]), b"two", false, 5)
    });
    let count = world.view(|view| view.package_count(&device));
    assert_eq!(count, PackageCount { single_use: 2, last_resort: true });
    let mut take = || world.step(|tx| tx.take_package(&device, 0, 0));
    assert_eq!(take(), Some((b"one".to_vec(), false)));
    assert_eq!(take(), Some((b"two".to_vec(), false)));
    assert_eq!(take(), Some((b"last".to_vec(), true)));
    assert_eq!(take(), Some((b"last".to_vec(), true)));
    assert_eq!(world.view(|view| view.last_resorts()), [(device, b"last".to_vec())]);
    world.step(|tx| tx.forget_packages_of(&device));
    assert_eq!(world.step(|tx| tx.take_package(&device, 0, 0)), None);
}

#[test]
fn a_device_cannot_fill_the_store_with_packages() {
    let mut world = world();
    let device = device();
    world.step(|tx| {
        for number in 0..100_u8 {
            tx.put_package(&device, &Digest([number; 32]), &[number], false, 1)?;
        }
        tx.forget_package(&Digest([99; 32]))
    });
    let count = world.view(|view| view.package_count(&device));
    assert_eq!(count.single_use, u64::from(MAX_PACKAGES_PER_DEVICE) - 1);
    let first = world.step(|tx| tx.take_package(&device, 0, 0));
    assert_eq!(first, Some((vec![84], false)));
}
