//! The command line's end of the admin socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::{Answer, BROKEN, LINE_TIME, MAX_ANSWER, MAX_PIECE, Request, socket};

/// Why the relay did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminError {
    /// Nobody listens.
    #[error("no relay is serving {}; start it, or look at its log", .0.display())]
    NotServing(std::path::PathBuf),
    /// The socket may not be opened by this user, or the relay does not talk to it.
    #[error("this user may not command the relay: be root, its user or in its group")]
    Denied,
    /// The relay's own refusal.
    #[error("{0}")]
    Refused(String),
    /// The conversation broke off.
    #[error("the relay did not answer: {0}")]
    Broken(io::Error),
    /// The file that a backup goes to cannot be written.
    #[error("cannot write the file: {0}")]
    File(#[from] io::Error),
}

fn broken(error: serde_json::Error) -> AdminError {
    AdminError::Broken(error.into())
}

fn connect(data: &Path) -> Result<UnixStream, AdminError> {
    let stream = UnixStream::connect(socket(data)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            AdminError::NotServing(data.to_owned())
        }
        io::ErrorKind::PermissionDenied => AdminError::Denied,
        _ => AdminError::Broken(error),
    })?;
    stream.set_read_timeout(Some(LINE_TIME)).map_err(AdminError::Broken)?;
    stream.set_write_timeout(Some(LINE_TIME)).map_err(AdminError::Broken)?;
    Ok(stream)
}

fn request(stream: &mut UnixStream, request: &Request) -> Result<(), AdminError> {
    let mut line = serde_json::to_vec(request).map_err(broken)?;
    line.push(b'\n');
    stream.write_all(&line).map_err(AdminError::Broken)
}

fn answer(from: &mut impl BufRead) -> Result<serde_json::Value, AdminError> {
    let mut line = String::new();
    from.take(MAX_ANSWER).read_line(&mut line).map_err(AdminError::Broken)?;
    if line.is_empty() {
        // The relay hangs up on users it does not know.
        return Err(AdminError::Denied);
    }
    match serde_json::from_str(&line).map_err(broken)? {
        Answer::Ok(value) => Ok(value),
        Answer::Error(why) => Err(AdminError::Refused(why)),
    }
}

/// Asks the relay in `data` one thing.
pub(crate) fn ask(data: &Path, what: &Request) -> Result<serde_json::Value, AdminError> {
    let mut stream = connect(data)?;
    request(&mut stream, what)?;
    answer(&mut BufReader::new(stream))
}

/// Writes a backup of the relay in `data` to `to`; what it says of the backup. What stands in `to`
/// after an error is no backup.
pub(crate) fn fetch_backup(
    data: &Path,
    to: &mut impl Write,
) -> Result<serde_json::Value, AdminError> {
    let mut stream = connect(data)?;
    request(&mut stream, &Request::Backup {})?;
    let mut from = BufReader::new(stream);
    answer(&mut from)?;
    loop {
        let mut length = [0; 4];
        from.read_exact(&mut length).map_err(AdminError::Broken)?;
        match u32::from_be_bytes(length) {
            0 | BROKEN => return answer(&mut from),
            length => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                if length > MAX_PIECE {
                    return Err(AdminError::Broken(io::ErrorKind::InvalidData.into()));
                }
                let mut piece = vec![0; length];
                from.read_exact(&mut piece).map_err(AdminError::Broken)?;
                to.write_all(&piece)?;
            }
        }
    }
}
