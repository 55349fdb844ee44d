//! The relay's end of the admin socket.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};

use super::{Answer, BROKEN, LINE_TIME, MAX_PIECE, MAX_REQUEST, Request, socket, work};
use crate::hub::Hub;

/// Operators served at a time.
const MAX_OPERATORS: usize = 8;
/// Pieces of a backup that may wait for the operator's end.
const WAITING_PIECES: usize = 4;
/// The socket's mode: the relay's user and group.
const MODE: u32 = 0o660;

/// Binds the socket of the relay in `data`, replacing one that a killed relay left.
///
/// # Errors
/// What the system says. The caller holds the store's lock, so nobody else listens there.
pub(crate) fn bind(data: &Path) -> io::Result<UnixListener> {
    let path = socket(data);
    match fs::symlink_metadata(&path) {
        Ok(meta) if meta.file_type().is_socket() => fs::remove_file(&path)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is no socket")),
        Err(_) => {}
    }
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(MODE))?;
    Ok(listener)
}

/// Serves operators until the task is dropped.
pub(crate) async fn serve(listener: UnixListener, hub: Arc<Hub>) {
    let places = Arc::new(Semaphore::new(MAX_OPERATORS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let hub = hub.clone();
        tokio::spawn(async move {
            let _place = place;
            if is_operator(&stream) {
                // An operator who hangs up has seen enough.
                let _ = converse(stream, hub).await;
            }
        });
    }
}

/// Whether the peer is root, the relay's user or in the relay's group, as the kernel says.
fn is_operator(stream: &UnixStream) -> bool {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    stream.peer_cred().is_ok_and(|peer| {
        peer.uid() == 0 || peer.uid() == uid.as_raw() || peer.gid() == gid.as_raw()
    })
}

async fn converse(mut stream: UnixStream, hub: Arc<Hub>) -> io::Result<()> {
    while let Some(line) = timeout(LINE_TIME, line(&mut stream)).await?? {
        let request = match serde_json::from_slice::<Request>(&line) {
            Ok(request) => request,
            Err(_) => {
                say(&mut stream, &Answer::Error("this relay knows no such command".into())).await?;
                continue;
            }
        };
        if request == (Request::Backup {}) {
            return backup(&mut stream, hub).await;
        }
        let hub = hub.clone();
        let answer = tokio::task::spawn_blocking(move || work::perform(&hub, request)).await?;
        say(&mut stream, &answer).await?;
    }
    Ok(())
}

/// The next line, or `None` at the end or above [`MAX_REQUEST`].
async fn line(stream: &mut UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    while line.len() < MAX_REQUEST {
        match stream.read_u8().await {
            Ok(b'\n') => return Ok(Some(line)),
            Ok(byte) => line.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn say(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    timeout(LINE_TIME, stream.write_all(&line)).await?
}

/// Hands pieces from the thread that reads the store to the task that writes the socket.
struct Pieces(mpsc::Sender<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = bytes.get(..MAX_PIECE).unwrap_or(bytes);
        let sent = self.0.blocking_send(piece.to_vec());
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn backup(stream: &mut UnixStream, hub: Arc<Hub>) -> io::Result<()> {
    let (pieces, mut waiting) = mpsc::channel(WAITING_PIECES);
    let writing = tokio::task::spawn_blocking(move || work::backup(&hub, Pieces(pieces)));
    say(stream, &Answer::Ok(serde_json::Value::Null)).await?;
    while let Some(piece) = waiting.recv().await {
        let length = u32::try_from(piece.len()).unwrap_or(BROKEN);
        timeout(LINE_TIME, stream.write_all(&length.to_be_bytes())).await??;
        timeout(LINE_TIME, stream.write_all(&piece)).await??;
    }
    drop(waiting);
    match writing.await? {
        Ok(summary) => {
            stream.write_all(&0_u32.to_be_bytes()).await?;
            say(stream, &Answer::Ok(serde_json::to_value(summary)?)).await
        }
        Err(error) => {
            stream.write_all(&BROKEN.to_be_bytes()).await?;
            say(stream, &Answer::Error(error)).await
        }
    }
}
