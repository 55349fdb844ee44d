//! People's own files, outside the profile: read whole, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use super::files::{open_private, sync_dir};

/// Reads an ordinary file of at most `max` bytes.
///
/// # Errors
/// What the file system said; `InvalidInput` if it is no ordinary file, `FileTooLarge` if it is
/// longer.
pub fn read_file(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    // Before opening: a pipe would block.
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > max {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(bytes),
    }
}

/// Writes a file of mode 0600 under another name, `aside`, in the same directory, syncs it, and
/// only then gives it its own name, which must be free.
///
/// # Errors
/// What the file system said; `AlreadyExists` if the name is taken.
pub fn write_file(path: &Path, aside: &str, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let aside = dir.join(aside);
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = write_new(&aside, bytes).and_then(|()| match path.symlink_metadata() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(&aside, path),
    });
    if let Err(error) = written {
        // What is half written is of no use; that it cannot be removed changes nothing.
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    sync_dir(dir)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open_private(path, true)?;
    file.write_all(bytes)?;
    file.sync_all()
}
