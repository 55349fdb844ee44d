//! Redeeming a code: the invite connection, then the first connection as a device.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::address::Proxy;
use super::clock::Clock;
use super::core::{ApiError, Down};
use super::newcomer::{Newcomer, NewcomerEvent, NewcomerOptions};
use super::profile::create_or_unlock;
use super::{Events, Handle, OpenOptions, hold};
use crate::invite_code::InviteCode;
use crate::member::engine::{Engine, Joined, Step};
use crate::member::store::Passphrase;
use crate::wire::frame::{JoinState, ToDevice, ToRelay};

/// Failed attempts to connect after which a newcomer that has asked nothing yet gives up.
pub(super) const MAX_ATTEMPTS: u32 = 5;
/// Milliseconds that a new device waits for everything it sent to come back.
const SETTLE_MS: u64 = 10_000;
/// The request number of the only request of an invite connection.
const REQUEST: u32 = 1;

/// What `join` needs to know.
pub struct JoinOptions {
    /// The profile's directory; made if it is not there.
    pub dir: PathBuf,
    /// Of the profile, new or old.
    pub passphrase: Passphrase,
    /// The code; `None` goes on with the one whose request waits.
    pub code: Option<InviteCode>,
    /// The member's name.
    pub name: String,
    /// The device's label.
    pub label: String,
    /// Connect through this.
    pub proxy: Option<Proxy>,
}

/// What happens while joining.
pub enum JoinEvent {
    /// The relay is claimed; these are the 24 root words, shown once.
    Founded(Zeroizing<String>),
    /// The request is in the log and waits for an admin.
    Waiting {
        /// The team's name.
        team: String,
        /// Who invited.
        inviter: String,
        /// The five words to be read to the inviter; `None` if they are not needed.
        words: Option<Vec<String>>,
    },
    /// Inside: what `status` says.
    Joined(Value),
}

/// Redeems a code and tells `on` what happens. Returns the held profile, or `None` if `on` broke
/// off while waiting. Interrupted, it is called again with the same code.
///
/// # Errors
/// A used, expired or foreign code, a refusal, an existing profile (1); unreachable (69); held by
/// another process (75); wrong passphrase of an existing profile (77); and what `on` returns.
pub async fn join<E: From<ApiError>>(
    options: JoinOptions,
    on: &mut dyn FnMut(JoinEvent) -> Result<ControlFlow<()>, E>,
) -> Result<Option<Handle>, E> {
    let JoinOptions { dir, passphrase, code, name, label, proxy } = options;
    let clock = Clock::start();
    let (lock, mut engine) = create_or_unlock(&dir, &passphrase, clock)?;
    drop(passphrase);
    let code = match code {
        Some(code) => Some(code),
        None => engine.pending_code(clock.now())?,
    };
    if engine.joined() == Joined::Not {
        let code = code.ok_or_else(no_code)?;
        let throwaway = engine.begin_join(clock.now(), &code, &name, &label)?;
        let keys = code.keys();
        let newcomer = NewcomerOptions {
            address: code.address(),
            gate: keys.gate,
            psk: keys.psk,
            throwaway,
            proxy: proxy.clone(),
        };
        let mut newcomer = Newcomer::connect(newcomer, clock);
        let asked = ask(&mut newcomer, &mut engine, &code, clock, on).await;
        newcomer.close().await;
        if asked?.is_break() {
            return Ok(None);
        }
    } else if let (Joined::Inside, Some(code)) = (engine.joined(), code) {
        // Refuses with the next step.
        engine.begin_join(clock.now(), &code, &name, &label)?;
    }
    let options = OpenOptions { proxy, ..OpenOptions::new(dir) };
    let handle = hold(options, lock, Box::new(engine)).await?;
    let status = come_in(&handle).await?;
    let _ = on(JoinEvent::Joined(status))?;
    Ok(Some(handle))
}

/// The invite connection, until the relay says that the newcomer is a device.
async fn ask<E: From<ApiError>>(
    newcomer: &mut Newcomer,
    engine: &mut Engine,
    code: &InviteCode,
    clock: Clock,
    on: &mut dyn FnMut(JoinEvent) -> Result<ControlFlow<()>, E>,
) -> Result<ControlFlow<()>, E> {
    let mut attempts = 0;
    // Told once, when the request is in the log.
    let mut waiting = None;
    let mut told = false;
    let mut root_words = None;
    while let Some(event) = newcomer.next().await {
        let state = match event {
            NewcomerEvent::Welcome { relay, bundle, state } => {
                attempts = 0;
                standing(state)?;
                match engine.bundle(clock.now(), code, &relay, &bundle)? {
                    // A frame that finds no connection is sent again after the next WELCOME.
                    Step::Found { document, root_words: words } => {
                        root_words = Some(words);
                        let _ = newcomer.send(ToRelay::Rows { request: REQUEST, document });
                    }
                    Step::Ask { team, inviter, words, cells } => {
                        waiting = Some(JoinEvent::Waiting { team, inviter, words });
                        if state == JoinState::Open {
                            let _ = newcomer.send(ToRelay::Join { request: REQUEST, cells });
                        }
                    }
                }
                state
            }
            NewcomerEvent::State(state) => {
                standing(state)?;
                state
            }
            NewcomerEvent::Frame(ToDevice::Ack { seqs, .. }) => {
                engine.asked(clock.now(), seqs.first().copied().unwrap_or(1))?;
                JoinState::Waiting
            }
            NewcomerEvent::Frame(ToDevice::Done { .. }) => JoinState::Enrolled,
            NewcomerEvent::Frame(ToDevice::Fail { .. }) => return Err(ended().into()),
            NewcomerEvent::Frame(_) => continue,
            NewcomerEvent::NotOpen => return Err(ended().into()),
            NewcomerEvent::Down(Down::NoVersion) => return Err(no_version().into()),
            NewcomerEvent::Down(_) => {
                attempts += 1;
                if attempts >= MAX_ATTEMPTS && !told {
                    return Err(unreachable().into());
                }
                continue;
            }
        };
        match (state, waiting.take()) {
            (JoinState::Enrolled, _) => {
                // Also if the DONE of the claim was lost: the words are shown before the root key
                // is forgotten.
                if let Some(words) = root_words.take() {
                    let _ = on(JoinEvent::Founded(words))?;
                }
                engine.enrolled(clock.now())?;
                return Ok(ControlFlow::Continue(()));
            }
            (JoinState::Waiting, Some(event)) if !told => {
                told = true;
                if on(event)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            (_, event) => waiting = event,
        }
    }
    Err(ApiError::stopped().into())
}

/// Refusals that end joining.
pub(super) fn standing(state: JoinState) -> Result<(), ApiError> {
    match state {
        JoinState::Open | JoinState::Waiting | JoinState::Enrolled => Ok(()),
        JoinState::Refused => Err(plain(
            1,
            "The request to join was refused.",
            Some("Call the person who invited you; they can invite you again."),
        )),
        JoinState::Used(at) => Err(plain(
            1,
            &format!("The invitation was already used at {}.", crate::member::engine::rfc3339(at)),
            Some("If that was not you, call your admin now."),
        )),
    }
}

pub(super) fn ended() -> ApiError {
    plain(
        1,
        "The relay does not accept this invitation: it was used, has expired, or was taken back.",
        Some(
            "Ask for a new one. If you have not used it yourself, call your admin now. Check that this computer's clock is right.",
        ),
    )
}

fn no_code() -> ApiError {
    plain(
        1,
        "This profile has not joined a team yet.",
        Some("Repeat `staffetta join` with the invitation code."),
    )
}

pub(super) fn unreachable() -> ApiError {
    plain(
        69,
        "The relay cannot be reached.",
        Some("Check the network, then repeat the command; nothing is lost."),
    )
}

pub(super) fn no_version() -> ApiError {
    plain(1, "The relay speaks another version of the protocol.", Some("Update Staffetta."))
}

fn plain(exit: u8, message: &str, hint: Option<&str>) -> ApiError {
    ApiError::plain(-32_000 - i64::from(exit), exit, message, hint)
}

/// The first connection as a device, until it is inside and what it sent came back.
async fn come_in(handle: &Handle) -> Result<Value, ApiError> {
    let mut events: Events = handle.subscribe(json!({"live": true})).await?;
    while handle.call("status", json!({})).await?.get("inside") != Some(&Value::Bool(true)) {
        loop {
            let event = events.next().await.ok_or_else(ApiError::stopped)?;
            match event.get("type").and_then(Value::as_str) {
                Some("joined") => break,
                Some("alarm") => {
                    let text = event.get("text").and_then(Value::as_str).unwrap_or_default();
                    return Err(plain(1, text, Some("Call your admin.")));
                }
                _ => {}
            }
        }
    }
    // A slow relay is no reason to fail: what is queued goes out later.
    let _ = handle.call("sync", json!({"timeout_ms": SETTLE_MS})).await;
    handle.call("status", json!({})).await
}
