//! A relay and the team on it, in one temporary directory.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::binaries;
use crate::eventually::eventually;
use crate::process::Process;
use crate::relay_process::Relay;
use crate::staff::{Staff, write_private};

/// The team room's name.
pub const GENERAL: &str = "general";

/// A relay, served, and its founder, whose agent is online. Others come in by invitation.
pub struct World {
    /// The relay.
    pub relay: Relay,
    /// The founder.
    pub founder: Staff,
    // Dropped last: the processes above have files in it.
    dir: TempDir,
}

impl World {
    /// Founds a team.
    pub fn found(team: &str, founder: &str, device: &str) -> Self {
        let dir = TempDir::with_prefix("staffetta-story-").expect("a temporary directory");
        let mut relay = Relay::init(dir.path(), team);
        relay.serve();
        let mut founder = Staff::new(dir.path(), founder);
        let words = founder.home().join("root-words");
        let words = words.to_str().expect("a path in UTF-8");
        let code = relay.founder_code.clone();
        let name = founder.name.clone();
        let said = founder.ok(&[
            "join",
            &code,
            "--name",
            &name,
            "--device",
            device,
            "--root-words-file",
            words,
        ]);
        assert_eq!(said.last().expect("a state")["state"], "joined", "{said:?}");
        founder.go_online();
        Self { relay, founder, dir }
    }

    /// A team of the usual name.
    pub fn usual() -> Self {
        Self::found("Campagne Essai", "Karim", "desk")
    }

    /// The directory of everything.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where devices reach the relay.
    pub fn address(&self) -> String {
        self.relay.proxy.address().to_string()
    }

    /// An invite: its id and its code.
    pub fn invite(&self, args: &[&str]) -> (String, String) {
        let invite = self.founder.one(&[&["invite"], args].concat());
        let text = |name: &str| invite[name].as_str().expect("a text").to_owned();
        (text("id"), text("code"))
    }

    /// Lets somebody in by the five words; the newcomer's agent is online afterwards.
    pub fn admit(&self, name: &str, device: &str) -> Staff {
        let (id, code) = self.invite(&[name]);
        let newcomer = Staff::new(self.dir(), name);
        self.let_in(newcomer, &id, &code, device)
    }

    /// Lets somebody in by the five words of an invite; the newcomer's agent is online afterwards.
    pub fn let_in(&self, mut newcomer: Staff, id: &str, code: &str, device: &str) -> Staff {
        let name = newcomer.name.clone();
        let mut joining =
            newcomer.start(&["join", code, "--name", &name, "--device", device, "--json"]);
        let words = five_words(&joining);
        self.founder_sees(id, "asking");
        self.founder.ok(&["approve", id, "--words", &words]);
        assert_eq!(joining.wait(), 0, "{:#?}", joining.stderr.to_the_end());
        let last = joining.stdout.to_the_end();
        assert!(last.last().is_some_and(|line| line.contains(r#""state":"joined""#)), "{last:?}");
        newcomer.go_online();
        newcomer
    }

    /// Lets somebody in by a code that needs no words; the newcomer's agent is online afterwards.
    pub fn admit_unseen(&self, name: &str, device: &str, role: &str) -> Staff {
        let (_, code) = self.invite(&[name, "--role", role, "--auto-approve", "--ttl", "30m"]);
        let mut newcomer = Staff::new(self.dir(), name);
        newcomer.ok(&["join", &code, "--name", name, "--device", device]);
        newcomer.go_online();
        newcomer
    }

    /// Lets in the echo bot of the examples and returns it running.
    pub fn admit_echo_bot(&self, name: &str) -> Process {
        let args = [name, "--role", "bot", "--auto-approve", "--ttl", "30m"];
        let (_, code) = self.invite(&args);
        let bot = Staff::new(self.dir(), name);
        write_private(&bot.home().join("invite"), &format!("{code}\n"));
        let mut running = run_echo_bot(&bot);
        eventually("the bot is enrolled", || {
            assert!(running.is_alive(), "the bot ended: {:#?}", running.stderr.to_the_end());
            let team = self.founder.ok(&["team"]);
            team.iter().any(|it| it["member"] == name && it["state"] == "active").then_some(())
        });
        running
    }

    /// Runs an echo bot again that was let in before.
    pub fn run_echo_bot(&self, name: &str) -> Process {
        run_echo_bot(&Staff::known(self.dir(), name))
    }

    /// Ends the founder's agent and cuts the relay off; returns a command that holds the profile while
    /// it waits for the relay, 10 s at most.
    pub fn begin_to_wait(&mut self) -> Process {
        self.founder.go_offline();
        self.relay.proxy.cut();
        let command = self.founder.start(&["sync"]);
        let socket = self.founder.socket();
        eventually("the command holds the profile", || socket.exists().then_some(()));
        command
    }

    /// The relay is there again; the command that waited for it ends.
    pub fn ends_waiting(&mut self, mut command: Process) {
        self.relay.proxy.mend();
        // On a slow machine its time was over before.
        assert!([0, 69].contains(&command.wait()), "{:#?}", command.stderr.to_the_end());
    }

    /// Waits until the founder's list shows an invite in a state.
    pub fn founder_sees(&self, invite: &str, state: &str) {
        eventually(&format!("the founder sees the invite {state}"), || {
            let all = self.founder.ok(&["invites"]);
            all.iter().any(|it| it["id"] == invite && it["state"] == state).then_some(())
        });
    }

    /// Founds a room and adds people; the founder is in it.
    pub fn room(&self, name: &str, members: &[&str]) {
        self.founder.ok(&["room", "create", name]);
        if !members.is_empty() {
            self.founder.ok(&[&["room", "add", name], members].concat());
        }
    }
}

fn run_echo_bot(bot: &Staff) -> Process {
    let mut command = Command::new(binaries::echo_bot());
    command.env("STAFFETTA_PROFILE", &bot.profile);
    command.env("STAFFETTA_PASSPHRASE_FILE", bot.passphrase_file());
    command.env("STAFFETTA_INVITE_FILE", bot.home().join("invite"));
    Process::start(&bot.name, &mut command)
}

/// The five words that a running `join --json` shows.
pub fn five_words(joining: &Process) -> String {
    let words = joining.stdout.wait_for("the five words", |line| {
        let state: Value = serde_json::from_str(line).expect("JSON");
        (state["state"] == "waiting").then(|| words(&state["words"]))
    });
    assert_eq!(words.split(' ').count(), 5, "{words}");
    words
}

fn words(list: &Value) -> String {
    let words = list.as_array().expect("a list of words");
    words.iter().map(|word| word.as_str().expect("a word")).collect::<Vec<_>>().join(" ")
}
