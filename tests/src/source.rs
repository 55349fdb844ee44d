//! The project's own source, as the stories about its shape read it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::binaries::workspace;

/// A file of the project.
pub struct Source {
    /// Its path inside the project, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Directories that are not ours.
const FOREIGN: [&str; 3] = ["target", ".git", "corpus"];

/// Every file of the project with one of these endings.
pub fn files(endings: &[&str]) -> Vec<Source> {
    let mut all = Vec::new();
    collect(workspace(), endings, &mut all);
    assert!(!all.is_empty(), "the project has files");
    all
}

fn collect(dir: &Path, endings: &[&str], all: &mut Vec<Source>) {
    let entries = fs::read_dir(dir).expect("a readable directory");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !FOREIGN.contains(&name) {
                collect(&path, endings, all);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            let inside = path.strip_prefix(workspace()).expect("it lies in the project");
            let text = fs::read_to_string(&path).expect("text in UTF-8");
            all.push(Source { path: inside.to_string_lossy().into_owned(), text });
        }
    }
}

impl Source {
    /// The lines without comments, each with its number from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().zip(1..);
        lines.map(|(line, number)| (number, without_comment(line))).filter(|(_, it)| !it.is_empty())
    }

    /// The lines of code that hold a word, as `path:line`.
    pub fn naming(&self, word: &str) -> Vec<String> {
        let hits = self.code().filter(|(_, line)| holds_word(line, word));
        hits.map(|(number, _)| format!("{}:{number}", self.path)).collect()
    }

    /// Where the tests inside this file begin; the first line if the whole file is a test.
    pub fn tests_from(&self) -> Option<usize> {
        let is_story = self.path.starts_with("tests/")
            && !["tests/src/load/", "tests/src/bin/"].iter().any(|it| self.path.starts_with(it));
        let whole = is_story || self.path.ends_with("/tests.rs") || self.path.contains("/tests/");
        // A module of tests in a file of its own is only declared here.
        let lines: Vec<(usize, &str)> = self.code().collect();
        let opens = |two: &[(usize, &str)]| {
            two[0].1.trim() == "#[cfg(test)]"
                && two[1].1.starts_with("mod ")
                && two[1].1.ends_with('{')
        };
        let inside = || lines.windows(2).find(|two| opens(two)).map(|two| two[0].0);
        if whole { Some(1) } else { inside() }
    }
}

/// The names of all tests, of the conformance suite of stores too.
pub fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files(&[".rs"]) {
        let (mut is_test, mut in_suite) = (false, false);
        for (_, line) in file.code() {
            let line = line.trim();
            in_suite = line == "suite!(" || (in_suite && line != ");");
            let function = line.trim_start_matches("async ").strip_prefix("fn ");
            match function.and_then(|rest| rest.split('(').next()) {
                Some(name) if is_test => drop(names.insert(name.to_owned())),
                _ if in_suite => drop(names.insert(line.trim_end_matches(',').to_owned())),
                _ => {}
            }
            let is_attribute = line.starts_with('#');
            is_test =
                line == "#[test]" || line.starts_with("#[tokio::test") || (is_test && is_attribute);
        }
    }
    names
}

fn without_comment(line: &str) -> &str {
    // A URL in a text is no comment.
    match line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':')) {
        Some((at, _)) => line[..at].trim_end(),
        None => line,
    }
}

/// Whether `word` stands in `line` and is not a part of a longer identifier.
pub fn holds_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !before.ends_with(part) && !after.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_comments_are_not_code() {
        assert!(holds_word("use sled::Db;", "sled"));
        assert!(!holds_word("mod sledge; fn a_sled() {}", "sled"));
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let file = source(
            "x/y.rs",
            "// sled\nlet a = \"http://sled\"; // snow\n#[cfg(test)]\nmod tests;\n#[cfg(test)]\nmod more {\n",
        );
        assert_eq!(file.naming("sled"), ["x/y.rs:2"]);
        assert!(file.naming("snow").is_empty());
        assert_eq!(file.tests_from(), Some(5));
        assert_eq!(source("x/tests.rs", "").tests_from(), Some(1));
    }
}
