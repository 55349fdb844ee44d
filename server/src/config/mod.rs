//! The operator's configuration: every key has a default, and an unknown key is an error.
//!
//! Precedence: file, then `STAFFETTA__SECTION__KEY`, then flags. `source` says where each value
//! came from, so that an error can name the line.

mod error;
mod source;
mod units;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

pub(crate) use self::error::ConfigError;
pub(crate) use self::source::{Loaded, Override};
use self::units::{duration, size};
use crate::address::{ListenAddress, TrustedProxy, proxies};

/// What is written by `init`: every key, its default and what it does.
pub(crate) const TEMPLATE: &str = include_str!("../config.toml");

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
    /// What it may note of people.
    pub(crate) privacy: Privacy,
    /// What it says of itself.
    pub(crate) notice: Notice,
}

/// Where the relay listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Listen {
    /// The WebSocket listener.
    pub(crate) address: ListenAddress,
    /// Where devices reach the relay, `HOST:PORT`; empty if `init` was not told.
    pub(crate) public: String,
    /// Where metrics and health are served, never a public address.
    #[serde(deserialize_with = "private_address")]
    pub(crate) metrics: Option<SocketAddr>,
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

/// What the relay may note of people.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Privacy {
    /// Whether source addresses may stand in the log.
    pub(crate) log_addresses: bool,
}

/// What the relay says of itself; shown by `status`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Notice {
    /// Who runs it.
    pub(crate) operator: String,
    /// Where the machine stands.
    pub(crate) hosting_country: String,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            address: ListenAddress::Tcp(SocketAddr::from(([0, 0, 0, 0], 7443))),
            public: String::new(),
            metrics: None,
        }
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

const KEYS: [(&str, &[&str]); 5] = [
    ("listen", &["address", "public", "metrics"]),
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
    ("privacy", &["log_addresses"]),
    ("notice", &["operator", "hosting_country"]),
];

/// Whether only this machine or its private networks reach `address`.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn private_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let address: SocketAddr = text.parse().map_err(|_| D::Error::custom("not an ADDRESS:PORT"))?;
    if is_private(address.ip()) {
        return Ok(Some(address));
    }
    Err(D::Error::custom("a public address: everybody could read how the team is doing"))
}
