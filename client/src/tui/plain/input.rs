//! Lines as somebody enters them. Any may be a passphrase: what holds one is wiped.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd as _;
use std::thread::JoinHandle;

use tokio::sync::mpsc::Sender;
use zeroize::Zeroizing;

/// How much is read at once, and the longest line: beyond it nothing is taken.
const CHUNK: usize = 4_096;
const MOST_LINE: usize = 65_536;

/// Reads standard input on a thread of its own, which nobody waits for. The standard library's own
/// buffer would keep a passphrase.
pub(super) fn read_lines(entered: Sender<Zeroizing<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        if let Ok(input) = io::stdin().as_fd().try_clone_to_owned() {
            hand_lines(&mut File::from(input), &mut |line| entered.blocking_send(line).is_ok());
        }
    })
}

/// Hands on line by line, until the input ends or nobody takes more.
fn hand_lines(input: &mut impl Read, take: &mut impl FnMut(Zeroizing<String>) -> bool) {
    // Room for a passphrase, so that no copy of it stays where it was.
    let fresh = || Zeroizing::new(Vec::with_capacity(CHUNK));
    let (mut chunk, mut line) = (Zeroizing::new([0; CHUNK]), fresh());
    loop {
        let count = match input.read(chunk.as_mut_slice()) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        for byte in chunk.iter().take(count) {
            if *byte == b'\n' {
                if !take(words_of(&std::mem::replace(&mut line, fresh()))) {
                    return;
                }
            } else if line.len() < MOST_LINE {
                line.push(*byte);
            }
        }
    }
    if !line.is_empty() {
        take(words_of(&line));
    }
}

fn words_of(line: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut input: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        hand_lines(&mut input, &mut |line| {
            lines.push(line.to_string());
            true
        });
        lines
    }

    #[test]
    fn lines_end_where_they_end_and_are_bounded() {
        assert_eq!(lines(b"one\r\n\ntwo"), ["one", "", "two"]);
        assert_eq!(lines(b""), [""; 0]);
        assert_eq!(lines(b"\xff\n"), ["\u{fffd}"]);
        let long = [vec![b'a'; 2 * MOST_LINE], b"\nnext\n".to_vec()].concat();
        let read = lines(&long);
        assert_eq!((read[0].len(), read[1].as_str()), (MOST_LINE, "next"));
    }
}
