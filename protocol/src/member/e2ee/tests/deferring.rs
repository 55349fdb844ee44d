//! Message secrets that are written at a step's end.

use super::*;

/// The row of the group's message secrets, as it stands on disk.
fn row(seat: &Seat) -> Vec<u8> {
    let sql = "SELECT group_data FROM openmls_group_data WHERE data_type = 'message_secrets'";
    seat.device.connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn say_later(seat: &mut Seat, roster: &Roster, deferred: &Deferred) -> Vec<u8> {
    let provider = Provider::deferring(&seat.device.connection, deferred);
    seat.group.encrypt(&provider, &seat.device.keys.leaf, roster, b"hello", b"").unwrap()
}

fn hear_later(seat: &mut Seat, roster: &Roster, message: &[u8], deferred: &Deferred) {
    let provider = Provider::deferring(&seat.device.connection, deferred);
    assert_eq!(seat.group.decrypt(&provider, message, roster).unwrap().plaintext, b"hello");
}

#[test]
fn what_a_step_changed_of_the_message_secrets_is_on_disk_after_its_end_and_not_before() {
    let (roster, mut seats) = team(2);
    let (spoken, heard) = (Deferred::default(), Deferred::default());
    let before = (row(&seats[0]), row(&seats[1]));
    let messages: Vec<Vec<u8>> =
        (0..3).map(|_| say_later(&mut seats[0], &roster, &spoken)).collect();
    for message in &messages {
        hear_later(&mut seats[1], &roster, message, &heard);
    }
    assert_eq!((row(&seats[0]), row(&seats[1])), before);
    spoken.flush(&seats[0].device.connection).unwrap();
    heard.flush(&seats[1].device.connection).unwrap();
    // Nothing that was used comes back, on either side.
    seats.iter_mut().for_each(Seat::reload);
    for message in &messages {
        assert!(matches!(seats[1].hear(&roster, message), Err(Refused::Unreadable)));
    }
    let next = seats[0].say(&roster, b"next").unwrap();
    assert_eq!(seats[1].hear(&roster, &next).unwrap().plaintext, b"next");
}

#[test]
fn a_step_that_is_not_kept_leaves_the_message_secrets_as_they_were() {
    let (roster, mut seats) = team(2);
    let before = row(&seats[0]);
    let lost = Deferred::default();
    say_later(&mut seats[0], &roster, &lost);
    drop(lost);
    seats[0].reload();
    assert_eq!(row(&seats[0]), before);
    let message = seats[0].say(&roster, b"hello").unwrap();
    seats[1].hear(&roster, &message).unwrap();
}

#[test]
fn what_waits_is_read_and_survives_a_rehearsal_that_is_undone() {
    let (roster, mut seats) = team(2);
    let deferred = Deferred::default();
    let message = seats[0].say(&roster, b"hello").unwrap();
    hear_later(&mut seats[1], &roster, &message, &deferred);
    let room = seats[1].group.room();
    let undone = seats[0].say(&roster, b"hello").unwrap();
    let provider = Provider::deferring(&seats[1].device.connection, &deferred);
    let read = provider.rehearse(|| -> Result<_, rusqlite::Error> {
        let mut group = Group::load(&provider, room).unwrap().unwrap();
        // The first message was used, the second one is used now and is not afterwards.
        assert!(matches!(group.decrypt(&provider, &message, &roster), Err(Refused::Unreadable)));
        Ok(group.decrypt(&provider, &undone, &roster).unwrap().plaintext)
    });
    assert_eq!(read.unwrap(), b"hello");
    let mut group = Group::load(&provider, room).unwrap().unwrap();
    assert!(matches!(group.decrypt(&provider, &message, &roster), Err(Refused::Unreadable)));
    assert_eq!(group.decrypt(&provider, &undone, &roster).unwrap().plaintext, b"hello");
}

#[test]
fn a_group_that_is_deleted_leaves_no_message_secrets_behind() {
    let (roster, mut seats) = team(2);
    let deferred = Deferred::default();
    say_later(&mut seats[0], &roster, &deferred);
    let Seat { device, group } = seats.swap_remove(0);
    group.delete(&Provider::deferring(&device.connection, &deferred)).unwrap();
    deferred.flush(&device.connection).unwrap();
    let sql = "SELECT count(*) FROM openmls_group_data WHERE data_type = 'message_secrets'";
    let left: u64 = device.connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}
