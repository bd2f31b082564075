//! Changes users, either with `PATCH /users/{id}` (the API's only write operation) or by imitating a change in Pylon's web app.
//!
//! A rejected request doesn't change anything, and fields omitted from a request keep their values. Every change of a role or
//! status is recorded in the audit log exactly once, but changes of other fields aren't.

use std::time::Duration;

use serde::Deserialize;

use super::audit::LoggedChange;
use super::context::RequestContext;
use super::fault::Fault;
use super::identifiers::{mix, uuid_in_series};
use super::message::{ApiError, present};
use super::organization::{Role, find_role};
use super::world::World;
use super::written_user::WrittenUser;

/// The statuses that a client can set. Responses may also contain other statuses.
const WRITABLE_STATUSES: [&str; 3] = ["active", "away", "out_of_office"];
/// The base of the UUID series for audit log entries, which keeps their IDs distinct from request IDs.
const AUDIT_SERIES: u64 = 0x00a0_d17e;

/// The request body of `PATCH /users/{id}`. Unknown keys are ignored, as a lenient server would do (Pylon's behavior isn't
/// documented).
#[derive(Debug, Default, Deserialize)]
pub(super) struct UserUpdate {
    #[serde(default, deserialize_with = "present")]
    role_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    name: Option<String>,
    avatar_url: Option<String>,
}

impl UserUpdate {
    /// Checks that the role exists and that clients can set the status, as the API does.
    fn check(&self, roles: &[Role]) -> Result<(), ApiError> {
        let Self { role_id, status, name: _, avatar_url: _ } = self;
        if let Some(id) = role_id
            && !roles.iter().any(|role| role.id == *id)
        {
            return Err(ApiError::bad_request(format!("there is no role with id {id}")));
        }
        match status.as_deref().filter(|status| !WRITABLE_STATUSES.contains(status)) {
            Some(status) => Err(ApiError::bad_request(format!(
                "status must be one of active, away and out_of_office, not {status}"
            ))),
            None => Ok(()),
        }
    }

    fn applied_to(self, user: &WrittenUser, roles: &[Role]) -> WrittenUser {
        let Self { role_id, status, name, avatar_url } = self;
        let mut user = user.clone();
        if let Some(role) = roles.iter().find(|role| Some(&role.id) == role_id.as_ref()) {
            user.roles = vec![role.word(roles).to_owned()];
        }
        user.status = status.or(user.status);
        user.name = name.or(user.name);
        user.avatar_url = avatar_url.or(user.avatar_url);
        user
    }
}

impl World {
    /// Updates the user at index `at` and returns the user to show in the response. The stored user can differ because a
    /// support-hours schedule resets the status immediately, or because the fault `echo-only` doesn't store the update.
    pub(super) fn patch(
        &mut self,
        now: Duration,
        at: usize,
        mut update: UserUpdate,
        context: &mut RequestContext,
    ) -> Result<WrittenUser, ApiError> {
        update.check(&self.roles)?;
        let before = self.users.get(at).cloned().ok_or_else(ApiError::no_such_user)?;
        if before.role_from_scim {
            update.role_id = None;
        }
        let after = update.applied_to(&before, &self.roles);
        if context.acts(Fault::EchoOnly, after != before) {
            return Ok(after);
        }
        let token_user = self.token_user_id().to_owned();
        self.store(now, at, after.clone(), Some(&token_user), "api");
        if after.support_hours.is_some() {
            let scheduled = WrittenUser { status: after.support_hours.clone(), ..after.clone() };
            self.store(now, at, scheduled, None, "schedule");
        }
        Ok(after)
    }

    /// Changes a user as `colleague` would in Pylon's web app: without a request or rate limit, and to any status. `who` is a
    /// user ID or primary address, and `role` is a slug, ID, or name. Returns `false` if the user or role doesn't exist.
    pub fn changed_by(
        &mut self,
        now: Duration,
        colleague: &str,
        who: &str,
        role: Option<&str>,
        status: Option<&str>,
    ) -> bool {
        let Some((at, user)) = self.find(who) else { return false };
        let Ok(role) = role.map(|word| find_role(&self.roles, word)).transpose() else { return false };
        let update = UserUpdate {
            role_id: role.map(|role| role.id.clone()),
            status: status.map(str::to_owned),
            ..UserUpdate::default()
        };
        let after = update.applied_to(user, &self.roles);
        self.store(now, at, after, Some(colleague), "app");
        true
    }

    /// Stores a changed user and adds the change to the audit log. `actor` is the ID of the user who made the change, or `None` if
    /// it wasn't made by a user.
    fn store(&mut self, now: Duration, at: usize, after: WrittenUser, actor: Option<&str>, source: &str) {
        let Some(before) = self.users.get(at).filter(|before| **before != after) else { return };
        for (action, field, [old, new]) in audited_changes(before, &after, &self.roles) {
            self.audited += 1;
            // Include the epoch in the series so that a world restored from a saved state doesn't reuse the IDs of earlier entries.
            let series = AUDIT_SERIES ^ mix(self.epoch.as_microsecond().unsigned_abs());
            self.audit.add(LoggedChange {
                id: uuid_in_series(series, self.audited),
                action: action.to_owned(),
                happened_at: self.timestamp(now),
                object_id: after.id.clone().unwrap_or_default(),
                actor_user_id: actor.map(str::to_owned),
                source: source.to_owned(),
                attributes: [(format!("old_{field}"), old), (format!("new_{field}"), new)].into(),
            });
        }
        self.users.replace(at, after);
        self.revision += 1;
    }
}

/// Returns the audit log entries for a change, each as the action, the name of the changed field, and the old and new value.
fn audited_changes(
    before: &WrittenUser,
    after: &WrittenUser,
    roles: &[Role],
) -> Vec<(&'static str, &'static str, [String; 2])> {
    // The user is destructured exhaustively, so a new field must be either recorded or listed here as not recorded.
    let WrittenUser {
        roles: assigned,
        status,
        id: _,
        kind: _,
        email: _,
        emails: _,
        name: _,
        avatar_url: _,
        scim_roles: _,
        deactivated: _,
        role_from_scim: _,
        support_hours: _,
    } = before;
    let mut changes = Vec::new();
    if *assigned != after.roles {
        let ids = [before, after].map(|user| user.shown_role_id(roles).to_owned());
        changes.push(("UserRoleChanged", "role_id", ids));
    }
    if *status != after.status {
        let statuses = [status, &after.status].map(|status| status.clone().unwrap_or_default());
        changes.push(("UserStatusChanged", "status", statuses));
    }
    changes
}
