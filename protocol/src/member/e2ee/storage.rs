//! OpenMLS's rows, as OpenMLS's own adapter for SQLite keeps them.
//!
//! One kind of row changes with every message, the secrets of a group's present epoch. It is
//! written here: with a statement that is prepared once, and, if a step asks for it, once at the
//! step's end instead of once a message. Everything else goes to the adapter.

use std::cell::RefCell;
use std::collections::BTreeMap;

use openmls_sqlite_storage::{Codec as _, SqliteStorageProvider};
use openmls_traits::storage::{StorageProvider, traits};
use rusqlite::Connection;
use serde::Serialize;
use zeroize::Zeroizing;

use super::provider::Cbor;

/// The version of OpenMLS's storage traits that the adapter implements.
const VERSION: u16 = 1;

/// Message secrets that a step has changed and not written yet, by group; wiped when dropped.
#[derive(Default)]
pub struct Deferred(RefCell<BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>>);

const _: () = assert!(std::mem::needs_drop::<Deferred>());

impl Deferred {
    /// Writes what waits; before the step's transaction is committed, and before a savepoint to
    /// which it may be rolled back.
    ///
    /// # Errors
    /// Those of the database.
    pub fn flush(&self, connection: &Connection) -> rusqlite::Result<()> {
        let waiting = std::mem::take(&mut *self.0.borrow_mut());
        waiting.iter().try_for_each(|(group, secrets)| write(connection, group, secrets))
    }

    /// Forgets what waits: it was changed after a savepoint that is rolled back.
    pub(super) fn discard(&self) {
        self.0.borrow_mut().clear();
    }
}

fn write(connection: &Connection, group: &[u8], secrets: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO openmls_group_data (group_id, data_type, group_data, provider_version)
        VALUES (?1, 'message_secrets', ?2, ?3) ON CONFLICT (group_id, data_type) DO UPDATE SET
        group_data = excluded.group_data, provider_version = excluded.provider_version";
    connection.prepare_cached(sql)?.execute((group, secrets, VERSION))?;
    Ok(())
}

/// OpenMLS's storage over one connection.
pub struct Storage<'c> {
    rows: SqliteStorageProvider<Cbor, &'c Connection>,
    connection: &'c Connection,
    deferred: Option<&'c Deferred>,
}

impl<'c> Storage<'c> {
    pub(super) fn new(connection: &'c Connection, deferred: Option<&'c Deferred>) -> Self {
        Self { rows: SqliteStorageProvider::new(connection), connection, deferred }
    }

    /// Writes what was put off, if anything was.
    pub(super) fn flush(&self) -> rusqlite::Result<()> {
        self.deferred.map_or(Ok(()), |deferred| deferred.flush(self.connection))
    }

    /// Forgets what was put off since the last flush.
    pub(super) fn discard(&self) {
        if let Some(deferred) = self.deferred {
            deferred.discard();
        }
    }
}

fn encode(value: &impl Serialize) -> rusqlite::Result<Vec<u8>> {
    Cbor::to_vec(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// Methods that the adapter answers.
macro_rules! delegated {
    ($(
        $name:ident<$($kind:ident: $bound:ident),+>($($argument:ident: $type:ty),+) -> $out:ty;
    )*) => { $(
        fn $name<$($kind: traits::$bound<VERSION>),+>(
            &self,
            $($argument: $type),+
        ) -> Result<$out, Self::Error> {
            StorageProvider::<VERSION>::$name::<$($kind),+>(&self.rows, $($argument),+)
        }
    )* };
}

impl StorageProvider<VERSION> for Storage<'_> {
    type Error = rusqlite::Error;

    fn write_message_secrets<
        GroupId: traits::GroupId<VERSION>,
        MessageSecrets: traits::MessageSecrets<VERSION>,
    >(
        &self,
        group_id: &GroupId,
        message_secrets: &MessageSecrets,
    ) -> Result<(), Self::Error> {
        let (group, secrets) = (encode(group_id)?, Zeroizing::new(encode(message_secrets)?));
        let Some(deferred) = self.deferred else {
            return write(self.connection, &group, &secrets);
        };
        deferred.0.borrow_mut().insert(group, secrets);
        Ok(())
    }

    fn message_secrets<
        GroupId: traits::GroupId<VERSION>,
        MessageSecrets: traits::MessageSecrets<VERSION>,
    >(
        &self,
        group_id: &GroupId,
    ) -> Result<Option<MessageSecrets>, Self::Error> {
        self.flush()?;
        self.rows.message_secrets(group_id)
    }

    fn delete_message_secrets<GroupId: traits::GroupId<VERSION>>(
        &self,
        group_id: &GroupId,
    ) -> Result<(), Self::Error> {
        self.flush()?;
        self.rows.delete_message_secrets(group_id)
    }

    delegated! {
        write_mls_join_config<G: GroupId, A: MlsGroupJoinConfig>(group: &G, config: &A) -> ();
        append_own_leaf_node<G: GroupId, A: LeafNode>(group: &G, leaf_node: &A) -> ();
        queue_proposal<G: GroupId, A: ProposalRef, B: QueuedProposal>(
            group: &G, reference: &A, proposal: &B
        ) -> ();
        write_tree<G: GroupId, A: TreeSync>(group: &G, tree: &A) -> ();
        write_interim_transcript_hash<G: GroupId, A: InterimTranscriptHash>(
            group: &G, hash: &A
        ) -> ();
        write_context<G: GroupId, A: GroupContext>(group: &G, context: &A) -> ();
        write_confirmation_tag<G: GroupId, A: ConfirmationTag>(group: &G, tag: &A) -> ();
        write_group_state<A: GroupState, G: GroupId>(group: &G, group_state: &A) -> ();
        write_resumption_psk_store<G: GroupId, A: ResumptionPskStore>(group: &G, store: &A) -> ();
        write_own_leaf_index<G: GroupId, A: LeafNodeIndex>(group: &G, index: &A) -> ();
        write_group_epoch_secrets<G: GroupId, A: GroupEpochSecrets>(group: &G, secrets: &A) -> ();
        write_signature_key_pair<A: SignaturePublicKey, B: SignatureKeyPair>(
            key: &A, pair: &B
        ) -> ();
        write_encryption_key_pair<A: EncryptionKey, B: HpkeKeyPair>(key: &A, pair: &B) -> ();
        write_encryption_epoch_key_pairs<G: GroupId, A: EpochKey, B: HpkeKeyPair>(
            group: &G, epoch: &A, index: u32, pairs: &[B]
        ) -> ();
        write_key_package<A: HashReference, B: KeyPackage>(reference: &A, package: &B) -> ();
        write_psk<A: PskId, B: PskBundle>(id: &A, psk: &B) -> ();
        mls_group_join_config<G: GroupId, A: MlsGroupJoinConfig>(group: &G) -> Option<A>;
        own_leaf_nodes<G: GroupId, A: LeafNode>(group: &G) -> Vec<A>;
        queued_proposal_refs<G: GroupId, A: ProposalRef>(group: &G) -> Vec<A>;
        queued_proposals<G: GroupId, A: ProposalRef, B: QueuedProposal>(group: &G) -> Vec<(A, B)>;
        tree<G: GroupId, A: TreeSync>(group: &G) -> Option<A>;
        group_context<G: GroupId, A: GroupContext>(group: &G) -> Option<A>;
        interim_transcript_hash<G: GroupId, A: InterimTranscriptHash>(group: &G) -> Option<A>;
        confirmation_tag<G: GroupId, A: ConfirmationTag>(group: &G) -> Option<A>;
        group_state<A: GroupState, G: GroupId>(group: &G) -> Option<A>;
        resumption_psk_store<G: GroupId, A: ResumptionPskStore>(group: &G) -> Option<A>;
        own_leaf_index<G: GroupId, A: LeafNodeIndex>(group: &G) -> Option<A>;
        group_epoch_secrets<G: GroupId, A: GroupEpochSecrets>(group: &G) -> Option<A>;
        signature_key_pair<A: SignaturePublicKey, B: SignatureKeyPair>(key: &A) -> Option<B>;
        encryption_key_pair<A: HpkeKeyPair, B: EncryptionKey>(key: &B) -> Option<A>;
        encryption_epoch_key_pairs<G: GroupId, A: EpochKey, B: HpkeKeyPair>(
            group: &G, epoch: &A, index: u32
        ) -> Vec<B>;
        key_package<A: HashReference, B: KeyPackage>(reference: &A) -> Option<B>;
        psk<A: PskBundle, B: PskId>(id: &B) -> Option<A>;
        remove_proposal<G: GroupId, A: ProposalRef>(group: &G, reference: &A) -> ();
        delete_own_leaf_nodes<G: GroupId>(group: &G) -> ();
        delete_group_config<G: GroupId>(group: &G) -> ();
        delete_tree<G: GroupId>(group: &G) -> ();
        delete_confirmation_tag<G: GroupId>(group: &G) -> ();
        delete_group_state<G: GroupId>(group: &G) -> ();
        delete_context<G: GroupId>(group: &G) -> ();
        delete_interim_transcript_hash<G: GroupId>(group: &G) -> ();
        delete_all_resumption_psk_secrets<G: GroupId>(group: &G) -> ();
        delete_own_leaf_index<G: GroupId>(group: &G) -> ();
        delete_group_epoch_secrets<G: GroupId>(group: &G) -> ();
        clear_proposal_queue<G: GroupId, A: ProposalRef>(group: &G) -> ();
        delete_signature_key_pair<A: SignaturePublicKey>(key: &A) -> ();
        delete_encryption_key_pair<A: EncryptionKey>(key: &A) -> ();
        delete_encryption_epoch_key_pairs<G: GroupId, A: EpochKey>(
            group: &G, epoch: &A, index: u32
        ) -> ();
        delete_key_package<A: HashReference>(reference: &A) -> ();
        delete_psk<A: PskId>(id: &A) -> ();
    }
}
