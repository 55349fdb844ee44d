//! The specification, as the stories about it read it: its rules, its numbers, and the page that
//! says what shows them. And the numbers of the code, read from its source.

use std::collections::BTreeSet;

use crate::binaries::workspace;
use crate::source::{self, Source};

/// The page that names tests, vectors and constants.
const COVERAGE: &str = "protocol/spec/coverage.md";
/// Where a name in the code is looked for if its own file does not define it.
const SHARED: [&str; 3] = [
    "protocol/src/wire/limits.rs",
    "protocol/src/cell/channel_key.rs",
    "protocol/src/noise/sealed.rs",
];

/// A numbered rule.
pub struct Rule {
    /// `G1`.
    pub name: String,
    /// All of it, to the next rule or heading.
    pub text: String,
}

/// A row of a table.
pub type Row = Vec<String>;

/// The files of `protocol/spec/` that hold rules.
fn pages() -> Vec<Source> {
    let numbered = |file: &Source| {
        let name = file.path.strip_prefix("protocol/spec/");
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit()))
    };
    source::files(&[".md"]).into_iter().filter(numbered).collect()
}

/// `G1` of a line that begins a rule.
fn rule_name(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("**")?.split_once('.')?;
    let digits = name.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_name = digits.len() < name.len()
        && !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit());
    is_name.then_some(name)
}

/// Every rule of every page.
pub fn rules() -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    for page in pages() {
        let mut is_inside = false;
        for line in page.text.lines() {
            if let Some(name) = rule_name(line) {
                all.push(Rule { name: name.to_owned(), text: String::new() });
                is_inside = true;
            } else if line.starts_with('#') {
                is_inside = false;
            }
            if let Some(rule) = all.last_mut().filter(|_| is_inside) {
                rule.text.extend([line, "\n"]);
            }
        }
    }
    all
}

/// The rows of the tables whose heads are these.
fn rows(text: &str, heads: &[&str]) -> Vec<Row> {
    let (mut rows, mut is_meant, mut is_head) = (Vec::new(), false, true);
    for line in text.lines() {
        let Some(inside) = line.strip_prefix('|') else {
            is_head = true;
            continue;
        };
        let inside = inside.strip_suffix('|').unwrap_or(inside);
        if is_head {
            is_meant = heads.contains(&inside.trim());
        } else if is_meant && !inside.starts_with("---") {
            rows.push(inside.split('|').map(|cell| cell.trim().to_owned()).collect());
        }
        is_head = false;
    }
    rows
}

/// Every row of a table of constants, with its page's number before its name.
pub fn constants() -> Vec<Row> {
    let mut all = Vec::new();
    for page in pages() {
        let number = page.path.trim_start_matches("protocol/spec/").get(..2).expect("two digits");
        for mut row in rows(&page.text, &["name | value"]) {
            row[0] = format!("{} {}", number.trim_start_matches('0'), row[0]);
            all.push(row);
        }
    }
    all
}

/// The rows of the coverage page: those about rules, and those about constants.
pub fn coverage() -> (Vec<Row>, Vec<Row>) {
    let all = source::files(&["coverage.md"]);
    let page = all.iter().find(|file| file.path == COVERAGE).expect("the page");
    (
        rows(&page.text, &["rule | tests | vectors"]),
        rows(&page.text, &["constant | in the code", "rule | in the code"]),
    )
}

/// What stands in backquotes.
pub fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The files of test vectors that a name of the coverage page means; none if it means nothing.
pub fn vectors(name: &str) -> BTreeSet<String> {
    let all = source::files(&[".json"]);
    let wanted = format!("protocol/vectors/{name}");
    let is_meant = |path: &&str| match name.ends_with('/') {
        true => path.starts_with(&wanted),
        false => **path == format!("{wanted}.json"),
    };
    all.iter().map(|file| file.path.as_str()).filter(is_meant).map(str::to_owned).collect()
}

/// The numbers in a text, in order: `1,024` and `2^53 - 1` are one each, `UTF-8` is none. Days and
/// hours are seconds, KiB and MiB bytes.
pub fn numbers(text: &str) -> Vec<u64> {
    let mut found = Vec::new();
    let (mut rest, mut before) = (text, ' ');
    while let Some(c) = rest.chars().next() {
        if !c.is_ascii_digit() {
            (before, rest) = (c, &rest[c.len_utf8()..]);
            continue;
        }
        let (mut value, mut after) = digits(rest);
        if let Some(power) = after.strip_prefix('^') {
            let (power, end) = digits(power);
            value = value.saturating_pow(power.try_into().unwrap_or(u32::MAX));
            (value, after) = match end.strip_prefix(" - 1") {
                Some(end) => (value.saturating_sub(1), end),
                None => (value, end),
            };
        }
        let unit = after.trim_start().split(|c: char| !c.is_alphanumeric()).next();
        let scale = match unit {
            Some("days" | "day") => 24 * 3_600,
            Some("hours" | "hour") => 3_600,
            Some("KiB") => 1 << 10,
            Some("MiB") => 1 << 20,
            _ => 1,
        };
        if !before.is_alphabetic() && before != '-' && before != '_' {
            found.push(value.saturating_mul(scale));
        }
        (before, rest) = ('0', after);
    }
    found
}

/// The number at the beginning of a text, with commas before groups of three, and what follows.
fn digits(text: &str) -> (u64, &str) {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let (mut value, mut at) = (0_u64, 0);
    loop {
        if is_digit(at) {
            value = value.saturating_mul(10).saturating_add(u64::from(bytes[at] - b'0'));
            at += 1;
        } else if bytes.get(at) == Some(&b',')
            && (1..=3).all(|next| is_digit(at + next))
            && !is_digit(at + 4)
        {
            at += 1;
        } else {
            return (value, &text[at..]);
        }
    }
}

/// The numbers of a constant of the code, named `path:NAME`; more than one if it is an array.
///
/// # Panics
/// If there is no such constant, or it is made of more than numbers, other constants, `+`, `-`,
/// `*`, `<<`, `[n]` and `Duration`s.
pub fn constant(name: &str) -> Vec<u64> {
    let (path, name) = name.split_once(':').expect("path:NAME");
    let expression =
        define(path, name).unwrap_or_else(|| panic!("coverage.md: {path} has no {name} now"));
    match expression.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(list) => {
            let parts = list.split(", ").map(|it| it.trim_matches([',', ' ']));
            parts.filter(|part| !part.is_empty()).map(|part| value(path, part)).collect()
        }
        None => vec![value(path, &expression)],
    }
}

/// The expression of a constant in a file, on one line.
fn define(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(workspace().join(path)).ok()?;
    let (_, rest) = text.split_once(&format!("const {name}: "))?;
    let (_, rest) = rest.split_once(" =")?;
    let (expression, _) = rest.split_once(';')?;
    Some(expression.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn value(path: &str, expression: &str) -> u64 {
    let expression = expression.trim();
    for (operator, apply) in [
        (" << ", (|a, b| a << b) as fn(u64, u64) -> u64),
        (" + ", |a, b| a + b),
        (" - ", |a, b| a - b),
        (" * ", |a, b| a * b),
    ] {
        // The last one outside parentheses: what stands before it is computed first.
        let depth = |text: &str| text.matches('(').count().abs_diff(text.matches(')').count());
        let outside =
            expression.rmatch_indices(operator).find(|(at, _)| depth(&expression[..*at]) == 0);
        if let Some((at, _)) = outside {
            let (left, right) = (&expression[..at], &expression[at + operator.len()..]);
            return apply(value(path, left), value(path, right));
        }
    }
    let bare = expression.split(" as ").next().unwrap_or_default();
    let bare = bare.trim_start_matches("Duration::from_secs");
    if let Some(inside) = bare.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
        return value(path, inside);
    }
    if bare.starts_with(|c: char| c.is_ascii_digit()) {
        return bare.replace('_', "").parse().expect("a number");
    }
    let (name, index) = match bare.split_once('[') {
        Some((name, index)) => (name, index.trim_end_matches(']').parse().expect("an index")),
        None => (bare, 0),
    };
    let mut places = std::iter::once(path).chain(SHARED);
    let place = places.find(|place| define(place, name).is_some());
    let place = place.unwrap_or_else(|| panic!("{path}: {expression} is unknown"));
    constant(&format!("{place}:{name}"))[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(numbers("1,104; 16 of 20, 30 bytes of UTF-8"), [1_104, 16, 20, 30]);
        assert_eq!(numbers("0 to 2^53 - 1"), [0, (1 << 53) - 1]);
        assert_eq!(numbers("7 days, 8 MiB, x25519, 2^16"), [604_800, 8 << 20, 65_536]);
    }

    #[test]
    fn constants_are_computed_from_the_source() {
        let limit = |name: &str| constant(&format!("protocol/src/wire/limits.rs:{name}"));
        assert_eq!(limit("FRAME_SIZES"), [1_104, 4_224, 16_704, 62_464]);
        assert_eq!(limit("REKEY_MESSAGES"), [65_536]);
        assert_eq!(constant("server/src/admission/head.rs:HEAD_TIME"), [5]);
        assert_eq!(constant("protocol/src/cell/fragment.rs:CONTENT"), [945]);
    }

    #[test]
    fn a_rule_begins_with_its_number_in_bold() {
        assert_eq!(rule_name("**F8. PUT.** The cells"), Some("F8"));
        assert_eq!(rule_name("**M22.** When"), Some("M22"));
        assert_eq!(rule_name("**every leaf revoked by then is removed**, and."), None);
    }
}
