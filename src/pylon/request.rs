//! What can be asked and what comes of it, in the words of this program: no HTTP, no JSON.

use jiff::Timestamp;

use super::failure::Failure;
use crate::every::every;
use crate::observed::{Organization, Person, Role, UserId};
use crate::plan::blame::AuditEntry;
use crate::roster::Email;

/// A request that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReadRequest {
    /// `GET /me`
    Me,
    /// `GET /user-roles`
    Roles,
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
    Roles(Vec<Role>),
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

/// One page of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The people.
    pub people: Vec<Person>,
    /// Those among them of whom it is not said whether they are deactivated: the older API does not.
    pub unsaid: Vec<UserId>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
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
            Self::Roles => "GET /user-roles".into(),
            Self::Listing { .. } => "GET /users".into(),
            Self::Search { .. } => "POST /users/search".into(),
            Self::Person(id) => format!("GET /users/{}", id.as_str()),
            Self::AuditLog { .. } => "POST /audit-logs/search".into(),
        }
    }

    /// Which allowance it spends from.
    pub fn allowance(&self) -> Allowance {
        match self {
            Self::Me | Self::Roles | Self::Listing { .. } | Self::Person(_) => Allowance::Get,
            Self::Search { .. } => Allowance::Search,
            Self::AuditLog { .. } => Allowance::Audit,
        }
    }

    /// The same request for the page at `cursor`, where it has pages.
    #[must_use]
    pub fn at_page(&self, next: String) -> Self {
        let mut request = self.clone();
        match &mut request {
            Self::Listing { cursor, .. } | Self::Search { cursor, .. } | Self::AuditLog { cursor, .. } => {
                *cursor = Some(next);
            }
            Self::Me | Self::Roles | Self::Person(_) => {}
        }
        request
    }
}

/// Which allowance a request spends from (Pylon API, "Endpoints used": limits are per endpoint and organisation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Allowance {
    /// Every `GET`, taken together: the documented 300 are each's own, so this is the careful reading.
    Get,
    /// `POST /users/search`
    Search,
    /// `PATCH /users/{id}`
    Patch,
    /// `POST /audit-logs/search`
    Audit,
}

impl Allowance {
    /// Every allowance.
    pub const ALL: [Self; 4] = every!(Allowance: Get, Search, Patch, Audit);

    /// Its name in `--rate`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Search => "search",
            Self::Patch => "patch",
            Self::Audit => "audit",
        }
    }

    /// The documented number of requests a minute.
    pub const fn documented(self) -> u64 {
        match self {
            Self::Get => 300,
            Self::Search | Self::Patch => 120,
            Self::Audit => 30,
        }
    }
}
