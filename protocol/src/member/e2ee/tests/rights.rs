//! Who may add, remove and commit, by kind of room and by role.

use openmls::prelude::OpenMlsProvider;

use super::*;

fn add_by(seat: &mut Seat, roster: &Roster, newcomer: &Device) -> Result<Built, CommitError> {
    let packages = [newcomer.package()];
    seat.commit(roster, &Change { add: &packages, ..Change::default() })
}

fn remove_by(seat: &mut Seat, roster: &Roster, target: DeviceId) -> Result<Built, CommitError> {
    seat.commit(roster, &Change { remove: &[target], ..Change::default() })
}

#[test]
fn in_the_control_room_only_admins_commit() {
    let mut roster = Roster::default();
    let devices =
        vec![roster.enrol(Role::Admin), roster.enrol(Role::Member), roster.enrol(Role::Bot)];
    let mut seats = room_of(&roster, &state(RoomKind::Control), devices);
    let newcomer = roster.enrol(Role::Member);
    let admin = seats[0].id();
    for seat in [1, 2] {
        assert_eq!(refused(seats[seat].commit(&roster, &UPDATE)), Invalid::AuthorMayNotCommit);
        let seat = &mut seats[seat];
        assert_eq!(refused(add_by(seat, &roster, &newcomer)), Invalid::AuthorMayNotCommit);
        assert_eq!(refused(remove_by(seat, &roster, admin)), Invalid::AuthorMayNotCommit);
    }
    // An admin who is none any more at the commit's place is no better.
    let commit = add_by(&mut seats[0], &roster, &newcomer).unwrap().commit;
    let mut demoted = roster.clone();
    let identity = seats[0].device.keys.identity.public();
    let member = roster.member_of(&admin);
    demoted.devices.insert(admin, Standing::Active { identity, member, role: Role::Member });
    assert_eq!(invalid(seats[1].judge(&demoted, &commit)), Invalid::AuthorMayNotCommit);
    valid(seats[1].judge(&roster, &commit));
}

#[test]
fn the_admins_room_holds_admins_only() {
    let mut roster = Roster::default();
    let devices = vec![roster.enrol(Role::Admin), roster.enrol(Role::Admin)];
    let mut seats = room_of(&roster, &state(RoomKind::Admins), devices);
    let person = roster.enrol(Role::Member);
    assert_eq!(refused(add_by(&mut seats[0], &roster, &person)), Invalid::MayNotAdd);
    let admin = roster.enrol(Role::Admin);
    add_by(&mut seats[1], &roster, &admin).unwrap();
}

#[test]
fn who_may_add_is_the_rooms_choice_and_bots_never_do() {
    let mut roster = Roster::default();
    for (who, by_member) in
        [(WhoMayAdd::Members, None), (WhoMayAdd::Admins, Some(Invalid::MayNotAdd))]
    {
        let devices =
            vec![roster.enrol(Role::Admin), roster.enrol(Role::Member), roster.enrol(Role::Bot)];
        let state = RoomState { who_may_add: who, ..state(RoomKind::Room) };
        let mut seats = room_of(&roster, &state, devices);
        let newcomer = roster.enrol(Role::Member);
        match by_member {
            None => drop(add_by(&mut seats[1], &roster, &newcomer).unwrap()),
            Some(reason) => assert_eq!(refused(add_by(&mut seats[1], &roster, &newcomer)), reason),
        }
        assert_eq!(refused(add_by(&mut seats[2], &roster, &newcomer)), Invalid::MayNotAdd);
        add_by(&mut seats[0], &roster, &newcomer).unwrap();
    }
}

#[test]
fn admins_remove_anybody_people_their_own_devices_bots_nobody() {
    let mut roster = Roster::default();
    let person = MemberId::random(&mut OsRandom);
    let devices = vec![
        roster.enrol(Role::Admin),
        roster.enrol_for(person, Role::Member),
        roster.enrol_for(person, Role::Member),
        roster.enrol(Role::Bot),
    ];
    let mut seats = room_of(&roster, &state(RoomKind::Room), devices);
    let ids: Vec<DeviceId> = seats.iter().map(Seat::id).collect();
    for target in [ids[0], ids[3]] {
        assert_eq!(refused(remove_by(&mut seats[1], &roster, target)), Invalid::MayNotRemove);
    }
    for target in &ids[..3] {
        assert_eq!(refused(remove_by(&mut seats[3], &roster, *target)), Invalid::MayNotRemove);
    }
    let own = remove_by(&mut seats[1], &roster, ids[2]).unwrap().commit;
    assert_eq!(valid(seats[0].judge(&roster, &own)).removed, [ids[2]]);
    let by_admin = remove_by(&mut seats[0], &roster, ids[3]).unwrap().commit;
    valid(seats[1].win(&roster, &own));
    assert_eq!(valid(seats[1].judge(&roster, &by_admin)).removed, [ids[3]]);
    // A revoked leaf anybody removes, even a bot.
    roster.revoke(&ids[2]);
    valid(seats[3].judge(&roster, &own));
}

#[test]
fn a_bot_may_and_must_remove_a_revoked_leaf() {
    let mut roster = Roster::default();
    let devices =
        vec![roster.enrol(Role::Admin), roster.enrol(Role::Member), roster.enrol(Role::Bot)];
    let mut seats = room_of(&roster, &state(RoomKind::Room), devices);
    roster.revoke(&seats[1].id());
    let commit = seats[2].commit(&roster, &UPDATE).unwrap().commit;
    assert_eq!(valid(seats[0].judge(&roster, &commit)).removed, [seats[1].id()]);
}

#[test]
fn a_direct_conversation_is_a_room_of_two_members_with_all_their_devices() {
    let mut roster = Roster::default();
    let person = MemberId::random(&mut OsRandom);
    let devices = vec![roster.enrol_for(person, Role::Member), roster.enrol(Role::Member)];
    let mut seats = room_of(&roster, &state(RoomKind::Direct), devices);
    let third = roster.enrol(Role::Member);
    assert_eq!(refused(add_by(&mut seats[0], &roster, &third)), Invalid::DirectOfTwo);
    let second_device = roster.enrol_for(person, Role::Member);
    let commit = add_by(&mut seats[1], &roster, &second_device).unwrap().commit;
    valid(seats[0].judge(&roster, &commit));
}

#[test]
fn later_commits_of_that_epoch_lacking_the_removal_by_value_are_invalid() {
    let (roster, mut seats) = team(4);
    let target = seats[3].id();
    let proposal = {
        let provider = seats[0].device.provider();
        let signer = &seats[0].device.keys.leaf;
        seats[0].group.remove_proposal(&provider, signer, &target).unwrap()
    };
    assert_eq!(peek(&proposal).unwrap().kind, Kind::Proposal);
    let mut asked = Vec::new();
    for seat in &mut seats {
        let provider = Provider::new(&seat.device.connection);
        asked.push(seat.group.read_proposal(&provider, &proposal, &roster).unwrap());
    }
    let expected = RemovalAsked { by: seats[0].id(), target };
    assert!(asked.iter().all(|read| *read == expected));
    // It never enters OpenMLS's store, on either side: messages go on.
    assert!(seats.iter().all(|seat| !seat.group.mls.has_pending_proposals()));
    seats.iter_mut().for_each(Seat::reload);
    all_talk(&roster, &mut seats);

    // The hostile target cannot outrun its removal.
    let required = [target];
    let place = Place { required_removals: &required, ..Place::default() };
    let outrun = seats[3].commit(&roster, &UPDATE).unwrap().commit;
    let Seat { device, group } = &mut seats[3];
    group.mls.clear_pending_commit(device.provider().storage()).unwrap();
    for seat in &mut seats[..3] {
        assert_eq!(invalid(seat.judge_at(&roster, &outrun, &place)), Invalid::RemovalMissing);
    }
    assert_eq!(refused(seats[3].commit_at(&roster, &UPDATE, &place)), Invalid::RemovesAuthor);
    // Anybody's next commit carries it out, because somebody allowed has asked for it; without
    // that this person may not.
    let commit = seats[1].commit_at(&roster, &UPDATE, &place).unwrap().commit;
    assert_eq!(invalid(seats[2].judge(&roster, &commit)), Invalid::MayNotRemove);
    for seat in &mut seats {
        assert_eq!(valid(seat.judge_at(&roster, &commit, &place)).removed, [target]);
    }
}

#[test]
fn a_removal_is_asked_for_by_somebody_allowed_even_while_a_commit_is_pending() {
    let (roster, mut seats) = team(3);
    let ids: Vec<DeviceId> = seats.iter().map(Seat::id).collect();
    let mine = seats[1].commit(&roster, &UPDATE).unwrap().commit;
    let mut ask = |by: usize, target: usize| {
        let provider = seats[by].device.provider();
        let signer = &seats[by].device.keys.leaf;
        let proposal = seats[by].group.remove_proposal(&provider, signer, &ids[target]).unwrap();
        assert_eq!(by == 1, seats[by].group.has_pending());
        let Seat { device, group } = &mut seats[2];
        group.read_proposal(&device.provider(), &proposal, &roster)
    };
    assert!(matches!(ask(1, 0), Err(Refused::MayNot)));
    // Leaving is asking for one's own removal.
    assert_eq!(ask(1, 1).unwrap(), RemovalAsked { by: ids[1], target: ids[1] });
    assert_eq!(ask(0, 1).unwrap().target, ids[1]);
    valid(seats[1].win(&roster, &mine));
}
