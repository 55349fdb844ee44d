//! Where a relay or a proxy listens.

use std::fmt;

use crate::invite_code::{DEFAULT_PORT, Host};

/// A host and a port. The host holds nothing that could end a header line.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    host: Host,
    port: u16,
}

// An address in a log says which team somebody belongs to.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// A SOCKS5 proxy (RFC 1928), without authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy(pub(super) Address);

impl Address {
    /// Reads `HOST[:PORT]`; without a port it is [`DEFAULT_PORT`].
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (host, port) = Host::parse_with_port(text).ok()?;
        Some(Self { host, port: port.unwrap_or(DEFAULT_PORT) })
    }

    /// The host, IPv6 without brackets.
    pub(super) fn host(&self) -> &str {
        self.host.as_str()
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Whether only an onion proxy can reach it (RFC 7686: such a name must not be asked of DNS).
    pub(super) fn is_onion(&self) -> bool {
        self.host().ends_with(".onion")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host.with_port(self.port))
    }
}

impl Proxy {
    /// Reads `socks5://HOST:PORT` or `socks5h://HOST:PORT`; names are always resolved by the
    /// proxy. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("socks5://").or_else(|| text.strip_prefix("socks5h://"))?;
        let (host, port) = Host::parse_with_port(rest.strip_suffix('/').unwrap_or(rest)).ok()?;
        // Our own default port would be nobody's proxy.
        Some(Self(Address { host, port: port? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_a_port_means_7443() {
        for (text, shown) in [
            ("relay.example", "relay.example:7443"),
            ("relay.example:80", "relay.example:80"),
            ("[::1]:9", "[::1]:9"),
            ("[::1]", "[::1]:7443"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_could_smuggle_a_header_is_no_address() {
        for text in ["", ":1", "a b", "a\r\nb", "a\r\nb:1", "a:0", "a:65536", "a:", "[x]:1"] {
            assert!(Address::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn only_socks5_is_a_proxy() {
        assert!(Proxy::parse("socks5://127.0.0.1:9050").is_some());
        assert!(Proxy::parse("socks5h://localhost:9050/").is_some());
        for text in ["http://127.0.0.1:9050", "socks5://", "socks5://host", "127.0.0.1:9050"] {
            assert!(Proxy::parse(text).is_none(), "{text:?}");
        }
    }
}
