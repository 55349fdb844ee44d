//! The operator's configuration: every key has a default, and an unknown key is an error.
//!
//! Precedence: file, then `STAFFETTA__SECTION__KEY`, then flags (applied by the caller).

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use toml::{Table, Value};

use crate::address::{ListenAddress, TrustedProxy, proxies};

/// The prefix of environment variables that override keys.
const ENV_PREFIX: &str = "STAFFETTA__";
/// The largest configuration file read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// What is written by `init`: every key, its default and what it does.
pub(crate) const TEMPLATE: &str = include_str!("config.toml");

/// Why the configuration is not one. The operator is at fault, or the file system.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration: {0}")]
    Read(std::io::Error),
    /// The file is no TOML, or a value has another type or is out of range.
    #[error("the configuration is wrong: {0}")]
    Wrong(String),
    /// A section or key that nobody defined.
    #[error("unknown key `{key}` in the configuration{}", hint(.nearest))]
    Unknown {
        /// The key with its section.
        key: String,
        /// What it might have been.
        nearest: Option<String>,
    },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// The configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Where the relay listens.
    pub(crate) listen: Listen,
    /// What it keeps.
    pub(crate) storage: Storage,
    /// What one device may use.
    pub(crate) limits: Limits,
}

/// Where the relay listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Listen {
    /// The WebSocket listener.
    pub(crate) address: ListenAddress,
}

/// What the relay keeps.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    /// Seconds after which cells go in any case.
    #[serde(deserialize_with = "duration")]
    pub(crate) keep: u64,
    /// Bytes the store may take before it accepts nothing more.
    #[serde(deserialize_with = "size")]
    pub(crate) max_disk: u64,
    /// Bytes of free disk below which nothing is accepted.
    #[serde(deserialize_with = "size")]
    pub(crate) low_disk: u64,
}

/// What one device may use.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Cells a minute, in the long run.
    pub(crate) cells_per_minute: u64,
    /// Cells at once.
    pub(crate) cells_burst: u64,
    /// Cells a day.
    pub(crate) cells_per_day: u64,
    /// Bytes of blobs a day.
    #[serde(deserialize_with = "size")]
    pub(crate) blob_bytes_per_day: u64,
    /// Connections of one device; the oldest yields.
    pub(crate) connections_per_device: usize,
    /// Connections of one source address that have not passed the gate and the handshake.
    pub(crate) connections_per_source: usize,
    /// All such connections; the oldest yields.
    pub(crate) half_open: usize,
    /// Peers that name the source of what they pass on; they have no budget of their own.
    #[serde(deserialize_with = "proxies")]
    pub(crate) trusted_proxy: Vec<TrustedProxy>,
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: ListenAddress::Tcp(SocketAddr::from(([0, 0, 0, 0], 7443))) }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self { keep: 14 * 24 * 3600, max_disk: 10 << 30, low_disk: 512 << 20 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cells_per_minute: 6_000,
            cells_burst: 20_000,
            cells_per_day: 100_000,
            blob_bytes_per_day: 200 << 20,
            connections_per_device: 3,
            connections_per_source: 64,
            half_open: 512,
            trusted_proxy: Vec::new(),
        }
    }
}

const KEYS: [(&str, &[&str]); 3] = [
    ("listen", &["address"]),
    ("storage", &["keep", "max_disk", "low_disk"]),
    (
        "limits",
        &[
            "cells_per_minute",
            "cells_burst",
            "cells_per_day",
            "blob_bytes_per_day",
            "connections_per_device",
            "connections_per_source",
            "half_open",
            "trusted_proxy",
        ],
    ),
];

impl Config {
    /// Reads `file` if it exists, and the overrides among `env`.
    pub(crate) fn load(
        file: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = match std::fs::metadata(file) {
            Ok(meta) if meta.len() > MAX_FILE => {
                return Err(ConfigError::Wrong("the file is too large".into()));
            }
            Ok(_) => std::fs::read_to_string(file).map_err(ConfigError::Read)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(ConfigError::Read(error)),
        };
        Self::parse(&text, env)
    }

    fn parse(text: &str, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| wrong(&error))?;
        for (name, value) in env {
            let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
            let Some((section, key)) = path.split_once("__") else { continue };
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = entry {
                section.insert(key, literal(value));
            }
        }
        check_keys(&table)?;
        let config: Self = Value::Table(table).try_into().map_err(|error| wrong(&error))?;
        let limits = &config.limits;
        if limits.connections_per_device == 0 || limits.half_open == 0 || config.storage.keep == 0 {
            return Err(ConfigError::Wrong("a limit that lets nobody in".into()));
        }
        Ok(config)
    }
}

fn wrong(error: &toml::de::Error) -> ConfigError {
    ConfigError::Wrong(error.message().to_owned())
}

/// Numbers and booleans as such, everything else as text.
fn literal(value: String) -> Value {
    match (value.parse::<i64>(), value.parse::<bool>()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(flag)) => Value::Boolean(flag),
        _ => Value::String(value),
    }
}

fn check_keys(table: &Table) -> Result<(), ConfigError> {
    for (section, value) in table {
        let Some((_, keys)) = KEYS.iter().find(|(name, _)| name == section) else {
            let nearest = nearest(section, KEYS.iter().map(|(name, _)| *name));
            return Err(ConfigError::Unknown { key: section.clone(), nearest });
        };
        for key in value.as_table().into_iter().flat_map(Table::keys) {
            if !keys.contains(&key.as_str()) {
                let nearest = nearest(key, keys.iter().copied());
                return Err(ConfigError::Unknown { key: format!("{section}.{key}"), nearest });
            }
        }
    }
    Ok(())
}

/// The name that is at most three edits away, if there is one.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let (edits, name) = names.map(|name| (distance(word, name), name)).min()?;
    (edits <= 3).then(|| name.to_owned())
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let substituted = diagonal + usize::from(from != to);
            diagonal = *cell;
            left = substituted.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn unit<'de, D: Deserializer<'de>>(from: D, units: &[(&str, u64)]) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    let text = match Either::deserialize(from)? {
        Either::Number(number) => return Ok(number),
        Either::Text(text) => text,
    };
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let (_, suffix) = text.split_at(digits.len());
    let factor = units.iter().find(|(name, _)| *name == suffix.trim()).map(|(_, factor)| *factor);
    factor
        .zip(digits.parse::<u64>().ok())
        .and_then(|(factor, number)| number.checked_mul(factor))
        .ok_or_else(|| {
            let units: Vec<_> = units.iter().map(|(name, _)| *name).collect();
            D::Error::custom(format!("`{text}` is not a number and one of {}", units.join(", ")))
        })
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    unit(from, &[("s", 1), ("m", 60), ("h", 3600), ("d", 24 * 3600)])
}

fn size<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    unit(from, &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::parse(text, env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_template_holds_every_key_with_its_default() {
        let table: Table = TEMPLATE.parse().unwrap();
        for (section, keys) in KEYS {
            let found: Vec<_> = table[section].as_table().unwrap().keys().collect();
            let mut wanted = keys.to_vec();
            wanted.sort_unstable();
            assert_eq!(found, wanted);
        }
        let config = parse(TEMPLATE, &[]).unwrap();
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn an_unknown_key_is_an_error_with_did_you_mean() {
        let error = parse("[limits]\ncell_per_minute = 1", &[]).unwrap_err().to_string();
        assert!(error.contains("limits.cell_per_minute"), "{error}");
        assert!(error.contains("did you mean `cells_per_minute`"), "{error}");
        let error = parse("[storge]\n", &[]).unwrap_err().to_string();
        assert!(error.contains("did you mean `storage`"), "{error}");
        let error = parse("[weather]\n", &[]).unwrap_err().to_string();
        assert!(!error.contains("did you mean"), "{error}");
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let text = "[storage]\nkeep = \"2d\"\n";
        let env = [("STAFFETTA__STORAGE__KEEP", "3h"), ("STAFFETTA__LIMITS__HALF_OPEN", "7")];
        let config = parse(text, &env).unwrap();
        assert_eq!((config.storage.keep, config.limits.half_open), (3 * 3600, 7));
        assert!(parse("", &[("STAFFETTA__STORAGE__KEEP", "3 parsecs")]).is_err());
        assert!(parse("", &[("STAFFETTA__STORAGE__KEEPS", "3h")]).is_err());
    }
}
