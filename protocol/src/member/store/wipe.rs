//! Destroying a profile: the key first, because without it the rest says nothing.

use std::io;
use std::io::Write as _;
use std::path::Path;

use super::files;
use super::key::KEY_FILE;

/// What a profile's directory holds beside the key file; nothing else in it is touched.
const FILES: [&str; 7] = [
    "key.tmp",
    "store.db",
    "store.db-wal",
    "store.db-shm",
    "store.db-journal",
    "agent.sock",
    "lock",
];

/// Destroys the profile in `dir`: overwrites and removes the key file, then removes the database
/// and what belongs to it, then the directory if nothing else is in it. A process that holds the
/// profile goes on with what it has in memory until it ends.
///
/// What a file system or a disk keeps of overwritten files is out of reach; a copy of the key file
/// elsewhere, with the passphrase, still opens a copy of the database.
///
/// # Errors
/// `NotFound` if there is no profile, else what the file system said; the key may then be gone.
pub fn wipe(dir: &Path) -> io::Result<()> {
    let key = dir.join(KEY_FILE);
    let is_profile = key.exists() || FILES.iter().any(|name| dir.join(name).exists());
    if !is_profile {
        return Err(io::ErrorKind::NotFound.into());
    }
    if key.exists() {
        let length = std::fs::metadata(&key)?.len();
        let mut file = files::open_private(&key, false)?;
        let zeros = vec![0; usize::try_from(length).unwrap_or_default().min(4_096)];
        file.write_all(&zeros)?;
        file.sync_all()?;
        drop(file);
        std::fs::remove_file(&key)?;
        files::sync_dir(dir)?;
    }
    for name in FILES {
        match std::fs::remove_file(dir.join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    files::sync_dir(dir)?;
    // Somebody else's files keep it.
    let _ = std::fs::remove_dir(dir);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_profile_leaves_nothing_of_its_own_and_all_of_others() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(wipe(dir.path()).unwrap_err().kind(), io::ErrorKind::NotFound);
        for name in FILES.iter().chain(&[KEY_FILE, "letter.txt"]) {
            std::fs::write(dir.path().join(name), b"bytes").unwrap();
        }
        wipe(dir.path()).unwrap();
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert!(dir.path().join("letter.txt").exists());
    }

    #[test]
    fn the_key_is_overwritten_before_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (key, link) = (dir.path().join(KEY_FILE), dir.path().join("other-name"));
        std::fs::write(&key, [7; 106]).unwrap();
        std::fs::hard_link(&key, &link).unwrap();
        wipe(dir.path()).unwrap();
        assert_eq!(std::fs::read(link).unwrap(), [0; 106]);
    }
}
