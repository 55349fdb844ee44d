//! A program under `bot run`, and what is done to it: kills in random order, streams of messages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::eventually::{eventually, within};
use crate::process::Process;
use crate::rpc::Rpc;
use crate::staff::Staff;
use crate::world::World;

/// The room of the bot.
pub const LAB: &str = "lab";
/// The longest pause between two kills.
const LONGEST_PAUSE_MS: u64 = 400;
/// What the program notes of an acknowledgement, in bytes: 32 hex digits and a line's end.
const LEDGER_LINE: usize = 33;
/// How long everything may take to be answered after the last kill.
const AFTERWARDS: Duration = Duration::from_secs(900);

/// A team with a bot in a room of its own.
pub struct Lab {
    /// The team.
    pub world: World,
    /// The bot's profile.
    pub bot: Staff,
    program: PathBuf,
    ledger: PathBuf,
    pid: PathBuf,
}

/// What a campaign of kills saw.
#[derive(Debug)]
pub struct Kills {
    /// How often each was killed: program, supervisor, agent, relay.
    pub killed: [u64; 4],
    /// Messages that were answered, each once.
    pub answered: usize,
    /// Messages whose first acknowledgement the program heard of.
    pub noted: usize,
}

impl Lab {
    /// Founds a team and lets the bot in; `program` is `stdio_bot`.
    pub fn new(program: &Path) -> Self {
        let world = World::usual();
        let mut bot = world.admit_unseen("echo", "computer", "bot");
        world.room(LAB, &["echo"]);
        bot.go_offline();
        let (ledger, pid) = (world.dir().join("ledger"), world.dir().join("pid"));
        Self { world, bot, program: program.to_owned(), ledger, pid }
    }

    /// Has the relay take on more than it does by default.
    pub fn raise_limits(&mut self) {
        self.world.relay.stop();
        for name in ["CELLS_PER_MINUTE", "CELLS_BURST", "CELLS_PER_DAY"] {
            let name = format!("STAFFETTA__LIMITS__{name}");
            self.world.relay.set_environment(&name, "100000000");
        }
        self.world.relay.serve();
        self.world.founder.is_connected();
    }

    /// Starts the program under its supervisor: it answers everything.
    pub fn run(&self) -> Process {
        self.run_as("echo")
    }

    /// Starts it under its supervisor, to `echo`, only to `take` what comes, or to be `deaf`.
    pub fn run_as(&self, what: &str) -> Process {
        let path = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        let (program, ledger, pid) = (path(&self.program), path(&self.ledger), path(&self.pid));
        self.bot.start(&["bot", "run", "--", &program, what, &ledger, &pid])
    }

    /// The processor time used so far, in milliseconds: a supervisor that holds the bot's profile,
    /// the writer's holder, the relay.
    pub fn processor(&mut self, supervisor: &Process) -> [u64; 3] {
        let writer = self.world.founder.holder().map_or(0, |holder| processor(holder.id()));
        [processor(supervisor.id()), writer, processor(self.world.relay.process().id())]
    }

    /// The ids that the program noted as acknowledged.
    ///
    /// # Panics
    /// If one is there twice.
    pub fn noted(&self) -> usize {
        let noted = fs::read_to_string(&self.ledger).unwrap_or_default();
        let ids: BTreeSet<&str> = noted.lines().collect();
        assert_eq!(ids.len(), noted.lines().count(), "a message was acknowledged twice");
        ids.len()
    }

    /// Waits until nothing waits for an acknowledgement, and checks that each text has one answer.
    pub fn each_is_answered_once(&self, texts: &[String]) -> usize {
        let quiet = within(AFTERWARDS, || {
            let mut rpc = Rpc::open(&self.bot.profile)?;
            rpc.ask("deliveries", json!({}))?;
            let waits = rpc.hear()?["result"]["events"] != json!([]);
            let said = if waits { 0 } else { self.answers().len() };
            (said >= texts.len()).then_some(())
        });
        let answers = self.answers();
        assert!(quiet.is_some(), "{} of {} answered", answers.len(), texts.len());
        let once: BTreeSet<&String> = answers.iter().collect();
        assert_eq!(once.len(), answers.len(), "something was answered twice");
        for text in texts {
            assert!(once.contains(&format!("echo: {text}")), "{text} was not answered");
        }
        answers.len()
    }

    fn answers(&self) -> Vec<String> {
        let said = self.world.founder.texts(LAB).into_iter();
        said.filter(|text| text.starts_with("echo: ")).collect()
    }

    /// Kills program, supervisor, agent and relay in random order while messages stream in.
    pub fn kills(&mut self, rounds: u64, messages: usize, seed: u64) -> Kills {
        let mut dice = Dice(seed.max(1));
        let texts: Vec<String> = (0..messages).map(|n| format!("text {n}")).collect();
        let mut left = texts.as_slice();
        let mut killed = [0; 4];
        self.bot.hold();
        let mut supervisor = self.run();
        for round in 0..rounds {
            let share = left.len().div_ceil(usize::try_from(rounds - round).expect("few rounds"));
            let (now, later) = left.split_at(share.min(left.len()));
            self.world.founder.queue(LAB, now);
            left = later;
            let pause = Duration::from_millis(dice.below(LONGEST_PAUSE_MS));
            let _time = within(pause, || None::<()>);
            match dice.below(4) {
                0 => killed[0] += u64::from(self.kill_program()),
                1 => {
                    supervisor.kill();
                    killed[1] += 1;
                }
                2 => {
                    if self.bot.holder().is_some_and(Process::is_alive) {
                        self.bot.kill();
                        killed[2] += 1;
                    }
                }
                _ => {
                    self.world.relay.kill();
                    self.world.relay.serve();
                    killed[3] += 1;
                }
            }
            // Whoever comes first holds the profile.
            let agent_first = dice.below(2) == 0;
            let agent_runs = self.bot.holder().is_some_and(Process::is_alive);
            if agent_first && !agent_runs {
                self.bot.begin_to_hold();
            }
            if !supervisor.is_alive() {
                supervisor = self.run();
            }
        }
        let answered = self.each_is_answered_once(&texts);
        Kills { killed, answered, noted: self.noted() }
    }

    /// kill -9 of the program itself; false if it was just being started.
    fn kill_program(&self) -> bool {
        let pid = fs::read_to_string(&self.pid).ok().and_then(|text| text.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else { return false };
        // Ids are given out anew: it must still be the program.
        let name = fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_nonzero()));
        let is_program = name.is_ok_and(|name| name.trim() == "stdio_bot");
        is_program && kill_process(pid, Signal::KILL).is_ok()
    }
}

/// How long answers took, in milliseconds, in order.
pub struct Times(pub Vec<f64>);

impl Times {
    /// The time that this share of all answers stayed within.
    pub fn share(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.0.get(at).copied().unwrap_or_default()
    }
}

/// Writes texts at a rate, some of them ahead of their answers; returns when each was handed over.
fn write(mut to: Rpc, count: usize, per_second: f64) -> Vec<Instant> {
    const AHEAD: usize = 16;
    let (start, mut sent, mut open) = (Instant::now(), Vec::with_capacity(count), 0);
    for n in 0..count {
        let due = start + Duration::from_secs_f64(n as f64 / per_second);
        let _time = within(due.saturating_duration_since(Instant::now()), || None::<()>);
        sent.push(Instant::now());
        let params = json!({"room": LAB, "text": n.to_string(), "wait_ms": 0});
        to.ask("send", params).expect("the holder is there");
        open += 1;
        if open == AHEAD {
            (0..AHEAD).for_each(|_| drop(to.hear()));
            open = 0;
        }
    }
    (0..open).for_each(|_| drop(to.hear()));
    sent
}

impl Lab {
    /// Writes `count` texts at a rate and waits until the program has acknowledged all of them; how
    /// many a second that were.
    pub fn taken(&self, count: usize, per_second: f64) -> f64 {
        let (before, begun) = (self.noted(), Instant::now());
        write(self.world.founder.rpc(), count, per_second);
        let size = || fs::metadata(&self.ledger).map_or(0, |file| file.len());
        let wanted = ((before + count) * LEDGER_LINE) as u64;
        let all = within(AFTERWARDS, || (size() >= wanted).then_some(()));
        assert!(all.is_some(), "{} of {count} were acknowledged", self.noted() - before);
        count as f64 / begun.elapsed().as_secs_f64()
    }

    /// Writes `count` texts at a rate and measures until the answer to each is back on the writer's
    /// device.
    pub fn stream(&self, count: usize, per_second: f64) -> Times {
        self.times(self.world.founder.rpc(), "echo: ", count, per_second)
    }

    /// Writes `count` texts at a rate and measures until each has reached another program on the
    /// holder of the bot's profile.
    pub fn beside(&self, count: usize, per_second: f64) -> Times {
        let events = Rpc::open(&self.bot.profile).expect("the holder is there");
        self.times(events, "", count, per_second)
    }

    /// Writes texts and measures until each has come, behind `prefix`, to a further connection.
    fn times(&self, mut events: Rpc, prefix: &str, count: usize, per_second: f64) -> Times {
        events.call("subscribe", json!({"room": LAB, "live": true})).expect("a subscription");
        let sending = self.world.founder.rpc();
        let writer = std::thread::spawn(move || write(sending, count, per_second));
        let mut came = vec![None; count];
        let mut open = count;
        while open > 0 {
            let event = events.hear().expect("the holder is there");
            let text = event["params"]["text"].as_str().and_then(|text| text.strip_prefix(prefix));
            let n = text.and_then(|n| n.parse::<usize>().ok()).filter(|n| *n < count);
            if let Some(place) = n.and_then(|n| came.get_mut(n)) {
                assert!(place.replace(Instant::now()).is_none(), "answered twice");
                open -= 1;
            }
            assert_ne!(event["params"]["type"], Value::from("gap"), "fell behind");
        }
        let sent = writer.join().expect("the writing thread");
        let took = sent.iter().zip(&came).filter_map(|(sent, came)| Some((*came)? - *sent));
        let mut times: Vec<f64> = took.map(|took| took.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        Times(times)
    }
}

/// The memory that a process has resident, in bytes.
pub fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// The processor time that a process has used, in milliseconds.
pub fn processor(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // utime and stime of proc(5), counted after the name, in hundredths of a second.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

/// Waits until the supervisor holds the bot's profile and is connected.
pub fn is_holding(lab: &Lab) {
    eventually("the supervisor is there", || Rpc::open(&lab.bot.profile).map(drop));
    lab.bot.is_connected();
}

/// Waits until the program is there and answers.
pub fn is_answering(lab: &Lab) {
    lab.world.founder.queue(LAB, &["are you there?".to_owned()]);
    eventually("the program answers", || (!lab.answers().is_empty()).then_some(()));
}

/// xorshift64: a failing seed is pasted into the command.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
