//! The design's rules without which it breaks, each with the test that is named after it. A rule
//! whose test is renamed or removed shows here.

use std::collections::BTreeSet;

use staffetta_tests::source;

const THE_HOP: [&str; 9] = [
    "exactly_the_404_of_a_plain_web_server",
    "unknown_handle_bad_mac_stale_or_replayed_opens_nothing",
    "the_handle_is_looked_up_in_a_table_the_relay_precomputes_per_window",
    "revoking_deletes_the_row_at_once_for_one_device",
    "after_message_3_the_static_key_must_match_the_row_whose_handle_was_used",
    "every_frame_has_one_of_at_most_four_sizes",
    "no_common_version_is_a_clear_error_on_both_sides",
    "the_relay_can_refuse_it_cannot_enlarge_the_team",
    "the_running_hash_is_bound_to_team_lane_and_log_id",
];

const CELLS: [&str; 4] = [
    "a_fragment_extends_the_open_chain_that_expects_its_hash",
    "nobody_can_slip_a_fragment_into_anothers_message",
    "a_chain_not_complete_within_4096_seqs_is_void",
    "the_control_room_stays_readable_for_64_epochs",
];

const ROOMS: [&str; 19] = [
    "handshakes_are_public_messages_application_messages_are_private_messages",
    "the_first_commit_that_is_not_invalid_has_won_and_all_devices_compute_the_same",
    "invalid_commits_change_nothing_and_good_ones_work_afterwards",
    "a_path_that_one_device_cannot_open_is_broken_not_invalid",
    "a_storage_error_is_no_verdict",
    "own_cells_are_recognised_by_equality_of_all_1024_bytes",
    "the_own_echo_trap_an_echoed_own_commit_is_merged_and_no_rival_after_it",
    "ones_own_winner_passes_the_same_roster_check_as_anybodys_at_that_place",
    "validity_depends_on_the_log_up_to_that_seq_and_on_nothing_else",
    "an_add_whose_life_time_is_not_exactly_the_unlimited_one_is_invalid",
    "a_message_placed_after_the_commit_that_ended_its_epoch_is_void_for_everybody",
    "membership_is_checked_against_the_roster_never_against_the_relay_or_a_welcome_alone",
    "the_commit_must_remove_every_leaf_revoked_by_then_else_invalid",
    "nobody_encrypts_into_an_epoch_holding_a_leaf_he_knows_revoked",
    "later_commits_of_that_epoch_lacking_the_removal_by_value_are_invalid",
    "adds_without_an_update_path_take_four_cells_at_any_size",
    "in_the_control_room_only_admins_commit",
    "remove_and_add_of_one_device_without_it_is_invalid",
    "one_sql_transaction_per_step",
];

const ROSTER: [&str; 11] = [
    "the_team_id_is_the_hash_of_entry_0_and_every_entry_names_the_one_before",
    "two_admins_at_once_log_order_decides_and_the_loser_rebases",
    "no_device_key_is_used_twice",
    "every_one_symbol_typo_is_located",
    "a_newcomer_sees_the_relays_key_and_the_bundle_before_it_sends_anything",
    "fifty_five_bits_are_five_words",
    "the_words_bind_the_invite_the_bundle_and_the_whole_request",
    "a_thief_of_the_code_cannot_draw_a_newcomer_into_a_team_of_his_own",
    "one_use_and_the_second_is_refused_with_the_time_of_the_first",
    "revoking_an_admin_closes_all_open_invites_and_lists_the_devices_it_approved",
    "the_first_to_redeem_the_founder_code_claims_the_relay_and_the_code_dies",
];

const THE_STORE: [&str; 11] = [
    "ack_only_after_fsync",
    "create_as_tmp_fsync_every_file_and_directory_rename_fsync_the_parent",
    "nothing_above_the_durable_head_is_pushed_and_cells_come_in_order_without_gaps",
    "record_is_a_page_of_at_most_7_consecutive_cells_and_blobs_stays_empty",
    "segments_of_16_mib_or_an_hour",
    "what_a_crash_left_half_made_is_removed",
    "at_most_4_older_segments_are_open_at_a_time",
    "same_id_same_bytes_same_seq_and_other_bytes_an_error",
    "the_ids_of_the_last_65_536_cells_are_remembered",
    "a_segment_goes_when_every_row_has_seen_its_end",
    "unknown_or_newer_format_refuses_to_start_and_changes_nothing",
];

#[test]
fn each_rule_has_the_test_that_is_named_after_it() {
    let mut there = BTreeSet::new();
    for file in source::files(&[".rs"]) {
        let Some(first) = file.tests_from().or(file.path.contains("contract").then_some(1)) else {
            continue;
        };
        for (_, line) in file.code().filter(|(number, _)| *number >= first) {
            let line = line.trim().trim_start_matches("async ").trim_start_matches("pub(crate) ");
            if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('('))
            {
                there.insert(name.to_owned());
            }
        }
    }
    let rules = [&THE_HOP[..], &CELLS, &ROOMS, &ROSTER, &THE_STORE].concat();
    let missing: Vec<_> = rules.iter().filter(|rule| !there.contains(**rule)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
