//! Every word on the screen, in one place per language. A table that lacks one does not compile.

mod en;
mod fr;

use jiff::civil::Date;

use super::slash::Verb;

pub(super) use en::EN;
pub(super) use fr::FR;

/// What can be helped with, and with which keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Room,
    Select,
    List,
    Question,
    Page,
}

/// A key and what it does.
pub(super) type Keys = &'static [(&'static str, &'static str)];

/// The words of a language.
pub(super) struct Words {
    pub(super) online: &'static str,
    pub(super) offline: &'static str,
    pub(super) refused: &'static str,
    pub(super) trust: fn(usize, usize) -> String,
    pub(super) rooms: &'static str,
    pub(super) people: &'static str,
    pub(super) bots: &'static str,
    pub(super) mute: &'static str,
    pub(super) people_in: fn(u64) -> String,
    pub(super) bots_in: fn(&str) -> String,
    pub(super) vanish: fn(u64) -> String,
    pub(super) frozen: &'static str,
    pub(super) write_to: fn(&str) -> String,
    pub(super) replying: fn(&str) -> String,
    pub(super) editing: &'static str,
    pub(super) alarm: fn(&str) -> String,
    pub(super) missing: fn(u64, &str, &str) -> String,
    pub(super) more_banners: fn(usize) -> String,
    pub(super) below: &'static str,
    pub(super) you: &'static str,
    pub(super) earlier: &'static str,
    pub(super) edited: &'static str,
    pub(super) queued: &'static str,
    pub(super) stored: &'static str,
    pub(super) sent: &'static str,
    pub(super) read_by: fn(usize) -> String,
    pub(super) not_verified: fn(&str) -> String,
    pub(super) new_messages: fn(usize) -> String,
    pub(super) day: fn(Date) -> String,
    pub(super) file: fn(&str, u64, Option<u64>) -> String,
    pub(super) progress: fn(&str, u64, bool) -> String,
    pub(super) link_elsewhere: fn(&str) -> String,
    pub(super) link_punycode: fn(&str) -> String,
    pub(super) link_foreign: fn(&str, &str) -> String,
    pub(super) link_confusable: fn(&str, &str, &str) -> String,
    pub(super) no_command: fn(Option<&str>) -> String,
    pub(super) usage: fn(&str) -> String,
    pub(super) quit_how: &'static str,
    pub(super) line_full: &'static str,
    pub(super) nothing_unread: &'static str,
    pub(super) no_message: &'static str,
    pub(super) no_file: &'static str,
    pub(super) copied: &'static str,
    pub(super) working: &'static str,
    pub(super) busy: &'static str,
    pub(super) mouse: fn(bool) -> String,
    pub(super) muted: fn(bool) -> String,
    pub(super) no_colour: &'static str,
    pub(super) asks: fn(&str) -> String,
    pub(super) came_or_went: fn(&str, &str, bool) -> String,
    pub(super) was_revoked: fn(&str) -> String,
    pub(super) has_role: fn(&str, &str, &str) -> String,
    pub(super) paste: &'static str,
    pub(super) paste_lines: fn(usize) -> String,
    pub(super) is_invitation: &'static str,
    pub(super) send_invitation: &'static str,
    pub(super) yes_no: &'static str,
    pub(super) yes_key: &'static str,
    pub(super) go_to: &'static str,
    pub(super) search: &'static str,
    pub(super) nothing_found: &'static str,
    pub(super) waiting: &'static str,
    pub(super) members: &'static str,
    pub(super) devices: &'static str,
    pub(super) this_device: &'static str,
    pub(super) link_device: &'static str,
    pub(super) revoke_key: &'static str,
    pub(super) invites: &'static str,
    pub(super) approve_key: &'static str,
    pub(super) asks_to_come_in: fn(&str) -> String,
    pub(super) approve: fn(&str) -> String,
    pub(super) approve_how: fn(&str) -> String,
    pub(super) approved: fn(&str) -> String,
    pub(super) invitation: &'static str,
    pub(super) invite_how: fn(&str) -> String,
    pub(super) safety_words: &'static str,
    pub(super) own_words: fn(&str) -> String,
    pub(super) team_number: fn(&str) -> String,
    pub(super) verify: fn(&str) -> String,
    pub(super) verify_how: fn(&str) -> String,
    pub(super) verified: fn(&str) -> String,
    pub(super) is_verified: &'static str,
    pub(super) is_not_verified: &'static str,
    pub(super) is_bot: &'static str,
    pub(super) is_admin: &'static str,
    pub(super) revoke: &'static str,
    pub(super) revoke_member: fn(&str) -> String,
    pub(super) revoke_device: fn(&str) -> String,
    pub(super) revoked: fn(&str) -> String,
    pub(super) device_revoked: &'static str,
    pub(super) nobody: fn(&str) -> String,
    pub(super) room_made: fn(&str) -> String,
    pub(super) added: fn(&str) -> String,
    pub(super) removed: fn(&str) -> String,
    pub(super) changed: &'static str,
    pub(super) expire_how: &'static str,
    pub(super) leave: &'static str,
    pub(super) leave_room: &'static str,
    pub(super) left: &'static str,
    pub(super) react: &'static str,
    pub(super) which_emoji: &'static str,
    pub(super) delete: &'static str,
    pub(super) delete_for_all: &'static str,
    pub(super) save: &'static str,
    pub(super) save_where: fn(&str) -> String,
    pub(super) saved: fn(&str) -> String,
    pub(super) file_sent: fn(&str) -> String,
    pub(super) wipe: &'static str,
    pub(super) wipe_how: fn(&str) -> String,
    pub(super) wipe_word: &'static str,
    pub(super) not_wiped: &'static str,
    pub(super) settings: &'static str,
    pub(super) theme: &'static str,
    pub(super) mouse_setting: &'static str,
    pub(super) bell_setting: &'static str,
    pub(super) on: &'static str,
    pub(super) off: &'static str,
    pub(super) locked: &'static str,
    pub(super) passphrase: &'static str,
    pub(super) unlocking: &'static str,
    pub(super) blank: &'static str,
    pub(super) help: &'static str,
    pub(super) commands: &'static str,
    pub(super) too_small: &'static str,
    /// What stands behind a command's name, and what it does.
    pub(super) command: fn(Verb) -> (&'static str, &'static str),
    /// The keys of a place, the most wanted first.
    pub(super) keys: fn(Place) -> Keys,
    /// Names of emoji, without accents.
    pub(super) emoji: Keys,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.online)
    }
}
