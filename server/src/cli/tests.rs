use clap::Parser;

use super::*;

/// The words of a shell command, quotes taken away; enough for what our pages say.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            '#' if !quoted && words.last().is_some_and(String::is_empty) => break,
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_that_the_pages_name_is_one() {
    let pages = [
        include_str!("../../../README.md"),
        include_str!("../../../deploy/RUNBOOK.md"),
        include_str!("../../../deploy/staffetta-relay.service"),
    ];
    let mut seen = 0;
    for line in pages.iter().flat_map(|page| page.lines()) {
        let line = line.trim();
        let line = line.strip_prefix("ExecStart=/usr/bin/").unwrap_or(line);
        if !line.starts_with("staffetta-relay ") {
            continue;
        }
        seen += 1;
        let parsed = Arguments::try_parse_from(words(line));
        assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    for line in ["r --data-dir d --json status", "r status --data-dir d --json"] {
        let Arguments { global, command } = Arguments::try_parse_from(words(line)).unwrap();
        assert!(global.json && global.data().unwrap() == Path::new("d"));
        assert!(matches!(command, Command::Status));
    }
    Arguments::command().debug_assert();
}
