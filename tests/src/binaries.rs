//! The programs under test, built once a run, each for its own package: what is linked into a
//! program must not depend on which tests were built beside it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The relay; `STAFFETTA_RELAY` names another one.
pub fn relay() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    program(&BUILT, "STAFFETTA_RELAY", "staffetta-relay", &["-p", "staffetta-relay"])
}

/// The client; `STAFFETTA_CLIENT` names another one.
pub fn client() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    program(&BUILT, "STAFFETTA_CLIENT", "staffetta", &["-p", "staffetta"])
}

/// The echo bot of the examples; `STAFFETTA_ECHO_BOT` names another one.
pub fn echo_bot() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let package = ["-p", "staffetta-protocol", "--features", "member", "--example", "echo_bot"];
    program(&BUILT, "STAFFETTA_ECHO_BOT", "examples/echo_bot", &package)
}

/// The directory of the whole project.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in a workspace")
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace());
    // What the cargo that runs us says of this package; build scripts would take it for a change.
    let said = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_PRIMARY_", "CARGO_BIN_"];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| said.iter().any(|it| name.starts_with(it))) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Where the running profile's programs are: this test lies in its `deps`.
pub fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let deps = test.ancestors().find(|dir| dir.ends_with("deps"));
    // A campaign's program lies beside the others.
    deps.unwrap_or(&test).parent().expect("programs lie in a directory").to_path_buf()
}

fn program(built: &OnceLock<PathBuf>, other: &str, name: &str, package: &[&str]) -> PathBuf {
    built
        .get_or_init(|| match std::env::var_os(other) {
            Some(path) => path.into(),
            // Cargo's own lock keeps the test programs of one run apart.
            None => build(name, package),
        })
        .clone()
}

fn build(name: &str, package: &[&str]) -> PathBuf {
    let dir = profile_dir();
    let profile = match dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let mut build = cargo();
    build.args(["build", "--quiet", "--locked", "--profile", profile]).args(package);
    if let Some(target) = dir.parent() {
        build.arg("--target-dir").arg(target);
    }
    let done = build.output().expect("cargo runs");
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
    dir.join(name)
}
