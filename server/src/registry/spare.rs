//! A spare relay: a team claimed it, and its log begins where the team comes from.

use staffetta_protocol::wire::frame::FailCode;
use staffetta_protocol::wire::ids::{Digest, Lane, Seq};

use super::{Refused, Registry, Team, record};
use crate::hub::Hub;
use crate::store::{Head, LogIdentity, StoreError};

impl Registry {
    /// What the log of a spare relay will be; `None` once it is begun, and of any other relay.
    fn unbegun(&self) -> Result<Option<LogIdentity>, StoreError> {
        if self.store.identity().is_some() {
            return Ok(None);
        }
        let team = self.tables().team;
        let log = record::spare(&*self.store)?;
        let identity = |(team, log): (Team, _)| LogIdentity { team: team.id, lane: Lane(0), log };
        Ok(team.zip(log).map(identity))
    }

    fn begin_after(&self, base: Head) -> Result<(), Refused> {
        let _changing = self.changing();
        match self.unbegun()? {
            Some(identity) => Ok(self.store.go_on(identity, base)?),
            None => Err(FailCode::Ended.into()),
        }
    }
}

impl Hub {
    /// Which log a device is shown, its head, and the oldest seq held: 0 of a spare's that is not
    /// begun.
    pub(crate) fn standing(&self) -> Option<(LogIdentity, Head, Seq)> {
        if let Some(identity) = self.log.identity() {
            return Some((identity, self.log.head(), self.log.oldest()));
        }
        let identity = self.registry.unbegun().ok()??;
        Some((identity, Head { seq: 0, hash: identity.start() }, 0))
    }

    /// Begins a spare's log after the place of the log that the team comes from. The first device
    /// to say one is believed: a false one is another past to all others.
    pub(crate) fn begin_after(&self, seq: Seq, hash: Digest) -> Result<(), Refused> {
        self.registry.begin_after(Head { seq, hash })?;
        self.log.beat(|pulse| pulse.head = pulse.head.max(seq));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use staffetta_protocol::noise::keys::{
        AccessSecret, GateKey, HopPsk, StaticPublic, StaticSecret,
    };
    use staffetta_protocol::random::OsRandom;
    use staffetta_protocol::secret::Secret;
    use staffetta_protocol::wire::ids::{InviteId, LogId, TeamId};
    use staffetta_protocol::wire::rows::{Claim, Row, RowsDocument, RowsSigner, SignedRows};

    use super::super::{Kind, NewInvite, Sender, store_founder};
    use super::*;
    use crate::config::Limits;
    use crate::store::LogStore;
    use crate::store::contract::{append, batch};
    use crate::store::memory::MemoryStore;

    const KEY: [u8; 32] = [3; 32];

    fn claim(signer: RowsSigner, version: u64) -> SignedRows {
        let access = AccessSecret::generate(&mut OsRandom);
        let transport = access.bind(&StaticSecret::generate(&mut OsRandom).public());
        let document = RowsDocument {
            version,
            previous: Digest([0; 32]),
            claim: Some(Claim { team: TeamId([7; 32]), root: public() }),
            authority: public(),
            added: vec![Row { access, transport, admin: true }],
            removed: Vec::new(),
            addresses: Vec::new(),
        };
        document.sign(signer, &Secret::copy(&KEY).unwrap()).unwrap()
    }

    fn public() -> [u8; 32] {
        ed25519_dalek::SigningKey::from_bytes(&KEY).verifying_key().to_bytes()
    }

    fn relay(store: &Arc<MemoryStore>, kind: Kind) -> (Registry, Sender) {
        let invite = NewInvite {
            id: InviteId([1; 16]),
            gate: GateKey::from_secret(Secret::take(&mut [4; 32])),
            psk: HopPsk::from_secret(Secret::take(&mut [5; 32])),
            expires: u64::MAX,
            bundle: bytes::Bytes::new(),
        };
        store_founder(&**store, invite, kind).unwrap();
        let key = StaticPublic([9; 32]);
        let open = Registry::open(store.clone(), &key, Limits::default(), Arc::new(|| 1_000));
        let registry = open.unwrap();
        let invite = registry.tables().invites.values().next().unwrap().clone();
        (registry, Sender::Newcomer(invite, StaticPublic([8; 32])))
    }

    #[test]
    fn a_spare_relay_is_claimed_by_an_authority_and_its_log_begins_once() {
        let store = Arc::new(MemoryStore::new(Arc::new(|| 0)));
        let (registry, holder) = relay(&store, Kind::Spare);
        // The root is on nobody's device; who signs as it stole it.
        assert!(registry.apply(&holder, &claim(RowsSigner::Root, 1)).is_err());
        let first = claim(RowsSigner::Authority, (1 << 32) + 1);
        registry.apply(&holder, &first).unwrap();
        registry.apply(&holder, &first).unwrap_err();
        assert!(store.identity().is_none(), "nobody has said where it begins");
        let identity = registry.unbegun().unwrap().unwrap();
        assert!(identity.team == TeamId([7; 32]) && identity.log != LogId([0; 16]));

        // It keeps its id when it is started again.
        drop(registry);
        let key = StaticPublic([9; 32]);
        let open = Registry::open(store.clone(), &key, Limits::default(), Arc::new(|| 1_000));
        let registry = open.unwrap();
        assert!(registry.unbegun().unwrap() == Some(identity));

        let base = Head { seq: 4_096, hash: Digest([6; 32]) };
        registry.begin_after(base).unwrap();
        assert!(store.identity() == Some(identity) && store.head() == base);
        assert_eq!(store.oldest(), 4_097);
        assert!(matches!(
            registry.begin_after(Head { seq: 1, ..base }),
            Err(Refused::Peer(FailCode::Ended))
        ));
        assert!(store.head() == base && registry.unbegun().unwrap().is_none());
        assert_eq!(append(&*store, batch(0..2)).unwrap(), [4_097, 4_098]);
    }

    #[test]
    fn a_founders_relay_is_not_claimed_by_an_authority_nor_begun_by_a_device() {
        let store = Arc::new(MemoryStore::new(Arc::new(|| 0)));
        let (registry, holder) = relay(&store, Kind::Founder);
        assert!(registry.apply(&holder, &claim(RowsSigner::Authority, 1)).is_err());
        registry.apply(&holder, &claim(RowsSigner::Root, 1)).unwrap();
        let (identity, head) = (store.identity(), store.head());
        assert!(identity.is_some());
        assert!(registry.begin_after(Head { seq: 9, ..head }).is_err());
        assert!(store.identity() == identity && store.head() == head);
    }
}
