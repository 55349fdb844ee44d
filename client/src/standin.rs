//! x
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::api::{Join, JoinStep, Profile};
use crate::errors::Failure;
use crate::passphrase::Passphrase;

#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) code: i64,
    pub(crate) exit: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) data: Value,
}

pub(crate) struct Handle {
    log: Mutex<Vec<Value>>,
    tx: Mutex<Option<mpsc::UnboundedSender<Value>>>,
}
pub(crate) struct Events(mpsc::UnboundedReceiver<Value>);
impl Events {
    pub(crate) async fn next(&mut self) -> Option<Value> {
        self.0.recv().await
    }
}

pub(crate) async fn open(profile: &Profile, _connect: bool) -> Result<Handle, Failure> {
    if !profile.dir.exists() {
        return Err(Failure::Api(ApiError {
            code: 1,
            exit: 1,
            message: "There is no profile here.".into(),
            hint: Some("Join with an invite".into()),
            data: Value::Null,
        }));
    }
    let _ = profile.passphrase.existing()?;
    Ok(Handle { log: Mutex::new(vec![]), tx: Mutex::new(None) })
}

impl Handle {
    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, ApiError> {
        let mut log = self.log.lock().unwrap_or_else(|p| p.into_inner());
        Ok(match method {
            "status" => {
                json!({"agent":true,"connected":true,"head":1,"queued":0,"team":"Campagne","member":"Lea","device":"laptop","relay":"127.0.0.1:7443","refused":null,"alarms":[]})
            }
            "room.list" => {
                json!([{"name":"general","id":"00","kind":"room","members":3,"unread":2},{"name":"@Karim","id":"01","kind":"direct","members":2,"unread":0}])
            }
            "sync" => json!({"head":1,"queued":0}),
            "team" => {
                json!([{"member":"Lea","device":"aabb","label":"laptop","role":"admin","verified":true,"state":"active","since":"2027-04-25T09:12:03Z"}])
            }
            "read" => {
                Value::Array(log.iter().filter(|m| m["room"] == params["room"]).cloned().collect())
            }
            "send" => {
                let n = log.len();
                let id = format!("{n:032x}");
                let m = json!({"v":1,"type":"message","id":id,"room":params["room"],"from":"Lea","verified":true,"sent_at":"2027-04-25T09:12:03Z","seq":n,"text":params["text"],"own":true});
                log.push(m.clone());
                let e = json!({"v":1,"type":"message","id":format!("{:032x}", n+1000),"room":params["room"],"from":"Karim","verified":false,"sent_at":"2027-04-25T09:12:04Z","seq":n,"text":format!("echo {}", params["text"]),"own":false});
                if let Some(tx) = &*self.tx.lock().unwrap_or_else(|p| p.into_inner()) {
                    let _ = tx.send(m);
                    let _ = tx.send(e);
                }
                json!({"id":id,"seq":null,"state":"queued"})
            }
            _ => json!({}),
        })
    }
    pub(crate) async fn subscribe(&self, _params: Value) -> Result<Events, ApiError> {
        let (tx, rx) = mpsc::unbounded_channel();
        *self.tx.lock().unwrap_or_else(|p| p.into_inner()) = Some(tx);
        Ok(Events(rx))
    }
    pub(crate) fn is_holder(&self) -> bool {
        true
    }
    pub(crate) async fn close(self) {}
}

pub(crate) async fn join(
    _profile: &Profile,
    _passphrase: Passphrase,
    join: Join,
    on: &mut dyn FnMut(JoinStep) -> Result<ControlFlow<()>, Failure>,
) -> Result<(), Failure> {
    let words = ["citron", "ardoise", "volcan", "piano", "balcon"].map(String::from).to_vec();
    let step = JoinStep::Waiting { words, inviter: "Karim".into(), team: "Campagne".into() };
    if on(step)?.is_break() {
        return Ok(());
    }
    let _ =
        on(JoinStep::Joined { member: join.name, device: join.device, team: "Campagne".into() })?;
    Ok(())
}
