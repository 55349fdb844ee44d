//! What a text may be.

use staffetta_tests::World;
use staffetta_tests::world::GENERAL;

/// The longest text in bytes.
const LONGEST: usize = 24_000;

/// A text of this many bytes in which no part looks like another.
fn long(bytes: usize) -> String {
    let mut text: String = (0..).map(|n| format!("line {n} of many\n")).take(bytes / 10).collect();
    text.truncate(bytes - 1);
    text.push('.');
    text
}

#[test]
fn long_texts_arrive_whole_and_what_cannot_be_sent_sends_nothing() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let karim = &world.founder;
    let head = || karim.call("status", serde_json::json!({}))["head"].clone();
    karim.ok(&["send", GENERAL, "first"]);
    lea.reads(GENERAL, "first");

    // 10 kB, and the longest there is, over standard input which loses one final newline.
    let (ten_kb, longest) = (long(10_000), long(LONGEST));
    for text in [&ten_kb, &longest] {
        assert_eq!(text.len() + 1, format!("{text}\n").len());
        let sent = karim.run_with_input(&["send", GENERAL, "-"], format!("{text}\n").as_bytes());
        assert_eq!(sent.code, 0, "{sent:?}");
        lea.reads(GENERAL, text);
    }

    // As people write it: any script, newlines, a leading dash; in both directions.
    let odd = ["- not a flag", "Où ça ? 👩‍👩‍👧 \u{5e9}\u{5dc}\u{5d5}\u{5dd}", "two\nlines", " ", "a\n"];
    for text in odd {
        let sent = lea.run_with_input(&["send", GENERAL, "-"], format!("{text}\n").as_bytes());
        assert_eq!(sent.code, 0, "{text:?}: {sent:?}");
        karim.reads(GENERAL, text);
    }
    assert_eq!(karim.run(&["send", GENERAL, "-- literally --"]).code, 0);
    lea.reads(GENERAL, "-- literally --");

    // What cannot be sent: said clearly, and nothing is sent or queued.
    let before = (head(), karim.texts(GENERAL));
    let too_long = "x".repeat(LONGEST + 1);
    let refused: [(&[u8], &str); 5] = [
        (too_long.as_bytes(), "24,000"),
        (b"", "empty"),
        (b"\n", "empty"),
        (&[0xff, 0xfe, b'a'], "UTF-8"),
        (&b"cut short \xe2\x82"[..], "UTF-8"),
    ];
    for (input, word) in refused {
        let done = karim.run_with_input(&["send", GENERAL, "-"], input);
        assert_eq!(done.code, 1, "{} bytes: {done:?}", input.len());
        let said = done.stderr.to_lowercase();
        let plain = said.replace(',', "");
        let word = word.to_lowercase();
        assert!(said.contains(&word) || plain.contains(&word.replace(',', "")), "{word}: {said}");
        assert!(done.stdout.is_empty(), "{done:?}");
    }
    assert_eq!(karim.run(&["send", GENERAL, ""]).code, 1);
    assert_eq!(karim.run(&["send", GENERAL, &too_long]).code, 1);
    assert_eq!((head(), karim.texts(GENERAL)), before);
    karim.has_sent_everything();
}

#[test]
fn what_came_over_the_wire_is_made_harmless_before_a_terminal_sees_it() {
    let world = World::usual();
    let lea = world.admit_unseen("Lea", "laptop", "member");
    let nasty = "\u{1b}[2Jgone \u{202e}evil\u{202c} \u{7}bell \u{e0041}tag \r overwritten";
    let sent = lea.run_with_input(&["send", GENERAL, "-"], nasty.as_bytes());
    assert_eq!(sent.code, 0, "{sent:?}");
    world.founder.has_sent_everything();
    for args in
        [&["read", GENERAL][..], &["read", GENERAL, "--json"], &["read", GENERAL, "--plain"]]
    {
        let shown = staffetta_tests::eventually("it arrives", || {
            let done = world.founder.run(args);
            assert_eq!(done.code, 0, "{done:?}");
            done.stdout.contains("overwritten").then_some(done.stdout)
        });
        for bad in ['\u{1b}', '\u{202e}', '\u{7}', '\u{e0041}', '\r'] {
            let escaped = format!("\\u{:04x}", u32::from(bad));
            assert!(!shown.contains(bad) && !shown.contains(&escaped), "{bad:?} in {shown:?}");
        }
    }
}
