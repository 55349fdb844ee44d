//! Backups as files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::age::Identity;
use super::read::read;
use super::{BackupError, Summary};

/// Makes `path` with what `fill` writes: private, whole or not there, durable, never over another.
pub(crate) fn create<T, E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<T, E>,
) -> Result<T, E> {
    if path.exists() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the file exists; a backup never overwrites another",
        )
        .into());
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(partial);
    let mut file = BufWriter::new(file?);
    let filled = fill(&mut file).and_then(|value| {
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(partial, path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(value)
    });
    if filled.is_err() {
        let _ = fs::remove_file(partial);
    }
    filled
}

pub(super) fn open(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path)?))
}

/// Reads the whole backup in `path` and checks it.
pub(crate) fn verify(path: &Path, identity: &Identity) -> Result<Summary, BackupError> {
    read(open(path)?, identity, |_| Ok(()))
}
