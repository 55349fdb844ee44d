//! What must not be left lying about.

use staffetta_tests::source;

const TEXTS: [&str; 9] =
    [".rs", ".toml", ".md", ".sh", ".c", ".json", ".yml", ".service", ".ci/run"];

#[test]
fn nothing_is_left_to_do() {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), "todo!("];
    for file in source::files(&TEXTS) {
        for (line, number) in file.text.lines().zip(1..) {
            let found = marks.iter().find(|mark| line.contains(**mark));
            let mine = file.path == "tests/tests/tidy.rs";
            assert!(found.is_none() || mine, "{}:{number}: {line}", file.path);
        }
    }
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let home = std::env::var("HOME").unwrap_or_default();
    let user = ["/home/", "/root/", "/Users/", concat!("/tmp", "/h/"), concat!("/work", "/")];
    for file in source::files(&TEXTS) {
        for (line, number) in file.text.lines().zip(1..) {
            let found = user.iter().any(|path| line.contains(path))
                || (home.len() > 1 && line.contains(&home));
            let mine = file.path == "tests/tests/tidy.rs";
            assert!(!found || mine, "{}:{number}: {line}", file.path);
        }
    }
}

#[test]
fn tests_wait_for_facts_and_never_sleep() {
    let sleeps =
        [concat!("thread::", "sleep"), concat!("time::", "sleep("), concat!(" sle", "ep(")];
    for file in source::files(&[".rs"]) {
        let Some(first) = file.tests_from() else { continue };
        for (number, line) in file.code().filter(|(number, _)| *number >= first) {
            let found = sleeps.iter().any(|sleep| line.contains(sleep));
            assert!(!found, "{}:{number}: {line}", file.path);
        }
    }
}

#[test]
fn ignored_tests_say_why() {
    for file in source::files(&[".rs"]) {
        for (number, line) in file.code() {
            assert!(line.trim() != "#[ignore]", "{}:{number}", file.path);
        }
    }
}
