//! Looking at a relay without changing it.

use std::process::ExitCode;
use std::sync::Arc;

use super::{Global, load, print_line};
use crate::doctor;
use crate::hub::{Hub, system_clock};
use crate::init::{self, Layout};
use crate::store;
use crate::store::sled::SledStore;

pub(super) fn check(global: &Global) -> anyhow::Result<()> {
    let data = global.data()?;
    let config = load(data, vec![])?.config;
    let layout = Layout::new(data);
    let key = layout.read_key()?;
    if !layout.store().exists() {
        anyhow::bail!("there is no store in {}", data.display());
    }
    let opened = SledStore::open(&layout.store(), init::store_options(&config))?;
    let cells = store::verify(&opened)?;
    let hub = Hub::new(key, Arc::new(opened), config, system_clock(), data)?;
    let fingerprint = init::fingerprint(&hub.key.public());
    let object = serde_json::json!({ "cells": cells, "fingerprint": fingerprint });
    global.print(&object, |_| format!("{cells} cells are whole; fingerprint {fingerprint}"))
}

pub(super) fn config(global: &Global, origin: bool) -> anyhow::Result<()> {
    let loaded = load(global.data()?, vec![])?;
    if global.json {
        let mut sections = serde_json::Map::new();
        for (section, key, value, from) in &loaded.values {
            let keys = sections.entry(*section).or_insert_with(|| serde_json::json!({}));
            keys[*key] = match origin {
                true => serde_json::json!({ "value": value, "origin": from.to_string() }),
                false => serde_json::json!(value),
            };
        }
        return print_line(&serde_json::Value::Object(sections).to_string());
    }
    let mut current = "";
    for (section, key, value, from) in &loaded.values {
        if *section != current {
            print_line(&format!("{}[{section}]", if current.is_empty() { "" } else { "\n" }))?;
            current = section;
        }
        let line = format!("{key} = {value}");
        match origin {
            true => print_line(&format!("{line:<40}# {from}"))?,
            false => print_line(&line)?,
        }
    }
    Ok(())
}

pub(super) fn doctor(global: &Global) -> anyhow::Result<ExitCode> {
    let data = global.data()?;
    let facts = doctor::gather(data, load(data, vec![]));
    let findings = doctor::examine(&facts);
    let failed = findings.iter().any(|finding| finding.state == doctor::State::Fail);
    let object = serde_json::json!({ "ok": !failed, "findings": findings });
    global.print(&object, |_| doctor::report(&findings))?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
