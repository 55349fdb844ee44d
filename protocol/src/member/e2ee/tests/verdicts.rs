//! Order: who wins, what an echo does, what is kept.

use super::*;

#[test]
fn the_first_commit_that_is_not_invalid_has_won_and_all_devices_compute_the_same() {
    let (mut roster, mut seats) = team(3);
    let newcomer = roster.enrol(Role::Member);
    let packages = [newcomer.package()];
    let add = Change { add: &packages, ..Change::default() };
    let first = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    let second = seats[1].commit(&roster, &add).unwrap().commit;

    // The log holds `first`, then `second`.
    valid(seats[0].win(&roster, &first));
    valid(seats[1].judge(&roster, &first));
    valid(seats[2].judge(&roster, &first));
    agree(&seats);
    // The loser's pending commit went with the merge, and everybody ignores it.
    assert!(!seats[1].group.has_pending());
    assert_eq!(invalid(seats[1].win(&roster, &second)), Invalid::Epoch);
    assert_eq!(invalid(seats[0].judge(&roster, &second)), Invalid::Epoch);
    assert_eq!(invalid(seats[2].judge(&roster, &second)), Invalid::Epoch);

    // Its intent is carried out on the next epoch.
    let again = seats[1].commit(&roster, &add).unwrap();
    for seat in [0, 2] {
        assert_eq!(valid(seats[seat].judge(&roster, &again.commit)).added, [newcomer.id()]);
    }
    valid(seats[1].win(&roster, &again.commit));
    seats.push(join(&roster, newcomer, &again.welcome.unwrap()));
    agree(&seats);
    all_talk(&roster, &mut seats);
}

#[test]
fn validity_depends_on_the_log_up_to_that_seq_and_on_nothing_else() {
    let (mut roster, mut seats) = team(5);
    let bad = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    roster.revoke(&seats[4].id());
    // One has a commit of its own pending, one has read and written, one has just restarted.
    seats[1].commit(&roster, &UPDATE).unwrap();
    let good = seats[1].commit(&roster, &UPDATE);
    assert!(matches!(good, Err(CommitError::Pending)));
    let mut before = roster.clone();
    before.devices.insert(seats[4].id(), before.devices[&seats[3].id()]);
    let said = seats[2].say(&before, b"hello").unwrap();
    seats[1].hear(&roster, &said).unwrap();
    seats[3].reload();
    for seat in &mut seats[..4] {
        assert_eq!(invalid(seat.judge(&roster, &bad)), Invalid::RevokedStays);
    }
    let winner = seats[3].commit(&roster, &UPDATE).unwrap().commit;
    let outcomes: Vec<Outcome> =
        seats[..4].iter_mut().map(|seat| valid(seat.judge(&roster, &winner))).collect();
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
    agree(&seats[..4]);
}

#[test]
fn merging_anothers_commit_drops_the_pending_one_on_disk_too() {
    let (roster, mut seats) = team(2);
    seats[1].commit(&roster, &UPDATE).unwrap();
    let winner = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    valid(seats[1].judge(&roster, &winner));
    seats[1].reload();
    assert!(!seats[1].group.has_pending());
    assert_eq!(seats[1].group.epoch(), 2);
}

#[test]
fn the_own_echo_trap_an_echoed_own_commit_is_merged_and_no_rival_after_it() {
    let (roster, mut seats) = team(3);
    let mine = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    let rival = seats[1].commit(&roster, &UPDATE).unwrap().commit;
    // An echo that reaches the verdict like anybody's commit, by mistake or by a relay's trick.
    let outcome = valid(seats[0].judge(&roster, &mine));
    assert_eq!(outcome.committer, seats[0].id());
    assert_eq!(seats[0].group.epoch(), 2);
    assert_eq!(Some(seats[0].group.authenticator().unwrap()), outcome.authenticator);
    // Accepting the rival now would be the silent fork.
    assert_eq!(invalid(seats[0].judge(&roster, &rival)), Invalid::Epoch);
    assert_eq!(invalid(seats[0].judge(&roster, &mine)), Invalid::Epoch);
    valid(seats[1].judge(&roster, &mine));
    valid(seats[2].judge(&roster, &mine));
    agree(&seats);
}

#[test]
fn while_pending_read_and_write_in_the_old_epoch() {
    let (roster, mut seats) = team(2);
    let mine = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    let said = seats[0].say(&roster, b"before").unwrap();
    assert_eq!(seats[1].hear(&roster, &said).unwrap().plaintext, b"before");
    let heard = seats[1].say(&roster, b"answer").unwrap();
    assert_eq!(seats[0].hear(&roster, &heard).unwrap().plaintext, b"answer");
    assert!(matches!(seats[0].commit(&roster, &UPDATE), Err(CommitError::Pending)));
    valid(seats[0].win(&roster, &mine));
}

#[test]
fn a_pending_commit_outlives_a_restart_and_merges_when_it_comes_back_as_the_winner() {
    let (roster, mut seats) = team(2);
    let mine = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    seats[0].reload();
    assert!(seats[0].group.has_pending());
    valid(seats[0].win(&roster, &mine));
    valid(seats[1].judge(&roster, &mine));
    agree(&seats);
}

#[test]
fn ones_own_winner_passes_the_same_roster_check_as_anybodys_at_that_place() {
    let (mut roster, mut seats) = team(3);
    let mine = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    // A revocation lands before the commit: the commit leaves the revoked leaf in.
    roster.revoke(&seats[2].id());
    assert_eq!(invalid(seats[0].win(&roster, &mine)), Invalid::RevokedStays);
    assert_eq!(invalid(seats[1].judge(&roster, &mine)), Invalid::RevokedStays);
    assert!(!seats[0].group.has_pending());
    assert_eq!(seats[0].group.epoch(), 1);
    // And the next one carries the removal by itself.
    let again = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    let outcome = valid(seats[0].win(&roster, &again));
    assert_eq!(outcome.removed, [seats[2].id()]);
    valid(seats[1].judge(&roster, &again));
    agree(&seats[..2]);
}

#[test]
fn an_invalid_late_echo_leaves_the_pending_commit_of_a_later_epoch_alone() {
    let (roster, mut seats) = team(2);
    let old = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    valid(seats[0].win(&roster, &old));
    valid(seats[1].judge(&roster, &old));
    let new = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    assert_eq!(invalid(seats[0].win(&roster, &old)), Invalid::Epoch);
    assert!(seats[0].group.has_pending());
    valid(seats[0].win(&roster, &new));
}

#[test]
fn invalid_commits_change_nothing_and_good_ones_work_afterwards() {
    let (roster, mut seats) = team(2);
    let good = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    assert_eq!(invalid(seats[1].judge(&roster, b"")), Invalid::Malformed);
    let long = vec![0; MAX_HANDSHAKE + 1];
    assert_eq!(invalid(seats[1].judge(&roster, &long)), Invalid::Malformed);
    // Every flipped bit, in steps that hit header, note, path, signature and both tags.
    for at in (0..good.len()).step_by(97).chain(good.len() - 100..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        invalid(seats[1].judge(&roster, &bad));
    }
    for len in (0..good.len()).step_by(101) {
        invalid(seats[1].judge(&roster, &good[..len]));
    }
    let said = seats[1].say(&roster, b"not a commit").unwrap();
    assert_eq!(invalid(seats[0].judge(&roster, &said)), Invalid::NotACommit);
    valid(seats[1].judge(&roster, &good));
    valid(seats[0].win(&roster, &good));
    agree(&seats);
    all_talk(&roster, &mut seats);
}

#[test]
fn a_commit_for_another_room_is_invalid() {
    let (roster, mut seats) = team(2);
    let (other_roster, mut others) = team(2);
    let commit = others[0].commit(&other_roster, &UPDATE).unwrap().commit;
    assert_eq!(invalid(seats[0].judge(&roster, &commit)), Invalid::OtherRoom);
}

#[test]
fn the_removed_device_learns_it_and_judges_no_more() {
    let (roster, mut seats) = team(3);
    let target = [seats[2].id()];
    let remove = Change { remove: &target, ..Change::default() };
    let commit = seats[0].commit(&roster, &remove).unwrap().commit;
    valid(seats[0].win(&roster, &commit));
    let outcome = valid(seats[2].judge(&roster, &commit));
    assert!(outcome.me_removed);
    assert_eq!(outcome.authenticator, None);
    valid(seats[1].judge(&roster, &commit));
    let next = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    assert_eq!(invalid(seats[2].judge(&roster, &next)), Invalid::NotAMember);
    assert!(matches!(seats[2].say(&roster, b"?"), Err(Error::NotAMember)));
    let Seat { device, group } = seats.pop().unwrap();
    let room = group.room();
    group.delete(&device.provider()).unwrap();
    assert!(Group::load(&device.provider(), room).unwrap().is_none());
}

#[test]
fn after_a_rollback_the_group_is_loaded_again_and_judges_the_same() {
    let (roster, mut seats) = team(2);
    let commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    let before = seats[1].group.authenticator().unwrap();
    {
        let Seat { device, group } = &mut seats[1];
        let step = device.connection.unchecked_transaction().unwrap();
        valid(group.judge(&Provider::new(&step), &commit, &roster, &Place::default()));
        step.rollback().unwrap();
    }
    seats[1].reload();
    assert_eq!(seats[1].group.authenticator().unwrap(), before);
    valid(seats[1].judge(&roster, &commit));
    valid(seats[0].win(&roster, &commit));
    agree(&seats);
}

#[test]
fn a_storage_error_is_no_verdict() {
    let (roster, mut seats) = team(2);
    let commit = seats[0].commit(&roster, &UPDATE).unwrap().commit;
    seats[1].device.connection.pragma_update(None, "query_only", true).unwrap();
    assert!(matches!(seats[1].judge(&roster, &commit), Verdict::Retry(_)));
    seats[1].device.connection.pragma_update(None, "query_only", false).unwrap();
    seats[1].reload();
    valid(seats[1].judge(&roster, &commit));
}
