//! The socket file of a profile.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

const NAME: &str = "agent.sock";
const PRIVATE_FILE: u32 = 0o600;

/// The profile's socket file; it is removed when this is dropped.
pub(super) struct SocketFile(PathBuf);

/// Opens `dir` so that its socket has a short name: a socket's path has at most 107 bytes.
fn short(dir: &Path) -> io::Result<(File, PathBuf)> {
    let open = File::open(dir)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(NAME);
    Ok((open, path))
}

impl SocketFile {
    /// Makes the socket. Only the holder of the profile's lock may call it: a socket file that
    /// is there already is a dead holder's.
    pub(super) fn bind(dir: &Path) -> io::Result<(Self, UnixListener)> {
        let path = dir.join(NAME);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (_open, short) = short(dir)?;
        let listener = UnixListener::bind(&short)?;
        fs::set_permissions(&path, Permissions::from_mode(PRIVATE_FILE))?;
        Ok((Self(path), listener))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A profile that was wiped meanwhile has no socket to remove.
        let _gone = fs::remove_file(&self.0);
    }
}

/// Connects to the holder of the profile in `dir`: JSON-RPC 2.0, one object a line.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` if nobody holds it, `PermissionDenied` if another user does.
pub async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let (_open, short) = short(dir)?;
    let stream = UnixStream::connect(&short).await?;
    if is_own(&stream)? { Ok(stream) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Whether the other end runs as our own user.
pub(super) fn is_own(stream: &UnixStream) -> io::Result<bool> {
    Ok(stream.peer_cred()?.uid() == rustix::process::geteuid().as_raw())
}
