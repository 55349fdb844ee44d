//! Subscribers and what they are told.

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::core::{ApiError, CallId};
use super::deliveries::Deliveries;

/// The most subscribers at once.
const MAX_SUBSCRIBERS: usize = 16;
/// Events that wait for one subscriber to read.
pub(super) const BACKLOG: usize = 1024;

/// A stream of events: JSON objects of the events contract, in log order.
pub struct Events(Source);

enum Source {
    /// As they happen. Over the socket, the connection lives as long as the stream.
    Live(mpsc::Receiver<Value>, Option<super::rpc::Client>),
    /// Until they are acknowledged.
    Durable(Box<Deliveries>),
}

impl Events {
    pub(super) fn new(events: mpsc::Receiver<Value>, keep: Option<super::rpc::Client>) -> Self {
        Self(Source::Live(events, keep))
    }

    pub(super) fn durable(deliveries: Deliveries) -> Self {
        Self(Source::Durable(Box::new(deliveries)))
    }

    /// The stream of what happens from now on; `None` if this one is another kind.
    pub(super) fn into_live(self) -> Option<mpsc::Receiver<Value>> {
        match self.0 {
            Source::Live(events, None) => Some(events),
            _ => None,
        }
    }

    /// The next event. `None` when the holder is gone, or after a last event of type `gap` if
    /// this side fell behind by more than 1,024 events: subscribe again and read what is missing.
    /// A stream that is repeated until it is acknowledged has no such end. Cancel safe.
    pub async fn next(&mut self) -> Option<Value> {
        match &mut self.0 {
            Source::Live(events, _connection) => events.recv().await,
            Source::Durable(deliveries) => deliveries.next().await,
        }
    }
}

struct Subscriber {
    id: CallId,
    /// Only events of this room, or without a room.
    room: Option<String>,
    events: mpsc::Sender<Value>,
}

/// All subscribers of a holder.
#[derive(Default)]
pub(super) struct Subscribers(Vec<Subscriber>);

impl Subscribers {
    /// Adds a subscriber; `params` may name a `room`.
    pub(super) fn add(&mut self, id: CallId, params: &Value) -> Result<Events, ApiError> {
        self.0.retain(|subscriber| !subscriber.events.is_closed());
        if self.0.len() >= MAX_SUBSCRIBERS {
            return Err(ApiError::busy());
        }
        // One slot more, for the gap.
        let (events, receiver) = mpsc::channel(BACKLOG + 1);
        let room = room_of(params);
        self.0.push(Subscriber { id, room, events });
        Ok(Events::new(receiver, None))
    }

    /// The core has answered: it may know the room by a better name, or refuse.
    pub(super) fn answered(&mut self, id: CallId, answer: &Result<Value, ApiError>) {
        match answer {
            Ok(answer) => {
                let subscriber = self.0.iter_mut().find(|subscriber| subscriber.id == id);
                if let (Some(subscriber), Some(room)) = (subscriber, room_of(answer)) {
                    subscriber.room = Some(room);
                }
            }
            Err(_) => self.0.retain(|subscriber| subscriber.id != id),
        }
    }

    /// Tells everybody whom it concerns. Whoever does not read is let go with a last `gap`.
    pub(super) fn publish(&mut self, event: &Value) {
        let room = room_of(event);
        self.0.retain(|subscriber| {
            if room.is_some() && subscriber.room.is_some() && room != subscriber.room {
                return !subscriber.events.is_closed();
            }
            let full = subscriber.events.capacity() <= 1;
            let event = if full { json!({ "v": 1, "type": "gap" }) } else { event.clone() };
            subscriber.events.try_send(event).is_ok() && !full
        });
    }
}

/// Names are unique ignoring case.
fn room_of(value: &Value) -> Option<String> {
    value.get("room").and_then(Value::as_str).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(room: &str, n: usize) -> Value {
        json!({ "type": "message", "room": room, "n": n })
    }

    #[tokio::test]
    async fn a_subscriber_that_does_not_read_is_dropped_with_a_final_gap() {
        let mut all = Subscribers::default();
        let mut slow = all.add(1, &json!({})).unwrap();
        for n in 0..BACKLOG + 10 {
            all.publish(&message("general", n));
        }
        for n in 0..BACKLOG {
            assert_eq!(slow.next().await, Some(message("general", n)));
        }
        assert_eq!(slow.next().await, Some(json!({ "v": 1, "type": "gap" })));
        assert_eq!(slow.next().await, None);
    }

    #[tokio::test]
    async fn a_subscriber_of_one_room_hears_that_room_and_what_has_none() {
        let mut all = Subscribers::default();
        let mut general = all.add(1, &json!({ "room": "General" })).unwrap();
        let alarm = json!({ "type": "alarm", "text": "x" });
        for event in [message("press", 1), message("general", 2), alarm.clone()] {
            all.publish(&event);
        }
        assert_eq!(general.next().await, Some(message("general", 2)));
        assert_eq!(general.next().await, Some(alarm));
    }

    #[test]
    fn subscribers_are_counted_and_a_refused_or_closed_one_counts_no_more() {
        let mut all = Subscribers::default();
        let kept: Vec<_> = (0..16).map(|id| all.add(id, &json!({})).unwrap()).collect();
        assert!(all.add(16, &json!({})).is_err());
        all.answered(3, &Err(ApiError::busy()));
        let again = all.add(17, &json!({})).unwrap();
        assert!(all.add(18, &json!({})).is_err());
        drop((kept, again));
        assert!(all.add(19, &json!({})).is_ok());
    }
}
