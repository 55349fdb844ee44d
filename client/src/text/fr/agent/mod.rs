//! What the agent says, in French. The agent speaks English, to scripts and logs as well; here each of
//! its sentences stands beside the French one. `{}` is what the agent fills in, in the same order on both
//! sides. A sentence that is not here is shown as it came.

mod alarms;
mod people;
mod work;

/// The sentence in French, if there is one.
pub(in crate::text) fn said(english: &str) -> Option<String> {
    let tables = [people::SAID, work::SAID, alarms::SAID];
    let all = || tables.iter().flat_map(|table| table.iter());
    // A sentence without blanks to fill in is the more certain one.
    let whole = all().find(|(from, _)| *from == english).map(|(_, to)| (*to).to_owned());
    whole.or_else(|| all().find_map(|(from, to)| Some(fill(to, &holes(from, english)?))))
}

/// What stands in `text` where `pattern` has `{}`.
fn holes<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    let pieces: Vec<&str> = pieces.collect();
    for (at, piece) in pieces.iter().enumerate() {
        let end = match at + 1 == pieces.len() {
            // The last piece ends the sentence.
            true => rest.strip_suffix(piece)?.len(),
            false => rest.find(piece)?,
        };
        found.push(rest.get(..end)?);
        rest = rest.get(end + piece.len()..)?;
    }
    (!found.is_empty() && rest.is_empty()).then_some(found)
}

/// `pattern` with its blanks filled, each in French if it is a sentence of its own.
fn fill(pattern: &str, holes: &[&str]) -> String {
    let mut out = String::new();
    for (at, piece) in pattern.split("{}").enumerate() {
        if at > 0 {
            let hole = holes.get(at - 1).copied().unwrap_or_default();
            out.push_str(&whole(hole));
        }
        out.push_str(piece);
    }
    out
}

/// A part of a sentence, if it is one that is known as a whole.
fn whole(part: &str) -> String {
    let tables = [people::SAID, work::SAID, alarms::SAID];
    let mut all = tables.iter().flat_map(|table| table.iter());
    let known = all.find(|(from, _)| *from == part).map(|(_, to)| (*to).to_owned());
    known.unwrap_or_else(|| super::words::word(part).to_owned())
}

#[cfg(test)]
mod tests;
