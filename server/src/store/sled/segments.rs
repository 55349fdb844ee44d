//! The directory of segments: which there are, which are open, and how they come and go.
//!
//! A segment's directory is `seg-NUMBER-FIRST-STARTED`: numbers have no hole, `FIRST` is its first
//! seq, `STARTED` the unix second at which it was begun. Only the newest stays open; at most
//! [`OPEN_OLDER`] others are, those that were read last.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use staffetta_protocol::wire::ids::{Digest, Seq};

use super::files::{checking, rename_durably, sync_dir};
use super::segment::{Header, Segment};
use crate::store::recent::Recent;
use crate::store::{Head, LogIdentity, REMEMBERED_IDS, StoreError};

/// Older segments that may be open at a time.
const OPEN_OLDER: usize = 4;

/// A segment of the directory.
pub(super) struct Slot {
    pub(super) number: u64,
    pub(super) first: Seq,
    pub(super) started: u64,
    open: Mutex<Option<Arc<Segment>>>,
    /// The running hash before and the head after it, known once it was checked.
    before: OnceLock<Digest>,
    end: OnceLock<Head>,
}

impl Slot {
    fn new(number: u64, first: Seq, started: u64) -> Arc<Self> {
        let open = Mutex::new(None);
        Arc::new(Self {
            number,
            first,
            started,
            open,
            before: OnceLock::new(),
            end: OnceLock::new(),
        })
    }

    fn parse(name: &str) -> Option<Arc<Self>> {
        let mut parts = name.strip_prefix("seg-")?.splitn(3, '-').map(|part| part.parse::<u64>());
        let (number, first, started) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self::new(number.ok()?, first.ok()?, started.ok()?))
    }

    fn name(&self) -> String {
        format!("seg-{:08}-{}-{}", self.number, self.first, self.started)
    }

    fn guard(&self) -> MutexGuard<'_, Option<Arc<Segment>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn damaged(&self, what: &'static str) -> StoreError {
        StoreError::Damaged { segment: self.name(), what }
    }
}

/// All segments, oldest first.
pub(super) struct Segments {
    dir: PathBuf,
    slots: Mutex<VecDeque<Arc<Slot>>>,
    /// Older ones that are open, the last read last.
    older: Mutex<VecDeque<Arc<Slot>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Segments {
    /// Lists the segments in `dir` after removing what a crash left half made or half removed.
    pub(super) fn list(dir: PathBuf) -> Result<Self, StoreError> {
        let mut slots = Vec::new();
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("tmp-") || name.starts_with("dead-") {
                fs::remove_dir_all(entry.path())?;
                continue;
            }
            let what = "it is no segment's name";
            slots.push(Slot::parse(&name).ok_or(StoreError::Damaged { segment: name, what })?);
        }
        slots.sort_by_key(|slot| slot.number);
        for (slot, next) in slots.iter().zip(slots.iter().skip(1)) {
            if next.number != slot.number + 1 || next.first < slot.first {
                return Err(next.damaged("the segment before it is missing"));
            }
        }
        Ok(Self { dir, slots: Mutex::new(slots.into()), older: Mutex::default() })
    }

    fn path(&self, slot: &Slot) -> PathBuf {
        self.dir.join(slot.name())
    }

    fn all(&self) -> Vec<Arc<Slot>> {
        locked(&self.slots).iter().cloned().collect()
    }

    /// An error that names the newest segment.
    pub(super) fn newest_damaged(&self, what: &'static str) -> StoreError {
        let segment = locked(&self.slots).back().map_or_else(String::new, |slot| slot.name());
        StoreError::Damaged { segment, what }
    }

    /// The first seq of each, oldest first, and when it was begun.
    pub(super) fn starts(&self) -> Vec<(Seq, u64)> {
        locked(&self.slots).iter().map(|slot| (slot.first, slot.started)).collect()
    }

    /// Opens the newest and walks as many before it as hold the last [`REMEMBERED_IDS`] cells,
    /// checking all of them.
    pub(super) fn recover(
        &self,
        identity: &LogIdentity,
    ) -> Result<(Arc<Segment>, Recent), StoreError> {
        let slots = self.all();
        let missing =
            || StoreError::Damaged { segment: "the log".into(), what: "no segment is left" };
        let newest = slots.last().ok_or_else(missing)?;
        let was_open = newest.guard().take();
        let segment = match was_open {
            Some(segment) => segment,
            None => checking(&newest.name(), || Segment::open(&self.path(newest)).map(Arc::new))?,
        };
        let last = checking(&newest.name(), || segment.last())?;
        let end = last.unwrap_or(newest.first - 1);
        let wanted = end.saturating_sub(REMEMBERED_IDS as u64) + 1;
        let start = slots.iter().rposition(|slot| slot.first <= wanted).unwrap_or(0);
        let mut recent = None;
        for slot in slots.iter().skip(start) {
            checking(&slot.name(), || {
                if slot.number == newest.number {
                    return check(slot, &segment, identity, &mut recent, true);
                }
                let opened = Segment::open(&self.path(slot))?;
                check(slot, &opened, identity, &mut recent, false)
            })?;
        }
        segment.sync()?;
        *newest.guard() = Some(segment.clone());
        let recent = recent.ok_or_else(missing)?;
        Ok((segment, recent))
    }

    /// Begins the segment that follows `end` and opens it.
    pub(super) fn begin(&self, end: Seq, now: u64) -> Result<Arc<Segment>, StoreError> {
        let number = locked(&self.slots).back().map_or(1, |slot| slot.number + 1);
        let slot = Slot::new(number, end + 1, now);
        let path = self.path(&slot);
        Segment::create(&self.dir.join(format!("tmp-{number}")), &path)?;
        let segment = Arc::new(Segment::open(&path)?);
        *slot.guard() = Some(segment.clone());
        let previous = {
            let mut slots = locked(&self.slots);
            let previous = slots.back().cloned();
            slots.push_back(slot);
            previous
        };
        if let Some(previous) = previous {
            self.keep_open(previous);
        }
        Ok(segment)
    }

    /// The segment that holds `seq`, opened and checked if it was closed.
    pub(super) fn holding(
        &self,
        seq: Seq,
        identity: &LogIdentity,
    ) -> Result<Option<(Arc<Segment>, Seq)>, StoreError> {
        let (slot, next) = {
            let slots = locked(&self.slots);
            let Some(place) = slots.iter().rposition(|slot| slot.first <= seq) else {
                return Ok(None);
            };
            let next = slots.get(place + 1).cloned();
            let Some(slot) = slots.get(place).cloned() else { return Ok(None) };
            (slot, next)
        };
        let Some(next) = next else {
            return Ok(slot.guard().clone().map(|segment| (segment, Seq::MAX)));
        };
        let mut guard = slot.guard();
        let segment = match guard.as_ref() {
            Some(segment) => segment.clone(),
            None => {
                let opened = checking(&slot.name(), || {
                    let opened = Segment::open(&self.path(&slot))?;
                    // Nothing writes to it any more: what was right once stays right.
                    if slot.end.get().is_none() {
                        check(&slot, &opened, identity, &mut None, false)?;
                    }
                    Ok(Arc::new(opened))
                })?;
                if slot.end.get().map(|end| end.seq) != Some(next.first - 1)
                    || next
                        .before
                        .get()
                        .is_some_and(|hash| slot.end.get().map(|end| end.hash) != Some(*hash))
                {
                    return Err(slot.damaged("it does not lead to the next"));
                }
                *guard = Some(opened.clone());
                opened
            }
        };
        drop(guard);
        self.keep_open(slot);
        Ok(Some((segment, next.first - 1)))
    }

    /// Notes that `slot` was used and closes the one that was used least recently.
    fn keep_open(&self, slot: Arc<Slot>) {
        let closed = {
            let mut older = locked(&self.older);
            older.retain(|other| other.number != slot.number);
            older.push_back(slot);
            if older.len() > OPEN_OLDER { older.pop_front() } else { None }
        };
        if let Some(slot) = closed {
            slot.guard().take();
        }
    }

    /// Closes a segment that could not be read, so that it is opened anew; true if it is the newest,
    /// which its writer must open.
    pub(super) fn close(&self, seq: Seq) -> bool {
        let slots = locked(&self.slots);
        let Some(place) = slots.iter().rposition(|slot| slot.first <= seq) else { return false };
        if place + 1 == slots.len() {
            return true;
        }
        if let Some(slot) = slots.get(place) {
            slot.guard().take();
        }
        false
    }

    /// Takes away the segments that end at or below `end`, except the newest: closed, renamed,
    /// and unlinked by another thread.
    pub(super) fn drop_through(&self, end: Seq) -> Result<(), StoreError> {
        let mut dead = Vec::new();
        loop {
            let slot = {
                let mut slots = locked(&self.slots);
                let ends = slots.get(1).is_some_and(|next| next.first <= end.saturating_add(1));
                if !ends {
                    break;
                }
                slots.pop_front()
            };
            let Some(slot) = slot else { break };
            locked(&self.older).retain(|other| other.number != slot.number);
            slot.guard().take();
            let to = self.dir.join(format!("dead-{}", slot.number));
            rename_durably(&self.path(&slot), &to)?;
            dead.push(to);
        }
        if !dead.is_empty() {
            let dir = self.dir.clone();
            // What a failure leaves is removed at the next start.
            let unlink = move || unlink_all(&dir, &dead);
            let _ = std::thread::Builder::new().name("unlink".into()).spawn(unlink);
        }
        Ok(())
    }

    /// The place just before the oldest cell of the log `identity`.
    pub(super) fn base(&self, identity: &LogIdentity) -> Result<Head, StoreError> {
        let oldest = locked(&self.slots).front().cloned();
        let oldest = oldest.ok_or(StoreError::NoLog)?;
        let guard = oldest.guard();
        let header = match guard.as_ref() {
            Some(segment) => segment.header()?,
            None => checking(&oldest.name(), || Segment::open(&self.path(&oldest))?.header())?,
        };
        let hash = match header {
            Some(header) => header.before,
            None if oldest.first == 1 => identity.start(),
            None => return Err(oldest.damaged("it is empty and begins nowhere")),
        };
        Ok(Head { seq: oldest.first - 1, hash })
    }

    /// Removes the empty first segment of a log whose creation was interrupted.
    pub(super) fn discard_unclaimed(&self) -> Result<(), StoreError> {
        for slot in self.all() {
            if Segment::open(&self.path(&slot))?.header()?.is_some() {
                return Err(slot.damaged("it belongs to no log that is known here"));
            }
            fs::remove_dir_all(self.path(&slot))?;
        }
        locked(&self.slots).clear();
        sync_dir(&self.dir)
    }
}

fn unlink_all(dir: &Path, dead: &[PathBuf]) {
    for path in dead {
        let _ = fs::remove_dir_all(path);
    }
    let _ = sync_dir(dir);
}

/// Checks a segment against its name, its log and what is before it, and adds it to `recent`.
fn check(
    slot: &Slot,
    segment: &Segment,
    identity: &LogIdentity,
    recent: &mut Option<Recent>,
    may_be_empty: bool,
) -> Result<(), StoreError> {
    let header = match segment.header()? {
        Some(header) => header,
        None if may_be_empty => {
            let start = identity.start();
            let (seq, hash) = match recent {
                Some(recent) => (recent.seq(), recent.hash()),
                // Nothing was appended yet, or everything before was forgotten: then the segment
                // before this one is kept until this one has a header.
                None if slot.first == 1 => (0, start),
                None => return Err(slot.damaged("it is empty and begins nowhere")),
            };
            Header { identity: *identity, first: seq + 1, before: hash }
        }
        None => return Err(slot.damaged("it is empty")),
    };
    if header.identity != *identity || header.first != slot.first {
        return Err(slot.damaged("its header does not belong here"));
    }
    let recent = recent.get_or_insert_with(|| Recent::new(header.first - 1, header.before));
    if recent.seq() != header.first - 1 {
        return Err(slot.damaged("a hole in the seqs before it"));
    }
    if recent.hash() != header.before {
        return Err(slot.damaged("a break in the running hash before it"));
    }
    segment.replay(recent)?;
    // Of the newest these change with every commit.
    if !may_be_empty {
        let _ = slot.before.set(header.before);
        let _ = slot.end.set(Head { seq: recent.seq(), hash: recent.hash() });
    }
    Ok(())
}
