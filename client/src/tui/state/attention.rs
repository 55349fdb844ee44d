//! Calling somebody who looks elsewhere: by the bell, and on the desktop if the program was built to.

use super::super::untrusted::Untrusted;
use super::{Effect, State};

/// The most characters of a message that a notification shows.
const MOST_SHOWN: usize = 120;

/// Whether the desktop is told, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::tui) enum Tells {
    Nothing,
    /// That there is a message.
    #[default]
    Hidden,
    /// What it says as well: whoever sees the desktop reads it.
    Shown,
}

impl Tells {
    const ALL: [(Self, &str); 3] =
        [(Self::Nothing, "off"), (Self::Hidden, "hidden"), (Self::Shown, "shown")];

    /// As it is kept.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(tells, _)| *tells == self).map_or("", |(_, name)| *name)
    }

    /// What was kept; what is unknown hides.
    pub(super) fn named(name: &str) -> Self {
        let known = Self::ALL.iter().find(|(_, known)| *known == name);
        known.map(|(tells, _)| *tells).unwrap_or_default()
    }

    pub(super) fn next(self) -> Self {
        match self {
            Self::Nothing => Self::Hidden,
            Self::Hidden => Self::Shown,
            Self::Shown => Self::Nothing,
        }
    }
}

impl State {
    /// Calls for something other than a message.
    pub(super) fn call_person(&self) -> Vec<Effect> {
        self.call_with(self.words().needs_you.into())
    }

    /// Calls for a message. **Notifications say that there is a message, unless told otherwise.**
    pub(super) fn call_for(&self, from: &Untrusted, words: &Untrusted) -> Vec<Effect> {
        self.call_with(match self.tells {
            Tells::Shown => {
                let said = format!("{}: {}", from.line(), words.line());
                said.chars().take(MOST_SHOWN).collect()
            }
            Tells::Nothing | Tells::Hidden => self.words().new_message.into(),
        })
    }

    fn call_with(&self, said: String) -> Vec<Effect> {
        let told = self.setup.notifies && self.tells != Tells::Nothing;
        std::iter::once(Effect::Bell).chain(told.then_some(Effect::Notify(said))).collect()
    }

    /// The window is looked at, or no longer; terminals that do not say so are always looked at.
    pub(super) fn on_focus(&mut self, here: bool) -> Vec<Effect> {
        self.away = !here;
        if here { self.mark() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::world::{World, message, setup};
    use super::super::{Event, Setup};
    use super::*;
    use crate::text::screen::EN;
    use crate::tui::geometry::Size;
    use crate::tui::key::Code;

    fn world(notifies: bool) -> World {
        let mut world = World::with(Setup { notifies, ..setup(&EN, Size::default()) });
        world.settle();
        world
    }

    fn mention(id: &str, room: &str) -> serde_json::Value {
        let mut said = message(id, room, 7, "The hall\u{1b}]0;x\u{7} is confirmed", false);
        said["mentions"] = json!(["Lea"]);
        said
    }

    fn calls(effects: Vec<Effect>) -> Vec<Effect> {
        let is_call = |effect: &Effect| matches!(effect, Effect::Bell | Effect::Notify(_));
        effects.into_iter().filter(is_call).collect()
    }

    fn told(world: &mut World, id: &str) -> Option<String> {
        let effects = calls(world.hears(mention(id, "press")));
        effects.into_iter().find_map(|effect| match effect {
            Effect::Notify(said) => Some(said),
            _ => None,
        })
    }

    #[test]
    fn notifications_say_that_there_is_a_message_unless_told_otherwise() {
        let mut world = world(true);
        assert_eq!(told(&mut world, "a").as_deref(), Some("New message"));
        // The third setting, twice further: with the words, then off.
        world.does("/settings");
        (0..3).for_each(|_| drop(world.press(Code::Down)));
        world.press(Code::Enter);
        let said = told(&mut world, "b").unwrap();
        assert!(said.starts_with("Karim: The hall") && said.ends_with("is confirmed"), "{said}");
        assert!(!said.contains(['\u{1b}', '\u{7}']), "{said:?}");
        world.press(Code::Enter);
        assert_eq!(told(&mut world, "c"), None);
        assert_eq!(Tells::named("something new"), Tells::Hidden);
    }

    #[test]
    fn a_program_that_was_not_built_for_it_rings_the_bell_alone() {
        let mut world = world(false);
        assert_eq!(calls(world.hears(mention("a", "press"))), [Effect::Bell]);
        assert_eq!(calls(world.hears(json!({"type": "asking", "name": "Nora"}))), [Effect::Bell]);
        world.does("/settings");
        assert!(!format!("{:?}", world.state.panel).contains(EN.notify_setting));
    }

    #[test]
    fn who_looks_elsewhere_is_called_to_the_open_room_and_has_read_nothing() {
        let mut world = world(false);
        assert!(calls(world.hears(mention("a", "general"))).is_empty());
        assert!(world.happens(Event::Focus(false)).is_empty());
        assert_eq!(world.hears(mention("b", "general")), [Effect::Bell]);
        assert_eq!(world.state.entry("id-general").unwrap().unread, 1);
        let effects = world.happens(Event::Focus(true));
        assert!(matches!(effects.as_slice(), [Effect::Call { method: "mark_read", .. }]));
        assert_eq!(world.state.entry("id-general").unwrap().unread, 0);
    }
}
