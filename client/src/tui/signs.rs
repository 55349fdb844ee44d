//! The signs that the screen draws beside words, in Unicode or in ASCII alone.

/// One set of signs, each one column wide.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signs {
    pub(super) online: &'static str,
    pub(super) offline: &'static str,
    pub(super) verified: &'static str,
    pub(super) unverified: &'static str,
    pub(super) bot: &'static str,
    /// Where a text was cut.
    pub(super) cut: &'static str,
    pub(super) queued: &'static str,
    pub(super) stored: &'static str,
    pub(super) sent: &'static str,
    pub(super) seen: &'static str,
    pub(super) rule: &'static str,
    pub(super) quote: &'static str,
    pub(super) at: &'static str,
    /// Whether frames are drawn with lines.
    pub(super) lines: bool,
}

/// Signs of one column in every font for terminals.
pub(super) const UNICODE: Signs = Signs {
    online: "●",
    offline: "○",
    verified: "✓",
    unverified: "!",
    bot: "◇",
    cut: "…",
    queued: "…",
    stored: "↑",
    sent: "✓",
    seen: "✓✓",
    rule: "─",
    quote: "│",
    at: "›",
    lines: true,
};

/// Signs for `--ascii` and poor locales.
pub(super) const ASCII: Signs = Signs {
    online: "*",
    offline: "o",
    verified: "v",
    unverified: "!",
    bot: "*",
    cut: "~",
    queued: "..",
    stored: "^",
    sent: "v",
    seen: "vv",
    rule: "-",
    quote: "|",
    at: ">",
    lines: false,
};
