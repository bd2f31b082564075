//! An in-memory fake Pylon. Given a request and the time, [`World`] changes its state and returns the response.
//!
//! A world doesn't use a clock, random numbers, files, or sockets, so the same requests at the same times result in the same
//! responses, byte for byte. This module determines the order in which a request is checked: path, method, token, rate limit, body.
//! `answers` implements the read operations, `patch` the only write operation, and `delivery` the faults.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::audit::{AuditLog, LoggedChange};
use super::context::RequestContext;
use super::identifiers::uuid_in_series;
use super::limiter::Limiters;
use super::limits::Limits;
use super::message::{ApiError, ErrorCode, Request, Response};
use super::operation::ApiOperation;
use super::organization::{Api, ApiSettings, Organization, OrganizationStanding, Role, find_role};
use super::state::SandboxState;
use super::users::Users;
use super::written_user::{Resolver, UserKind, WrittenUser};

/// The API token that a world accepts unless another one is set with [`World::with_token`].
pub const DEFAULT_TOKEN: &str = "sandbox-token";
/// The user ID returned by `GET /me`, if the token belongs to an API user.
const API_USER_ID: &str = "a91c2e64-7b3f-4d08-8e5a-c60f41d9b273";

/// An organization in the sandbox, along with the state and settings of its API.
#[derive(Debug, Clone)]
pub struct World {
    pub organization: Organization,
    pub(super) api: Api,
    pub settings: ApiSettings,
    /// The API token that the world accepts. It's treated as a secret because users may pass a real Pylon token by mistake.
    token: SecretString,
    pub(super) token_user: Option<usize>,
    pub(super) roles: Vec<Role>,
    pub(super) users: Users,
    pub(super) audit: AuditLog,
    /// Whether the sandbox generated the organization, using the people declared in the files if there are any.
    pub made_up: bool,
    pub(super) epoch: Timestamp,
    limiters: Limiters,
    requests: u64,
    pub(super) audited: u64,
    pub(super) revision: u64,
}

impl World {
    /// Creates a world in this state, with the default token and the rate limits documented for the state's API version.
    /// `epoch` is the wall-clock time that corresponds to a `now` of zero in other methods. If the state is invalid, the error
    /// contains one sentence per problem.
    pub fn new(state: SandboxState, epoch: Timestamp) -> Result<Self, Vec<String>> {
        let SandboxState { organization, api, token_user, roles, settings, users, audit, made_up } = state;
        let roles = roles.unwrap_or_else(Role::built_in);
        let mut resolver = Resolver::new(&roles);
        for (name, size) in [("list_page", settings.list_page), ("roles_page", settings.roles_page)] {
            if size == Some(0) {
                resolver.problems.push(format!("settings: `{name}` must be at least 1"));
            }
        }
        let users = users.into_iter().enumerate().map(|(at, user)| Arc::new(resolver.user(at, user)));
        let users = Users::new(users.collect());
        let owner = token_user.as_deref().and_then(|id| users.by_id(id));
        if let (Some(id), None) = (token_user, owner) {
            resolver.problems.push(format!("token_user: there is no user with id `{id}`"));
        }
        if !resolver.problems.is_empty() {
            return Err(resolver.problems);
        }
        Ok(Self {
            organization,
            api,
            settings,
            token: DEFAULT_TOKEN.into(),
            token_user: owner,
            roles,
            users,
            audit: AuditLog::new(audit),
            made_up,
            epoch,
            limiters: Limiters::new(Limits::documented(api)),
            requests: 0,
            audited: 0,
            revision: 0,
        })
    }

    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = token.into();
        self
    }

    /// Replaces the rate limits and resets their counters.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limiters = Limiters::new(limits);
        self
    }

    pub fn api(&self) -> Api {
        self.api
    }

    /// Counts this number of requests against the rate limit, as if another API client of the organization had sent them. Returns
    /// the number of admitted requests.
    pub fn spend(&mut self, now: Duration, operation: ApiOperation, requests: u32) -> u32 {
        (0..requests).map(|_| u32::from(!matches!(self.limiters.arrive(operation, now), Some(Err(_))))).sum()
    }

    /// Returns a counter that increases whenever a user changes.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the user with this ID or primary address, in the format of `pylon.json`.
    pub fn user(&self, who: &str) -> Option<WrittenUser> {
        self.find(who).map(|(_, user)| user.clone())
    }

    /// Returns the number of users, not counting integrations.
    pub fn person_count(&self) -> usize {
        self.users.iter().filter(|user| user.kind == UserKind::Person).count()
    }

    pub fn users(&self) -> impl Iterator<Item = WrittenUser> {
        self.users.iter().cloned()
    }

    /// Returns the number of users (except deactivated ones) who hold a role, whether it's assigned or from a SCIM group. `role` is
    /// a slug, ID, or name.
    pub fn holders(&self, role: &str) -> usize {
        let Ok(role) = find_role(&self.roles, role) else { return 0 };
        let role = role.word(&self.roles);
        let holds = |user: &&WrittenUser| user.roles.iter().chain(&user.scim_roles).any(|held| held == role);
        self.users.iter().filter(|user| !user.deactivated).filter(holds).count()
    }

    /// Returns the audit log, oldest entry first.
    pub fn audit_log(&self) -> impl Iterator<Item = &LoggedChange> {
        self.audit.oldest_first()
    }

    /// Returns the state to save, with all defaults filled in.
    pub fn to_state(&self) -> SandboxState {
        SandboxState {
            organization: self.organization.clone(),
            api: self.api,
            token_user: self.token_user.and_then(|at| self.users.get(at)?.id.clone()),
            roles: Some(self.roles.clone()),
            settings: self.settings.clone(),
            users: self.users().collect(),
            audit: self.audit_log().cloned().collect(),
            made_up: self.made_up,
        }
    }

    /// Handles a request that arrives `now` after the epoch, without injecting a fault.
    pub fn handle(&mut self, now: Duration, request: &Request) -> Response {
        let mut context = RequestContext::new(self.next_request_id(), None, 0);
        self.respond(now, request, &mut context)
    }

    pub(super) fn respond(
        &mut self,
        now: Duration,
        request: &Request,
        context: &mut RequestContext,
    ) -> Response {
        let mut remaining = None;
        let answer = ApiOperation::find(&request.method, &request.path).and_then(|(operation, user_id)| {
            self.authorize(request.authorization.as_deref())?;
            remaining = self.admit(now, operation)?;
            self.carry_out(now, operation, user_id, request, context)
        });
        let mut response = match answer {
            Ok(body) => Response::of_pylon(200, body, &context.request_id),
            Err(error) => error.into_response(self.api, &context.request_id),
        };
        response.headers.extend(remaining.map(|remaining| ("X-Rate-Limit-Remaining", remaining.to_string())));
        response
    }

    /// Converts an error that is injected by a fault to a response in the format of the world's API version.
    pub(super) fn error_response(&mut self, error: ApiError) -> Response {
        let request_id = self.next_request_id();
        error.into_response(self.api, &request_id)
    }

    pub(super) fn next_request_id(&mut self) -> String {
        self.requests += 1;
        uuid_in_series(0, self.requests)
    }

    fn authorize(&self, header: Option<&str>) -> Result<(), ApiError> {
        let (scheme, token) = header.and_then(|value| value.trim().split_once(' ')).unwrap_or_default();
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(char::is_whitespace) {
            let text = "expected the header Authorization: Bearer <token>";
            return Err(ApiError::new(ErrorCode::InvalidAuthorizationHeader, text));
        }
        let accepted = self.token.expose_secret();
        if token.strip_suffix("-other-region") == Some(accepted) {
            let here = self.settings.region.as_str();
            let text = format!("this token belongs to another region than {here}");
            return Err(ApiError::new(ErrorCode::WrongRegionToken, text));
        }
        if token != accepted {
            return Err(ApiError::new(ErrorCode::InvalidApiToken, "this API token is not valid"));
        }
        match self.settings.standing {
            OrganizationStanding::Good => Ok(()),
            OrganizationStanding::Suspended => {
                Err(ApiError::new(ErrorCode::OrganizationSuspended, "this organization is suspended"))
            }
            OrganizationStanding::Deactivated => {
                Err(ApiError::new(ErrorCode::OrganizationDeactivated, "this organization is deactivated"))
            }
        }
    }

    /// Counts the request against the rate limit of its operation. Returns the number of further requests that would be admitted
    /// now, or `None` if the operation is unlimited.
    fn admit(&mut self, now: Duration, operation: ApiOperation) -> Result<Option<u128>, ApiError> {
        self.limiters.arrive(operation, now).transpose().map_err(|retry_after| {
            ApiError::rate_limited(retry_after.as_nanos().div_ceil(1_000_000_000).max(1))
        })
    }

    pub(super) fn token_user_id(&self) -> &str {
        self.token_user.and_then(|at| self.users.get(at)?.id.as_deref()).unwrap_or(API_USER_ID)
    }

    /// Finds a user by ID or primary address.
    pub(super) fn find(&self, who: &str) -> Option<(usize, &WrittenUser)> {
        let at = self.users.by_id(who).or_else(|| self.users.with_address(who, false).next())?;
        Some((at, self.users.get(at)?))
    }

    /// Converts `now`, the time since the epoch, to a wall-clock time, saturating at the maximum timestamp.
    pub(super) fn timestamp(&self, now: Duration) -> Timestamp {
        self.epoch.checked_add(now).unwrap_or(Timestamp::MAX)
    }
}
