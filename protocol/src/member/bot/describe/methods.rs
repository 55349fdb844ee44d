//! The methods.

use super::Kind::{Any, Flag, Id, Number, Objects, Text, Texts, Time};
use super::{Answer, Field, Method, field, maybe, or_null};

const KEY: Field = maybe("key", Text, "1 to 256 bytes: the call counts once in 24 hours");
const WAIT: Field = maybe("wait_ms", Number, "how long to wait for it to be sent; 0 only queues");
const CONSUMER: Field = maybe("consumer", Text, "a name of one's own beside the profile's");
const ROOM: Field = field("room", Text, "a room's name, or @MEMBER");
const SENT: &[Field] = &[
    field("id", Id, ""),
    or_null("seq", Number, "its place in the log; null while it is queued"),
    field("state", Text, "sent, queued or gone"),
];
const CHANGED: &[Field] = &[
    field("id", Id, ""),
    or_null("seq", Number, "its place in the log; null while it is queued"),
    field("state", Text, "sent or queued"),
    maybe("target", Id, "what was changed, once it is sent"),
];

/// Objects that results are made of.
pub(super) const SCHEMAS: &[(&str, &[Field])] = &[
    ("Message", MESSAGE),
    (
        "Reaction",
        &[
            field("id", Id, ""),
            field("emoji", Text, ""),
            or_null("from", Text, ""),
            field("own", Flag, ""),
        ],
    ),
    (
        "Room",
        &[
            field("name", Text, "of a conversation of two, @ and the other's name"),
            field("id", Id, ""),
            field("kind", Text, "room or direct"),
            field("members", Number, ""),
            field("unread", Number, ""),
            field("mentions", Number, "unread ones that mention this member"),
            field("topic", Text, ""),
            field("lifetime_s", Number, ""),
            or_null("who_may_add", Text, "members or admins"),
            field("frozen", Flag, ""),
            field("state", Text, "active, unconfirmed, waiting, frozen or behind"),
        ],
    ),
    (
        "Member",
        &[
            field("member", Text, "the name"),
            field("role", Text, "admin, member or bot"),
            field("verified", Flag, ""),
        ],
    ),
];

/// A message, here and as an event.
pub(super) const MESSAGE: &[Field] = &[
    field("v", Number, "1"),
    field("type", Text, "message"),
    field("id", Id, "equal on all devices"),
    field("room", Text, ""),
    field("room_id", Id, ""),
    or_null("from", Text, "the member's name"),
    field("device", Id, ""),
    field("verified", Flag, ""),
    field("sent_at", Time, "as the sender claims"),
    or_null("seq", Number, "its place in the log"),
    maybe("text", Text, "sanitised; a file has none"),
    or_null("reply_to", Id, ""),
    field("mentions", Texts, "members' names"),
    field("edited", Flag, ""),
    field("unread", Flag, "not marked read on this profile"),
    field("reactions", Objects("Reaction"), ""),
    or_null("expires_at", Time, ""),
    field("own", Flag, ""),
    or_null("seen_by", Texts, "of own messages while receipts are on: who said that they read it"),
    maybe("name", Text, "a file's"),
    maybe("size", Number, "a file's"),
    maybe("shared", Flag, "a file's: every device fetches it"),
];

/// Every method that programs use.
pub(super) const METHODS: &[Method] = &[
    Method {
        name: "ping",
        about: "Whether the holder is there.",
        params: &[],
        result: Answer::Object(&[field("v", Number, "1")]),
    },
    Method {
        name: "subscribe",
        about: "Events from now on; under a consumer, each until its ack. `bot run` has done it.",
        params: &[
            maybe("room", Text, "only this room"),
            CONSUMER,
            maybe("window", Number, "un-acknowledged messages at a time: 1 to 1024"),
            maybe("since", Id, "repeat everything after this message"),
            maybe("live", Flag, "no promise, on a bot's profile too"),
        ],
        result: Answer::Object(&[
            or_null("room", Text, ""),
            maybe("consumer", Text, ""),
            maybe("window", Number, ""),
        ]),
    },
    Method {
        name: "ack",
        about: "An event is done with, and with it the edits, deletions and reactions before it.",
        params: &[field("id", Id, "the event's"), CONSUMER],
        result: Answer::Object(&[field("acked", Flag, "false if it was already")]),
    },
    Method {
        name: "deliveries",
        about: "What waits for an ack, for programs that ask instead of listening.",
        params: &[
            CONSUMER,
            maybe("after", Number, "a delivery's number; 0 is the beginning"),
            maybe("window", Number, ""),
            maybe("again", Number, "instead: un-acknowledged messages up to this number"),
        ],
        result: Answer::Object(&[field("events", Any, "events"), field("after", Number, "")]),
    },
    Method {
        name: "consumer.remove",
        about: "Forgets a consumer and what waits for it.",
        params: &[field("consumer", Text, "")],
        result: Answer::Object(&[field("removed", Flag, "")]),
    },
    Method {
        name: "send",
        about: "Sends a text.",
        params: &[
            ROOM,
            field("text", Text, "24,000 bytes at most"),
            maybe("reply_to", Id, ""),
            KEY,
            WAIT,
        ],
        result: Answer::Object(SENT),
    },
    Method {
        name: "reply",
        about: "Answers a message, in its room.",
        params: &[field("to", Id, "the message"), field("text", Text, ""), KEY, WAIT],
        result: Answer::Object(SENT),
    },
    Method {
        name: "react",
        about: "Reacts to a message.",
        params: &[field("id", Id, "the message"), field("emoji", Text, ""), KEY, WAIT],
        result: Answer::Object(CHANGED),
    },
    Method {
        name: "edit",
        about: "A new text for a message of one's own.",
        params: &[field("id", Id, "the message"), field("text", Text, ""), KEY, WAIT],
        result: Answer::Object(CHANGED),
    },
    Method {
        name: "delete",
        about: "Takes back a message, file or reaction of one's own.",
        params: &[field("id", Id, "what"), KEY, WAIT],
        result: Answer::Object(CHANGED),
    },
    Method {
        name: "upload",
        about: "Sends a file.",
        params: &[ROOM, field("path", Text, "absolute; 60 MiB at most"), KEY, WAIT],
        result: Answer::Object(SENT),
    },
    Method {
        name: "download",
        about: "Fetches a file.",
        params: &[
            field("id", Id, "the file's"),
            field("path", Text, "absolute: a directory, or a name that is free"),
            WAIT,
        ],
        result: Answer::Object(&[
            field("id", Id, ""),
            field("path", Text, ""),
            field("name", Text, ""),
            field("size", Number, ""),
        ]),
    },
    Method {
        name: "rooms",
        about: "The rooms this profile is in.",
        params: &[],
        result: Answer::List("Room"),
    },
    Method {
        name: "members",
        about: "Who is in a room.",
        params: &[ROOM],
        result: Answer::List("Member"),
    },
    Method {
        name: "search",
        about: "The newest messages that hold all words, oldest first.",
        params: &[
            field("words", Text, "case and accents are ignored"),
            maybe("room", Text, ""),
            maybe("limit", Number, "50"),
        ],
        result: Answer::List("Message"),
    },
    Method {
        name: "kv.get",
        about: "A value of the program's own.",
        params: &[field("key", Text, "1 to 256 bytes")],
        result: Answer::Object(&[field("value", Any, "null if there is none")]),
    },
    Method {
        name: "kv.set",
        about: "Keeps a value, in the encrypted profile.",
        params: &[field("key", Text, ""), field("value", Any, "16,384 bytes at most")],
        result: Answer::Object(&[]),
    },
    Method {
        name: "kv.delete",
        about: "Forgets a value.",
        params: &[field("key", Text, "")],
        result: Answer::Object(&[field("deleted", Flag, "")]),
    },
];
