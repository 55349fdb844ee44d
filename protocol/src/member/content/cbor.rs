//! The bytes of content: a CBOR map from small integers, in the order of its encoded keys.

use ciborium::Value;

use super::{
    Content, ContentError, Kind, LogHead, MAX_CONTENT, MAX_MENTIONS, MAX_NUMBER, MAX_TIME, Unknown,
    VERSION,
};
use crate::wire::ids::{ContentId, Digest, MemberId};

/// The keys. 0 to 23 take one byte; numbers that are not here are free for later fields.
pub(super) mod field {
    pub(in super::super) const VERSION: u8 = 0;
    pub(in super::super) const ID: u8 = 1;
    pub(in super::super) const COUNTER: u8 = 2;
    pub(in super::super) const SENT_AT: u8 = 3;
    pub(in super::super) const KIND: u8 = 4;
    pub(in super::super) const BODY: u8 = 5;
    pub(in super::super) const IN_REPLY_TO: u8 = 6;
    pub(in super::super) const EXPIRES: u8 = 7;
    pub(in super::super) const MENTIONS: u8 = 8;
    pub(in super::super) const ROSTER_HEAD: u8 = 9;
    pub(in super::super) const LOG_HEAD: u8 = 10;
    pub(in super::super) const REPLACES: u8 = 11;
    pub(in super::super) const READ_TO: u8 = 12;
}

/// How deep arrays, maps and tags may nest.
const MAX_DEPTH: usize = 16;

pub(super) fn encode(content: &Content) -> Result<Vec<u8>, ContentError> {
    check_target(content)?;
    let body = content.kind.body()?;
    check_numbers(content)?;
    let mut map = content.unknown.0.clone();
    let mut put = |key: u8, value: Value| map.push((Value::from(key), value));
    put(field::VERSION, VERSION.into());
    put(field::ID, bytes(&content.id.0));
    put(field::COUNTER, content.counter.into());
    put(field::SENT_AT, content.sent_at.into());
    put(field::KIND, content.kind.code().into());
    put(field::BODY, body);
    if let Some(id) = &content.in_reply_to {
        put(field::IN_REPLY_TO, bytes(&id.0));
    }
    if let Some(time) = content.expires {
        put(field::EXPIRES, time.into());
    }
    if !content.mentions.is_empty() {
        let mentions = content.mentions.iter().map(|member| bytes(&member.0)).collect();
        put(field::MENTIONS, Value::Array(mentions));
    }
    if let Some((number, hash)) = &content.roster_head {
        put(field::ROSTER_HEAD, Value::Array(vec![(*number).into(), bytes(&hash.0)]));
    }
    if let Some(head) = &content.log_head {
        put(field::LOG_HEAD, Value::Array(vec![head.seq.into(), bytes(&head.hash)]));
    }
    if let Some(id) = &content.replaces {
        put(field::REPLACES, bytes(&id.0));
    }
    if let Some(seq) = content.read_to {
        put(field::READ_TO, seq.into());
    }
    write(map)
}

pub(super) fn decode(input: &[u8]) -> Result<Content, ContentError> {
    if input.len() > MAX_CONTENT {
        return Err(ContentError::TooLong { len: input.len() });
    }
    let read: Result<Value, _> = ciborium::de::from_reader_with_recursion_limit(input, MAX_DEPTH);
    let Ok(Value::Map(map)) = read else { return Err(ContentError::Malformed) };
    let mut fields = Fields(map);
    let version = fields.number(field::VERSION, u64::MAX)?;
    if version != VERSION {
        return Err(ContentError::Version(version));
    }
    let code = fields.number(field::KIND, u8::MAX.into())?;
    let code = u8::try_from(code).map_err(|_| ContentError::Field(field::KIND))?;
    let body = fields.required(field::BODY)?;
    let kind = Kind::read(code, body)?;
    let content = Content {
        id: ContentId(array(field::ID, &fields.required(field::ID)?)?),
        counter: fields.number(field::COUNTER, MAX_NUMBER)?,
        sent_at: fields.number(field::SENT_AT, MAX_TIME)?,
        kind,
        in_reply_to: fields
            .take(field::IN_REPLY_TO)
            .map(|value| array(field::IN_REPLY_TO, &value).map(ContentId))
            .transpose()?,
        expires: fields
            .take(field::EXPIRES)
            .map(|value| number(field::EXPIRES, &value, MAX_TIME))
            .transpose()?,
        mentions: fields.take(field::MENTIONS).map_or(Ok(Vec::new()), mentions)?,
        roster_head: fields.take(field::ROSTER_HEAD).map(roster_head).transpose()?,
        log_head: fields.take(field::LOG_HEAD).map(log_head).transpose()?,
        replaces: fields
            .take(field::REPLACES)
            .map(|value| array(field::REPLACES, &value).map(ContentId))
            .transpose()?,
        read_to: fields
            .take(field::READ_TO)
            .map(|value| number(field::READ_TO, &value, MAX_NUMBER))
            .transpose()?,
        unknown: Unknown(fields.0),
    };
    // Also refuses trailing bytes, keys that come twice or out of order, and long forms.
    if encode(&content)? != input {
        return Err(ContentError::NotDeterministic);
    }
    Ok(content)
}

/// Edits, deletions and reactions are about a message; other known kinds replace none.
fn check_target(content: &Content) -> Result<(), ContentError> {
    let (missing, key) = match &content.kind {
        Kind::Edit(_) | Kind::Delete => (content.replaces.is_none(), field::REPLACES),
        Kind::Reaction(_) => (content.in_reply_to.is_none(), field::IN_REPLY_TO),
        Kind::Text(_) | Kind::File(_) => (content.replaces.is_some(), field::REPLACES),
        Kind::Unknown { .. } => (false, field::REPLACES),
    };
    if missing { Err(ContentError::Field(key)) } else { Ok(()) }
}

fn check_numbers(content: &Content) -> Result<(), ContentError> {
    let bounded = [
        (field::COUNTER, Some(content.counter), MAX_NUMBER),
        (field::SENT_AT, Some(content.sent_at), MAX_TIME),
        (field::EXPIRES, content.expires, MAX_TIME),
        (field::LOG_HEAD, content.log_head.map(|head| head.seq), MAX_NUMBER),
        (field::READ_TO, content.read_to, MAX_NUMBER),
    ];
    for (key, value, max) in bounded {
        if value.is_some_and(|value| value > max) {
            return Err(ContentError::Field(key));
        }
    }
    match content.mentions.len() {
        count if count > MAX_MENTIONS => Err(ContentError::TooManyMentions { count }),
        _ => Ok(()),
    }
}

fn write(map: Vec<(Value, Value)>) -> Result<Vec<u8>, ContentError> {
    let mut keyed = map
        .into_iter()
        .map(|(key, value)| Ok((item(&key)?, (key, value))))
        .collect::<Result<Vec<_>, ContentError>>()?;
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    if keyed.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
        return Err(ContentError::NotDeterministic);
    }
    let out = item(&Value::Map(keyed.into_iter().map(|(_, pair)| pair).collect()))?;
    match out.len() {
        len if len > MAX_CONTENT => Err(ContentError::TooLong { len }),
        _ => Ok(out),
    }
}

fn item(value: &Value) -> Result<Vec<u8>, ContentError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| ContentError::Malformed)?;
    Ok(out)
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

/// The map's pairs that were not taken yet.
struct Fields(Vec<(Value, Value)>);

impl Fields {
    fn take(&mut self, key: u8) -> Option<Value> {
        let key = Value::from(key);
        let at = self.0.iter().position(|(found, _)| *found == key)?;
        Some(self.0.remove(at).1)
    }

    fn required(&mut self, key: u8) -> Result<Value, ContentError> {
        self.take(key).ok_or(ContentError::Field(key))
    }

    fn number(&mut self, key: u8, max: u64) -> Result<u64, ContentError> {
        number(key, &self.required(key)?, max)
    }
}

pub(super) fn number(key: u8, value: &Value, max: u64) -> Result<u64, ContentError> {
    let found = value.as_integer().and_then(|integer| u64::try_from(integer).ok());
    found.filter(|found| *found <= max).ok_or(ContentError::Field(key))
}

pub(super) fn array<const N: usize>(key: u8, value: &Value) -> Result<[u8; N], ContentError> {
    let found = value.as_bytes().and_then(|bytes| bytes.as_slice().try_into().ok());
    found.ok_or(ContentError::Field(key))
}

fn mentions(value: Value) -> Result<Vec<MemberId>, ContentError> {
    let Value::Array(items) = value else { return Err(ContentError::Field(field::MENTIONS)) };
    if items.len() > MAX_MENTIONS {
        return Err(ContentError::TooManyMentions { count: items.len() });
    }
    items.iter().map(|item| array(field::MENTIONS, item).map(MemberId)).collect()
}

fn roster_head(value: Value) -> Result<(u32, Digest), ContentError> {
    let (number, hash) = pair(field::ROSTER_HEAD, &value, u32::MAX.into())?;
    let number = u32::try_from(number).map_err(|_| ContentError::Field(field::ROSTER_HEAD))?;
    Ok((number, Digest(hash)))
}

fn log_head(value: Value) -> Result<LogHead, ContentError> {
    let (seq, hash) = pair(field::LOG_HEAD, &value, MAX_NUMBER)?;
    Ok(LogHead { seq, hash })
}

fn pair<const N: usize>(key: u8, value: &Value, max: u64) -> Result<(u64, [u8; N]), ContentError> {
    match value.as_array().map(Vec::as_slice) {
        Some([first, second]) => Ok((number(key, first, max)?, array(key, second)?)),
        _ => Err(ContentError::Field(key)),
    }
}
