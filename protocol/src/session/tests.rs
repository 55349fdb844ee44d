use bytes::Bytes;

use super::device::{self, DeviceSession};
use super::relay::{self, Peer, RelaySession};
use super::*;
use crate::noise::keys::{AccessSecret, StaticSecret};
use crate::random::OsRandom;
use crate::secret::Secret;
use crate::wire::Cells;
use crate::wire::frame::{JoinState, ToDevice, ToRelay};
use crate::wire::ids::{CellId, Digest, Lane, LogId};
use crate::wire::limits::CELL;
use crate::wire::rows::SignedRows;

/// When sessions begin here: long after the clock did, so that a span is never mistaken for a time.
const NOW: u64 = 1_000_000;

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
        DeviceSession::device(NOW, &self.relay_key.public(), &self.transport, &psk, 5).unwrap()
    }

    fn relay(&self) -> RelaySession {
        let transport = self.access.bind(&self.transport.public());
        RelaySession::device(NOW, &self.relay_key, copy(&self.access), transport).unwrap()
    }
}

fn run(
    device: &mut DeviceSession,
    relay: &mut RelaySession,
) -> (Vec<device::Output>, Vec<relay::Output>) {
    run_at(NOW, device, relay)
}

/// Carries messages both ways until neither end has anything to send.
fn run_at(
    now: u64,
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
            relay.handle(now, relay::Input::Message(message));
        }
        let mut to_device: Vec<Bytes> = Vec::new();
        while let Some(output) = relay.poll() {
            match output {
                relay::Output::Transmit(message) => to_device.push(message),
                other => at_relay.push(other),
            }
        }
        for message in &to_device {
            device.handle(now, device::Input::Message(message));
        }
        if to_relay.is_empty() && to_device.is_empty() {
            return (at_device, at_relay);
        }
    }
}

fn welcome() -> ToDevice {
    welcome_to(1)
}

fn welcome_to(version: u16) -> ToDevice {
    ToDevice::Welcome {
        version,
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
    relay.handle(NOW, relay::Input::Send(&welcome()));
    let (at_device, _) = run(&mut device, &mut relay);
    assert!(matches!(at_device[..], [device::Output::Frame(ToDevice::Welcome { head: 4, .. })]));
    let cells = Cells::collect([(CellId([9; 16]), &[8; CELL])]);
    device.handle(NOW, device::Input::Send(&ToRelay::Put { lane: Lane(0), request: 3, cells }));
    let (_, at_relay) = run(&mut device, &mut relay);
    assert!(matches!(at_relay[..], [relay::Output::Frame(ToRelay::Put { request: 3, .. })]));
}

#[test]
fn after_message_3_the_static_key_must_match_the_row_whose_handle_was_used() {
    let (world, thief) = (world(), world());
    let psk = world.access.psk();
    let mut device =
        DeviceSession::device(NOW, &world.relay_key.public(), &thief.transport, &psk, 1).unwrap();
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
    let mut device = DeviceSession::newcomer(NOW, &throwaway, &psk).unwrap();
    let mut relay = RelaySession::newcomer(NOW, &world.relay_key, &psk).unwrap();
    let (at_device, at_relay) = run(&mut device, &mut relay);
    let [device::Output::RelayKey(key)] = at_device[..] else { unreachable!() };
    assert_eq!(key, world.relay_key.public());
    let newcomer = Peer::Newcomer(throwaway.public());
    assert!(matches!(at_relay[..], [relay::Output::Hello { peer, .. }] if peer == newcomer));
    relay.handle(NOW, relay::Input::Send(&welcome()));
    run(&mut device, &mut relay);
    device.handle(NOW, device::Input::Send(&ToRelay::Seen { lane: Lane(0), seq: 1 }));
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
        relay.handle(NOW, relay::Input::Send(&welcome()));
        run(&mut device, &mut relay);
        device.handle(NOW, device::Input::Send(&frame));
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
        relay.handle(NOW, relay::Input::Message(&vec![0xAA; len]));
        assert!(matches!(relay.poll(), Some(relay::Output::Close(Closed::NotAuthentic))));
        assert!(relay.deadline().is_none());
        let mut device = world.device();
        let _first_message = device.poll();
        device.handle(NOW, device::Input::Message(&vec![0xAA; len]));
        assert!(matches!(device.poll(), Some(device::Output::Close(Closed::NotAuthentic))));
    }
}

/// Two ends that are open, and between which everything was said at `now`.
fn open_at(now: u64) -> (DeviceSession, RelaySession) {
    let world = world();
    let (mut device, mut relay) = (world.device(), world.relay());
    run_at(now, &mut device, &mut relay);
    relay.handle(now, relay::Input::Send(&welcome()));
    run_at(now, &mut device, &mut relay);
    (device, relay)
}

#[test]
fn a_handshake_that_is_not_through_within_ten_seconds_of_its_beginning_is_over() {
    let world = world();
    let (mut device, mut relay) = (world.device(), world.relay());
    relay.handle(NOW + 9_999, relay::Input::Tick);
    assert!(relay.poll().is_none());
    assert_eq!(relay.deadline(), Some(NOW + 10_000));
    relay.handle(NOW + 10_000, relay::Input::Tick);
    assert!(matches!(relay.poll(), Some(relay::Output::Close(Closed::TimedOut))));
    assert!(relay.deadline().is_none());
    // A device that waits for message 2 and one that waits for the answer to HELLO.
    for hello_is_said in [false, true] {
        if hello_is_said {
            device = world.device();
            run_at(NOW + 5_000, &mut device, &mut world.relay());
        }
        while device.poll().is_some() {}
        device.handle(NOW + 9_999, device::Input::Tick);
        assert!(device.poll().is_none() && !device.is_open());
        assert_eq!(device.deadline(), Some(NOW + 10_000));
        device.handle(NOW + 10_000, device::Input::Tick);
        assert!(matches!(device.poll(), Some(device::Output::Close(Closed::TimedOut))));
        assert!(device.deadline().is_none());
    }
}

#[test]
fn a_device_that_says_nothing_for_25_seconds_pings() {
    let (mut device, mut relay) = open_at(NOW + 10);
    assert!(device.is_open());
    assert_eq!(device.deadline(), Some(NOW + 25_010));
    device.handle(NOW + 25_009, device::Input::Tick);
    assert!(device.poll().is_none());
    device.handle(NOW + 25_010, device::Input::Tick);
    let (at_device, at_relay) = run_at(NOW + 25_010, &mut device, &mut relay);
    assert!(at_device.is_empty());
    assert!(matches!(at_relay[..], [relay::Output::Frame(ToRelay::Ping)]));
    // Whatever it says puts the next one off.
    device.handle(NOW + 30_000, device::Input::Send(&ToRelay::Seen { lane: Lane(0), seq: 1 }));
    assert_eq!(device.deadline(), Some(NOW + 55_000));
}

#[test]
fn an_end_that_hears_nothing_for_75_seconds_takes_the_other_for_dead() {
    let (mut device, mut relay) = open_at(NOW + 10);
    assert_eq!(relay.deadline(), Some(NOW + 75_010));
    relay.handle(NOW + 75_009, relay::Input::Tick);
    assert!(relay.poll().is_none());
    relay.handle(NOW + 75_010, relay::Input::Tick);
    assert!(matches!(relay.poll(), Some(relay::Output::Close(Closed::TimedOut))));
    // What the device says itself does not count as heard.
    device.handle(NOW + 60_000, device::Input::Tick);
    assert_eq!(device.deadline(), Some(NOW + 75_010));
    device.handle(NOW + 75_009, device::Input::Tick);
    let said: Vec<_> = std::iter::from_fn(|| device.poll()).collect();
    assert!(matches!(said[..], [device::Output::Transmit(_)]));
    device.handle(NOW + 75_010, device::Input::Tick);
    assert!(matches!(device.poll(), Some(device::Output::Close(Closed::TimedOut))));
    assert!(device.poll().is_none() && !device.is_open());
}

#[test]
fn versions_in_common_are_found_and_no_others() {
    for (oldest, newest, common) in
        [(1, 1, true), (0, 1, true), (1, 9, true), (0, 0, false), (2, 9, false)]
    {
        let world = world();
        let (mut device, mut relay) = (world.device(), world.relay());
        device.speak_only_for_tests(oldest, newest);
        let (_, at_relay) = run(&mut device, &mut relay);
        let found = matches!(at_relay[..], [relay::Output::Hello { version: 1, .. }]);
        let refused = matches!(at_relay[..], [relay::Output::Close(Closed::NoVersion { .. })]);
        assert_eq!((found, refused), (common, !common), "{oldest} to {newest}");
    }
}

#[test]
fn the_first_answer_is_a_welcome_to_a_version_that_was_offered() {
    let invited =
        || ToDevice::InviteWelcome { version: 1, bundle: Bytes::new(), state: JoinState::Open };
    for (frame, opens) in [
        (welcome_to(1), true),
        (invited(), true),
        (welcome_to(0), false),
        (welcome_to(2), false),
        (ToDevice::Pong, false),
    ] {
        let world = world();
        let (mut device, mut relay) = (world.device(), world.relay());
        run(&mut device, &mut relay);
        relay.handle(NOW, relay::Input::Send(&frame));
        let (at_device, _) = run(&mut device, &mut relay);
        assert_eq!(device.is_open(), opens);
        let refused = matches!(at_device[..], [device::Output::Close(Closed::Misbehaved)]);
        assert_eq!(refused, !opens);
    }
}

#[test]
fn nothing_is_sent_before_the_session_is_open() {
    let world = world();
    let (mut device, mut relay) = (world.device(), world.relay());
    while device.poll().is_some() {}
    device.handle(NOW, device::Input::Send(&ToRelay::Ping));
    assert!(matches!(device.poll(), Some(device::Output::Close(Closed::Misuse))));
    relay.handle(NOW, relay::Input::Send(&ToDevice::Pong));
    assert!(matches!(relay.poll(), Some(relay::Output::Close(Closed::Misuse))));
}

#[test]
fn a_frame_over_a_limit_is_its_senders_fault_and_not_the_others() {
    let (mut device, mut relay) = open_at(NOW);
    let cells = Cells::default();
    device.handle(NOW, device::Input::Send(&ToRelay::Put { lane: Lane(0), request: 3, cells }));
    assert!(matches!(device.poll(), Some(device::Output::Close(Closed::Misuse))));
    relay.handle(NOW, relay::Input::Send(&ToDevice::Ack { request: 3, seqs: Vec::new() }));
    assert!(matches!(relay.poll(), Some(relay::Output::Close(Closed::Misuse))));
}

#[test]
fn a_newcomer_may_join_claim_the_relay_and_keep_the_connection_alive() {
    let world = world();
    let psk = world.access.psk();
    let throwaway = StaticSecret::generate(&mut OsRandom);
    let mut device = DeviceSession::newcomer(NOW, &throwaway, &psk).unwrap();
    let mut relay = RelaySession::newcomer(NOW, &world.relay_key, &psk).unwrap();
    run(&mut device, &mut relay);
    relay.handle(NOW, relay::Input::Send(&welcome()));
    run(&mut device, &mut relay);
    let cells = Cells::collect([(CellId([9; 16]), &[8; CELL])]);
    let document = SignedRows(Bytes::from_static(b"whatever the registry makes of it"));
    for frame in
        [ToRelay::Join { request: 1, cells }, ToRelay::Rows { request: 2, document }, ToRelay::Ping]
    {
        device.handle(NOW, device::Input::Send(&frame));
        let (_, at_relay) = run(&mut device, &mut relay);
        assert!(matches!(at_relay[..], [relay::Output::Frame(_)]));
    }
}

#[test]
fn cells_of_several_runs_arrive_as_one_push() {
    let (mut device, mut relay) = open_at(NOW);
    let runs = [1, 2].map(|byte| Cells::collect([(CellId([byte; 16]), &[byte; CELL])]));
    let push = relay::Input::Push { lane: Lane(0), first: 5, hash: Digest([3; 32]), runs: &runs };
    relay.handle(NOW, push);
    let (at_device, _) = run(&mut device, &mut relay);
    let [device::Output::Frame(ToDevice::Push { first: 5, cells, .. })] = &at_device[..] else {
        unreachable!()
    };
    assert!(cells.iter().map(|(id, _)| id).eq([CellId([1; 16]), CellId([2; 16])]));
}
