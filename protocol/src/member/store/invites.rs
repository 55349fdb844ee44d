//! Invites that this device knows: its own, and those other admins share.

use rusqlite::{Row, params_from_iter};

use super::sql::{closed_debug, secret};
use super::{StoreError, Tx, View};
use crate::secret::Secret;
use crate::wire::ids::{DeviceId, InviteId, MemberId};

/// An invite. It holds a secret, so it can be neither copied nor printed.
pub struct InviteRow {
    /// Its id.
    pub id: InviteId,
    /// The secret of the code.
    pub secret: Secret<16>,
    /// The bundle's plaintext, as this side holds it.
    pub bundle: Vec<u8>,
    /// The role it gives, by its code.
    pub role: u8,
    /// The name it was made for.
    pub name: Option<String>,
    /// Whether it is approved without words.
    pub auto_approve: bool,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// Open, asking, used, expired or revoked, by the code of the invite module.
    pub state: u8,
    /// When it was used, in unix seconds.
    pub used_at: Option<u64>,
    /// The join request that came.
    pub request: Option<Vec<u8>>,
    /// The device that made it: an admin's, or the one to which another is added.
    pub by: DeviceId,
    /// Whose further device it brings in; `None` for a new member.
    pub member: Option<MemberId>,
    /// When the membership it gives ends, in unix seconds.
    pub membership: Option<u64>,
    /// What that device said of who asks: whether the words were compared.
    pub vouch: Option<bool>,
}

const SELECT: &str = "SELECT id, secret, bundle, role, name, auto_approve, created_at, expires_at,
    state, used_at, request, by, member, vouch, membership FROM invite";

closed_debug!(InviteRow);

impl View<'_> {
    /// An invite.
    ///
    /// # Errors
    /// Those of the database.
    pub fn invite(&self, id: &InviteId) -> Result<Option<InviteRow>, StoreError> {
        self.row(&format!("{SELECT} WHERE id = ?1"), [id], invite_row)
    }

    /// All invites, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn invites(&self) -> Result<Vec<InviteRow>, StoreError> {
        self.rows(&format!("{SELECT} ORDER BY created_at, id"), [], invite_row)
    }

    /// The invites in one of these states, oldest first. Asked at every step: over an index.
    ///
    /// # Errors
    /// Those of the database.
    pub fn invites_in<const N: usize>(
        &self,
        states: [u8; N],
    ) -> Result<Vec<InviteRow>, StoreError> {
        let places = vec!["?"; N].join(", ");
        let sql = format!("{SELECT} WHERE state IN ({places}) ORDER BY created_at, id");
        self.rows(&sql, params_from_iter(states), invite_row)
    }
}

impl Tx<'_> {
    /// Adds or replaces an invite.
    ///
    /// # Errors
    /// Those of the database.
    pub fn put_invite(&self, invite: &InviteRow) -> Result<(), StoreError> {
        self.execute(
            "INSERT OR REPLACE INTO invite (id, secret, bundle, role, name, auto_approve,
             created_at, expires_at, state, used_at, request, by, member, vouch,
             membership)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            (
                invite.id,
                invite.secret.expose(),
                &invite.bundle,
                invite.role,
                &invite.name,
                invite.auto_approve,
                invite.created_at,
                invite.expires_at,
                invite.state,
                invite.used_at,
                &invite.request,
                invite.by,
                invite.member,
                invite.vouch,
                invite.membership,
            ),
        )?;
        Ok(())
    }

    /// Forgets an invite.
    ///
    /// # Errors
    /// Those of the database.
    pub fn delete_invite(&self, id: &InviteId) -> Result<(), StoreError> {
        self.execute("DELETE FROM invite WHERE id = ?1", [id])?;
        Ok(())
    }
}

fn invite_row(row: &Row<'_>) -> rusqlite::Result<InviteRow> {
    Ok(InviteRow {
        id: row.get(0)?,
        secret: secret(row, 1)?,
        bundle: row.get(2)?,
        role: row.get(3)?,
        name: row.get(4)?,
        auto_approve: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        state: row.get(8)?,
        used_at: row.get(9)?,
        request: row.get(10)?,
        by: row.get(11)?,
        member: row.get(12)?,
        vouch: row.get(13)?,
        membership: row.get(14)?,
    })
}
