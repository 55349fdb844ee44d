//! The screen.

sentences! {
    screen:
    write_here;
    not_a_command;
    busy;
    quit_how;
    line_full;
    not_verified;
}

/// What the keys do, in the order in which they drop out when there is no room.
pub(crate) fn footer() -> [&'static str; 6] {
    match super::language() {
        super::Language::En => super::en::screen::footer(),
        super::Language::Fr => super::fr::screen::footer(),
    }
}
