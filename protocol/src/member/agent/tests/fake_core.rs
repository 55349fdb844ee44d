//! A core that only remembers what it was told.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::super::core::{ApiError, CallId, Core, Dial, Down, Now, Out};
use super::fake_relay::{Keys, cells};
use crate::wire::frame::{ToDevice, ToRelay};
use crate::wire::ids::Lane;

/// What a core was told.
pub(crate) enum Saw {
    Frame(ToDevice),
    Down(Down),
}

pub(crate) struct FakeCore {
    dial: Option<(Keys, Vec<String>)>,
    saw: mpsc::UnboundedSender<Saw>,
    out: VecDeque<Out>,
    timer: Option<(u64, CallId)>,
    block: Option<std::sync::mpsc::Receiver<()>>,
    /// Whether the one thing that consumers are told was acknowledged.
    acked: bool,
}

impl FakeCore {
    /// A core that has nobody to call.
    pub(crate) fn offline() -> Box<dyn Core> {
        Self::build(None, None).0
    }

    /// A core whose device has these keys and calls these addresses.
    pub(crate) fn calling(
        keys: Keys,
        to: &[&str],
    ) -> (Box<dyn Core>, mpsc::UnboundedReceiver<Saw>) {
        let to = to.iter().map(|address| (*address).to_owned()).collect();
        Self::build(Some((keys, to)), None)
    }

    /// A core that is stuck in its first PUSH until it is told to go on.
    pub(crate) fn stuck(
        keys: Keys,
        to: &str,
    ) -> (Box<dyn Core>, mpsc::UnboundedReceiver<Saw>, std::sync::mpsc::Sender<()>) {
        let (go_on, block) = std::sync::mpsc::channel();
        let (core, saw) = Self::build(Some((keys, vec![to.to_owned()])), Some(block));
        (core, saw, go_on)
    }

    fn build(
        dial: Option<(Keys, Vec<String>)>,
        block: Option<std::sync::mpsc::Receiver<()>>,
    ) -> (Box<dyn Core>, mpsc::UnboundedReceiver<Saw>) {
        let (saw, seen) = mpsc::unbounded_channel();
        (Box::new(Self { dial, saw, out: VecDeque::new(), timer: None, block, acked: false }), seen)
    }
}

impl Core for FakeCore {
    fn dial(&self) -> Option<Dial> {
        let (keys, addresses) = self.dial.as_ref()?;
        let keys = keys.clone();
        Some(Dial {
            addresses: addresses.clone(),
            relay: keys.relay.public(),
            transport: keys.transport,
            access: keys.access,
            resume: 5,
            holder: None,
        })
    }

    fn frame(&mut self, _now: Now, frame: ToDevice) {
        if matches!(frame, ToDevice::Push { .. })
            && let Some(block) = self.block.take()
        {
            let _ended = block.recv();
        }
        // Something that makes a core give the connection up.
        if matches!(frame, ToDevice::Gap { .. }) {
            self.out.push_back(Out::Redial);
        }
        let _ended = self.saw.send(Saw::Frame(frame));
    }

    fn down(&mut self, _now: Now, why: Down) {
        let _ended = self.saw.send(Saw::Down(why));
    }

    fn call(&mut self, now: Now, id: CallId, method: &str, params: Value) {
        let answer = match method {
            "echo" => Ok(params),
            "subscribe" if params["window"].is_u64() => {
                Ok(json!({ "consumer": "", "window": params["window"] }))
            }
            "status" | "subscribe" => Ok(json!({})),
            "deliveries" => {
                let told = self.acked || params["after"].as_i64().is_some_and(|after| after > 0);
                let one = json!({ "type": "message", "id": "a" });
                Ok(json!({ "events": if told { vec![] } else { vec![one] }, "after": 1 }))
            }
            "ack" => {
                self.acked = true;
                Ok(json!({ "acked": true }))
            }
            "later" => {
                self.timer = Some((now.mono_ms + 100, id));
                return;
            }
            "never" => return,
            "put" => {
                for request in 0..params["frames"].as_u64().unwrap() {
                    let request = u32::try_from(request).unwrap();
                    let put = ToRelay::Put { lane: Lane(0), request, cells: cells(60) };
                    self.out.push_back(Out::Send(put));
                }
                Ok(json!({}))
            }
            "emit" => {
                self.out.push_back(Out::Event(params));
                Ok(json!({}))
            }
            "redial" => {
                self.out.push_back(Out::Redial);
                Ok(json!({}))
            }
            "send" => Err(ApiError {
                code: -32_000,
                exit: 69,
                message: "the relay cannot be reached".to_owned(),
                hint: Some("it is queued".to_owned()),
                data: json!({ "id": "ab", "seq": null, "state": "queued" }),
            }),
            _ => Err(ApiError::malformed(-32_601, "there is no such method")),
        };
        self.out.push_back(Out::Answer(id, answer));
    }

    fn tick(&mut self, _now: Now) {
        if let Some((_, id)) = self.timer.take() {
            self.out.push_back(Out::Answer(id, Ok(json!("at last"))));
        }
    }

    fn deadline(&self) -> Option<u64> {
        self.timer.map(|(at, _)| at)
    }

    fn poll(&mut self) -> Option<Out> {
        self.out.pop_front()
    }
}
