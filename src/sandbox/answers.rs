//! Computes the response of each operation, once a request has passed the checks in `world`.
//!
//! Read operations never modify the world, and lists are serialized directly from the stored users. The only write operation is
//! implemented in `patch`.

use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::context::RequestContext;
use super::fault::Fault;
use super::filter::{EmailIs, Filter, MAX_DEPTH, RawFilter, SearchBody, read_body};
use super::message::{ApiError, ErrorCode, MAX_BODY_BYTES, Request, to_bytes};
use super::operation::ApiOperation;
use super::organization::{Api, EmptyData, Organization, Role};
use super::page::{self, Pagination};
use super::user::UserView;
use super::world::World;
use super::written_user::WrittenUser;

/// The envelope of every successful response. Only a list response without entries can omit `data`.
#[derive(Serialize)]
struct Success<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Pagination>,
    request_id: &'a str,
}

impl World {
    /// Carries out an operation and returns the body of its 200 response.
    pub(super) fn carry_out(
        &mut self,
        now: Duration,
        operation: ApiOperation,
        user_id: &str,
        request: &Request,
        context: &mut RequestContext,
    ) -> Result<Vec<u8>, ApiError> {
        let Request { query, body, .. } = request;
        if body.len() > MAX_BODY_BYTES {
            return Err(ApiError::new(ErrorCode::PayloadTooLarge, "the request body is too large"));
        }
        let body = match operation {
            ApiOperation::GetMe => return Ok(self.me(context)),
            ApiOperation::ListRoles => return self.list_roles(query, context),
            ApiOperation::SearchAuditLog => return self.search_audit_log(body, context),
            ApiOperation::ListUsers => self.list_users(query, context)?,
            ApiOperation::SearchUsers => self.search_users(read_body(body)?, context)?,
            ApiOperation::GetUser => {
                let user = self.users.by_id(user_id).and_then(|at| self.users.get(at));
                success(self.view(user.ok_or_else(ApiError::no_such_user)?), None, context)
            }
            ApiOperation::UpdateUser => {
                if !self.settings.token_can_write {
                    return Err(ApiError::new(
                        ErrorCode::PermissionDenied,
                        "this token may not change users",
                    ));
                }
                let at = self.users.by_id(user_id).ok_or_else(ApiError::no_such_user)?;
                let user = self.patch(now, at, read_body(body)?, context)?;
                success(self.view(&user), None, context)
            }
        };
        Ok(context.remove_field(body))
    }

    fn me(&self, context: &RequestContext) -> Vec<u8> {
        let Organization { id, name } = &self.organization;
        let mut me = json!({ "id": id, "name": name });
        if self.api != Api::April2026 {
            let user = self.token_user.and_then(|at| self.users.get(at));
            let email = user.map_or("", |user| user.email.as_str());
            me["user"] = json!({ "id": self.token_user_id(), "email": email });
        }
        success(me, None, context)
    }

    /// Returns the roles, in pages if the setting `roles_page` or the fault `roles-paged` requires it. Because the fault returns
    /// cursors too, a cursor is accepted even if `roles_page` isn't set.
    fn list_roles(&self, query: &str, context: &mut RequestContext) -> Result<Vec<u8>, ApiError> {
        let question = page::question(&"roles");
        let start = page::position(question, parameter(query, "cursor"))?;
        let at = start.unwrap_or(0);
        if context.acts(Fault::PageWithoutData, true) {
            return Ok(self.list_response((), 0, page::cursor(question, at), None, context));
        }
        let rest: Vec<&Role> = self.roles.iter().skip(at).collect();
        let limit = self.settings.roles_page.map_or(usize::MAX, |limit| limit.max(1)).min(rest.len());
        let half = self.roles.len().div_ceil(2);
        let limit = if context.acts(Fault::RolesPaged, half < limit) { half } else { limit };
        let next = (limit < rest.len()).then(|| page::cursor(question, at + limit));
        let in_pages = next.is_some() || start.is_some() || self.settings.roles_page.is_some();
        let pagination = if in_pages { Pagination::new(next, self.api) } else { None };
        Ok(success(&rest[..limit], pagination, context))
    }

    fn list_users(&self, query: &str, context: &mut RequestContext) -> Result<Vec<u8>, ApiError> {
        let deactivated_too = match parameter(query, "include_deactivated") {
            Some("true" | "1") => true,
            None | Some("false" | "0") => false,
            Some(_) => return Err(ApiError::bad_request("include_deactivated is true or false")),
        };
        let question = page::question(&("list", deactivated_too));
        // Unless the setting `list_page` enables paging, the undocumented query parameter `cursor` is ignored.
        let (start, limit) = match self.settings.list_page {
            // With a page size of 0, the paging would never end.
            Some(limit) => (page::position(question, parameter(query, "cursor"))?.unwrap_or(0), limit.max(1)),
            None => (0, usize::MAX),
        };
        let is_listed = |user: &WrittenUser| deactivated_too || !user.deactivated;
        let listed = (start..self.users.len()).filter(|at| self.users.get(*at).is_some_and(is_listed));
        let (mut page, next) = page::take(listed, limit);
        let is_person = |at: &usize| self.users.get(*at).is_some_and(WrittenUser::is_person);
        let people: Vec<usize> = page.iter().copied().filter(is_person).collect();
        if context.acts(Fault::ListingShort, !people.is_empty()) {
            let left_out = people[context.choose(people.len())];
            page.retain(|at| *at != left_out);
        }
        Ok(self.user_page(&page, question, start, next, context))
    }

    fn search_users(&self, body: SearchBody, context: &mut RequestContext) -> Result<Vec<u8>, ApiError> {
        let SearchBody { filter, limit, cursor } = body;
        let missing = || ApiError::bad_request("the request body cannot be read: missing field `filter`");
        let filter = filter.ok_or_else(missing)?;
        let question = page::question(&("search", &filter));
        let limit = page::limit(limit)?;
        let condition = |field: &str, operator: &str, raw: &RawFilter| {
            EmailIs::read(&self.settings, field, operator, raw)
        };
        let filter = Filter::read(&filter, MAX_DEPTH, self.settings.max_filter_values, &condition)?;
        let start = page::position(question, cursor.as_deref())?.unwrap_or(0);
        let deactivated_too = self.settings.search_returns_deactivated;
        let is_found = |user: &WrittenUser| (deactivated_too || !user.deactivated) && filter.finds(user);
        let candidates = filter.candidates(&self.users);
        let candidates = candidates.unwrap_or_else(|| (start..self.users.len()).collect());
        let found =
            candidates.into_iter().filter(|at| *at >= start && self.users.get(*at).is_some_and(is_found));
        let (page, next) = page::take(found, limit);
        Ok(self.user_page(&page, question, start, next, context))
    }

    fn search_audit_log(&self, body: &[u8], context: &mut RequestContext) -> Result<Vec<u8>, ApiError> {
        if !self.settings.audit_log {
            // It's unknown which of these errors the real API returns.
            return Err(if self.settings.audit_log_hidden {
                ApiError::new(ErrorCode::NotFound, "there is nothing at this path")
            } else {
                let text = "audit logs are not part of this organization's plan";
                ApiError::new(ErrorCode::PermissionDenied, text)
            });
        }
        let page = self.audit.search(&read_body(body)?, self.settings.max_filter_values)?;
        let count = page.entries.len();
        Ok(self.list_response(page.entries, count, page.here, page.next, context))
    }

    /// Returns the response with the users of a page. `start` and `next` are the positions of this page and the next one.
    fn user_page(
        &self,
        page: &[usize],
        question: u64,
        start: usize,
        next: Option<usize>,
        context: &mut RequestContext,
    ) -> Vec<u8> {
        /// Serializes the users of a page one at a time, because collecting all [`UserView`]s first would take a lot of memory for
        /// a large page.
        struct Views<'a>(&'a World, &'a [usize]);
        impl Serialize for Views<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Self(world, page) = self;
                let users = page.iter().filter_map(|at| world.users.get(*at));
                serializer.collect_seq(users.map(|user| world.view(user)))
            }
        }
        let cursor = |position| page::cursor(question, position);
        self.list_response(Views(self, page), page.len(), cursor(start), next.map(cursor), context)
    }

    /// Returns the body of a list response with `count` entries. `here` is the cursor of these entries, and `next` is the cursor of
    /// the next page. The fault `page-without-data` withholds the entries and claims that they're on the next page. The setting
    /// `empty_data` determines the form of an empty list.
    fn list_response<T: Serialize>(
        &self,
        entries: T,
        count: usize,
        here: String,
        next: Option<String>,
        context: &mut RequestContext,
    ) -> Vec<u8> {
        let is_withheld = context.acts(Fault::PageWithoutData, true);
        let pagination = Pagination::new(if is_withheld { Some(here) } else { next }, self.api);
        if count > 0 && !is_withheld {
            return success(entries, pagination, context);
        }
        match self.settings.empty_data {
            EmptyData::List => success([(); 0], pagination, context),
            EmptyData::Null => success((), pagination, context),
            EmptyData::Omitted => {
                let pagination = pagination.filter(|pagination| pagination.has_next_page);
                to_bytes(&Success::<()> { data: None, pagination, request_id: &context.request_id })
            }
        }
    }

    fn view<'a>(&'a self, user: &'a WrittenUser) -> UserView<'a> {
        user.view(&self.roles, self.api, self.settings.empty_lists)
    }
}

/// Returns the raw value of a query parameter, without percent-decoding it.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn success<T: Serialize>(data: T, pagination: Option<Pagination>, context: &RequestContext) -> Vec<u8> {
    to_bytes(&Success { data: Some(data), pagination, request_id: &context.request_id })
}
