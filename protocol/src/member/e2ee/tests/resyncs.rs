//! A device that fell out comes back, and nobody is taken out and put back who did not ask for it.

use super::*;
use crate::member::identity::SigningSecret;
use crate::wire::ids::Digest;

/// The seat's device asks for a new leaf.
fn request_of(seat: &Seat, package: &[u8]) -> ResyncRequest {
    let leaf = seat.group.leaf_hash(&seat.id()).unwrap();
    let identity = &seat.device.keys.identity;
    ResyncRequest::sign(identity, seat.group.room(), seat.group.epoch(), leaf, package)
}

fn answer(
    seat: &mut Seat,
    roster: &Roster,
    request: &ResyncRequest,
    package: &[u8],
    place: &Place<'_>,
) -> Result<Built, CommitError> {
    let resync = Some(Resync { request, package });
    seat.commit_at(roster, &Change { resync, ..Change::default() }, place)
}

fn rejoin(roster: &Roster, seat: &mut Seat, welcome: &[u8]) {
    let provider = Provider::new(&seat.device.connection);
    let invitation = open_welcome(&provider, welcome, Rejoin::Only(&[seat.group.room()])).unwrap();
    assert!(invitation.note().removes);
    seat.group = invitation.accept(&provider, roster).unwrap();
}

#[test]
fn a_device_that_asks_is_removed_and_added_again_in_one_commit() {
    let (roster, mut seats) = team(4);
    // The last one misses a change.
    let missed = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    for seat in &mut seats[..3] {
        valid(seat.judge(&roster, &missed));
    }
    let package = seats[3].device.package();
    let request = request_of(&seats[3], &package);
    assert_eq!(ResyncRequest::decode(&request.encode()), Some(request));
    assert_eq!(request.encode().len(), REQUEST_BYTES);
    let built = answer(&mut seats[1], &roster, &request, &package, &Place::default()).unwrap();
    for seat in &mut seats[..3] {
        let outcome = valid(seat.judge(&roster, &built.commit));
        assert_eq!(outcome.resynced, Some(request.device));
        assert_eq!((outcome.removed, outcome.added), (vec![request.device], vec![request.device]));
    }
    rejoin(&roster, &mut seats[3], &built.welcome.unwrap());
    agree(&seats);
    all_talk(&roster, &mut seats);
    // The request is used up: the leaf it names is gone.
    let again = answer(&mut seats[2], &roster, &request, &package, &Place::default());
    assert_eq!(refused(again), Invalid::Resync);
}

#[test]
fn a_resync_nobody_asked_for() {
    let (roster, mut seats) = team(4);
    let (package, other) = (seats[3].device.package(), seats[3].device.package());
    let request = request_of(&seats[3], &package);
    // In the name of another; for another KeyPackage, leaf, room or a later epoch; with a
    // signature that is not the device's.
    let (room, epoch) = (seats[3].group.room(), seats[3].group.epoch());
    let leaf = seats[3].group.leaf_hash(&seats[3].id()).unwrap();
    let forger = SigningSecret::from_secret(&seats[2].device.keys.identity.secret());
    let own = &seats[3].device.keys.identity;
    let by_forger = ResyncRequest::sign(&forger, room, epoch, leaf, &package);
    let forged = [
        ResyncRequest { device: request.device, ..by_forger },
        ResyncRequest { epoch: epoch + 1, ..request },
        ResyncRequest::sign(own, room, epoch + 1, leaf, &package),
        ResyncRequest::sign(own, RoomId([7; 16]), epoch, leaf, &package),
        ResyncRequest::sign(own, room, epoch, Digest([7; 32]), &package),
        ResyncRequest::sign(own, room, epoch, leaf, &other),
    ];
    for request in &forged {
        let built = answer(&mut seats[1], &roster, request, &package, &Place::default());
        assert_eq!(refused(built), Invalid::Resync);
    }
    // Nobody else comes in on a request, and nothing happens without the device.
    let mut roster = roster;
    let newcomer = roster.enrol(Role::Member);
    let strangers = [newcomer.package()];
    let resync = Some(Resync { request: &request, package: &package });
    let change = Change { add: &strangers, resync, ..Change::default() };
    assert_eq!(refused(seats[1].commit(&roster, &change)), Invalid::Resync);
    // The others judge the same: a hostile author has no checks of its own.
    let good = answer(&mut seats[1], &roster, &request, &package, &Place::default()).unwrap();
    let asked_out = [request.device];
    let place = Place { required_removals: &asked_out, ..Place::default() };
    for seat in [0, 2] {
        assert_eq!(invalid(seats[seat].judge_at(&roster, &good.commit, &place)), Invalid::Resync);
    }
    let mut revoked = roster.clone();
    revoked.revoke(&request.device);
    assert_eq!(invalid(seats[0].judge(&revoked, &good.commit)), Invalid::Resync);
    for seat in [0, 2] {
        valid(seats[seat].judge(&roster, &good.commit));
    }
}

#[test]
fn a_bot_answers_no_resync_and_in_the_control_room_only_admins_do() {
    for kind in [RoomKind::Room, RoomKind::Control] {
        let mut roster = Roster::default();
        let devices = [Role::Admin, Role::Member, Role::Bot].map(|role| roster.enrol(role));
        let mut seats = room_of(&roster, &state(kind), devices.into());
        let package = seats[0].device.package();
        let request = request_of(&seats[0], &package);
        let expected = match kind {
            RoomKind::Control => Invalid::AuthorMayNotCommit,
            _ => Invalid::Resync,
        };
        let by_bot = answer(&mut seats[2], &roster, &request, &package, &Place::default());
        assert_eq!(refused(by_bot), expected);
        let by_member = answer(&mut seats[1], &roster, &request, &package, &Place::default());
        assert_eq!(by_member.is_ok(), kind == RoomKind::Room);
    }
}
