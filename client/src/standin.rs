//! x
use std::collections::VecDeque;
use std::ops::ControlFlow;

use serde_json::{Value, json};
use staffetta_protocol::member::agent::{ApiError, Core, Dial, Down, Now, Out};
use staffetta_protocol::wire::frame::ToDevice;

use crate::api::{Join, JoinStep, Profile};
use crate::errors::Failure;
use crate::passphrase::Passphrase;

#[derive(Default)]
pub(crate) struct Fake(VecDeque<Out>, Vec<Value>);

impl Core for Fake {
    fn dial(&self) -> Option<Dial> {
        None
    }
    fn frame(&mut self, _: Now, _: ToDevice) {}
    fn down(&mut self, _: Now, _: Down) {}
    fn call(&mut self, _: Now, id: u64, method: &str, params: Value) {
        let a = match method {
            "status" => {
                json!({"agent":true,"connected":true,"head":1,"queued":0,"team":"Campagne","member":"Lea","device":"laptop","relay":"127.0.0.1:7443","refused":null,"alarms":[]})
            }
            "room.list" => {
                json!([{"name":"general","id":"00","kind":"room","members":3,"unread":2},{"name":"@Karim","id":"01","kind":"direct","members":2,"unread":0}])
            }
            "sync" => json!({"head":1,"queued":0}),
            "read" => Value::Array(self.1.clone()),
            "send" => {
                let n = self.1.len();
                let mid = format!("{n:032x}");
                let m = json!({"v":1,"type":"message","id":mid,"room":params.get("room"),"from":"Lea","verified":true,"sent_at":"2027-04-25T09:12:03Z","seq":n,"text":params.get("text"),"own":true});
                self.1.push(m.clone());
                self.0.push_back(Out::Event(m));
                json!({"id":mid,"seq":n})
            }
            _ => json!({}),
        };
        self.0.push_back(Out::Answer(id, Ok::<_, ApiError>(a)));
    }
    fn tick(&mut self, _: Now) {}
    fn deadline(&self) -> Option<u64> {
        None
    }
    fn poll(&mut self) -> Option<Out> {
        self.0.pop_front()
    }
}

pub(crate) async fn join(
    _profile: &Profile,
    _passphrase: Passphrase,
    join: Join,
    on: &mut dyn FnMut(JoinStep) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let words = ["citron", "ardoise", "volcan", "piano", "balcon"].map(String::from).to_vec();
    let step =
        JoinStep::Waiting { words: Some(words), inviter: "Karim".into(), team: "Campagne".into() };
    if on(step)?.is_break() {
        return Ok(());
    }
    let _ =
        on(JoinStep::Joined { member: join.name, device: join.device, team: "Campagne".into() })?;
    Ok(())
}
