//! The command line: arguments, outputs and exit codes.

mod exit;
mod inspect;
mod operate;
mod save;
mod show;

#[cfg(test)]
mod tests;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{ConfigError, Loaded, Override};
use crate::init::{self, Layout, Purpose};
use crate::relay;
use crate::store::sled::damage;

/// Threads that may wait for the disk; more work waits for them.
const BLOCKING_THREADS: usize = 32;

/// Staffetta's relay: keeps one team's log of sealed cells and can read none of them.
#[derive(Parser)]
#[command(name = "staffetta-relay", disable_version_flag = true, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(clap::Args)]
struct Global {
    /// The relay's directory.
    #[arg(long, global = true, env = "STAFFETTA_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// JSON instead of words.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Make a relay's directory, and print its fingerprint and the founder code.
    Init {
        /// Where devices will reach the relay: HOST or HOST:PORT.
        #[arg(long)]
        address: String,
        /// The team's name; it goes into the sealed bundle only.
        #[arg(long, default_value = "")]
        team: String,
        /// Make a spare relay for a team that has one; prints a spare code for its admins.
        #[arg(long, conflicts_with = "team")]
        spare: bool,
    },
    /// Serve in the foreground until SIGTERM.
    Serve {
        /// Listen here instead of where the configuration says: IP:PORT, where port 0 takes a
        /// free one, or unix:/PATH.
        #[arg(long, value_name = "ADDR")]
        listen: Option<String>,
        /// Serve metrics and health here, never on a public address.
        #[arg(long, value_name = "ADDR")]
        metrics: Option<String>,
        /// How much is logged; nothing at any level names a person, device or address.
        #[arg(long, value_name = "LEVEL", default_value = "info", env = "STAFFETTA_LOG")]
        log_level: tracing::Level,
    },
    /// How the running relay is doing.
    Status,
    /// Its counters.
    Stats,
    /// Its enrolled devices, by the relay's own name for each.
    Devices,
    /// Take a device's row away and cut it at once; an admin's device can add it again.
    Revoke {
        /// The device's entry, or its beginning.
        entry: String,
    },
    /// The founder code.
    #[command(subcommand)]
    Founder(Founder),
    /// Tell clients to come back later, and stop in order.
    Drain,
    /// Keep devices out while the relay runs, and let them in again.
    Maintenance {
        /// Whether to keep them out.
        #[arg(value_enum)]
        state: Switch,
    },
    /// Check configuration, keys and every segment of the log; the relay must not be running.
    Check,
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look for what is wrong with this relay and its machine, and say what to do.
    Doctor,
    /// Backups, sealed to the relay's backup key.
    #[command(subcommand)]
    Backup(Backup),
    /// Exit 0 if the relay is ready; for container checks.
    Health,
    /// Print completions for a shell.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page, or write one page a command to a directory.
    Man {
        /// The directory.
        dir: Option<PathBuf>,
    },
    /// Print the version.
    Version,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Switch {
    /// Keep them out.
    On,
    /// Let them in.
    Off,
}

#[derive(Subcommand)]
enum Founder {
    /// Make a new founder code; the old one is dead. Only before the team is founded.
    Reissue {
        /// Where devices reach the relay, if not as `init` was told.
        #[arg(long, default_value = "")]
        address: String,
        /// The team's name; the relay forgot it.
        #[arg(long, default_value = "")]
        team: String,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the effective values.
    Print {
        /// And where each came from.
        #[arg(long)]
        origin: bool,
    },
}

#[derive(Subcommand)]
enum Backup {
    /// Make a backup, while the relay serves or while it is down.
    Create {
        /// The file; never overwritten.
        file: PathBuf,
    },
    /// Read a whole backup and check it.
    Verify {
        /// The file.
        file: PathBuf,
        /// What opens it [default: keys/backup.key of the relay].
        #[arg(long, value_name = "KEYFILE")]
        identity: Option<PathBuf>,
    },
    /// Make a relay of a backup, in the directory that --data-dir names.
    Restore {
        /// The file.
        file: PathBuf,
        /// What opens it.
        #[arg(long, value_name = "KEYFILE")]
        identity: PathBuf,
    },
    /// Make a backup, restore it to a temporary place, compare, and throw both away.
    Test {
        /// What opens it [default: keys/backup.key of the relay].
        #[arg(long, value_name = "KEYFILE")]
        identity: Option<PathBuf>,
    },
}

impl Global {
    /// The relay's directory.
    fn data(&self) -> Result<&Path, exit::Usage> {
        self.data_dir.as_deref().ok_or(exit::Usage("--data-dir DIR is needed"))
    }

    /// Prints `value` as one line of JSON, or what `words` makes of it.
    fn print(
        &self,
        value: &serde_json::Value,
        words: impl FnOnce(&serde_json::Value) -> String,
    ) -> anyhow::Result<()> {
        match self.json {
            true => print_line(&value.to_string()),
            false => print_line(words(value).trim_end()),
        }
    }
}

/// Says which segment is damaged when sled panics over it, before the process ends.
fn name_damage() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| match damage() {
        Some(segment) => eprintln!("staffetta-relay: {segment} is damaged: it does not open"),
        None => default(panic),
    }));
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    name_damage();
    match execute(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("staffetta-relay: {error:#}");
            exit::code(&error)
        }
    }
}

fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { global, command } = arguments;
    match command {
        Command::Init { address, spare: true, .. } => init_spare(&global, &address)?,
        Command::Init { address, team, .. } => init(&global, &address, &team)?,
        Command::Serve { listen, metrics, log_level } => {
            serve(&global, listen, metrics, log_level)?;
        }
        Command::Status => operate::status(&global)?,
        Command::Stats => operate::stats(&global)?,
        Command::Devices => operate::devices(&global)?,
        Command::Revoke { entry } => operate::revoke(&global, entry)?,
        Command::Founder(Founder::Reissue { address, team }) => {
            operate::reissue(&global, address, team)?;
        }
        Command::Drain => operate::drain(&global)?,
        Command::Maintenance { state } => {
            operate::maintenance(&global, matches!(state, Switch::On))?;
        }
        Command::Check => inspect::check(&global)?,
        Command::Config(ConfigCommand::Print { origin }) => inspect::config(&global, origin)?,
        Command::Doctor => return inspect::doctor(&global),
        Command::Backup(command) => save::backup(&global, command)?,
        Command::Health => return operate::health(&global),
        Command::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "staffetta-relay", &mut out);
            std::io::stdout().write_all(&out)?;
        }
        Command::Man { dir } => match dir {
            Some(dir) => {
                std::fs::create_dir_all(&dir)?;
                clap_mangen::generate_to(Arguments::command(), dir)?;
            }
            None => clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout())?,
        },
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            let object = serde_json::json!({ "version": version });
            global.print(&object, |_| format!("staffetta-relay {version}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn init(global: &Global, address: &str, team: &str) -> anyhow::Result<()> {
    let data = global.data()?;
    let founded = init::init(data, address, &Purpose::Team(team))?;
    let object = serde_json::json!({
        "fingerprint": founded.fingerprint,
        "founder_code": founded.code,
    });
    global.print(&object, |_| {
        format!(
            "The relay is ready in {}.\n\n\
             Fingerprint   {}\n\
             Founder code  {}\n\n\
             Whoever redeems the founder code first founds the team; it is shown only now.\n\
             Copy {}/keys/backup.key to another machine: without it no backup opens.\n\
             Start the relay: staffetta-relay serve --data-dir {}",
            data.display(),
            founded.fingerprint,
            founded.code,
            data.display(),
            data.display(),
        )
    })
}

fn init_spare(global: &Global, address: &str) -> anyhow::Result<()> {
    let data = global.data()?;
    let made = init::init(data, address, &Purpose::Spare)?;
    let object = serde_json::json!({
        "fingerprint": made.fingerprint,
        "spare_code": made.code,
    });
    global.print(&object, |_| {
        format!(
            "The spare relay is ready in {}.\n\n\
             Fingerprint  {}\n\
             Spare code   {}\n\n\
             Give the code to an admin of the team: staffetta relay spare add\n\
             Copy {}/keys/backup.key to another machine: without it no backup opens.\n\
             Start it and let it wait: staffetta-relay serve --data-dir {}",
            data.display(),
            made.fingerprint,
            made.code,
            data.display(),
            data.display(),
        )
    })
}

fn serve(
    global: &Global,
    listen: Option<String>,
    metrics: Option<String>,
    level: tracing::Level,
) -> anyhow::Result<()> {
    let data = global.data()?;
    let flag = |key, flag, value: Option<String>| {
        value.map(|value| Override { section: "listen", key, flag, value })
    };
    let flags = [flag("address", "--listen", listen), flag("metrics", "--metrics", metrics)];
    let config = load(data, flags.into_iter().flatten().collect())?.config;
    harden()?;
    start_logging(level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()?;
    runtime.block_on(relay::serve(data, config))
}

/// No core dump of this process ever holds its keys.
fn harden() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

fn print_line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn load(data: &Path, flags: Vec<Override>) -> Result<Loaded, ConfigError> {
    Loaded::load(&Layout::new(data).config(), std::env::vars(), flags)
}

/// Pretty on a terminal, JSON otherwise. Nothing here ever holds an address, a key or an id.
fn start_logging(level: tracing::Level) {
    let to_stderr = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        to_stderr.with_target(false).init();
    } else {
        to_stderr.json().init();
    }
}
