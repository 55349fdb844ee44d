//! The payload: chunks of 64 KiB, each sealed under its number and whether it is the last.

use std::io::{self, BufRead, Read, Write};

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use staffetta_protocol::random::OsRandom;

use super::super::BackupError;
use super::header::{self, derive};
use super::keys::{Identity, Recipient};

const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
const NONCE: usize = 16;

struct Chunks {
    cipher: ChaCha20Poly1305,
    number: u64,
}

impl Chunks {
    fn new(key: &header::FileKey, nonce: &[u8; NONCE]) -> Self {
        let key = derive(key.expose(), nonce, b"payload");
        Self { cipher: ChaCha20Poly1305::new(key.expose().into()), number: 0 }
    }

    /// Counter of 11 bytes, then 1 for the last chunk. 2^64 chunks are never reached.
    fn nonce(&mut self, is_last: bool) -> Nonce {
        let mut nonce = Nonce::default();
        if let Some(counter) = nonce.get_mut(3..11) {
            counter.copy_from_slice(&self.number.to_be_bytes());
        }
        if let Some(flag) = nonce.last_mut() {
            *flag = is_last.into();
        }
        self.number += 1;
        nonce
    }
}

/// Seals what is written to it. Without [`Sealer::finish`] what stands there opens for nobody.
pub(crate) struct Sealer<W: Write> {
    to: W,
    chunks: Chunks,
    plain: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Writes the header for `recipient` to `to`.
    pub(crate) fn new(mut to: W, recipient: &Recipient) -> Result<Self, BackupError> {
        let (header, key) = header::seal(recipient)?;
        let nonce: [u8; NONCE] = staffetta_protocol::random::bytes(&mut OsRandom);
        to.write_all(&header)?;
        to.write_all(&nonce)?;
        Ok(Self { to, chunks: Chunks::new(&key, &nonce), plain: Vec::with_capacity(CHUNK + TAG) })
    }

    fn seal(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = self.chunks.nonce(is_last);
        let sealed = self.chunks.cipher.encrypt_in_place(&nonce, &[], &mut self.plain);
        sealed.map_err(|_| io::Error::other("a chunk was not sealed"))?;
        self.to.write_all(&self.plain)?;
        self.plain.clear();
        Ok(())
    }

    /// Seals the last chunk and gives the writer back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.to.flush()?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits until it is known not to be the last.
        if self.plain.len() == CHUNK && !bytes.is_empty() {
            self.seal(false)?;
        }
        let taken = bytes.get(..CHUNK - self.plain.len()).unwrap_or(bytes);
        self.plain.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Opens what a [`Sealer`] wrote. Every byte it gives was authenticated; the end is only reached
/// if the file is whole.
pub(crate) struct Opener<R: BufRead> {
    from: R,
    chunks: Chunks,
    plain: Vec<u8>,
    given: usize,
    is_last: bool,
}

impl<R: BufRead> Opener<R> {
    /// Reads the header from `from`.
    pub(crate) fn new(mut from: R, identity: &Identity) -> Result<Self, BackupError> {
        let key = header::open(&mut from, identity)?;
        let mut nonce = [0; NONCE];
        from.read_exact(&mut nonce)?;
        let chunks = Chunks::new(&key, &nonce);
        Ok(Self { from, chunks, plain: Vec::new(), given: 0, is_last: false })
    }

    fn open(&mut self) -> io::Result<()> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a damaged chunk");
        self.plain.clear();
        self.given = 0;
        (&mut self.from).take((CHUNK + TAG) as u64).read_to_end(&mut self.plain)?;
        self.is_last = self.from.fill_buf()?.is_empty();
        let is_first = self.chunks.number == 0;
        let nonce = self.chunks.nonce(self.is_last);
        let opened = self.chunks.cipher.decrypt_in_place(&nonce, &[], &mut self.plain);
        opened.map_err(|_| damaged())?;
        // An empty last chunk after others is another file's end.
        if self.plain.is_empty() && !is_first { Err(damaged()) } else { Ok(()) }
    }
}

impl<R: BufRead> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.plain.len() && !self.is_last {
            self.open()?;
        }
        let rest = self.plain.get(self.given..).unwrap_or_default();
        let taken = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..taken), rest.get(..taken)) {
            to.copy_from_slice(from);
        }
        self.given += taken;
        Ok(taken)
    }
}
