use bytes::Bytes;

use super::device::{self, DeviceSession};
use super::relay::{self, Peer, RelaySession};
use super::*;
use crate::noise::keys::{AccessSecret, StaticSecret};
use crate::random::OsRandom;
use crate::secret::Secret;
use crate::wire::Cells;
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::{CellId, Digest, Lane, LogId};
use crate::wire::limits::CELL;

struct World {
    relay_key: StaticSecret,
    transport: StaticSecret,
    access: AccessSecret,
}

fn world() -> World {
    World {
        relay_key: StaticSecret::generate(&mut OsRandom),
        transport: StaticSecret::generate(&mut OsRandom),
        access: AccessSecret::generate(&mut OsRandom),
    }
}

fn copy(access: &AccessSecret) -> AccessSecret {
    AccessSecret::from_secret(Secret::copy(access.secret().expose()).unwrap())
}

impl World {
    fn device(&self) -> DeviceSession {
        let psk = self.access.psk();
        DeviceSession::device(0, &self.relay_key.public(), &self.transport, &psk, 5).unwrap()
    }

    fn relay(&self) -> RelaySession {
        let transport = self.access.bind(&self.transport.public());
        RelaySession::device(0, &self.relay_key, copy(&self.access), transport).unwrap()
    }
}

/// Carries messages both ways until neither end has anything to send.
fn run(
    device: &mut DeviceSession,
    relay: &mut RelaySession,
) -> (Vec<device::Output>, Vec<relay::Output>) {
    let (mut at_device, mut at_relay) = (Vec::new(), Vec::new());
    loop {
        let mut to_relay: Vec<Bytes> = Vec::new();
        while let Some(output) = device.poll() {
            match output {
                device::Output::Transmit(message) => to_relay.push(message),
                other => at_device.push(other),
            }
        }
        for message in &to_relay {
            relay.handle(0, relay::Input::Message(message));
        }
        let mut to_device: Vec<Bytes> = Vec::new();
        while let Some(output) = relay.poll() {
            match output {
                relay::Output::Transmit(message) => to_device.push(message),
                other => at_relay.push(other),
            }
        }
        for message in &to_device {
            device.handle(0, device::Input::Message(message));
        }
        if to_relay.is_empty() && to_device.is_empty() {
            return (at_device, at_relay);
        }
    }
}

fn welcome() -> ToDevice {
    ToDevice::Welcome {
        version: 1,
        lane: Lane(0),
        log: LogId([1; 16]),
        oldest: 1,
        head: 4,
        hash: Digest([2; 32]),
        admin: false,
        blob_quota: 0,
    }
}

#[test]
fn a_device_says_hello_is_welcomed_and_talks() {
    let world = world();
    let (mut device, mut relay) = (world.device(), world.relay());
    let (_, at_relay) = run(&mut device, &mut relay);
    assert!(matches!(
        at_relay[..],
        [relay::Output::Hello { peer: Peer::Device, version: 1, lane: Lane(0), resume: 5 }]
    ));
    relay.handle(0, relay::Input::Send(&welcome()));
    let (at_device, _) = run(&mut device, &mut relay);
    assert!(matches!(at_device[..], [device::Output::Frame(ToDevice::Welcome { head: 4, .. })]));
    let cells = Cells::collect([(CellId([9; 16]), &[8; CELL])]);
    device.handle(0, device::Input::Send(&ToRelay::Put { lane: Lane(0), request: 3, cells }));
    let (_, at_relay) = run(&mut device, &mut relay);
    assert!(matches!(at_relay[..], [relay::Output::Frame(ToRelay::Put { request: 3, .. })]));
}

#[test]
fn after_message_3_the_static_key_must_match_the_row_whose_handle_was_used() {
    let (world, thief) = (world(), world());
    let psk = world.access.psk();
    let mut device =
        DeviceSession::device(0, &world.relay_key.public(), &thief.transport, &psk, 1).unwrap();
    let mut relay = world.relay();
    let (_, at_relay) = run(&mut device, &mut relay);
    assert!(matches!(at_relay[..], [relay::Output::Close(Closed::WrongRow)]));
}

#[test]
fn no_common_version_is_a_clear_error_on_both_sides() {
    let world = world();
    let (mut device, mut relay) = (world.device(), world.relay());
    device.speak_only_for_tests(7, 9);
    let (at_device, at_relay) = run(&mut device, &mut relay);
    assert!(matches!(at_relay[..], [relay::Output::Close(Closed::NoVersion { min: 7, max: 9 })]));
    assert!(matches!(at_device[..], [device::Output::Close(Closed::NoVersion { min: 1, max: 1 })]));
}

#[test]
fn a_newcomer_can_only_join() {
    let world = world();
    let throwaway = StaticSecret::generate(&mut OsRandom);
    let psk = world.access.psk();
    let mut device = DeviceSession::newcomer(0, &throwaway, &psk).unwrap();
    let mut relay = RelaySession::newcomer(0, &world.relay_key, &psk).unwrap();
    let (at_device, at_relay) = run(&mut device, &mut relay);
    let [device::Output::RelayKey(key)] = at_device[..] else { unreachable!() };
    assert_eq!(key, world.relay_key.public());
    let newcomer = Peer::Newcomer(throwaway.public());
    assert!(matches!(at_relay[..], [relay::Output::Hello { peer, .. }] if peer == newcomer));
    relay.handle(0, relay::Input::Send(&welcome()));
    run(&mut device, &mut relay);
    device.handle(0, device::Input::Send(&ToRelay::Seen { lane: Lane(0), seq: 1 }));
    let (_, at_relay) = run(&mut device, &mut relay);
    assert!(matches!(at_relay[..], [relay::Output::Close(Closed::Misbehaved)]));
}

#[test]
fn a_frame_that_has_no_place_ends_the_connection() {
    let hello = || ToRelay::Hello { min: 1, max: 1, lane: Lane(0), resume: 1 };
    let cells = || Cells::collect([(CellId([9; 16]), &[8; CELL])]);
    for frame in [hello(), ToRelay::Join { request: 1, cells: cells() }] {
        let world = world();
        let (mut device, mut relay) = (world.device(), world.relay());
        run(&mut device, &mut relay);
        relay.handle(0, relay::Input::Send(&welcome()));
        run(&mut device, &mut relay);
        device.handle(0, device::Input::Send(&frame));
        let (_, at_relay) = run(&mut device, &mut relay);
        assert!(matches!(at_relay[..], [relay::Output::Close(Closed::Misbehaved)]));
        // Nothing is heard after it.
        assert!(relay.deadline().is_none());
    }
}

#[test]
fn random_bytes_close_the_session_on_either_side() {
    let world = world();
    for len in [0, 1, 48, 1_120, 4_240] {
        let mut relay = world.relay();
        relay.handle(0, relay::Input::Message(&vec![0xAA; len]));
        assert!(matches!(relay.poll(), Some(relay::Output::Close(Closed::NotAuthentic))));
        assert!(relay.deadline().is_none());
        let mut device = world.device();
        let _first_message = device.poll();
        device.handle(0, device::Input::Message(&vec![0xAA; len]));
        assert!(matches!(device.poll(), Some(device::Output::Close(Closed::NotAuthentic))));
    }
}

#[test]
fn a_silent_peer_times_out_and_a_quiet_device_pings() {
    let world = world();
    let (mut device, mut relay) = (world.device(), world.relay());
    relay.handle(HANDSHAKE_MS, relay::Input::Tick);
    assert!(matches!(relay.poll(), Some(relay::Output::Close(Closed::TimedOut))));
    let mut relay = world.relay();
    run(&mut device, &mut relay);
    relay.handle(0, relay::Input::Send(&welcome()));
    run(&mut device, &mut relay);
    assert_eq!(device.deadline(), Some(PING_MS));
    device.handle(PING_MS, device::Input::Tick);
    let (_, at_relay) = run(&mut device, &mut relay);
    assert!(matches!(at_relay[..], [relay::Output::Frame(ToRelay::Ping)]));
    device.handle(DEAD_MS, device::Input::Tick);
    assert!(matches!(device.poll(), Some(device::Output::Close(Closed::TimedOut))));
}
