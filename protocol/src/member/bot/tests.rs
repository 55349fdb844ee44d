use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;

use super::*;

async fn echo(msg: Message) -> Result {
    msg.reply(format!("echo: {}", msg.text)).await
}

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| panic!("did not come: {what}"))
}

#[tokio::test]
async fn a_bot_answers_once_and_acknowledges() {
    let world = Bot::test();
    tokio::spawn(world.bot().on_message(echo).into_future());
    world.says("Lea", "general", "salut");
    assert_eq!(within("an answer", world.hears("general")).await, "echo: salut");
    within("the ack", world.is_quiet()).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_failed_is_called_again_and_its_answers_are_sent_once() {
    let world = Bot::test();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let bot = world.bot().on_message(move |msg: Message| {
        let tries = Arc::clone(&counted);
        async move {
            msg.reply("one").await?;
            msg.reply("two").await?;
            match tries.fetch_add(1, Ordering::Relaxed) {
                0 | 1 => Err(Error::new("not yet")),
                _ => Ok(()),
            }
        }
    });
    tokio::spawn(bot.into_future());
    world.says("Lea", "general", "go");
    world.says("Lea", "general", "on");
    within("the acks", world.is_quiet()).await;
    assert_eq!(world.said("general"), ["one", "two", "one", "two"]);
    assert_eq!(tries.load(Ordering::Relaxed), 4);
}

#[tokio::test(start_paused = true)]
async fn a_bot_may_give_up_what_always_fails() {
    let world = Bot::test();
    let bot = world.bot().give_up_after(3).on_message(|msg: Message| async move {
        if msg.text == "poison" { Err(Error::new("no")) } else { echo(msg).await }
    });
    tokio::spawn(bot.into_future());
    world.says("Lea", "general", "poison");
    world.says("Lea", "general", "fine");
    assert_eq!(within("what is behind", world.hears("general")).await, "echo: fine");
}

#[tokio::test]
async fn what_a_dead_bot_had_not_acknowledged_comes_again_with_the_same_id() {
    let world = Bot::test();
    let (seen, mut ids) = tokio::sync::mpsc::unbounded_channel();
    let first = seen.clone();
    let stuck = world.bot().on_message(move |msg: Message| {
        first.send(msg.id).unwrap();
        std::future::pending()
    });
    let running = tokio::spawn(stuck.into_future());
    let id = world.says("Lea", "general", "salut");
    assert_eq!(within("the message", ids.recv()).await.unwrap(), id);
    running.abort();
    let again = world.bot().on_message(move |msg: Message| {
        seen.send(msg.id).unwrap();
        std::future::ready(Ok(()))
    });
    tokio::spawn(again.into_future());
    assert_eq!(within("the same message", ids.recv()).await.unwrap(), id);
    within("the ack", world.is_quiet()).await;
}

#[tokio::test]
async fn commands_go_to_their_handlers_and_everything_else_to_those_of_its_kind() {
    let world = Bot::test();
    let bot = world
        .bot()
        .on_command(
            "duty",
            |cmd: Command| async move { cmd.reply(format!("[{}]", cmd.args)).await },
        )
        .on_event(|event: Event| async move {
            match event {
                Event::Message(msg) => msg.reply("a text").await,
                Event::File(file) => {
                    file.context().send(&file.room, format!("got {}", file.name)).await.map(|_| ())
                }
                Event::Reaction { emoji, room, .. } => {
                    assert_eq!((emoji.as_str(), room.as_str()), ("👍", "general"));
                    Ok(())
                }
                _ => Ok(()),
            }
        });
    tokio::spawn(bot.into_future());
    world.says("Lea", "general", "!duty  next week ");
    world.says("Lea", "general", "!duties");
    world.happens(
        json!({"type": "file", "room": "general", "from": "Lea", "name": "a.pdf", "size": 7}),
    );
    world.happens(json!({"type": "reaction", "room": "general", "emoji": "👍", "target": "ab"}));
    for said in ["[next week]", "a text", "got a.pdf"] {
        assert_eq!(within(said, world.hears("general")).await, said);
    }
    within("the acks", world.is_quiet()).await;
}

#[tokio::test]
async fn values_outlive_the_bot() {
    let world = Bot::test();
    let count = |cmd: Command| async move {
        let asked: u32 = cmd.context().get("asked").await?.unwrap_or(0) + 1;
        cmd.context().set("asked", &asked).await?;
        cmd.reply(asked.to_string()).await
    };
    for expected in ["1", "2"] {
        let running = tokio::spawn(world.bot().on_command("count", count).into_future());
        world.says("Lea", "general", "!count");
        assert_eq!(within("a count", world.hears("general")).await, expected);
        within("the ack", world.is_quiet()).await;
        running.abort();
    }
    assert!(world.bot().context().forget("asked").await.unwrap());
}

#[tokio::test]
async fn a_bot_that_is_stopped_finishes_what_it_handles() {
    let world = Bot::test();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (begun, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let (go, may_go) = tokio::sync::watch::channel(false);
    let bot =
        world.bot().stop_when(async { drop(stopped.await) }).on_message(move |msg: Message| {
            let (begun, mut may_go) = (begun.clone(), may_go.clone());
            async move {
                begun.send(()).unwrap();
                may_go.wait_for(|go| *go).await.unwrap();
                echo(msg).await
            }
        });
    let running = tokio::spawn(bot.into_future());
    world.says("Lea", "general", "first");
    let second = world.says("Lea", "general", "second");
    within("the handler", has_begun.recv()).await.unwrap();
    stop.send(()).unwrap();
    go.send(true).unwrap();
    within("the end", running).await.unwrap().unwrap();
    assert_eq!(world.said("general"), ["echo: first"]);
    assert_eq!(world.unacked(), [second]);
}

#[tokio::test(start_paused = true)]
async fn scheduled_work_is_repeated_and_its_errors_end_nothing() {
    let world = Bot::test();
    let bot = world.bot().every(Duration::from_secs(60), |context: Context| async move {
        context.send("general", "tick").await?;
        Err(Error::new("logged"))
    });
    tokio::spawn(bot.into_future());
    for _ in 0..3 {
        assert_eq!(world.hears("general").await, "tick");
    }
}

#[tokio::test(start_paused = true)]
async fn middleware_sees_messages_in_its_order_and_may_keep_them() {
    let world = Bot::test();
    let limit = RateLimit::per_sender(2, Duration::from_secs(60));
    tokio::spawn(world.bot().with(Log).with(limit).on_message(echo).into_future());
    for text in ["1", "2", "3"] {
        world.says("Lea", "general", text);
    }
    world.says("Karim", "general", "4");
    within("the acks", world.is_quiet()).await;
    assert_eq!(world.said("general"), ["echo: 1", "echo: 2", "echo: 4"]);
}

#[tokio::test]
async fn no_more_than_the_window_is_under_way() {
    let world = Bot::test();
    for n in 0..10 {
        world.says("Lea", "general", &n.to_string());
    }
    let double = world.bot().context();
    let mut told = double.backend.subscribe(json!({"window": 3})).await.unwrap();
    for _ in 0..3 {
        told.next().await.unwrap();
    }
    let fourth = tokio::time::timeout(Duration::from_millis(50), told.next()).await;
    assert!(fourth.is_err());
    let first = world.unacked().remove(0);
    assert_eq!(double.call("ack", json!({"id": first})).await.unwrap()["acked"], true);
    within("the next", told.next()).await.unwrap();
}
