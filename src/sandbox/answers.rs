//! What each endpoint answers, once a request has passed the checks at the gate.
//!
//! Guarantees that reading changes nothing and that a list is serialised straight from the stored people. Leaves the gate to `world`
//! and the write to `patch`.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    audit,
    endpoint::Endpoint,
    filter::{EmailIs, RawFilter, UserFilter},
    message::{Code, MAX_BODY_BYTES, Pagination, Refusal, Request, Success, integer, json, present},
    page,
    patch::Patch,
    state::{Api, EmptyData, Organization},
    user::{User, UserView},
    world::World,
};

/// The body of a user search.
#[derive(Debug, Deserialize)]
struct Search {
    filter: RawFilter,
    #[serde(default, deserialize_with = "integer")]
    limit: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    cursor: Option<String>,
}

impl World {
    /// The body of a 200, or why not.
    pub(super) fn carry_out(
        &mut self,
        now: Duration,
        endpoint: Endpoint<'_>,
        request: &Request,
        id: &str,
    ) -> Result<Vec<u8>, Refusal> {
        if request.body.len() > MAX_BODY_BYTES {
            return Err(Refusal::new(Code::PayloadTooLarge, "the request body is too large"));
        }
        match endpoint {
            Endpoint::Me => Ok(self.me(id)),
            Endpoint::ListRoles => Ok(success(&self.roles, None, id)),
            Endpoint::ListUsers => self.list(&request.query, id),
            Endpoint::SearchUsers => self.search(&read(&request.body)?, id),
            Endpoint::GetUser(user_id) => {
                let user = self.people.by_id(user_id).and_then(|at| self.people.get(at));
                user.map(|user| success(self.view(user), None, id)).ok_or_else(Refusal::no_such_user)
            }
            Endpoint::UpdateUser(user_id) => {
                if !self.settings.token_can_write {
                    return Err(Refusal::new(Code::PermissionDenied, "this token may not change users"));
                }
                let at = self.people.by_id(user_id).ok_or_else(Refusal::no_such_user)?;
                let user = self.patch(now, at, read::<Patch>(&request.body)?)?;
                Ok(success(self.view(&user), None, id))
            }
            Endpoint::SearchAuditLog => {
                if !self.settings.audit_log {
                    return Err(self.no_audit_log());
                }
                let search: audit::Search = read(&request.body)?;
                let page = self.audit.search(&search, self.settings.max_filter_values, self.api)?;
                let count = page.entries.len();
                Ok(self.list_response(page.entries, count, page.pagination, id))
            }
        }
    }

    /// Which of the two Pylon answers nobody outside knows.
    fn no_audit_log(&self) -> Refusal {
        if self.settings.audit_log_hidden {
            Refusal::new(Code::NotFound, "there is nothing at this path")
        } else {
            Refusal::new(Code::PermissionDenied, "audit logs are not part of this organization's plan")
        }
    }

    fn me(&self, request_id: &str) -> Vec<u8> {
        #[derive(Serialize)]
        struct Me<'a> {
            id: &'a str,
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            user: Option<MeUser<'a>>,
        }
        #[derive(Serialize)]
        struct MeUser<'a> {
            id: &'a str,
            email: &'a str,
        }
        let user = self.token_user.and_then(|at| self.people.get(at));
        let email = user.map_or("", |user| user.email.as_str());
        let Organization { id, name } = &self.organization;
        let user = match self.api {
            Api::April2026 => None,
            Api::July2026 | Api::October2026 => Some(MeUser { id: self.token_user_id(), email }),
        };
        success(Me { id, name, user }, None, request_id)
    }

    fn list(&self, query: &str, request_id: &str) -> Result<Vec<u8>, Refusal> {
        let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        let deactivated_too = match value("include_deactivated") {
            Some("true" | "1") => true,
            None | Some("false" | "0") => false,
            Some(_) => return Err(Refusal::bad_request("include_deactivated is true or false")),
        };
        let question = page::question(&("list", deactivated_too));
        // Without paging the undocumented cursor is not looked at.
        let (start, limit) = match self.settings.list_page {
            // A page of nobody would never end.
            Some(limit) => (page::position(question, value("cursor"))?, limit.max(1)),
            None => (None, usize::MAX),
        };
        let listed =
            |at: &usize| deactivated_too || self.people.get(*at).is_some_and(|user| !user.deactivated);
        let (page, next) = page::take(self.people_from(start).filter(listed), limit);
        Ok(self.page(&page, next, question, request_id))
    }

    fn search(&self, search: &Search, request_id: &str) -> Result<Vec<u8>, Refusal> {
        let Search { filter, limit, cursor } = search;
        let question = page::question(&("search", filter));
        let limit = page::limit(*limit)?;
        let condition = |field: &str, operator: &str, raw: &RawFilter| {
            EmailIs::read(&self.settings, field, operator, raw)
        };
        let filter = UserFilter::read(filter, self.settings.max_filter_values, &condition)?;
        let start = page::position(question, cursor.as_deref())?;
        let deactivated_too = self.settings.search_returns_deactivated;
        let found = |at: &usize| {
            self.people
                .get(*at)
                .is_some_and(|user| (deactivated_too || !user.deactivated) && filter.finds(user))
        };
        let (page, next) = match filter.candidates(&self.people) {
            Some(few) => {
                page::take(few.into_iter().filter(|at| *at as u64 >= start.unwrap_or(0)).filter(found), limit)
            }
            None => page::take(self.people_from(start).filter(found), limit),
        };
        Ok(self.page(&page, next, question, request_id))
    }

    fn people_from(&self, start: Option<u64>) -> impl Iterator<Item = usize> + use<> {
        usize::try_from(start.unwrap_or(0)).unwrap_or(usize::MAX)..self.people.all().len()
    }

    fn page(&self, page: &[usize], next: Option<u64>, question: u64, request_id: &str) -> Vec<u8> {
        /// Serialises as it goes: the users of a large page are never collected.
        struct Views<'a>(&'a World, &'a [usize]);
        impl Serialize for Views<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(
                    self.1.iter().filter_map(|at| self.0.people.get(*at)).map(|user| self.0.view(user)),
                )
            }
        }
        let next = next.map(|position| page::cursor(question, position));
        self.list_response(Views(self, page), page.len(), Pagination::of(next, self.api), request_id)
    }

    /// The body of a list response with `count` entries. The setting `empty_data` decides how an empty one looks.
    fn list_response<T: Serialize>(
        &self,
        entries: T,
        count: usize,
        pagination: Option<Pagination>,
        request_id: &str,
    ) -> Vec<u8> {
        let empty = Some(self.settings.empty_data).filter(|_| count == 0);
        match empty {
            None | Some(EmptyData::List) => success(entries, pagination, request_id),
            Some(EmptyData::Null) => success((), pagination, request_id),
            Some(EmptyData::Omitted) => json(&Success::<()> { data: None, pagination: None, request_id }),
        }
    }

    fn view<'a>(&'a self, user: &'a User) -> UserView<'a> {
        UserView { user, roles: &self.roles, api: self.api, empty_lists: self.settings.empty_lists }
    }
}

fn success<T: Serialize>(data: T, pagination: Option<Pagination>, request_id: &str) -> Vec<u8> {
    json(&Success { data: Some(data), pagination, request_id })
}

/// Reads a body that is an object. By way of a map, because a derived struct would also take a list of its values in order; of a key
/// given twice the last counts, as in most servers.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice::<Map<String, Value>>(body)
        .and_then(|object| serde_json::from_value(Value::Object(object)))
        .map_err(|error| Refusal::bad_request(format!("the request body cannot be read: {error}")))
}
