//! The specification holds: each rule is shown by something, and its numbers are the code's.

use std::collections::BTreeSet;

use staffetta_tests::source;
use staffetta_tests::specification::{
    constant, constants, coverage, numbers, quoted, rules, vectors,
};

#[test]
fn every_rule_of_the_specification_has_a_test_or_a_vector() {
    let (known, rules, (table, _)) = (source::tests(), rules(), coverage());
    let mut covered = BTreeSet::new();
    for row in &table {
        let [rule, tests, cases] = &row[..] else { panic!("three columns: {row:?}") };
        assert!(covered.insert(rule.as_str()), "{rule} has two lines in coverage.md");
        for test in quoted(tests) {
            assert!(known.contains(test), "coverage.md, {rule}: there is no test {test}");
        }
        for case in quoted(cases) {
            assert!(!vectors(case).is_empty(), "coverage.md, {rule}: there is no vector {case}");
        }
        let shown = quoted(tests).len() + quoted(cases).len();
        assert!(shown > 0, "coverage.md, {rule}: name a test or a vector");
    }
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names.len(), rules.len(), "no number is given twice");
    assert!(names.len() > 150);
    let missing: Vec<_> = names.difference(&covered).collect();
    assert!(missing.is_empty(), "coverage.md has no line for {missing:?}");
    let foreign: Vec<_> = covered.difference(&names).collect();
    assert!(foreign.is_empty(), "coverage.md knows rules that are not there: {foreign:?}");
}

#[test]
fn every_vector_belongs_to_a_rule() {
    let (table, _) = coverage();
    let named = table.iter().flat_map(|row| quoted(&row[2]));
    let named: BTreeSet<_> = named.map(|name| name.split('/').next().unwrap()).collect();
    for file in source::files(&[".json"]) {
        let Some(inside) = file.path.strip_prefix("protocol/vectors/") else { continue };
        let (layer, _) = inside.split_once('/').expect("a case lies in its layer's directory");
        assert!(named.contains(layer), "{}", file.path);
    }
}

#[test]
fn the_constants_of_the_specification_are_those_of_the_code() {
    let (rules, (_, mut table)) = (rules(), coverage());
    for row in constants() {
        let at = table.iter().position(|line| line[0] == row[0]);
        let at = at.unwrap_or_else(|| panic!("coverage.md, Constants: no line for {}", row[0]));
        let line = table.remove(at);
        let in_code: Vec<u64> = quoted(&line[1]).into_iter().flat_map(meant).collect();
        assert_eq!(numbers(&row[1]), in_code, "{}: {}", row[0], row[1]);
    }
    for line in table {
        let rule = rules.iter().find(|rule| rule.name == line[0]);
        let rule = rule.unwrap_or_else(|| panic!("coverage.md, Constants: {} is gone", line[0]));
        // As it is written, or in bytes and seconds.
        let mut written = numbers(&rule.text);
        written.extend(numbers(&rule.text.replace("iB", "").replace("hours", "")));
        for name in quoted(&line[1]) {
            for number in meant(name) {
                assert!(written.contains(&number), "{}: {name} is {number}", rule.name);
            }
        }
    }
}

/// The numbers of a constant of the code, or the number itself.
fn meant(name: &str) -> Vec<u64> {
    if name.contains(':') { constant(name) } else { numbers(name) }
}
