//! Blobs: what is too large for cells, sealed in chunks under a key of its own.
//!
//! The seal is the STREAM construction over XChaCha20-Poly1305 (Hoang, Reyhanitabar, Rogaway and
//! Vizar, 2015); its nonce starts at zero because no key seals a second blob.

use blake2::{Blake2s256, Digest as _};
use bytes::Bytes;
use chacha20poly1305::aead::generic_array::GenericArray;
use chacha20poly1305::aead::stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

use super::Cx;
use super::fault::{Fault, refused};
use super::link::Asked;
use crate::member::agent::core::Out;
use crate::member::invite::{Payload, SignedAnswer, Snapshot};
use crate::member::store::BlobChunk;
use crate::random::bytes;
use crate::secret::Secret;
use crate::wire::frame::{FailCode, ToRelay};
use crate::wire::ids::{BlobId, Lane};
use crate::wire::limits::{BLOB_CHUNK, MAX_BLOB_CHUNKS, NOISE_TAG, SHARED_BLOB};

/// Plaintext bytes of a chunk.
pub(super) const PLAIN: usize = BLOB_CHUNK - NOISE_TAG;
/// The longest random wait before an announced blob is fetched, in milliseconds.
const FETCH_SPREAD_MS: u64 = 10_000;
/// Milliseconds before a blob that is not there yet is asked for again.
const AGAIN_MS: u64 = 1_000;
/// The most announced blobs that wait to be fetched.
const MAX_FETCHES: usize = 256;

/// A blob being fetched, in memory: it is fetched again after a restart.
#[derive(Clone)]
pub(super) struct Fetch {
    blob: BlobId,
    /// Not before this time, in monotonic milliseconds.
    not_before: u64,
    /// Whether its content is of use here; the others are fetched so that fetching says nothing.
    wanted: bool,
    chunks: Vec<Bytes>,
    whole: bool,
}

impl Fetch {
    /// When it is to be asked for, in monotonic milliseconds; `None` once it is whole.
    pub(super) fn due(&self) -> Option<u64> {
        (!self.whole).then_some(self.not_before)
    }
}

/// A blob whose chunks wait for the relay.
pub(super) struct Sealed {
    pub(super) id: BlobId,
    pub(super) key: Secret<32>,
    /// How many chunks it has.
    pub(super) count: u16,
    /// Shows the relay that the blob is ours.
    pub(super) secret: Secret<32>,
}

const _: () = assert!(std::mem::needs_drop::<Sealed>());

impl Cx<'_> {
    /// Seals `content` and queues it for the relay.
    pub(super) fn put_blob(&mut self, content: &[u8]) -> Result<Payload, Fault> {
        let Sealed { id, key, .. } = self.seal_blob(content)?;
        let len = u32::try_from(content.len()).map_err(|_| Fault::Bug("blob length"))?;
        Ok(Payload::Blob { id, key, hash: Snapshot::hash_of(content), len })
    }

    /// Seals `content` under a key of its own and queues its chunks, which go out as they are
    /// however often that is tried.
    pub(super) fn seal_blob(&mut self, content: &[u8]) -> Result<Sealed, Fault> {
        let secret = Secret::<32>::random(self.random);
        let key = Secret::<32>::random(self.random);
        let id = BlobId(Blake2s256::digest(secret.expose()).into());
        let chunks: Vec<&[u8]> = content.chunks(PLAIN).collect();
        let count = u16::try_from(chunks.len()).unwrap_or(u16::MAX);
        if chunks.is_empty() || count > MAX_BLOB_CHUNKS {
            return Err(refused("That is too large.", None).into());
        }
        let mut seal = Some(EncryptorBE32::from_aead(cipher(&key), &GenericArray::default()));
        for (index, chunk) in (0_u16..).zip(chunks) {
            let sealed = if index + 1 == count {
                seal.take().and_then(|seal| seal.encrypt_last(chunk).ok())
            } else {
                seal.as_mut().and_then(|seal| seal.encrypt_next(chunk).ok())
            };
            let secret = Secret::copy(secret.expose()).ok_or(Fault::Bug("secret"))?;
            let chunk = sealed.ok_or(Fault::Bug("seal a blob"))?;
            self.tx.put_blob_chunk(&BlobChunk { blob: id, secret, index, count, chunk })?;
        }
        Ok(Sealed { id, key, count, secret })
    }

    /// Hands over the next chunk, and asks for the next one that is wanted.
    pub(super) fn work_on_blobs(&mut self) -> Result<(), Fault> {
        self.work_on_downloads()?;
        if !self.link.connected || self.now.mono_ms < self.link.retry_at {
            return Ok(());
        }
        let putting = self.link.awaits(|asked| matches!(asked, Asked::BlobPut(..)));
        if let Some(next) = if putting { None } else { self.tx.next_blob_chunk()? } {
            let request = self.link.ask(Asked::BlobPut(next.blob, next.index));
            let BlobChunk { secret, index, count, chunk, .. } = next;
            let (lane, chunk) = (Lane(0), Bytes::from(chunk));
            let put = ToRelay::BlobPut { lane, request, secret, index, count, chunk };
            self.effects.push(Out::Send(put));
        }
        self.delete_dead_blob()?;
        if self.link.awaits(|asked| matches!(asked, Asked::BlobGet(_))) {
            return Ok(());
        }
        let now = self.now.mono_ms;
        let mut due = self.link.fetches.iter().filter(|f| !f.whole && f.not_before <= now);
        if let Some((blob, index)) = due.next().map(|f| (f.blob, f.chunks.len())) {
            let index = u16::try_from(index).map_err(|_| Fault::Bug("chunk index"))?;
            let request = self.link.ask(Asked::BlobGet(blob));
            let get = ToRelay::BlobGet { lane: Lane(0), request, id: blob, index };
            self.effects.push(Out::Send(get));
        }
        Ok(())
    }

    /// What was sent as a file and is deleted, or over, goes from the relay as well.
    fn delete_dead_blob(&mut self) -> Result<(), Fault> {
        if self.link.awaits(|asked| matches!(asked, Asked::BlobDelete(_))) {
            return Ok(());
        }
        let Some((blob, secret)) = self.tx.dead_blob()? else { return Ok(()) };
        let request = self.link.ask(Asked::BlobDelete(blob));
        self.effects.push(Out::Send(ToRelay::BlobDelete { lane: Lane(0), request, secret }));
        Ok(())
    }

    /// **Every device fetches every blob up to 1 MiB after a random delay, so fetching says
    /// nothing.**
    pub(super) fn announced(&mut self, blobs: &[(BlobId, u64)]) -> Result<(), Fault> {
        for (blob, size) in blobs {
            let known = self.fetches(blob) || self.tx.progress(blob)?.is_whole();
            if *size <= SHARED_BLOB && !known && self.link.fetches.len() < MAX_FETCHES {
                let wait = u64::from(u32::from_be_bytes(bytes(self.random))) % FETCH_SPREAD_MS;
                self.fetch(*blob, self.now.mono_ms + wait)?;
            }
        }
        Ok(())
    }

    /// Whether a blob is being fetched.
    pub(super) fn fetches(&self, blob: &BlobId) -> bool {
        self.link.fetches.iter().any(|fetch| fetch.blob == *blob)
    }

    /// Fetches what is not here yet of a blob whose chunks are kept.
    pub(super) fn fetch(&mut self, blob: BlobId, not_before: u64) -> Result<(), Fault> {
        self.want(blob, not_before, false);
        let have = self.tx.progress(&blob)?.have;
        if let Some(fetch) = self.link.fetches.last_mut() {
            fetch.chunks = vec![Bytes::new(); have.into()];
        }
        Ok(())
    }

    fn want(&mut self, blob: BlobId, not_before: u64, wanted: bool) {
        let (chunks, whole) = (Vec::new(), false);
        self.link.fetches.push(Fetch { blob, not_before, wanted, chunks, whole });
    }

    /// A chunk came.
    pub(super) fn chunk(&mut self, blob: &BlobId, count: u16, chunk: Bytes) -> Result<(), Fault> {
        let Some(at) = self.link.fetches.iter().position(|fetch| fetch.blob == *blob) else {
            return Ok(());
        };
        let Some(fetch) = self.link.fetches.get_mut(at) else { return Ok(()) };
        let (index, wanted) = (fetch.chunks.len(), fetch.wanted);
        fetch.chunks.push(if wanted { chunk.clone() } else { Bytes::new() });
        fetch.whole = index + 1 >= usize::from(count);
        let whole = fetch.whole;
        if whole && wanted {
            return self.retry_admission();
        }
        if whole {
            self.link.fetches.remove(at);
        }
        match wanted {
            true => Ok(()),
            false => self.take_chunk(blob, index, count, &chunk),
        }
    }

    /// A blob is not there, or not yet.
    pub(super) fn blob_failed(
        &mut self,
        asked: &Asked,
        code: FailCode,
        retry_ms: u32,
    ) -> Result<(), Fault> {
        let again = self.now.mono_ms + u64::from(retry_ms).max(AGAIN_MS);
        match asked {
            Asked::BlobGet(blob) => {
                if code == FailCode::Unknown {
                    self.blob_is_gone(blob)?;
                }
                self.link.fetches.retain(|fetch| fetch.wanted || fetch.blob != *blob);
                for fetch in self.link.fetches.iter_mut().filter(|fetch| fetch.blob == *blob) {
                    fetch.not_before = again;
                }
            }
            Asked::BlobPut(blob, _) => {
                tracing::warn!(?code, "the relay refuses a blob");
                self.link.retry_at = again;
                return self.upload_refused(blob, code);
            }
            // One that is not there is deleted.
            Asked::BlobDelete(blob) if code == FailCode::Unknown => {
                self.tx.remove_own_blob(blob)?;
            }
            Asked::BlobDelete(_) => self.link.retry_at = again,
            _ => {}
        }
        Ok(())
    }

    /// The snapshot that an answer names: `Some(None)` if it stands in the answer itself, `None`
    /// while its blob is on its way.
    pub(super) fn fetched(
        &mut self,
        signed: &SignedAnswer,
    ) -> Result<Option<Option<Vec<u8>>>, Fault> {
        let Payload::Blob { id, key, .. } = &signed.unproven().payload else {
            return Ok(Some(None));
        };
        match self.link.fetches.iter_mut().find(|fetch| fetch.blob == *id) {
            Some(fetch) if fetch.wanted && fetch.whole => {
                Ok(Some(Some(open_blob(key, &fetch.chunks))))
            }
            Some(fetch) => {
                fetch.wanted = true;
                if fetch.whole || !fetch.chunks.is_empty() {
                    fetch.chunks.clear();
                    fetch.whole = false;
                }
                Ok(None)
            }
            None => {
                self.want(*id, self.now.mono_ms, true);
                Ok(None)
            }
        }
    }
}

/// The content of a whole blob; empty if it does not open, which its hash will show.
pub(super) fn open_blob(key: &Secret<32>, chunks: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut seal = Some(DecryptorBE32::from_aead(cipher(key), &GenericArray::default()));
    for (index, chunk) in chunks.iter().enumerate() {
        let opened = if index + 1 == chunks.len() {
            seal.take().and_then(|seal| seal.decrypt_last(chunk.as_ref()).ok())
        } else {
            seal.as_mut().and_then(|seal| seal.decrypt_next(chunk.as_ref()).ok())
        };
        match opened {
            Some(opened) => out.extend(opened),
            None => return Vec::new(),
        }
    }
    out
}

fn cipher(key: &Secret<32>) -> XChaCha20Poly1305 {
    <XChaCha20Poly1305 as KeyInit>::new(key.expose().into())
}
