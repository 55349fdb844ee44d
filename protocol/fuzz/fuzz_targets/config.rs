//! The operator's configuration: a file, and one setting of the environment.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the relay uses what this target does not")]

#[path = "../../../server/src/address.rs"]
mod address;
#[path = "../../../server/src/config/mod.rs"]
mod config;

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = std::env::temp_dir().join(format!("staffetta-fuzz-{}.toml", std::process::id()));
    std::fs::write(&file, text).unwrap();
    let _ = config::Loaded::load(&file, std::iter::empty(), Vec::new()).map_err(|it| it.to_string());
    std::fs::remove_file(&file).unwrap();
    if let Some((key, value)) = text.split_once('=') {
        let set = (format!("STAFFETTA__{key}"), value.to_owned());
        let absent = Path::new("/nonexistent/staffetta.toml");
        let _ = config::Loaded::load(absent, std::iter::once(set), Vec::new())
            .map_err(|it| it.to_string());
    }
});
