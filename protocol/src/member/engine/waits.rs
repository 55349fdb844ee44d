//! Calls that are answered later: when a fact holds, or when their time is over.

use serde_json::{Value, json};

use super::Cx;
use super::fault::{Fault, failed};
use super::scout::Task;
use crate::member::agent::core::{ApiError, CallId, Down, Out};
use crate::member::store::{OutKind, OutRow};
use crate::wire::ids::{ContentId, DeviceId, InviteId};

/// The most calls that wait at once; a further one is refused.
pub(super) const MAX_WAITS: usize = 1_024;

/// A call that waits.
pub(super) struct Wait {
    pub(super) call: CallId,
    pub(super) what: What,
    /// Monotonic milliseconds.
    pub(super) deadline: u64,
    /// The deadline while the relay refuses for a quota, or this device may not send yet.
    pub(super) extended: u64,
    /// The call only wants the message queued.
    pub(super) queue_only: bool,
}

/// What a call waits for.
pub(super) enum What {
    /// A message came back in the log.
    Sent(ContentId),
    /// A file is written to this computer's disk; answered by whoever writes it.
    Fetched(ContentId),
    /// Everything is read and everything sent came back.
    Synced,
    /// Everything that the relay had is read.
    Read,
    /// These wishes are carried out.
    Intents(Vec<i64>),
    /// The invite is open at the relay.
    InviteOpen { invite: InviteId, answer: Value },
    /// The newcomer is on the roster, at the relay and answered.
    Approved { device: DeviceId, answer: Value },
    /// What was posted has its place, and the relay has confirmed what follows.
    Posted { answer: Value },
    /// The task can begin.
    Ready(Task),
    /// The new relay was looked at.
    Moving,
    /// The devices are cut at the relay and out of this device's rooms.
    Revoked { devices: Vec<DeviceId>, answer: Value },
}

/// All calls that wait.
#[derive(Default)]
pub(super) struct Waits(Vec<Wait>);

impl Waits {
    pub(super) fn add(&mut self, wait: Wait) {
        self.0.push(wait);
    }

    /// The steps of these calls were rolled back.
    pub(super) fn forget(&mut self, calls: &[CallId]) {
        self.0.retain(|wait| !calls.contains(&wait.call));
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_WAITS
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.0.iter().flat_map(|wait| [wait.deadline, wait.extended]).min()
    }

    /// Takes out the calls that wait for a message or for its file.
    pub(super) fn take(&mut self, content: &ContentId) -> Vec<CallId> {
        let is =
            |wait: &Wait| matches!(&wait.what, What::Sent(id) | What::Fetched(id) if id == content);
        let calls = self.0.iter().filter(|wait| is(wait)).map(|wait| wait.call).collect();
        self.0.retain(|wait| !is(wait));
        calls
    }

    /// Something of a file moved: whoever waits for it waits until `deadline`.
    pub(super) fn extend(&mut self, content: &ContentId, deadline: u64) {
        for wait in &mut self.0 {
            if matches!(&wait.what, What::Sent(id) | What::Fetched(id) if id == content)
                && !wait.queue_only
            {
                wait.deadline = wait.deadline.max(deadline);
                wait.extended = wait.extended.max(deadline);
            }
        }
    }

    /// Takes out the first task that can begin.
    pub(super) fn take_task(&mut self, can: impl Fn(&Task) -> bool) -> Option<(CallId, Task)> {
        let is = |wait: &Wait| matches!(&wait.what, What::Ready(task) if can(task));
        let at = self.0.iter().position(is)?;
        match self.0.remove(at) {
            Wait { call, what: What::Ready(task), .. } => Some((call, task)),
            _ => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Cx<'_> {
    /// The call waits so many milliseconds at the most, whatever the relay says meanwhile.
    pub(super) fn wait_at_most(&mut self, call: CallId, what: What, wait_ms: u64) {
        let deadline = self.now.mono_ms.saturating_add(wait_ms);
        self.waits.add(Wait { call, what, deadline, extended: deadline, queue_only: false });
    }

    /// Answers the calls whose fact holds or whose time is over.
    pub(super) fn answer_waits(&mut self) -> Result<(), Fault> {
        if self.waits.is_empty() {
            return Ok(());
        }
        let mut still = Vec::new();
        for mut wait in std::mem::take(&mut self.waits.0) {
            let answer = match self.fact(&wait.what) {
                Ok(Some(value)) => Some(Ok(value)),
                Err(Fault::Refused(error)) => Some(Err(Fault::Refused(error))),
                Err(fault) => return Err(fault),
                Ok(None) if self.now.mono_ms >= wait.extended => Some(self.overdue(&wait)),
                Ok(None)
                    if self.now.mono_ms >= wait.deadline
                        && self.link.refused.is_none()
                        && self.quiet_until().is_none() =>
                {
                    Some(self.overdue(&wait))
                }
                Ok(None) => None,
            };
            match answer {
                Some(answer) => {
                    let answer = answer.map_err(ApiError::from);
                    self.effects.push(Out::Answer(wait.call, answer));
                }
                None => {
                    if self.now.mono_ms >= wait.deadline {
                        wait.deadline = wait.extended;
                    }
                    still.push(wait);
                }
            }
        }
        self.waits.0 = still;
        Ok(())
    }

    fn fact(&self, what: &What) -> Result<Option<Value>, Fault> {
        let holds = |holds: bool, answer: &Value| holds.then(|| answer.clone());
        Ok(match what {
            What::Sent(content) => self.sent_answer(content)?,
            What::Fetched(_) | What::Ready(_) | What::Moving => None,
            What::Synced => {
                let done = self.caught_up() && self.tx.unplaced(None, 1)?.is_empty();
                let done = done && self.tx.unsealed_texts()?.is_empty();
                holds(done, &json!({"head": self.memory.head(), "queued": 0}))
            }
            What::Read => holds(self.caught_up(), &json!({"head": self.memory.head()})),
            What::Intents(ids) => {
                let open = self.tx.intents()?;
                let done = !open.iter().any(|intent| ids.contains(&intent.id));
                holds(done, &json!({}))
            }
            What::InviteOpen { invite, answer } => {
                let Some(row) = self.tx.invite(invite)? else {
                    return Err(self.refused_invite()?.into());
                };
                holds(!super::invites::is_opening(&row), answer)
            }
            What::Approved { device, answer } => {
                let done = self.memory.roster()?.is_active(device)
                    && self.rows_settled()?
                    && self.tx.unplaced(None, 1)?.is_empty();
                holds(done, answer)
            }
            What::Posted { answer } => {
                let control = |out: &OutRow| out.message.kind == OutKind::Control;
                let open = self.tx.pending_messages()?.iter().any(control);
                holds(!open && self.rows_settled()?, answer)
            }
            What::Revoked { devices, answer } => {
                let gone = devices
                    .iter()
                    .all(|d| !self.memory.roster.as_ref().is_some_and(|r| r.is_active(d)));
                let open = self.tx.intents()?;
                let rekeyed = !open.iter().any(|intent| match intent.kind {
                    crate::member::store::IntentKind::Remove(device) => devices.contains(&device),
                    _ => false,
                });
                let done = gone && rekeyed && self.rows_settled()?;
                if done && self.is_admin()? && self.tx.relay_authority()?.is_none() {
                    return Err(failed(
                        75,
                        "The rooms have new keys. The relay cuts the device when the founder's device is online.",
                        None,
                    )
                    .into());
                }
                holds(done, answer)
            }
        })
    }

    fn overdue(&self, wait: &Wait) -> Result<Value, Fault> {
        match &wait.what {
            What::Sent(content) => self.queued_answer(content, wait),
            What::Ready(task) => Err(self.not_begun(task).into()),
            _ if self.link.down == Some(Down::Refused) => Err(super::fault::rejected().into()),
            _ if self.link.connected => Err(failed(
                75,
                "It is not done yet; it goes on by itself.",
                Some("See `staffetta status`."),
            )
            .into()),
            _ => Err(failed(
                69,
                "The relay cannot be reached.",
                Some("What was asked is kept and goes on when the relay is back."),
            )
            .into()),
        }
    }
}
