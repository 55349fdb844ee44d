//! What it costs to refuse a stranger: at the gate, and in Noise.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use staffetta_protocol::gate::{Gate, HANDLES, Handle, Token, window};
use staffetta_protocol::noise::keys::{AccessSecret, StaticSecret};
use staffetta_protocol::random::OsRandom;
use staffetta_protocol::session::device::{DeviceSession, Input as Said, Output as Says};
use staffetta_protocol::session::relay::{Input, Output, RelaySession};

const NOW: u64 = 1_800_000_000;

/// The time of one refusal.
pub struct Refusals {
    /// A handle that nobody has: parse and look up.
    pub handle: Duration,
    /// A row's handle with a wrong MAC: parse, look up and check.
    pub mac: Duration,
    /// Noise, a first message under a wrong psk.
    pub psk: Duration,
    /// Noise, a static key that is not the row's: what a relay without a gate does for everybody.
    pub row: Duration,
}

/// Measures each `count` times, single-threaded.
pub fn measure(count: u32) -> anyhow::Result<Refusals> {
    let relay = StaticSecret::generate(&mut OsRandom);
    let gate = Gate::of(&relay.public());
    let row = AccessSecret::generate(&mut OsRandom);
    let key = row.gate_key();
    // As many rows as a relay may have, in a table like the relay's.
    let mut table = std::collections::HashMap::<Handle, usize>::new();
    for n in 0..1_000 {
        let other = AccessSecret::generate(&mut OsRandom).gate_key();
        let all = (0..HANDLES).map(|k| other.handle(window(NOW), k));
        table.extend(all.map(|handle| (handle, n)));
    }
    table.extend((0..HANDLES).map(|k| (key.handle(window(NOW), k), 1_000)));

    let stranger = AccessSecret::generate(&mut OsRandom).gate_key();
    let unknown = gate.token(&stranger, NOW, &mut OsRandom).to_text();
    let handle = time(count * 100, || {
        let token = Token::parse(unknown.as_bytes()).context("a token")?;
        ensure!(!table.contains_key(&token.handle()), "nobody's handle");
        Ok(())
    })?;
    // Made for another relay: all is right but the MAC.
    let other = Gate::of(&StaticSecret::generate(&mut OsRandom).public());
    let wrong = other.token(&key, NOW, &mut OsRandom).to_text();
    let mac = time(count * 100, || {
        let token = Token::parse(wrong.as_bytes()).context("a token")?;
        ensure!(table.contains_key(&token.handle()), "the row's handle");
        ensure!(gate.check(&token, &key, NOW).is_err(), "a wrong MAC");
        Ok(())
    })?;

    let device = StaticSecret::generate(&mut OsRandom);
    let bound = row.bind(&StaticSecret::generate(&mut OsRandom).public());
    let responder = || RelaySession::device(0, &relay, copy(&row), bound);
    let guess = AccessSecret::generate(&mut OsRandom).psk();
    let mut session = DeviceSession::device(0, &relay.public(), &device, &guess, 1)?;
    let first = said(&mut session)?;
    let psk = time(count, || {
        let mut responder = responder()?;
        responder.handle(0, Input::Message(&first));
        ensure!(matches!(responder.poll(), Some(Output::Close(_))), "a wrong psk");
        Ok(())
    })?;

    let mut spent = Duration::ZERO;
    for _ in 0..count {
        let mut session = DeviceSession::device(0, &relay.public(), &device, &row.psk(), 1)?;
        let first = said(&mut session)?;
        let start = Instant::now();
        let mut responder = responder()?;
        responder.handle(0, Input::Message(&first));
        let Some(Output::Transmit(second)) = responder.poll() else {
            anyhow::bail!("no second message")
        };
        spent += start.elapsed();
        session.handle(0, Said::Message(&second));
        let third = said(&mut session)?;
        let start = Instant::now();
        responder.handle(0, Input::Message(&third));
        ensure!(matches!(responder.poll(), Some(Output::Close(_))), "another row's device");
        spent += start.elapsed();
    }
    Ok(Refusals { handle, mac, psk, row: spent / count })
}

fn copy(access: &AccessSecret) -> AccessSecret {
    let bytes = access.secret().expose();
    let copied = staffetta_protocol::secret::Secret::filled(|out| out.copy_from_slice(bytes));
    AccessSecret::from_secret(copied)
}

fn said(session: &mut DeviceSession) -> anyhow::Result<bytes::Bytes> {
    match session.poll() {
        Some(Says::Transmit(message)) => Ok(message),
        _ => anyhow::bail!("a device that says nothing"),
    }
}

fn time(count: u32, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let start = Instant::now();
    for _ in 0..count {
        work()?;
    }
    Ok(start.elapsed() / count)
}
