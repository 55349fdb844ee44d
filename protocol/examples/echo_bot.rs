//! A bot that repeats what it hears.

use staffetta_protocol::bot::{Bot, Message, Result};

#[tokio::main]
async fn main() -> Result {
    Bot::from_env()
        .await?
        .on_message(|msg: Message| async move { msg.reply(format!("echo: {}", msg.text)).await })
        .await
}
