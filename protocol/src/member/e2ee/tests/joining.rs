//! KeyPackages and Welcomes.

use super::*;
use crate::secret::Secret;

/// Adds one new member to a room of two.
fn invited(secrets: &[EpochSecret]) -> (Roster, Vec<Seat>, Device, Built) {
    let (mut roster, mut seats) = team(2);
    let newcomer = roster.enrol(Role::Member);
    let packages = [newcomer.package()];
    let change = Change { add: &packages, ..Change::default() };
    let Seat { device, group } = &mut seats[0];
    let (provider, signer) = (Provider::new(&device.connection), &device.keys.leaf);
    let secrets = WelcomeSecrets { control: secrets, check: secrets.get(..3).unwrap_or_default() };
    let built =
        group.commit(&provider, signer, &change, &secrets, &roster, &Place::default()).unwrap();
    for seat in &mut seats {
        valid(seat.judge(&roster, &built.commit));
    }
    (roster, seats, newcomer, built)
}

fn fault(result: Result<Group, WelcomeFault>) -> WelcomeFault {
    result.err().unwrap()
}

#[test]
fn a_welcome_brings_the_room_and_the_secrets_of_other_channels() {
    let secrets: Vec<EpochSecret> = (0..MAX_CONTROL_SECRETS as u64)
        .map(|epoch| EpochSecret { epoch, secret: Secret::random(&mut OsRandom) })
        .collect();
    let (roster, mut seats, newcomer, built) = invited(&secrets);
    let provider = newcomer.provider();
    let invitation = open_welcome(&provider, &built.welcome.unwrap(), Rejoin::Refuse).unwrap();
    assert_eq!(invitation.room(), seats[0].group.room());
    assert_eq!(invitation.epoch(), 2);
    assert_eq!(invitation.state(), seats[0].group.state());
    assert_eq!(invitation.sender().unwrap(), seats[0].id());
    assert_eq!(invitation.members().len(), 3);
    assert_eq!(invitation.note().roster_floor, roster.number);
    let brought = &invitation.note().control_secrets;
    assert_eq!(brought.len(), MAX_CONTROL_SECRETS);
    for (sent, got) in secrets.iter().zip(brought) {
        assert_eq!(sent.epoch, got.epoch);
        assert!(sent.secret.ct_eq(got.secret.expose()));
    }
    let check = &invitation.note().check_secrets;
    assert_eq!(check.iter().map(|secret| secret.epoch).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(!invitation.note().removes);
    let group = invitation.accept(&provider, &roster).unwrap();
    assert_eq!(group.members(), seats[0].group.members());
    seats.push(Seat { device: newcomer, group });
    agree(&seats);
    all_talk(&roster, &mut seats);
}

#[test]
fn too_many_secrets_are_not_sent() {
    let (mut roster, mut seats) = team(2);
    let newcomer = roster.enrol(Role::Member);
    let packages = [newcomer.package()];
    let change = Change { add: &packages, ..Change::default() };
    let secrets: Vec<EpochSecret> = (0..=MAX_CONTROL_SECRETS as u64)
        .map(|epoch| EpochSecret { epoch, secret: Secret::random(&mut OsRandom) })
        .collect();
    let Seat { device, group } = &mut seats[0];
    let (provider, signer) = (Provider::new(&device.connection), &device.keys.leaf);
    for secrets in [
        WelcomeSecrets { control: &secrets, check: &[] },
        WelcomeSecrets { control: &[], check: &secrets[..=MAX_CHECK_SECRETS] },
    ] {
        let built = group.commit(&provider, signer, &change, &secrets, &roster, &Place::default());
        assert!(matches!(built, Err(CommitError::Other(Error::TooLong))));
        assert!(!group.has_pending());
    }
}

#[test]
fn a_welcome_for_nobodys_key_package_says_so() {
    let (mut roster, _seats, _newcomer, built) = invited(&[]);
    let stranger = roster.enrol(Role::Member);
    stranger.package();
    let opened = open_welcome(&stranger.provider(), &built.welcome.unwrap(), Rejoin::Refuse);
    assert!(matches!(opened.err(), Some(WelcomeFault::NoMatchingKeyPackage)));
}

#[test]
fn a_single_use_key_package_opens_one_welcome() {
    let (roster, _seats, newcomer, built) = invited(&[]);
    let welcome = built.welcome.unwrap();
    let seat = join(&roster, newcomer, &welcome);
    let again = open_welcome(&seat.device.provider(), &welcome, Rejoin::Replace);
    assert!(matches!(again.err(), Some(WelcomeFault::NoMatchingKeyPackage)));
}

#[test]
fn a_last_resort_key_package_stays_and_a_rejoin_must_be_allowed() {
    let (mut roster, mut seats) = team(2);
    let newcomer = roster.enrol(Role::Member);
    let (keys, certificate) = (&newcomer.keys, &newcomer.certificate);
    let package = new_package(&newcomer.provider(), keys, certificate, true).unwrap();
    let info = check_package_of(&newcomer.provider(), &package, &roster).unwrap();
    assert!(info.last_resort);
    let packages = [package];
    let built = seats[0].commit(&roster, &Change { add: &packages, ..Change::default() }).unwrap();
    valid(seats[0].win(&roster, &built.commit));
    let welcome = built.welcome.unwrap();
    let seat = join(&roster, newcomer, &welcome);
    let provider = seat.device.provider();
    let again = open_welcome(&provider, &welcome, Rejoin::Refuse);
    assert!(matches!(again.err(), Some(WelcomeFault::AlreadyIn)));
    let again = open_welcome(&provider, &welcome, Rejoin::Replace).unwrap();
    let group = again.accept(&provider, &roster).unwrap();
    assert_eq!(group.authenticator().unwrap(), seats[0].group.authenticator().unwrap());
}

#[test]
fn membership_is_checked_against_the_roster_never_against_the_relay_or_a_welcome_alone() {
    let (roster, seats, newcomer, built) = invited(&[]);
    let welcome = built.welcome.unwrap();
    let provider = newcomer.provider();
    let open = || {
        // Each try is undone, so that the KeyPackage is there for the next.
        provider.rehearse(|| -> Result<_, rusqlite::Error> {
            Ok(open_welcome(&provider, &welcome, Rejoin::Refuse).unwrap())
        })
    };
    let open = || open().unwrap();

    let mut revoked = roster.clone();
    revoked.revoke(&seats[1].id());
    let result = fault(open().accept(&provider, &revoked));
    assert!(matches!(result, WelcomeFault::Leaf(LeafFault::NotActive)));

    let mut unknown = roster.clone();
    unknown.devices.remove(&seats[1].id());
    let result = fault(open().accept(&provider, &unknown));
    assert!(matches!(result, WelcomeFault::Leaf(LeafFault::NotActive)));

    let mut impostor = roster.clone();
    let identity = Device::new().keys.identity.public();
    let member = roster.member_of(&seats[1].id());
    impostor
        .devices
        .insert(seats[1].id(), Standing::Active { identity, member, role: Role::Member });
    let result = fault(open().accept(&provider, &impostor));
    assert!(matches!(result, WelcomeFault::Leaf(LeafFault::Certificate)));

    let mut demoted = roster.clone();
    let identity = seats[0].device.keys.identity.public();
    let member = roster.member_of(&seats[0].id());
    demoted.devices.insert(seats[0].id(), Standing::Active { identity, member, role: Role::Bot });
    assert!(matches!(fault(open().accept(&provider, &demoted)), WelcomeFault::MayNotAdd));
    let room = seats[0].group.room();
    assert!(Group::load(&provider, room).unwrap().is_none());
    open().accept(&provider, &roster).unwrap();
}

#[test]
fn a_welcome_into_a_room_ahead_of_the_known_roster_waits() {
    let (roster, _seats, newcomer, built) = invited(&[]);
    let mut behind = roster.clone();
    behind.number -= 1;
    let provider = newcomer.provider();
    let opened = open_welcome(&provider, &built.welcome.unwrap(), Rejoin::Refuse).unwrap();
    let needs = fault(opened.accept(&provider, &behind));
    assert!(matches!(needs, WelcomeFault::NeedsRoster(number) if number == roster.number));
}

#[test]
fn a_damaged_welcome_opens_nothing() {
    let (_roster, _seats, newcomer, built) = invited(&[]);
    let welcome = built.welcome.unwrap();
    let provider = newcomer.provider();
    let try_open = |bytes: &[u8]| {
        provider.rehearse(|| -> Result<bool, rusqlite::Error> {
            Ok(open_welcome(&provider, bytes, Rejoin::Refuse).is_ok())
        })
    };
    for at in (0..welcome.len()).step_by(61) {
        let mut bad = welcome.clone();
        bad[at] ^= 1;
        assert!(!try_open(&bad).unwrap(), "byte {at}");
        assert!(!try_open(&welcome[..at]).unwrap());
    }
    assert!(!try_open(&vec![0; MAX_WELCOME + 1]).unwrap());
    assert!(!try_open(&built.commit).unwrap());
    assert!(try_open(&welcome).unwrap());
}

#[test]
fn a_key_package_is_bound_to_its_device() {
    let mut roster = Roster::default();
    let (device, other) = (roster.enrol(Role::Member), roster.enrol(Role::Member));
    let provider = device.provider();
    let package = device.package();
    let info = check_package_of(&provider, &package, &roster).unwrap();
    assert_eq!((info.device, info.last_resort), (device.id(), false));
    assert_eq!(info.leaf, device.keys.leaf.public());
    let identity = device.keys.identity.public();
    assert_eq!(check_package(&provider, &package, &identity), Ok(info));
    let stranger = other.keys.identity.public();
    assert_eq!(check_package(&provider, &package, &stranger), Err(LeafFault::Certificate));
    roster.revoke(&device.id());
    assert_eq!(check_package_of(&provider, &package, &roster), Err(LeafFault::NotActive));
    // The certificate of another's leaf key.
    let (keys, certificate) = (&other.keys, &device.certificate);
    let stolen = new_package(&provider, keys, certificate, false).unwrap();
    assert_eq!(check_package(&provider, &stolen, &identity), Err(LeafFault::Certificate));
    for at in 0..package.len() {
        let mut bad = package.clone();
        bad[at] ^= 1;
        assert!(check_package(&provider, &bad, &identity).is_err(), "byte {at}");
    }
    assert_eq!(
        check_package(&provider, &vec![0; MAX_PACKAGE + 1], &identity),
        Err(LeafFault::TooLong)
    );
}
