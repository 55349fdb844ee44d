//! What the doctor finds, and drills.

use super::{Language, en, fr, language};

sentences! {
    health:
    the_spare;
    drill_done;
    drill_failed;
    drill_todo;
    profile_opens;
    profile_shut;
    profile_todo;
    files_private;
    files_open(path: &str, mode: u32);
    files_todo(path: &str);
    disk_free(free: &str);
    disk_unknown;
    disk_todo;
    database_whole;
    database_damaged;
    database_todo;
    link_stands(address: &str);
    link_down;
    link_todo;
    link_refused;
    link_refused_todo;
    link_stopped_todo;
    clock_fits;
    clock_behind(minutes: u64);
    clock_todo;
    addresses_answer(count: usize);
    addresses_silent(which: &str);
    addresses_todo;
    addresses_untried(which: &str);
    addresses_untried_todo;
    spare_answers(which: &str);
    spare_silent(which: &str);
    spare_late(days: u64);
    spare_none;
    spare_todo;
    spare_late_todo;
    drill_last(when: &str);
    drill_bad(when: &str, which: &str);
    drill_old(days: u64);
    drill_none;
    drill_make;
    drill_mend;
    alarms_none;
    alarms_some(count: u64);
    alarms_todo;
}

/// What a drill found at an address, as people read it.
pub(crate) fn visited(result: &str) -> &'static str {
    match language() {
        Language::En => en::health::visited(result),
        Language::Fr => fr::health::visited(result),
    }
}
