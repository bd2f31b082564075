//! The only write: `PATCH /users/{id}`, and the same change made by somebody else, outside the API.
//!
//! Guarantees that a refused change changes nothing, that absent keys stay as they are, and that every change that has an effect
//! is in the audit log once.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{
    audit::Entry,
    fault::Fault,
    message::{Refusal, mix, present, uuid_in_series},
    twist::Twist,
    user::User,
    world::World,
};

/// The statuses that may be written; what is read may be any text.
const WRITABLE_STATUSES: [&str; 3] = ["active", "away", "out_of_office"];
/// Distinguishes the audit log's identifiers from request ids.
const AUDIT_SERIES: u64 = 0x00a0_d17e;

/// The body. Unknown keys are ignored, as lenient servers do: nobody has documented it.
#[derive(Debug, Deserialize)]
pub(super) struct Patch {
    #[serde(default, deserialize_with = "present")]
    role_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    avatar_url: Option<String>,
}

/// Who makes a change, and from where.
struct Actor<'a> {
    user_id: &'a str,
    source: &'static str,
}

impl World {
    /// Changes the user at this index and returns what the answer shows, which is not always what lasts: a support-hours schedule
    /// puts the status back at once, and the fault `echo-only` stores nothing.
    pub(super) fn patch(
        &mut self,
        now: Duration,
        at: usize,
        patch: Patch,
        twist: &mut Twist,
    ) -> Result<User, Refusal> {
        let Patch { role_id, status, name, avatar_url } = patch;
        let role = role_id.map(|id| {
            let found = self.roles.iter().position(|role| role.id == id);
            found.ok_or_else(|| Refusal::bad_request(format!("there is no role with id {id}")))
        });
        let role = role.transpose()?;
        if let Some(status) = status.as_deref().filter(|status| !WRITABLE_STATUSES.contains(status)) {
            return Err(Refusal::bad_request(format!(
                "status must be one of active, away and out_of_office, not {status}"
            )));
        }
        let before = self.people.get(at).cloned().ok_or_else(Refusal::no_such_user)?;
        let mut after = before.clone();
        if let Some(role) = role.filter(|_| !before.role_from_scim) {
            after.assigned = vec![role];
        }
        after.status = status.unwrap_or(after.status);
        after.name = name.unwrap_or(after.name);
        after.avatar_url = avatar_url.or(after.avatar_url);
        if twist.acts(Fault::EchoOnly, after != before) {
            return Ok(after);
        }
        let token_user = self.token_user_id().to_owned();
        self.store(now, at, &before, after.clone(), &Actor { user_id: &token_user, source: "api" });
        let answered = after.clone();
        if let Some(usual) = after.support_hours.clone().filter(|usual| *usual != after.status) {
            let put_back = User { status: usual, ..after.clone() };
            self.store(now, at, &after, put_back, &Actor { user_id: "", source: "schedule" });
        }
        Ok(answered)
    }

    /// Somebody else changes a person, by id or address, in Pylon's own pages: no request, no allowance, no rules about statuses.
    /// The role is a slug, id or name. False when there is no such person or role.
    pub fn changed_by_someone_else(
        &mut self,
        now: Duration,
        who: &str,
        role: Option<&str>,
        status: Option<&str>,
    ) -> bool {
        self.changed_by(now, "user_someone_else", who, role, status)
    }

    /// The same by a colleague, whose id the audit log shows.
    pub fn changed_by(
        &mut self,
        now: Duration,
        colleague: &str,
        who: &str,
        role: Option<&str>,
        status: Option<&str>,
    ) -> bool {
        let Some(at) = self.find(who) else { return false };
        let Some(before) = self.people.get(at).cloned() else { return false };
        let mut after = before.clone();
        match role.map(|word| super::draft::find_role(&self.roles, word)) {
            None => {}
            Some(Ok(role)) => after.assigned = vec![role],
            Some(Err(_)) => return false,
        }
        after.status = status.map_or(after.status, str::to_owned);
        self.store(now, at, &before, after, &Actor { user_id: colleague, source: "app" });
        true
    }

    fn store(&mut self, now: Duration, at: usize, before: &User, after: User, actor: &Actor<'_>) {
        if *before == after {
            return;
        }
        if before.assigned != after.assigned {
            let (old, new) =
                (before.shown_role(&self.roles).to_owned(), after.shown_role(&self.roles).to_owned());
            let attributes = [("old_role_id", old), ("new_role_id", new)];
            self.record(now, "UserRoleChanged", &after.id, actor, attributes);
        }
        if before.status != after.status {
            let attributes = [("old_status", before.status.clone()), ("new_status", after.status.clone())];
            self.record(now, "UserStatusChanged", &after.id, actor, attributes);
        }
        self.people.change(at, |user| *user = after);
        self.revision += 1;
    }

    fn record(
        &mut self,
        now: Duration,
        action: &str,
        object_id: &str,
        actor: &Actor<'_>,
        attributes: [(&str, String); 2],
    ) {
        self.audited += 1;
        // Bound to the epoch, so that a world that goes on from a saved state does not repeat identifiers.
        let series = AUDIT_SERIES ^ mix(self.epoch.as_microsecond().unsigned_abs());
        self.audit.add(Entry {
            id: uuid_in_series(series, self.audited),
            action: action.to_owned(),
            happened_at: self.timestamp(now),
            object_id: object_id.to_owned(),
            actor_user_id: Some(actor.user_id).filter(|id| !id.is_empty()).map(str::to_owned),
            source: actor.source.to_owned(),
            attributes: attributes
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<BTreeMap<_, _>>(),
        });
    }
}
