//! Simulates the clock, the network, and the order of events, and drives one machine against one world.
//!
//! Every request takes some time and reaches the server at some point between being sent and being answered. The simulation
//! makes no decisions of its own. It just polls the machine and passes events to it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use rolecall::apply::machine::{Action, Machine, Ticket};
use rolecall::apply::{Finished, Stop};
use rolecall::observed::UserId;
use rolecall::plan::ReviewedPlan;
use rolecall::pylon::exchange::{self, Incoming};
use rolecall::pylon::observe::{Ask, Wanted};
use rolecall::pylon::pace::{Feedback, Pacing};
use rolecall::pylon::request::{Endpoint, Outgoing, PeopleRequest, ReadRequest, Request as _, Update};
use rolecall::pylon::{Failure, FailureCause, FlowControl};
use rolecall::sandbox::{ApiOperation, DEFAULT_TOKEN, Delivery, Faults, Request, Response, World};

use super::scene::Scene;
use super::watch::Watch;
use crate::builders::{BuildRequest, ChangeWorld, ReadResponse};
use crate::memory::observed;

/// How long the client waits for the first byte of a response.
const FIRST_BYTE: Duration = Duration::from_secs(30);
/// The maximum delay before an abandoned request reaches the server.
const LATEST: Duration = Duration::from_secs(20);
pub(super) const SIGINT: i32 = 2;

/// The network between the client and the server.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The time from sending a request to receiving its response, in milliseconds.
    pub(super) latency: RangeInclusive<u64>,
    /// The point at which a request reaches the server, in thousandths of the latency.
    pub(super) arrival: RangeInclusive<u64>,
    /// Whether the server reports the number of remaining requests.
    pub(super) shows_remaining: bool,
    /// Whether the server reports how long to wait.
    pub(super) shows_hint: bool,
    /// The probability that a request can't be sent.
    pub(super) refused: f64,
    /// The probability that the client abandons a request, which then reaches the server much later.
    pub(super) late: f64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            latency: 20..=280,
            arrival: 0..=1000,
            shows_remaining: true,
            shows_hint: true,
            refused: 0.0,
            late: 0.0,
        }
    }
}

impl Line {
    /// A network with a constant latency of 150 ms.
    pub(super) fn steady() -> Self {
        Self { latency: 150..=150, ..Self::default() }
    }
}

/// An action by another client.
#[derive(Debug, Clone)]
pub(super) enum Outside {
    /// A colleague edits a user.
    Changes { who: String, role: Option<&'static str>, status: Option<&'static str> },
    /// Another integration periodically uses up part of the rate limit.
    Spends { class: ApiOperation, every: Duration },
}

/// An interruption of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// A first signal.
    Stop,
    /// A first signal followed by a second one.
    StopTwice,
    /// A power failure.
    Kill,
}

/// The settings of a run.
#[derive(Debug, Clone)]
pub(super) struct How {
    pub(super) parallelism: usize,
    pub(super) rates: Vec<(Endpoint, u64)>,
    /// The number of events before the interruption, and its kind.
    pub(super) interrupt: Option<(u64, Interrupt)>,
    /// How long it takes to write the intent of a change to disk.
    pub(super) disk: Duration,
}

impl Default for How {
    fn default() -> Self {
        Self { parallelism: 8, rates: Vec::new(), interrupt: None, disk: Duration::ZERO }
    }
}

#[derive(Debug, Clone)]
enum Coming {
    Arrives(u64),
    /// The arrival of a request that the client abandoned long ago.
    ArrivesLate(Box<Request>),
    Answered(u64),
    Outside(Outside),
}

#[derive(Debug, Clone)]
enum What {
    Read(PeopleRequest),
    Patch(Update),
}

#[derive(Debug, Clone)]
struct Flight {
    ticket: Ticket,
    run: u32,
    what: What,
    request: Request,
    sent: Duration,
    arrived: Option<Duration>,
    answer_at: Duration,
    came: Option<Result<Incoming, FailureCause>>,
}

/// A plan and the time of its reads.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) reviewed: ReviewedPlan,
    pub(super) read_at: Duration,
    pub(super) pacing: Pacing,
}

/// The result and the figures of a run that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// The result, or `None` if the run was killed.
    pub(super) finished: Option<Finished>,
    pub(super) watch: Watch,
    /// Whether the run was interrupted before its end.
    pub(super) interrupted: bool,
    pub(super) events: u64,
    pub(super) took: Duration,
}

/// A world, the clients that act on it, and the current time.
#[derive(Debug, Clone)]
pub(super) struct Sim {
    pub(super) world: World,
    pub(super) faults: Faults,
    pub(super) line: Line,
    pub(super) now: Duration,
    rng: Rng,
    coming: BTreeMap<(Duration, u64), Coming>,
    flights: HashMap<u64, Flight>,
    counter: u64,
    run: u32,
    /// The time of the last change to a user by another client, by user ID.
    pub(super) changed_by_others: HashMap<UserId, Duration>,
    /// The number of requests sent by the other integration, and the number of those that were admitted.
    pub(super) neighbor: (u64, u64),
    /// The number of requests that could not be sent, and the number of requests that arrived late.
    pub(super) refused: u64,
    pub(super) late: u64,
    told: bool,
}

impl Sim {
    pub(super) fn new(world: World, faults: Faults, line: Line, seed: u64) -> Self {
        Self {
            world,
            faults,
            line,
            now: Duration::from_millis(1),
            rng: Rng::with_seed(seed),
            coming: BTreeMap::new(),
            flights: HashMap::new(),
            counter: 0,
            run: 0,
            changed_by_others: HashMap::new(),
            neighbor: (0, 0),
            refused: 0,
            late: 0,
            told: super::replayed().is_some(),
        }
    }

    pub(super) fn reseed(&mut self, seed: u64) {
        self.rng = Rng::with_seed(seed);
    }

    /// Schedules an action by another client.
    pub(super) fn outside(&mut self, at: Duration, what: Outside) {
        self.schedule(at, Coming::Outside(what));
    }

    /// Reads the organization and makes a plan, without any faults.
    pub(super) fn plan(&mut self, scene: &Scene, how: &How) -> Planned {
        let read_at = self.now;
        let answered = self.now + Duration::from_millis(*self.line.latency.end());
        let (world, line) = (RefCell::new(&mut self.world), &self.line);
        let pacing = RefCell::new(Pacing::new(&how.rates));
        let asked = Asked { world, line, pacing, read_at, answered };
        let declared = scene.declared();
        let wanted = Wanted { emails: &declared, pin: None, confirm_listing: false };
        let state = observed(&asked, &wanted).expect("nothing goes wrong while a plan is made");
        let pacing = asked.pacing.into_inner();
        self.pass_until(answered);
        Planned { reviewed: scene.plan(&state), read_at, pacing }
    }

    /// Lets time pass without running a machine. Requests in flight still arrive.
    pub(super) fn pass_until(&mut self, until: Duration) {
        self.pass(until, None);
    }

    /// Returns the number of writes carried out for each user, including writes that arrive after the end of the run.
    pub(super) fn carried_out_in_the_end(&self, watch: &Watch) -> HashMap<String, u32> {
        let mut watch = watch.clone();
        if !self.coming.is_empty() {
            self.clone().pass(self.now + LATEST, Some(&mut watch));
        }
        watch.carried_out
    }

    fn pass(&mut self, until: Duration, mut watch: Option<&mut Watch>) {
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= until) {
            let (at, coming) = (entry.key().0, entry.remove());
            self.now = self.now.max(at);
            match coming {
                Coming::Arrives(flight) => self.arrive(flight, watch.as_deref_mut()),
                Coming::ArrivesLate(request) => self.arrive_late(&request, watch.as_deref_mut()),
                Coming::Answered(flight) => drop(self.flights.remove(&flight)), // the process that sent it is gone
                Coming::Outside(what) => self.act(what),
            }
        }
        self.now = self.now.max(until);
    }

    /// Carries out the plan, up to the interruption if there is one.
    pub(super) fn carry_out(&mut self, planned: &Planned, how: &How) -> Ended {
        self.run += 1;
        let began = self.now;
        let rng = Rng::with_seed(self.rng.u64(..));
        let Planned { reviewed, read_at, pacing } = planned;
        let flow = FlowControl::new(pacing.clone(), self.now, rng);
        let mut machine = Machine::new(reviewed, *read_at, self.now, flow, how.parallelism);
        let mut watch = Watch::new(reviewed, *read_at);
        let limit = 20_000 + 400 * reviewed.plan.changes.len() as u64;
        let mut events = 0;
        let mut interrupted = false;
        let mut woken = None;
        loop {
            assert!(events < limit, "I8: no end after {events} events, at {:?}", self.now);
            events += 1;
            if !interrupted
                && let Some((at, interrupt)) = how.interrupt
                && events > at
            {
                interrupted = true;
                self.tell(|| format!("{interrupt:?}"));
                watch.may_send = false;
                match interrupt {
                    Interrupt::Kill => {
                        return Ended {
                            finished: None,
                            watch,
                            interrupted,
                            events,

                            took: self.now.saturating_sub(began),
                        };
                    }
                    Interrupt::Stop => machine.stop(Stop::Signal(SIGINT)),
                    Interrupt::StopTwice => {
                        machine.stop(Stop::Signal(SIGINT));
                        machine.abandon(Stop::Signal(SIGINT));
                        assert_eq!(machine.poll(self.now), Action::Done, "nothing is waited for");
                    }
                }
            }
            match machine.poll(self.now) {
                Action::Patch { ticket, update, .. } => {
                    self.now += how.disk;
                    if !machine.may_leave(self.now, ticket) {
                        continue;
                    }
                    watch.sends_patch(self, &update);
                    self.send(ticket, update.outgoing(), What::Patch(update));
                }
                Action::Read { ticket, request, .. } => {
                    watch.sends_read(&request);
                    self.send(ticket, request.outgoing(), What::Read(request));
                }
                Action::Wait { until, .. } => {
                    // Between two waits, either time must pass or an event must occur. Otherwise, the machine is stuck.
                    let is_new = woken != Some(self.now) || until != Some(self.now);
                    assert!(is_new && until.is_none_or(|until| until > self.now), "I8: woken for nothing");
                    woken = Some(self.now);
                    let next = self.coming.first_key_value().map(|((at, _), _)| *at);
                    match (next, until) {
                        (None, None) => panic!("I8: it waits forever without a reason"),
                        (Some(at), until) if until.is_none_or(|until| at <= until) => {
                            self.happen(&mut machine, &mut watch);
                        }
                        (_, Some(until)) => self.now = until,
                        (Some(_), None) => unreachable!("taken above"),
                    }
                }
                Action::Done => break,
            }
        }
        let took = self.now.saturating_sub(began);
        Ended { finished: Some(machine.finish()), watch, interrupted, events, took }
    }

    fn happen(&mut self, machine: &mut Machine, watch: &mut Watch) {
        let Some(((at, _), coming)) = self.coming.pop_first() else { return };
        self.now = self.now.max(at);
        match coming {
            Coming::Arrives(flight) => self.arrive(flight, Some(watch)),
            Coming::ArrivesLate(request) => self.arrive_late(&request, Some(watch)),
            Coming::Outside(what) => self.act(what),
            Coming::Answered(flight) => {
                let Some(flight) = self.flights.remove(&flight).filter(|flight| flight.run == self.run)
                else {
                    return; // the process that sent it is gone
                };
                let came =
                    flight.came.clone().unwrap_or_else(|| Err(FailureCause::NoAnswer("given up".into())));
                self.tell(|| format!("answered {:?}: {}", flight.request, shown(&came)));
                match &flight.what {
                    What::Read(request) => {
                        let attempt = exchange::attempt(request, came, Timestamp::UNIX_EPOCH);
                        watch.was_read(&attempt, flight.sent, flight.arrived);
                        machine.was_read(self.now, flight.ticket, attempt);
                    }
                    What::Patch(update) => {
                        watch.patch_ended(&update.id);
                        let attempt = exchange::attempt(update, came, Timestamp::UNIX_EPOCH);
                        machine.patched(self.now, flight.ticket, attempt);
                    }
                }
            }
        }
    }

    fn send(&mut self, ticket: Ticket, outgoing: Outgoing, what: What) {
        let Line { latency, arrival, refused, late, .. } = self.line.clone();
        let latency = Duration::from_millis(self.rng.u64(latency));
        let arrives = self.now + latency * u32::try_from(self.rng.u64(arrival)).unwrap_or(0) / 1000;
        let mut flight = Flight {
            ticket,
            run: self.run,
            what,
            request: as_request(outgoing),
            sent: self.now,
            arrived: None,
            answer_at: self.now + latency,
            came: None,
        };
        self.tell(|| format!("sent     {:?}", flight.request));
        self.counter += 1;
        let number = self.counter;
        let chance = self.rng.f64();
        if chance < refused {
            self.refused += 1;
            flight.came = Some(Err(FailureCause::NotSent("connection refused".into())));
            self.schedule(flight.answer_at, Coming::Answered(number));
        } else if chance < refused + late {
            self.late += 1;
            self.schedule(self.now + latency, Coming::Answered(number));
            let late = Duration::from_millis(self.rng.u64(1..u64::try_from(LATEST.as_millis()).unwrap_or(0)));
            let arrives = self.now + latency + late;
            self.schedule(arrives, Coming::ArrivesLate(Box::new(flight.request.clone())));
        } else {
            self.schedule(arrives, Coming::Arrives(number));
        }
        self.flights.insert(number, flight);
    }

    fn arrive(&mut self, number: u64, watch: Option<&mut Watch>) {
        let (now, run) = (self.now, self.run);
        let Some(flight) = self.flights.get_mut(&number) else { return };
        flight.arrived = Some(now);
        let request = flight.request.clone();
        let (sent, answer_at, of_this_run) = (flight.sent, flight.answer_at, flight.run == run);
        let (delivery, fault) = self.world.deliver(&mut self.faults, now, &request);
        let (came, answered) = match delivery {
            Delivery::Answer(ref response) | Delivery::Garbage(ref response) => {
                (Ok(self.line.incoming(response.clone())), answer_at)
            }
            Delivery::CutBefore | Delivery::CutAfter => {
                (Err(FailureCause::NoAnswer("connection reset".into())), answer_at)
            }
            Delivery::Stall { .. } => {
                (Err(FailureCause::NoAnswer("timed out after 30 s".into())), sent + FIRST_BYTE)
            }
        };
        if let Some(flight) = self.flights.get_mut(&number) {
            flight.came = Some(came);
        }
        let fault_name = fault.map_or("", rolecall::sandbox::Fault::as_str);
        self.tell(|| format!("arrives  {request:?} {fault_name}"));
        if let Some(watch) = watch {
            watch.arrived(self, &request, &delivery, fault, of_this_run);
        }
        self.schedule(answered.max(now), Coming::Answered(number));
    }

    fn arrive_late(&mut self, request: &Request, watch: Option<&mut Watch>) {
        self.tell(|| format!("arrives  {request:?} long after it was given up"));
        let response = self.world.handle(self.now, request);
        if let Some(watch) = watch {
            watch.arrived_late(self, request, &response);
        }
    }

    fn act(&mut self, what: Outside) {
        let now = self.now;
        self.tell(|| format!("outside  {what:?}"));
        match what {
            Outside::Changes { who, role, status } => {
                assert!(self.world.changed_by_someone_else(now, &who, role, status), "{who} is there");
                let id = self.world.user(&who).and_then(|person| UserId::new(person.id.as_deref()?));
                self.changed_by_others.insert(id.expect("an id"), now);
            }
            Outside::Spends { class, every } => {
                self.neighbor.0 += 1;
                self.neighbor.1 += u64::from(self.world.spend(now, class, 1));
                self.outside(now + every, Outside::Spends { class, every });
            }
        }
    }

    fn schedule(&mut self, at: Duration, coming: Coming) {
        self.counter += 1;
        self.coming.insert((at, self.counter), coming);
    }

    fn tell(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("{:>12.3} s  {}", self.now.as_secs_f64(), what());
        }
    }
}

/// Sends the requests for a plan to the world. Every request is sent at `read_at` and answered at `answered`.
struct Asked<'s> {
    world: RefCell<&'s mut World>,
    line: &'s Line,
    pacing: RefCell<Pacing>,
    read_at: Duration,
    answered: Duration,
}

impl Ask for Asked<'_> {
    async fn ask<R: ReadRequest>(&self, request: &R) -> Result<R::Response, Failure> {
        let Self { world, line, pacing, read_at, answered } = self;
        let outgoing = request.outgoing();
        let endpoint = outgoing.endpoint;
        let arrives = *read_at + answered.saturating_sub(*read_at) / 2;
        let response = world.borrow_mut().handle(arrives, &as_request(outgoing));
        let attempt = exchange::attempt(request, Ok(line.incoming(response)), Timestamp::UNIX_EPOCH);
        let mut pacing = pacing.borrow_mut();
        pacing.pacer(endpoint).sent(*read_at);
        pacing.pacer(endpoint).answered(*answered, *read_at, Feedback::of_attempt(&attempt), 0);
        attempt.result
    }
}

impl Line {
    fn incoming(&self, response: Response) -> Incoming {
        let header = |name: &str, shows: bool| response.header(name).filter(|_| shows).map(str::to_owned);
        Incoming {
            status: response.status,
            remaining: header("X-Rate-Limit-Remaining", self.shows_remaining),
            x_retry_after: header("X-Retry-After", self.shows_hint),
            retry_after: header("Retry-After", self.shows_hint),
            date: None,
            request_id: response.header("X-Pylon-Request-ID").map(str::to_owned),
            server: None,
            body: response.body,
            cut: None,
        }
    }
}

fn as_request(outgoing: Outgoing) -> Request {
    let path = outgoing.path();
    let Outgoing { endpoint, user: _, query, body } = outgoing;
    let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    Request::new(endpoint.facts().method, &format!("/{path}"))
        .query(&query.join("&"))
        .token(DEFAULT_TOKEN)
        .body(body.unwrap_or_default())
}

fn shown(came: &Result<Incoming, FailureCause>) -> String {
    match came {
        Ok(incoming) => format!(
            "{} {}",
            incoming.status,
            String::from_utf8_lossy(&incoming.body).chars().take(120).collect::<String>()
        ),
        Err(cause) => format!("{cause:?}"),
    }
}
