//! The whole of Pylon as a value: a request and the time go in, a response comes out.
//!
//! Guarantees no clock, randomness, file or socket: the same requests at the same times give the same bytes. Owns the order of
//! checks: path, method, token, rate limit, body. Leaves what an endpoint answers to `answers`, the write to `patch`, and what goes wrong
//! on purpose to `delivery`.

use std::{fmt, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    audit::{self, Log},
    draft::find_role,
    endpoint::Endpoint,
    limiter::{Limiters, Verdict},
    limits::{Class, Limits},
    message::{Code, Refusal, Request, Response, uuid_in_series},
    people::People,
    person::Person,
    state::{Api, Organization, Role, Settings, Standing, State},
    twist::Twist,
    user::User,
};

/// The token that is accepted unless another is set.
pub const DEFAULT_TOKEN: &str = "sandbox-token";
/// What `GET /me` shows as the user of a token that belongs to nobody.
pub(super) const API_USER_ID: &str = "a91c2e64-7b3f-4d08-8e5a-c60f41d9b273";

/// The accepted token; somebody will one day pass a real one, so it cannot be printed by accident.
#[derive(Clone)]
struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<token>")
    }
}

/// A sandbox organisation, and how its API answers.
#[derive(Debug, Clone)]
pub struct World {
    pub(super) organization: Organization,
    pub(super) api: Api,
    pub(super) settings: Settings,
    token: Token,
    pub(super) token_user: Option<usize>,
    pub(super) roles: Vec<Role>,
    pub(super) people: People,
    pub(super) audit: Log,
    made_up: bool,
    pub(super) epoch: Timestamp,
    limiters: Limiters,
    requests: u64,
    pub(super) audited: u64,
    pub(super) revision: u64,
}

impl World {
    /// A world in this state; `epoch` is the wall-clock time at which `now` is zero. The documented limits of its date, token `sandbox-token`.
    pub fn new(state: State, epoch: Timestamp) -> Self {
        let State { organization, api, settings, token_user, roles, users, audit, made_up } = state;
        let people = People::index(users);
        Self {
            organization,
            api,
            settings,
            token: Token(DEFAULT_TOKEN.to_owned()),
            token_user: token_user.and_then(|id| people.by_id(&id)),
            roles,
            people,
            audit: Log::of(audit),
            made_up,
            epoch,
            limiters: Limiters::new(Limits::documented_in(api)),
            requests: 0,
            audited: 0,
            revision: 0,
        }
    }

    /// The same with another token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.set_token(token);
        self
    }

    /// The same with other limits, counted from nothing.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.set_limits(limits);
        self
    }

    /// Accepts this token from now on, and no other.
    pub fn set_token(&mut self, token: &str) {
        token.clone_into(&mut self.token.0);
    }

    /// Counts by these limits from now on, from nothing.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limiters = Limiters::new(limits);
    }

    /// The token that is accepted.
    pub fn token(&self) -> &str {
        &self.token.0
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.limiters.limits()
    }

    /// How the API behaves where nobody knows.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same, to be changed while the world runs.
    pub fn settings_mut(&mut self) -> &mut Settings {
        self.revision += 1;
        &mut self.settings
    }

    /// A neighbour integration spends so many requests of the organisation's allowance; how many of them were let in.
    pub fn spend(&mut self, now: Duration, class: Class, requests: u32) -> u32 {
        let admitted = |_: &u32| !matches!(self.limiters.arrive(class, now), Some(Verdict::Refused { .. }));
        let admitted = (0..requests).filter(admitted).count();
        u32::try_from(admitted).unwrap_or(u32::MAX)
    }

    /// Goes up with every change worth saving.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the sandbox made the organization up.
    pub fn is_made_up(&self) -> bool {
        self.made_up
    }

    /// One person, by id or primary address.
    pub fn person(&self, who: &str) -> Option<Person> {
        self.people.get(self.find(who)?).map(|user| Person::of(user, &self.roles))
    }

    /// Everybody.
    pub fn people(&self) -> impl Iterator<Item = Person> {
        self.people.all().iter().map(|user| Person::of(user, &self.roles))
    }

    /// How many people hold a role (by slug, id or name; assigned or from SCIM), deactivated ones not counted. No such role: 0.
    pub fn holders(&self, role: &str) -> usize {
        let Ok(role) = find_role(&self.roles, role) else { return 0 };
        let holds = |user: &&Arc<User>| {
            !user.deactivated && (user.assigned.contains(&role) || user.scim.contains(&role))
        };
        self.people.all().iter().filter(holds).count()
    }

    /// The audit log, oldest first.
    pub fn audit_log(&self) -> impl Iterator<Item = &audit::Entry> {
        self.audit.iter()
    }

    /// What the world would be saved as. Cheap: people are shared, not copied.
    pub fn to_state(&self) -> State {
        State {
            organization: self.organization.clone(),
            api: self.api,
            settings: self.settings.clone(),
            token_user: self.token_user.and_then(|at| self.people.get(at)).map(|user| user.id.clone()),
            roles: self.roles.clone(),
            users: self.people.all().to_vec(),
            audit: self.audit.iter().cloned().collect(),
            made_up: self.made_up,
        }
    }

    /// Answers one request that arrives `now` after the epoch.
    pub fn handle(&mut self, now: Duration, request: &Request) -> Response {
        self.respond(now, request, &mut Twist::none())
    }

    /// The same, with a misleading fault.
    pub(super) fn respond(&mut self, now: Duration, request: &Request, twist: &mut Twist) -> Response {
        let request_id = self.next_request_id();
        let mut remaining = None;
        let answer = Endpoint::of(&request.method, &request.path).and_then(|endpoint| {
            self.authorize(request.authorization.as_deref())?;
            remaining = self.admit(now, endpoint.class())?;
            self.carry_out(now, endpoint, request, &request_id, twist)
        });
        let mut response = match answer {
            Ok(body) => Response::new(200, "application/json", body).with_request_id(&request_id),
            Err(refusal) => refusal.into_response(self.api, &request_id),
        };
        if let Some(remaining) = remaining {
            response.headers.push(("X-Rate-Limit-Remaining", remaining.to_string()));
        }
        response
    }

    /// An error in the envelope of the world's era, for what goes wrong on purpose.
    pub(super) fn refuse(&mut self, refusal: Refusal) -> Response {
        let request_id = self.next_request_id();
        refusal.into_response(self.api, &request_id)
    }

    fn next_request_id(&mut self) -> String {
        self.requests += 1;
        uuid_in_series(0, self.requests)
    }

    fn authorize(&self, header: Option<&str>) -> Result<(), Refusal> {
        let malformed = || {
            Refusal::new(
                Code::InvalidAuthorizationHeader,
                "expected the header Authorization: Bearer <token>",
            )
        };
        let (scheme, token) = header.and_then(|value| value.trim().split_once(' ')).ok_or_else(malformed)?;
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() || token.contains(char::is_whitespace) {
            return Err(malformed());
        }
        if token != self.token.0 {
            let other_region = token.strip_suffix("-other-region").is_some_and(|rest| rest == self.token.0);
            return Err(if other_region {
                let here = self.settings.region.name();
                Refusal::new(
                    Code::WrongRegionToken,
                    format!("this token belongs to another region than {here}"),
                )
            } else {
                Refusal::new(Code::InvalidApiToken, "this API token is not valid")
            });
        }
        match self.settings.standing {
            Standing::Good => Ok(()),
            Standing::Suspended => {
                Err(Refusal::new(Code::OrganizationSuspended, "this organization is suspended"))
            }
            Standing::Deactivated => {
                Err(Refusal::new(Code::OrganizationDeactivated, "this organization is deactivated"))
            }
        }
    }

    /// Counts the request; what remains of the allowance, if there is a limit.
    fn admit(&mut self, now: Duration, class: Class) -> Result<Option<u32>, Refusal> {
        match self.limiters.arrive(class, now) {
            None => Ok(None),
            Some(Verdict::Admitted { remaining }) => Ok(Some(remaining)),
            Some(Verdict::Refused { retry_after }) => {
                let seconds = retry_after.as_nanos().div_ceil(1_000_000_000).max(1);
                Err(Refusal::rate_limited(seconds))
            }
        }
    }

    pub(super) fn token_user_id(&self) -> &str {
        self.token_user.and_then(|at| self.people.get(at)).map_or(API_USER_ID, |user| user.id.as_str())
    }

    pub(super) fn find(&self, who: &str) -> Option<usize> {
        self.people.by_id(who).or_else(|| self.people.by_primary(who))
    }

    /// The wall-clock time of `now`; past the end of time the last moment there is.
    pub(super) fn timestamp(&self, now: Duration) -> Timestamp {
        SignedDuration::try_from(now)
            .ok()
            .and_then(|now| self.epoch.checked_add(now).ok())
            .unwrap_or(Timestamp::MAX)
    }
}

impl Refusal {
    pub(super) fn no_such_user() -> Self {
        Self::new(Code::NotFound, "there is no user with this id")
    }

    pub(super) fn rate_limited(seconds: u128) -> Self {
        Self::new(Code::RateLimited, "too many requests").with_header("X-Retry-After", seconds.to_string())
    }
}
