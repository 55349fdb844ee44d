//! The handshakes of the hop (Noise Protocol Framework, revision 34, sections 7 and 9).

use snow::HandshakeState;

use super::channel::Channel;
use super::keys::{HopPsk, StaticPublic, StaticSecret};
use super::{NoiseError, builder};
use crate::wire::limits::{FRAME_SIZES, NOISE_TAG, WIRE_MAJOR};

const DEVICE: &str = "Noise_XKpsk0_25519_ChaChaPoly_BLAKE2s";
const NEWCOMER: &str = "Noise_XXpsk0_25519_ChaChaPoly_BLAKE2s";

/// Bytes of every handshake message: those of the smallest frame, so that sizes tell nothing.
pub const HANDSHAKE_MESSAGE: usize = FRAME_SIZES[0] + NOISE_TAG;

/// One side of a handshake of three messages.
pub struct Handshake {
    state: Box<HandshakeState>,
    /// What each message costs beside its payload.
    overhead: [usize; 3],
    turn: usize,
}

fn prologue() -> [u8; 11] {
    let mut out = *b"staffetta/\0";
    if let Some(last) = out.last_mut() {
        *last = WIRE_MAJOR;
    }
    out
}

impl Handshake {
    /// An enrolled device's side: `XKpsk0`, initiator. Its static key shows only to the holder of
    /// `relay`'s private key.
    pub fn device(
        relay: &StaticPublic,
        transport: &StaticSecret,
        psk: &HopPsk,
    ) -> Result<Self, NoiseError> {
        Self::start(DEVICE, transport, psk, Some(relay), true)
    }

    /// The relay's side for an enrolled device: `XKpsk0`, responder.
    pub fn relay_for_device(relay: &StaticSecret, psk: &HopPsk) -> Result<Self, NoiseError> {
        Self::start(DEVICE, relay, psk, None, false)
    }

    /// A newcomer's side: `XXpsk0`, initiator, with a throwaway key. The caller compares
    /// [`Handshake::remote_static`] with the invite's bundle before it sends its request.
    pub fn newcomer(throwaway: &StaticSecret, psk: &HopPsk) -> Result<Self, NoiseError> {
        Self::start(NEWCOMER, throwaway, psk, None, true)
    }

    /// The relay's side for a newcomer: `XXpsk0`, responder.
    pub fn relay_for_newcomer(relay: &StaticSecret, psk: &HopPsk) -> Result<Self, NoiseError> {
        Self::start(NEWCOMER, relay, psk, None, false)
    }

    fn start(
        pattern: &str,
        own: &StaticSecret,
        psk: &HopPsk,
        remote: Option<&StaticPublic>,
        initiator: bool,
    ) -> Result<Self, NoiseError> {
        let prologue = prologue();
        let mut build = builder(pattern)?
            .prologue(&prologue)
            .and_then(|b| b.psk(0, psk.secret().expose()))
            .and_then(|b| b.local_private_key(own.secret().expose()))
            .map_err(|_| NoiseError::Misuse)?;
        if let Some(remote) = remote {
            build = build.remote_public_key(&remote.0).map_err(|_| NoiseError::Misuse)?;
        }
        let state = if initiator { build.build_initiator() } else { build.build_responder() };
        Ok(Self {
            state: Box::new(state.map_err(|_| NoiseError::Misuse)?),
            overhead: if pattern == DEVICE { [48, 48, 64] } else { [48, 96, 64] },
            turn: 0,
        })
    }

    /// The next message, [`HANDSHAKE_MESSAGE`] bytes.
    ///
    /// # Errors
    /// [`NoiseError::Misuse`] if it is the peer's turn.
    pub fn write(&mut self) -> Result<Vec<u8>, NoiseError> {
        let overhead = self.overhead.get(self.turn).ok_or(NoiseError::Misuse)?;
        let padding = vec![0; HANDSHAKE_MESSAGE - overhead];
        let mut message = vec![0; HANDSHAKE_MESSAGE];
        let len =
            self.state.write_message(&padding, &mut message).map_err(|_| NoiseError::Misuse)?;
        self.turn += 1;
        if len == HANDSHAKE_MESSAGE { Ok(message) } else { Err(NoiseError::Misuse) }
    }

    /// Reads the peer's next message; its payload is padding and is thrown away.
    ///
    /// # Errors
    /// [`NoiseError::Refused`] if it is not authentic or has another size.
    pub fn read(&mut self, message: &[u8]) -> Result<(), NoiseError> {
        if message.len() != HANDSHAKE_MESSAGE || self.state.is_my_turn() {
            return Err(NoiseError::Refused);
        }
        let mut payload = vec![0; HANDSHAKE_MESSAGE];
        self.state.read_message(message, &mut payload).map_err(|_| NoiseError::Refused)?;
        self.turn += 1;
        Ok(())
    }

    /// Whether all three messages went through.
    pub fn is_finished(&self) -> bool {
        self.state.is_handshake_finished()
    }

    /// The peer's static key, once it is known.
    pub fn remote_static(&self) -> Option<StaticPublic> {
        self.state.get_remote_static()?.try_into().ok().map(StaticPublic)
    }

    /// Goes over to transport; `now_ms` starts the clock of the first rekey.
    ///
    /// # Errors
    /// [`NoiseError::Misuse`] unless the handshake is finished.
    pub fn into_channel(self, now_ms: u64) -> Result<Channel, NoiseError> {
        let transport = self.state.into_transport_mode().map_err(|_| NoiseError::Misuse)?;
        Ok(Channel::new(transport, now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::AccessSecret;
    use super::*;
    use crate::random::OsRandom;

    fn pair() -> (Handshake, Handshake) {
        let relay = StaticSecret::generate(&mut OsRandom);
        let device = StaticSecret::generate(&mut OsRandom);
        let psk = AccessSecret::generate(&mut OsRandom).psk();
        (
            Handshake::device(&relay.public(), &device, &psk).unwrap(),
            Handshake::relay_for_device(&relay, &psk).unwrap(),
        )
    }

    #[test]
    fn a_handshake_message_of_another_size_is_refused_even_if_it_is_authentic() {
        for padding in [0, 1_071] {
            let (mut device, mut relay) = pair();
            let mut message = vec![0; HANDSHAKE_MESSAGE];
            let len = device.state.write_message(&vec![0; padding], &mut message).unwrap();
            assert_eq!(relay.read(&message[..len]), Err(NoiseError::Refused));
        }
    }

    #[test]
    fn nobody_writes_or_reads_out_of_turn_and_there_is_no_fourth_message() {
        let (mut device, mut relay) = pair();
        assert_eq!(relay.write(), Err(NoiseError::Misuse));
        assert_eq!(device.read(&[0; HANDSHAKE_MESSAGE]), Err(NoiseError::Refused));
        for _ in 0..3 {
            assert!(!device.is_finished() || !relay.is_finished());
            let message = device.write().unwrap();
            assert_eq!(device.write(), Err(NoiseError::Misuse));
            relay.read(&message).unwrap();
            std::mem::swap(&mut device, &mut relay);
        }
        assert!(device.is_finished() && relay.is_finished());
        assert_eq!(device.write(), Err(NoiseError::Misuse));
        assert_eq!(relay.write(), Err(NoiseError::Misuse));
    }

    #[test]
    fn no_channel_comes_of_an_unfinished_handshake() {
        let (device, _) = pair();
        assert!(matches!(device.into_channel(0), Err(NoiseError::Misuse)));
    }
}
