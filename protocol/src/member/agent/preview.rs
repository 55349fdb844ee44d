//! Looking at an invitation before anything is made of it: no profile, no key of a device.

use super::address::Proxy;
use super::clock::Clock;
use super::core::{ApiError, Down};
use super::join::{MAX_ATTEMPTS, ended, no_version, standing, unreachable};
use super::newcomer::{Newcomer, NewcomerEvent, NewcomerOptions};
use crate::invite_code::{Invitation, InviteCode};
use crate::member::engine::{not_an_invitation, read_bundle};
use crate::noise::keys::StaticSecret;
use crate::random::OsRandom;

/// What an invitation says to its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The team's name; may be empty for a founder.
    pub team: String,
    /// Who invited; `None` for a founder code.
    pub inviter: Option<String>,
    /// Whether the admin's device approves without the five words.
    pub auto_approve: bool,
}

/// Reads what `code` leads to. Nothing is asked for: an invite binds to the key of the first that
/// asks, and this throws its own away.
///
/// # Errors
/// A used, expired or foreign code (1), unreachable (69).
pub async fn preview(code: &InviteCode, proxy: Option<Proxy>) -> Result<Preview, ApiError> {
    let clock = Clock::start();
    let keys = code.keys();
    let mut newcomer = Newcomer::connect(
        NewcomerOptions {
            address: code.address(),
            gate: keys.gate,
            psk: keys.psk,
            throwaway: StaticSecret::generate(&mut OsRandom),
            proxy,
        },
        clock,
    );
    let preview = look(&mut newcomer, code, clock).await;
    newcomer.close().await;
    preview
}

async fn look(
    newcomer: &mut Newcomer,
    code: &InviteCode,
    clock: Clock,
) -> Result<Preview, ApiError> {
    let mut attempts = 0;
    while let Some(event) = newcomer.next().await {
        match event {
            NewcomerEvent::Welcome { relay, bundle, state } => {
                standing(state)?;
                let bundle = read_bundle(code, &relay, &bundle, clock.now().unix_s())?;
                let inviter = match bundle.invitation {
                    Invitation::Founder => None,
                    Invitation::Spare => return Err(not_an_invitation()),
                    Invitation::Member { inviter, .. } => Some(inviter),
                };
                let (team, auto_approve) = (bundle.team, bundle.auto_approve);
                return Ok(Preview { team, inviter, auto_approve });
            }
            NewcomerEvent::NotOpen => return Err(ended()),
            NewcomerEvent::Down(Down::NoVersion) => return Err(no_version()),
            NewcomerEvent::Down(_) => {
                attempts += 1;
                if attempts >= MAX_ATTEMPTS {
                    return Err(unreachable());
                }
            }
            NewcomerEvent::State(_) | NewcomerEvent::Frame(_) => {}
        }
    }
    Err(ApiError::stopped())
}
