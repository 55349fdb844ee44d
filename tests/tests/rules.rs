//! The rules without which the design breaks, each with the tests that are named after it.
//!
//! The words of a rule are those of the design. The table cannot rot: a test that is renamed or
//! taken away is missed here.

use staffetta_tests::source;

#[path = "rules/specification.rs"]
mod specification;

/// A rule and its tests.
type Rule = (&'static str, &'static [&'static str]);

/// The hop.
const THE_HOP: &[Rule] = &[
    (
        "Access.",
        &[
            "gate_key_and_noise_psk_of_a_device_derive_from_its_access_secret",
            "revoking_deletes_the_row_at_once_for_one_device",
            "revoking_cuts_the_socket_at_once",
        ],
    ),
    (
        "Gate, before the WebSocket upgrade",
        &[
            "gate_tokens",
            "a_whole_upgrade_with_a_token_knocks",
            "the_handle_is_looked_up_in_a_table_the_relay_precomputes_per_window",
            "unknown_handle_bad_mac_stale_or_replayed_opens_nothing",
        ],
    ),
    (
        "exactly the 404 of a plain web server",
        &[
            "exactly_the_404_of_a_plain_web_server_for_a_stranger_a_wrong_a_replayed_and_a_stale_token",
        ],
    ),
    (
        "Noise `XKpsk0_25519_ChaChaPoly_BLAKE2s`",
        &[
            "noise_xkpsk0_25519_chachapoly_blake2s_and_every_handshake_message_of_one_size",
            "after_message_3_the_static_key_must_match_the_row_whose_handle_was_used",
        ],
    ),
    (
        "every device fetches every blob up to 1 MiB after a random delay",
        &["every_device_fetches_every_blob_up_to_1_mib_after_a_random_delay"],
    ),
    (
        "Running hash",
        &[
            "running_hashes",
            "the_running_hash_is_bound_to_team_lane_and_log_id",
            "a_relay_that_rewrites_what_it_has_shown_is_noticed",
        ],
    ),
];

/// Cells and channels.
const CELLS_AND_CHANNELS: &[Rule] = &[
    (
        "Fragments.",
        &[
            "fragments",
            "chains",
            "a_chain_not_complete_within_4096_seqs_is_void",
            "what_is_whole_for_its_author_is_whole_for_the_others_and_bounds_are_the_same_for_all",
            "above_32_cells_a_blob_a_snapshot_of_many_devices_goes_as_one",
        ],
    ),
    (
        "Next-hash is the hash of the next fragment's header and content, built from the last to the first; no message id inside: a fragment extends the open chain that expects its hash",
        &[
            "a_fragment_extends_the_open_chain_that_expects_its_hash",
            "nobody_can_slip_a_fragment_into_anothers_message",
        ],
    ),
    (
        "Never a commit",
        &["never_a_commit_in_a_blob_commits_stay_inline", "at_most_sixteen_adds_each"],
    ),
    (
        "Cells of epoch e count only after the place of the commit that opened e",
        &["cells_of_epoch_e_count_only_after_the_place_of_the_commit_that_opened_e"],
    ),
    (
        "never in room state",
        &["the_check_key_changes_with_a_removal_and_goes_out_under_both_for_24_hours"],
    ),
    (
        "signed with its identity key",
        &[
            "a_beacon_is_one_cell_and_its_devices_own",
            "a_beacon_goes_out_hourly_unless_one_that_says_the_same_came_within_the_hour",
            "devices_raise_the_alarm_by_name_on_a_difference",
            "the_two_sides_of_a_fork_of_a_room_read_each_others_beacons",
            "withholding_from_one_is_shown_by_beacons_after_release",
        ],
    ),
    ("no commit can void a roster entry", &["no_commit_can_void_a_roster_entry"]),
];

/// Rooms.
const ROOMS: &[Rule] = &[
    (
        "`max_past_epochs` 0",
        &["a_message_placed_after_the_commit_that_ended_its_epoch_is_void_for_everybody"],
    ),
    (
        "handshakes are PublicMessages (`PURE_PLAINTEXT_WIRE_FORMAT_POLICY`): the sealed cell hides them",
        &["handshakes_are_public_messages_application_messages_are_private_messages"],
    ),
    (
        "Order.",
        &[
            "the_first_commit_that_is_not_invalid_has_won_and_all_devices_compute_the_same",
            "two_commits_at_once_end_on_one_epoch_and_the_losers_intent_is_carried_out",
            "what_was_under_way_while_a_room_waits_is_judged_in_its_turn",
        ],
    ),
    (
        "INVALID",
        &[
            "invalid_commits_change_nothing_and_good_ones_work_afterwards",
            "a_wrong_confirmation_tag_without_a_path_is_invalid_and_a_rival_wins",
        ],
    ),
    (
        "VALID",
        &[
            "a_pending_commit_outlives_a_restart_and_merges_when_it_comes_back_as_the_winner",
            "a_storage_error_is_no_verdict",
        ],
    ),
    (
        "BROKEN",
        &[
            "broken_has_won_all_the_same_freeze_the_room_accept_no_rival_alarm_naming_the_author",
            "a_wrong_confirmation_tag_with_a_path_is_broken_for_everybody",
            "a_path_that_one_device_cannot_open_is_broken_not_invalid",
        ],
    ),
    (
        "Own cells are recognised by equality of all 1024 bytes",
        &[
            "own_cells_are_recognised_by_equality_of_all_1024_bytes",
            "own_cells_are_recognised_by_equality_of_all_1024_bytes_first_occurrence_only",
            "known_tag_and_nonce_with_another_body_raises_the_relay_alarm",
            "the_own_echo_trap_an_echoed_own_commit_is_merged_and_no_rival_after_it",
        ],
    ),
    (
        "and passes the same roster check as anybody's at that place",
        &["ones_own_winner_passes_the_same_roster_check_as_anybodys_at_that_place"],
    ),
    (
        "Validity depends on the log up to that seq and on nothing else",
        &[
            "validity_depends_on_the_log_up_to_that_seq_and_on_nothing_else",
            "an_add_whose_life_time_is_not_exactly_the_unlimited_one_is_invalid",
        ],
    ),
    (
        "A message placed after the commit that ended its epoch is void for everybody",
        &[
            "a_message_placed_after_the_commit_that_ended_its_epoch_is_void_for_everybody",
            "a_message_placed_after_the_commit_that_ended_its_epoch_is_void_and_sent_again",
        ],
    ),
    (
        "Membership is checked against the roster, never against the relay or a Welcome alone.",
        &[
            "membership_is_checked_against_the_roster_never_against_the_relay_or_a_welcome_alone",
            "membership_is_checked_against_the_roster_a_member_cannot_add_a_device_that_is_not_on_it",
            "added_leaf_keys_must_be_active_roster_devices",
            "a_bot_adds_nobody",
            "a_member_removes_nobody_elses_devices",
            "a_welcome_from_somebody_else_than_its_commits_author_is_ignored_and_reported",
        ],
    ),
    (
        "the commit must remove every leaf revoked by then, else INVALID",
        &["the_commit_must_remove_every_leaf_revoked_by_then_else_invalid"],
    ),
    (
        "later commits of that epoch lacking it *by value* are INVALID",
        &[
            "later_commits_of_that_epoch_lacking_the_removal_by_value_are_invalid",
            "a_removal_that_its_target_tries_to_outrun",
        ],
    ),
    (
        "Nobody encrypts into an epoch holding a leaf he knows revoked",
        &[
            "nobody_encrypts_into_an_epoch_holding_a_leaf_he_knows_revoked",
            "the_others_wait_a_random_0_to_10_s_then_commit_the_removal_if_the_revoker_is_gone",
        ],
    ),
    ("Adds without an UpdatePath", &["adds_without_an_update_path_take_four_cells_at_any_size"]),
    (
        "In the control room only admins commit.",
        &[
            "in_the_control_room_only_admins_commit",
            "in_the_control_room_only_admins_commit_whoever_else_tries",
            "a_room_freezes_when_a_valid_commit_names_a_roster_number_that_does_not_arrive_within_10_minutes",
            "a_commit_naming_a_roster_entry_not_yet_known_holds_the_room_and_goes_on_when_it_arrives",
        ],
    ),
    (
        "and Remove+Add of one device without it is INVALID",
        &["remove_and_add_of_one_device_without_it_is_invalid", "a_resync_nobody_asked_for"],
    ),
    (
        "Resync.",
        &[
            "a_hostile_commit_that_decrypts_for_some_members_only",
            "a_device_that_asks_is_removed_and_added_again_in_one_commit",
            "a_key_package_drawn_by_two_adders_leaves_nobody_outside",
            "a_bot_answers_no_resync_and_in_the_control_room_only_admins_do",
            "at_most_4_a_day",
            "a_device_past_retention_comes_back_through_the_others_and_counts_what_it_missed",
            "where_the_log_stands_is_taken_from_a_peer_never_from_the_relay",
        ],
    ),
    (
        "If nobody can help, an admin (or, in a room without one, any member) posts roster entry `room restart`",
        &[
            "if_nobody_can_help_an_admin_posts_room_restart_and_it_goes_on_without_the_author",
            "in_a_room_without_an_admin_any_member_restarts_it",
            "a_member_restarts_no_room_that_goes_on",
        ],
    ),
    (
        "One SQL transaction per step: MLS writes + message rows + outbox (exact cell bytes) + channel keys + unfinished fragments + cursor",
        &[
            "one_sql_transaction_per_step",
            "kill_9_anywhere_loses_nothing_and_repeats_nothing_and_all_end_on_one_epoch",
        ],
    ),
];

/// Roster, invites, joining.
const ROSTER_INVITES_JOINING: &[Rule] = &[
    (
        "Entry",
        &[
            "roster_entries",
            "two_admins_at_once_log_order_decides_and_the_loser_rebases",
            "two_admins_at_once_log_order_decides_the_loser_rebases",
            "an_entry_counts_with_its_authors_signature_only",
        ],
    ),
    (
        "Device keys",
        &["a_certificate_binds_one_leaf_key_to_one_device", "no_device_key_is_used_twice"],
    ),
    (
        "Invite code",
        &["invite_codes", "every_one_symbol_typo_is_located", "every_two_symbol_typo_is_located"],
    ),
    (
        "checks the relay's static key against the bundle before it sends its request",
        &[
            "a_newcomer_checks_the_relays_static_key_against_the_bundle_before_it_sends_its_request",
            "a_newcomer_sees_the_relays_key_and_the_bundle_before_it_sends_anything",
        ],
    ),
    (
        "Join.",
        &[
            "a_founder_lets_people_and_a_bot_in_and_they_talk",
            "a_newcomer_reads_nothing_of_the_log_before_approval_and_a_second_key_is_refused",
            "a_newcomer_takes_roster_seq_and_running_hash_from_its_approver",
            "a_wrong_word_lets_nobody_in_and_burns_nothing",
        ],
    ),
    (
        "5 words (55 bits) = Argon2id with fixed constants (256 MiB, t=3, p=1) over: version, invite id, BLAKE2s(bundle plaintext as this side holds it), the whole canonical request",
        &[
            "five_words",
            "fifty_five_bits_are_five_words",
            "the_words_bind_the_invite_the_bundle_and_the_whole_request",
            "a_thief_of_the_code_cannot_draw_a_newcomer_into_a_team_of_his_own",
        ],
    ),
    (
        "revoking an admin closes all open invites and lists the devices it approved",
        &["revoking_an_admin_closes_all_open_invites_and_lists_the_devices_it_approved"],
    ),
    (
        "Revoke",
        &[
            "revoking_cuts_the_socket_at_once",
            "a_revoked_device_is_cut_and_reads_nothing_afterwards",
        ],
    ),
    (
        "Founding",
        &[
            "the_first_to_redeem_the_founder_code_claims_the_relay_and_the_code_dies",
            "the_team_root_does_not_stay",
        ],
    ),
];

/// The relay's store.
const THE_RELAY_STORE: &[Rule] = &[
    (
        "one conformance suite that every implementation passes",
        &[
            "seqs_count_from_one_without_gaps_and_reads_give_back_what_was_appended",
            "the_running_hash_commits_to_every_cell_in_order",
            "same_id_other_bytes_is_an_error_and_nothing_of_the_batch_is_stored",
            "what_is_trimmed_is_gone_and_the_rest_stays",
            "state_changes_together_or_not_at_all",
        ],
    ),
    (
        "One writer thread, group commit",
        &[
            "a_listener_is_told_of_every_commit_in_order_before_its_answer",
            "nothing_above_the_durable_head_is_pushed_and_cells_come_in_order_without_gaps",
        ],
    ),
    ("our own `sync_data` of sled's `db` file", &["ack_only_after_fsync"]),
    (
        "Record = a page of at most 7 consecutive cells",
        &["record_is_a_page_of_at_most_7_consecutive_cells_and_blobs_stays_empty"],
    ),
    (
        "Segments of 16 MiB or an hour",
        &[
            "segments_of_16_mib_or_an_hour",
            "create_as_tmp_fsync_every_file_and_directory_rename_fsync_the_parent",
            "a_damaged_or_missing_segment_refuses_to_start_naming_it",
        ],
    ),
    (
        "Before every open",
        &["what_a_crash_left_half_made_is_removed", "at_most_4_older_segments_are_open_at_a_time"],
    ),
    (
        "Idempotence",
        &[
            "the_ids_of_the_last_65_536_cells_are_remembered",
            "same_id_same_bytes_gets_the_same_seq",
            "same_id_same_bytes_same_seq_and_other_bytes_an_error",
        ],
    ),
    (
        "A restored or replaced log has a new log id that names its parent (id, seq, h)",
        &["a_log_id_or_a_head_below_ones_own_stops_the_device"],
    ),
];

#[test]
fn every_rule_has_tests_that_are_named_after_it() {
    let known = source::tests();
    let all = [THE_HOP, CELLS_AND_CHANNELS, ROOMS, ROSTER_INVITES_JOINING, THE_RELAY_STORE];
    for (rule, named) in all.into_iter().flatten() {
        assert!(!named.is_empty(), "{rule}");
        for name in *named {
            assert!(known.contains(*name), "{rule}: there is no test {name}");
        }
    }
}
