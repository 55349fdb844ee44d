//! The host part of an invite code: a DNS or onion name, or an IP address.

use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// Longest DNS name in bytes (RFC 1035 section 2.3.4, without the root's dot).
const MAX_DNS_NAME: usize = 253;
/// Longest DNS label in bytes.
const MAX_DNS_LABEL: usize = 63;

/// A host as a code names it: ASCII, lower case, IPv6 without brackets.
#[derive(Clone, PartialEq, Eq)]
pub struct Host(String);

// A host in a log says which team somebody belongs to.
impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host(..)")
    }
}

/// What is wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HostError {
    /// Nothing stands before the port or the slash.
    #[error("no host")]
    Empty,
    /// Neither a DNS name nor an IP address.
    #[error("not a host name or address")]
    Malformed,
    /// The port is not a number from 1 to 65535.
    #[error("not a port")]
    Port,
}

impl Host {
    /// Reads a DNS or onion name, an IPv4 address, or an IPv6 address with or without brackets.
    ///
    /// # Errors
    /// [`HostError::Empty`] or [`HostError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if inner.is_some() || text.contains(':') {
            return read_ipv6(inner.unwrap_or(text));
        }
        let name = text.to_ascii_lowercase();
        let labels_fit = name.split('.').all(is_label);
        if name.len() > MAX_DNS_NAME || !labels_fit {
            return Err(HostError::Malformed);
        }
        // A last label of digits is an address to every resolver, so it must be a whole one.
        let last = name.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|b| b.is_ascii_digit()) && name.parse::<Ipv4Addr>().is_err() {
            return Err(HostError::Malformed);
        }
        Ok(Self(name))
    }

    /// Reads `HOST[:PORT]`, where an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// Any [`HostError`].
    pub fn parse_with_port(text: &str) -> Result<(Self, Option<u16>), HostError> {
        // A pasted URL: its "//" must not be read as a port.
        if text.contains('/') {
            return Err(HostError::Malformed);
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, after) = rest.split_once(']').ok_or(HostError::Malformed)?;
                let inner = read_ipv6(inner)?;
                match after.strip_prefix(':') {
                    Some(port) => (inner, Some(port)),
                    None if after.is_empty() => (inner, None),
                    None => return Err(HostError::Malformed),
                }
            }
            None => match text.split_once(':') {
                // More than one colon: an IPv6 address without brackets has no clear port.
                Some((_, port)) if port.contains(':') => return Err(HostError::Malformed),
                Some((host, port)) => (Self::parse(host)?, Some(port)),
                None => (Self::parse(text)?, None),
            },
        };
        Ok((host, port.map(read_port).transpose()?))
    }

    /// The bare name or address, as a resolver takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `HOST:PORT`, with brackets around an IPv6 address.
    pub fn with_port(&self, port: u16) -> String {
        format!("{}:{port}", self.bracketed())
    }

    /// The host with brackets around an IPv6 address.
    pub(super) fn bracketed(&self) -> String {
        if self.0.contains(':') { format!("[{}]", self.0) } else { self.0.clone() }
    }
}

fn read_ipv6(text: &str) -> Result<Host, HostError> {
    let address: Ipv6Addr = text.parse().map_err(|_| HostError::Malformed)?;
    Ok(Host(address.to_string()))
}

fn read_port(text: &str) -> Result<u16, HostError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(HostError::Port),
        Ok(port) => Ok(port),
    }
}

fn is_label(label: &str) -> bool {
    (1..=MAX_DNS_LABEL).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
