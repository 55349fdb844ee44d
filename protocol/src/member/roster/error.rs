//! What can be wrong with an entry, and whose fault it is.

use thiserror::Error;

/// Bad bytes: nobody who follows the specification makes these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EntryError {
    /// More bytes than any entry has.
    #[error("an entry of impossible size")]
    TooLarge,
    /// Not deterministic CBOR of the layout, or a field out of its bounds.
    #[error("the entry is malformed")]
    Malformed,
    /// A newer version than ours: this device cannot follow the roster any more and must say so.
    #[error("entry version {0} is not supported")]
    Version(u64),
    /// An action this version does not know: this device cannot follow the roster any more.
    #[error("entry action {0} is not supported")]
    Action(u64),
}

/// Why an entry does not extend the roster. The roster is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RosterError {
    /// Bad bytes.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// Nobody's fault: another entry took this place; the author rebases on `expected`.
    #[error("the entry does not continue the roster at {expected}")]
    NotNext {
        /// The number the next entry must have.
        expected: u32,
    },
    /// The first entry is not a founding signed by the root it names, or a later one is.
    #[error("a founding stands at the beginning and nowhere else")]
    Founding,
    /// The signature is not the author's.
    #[error("the entry is not signed by its author")]
    Signature,
    /// The author is no device of the team.
    #[error("the entry's author is unknown")]
    UnknownAuthor,
    /// The author was revoked before this place.
    #[error("the entry's author is revoked")]
    RevokedAuthor,
    /// The author's role does not allow the action.
    #[error("the entry's author may not do this")]
    NotAllowed,
    /// Only the root removes the last admin.
    #[error("this would remove the last admin")]
    LastAdmin,
    /// No such device.
    #[error("the device is unknown")]
    UnknownDevice,
    /// The device is revoked, and stays so.
    #[error("the device is revoked")]
    RevokedDevice,
    /// No such member.
    #[error("the member is unknown")]
    UnknownMember,
    /// Another member has this name, upper and lower case being equal.
    #[error("the name is taken")]
    NameTaken,
    /// A further device of a member comes under another name or role than the member's.
    #[error("name or role differ from the member's")]
    MemberDiffers,
    /// A device with one of these keys is or was on the roster.
    #[error("a device key was used before")]
    KeyReused,
    /// The device that vouches is not active, or may not vouch for this member.
    #[error("the voucher may not vouch for this device")]
    Voucher,
    /// The invite brought in another device already.
    #[error("the invite was used by entry {number}")]
    InviteUsed {
        /// The entry that used it.
        number: u32,
    },
    /// A person does not become a bot, nor a bot a person.
    #[error("a bot stays a bot")]
    BotStaysBot,
    /// A bound on the roster's size is reached.
    #[error("the roster is full")]
    Full,
}
