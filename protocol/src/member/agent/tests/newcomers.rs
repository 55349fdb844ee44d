use bytes::Bytes;

use super::fake_relay::{FakeRelay, Keys, NOT_FOUND, cells};
use super::*;
use crate::wire::frame::{JoinState, ToDevice, ToRelay};

fn newcomer(relay: &FakeRelay) -> Newcomer {
    let Keys { transport: throwaway, access, .. } = relay.keys.clone();
    let options = NewcomerOptions {
        address: relay.address.clone(),
        gate: access.gate_key(),
        psk: access.psk(),
        throwaway,
        proxy: None,
    };
    Newcomer::connect(options, Clock::start())
}

fn invite_welcome(state: JoinState) -> ToDevice {
    ToDevice::InviteWelcome { version: 1, bundle: Bytes::from_static(b"sealed"), state }
}

async fn next(newcomer: &mut Newcomer) -> NewcomerEvent {
    within("an event", newcomer.next()).await.unwrap()
}

#[tokio::test]
async fn a_newcomer_sees_the_relays_key_and_the_bundle_before_it_sends_anything() {
    let relay = FakeRelay::start().await;
    let mut newcomer = newcomer(&relay);
    let join = || ToRelay::Join { request: 1, cells: cells(2) };
    assert_eq!(newcomer.send(join()), Err(NotConnected));
    let mut peer = relay.invited().await;
    peer.send(&invite_welcome(JoinState::Open)).await;
    let NewcomerEvent::Welcome { relay: key, bundle, state } = next(&mut newcomer).await else {
        panic!("no welcome")
    };
    assert_eq!(key, relay.keys.relay.public());
    assert_eq!((bundle.as_ref(), state), (b"sealed".as_slice(), JoinState::Open));
    newcomer.send(join()).unwrap();
    assert!(matches!(peer.frame().await, Some(ToRelay::Join { request: 1, .. })));
    peer.send(&ToDevice::Ack { request: 1, seqs: vec![1, 2] }).await;
    peer.send(&ToDevice::Join { state: JoinState::Waiting }).await;
    let ack = next(&mut newcomer).await;
    assert!(matches!(ack, NewcomerEvent::Frame(ToDevice::Ack { request: 1, .. })));
    let state = next(&mut newcomer).await;
    assert!(matches!(state, NewcomerEvent::State(JoinState::Waiting)));
}

#[tokio::test]
async fn a_newcomer_comes_back_with_the_same_throwaway_key() {
    let relay = FakeRelay::start().await;
    let mut newcomer = newcomer(&relay);
    for state in [JoinState::Open, JoinState::Waiting] {
        let mut peer = relay.invited().await;
        peer.send(&invite_welcome(state)).await;
        assert!(matches!(next(&mut newcomer).await, NewcomerEvent::Welcome { .. }));
        drop(peer);
        assert!(matches!(next(&mut newcomer).await, NewcomerEvent::Down(Down::Lost)));
        assert!(newcomer.send(ToRelay::Ping).is_err());
    }
}

#[tokio::test]
async fn a_404_says_that_the_code_opens_nothing() {
    let relay = FakeRelay::start().await;
    let mut newcomer = newcomer(&relay);
    relay.answer(NOT_FOUND).await;
    assert!(matches!(next(&mut newcomer).await, NewcomerEvent::NotOpen));
    newcomer.poke();
    let mut peer = relay.invited().await;
    peer.send(&invite_welcome(JoinState::Open)).await;
    assert!(matches!(next(&mut newcomer).await, NewcomerEvent::Welcome { .. }));
    within("the end", newcomer.close()).await;
}

#[tokio::test]
async fn a_device_welcome_has_no_place_on_an_invite_connection() {
    let relay = FakeRelay::start().await;
    let mut newcomer = newcomer(&relay);
    let mut peer = relay.invited().await;
    peer.send(&super::fake_relay::welcome()).await;
    assert!(matches!(next(&mut newcomer).await, NewcomerEvent::Down(Down::Lost)));
}

#[tokio::test]
async fn what_was_queued_is_sent_before_a_newcomer_hangs_up() {
    let relay = FakeRelay::start().await;
    let mut newcomer = newcomer(&relay);
    let mut peer = relay.invited().await;
    peer.send(&invite_welcome(JoinState::Open)).await;
    assert!(matches!(next(&mut newcomer).await, NewcomerEvent::Welcome { .. }));
    for request in 0..20 {
        newcomer.send(ToRelay::Join { request, cells: cells(16) }).unwrap();
    }
    let closing = tokio::spawn(newcomer.close());
    for wanted in 0..20 {
        let frame = peer.frame().await;
        assert!(matches!(frame, Some(ToRelay::Join { request, .. }) if request == wanted));
    }
    assert!(peer.frame().await.is_none());
    within("the end", closing).await.unwrap();
}
