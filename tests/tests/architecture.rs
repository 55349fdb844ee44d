//! The shape of the project: which program links what, which module names what.

use std::collections::BTreeSet;

use serde_json::Value;
use staffetta_tests::binaries::{cargo, workspace};
use staffetta_tests::source::{self, Source};

/// The longest file, in lines.
const LONGEST_FILE: usize = 400;

fn tree(package: &str) -> BTreeSet<String> {
    let done = cargo()
        .args(["tree", "--locked", "--offline", "-e", "normal,build", "--prefix", "none"])
        .args(["-f", "{lib}", "-p", package])
        .output()
        .expect("cargo runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect()
}

fn sources() -> Vec<Source> {
    source::files(&[".rs"])
}

/// Every place outside `home` that names `word`.
fn strays(word: &str, home: &[&str]) -> Vec<String> {
    let all = sources();
    let outside = all.iter().filter(|file| {
        !file.path.starts_with("tests/") && !home.iter().any(|home| file.path.starts_with(home))
    });
    outside.flat_map(|file| file.naming(word)).collect()
}

/// Every place under `floor` that names one of the modules above it.
fn climbs(floor: &str, above: &[&str]) -> Vec<String> {
    let all = sources();
    let files = all.iter().filter(|file| file.path.starts_with(floor));
    files
        .flat_map(|file| {
            let last = file.tests_from().unwrap_or(usize::MAX);
            let naming = move |name: &&str| {
                let lines = file.code().take_while(move |(number, _)| *number < last);
                let name = (*name).to_owned();
                lines.filter(move |(_, line)| line.contains(&name)).map(|it| it.0).collect()
            };
            let lines: Vec<Vec<usize>> = above.iter().map(naming).collect();
            lines.concat().into_iter().map(|line| format!("{}:{line}", file.path))
        })
        .collect()
}

#[test]
fn the_relay_links_no_mls_and_no_database_of_devices() {
    let relay = tree("staffetta-relay");
    assert!(relay.contains("staffetta_protocol") && relay.contains("sled"), "{relay:?}");
    let foreign = relay.iter().filter(|name| {
        name.contains("openmls") || name.contains("sqlite") || name.contains("sqlcipher")
    });
    assert_eq!(foreign.count(), 0, "{relay:?}");
    assert!(tree("staffetta").iter().any(|name| name == "openmls"), "the search can find");
}

#[test]
fn the_client_links_no_store_of_relays() {
    assert!(!tree("staffetta").contains("sled"));
}

#[test]
fn only_one_place_names_each_big_dependency() {
    let homes: [(&str, &[&str]); 8] = [
        ("snow", &["protocol/src/noise/"]),
        ("openmls", &["protocol/src/member/e2ee/"]),
        ("openmls_traits", &["protocol/src/member/e2ee/"]),
        ("openmls_rust_crypto", &["protocol/src/member/e2ee/"]),
        ("openmls_sqlite_storage", &["protocol/src/member/e2ee/"]),
        ("rusqlite", &["protocol/src/member/store/", "protocol/src/member/e2ee/"]),
        ("sled", &["server/src/store/"]),
        ("ratatui", &["client/src/tui/"]),
    ];
    for (word, home) in homes {
        // A module may bear a dependency's name; a path into the dependency may not stray.
        let path = format!("{word}::");
        let strays: Vec<String> = strays(word, home)
            .into_iter()
            .filter(|place| {
                let (file, line) = place.rsplit_once(':').expect("path:line");
                let text = sources().into_iter().find(|it| it.path == file).expect("a file").text;
                let line: usize = line.parse().expect("a number");
                let line = text.lines().nth(line - 1).expect("a line").to_owned();
                line.contains(&path) && !line.contains(&format!("::{path}"))
            })
            .collect();
        assert!(strays.is_empty(), "{word} is named in {strays:?}");
    }
}

#[test]
fn every_arrow_points_down() {
    let core = ["crate::member", "crate::bot"];
    let session = [&["crate::session"], &core[..]].concat();
    let middle = [&["crate::gate", "crate::noise", "crate::cell"], &session[..]].concat();
    let low = [&["crate::wire"], &middle[..]].concat();
    let engines = ["bot::", "agent::", "engine::"];
    let floors: [(&str, &[&str]); 16] = [
        ("protocol/src/secret.rs", &low),
        ("protocol/src/wire/ids", &middle),
        ("protocol/src/wire/codec", &middle),
        ("protocol/src/noise/", &session),
        ("protocol/src/cell/", &session),
        ("protocol/src/gate.rs", &session),
        ("protocol/src/invite_code/", &session),
        ("protocol/src/session/", &core),
        ("protocol/src/member/store/", &engines),
        ("protocol/src/member/e2ee/", &engines),
        ("protocol/src/member/roster/", &engines),
        ("protocol/src/member/invite/", &engines),
        ("protocol/src/member/content/", &engines),
        ("protocol/src/member/identity.rs", &engines),
        ("protocol/src/member/engine/", &["bot::", "agent::link", "agent::driver", "agent::rpc"]),
        ("protocol/src/member/agent/", &["bot::"]),
    ];
    for (floor, above) in floors {
        let climbs = climbs(floor, above);
        assert!(climbs.is_empty(), "{floor} reaches up: {climbs:?}");
    }
}

#[test]
fn the_server_reaches_no_device_code_and_nobody_reaches_tests() {
    assert!(climbs("server/", &["protocol::member", "protocol::bot"]).is_empty());
    assert!(strays("staffetta_tests", &[]).is_empty());
    // The screen and the commands know the agent only by the client's one file for it.
    let reaching: Vec<_> = climbs("client/", &["member::agent", "member::engine", "member::store"])
        .into_iter()
        .filter(|place| !place.starts_with("client/src/api.rs:"))
        .collect();
    assert!(reaching.is_empty(), "{reaching:?}");
}

#[test]
fn the_core_knows_no_runtime_and_no_clock() {
    let strays = strays("tokio", &["protocol/src/member/agent/", "protocol/src/member/bot/"]);
    let inside: Vec<_> = strays.iter().filter(|it| it.starts_with("protocol/src/")).collect();
    assert!(inside.is_empty(), "{inside:?}");
    for file in sources().iter().filter(|file| file.path.starts_with("protocol/src/")) {
        if file.path == "protocol/src/member/agent/clock.rs" {
            continue;
        }
        // tokio's is the time of its timers, which a test may stop.
        let of_tokio = file.code().any(|(_, it)| it.starts_with("use tokio::time::"));
        let last = file.tests_from().unwrap_or(usize::MAX);
        for (number, line) in file.code().take_while(|(number, _)| *number < last) {
            let reads = line.contains("SystemTime::now")
                || (line.contains("Instant::now") && !of_tokio)
                || line.contains("std::time::Instant::now");
            assert!(!reads, "{}:{number} reads a clock", file.path);
        }
    }
}

#[test]
fn nothing_is_unsafe() {
    for file in sources() {
        for (number, line) in file.code() {
            let is_unsafe = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"];
            let found = is_unsafe.iter().any(|word| line.trim_start().starts_with(word))
                || line.contains(concat!("= unsafe", " {"));
            assert!(!found, "{}:{number}", file.path);
        }
    }
    for manifest in source::files(&["Cargo.toml"]) {
        if manifest.text.contains("[package]") {
            assert!(manifest.text.contains("[lints"), "{} has lints", manifest.path);
        }
        if manifest.text.contains("[workspace.lints.rust]") {
            assert!(manifest.text.contains("unsafe_code = \"forbid\""));
        }
    }
}

#[test]
fn the_number_of_packages_is_the_one_that_the_architecture_and_the_bill_of_materials_say() {
    let page = std::fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("the page");
    let programs = [
        ("`staffetta-protocol` without features", "staffetta-protocol", None),
        ("`staffetta-protocol` with `member`", "staffetta-protocol", Some("member")),
        ("`staffetta-relay`", "staffetta-relay", None),
        ("`staffetta`", "staffetta", None),
    ];
    for (name, package, feature) in programs {
        let done = cargo()
            .args(["tree", "--locked", "--offline", "-e", "normal", "--prefix", "none"])
            .args(["-f", "{p}", "-p", package, "--features", feature.unwrap_or_default()])
            .output()
            .expect("cargo runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let text = String::from_utf8_lossy(&done.stdout);
        // What follows the version says where it is, or that it was printed before.
        let packages: BTreeSet<&str> =
            text.lines().map(|it| it.split(" (").next().unwrap_or(it)).collect();
        let row = format!("| {name} | {} |", packages.len());
        assert!(page.contains(&row), "it is: {row}");
        if feature.is_none() {
            let bill = std::process::Command::new(workspace().join("tests/sbom.sh"))
                .arg(package)
                .env("CARGO_NET_OFFLINE", "true")
                .output()
                .expect("a bill of materials");
            let bill = String::from_utf8_lossy(&bill.stdout);
            let listed = bill.lines().filter(|line| line.starts_with("PackageName: ")).count();
            assert_eq!(listed, packages.len(), "{package}");
        }
    }
}

#[test]
fn no_file_is_long() {
    for file in source::files(&[".rs", ".c", ".sh"]) {
        let lines = file.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.path);
    }
}

#[test]
fn dependencies_are_pinned_in_one_place() {
    for manifest in source::files(&["Cargo.toml"]) {
        let mut is_dependencies = false;
        for line in manifest.text.lines() {
            if line.starts_with('[') {
                is_dependencies = line.contains("dependencies") && !line.contains("workspace.");
            } else if is_dependencies && line.contains('=') {
                let ours = line.contains("workspace = true") || line.contains(".workspace=true");
                assert!(ours, "{}: {line}", manifest.path);
            }
        }
    }
}

/// The texts of a list in deny.toml, by its name.
fn allowed(list: &str) -> Vec<String> {
    let text = std::fs::read_to_string(workspace().join("deny.toml")).expect("deny.toml");
    let (_, rest) = text.split_once(&format!("\n{list} = [")).expect("the list");
    let (inside, _) = rest.split_once(']').expect("its end");
    inside.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression of the usual shapes can be met with these licences.
fn is_met(expression: &str, licences: &[String]) -> bool {
    expression.split(" AND ").all(|part| {
        let part = part.trim_matches(['(', ')']).replace('/', " OR ");
        part.split(" OR ").any(|one| licences.iter().any(|it| it == one.trim()))
    })
}

#[test]
fn everything_linked_comes_from_the_registry_under_a_licence_we_accept() {
    let done = cargo()
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .output()
        .expect("cargo runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let metadata: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    let (licences, registries) = (allowed("allow"), allowed("allow-registry"));
    for package in metadata["packages"].as_array().expect("packages") {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_met(licence, &licences), "{name}: {licence}");
        if let Some(source) = package["source"].as_str() {
            let known = registries.iter().any(|it| source == format!("registry+{it}"));
            assert!(known, "{name}: {source}");
        }
    }
}
