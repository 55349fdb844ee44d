//! A disk that loses power: replays a recorder's trace and keeps what was synced, and of the rest
//! what chance keeps.
//!
//! Nothing is assumed of a file system but this: what was written before a sync began is there
//! once the sync is through, entries of a directory once the directory was synced, and a rename
//! within one directory happens whole or not at all. Everything else, each page of 4 KiB and each
//! entry, is there or not, independently of all others.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path};

use anyhow::{Context, bail, ensure};

use super::Dice;

const PAGE: u64 = 4096;
const HEAD: usize = 17;

/// One record of a trace.
pub struct Record<'a> {
    kind: u8,
    number: u64,
    path: &'a Path,
    rest: &'a [u8],
}

impl Record<'_> {
    /// Whether it changes a directory.
    pub fn is_entry(&self) -> bool {
        matches!(self.kind, b'C' | b'D' | b'U' | b'X' | b'R')
    }

    /// Whether a sync is through with it.
    pub fn is_sync(&self) -> bool {
        self.kind == b'E'
    }
}

/// The record that begins a trace, and the trace after it; `None` at a torn end.
pub fn split(trace: &[u8]) -> Option<(Record<'_>, &[u8])> {
    use std::os::unix::ffi::OsStrExt;
    let (head, body) = trace.split_at_checked(HEAD)?;
    let (kind, lengths) = head.split_first()?;
    let (path, lengths) = lengths.split_first_chunk::<4>()?;
    let (rest, number) = lengths.split_first_chunk::<4>()?;
    let number = u64::from_ne_bytes(*number.first_chunk::<8>()?);
    let (path, body) = body.split_at_checked(u32::from_ne_bytes(*path) as usize)?;
    let (rest, after) = body.split_at_checked(u32::from_ne_bytes(*rest) as usize)?;
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    Some((Record { kind: *kind, number, path, rest }, after))
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

#[derive(Clone)]
enum Entry {
    Put(String, usize),
    Gone(String),
    Moved(String, String, usize),
}

enum Node {
    File { durable: Vec<u8>, pending: Vec<(u64, Change)> },
    Dir { live: Entries, durable: Entries, pending: Vec<(u64, Entry)> },
}

type Entries = BTreeMap<String, usize>;

/// The disk below one directory.
pub struct Disk {
    root: String,
    nodes: Vec<Node>,
    /// Syncs that are under way: the moment they began.
    syncs: HashMap<u64, u64>,
    moment: u64,
}

impl Disk {
    /// What is in `dir` now, all of it durable.
    pub fn of(dir: &Path) -> anyhow::Result<Self> {
        let root = dir.to_str().context("a path in UTF-8")?.to_owned();
        let mut disk = Self { root, nodes: vec![], syncs: HashMap::new(), moment: 0 };
        disk.load(dir)?;
        Ok(disk)
    }

    fn load(&mut self, dir: &Path) -> anyhow::Result<usize> {
        let place = self.nodes.len();
        self.nodes.push(Node::new_dir());
        let mut entries = Entries::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            // The operator's socket is no part of what a power cut finds.
            if entry.file_type()?.is_socket() {
                continue;
            }
            let name = entry.file_name().into_string().ok().context("a name")?;
            let kind = entry.file_type()?;
            let node = if kind.is_dir() {
                self.load(&entry.path())?
            } else if !kind.is_file() {
                // A socket is gone with its process.
                continue;
            } else {
                // A ballast is room, not contents.
                let durable = if name == "ballast" { vec![] } else { fs::read(entry.path())? };
                self.nodes.push(Node::File { durable, pending: vec![] });
                self.nodes.len() - 1
            };
            entries.insert(name, node);
        }
        let pending = vec![];
        let live = entries.clone();
        if let Some(node) = self.nodes.get_mut(place) {
            *node = Node::Dir { live, durable: entries, pending };
        }
        Ok(place)
    }

    /// The node at `path` and, above it, its directory and name; `None` outside.
    fn parent(&self, path: &Path) -> Option<(usize, String)> {
        let below = path.strip_prefix(&self.root).ok()?;
        let name = below.file_name()?.to_str()?.to_owned();
        Some((self.find(below.parent()?)?, name))
    }

    fn find(&self, below: &Path) -> Option<usize> {
        let mut place = 0;
        for part in below.components() {
            let (Component::Normal(name), Some(Node::Dir { live, .. })) =
                (part, self.nodes.get(place))
            else {
                return None;
            };
            place = *live.get(name.to_str()?)?;
        }
        Some(place)
    }

    fn dir(&mut self, place: usize) -> anyhow::Result<(&mut Entries, &mut Vec<(u64, Entry)>)> {
        match self.nodes.get_mut(place) {
            Some(Node::Dir { live, pending, .. }) => Ok((live, pending)),
            _ => bail!("no directory"),
        }
    }

    /// Carries out one record.
    pub fn apply(&mut self, record: &Record<'_>) -> anyhow::Result<()> {
        self.moment += 1;
        let moment = self.moment;
        let Record { kind, number, path, rest } = *record;
        if kind == b'B' {
            self.syncs.insert(number, moment);
            return Ok(());
        }
        if matches!(kind, b'W' | b'T' | b'E') {
            let below = path.strip_prefix(&self.root)?;
            // A file that was removed while it was open.
            let Some(place) = self.find(below) else { return Ok(()) };
            let began = self.syncs.remove(&number).unwrap_or(0);
            match (kind, self.nodes.get_mut(place)) {
                (b'W', Some(Node::File { pending, .. })) => {
                    pending.push((moment, Change::Write(number, rest.to_vec())));
                }
                (b'T', Some(Node::File { pending, .. })) => {
                    pending.push((moment, Change::Truncate(number)));
                }
                (b'E', Some(node)) => node.sync(began),
                _ => {}
            }
            return Ok(());
        }
        let (dir, name) = self.parent(path).context("a path outside")?;
        match kind {
            b'C' | b'D' => {
                let node = if kind == b'D' { Node::new_dir() } else { Node::new_file() };
                let place = self.nodes.len();
                self.nodes.push(node);
                let (live, pending) = self.dir(dir)?;
                live.insert(name.clone(), place);
                pending.push((moment, Entry::Put(name, place)));
            }
            b'U' | b'X' => {
                let (live, pending) = self.dir(dir)?;
                live.remove(&name);
                pending.push((moment, Entry::Gone(name)));
            }
            b'R' => {
                use std::os::unix::ffi::OsStrExt;
                let to = Path::new(std::ffi::OsStr::from_bytes(rest));
                let (to_dir, to_name) = self.parent(to).context("a path outside")?;
                let place = self.dir(dir)?.0.remove(&name).context("a rename of nothing")?;
                self.dir(to_dir)?.0.insert(to_name.clone(), place);
                if dir == to_dir {
                    self.dir(dir)?.1.push((moment, Entry::Moved(name, to_name, place)));
                } else {
                    self.dir(dir)?.1.push((moment, Entry::Gone(name)));
                    self.dir(to_dir)?.1.push((moment, Entry::Put(to_name, place)));
                }
            }
            other => bail!("a record of kind {other}"),
        }
        Ok(())
    }

    /// Writes to `target` what a power cut at this moment might leave: of what was not synced each
    /// page and each entry with `percent` in a hundred.
    pub fn cut(&self, target: &Path, dice: &mut Dice, percent: u64) -> anyhow::Result<()> {
        self.write(0, target, dice, percent)
    }

    fn write(&self, at: usize, to: &Path, dice: &mut Dice, percent: u64) -> anyhow::Result<()> {
        match self.nodes.get(at) {
            Some(Node::File { durable, pending }) => {
                let mut bytes = durable.clone();
                for (_, change) in pending {
                    change.apply_some(&mut bytes, |_| dice.chance(percent));
                }
                fs::write(to, bytes)?;
            }
            Some(Node::Dir { durable, pending, .. }) => {
                fs::create_dir(to)?;
                let mut entries = durable.clone();
                for (_, entry) in pending {
                    if dice.chance(percent) {
                        entry.apply(&mut entries);
                    }
                }
                for (name, place) in entries {
                    self.write(place, &to.join(name), dice, percent)?;
                }
            }
            None => bail!("no such node"),
        }
        Ok(())
    }
}

impl Node {
    fn new_dir() -> Self {
        Self::Dir { live: Entries::new(), durable: Entries::new(), pending: vec![] }
    }

    fn new_file() -> Self {
        Self::File { durable: vec![], pending: vec![] }
    }

    /// Makes durable what happened before `began`.
    fn sync(&mut self, began: u64) {
        match self {
            Self::File { durable, pending } => {
                let covered = pending.partition_point(|(moment, _)| *moment < began);
                for (_, change) in pending.drain(..covered) {
                    change.apply_some(durable, |_| true);
                }
            }
            Self::Dir { durable, pending, .. } => {
                let covered = pending.partition_point(|(moment, _)| *moment < began);
                for (_, entry) in pending.drain(..covered) {
                    entry.apply(durable);
                }
            }
        }
    }
}

impl Entry {
    fn apply(&self, entries: &mut Entries) {
        match self {
            Self::Put(name, place) => {
                entries.insert(name.clone(), *place);
            }
            Self::Gone(name) => {
                entries.remove(name);
            }
            Self::Moved(from, to, place) => {
                if entries.get(from) == Some(place) {
                    entries.remove(from);
                }
                entries.insert(to.clone(), *place);
            }
        }
    }
}

impl Change {
    /// Applies the pages of it that `keeps` lets through.
    fn apply_some(&self, bytes: &mut Vec<u8>, mut keeps: impl FnMut(u64) -> bool) {
        match self {
            Self::Truncate(length) => {
                if keeps(0) {
                    bytes.resize(*length as usize, 0);
                }
            }
            Self::Write(offset, data) => {
                let end = offset + data.len() as u64;
                let mut from = *offset;
                while from < end {
                    let until = end.min((from / PAGE + 1) * PAGE);
                    let piece = data.get((from - offset) as usize..(until - offset) as usize);
                    if keeps(from / PAGE) {
                        bytes.resize(bytes.len().max(until as usize), 0);
                        let place = bytes.get_mut(from as usize..until as usize);
                        if let (Some(place), Some(piece)) = (place, piece) {
                            place.copy_from_slice(piece);
                        }
                    }
                    from = until;
                }
            }
        }
    }
}

/// Checks the replay against the machine: everything applied, nothing cut, must be what is there.
pub fn agrees(disk: &Disk, dir: &Path, scratch: &Path) -> anyhow::Result<()> {
    disk.cut(scratch, &mut Dice::new(1), 100)?;
    same(scratch, dir)
}

fn same(replayed: &Path, real: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(real)? {
        let entry = entry?;
        let other = replayed.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            same(&other, &entry.path())?;
        } else if entry.file_type()?.is_file() && entry.file_name() != "ballast" {
            let is_same = fs::read(&other)? == fs::read(entry.path())?;
            ensure!(is_same, "the replay differs at {}", entry.path().display());
        }
    }
    Ok(())
}
