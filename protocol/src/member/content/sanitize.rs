//! The one sanitiser between the wire and a screen, notification, window title, clipboard, file
//! name, log or bot.
//!
//! What it does not let through it replaces by something visible, one sign for one, so that
//! nobody is shown less than was sent without seeing it.

use unicode_normalization::char::is_combining_mark;

/// How many combining marks may stand on one base character.
pub const MAX_MARKS: usize = 4;

const REPLACEMENT: char = '\u{FFFD}';
const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// Cleans text that stands in one line: names, titles, labels. Line ends and tabs become visible
/// signs too.
pub fn sanitize_line(text: &str) -> String {
    sanitize(text, false)
}

/// Cleans text of several lines: messages. Line feeds and tabs stay, CR LF becomes a line feed,
/// a lone CR becomes visible (it would overwrite its line).
pub fn sanitize_block(text: &str) -> String {
    sanitize(text, true)
}

fn sanitize(text: &str, block: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // What the next mark or joiner would attach to; none at the start of a line.
    let mut before = None;
    let mut marks = 0;
    let mut input = text.chars().peekable();
    while let Some(found) = input.next() {
        let shown = match found {
            '\n' | '\t' if block => found,
            '\r' if block && input.peek() == Some(&'\n') => continue,
            ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER if joins(before) => found,
            _ => visible(found),
        };
        if is_combining_mark(shown) {
            marks += 1;
            if marks == MAX_MARKS + 1 {
                out.push(REPLACEMENT);
            }
            if marks > MAX_MARKS {
                continue;
            }
            if before.is_none() {
                // A mark without a base would climb onto whatever stands before the text.
                out.push(REPLACEMENT);
                before = Some(REPLACEMENT);
                marks = 0;
                continue;
            }
        } else {
            marks = 0;
        }
        out.push(shown);
        before = Some(shown).filter(|shown| !matches!(shown, '\n' | '\t'));
    }
    out
}

/// Joiners shape emoji and several scripts; behind ASCII or another joiner they only hide.
fn joins(before: Option<char>) -> bool {
    before.is_some_and(|before| {
        !before.is_ascii() && before != ZERO_WIDTH_JOINER && before != ZERO_WIDTH_NON_JOINER
    })
}

/// The character itself, or what stands for it visibly.
fn visible(found: char) -> char {
    match found {
        // The control pictures follow the order of the controls.
        '\0'..='\u{1F}' => char::from_u32(0x2400 + u32::from(found)).unwrap_or(REPLACEMENT),
        '\u{7F}' => '\u{2421}',
        '\u{80}'..='\u{9F}' => REPLACEMENT,
        _ if is_bidi(found) || is_invisible(found) || is_tag(found) => REPLACEMENT,
        _ if is_noncharacter(found) => REPLACEMENT,
        _ => found,
    }
}

/// Characters that turn the direction of what follows (Unicode Standard Annex #9).
fn is_bidi(found: char) -> bool {
    matches!(found, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2066}'..='\u{2069}')
}

/// Characters without ink or width, in which text can be hidden or told apart from its like.
fn is_invisible(found: char) -> bool {
    matches!(found, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}'
        | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{13430}'..='\u{1345F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}')
}

/// The tag block and what follows it, up to the supplementary variation selectors.
fn is_tag(found: char) -> bool {
    matches!(found, '\u{E0000}'..='\u{E0FFF}')
}

fn is_noncharacter(found: char) -> bool {
    matches!(found, '\u{FDD0}'..='\u{FDEF}') || u32::from(found) & 0xFFFE == 0xFFFE
}
