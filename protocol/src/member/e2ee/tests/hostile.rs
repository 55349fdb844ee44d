//! Commits by a member whose program keeps no rule: made with OpenMLS alone, or forged beyond it.

use ciborium::value::Value;
use ed25519_dalek::{Signer as _, SigningKey};
use openmls::prelude::{HashType, OpenMlsCrypto, OpenMlsProvider};

use super::*;

const TAG: usize = 1 + 48;
const SIGNATURE: usize = 2 + 64;

/// What a hostile member reads from its own disk: membership key and group context.
struct Forger {
    membership_key: Vec<u8>,
    context: Vec<u8>,
    leaf: [u8; 32],
}

impl Forger {
    fn of(seat: &Seat) -> Self {
        let leaf = seat.device.keys.leaf.secret();
        Self::in_room(&seat.device.connection, &seat.group.room(), leaf.expose())
    }

    fn in_room(connection: &Connection, room: &RoomId, leaf: &[u8; 32]) -> Self {
        let sql = "SELECT group_data FROM openmls_group_data WHERE data_type = 'message_secrets'";
        let mut select = connection.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        // The serialised context names the room.
        let of_room = |row: &Value| {
            let context = bytes_in(find(row, "serialized_context").unwrap()).unwrap();
            context.windows(RoomId::LEN).any(|id| id == room.0)
        };
        let row = rows
            .map(|row| ciborium::from_reader::<Value, _>(row.unwrap().as_slice()).unwrap())
            .find(of_room)
            .unwrap();
        let membership_key = bytes_in(find(&row, "membership_key").unwrap()).unwrap();
        let context = bytes_in(find(&row, "serialized_context").unwrap()).unwrap();
        assert_eq!(membership_key.len(), 48);
        Self { membership_key, context, leaf: *leaf }
    }

    /// Signs the content again (RFC 9420 section 6.1), and authenticates the whole again.
    fn sign(&self, commit: &mut [u8]) {
        let content_end = commit.len() - 2 * TAG - SIGNATURE;
        let content = [&commit[..content_end], &self.context].concat();
        let label = b"MLS 1.0 FramedContentTBS";
        let mut signed = vec![u8::try_from(label.len()).unwrap()];
        signed.extend_from_slice(label);
        signed.extend_from_slice(
            &(0x8000_0000 | u32::try_from(content.len()).unwrap()).to_be_bytes(),
        );
        if content.len() < 1 << 14 {
            signed.truncate(1 + label.len());
            signed
                .extend_from_slice(&(0x4000 | u16::try_from(content.len()).unwrap()).to_be_bytes());
        }
        signed.extend_from_slice(&content);
        let signature = SigningKey::from_bytes(&self.leaf).sign(&signed).to_bytes();
        commit[content_end + 2..content_end + SIGNATURE].copy_from_slice(&signature);
        self.authenticate(commit);
    }

    fn break_tag(&self, commit: &mut [u8]) {
        // The forger's own arithmetic is right: nothing changed, nothing changes.
        let before = commit.to_vec();
        self.sign(commit);
        assert!(commit == before);
        let at = commit.len() - TAG - 1;
        commit[at] ^= 1;
        self.authenticate(commit);
    }

    /// Makes the membership tag again (RFC 9420 section 6.2).
    fn authenticate(&self, commit: &mut [u8]) {
        let content_end = commit.len() - 2 * TAG - SIGNATURE;
        let tag_at = commit.len() - TAG;
        let signed = [&commit[..content_end], &self.context, &commit[content_end..tag_at]].concat();
        let connection = Connection::open_in_memory().unwrap();
        let tag = Provider::new(&connection)
            .crypto()
            .hmac(HashType::Sha2_384, &self.membership_key, &signed)
            .unwrap();
        commit[tag_at + 1..].copy_from_slice(tag.as_slice());
    }
}

fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Map(pairs) => pairs.iter().find_map(|(key, value)| {
            if key.as_text() == Some(name) { Some(value) } else { find(value, name) }
        }),
        Value::Array(values) => values.iter().find_map(|value| find(value, name)),
        _ => None,
    }
}

fn bytes_in(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::Array(values) => values
            .iter()
            .map(|v| v.as_integer().and_then(|i| u8::try_from(i).ok()))
            .collect::<Option<Vec<u8>>>(),
        Value::Map(pairs) => pairs.iter().find_map(|(_, value)| bytes_in(value)),
        _ => None,
    }
}

fn wrong_tag(seat: &mut Seat, roster: &Roster, change: &Change<'_>) -> Vec<u8> {
    let forger = Forger::of(seat);
    let mut commit = seat.commit(roster, change).unwrap().commit;
    forger.break_tag(&mut commit);
    commit
}

/// Gives a commit that a device just built a wrong confirmation tag, and authenticates it again.
pub(in crate::member) fn break_tag(
    connection: &Connection,
    room: &RoomId,
    leaf: &[u8; 32],
    commit: &mut [u8],
) {
    Forger::in_room(connection, room, leaf).break_tag(commit);
}

#[test]
fn a_wrong_confirmation_tag_with_a_path_is_broken_for_everybody() {
    let (roster, mut seats) = team(3);
    let commit = wrong_tag(&mut seats[1], &roster, &UPDATE);
    for seat in [0, 2] {
        assert_eq!(broken(seats[seat].judge(&roster, &commit)), Broken::ConfirmationTag);
        seats[seat].reload();
        assert_eq!(seats[seat].group.epoch(), 1);
    }
}

#[test]
fn a_wrong_confirmation_tag_without_a_path_is_invalid_and_a_rival_wins() {
    let (mut roster, mut seats) = team(3);
    let newcomer = roster.enrol(Role::Member);
    let packages = [newcomer.package()];
    let add = Change { add: &packages, ..Change::default() };
    let commit = wrong_tag(&mut seats[1], &roster, &add);
    for seat in [0, 2] {
        assert_eq!(invalid(seats[seat].judge(&roster, &commit)), Invalid::ConfirmationTag);
    }
    let rival = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    for seat in &mut seats {
        valid(seat.judge(&roster, &rival));
    }
    agree(&seats);
}

#[test]
fn a_path_that_one_device_cannot_open_is_broken_not_invalid() {
    let (roster, mut seats) = team(3);
    let forger = Forger::of(&seats[0]);
    let mut commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    // The last bytes of the content are the root's path secret, sealed for the third leaf.
    let at = commit.len() - 2 * TAG - SIGNATURE - 1;
    commit[at] ^= 1;
    forger.sign(&mut commit);
    assert_eq!(broken(seats[2].judge(&roster, &commit)), Broken::Path);
    // The second leaf opens its own part. That it then finds a wrong tag is the forger's laziness:
    // the tag cannot be made again without OpenMLS's inner key schedule.
    assert_eq!(broken(seats[1].judge(&roster, &commit)), Broken::ConfirmationTag);
    seats[2].reload();
    assert_eq!(seats[2].group.epoch(), 1);
}

#[test]
fn a_forged_membership_tag_is_invalid() {
    let (roster, mut seats) = team(2);
    let mut commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    *commit.last_mut().unwrap() ^= 1;
    assert_eq!(invalid(seats[1].judge(&roster, &commit)), Invalid::Mls);
}

#[test]
fn a_commit_of_ones_own_leaf_that_is_not_pending_is_the_clone_alarm() {
    let (roster, mut seats) = team(2);
    // A copy of the device, or its store before it went back, has made this commit.
    let commit = {
        let Seat { device, group } = &mut seats[0];
        let step = device.connection.unchecked_transaction().unwrap();
        let built = group.commit(
            &Provider::new(&step),
            &device.keys.leaf,
            &UPDATE,
            &WelcomeSecrets::default(),
            &roster,
            &Place::default(),
        );
        step.rollback().unwrap();
        built.unwrap().commit
    };
    seats[0].reload();
    assert_eq!(broken(seats[0].judge(&roster, &commit)), Broken::OwnUnknown);
    // The others cannot tell, and go on.
    valid(seats[1].judge(&roster, &commit));
}

#[test]
fn a_message_that_claims_our_leaf_is_only_refused() {
    let (roster, mut seats) = team(2);
    let said = seats[0].say(&roster, b"mine").unwrap();
    seats[0].reload();
    assert!(matches!(seats[0].hear(&roster, &said), Err(Refused::Own)));
    assert_eq!(seats[0].group.epoch(), 1);
}
