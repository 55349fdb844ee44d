//! The running hash of a log.

use blake2::{Blake2s256, Digest as _};
use staffetta_protocol::wire::ids::Digest;

use super::LogIdentity;

/// `h(0)`: BLAKE2s-256 of team id, lane and log id.
pub(crate) fn start(identity: &LogIdentity) -> Digest {
    let mut hash = Blake2s256::new();
    hash.update(identity.team.0);
    hash.update(identity.lane.0.to_be_bytes());
    hash.update(identity.log.0);
    Digest(hash.finalize().into())
}

/// `h(n)`: BLAKE2s-256 of `h(n-1)`, cell id and cell; `record` is the latter two.
pub(crate) fn next(previous: &Digest, record: &[u8]) -> Digest {
    let mut hash = Blake2s256::new();
    hash.update(previous.0);
    hash.update(record);
    Digest(hash.finalize().into())
}
