//! At least once: what consumers of this profile's messages have not acknowledged.
//!
//! A consumer is a name under which some program reads. What is for it stands in a table of its
//! own, in log order, until it is acknowledged; nothing here depends on who is connected.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::api::{content_id, read};
use super::fault::{Fault, bad_params, failed, refused};
use crate::member::agent::core::Out;
use crate::member::content::Kind;
use crate::member::store::{Delivery, MessageRow, StoreError};
use crate::wire::ids::ContentId;

/// The consumer that every bot's profile has from the beginning.
pub(super) const OWN: &str = "";
/// Un-acknowledged events at a time, if nobody says how many.
const WINDOW: u32 = 32;
/// The most.
pub(super) const MAX_WINDOW: u32 = 1_024;
/// The most consumers of one profile.
const MAX_CONSUMERS: u64 = 16;
/// The longest name of a consumer, in bytes.
const MAX_CONSUMER: usize = 64;

/// `subscribe`
#[derive(Deserialize)]
struct SubscribeParams {
    room: Option<String>,
    consumer: Option<String>,
    window: Option<u32>,
    since: Option<String>,
    /// What happens from now on, without a promise.
    #[serde(default)]
    live: bool,
}

/// `deliveries`
#[derive(Deserialize)]
struct DeliveryParams {
    #[serde(default)]
    consumer: String,
    #[serde(default)]
    after: i64,
    window: Option<u32>,
    /// Instead: what up to this number was handed out and is not acknowledged.
    again: Option<i64>,
}

/// `ack`
#[derive(Deserialize)]
struct AckParams {
    id: String,
    #[serde(default)]
    consumer: String,
}

/// `consumer.remove`
#[derive(Deserialize)]
struct ConsumerParams {
    consumer: String,
}

impl Cx<'_> {
    /// The methods of programs that read; `None` if there is no such method.
    pub(super) fn consume(&mut self, method: &str, params: Value) -> Result<Option<Value>, Fault> {
        Ok(Some(match method {
            "ack" => {
                let params: AckParams = read(params)?;
                let content = content_id(&params.id)?;
                let number = self.consumer(&params.consumer)?;
                let acked = self.tx.ack_delivery(number, &content)?;
                if acked {
                    self.effects.push(Out::Deliveries);
                }
                json!({"acked": acked})
            }
            "deliveries" => self.deliveries(&read(params)?)?,
            "consumer.remove" => {
                let ConsumerParams { consumer } = read(params)?;
                if consumer == OWN {
                    return Err(refused("A profile's own consumer stays.", None).into());
                }
                json!({"removed": self.tx.remove_consumer(&consumer)?})
            }
            "kv.get" | "kv.set" | "kv.delete" => self.values(method, params)?,
            _ => return Ok(None),
        }))
    }

    /// `subscribe`: a live stream, or, on a bot's profile or if asked for, one that is repeated
    /// until it is acknowledged.
    pub(super) fn subscribe(&mut self, params: Value) -> Result<Value, Fault> {
        let SubscribeParams { room, consumer, window, since, live } = read(params)?;
        let room = room.as_deref().map(|typed| self.find_room(typed)).transpose()?.map(|r| r.id);
        let name = room.map(|room| self.room_name(&room));
        let wanted = consumer.is_some() || window.is_some() || since.is_some();
        if live || !(wanted || self.memory.profile.is_bot) {
            return Ok(json!({"room": name}));
        }
        let window = window.unwrap_or(WINDOW);
        if !(1..=MAX_WINDOW).contains(&window) {
            return Err(bad_params(&format!("window: 1 to {MAX_WINDOW}")).into());
        }
        let consumer = consumer.unwrap_or_else(|| OWN.to_owned());
        if consumer.len() > MAX_CONSUMER {
            return Err(bad_params(&format!("consumer: {MAX_CONSUMER} bytes at most")).into());
        }
        let is_new = self.tx.consumer(&consumer)?.is_none();
        if is_new && self.tx.consumers()? >= MAX_CONSUMERS {
            let hint = Some("End one with the method consumer.remove.");
            return Err(failed(75, "This profile has too many consumers.", hint).into());
        }
        let number = self.tx.put_consumer(&consumer, room.as_ref())?;
        if let Some(since) = since {
            self.tx.replay(number, &content_id(&since)?).map_err(|error| match error {
                StoreError::NoSuchRow => {
                    Fault::from(refused("There is no message with the id given as since.", None))
                }
                error => error.into(),
            })?;
        }
        Ok(json!({"room": name, "consumer": consumer, "window": window}))
    }

    /// The next events of a consumer after a delivery number, as many as its window has room for.
    fn deliveries(&mut self, params: &DeliveryParams) -> Result<Value, Fault> {
        let window = params.window.unwrap_or(WINDOW).min(MAX_WINDOW);
        let consumer = self.consumer(&params.consumer)?;
        let mut events = Vec::new();
        let missed = self.tx.take_missed(consumer)?;
        if missed > 0 {
            events.push(json!({"v": 1, "type": "gap", "consumer": params.consumer,
                "missing": missed}));
        }
        if let Some(last) = params.again {
            let waiting = self.tx.unacked_messages(consumer, last, window)?;
            self.tell(&waiting, &mut events)?;
            return Ok(json!({"events": events, "after": last}));
        }
        let in_flight = self.tx.unacked_upto(consumer, params.after, window)?;
        let free = window.saturating_sub(u32::try_from(in_flight).unwrap_or(window));
        let mut after = params.after;
        let waiting = self.tx.unacked(consumer, params.after, free)?;
        if let Some(last) = waiting.last() {
            after = last.number;
        }
        self.tell(&waiting, &mut events)?;
        Ok(json!({"events": events, "after": after}))
    }

    fn tell(&self, waiting: &[Delivery], events: &mut Vec<Value>) -> Result<(), Fault> {
        for delivery in waiting {
            match self.event_of(&delivery.content)? {
                Some(event) => events.push(event),
                // Taken back before it was read: there is nothing to acknowledge.
                None => self.tx.drop_delivery(delivery.number)?,
            }
        }
        Ok(())
    }

    fn consumer(&self, name: &str) -> Result<i64, Fault> {
        let none =
            || refused("There is no such consumer.", Some("Subscribe under its name first."));
        Ok(self.tx.consumer(name)?.ok_or_else(none)?)
    }

    /// Something of somebody else's has its place: consumers are to acknowledge it.
    pub(super) fn deliver(&mut self, row: &MessageRow) -> Result<(), Fault> {
        if !row.own && self.tx.add_delivery(row)? {
            self.effects.push(Out::Deliveries);
        }
        Ok(())
    }

    /// The event of a message in its present state; `None` if it is gone.
    fn event_of(&self, content: &ContentId) -> Result<Option<Value>, Fault> {
        let Some(row) = self.tx.message(content)? else { return Ok(None) };
        Ok(match row.kind {
            _ if row.shown && !row.deleted => Some(self.message_json(&row)?),
            Kind::DELETE => self.change_json(&row),
            Kind::EDIT | Kind::REACTION if !row.deleted => self.change_json(&row),
            _ => None,
        })
    }
}
