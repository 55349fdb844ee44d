//! What the relay may forget: what every device has seen, and what is too old in any case.

use staffetta_protocol::wire::ids::Seq;

use crate::store::Cut;

/// How far one device got.
#[derive(Clone, Copy)]
pub(crate) struct Reader {
    /// The last seq it has SEEN.
    pub(crate) seen: Seq,
    /// The steady second at which it was last here.
    pub(crate) heard: u64,
}

/// The seq up to which the log may go, if any.
///
/// A segment goes when every reader has SEEN its end, not counting readers silent for `keep`
/// seconds; and in any case once everything in it is `keep` seconds old. The last cut is the
/// head's: it goes as well once all have seen it, but not before its segment is complete, so that
/// a log is not cut again at every SEEN. Times are steady seconds.
pub(crate) fn forgettable(
    cuts: &[Cut],
    readers: impl Iterator<Item = Reader> + Clone,
    now: u64,
    keep: u64,
) -> Option<Seq> {
    let counted = readers.filter(|reader| reader.heard.saturating_add(keep) >= now);
    let mut through = None;
    for (place, cut) in cuts.iter().enumerate() {
        let is_old = cut.until.saturating_add(keep) < now;
        let is_complete = place + 1 < cuts.len() || cut.until < now;
        let mut seen = counted.clone().peekable();
        let all_seen =
            is_complete && seen.peek().is_some() && seen.all(|reader| reader.seen >= cut.end);
        if !is_old && !all_seen {
            break;
        }
        through = Some(cut.end);
    }
    through.filter(|end| *end > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: u64 = 1_000;

    fn cuts() -> Vec<Cut> {
        vec![
            Cut { end: 10, until: 5_000 },
            Cut { end: 20, until: 6_000 },
            Cut { end: 25, until: 7_000 },
        ]
    }

    fn readers(seen: &[(Seq, u64)]) -> Vec<Reader> {
        seen.iter().map(|&(seen, heard)| Reader { seen, heard }).collect()
    }

    fn at(now: u64, seen: &[(Seq, u64)]) -> Option<Seq> {
        forgettable(&cuts(), readers(seen).into_iter(), now, KEEP)
    }

    #[test]
    fn a_segment_goes_when_every_row_has_seen_its_end() {
        assert_eq!(at(5_500, &[(9, 5_500), (25, 5_500)]), None);
        assert_eq!(at(5_500, &[(10, 5_500), (25, 5_500)]), Some(10));
        assert_eq!(at(5_500, &[(25, 5_500), (25, 5_500)]), Some(20));
        assert_eq!(at(6_999, &[(25, 6_999), (24, 6_999)]), Some(20));
        assert_eq!(at(7_001, &[(25, 7_001), (24, 7_001)]), Some(20));
        assert_eq!(at(7_001, &[(25, 7_001), (25, 7_001)]), Some(25));
    }

    #[test]
    fn rows_silent_for_keep_do_not_count() {
        assert_eq!(at(5_500, &[(0, 4_499), (10, 5_500)]), Some(10));
        assert_eq!(at(5_500, &[(0, 4_500), (10, 5_500)]), None);
        assert_eq!(at(5_500, &[(0, 0)]), None, "with nobody here nothing was seen by all");
    }

    #[test]
    fn at_keep_a_segment_goes_in_any_case() {
        assert_eq!(at(6_000, &[(0, 6_000)]), None);
        assert_eq!(at(6_001, &[(0, 6_001)]), Some(10));
        assert_eq!(at(9_000, &[(0, 9_000)]), Some(25));
        assert_eq!(at(9_000, &[]), Some(25));
    }
}
