//! Stories of content.

use ciborium::Value;

use super::*;
use crate::random::OsRandom;

fn id() -> ContentId {
    ContentId::random(&mut OsRandom)
}

fn hello() -> Content {
    Content::text(id(), 3, 1_800_000_000, "salut à tous".to_owned()).unwrap()
}

fn encode(map: Vec<(Value, Value)>) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(&Value::Map(map), &mut out).unwrap();
    out
}

/// The pairs of a message, to be spoiled.
fn pairs() -> Vec<(Value, Value)> {
    let read: Value = ciborium::from_reader(hello().encode().unwrap().as_slice()).unwrap();
    read.into_map().unwrap()
}

fn with(key: u8, value: Value) -> Vec<u8> {
    let mut map = pairs();
    map.iter_mut().find(|(found, _)| *found == Value::from(key)).unwrap().1 = value;
    encode(map)
}

#[test]
fn a_message_comes_back_as_it_was_written() {
    let mut written = hello();
    written.in_reply_to = Some(id());
    written.expires = Some(1_800_600_000);
    written.mentions = vec![MemberId::random(&mut OsRandom), MemberId::random(&mut OsRandom)];
    written.roster_head = Some((12, Digest([4; 32])));
    written.log_head = Some(LogHead { seq: 99, hash: [5; 16] });
    assert_eq!(Content::decode(&written.encode().unwrap()).unwrap(), written);
}

#[test]
fn what_people_write_does_not_reach_a_log() {
    assert_eq!(format!("{:?}", hello()), "Content { kind: Kind(1), .. }");
}

#[test]
fn a_short_message_fits_one_cell_beside_mls() {
    let text = "x".repeat(300);
    let encoded = Content::text(id(), 1 << 20, 1_800_000_000, text).unwrap().encode().unwrap();
    assert!(encoded.len() < 300 + 60, "{} bytes", encoded.len());
}

#[test]
fn unknown_kinds_and_fields_are_kept_and_ignored() {
    let body = Value::Map(vec![
        (Value::from("emoji"), Value::from("🙂")),
        (Value::from(-3), Value::Array(vec![Value::Null, Value::from(2.5), Value::from(true)])),
        (Value::from(0), Value::Tag(1000, Box::new(Value::from("kept")))),
    ]);
    let mut map = pairs();
    for (key, value) in &mut map {
        if *key == Value::from(4) {
            *value = Value::from(200);
        }
        if *key == Value::from(5) {
            *value = body.clone();
        }
    }
    map.push((Value::from(23), Value::Bytes(vec![1, 2, 3])));
    map.push((Value::from("later"), Value::from("unknown")));
    let bytes = encode(map);
    let read = Content::decode(&bytes).unwrap();
    assert_eq!(read.kind, Kind::Unknown { code: 200, body });
    assert_eq!(read.unknown.len(), 2);
    assert_eq!(read.encode().unwrap(), bytes);
}

#[test]
fn texts_have_1_to_24000_bytes() {
    let text = |len| Content::text(id(), 1, 1, "x".repeat(len));
    assert_eq!(text(0).unwrap_err(), ContentError::Empty);
    assert_eq!(text(24_001).unwrap_err(), ContentError::TextTooLong { len: 24_001 });
    let longest = text(24_000).unwrap().encode().unwrap();
    assert!(Content::decode(&longest).is_ok());
    assert_eq!(Content::decode(&with(5, Value::from(""))), Err(ContentError::Empty));
    let over = Value::from("x".repeat(24_001));
    assert_eq!(Content::decode(&with(5, over)), Err(ContentError::TextTooLong { len: 24_001 }));
}

#[test]
fn only_one_form_of_a_message_is_accepted() {
    let mut trailing = hello().encode().unwrap();
    trailing.push(0);
    assert_eq!(Content::decode(&trailing), Err(ContentError::NotDeterministic));

    let mut turned = pairs();
    turned.reverse();
    assert_eq!(Content::decode(&encode(turned)), Err(ContentError::NotDeterministic));

    let mut twice = pairs();
    twice.push(twice[1].clone());
    assert_eq!(Content::decode(&encode(twice)), Err(ContentError::NotDeterministic));

    // An empty list is written by leaving it out.
    let mut empty = pairs();
    empty.push((Value::from(8), Value::Array(vec![])));
    assert_eq!(Content::decode(&encode(empty)), Err(ContentError::NotDeterministic));
}

#[test]
fn nothing_a_sender_claims_can_overflow_a_row() {
    let huge = || Value::from(u64::MAX);
    assert_eq!(Content::decode(&with(2, huge())), Err(ContentError::Field(2)));
    assert_eq!(Content::decode(&with(3, huge())), Err(ContentError::Field(3)));
    let mut map = pairs();
    map.push((Value::from(7), huge()));
    assert_eq!(Content::decode(&encode(map)), Err(ContentError::Field(7)));
    assert_eq!(Content::decode(&with(4, Value::from(256))), Err(ContentError::Field(4)));
    assert_eq!(Content::decode(&with(1, Value::Bytes(vec![0; 15]))), Err(ContentError::Field(1)));
    assert_eq!(Content::decode(&with(0, Value::from(2))), Err(ContentError::Version(2)));
}

#[test]
fn decoding_is_bounded() {
    let long = vec![0x80; MAX_CONTENT + 1];
    assert_eq!(Content::decode(&long), Err(ContentError::TooLong { len: MAX_CONTENT + 1 }));
    // Arrays of one array each, and an array that claims 2^32 items.
    assert_eq!(Content::decode(&[0x81; 20_000]), Err(ContentError::Malformed));
    assert_eq!(Content::decode(&[0x9A, 255, 255, 255, 255]), Err(ContentError::Malformed));
    assert_eq!(Content::decode(&[0x5A, 255, 255, 255, 255]), Err(ContentError::Malformed));
    let mut map = pairs();
    let member = Value::Bytes(vec![0; 16]);
    map.push((Value::from(8), Value::Array(vec![member; MAX_MENTIONS + 1])));
    assert_eq!(Content::decode(&encode(map)), Err(ContentError::TooManyMentions { count: 65 }));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_refused_or_come_back_the_same(bytes: Vec<u8>) {
        if let Ok(content) = Content::decode(&bytes) {
            assert_eq!(content.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn a_flipped_bit_never_panics(at in 0..40_usize, bit in 0..8_u8) {
        let mut bytes = hello().encode().unwrap();
        bytes[at] ^= 1 << bit;
        if let Ok(content) = Content::decode(&bytes) {
            assert_eq!(content.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn sanitising_twice_is_sanitising_once(text: String) {
        let block = sanitize_block(&text);
        assert_eq!(sanitize_block(&block), block);
        let line = sanitize_line(&text);
        assert_eq!(sanitize_line(&line), line);
        assert!(!line.chars().any(char::is_control));
        assert!(!block.chars().any(|found| found.is_control() && found != '\n' && found != '\t'));
    }

    #[test]
    fn sanitising_hostile_text_twice_is_sanitising_once(
        text in "[\u{0}-\u{9F}\u{300}-\u{310}\u{200B}-\u{200F}\u{2028}-\u{202E}\u{E0001}-\u{E0020}👩é]{0,40}"
    ) {
        let block = sanitize_block(&text);
        assert_eq!(sanitize_block(&block), block);
        let line = sanitize_line(&text);
        assert_eq!(sanitize_line(&line), line);
    }
}

#[test]
fn control_and_escape_characters_become_visible() {
    assert_eq!(sanitize_block("a\u{1b}[31mred\u{7}\0"), "a␛[31mred␇␀");
    assert_eq!(sanitize_block("\u{7f}\u{9b}31m"), "␡\u{FFFD}31m");
}

#[test]
fn a_line_has_no_line_ends_and_a_block_keeps_them() {
    assert_eq!(sanitize_line("Léa\nadmin\t1\r"), "Léa␊admin␉1␍");
    assert_eq!(sanitize_block("un\n\tdeux\r\ntrois\rquatre"), "un\n\tdeux\ntrois␍quatre");
    assert_eq!(sanitize_block("\u{2028}\u{2029}"), "\u{FFFD}\u{FFFD}");
}

#[test]
fn text_cannot_turn_its_direction() {
    assert_eq!(sanitize_line("photo\u{202E}gpj.exe"), "photo\u{FFFD}gpj.exe");
    assert_eq!(sanitize_block("\u{2066}a\u{2069}\u{61C}"), "\u{FFFD}a\u{FFFD}\u{FFFD}");
    assert_eq!(sanitize_line("שלום مرحبا"), "שלום مرحبا");
}

#[test]
fn nothing_hides_in_tags_selectors_or_zero_width() {
    assert_eq!(sanitize_line("a\u{E0041}\u{E0100}b"), "a\u{FFFD}\u{FFFD}b");
    assert_eq!(sanitize_line("Kar\u{200B}im"), "Kar\u{FFFD}im");
    assert_eq!(sanitize_line("Kar\u{200D}im"), "Kar\u{FFFD}im");
    assert_eq!(sanitize_line("\u{200D}"), "\u{FFFD}");
    assert_eq!(sanitize_line("é\u{200D}\u{200C}\u{200D}"), "é\u{200D}\u{FFFD}\u{200D}");
    assert_eq!(sanitize_line("\u{FEFF}\u{FDD0}\u{1FFFE}"), "\u{FFFD}\u{FFFD}\u{FFFD}");
}

#[test]
fn accents_do_not_pile_up_or_climb_out() {
    let pile = format!("z{}!", "\u{300}".repeat(50));
    assert_eq!(sanitize_line(&pile), format!("z{}\u{FFFD}!", "\u{300}".repeat(4)));
    assert_eq!(sanitize_line("\u{300}a"), "\u{FFFD}a");
    assert_eq!(sanitize_block("a\n\u{300}b"), "a\n\u{FFFD}b");
}

#[test]
fn ordinary_writing_of_many_scripts_passes_unchanged() {
    for text in [
        "Ça coûte 3 €, d'accord ?",
        "e\u{301}te\u{301}",
        "tiếng Việt",
        "क्षत्रिय",
        "می\u{200C}خواهم",
        "👩\u{200D}💻 ❤\u{FE0F} 1\u{FE0F}\u{20E3} 🇫🇷",
        "ที่นี่",
        "שָׁלוֹם",
        "漢字かな한국어",
    ] {
        assert_eq!(sanitize_line(text), text);
        assert_eq!(sanitize_block(text), text);
    }
}

fn about(kind: Kind, replaces: Option<ContentId>, reply: Option<ContentId>) -> Content {
    let mut content = Content::new(id(), 1, 1, kind);
    (content.replaces, content.in_reply_to) = (replaces, reply);
    content
}

fn file(name: &str, size: u64) -> Kind {
    Kind::File(FileRef {
        name: name.to_owned(),
        size,
        blob: crate::wire::ids::BlobId([1; 32]),
        key: std::sync::Arc::new(crate::secret::Secret::copy(&[2; 32]).unwrap()),
        hash: Digest([3; 32]),
    })
}

#[test]
fn every_kind_comes_back_as_it_was_written() {
    let target = Some(id());
    for content in [
        about(Kind::Edit("new".into()), target, None),
        about(Kind::Delete, target, None),
        about(Kind::Reaction("👩\u{200D}💻".into()), None, target),
        about(file("a.pdf", MAX_FILE), None, target),
    ] {
        let read = Content::decode(&content.encode().unwrap()).unwrap();
        assert!(read == content);
        assert_eq!(read.target().is_some(), content.kind.code() != Kind::FILE);
    }
}

#[test]
fn changes_name_their_target_and_others_have_none() {
    let target = Some(id());
    for content in [
        about(Kind::Edit("new".into()), None, target),
        about(Kind::Delete, None, None),
        about(Kind::Reaction("x".into()), target, None),
        about(Kind::Text("x".into()), target, None),
        about(Kind::Reaction("two words".into()), None, target),
        about(Kind::Reaction("x".repeat(65)), None, target),
        about(Kind::Reaction(String::new()), None, target),
        about(file("", 1), None, None),
        about(file("x", MAX_FILE + 1), None, None),
        about(file(&"x".repeat(256), 1), None, None),
    ] {
        assert!(content.encode().is_err(), "{content:?}");
    }
}

#[test]
fn padme_adds_an_eighth_at_most_and_keeps_few_lengths() {
    for size in [0, 1, 2, 9, 1_000, 1_025, 100_000, MAX_FILE - 1, MAX_FILE] {
        let whole = padded(size);
        assert!(whole >= size && whole <= size.max(1) + size / 8 && whole <= MAX_FILE, "{size}");
        assert_eq!(padded(whole), whole);
    }
    let lengths: std::collections::BTreeSet<_> = (0..1_000_000).map(padded).collect();
    assert!(lengths.len() < 400, "{}", lengths.len());
}

#[test]
fn a_safe_name_is_one_visible_component() {
    for (name, safe) in [
        ("a.pdf", "a.pdf"),
        ("../../.bashrc", "_.._.bashrc"),
        (".hidden", "hidden"),
        ("..", "file"),
        ("", "file"),
        ("gpj.\u{202E}exe", "gpj.\u{FFFD}exe"),
        ("two\nlines", "two␊lines"),
        ("C:\\x|y", "C__x_y"),
    ] {
        assert_eq!(safe_name(name), safe);
    }
    assert!(safe_name(&"é".repeat(300)).len() <= 200);
}
