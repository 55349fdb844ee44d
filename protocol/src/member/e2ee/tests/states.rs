//! Room state: who may change what of it, and that all agree.

use super::*;

fn set(new: &RoomState) -> Change<'_> {
    Change { state: Some(new), ..Change::default() }
}

#[test]
fn room_state_is_agreed_in_the_group_context() {
    let (roster, mut seats) = team(3);
    let mut new = seats[1].group.state().clone();
    (new.name, new.topic, new.lifetime_s) = ("hall".into(), "where and when".into(), 3_600);
    let commit = seats[1].commit(&roster, &set(&new)).unwrap().commit;
    for (at, seat) in seats.iter_mut().enumerate() {
        match at {
            1 => valid(seat.win(&roster, &commit)),
            _ => valid(seat.judge(&roster, &commit)),
        };
        assert_eq!(*seat.group.state(), new);
        seat.reload();
        assert_eq!(*seat.group.state(), new);
    }
    agree(&seats);
    all_talk(&roster, &mut seats);
}

#[test]
fn who_may_add_decides_who_may_change_the_room_and_bots_never_do() {
    let mut roster = Roster::default();
    let devices =
        vec![roster.enrol(Role::Admin), roster.enrol(Role::Member), roster.enrol(Role::Bot)];
    let closed = RoomState { who_may_add: WhoMayAdd::Admins, ..state(RoomKind::Room) };
    let mut seats = room_of(&roster, &closed, devices);
    let open = RoomState { who_may_add: WhoMayAdd::Members, ..closed.clone() };
    for seat in [1, 2] {
        assert_eq!(refused(seats[seat].commit(&roster, &set(&open))), Invalid::Context);
    }
    let commit = seats[0].commit(&roster, &set(&open)).unwrap().commit;
    valid(seats[0].win(&roster, &commit));
    for seat in [1, 2] {
        valid(seats[seat].judge(&roster, &commit));
    }
    let renamed = RoomState { name: "other".into(), ..open };
    assert_eq!(refused(seats[2].commit(&roster, &set(&renamed))), Invalid::Context);
    seats[1].commit(&roster, &set(&renamed)).unwrap();
}

#[test]
fn a_direct_room_has_only_a_lifetime_to_choose_and_a_hidden_one_nothing() {
    for (kind, lifetime) in [(RoomKind::Direct, true), (RoomKind::Control, false)] {
        let mut roster = Roster::default();
        let devices = vec![roster.enrol(Role::Admin), roster.enrol(Role::Member)];
        let mut seats = room_of(&roster, &state(kind), devices);
        let renamed = RoomState { name: "other".into(), ..state(kind) };
        assert_eq!(refused(seats[0].commit(&roster, &set(&renamed))), Invalid::Context);
        let shorter = RoomState { lifetime_s: 60, ..state(kind) };
        assert_eq!(seats[0].commit(&roster, &set(&shorter)).is_ok(), lifetime);
    }
}

#[test]
fn a_persons_own_device_may_always_follow_into_the_room() {
    let mut roster = Roster::default();
    let devices = vec![roster.enrol(Role::Admin), roster.enrol(Role::Member)];
    let closed = RoomState { who_may_add: WhoMayAdd::Admins, ..state(RoomKind::Room) };
    let mut seats = room_of(&roster, &closed, devices);
    let (stranger, own) = {
        let member = roster.member_of(&seats[1].id());
        (roster.enrol(Role::Member), roster.enrol_for(member, Role::Member))
    };
    let add = [stranger.package()];
    let change = Change { add: &add, ..Change::default() };
    assert_eq!(refused(seats[1].commit(&roster, &change)), Invalid::MayNotAdd);
    let add = [own.package()];
    let change = Change { add: &add, ..Change::default() };
    let built = seats[1].commit(&roster, &change).unwrap();
    valid(seats[0].judge(&roster, &built.commit));
    valid(seats[1].win(&roster, &built.commit));
    join(&roster, own, &built.welcome.unwrap());
}
