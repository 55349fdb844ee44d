//! Putting a configuration together, and remembering where each value came from.

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::error::{ConfigError, Origin};
use super::{Config, KEYS, TEMPLATE};

/// The prefix of environment variables that override keys.
const ENV_PREFIX: &str = "STAFFETTA__";
/// The largest configuration file read, in bytes.
const MAX_FILE: u64 = 64 * 1024;
/// Edits at which a name is still taken for a mistyped one.
const MAX_EDITS: usize = 3;

/// A value set by a flag.
pub(crate) struct Override {
    /// Its section.
    pub(crate) section: &'static str,
    /// Its key.
    pub(crate) key: &'static str,
    /// The flag.
    pub(crate) flag: &'static str,
    /// What it says.
    pub(crate) value: String,
}

/// A configuration and where its values came from.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) config: Config,
    /// Section, key, value as it would stand in the file, and origin, of every key there is.
    pub(crate) values: Vec<(&'static str, &'static str, String, Origin)>,
}

type Origins = BTreeMap<(String, String), Origin>;

impl Loaded {
    /// Reads `file` if it exists, then the overrides among `env`, then `flags`.
    pub(crate) fn load(
        file: &Path,
        env: impl Iterator<Item = (String, String)>,
        flags: Vec<Override>,
    ) -> Result<Self, ConfigError> {
        let read = |error| ConfigError::Read { path: file.to_owned(), error };
        let text = match std::fs::metadata(file) {
            Ok(meta) if meta.len() > MAX_FILE => {
                return Err(ConfigError::TooLarge { path: file.to_owned(), max: MAX_FILE });
            }
            Ok(_) => std::fs::read_to_string(file).map_err(read)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(read(error)),
        };
        Self::parse(file, &text, env, flags)
    }

    /// The same of a file's text.
    pub(super) fn parse(
        file: &Path,
        text: &str,
        env: impl Iterator<Item = (String, String)>,
        flags: Vec<Override>,
    ) -> Result<Self, ConfigError> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| line_at(text, span.start));
            let at = Origin::File(file.to_owned(), line);
            ConfigError::Syntax { at, message: error.message().to_owned() }
        })?;
        let mut origins = Origins::new();
        for (section, value) in &table {
            let at = |key: &str| Origin::File(file.to_owned(), find_line(text, section, key));
            for key in value.as_table().into_iter().flat_map(Table::keys) {
                origins.insert((section.clone(), key.clone()), at(key));
            }
            origins.insert((section.clone(), String::new()), at(""));
        }
        let set = |table: &mut Table, section: &str, key: &str, value: Value| {
            let entry = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = entry {
                section.insert(key.to_owned(), value);
            }
        };
        for (name, value) in env {
            let Some(path) = name.strip_prefix(ENV_PREFIX) else { continue };
            let (section, key) = path.split_once("__").unwrap_or((path, ""));
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            set(&mut table, &section, &key, literal(value));
            origins.insert((section.clone(), String::new()), Origin::Environment(name.clone()));
            origins.insert((section, key), Origin::Environment(name));
        }
        for Override { section, key, flag, value } in flags {
            set(&mut table, section, key, literal(value));
            origins.insert((section.into(), key.into()), Origin::Flag(flag));
        }
        Self::of(table, &origins)
    }

    fn of(table: Table, origins: &Origins) -> Result<Self, ConfigError> {
        let at = |section: &str, key: &str| {
            let place = (section.to_owned(), key.to_owned());
            origins.get(&place).cloned().unwrap_or(Origin::Default)
        };
        check_names(&table, at)?;
        let defaults: Table = TEMPLATE.parse().unwrap_or_default();
        let default = |section: &str, key: &str| {
            defaults.get(section).and_then(|table| table.get(key)).map(shown)
        };
        // One key at a time, so that what is wrong has a name.
        for (section, value) in &table {
            let Some(keys) = value.as_table() else {
                let (at, message) = (at(section, ""), "it is a section".to_owned());
                let example = format!("`[{section}]`");
                return Err(ConfigError::Value { at, key: section.clone(), message, example });
            };
            for (key, value) in keys {
                let one = Table::from_iter([(key.clone(), value.clone())]);
                let one = Table::from_iter([(section.clone(), Value::Table(one))]);
                let parsed: Result<Config, toml::de::Error> = Value::Table(one).try_into();
                let message = match parsed {
                    Ok(config) => match config.impossible() {
                        None => continue,
                        Some(why) => why.to_owned(),
                    },
                    Err(error) => error.message().to_owned(),
                };
                let example = default(section, key).unwrap_or_default();
                return Err(ConfigError::Value {
                    at: at(section, key),
                    key: format!("{section}.{key}"),
                    message,
                    example: format!("`{key} = {example}`"),
                });
            }
        }
        let value = |section: &str, key: &str| {
            let set = table.get(section).and_then(|table| table.get(key)).map(shown);
            set.or_else(|| default(section, key)).unwrap_or_default()
        };
        let values = KEYS.iter().flat_map(|(section, keys)| {
            keys.iter().map(move |key| (*section, *key, value(section, key), at(section, key)))
        });
        let values = values.collect();
        let config = Value::Table(table.clone()).try_into();
        let config = config.map_err(|error: toml::de::Error| ConfigError::Syntax {
            at: Origin::Default,
            message: error.message().to_owned(),
        })?;
        Ok(Self { config, values })
    }
}

impl Config {
    /// What makes this configuration one under which nobody can be served.
    fn impossible(&self) -> Option<&'static str> {
        let limits = &self.limits;
        let lets_nobody_in = limits.connections_per_device == 0
            || limits.half_open == 0
            || limits.connections_per_source == 0;
        match () {
            () if lets_nobody_in => Some("it would let nobody in"),
            () if self.storage.keep == 0 => Some("it would keep nothing"),
            () => None,
        }
    }
}

fn line_at(text: &str, place: usize) -> usize {
    text.as_bytes().iter().take(place).filter(|byte| **byte == b'\n').count() + 1
}

/// The line on which `key` of `section` is set, or the section's header for an empty key.
fn find_line(text: &str, section: &str, key: &str) -> Option<usize> {
    let mut current = "";
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            current = name.trim();
            if key.is_empty() && current == section {
                return Some(number + 1);
            }
            continue;
        }
        let Some((left, _)) = line.split_once('=') else { continue };
        let left = left.trim();
        let dotted = current.is_empty()
            && (left == section
                || left.split_once('.').is_some_and(|(first, rest)| {
                    first.trim() == section && (key.is_empty() || rest.trim() == key)
                }));
        if dotted || (current == section && left == key) {
            return Some(number + 1);
        }
    }
    None
}

/// A value as it would stand in the file.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.type_str().to_owned(),
    }
}

/// Numbers, booleans and arrays as such, everything else as text.
fn literal(value: String) -> Value {
    if value.starts_with('[') {
        let table = format!("value = {value}").parse::<Table>();
        if let Some(array) = table.ok().and_then(|mut table| table.remove("value")) {
            return array;
        }
    }
    match (value.parse::<i64>(), value.parse::<bool>()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(flag)) => Value::Boolean(flag),
        _ => Value::String(value),
    }
}

fn check_names(table: &Table, at: impl Fn(&str, &str) -> Origin) -> Result<(), ConfigError> {
    for (section, value) in table {
        let Some((_, keys)) = KEYS.iter().find(|(name, _)| name == section) else {
            // A key that forgot its section is the likelier mistake.
            let known = KEYS.iter().find(|(_, keys)| keys.contains(&section.as_str()));
            let nearest = match known {
                Some((right, _)) => Some(format!("[{right}] {section}")),
                None => nearest(section, KEYS.iter().map(|(name, _)| *name)),
            };
            return Err(ConfigError::Unknown {
                at: at(section, ""),
                key: section.clone(),
                nearest,
            });
        };
        for key in value.as_table().into_iter().flat_map(Table::keys) {
            if !keys.contains(&key.as_str()) {
                let nearest = nearest(key, keys.iter().copied());
                let (at, key) = (at(section, key), format!("{section}.{key}"));
                return Err(ConfigError::Unknown { at, key, nearest });
            }
        }
    }
    Ok(())
}

/// The name that is at most [`MAX_EDITS`] edits away, if there is one.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let (edits, name) = names.map(|name| (distance(word, name), name)).min()?;
    (edits <= MAX_EDITS).then(|| name.to_owned())
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
