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
    fault::Fault,
    filter::{EmailIs, RawFilter, UserFilter},
    message::{Code, MAX_BODY_BYTES, Pagination, Refusal, Request, Success, integer, json, present},
    page,
    patch::Patch,
    state::{Api, EmptyData, Organization, Role},
    twist::Twist,
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
        twist: &mut Twist,
    ) -> Result<Vec<u8>, Refusal> {
        if request.body.len() > MAX_BODY_BYTES {
            return Err(Refusal::new(Code::PayloadTooLarge, "the request body is too large"));
        }
        match endpoint {
            Endpoint::Me => Ok(self.me(id)),
            Endpoint::ListRoles => self.list_roles(&request.query, id, twist),
            Endpoint::ListUsers => self.list(&request.query, id, twist).map(|body| twist.remove_field(body)),
            Endpoint::SearchUsers => {
                self.search(&read(&request.body)?, id, twist).map(|body| twist.remove_field(body))
            }
            Endpoint::GetUser(user_id) => {
                let user = self.people.by_id(user_id).and_then(|at| self.people.get(at));
                let body = user.map(|user| success(self.view(user), None, id));
                body.map(|body| twist.remove_field(body)).ok_or_else(Refusal::no_such_user)
            }
            Endpoint::UpdateUser(user_id) => {
                if !self.settings.token_can_write {
                    return Err(Refusal::new(Code::PermissionDenied, "this token may not change users"));
                }
                let at = self.people.by_id(user_id).ok_or_else(Refusal::no_such_user)?;
                let user = self.patch(now, at, read::<Patch>(&request.body)?, twist)?;
                Ok(twist.remove_field(success(self.view(&user), None, id)))
            }
            Endpoint::SearchAuditLog => {
                if !self.settings.audit_log {
                    return Err(self.no_audit_log());
                }
                let search: audit::Search = read(&request.body)?;
                let page = self.audit.search(&search, self.settings.max_filter_values, self.api)?;
                if twist.acts(Fault::PageWithoutData, true) {
                    return Ok(self.page_without_data(page.cursor, id));
                }
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

    /// All roles, or a page of them. A cursor is followed in any case: the fault `roles-paged` gives one without the setting.
    fn list_roles(&self, query: &str, request_id: &str, twist: &mut Twist) -> Result<Vec<u8>, Refusal> {
        let question = page::question(&"roles");
        let start = page::position(question, parameter(query, "cursor"))?;
        let at = start.unwrap_or(0);
        if twist.acts(Fault::PageWithoutData, true) {
            return Ok(self.page_without_data(page::cursor(question, at), request_id));
        }
        let rest: Vec<&Role> = self.roles.iter().skip(usize::try_from(at).unwrap_or(usize::MAX)).collect();
        let limit = self.settings.roles_page.map_or(usize::MAX, |limit| limit.max(1)).min(rest.len());
        let half = self.roles.len().div_ceil(2);
        let limit = if twist.acts(Fault::RolesPaged, half < limit) { half } else { limit };
        let next = (limit < rest.len()).then(|| page::cursor(question, at + limit as u64));
        let in_pages = next.is_some() || start.is_some() || self.settings.roles_page.is_some();
        let pagination = if in_pages { Pagination::of(next, self.api) } else { None };
        Ok(success(&rest[..limit], pagination, request_id))
    }

    fn list(&self, query: &str, request_id: &str, twist: &mut Twist) -> Result<Vec<u8>, Refusal> {
        let deactivated_too = match parameter(query, "include_deactivated") {
            Some("true" | "1") => true,
            None | Some("false" | "0") => false,
            Some(_) => return Err(Refusal::bad_request("include_deactivated is true or false")),
        };
        let question = page::question(&("list", deactivated_too));
        // Without paging the undocumented cursor is not looked at.
        let (start, limit) = match self.settings.list_page {
            // A page of nobody would never end.
            Some(limit) => (page::position(question, parameter(query, "cursor"))?, limit.max(1)),
            None => (None, usize::MAX),
        };
        let listed =
            |at: &usize| deactivated_too || self.people.get(*at).is_some_and(|user| !user.deactivated);
        if twist.acts(Fault::PageWithoutData, true) {
            return Ok(self.page_without_data(page::cursor(question, start.unwrap_or(0)), request_id));
        }
        let (mut page, next) = page::take(self.people_from(start).filter(listed), limit);
        let is_person = |at: &usize| self.people.get(*at).is_some_and(|user| user.kind.is_person());
        let people: Vec<usize> = page.iter().copied().filter(is_person).collect();
        if twist.acts(Fault::ListingShort, !people.is_empty()) {
            let left_out = people[twist.choose(people.len())];
            page.retain(|at| *at != left_out);
        }
        Ok(self.page(&page, next, question, request_id))
    }

    fn search(&self, search: &Search, request_id: &str, twist: &mut Twist) -> Result<Vec<u8>, Refusal> {
        let Search { filter, limit, cursor } = search;
        let question = page::question(&("search", filter));
        let limit = page::limit(*limit)?;
        let condition = |field: &str, operator: &str, raw: &RawFilter| {
            EmailIs::read(&self.settings, field, operator, raw)
        };
        let filter = UserFilter::read(filter, self.settings.max_filter_values, &condition)?;
        let start = page::position(question, cursor.as_deref())?;
        if twist.acts(Fault::PageWithoutData, true) {
            return Ok(self.page_without_data(page::cursor(question, start.unwrap_or(0)), request_id));
        }
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

    /// A page without entries that says that a next page follows, with this cursor.
    fn page_without_data(&self, cursor: String, request_id: &str) -> Vec<u8> {
        let nothing: [(); 0] = [];
        self.list_response(nothing, 0, Pagination::of(Some(cursor), self.api), request_id)
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
            Some(EmptyData::Omitted) => {
                let pagination = pagination.filter(Pagination::has_next_page);
                json(&Success::<()> { data: None, pagination, request_id })
            }
        }
    }

    fn view<'a>(&'a self, user: &'a User) -> UserView<'a> {
        UserView { user, roles: &self.roles, api: self.api, empty_lists: self.settings.empty_lists }
    }
}

/// The value of a query parameter, undecoded.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
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
