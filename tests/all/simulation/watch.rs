//! Invariants checked at every step, and counters.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use rolecall::observed::{Person, RoleId, UserId};
use rolecall::plan::guardrails::RoleCount;
use rolecall::plan::{Change, ReviewedPlan};
use rolecall::pylon::Attempt;
use rolecall::pylon::request::{PeopleRequest, Request as _, Update};
use rolecall::roster::Field;
use rolecall::sandbox::{ApiOperation, Delivery, Fault, Request, Response};
use serde_json::{Map, Value};

use super::sim::Sim;

/// The maximum age of a read that a write can rely on (I3).
const OLDEST_READ: Duration = Duration::from_secs(60);
const WINDOW: Duration = Duration::from_secs(60);

/// Observes and checks a single run.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    planned: HashMap<UserId, Value>,
    /// For each guarded role with planned losses, the number of holders that must remain at all times.
    minimums: Vec<(RoleId, u64)>,
    /// For each role with a maximum and planned gains, the number of holders allowed at all times.
    maximums: Vec<(RoleId, u64)>,
    /// When each user's latest read was sent and when it reached the server.
    reads: HashMap<UserId, (Duration, Duration)>,
    in_flight: HashSet<UserId>,
    /// Set to false once the run has been asked to stop.
    pub(super) may_send: bool,
    pub(super) patches: u64,
    pub(super) looks: u64,
    pub(super) searches: u64,
    /// The number of 429s from the server's limiter, excluding injected faults.
    pub(super) throttled: u64,
    /// The number of writes carried out, by user ID.
    pub(super) carried_out: HashMap<String, u32>,
    /// The arrivals in the current window and the maximum number in any window, for each endpoint.
    arrivals: [(VecDeque<Duration>, usize); 7],
}

impl Watch {
    pub(super) fn new(plan: &ReviewedPlan, read_at: Duration) -> Self {
        let changes = &plan.plan.changes;
        let lost = |role: &RoleId| changes.iter().any(|change| change.roles_lost().any(|lost| lost == *role));
        let gained = |role: &RoleId| changes.iter().any(|change| change.role_gained().as_ref() == Some(role));
        let minimums = plan.minimums.iter().filter(|minimum| lost(&minimum.role));
        let maximums = plan.maximums.iter().filter(|maximum| gained(&maximum.role));
        Self {
            planned: changes.iter().map(|change| (change.subject.id.clone(), body_of(change))).collect(),
            minimums: minimums.map(|count| (count.role.clone(), least(count))).collect(),
            maximums: maximums.map(|count| (count.role.clone(), most(count))).collect(),
            reads: changes.iter().map(|change| (change.subject.id.clone(), (read_at, read_at))).collect(),
            in_flight: HashSet::new(),
            may_send: true,
            patches: 0,
            looks: 0,
            searches: 0,
            throttled: 0,
            carried_out: HashMap::new(),
            arrivals: Default::default(),
        }
    }

    pub(super) fn requests(&self) -> u64 {
        self.patches + self.looks + self.searches
    }

    /// Returns the maximum number of arrivals in any window.
    pub(super) fn busiest(&self, class: ApiOperation) -> usize {
        self.arrivals[class_index(class)].1
    }

    pub(super) fn sends_read(&mut self, request: &PeopleRequest) {
        assert!(self.may_send, "sent after a stop: {request:?}");
        match request {
            PeopleRequest::One(_) => self.looks += 1,
            PeopleRequest::Search(_) => self.searches += 1,
        }
    }

    pub(super) fn sends_patch(&mut self, sim: &Sim, update: &Update) {
        let id = &update.id;
        assert!(self.may_send, "sent after a stop: a write of {id:?}");
        self.patches += 1;
        let Some(planned) = self.planned.get(id) else { panic!("I1: {id:?} is not in the plan") };
        let body = update.outgoing().body.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(&body, planned, "I2: exactly what is planned");
        assert!(self.in_flight.insert(id.clone()), "two writes of {id:?} at once");
        let (sent, arrived) = self.reads[id];
        let age = sim.now.saturating_sub(sent);
        assert!(age <= OLDEST_READ, "I3: a write rests on a read {age:?} old");
        if let Some(changed) = sim.changed_by_others.get(id) {
            assert!(arrived < *changed, "a write although another client's value was read");
        }
    }

    pub(super) fn patch_ended(&mut self, id: &UserId) {
        self.in_flight.remove(id);
    }

    pub(super) fn was_read(
        &mut self,
        attempt: &Attempt<Vec<Person>>,
        sent: Duration,
        arrived: Option<Duration>,
    ) {
        for person in attempt.result.iter().flatten() {
            if let Some(read) = self.reads.get_mut(&person.id) {
                *read = (*read).max((sent, arrived.expect("what was answered has arrived")));
            }
        }
    }

    pub(super) fn arrived(
        &mut self,
        sim: &Sim,
        request: &Request,
        delivery: &Delivery,
        fault: Option<Fault>,
        of_this_run: bool,
    ) {
        if of_this_run {
            let (recent, most) = &mut self.arrivals[class_index(class_of(request))];
            while recent.front().is_some_and(|at| *at + WINDOW <= sim.now) {
                recent.pop_front();
            }
            recent.push_back(sim.now);
            *most = (*most).max(recent.len());
            self.throttled += u64::from(fault.is_none() && delivery.status() == Some(429));
        }
        if request.method != "PATCH" {
            return;
        }
        let done = match fault {
            Some(fault) => fault.is_applied_first(),
            None => delivery.status() == Some(200),
        };
        if done {
            self.was_carried_out(request);
        }
        self.limits_hold(sim);
    }

    /// Records the arrival of a request that the client abandoned long ago.
    pub(super) fn arrived_late(&mut self, sim: &Sim, request: &Request, response: &Response) {
        if request.method == "PATCH" && response.status == 200 {
            self.was_carried_out(request);
        }
        self.limits_hold(sim);
    }

    fn was_carried_out(&mut self, request: &Request) {
        let id = request.path.trim_start_matches("/users/").to_owned();
        *self.carried_out.entry(id).or_default() += 1;
    }

    /// Checks I12: guarded roles keep their minimum, and no role exceeds its maximum.
    pub(super) fn limits_hold(&self, sim: &Sim) {
        for (role, keep) in &self.minimums {
            let holders = sim.world.holders(&role.0) as u64;
            assert!(holders >= *keep, "I12: {holders} hold {role:?}, and {keep} must");
        }
        for (role, most) in &self.maximums {
            let holders = sim.world.holders(&role.0) as u64;
            assert!(holders <= *most, "I12: {holders} hold {role:?}, and only {most} may");
        }
    }
}

/// Returns the number of holders that must remain: the minimum, or fewer if the role has fewer holders before or after the
/// apply. If no order of changes can keep that number, the plan is blocked and states how many will remain.
fn least(count: &RoleCount) -> u64 {
    count.during.unwrap_or(count.limit.min(count.before).min(count.after))
}

/// Returns the number of holders allowed: the maximum, or more if the role has more holders before or after the apply. If no
/// order of changes can keep that number, the plan is blocked and states how many there will be.
fn most(count: &RoleCount) -> u64 {
    count.during.unwrap_or(count.limit.max(count.before).max(count.after))
}

/// Builds a write's expected body independently of the code under test.
fn body_of(change: &Change) -> Value {
    let mut body = Map::new();
    for edit in &change.edits {
        let key = match edit.field {
            Field::Role => "role_id",
            Field::Status => "status",
        };
        body.insert(key.into(), Value::from(&*edit.to));
    }
    Value::Object(body)
}

fn class_of(request: &Request) -> ApiOperation {
    match request.method.as_str() {
        "PATCH" => ApiOperation::UpdateUser,
        "POST" => ApiOperation::SearchUsers,
        _ => match request.path.as_str() {
            "/me" => ApiOperation::GetMe,
            "/user-roles" => ApiOperation::ListRoles,
            "/users" => ApiOperation::ListUsers,
            _ => ApiOperation::GetUser,
        },
    }
}

fn class_index(class: ApiOperation) -> usize {
    ApiOperation::ALL.iter().position(|each| *each == class).expect("an endpoint")
}
