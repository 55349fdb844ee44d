//! Frames, calls and timers: the engine as the agent drives it.

use serde_json::{Value, json};

use super::fault::Fault;
use super::link::{Asked, Link};
use super::profile::{Stage, Stopped};
use super::{Cx, Engine};
use crate::member::agent::core::{CallId, Core, Dial, Down, Now, Out};
use crate::noise::keys::{AccessSecret, StaticPublic, StaticSecret};
use crate::secret::Secret;
use crate::wire::frame::{FailCode, NoticeKind, Request, ToDevice};

/// Milliseconds between two rounds of housekeeping.
const HOUSEKEEPING_MS: u64 = 60_000;

impl Core for Engine {
    fn dial(&self) -> Option<Dial> {
        let whom = self.whom_to_call()?;
        let profile = &self.memory.profile;
        let resume = match (&profile.stage, self.memory.cursor) {
            _ if profile.stopped.is_some_and(|why| why != Stopped::Strange) => return None,
            (Stage::Inside, _) if let Some(behind) = &profile.behind => behind.from,
            (Stage::Inside | Stage::Admitted, cursor) => cursor.map_or(1, |cursor| cursor.seq + 1),
            (Stage::Enrolled { from, .. }, _) => *from,
            _ => return None,
        };
        let keys = self.memory.keys.as_ref()?;
        Some(Dial {
            addresses: whom.addresses,
            relay: whom.relay,
            transport: StaticSecret::from_secret(Secret::copy(keys.transport.secret().expose())?),
            access: AccessSecret::from_secret(Secret::copy(keys.access.secret().expose())?),
            resume,
            holder: whom.holder,
        })
    }

    fn reached(&mut self, now: Now, address: &str, relay: Option<StaticPublic>) {
        if let Err(fault) = self.step(now, |cx| cx.reached(address, relay)) {
            tracing::warn!(?fault, "an address could not be kept");
        }
    }

    fn frame(&mut self, now: Now, frame: ToDevice) {
        if let Err(fault) = self.step(now, |cx| cx.frame(frame)) {
            // Nothing of the frame was kept: it is read again on a new connection.
            tracing::warn!(?fault, "a frame could not be taken over");
            self.link = Link::default();
            self.out.push_back(Out::Redial);
        }
        self.try_strange(now);
    }

    /// One transaction for all, so that a burst costs one write to disk; if any of them fails, each
    /// has its own.
    fn frames(&mut self, now: Now, frames: Vec<ToDevice>) {
        if frames.len() > 1 {
            let all = frames.clone();
            let work = |cx: &mut Cx<'_>| all.into_iter().try_for_each(|frame| cx.frame(frame));
            if self.step(now, work).is_ok() {
                return;
            }
        }
        for frame in frames {
            self.frame(now, frame);
        }
    }

    fn down(&mut self, now: Now, why: Down) {
        let was = self.link.connected || self.link.down != Some(why);
        self.link = Link::broken(why);
        self.scout_down(now, why);
        self.away_down(now, why);
        if was {
            let state = if why == Down::Refused { "refused" } else { "offline" };
            let event = json!({"v": 1, "type": "connection", "state": state});
            self.out.push_back(Out::Event(event));
        }
        self.quiet_step(now);
    }

    fn call(&mut self, now: Now, id: CallId, method: &str, params: Value) {
        let work = |cx: &mut Cx<'_>| {
            cx.unsettled = false;
            cx.call(id, method, params)
        };
        match self.step(now, work) {
            Ok(Some(value)) => self.answer(id, Ok(value)),
            Ok(None) => {}
            Err(fault) => self.answer(id, Err(fault)),
        }
    }

    /// One transaction for all, so that many small calls cost one write to disk; if any of them
    /// fails, each has its own.
    fn calls(&mut self, now: Now, calls: Vec<(CallId, String, Value)>) {
        if calls.len() > 1 {
            let done = self.step(now, |cx| {
                cx.unsettled = false;
                cx.carry_out(&calls)
            });
            match done {
                Ok(answers) => return self.answer_all(answers),
                Err(_) => self.forget_waits(&calls),
            }
        }
        for (id, method, params) in calls {
            self.call(now, id, &method, params);
        }
    }

    /// One transaction for all: under load a step has frames and calls, and its pages are written
    /// once. If anything fails, the ones and the others have their own.
    fn together(&mut self, now: Now, frames: Vec<ToDevice>, calls: Vec<(CallId, String, Value)>) {
        if !frames.is_empty() && !calls.is_empty() {
            let all = frames.clone();
            let done = self.step(now, |cx| {
                all.into_iter().try_for_each(|frame| cx.frame(frame))?;
                cx.carry_out(&calls)
            });
            match done {
                Ok(answers) => return self.answer_all(answers),
                Err(_) => self.forget_waits(&calls),
            }
        }
        self.frames(now, frames);
        self.calls(now, calls);
    }

    fn tick(&mut self, now: Now) {
        let housekeeping = now.mono_ms >= self.housekeeping_at;
        if housekeeping {
            self.housekeeping_at = now.mono_ms + HOUSEKEEPING_MS;
        }
        let done = self.step(now, |cx| if housekeeping { cx.keep_house() } else { Ok(()) });
        if let Err(fault) = done {
            tracing::warn!(?fault, "a timer's step failed");
        }
        self.try_strange(now);
    }

    fn deadline(&self) -> Option<u64> {
        let waits = self.waits.deadline();
        let due = [self.link.due, waits, self.expiry_due, Some(self.housekeeping_at)];
        due.into_iter().flatten().min()
    }

    fn poll(&mut self) -> Option<Out> {
        self.out.pop_front()
    }
}

/// What calls are answered at once; the others wait.
type Answers = Vec<(CallId, Option<Value>)>;

impl Engine {
    /// A step that only answers what waits.
    fn quiet_step(&mut self, now: Now) {
        if let Err(fault) = self.step(now, |_| Ok(())) {
            tracing::warn!(?fault, "a step failed");
        }
    }

    fn answer_all(&mut self, answers: Answers) {
        for (id, answer) in answers {
            if let Some(value) = answer {
                self.answer(id, Ok(value));
            }
        }
    }

    /// The step of these calls was rolled back.
    fn forget_waits(&mut self, calls: &[(CallId, String, Value)]) {
        let ids: Vec<CallId> = calls.iter().map(|(id, ..)| *id).collect();
        self.waits.forget(&ids);
        self.scout.take_if(|scout| scout.call.is_some_and(|call| ids.contains(&call)));
    }
}

impl Cx<'_> {
    /// Calls in their order.
    fn carry_out(&mut self, calls: &[(CallId, String, Value)]) -> Result<Answers, Fault> {
        let one = |(id, method, params): &(CallId, String, Value)| {
            Ok((*id, self.call(*id, method, params.clone())?))
        };
        calls.iter().map(one).collect()
    }

    fn frame(&mut self, frame: ToDevice) -> Result<(), Fault> {
        match frame {
            ToDevice::Welcome { log, oldest, head, hash, .. } => {
                self.welcome(log, (head, hash), oldest)
            }
            ToDevice::InviteWelcome { bundle, state, .. } => self.code_welcome(&bundle, state),
            // What was under way on a connection that is given up.
            _ if !self.link.connected => Ok(()),
            // Of a relay that is not the team's, the log is looked at and nothing else.
            frame if self.memory.profile.stopped.is_some() => match frame {
                ToDevice::Push { first, hash, cells, .. } => self.push(first, hash, &cells),
                _ => Ok(()),
            },
            ToDevice::Push { first, hash, cells, .. } => self.push(first, hash, &cells),
            ToDevice::Ack { request, seqs } => self.acked(request, &seqs),
            ToDevice::Done { request } => self.done(request),
            ToDevice::Fail { request, code, retry_ms } => self.failed(request, code, retry_ms),
            ToDevice::Gap { .. } => self.fell_behind(),
            ToDevice::Blob { request, count, chunk } => match self.link.answered(request) {
                Some(Asked::BlobGet(blob)) => self.chunk(&blob, count, chunk),
                _ => Ok(()),
            },
            ToDevice::Announce { blobs, .. } => self.announced(&blobs),
            ToDevice::InviteReused { id, at } => self.invite_reused(&id, at),
            ToDevice::Notice { kind, retry_ms } => {
                self.notice(kind, retry_ms);
                Ok(())
            }
            ToDevice::Pong | ToDevice::Join { .. } | ToDevice::NoVersion { .. } => Ok(()),
        }
    }

    fn done(&mut self, request: Request) -> Result<(), Fault> {
        match self.link.answered(request) {
            Some(Asked::Rows) => self.rows_done(),
            Some(Asked::SpareRows) => self.spare_rows_done(),
            Some(Asked::Base) => self.base_taken(),
            Some(Asked::Invite(id)) => self.invite_opened(&id),
            Some(Asked::InviteEnd(id)) => self.invite_ended(&id),
            Some(Asked::BlobPut(blob, index)) => {
                self.tx.remove_blob_chunk(&blob, index)?;
                self.uploaded(&blob)
            }
            Some(Asked::BlobDelete(blob)) => Ok(self.tx.remove_own_blob(&blob)?),
            Some(Asked::Put(_) | Asked::Carry(..) | Asked::Apart(_) | Asked::BlobGet(_)) | None => {
                Ok(())
            }
        }
    }

    fn failed(&mut self, request: Request, code: FailCode, retry_ms: u32) -> Result<(), Fault> {
        match self.link.answered(request) {
            Some(Asked::Put(ids)) => self.put_failed(&ids, code, retry_ms),
            Some(Asked::Carry(..) | Asked::Apart(_)) => self.put_failed(&[], code, retry_ms),
            Some(Asked::Rows) => self.rows_failed(code, retry_ms),
            Some(Asked::SpareRows) => self.spare_rows_failed(),
            // Somebody else was quicker.
            Some(Asked::Base) => self.base_taken(),
            Some(asked @ (Asked::Invite(_) | Asked::InviteEnd(_))) => {
                self.invite_failed(&asked, code)
            }
            Some(asked @ (Asked::BlobPut(..) | Asked::BlobGet(_) | Asked::BlobDelete(_))) => {
                self.blob_failed(&asked, code, retry_ms)
            }
            None => Ok(()),
        }
    }

    fn notice(&mut self, kind: NoticeKind, retry_ms: u32) {
        let text = match kind {
            NoticeKind::Draining => "the relay is restarting",
            NoticeKind::RetryAfter => "the relay is busy",
            NoticeKind::OverQuota => "this device is over a quota at the relay",
            NoticeKind::LowDisk => "the relay's disk is nearly full",
            NoticeKind::Moved => "the relay has moved",
        };
        self.event(json!({"v": 1, "type": "notice", "text": text, "retry_ms": retry_ms}));
    }

    /// Periodic work that no step waits for.
    fn keep_house(&mut self) -> Result<(), Fault> {
        let now = self.now.unix_s();
        self.tx.purge_keys(now)?;
        self.tx.drop_stray_chunks(now)?;
        self.tx.trim_ring(now)?;
        self.forget_own_packages()?;
        self.report_seen();
        self.cut_leftovers()?;
        self.look_after_spare()?;
        self.trim_checks()?;
        self.freeze_overdue()
    }
}
