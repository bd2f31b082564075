//! One exchange without its socket: what a request looks like when it leaves, and what an answer means once it is here.
//!
//! Pure. The client only sends and receives; a simulation puts a world in the place of the socket, and goes through
//! this very code. The JSON is `wire`'s, and what a failure means is [`super::failure`]'s.

use jiff::Timestamp;

use super::failure::{Failure, Refusal, Trouble};
use super::request::{Answer, Attempt, ReadRequest};
use super::{hint, wire};
use crate::observed::{Person, UserId};
use crate::plan::Patch;

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// `GET`, `POST` or `PATCH`.
    pub method: &'static str,
    /// Relative to the base URL, without a slash before it.
    pub path: String,
    /// Names and values, not encoded yet.
    pub query: Vec<(&'static str, String)>,
    /// JSON, where there is a body.
    pub body: Option<Vec<u8>>,
}

/// An answer that has come: its status, the headers that matter, and the body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Incoming {
    /// The HTTP status.
    pub status: u16,
    /// `X-Rate-Limit-Remaining`
    pub remaining: Option<String>,
    /// `X-Retry-After`
    pub x_retry_after: Option<String>,
    /// `Retry-After`
    pub retry_after: Option<String>,
    /// `Date`
    pub date: Option<String>,
    /// The whole body; of an error as much as could be had.
    pub body: Vec<u8>,
}

impl Outgoing {
    /// The request that reads.
    pub fn read(request: &ReadRequest) -> Self {
        let get = |path: String| Self { method: "GET", path, query: Vec::new(), body: None };
        match request {
            ReadRequest::Me => get("me".into()),
            ReadRequest::Roles => get("user-roles".into()),
            ReadRequest::Listing { deactivated, cursor } => {
                let deactivated = deactivated.then(|| ("include_deactivated", "true".to_owned()));
                let cursor = cursor.clone().map(|cursor| ("cursor", cursor));
                Self { query: deactivated.into_iter().chain(cursor).collect(), ..get("users".into()) }
            }
            ReadRequest::Search { emails, limit, cursor } => {
                let body = wire::search_body(emails, *limit, cursor.as_deref());
                Self { method: "POST", body: Some(body), ..get("users/search".into()) }
            }
            ReadRequest::Person(id) => get(format!("users/{}", id.as_str())),
            ReadRequest::AuditLog { people, limit, cursor } => {
                let body = wire::audit_body(people, *limit, cursor.as_deref());
                Self { method: "POST", body: Some(body), ..get("audit-logs/search".into()) }
            }
        }
    }

    /// `PATCH /users/{id}`
    pub fn patch(id: &UserId, patch: &Patch) -> Self {
        Self {
            method: "PATCH",
            path: format!("users/{}", id.as_str()),
            query: Vec::new(),
            body: Some(wire::patch_body(patch)),
        }
    }
}

/// What came of asking `request`. `now` is for servers that give a date to wait for and none of their own.
pub fn read(request: &ReadRequest, came: Result<Incoming, Trouble>, now: Timestamp) -> Attempt<Answer> {
    attempt(request.asked(), came, now, |body| wire::decode(request, body))
}

/// What came of patching `id`: the person as they are afterwards.
pub fn patched(id: &UserId, came: Result<Incoming, Trouble>, now: Timestamp) -> Attempt<Person> {
    let asked = format!("PATCH /users/{}", id.as_str());
    attempt(asked, came, now, |body| wire::decode_person(id, body))
}

fn attempt<T>(
    asked: String,
    came: Result<Incoming, Trouble>,
    now: Timestamp,
    decode: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Attempt<T> {
    let remaining = came.as_ref().ok().and_then(|incoming| incoming.remaining.as_ref()?.trim().parse().ok());
    let date = came.as_ref().ok().and_then(|incoming| hint::http_date(incoming.date.as_deref()?));
    let result = came.and_then(|incoming| {
        if (200..300).contains(&incoming.status) {
            decode(&incoming.body).map_err(Trouble::BadAnswer)
        } else {
            Err(Trouble::Refused(refusal(&incoming, now)))
        }
    });
    let result = result.map_err(|trouble| Failure { asked, trouble });
    Attempt { result, remaining, date }
}

fn refusal(incoming: &Incoming, now: Timestamp) -> Refusal {
    let Incoming { status, remaining: _, x_retry_after, retry_after, date, body } = incoming;
    let hint = hint::wait(x_retry_after.as_deref(), retry_after.as_deref(), date.as_deref(), now);
    let mut refusal = Refusal { status: *status, hint, ..Refusal::default() };
    if let Some(wire::WireError { errors, request_id, code }) = wire::error(body) {
        (refusal.errors, refusal.request_id, refusal.code) = (errors, request_id, code);
    }
    refusal
}
