//! `room ...`

use serde_json::{Map, Value, json};

use super::team::trust;
use super::{items, refresh};
use crate::api::{self, Calls};
use crate::commands::{RoomCommand, WhoMayAdd};
use crate::errors::Failure;
use crate::output::{Out, clean_line, line_of, word_of};
use crate::text;

/// Runs one of the family.
pub(super) async fn run(
    command: RoomCommand,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    refresh(api, out).await?;
    match command {
        RoomCommand::Create { name, lifetime, topic } => {
            let mut params = Map::new();
            params.insert("name".into(), name.into());
            if let Some(topic) = topic {
                params.insert("topic".into(), topic.into());
            }
            if let Some(lifetime) = lifetime {
                params.insert("lifetime_s".into(), lifetime.into());
            }
            let room = api.call("room.create", Value::Object(params)).await?;
            if out.style.json {
                return out.json(room);
            }
            out.done(&text::room_created(&line_of(&room, "name")))
        }
        RoomCommand::List => {
            let rooms = items(api.call("room.list", api::none()).await?)?;
            if out.style.json {
                return rooms.into_iter().try_for_each(|room| out.json(room));
            }
            let number = |room: &Value, field: &str| {
                room.get(field).and_then(Value::as_u64).unwrap_or_default()
            };
            let row = |room: &Value| {
                vec![
                    line_of(room, "name"),
                    text::words::people(number(room, "members")),
                    text::words::unread(number(room, "unread")),
                ]
            };
            out.table(&rooms.iter().map(row).collect::<Vec<_>>())
        }
        RoomCommand::Add { room, members } => {
            change("room.add", text::added, &room, members, api, out).await
        }
        RoomCommand::Remove { room, members } => {
            change("room.remove", text::removed, &room, members, api, out).await
        }
        RoomCommand::Set { room, name, topic, lifetime, who_may_add } => {
            let who = who_may_add.map(|who| match who {
                WhoMayAdd::Members => "members",
                WhoMayAdd::Admins => "admins",
            });
            let params = json!({"room": room, "name": name, "topic": topic,
                "lifetime_s": lifetime, "who_may_add": who});
            api.call("room.set", params).await?;
            said(json!({"room": name.as_deref().unwrap_or(&room)}), text::room_changed(), out)
        }
        RoomCommand::Leave { room } => {
            api.call("room.leave", json!({"room": room})).await?;
            said(json!({"room": room}), &text::left(&clean_line(&room)), out)
        }
        RoomCommand::Restart { room } => {
            let answer = api.call("room.restart", json!({"room": room})).await?;
            let sentence =
                text::room_restarted(&line_of(&answer, "room"), &line_of(&answer, "without"));
            said(answer, &sentence, out)
        }
        RoomCommand::Members { room } => {
            let members = items(api.call("room.members", json!({"room": room})).await?)?;
            if out.style.json {
                return members.into_iter().try_for_each(|member| out.json(member));
            }
            let row = |member: &Value| {
                vec![trust(member).to_owned(), line_of(member, "member"), word_of(member, "role")]
            };
            out.table(&members.iter().map(row).collect::<Vec<_>>())
        }
    }
}

fn said(answer: Value, sentence: &str, out: &mut Out) -> Result<(), Failure> {
    if out.style.json { out.json(answer) } else { out.done(sentence) }
}

/// Adds or removes one member after the other; the first that fails ends it.
async fn change(
    method: &str,
    say: fn(&str, &str) -> String,
    room: &str,
    members: Vec<String>,
    api: &impl Calls,
    out: &mut Out,
) -> Result<(), Failure> {
    for member in members {
        let member = member.strip_prefix('@').unwrap_or(&member);
        api.call(method, json!({"room": room, "member": member})).await?;
        if out.style.json {
            out.json(json!({"room": room, "member": member}))?;
        } else {
            out.done(&say(&clean_line(member), &clean_line(room)))?;
        }
    }
    Ok(())
}
