//! `doctor`: what is wrong with this device and its way to the relay, and what to do about it.
//!
//! [`look`] asks and judges nothing; [`examine`] judges and asks nothing, so that every fault can be
//! planted in a test.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::PATIENCE_MS;
use crate::api::{self, Api, Calls, Profile};
use crate::errors::{Failure, exit};
use crate::output::{Out, Paint, clean_line, is_set, line_of};
use crate::{text, time};

const DAY_S: u64 = 86_400;
/// Days after which a drill is an old one.
const DRILL_DAYS: u64 = 30;
/// Days without a word from a spare relay that is called daily.
const SPARE_DAYS: u64 = 2;
/// Seconds by which the times of others may lie in the future.
const CLOCK_SLACK_S: u64 = 120;
/// Bytes free on the profile's disk: below is a warning, or a failure.
const LITTLE: u64 = 1 << 30;
const NONE_LEFT: u64 = 64 << 20;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    Warn,
    Fail,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    check: &'static str,
    state: State,
    found: String,
    /// Empty if nothing is to be done.
    todo: String,
}

fn ok(check: &'static str, found: impl Into<String>) -> Finding {
    Finding { check, state: State::Ok, found: found.into(), todo: String::new() }
}

fn bad(
    state: State,
    check: &'static str,
    found: impl Into<String>,
    todo: impl Into<String>,
) -> Finding {
    Finding { check, state, found: found.into(), todo: todo.into() }
}

/// What the disk says of a profile.
struct Disk {
    /// A file or directory that others may read, and its mode.
    open: Option<(String, u32)>,
    /// Bytes free.
    free: Option<u64>,
}

/// `doctor`
pub(super) async fn run(profile: &Profile, out: &mut Out) -> Result<(), Failure> {
    if !api::has_profile(&profile.dir) {
        // It says what every command says.
        Api::open_as_it_is(profile).await?.close().await;
    }
    let findings = examine(&disk(&profile.dir), look(profile).await.as_ref());
    for finding in &findings {
        print(finding, out)?;
    }
    let failed = findings.iter().any(|finding| finding.state == State::Fail);
    if failed { Err(Failure::Said(exit::FAILED)) } else { Ok(()) }
}

fn print(finding: &Finding, out: &mut Out) -> Result<(), Failure> {
    let Finding { check, state, found, todo } = finding;
    if out.style.json {
        return out
            .json(json!({"check": check, "state": state.word(), "found": found, "todo": todo}));
    }
    let (mark, paint) = match state {
        State::Ok => ("ok  ", Paint::Good),
        State::Warn => ("warn", Paint::Bold),
        State::Fail => ("FAIL", Paint::Bad),
    };
    let check = text::words::word(check);
    out.line(&format!("{}  {check:<12}{}", out.style.paint(paint, mark), clean_line(found)))?;
    if todo.is_empty() {
        return Ok(());
    }
    out.line(&format!("      {:<12}-> {}", "", clean_line(todo)))
}

/// The agent's facts; none if the profile cannot be opened without asking somebody.
async fn look(profile: &Profile) -> Option<Value> {
    let api = Api::open_quietly(profile).await?;
    // Only that it was tried counts: the facts say what came of it.
    let _tried = api.call("sync", json!({"timeout_ms": PATIENCE_MS, "outbox": false})).await;
    let facts = api.call("doctor", api::none()).await;
    api.close().await;
    facts.ok()
}

fn disk(dir: &Path) -> Disk {
    let inside = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let all = std::iter::once(dir.to_path_buf()).chain(inside.map(|entry| entry.path()));
    let open = all.filter_map(|path| {
        let mode = fs::symlink_metadata(&path).ok()?.permissions().mode() & 0o7777;
        (mode & 0o077 != 0).then(|| (path.display().to_string(), mode))
    });
    let free = rustix::fs::statvfs(dir).ok();
    Disk { open: open.min(), free: free.map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)) }
}

/// Everything, in a fixed order.
fn examine(disk: &Disk, facts: Option<&Value>) -> Vec<Finding> {
    let mut findings = vec![profile(facts), permissions(disk), storage(disk)];
    if let Some(facts) = facts {
        findings.extend([
            database(facts),
            connection(facts),
            clock(facts),
            addresses(facts),
            spare(facts),
        ]);
        if is_set(facts, "admin") {
            findings.push(drill(facts));
        }
        findings.push(alarms(facts));
    }
    findings
}

fn profile(facts: Option<&Value>) -> Finding {
    match facts {
        Some(_) => ok("profile", text::profile_opens()),
        None => bad(State::Fail, "profile", text::profile_shut(), text::profile_todo()),
    }
}

fn permissions(disk: &Disk) -> Finding {
    match &disk.open {
        None => ok("permissions", text::files_private()),
        Some((path, mode)) => {
            bad(State::Fail, "permissions", text::files_open(path, *mode), text::files_todo(path))
        }
    }
}

fn storage(disk: &Disk) -> Finding {
    let Some(free) = disk.free else {
        return bad(State::Warn, "storage", text::disk_unknown(), text::disk_todo());
    };
    let found = text::disk_free(&text::size(free));
    match free {
        0..NONE_LEFT => bad(State::Fail, "storage", found, text::disk_todo()),
        NONE_LEFT..LITTLE => bad(State::Warn, "storage", found, text::disk_todo()),
        _ => ok("storage", found),
    }
}

fn database(facts: &Value) -> Finding {
    if is_set(facts, "database") {
        return ok("database", text::database_whole());
    }
    bad(State::Fail, "database", text::database_damaged(), text::database_todo())
}

fn connection(facts: &Value) -> Finding {
    let fail = |found: String, todo: &str| bad(State::Fail, "connection", found, todo);
    let stopped = line_of(facts, "stopped");
    if !stopped.is_empty() {
        return fail(text::said(&stopped), text::link_stopped_todo());
    }
    match (is_set(facts, "connected"), line_of(facts, "refused").is_empty()) {
        (true, _) => ok("connection", text::link_stands(&line_of(facts, "in_use"))),
        (false, true) => fail(text::link_down().to_owned(), text::link_todo()),
        (false, false) => fail(text::link_refused().to_owned(), text::link_refused_todo()),
    }
}

fn clock(facts: &Value) -> Finding {
    match number(facts, "ahead_s") {
        Some(ahead) if ahead > CLOCK_SLACK_S => {
            bad(State::Warn, "clock", text::clock_behind(ahead.div_ceil(60)), text::clock_todo())
        }
        _ => ok("clock", text::clock_fits()),
    }
}

fn addresses(facts: &Value) -> Finding {
    let silent = knocked(facts, false, Some(false));
    let untried = knocked(facts, false, None);
    let check = "addresses";
    if !silent.is_empty() {
        let found = text::addresses_silent(&silent.join(", "));
        return bad(State::Warn, check, found, text::addresses_todo());
    }
    if !untried.is_empty() {
        let found = text::addresses_untried(&untried.join(", "));
        return bad(State::Warn, check, found, text::addresses_untried_todo());
    }
    ok(check, text::addresses_answer(knocked(facts, false, Some(true)).len()))
}

fn spare(facts: &Value) -> Finding {
    let Some(spare) = facts.get("spare").filter(|spare| spare.is_object()) else {
        return bad(State::Warn, "spare", text::spare_none(), text::spare_todo());
    };
    let answers = knocked(facts, true, Some(true));
    let (silent, untried) = (knocked(facts, true, Some(false)), knocked(facts, true, None));
    if answers.is_empty() && untried.is_empty() {
        let found = text::spare_silent(&silent.join(", "));
        return bad(State::Fail, "spare", found, text::spare_late_todo());
    }
    if let Some(late) = number(spare, "silent_s").filter(|late| *late > SPARE_DAYS * DAY_S) {
        let found = text::spare_late(late / DAY_S);
        return bad(State::Warn, "spare", found, text::spare_late_todo());
    }
    match answers.is_empty() {
        false => ok("spare", text::spare_answers(&answers.join(", "))),
        true => bad(
            State::Warn,
            "spare",
            text::addresses_untried(&untried.join(", ")),
            text::addresses_untried_todo(),
        ),
    }
}

fn drill(facts: &Value) -> Finding {
    let last = facts.get("drill").filter(|drill| drill.is_object());
    let (Some(last), Some(age)) = (last, number(facts, "drill_age_s")) else {
        return bad(State::Warn, "drill", text::drill_none(), text::drill_make());
    };
    let visits = last.get("visits").and_then(Value::as_array).into_iter().flatten();
    let wrong: Vec<String> = visits
        .filter(|visit| line_of(visit, "result") != "answers")
        .map(|visit| line_of(visit, "address"))
        .collect();
    let when = time::minute(&line_of(last, "at"));
    if !wrong.is_empty() {
        let found = text::drill_bad(&when, &wrong.join(", "));
        return bad(State::Warn, "drill", found, text::drill_mend());
    }
    if age > DRILL_DAYS * DAY_S {
        return bad(State::Warn, "drill", text::drill_old(age / DAY_S), text::drill_make());
    }
    ok("drill", text::drill_last(&when))
}

fn alarms(facts: &Value) -> Finding {
    match number(facts, "alarms") {
        Some(count @ 1..) => {
            bad(State::Warn, "alarms", text::alarms_some(count), text::alarms_todo())
        }
        _ => ok("alarms", text::alarms_none()),
    }
}

fn number(object: &Value, field: &str) -> Option<u64> {
    object.get(field).and_then(Value::as_u64)
}

/// The addresses, the relay's or the spare relay's, at which a knock went so.
fn knocked(facts: &Value, spare: bool, answers: Option<bool>) -> Vec<String> {
    let all = facts.get("knocked").and_then(Value::as_array).into_iter().flatten();
    all.filter(|it| is_set(it, "spare") == spare)
        .filter(|it| it.get("answers").and_then(Value::as_bool) == answers)
        .map(|it| line_of(it, "address"))
        .collect()
}

#[cfg(test)]
mod tests;
