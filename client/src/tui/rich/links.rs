//! Links in a text, and what is to be doubted about where they lead.

use std::ops::Range;

use unicode_security::confusable_detection::skeleton;

const SCHEMES: [&str; 2] = ["https://", "http://"];

/// Why the host of a link is not what it seems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Doubt {
    /// What stands before an `@` is no host; this one is.
    Elsewhere { host: String },
    /// Letters that are not of the Latin alphabet; the name as the network writes it.
    Foreign { host: String, punycode: String },
    /// As `Foreign`, and it looks like this name.
    Confusable { host: String, punycode: String, like: String },
    /// Written in punycode already.
    Punycode { host: String },
}

/// Where links stand in a text.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    // Lower case of ASCII keeps every byte where it is.
    let lower = text.to_ascii_lowercase();
    for scheme in SCHEMES {
        for (start, _) in lower.match_indices(scheme) {
            let rest = text.get(start..).unwrap_or_default();
            let stops = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ')' | ']');
            let length = rest.find(stops).unwrap_or(rest.len());
            let link = rest.get(..length).unwrap_or_default();
            let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
            if link.len() > scheme.len() {
                found.push(start..start + link.len());
            }
        }
    }
    found
}

/// What is to be doubted in the links of a text.
pub(in crate::tui) fn doubts(text: &str) -> Vec<Doubt> {
    let links = find(text).into_iter().filter_map(|range| text.get(range));
    links.filter_map(doubt).collect()
}

fn doubt(link: &str) -> Option<Doubt> {
    let (_, rest) = link.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let (user, host) = match authority.rsplit_once('@') {
        Some((_, host)) => (true, host),
        None => (false, authority),
    };
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).to_lowercase();
    if !host.is_ascii() {
        let ascii = |shown: char| match shown.is_ascii() {
            true => shown.to_string(),
            false => skeleton(shown.encode_utf8(&mut [0; 4])).collect(),
        };
        let like: String = host.chars().map(ascii).collect();
        let punycode = host.split('.').map(label).collect::<Vec<_>>().join(".");
        return Some(match like.is_ascii() {
            true => Doubt::Confusable { host, punycode, like },
            false => Doubt::Foreign { host, punycode },
        });
    }
    if host.split('.').any(|label| label.starts_with("xn--")) {
        return Some(Doubt::Punycode { host });
    }
    user.then_some(Doubt::Elsewhere { host })
}

fn label(label: &str) -> String {
    if label.is_ascii() { label.to_owned() } else { format!("xn--{}", punycode(label)) }
}

/// Punycode of one label (RFC 3492, sections 5 and 6.3).
fn punycode(label: &str) -> String {
    const BASE: u32 = 36;
    const T_MIN: u32 = 1;
    const T_MAX: u32 = 26;
    let points: Vec<u32> = label.chars().map(u32::from).collect();
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).unwrap_or(u32::MAX);
    let (mut n, mut delta, mut bias, mut done) = (128_u32, 0_u32, 72_u32, basic);
    if basic > 0 {
        out.push('-');
    }
    let digit = |value: u32| {
        let byte = if value < 26 { b'a' } else { b'0' - 26 };
        char::from(byte.saturating_add(u8::try_from(value).unwrap_or_default()))
    };
    while let Some(next) = points.iter().copied().filter(|point| *point >= n).min() {
        delta = delta.saturating_add((next - n).saturating_mul(done + 1));
        n = next;
        for &point in &points {
            if point < n {
                delta = delta.saturating_add(1);
            }
            if point != n {
                continue;
            }
            let (mut rest, mut k) = (delta, BASE);
            loop {
                let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
                if rest < t {
                    break;
                }
                out.push(digit(t + (rest - t) % (BASE - t)));
                rest = (rest - t) / (BASE - t);
                k += BASE;
            }
            out.push(digit(rest));
            let mut adapted = if done == basic { delta / 700 } else { delta / 2 };
            adapted += adapted / (done + 1);
            bias = 0;
            while adapted > (BASE - T_MIN) * T_MAX / 2 {
                adapted /= BASE - T_MIN;
                bias += BASE;
            }
            bias += (BASE - T_MIN + 1) * adapted / (adapted + 38);
            (delta, done) = (0, done + 1);
        }
        (delta, n) = (delta.saturating_add(1), n.saturating_add(1));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punycode_is_that_of_the_rfc() {
        assert_eq!(punycode("bücher"), "bcher-kva");
        assert_eq!(punycode("他们为什么不说中文"), "ihqwcrb4cv8a8dqg056pqjye");
        assert_eq!(punycode("münchen"), "mnchen-3ya");
    }

    #[test]
    fn a_link_shows_its_true_host_with_punycode_and_confusables_marked() {
        let one = |text: &str| doubts(text).pop();
        assert_eq!(one("see https://campagne.example/x."), None);
        assert_eq!(
            one("https://campagne.example@evil.example/x"),
            Some(Doubt::Elsewhere { host: "evil.example".into() })
        );
        assert_eq!(
            one("(http://xn--mnchen-3ya.example)"),
            Some(Doubt::Punycode { host: "xn--mnchen-3ya.example".into() })
        );
        // The first letter is Cyrillic.
        let Some(Doubt::Confusable { punycode, like, .. }) = one("https://сampagne.example")
        else {
            panic!("not confusable")
        };
        assert_eq!(like, "campagne.example");
        assert!(punycode.starts_with("xn--"), "{punycode}");
        assert!(matches!(one("https://例え.example"), Some(Doubt::Foreign { .. })));
    }

    #[test]
    fn links_end_where_people_mean_them_to() {
        let text = "a (https://x.example/y), HTTP://Z.example! http:// end";
        let found: Vec<&str> = find(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["https://x.example/y", "HTTP://Z.example"]);
    }
}
