//! The identifiers of the protocol: fixed-size byte strings that cannot be mixed up.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Reads the id, or returns `None` unless `bytes` has exactly [`Self::LEN`] bytes.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// A fresh random id.
            pub fn random(random: &mut (impl crate::random::Random + ?Sized)) -> Self {
                Self(crate::random::bytes(random))
            }

            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// Lower-case hexadecimal, for a person's screen or a command's JSON; never for a log.
            pub fn to_hex(&self) -> String {
                data_encoding::HEXLOWER.encode(&self.0)
            }

            /// Reads hexadecimal of exactly twice [`Self::LEN`] digits, upper or lower case.
            pub fn from_hex(text: &str) -> Option<Self> {
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
                Self::from_slice(&bytes)
            }
        }

        // Ids link people and machines, so a derived Debug must not carry them into a log.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

id!(
    /// The random identity of one log; a restored or replaced log has another one.
    LogId,
    16
);
id!(
    /// A cell's random id, chosen by its sender, which makes PUT idempotent.
    CellId,
    16
);
id!(
    /// The id of a blob: BLAKE2s-256 of its write secret.
    BlobId,
    32
);
id!(
    /// The id of an invite, derived from its secret.
    InviteId,
    16
);
id!(
    /// The identity of a team: BLAKE2s-256 of roster entry 0.
    TeamId,
    32
);
id!(
    /// The identity of a device: BLAKE2s-128 of its identity public key.
    DeviceId,
    16
);
id!(
    /// The identity of a member (a person or a bot), random, chosen at the member's first entry.
    MemberId,
    16
);
id!(
    /// The identity of a room: its MLS group id, random.
    RoomId,
    16
);
id!(
    /// The id of a message's content, random, signed inside, equal on all devices.
    ContentId,
    16
);
id!(
    /// A BLAKE2s-256 digest, of whatever the field that holds it says.
    Digest,
    32
);

/// A position in a log, from 1; 0 means before the first cell.
pub type Seq = u64;

/// An independent log of a relay. Only lane 0 exists at present; every operation names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(pub u16);
