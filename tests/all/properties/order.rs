//! Properties of the apply order and of the apply itself. No matter which writes fail, each guarded role keeps its minimum number
//! of holders at every moment, and no role exceeds its maximum. If the count before or after the apply already violates a limit,
//! that count is used as the limit instead.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pretty_assertions::assert_eq;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use rolecall::apply::machine::{Action, Machine, Ticket};
use rolecall::apply::{Finished, Outcome};
use rolecall::observed::{Person, UserId};
use rolecall::plan::guardrails::RoleCount;
use rolecall::plan::{Change, Patch, ReviewedPlan};
use rolecall::pylon::failure::Refusal;
use rolecall::pylon::pace::Pacing;
use rolecall::pylon::request::{PeopleRequest, Update};
use rolecall::pylon::{Attempt, Failure, FailureCause, FlowControl};

use super::holds;
use super::organization::{Case, Resolved, cases, cases_of_guarded_roles, patched};
use super::recount::{guarded_roles, holds_role, maximums};

/// Generates cases in which many people gain and lose guarded roles, and cases of any kind. Some of the plans are blocked,
/// because a blocked plan's order must be safe too.
fn planned() -> impl Strategy<Value = Case> {
    prop_oneof![2 => cases_of_guarded_roles(), 1 => cases(10)]
}

/// The people, and the limits that must hold at every moment.
#[derive(Clone)]
struct World {
    people: BTreeMap<UserId, Person>,
    /// The guarded roles with the number of holders that must remain, which is the lowest of the minimum, the count before, and
    /// the count after.
    least: Vec<(&'static str, usize)>,
    /// The roles with a maximum and the number of holders allowed, which is the highest of the maximum, the count before, and the
    /// count after.
    most: Vec<(&'static str, usize)>,
}

impl World {
    fn new(resolved: &Resolved, reviewed: &ReviewedPlan) -> Self {
        let people = resolved.observed.people().map(|person| (person.id.clone(), person.clone()));
        let before = Self { people: people.collect(), least: Vec::new(), most: Vec::new() };
        let mut after = before.clone();
        reviewed.plan.changes.iter().for_each(|change| after.patch(&change.subject.id, &change.patch()));
        let least = |(role, minimum): (&'static str, u64)| {
            let minimum = usize::try_from(minimum).unwrap();
            (role, minimum.min(before.holders(role)).min(after.holders(role)))
        };
        let most = |(role, maximum): (&'static str, u64)| {
            let maximum = usize::try_from(maximum).unwrap();
            (role, maximum.max(before.holders(role)).max(after.holders(role)))
        };
        Self {
            least: guarded_roles(resolved).into_iter().map(least).collect(),
            most: maximums(resolved).into_iter().map(most).collect(),
            ..before
        }
    }

    /// If the plan reports that it can't keep a limit, replaces that limit with the reported count. Such a plan is blocked,
    /// but it can still be acknowledged.
    fn with_planned(mut self, reviewed: &ReviewedPlan) -> Self {
        let during = |counts: &[RoleCount], role: &str| {
            let count = counts.iter().find(|count| &*count.role.0 == role).unwrap();
            count.during.map(|during| usize::try_from(during).unwrap())
        };
        for (role, least) in &mut self.least {
            *least = during(&reviewed.minimums, role).unwrap_or(*least);
        }
        for (role, most) in &mut self.most {
            *most = during(&reviewed.maximums, role).unwrap_or(*most);
        }
        self
    }

    /// Returns a change's effect on the number of holders, first for each minimum and then for each maximum.
    fn moves(&self, change: &Change) -> Vec<i64> {
        let before = &self.people[&change.subject.id];
        let after = patched(before, &change.patch());
        let roles = self.least.iter().chain(&self.most);
        roles
            .map(|(role, _)| i64::from(holds_role(&after, role)) - i64::from(holds_role(before, role)))
            .collect()
    }

    fn allows(&self, moves: &[&Vec<i64>]) -> bool {
        let limits =
            self.least.iter().map(|least| (least, true)).chain(self.most.iter().map(|most| (most, false)));
        limits.enumerate().all(|(number, ((role, limit), is_minimum))| {
            let moved: i64 = moves.iter().map(|moves| moves[number]).sum();
            let holders = i64::try_from(self.holders(role)).unwrap() + moved;
            let limit = i64::try_from(*limit).unwrap();
            if is_minimum { holders >= limit } else { holders <= limit }
        })
    }

    fn holders(&self, role: &str) -> usize {
        self.people.values().filter(|person| !person.deactivated && holds_role(person, role)).count()
    }

    fn patch(&mut self, id: &UserId, patch: &Patch) {
        let person = self.people.get_mut(id).expect("people do not vanish");
        *person = patched(person, patch);
    }

    fn check(&self) {
        for (role, least) in &self.least {
            let holders = self.holders(role);
            assert!(holders >= *least, "{holders} hold {role}, and {least} must");
        }
        for (role, most) in &self.most {
            let holders = self.holders(role);
            assert!(holders <= *most, "{holders} hold {role}, and only {most} may");
        }
    }

    fn shows(&self, change: &Change) -> bool {
        let person = &self.people[&change.subject.id];
        change.edits.iter().all(|edit| person.held[edit.field].assigned == [edit.to.clone()])
    }
}

#[test]
fn every_prefix_of_the_apply_order_keeps_the_limits_if_any_order_does() {
    let (seen, impossible) = (Cell::new(0), Cell::new(0));
    holds(400, &planned(), |case| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        let reviewed = resolved.review(plan);
        let ordered = reviewed.in_order();
        let strict = World::new(&resolved, &reviewed);
        let is_possible = some_order_keeps_the_limits(&reviewed, &strict);
        let counts = reviewed.minimums.iter().chain(&reviewed.maximums);
        let says_so = counts.clone().all(|count| count.during.is_none());
        assert_eq!(says_so, is_possible, "{ordered:?}");
        impossible.set(impossible.get() + u32::from(!is_possible));
        let mut world = strict.with_planned(&reviewed);
        world.check();
        for one in &ordered {
            world.patch(&one.change.subject.id, &one.change.patch());
            world.check();
        }
        seen.set(seen.get() + ordered.iter().filter(|one| !one.losses.is_empty()).count());
        let mut emails: Vec<_> = ordered.iter().map(|one| one.change.subject.email.value.clone()).collect();
        emails.sort();
        let planned: Vec<_> =
            reviewed.plan.changes.iter().map(|change| change.subject.email.value.clone()).collect();
        assert_eq!(emails, planned, "each change once");
    });
    assert!(seen.get() > 200, "{seen:?} losses");
    assert!(impossible.get() > 10, "{impossible:?} plans without an order");
}

/// Tries every order in which the token's own user comes last. Bitmasks represent the sets of completed changes.
fn some_order_keeps_the_limits(reviewed: &ReviewedPlan, world: &World) -> bool {
    let moves = |change: &&Change| world.moves(change).iter().any(|by| *by != 0);
    let changes: Vec<&Change> = reviewed.plan.changes.iter().filter(moves).collect();
    let moves: Vec<Vec<i64>> = changes.iter().map(|change| world.moves(change)).collect();
    let own = changes.iter().position(|change| Some(&change.subject.id) == reviewed.plan.token_user.as_ref());
    let all: usize = (1 << changes.len()) - 1;
    let is_made = |made: usize, change: usize| made & (1 << change) != 0;
    let mut is_reachable = vec![false; all + 1];
    is_reachable[0] = true;
    for made in 0..all {
        let rest = (0..changes.len()).filter(|next| !is_made(made, *next));
        for next in rest.take(if is_reachable[made] { changes.len() } else { 0 }) {
            let after = made | 1 << next;
            let so_far: Vec<&Vec<i64>> = (0..changes.len())
                .filter(|change| is_made(after, *change))
                .map(|change| &moves[change])
                .collect();
            is_reachable[after] |= (own != Some(next) || after == all) && world.allows(&so_far);
        }
    }
    is_reachable[all]
}

/// The fate of a single simulated request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fate {
    Well,
    /// Succeeds without changing anything, because a SCIM group decides the role.
    Ignored,
    /// Gets a 422 response.
    Rejected,
    /// Gets a 403 response.
    Forbidden,
    /// Gets a 429 response.
    Throttled,
    /// Never leaves the client.
    NotSent,
    /// Gets a 500 response and has no effect.
    Failed,
    /// Gets a 500 response but takes effect anyway.
    FailedApplied,
    /// Loses its response and has no effect.
    Lost,
    /// Loses its response but takes effect.
    LostApplied,
    /// Loses its response and takes effect later.
    Late,
}

impl Fate {
    /// The possible fates of a write. Success comes first because shrinking turns the indices into zeros.
    const OF_WRITES: [Self; 16] = [
        Self::Well,
        Self::Well,
        Self::Well,
        Self::Well,
        Self::Well,
        Self::Well,
        Self::Ignored,
        Self::Rejected,
        Self::Forbidden,
        Self::Throttled,
        Self::NotSent,
        Self::Failed,
        Self::FailedApplied,
        Self::Lost,
        Self::LostApplied,
        Self::Late,
    ];
    /// The possible fates of writes in runs where many outcomes are unknown at first. Many of the retries are then rejected.
    const OF_DOUBTFUL_WRITES: [Self; 5] = [Self::Well, Self::Late, Self::Rejected, Self::Late, Self::Lost];
    const OF_READS: [Self; 8] = [
        Self::Well,
        Self::Well,
        Self::Well,
        Self::Well,
        Self::Well,
        Self::Rejected,
        Self::Throttled,
        Self::Lost,
    ];

    fn cause(self) -> Option<FailureCause> {
        let refused = |status| FailureCause::from(Refusal { status, ..Refusal::default() });
        match self {
            Self::Well | Self::Ignored => None,
            Self::Rejected => Some(refused(422)),
            Self::Forbidden => Some(refused(403)),
            Self::Throttled => Some(refused(429)),
            Self::NotSent => Some(FailureCause::NotSent("refused".into())),
            Self::Failed | Self::FailedApplied => Some(refused(500)),
            Self::Lost | Self::LostApplied | Self::Late => Some(FailureCause::NoAnswer("reset".into())),
        }
    }

    /// Returns `true` if the write takes effect before the response.
    fn is_applied(self) -> bool {
        matches!(self, Self::Well | Self::FailedApplied | Self::LostApplied)
    }
}

/// A request in flight.
enum Flight {
    /// The write hasn't arrived yet.
    Write(Ticket, Update, Fate),
    /// The write has been processed, and its response is pending.
    Answer(Ticket, Attempt<Person>),
    Read(Ticket, PeopleRequest, Fate),
    /// The client has abandoned the write, which can still reach the server.
    Straggler(Update),
}

/// Draws random numbers from a list, which proptest can shrink. Past the end of the list, every draw is zero.
struct Script(std::vec::IntoIter<u8>);

impl Script {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % bound.max(1)
    }

    fn fate(&mut self, fates: &[Fate]) -> Fate {
        fates[self.below(fates.len())]
    }
}

/// Drives one apply machine against one world.
struct Drive {
    world: World,
    of_writes: &'static [Fate],
    of_reads: &'static [Fate],
    script: Script,
    flights: Vec<Flight>,
    now: Duration,
    fates: BTreeMap<&'static str, u32>,
}

impl Drive {
    fn run(&mut self, mut machine: Machine, parallelism: usize) -> Finished {
        let changes = machine.progress().0;
        for _ in 0..5_000 + 500 * changes {
            match machine.poll(self.now) {
                Action::Patch { ticket, update, .. } => {
                    let fate = self.script.fate(self.of_writes);
                    self.flights.push(Flight::Write(ticket, update, fate));
                }
                Action::Read { ticket, request, .. } => {
                    let fate = self.script.fate(self.of_reads);
                    self.flights.push(Flight::Read(ticket, request, fate));
                }
                Action::Wait { until, .. } => self.wait(&mut machine, until),
                Action::Done => return machine.finish(),
            }
            let asked = self.flights.iter().filter(|flight| !matches!(flight, Flight::Straggler(_)));
            assert!(asked.count() <= parallelism, "more requests at once than allowed");
        }
        panic!("the apply does not end");
    }

    /// Delivers the next event or advances the clock.
    fn wait(&mut self, machine: &mut Machine, until: Option<Duration>) {
        // The client doesn't wait for an abandoned request, which can still arrive now or much later.
        let none_will_answer = self.flights.iter().all(|flight| matches!(flight, Flight::Straggler(_)));
        if none_will_answer && (self.flights.is_empty() || self.script.below(4) > 0) {
            let until = until.expect("waits forever without a reason");
            assert!(until > self.now, "woken for nothing");
            self.now = until;
            return;
        }
        self.now += Duration::from_millis(self.script.below(200) as u64);
        let flight = self.flights.swap_remove(self.script.below(self.flights.len()));
        self.happens(machine, flight);
        self.world.check();
    }

    fn happens(&mut self, machine: &mut Machine, flight: Flight) {
        match flight {
            Flight::Write(ticket, update, fate) => {
                *self.fates.entry(name(fate)).or_default() += 1;
                if fate.is_applied() {
                    self.world.patch(&update.id, &update.patch);
                }
                let result = match fate.cause() {
                    None => Ok(self.world.people[&update.id].clone()),
                    Some(cause) => Err(Failure { asked: "PATCH".into(), cause, request_id: None }),
                };
                if fate == Fate::Late {
                    self.flights.push(Flight::Straggler(update));
                }
                let attempt = Attempt { result, remaining: None, date: None };
                self.flights.push(Flight::Answer(ticket, attempt));
            }
            Flight::Answer(ticket, attempt) => machine.patched(self.now, ticket, attempt),
            Flight::Straggler(Update { id, patch }) => self.world.patch(&id, &patch),
            Flight::Read(ticket, request, fate) => {
                let result = match fate.cause() {
                    None => Ok(self.answer(&request)),
                    Some(cause) => Err(Failure { asked: "read".into(), cause, request_id: None }),
                };
                machine.was_read(self.now, ticket, Attempt { result, remaining: None, date: None });
            }
        }
    }

    fn answer(&self, request: &PeopleRequest) -> Vec<Person> {
        match request {
            PeopleRequest::One(id) => vec![self.world.people[id].clone()],
            PeopleRequest::Search(search) => {
                let people = self.world.people.values();
                people.filter(|person| search.emails.contains(&person.email)).cloned().collect()
            }
        }
    }
}

fn name(fate: Fate) -> &'static str {
    match fate {
        Fate::Well => "well",
        Fate::Ignored => "ignored",
        Fate::Rejected => "rejected",
        Fate::Forbidden => "forbidden",
        Fate::Throttled => "throttled",
        Fate::NotSent => "not sent",
        Fate::Failed => "failed",
        Fate::FailedApplied => "failed, applied",
        Fate::Lost => "lost",
        Fate::LostApplied => "lost, applied",
        Fate::Late => "late",
    }
}

fn never_too_few(parallelism: usize) {
    let (fates, outcomes) = (Cell::new(BTreeSet::new()), Cell::new(BTreeSet::new()));
    let histories = (planned(), vec(any::<u8>(), 0..250), any::<u64>());
    holds(200, &histories, |(case, script, seed)| {
        let resolved = case.resolve();
        let Ok(plan) = resolved.plan() else { return };
        let reviewed = resolved.review(plan);
        let rng = fastrand::Rng::with_seed(seed);
        let now = Duration::from_secs(1);
        let flow = FlowControl::new(Pacing::new(&[]), now, rng);
        let machine = Machine::new(&reviewed, now, now, flow, parallelism);
        let world = World::new(&resolved, &reviewed).with_planned(&reviewed);
        let script = Script(script.into_iter());
        let (of_writes, of_reads): (&[Fate], &[Fate]) = if seed % 2 == 0 {
            (&Fate::OF_DOUBTFUL_WRITES, &[Fate::Well, Fate::Well, Fate::Rejected])
        } else {
            (&Fate::OF_WRITES, &Fate::OF_READS)
        };
        let mut drive =
            Drive { world, of_writes, of_reads, script, flights: Vec::new(), now, fates: BTreeMap::new() };
        drive.world.check();
        let finished = drive.run(machine, parallelism);

        let changes = &reviewed.plan.changes;
        assert_eq!(finished.outcomes.len(), changes.len(), "one outcome for each change");
        for (change, outcome) in changes.iter().zip(&finished.outcomes) {
            let is_true = !outcome.is_in_sync() || drive.world.shows(change);
            assert!(is_true, "reported as applied, but is not: {change:?}");
        }
        // Deliver the requests abandoned by the client.
        for flight in std::mem::take(&mut drive.flights) {
            let Flight::Straggler(Update { id, patch }) = flight else {
                panic!("a request still waits for an answer")
            };
            drive.world.patch(&id, &patch);
            drive.world.check();
        }
        let mut seen = fates.take();
        seen.extend(drive.fates.into_keys());
        fates.set(seen);
        let mut seen = outcomes.take();
        seen.extend(finished.outcomes.iter().map(Outcome::as_str));
        outcomes.set(seen);
    });
    let (fates, outcomes) = (fates.take(), outcomes.take());
    for fate in Fate::OF_WRITES {
        assert!(fates.contains(name(fate)), "no write was ever {fate:?}");
    }
    // The other outcomes occur only if other clients make changes during the apply, which the simulation covers.
    for outcome in ["applied", "not effective", "rejected", "unknown", "not attempted"] {
        assert!(outcomes.contains(outcome), "no change was ever {outcome}: {outcomes:?}");
    }
}

#[test]
fn a_sequential_apply_always_keeps_enough_holders() {
    never_too_few(1);
}

#[test]
fn an_apply_with_eight_parallel_requests_always_keeps_enough_holders() {
    never_too_few(8);
}
