//! Reads the present state, provably complete, or not at all.
//!
//! The declared people are searched by address, everybody else comes from one listing, all at once. Every declared
//! address is found or asked for once more; a page that leads nowhere, in a circle or is refused is an error, never
//! "nobody". Only of the audit log less will do. What is asked, when and whether again is decided by [`super::pace`] and [`super::retry`]; this only acts.

use std::cell::RefCell;
use std::collections::HashSet;
use std::future::ready;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::timeout;
use tokio::try_join;

use super::Code;
use super::client::Reader;
use super::failure::{Class, Failure};
use super::inquiry::{self, Inquiry};
use super::pace::{Pacing, Told, Turn};
use super::request::{Allowance, Answer, Attempt, Identity, PAGE, ReadRequest};
use super::retry::{ATTEMPTS, ATTEMPTS_AT_A_REMARK, Again, GiveUp, Retries};
use crate::clock::Clock;
use crate::observed::{Found, ObservedState, Person, RoleCatalogue, UserId};
use crate::plan::blame::OutOfStep;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::{Email, Region};
use crate::source::Sourced;

/// How many searches are under way at once.
const SEARCHES_AT_ONCE: usize = 8;

/// What was read.
#[derive(Debug)]
pub struct Observation {
    /// The present state.
    pub state: ObservedState,
    /// When the oldest of its reads was sent; no write may rest on it for long.
    pub read_at: Duration,
}

/// A reader with the pace and the patience of one run.
#[derive(Debug)]
pub struct Asking {
    reader: Reader,
    clock: Clock,
    pacing: RefCell<Pacing>,
    retries: RefCell<Retries>,
    rng: RefCell<fastrand::Rng>,
    /// Hears why and until when nothing happens, where that is longer than a moment.
    tell: fn(&str),
}

/// Shorter waits are not worth a word.
const WORTH_SAYING: Duration = Duration::from_secs(3);

impl Asking {
    /// Begins a run. `tell` hears of waits that are longer than a moment.
    pub fn new(reader: Reader, clock: Clock, pacing: Pacing, rng: fastrand::Rng, tell: fn(&str)) -> Self {
        let retries = Retries::new(clock.elapsed());
        Self {
            reader,
            clock,
            pacing: RefCell::new(pacing),
            retries: RefCell::new(retries),
            rng: RefCell::new(rng),
            tell,
        }
    }

    /// What the run has spent of its pace; an apply goes on with it.
    pub fn into_parts(self) -> (Reader, Pacing, fastrand::Rng) {
        (self.reader, self.pacing.into_inner(), self.rng.into_inner())
    }

    /// Reads the organisation. With a `pin` nothing but `GET /me` is asked before it is known to hold.
    ///
    /// # Errors
    /// Something could not be read to its end, or the organisation is another one.
    pub async fn observe(
        &self,
        declared: &[Email],
        pin: Option<&Sourced<String>>,
    ) -> Result<Observation, Problem> {
        let read_at = self.clock.elapsed();
        let (identity, (roles, mut listed, found)) = match pin {
            Some(pin) => {
                let identity = self.identity().await?;
                check_pin(&identity, pin)?;
                (identity, self.everything(declared).await?)
            }
            None => try_join!(self.identity(), self.everything(declared))?,
        };
        let state = ObservedState::new(identity.organization, identity.user, roles);
        let found = found.knowing(&listed);
        // The search reads with more care for these very people, so it counts in place of the listing.
        let searched: HashSet<&UserId> = found.iter().map(|person| &person.id).collect();
        listed.retain(|person| !searched.contains(&person.id));
        let mut state = state.with(listed.into_iter().chain(found));
        let missing: Vec<Email> =
            declared.iter().filter(|email| state.find(email) == Found::Nobody).cloned().collect();
        if !missing.is_empty() {
            let (all, found) = try_join!(self.listing(true), self.search(&missing))?;
            // Whoever is not there yet is on no list of active people.
            for person in all.and(found).knowing(&[]) {
                if state.person(&person.id).is_none() {
                    state.insert(person);
                }
            }
        }
        Ok(Observation { state, read_at })
    }

    /// Asks the audit log about whatever is out of step, as far as that goes within a bounded time.
    pub async fn inquire<'a>(&self, out_of_step: OutOfStep<'a>) -> Inquiry<'a> {
        let allowance = self.pacing.borrow().limit(Allowance::Audit);
        let mut inquiry = Inquiry::new(out_of_step, allowance);
        let asking = async {
            while let Some(request) = inquiry.next_request() {
                match self.ask_up_to(ATTEMPTS_AT_A_REMARK, &request).await {
                    Ok(Answer::Entries(page)) => inquiry.answered(page),
                    Ok(other) => unreachable!("the audit log is decoded as entries, not as {other:?}"),
                    Err(failure) => inquiry.failed(failure),
                }
            }
        };
        if timeout(inquiry::LONGEST, asking).await.is_err() {
            inquiry.timed_out();
        }
        inquiry
    }

    async fn everything(&self, declared: &[Email]) -> Result<(RoleCatalogue, Vec<Person>, Read), Problem> {
        // Without those who are deactivated: that is what it is asked for.
        let active = async { Ok(self.listing(false).await?.people) };
        try_join!(self.roles(), active, self.search(declared))
    }

    async fn identity(&self) -> Result<Identity, Problem> {
        match self.ask(&ReadRequest::Me).await {
            Ok(Answer::Me(identity)) => Ok(identity),
            Ok(other) => unreachable!("GET /me is decoded as an identity, not as {other:?}"),
            Err(failure) => Err(self.problem(&failure)),
        }
    }

    async fn roles(&self) -> Result<RoleCatalogue, Problem> {
        match self.ask(&ReadRequest::Roles).await {
            Ok(Answer::Roles(roles)) => Ok(RoleCatalogue::new(roles)),
            Ok(other) => unreachable!("GET /user-roles is decoded as roles, not as {other:?}"),
            Err(failure) => Err(self.problem(&failure)),
        }
    }

    async fn listing(&self, deactivated: bool) -> Result<Read, Problem> {
        self.pages(ReadRequest::Listing { deactivated, cursor: None })
            .await
            .map_err(|trouble| self.trouble(trouble))
    }

    async fn search(&self, emails: &[Email]) -> Result<Read, Problem> {
        let batches = emails.chunks(PAGE).map(|batch| self.search_batch(batch.to_vec()));
        let found = stream::iter(batches).buffer_unordered(SEARCHES_AT_ONCE);
        found.try_fold(Read::default(), |all, found| ready(Ok(all.and(found)))).await
    }

    /// One search, in halves where the server finds it too large.
    async fn search_batch(&self, batch: Vec<Email>) -> Result<Read, Problem> {
        let mut people = Read::default();
        let mut batches = vec![(batch, PAGE)];
        while let Some((emails, limit)) = batches.pop() {
            match self.pages(ReadRequest::Search { emails: emails.clone(), limit, cursor: None }).await {
                Ok(found) => people = people.and(found),
                Err(Unread::Failed(failure)) if failure.is_too_large() && limit > 1 => {
                    let half = emails.len().div_ceil(2).max(1);
                    batches.extend(emails.chunks(half).map(|part| (part.to_vec(), limit.min(PAGE) / 2)));
                }
                Err(trouble) => return Err(self.trouble(trouble)),
            }
        }
        Ok(people)
    }

    /// All pages of a listing or a search. Each leads on to a new one that brings somebody new, or there is no result.
    async fn pages(&self, first: ReadRequest) -> Result<Read, Unread> {
        let asked = first.asked();
        let Read { mut people, mut unsaid } = Read::default();
        let mut seen: HashSet<UserId> = HashSet::new();
        let mut cursors: HashSet<String> = HashSet::new();
        let mut request = first;
        loop {
            let page = match self.ask(&request).await.map_err(Unread::Failed)? {
                Answer::Page(page) => page,
                other => unreachable!("{asked} is decoded as a page, not as {other:?}"),
            };
            let is_empty = page.people.is_empty();
            let before = people.len();
            seen.reserve(page.people.len());
            people.extend(page.people.into_iter().filter(|person| seen.insert(person.id.clone())));
            unsaid.extend(page.unsaid);
            let brought_nobody = people.len() == before && !cursors.is_empty();
            if brought_nobody && (!is_empty || page.next.is_some()) {
                return Err(Unread::Incomplete(format!(
                    "{asked} answers with a page on which everybody was there before"
                )));
            }
            let Some(next) = page.next else {
                return Ok(Read { people, unsaid });
            };
            if !cursors.insert(next.clone()) {
                return Err(Unread::Incomplete(format!("{asked} leads from page to page in a circle")));
            }
            request = request.at_page(next);
        }
    }

    async fn ask(&self, request: &ReadRequest) -> Result<Answer, Failure> {
        self.ask_up_to(ATTEMPTS, request).await
    }

    /// One read, until it is answered or not worth asking again.
    async fn ask_up_to(&self, attempts: u32, request: &ReadRequest) -> Result<Answer, Failure> {
        let mut failed = 0;
        loop {
            let attempt = self.once(request).await;
            let now = self.clock.elapsed();
            let failure = match attempt.result {
                Ok(answer) => {
                    self.retries.borrow_mut().succeeded(now);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            failed += u32::from(failure.class() != Class::Throttled);
            let again = self.again(now, &failure, failed);
            match if failed < attempts { again } else { Again::No(GiveUp::Attempts) } {
                Again::At(at) => {
                    self.tell_of_wait(at, &failure.line());
                    self.sleep_until(at).await;
                }
                Again::No(_) => return Err(failure),
            }
        }
    }

    /// One attempt, in its turn.
    pub async fn once(&self, request: &ReadRequest) -> Attempt<Answer> {
        self.wait_for_turn(request).await;
        let sent = self.clock.elapsed();
        let attempt = self.reader.read(request).await;
        let now = self.clock.elapsed();
        let jitter = self.rng.borrow_mut().u64(0..1000);
        self.pacing.borrow_mut().of(request.allowance()).answered(now, sent, Told::by(&attempt), jitter);
        attempt
    }

    /// The region whose own host is asked, if it is one.
    pub fn region(&self) -> Option<Region> {
        self.reader.base().region()
    }

    /// The host that is asked.
    pub fn host(&self) -> String {
        self.reader.base().host()
    }

    fn again(&self, now: Duration, failure: &Failure, failed: u32) -> Again {
        let mut retries = self.retries.borrow_mut();
        retries.failed(failure);
        retries.read_again(now, failure, failed, &mut self.rng.borrow_mut())
    }

    async fn wait_for_turn(&self, request: &ReadRequest) {
        loop {
            let now = self.clock.elapsed();
            let turn = self.pacing.borrow_mut().of(request.allowance()).turn(now);
            match turn {
                Turn::Now => break self.pacing.borrow_mut().of(request.allowance()).sent(now),
                Turn::At(at) => {
                    self.tell_of_wait(at, &format!("{} waits for its turn", request.asked()));
                    self.sleep_until(at).await;
                }
                // A slot comes back a window after an answer, so looking again every so often costs nothing.
                Turn::AfterAnswer => self.sleep_until(now + Duration::from_millis(100)).await,
            }
        }
    }

    fn tell_of_wait(&self, until: Duration, why: &str) {
        let wait = until.saturating_sub(self.clock.elapsed());
        if wait >= WORTH_SAYING {
            (self.tell)(&format!("{why}; goes on at {}", self.clock.time_of_day_after(wait)));
        }
    }

    async fn sleep_until(&self, at: Duration) {
        tokio::time::sleep(at.saturating_sub(self.clock.elapsed())).await;
    }

    fn problem(&self, failure: &Failure) -> Problem {
        failure.problem(self.region())
    }

    fn trouble(&self, trouble: Unread) -> Problem {
        match trouble {
            Unread::Failed(failure) => self.problem(&failure),
            Unread::Incomplete(why) => Problem::new(Code::Incomplete, why)
                .help("whoever is not listed would look as if they were missing, so there is no plan; run again, and report it if it stays"),
        }
    }
}

/// People, as one or more requests brought them.
#[derive(Default)]
struct Read {
    people: Vec<Person>,
    /// Those of whom it was not said whether they are deactivated.
    unsaid: HashSet<UserId>,
}

impl Read {
    fn and(mut self, other: Self) -> Self {
        self.people.extend(other.people);
        self.unsaid.extend(other.unsaid);
        self
    }

    /// The people; one of whom it was not said is deactivated unless the list of those who are not has them.
    fn knowing(self, active: &[Person]) -> Vec<Person> {
        let Self { mut people, unsaid } = self;
        if unsaid.is_empty() {
            return people; // the present API always says it
        }
        let active: HashSet<&UserId> = active.iter().map(|person| &person.id).collect();
        for person in people.iter_mut().filter(|person| unsaid.contains(&person.id)) {
            person.deactivated = !active.contains(&person.id);
        }
        people
    }
}

/// Why something was not read to its end.
enum Unread {
    Failed(Failure),
    Incomplete(String),
}

fn check_pin(identity: &Identity, pin: &Sourced<String>) -> Result<(), Problem> {
    let organization = &identity.organization;
    if organization.id == pin.value {
        return Ok(());
    }
    let (id, name) = (Printable::cut(&organization.id, 80), Printable::cut(&organization.name, 80));
    Err(Problem::new(
        Code::OtherOrganization,
        format!("the token belongs to {name} ({id}), and these files are for another organisation"),
    )
    .at(pin.place, "pinned here")
    .help("use a token of the pinned organisation; nothing else was asked and nothing was changed"))
}
