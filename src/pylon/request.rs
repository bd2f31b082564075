//! What can be asked and what comes of it, in the words of this program: no HTTP, no JSON.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::failure::Failure;
use crate::every::every;
use crate::observed::{Integration, Organization, Person, Role, UserId};
use crate::plan::blame::AuditEntry;
use crate::roster::Email;

/// A request that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReadRequest {
    /// `GET /me`
    Me,
    /// `GET /user-roles`
    Roles {
        /// From an earlier page.
        cursor: Option<String>,
    },
    /// `GET /users`
    Listing {
        /// Deactivated people too.
        deactivated: bool,
        /// From an earlier page.
        cursor: Option<String>,
    },
    /// `POST /users/search` by address, at most [`PAGE`] of them.
    Search {
        /// Whom to look for.
        emails: Vec<Email>,
        /// People a page; [`PAGE`] unless the server has refused that.
        limit: usize,
        /// From an earlier page.
        cursor: Option<String>,
    },
    /// `GET /users/{id}`
    Person(UserId),
    /// `POST /audit-logs/search` by whom it was done to, at most [`PAGE`] of them.
    AuditLog {
        /// To whom.
        people: Vec<UserId>,
        /// Entries a page; [`PAGE`] unless the server has refused that.
        limit: usize,
        /// From an earlier page.
        cursor: Option<String>,
    },
}

/// The most addresses or ids of one search and the most people or entries of one page.
/// One page of the reference says "between 1 and 1000", another "less than 1000".
pub const PAGE: usize = 999;

/// What a read was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`ReadRequest::Me`].
    Me(Identity),
    /// To [`ReadRequest::Roles`].
    Roles(RolePage),
    /// To [`ReadRequest::Listing`] and [`ReadRequest::Search`].
    Page(Page),
    /// To [`ReadRequest::Person`].
    Person(Person),
    /// To [`ReadRequest::AuditLog`].
    Entries(Entries),
}

/// Whose token this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The organisation.
    pub organization: Organization,
    /// The token's user; none for an API user without an id.
    pub user: Option<UserId>,
}

/// One page of roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePage {
    /// The roles.
    pub roles: Vec<Role>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// One page of users.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The users who have an email address.
    pub people: Vec<Person>,
    /// The users who have none.
    pub integrations: Vec<Integration>,
    /// People whose response does not say whether they are deactivated, as before October 2026.
    pub unsaid: Vec<UserId>,
    /// The roles that users of this page hold, as the page describes them, each once; empty before July 2026.
    pub held: BTreeSet<Role>,
    /// Which role fields the people of this page have; `None` if the page has no people.
    pub role_fields: Option<RoleFields>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Which fields of a user hold the roles. That depends on the date, and so is the same for all users of a run.
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
    /// The entries; newest first is likely, and not promised.
    pub entries: Vec<AuditEntry>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt<T> {
    /// The answer, or how it failed.
    pub result: Result<T, Failure>,
    /// `X-Rate-Limit-Remaining`, where the server says it.
    pub remaining: Option<u64>,
    /// `Date`, where the server says it.
    pub date: Option<Timestamp>,
}

impl ReadRequest {
    /// Method and path, as errors name them.
    pub fn asked(&self) -> String {
        match self {
            Self::Me => "GET /me".into(),
            Self::Roles { .. } => "GET /user-roles".into(),
            Self::Listing { .. } => "GET /users".into(),
            Self::Search { .. } => "POST /users/search".into(),
            Self::Person(id) => format!("GET /users/{}", id.as_str()),
            Self::AuditLog { .. } => "POST /audit-logs/search".into(),
        }
    }

    /// The endpoint, which has a rate limit of its own.
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Self::Me => Endpoint::Me,
            Self::Roles { .. } => Endpoint::Roles,
            Self::Listing { .. } => Endpoint::Users,
            Self::Person(_) => Endpoint::User,
            Self::Search { .. } => Endpoint::Search,
            Self::AuditLog { .. } => Endpoint::Audit,
        }
    }

    /// The same request for the page at `cursor`, where it has pages.
    #[must_use]
    pub fn at_page(&self, next: String) -> Self {
        let mut request = self.clone();
        match &mut request {
            Self::Roles { cursor }
            | Self::Listing { cursor, .. }
            | Self::Search { cursor, .. }
            | Self::AuditLog { cursor, .. } => *cursor = Some(next),
            Self::Me | Self::Person(_) => {}
        }
        request
    }
}

/// An endpoint. Each has a rate limit of its own, which all tokens of the organization share (Pylon API, "Endpoints used";
/// `X-Rate-Limit-Remaining` counts per endpoint).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `GET /me`
    Me,
    /// `GET /user-roles`
    Roles,
    /// `GET /users`
    Users,
    /// `GET /users/{id}`
    User,
    /// `POST /users/search`
    Search,
    /// `PATCH /users/{id}`
    Patch,
    /// `POST /audit-logs/search`
    Audit,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 7] = every!(Endpoint: Me, Roles, Users, User, Search, Patch, Audit);

    /// Its name in `--rate`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Me => "me",
            Self::Roles => "roles",
            Self::Users => "users",
            Self::User => "user",
            Self::Search => "search",
            Self::Patch => "patch",
            Self::Audit => "audit",
        }
    }

    /// Whether it is a `GET`. `--rate get=N` sets the rate limit of each of these.
    pub const fn is_get(self) -> bool {
        matches!(self, Self::Me | Self::Roles | Self::Users | Self::User)
    }

    /// The rate limit before October 2026, in requests per minute.
    pub const fn earlier(self) -> u64 {
        match self {
            Self::Me | Self::Roles | Self::Users | Self::User => 60,
            Self::Search | Self::Patch => 20,
            Self::Audit => 10,
        }
    }

    /// The documented rate limit, in requests per minute.
    pub const fn documented(self) -> u64 {
        match self {
            Self::Me | Self::Roles | Self::Users | Self::User => 300,
            Self::Search | Self::Patch => 120,
            Self::Audit => 30,
        }
    }
}

/// A search that was too large for the server, or may have been: how many values each half holds, and how many entries per
/// page to ask for. `None` if the search cannot become smaller.
///
/// How many values a filter can hold is not documented, and a limit of 1000 is refused on some dates, so both shrink. A
/// single value is asked for with smaller pages only after a 413: a 400 for one value has another reason.
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
    fn a_search_is_halved_down_to_one_value_after_a_400_and_to_one_entry_per_page_after_a_413() {
        let sizes = |status: u16| {
            let refusal = Refusal { status, errors: vec!["any text".into()], ..Refusal::default() };
            let failure = Failure { asked: String::new(), trouble: refusal.into(), request_id: None };
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
