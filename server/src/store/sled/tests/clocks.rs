//! Clocks that jump: nothing expires because of them, and nothing is kept for ever.

use super::*;
use crate::log::forget::{Reader, forgettable};

const START: u64 = 1_800_000_000;
const TEN_YEARS: u64 = 10 * 365 * 24 * 3600;
const KEEP: u64 = 14 * 24 * 3600;

struct Hands(Arc<AtomicU64>, Arc<AtomicU64>);

impl Hands {
    fn options(&self) -> SledOptions {
        let clock = |hand: &Arc<AtomicU64>| -> Clock {
            let hand = hand.clone();
            Arc::new(move || hand.load(Ordering::SeqCst))
        };
        SledOptions { clock: clock(&self.0), monotonic: clock(&self.1), ..options(1_000) }
    }

    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
        self.1.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// How much would be forgotten if nobody had seen anything and one device were here.
fn forgotten(store: &SledStore) -> Seq {
    let now = store.steady()();
    let reader = Reader { seen: 0, heard: now };
    forgettable(&store.cuts(), [reader].into_iter(), now, KEEP).unwrap_or(0)
}

#[test]
fn clock_jumps_of_ten_years_expire_nothing_and_lose_no_cells() {
    let dir = tempfile::tempdir().unwrap();
    let hands = Hands(Arc::new(AtomicU64::new(START)), Arc::new(AtomicU64::new(0)));
    let mut store = SledStore::open(dir.path(), hands.options()).unwrap();
    store.create(identity()).unwrap();
    const JUMPS: u64 = 24;
    for round in 0..JUMPS {
        let wall = hands.0.load(Ordering::SeqCst);
        let jumped = if round % 2 == 0 { wall + TEN_YEARS } else { wall - TEN_YEARS };
        if round % 5 == 4 {
            // While the relay is off.
            drop(store);
            hands.0.store(jumped, Ordering::SeqCst);
            store = SledStore::open(dir.path(), hands.options()).unwrap();
        }
        hands.0.store(jumped, Ordering::SeqCst);
        append(&store, batch(round * 3..round * 3 + 3)).unwrap();
        assert_eq!(forgotten(&store), 0, "round {round}");
        // What every minute of a relay that runs makes durable.
        store.set(vec![Change { key: b"row".to_vec(), value: None }]).unwrap();
        hands.pass(600);
    }
    assert_eq!(store.head(), Head { seq: 72, hash: hash_of(72) });
    assert_eq!(store.read(1, 100).unwrap().cells.len(), 72);
    println!("figure: {JUMPS} jumps, {} cells lost", JUMPS * 3 - store.head().seq);
    let segments = store.cuts().len();
    assert!((4..=10).contains(&segments), "an hour each: {segments} in four hours and four days");
    // And what is due goes when it is due, by a clock that is years off.
    hands.pass(KEEP + 2 * SEGMENT_SECONDS);
    assert_eq!(forgotten(&store), 72);
}
