//! Where the relay is: the addresses that the roster names, and which of them worked last.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Cx;
use super::alarms::Alarm;
use super::control::Origin;
use super::fault::{Fault, failed, refused};
use crate::invite_code::{DEFAULT_PORT, Host, MAX_ADDRESSES};
use crate::member::agent::core::CallId;
use crate::member::roster::Action;
use crate::noise::keys::StaticPublic;
use crate::wire::limits::MAX_ADDRESS;

/// What `relay.addresses` asks for.
#[derive(Deserialize)]
pub(super) struct AddressesParams {
    add: Option<String>,
    remove: Option<String>,
}

/// An address as a person types it, as the roster holds it.
pub(super) fn canonical(typed: &str) -> Result<String, Fault> {
    let parsed = Host::parse_with_port(typed.trim());
    let (host, port) = parsed.map_err(|_| {
        let text = "That is no address of a relay.";
        refused(text, Some("Write it as HOST:PORT, without http:// before it."))
    })?;
    let address = host.with_port(port.unwrap_or(DEFAULT_PORT));
    if address.len() > MAX_ADDRESS {
        return Err(refused("That address is too long.", None).into());
    }
    Ok(address)
}

impl Cx<'_> {
    pub(super) fn relay_key(&self) -> Result<StaticPublic, Fault> {
        let key = self.memory.profile.relay.as_slice().try_into();
        key.map(StaticPublic).map_err(|_| Fault::Bug("no relay's key"))
    }

    fn addresses_answer(&self, addresses: &[String]) -> Value {
        json!({"addresses": addresses, "in_use": self.memory.profile.reached})
    }

    /// `relay.addresses`: the addresses, best first; an admin adds and removes.
    pub(super) fn relay_addresses(
        &mut self,
        call: CallId,
        params: &AddressesParams,
    ) -> Result<Option<Value>, Fault> {
        let mut addresses = self.memory.profile.addresses.clone();
        if params.add.is_none() && params.remove.is_none() {
            return Ok(Some(self.addresses_answer(&addresses)));
        }
        self.may_move_relay()?;
        if let Some(typed) = &params.remove {
            let gone = canonical(typed)?;
            if !addresses.contains(&gone) {
                let hint = Some("See them: staffetta relay addresses list");
                return Err(refused("The relay has no such address.", hint).into());
            }
            addresses.retain(|address| *address != gone);
        }
        if let Some(typed) = &params.add {
            let new = canonical(typed)?;
            if addresses.contains(&new) {
                return Err(refused("The relay has that address already.", None).into());
            }
            addresses.push(new);
        }
        if addresses.is_empty() {
            let hint = Some("Add another one first: staffetta relay addresses add HOST:PORT");
            return Err(refused("The relay's last address cannot be removed.", hint).into());
        }
        if addresses.len() > MAX_ADDRESSES {
            let hint = Some("Remove one first: staffetta relay addresses remove HOST:PORT");
            return Err(refused("A relay has at most 4 addresses.", hint).into());
        }
        let answer = self.addresses_answer(&addresses);
        let relay = self.relay_key()?;
        self.post_action(Action::RelayAddresses { relay, addresses })?;
        self.wait_posted(call, answer);
        Ok(None)
    }

    /// Only admins say where the relay is.
    pub(super) fn may_move_relay(&self) -> Result<(), Fault> {
        if self.is_admin()? {
            return Ok(());
        }
        let hint = Some("Ask an admin of your team.");
        Err(failed(77, "Only admins change where the relay is.", hint).into())
    }

    /// The relay's addresses are others. **Dangerous acts are announced on every screen.** The
    /// author's device tells the relay as well.
    pub(super) fn relay_changed(&mut self, number: u32, origin: Origin) -> Result<(), Fault> {
        let Some(relay) = self.memory.roster()?.relay().cloned() else { return Ok(()) };
        let (key, addresses) = (relay.key.0.to_vec(), relay.addresses);
        let other_relay = key != self.memory.profile.relay;
        if addresses == self.memory.profile.addresses && !other_relay {
            return Ok(());
        }
        if other_relay && self.memory.profile.unsaid.is_some() {
            // Of the relay that is gone, read from what was carried over.
            return Ok(());
        }
        (self.memory.profile.relay, self.memory.profile.addresses) = (key, addresses);
        self.save_profile()?;
        if origin == Origin::Own && self.has_authority()? {
            self.tell_addresses()?;
        }
        self.alarm(Alarm::Address, &format!("The relay's address was changed (change {number})."))
    }

    /// A connection stands over this address, which is tried first from now on.
    pub(super) fn reached(
        &mut self,
        address: &str,
        relay: Option<StaticPublic>,
    ) -> Result<(), Fault> {
        self.link.address = Some(address.to_owned());
        self.link.relay = relay;
        if !self.is_at_home() {
            return Ok(());
        }
        if self.memory.profile.reached.as_deref() == Some(address) {
            return Ok(());
        }
        self.memory.profile.reached = Some(address.to_owned());
        self.save_profile()
    }
}

/// The addresses in the order in which they are tried: the one that worked last, then as listed;
/// those that led to a relay which the team has left come last.
pub(super) fn in_order(
    addresses: &[String],
    reached: Option<&str>,
    avoided: &[String],
) -> Vec<String> {
    let mut order = addresses.to_vec();
    order.sort_by_key(|address| (avoided.contains(address), reached != Some(address.as_str())));
    order
}
