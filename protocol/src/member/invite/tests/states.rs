use crate::invite_code::Role;
use crate::member::invite::*;
use crate::wire::ids::{DeviceId, Digest};

const NOW: u64 = 1_800_000_000;
const LEA: Digest = Digest([1; 32]);
const PAUL: Digest = Digest([2; 32]);
const DEVICE: DeviceId = DeviceId([3; 16]);

fn invite(auto_approve: bool) -> Invite {
    Invite::open(Terms::new(Role::Member, auto_approve, NOW, AUTO_APPROVE_TTL).unwrap())
}

#[test]
fn auto_approve_is_never_for_admins_and_at_most_one_hour() {
    let admin = Terms::new(Role::Admin, true, NOW, 60);
    assert_eq!(admin, Err(TermsError::AdminWithoutWords));
    assert_eq!(Terms::stored(Role::Admin, true, NOW), None);
    assert!(Terms::new(Role::Bot, true, NOW, 3_600).is_ok());
    assert_eq!(Terms::new(Role::Bot, true, NOW, 3_601), Err(TermsError::Ttl { max: 3_600 }));
}

#[test]
fn an_invite_is_good_for_24_hours_by_default_and_7_days_at_most() {
    assert_eq!(DEFAULT_TTL, 86_400);
    assert!(Terms::new(Role::Admin, false, NOW, MAX_TTL).is_ok());
    assert_eq!(
        Terms::new(Role::Member, false, NOW, MAX_TTL + 1),
        Err(TermsError::Ttl { max: 604_800 })
    );
    assert!(Terms::new(Role::Member, false, NOW, 0).is_err());
}

#[test]
fn one_use_and_the_second_is_refused_with_the_time_of_the_first() {
    let mut invite = invite(false);
    assert_eq!(invite.ask(NOW + 1, LEA), Ok(Asked::First));
    assert_eq!(invite.ask(NOW + 2, LEA), Ok(Asked::Again));
    assert_eq!(invite.ask(NOW + 3, PAUL), Err(InviteError::SecondUse { first: NOW + 1 }));
    invite.approve(NOW + 4, &LEA, DEVICE, Approval::WordsCompared).unwrap();
    assert_eq!(invite.ask(NOW + 5, LEA), Ok(Asked::Inside));
    assert_eq!(invite.ask(NOW + 5, PAUL), Err(InviteError::SecondUse { first: NOW + 4 }));
    let again = invite.approve(NOW + 6, &LEA, DEVICE, Approval::WordsCompared);
    assert_eq!(again, Err(InviteError::SecondUse { first: NOW + 4 }));
    let used = Phase::Used { device: DEVICE, request: LEA, at: NOW + 4 };
    assert_eq!(invite.phase(NOW + 10 * MAX_TTL), used);
}

#[test]
fn who_is_approved_is_who_was_compared() {
    let mut invite = invite(false);
    let approve = |invite: &mut Invite, request| {
        invite.approve(NOW, request, DEVICE, Approval::WordsCompared)
    };
    assert_eq!(approve(&mut invite, &LEA), Err(InviteError::NobodyAsks));
    invite.ask(NOW, LEA).unwrap();
    assert_eq!(approve(&mut invite, &PAUL), Err(InviteError::OtherRequest));
    assert_eq!(approve(&mut invite, &LEA), Ok(()));
}

#[test]
fn only_an_auto_approve_invite_is_approved_by_itself() {
    let mut by_words = invite(false);
    by_words.ask(NOW, LEA).unwrap();
    let automatic = by_words.approve(NOW, &LEA, DEVICE, Approval::Automatic);
    assert_eq!(automatic, Err(InviteError::WordsNeeded));
    assert!(by_words.approve(NOW, &LEA, DEVICE, Approval::Unverified).is_ok());
    let mut by_itself = invite(true);
    by_itself.ask(NOW, LEA).unwrap();
    assert!(by_itself.approve(NOW, &LEA, DEVICE, Approval::Automatic).is_ok());
    assert!(Approval::WordsCompared.words_compared());
    assert!(!Approval::Automatic.words_compared() && !Approval::Unverified.words_compared());
}

#[test]
fn an_expired_or_revoked_invite_takes_nobody() {
    let mut late = invite(false);
    let end = NOW + AUTO_APPROVE_TTL;
    late.ask(end - 1, LEA).unwrap();
    assert!(late.is_live(end - 1) && !late.is_live(end));
    assert_eq!(late.phase(end), Phase::Expired);
    let approved = late.approve(end, &LEA, DEVICE, Approval::WordsCompared);
    assert_eq!(approved, Err(InviteError::Expired));
    assert_eq!(late.revoke(end), Err(InviteError::Expired));

    let mut closed = invite(false);
    closed.revoke(NOW + 1).unwrap();
    assert_eq!(closed.phase(end), Phase::Revoked { at: NOW + 1 });
    assert_eq!((closed.phase(end).name(), late.phase(end).name()), ("revoked", "expired"));
    assert_eq!(closed.ask(NOW + 2, LEA), Err(InviteError::Revoked));
    assert_eq!(closed.revoke(NOW + 2), Err(InviteError::Revoked));
}
