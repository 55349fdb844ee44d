//! What the store itself costs, beside the plain file that it could have been. `tests/bench.sh` runs it.

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::*;
use crate::store::Commit;

/// Each sample of the appends; store and file take turns, since disks change their minds.
const SAMPLE: Duration = Duration::from_secs(1);
const SAMPLES: usize = 5;
/// Cells in the log that is read: a gigabyte.
const CELLS: u64 = 1_000_000;
/// Cells in one segment.
const SEGMENT: u64 = (SEGMENT_BYTES / CELL_RECORD) as u64;
/// Cells in one PUT at most.
const BURST: u64 = 60;
/// Cells in one page of the store.
const PAGE: usize = 7;

/// Appends of one sample.
#[derive(Clone, Copy)]
struct Appends {
    acks: u64,
    syncs: u64,
    seconds: f64,
    cpu: f64,
}

impl Appends {
    fn rate(&self) -> f64 {
        self.acks as f64 / self.seconds
    }
}

fn middle(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Seconds that this process has computed, all threads together.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// `writers` of which each waits for its answer before it puts the next cell.
fn appends(store: &SledStore, writers: u64, next: &mut u64, commits: &AtomicU64) -> Appends {
    let (answer, answered) = channel();
    let put = |next: &mut u64| {
        let answer = answer.clone();
        *next += 1;
        store.append(batch([*next]), Box::new(move |seqs| answer.send(seqs).unwrap()));
    };
    let (syncs, used, start) = (commits.load(Ordering::Relaxed), cpu(), Instant::now());
    (0..writers).for_each(|_| put(next));
    let mut acks = 0;
    while acks < writers || start.elapsed() < SAMPLE {
        answered.recv().unwrap().unwrap();
        acks += 1;
        put(next);
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu() - used);
    (0..writers).for_each(|_| drop(answered.recv().unwrap().unwrap()));
    Appends { acks, syncs: commits.load(Ordering::Relaxed) - syncs, seconds, cpu }
}

/// The cells per second of a plain file to which as many are appended, and synced, at a time.
fn raw(dir: &Path, at_once: u64) -> f64 {
    let mut file = File::create(dir.join("raw")).unwrap();
    let records = batch(0..at_once);
    let (start, mut cells) = (Instant::now(), 0);
    while start.elapsed() < SAMPLE {
        file.write_all(records.records()).unwrap();
        file.sync_data().unwrap();
        cells += at_once;
    }
    cells as f64 / start.elapsed().as_secs_f64()
}

fn print_appends(dir: &Path, writers: u64) {
    let root = dir.join(format!("of-{writers}"));
    let store = open(&root, SEGMENT as usize).unwrap();
    store.create(identity()).unwrap();
    let commits = Arc::new(AtomicU64::new(0));
    let counted = commits.clone();
    store.listen(Arc::new(move |_: &Arc<Commit>| {
        counted.fetch_add(1, Ordering::Relaxed);
    }));
    let (mut ours, mut files, mut next) = (Vec::new(), Vec::new(), 0);
    for _ in 0..SAMPLES {
        let sample = appends(&store, writers, &mut next, &commits);
        files.push(raw(dir, (sample.acks / sample.syncs.max(1)).max(1)));
        ours.push(sample);
    }
    let of = |figure: fn(&Appends) -> f64| middle(ours.iter().map(figure).collect());
    let (rate, file) = (of(Appends::rate), middle(files));
    println!(
        "store: {writers:3} writers, {rate:9.0} durable ACKs/s, {:5.1} a sync, {:4.1} us CPU each; \
         a plain file, as many a sync: {file:9.0}/s, ratio {:.2}",
        of(|sample| sample.acks as f64 / sample.syncs.max(1) as f64),
        of(|sample| sample.cpu * 1e6 / sample.acks as f64),
        rate / file,
    );
}

/// The log that is read, written by PUTs of the largest size.
fn fill(store: &SledStore) {
    let (answer, answered) = channel();
    let mut waiting = 0;
    for first in (0..CELLS).step_by(BURST as usize) {
        let answer = answer.clone();
        let cells = batch(first..(first + BURST).min(CELLS));
        store.append(cells, Box::new(move |seqs| answer.send(seqs).unwrap()));
        waiting += 1;
        if waiting == 64 {
            drop(answered.recv().unwrap().unwrap());
            waiting -= 1;
        }
    }
    (0..waiting).for_each(|_| drop(answered.recv().unwrap().unwrap()));
}

fn print_reads(dir: &Path) {
    let root = dir.join("read");
    let store = open(&root, SEGMENT as usize).unwrap();
    store.create(identity()).unwrap();
    let start = Instant::now();
    fill(&store);
    let took = start.elapsed().as_secs_f64();
    println!("store: {CELLS} cells in PUTs of {BURST}: {:9.0} cells/s", CELLS as f64 / took);
    drop(store);
    let start = Instant::now();
    let store = open(&root, SEGMENT as usize).unwrap();
    println!("store: open with {CELLS} cells: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let scan = || {
        let (start, mut next) = (Instant::now(), 1);
        while next <= CELLS {
            next += black_box(store.read(next, BURST as usize).unwrap()).cells.len() as u64;
        }
        CELLS as f64 / start.elapsed().as_secs_f64()
    };
    println!(
        "store: scan, {BURST} at a time: {:9.0} cells/s",
        middle((0..3).map(|_| scan()).collect())
    );
    print_pages("a page in an open segment", &store, SEGMENT / 16, 20_000);
    // Five segments on each time: never one of those that were read last and are kept open.
    print_pages("a page in a closed segment", &store, 5 * SEGMENT, 200);
}

/// Reads pages of the log, each `step` after the one before, and round again.
fn print_pages(what: &str, store: &SledStore, step: u64, count: u32) {
    let within = if step < SEGMENT { SEGMENT } else { CELLS };
    let mut at = 0;
    let mut read = || {
        let start = Instant::now();
        drop(black_box(store.read(1 + at, PAGE).unwrap()));
        // A little less than the step: another page each time round.
        at = (at + step - PAGE as u64) % (within - PAGE as u64);
        start.elapsed().as_secs_f64() * 1e6
    };
    println!("store: {what}: {:.1} us", middle((0..count).map(|_| read()).collect()));
}

#[test]
#[ignore = "measures for half a minute: run in a release build with --ignored --nocapture"]
fn what_appends_and_reads_take() {
    let dir = tempfile::tempdir().unwrap();
    print_appends(dir.path(), 64);
    print_appends(dir.path(), 256);
    print_reads(dir.path());
}
