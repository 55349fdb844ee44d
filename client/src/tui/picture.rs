//! Pictures for the README: what the screen draws, as SVG. `client/pictures/draw.sh` makes them anew, and
//! the tests fail while a picture shows another screen than the one there is.

use std::fmt::Write as _;
use std::path::PathBuf;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// A cell, in pixels.
const WIDTH: usize = 8;
const HEIGHT: usize = 16;
/// Where letters stand in it.
const BASE: usize = 13;
const MARGIN: usize = 10;
const PAPER: &str = "#10141a";
const INK: &str = "#d7dde4";

/// The variable that has the pictures written instead of compared.
const WRITE: &str = "STAFFETTA_PICTURES";

/// Compares a screen with its picture, or writes the picture if [`WRITE`] is set.
pub(super) fn is_fresh(name: &str, title: &str, buffer: &Buffer) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pictures").join(name);
    let drawn = svg(title, buffer);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "{name} shows an older screen: run client/pictures/draw.sh");
}

/// A screen as SVG; `title` is read to who cannot see it.
fn svg(title: &str, buffer: &Buffer) -> String {
    let (columns, rows) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (width, height) = (columns * WIDTH + 2 * MARGIN, rows * HEIGHT + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" \
         font-size=\"13.5\" xml:space=\"preserve\" style=\"white-space:pre\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{PAPER}\"/>\n",
        escaped(title),
    );
    for (y, row) in buffer.content.chunks(columns).enumerate() {
        for (x, text, cell) in runs(row) {
            run(&mut out, MARGIN + x * WIDTH, MARGIN + y * HEIGHT, &text, cell);
        }
    }
    out + "</svg>\n"
}

/// Neighbours that look the same, with the column of the first.
fn runs(row: &[Cell]) -> Vec<(usize, String, &Cell)> {
    let mut runs: Vec<(usize, String, &Cell)> = Vec::new();
    let mut x = 0;
    while let Some(cell) = row.get(x) {
        match runs.last_mut() {
            Some((_, text, like)) if looks(like) == looks(cell) => text.push_str(cell.symbol()),
            _ => runs.push((x, cell.symbol().to_owned(), cell)),
        }
        x += cell.symbol().width().max(1);
    }
    runs
}

fn looks(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

fn run(out: &mut String, x: usize, y: usize, text: &str, cell: &Cell) {
    let (mut ink, mut paper) = (colour(cell.fg, INK), colour(cell.bg, PAPER));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut paper);
    }
    let wide = text.width() * WIDTH;
    if paper != PAPER {
        writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{HEIGHT}\" fill=\"{paper}\"/>"
        )
        .unwrap();
    }
    if text.trim().is_empty() {
        return;
    }
    let bold = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let dim = if cell.modifier.contains(Modifier::DIM) { " opacity=\"0.65\"" } else { "" };
    // The length keeps the columns, whatever font is there.
    writeln!(
        out,
        "<text x=\"{x}\" y=\"{}\" textLength=\"{wide}\" fill=\"{ink}\"{bold}{dim}>{}</text>",
        y + BASE,
        escaped(text),
    )
    .unwrap();
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The colour as a browser takes it.
fn colour(colour: Color, plain: &str) -> String {
    let named = match colour {
        Color::Reset => plain,
        Color::Black => "#0b0e12",
        Color::Red => "#e5656c",
        Color::Green => "#7fc98a",
        Color::Yellow => "#e6c068",
        Color::Blue => "#6fa8ec",
        Color::Magenta => "#c591e8",
        Color::Cyan => "#6fcbd3",
        Color::Gray => "#b6bfc9",
        Color::DarkGray => "#77818d",
        Color::LightRed => "#ff8b90",
        Color::LightGreen => "#a2e5ab",
        Color::LightYellow => "#ffdc8c",
        Color::LightBlue => "#9cc7ff",
        Color::LightMagenta => "#deb5fb",
        Color::LightCyan => "#9be8ee",
        Color::White => "#f4f7fa",
        Color::Rgb(red, green, blue) => return format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Indexed(index) => return indexed(index),
    };
    named.to_owned()
}

/// A colour of xterm's cube of 216, or of its 24 greys.
fn indexed(index: u8) -> String {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let [red, green, blue] = match index {
        16..=231 => {
            let cube = index - 16;
            [level(cube / 36), level(cube / 6 % 6), level(cube % 6)]
        }
        232.. => [8 + 10 * (index - 232); 3],
        _ => [0x80; 3],
    };
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[test]
fn a_picture_holds_the_text_in_its_columns() {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
    buffer.set_string(0, 0, "a<b & 李", Style::new());
    buffer.set_string(2, 1, "bold", Style::new().fg(Color::Green).add_modifier(Modifier::BOLD));
    let drawn = svg("two rows", &buffer);
    assert!(drawn.contains(">a&lt;b &amp; 李"), "{drawn}");
    assert!(drawn.contains(
        "x=\"26\" y=\"39\" textLength=\"32\" fill=\"#7fc98a\" font-weight=\"bold\">bold<"
    ));
    assert_eq!(indexed(196), "#ff0000");
    assert_eq!(indexed(244), "#808080");
}
