//! What the doctor finds, and drills.

say! {
    the_spare => "spare";
    drill_done => "Every address would do.";
    drill_failed => "Not every address would do.";
    drill_todo => "Look at the relay there, or take the address away: staffetta relay addresses remove, staffetta relay spare remove";
    profile_opens => "it opens";
    profile_shut => "it was not opened: this command asks nobody for a passphrase";
    profile_todo => "give --passphrase-file FILE, or repeat while an agent or the screen holds the profile";
    files_private => "only you read its files";
    files_open(path: &str, mode: u32) => "{path} has mode {mode:04o}";
    files_todo(path: &str) => "chmod go= {path}; if others use this computer, take its keys for stolen";
    disk_free(free: &str) => "{free} free";
    disk_unknown => "the free space cannot be told";
    disk_todo => "make room: without it nothing more is kept";
    database_whole => "in order";
    database_damaged => "the database is damaged";
    database_todo => "copy out what you need with export, then ask an admin to revoke this device and to invite you again";
    link_stands(address: &str) => "connected over {address}";
    link_down => "the relay is not reached; messages wait and go out later";
    link_todo => "check the network of this computer, then ask your admin whether the relay is down";
    link_refused => "the relay refuses this device: it was revoked, or the clock is off by more than 10 minutes";
    link_refused_todo => "set the clock; if it is right, ask an admin";
    link_stopped_todo => "call your admin; see: staffetta status";
    clock_fits => "nothing speaks against it";
    clock_behind(minutes: u64) => "messages of others come from {minutes} minutes in the future";
    clock_todo => "set the clock of this computer; devices 10 minutes off are refused";
    addresses_answer(count: usize) => "{count} answer";
    addresses_silent(which: &str) => "no answer at {which}";
    addresses_todo => "an admin looks there, or takes it away: staffetta relay addresses remove HOST:PORT";
    addresses_untried(which: &str) => "not tried without a proxy: {which}";
    addresses_untried_todo => "hold the profile with --proxy to try it";
    spare_answers(which: &str) => "{which} answers";
    spare_silent(which: &str) => "no answer at {which}";
    spare_late(days: u64) => "no admin's device has heard from it for {days} days";
    spare_none => "the team has no spare relay";
    spare_todo => "an admin adds one: staffetta relay spare add";
    spare_late_todo => "serve it again, or add another: staffetta relay spare add";
    drill_last(when: &str) => "{when}, every address would do";
    drill_bad(when: &str, which: &str) => "{when}; not right: {which}";
    drill_old(days: u64) => "the last was {days} days ago";
    drill_none => "none was made from this device";
    drill_make => "make one: staffetta relay drill";
    drill_mend => "mend that, and repeat: staffetta relay drill";
    alarms_none => "none unseen";
    alarms_some(count: u64) => "{count} unseen";
    alarms_todo => "read them: staffetta status";
}

pub(in crate::text) fn visited(result: &str) -> &'static str {
    match result {
        "answers" => "answers",
        "refuses" => "does not know this device",
        "other" => "another log, or another past",
        _ => "no answer",
    }
}
