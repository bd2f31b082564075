//! The requests that rolecall sends, and the data in their responses. HTTP and JSON are in `wire` and `client`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::failure::{Cause, Failure};
use crate::every::every;
use crate::observed::{Integration, Organization, Person, Role, UserId};
use crate::plan::Patch;
use crate::plan::blame::AuditEntry;
use crate::roster::Email;

/// A request that knows the type of its response.
pub trait Request {
    type Response;

    /// Returns the request in the form in which it is sent.
    fn outgoing(&self) -> Outgoing;

    /// Decodes the body of a response with the status 200.
    ///
    /// # Errors
    /// The body is not what this request returns.
    fn decode(&self, body: &[u8]) -> Result<Self::Response, Cause>;
}

/// A request that changes nothing. A [`super::Reader`] sends no other requests.
pub trait ReadRequest: Request {}

/// Asks who the token belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Me;

/// Asks for one page of the role catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Is `None` for the first page.
    pub cursor: Option<String>,
}

/// Asks for one page of all users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub deactivated: bool,
    /// Is `None` for the first page.
    pub cursor: Option<String>,
}

/// Asks for the users who have one of at most [`PAGE`] addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub emails: Vec<Email>,
    /// The number of people per page: [`PAGE`], or less after the server has refused that.
    pub limit: usize,
    /// Is `None` for the first page.
    pub cursor: Option<String>,
}

/// Asks for people, and ignores the other data in the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleRequest {
    /// Searches for several people by address.
    Search(Search),
    /// Reads one person by ID.
    One(UserId),
}

/// Asks the audit log for the changes to at most [`PAGE`] people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLog {
    /// The people who were changed.
    pub people: Vec<UserId>,
    /// The number of entries per page: [`PAGE`], or less after the server has refused that.
    pub limit: usize,
    /// Is `None` for the first page.
    pub cursor: Option<String>,
}

/// Changes one user, and returns the user as they are afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub id: UserId,
    pub patch: Patch,
}

/// The maximum number of values in one search, and of entries on one page. One page of Pylon's reference says "between 1 and 1000",
/// another one says "less than 1000".
pub const PAGE: usize = 999;

/// A request in the form in which it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Outgoing {
    /// Determines the method, the path, the rate limit, and the time limits.
    pub endpoint: Endpoint,
    /// The user in the path, if the path has one.
    pub user: Option<UserId>,
    /// The names and values, before URL encoding.
    pub query: Vec<(&'static str, String)>,
    /// Only a `POST` or `PATCH` has a body, which is JSON.
    pub body: Option<Vec<u8>>,
}

impl Outgoing {
    /// Returns a request without a user, a query, and a body.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, user: None, query: Vec::new(), body: None }
    }

    /// Returns the path below the base URL, without a leading slash.
    pub fn path(&self) -> String {
        let path = self.endpoint.facts().path;
        self.user.as_ref().map_or_else(|| path.to_owned(), |user| path.replace("{id}", user.as_str()))
    }

    /// Returns method and path, as errors and traces name the request: `PATCH /users/u_1`.
    pub fn asked(&self) -> String {
        format!("{} /{}", self.endpoint.facts().method, self.path())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The organization that the token belongs to.
    pub organization: Organization,
    /// The token's user; `None` for an API user without an ID.
    pub user: Option<UserId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePage {
    pub roles: Vec<Role>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The users who have an email address.
    pub people: Vec<Person>,
    /// The users who have no email address.
    pub integrations: Vec<Integration>,
    /// The people whose entry does not show whether they are deactivated. Before October 2026, no entry shows it.
    pub activity_unknown: Vec<UserId>,
    /// The distinct roles that the users of this page hold, as the page describes them. Empty before July 2026.
    pub held: BTreeSet<Role>,
    /// The role fields that the people of this page have. `None` if the page has no people.
    pub role_fields: Option<RoleFields>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// The fields of a user that contain the roles. They depend on the date of the API, so they are the same for all users of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleFields {
    /// `role_id`, or the object `role`: before October 2026.
    One,
    /// `role_ids` and `roles`: since October 2026.
    All,
}

/// One page of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries {
    /// The entries are probably sorted, newest first. The API does not guarantee that.
    pub entries: Vec<AuditEntry>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// What one attempt at a request returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt<T> {
    pub result: Result<T, Failure>,
    /// The header `X-Rate-Limit-Remaining`, if the response has it.
    pub remaining: Option<u64>,
    /// The header `Date`, if the response has it.
    pub date: Option<Timestamp>,
}

impl<T> Attempt<T> {
    /// Returns an attempt that got no response.
    pub fn failed(failure: Failure) -> Self {
        Self { result: Err(failure), remaining: None, date: None }
    }
}

/// An endpoint of the API. Each has a separate rate limit, which all tokens of the organization share (Pylon API, "Endpoints
/// used"; `X-Rate-Limit-Remaining` counts per endpoint).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    Me,
    Roles,
    Users,
    User,
    Search,
    Patch,
    Audit,
}

impl Endpoint {
    pub const ALL: [Self; 7] = every!(Endpoint: Me, Roles, Users, User, Search, Patch, Audit);

    /// Returns the facts about the endpoint.
    pub const fn facts(self) -> EndpointFacts {
        let (name, method, path, limit, earlier_limit) = match self {
            Self::Me => ("me", "GET", "me", 300, 60),
            Self::Roles => ("roles", "GET", "user-roles", 300, 60),
            Self::Users => ("users", "GET", "users", 300, 60),
            Self::User => ("user", "GET", "users/{id}", 300, 60),
            Self::Search => ("search", "POST", "users/search", 120, 20),
            Self::Patch => ("patch", "PATCH", "users/{id}", 120, 20),
            Self::Audit => ("audit", "POST", "audit-logs/search", 30, 10),
        };
        EndpointFacts { name, method, path, limit, earlier_limit }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointFacts {
    /// The name that `--rate` takes.
    pub name: &'static str,
    pub method: &'static str,
    /// The path below the base URL. `{id}` stands for the ID of a user.
    pub path: &'static str,
    /// The documented rate limit, in requests per minute.
    pub limit: u64,
    /// The rate limit that applied before October 2026, in requests per minute.
    pub earlier_limit: u64,
}

/// Splits a search that the server has refused as too large. Returns the number of values of each half, and the number of entries
/// to request per page. Returns `None` if the search cannot become smaller.
///
/// The maximum number of values in a filter is not documented, and some dates of the API refuse a limit of 1000, so both numbers
/// shrink. For a single value, the page shrinks only after a 413, because a 400 for one value has another reason.
pub fn halved(values: usize, limit: usize, failure: &Failure) -> Option<(usize, usize)> {
    let can_shrink = values > 1 || limit > 1 && failure.class() == super::Class::TooLarge;
    (can_shrink && failure.may_be_too_large()).then(|| (values.div_ceil(2).max(1), (limit / 2).max(1)))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::pylon::failure::Refusal;

    #[test]
    fn a_search_that_is_too_large_is_halved_down_to_one_value_and_entry() {
        let sizes = |status: u16| {
            let refusal = Refusal { status, errors: vec!["any text".into()], ..Refusal::default() };
            let failure = Failure { asked: String::new(), cause: refusal.into(), request_id: None };
            let first = Some((PAGE, PAGE));
            std::iter::successors(first, |(values, limit)| halved(*values, *limit, &failure))
                .collect::<Vec<_>>()
        };
        let halves = [999, 500, 250, 125, 63, 32, 16, 8, 4, 2, 1];
        let limits = [999, 499, 249, 124, 62, 31, 15, 7, 3, 1, 1];
        let expected: Vec<(usize, usize)> = halves.into_iter().zip(limits).collect();
        assert_eq!(sizes(400), expected, "ten more requests");
        assert_eq!(sizes(413), expected);
        for other in [401, 403, 404, 422, 429, 500] {
            assert_eq!(sizes(other).len(), 1, "{other}");
        }
    }
}
