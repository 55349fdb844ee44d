use super::team::{NOW, Person, Team, revoke};
use crate::member::identity::DeviceKeys;
use crate::member::roster::*;
use crate::noise::keys::StaticPublic;
use crate::random::OsRandom;
use crate::wire::ids::{DeviceId, InviteId};

fn role(person: &Person, role: Role) -> Action {
    Action::Role { member: person.member, role }
}

#[test]
fn only_admins_and_the_root_add_revoke_and_give_roles() {
    let (mut team, karim) = Team::with_admin();
    let (lea, echo) = (Person::new("Lea"), Person::new("echo"));
    team.add(&karim, &lea, Role::Member).unwrap();
    team.add(&karim, &echo, Role::Bot).unwrap();
    for who in [&lea, &echo] {
        let paul = Person::new("Paul");
        for action in [
            Action::AddDevice(Box::new(paul.card(Role::Member, karim.author()))),
            revoke(&karim),
            role(&lea, Role::Admin),
            Action::Policy { name: "p".into(), value: 1 },
            Action::RelayAddresses {
                relay: StaticPublic([1; 32]),
                addresses: vec!["a.example:1".into()],
            },
        ] {
            assert_eq!(team.by(who, action), Err(RosterError::NotAllowed));
        }
    }
    team.by(&karim, Action::Policy { name: "p".into(), value: 1 }).unwrap();
    assert_eq!(team.roster.policy("p"), Some(1));
    let changed = team.by(&karim, role(&lea, Role::Admin)).unwrap();
    let expected = Applied::RoleChanged {
        member: lea.member,
        from: Role::Member,
        to: Role::Admin,
        closes_invites: false,
    };
    assert_eq!(changed, expected);
    assert!(team.add(&lea, &Person::new("Paul"), Role::Member).is_ok());
}

#[test]
fn a_revoked_device_writes_nothing_more_and_never_comes_back() {
    let (mut team, karim) = Team::with_admin();
    let sofia = Person::new("Sofia");
    team.add(&karim, &sofia, Role::Admin).unwrap();
    team.by(&karim, revoke(&sofia)).unwrap();
    assert!(!team.roster.is_active(&sofia.device()));
    assert_eq!(team.by(&sofia, revoke(&karim)), Err(RosterError::RevokedAuthor));
    assert_eq!(team.by(&karim, revoke(&sofia)), Err(RosterError::RevokedDevice));
    assert_eq!(team.add(&karim, &sofia, Role::Member), Err(RosterError::KeyReused));
    // The person comes back with another device, under the same id and name.
    assert!(team.add(&karim, &sofia.another_device(), Role::Member).is_ok());
    assert_eq!(team.roster.devices_of(&sofia.member).count(), 1);
}

#[test]
fn no_device_key_is_used_twice() {
    let (mut team, karim) = Team::with_admin();
    let mut lea = Person::new("Lea");
    lea.keys.direct = crate::noise::keys::StaticSecret::from_secret(
        crate::secret::Secret::copy(karim.keys.direct.secret().expose()).unwrap(),
    );
    assert_eq!(team.add(&karim, &lea, Role::Member), Err(RosterError::KeyReused));
    let rooted = DeviceKeys {
        identity: crate::member::identity::SigningSecret::from_secret(&team.root.secret()),
        ..DeviceKeys::generate(&mut OsRandom)
    };
    lea.keys = rooted;
    assert_eq!(team.add(&karim, &lea, Role::Member), Err(RosterError::KeyReused));
}

#[test]
fn an_admin_cannot_remove_the_last_admin_and_the_root_can() {
    let (mut team, karim) = Team::with_admin();
    team.add(&karim, &Person::new("Lea"), Role::Member).unwrap();
    assert_eq!(team.by(&karim, revoke(&karim)), Err(RosterError::LastAdmin));
    assert_eq!(team.by(&karim, role(&karim, Role::Member)), Err(RosterError::LastAdmin));
    let phone = karim.another_device();
    team.add(&karim, &phone, Role::Admin).unwrap();
    assert_eq!(team.by(&karim, role(&karim, Role::Member)), Err(RosterError::LastAdmin));
    team.by(&karim, revoke(&karim)).unwrap();
    assert_eq!(team.by(&phone, revoke(&phone)), Err(RosterError::LastAdmin));
    assert!(team.by_root(revoke(&phone)).is_ok());
    assert_eq!(team.roster.active_admins().count(), 0);
}

#[test]
fn a_role_that_one_has_already_may_be_given_and_closes_no_invites() {
    let (mut team, karim) = Team::with_admin();
    let lea = Person::new("Lea");
    team.add(&karim, &lea, Role::Member).unwrap();
    for (who, given) in [(&karim, Role::Admin), (&lea, Role::Member)] {
        let applied = team.by(&karim, role(who, given)).unwrap();
        let (member, from, to) = (who.member, given, given);
        assert_eq!(applied, Applied::RoleChanged { member, from, to, closes_invites: false });
    }
    // The root may take the last admin's role as it may revoke the last admin.
    let applied = team.by_root(role(&karim, Role::Member)).unwrap();
    assert!(matches!(applied, Applied::RoleChanged { closes_invites: true, .. }));
    assert_eq!(team.roster.active_admins().count(), 0);
}

#[test]
fn admins_add_4096_devices_and_the_root_may_go_on() {
    let (mut team, karim) = Team::with_admin();
    let known = team.roster.devices.get(&karim.device()).unwrap().clone();
    for count in 1..MAX_DEVICES - 1 {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&count.to_be_bytes());
        let id = DeviceId(id);
        team.roster.devices.insert(id, Device { id, revoked: Some(1), ..known.clone() });
    }
    assert_eq!(team.roster.devices.len(), 4_095);
    team.add(&karim, &Person::new("Lea"), Role::Member).unwrap();
    let paul = Person::new("Paul");
    assert_eq!(team.add(&karim, &paul, Role::Member), Err(RosterError::Full));
    let card = paul.card(Role::Member, Author::Root);
    assert!(team.by_root(Action::AddDevice(Box::new(card))).is_ok());
}

#[test]
fn a_team_has_32_policies_and_may_change_each() {
    let (mut team, karim) = Team::with_admin();
    let policy = |number: u64, value| Action::Policy { name: format!("policy-{number}"), value };
    for number in 0..32 {
        team.by(&karim, policy(number, 1)).unwrap();
    }
    assert_eq!(team.by(&karim, policy(32, 1)), Err(RosterError::Full));
    assert_eq!(team.by_root(policy(32, 1)), Err(RosterError::Full));
    team.by(&karim, policy(31, 2)).unwrap();
    assert_eq!(team.roster.policy("policy-31"), Some(2));
}

#[test]
fn a_device_may_revoke_itself_whatever_its_role() {
    let (mut team, karim) = Team::with_admin();
    for role in [Role::Member, Role::Bot] {
        let who = Person::new(if role == Role::Bot { "echo" } else { "Lea" });
        team.add(&karim, &who, role).unwrap();
        assert!(team.by(&who, revoke(&who)).is_ok());
    }
}

#[test]
fn revoking_an_admin_closes_all_open_invites_and_lists_the_devices_it_approved() {
    let (mut team, karim) = Team::with_admin();
    let (sofia, lea, paul) = (Person::new("Sofia"), Person::new("Lea"), Person::new("Paul"));
    team.add(&karim, &sofia, Role::Admin).unwrap();
    team.add(&karim, &lea, Role::Member).unwrap();
    team.add(&sofia, &paul, Role::Member).unwrap();
    // Sofia vouched, Karim wrote the entry.
    let (echo, gone) = (Person::new("echo"), Person::new("Gone"));
    let card = echo.card(Role::Bot, sofia.author());
    team.by(&karim, Action::AddDevice(Box::new(card))).unwrap();
    team.add(&sofia, &gone, Role::Member).unwrap();
    team.by(&karim, revoke(&gone)).unwrap();
    let Applied::Revoked { closes_invites, approved, .. } =
        team.by(&karim, revoke(&sofia)).unwrap()
    else {
        unreachable!()
    };
    assert!(closes_invites);
    let mut expected = vec![paul.device(), echo.device()];
    expected.sort_unstable();
    assert_eq!(approved, expected);
    let Applied::Revoked { closes_invites, approved, .. } = team.by(&karim, revoke(&lea)).unwrap()
    else {
        unreachable!()
    };
    assert!(!closes_invites && approved.is_empty());
}

#[test]
fn an_admin_who_stops_being_one_closes_the_invites_too() {
    let (mut team, karim) = Team::with_admin();
    let sofia = Person::new("Sofia");
    team.add(&karim, &sofia, Role::Admin).unwrap();
    let lea = Person::new("Lea");
    team.add(&sofia, &lea, Role::Member).unwrap();
    let applied = team.by(&karim, role(&sofia, Role::Member)).unwrap();
    assert!(matches!(applied, Applied::RoleChanged { closes_invites: true, .. }));
    // Whom she approved as an admin is still listed when her device goes.
    let Applied::Revoked { approved, .. } = team.by(&karim, revoke(&sofia)).unwrap() else {
        unreachable!()
    };
    assert_eq!(approved, [lea.device()]);
}

#[test]
fn a_member_vouches_for_its_own_devices_only_and_a_bot_for_none() {
    let (mut team, karim) = Team::with_admin();
    let (lea, echo) = (Person::new("Lea"), Person::new("echo"));
    team.add(&karim, &lea, Role::Member).unwrap();
    team.add(&karim, &echo, Role::Bot).unwrap();
    let vouched = |who: &Person, role, voucher: &Person| {
        Action::AddDevice(Box::new(who.card(role, voucher.author())))
    };
    let phone = lea.another_device();
    assert!(team.by(&karim, vouched(&phone, Role::Member, &lea)).is_ok());
    let paul = Person::new("Paul");
    for action in [
        vouched(&paul, Role::Member, &lea),
        vouched(&paul, Role::Member, &paul),
        vouched(&echo.another_device(), Role::Bot, &echo),
        Action::AddDevice(Box::new(paul.card(Role::Member, Author::Root))),
    ] {
        assert_eq!(team.by(&karim, action), Err(RosterError::Voucher));
    }
    team.by(&karim, revoke(&lea)).unwrap();
    let tablet = lea.another_device();
    let by_revoked = vouched(&tablet, Role::Member, &lea);
    assert_eq!(team.by(&karim, by_revoked), Err(RosterError::Voucher));
    assert!(team.by(&karim, vouched(&tablet, Role::Member, &phone)).is_ok());
}

#[test]
fn a_second_device_has_its_members_name_and_role() {
    let (mut team, karim) = Team::with_admin();
    let lea = Person::new("Lea");
    team.add(&karim, &lea, Role::Member).unwrap();
    let phone = lea.another_device();
    assert_eq!(team.add(&karim, &phone, Role::Admin), Err(RosterError::MemberDiffers));
    assert_eq!(team.add(&karim, &phone, Role::Bot), Err(RosterError::BotStaysBot));
    let renamed = Person { name: "Leo", ..lea.another_device() };
    assert_eq!(team.add(&karim, &renamed, Role::Member), Err(RosterError::MemberDiffers));
    let bot = role(&lea, Role::Bot);
    assert_eq!(team.by(&karim, bot), Err(RosterError::BotStaysBot));
    let added = team.add(&karim, &phone, Role::Member).unwrap();
    let expected =
        Applied::Added { device: phone.device(), member: lea.member, is_new_member: false };
    assert_eq!(added, expected);
}

#[test]
fn an_invite_brings_one_device_in() {
    let (mut team, karim) = Team::with_admin();
    let invited = |who: &Person| {
        let mut card = who.card(Role::Member, karim.author());
        card.invite = Some(InviteId([7; 16]));
        Action::AddDevice(Box::new(card))
    };
    team.by(&karim, invited(&Person::new("Lea"))).unwrap();
    assert_eq!(
        team.by(&karim, invited(&Person::new("Paul"))),
        Err(RosterError::InviteUsed { number: 2 })
    );
}

#[test]
fn nobody_can_post_what_the_others_refuse() {
    let (team, karim) = Team::with_admin();
    let refused = team.roster.sign_next(karim.author(), &karim.keys.identity, NOW, revoke(&karim));
    assert_eq!(refused, Err(RosterError::LastAdmin));
}
