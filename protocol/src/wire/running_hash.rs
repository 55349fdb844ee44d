//! The running hash that binds every cell of a log to all before it.

use blake2::{Blake2s256, Digest as _};

use super::ids::{CellId, Digest, Lane, LogId, TeamId};
use super::limits::CELL;

/// `h(0) = BLAKE2s-256("staffetta 1 log" || team id || lane || log id)`.
pub fn start(team: &TeamId, lane: Lane, log: &LogId) -> Digest {
    let mut hash = Blake2s256::new();
    hash.update(b"staffetta 1 log");
    hash.update(team.0);
    hash.update(lane.0.to_be_bytes());
    hash.update(log.0);
    Digest(hash.finalize().into())
}

/// `h(n) = BLAKE2s-256(h(n-1) || cell id || cell)`.
pub fn next(previous: &Digest, id: &CellId, cell: &[u8; CELL]) -> Digest {
    let mut hash = Blake2s256::new();
    hash.update(previous.0);
    hash.update(id.0);
    hash.update(cell);
    Digest(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_hash_is_bound_to_team_lane_and_log_id() {
        let (team, log) = (TeamId([1; 32]), LogId([2; 16]));
        let start_hash = start(&team, Lane(0), &log);
        assert_ne!(start_hash, start(&TeamId([3; 32]), Lane(0), &log));
        assert_ne!(start_hash, start(&team, Lane(1), &log));
        assert_ne!(start_hash, start(&team, Lane(0), &LogId([3; 16])));
    }

    #[test]
    fn swapping_two_cells_changes_the_hash() {
        let zero = Digest([0; 32]);
        let (a, b) = ((CellId([1; 16]), [1; CELL]), (CellId([2; 16]), [2; CELL]));
        let ab = next(&next(&zero, &a.0, &a.1), &b.0, &b.1);
        let ba = next(&next(&zero, &b.0, &b.1), &a.0, &a.1);
        assert_ne!(ab, ba);
    }
}
