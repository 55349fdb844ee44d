//! Opening application messages.

use openmls::prelude::{
    MlsGroupStateError, MlsMessageIn, ProcessMessageError, ProcessedMessage,
    ProcessedMessageContent, Sender, tls_codec::Deserialize,
};

use super::authority::{Authority, actor};
use super::error::Refused;
use super::group::{Group, member};
use super::peek::{Kind, peek};
use super::provider::Provider;
use super::{MAX_HANDSHAKE, MAX_MESSAGE};
use crate::wire::ids::DeviceId;

/// An opened application message.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// Who sent it.
    pub sender: DeviceId,
    /// What was authenticated beside it.
    pub aad: Vec<u8>,
    /// What it says.
    pub plaintext: Vec<u8>,
}

// A derived Debug would carry the text into a log.
impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened(..)")
    }
}

impl Group {
    /// Opens an application message of the current epoch and consumes its key, so that the same
    /// message opens once.
    ///
    /// Errors: [`Refused`], all but [`Refused::Storage`] the sender's fault. A refused message
    /// changes nothing, except that the key of one by a revoked sender is consumed.
    pub fn decrypt(
        &mut self,
        provider: &Provider<'_>,
        message: &[u8],
        authority: &dyn Authority,
    ) -> Result<Opened, Refused> {
        let processed = self.process(provider, message, Kind::Application, MAX_MESSAGE)?;
        let sender = self.sender(&processed)?;
        let aad = processed.aad().to_vec();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(content) => {
                actor(authority, &sender).ok_or(Refused::SenderNotActive)?;
                Ok(Opened { sender, aad, plaintext: content.into_bytes() })
            }
            ProcessedMessageContent::OwnPrivateMessage => Err(Refused::Own),
            _ => Err(Refused::Malformed),
        }
    }

    /// The cheap checks, then OpenMLS. A message of another kind never reaches it.
    pub(super) fn process(
        &mut self,
        provider: &Provider<'_>,
        message: &[u8],
        kind: Kind,
        max: usize,
    ) -> Result<ProcessedMessage, Refused> {
        if message.len() > max.min(MAX_HANDSHAKE) {
            return Err(Refused::Malformed);
        }
        let peek = peek(message).filter(|p| p.kind == kind).ok_or(Refused::Malformed)?;
        if peek.room != self.room {
            return Err(Refused::OtherRoom);
        }
        if peek.epoch != self.epoch() {
            return Err(Refused::Epoch);
        }
        let message = MlsMessageIn::tls_deserialize_exact(message)
            .ok()
            .and_then(|message| message.try_into_protocol_message().ok())
            .ok_or(Refused::Malformed)?;
        self.mls.process_message(provider, message).map_err(|error| match error {
            ProcessMessageError::StorageError(error) => Refused::Storage(error),
            ProcessMessageError::GroupStateError(MlsGroupStateError::UseAfterEviction) => {
                Refused::NotAMember
            }
            _ => Refused::Unreadable,
        })
    }

    /// The device of a message's sender.
    pub(super) fn sender(&self, processed: &ProcessedMessage) -> Result<DeviceId, Refused> {
        let Sender::Member(leaf) = processed.sender() else { return Err(Refused::Malformed) };
        self.mls
            .member_at(*leaf)
            .and_then(|leaf| member(&leaf))
            .map(|member| member.device)
            .ok_or(Refused::SenderNotActive)
    }
}
