//! An established hop: frames sealed and opened, keys renewed.

use bytes::Bytes;
use snow::TransportState;

use super::NoiseError;
use crate::wire::frame::FLAG_REKEY;
use crate::wire::limits::{FRAME_SIZES, NOISE_TAG, REKEY_MESSAGES, REKEY_MS};

/// Both directions of an established hop.
pub struct Channel {
    transport: Box<TransportState>,
    sent: u64,
    rekeyed_ms: u64,
}

impl Channel {
    pub(super) fn new(transport: TransportState, now_ms: u64) -> Self {
        Self { transport: Box::new(transport), sent: 0, rekeyed_ms: now_ms }
    }

    /// Seals one frame's plaintext. When a rekey is due, flags the frame and rekeys after it.
    ///
    /// # Errors
    /// [`NoiseError::Misuse`] if the plaintext does not have one of the four sizes.
    pub fn seal(&mut self, now_ms: u64, mut plaintext: Vec<u8>) -> Result<Bytes, NoiseError> {
        if !FRAME_SIZES.contains(&plaintext.len()) {
            return Err(NoiseError::Misuse);
        }
        self.sent += 1;
        let due = self.sent >= REKEY_MESSAGES || now_ms.saturating_sub(self.rekeyed_ms) >= REKEY_MS;
        if let (true, Some(flags)) = (due, plaintext.first_mut()) {
            *flags |= FLAG_REKEY;
        }
        let mut message = vec![0; plaintext.len() + NOISE_TAG];
        self.transport.write_message(&plaintext, &mut message).map_err(|_| NoiseError::Misuse)?;
        if due {
            self.transport.rekey_outgoing();
            (self.sent, self.rekeyed_ms) = (0, now_ms);
        }
        Ok(message.into())
    }

    /// Opens one message and returns the frame's plaintext.
    ///
    /// # Errors
    /// [`NoiseError::Refused`] if it is not authentic, or not of one of the four sizes.
    pub fn open(&mut self, message: &[u8]) -> Result<Bytes, NoiseError> {
        let len = message.len().checked_sub(NOISE_TAG).ok_or(NoiseError::Refused)?;
        if !FRAME_SIZES.contains(&len) {
            return Err(NoiseError::Refused);
        }
        let mut plaintext = vec![0; len];
        self.transport.read_message(message, &mut plaintext).map_err(|_| NoiseError::Refused)?;
        if plaintext.first().is_some_and(|flags| flags & FLAG_REKEY != 0) {
            self.transport.rekey_incoming();
        }
        Ok(plaintext.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::handshake::{HANDSHAKE_MESSAGE, Handshake};
    use super::super::keys::{AccessSecret, StaticSecret};
    use super::*;
    use crate::random::OsRandom;

    fn pair() -> (Channel, Channel) {
        let relay = StaticSecret::generate(&mut OsRandom);
        let device = StaticSecret::generate(&mut OsRandom);
        let access = AccessSecret::generate(&mut OsRandom);
        let mut a = Handshake::device(&relay.public(), &device, &access.psk()).unwrap();
        let mut b = Handshake::relay_for_device(&relay, &access.psk()).unwrap();
        for _ in 0..3 {
            let message = a.write().unwrap();
            assert_eq!(message.len(), HANDSHAKE_MESSAGE);
            b.read(&message).unwrap();
            std::mem::swap(&mut a, &mut b);
        }
        // After three swaps `a` is the relay's side.
        assert_eq!(a.remote_static(), Some(device.public()));
        (b.into_channel(0).unwrap(), a.into_channel(0).unwrap())
    }

    #[test]
    fn a_rekey_is_announced_by_a_flagged_frame() {
        let (mut device, mut relay) = pair();
        let frame = || vec![0; FRAME_SIZES[0]];
        for round in 0..5 {
            let sealed = device.seal(round * REKEY_MS, frame()).unwrap();
            let opened = relay.open(&sealed).unwrap();
            assert_eq!(opened[0], if round == 0 { 0 } else { FLAG_REKEY });
            let back = relay.seal(0, frame()).unwrap();
            assert!(device.open(&back).is_ok());
        }
    }

    #[test]
    fn a_rekey_comes_after_2_to_the_16_messages() {
        let (mut device, mut relay) = pair();
        for count in 1..=REKEY_MESSAGES + 1 {
            let sealed = device.seal(0, vec![0; FRAME_SIZES[0]]).unwrap();
            let opened = relay.open(&sealed).unwrap();
            assert_eq!(opened[0] == FLAG_REKEY, count == REKEY_MESSAGES);
        }
    }

    #[test]
    fn a_message_out_of_order_or_of_another_size_is_refused() {
        let (mut device, mut relay) = pair();
        let _lost = device.seal(0, vec![0; FRAME_SIZES[0]]).unwrap();
        let second = device.seal(0, vec![0; FRAME_SIZES[0]]).unwrap();
        assert_eq!(relay.open(&second), Err(NoiseError::Refused));
        assert_eq!(relay.open(&[0; 40]), Err(NoiseError::Refused));
    }

    #[test]
    fn a_wrong_psk_is_refused() {
        let relay = StaticSecret::generate(&mut OsRandom);
        let device = StaticSecret::generate(&mut OsRandom);
        let (a, b) = (AccessSecret::generate(&mut OsRandom), AccessSecret::generate(&mut OsRandom));
        let mut a = Handshake::device(&relay.public(), &device, &a.psk()).unwrap();
        let mut b = Handshake::relay_for_device(&relay, &b.psk()).unwrap();
        assert_eq!(b.read(&a.write().unwrap()), Err(NoiseError::Refused));
    }

    #[test]
    fn a_newcomer_learns_the_relays_static_key_before_it_sends_anything() {
        let relay = StaticSecret::generate(&mut OsRandom);
        let throwaway = StaticSecret::generate(&mut OsRandom);
        let psk = AccessSecret::generate(&mut OsRandom).psk();
        let mut newcomer = Handshake::newcomer(&throwaway, &psk).unwrap();
        let mut server = Handshake::relay_for_newcomer(&relay, &psk).unwrap();
        server.read(&newcomer.write().unwrap()).unwrap();
        newcomer.read(&server.write().unwrap()).unwrap();
        assert_eq!(newcomer.remote_static(), Some(relay.public()));
        server.read(&newcomer.write().unwrap()).unwrap();
        assert!(server.is_finished() && newcomer.is_finished());
    }
}
