//! A person or bot at a computer: a profile directory, a passphrase file and the `staffetta`
//! program.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::binaries;
use crate::eventually::{PATIENCE, eventually};
use crate::process::Process;
use crate::rpc::Rpc;

/// What a finished command did.
#[derive(Debug)]
pub struct Done {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Done {
    /// What it printed, an object a line.
    pub fn json(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
            })
            .collect()
    }
}

/// One profile and whoever holds it.
pub struct Staff {
    /// The member's name.
    pub name: String,
    /// The profile directory.
    pub profile: PathBuf,
    passphrase: PathBuf,
    holder: Option<Process>,
}

impl Staff {
    /// Somebody without a profile yet, whose files will be in `dir`.
    pub fn new(dir: &Path, name: &str) -> Self {
        let new = Self::known(dir, name);
        fs::create_dir_all(new.home()).expect("a directory");
        write_private(&new.passphrase, &format!("correct horse battery {name}\n"));
        new
    }

    /// Somebody whose files are in `dir` already.
    pub fn known(dir: &Path, name: &str) -> Self {
        let folder: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let home = dir.join(folder);
        let (profile, passphrase) = (home.join("profile"), home.join("passphrase"));
        Self { name: name.to_owned(), profile, passphrase, holder: None }
    }

    /// Where this person's other files go.
    pub fn home(&self) -> &Path {
        self.profile.parent().expect("a profile lies in a home")
    }

    /// Uses another passphrase file from now on; returns the one before.
    pub fn use_passphrase_file(&mut self, path: PathBuf) -> PathBuf {
        std::mem::replace(&mut self.passphrase, path)
    }

    /// Where the holder of the profile is reached, while there is one.
    pub fn socket(&self) -> PathBuf {
        self.profile.join("agent.sock")
    }

    /// The file with the passphrase.
    pub fn passphrase_file(&self) -> &Path {
        &self.passphrase
    }

    /// A `staffetta` command with this profile.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(binaries::client());
        command.arg("--profile").arg(&self.profile).arg("--passphrase-file").arg(&self.passphrase);
        command.args(args).env("LC_ALL", "C.UTF-8").env_remove("RUST_LOG");
        command
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Done {
        finish(self.command(args), b"")
    }

    /// Runs a command to its end with this on standard input.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, args: &[S], input: &[u8]) -> Done {
        finish(self.command(args), input)
    }

    /// Runs a command that must succeed and returns the objects that it printed.
    pub fn ok(&self, args: &[&str]) -> Vec<Value> {
        let done = finish(self.command(&[&["--json"], args].concat()), b"");
        assert_eq!(done.code, 0, "{}: {args:?}: {done:?}", self.name);
        done.json()
    }

    /// Runs a command that reads this line and must succeed.
    pub fn tells(&self, args: &[&str], line: &str) {
        let done = self.run_with_input(args, format!("{line}\n").as_bytes());
        assert_eq!(done.code, 0, "{}: {args:?}: {done:?}", self.name);
    }

    /// Runs a command that must print one object, and returns it.
    pub fn one(&self, args: &[&str]) -> Value {
        let mut all = self.ok(args);
        assert_eq!(all.len(), 1, "{args:?}: {all:?}");
        all.swap_remove(0)
    }

    /// Runs a command that must end with this code and say why.
    pub fn fails(&self, code: i32, args: &[&str]) -> Done {
        let done = finish(self.command(&[&["--json"], args].concat()), b"");
        assert_eq!(done.code, code, "{}: {args:?}: {done:?}", self.name);
        assert!(!done.stderr.trim().is_empty(), "{args:?} fails in silence");
        done
    }

    /// Starts a command that goes on.
    pub fn start(&self, args: &[&str]) -> Process {
        let name = format!("{} {}", self.name, args.join(" "));
        Process::start(&name, &mut self.command(args))
    }

    /// Starts an agent that holds the profile, and returns once it answers.
    pub fn hold(&mut self) {
        self.begin_to_hold();
        self.agent_answers();
    }

    /// Waits until the agent that was started answers.
    pub fn agent_answers(&mut self) {
        let mut holder = self.holder.take().expect("an agent");
        eventually(&format!("{}'s agent answers", self.name), || {
            if !holder.is_alive() {
                panic!("the agent ended, {}: {:#?}", holder.wait(), holder.stderr.to_the_end());
            }
            Rpc::open(&self.profile)?.call("ping", json!({})).ok()
        });
        self.holder = Some(holder);
    }

    /// Starts an agent, and does not wait for what becomes of it.
    pub fn begin_to_hold(&mut self) {
        self.holder = Some(self.start(&["agent"]));
    }

    /// Starts an agent and returns once it is connected.
    pub fn go_online(&mut self) {
        self.hold();
        self.is_connected();
    }

    /// Waits until the holder is connected.
    pub fn is_connected(&self) {
        self.status_comes("is connected", |status| status["connected"] == true);
    }

    /// Waits until the holder's status is as wanted.
    pub fn status_comes(&self, fact: &str, is_so: impl Fn(&Value) -> bool) {
        let mut last = Value::Null;
        let fact = format!("{} {fact}", self.name);
        eventually(&fact, || {
            last = self.call("status", json!({}));
            is_so(&last).then_some(())
        });
    }

    /// Ends the agent in order.
    pub fn go_offline(&mut self) {
        if let Some(mut holder) = self.holder.take() {
            assert_eq!(holder.terminate(), 0, "{}'s agent ends in order", self.name);
        }
    }

    /// kill -9 of the agent.
    pub fn kill(&mut self) {
        self.holder.take().expect("an agent").kill();
    }

    /// The agent, if there is one.
    pub fn holder(&mut self) -> Option<&mut Process> {
        self.holder.as_mut()
    }

    /// A connection to the holder.
    pub fn rpc(&self) -> Rpc {
        Rpc::open(&self.profile).unwrap_or_else(|| panic!("nobody holds {}'s profile", self.name))
    }

    /// One call of the holder that must succeed.
    pub fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.rpc().call(method, params);
        answer.unwrap_or_else(|error| panic!("{}: {method}: {error}", self.name))
    }

    /// The texts of a room as this device has them, oldest first.
    pub fn texts(&self, room: &str) -> Vec<String> {
        let messages = self.messages(room);
        messages.iter().map(|it| it["text"].as_str().expect("a text").to_owned()).collect()
    }

    /// The messages of a room as this device has them, oldest first.
    pub fn messages(&self, room: &str) -> Vec<Value> {
        let read = self.read(room);
        read.unwrap_or_else(|error| panic!("{}: read: {error}", self.name))
    }

    fn read(&self, room: &str) -> Result<Vec<Value>, Value> {
        let params = json!({"room": room, "unread": false, "limit": 100_000, "mark_read": false});
        match self.rpc().call("read", params)? {
            Value::Array(messages) => Ok(messages),
            other => Err(other),
        }
    }

    /// Queues texts in a room, each once the one before is safe in the outbox; returns their ids.
    pub fn queue(&self, room: &str, texts: &[String]) -> Vec<String> {
        let mut rpc = self.rpc();
        let mut queue = |text: &String| {
            let queued = rpc.call("send", json!({"room": room, "text": text, "wait_ms": 0}));
            let queued = queued.unwrap_or_else(|error| panic!("{} sends: {error}", self.name));
            queued["id"].as_str().expect("an id").to_owned()
        };
        texts.iter().map(&mut queue).collect()
    }

    /// Waits until the holder is connected over this address, and no longer refuses to say so: it
    /// does while it looks at a log that nobody has named yet.
    pub fn comes_to(&self, address: &str) {
        eventually(&format!("{} is at the relay", self.name), || {
            let told = self.rpc().call("relay.addresses", json!({})).ok()?;
            let connected = self.call("status", json!({}))["connected"] == true;
            (connected && told["in_use"] == address).then_some(())
        });
    }

    /// Waits until everything queued has come back from the log.
    pub fn has_sent_everything(&self) {
        self.status_comes("has sent everything", |status| status["queued"] == 0);
    }

    /// The epoch of a room on this device and its authenticator, once the device is in it.
    pub fn epoch(&self, room: &str) -> Option<(u64, String)> {
        let status = self.call("status", json!({}));
        let rooms = status["rooms"].as_array().expect("a list of rooms");
        let state = rooms.iter().find(|it| it["room"] == room)?;
        Some((state["epoch"].as_u64()?, state["authenticator"].as_str()?.to_owned()))
    }

    /// Who is in a room, as this device sees it, in alphabetical order.
    pub fn members(&self, room: &str) -> Vec<String> {
        let all = self.call("room.members", json!({"room": room}));
        let all = all.as_array().expect("a list of members");
        let mut names: Vec<String> =
            all.iter().map(|it| it["member"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    }

    /// Waits until a room holds a text on this device, which may not know yet that it was added.
    pub fn reads(&self, room: &str, text: &str) {
        eventually(&format!("{} reads {text:?} in {room}", self.name), || match self.read(room) {
            Ok(messages) => messages.iter().any(|it| it["text"] == text).then_some(()),
            Err(error) if is_unknown_room(&error) => None,
            Err(error) => panic!("{}: read: {error}", self.name),
        });
    }
}

fn is_unknown_room(error: &Value) -> bool {
    error["message"].as_str().is_some_and(|told| told.starts_with("There is no room called"))
}

/// Runs a command to its end, feeding its input while its output is read.
fn finish(mut command: Command, input: &[u8]) -> Done {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the client runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    // A command may refuse its input without reading it.
    let feeding = thread::spawn(move || drop(stdin.write_all(&input)));
    let pid = Pid::from_child(&child);
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    let Ok(done) = end.recv_timeout(PATIENCE) else {
        // It has not been waited for, so the id is still its own.
        let _ = kill_process(pid, Signal::KILL);
        panic!("did not end in {PATIENCE:?}: {command:?}");
    };
    let done = done.expect("a child can be waited for");
    feeding.join().expect("the feeding thread");
    Done {
        code: done.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// Writes a new file that only its owner reads.
pub fn write_private(path: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    let mut file = options.create_new(true).write(true).mode(0o600).open(path).expect("a new file");
    file.write_all(text.as_bytes()).expect("a written file");
}
