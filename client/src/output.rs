//! What is printed: text for people, JSON lines for scripts, notes on standard error. Everything
//! that came over the wire passes [`clean_line`] or [`clean_block`] here.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::api::{sanitize_block, sanitize_line};
use crate::commands::{Color, Global};
use crate::errors::Failure;
use crate::text;

/// One line of a text from the wire, made harmless for a terminal.
pub(crate) fn clean_line(text: &str) -> String {
    sanitize_line(text)
}

/// A text of several lines from the wire, made harmless for a terminal.
pub(crate) fn clean_block(text: &str) -> String {
    sanitize_block(text)
}

/// The text of `field`, on one line and harmless; empty if there is none.
pub(crate) fn line_of(object: &Value, field: &str) -> String {
    object.get(field).and_then(Value::as_str).map(clean_line).unwrap_or_default()
}

/// As [`line_of`], a word of the local API in the language that is spoken.
pub(crate) fn word_of(object: &Value, field: &str) -> String {
    text::words::word(&line_of(object, field)).to_owned()
}

/// Whether `field` is true.
pub(crate) fn is_set(object: &Value, field: &str) -> bool {
    object.get(field).and_then(Value::as_bool).unwrap_or_default()
}

/// Cleans every text of `value`; only a message's own text may keep its lines.
fn clean(value: Value, block: bool) -> Value {
    match value {
        Value::String(text) if block => Value::String(clean_block(&text)),
        Value::String(text) => Value::String(clean_line(&text)),
        Value::Array(items) => items.into_iter().map(|item| clean(item, false)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, field)| {
                let block = name == "text";
                (clean_line(&name), clean(field, block))
            })
            .collect(),
        other => other,
    }
}

/// A colour or weight of the terminal.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    Dim,
    Bold,
    Good,
    Bad,
    /// Black on white, for QR codes.
    Paper,
}

/// How to print.
#[derive(Clone, Copy, Default)]
pub(crate) struct Style {
    pub(crate) json: bool,
    pub(crate) plain: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) colour: bool,
}

impl Style {
    /// The style that the flags, the terminal and NO_COLOR ask for.
    pub(crate) fn choose(global: &Global) -> Self {
        let wanted = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                io::stdout().is_terminal() && !forbidden
            }
        };
        Self {
            json: global.json,
            plain: global.plain,
            quiet: global.quiet,
            verbose: global.verbose,
            colour: wanted && !global.plain,
        }
    }

    /// `text` in `paint`, or as it is.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            _ if !self.colour => return text.to_owned(),
            Paint::Dim => "2",
            Paint::Bold => "1",
            Paint::Good => "32",
            Paint::Bad => "31",
            Paint::Paper => "38;5;231;48;5;16",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Where results and notes go.
pub(crate) struct Out {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    pub(crate) style: Style,
}

impl Out {
    /// The process's own output.
    pub(crate) fn process(style: Style) -> Self {
        Self::new(Box::new(io::stdout()), Box::new(io::stderr()), style)
    }

    /// Output to anywhere.
    pub(crate) fn new(stdout: Box<dyn Write>, stderr: Box<dyn Write>, style: Style) -> Self {
        Self { stdout, stderr, style }
    }

    /// A result in JSON: one object on one line, at once.
    pub(crate) fn json(&mut self, value: Value) -> Result<(), Failure> {
        writeln!(self.stdout, "{}", clean(value, false))?;
        Ok(self.stdout.flush()?)
    }

    /// A result for people, whose texts are clean already.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.stdout, "{text}")?;
        Ok(self.stdout.flush()?)
    }

    /// A confirmation for people: not in JSON and not when quiet.
    pub(crate) fn done(&mut self, text: &str) -> Result<(), Failure> {
        if self.style.json || self.style.quiet {
            return Ok(());
        }
        self.line(text)
    }

    /// Something to know beside the result, on standard error.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.style.quiet {
            self.warn(text);
        }
    }

    /// Something that must be said, on standard error. That nobody listens there is no failure.
    pub(crate) fn warn(&mut self, text: &str) {
        let _ = writeln!(self.stderr, "{text}").and_then(|()| self.stderr.flush());
    }

    /// Why the command failed, on standard error.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        for line in failure.lines() {
            self.warn(&clean_line(&line));
        }
    }

    /// Rows in columns as wide as their widest cell; cells are clean already.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) -> Result<(), Failure> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in rows {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            self.line(line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use serde_json::json;

    use super::*;

    /// A writer whose bytes can be looked at afterwards.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(Rc<RefCell<Vec<u8>>>);

    impl Captured {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Output that is kept: the writer, standard output, standard error.
    pub(crate) fn captured(style: Style) -> (Out, Captured, Captured) {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let out = Out::new(Box::new(stdout.clone()), Box::new(stderr.clone()), style);
        (out, stdout, stderr)
    }

    #[test]
    fn everything_from_the_wire_passes_the_sanitiser() {
        let (mut out, stdout, stderr) = captured(Style { json: true, ..Style::default() });
        let evil = "a\u{1b}[2Jb\nc";
        out.json(json!({"text": evil, "from": evil, "mentions": [evil], "x": {"y": evil}}))
            .unwrap();
        out.failure(&Failure::refused(evil, evil));
        let printed = stdout.text() + &stderr.text();
        assert!(!printed.contains('\u{1b}') && !printed.contains("\\u001b"));
        assert_eq!(stdout.text().lines().count(), 1);
        let back: Value = serde_json::from_str(&stdout.text()).unwrap();
        assert!(back["text"].as_str().unwrap().contains('\n'));
        assert!(!back["from"].as_str().unwrap().contains('\n'));
        assert_eq!(stderr.text().lines().count(), 2);
    }

    #[test]
    fn colour_is_off_unless_asked_for() {
        assert_eq!(Style::default().paint(Paint::Bad, "x"), "x");
        let colour = Style { colour: true, ..Style::default() };
        assert_eq!(colour.paint(Paint::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }

    #[test]
    fn confirmations_stay_out_of_json_and_quiet_output() {
        for style in
            [Style { json: true, ..Style::default() }, Style { quiet: true, ..Style::default() }]
        {
            let (mut out, stdout, _) = captured(style);
            out.done("done").unwrap();
            assert_eq!(stdout.text(), "");
        }
    }

    #[test]
    fn tables_are_aligned_without_trailing_blanks() {
        let (mut out, stdout, _) = captured(Style::default());
        out.table(&[vec!["a".into(), "b".into()], vec!["ccc".into(), "d".into()]]).unwrap();
        assert_eq!(stdout.text(), "a    b\nccc  d\n");
    }
}
