//! Where a connection comes from, and how much of one origin is too much.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::address::TrustedProxy;
use crate::bucket::{Bucket, Rate};

/// Connections of one source, whatever becomes of them: a team of 300 behind one address comes
/// back at once after a restart, and each device tries again every few seconds.
const PER_SOURCE: Rate = Rate { per_minute: 1_200, burst: 600 };
/// Sources that are remembered; beyond, the one that was first is forgotten.
const MAX_SOURCES: usize = 4_096;
/// Who gets an IPv6 network gets the addresses of at least these 64 bits.
const V6_BITS: u32 = 64;
/// Addresses looked at in what a proxy says.
const MAX_HOPS: usize = 16;

/// An origin that has a budget of its own: an IPv4 address or an IPv6 network of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source(IpAddr);

impl Source {
    /// The source of a peer, unless it has no budget: loopback, the unix socket, a trusted proxy.
    pub(crate) fn of(peer: Option<IpAddr>, proxies: &[TrustedProxy]) -> Option<Self> {
        let address = peer.filter(|peer| !peer.is_loopback())?;
        (!proxies.iter().any(|proxy| proxy.is(peer))).then(|| Self::new(address))
    }

    /// The source that an address belongs to.
    pub(crate) fn new(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX << (128 - V6_BITS);
                Ipv6Addr::from(u128::from(address) & mask).into()
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// How many connections each source made lately.
#[derive(Default)]
pub(super) struct Sources {
    buckets: HashMap<Source, Bucket>,
    order: VecDeque<Source>,
}

impl Sources {
    /// Whether one more connection of a source is within its budget.
    pub(super) fn admits(&mut self, source: Source, now_ms: u64) -> bool {
        if !self.buckets.contains_key(&source) {
            if self.order.len() >= MAX_SOURCES
                && let Some(first) = self.order.pop_front()
            {
                self.buckets.remove(&first);
            }
            self.order.push_back(source);
        }
        let bucket = self.buckets.entry(source).or_insert_with(|| Bucket::full(PER_SOURCE, now_ms));
        bucket.take(1, PER_SOURCE, now_ms).is_ok()
    }
}

/// The source in `X-Forwarded-For`: the last address that is no trusted proxy.
pub(super) fn forwarded_for<'a>(
    values: impl Iterator<Item = &'a str>,
    proxies: &[TrustedProxy],
) -> Option<IpAddr> {
    last(values.flat_map(|value| value.split(',')), proxies)
}

/// The source in `Forwarded` (RFC 7239): the last `for` that is no trusted proxy.
pub(super) fn forwarded<'a>(
    values: impl Iterator<Item = &'a str>,
    proxies: &[TrustedProxy],
) -> Option<IpAddr> {
    let named = values.flat_map(|value| value.split(',')).map(|hop| {
        let parts = hop.split(';').filter_map(|part| part.split_once('='));
        let mut named = parts.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
        named.next().map_or("", |(_, node)| node)
    });
    last(named, proxies)
}

fn last<'a>(hops: impl Iterator<Item = &'a str>, proxies: &[TrustedProxy]) -> Option<IpAddr> {
    let hops: Vec<&str> = hops.collect();
    for hop in hops.into_iter().rev().take(MAX_HOPS) {
        let address = address(hop)?.to_canonical();
        if !proxies.iter().any(|proxy| proxy.is(Some(address))) {
            return Some(address);
        }
    }
    None
}

/// An address with or without quotes, brackets and a port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    if let Ok(address) = hop.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    hop.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Vec<TrustedProxy> {
        vec!["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn loopback_the_unix_socket_and_trusted_proxies_have_no_budget_of_their_own() {
        for peer in [None, ip("127.9.9.9"), ip("::1"), ip("10.1.1.1")] {
            assert_eq!(Source::of(peer, &proxies()), None);
        }
        assert!(Source::of(ip("192.0.2.1"), &proxies()).is_some());
        assert!(Source::of(ip("10.1.1.1"), &[]).is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_source() {
        let of = |text| Source::new(ip(text).unwrap());
        assert_eq!(of("2001:db8:0:1::2"), of("2001:db8:0:1:ffff::"));
        assert_ne!(of("2001:db8:0:1::2"), of("2001:db8:0:2::2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn a_source_has_a_budget_and_the_table_a_bound() {
        let mut sources = Sources::default();
        let noisy = Source::new(IpAddr::from([192, 0, 2, 1]));
        let passed = (0..10_000).filter(|_| sources.admits(noisy, 0)).count();
        assert_eq!(passed as u64, PER_SOURCE.burst);
        assert!(!sources.admits(noisy, 0) && sources.admits(noisy, 1_000));
        for n in 0..10_000_u32 {
            assert!(sources.admits(Source::new(IpAddr::from(n.to_be_bytes())), 0));
        }
        assert!(sources.buckets.len() == MAX_SOURCES && sources.order.len() == MAX_SOURCES);
    }

    #[test]
    fn what_a_proxy_says_is_read_from_the_end() {
        let xff = |value: &str| forwarded_for(std::iter::once(value), &proxies());
        assert_eq!(xff("192.0.2.1"), ip("192.0.2.1"));
        assert_eq!(xff("203.0.113.5, 192.0.2.1, 10.0.0.7"), ip("192.0.2.1"));
        assert_eq!(xff("192.0.2.1:4711"), ip("192.0.2.1"));
        assert_eq!(xff("192.0.2.1, nonsense"), None);
        assert_eq!(xff(""), None);
        let rfc = |value: &str| forwarded(std::iter::once(value), &proxies());
        assert_eq!(rfc("for=192.0.2.60;proto=http;by=203.0.113.43"), ip("192.0.2.60"));
        assert_eq!(rfc("For=\"[2001:db8::1]:47011\""), ip("2001:db8::1"));
        assert_eq!(rfc("for=192.0.2.43, for=10.0.0.1"), ip("192.0.2.43"));
        assert_eq!(rfc("for=_hidden"), None);
        assert_eq!(rfc("by=192.0.2.1"), None);
    }
}
