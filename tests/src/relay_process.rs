//! A relay: made by `init`, served by `serve`, behind a proxy that keeps its address.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::binaries;
use crate::cut_proxy::CutProxy;
use crate::process::Process;

/// A relay's directory, its way in and, while it is served, its process.
pub struct Relay {
    /// The data directory.
    pub data: PathBuf,
    /// The way in; cut it to cut the relay off.
    pub proxy: CutProxy,
    /// What `init` printed.
    pub fingerprint: String,
    /// The code that claims the relay: the founder code, or a spare's.
    pub founder_code: String,
    environment: Vec<(String, String)>,
    process: Option<Process>,
    serving: Option<SocketAddr>,
    log: Vec<String>,
}

impl Relay {
    /// Makes the directory of a relay in `parent` for a team.
    pub fn init(parent: &Path, team: &str) -> Self {
        Self::made(parent.join("relay"), &["--team", team], "founder_code")
    }

    /// Makes the directory `name` of a spare relay in `parent`.
    pub fn spare(parent: &Path, name: &str) -> Self {
        Self::made(parent.join(name), &["--spare"], "spare_code")
    }

    fn made(data: PathBuf, more: &[&str], code: &str) -> Self {
        let proxy = CutProxy::new();
        let mut init = Command::new(binaries::relay());
        init.arg("init").arg("--data-dir").arg(&data).arg("--json");
        init.arg("--address").arg(proxy.address().to_string()).args(more);
        let done = init.output().expect("the relay runs");
        assert!(done.status.success(), "init: {}", String::from_utf8_lossy(&done.stderr));
        let printed: Value = serde_json::from_slice(&done.stdout).expect("init prints JSON");
        let text = |name: &str| printed[name].as_str().expect("a text").to_owned();
        Self {
            fingerprint: text("fingerprint"),
            founder_code: text(code),
            data,
            proxy,
            environment: Vec::new(),
            process: None,
            serving: None,
            log: Vec::new(),
        }
    }

    /// What stands up, in the directory `name` of `parent` and behind a way in of its own, from a
    /// backup that is made of this relay now. It is not served yet.
    pub fn restored(&self, parent: &Path, name: &str) -> Self {
        let (file, data) = (parent.join(format!("{name}.age")), parent.join(name));
        let run = |args: &[&dyn AsRef<OsStr>]| {
            let mut command = Command::new(binaries::relay());
            command.arg("backup").args(args.iter().map(AsRef::as_ref));
            let done = command.output().expect("the relay runs");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        run(&[&"create", &file, &"--data-dir", &self.data]);
        let key = self.data.join("keys/backup.key");
        run(&[&"restore", &file, &"--data-dir", &data, &"--identity", &key]);
        self.other(data)
    }

    /// What somebody has who copied this relay's whole directory, keys included, to `name`
    /// beside it: another relay with the same key and log, behind a way in of its own. This one
    /// rests for that moment. The copy is not served yet.
    pub fn stolen(&mut self, name: &str) -> Self {
        let data = self.data.with_file_name(name);
        self.stop();
        let done = Command::new("cp").arg("-a").arg(&self.data).arg(&data).status();
        assert!(done.expect("cp runs").success());
        self.serve();
        self.other(data)
    }

    /// A relay of the same key in another directory.
    fn other(&self, data: PathBuf) -> Self {
        Self {
            data,
            proxy: CutProxy::new(),
            fingerprint: self.fingerprint.clone(),
            founder_code: String::new(),
            environment: Vec::new(),
            process: None,
            serving: None,
            log: Vec::new(),
        }
    }

    /// What an operator's command says of this relay, which is served, an object a line.
    pub fn tells(&self, args: &[&str]) -> Vec<Value> {
        let mut command = Command::new(binaries::relay());
        command.args(args).arg("--json").arg("--data-dir").arg(&self.data);
        let done = command.output().expect("the relay runs");
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        let printed = String::from_utf8(done.stdout).expect("it prints UTF-8");
        printed.lines().map(|line| serde_json::from_str(line).expect("it prints JSON")).collect()
    }

    /// Adds a variable to the environment of every later `serve`.
    pub fn set_environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Serves on a free port, and returns once a device can connect.
    pub fn serve(&mut self) -> SocketAddr {
        let mut serve = Command::new(binaries::relay());
        serve.arg("serve").arg("--data-dir").arg(&self.data).args(["--listen", "127.0.0.1:0"]);
        serve.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let process = Process::start("relay", &mut serve);
        let address = process.stderr.wait_for("the relay listens", |line| {
            Some(line.strip_prefix("listening on ")?.parse().expect("an address"))
        });
        let first = process.stderr.all().into_iter().next();
        assert!(first.is_some_and(|line| line.starts_with("listening on ")), "the first line");
        self.process = Some(process);
        self.serving = Some(address);
        self.proxy.lead_to(Some(address));
        address
    }

    /// Where the served process listens.
    pub fn serving(&self) -> SocketAddr {
        self.serving.expect("the relay is served")
    }

    /// The served process.
    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("the relay is served")
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process().kill();
        self.ended();
    }

    /// SIGTERM; returns the exit code once it has drained.
    pub fn stop(&mut self) -> i32 {
        let code = self.process().terminate();
        self.ended();
        code
    }

    fn ended(&mut self) {
        self.proxy.lead_to(None);
        self.serving = None;
        if let Some(process) = self.process.take() {
            self.log.extend(process.stderr.to_the_end());
            self.log.extend(process.stdout.to_the_end());
        }
    }

    /// Everything that ended processes of this relay printed.
    pub fn log(&self) -> &[String] {
        &self.log
    }

    /// The most memory the process ever had resident, in bytes.
    pub fn peak_memory(&mut self) -> u64 {
        let path = format!("/proc/{}/status", self.process().id());
        let status = std::fs::read_to_string(path).expect("the relay runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).expect("VmHWM");
        kib.parse::<u64>().expect("a number") * 1024
    }
}
