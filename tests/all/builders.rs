//! Builders for the sandbox's users, states, and requests.

use std::time::Duration;

use jiff::Timestamp;
use rolecall::sandbox::{
    Api, ApiSettings, Fault, Faults, Limits, Request, Response, Role, SandboxState, World, WrittenLimits,
    WrittenUser,
};

/// Returns the built-in roles with readable IDs, such as `role_admin`.
pub(crate) fn readable_roles() -> Vec<Role> {
    let role = |name: &str| Role::new(&format!("role_{}", name.to_lowercase()), name, &name.to_lowercase());
    ["Admin", "Member", "Viewer"].map(role).to_vec()
}

/// Returns the faults that leave the client without a valid response. They can be injected into any request.
pub(crate) fn failures() -> impl Iterator<Item = Fault> + Clone {
    Fault::ALL.into_iter().filter(|fault| !fault.is_misleading())
}

/// Parses rate limits in the syntax of the `--limits` option, for the default API version.
pub(crate) fn limits(text: &str) -> Limits {
    text.parse::<WrittenLimits>().unwrap().in_api(Api::default())
}

pub(crate) trait BuildUser: Sized {
    fn edit(self, edit: impl FnOnce(&mut WrittenUser)) -> Self;

    fn id(self, id: &str) -> Self {
        self.edit(|user| user.id = Some(id.to_owned()))
    }

    fn name(self, name: &str) -> Self {
        self.edit(|user| user.name = Some(name.to_owned()))
    }

    fn status(self, status: &str) -> Self {
        self.edit(|user| user.status = Some(status.to_owned()))
    }

    /// Adds a secondary address.
    fn also(self, email: &str) -> Self {
        self.edit(|user| user.emails.push(email.to_owned()))
    }

    /// Adds an assigned role.
    fn and_role(self, role: &str) -> Self {
        self.edit(|user| user.roles.push(role.to_owned()))
    }

    /// Adds a role from a SCIM group.
    fn scim(self, role: &str) -> Self {
        self.edit(|user| user.scim_roles.push(role.to_owned()))
    }

    fn deactivated(self) -> Self {
        self.edit(|user| user.deactivated = true)
    }

    /// Makes the sandbox ignore the role in PATCH requests for this user.
    fn role_from_scim(self) -> Self {
        self.edit(|user| user.role_from_scim = true)
    }

    /// Makes a support-hours schedule reset the user's status to `status` after every PATCH.
    fn support_hours(self, status: &str) -> Self {
        self.edit(|user| user.support_hours = Some(status.to_owned()))
    }
}

impl BuildUser for WrittenUser {
    fn edit(mut self, edit: impl FnOnce(&mut WrittenUser)) -> Self {
        edit(&mut self);
        self
    }
}

pub(crate) trait BuildState: Sized {
    fn with_users(users: impl IntoIterator<Item = WrittenUser>) -> Self;
    fn roles(self, roles: impl IntoIterator<Item = Role>) -> Self;
    fn token_user(self, id: &str) -> Self;
    fn api(self, api: Api) -> Self;
    fn settings(self, settings: ApiSettings) -> Self;
}

impl BuildState for SandboxState {
    fn with_users(users: impl IntoIterator<Item = WrittenUser>) -> Self {
        Self { users: users.into_iter().collect(), ..Self::default() }
    }

    fn roles(self, roles: impl IntoIterator<Item = Role>) -> Self {
        Self { roles: Some(roles.into_iter().collect()), ..self }
    }

    fn token_user(self, id: &str) -> Self {
        Self { token_user: Some(id.to_owned()), ..self }
    }

    fn api(self, api: Api) -> Self {
        Self { api, ..self }
    }

    fn settings(self, settings: ApiSettings) -> Self {
        Self { settings, ..self }
    }
}

pub(crate) trait BuildRequest: Sized {
    fn new(method: &str, path: &str) -> Self;
    fn query(self, query: &str) -> Self;
    /// Sets the header `Authorization: Bearer <token>`.
    fn token(self, token: &str) -> Self;
    fn body(self, body: impl Into<Vec<u8>>) -> Self;
}

impl BuildRequest for Request {
    fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    fn query(self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self }
    }

    fn token(self, token: &str) -> Self {
        Self { authorization: Some(format!("Bearer {token}")), ..self }
    }

    fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }
}

pub(crate) trait ReadResponse {
    /// Returns the value of a header, ignoring the case of its name.
    fn header(&self, name: &str) -> Option<&str>;
}

impl ReadResponse for Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

pub(crate) trait ChangeWorld {
    fn changed_by_someone_else(
        &mut self,
        now: Duration,
        who: &str,
        role: Option<&str>,
        status: Option<&str>,
    ) -> bool;
}

impl ChangeWorld for World {
    fn changed_by_someone_else(
        &mut self,
        now: Duration,
        who: &str,
        role: Option<&str>,
        status: Option<&str>,
    ) -> bool {
        self.changed_by(now, "user_someone_else", who, role, status)
    }
}

pub(crate) trait CountFaults {
    /// Returns the total number of faults that have fired.
    fn fired_in_all(&self) -> u64;
}

impl CountFaults for Faults {
    fn fired_in_all(&self) -> u64 {
        Fault::ALL.into_iter().map(|fault| self.fired(fault)).sum()
    }
}

/// Parses a sandbox state and fills in all defaults, or returns the problems found.
pub(crate) fn read_state(json: &str) -> Result<SandboxState, Vec<String>> {
    let state = SandboxState::parse(json).map_err(|problem| vec![problem])?;
    World::new(state, Timestamp::UNIX_EPOCH).map(|world| world.to_state())
}
