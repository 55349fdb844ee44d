//! Errors, by who is at fault: the peer that sent it, the caller, or the world.

use thiserror::Error;

/// A step of one's own failed. Roll back, drop the group and load it again.
#[derive(Debug, Error)]
pub enum Error {
    /// The device's store failed.
    #[error("the device's store failed")]
    Storage(#[from] rusqlite::Error),
    /// This device is no longer in the room.
    #[error("this device is not in the room")]
    NotAMember,
    /// The device asked about is not in the room.
    #[error("that device is not in the room")]
    NoSuchLeaf,
    /// A leaf of the room is not active on the roster: remove it first.
    #[error("the room holds a revoked device")]
    RevokedLeaf,
    /// A text, a note, a message or a list is longer than its limit.
    #[error("longer than the limit")]
    TooLong,
    /// The stored group has no room state of ours.
    #[error("the stored group is not a room")]
    NotARoom,
    /// OpenMLS refused or failed where no input of a peer was involved.
    #[error("OpenMLS: {0}")]
    Library(&'static str),
}

/// A commit of one's own could not be built.
#[derive(Debug, Error)]
pub enum CommitError {
    /// A commit is pending already: wait for its place.
    #[error("a commit is pending")]
    Pending,
    /// There is nothing to commit.
    #[error("nothing to commit")]
    Nothing,
    /// Everybody would find the commit INVALID.
    #[error("the room would refuse it: {0}")]
    Refused(Invalid),
    /// A KeyPackage cannot be used.
    #[error("a KeyPackage cannot be used: {0}")]
    Package(LeafFault),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl From<rusqlite::Error> for CommitError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Other(Error::Storage(error))
    }
}

/// Why a leaf (of an Add, of a path, of a Welcome's tree) is not acceptable: the fault is its
/// owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LeafFault {
    /// Too long, or not a KeyPackage.
    #[error("malformed")]
    Malformed,
    /// Another suite than ours.
    #[error("another cipher suite")]
    Suite,
    /// Its credential is longer than `MAX_CREDENTIAL` bytes.
    #[error("the credential is too long")]
    CredentialTooLong,
    /// Its credential is no leaf certificate.
    #[error("the credential is not a certificate")]
    Credential,
    /// The certificate is not by the device's identity key, or not for this leaf key.
    #[error("the certificate does not hold")]
    Certificate,
    /// The device is not active on the roster.
    #[error("the device is not active")]
    NotActive,
    /// The lifetime is not the unlimited one.
    #[error("the lifetime is limited")]
    Lifetime,
    /// It lacks the capabilities that rooms require.
    #[error("required capabilities are missing")]
    Capabilities,
    /// The leaf is longer than `MAX_LEAF` bytes.
    #[error("the leaf is too long")]
    TooLong,
}

/// Why a commit is INVALID: it changes nothing, for anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    /// Longer than `MAX_HANDSHAKE`, or not an MLS message.
    #[error("malformed")]
    Malformed,
    /// Not a PublicMessage with a commit by a member.
    #[error("not a commit")]
    NotACommit,
    /// For another room.
    #[error("for another room")]
    OtherRoom,
    /// For another epoch.
    #[error("for another epoch")]
    Epoch,
    /// This device was removed and judges no more.
    #[error("this device is not in the room")]
    NotAMember,
    /// It breaks a rule of RFC 9420 (signature, proposals by reference, path, tree).
    #[error("against RFC 9420")]
    Mls,
    /// A wrong confirmation tag, without a path.
    #[error("wrong confirmation tag")]
    ConfirmationTag,
    /// No commit note, or one with fields of another version.
    #[error("no commit note")]
    Note,
    /// It relies on an older roster than an earlier commit of the room.
    #[error("the roster number went back")]
    RosterWentBack,
    /// The author is not active on the roster.
    #[error("the author is not active")]
    AuthorNotActive,
    /// The author may not commit in this room.
    #[error("the author may not commit here")]
    AuthorMayNotCommit,
    /// A proposal other than Add, Remove and a change of the room state, by value.
    #[error("a proposal that rooms do not use")]
    Proposal,
    /// More than `MAX_ADDS` Adds.
    #[error("too many adds")]
    TooManyAdds,
    /// An added leaf is not acceptable.
    #[error("an added leaf: {0}")]
    Added(LeafFault),
    /// The author may not add this device.
    #[error("the author may not add")]
    MayNotAdd,
    /// The author may not remove this device.
    #[error("the author may not remove")]
    MayNotRemove,
    /// The author is itself to be removed, and nobody commits its own removal.
    #[error("the author is to be removed")]
    RemovesAuthor,
    /// One device would have two leaves.
    #[error("the device is in the room already")]
    Twice,
    /// Remove and Add of one device without a resync request.
    #[error("removes and adds one device")]
    RemoveAndAdd,
    /// A resync request that does not allow what the commit does.
    #[error("the resync request does not allow this")]
    Resync,
    /// A leaf that is not active on the roster would stay.
    #[error("a revoked leaf would stay")]
    RevokedStays,
    /// A removal asked for in this epoch is missing.
    #[error("a removal asked for is missing")]
    RemovalMissing,
    /// A direct room would hold more than two members.
    #[error("a direct room of more than two")]
    DirectOfTwo,
    /// The path's leaf is not the author's.
    #[error("the path leaf: {0}")]
    Path(LeafFault),
    /// The group context would change in a way that nobody, or not the author, may bring about.
    #[error("the group context would change")]
    Context,
}

/// Why a commit is BROKEN: it won all the same; freeze the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// Its path holds no secret that this device can open.
    #[error("the path cannot be opened")]
    Path,
    /// Its confirmation tag is wrong, with a path.
    #[error("wrong confirmation tag")]
    ConfirmationTag,
    /// It is by this device's own leaf, and not the commit that is pending here: there is a copy of
    /// this device, or its store went back.
    #[error("a commit of this device that it does not know")]
    OwnUnknown,
    /// OpenMLS could not finish what its own checks had accepted.
    #[error("OpenMLS failed")]
    Library,
}

/// Why a message or a proposal is void.
#[derive(Debug, Error)]
pub enum Refused {
    /// Too long, or not an MLS message of the expected kind.
    #[error("malformed")]
    Malformed,
    /// For another room.
    #[error("for another room")]
    OtherRoom,
    /// From another epoch.
    #[error("from another epoch")]
    Epoch,
    /// It claims this device's leaf. Any member can forge that claim.
    #[error("claims to be our own")]
    Own,
    /// It cannot be opened: forged, repeated, or too far ahead.
    #[error("cannot be opened")]
    Unreadable,
    /// Its sender is not active on the roster.
    #[error("the sender is not active")]
    SenderNotActive,
    /// The sender may not ask for this.
    #[error("the sender may not")]
    MayNot,
    /// This device is no longer in the room.
    #[error("this device is not in the room")]
    NotAMember,
    /// The device's store failed: no answer. Roll back and try again.
    #[error("the device's store failed")]
    Storage(#[from] rusqlite::Error),
}

/// Why a Welcome does not open a room.
#[derive(Debug, Error)]
pub enum WelcomeFault {
    /// Too long, or not a Welcome.
    #[error("malformed")]
    Malformed,
    /// No KeyPackage of ours is named: resync.
    #[error("no matching KeyPackage")]
    NoMatchingKeyPackage,
    /// This device has a group for the room already.
    #[error("this device is in the room already")]
    AlreadyIn,
    /// It breaks a rule of RFC 9420, or its secrets cannot be opened.
    #[error("against RFC 9420")]
    Mls,
    /// The group is not a room of ours: suite, room id, room state or note.
    #[error("not a room")]
    NotARoom,
    /// A leaf of the tree is not acceptable.
    #[error("a leaf of the room: {0}")]
    Leaf(LeafFault),
    /// One device has two leaves.
    #[error("a device is in the room twice")]
    Twice,
    /// The sender is not active, or may not add this device.
    #[error("the sender may not add")]
    MayNotAdd,
    /// The room relies on a roster number that is not known here yet.
    #[error("the roster is not known yet")]
    NeedsRoster(u32),
    /// The device's store failed: no answer. Roll back and try again.
    #[error("the device's store failed")]
    Storage(#[from] rusqlite::Error),
}
