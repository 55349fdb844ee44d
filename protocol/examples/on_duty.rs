//! Who is on duty: `!duty`, `!duty set Lea Karim Sofia`, `!duty next`, `!duty swap Sofia`.
//!
//! The list turns by itself every day at the hour of `DUTY_HOUR` (UTC, 7 if not set), and says so in
//! the room in which it was made. It is kept in the bot's encrypted profile.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use staffetta_protocol::bot::{Bot, Command, Context, Error, Log, RateLimit, Result};

const KEY: &str = "duty";
const MOST: usize = 50;
const DAY: u64 = 24 * 60 * 60;

#[derive(Default, Serialize, Deserialize)]
struct Duty {
    /// Whose turn it is comes first.
    names: Vec<String>,
    room: String,
    /// The day, counted from the hour of the change, on which it last turned.
    day: u64,
}

#[tokio::main]
async fn main() -> Result {
    Bot::from_env()
        .await?
        .with(Log)
        .with(RateLimit::per_sender(10, Duration::from_secs(60)))
        .on_command("duty", duty)
        .every(Duration::from_secs(60), turn)
        .await
}

async fn duty(command: Command) -> Result {
    let context = command.context();
    let mut duty: Duty = context.get(KEY).await?.unwrap_or_default();
    let (what, rest) = command.args.split_once(' ').unwrap_or((&command.args, ""));
    match what {
        "" => {}
        "set" => {
            duty.names = rest.split_whitespace().take(MOST).map(str::to_owned).collect();
            (duty.room, duty.day) = (command.message.room.clone(), today()?);
        }
        // A repetition after a crash must not turn the list twice.
        "next"
            if context.get::<String>("turned by").await?.as_ref() != Some(&command.message.id) =>
        {
            let step = usize::from(!duty.names.is_empty());
            duty.names.rotate_left(step);
            context.set("turned by", &command.message.id).await?;
        }
        "next" => {}
        "swap" => {
            if let Some(other) = duty.names.iter().position(|name| name == rest) {
                duty.names.swap(0, other);
            }
        }
        _ => return command.reply("!duty, !duty set NAMES, !duty next, !duty swap NAME").await,
    }
    context.set(KEY, &duty).await?;
    command.reply(describe(&duty)).await
}

/// Once a day.
async fn turn(context: Context) -> Result {
    let Some(mut duty) = context.get::<Duty>(KEY).await? else { return Ok(()) };
    let today = today()?;
    if duty.day >= today || duty.names.is_empty() {
        return Ok(());
    }
    duty.names.rotate_left(1);
    duty.day = today;
    // Said once: if this is interrupted before the list is kept, the key stands for it.
    context.send_once(&format!("duty {today}"), &duty.room, describe(&duty)).await?;
    context.set(KEY, &duty).await
}

fn describe(duty: &Duty) -> String {
    match duty.names.split_first() {
        Some((now, [])) => format!("On duty: @{now}."),
        Some((now, then)) => format!("On duty: @{now}. Then {}.", then.join(", ")),
        None => "Nobody is on duty. Write: !duty set NAMES".to_owned(),
    }
}

fn today() -> Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_err(|_| Error::new("The clock is wrong."))?.as_secs();
    let hour = std::env::var("DUTY_HOUR").ok().and_then(|hour| hour.parse().ok()).unwrap_or(7);
    Ok(now.saturating_sub(hour * 60 * 60) / DAY)
}
