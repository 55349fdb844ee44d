//! Encodings and sizes.

use proptest::prelude::*;

use super::*;

const CELL: usize = 945;

#[test]
fn adds_without_an_update_path_take_four_cells_at_any_size() {
    let (mut roster, mut seats) = team(10);
    let newcomer = roster.enrol(Role::Member);
    let package = newcomer.package();
    let packages = [package.clone()];
    let add = Change { add: &packages, ..Change::default() };
    let small = found(roster.enrol(Role::Member), &state(RoomKind::Room)).commit(&roster, &add);
    let small = small.unwrap();
    let added = seats[0].commit(&roster, &add).unwrap();
    valid(seats[0].win(&roster, &added.commit));
    valid(seats[1].judge(&roster, &added.commit));
    let updated = seats[0].commit(&roster, &UPDATE).unwrap();
    let target = [seats[9].id()];
    let remove = Change { remove: &target, ..Change::default() };
    let removed = seats[1].commit(&roster, &remove).err();
    assert!(matches!(removed, Some(CommitError::Refused(Invalid::MayNotRemove))));
    valid(seats[0].win(&roster, &updated.commit));
    let removed = seats[0].commit(&roster, &remove).unwrap();
    let (welcome, said) = (added.welcome.unwrap(), seats[1].say(&roster, b"hello").unwrap());
    println!(
        "10 devices: KeyPackage {} B, Add {} B, Welcome {} B, update {} B, Remove {} B, message {} B",
        package.len(),
        added.commit.len(),
        welcome.len(),
        updated.commit.len(),
        removed.commit.len(),
        said.len()
    );
    assert_eq!(package.len(), 2_728);
    assert!(package.len() <= 3 * CELL);
    // Nothing in it grows with the tree.
    assert_eq!(small.commit.len(), added.commit.len());
    assert!(added.commit.len() <= 4 * CELL);
    assert!(welcome.len() <= 64 * 1024);
}

#[test]
fn handshakes_are_public_messages_application_messages_are_private_messages() {
    let (roster, mut seats) = team(2);
    let commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    assert_eq!(commit[..4], [0, 1, 0, 1]);
    assert_eq!(seats[0].say(&roster, b"hello").unwrap()[..4], [0, 1, 0, 2]);
}

#[test]
fn room_state_is_read_as_it_was_written_and_bounded() {
    for kind in [RoomKind::Room, RoomKind::Direct, RoomKind::Control, RoomKind::Admins] {
        for who_may_add in [WhoMayAdd::Members, WhoMayAdd::Admins] {
            let name = "n".repeat(MAX_NAME);
            let topic = "t".repeat(MAX_TOPIC);
            let state = RoomState { name, topic, kind, who_may_add, lifetime_s: u32::MAX };
            assert_eq!(RoomState::decode(&state.encode().unwrap()), Some(state));
        }
    }
    let mut long = state(RoomKind::Room);
    long.name = "n".repeat(MAX_NAME + 1);
    assert!(long.encode().is_none());
    let mut bytes = state(RoomKind::Room).encode().unwrap();
    bytes.push(0);
    assert_eq!(RoomState::decode(&bytes), None);
}

#[test]
fn a_note_has_one_encoding() {
    let note = CommitNote { roster: 23, resync: None };
    assert_eq!(note.encode(), [0x83, 0x01, 0x17, 0xF6]);
    assert_eq!(CommitNote::decode(&note.encode()), Some(note));
    // 23 in two bytes; another version; an indefinite array.
    assert_eq!(CommitNote::decode(&[0x83, 0x01, 0x18, 0x17, 0xF6]), None);
    assert_eq!(CommitNote::decode(&[0x83, 0x02, 0x17, 0xF6]), None);
    assert_eq!(CommitNote::decode(&[0x9F, 0x01, 0x17, 0xF6, 0xFF]), None);
}

proptest! {
    #[test]
    fn no_bytes_make_a_header_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = peek(&bytes);
        let _ = RoomState::decode(&bytes);
        let _ = CommitNote::decode(&bytes);
        prop_assert!(WelcomeNote::decode(&bytes).is_none_or(|n| n.control_secrets.is_empty()));
    }

    #[test]
    fn no_bytes_behind_a_true_header_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..300),
        wire in 1_u8..3,
    ) {
        let mut bytes = vec![0, 1, 0, wire, 16];
        bytes.extend([7; 16]);
        bytes.extend(tail);
        let connection = Connection::open_in_memory().unwrap();
        let identity = DeviceKeys::generate(&mut OsRandom).identity.public();
        let _ = peek(&bytes);
        prop_assert!(check_package(&Provider::new(&connection), &bytes, &identity).is_err());
        prop_assert!(open_welcome(&Provider::new(&connection), &bytes, Rejoin::Refuse).is_err());
    }
}
