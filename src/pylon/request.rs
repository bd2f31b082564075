//! The requests sent to Pylon and the contents of their responses. `wire` converts them to and from JSON, and `client` sends
//! them over HTTP.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;

use super::failure::{Failure, FailureCause};
use crate::every::every;
use crate::observed::{Integration, Organization, Person, Role, UserId};
use crate::plan::Patch;
use crate::roster::Email;

/// A request with a typed response.
pub trait Request {
    type Response;

    /// Returns the endpoint, query, and body to send.
    fn outgoing(&self) -> Outgoing;

    /// Decodes the body of a 200 response.
    ///
    /// # Errors
    /// Returns an error if the body doesn't match the request.
    fn decode(&self, body: &[u8]) -> Result<Self::Response, FailureCause>;
}

/// A request without side effects, which is the only kind a [`super::Reader`] can send.
pub trait ReadRequest: Request {}

/// Requests the token's organization and user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Me;

/// Requests one page of the role catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// The cursor of the page, or `None` for the first page.
    pub cursor: Option<String>,
}

/// Requests one page of the listing of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whether to include deactivated users.
    pub deactivated: bool,
    /// The cursor of the page, or `None` for the first page.
    pub cursor: Option<String>,
}

/// Searches for users by address, with at most [`PAGE`] addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub emails: Vec<Email>,
    /// The number of people per page: [`PAGE`], or fewer once the server has rejected that many.
    pub limit: usize,
    /// The cursor of the page, or `None` for the first page.
    pub cursor: Option<String>,
}

/// Reads people. Any other data in the response is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeopleRequest {
    /// Searches for several people by address.
    Search(Search),
    /// Reads one person by ID.
    One(UserId),
}

/// Requests audit log entries for at most [`PAGE`] people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSearch {
    pub people: Vec<UserId>,
    /// The number of entries per page: [`PAGE`], or fewer once the server has rejected that many.
    pub limit: usize,
    /// The cursor of the page, or `None` for the first page.
    pub cursor: Option<String>,
}

/// Updates one user. The response contains the updated user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub id: UserId,
    pub patch: Patch,
}

/// The maximum number of values in a search filter, and of results per page. Pylon's reference is inconsistent here: one page
/// says "between 1 and 1000", and another says "less than 1000".
pub const PAGE: usize = 999;

/// An HTTP request without the host and the headers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Outgoing {
    /// Determines the method, the path, the rate limit, and the timeouts.
    pub endpoint: Endpoint,
    /// The user in the path, for paths that contain one.
    pub user: Option<UserId>,
    /// The names and values of the query parameters, before URL encoding.
    pub query: Vec<(&'static str, String)>,
    /// The JSON body of a `POST` or `PATCH`.
    pub body: Option<Vec<u8>>,
}

impl Outgoing {
    /// Creates a request that has no user, query, or body.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, user: None, query: Vec::new(), body: None }
    }

    /// Returns the path relative to the base URL, without a leading slash.
    pub fn path(&self) -> String {
        let path = self.endpoint.facts().path;
        self.user.as_ref().map_or_else(|| path.to_owned(), |user| path.replace("{id}", user.as_str()))
    }

    /// Returns the method and path, as in `PATCH /users/u_1`, to identify the request in errors and traces.
    pub fn asked(&self) -> String {
        format!("{} /{}", self.endpoint.facts().method, self.path())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The organization that the token belongs to.
    pub organization: Organization,
    /// The ID of the token's user, or `None` if the response lacks it, as in API versions before July 2026.
    pub user: Option<UserId>,
}

/// A single page of a list, which may have more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page<T> {
    pub data: T,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Users from one or more responses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserList {
    /// Users who have an email address.
    pub people: Vec<Person>,
    /// Users who lack an email address.
    pub integrations: BTreeSet<Integration>,
    /// People whose entry has no field `is_deactivated`. Before October 2026, that was everyone.
    pub activity_unknown: HashSet<UserId>,
    /// The distinct roles of these users, with the names and slugs given in the responses. Empty if the API version is older than
    /// July 2026.
    pub held: BTreeSet<Role>,
    /// The role fields of the people, if there are any people.
    pub role_fields: Option<RoleFields>,
}

/// The fields containing a user's roles, which depend on the API version and are the same for all users in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleFields {
    /// `role_id`, or the object `role`: before October 2026.
    One,
    /// `role_ids` and `roles`: since October 2026.
    All,
}

/// The result of one attempt at a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt<T> {
    pub result: Result<T, Failure>,
    /// Value of the `X-Rate-Limit-Remaining` header, if present.
    pub remaining: Option<u64>,
    /// Value of the `Date` header, if present.
    pub date: Option<Timestamp>,
}

impl<T> Attempt<T> {
    /// Creates an attempt that received no response.
    pub fn failed(failure: Failure) -> Self {
        Self { result: Err(failure), remaining: None, date: None }
    }
}

/// An API endpoint. Each endpoint has its own rate limit and its own `X-Rate-Limit-Remaining`. All of the organization's tokens
/// share the limit (Pylon API, "Endpoints used").
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
    /// The name used in `--rate`.
    pub name: &'static str,
    pub method: &'static str,
    /// The path relative to the base URL, with `{id}` as the placeholder for a user ID.
    pub path: &'static str,
    /// The documented rate limit, in requests per minute.
    pub limit: u64,
    /// The rate limit before October 2026, in requests per minute.
    pub earlier_limit: u64,
}

/// Splits a search that the server has rejected as too large, and returns the number of values in each half and the number of
/// entries per page. Returns `None` if the search can't get any smaller, or if `failure` has another cause.
///
/// Both numbers shrink, because the maximum number of values in a filter is undocumented and some API versions reject a limit of
/// 1000. For a single value, the page shrinks only if Pylon says that the request is too large, because any other 400 must then
/// have a different cause.
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
