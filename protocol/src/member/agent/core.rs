//! What the agent drives: a device's whole state, without sockets, threads or clocks.

use serde_json::Value;

use crate::noise::keys::{AccessSecret, GateKey, HopPsk, StaticPublic, StaticSecret};
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::Seq;

/// The time of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall clock, unix milliseconds: shown to people, never trusted for order.
    pub unix_ms: u64,
    /// Monotonic clock, milliseconds since the process started: timers.
    pub mono_ms: u64,
}

impl Now {
    /// Wall clock in unix seconds.
    pub fn unix_s(self) -> u64 {
        self.unix_ms / 1_000
    }
}

/// Why a call failed, in words for a person and with the exit code of a command.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    /// JSON-RPC error code.
    pub code: i64,
    /// The exit code of a command that fails with this: 1, 2, 69, 75, 77 or 78.
    pub exit: u8,
    /// One sentence: what was wrong.
    pub message: String,
    /// The next step, if there is one.
    pub hint: Option<String>,
    /// Facts for scripts; `Null` if none.
    pub data: Value,
}

/// Identifies a call that is answered later.
pub type CallId = u64;

/// What a core wants done.
pub enum Out {
    /// Send a frame to the relay; dropped if the link is down.
    Send(ToRelay),
    /// Tell every subscriber; one JSON object of the events contract.
    Event(Value),
    /// What consumers are to acknowledge has changed: whoever delivers to them looks again.
    Deliveries,
    /// Answer a call.
    Answer(CallId, Result<Value, ApiError>),
    /// Bring the link down and up again with new [`Dial`] data.
    Redial,
}

/// Whom to call, and as whom.
pub struct Dial {
    /// Addresses to try in order, `HOST:PORT`.
    pub addresses: Vec<String>,
    /// The relay's static key.
    pub relay: StaticPublic,
    /// The device's transport key.
    pub transport: StaticSecret,
    /// The device's access secret.
    pub access: AccessSecret,
    /// The first seq wanted.
    pub resume: Seq,
    /// Call as the holder of a code, and not as a device.
    pub holder: Option<CodeHolder>,
}

/// What the holder of a code calls with.
pub struct CodeHolder {
    /// Opens the gate.
    pub gate: GateKey,
    /// The psk of the hop.
    pub psk: HopPsk,
    /// The key that the code binds to.
    pub throwaway: StaticSecret,
}

const _: () = assert!(std::mem::needs_drop::<CodeHolder>());

/// Why the link is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Down {
    /// No TCP, no DNS, a time-out or a 5xx.
    Unreachable,
    /// A 404 at the gate, or a close after Noise before WELCOME: revoked, or the clock is off.
    Refused,
    /// It was up and broke.
    Lost,
    /// No version is spoken by both.
    NoVersion,
    /// The core asked for it.
    Redialled,
}

/// A device's whole state. The driver's one rule: after each call, drain `poll`, then set its
/// timer to `deadline`.
pub trait Core: Send + 'static {
    /// What the link needs for its next connection; `None` while there is nothing to connect to.
    fn dial(&self) -> Option<Dial>;
    /// A connection stands over this one of the addresses; WELCOME comes next. To the holder of a
    /// code the relay has shown its static key.
    fn reached(&mut self, _now: Now, _address: &str, _relay: Option<StaticPublic>) {}
    /// The relay sent a frame; the first on each connection is WELCOME.
    fn frame(&mut self, now: Now, frame: ToDevice);
    /// Several frames that waited at once, in their order; as if [`Core::frame`] were called with
    /// each.
    fn frames(&mut self, now: Now, frames: Vec<ToDevice>) {
        for frame in frames {
            self.frame(now, frame);
        }
    }
    /// The link went down, or another attempt failed.
    fn down(&mut self, now: Now, why: Down);
    /// A local command. Answered by [`Out::Answer`] with this id, at once or later.
    fn call(&mut self, now: Now, id: CallId, method: &str, params: Value);
    /// Several local commands that came at once, in their order; as if [`Core::call`] were called
    /// with each.
    fn calls(&mut self, now: Now, calls: Vec<(CallId, String, Value)>) {
        for (id, method, params) in calls {
            self.call(now, id, &method, params);
        }
    }
    /// Frames and local commands that came at once; as if [`Core::frames`] were called with the ones
    /// and then [`Core::calls`] with the others.
    fn together(&mut self, now: Now, frames: Vec<ToDevice>, calls: Vec<(CallId, String, Value)>) {
        self.frames(now, frames);
        self.calls(now, calls);
    }
    /// The time of `deadline` has come.
    fn tick(&mut self, now: Now);
    /// When to call `tick`, in [`Now::mono_ms`].
    fn deadline(&self) -> Option<u64>;
    /// The next thing to do.
    fn poll(&mut self) -> Option<Out>;
}
