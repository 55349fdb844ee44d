//! What the Debian packages install is made by `deploy/package.sh` and is all there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use staffetta_tests::binaries;

/// The lists of a package's `assets`: source, destination, mode.
fn assets(package: &str) -> Vec<[String; 3]> {
    let path = binaries::workspace().join(package).join("Cargo.toml");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once("assets = [").expect("a package has assets");
    let (list, _) = rest.split_once("\n]").expect("a list ends");
    let line = |line: &str| {
        let inside = line.trim().strip_prefix('[')?.strip_suffix("],")?;
        let parts: Vec<String> =
            inside.split(", ").map(|part| part.trim_matches('"').to_owned()).collect();
        Some(parts.try_into().expect("source, destination, mode"))
    };
    list.lines().filter_map(line).collect()
}

/// The files that a source means: itself, or all of its directory with that ending.
fn files(source: &Path) -> Vec<PathBuf> {
    let name = source.file_name().unwrap().to_str().unwrap();
    let Some(ending) = name.strip_prefix('*') else {
        return if source.is_file() { vec![source.to_owned()] } else { Vec::new() };
    };
    let all = fs::read_dir(source.parent().unwrap()).into_iter().flatten().flatten();
    let paths = all.map(|entry| entry.path()).filter(|path| path.is_file());
    paths.filter(|path| path.to_str().unwrap().ends_with(ending)).collect()
}

#[test]
fn completions_and_manuals_are_made_and_every_file_of_a_package_is_there() {
    let out = tempfile::tempdir().unwrap();
    let script = binaries::workspace().join("deploy/package.sh");
    let mut making = Command::new(script);
    making.arg("--parts").args([binaries::client(), binaries::relay()]).arg(out.path());
    let made = making.output().unwrap();
    assert!(made.status.success(), "{made:?}");

    for package in ["client", "server"] {
        let assets = assets(package);
        assert!(assets.len() > 5, "{assets:?}");
        for [source, to, mode] in &assets {
            // The programs themselves need a release build.
            if source.starts_with("target/release/") {
                assert_eq!((to.as_str(), mode.as_str()), ("usr/bin/", "755"));
                continue;
            }
            let path = match source.strip_prefix("target/package/") {
                Some(made) => out.path().join(made),
                None => binaries::workspace().join(package).join(source),
            };
            let found = files(&path);
            assert!(!found.is_empty(), "{package}: there is no {source}");
            let empty = found.iter().find(|path| fs::metadata(path).unwrap().len() == 0);
            assert_eq!(empty, None, "{package}: {source}");
        }
    }
    for name in ["staffetta", "staffetta-relay"] {
        let parts = out.path().join(name);
        let pages = files(&parts.join("man/*.1"));
        // A page each for the program and its commands, in the manual's language.
        assert!(pages.len() > 10 && parts.join(format!("man/{name}.1")).is_file(), "{pages:?}");
        for page in &pages {
            assert!(fs::read_to_string(page).unwrap().contains(".TH "), "{}", page.display());
        }
        let bash = parts.join(format!("{name}.bash"));
        let read = Command::new("bash").arg("-n").arg(bash).output();
        assert!(read.is_ok_and(|read| read.status.success()), "bash cannot read what is for it");
    }
}

#[test]
fn every_unit_of_a_bot_starts_something_that_a_package_installs_to_be_started() {
    const BOTS: &str = "usr/share/staffetta/bots/";
    let bots = binaries::workspace().join("deploy/bots");
    let mut installed = Vec::new();
    for [source, to, mode] in assets("client").into_iter().filter(|asset| asset[1] == BOTS) {
        for path in files(&binaries::workspace().join("client").join(source)) {
            installed.push((format!("/{to}{}", path.file_name().unwrap().display()), mode.clone()));
        }
    }
    assert_eq!(installed.len(), fs::read_dir(&bots).unwrap().count(), "all of them: {installed:?}");
    let units = files(&bots.join("*.service"));
    assert_eq!(units.len(), 5);
    for unit in units {
        let text = fs::read_to_string(&unit).unwrap();
        let start = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
        let start = start.expect("a unit starts something");
        for word in start.split_whitespace().filter(|word| word.starts_with(&format!("/{BOTS}"))) {
            let found = installed.iter().find(|(path, _)| path == word);
            assert_eq!(found.map(|(_, mode)| mode.as_str()), Some("755"), "{word}");
        }
    }
}
