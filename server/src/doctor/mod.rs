//! `doctor`: what is wrong with a relay and its machine, and what to do about it.
//!
//! `gather` looks and judges nothing; `examine` judges and looks at nothing, so every fault can be
//! planted in a test.

mod examine;
mod facts;
mod gather;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub(crate) use self::examine::examine;
pub(crate) use self::gather::gather;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// Not wrong today.
    Warn,
    /// Wrong.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Its name, which stays the same.
    pub(crate) check: &'static str,
    /// How bad it is.
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
    /// What to do; empty if nothing.
    pub(crate) todo: String,
}

/// The findings as people read them: what is wrong last, where the eye is.
pub(crate) fn report(findings: &[Finding]) -> String {
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.state as u8);
    let line = |finding: &&Finding| {
        let mark = match finding.state {
            State::Ok => "ok  ",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        let mut text = format!("{mark}  {:<14}{}\n", finding.check, finding.found);
        if !finding.todo.is_empty() {
            text.push_str(&format!("      {:<14}-> {}\n", "", finding.todo));
        }
        text
    };
    sorted.iter().map(line).collect()
}
