//! `staffetta`, the terminal client: a command line and a screen over one agent.
//!
//! Everything goes through `api`; nothing here knows keys, cells or rooms' cryptography.

mod api;
mod cli;
mod commands;
mod errors;
mod output;
mod passphrase;
mod qr;
mod text;
mod time;
mod tui;
mod webhook;

use std::process::ExitCode;

use tokio::runtime::Builder;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::errors::Failure;
use crate::output::{Out, Style};
use crate::text::Language;

/// The agent's link, the local socket and one command: more threads would only wait.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let locale = Language::of_locale(|name| std::env::var_os(name));
    // What the parser says is for people as well.
    text::speak(Language::of_arguments(std::env::args_os()).unwrap_or(locale));
    let cli = commands::parse();
    text::speak(cli.global.lang.unwrap_or(locale));
    let style = Style::choose(&cli.global);
    if style.verbose {
        log_to_stderr(style);
    }
    let mut out = Out::process(style);
    if api::harden().is_err() {
        let failure = Failure::refused(text::not_hardened(), text::check_sandbox());
        return ExitCode::from(finish(Err(failure), &mut out));
    }
    let code = match Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(cli::run(cli, &mut out));
            // A thread that waits for a key or a name server must not keep the process.
            runtime.shutdown_background();
            finish(result, &mut out)
        }
        Err(error) => {
            let message = text::runtime_failed(&text::words::kind(error.kind()));
            finish(Err(Failure::refused(message, text::run_again())), &mut out)
        }
    };
    ExitCode::from(code)
}

fn finish(result: Result<(), Failure>, out: &mut Out) -> u8 {
    match result {
        Ok(()) => 0,
        Err(failure) => {
            out.failure(&failure);
            failure.exit()
        }
    }
}

/// Our own crates' logs only: what libraries log may hold addresses.
fn log_to_stderr(style: Style) {
    let ours = Targets::new().with_target("staffetta", LevelFilter::DEBUG);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(style.colour)
        .without_time();
    tracing_subscriber::registry().with(lines).with(ours).init();
}
