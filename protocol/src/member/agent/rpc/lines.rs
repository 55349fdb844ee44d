//! Lines with a bound. What was read is wiped: one of the lines may hold a passphrase.

use std::io;

use bytes::BufMut as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes read from the socket at once.
const READ: usize = 8 * 1024;
/// Room for a line before it has to grow, which leaves a copy behind: more than an `unlock` takes.
const LINE: usize = 32 * 1024;

/// What stood on one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes, without the line end.
    Whole(Zeroizing<Vec<u8>>),
    /// It was longer than the bound, and was thrown away.
    TooLong,
}

/// Reads lines of at most `limit` bytes.
pub(super) struct Lines<R> {
    reader: R,
    limit: usize,
    /// What was read and not taken yet: its part from `from` on.
    read: Zeroizing<Vec<u8>>,
    from: usize,
    line: Zeroizing<Vec<u8>>,
    too_long: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, limit: usize) -> Self {
        let read = Zeroizing::new(Vec::with_capacity(READ));
        let line = Zeroizing::default();
        Self { reader, limit, read, from: 0, line, too_long: false }
    }

    /// The next line, the last one with or without its end; `None` at the end. Cancel safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if self.from == self.read.len() {
                self.read.zeroize();
                self.from = 0;
                let room = &mut *self.read;
                if self.reader.read_buf(&mut room.limit(READ)).await? == 0 {
                    let rest = !self.line.is_empty() || self.too_long;
                    return Ok(rest.then(|| self.take()));
                }
            }
            let available = self.read.get(self.from..).unwrap_or_default();
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            if self.line.len() + part.len() > self.limit {
                self.too_long = true;
                self.line = Zeroizing::default();
            }
            if !self.too_long {
                if self.line.capacity() == 0 {
                    self.line.reserve_exact(LINE.min(self.limit));
                }
                self.line.extend_from_slice(part);
            }
            self.from += part.len() + usize::from(end.is_some());
            if end.is_some() {
                return Ok(Some(self.take()));
            }
        }
    }

    fn take(&mut self) -> Line {
        let line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.too_long) { Line::TooLong } else { Line::Whole(line) }
    }
}

/// Writes lines, which have their ends, until there are no more or the other side is gone.
pub(super) async fn write_lines(
    mut writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::Receiver<Zeroizing<Vec<u8>>>,
) {
    while let Some(line) = queue.recv().await {
        if writer.write_all(&line).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_over_the_bound_is_thrown_away_and_the_next_one_is_read() {
        let text = b"abcd\n\nabcdefgh\nabcde";
        // A reader that gives little at a time, so that lines come in pieces.
        let reader = text[..3].chain(&text[3..7]).chain(&text[7..]);
        let mut lines = Lines::new(reader, 5);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            seen.push(line);
        }
        let whole = |text: &[u8]| Line::Whole(text.to_vec().into());
        assert_eq!(seen, [whole(b"abcd"), whole(b""), Line::TooLong, whole(b"abcde")]);
    }
}
