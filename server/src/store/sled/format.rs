//! The store's format: what is refused, and how an older one is brought forward.
//!
//! A migration works on a copy beside the store. When the copy is whole and durable the store is
//! renamed to `NAME.format-N`, which is the snapshot, and the copy takes its place. A crash at any
//! moment leaves either the store as it was or everything that is needed to finish.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files::{parent, rename_durably, sync_dir, sync_tree};
use crate::logsafe::safe;
use crate::store::StoreError;

/// The format this version writes.
pub(super) const CURRENT: u32 = 1;

/// Brings the store in a directory from one format to the next.
pub(super) struct Step {
    /// The format it reads; it leaves the next one, except for the marker.
    pub(super) from: u32,
    /// What it does, to a copy.
    pub(super) run: fn(&Path) -> Result<(), StoreError>,
}

/// The way from every older format that this version can read.
pub(super) const STEPS: &[Step] = &[];

const MARKER: &str = "format";

fn marker(format: u32) -> String {
    format!("staffetta store {format}\n")
}

fn parse(found: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(found).ok()?;
    let number = text.strip_prefix("staffetta store ")?.strip_suffix('\n')?.parse().ok()?;
    (marker(number) == text).then_some(number)
}

fn beside(dir: &Path, what: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(what);
    dir.with_file_name(name)
}

/// Makes sure that `dir` holds a store of the format `current`: an empty one is begun, an older
/// one is brought forward by `steps`, anything else is refused and left as it is.
pub(super) fn prepare(dir: &Path, current: u32, steps: &[Step]) -> Result<(), StoreError> {
    finish(dir)?;
    let found = match fs::read(dir.join(MARKER)) {
        Ok(found) => parse(&found).ok_or(StoreError::Format)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return begin(dir, current),
        Err(error) => return Err(error.into()),
    };
    if found == current {
        return Ok(());
    }
    let way: Vec<&Step> =
        (found..current).filter_map(|from| steps.iter().find(|step| step.from == from)).collect();
    if found > current || way.len() as u64 != u64::from(current - found) {
        return Err(StoreError::Format);
    }
    let next = beside(dir, ".next");
    let made = migrate(dir, &next, current, &way);
    if made.is_err() {
        let _ = fs::remove_dir_all(&next);
        return made;
    }
    tracing::warn!(from = safe(found), to = safe(current), "the store was brought to a new format");
    rename_durably(dir, &beside(dir, &format!(".format-{found}")))?;
    rename_durably(&next, dir)
}

/// Ends what a crash interrupted between the two renames, or throws an unfinished copy away.
fn finish(dir: &Path) -> Result<(), StoreError> {
    let next = beside(dir, ".next");
    if !next.exists() {
        return Ok(());
    }
    if dir.exists() { Ok(fs::remove_dir_all(&next)?) } else { rename_durably(&next, dir) }
}

fn begin(dir: &Path, current: u32) -> Result<(), StoreError> {
    fs::create_dir_all(dir)?;
    let tmp = dir.join("tmp-format");
    for entry in fs::read_dir(dir)? {
        if entry?.path() != tmp {
            return Err(StoreError::Format);
        }
    }
    sync_dir(parent(dir))?;
    mark(dir, current)
}

fn mark(dir: &Path, format: u32) -> Result<(), StoreError> {
    let tmp = dir.join("tmp-format");
    let mut file = File::create(&tmp)?;
    file.write_all(marker(format).as_bytes())?;
    file.sync_all()?;
    rename_durably(&tmp, &dir.join(MARKER))
}

fn migrate(dir: &Path, next: &Path, current: u32, way: &[&Step]) -> Result<(), StoreError> {
    copy(dir, next, true)?;
    way.iter().try_for_each(|step| (step.run)(next))?;
    mark(next, current)?;
    sync_tree(next)
}

/// Copies a store. Blobs are written once and never changed, so they are only linked; the ballast
/// is made anew.
fn copy(from: &Path, to: &Path, is_root: bool) -> Result<(), StoreError> {
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            match is_root && entry.file_name() == "blobs" {
                true => link(&source, &target)?,
                false => copy(&source, &target, false)?,
            }
        } else if !(is_root && entry.file_name() == "ballast") {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

fn link(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            link(&source, &target)?;
        } else {
            fs::hard_link(&source, &target)?;
        }
    }
    Ok(())
}
