//! KeyPackages: the own pool in the control room, the pools of the others, and asking for a fresh
//! one when a pool is used up.

use blake2::{Blake2s256, Digest as _};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::Cx;
use super::control::CONTROL_PACKAGES;
use super::errands::DAY_S;
use super::fault::Fault;
use super::memory::Standings;
use crate::member::e2ee;
use crate::member::identity::SignatureBytes;
use crate::member::store::{Intent, IntentKind, MetaKey, OutKind};
use crate::random::bytes;
use crate::wire::ids::{DeviceId, Digest};

/// Fragment kinds of a direct channel: a fresh KeyPackage is wanted; here it is.
pub(super) const DIRECT_WANT: u8 = 12;
pub(super) const DIRECT_PACKAGE: u8 = 13;

/// Single-use KeyPackages that a device offers at a time.
const POOL: usize = 8;
/// The pool is replaced when so many were used: each adder takes from it without knowing of the
/// others.
const REFILL_AT: u32 = 1;
/// The longest message of KeyPackages.
const MAX_POSTED: usize = (POOL + 1) * e2ee::MAX_PACKAGE + 1_024;
const PACKAGES_LABEL: &[u8] = b"staffetta 1 key packages";
/// Seconds after which the last-resort KeyPackage is replaced.
const ROTATE_S: u64 = 7 * DAY_S;
/// Seconds for which a KeyPackage of another device is used.
const USABLE_S: u64 = 30 * DAY_S;
/// Seconds after which the private keys of an own KeyPackage that was replaced are forgotten: nobody
/// uses it for longer than [`USABLE_S`], and no relay keeps the Welcome for longer than the rest.
const FORGET_S: u64 = USABLE_S + 15 * DAY_S;
/// Seconds for which the private keys of an own single-use KeyPackage stay after a Welcome used
/// it: as long as another adder may have drawn the same one before it saw the new pool.
const DRAWN_TWICE_S: u64 = 3_600;
/// How often an Add waits for a fresh KeyPackage before it takes the last-resort one.
const PATIENCE: u32 = 2;
/// Milliseconds between two tries.
const AGAIN_MS: u64 = 2_000;
/// Fresh KeyPackages that one other device is given in a day.
const MAX_GIVEN: u64 = 8;

/// How the own pool of KeyPackages stands.
#[derive(Default, Serialize, Deserialize)]
struct Pool {
    posted: bool,
    used: u32,
    /// When the last-resort one was made, in unix seconds.
    #[serde(default)]
    last_resort_at: u64,
}

/// A device's KeyPackages, signed by its identity key outside the roster chain.
#[derive(Serialize, Deserialize)]
struct Posted {
    v: u8,
    device: ByteArray<16>,
    packages: Vec<ByteBuf>,
    last_resort: Option<ByteBuf>,
}

impl Cx<'_> {
    /// Another device's KeyPackages.
    pub(super) fn packages(&mut self, message: &[u8]) -> Result<(), Fault> {
        let Some((signature, body)) = message.split_first_chunk::<64>() else { return Ok(()) };
        if body.len() > MAX_POSTED {
            return Ok(());
        }
        let Ok(posted) = ciborium::from_reader::<Posted, _>(body) else { return Ok(()) };
        let device = DeviceId(posted.device.into_array());
        let roster = self.memory.roster()?;
        let known = roster.device(&device).filter(|d| d.revoked.is_none());
        let signed = known.is_some_and(|d| {
            d.keys.identity.verify(PACKAGES_LABEL, body, &SignatureBytes(*signature))
        });
        if !signed || posted.v != 1 || posted.packages.len() > POOL {
            return Ok(());
        }
        self.note_seen(&device)?;
        self.tx.forget_packages_of_pool(&device)?;
        for package in posted.packages.iter().chain(&posted.last_resort) {
            self.keep_package(&device, package)?;
        }
        Ok(())
    }

    /// Keeps a KeyPackage if it can be used for an Add of `device`.
    pub(super) fn keep_package(&mut self, device: &DeviceId, package: &[u8]) -> Result<(), Fault> {
        let provider = self.provider();
        let roster = self.memory.roster()?;
        match e2ee::check_package_of(&provider, package, &Standings(roster)) {
            Ok(info) if info.device != *device => Ok(()),
            Ok(info) => {
                let hash = Digest(Blake2s256::digest(package).into());
                let at = self.now.unix_s();
                Ok(self.tx.put_package(device, &hash, package, info.last_resort, at)?)
            }
            Err(reason) => {
                tracing::warn!(%reason, "a KeyPackage is refused");
                Ok(())
            }
        }
    }

    /// Keeps the own pool in the control room full. **The last-resort KeyPackage is rotated
    /// weekly.**
    pub(super) fn post_packages(&mut self) -> Result<(), Fault> {
        let pool: Pool = self.tx.get(MetaKey::LastResort)?.unwrap_or_default();
        let now = self.now.unix_s();
        let rotate = !pool.posted || now.saturating_sub(pool.last_resort_at) >= ROTATE_S;
        if !rotate && pool.used < REFILL_AT {
            return Ok(());
        }
        self.tx.replace_own_packages(rotate, now)?;
        let packages = (0..POOL).map(|_| self.own_package(false, None));
        let packages = packages.collect::<Result<_, _>>()?;
        let last_resort = if rotate { Some(self.own_package(true, None)?) } else { None };
        let keys = self.memory.keys()?;
        let device = ByteArray::new(keys.device_id().0);
        let mut body = Vec::new();
        ciborium::into_writer(&Posted { v: 1, device, packages, last_resort }, &mut body)
            .map_err(|_| Fault::Bug("encode KeyPackages"))?;
        let signature = keys.identity.sign(PACKAGES_LABEL, &body);
        let message = [signature.0.as_slice(), &body].concat();
        self.post_in_control(OutKind::Package, CONTROL_PACKAGES, message)?;
        let last_resort_at = if rotate { now } else { pool.last_resort_at };
        Ok(self.tx.set(MetaKey::LastResort, &Pool { posted: true, used: 0, last_resort_at })?)
    }

    /// Makes a KeyPackage of this device and notes it, so that its private keys do not stay for
    /// ever.
    fn own_package(
        &mut self,
        last_resort: bool,
        given_to: Option<&DeviceId>,
    ) -> Result<ByteBuf, Fault> {
        let provider = self.provider();
        let certificate = self.memory.certificate()?;
        let keys = self.memory.keys()?;
        let bytes = e2ee::new_package(&provider, keys, &certificate, last_resort)?;
        let reference = e2ee::package_ref(&provider, &bytes)?;
        self.tx.note_own_package(&reference, last_resort, given_to, self.now.unix_s())?;
        Ok(ByteBuf::from(bytes))
    }

    /// Forgets the private keys of KeyPackages that were replaced long ago or used a while ago.
    pub(super) fn forget_own_packages(&mut self) -> Result<(), Fault> {
        let provider = self.provider();
        let now = self.now.unix_s();
        let (replaced, used) = (now.saturating_sub(FORGET_S), now.saturating_sub(DRAWN_TWICE_S));
        for reference in self.tx.take_own_packages_before(replaced, used)? {
            e2ee::forget_package(&provider, &reference)?;
        }
        Ok(())
    }

    /// A Welcome used one of the own pool. **A KeyPackage that two adders drew lets the device into
    /// both rooms**: what is said in either meanwhile would be lost to it.
    pub(super) fn note_package_used(
        &mut self,
        package: Option<e2ee::UsedPackage>,
    ) -> Result<(), Fault> {
        if let Some(package) = package
            && self.tx.note_package_drawn(package.reference(), self.now.unix_s())?
        {
            package.put_back(&self.provider())?;
        }
        let mut pool: Pool = self.tx.get(MetaKey::LastResort)?.unwrap_or_default();
        pool.used += 1;
        Ok(self.tx.set(MetaKey::LastResort, &pool)?)
    }

    /// A KeyPackage for carrying out a wish to add `device`; `None` if the wish waits. **If only
    /// the last-resort one is left, a fresh one is asked for by direct channel**, and a device
    /// that does not answer is added with the last-resort one.
    pub(super) fn package_for(
        &mut self,
        device: &DeviceId,
        wish: &Intent,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let since = self.now.unix_s().saturating_sub(USABLE_S);
        let pick = u64::from_be_bytes(bytes(self.random));
        let taken = self.tx.take_package(device, pick, since)?;
        match taken {
            Some((bytes, last_resort)) if !last_resort || wish.tries >= PATIENCE => {
                return Ok(Some(bytes));
            }
            _ => {}
        }
        if wish.tries == 0 {
            self.send_direct(device, DIRECT_WANT, &[])?;
        }
        self.tx.retry_intent(wish.id, self.now.unix_ms + AGAIN_MS)?;
        Ok(None)
    }

    /// Another device asks for a fresh KeyPackage.
    pub(super) fn package_wanted(&mut self, peer: &DeviceId) -> Result<(), Fault> {
        let today = self.now.unix_s().saturating_sub(DAY_S);
        if self.tx.packages_given(peer, today)? >= MAX_GIVEN {
            tracing::warn!("a device asks for too many KeyPackages");
            return Ok(());
        }
        let package = self.own_package(false, Some(peer))?;
        self.send_direct(peer, DIRECT_PACKAGE, &package)
    }

    /// The fresh KeyPackage that was asked for: wishes that wait for it go on.
    pub(super) fn package_given(&mut self, peer: &DeviceId, package: &[u8]) -> Result<(), Fault> {
        self.keep_package(peer, package)?;
        let now = self.now.unix_ms;
        let waits = |intent: &Intent| intent.kind == IntentKind::Add(*peer) && intent.tries > 0;
        for intent in self.tx.intents()?.into_iter().filter(waits) {
            self.tx.retry_intent(intent.id, now)?;
        }
        Ok(())
    }
}
