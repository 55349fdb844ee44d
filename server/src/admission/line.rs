//! The line before the gate.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::source::{Source, Sources};
use crate::config::Limits;

struct Waiting {
    number: u64,
    /// `None` for peers without a budget of their own.
    source: Option<Source>,
    yields: Arc<Notify>,
}

#[derive(Default)]
struct Line {
    /// In the order of their numbers.
    waiting: VecDeque<Waiting>,
    /// How many each source has in the line.
    of: HashMap<Option<Source>, usize>,
    next: u64,
    sources: Sources,
}

/// Connections that did not pass the gate yet.
pub(crate) struct HalfOpen {
    line: Mutex<Line>,
    max: usize,
    per_source: usize,
}

/// A place in the line; left when dropped.
pub(crate) struct Place {
    line: Arc<HalfOpen>,
    number: u64,
    yields: Arc<Notify>,
}

impl HalfOpen {
    /// An empty line. At most `max` stand in it, however many the configuration allows.
    pub(crate) fn new(limits: &Limits, max: usize) -> Self {
        let per_source = limits.connections_per_source.max(1);
        Self { line: Mutex::default(), max: limits.half_open.min(max).max(1), per_source }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.line().waiting.len()
    }

    /// Takes a place. When a source has too many, its own oldest yields; when the line is full, the
    /// oldest of whoever has the most in it. `None` if the source made too many lately.
    pub(crate) fn enter(self: &Arc<Self>, source: Option<Source>, now_ms: u64) -> Option<Place> {
        let yields = Arc::new(Notify::new());
        let mut line = self.line();
        if let Some(source) = source
            && !line.sources.admits(source, now_ms)
        {
            return None;
        }
        let is_over = source.is_some() && line.count(source) >= self.per_source;
        if is_over {
            line.yield_of(source);
        } else if line.waiting.len() >= self.max {
            line.yield_one();
        }
        line.next += 1;
        let number = line.next;
        *line.of.entry(source).or_default() += 1;
        line.waiting.push_back(Waiting { number, source, yields: yields.clone() });
        Some(Place { line: self.clone(), number, yields })
    }
}

impl Line {
    fn count(&self, source: Option<Source>) -> usize {
        self.of.get(&source).copied().unwrap_or(0)
    }

    fn remove(&mut self, place: usize) -> Option<Waiting> {
        let gone = self.waiting.remove(place)?;
        if let Some(count) = self.of.get_mut(&gone.source) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&gone.source);
            }
        }
        Some(gone)
    }

    fn yield_of(&mut self, source: Option<Source>) {
        let oldest = self.waiting.iter().position(|waiting| waiting.source == source);
        if let Some(gone) = oldest.and_then(|place| self.remove(place)) {
            gone.yields.notify_one();
        }
    }

    fn yield_one(&mut self) {
        let most = self.of.values().copied().max().unwrap_or(0);
        let oldest = self.waiting.iter().find(|waiting| self.count(waiting.source) == most);
        if let Some(source) = oldest.map(|waiting| waiting.source) {
            self.yield_of(source);
        }
    }
}

impl Place {
    /// Returns when this connection must make room.
    pub(crate) async fn yields(&self) {
        self.yields.notified().await;
    }

    /// A trusted proxy named the source: takes a place as one of its connections instead.
    pub(crate) fn of(self, source: Source, now_ms: u64) -> Option<Place> {
        let line = self.line.clone();
        drop(self);
        line.enter(Some(source), now_ms)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = self.line.line();
        if let Ok(place) = line.waiting.binary_search_by_key(&self.number, |w| w.number) {
            line.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn line(half_open: usize, connections_per_source: usize) -> Arc<HalfOpen> {
        let limits = Limits { half_open, connections_per_source, ..Limits::default() };
        Arc::new(HalfOpen::new(&limits, usize::MAX))
    }

    fn source(last: u8) -> Option<Source> {
        Some(Source::new(IpAddr::from([192, 0, 2, last])))
    }

    fn must_yield(place: &Place) -> bool {
        let mut waiting = std::pin::pin!(place.yields());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        waiting.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn at_the_limit_the_oldest_half_open_yields_never_the_newcomer() {
        let line = line(2, 1);
        let local: Vec<_> = (0..3).map(|_| line.enter(None, 0).unwrap()).collect();
        let yielding: Vec<_> = local.iter().map(must_yield).collect();
        assert_eq!(yielding, [true, false, false]);
        drop(local);
        let far: Vec<_> = (0..2).map(|_| line.enter(source(1), 0).unwrap()).collect();
        let yielding: Vec<_> = far.iter().map(must_yield).collect();
        assert_eq!(yielding, [true, false], "a source with too many makes room for itself");
        drop(far);
        assert!(line.line().waiting.is_empty() && line.line().of.is_empty());
    }

    #[test]
    fn whoever_has_the_most_in_a_full_line_makes_room() {
        let line = line(8, 64);
        let alone = line.enter(source(1), 0).unwrap();
        let flood: Vec<_> = (0..100).map(|_| line.enter(source(2), 0).unwrap()).collect();
        assert!(!must_yield(&alone));
        assert_eq!(flood.iter().filter(|place| must_yield(place)).count(), 100 - 7);
        assert_eq!(line.line().waiting.len(), 8);
    }

    #[test]
    fn a_source_that_a_proxy_names_counts_for_itself() {
        let line = line(8, 1);
        let named = |last| line.enter(None, 0).unwrap().of(source(last).unwrap(), 0).unwrap();
        let (one, other, again) = (named(1), named(2), named(1));
        assert!(must_yield(&one) && !must_yield(&other) && !must_yield(&again));
        assert_eq!(line.line().waiting.len(), 2);
    }

    #[test]
    fn a_source_that_made_too_many_lately_gets_no_place() {
        let line = line(8, 8);
        let taken = (0..10_000).filter(|_| line.enter(source(1), 0).is_some()).count();
        assert!((1..1_000).contains(&taken));
        assert!(line.enter(source(2), 0).is_some() && line.enter(None, 0).is_some());
    }
}
