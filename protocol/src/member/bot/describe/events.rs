//! The events.

use super::Kind::{Flag, Id, Number, Text, Texts, Time};
use super::methods::MESSAGE;
use super::{Event, Field, field, maybe, or_null};

/// What every change of a message says.
macro_rules! change {
    ($kind:literal $(, $more:expr)*) => {
        &[
            field("v", Number, "1"),
            field("type", Text, $kind),
            field("id", Id, "the change's own"),
            field("target", Id, "the message it is about"),
            field("room", Text, ""),
            field("room_id", Id, ""),
            or_null("from", Text, "the member's name"),
            field("device", Id, ""),
            field("sent_at", Time, ""),
            or_null("seq", Number, ""),
            field("own", Flag, ""),
            $($more),*
        ]
    };
}

const EDIT: &[Field] =
    change!("edit", field("text", Text, "the new text"), field("mentions", Texts, ""));
const DELETE: &[Field] = change!("delete");
const REACTION: &[Field] = change!("reaction", field("emoji", Text, ""));

/// Every event that programs are told.
pub(super) const EVENTS: &[Event] = &[
    Event { kind: "message", about: "A text.", fields: MESSAGE, acknowledged: true },
    Event { kind: "file", about: "A file.", fields: MESSAGE, acknowledged: true },
    Event { kind: "edit", about: "A text was replaced.", fields: EDIT, acknowledged: true },
    Event {
        kind: "delete",
        about: "Something was taken back.",
        fields: DELETE,
        acknowledged: true,
    },
    Event { kind: "reaction", about: "Somebody reacted.", fields: REACTION, acknowledged: true },
    Event {
        kind: "gap",
        about: "Messages are missing: by their sender's counter, or of this consumer's. Without \
            more, the stream fell behind: subscribe again.",
        fields: &[
            maybe("missing", Number, "how many"),
            maybe("consumer", Text, ""),
            maybe("room", Text, ""),
            maybe("room_id", Id, ""),
            maybe("from", Text, ""),
            maybe("device", Id, ""),
        ],
        acknowledged: false,
    },
    Event {
        kind: "room",
        about: "This device came into a room or left it, or somebody changed it.",
        fields: &[
            field("room", Text, ""),
            field("room_id", Id, ""),
            field("state", Text, "joined, left or changed"),
        ],
        acknowledged: false,
    },
    Event {
        kind: "member",
        about: "Members of a room or the team changed.",
        fields: &[
            or_null("member", Text, ""),
            field("change", Text, "joined, left, device or revoked"),
        ],
        acknowledged: false,
    },
    Event {
        kind: "connection",
        about: "The link to the relay changed.",
        fields: &[field("state", Text, "online, offline or refused")],
        acknowledged: false,
    },
    Event {
        kind: "alarm",
        about: "Something a person must not miss.",
        fields: &[field("text", Text, "")],
        acknowledged: false,
    },
    Event {
        kind: "notice",
        about: "The relay said how it is.",
        fields: &[field("text", Text, ""), field("retry_ms", Number, "")],
        acknowledged: false,
    },
];
