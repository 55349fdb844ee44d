use std::path::{Path, PathBuf};

use super::*;

/// Sentences whose blanks are filled with other words than names; the words are in the tables.
const MADE_UP: [&str; 3] = ["X X (change X).", "X is X X.", "The X: X."];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.ends_with("tests") && !path.ends_with("tests.rs"))
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .collect()
}

/// The texts in quotation marks, joined where they are broken over lines.
fn literals(source: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in source.replace("\\\n", "\u{0}").lines() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for text in line.replace("\\\"", "\u{1}").split('"').skip(1).step_by(2) {
            let joined: Vec<&str> = text.split('\u{0}').map(str::trim_start).collect();
            all.push(joined.concat().replace('\u{1}', "\""));
        }
    }
    all
}

/// With every blank filled.
fn filled(pattern: &str) -> String {
    let mut out = String::new();
    for (at, piece) in pattern.split('{').enumerate() {
        match piece.split_once('}') {
            Some((_, rest)) if at > 0 => {
                out.push('X');
                out.push_str(rest);
            }
            _ => out.push_str(piece),
        }
    }
    out
}

#[test]
fn every_sentence_of_the_agent_is_there_in_french() {
    let member = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/src/member");
    let files = ["engine", "agent"].iter().flat_map(|dir| sources(&member.join(dir)));
    let mut seen = 0;
    let mut missing = Vec::new();
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for literal in literals(source) {
            let is_sentence = literal.starts_with(|c: char| c.is_uppercase() || c == '{')
                && literal.contains(' ')
                && literal.ends_with(['.', '?'])
                && !literal.contains("\\r");
            let sample = filled(&literal);
            if is_sentence && !MADE_UP.contains(&sample.as_str()) {
                seen += 1;
                if said(&sample).is_none() {
                    missing.push(literal);
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} sentences were found: the search is broken");
    assert!(missing.is_empty(), "not in text/fr/agent: {missing:#?}");
}

#[test]
fn both_sides_have_as_many_blanks() {
    for (english, french) in [people::SAID, work::SAID, alarms::SAID].concat() {
        let blanks = |text: &str| text.matches("{}").count();
        assert_eq!(blanks(english), blanks(french), "{english}");
    }
}

#[test]
fn blanks_are_filled_with_what_the_agent_says() {
    assert_eq!(said("These are not the words of Lea.").unwrap(), "Ce ne sont pas les mots de Lea.");
    assert_eq!(said("The name: the name is empty.").unwrap(), "Le nom\u{a0}: il est vide.");
    assert_eq!(
        said("Lea tried to change a message of Karim in press. It was ignored.").unwrap(),
        "Lea a tenté de modifier un message de Karim dans press. C’est resté sans effet."
    );
    assert_eq!(said("Something new."), None);
}
