//! Decides which audit log entries to request and when to stop. The entries show who set the users' values.
//!
//! This module is pure: responses go in, and requests come out. `paced_reader` sends the requests, and [`crate::plan::blame`] picks
//! the relevant entries. Since a plan can do without the audit log, the inquiry stays within its [`Budget`] and stops as soon as
//! every value has an entry. If it fails, the plan still succeeds, and the report mentions the failure.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;
use super::request::{AuditSearch, Endpoint, PAGE, Page, halved};
use crate::observed::{ObservedState, UserId};
use crate::plan::blame::{AuditEntry, BlameLine, Drift};
use crate::roster::Field;

/// The limits on one inquiry's requests and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub requests: u64,
    /// The time after which the inquiry ends with partial results.
    pub time: Duration,
}

impl Budget {
    /// The budget for an access review: ten minutes of requests at the documented rate limit, plus two minutes for pauses. That
    /// covers up to 299,700 entries, enough for the history of hundreds of people.
    pub const OF_REVIEW: Self =
        Self { requests: 10 * Endpoint::Audit.facts().limit, time: Duration::from_secs(720) };

    /// Returns the budget for a plan. The number of requests is `rate_limit` (in requests per minute) or the documented rate
    /// limit, whichever is lower. That many requests are possible without a pause. At the documented limit, they cover 29,970
    /// entries. The time is enough for one pause after a 429 and another page or two, but not for waiting out an outage.
    pub fn of_plan(rate_limit: u64) -> Self {
        Self { requests: Endpoint::Audit.facts().limit.min(rate_limit), time: Duration::from_secs(120) }
    }
}

/// The state of an inquiry into the audit log, which requests entries for one batch of people at a time.
#[derive(Debug, Clone)]
pub struct Inquiry<'a> {
    drift: Drift<'a>,
    /// People in the current request. Empty once everyone has been covered.
    batch: Vec<UserId>,
    /// People for later requests, in reverse order because they're popped from the end.
    left: Vec<UserId>,
    /// The maximum number of people per request. Like `limit`, it shrinks if the server rejects a request as too large.
    most_people: usize,
    limit: usize,
    pages: Pages,
    requests_left: u64,
    time: Duration,
    pages_read: u64,
    unread: Option<CutShort>,
}

/// The pages read so far for the current batch.
#[derive(Debug, Clone, Default)]
struct Pages {
    cursor: Option<String>,
    seen: HashSet<String>,
    last: Option<Timestamp>,
    /// Whether any entry was newer than its predecessor.
    is_unsorted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    pub blames: BTreeMap<(UserId, Field), BlameLine>,
    /// The reason the log wasn't read to the end, or `None` if it was.
    pub unread: Option<CutShort>,
    /// Whether the audit log could be read, i.e., at least one page was read or none was needed.
    pub is_available: bool,
}

/// The reason the log wasn't read to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CutShort {
    Failed(Failure),
    /// The log never ends because a page links back to an earlier one.
    Circle,
    /// The inquiry reached its request limit after this many pages.
    Enough(u64),
    /// The inquiry reached this time limit.
    TooSlow(Duration),
}

impl<'a> Inquiry<'a> {
    pub fn new(drift: Drift<'a>, budget: Budget) -> Self {
        let Budget { requests, time } = budget;
        let mut inquiry = Self {
            batch: Vec::new(),
            left: drift.people(),
            drift,
            most_people: PAGE,
            limit: PAGE,
            pages: Pages::default(),
            requests_left: requests,
            time,
            pages_read: 0,
            unread: None,
        };
        inquiry.left.reverse(); // popped from the end
        inquiry.next_batch();
        inquiry
    }

    /// Returns the next request, or `None` if the inquiry is over.
    pub fn next_request(&mut self) -> Option<AuditSearch> {
        if self.batch.is_empty() || self.unread.is_some() {
            return None;
        }
        if self.requests_left == 0 {
            self.unread = Some(CutShort::Enough(self.pages_read));
            return None;
        }
        self.requests_left -= 1;
        let cursor = self.pages.cursor.clone();
        Some(AuditSearch { people: self.batch.clone(), limit: self.limit, cursor })
    }

    pub fn answered(&mut self, page: Page<Vec<AuditEntry>>) {
        let Page { data: entries, next } = page;
        self.pages_read += 1;
        for entry in &entries {
            self.pages.is_unsorted |= self.pages.last.is_some_and(|last| entry.happened_at > last);
            self.pages.last = Some(entry.happened_at);
            self.drift.take(entry);
        }
        // A person's first entry is the latest one only if the log is sorted newest first, which the API doesn't guarantee.
        let is_enough = !self.pages.is_unsorted && self.drift.has_all(&self.batch);
        match next.filter(|_| !is_enough) {
            None => self.next_batch(),
            Some(cursor) if !self.pages.seen.insert(cursor.clone()) => self.unread = Some(CutShort::Circle),
            Some(cursor) => self.pages.cursor = Some(cursor),
        }
    }

    /// Handles a request that failed after all retries: splits it if it was too large, and otherwise ends the inquiry.
    pub fn failed(&mut self, failure: Failure) {
        let Some((people, limit)) = halved(self.batch.len(), self.limit, &failure) else {
            self.unread = Some(CutShort::Failed(failure));
            return;
        };
        (self.most_people, self.limit) = (people, limit);
        self.left.extend(self.batch.drain(..).rev());
        self.next_batch();
    }

    /// Ends the inquiry because it has reached the time limit in its [`Budget`].
    pub fn timed_out(&mut self) {
        self.unread = Some(CutShort::TooSlow(self.time));
    }

    /// Returns the findings. `observed` supplies the names of the actors.
    pub fn finish(self, observed: &ObservedState) -> Findings {
        let Self { drift, unread, pages_read, .. } = self;
        let is_available = pages_read > 0 || unread.is_none();
        Findings { blames: drift.into_blames(observed), unread, is_available }
    }

    fn next_batch(&mut self) {
        let rest = self.left.len().saturating_sub(self.most_people);
        self.batch = self.left.split_off(rest);
        self.batch.reverse();
        self.pages = Pages::default();
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::super::failure::Refusal;
    use super::*;
    use crate::desired::Origin;
    use crate::observed::{Organization, RoleCatalog};
    use crate::plan::blame::AuditEntry;
    use crate::plan::{Change, Edit, Plan, Subject};
    use crate::roster::{Email, Field};
    use crate::source::{Place, Sourced, Sources};

    /// Returns a plan that sets `people` people (`u_0000`, `u_0001`, and so on) from away to active.
    fn plan(people: usize) -> Plan {
        let place = Place::new(Sources::default().add("users.toml".into(), String::new()), 0..0);
        let change = |number: usize| {
            let email = Email::observed(&format!("{number}@acme.example"));
            Change {
                subject: Subject {
                    email: Sourced::new(email.clone(), place),
                    id: UserId::new(&format!("u_{number:04}")).unwrap(),
                    primary: email,
                    secondary: Vec::new(),
                    name: String::new(),
                },
                edits: vec![Edit {
                    field: Field::Status,
                    from: vec!["away".into()],
                    to: "active".into(),
                    through_scim: Vec::new(),
                    place,
                    origin: Origin::Person,
                }],
            }
        };
        Plan {
            organization: Organization::default(),
            token_user: None,
            declared: people,
            only: Vec::new(),
            changes: (0..people).map(change).collect(),
            observed: Vec::new(),
            ignored: Vec::new(),
            in_sync: 0,
            absent: Vec::new(),
            found_elsewhere: Vec::new(),
            unmanaged: Vec::new(),
        }
    }

    /// Creates an audit log entry about the user `u_{person}` in the given minute.
    fn entry(person: usize, minute: u32) -> AuditEntry {
        AuditEntry {
            id: format!("{person} {minute}"),
            action: "UserStatusChanged".into(),
            happened_at: format!("2026-08-20T14:{minute:02}:00Z").parse().unwrap(),
            object: format!("u_{person:04}"),
            source: "app".into(),
            actor: Some(format!("in minute {minute}")),
            attributes: BTreeMap::new(),
        }
    }

    fn page(entries: &[(usize, u32)], next: Option<&str>) -> Page<Vec<AuditEntry>> {
        let entries = entries.iter().map(|(person, minute)| entry(*person, *minute)).collect();
        Page { data: entries, next: next.map(str::to_owned) }
    }

    fn refused(status: u16) -> Failure {
        let refusal = Refusal { status, ..Refusal::default() };
        let cause = refusal.into();
        Failure { asked: "POST /audit-logs/search".into(), cause, request_id: None }
    }

    /// Extracts the number of people, the limit, and the cursor from a request.
    fn asked(request: Option<AuditSearch>) -> Option<(usize, usize, Option<String>)> {
        request.map(|AuditSearch { people, limit, cursor }| (people.len(), limit, cursor))
    }

    /// Answers every request by calling `answer` with its index, and returns the requests and the findings.
    fn inquire(
        people: usize,
        per_minute: u64,
        mut answer: impl FnMut(usize, &AuditSearch) -> Result<Page<Vec<AuditEntry>>, Failure>,
    ) -> (Vec<AuditSearch>, Findings) {
        let (plan, roles) = (plan(people), RoleCatalog::default());
        let mut inquiry = Inquiry::new(Drift::new(&plan, &roles), Budget::of_plan(per_minute));
        let mut requests = Vec::new();
        while let Some(request) = inquiry.next_request() {
            match answer(requests.len(), &request) {
                Ok(page) => inquiry.answered(page),
                Err(failure) => inquiry.failed(failure),
            }
            requests.push(request);
        }
        (requests, inquiry.finish(&ObservedState::default()))
    }

    /// Returns everyone who has an entry, along with the entry's minute.
    fn found(findings: &Findings) -> Vec<String> {
        let minute = |blame: &BlameLine| blame.actor_id.as_ref().unwrap().raw().replace("in minute ", "");
        findings.blames.iter().map(|((id, _), blame)| format!("{} {}", id.as_str(), minute(blame))).collect()
    }

    #[test]
    fn an_inquiry_ends_when_everyone_has_an_entry_if_the_log_is_sorted_newest_first() {
        let pages = |second: &[(usize, u32)], first: &[(usize, u32)]| {
            let (first, second) = (page(first, Some("2")), page(second, None));
            let (requests, findings) =
                inquire(2, 30, |number, _| Ok([first.clone(), second.clone()][number].clone()));
            assert_eq!((&findings.unread, findings.is_available), (&None, true));
            (requests.len(), found(&findings).join(", "))
        };
        let after = |requests: usize, found: &str| (requests, found.to_owned());
        assert_eq!(pages(&[], &[(0, 9), (1, 8), (1, 7)]), after(1, "u_0000 9, u_0001 8"));
        assert_eq!(pages(&[(1, 3)], &[(0, 9), (0, 8)]), after(2, "u_0000 9, u_0001 3"));
        assert_eq!(pages(&[(0, 9)], &[(0, 3), (1, 4)]), after(2, "u_0000 9, u_0001 4"));
        assert_eq!(pages(&[], &[(0, 3)]), after(2, "u_0000 3"), "the other person has no entry");
        assert_eq!(pages(&[], &[]), after(2, ""));
    }

    #[test]
    fn no_request_is_sent_if_everyone_is_in_sync() {
        let (requests, findings) = inquire(0, 30, |_, _| panic!("nothing to ask"));
        assert_eq!(requests, []);
        assert_eq!(findings, Findings { blames: BTreeMap::new(), unread: None, is_available: true });
    }

    #[test]
    fn an_endless_log_stops_at_the_request_limit_and_a_circle_stops_earlier() {
        for (per_minute, requests_made) in [(30, 30), (1000, 30), (5, 5)] {
            let (requests, findings) =
                inquire(1, per_minute, |number, _| Ok(page(&[], Some(&number.to_string()))));
            assert_eq!(requests.len(), requests_made);
            assert_eq!(findings.unread, Some(CutShort::Enough(requests_made as u64)));
            let cursors: Vec<Option<String>> =
                requests.into_iter().map(|request| asked(Some(request)).unwrap().2).collect();
            assert_eq!((&cursors[0], &cursors[2]), (&None, &Some("1".to_owned())));
        }
        let (requests, findings) = inquire(2, 30, |_, _| Ok(page(&[(0, 9)], Some("same"))));
        assert_eq!((requests.len(), &findings.unread), (2, &Some(CutShort::Circle)));
        assert_eq!(found(&findings), ["u_0000 9"], "what was found before is kept");
    }

    #[test]
    fn a_review_reads_more_pages_than_a_plan() {
        let (plan, roles) = (plan(1), RoleCatalog::default());
        let mut inquiry = Inquiry::new(Drift::new(&plan, &roles), Budget::OF_REVIEW);
        let mut pages = 0;
        while inquiry.next_request().is_some() {
            pages += 1;
            inquiry.answered(page(&[], Some(&pages.to_string())));
        }
        assert_eq!(pages, 300);
        let findings = inquiry.finish(&ObservedState::default());
        assert_eq!(findings.unread, Some(CutShort::Enough(300)));
    }

    #[test]
    fn many_people_are_asked_about_in_batches() {
        let (requests, findings) = inquire(1500, 30, |_, _| Ok(page(&[], None)));
        let people: Vec<UserId> = requests.iter().flat_map(|request| request.people.clone()).collect();
        let everybody: Vec<UserId> = plan(1500).changes.into_iter().map(|change| change.subject.id).collect();
        assert_eq!((requests.len(), people), (2, everybody));
        assert_eq!(findings.unread, None);
    }

    #[test]
    fn a_request_that_is_too_large_is_halved_and_later_ones_stay_small() {
        let at_most = |most: usize| {
            inquire(10, 30, move |_, request| {
                let (people, ..) = asked(Some(request.clone())).unwrap();
                if people > most { Err(refused(413)) } else { Ok(page(&[], None)) }
            })
        };
        let (requests, findings) = at_most(3);
        let sizes: Vec<usize> = requests.into_iter().map(|request| asked(Some(request)).unwrap().0).collect();
        assert_eq!(sizes, [10, 5, 3, 3, 3, 1]);
        assert_eq!(findings.unread, None);
        let (requests, findings) = at_most(0);
        let limits: Vec<usize> =
            requests.into_iter().map(|request| asked(Some(request)).unwrap().1).collect();
        assert_eq!(limits, [999, 499, 249, 124, 62, 31, 15, 7, 3, 1]);
        assert_eq!(findings.unread, Some(CutShort::Failed(refused(413))));
    }

    #[test]
    fn a_timeout_keeps_the_entries_found_so_far() {
        let (plan, roles) = (plan(2), RoleCatalog::default());
        let mut inquiry = Inquiry::new(Drift::new(&plan, &roles), Budget::of_plan(30));
        inquiry.next_request();
        inquiry.answered(page(&[(0, 9)], Some("2")));
        inquiry.timed_out();
        assert_eq!(inquiry.next_request(), None);
        let findings = inquiry.finish(&ObservedState::default());
        assert_eq!(
            (&findings.unread, findings.is_available),
            (&Some(CutShort::TooSlow(Duration::from_secs(120))), true)
        );
        assert_eq!(found(&findings), ["u_0000 9"]);
    }

    #[test]
    fn a_failure_ends_the_inquiry_and_is_reported() {
        for status in [403, 404, 500] {
            let (requests, findings) = inquire(2, 30, |_, _| Err(refused(status)));
            assert_eq!(requests.len(), 1);
            let unread = Some(CutShort::Failed(refused(status)));
            assert_eq!(findings, Findings { blames: BTreeMap::new(), unread, is_available: false });
        }
        let (_, findings) = inquire(2, 30, |number, _| match number {
            0 => Ok(page(&[(0, 9)], Some("2"))),
            _ => Err(refused(500)),
        });
        assert_eq!(found(&findings), ["u_0000 9"]);
        assert!(findings.is_available && findings.unread.is_some());
    }
}
