//! QR codes from half blocks, small enough for a screen of 80 by 24.

use qrcode::{Color, EcLevel, QrCode};

/// The most rows a code may take; what is printed around it fits the rest of 24.
const MAX_ROWS: usize = 19;

/// `text` as rows of half blocks, light on dark, or `None` if it would not fit.
///
/// The text is put in capitals, which halves the code: the only texts shown this way are invite
/// codes, whose case does not matter.
pub(crate) fn rows(text: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text.to_uppercase(), EcLevel::L).ok()?;
    let width = code.width();
    let modules = code.to_colors();
    [4, 2, 1].iter().find_map(|&quiet| {
        let side = width + 2 * quiet;
        if side.div_ceil(2) > MAX_ROWS {
            return None;
        }
        let light = |x: usize, y: usize| {
            let inside = x.checked_sub(quiet).zip(y.checked_sub(quiet));
            match inside.filter(|&(x, y)| x < width && y < width) {
                Some((x, y)) => modules.get(y * width + x) == Some(&Color::Light),
                // Below the last row of an odd number there is nothing to light.
                None => y < side,
            }
        };
        let row = |y: usize| {
            (0..side)
                .map(|x| match (light(x, y), light(x, y + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                })
                .collect()
        };
        Some((0..side).step_by(2).map(row).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_fits_the_screen() {
        let code = "relay.campagne.fr:7443/K7QX4-M2P9T-RBW3H-N6CFD-8VYZA-E2J5M";
        let rows = rows(code).unwrap();
        assert!(rows.len() <= MAX_ROWS);
        let width = rows[0].chars().count();
        assert!(width <= 80);
        assert!(rows.iter().all(|row| row.chars().count() == width));
    }

    #[test]
    fn the_finder_patterns_are_where_they_belong() {
        let rows = rows("A").unwrap();
        // 21 modules, 4 of quiet zone: the first pattern starts at column 4 of row 2.
        let row: Vec<char> = rows[2].chars().collect();
        assert_eq!(row[..4], ['█'; 4]);
        assert_eq!(row[4], ' ');
        assert_eq!(row[5], '▄');
        assert_eq!(rows.len(), 15);
    }

    #[test]
    fn what_would_not_fit_is_not_drawn() {
        assert!(rows(&"x".repeat(400)).is_none());
    }
}
