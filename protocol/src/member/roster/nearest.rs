//! The names or words somebody may have meant.

/// Suggestions of a hint.
const MAX_SUGGESTIONS: usize = 3;
/// Longest text that is compared, in characters: the distance is quadratic.
const MAX_COMPARED: usize = 64;

/// The candidates nearest to `typed`, best first: at most a third of its characters away, or two.
/// Both sides are compared as given, so fold them first.
pub(crate) fn nearest<T>(typed: &str, candidates: impl Iterator<Item = (String, T)>) -> Vec<T> {
    let typed: Vec<char> = typed.chars().take(MAX_COMPARED + 1).collect();
    if typed.len() > MAX_COMPARED {
        return Vec::new();
    }
    let limit = (typed.len() / 3).max(2);
    let mut found: Vec<(usize, T)> = candidates
        .filter(|(text, _)| text.chars().count().abs_diff(typed.len()) <= limit)
        .map(|(text, item)| (distance(&typed, &text), item))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    found.into_iter().take(MAX_SUGGESTIONS).map(|(_, item)| item).collect()
}

/// Levenshtein's distance.
fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=a.len()).collect();
    for (line, c) in b.chars().enumerate() {
        let (mut diagonal, mut left) = (line, line + 1);
        let mut next = vec![left];
        for (&above, &d) in row.iter().skip(1).zip(a) {
            let cost = diagonal + usize::from(c != d);
            left = cost.min(above + 1).min(left + 1);
            next.push(left);
            diagonal = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_strangers_not_at_all() {
        let names = ["lea", "leo", "karim", "general"];
        let hint = |typed| nearest(typed, names.iter().map(|&n| ((*n).to_owned(), n)));
        assert_eq!(hint("leaa"), ["lea", "leo"]);
        assert_eq!(hint("genral"), ["general"]);
        assert_eq!(hint("sofia"), [""; 0]);
        assert_eq!(hint(&"x".repeat(10_000)), [""; 0]);
    }

    #[test]
    fn the_distance_is_levenshteins() {
        for (a, b, expected) in [("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)] {
            assert_eq!(distance(&a.chars().collect::<Vec<_>>(), b), expected);
        }
    }
}
