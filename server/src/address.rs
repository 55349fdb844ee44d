//! Where the relay listens, and whose word it takes for where a connection comes from.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// What a path stands behind in the configuration.
const UNIX: &str = "unix:";

/// Why a text is no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddressError {
    /// Neither `IP:PORT` nor `unix:/PATH`.
    #[error("`{0}` is neither IP:PORT nor unix:/PATH")]
    Listen(String),
    /// Neither an address, nor a network, nor `unix`.
    #[error("`{0}` is neither an IP address, nor a network as in 10.0.0.0/8, nor unix")]
    Proxy(String),
}

/// Where the relay listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenAddress {
    /// Address and port; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A unix socket, behind a proxy or an onion service.
    Unix(PathBuf),
}

impl FromStr for ListenAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix(UNIX) {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err(AddressError::Listen(text.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| AddressError::Listen(text.into())),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// A peer whose `Forwarded` or `X-Forwarded-For` names the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrustedProxy {
    /// Every peer of the unix socket.
    Unix,
    /// The peers of a network; a single address is one of full length.
    Network {
        /// An address in it.
        address: IpAddr,
        /// How many leading bits count.
        bits: u8,
    },
}

impl TrustedProxy {
    /// Whether this is the peer; `None` is a peer of the unix socket.
    pub(crate) fn is(&self, peer: Option<IpAddr>) -> bool {
        match (self, peer) {
            (Self::Unix, peer) => peer.is_none(),
            (Self::Network { .. }, None) => false,
            (Self::Network { address, bits }, Some(peer)) => {
                leading(*address, *bits) == leading(peer, *bits)
            }
        }
    }
}

/// The leading bits of an address, and which kind of address it is.
fn leading(address: IpAddr, bits: u8) -> (bool, u128) {
    let (is_v4, value) = match address {
        IpAddr::V4(address) => (true, u128::from(u32::from(address)) << 96),
        IpAddr::V6(address) => (false, u128::from(address)),
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    (is_v4, value & mask)
}

impl FromStr for TrustedProxy {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let wrong = || AddressError::Proxy(text.into());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let full = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(full);
        if bits > full { Err(wrong()) } else { Ok(Self::Network { address, bits }) }
    }
}

impl<'de> Deserialize<'de> for ListenAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// Reads a list of proxies, or one text with commas as the environment has it.
pub(crate) fn proxies<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TrustedProxy>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<String>),
        Text(String),
    }
    let names = match Either::deserialize(from)? {
        Either::List(names) => names,
        Either::Text(text) => text.split(',').map(str::to_owned).collect(),
    };
    let names = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    names.map(|name| name.parse().map_err(D::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_listens_on_a_port_or_on_a_unix_socket() {
        for text in ["127.0.0.1:0", "[::]:7443", "unix:/run/staffetta/ws.sock"] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), text);
        }
        for text in ["", "7443", "localhost:1", "unix:", "unix:relative", "/run/ws.sock"] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_trusted_proxy_is_an_address_a_network_or_the_unix_socket() {
        let is = |proxy: &str, peer: &str| {
            proxy.parse::<TrustedProxy>().unwrap().is(peer.parse::<IpAddr>().ok())
        };
        assert!(is("unix", "") && !is("unix", "127.0.0.1") && !is("127.0.0.1", ""));
        assert!(is("127.0.0.1", "127.0.0.1") && !is("127.0.0.1", "127.0.0.2"));
        assert!(is("10.0.0.0/8", "10.9.8.7") && !is("10.0.0.0/8", "11.0.0.1"));
        assert!(is("0.0.0.0/0", "11.0.0.1") && !is("0.0.0.0/0", "::1"));
        assert!(is("2001:db8::/32", "2001:db8:1::2") && !is("2001:db8::/32", "2001:db9::"));
        for text in ["", "proxy", "10.0.0.0/33", "10.0.0.0/", "::/129", "Unix"] {
            assert!(text.parse::<TrustedProxy>().is_err(), "{text}");
        }
    }
}
