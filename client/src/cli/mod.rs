//! The command line: one file a family, each a function of parsed arguments, an open API and the
//! output. It must never know how the agent works or what a terminal screen is.

mod bot;
mod change;
mod chat;
mod describe;
mod doctor;
mod file;
mod history;
mod invite;
mod join;
mod relay;
mod roles;
mod room;
mod safety;
mod status;
mod tail;
mod team;
mod verify;
mod webhook;

use std::io::IsTerminal as _;

use etcetera::base_strategy::{BaseStrategy, Xdg};
use serde_json::{Value, json};

use crate::api::{Api, Calls, Events, Profile, Stay};
use crate::commands::{BotCommand, Cli, Command, DeviceCommand, Global};
use crate::errors::{Failure, exit};
use crate::output::{Out, clean_line};
use crate::passphrase::Source;
use crate::text;
use crate::tui::{self, Left, Look};

/// How long a one-shot command reads up to the head of the log before it answers, and how long a
/// message is waited for, in milliseconds.
const PATIENCE_MS: u64 = 10_000;

/// Runs what was asked for.
///
/// # Errors
/// Whatever went wrong, with its exit code.
pub(crate) async fn run(cli: Cli, out: &mut Out) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    if let Some(Command::Version) = command {
        return status::version(out);
    }
    match &command {
        Some(Command::Completions { shell }) => return describe::completions(*shell, out),
        Some(Command::Man { dir }) => return describe::man(dir),
        Some(Command::Bot(BotCommand::Describe)) => return describe::api(out),
        _ => {}
    }
    let dumb =
        std::io::stdin().is_terminal() && std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let look = Look {
        ascii: global.ascii || !speaks_unicode(),
        colour: out.style.colour,
        plain: global.plain || dumb,
    };
    let profile = profile(global)?;
    match command {
        None => match tui::run(&profile, look).await? {
            Left::Quit => Ok(()),
            Left::Wipe => safety::wipe(&profile, out).await,
        },
        Some(Command::Join(args)) => join::join(args, &profile, out).await,
        Some(Command::Wipe { .. }) => safety::wipe(&profile, out).await,
        Some(Command::Lock) => safety::lock(&profile, out).await,
        Some(Command::Unlock) => safety::unlock(&profile, out).await,
        Some(Command::Passphrase { new_passphrase_file }) => {
            safety::passphrase(&profile, new_passphrase_file.as_deref(), out)
        }
        Some(Command::Bot(BotCommand::Run(args))) => bot::run(args, &profile, out).await,
        Some(Command::Webhook(args)) => webhook::run(args, &profile, out).await,
        Some(Command::Send(args)) => {
            // Before anything is opened or asked, so that bad input costs nothing.
            let stdin_taken = matches!(profile.passphrase, Source::Stdin);
            let message = chat::Outgoing::take(args, stdin_taken)?;
            let api = Api::open(&profile, Stay::Brief).await?;
            let result = chat::send(message, &api, out).await;
            api.close().await;
            result
        }
        Some(Command::Edit { id, text }) => {
            let stdin_taken = matches!(profile.passphrase, Source::Stdin);
            let text = chat::take_text(text, stdin_taken)?;
            let api = Api::open(&profile, Stay::Brief).await?;
            let result = change::edit(&id, text, &api, out).await;
            api.close().await;
            result
        }
        Some(Command::Doctor) => doctor::run(&profile, out).await,
        Some(Command::Status) => {
            let api = Api::open_as_it_is(&profile).await?;
            let result = status::status(&api, out).await;
            api.close().await;
            result
        }
        Some(command) => {
            let stays = matches!(command, Command::Tail { .. } | Command::Agent { .. });
            let stay = if stays { Stay::Lasting } else { Stay::Brief };
            let api = Api::open(&profile, stay).await?;
            let result = with(command, &api, out).await;
            api.close().await;
            result
        }
    }
}

/// The commands that need nothing but an open profile.
async fn with(command: Command, api: &Api, out: &mut Out) -> Result<(), Failure> {
    match command {
        Command::Invite(args) => invite::create(args, api, out).await,
        Command::Invites => invite::list(api, out).await,
        Command::Approve(args) => invite::approve(args, api, out).await,
        Command::Reject { id } => invite::reject(&id, api, out).await,
        Command::Verify(args) => verify::run(args, api, out).await,
        Command::Team { command: None } => team::list(api, out).await,
        Command::Team { command: Some(command) } => roles::run(command, api, out).await,
        Command::Relay(command) => relay::run(command, api, out).await,
        Command::Device(DeviceCommand::Add) => invite::add_device(api, out).await,
        Command::Device(command) => team::device(command, api, out).await,
        Command::Revoke { member } => team::revoke(&member, api, out).await,
        Command::Room(command) => room::run(command, api, out).await,
        Command::Read(args) => chat::read(args, api, out).await,
        Command::Tail { room, since } => tail::run(room, since, api, out).await,
        Command::Delete { id } => change::delete(&id, api, out).await,
        Command::React { id, emoji } => change::react(&id, &emoji, api, out).await,
        Command::Search { words, room, limit } => {
            history::search(&words, room, limit, api, out).await
        }
        Command::File(command) => file::run(command, api, out).await,
        Command::Export { room, format } => history::export(&room, format, api, out).await,
        Command::Sync => status::sync(api, out).await,
        Command::Agent { lock_after } => status::agent(api, lock_after, out).await,
        Command::Join(_)
        | Command::Send(_)
        | Command::Edit { .. }
        | Command::Version
        | Command::Bot(_)
        | Command::Webhook(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Status
        | Command::Doctor
        | Command::Lock
        | Command::Unlock
        | Command::Wipe { .. }
        | Command::Passphrase { .. } => Ok(()),
    }
}

/// Whether the locale's character set can hold what the screen draws.
fn speaks_unicode() -> bool {
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find(set);
    let locale = name.and_then(|name| std::env::var(name).ok()).unwrap_or_default();
    let locale = locale.to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn profile(global: Global) -> Result<Profile, Failure> {
    let dir = match global.profile {
        Some(dir) => dir,
        None => match Xdg::new() {
            Ok(xdg) => xdg.data_dir().join("staffetta"),
            Err(_) => return Err(Failure::refused(text::no_home(), text::name_a_profile())),
        },
    };
    let passphrase = Source::from_flag(global.passphrase_file.as_deref());
    Ok(Profile { dir, proxy: global.proxy, passphrase })
}

/// A one-shot command that holds the profile itself reads up to the head first; when the relay
/// cannot be reached it goes on with what is stored here and says so.
async fn refresh(api: &impl Calls, out: &mut Out) -> Result<(), Failure> {
    if !api.is_holder() {
        return Ok(());
    }
    match api.call("sync", json!({"timeout_ms": PATIENCE_MS, "outbox": false})).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.exit, exit::UNREACHABLE | exit::TRY_AGAIN) => {
            out.warn(text::offline_data());
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The items of an answer that is a list.
fn items(answer: Value) -> Result<Vec<Value>, Failure> {
    match answer {
        Value::Array(items) => Ok(items),
        _ => Err(Failure::refused(text::unexpected_answer(), text::same_version())),
    }
}

/// The one whole id in `field` of `items` that starts with `prefix`; `hint` says where ids are
/// listed. A member has several devices, so equal ids count once.
fn whole_id(items: &[Value], field: &str, prefix: &str, hint: &str) -> Result<String, Failure> {
    let wanted = prefix.to_ascii_lowercase();
    let ids = items.iter().filter_map(|item| item.get(field)?.as_str());
    let mut found: Vec<&str> = ids.filter(|id| id.starts_with(&wanted)).collect();
    found.dedup();
    match found.as_slice() {
        [id] if !wanted.is_empty() => Ok((*id).to_owned()),
        [] => Err(Failure::refused(text::no_such_id(&clean_line(prefix)), hint)),
        _ => Err(Failure::refused(text::ambiguous_id(&clean_line(prefix)), hint)),
    }
}

/// Hands every event to `each` until this process is told to end.
///
/// # Errors
/// What `each` returned; 1 if the holder of the profile is gone.
async fn follow(
    mut events: Events<'_>,
    mut each: impl FnMut(Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let end = interrupted();
    tokio::pin!(end);
    loop {
        let event = tokio::select! {
            () = &mut end => return Ok(()),
            event = events.next() => event,
        };
        match event {
            Some(event) => each(event)?,
            None => return Err(Failure::refused(text::holder_gone(), text::run_again())),
        }
    }
}

/// Waits for Ctrl-C or a request to end.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        },
        // Without handlers the signals end the process as they always did.
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
