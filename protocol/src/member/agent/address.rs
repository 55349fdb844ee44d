//! Where a relay or a proxy listens.

use std::fmt;
use std::net::Ipv6Addr;

/// The port of an address that names none.
pub const DEFAULT_PORT: u16 = 7443;
/// The longest host name (RFC 1035 section 2.3.4).
const MAX_HOST: usize = 253;

/// A host and a port. The host is printable ASCII without anything that could end a header line.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

// An address in a log says which team somebody belongs to.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// A SOCKS5 proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy(pub(super) Address);

impl Address {
    /// Reads `HOST[:PORT]`, `[IPV6][:PORT]` or a bare IPv6 address; without a port it is
    /// [`DEFAULT_PORT`]. `None` if it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, after) = rest.split_once(']')?;
                host.parse::<Ipv6Addr>().ok()?;
                (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
            }
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let is_host_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let is_v6 = host.contains(':');
        if host.is_empty() || host.len() > MAX_HOST || !(is_v6 || host.bytes().all(is_host_byte)) {
            return None;
        }
        let port = match port {
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().ok()?,
            Some(_) => return None,
            None => DEFAULT_PORT,
        };
        (port != 0).then(|| Self { host: host.to_owned(), port })
    }

    /// The host, IPv6 without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether only an onion proxy can reach it (RFC 7686: such a name must not be asked of DNS).
    pub(super) fn is_onion(&self) -> bool {
        self.host.trim_end_matches('.').to_ascii_lowercase().ends_with(".onion")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Proxy {
    /// Reads `socks5://HOST:PORT` or `socks5h://HOST:PORT`; names are always resolved by the
    /// proxy. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("socks5://").or_else(|| text.strip_prefix("socks5h://"))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // A proxy has no port of ours.
        let named = rest.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
        if named { Address::parse(rest).map(Self) } else { None }
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
            ("10.0.0.1:9", "10.0.0.1:9"),
            ("[::1]:9", "[::1]:9"),
            ("[::1]", "[::1]:7443"),
            ("::1", "[::1]:7443"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_could_smuggle_a_header_is_no_address() {
        for text in ["", ":1", "a b", "a\r\nb", "a:0", "a:65536", "a:+1", "a:", "[x]:1", "a/b"] {
            assert!(Address::parse(text).is_none(), "{text:?}");
        }
        assert!(Address::parse(&"a".repeat(254)).is_none());
    }

    #[test]
    fn only_socks5_is_a_proxy() {
        assert!(Proxy::parse("socks5://127.0.0.1:9050").is_some());
        for text in ["http://127.0.0.1:9050", "socks5://", "socks5://host", "127.0.0.1:9050"] {
            assert!(Proxy::parse(text).is_none(), "{text:?}");
        }
    }
}
