//! Application messages.

use super::*;

#[test]
fn a_message_opens_once_and_names_its_sender() {
    let (roster, mut seats) = team(2);
    let message = seats[0].say(&roster, b"hello").unwrap();
    let peeked = peek(&message).unwrap();
    assert_eq!(peeked.kind, Kind::Application);
    assert_eq!((peeked.room, peeked.epoch), (seats[0].group.room(), 1));
    let opened = seats[1].hear(&roster, &message).unwrap();
    assert_eq!(opened.sender, seats[0].id());
    assert_eq!((opened.plaintext.as_slice(), opened.aad.as_slice()), (&b"hello"[..], &b"aad"[..]));
    assert!(matches!(seats[1].hear(&roster, &message), Err(Refused::Unreadable)));
    assert!(matches!(seats[0].hear(&roster, &message), Err(Refused::Own)));
}

#[test]
fn nobody_encrypts_into_an_epoch_holding_a_leaf_he_knows_revoked() {
    let (mut roster, mut seats) = team(3);
    roster.revoke(&seats[2].id());
    assert!(matches!(seats[0].say(&roster, b"secret"), Err(Error::RevokedLeaf)));
    assert_eq!(seats[0].group.revoked(&roster), [seats[2].id()]);
    let commit = seats[1].commit(&roster, &UPDATE).unwrap().commit;
    valid(seats[0].judge(&roster, &commit));
    seats[0].say(&roster, b"secret").unwrap();
}

#[test]
fn a_message_placed_after_the_commit_that_ended_its_epoch_is_void_for_everybody() {
    let (roster, mut seats) = team(3);
    let late = seats[2].say(&roster, b"late").unwrap();
    let commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    valid(seats[0].win(&roster, &commit));
    for seat in &mut seats[1..] {
        valid(seat.judge(&roster, &commit));
    }
    for seat in &mut seats {
        assert!(matches!(seat.hear(&roster, &late), Err(Refused::Epoch)));
    }
}

#[test]
fn a_message_of_a_revoked_sender_is_refused() {
    let (mut roster, mut seats) = team(2);
    let message = seats[1].say(&roster, b"hello").unwrap();
    roster.revoke(&seats[1].id());
    assert!(matches!(seats[0].hear(&roster, &message), Err(Refused::SenderNotActive)));
}

#[test]
fn a_message_of_the_wrong_kind_is_refused_before_openmls_changes_anything() {
    let (roster, mut seats) = team(2);
    let commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    assert!(matches!(seats[1].hear(&roster, &commit), Err(Refused::Malformed)));
    assert!(matches!(seats[1].hear(&roster, b"garbage"), Err(Refused::Malformed)));
    let long = vec![0; MAX_MESSAGE + 1];
    assert!(matches!(seats[1].hear(&roster, &long), Err(Refused::Malformed)));
    assert_eq!(seats[1].group.epoch(), 1);
    valid(seats[1].judge(&roster, &commit));
}

#[test]
fn flipped_bits_do_not_open_and_do_not_spoil_the_message() {
    let (roster, mut seats) = team(2);
    let message = seats[0].say(&roster, b"hello").unwrap();
    for at in 0..message.len() {
        let mut bad = message.clone();
        bad[at] ^= 1;
        assert!(seats[1].hear(&roster, &bad).is_err());
    }
    assert_eq!(seats[1].hear(&roster, &message).unwrap().plaintext, b"hello");
}

#[test]
fn what_is_too_long_is_not_sent() {
    let (roster, mut seats) = team(2);
    let text = vec![0; MAX_PLAINTEXT + 1];
    assert!(matches!(seats[0].say(&roster, &text), Err(Error::TooLong)));
    let longest = seats[0].say(&roster, &text[1..]).unwrap();
    assert!(longest.len() <= MAX_MESSAGE);
    assert_eq!(seats[1].hear(&roster, &longest).unwrap().plaintext.len(), MAX_PLAINTEXT);
}

#[test]
fn channels_have_different_secrets_that_members_share_and_epochs_do_not() {
    let (roster, mut seats) = team(2);
    let secret = |seat: &Seat, channel| {
        *seat.group.channel_secret(&seat.device.provider(), channel).unwrap().expose()
    };
    let room = secret(&seats[0], Channel::Room);
    assert_eq!(room, secret(&seats[1], Channel::Room));
    assert_ne!(room, secret(&seats[0], Channel::Control));
    assert_ne!(room, secret(&seats[0], Channel::Check));
    let commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    valid(seats[0].win(&roster, &commit));
    assert_ne!(room, secret(&seats[0], Channel::Room));
}
