//! Lines with a bound.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// What stood on one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Its bytes, without the line end.
    Whole(Vec<u8>),
    /// It was longer than the bound, and was thrown away.
    TooLong,
}

/// Reads lines of at most `limit` bytes.
pub(super) struct Lines<R> {
    reader: R,
    limit: usize,
    line: Vec<u8>,
    too_long: bool,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, line: Vec::new(), too_long: false }
    }

    /// The next line, the last one with or without its end; `None` at the end. Cancel safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                let rest = !self.line.is_empty() || self.too_long;
                return Ok(rest.then(|| self.take()));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            if self.line.len() + part.len() > self.limit {
                self.too_long = true;
                self.line = Vec::new();
            }
            if !self.too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
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
    mut queue: mpsc::Receiver<Vec<u8>>,
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
        // A reader with a tiny buffer, so that lines come in pieces.
        let reader = tokio::io::BufReader::with_capacity(3, &text[..]);
        let mut lines = Lines::new(reader, 5);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            seen.push(line);
        }
        let whole = |text: &[u8]| Line::Whole(text.to_vec());
        assert_eq!(seen, [whole(b"abcd"), whole(b""), Line::TooLong, whole(b"abcde")]);
    }
}
