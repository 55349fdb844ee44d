//! The screen.

say! {
    write_here => "Write to";
    not_a_command => "Nothing was sent. Only /quit works here; //x sends /x.";
    busy => "Too much is waiting. Nothing was sent; try again.";
    quit_how => "^Q quits.";
    line_full => "A message has 24,000 bytes at most.";
    not_verified => "not verified";
}

pub(in crate::text) fn footer() -> [&'static str; 6] {
    [
        "^Q quit",
        "Enter sends",
        "Up/Down room",
        "^N unread",
        "PgUp/PgDn scroll",
        "Alt-Enter new line",
    ]
}
