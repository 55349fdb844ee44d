//! What a relay was caught at, by name.

use crate::wire::Cells;
use crate::wire::ids::{CellId, Digest};
use crate::wire::limits::CELL;
use crate::wire::running_hash;

/// Something that no honest relay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// It shows two different pasts.
    Fork,
    /// It left cells out.
    Drop,
    /// It showed cells twice.
    Replay,
    /// It showed cells in another order than it counted them.
    Reorder,
    /// It altered a cell of this device.
    Rewrite,
    /// It has another log than before, or one that ends earlier.
    OtherLog,
    /// It is one that the team has left.
    LeftLog,
}

impl Evidence {
    /// The name that programs are told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Drop => "drop",
            Self::Replay => "replay",
            Self::Reorder => "reorder",
            Self::Rewrite => "rewrite",
            Self::OtherLog => "other-log",
            Self::LeftLog => "left-log",
        }
    }

    /// What a person is told.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Fork => "The relay showed messages that are not those it counted.",
            Self::Drop => "The relay left out messages.",
            Self::Replay => "The relay showed messages twice.",
            Self::Reorder => "The relay showed messages in another order than it counted them.",
            Self::Rewrite => "The relay altered a message of this device.",
            Self::OtherLog => "The relay has another log than before, or one that ends earlier.",
            Self::LeftLog => "A relay that the team has left answers. It is refused.",
        }
    }

    /// What was done to the cells of a PUSH that do not hash from `before` to `said`. Two
    /// neighbours exchanged and one cell too many are found by trying; at most 60 cells make that
    /// some thousand hashes, once, for a device stops here.
    pub(super) fn of_push(before: &Digest, said: &Digest, cells: &Cells) -> Self {
        let cells: Vec<(CellId, &[u8; CELL])> = cells.iter().collect();
        let fits = |order: &[(CellId, &[u8; CELL])]| {
            let roll =
                |hash, (id, cell): &(CellId, &[u8; CELL])| running_hash::next(&hash, id, cell);
            order.iter().fold(*before, roll) == *said
        };
        let without = |left_out: usize| {
            let mut rest = cells.clone();
            rest.remove(left_out);
            rest
        };
        let exchanged = |first: usize| {
            let mut other = cells.clone();
            other.swap(first, first + 1);
            other
        };
        if (1..cells.len()).any(|second| fits(&exchanged(second - 1))) {
            Self::Reorder
        } else if (0..cells.len()).any(|extra| fits(&without(extra))) {
            Self::Replay
        } else {
            Self::Fork
        }
    }
}
