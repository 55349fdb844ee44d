//! The command line: arguments, outputs and exit codes.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::address::ListenAddress;
use crate::config::{Config, ConfigError};
use crate::init::{self, Layout};
use crate::store::StoreError;
use crate::store::sled::{SledStore, damage};
use crate::{hub, relay, store};

/// Bad configuration.
const EXIT_CONFIG: u8 = 78;
/// Try again later.
const EXIT_TRY_AGAIN: u8 = 75;
/// Threads that may wait for the disk; more work waits for them.
const BLOCKING_THREADS: usize = 32;

/// Staffetta's relay: keeps one team's log of sealed cells and can read none of them.
#[derive(Parser)]
#[command(name = "staffetta-relay", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a relay's directory, and print its fingerprint and the founder code.
    Init {
        /// The directory to make.
        #[arg(long)]
        data_dir: PathBuf,
        /// Where devices will reach the relay: HOST or HOST:PORT.
        #[arg(long)]
        address: String,
        /// The team's name; it goes into the sealed bundle only.
        #[arg(long, default_value = "")]
        team: String,
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Serve in the foreground until SIGTERM.
    Serve {
        /// The relay's directory.
        #[arg(long)]
        data_dir: PathBuf,
        /// Listen here instead of where the configuration says: IP:PORT, where port 0 takes a free
        /// one, or unix:/PATH.
        #[arg(long)]
        listen: Option<ListenAddress>,
    },
    /// Check configuration, keys and every segment of the log; the relay must not be running.
    Check {
        /// The relay's directory.
        #[arg(long)]
        data_dir: PathBuf,
    },
    /// Print the version.
    Version {
        /// One JSON object.
        #[arg(long)]
        json: bool,
    },
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
    match execute(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("staffetta-relay: {error:#}");
            exit_code(&error)
        }
    }
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    if error.downcast_ref::<ConfigError>().is_some() {
        return ExitCode::from(EXIT_CONFIG);
    }
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Locked) => ExitCode::from(EXIT_TRY_AGAIN),
        Some(StoreError::Format) => ExitCode::from(EXIT_CONFIG),
        _ => ExitCode::FAILURE,
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Init { data_dir, address, team, json } => {
            let founded = init::init(&data_dir, &address, &team)?;
            if json {
                let object = serde_json::json!({
                    "fingerprint": founded.fingerprint,
                    "founder_code": founded.founder_code,
                });
                print_line(&object.to_string())
            } else {
                print_line(&format!(
                    "The relay is ready in {}.\n\n\
                     Fingerprint   {}\n\
                     Founder code  {}\n\n\
                     Whoever redeems the founder code first founds the team; it is shown only now.\n\
                     Copy {}/keys/backup.key to another machine: without it no backup opens.\n\
                     Start the relay: staffetta-relay serve --data-dir {}",
                    data_dir.display(),
                    founded.fingerprint,
                    founded.founder_code,
                    data_dir.display(),
                    data_dir.display(),
                ))
            }
        }
        Command::Serve { data_dir, listen } => {
            let mut config = load(&data_dir)?;
            if let Some(address) = listen {
                config.listen.address = address;
            }
            start_logging();
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .max_blocking_threads(BLOCKING_THREADS)
                .build()?;
            runtime.block_on(relay::serve(&data_dir, config))
        }
        Command::Check { data_dir } => check(&data_dir),
        Command::Version { json } => {
            let version = env!("CARGO_PKG_VERSION");
            if json {
                print_line(&serde_json::json!({ "version": version }).to_string())
            } else {
                print_line(&format!("staffetta-relay {version}"))
            }
        }
    }
}

fn print_line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn load(data: &Path) -> Result<Config, ConfigError> {
    Config::load(&Layout::new(data).config(), std::env::vars())
}

fn check(data: &Path) -> anyhow::Result<()> {
    let config = load(data)?;
    let layout = Layout::new(data);
    let key = layout.read_key()?;
    if !layout.store().exists() {
        anyhow::bail!("there is no store in {}", data.display());
    }
    let opened = SledStore::open(&layout.store(), init::store_options(&config))?;
    let cells = store::verify(&opened)?;
    let hub = hub::Hub::new(key, std::sync::Arc::new(opened), config, hub::system_clock())?;
    let fingerprint = init::fingerprint(&hub.key.public());
    print_line(&format!("{cells} cells are whole; fingerprint {fingerprint}"))
}

/// Pretty on a terminal, JSON otherwise. Nothing here ever holds an address, a key or an id.
fn start_logging() {
    let level = tracing::Level::INFO;
    let to_stderr = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        to_stderr.with_target(false).init();
    } else {
        to_stderr.json().init();
    }
}
