//! `bot run`: a program on standard input and output, and the profile's socket behind it.
//!
//! The two are joined byte by byte, so that a program sees exactly what the socket says, and
//! neither side is read faster than the other one takes it. A session is one life of the program
//! and one connection; whatever was not acknowledged in it comes again in the next.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
};
use tokio::net::unix::OwnedReadHalf;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::interrupted;
use crate::api::{self, Api, Calls, Profile, Stay};
use crate::commands::BotRunArgs;
use crate::errors::{Failure, exit};
use crate::output::{Out, is_set, line_of};
use crate::text;

/// The wait before the program is started again; doubled each time, up to the longest.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// A program that ran for so long has started well.
const STARTED_WELL: Duration = Duration::from_secs(5);
/// How long a program may go on after its standard input was closed.
const GRACE: Duration = Duration::from_secs(5);
/// How long what a dead program printed may take to be carried out.
const LAST_WORDS: Duration = Duration::from_secs(60);
/// Bytes carried over at a time.
const CHUNK: usize = 64 * 1024;
/// The longest answer to our own calls, in bytes.
const MAX_ANSWER: u64 = 64 * 1024;
/// The ids of our own two calls; programs number theirs.
const SUBSCRIBED: &str = "staffetta: subscribed";
const ALL_READ: &str = "staffetta: all read";

/// How a session ended.
enum End {
    /// The program ended by itself.
    Program(Option<ExitStatus>),
    /// The process that held the profile is gone.
    Holder,
}

/// `bot run`
pub(super) async fn run(args: BotRunArgs, profile: &Profile, out: &mut Out) -> Result<(), Failure> {
    let mut api = open(profile).await?;
    out.note(text::bot_ready());
    let (end, mut wait) = (interrupted(), SHORTEST_WAIT);
    tokio::pin!(end);
    loop {
        let begun = Instant::now();
        let ended = match Program::start(&args, profile).await {
            Ok(mut program) => {
                let ended = tokio::select! {
                    ended = program.ended() => Some(ended),
                    () = &mut end => None,
                };
                program.wind_down().await;
                ended
            }
            Err(failure) if failure.exit() == exit::TRY_AGAIN => Some(End::Holder),
            Err(failure) => {
                api.close().await;
                return Err(failure);
            }
        };
        match ended {
            None => break,
            Some(End::Program(status)) => {
                let code = status.and_then(|status| status.code());
                out.warn(&code.map_or_else(|| text::bot_killed().to_owned(), text::bot_ended));
            }
            Some(End::Holder) => {
                out.warn(text::holder_gone());
                api.close().await;
                api = open(profile).await?;
            }
        }
        if begun.elapsed() >= STARTED_WELL {
            wait = SHORTEST_WAIT;
        }
        tokio::select! {
            () = sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
            () = &mut end => break,
        }
    }
    api.close().await;
    Ok(())
}

/// Opens the profile, which must be inside a team.
async fn open(profile: &Profile) -> Result<Api, Failure> {
    let api = Api::open(profile, Stay::Lasting).await?;
    let status = api.call("status", api::none()).await?;
    if is_set(&status, "inside") {
        return Ok(api);
    }
    api.close().await;
    Err(Failure::refused(text::bot_not_inside(), text::bot_join_first()))
}

/// One life of the program, and its connection.
struct Program {
    child: Child,
    /// Ends its standard input.
    enough: Option<oneshot::Sender<()>>,
    /// Whether all that it printed was read.
    to_child: JoinHandle<bool>,
    from_child: JoinHandle<()>,
}

impl Program {
    async fn start(args: &BotRunArgs, profile: &Profile) -> Result<Self, Failure> {
        let gone = |_| Failure::with(exit::TRY_AGAIN, text::holder_gone(), text::run_again());
        let (reader, mut writer) = api::connect(profile).await.map_err(gone)?.into_split();
        let params = json!({"window": args.window, "consumer": args.consumer});
        let subscribe =
            json!({"jsonrpc": "2.0", "id": SUBSCRIBED, "method": "subscribe", "params": params});
        writer.write_all(format!("{subscribe}\n").as_bytes()).await.map_err(gone)?;
        let mut reader = BufReader::with_capacity(CHUNK, reader);
        subscribed(&mut reader).await?;
        let mut child = spawn(&args.command)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::refused(text::bot_no_pipes(), text::run_again()));
        };
        let (enough, is_enough) = oneshot::channel();
        let to_child = tokio::spawn(feed(reader, stdin, is_enough));
        let from_child = tokio::spawn(async move {
            // Whatever fails here, the connection is over.
            let _over = hear(stdout, writer).await;
        });
        Ok(Self { child, enough: Some(enough), to_child, from_child })
    }

    /// Waits until the program has ended and all that it printed was read, or the holder is gone.
    async fn ended(&mut self) -> End {
        // The connection ends last of all: after the program's output, or with the holder.
        let all_read = (&mut self.to_child).await.unwrap_or(false);
        if !all_read && !self.from_child.is_finished() {
            return End::Holder;
        }
        // One that only closed its output cannot be heard any more.
        match timeout(GRACE, self.child.wait()).await {
            Ok(Ok(status)) => End::Program(Some(status)),
            _ => End::Program(None),
        }
    }

    /// Lets the program end: closes its standard input, waits, and kills it if need be. What it
    /// still prints is carried out.
    async fn wind_down(mut self) {
        // If nobody feeds it any more, its input is closed already.
        let _closed = self.enough.take().map(|enough| enough.send(()));
        if timeout(GRACE, self.child.wait()).await.is_err() {
            // It may have ended just now.
            let _ended = self.child.kill().await;
        }
        let last_words = async {
            let _heard = (&mut self.from_child).await;
            while !self.to_child.is_finished() {
                sleep(SHORTEST_WAIT).await;
            }
        };
        let _late = timeout(LAST_WORDS, last_words).await;
        self.from_child.abort();
        self.to_child.abort();
    }
}

fn spawn(command: &[OsString]) -> Result<Child, Failure> {
    let Some((program, args)) = command.split_first() else {
        return Err(Failure::usage(text::bot_no_command(), text::bot_name_command()));
    };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    command.spawn().map_err(|error| {
        Failure::refused(
            text::bot_not_started(&text::words::kind(error.kind())),
            text::bot_name_command(),
        )
    })
}

/// Reads the answer to our own subscription.
async fn subscribed(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<(), Failure> {
    let gone = || Failure::with(exit::TRY_AGAIN, text::holder_gone(), text::run_again());
    let mut line = Vec::new();
    reader.take(MAX_ANSWER).read_until(b'\n', &mut line).await.map_err(|_| gone())?;
    let answer: Value = serde_json::from_slice(&line).map_err(|_| gone())?;
    match answer.get("error") {
        None => Ok(()),
        // Opening the profile again unlocks it, if there is a passphrase file.
        Some(error) if error.get("code") == Some(&api::LOCKED.into()) => Err(gone()),
        Some(error) => Err(Failure::refused(line_of(error, "message"), text::run_again())),
    }
}

/// Carries what the holder says to the program. When that no longer listens, or is to hear no more,
/// reads on, so that its last calls are carried out; true if all that it printed was read.
async fn feed(
    mut reader: BufReader<OwnedReadHalf>,
    mut stdin: ChildStdin,
    enough: oneshot::Receiver<()>,
) -> bool {
    tokio::select! {
        _deaf = tokio::io::copy_buf(&mut reader, &mut stdin) => {}
        _enough = enough => {}
    }
    drop(stdin);
    let mut last = Vec::new();
    loop {
        last.clear();
        // Only our own last call is of interest; what is longer than its answer is none.
        match (&mut reader).take(MAX_ANSWER).read_until(b'\n', &mut last).await {
            Ok(read) if read > 0 => {
                if is_answer_to(&last, ALL_READ) {
                    return true;
                }
            }
            _ => return false,
        }
    }
}

fn is_answer_to(line: &[u8], id: &str) -> bool {
    serde_json::from_slice::<Value>(line).is_ok_and(|answer| answer.get("id") == Some(&id.into()))
}

/// Carries what the program prints to the holder, its last line with or without an end, and then
/// asks for a sign that all of it was read.
async fn hear(
    mut stdout: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let (mut chunk, mut open_line) = (vec![0; CHUNK], false);
    loop {
        let read = stdout.read(&mut chunk).await?;
        let Some(printed) = chunk.get(..read).filter(|printed| !printed.is_empty()) else { break };
        open_line = printed.last() != Some(&b'\n');
        writer.write_all(printed).await?;
    }
    if open_line {
        writer.write_all(b"\n").await?;
    }
    let ping = json!({"jsonrpc": "2.0", "id": ALL_READ, "method": "ping"});
    writer.write_all(format!("{ping}\n").as_bytes()).await?;
    writer.shutdown().await
}
