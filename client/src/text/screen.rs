//! Every word on the screen. It is a table that is handed to it, so that one process can draw in
//! all languages; one that lacks a word does not compile.

use jiff::civil::Date;

use crate::tui::slash::Verb;

/// What can be helped with, and with which keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Room,
    Select,
    List,
    Question,
    Page,
}

/// A key and what it does.
pub(crate) type Keys = &'static [(&'static str, &'static str)];

/// The words of a language.
pub(crate) struct Words {
    pub(crate) online: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) trust: fn(usize, usize) -> String,
    pub(crate) rooms: &'static str,
    pub(crate) people: &'static str,
    pub(crate) bots: &'static str,
    pub(crate) mute: &'static str,
    pub(crate) people_in: fn(u64) -> String,
    pub(crate) bots_in: fn(&str) -> String,
    pub(crate) vanish: fn(u64) -> String,
    pub(crate) frozen: &'static str,
    pub(crate) write_to: fn(&str) -> String,
    pub(crate) replying: fn(&str) -> String,
    pub(crate) editing: &'static str,
    pub(crate) alarm: fn(&str) -> String,
    pub(crate) missing: fn(u64, &str, &str) -> String,
    pub(crate) more_banners: fn(usize) -> String,
    pub(crate) below: &'static str,
    pub(crate) you: &'static str,
    pub(crate) nobody_wrote: &'static str,
    pub(crate) earlier: &'static str,
    pub(crate) edited: &'static str,
    pub(crate) queued: &'static str,
    pub(crate) stored: &'static str,
    pub(crate) sent: &'static str,
    pub(crate) read_by: fn(usize) -> String,
    pub(crate) not_verified: fn(&str) -> String,
    pub(crate) new_messages: fn(usize) -> String,
    pub(crate) day: fn(Date) -> String,
    pub(crate) file: fn(&str, u64, Option<u64>) -> String,
    pub(crate) progress: fn(&str, u64, bool) -> String,
    pub(crate) link_elsewhere: fn(&str) -> String,
    pub(crate) link_punycode: fn(&str) -> String,
    pub(crate) link_foreign: fn(&str, &str) -> String,
    pub(crate) link_confusable: fn(&str, &str, &str) -> String,
    pub(crate) no_command: fn(Option<&str>) -> String,
    pub(crate) usage: fn(&str) -> String,
    pub(crate) quit_how: &'static str,
    pub(crate) line_full: &'static str,
    pub(crate) nothing_unread: &'static str,
    pub(crate) no_message: &'static str,
    pub(crate) no_file: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) working: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) mouse: fn(bool) -> String,
    pub(crate) muted: fn(bool) -> String,
    pub(crate) no_colour: &'static str,
    pub(crate) asks: fn(&str) -> String,
    pub(crate) came_or_went: fn(&str, &str, bool) -> String,
    pub(crate) was_revoked: fn(&str) -> String,
    pub(crate) has_role: fn(&str, &str, &str) -> String,
    pub(crate) paste: &'static str,
    pub(crate) paste_lines: fn(usize) -> String,
    pub(crate) is_invitation: &'static str,
    pub(crate) send_invitation: &'static str,
    pub(crate) yes_no: &'static str,
    pub(crate) yes_key: &'static str,
    pub(crate) go_to: &'static str,
    pub(crate) search: &'static str,
    pub(crate) nothing_found: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) members: &'static str,
    pub(crate) devices: &'static str,
    pub(crate) this_device: &'static str,
    pub(crate) link_device: &'static str,
    pub(crate) revoke_key: &'static str,
    pub(crate) invites: &'static str,
    pub(crate) approve_key: &'static str,
    pub(crate) asks_to_come_in: fn(&str) -> String,
    pub(crate) approve: fn(&str) -> String,
    pub(crate) approve_how: fn(&str) -> String,
    pub(crate) approved: fn(&str) -> String,
    pub(crate) invitation: &'static str,
    pub(crate) invite_how: fn(&str) -> String,
    pub(crate) safety_words: &'static str,
    pub(crate) own_words: fn(&str) -> String,
    pub(crate) team_number: fn(&str) -> String,
    pub(crate) verify: fn(&str) -> String,
    pub(crate) verify_how: fn(&str) -> String,
    pub(crate) verified: fn(&str) -> String,
    pub(crate) is_verified: &'static str,
    pub(crate) is_not_verified: &'static str,
    pub(crate) is_bot: &'static str,
    pub(crate) is_admin: &'static str,
    pub(crate) revoke: &'static str,
    pub(crate) revoke_member: fn(&str) -> String,
    pub(crate) revoke_device: fn(&str) -> String,
    pub(crate) revoked: fn(&str) -> String,
    pub(crate) device_revoked: &'static str,
    pub(crate) nobody: fn(&str) -> String,
    pub(crate) room_made: fn(&str) -> String,
    pub(crate) added: fn(&str) -> String,
    pub(crate) removed: fn(&str) -> String,
    pub(crate) changed: &'static str,
    pub(crate) expire_how: &'static str,
    pub(crate) leave: &'static str,
    pub(crate) leave_room: &'static str,
    pub(crate) left: &'static str,
    pub(crate) react: &'static str,
    pub(crate) which_emoji: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) delete_for_all: &'static str,
    pub(crate) save: &'static str,
    pub(crate) save_where: fn(&str) -> String,
    pub(crate) saved: fn(&str) -> String,
    pub(crate) file_sent: fn(&str) -> String,
    pub(crate) wipe: &'static str,
    pub(crate) wipe_how: fn(&str) -> String,
    pub(crate) wipe_word: &'static str,
    pub(crate) not_wiped: &'static str,
    pub(crate) settings: &'static str,
    pub(crate) theme: &'static str,
    pub(crate) mouse_setting: &'static str,
    pub(crate) bell_setting: &'static str,
    pub(crate) notify_setting: &'static str,
    pub(crate) notify_hidden: &'static str,
    pub(crate) notify_shown: &'static str,
    pub(crate) new_message: &'static str,
    pub(crate) needs_you: &'static str,
    pub(crate) on: &'static str,
    pub(crate) off: &'static str,
    pub(crate) locked: &'static str,
    pub(crate) passphrase: &'static str,
    pub(crate) unlocking: &'static str,
    pub(crate) blank: &'static str,
    pub(crate) help: &'static str,
    pub(crate) commands: &'static str,
    pub(crate) pick: &'static str,
    pub(crate) unread_in: fn(&str, u64) -> String,
    /// What stands behind a command's name, and what it does.
    pub(crate) command: fn(Verb) -> (&'static str, &'static str),
    /// The keys of a place, the most wanted first.
    pub(crate) keys: fn(Place) -> Keys,
    /// Names of emoji, without accents.
    pub(crate) emoji: Keys,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.online)
    }
}

/// The words of the language that is spoken.
pub(crate) fn words() -> &'static Words {
    match super::language() {
        super::Language::En => &super::en::screen::EN,
        super::Language::Fr => &super::fr::screen::FR,
    }
}

#[cfg(test)]
pub(crate) use super::{en::screen::EN, fr::screen::FR};
