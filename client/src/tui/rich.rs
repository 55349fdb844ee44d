//! What a message's text looks like: the inline marks of Markdown, and links with the host they
//! really lead to. Nothing is hidden but the marks themselves, and nothing is fetched or opened.

mod links;

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::rows::{Ink, Piece};
pub(super) use links::{Doubt, doubts};

const BOLD: u8 = 1;
const ITALIC: u8 = 2;
const STRUCK: u8 = 4;
const CODE: u8 = 8;
const HIDDEN: u8 = 16;
const LINK: u8 = 32;
const MARK: u8 = 64;

/// The pieces of a text that passed the sanitiser; `mentions` are names to be marked behind `@`.
pub(super) fn pieces(text: &str, mentions: &[String]) -> Vec<Piece> {
    let mut marks = vec![0_u8; text.len()];
    let mut mark = |from: usize, to: usize, with: u8| {
        for flags in marks.iter_mut().take(to).skip(from) {
            *flags |= with;
        }
    };
    for (event, range) in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
        let source = text.get(range.clone()).unwrap_or_default();
        let run = |of: char| source.chars().take_while(|found| *found == of).count();
        let (with, ends) = match event {
            Event::Start(Tag::Emphasis) => (ITALIC, 1),
            Event::Start(Tag::Strong) => (BOLD, 2),
            Event::Start(Tag::Strikethrough) => (STRUCK, run('~')),
            Event::Code(_) => (CODE, run('`')),
            _ => continue,
        };
        mark(range.start, range.end, with);
        mark(range.start, range.start + ends, HIDDEN);
        mark(range.end.saturating_sub(ends), range.end, HIDDEN);
    }
    for link in links::find(text) {
        mark(link.start, link.end, LINK);
    }
    for name in mentions {
        let wanted = format!("@{name}");
        for (at, found) in text.match_indices(&wanted) {
            mark(at, at + found.len(), MARK);
        }
    }
    let mut out: Vec<Piece> = Vec::new();
    let mut before = None;
    for (at, found) in text.char_indices() {
        let flags = marks.get(at).copied().unwrap_or_default();
        // A link is shown as it is, whatever marks stand in it.
        if flags & HIDDEN > 0 && flags & LINK == 0 {
            continue;
        }
        let looks = flags & !HIDDEN;
        if before != Some(looks) {
            out.push(piece(looks));
            before = Some(looks);
        }
        if let Some(last) = out.last_mut() {
            last.text.push(found);
        }
    }
    out
}

fn piece(flags: u8) -> Piece {
    let is = |flag: u8| flags & flag > 0;
    let ink = match () {
        () if is(LINK) => Ink::Link,
        () if is(MARK) => Ink::Mark,
        () if is(CODE) => Ink::Code,
        () => Ink::Plain,
    };
    Piece { text: String::new(), ink, bold: is(BOLD), italic: is(ITALIC), struck: is(STRUCK) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        pieces(text, &[]).into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn the_inline_marks_become_weight_and_are_gone() {
        let found = pieces("a **b** *c* ~~d~~ `e*f*`", &[]);
        assert_eq!(shown("a **b** *c* ~~d~~ `e*f*`"), "a b c d e*f*");
        let of = |text: &str| found.iter().find(|piece| piece.text == text).unwrap();
        assert!(of("b").bold && of("c").italic && of("d").struck);
        assert_eq!(of("e*f*").ink, Ink::Code);
    }

    #[test]
    fn everything_else_stays_as_it_was_written() {
        for text in [
            "# no heading",
            "- a\n- b",
            "1. x",
            "> quoted",
            "    indented",
            "---",
            "<b>x</b>",
            "[a](https://b.example)",
            "2 * 3 * 4",
            "snake_case_name",
            "a\n\n\nb  \n",
            "\\*x",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn a_mention_is_marked_and_a_link_keeps_its_letters() {
        let found = pieces("@Lea see https://x.example/a_b_c_*d*", &["Lea".into()]);
        assert_eq!((found[0].ink, found[0].text.as_str()), (Ink::Mark, "@Lea"));
        let link: String =
            found.iter().filter(|it| it.ink == Ink::Link).map(|it| it.text.as_str()).collect();
        assert_eq!(link, "https://x.example/a_b_c_*d*");
    }
}
