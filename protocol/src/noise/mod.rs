//! The Noise hop and the one-way sealed messages of direct channels. The only module that names
//! snow.
//!
//! The hop is `Noise_XKpsk0_25519_ChaChaPoly_BLAKE2s` for devices and `XXpsk0` for newcomers, with
//! ring's cipher. snow does not wipe the keys it holds: ours are wiped, its copies of them and its
//! cipher states stay in freed memory until that memory is used again.

pub mod channel;
pub mod handshake;
pub mod keys;
pub mod sealed;

use snow::Builder;
use snow::params::NoiseParams;
use snow::resolvers::{CryptoResolver, DefaultResolver, FallbackResolver, RingResolver};

/// Why a Noise operation failed. To the peer it is always just a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoiseError {
    /// The peer's message is not authentic, or not of the expected size.
    #[error("not authentic")]
    Refused,
    /// Called out of order, or with more than fits: our own fault.
    #[error("misused")]
    Misuse,
}

fn builder(pattern: &str) -> Result<Builder<'_>, NoiseError> {
    let params: NoiseParams = pattern.parse().map_err(|_| NoiseError::Misuse)?;
    let ring: Box<dyn CryptoResolver + Send> = Box::new(RingResolver);
    let resolver = FallbackResolver::new(ring, Box::new(DefaultResolver));
    Ok(Builder::with_resolver(params, Box::new(resolver)))
}
