//! A true handshake of a device or a newcomer, and frames after it, each message changed on its way as
//! the input says: no end panics, and no changed message is taken for a good one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use staffetta_protocol::noise::keys::{AccessSecret, StaticSecret};
use staffetta_protocol::secret::Secret;
use staffetta_protocol::session::device::{self, DeviceSession};
use staffetta_protocol::session::relay::{self, RelaySession};
use staffetta_protocol::wire::frame::ToRelay;

/// The changes, one a message: how it is made (nothing, a byte, cut, lengthened, something else).
struct Changes<'a>(&'a [u8]);

impl Changes<'_> {
    /// The message as it arrives, and whether it was changed.
    fn apply(&mut self, message: &[u8]) -> (Vec<u8>, bool) {
        let mut arrived = message.to_vec();
        let Some((head, rest)) = self.0.split_first_chunk::<4>() else { return (arrived, false) };
        let [how, high, low, value] = *head;
        let at = usize::from(u16::from_be_bytes([high, low]));
        self.0 = rest;
        match how % 5 {
            1 => {
                let at = at % arrived.len();
                arrived[at] ^= value;
            }
            2 => arrived.truncate(at),
            3 => arrived.resize(arrived.len() + at, value),
            4 => {
                let len = rest.len().min(at);
                arrived = rest[..len].to_vec();
                self.0 = &rest[len..];
            }
            _ => {}
        }
        let is_changed = arrived != message;
        (arrived, is_changed)
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, changes)) = data.split_first() else { return };
    let secret = |byte: u8| Secret::<32>::copy(&[byte; 32]).unwrap();
    let (key, own) = (StaticSecret::from_secret(secret(1)), StaticSecret::from_secret(secret(2)));
    let access = AccessSecret::from_secret(secret(3));
    let psk = access.psk();
    let (mut device, mut relay) = if kind % 2 == 0 {
        let row = access.bind(&own.public());
        let device = DeviceSession::device(0, &key.public(), &own, &psk, 1).unwrap();
        (device, RelaySession::device(0, &key, access, row).unwrap())
    } else {
        let device = DeviceSession::newcomer(0, &own, &psk).unwrap();
        (device, RelaySession::newcomer(0, &key, &psk).unwrap())
    };
    let mut changes = Changes(changes);
    let mut spoiled = false;
    for round in 0..8 {
        let mut to_relay = Vec::new();
        while let Some(output) = device.poll() {
            if let device::Output::Transmit(message) = output {
                to_relay.push(message);
            }
        }
        for message in to_relay {
            let (message, is_changed) = changes.apply(&message);
            spoiled |= is_changed;
            relay.handle(0, relay::Input::Message(&message));
        }
        let mut to_device = Vec::new();
        while let Some(output) = relay.poll() {
            match output {
                relay::Output::Transmit(message) => to_device.push(message),
                relay::Output::Hello { .. } | relay::Output::Frame(_) => {
                    assert!(!spoiled, "a changed message was taken for a good one");
                }
                relay::Output::Close(_) => {}
            }
        }
        for message in to_device {
            let (message, is_changed) = changes.apply(&message);
            spoiled |= is_changed;
            device.handle(0, device::Input::Message(&message));
        }
        if round > 1 {
            device.handle(0, device::Input::Send(&ToRelay::Ping));
        }
    }
});
