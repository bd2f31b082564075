//! Falsifies the responses to reads, one at a time, in every way that a response can be partial: truncated, shifted,
//! repeated, or missing a field. The result must be either the correct plan or no plan (I13 and I14 in docs/reliability.md).
//!
//! The tests use a small server with several pages of roles, listed users, and results per search. It answers every request
//! correctly except one. The response to that request is falsified either once or always.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rolecall::observed::ObservedState;
use rolecall::plan::guardrails::Review;
use rolecall::plan::roles::NamedRoles;
use rolecall::plan::{Absence, Change, Plan, ReviewedPlan, Subject};
use rolecall::pylon::Failure;
use rolecall::pylon::exchange::{self, Incoming};
use rolecall::pylon::observe::{Ask, ObserveError, Wanted};
use rolecall::pylon::request::{Endpoint, Outgoing, ReadRequest};
use rolecall::pylon::retry::{Failures, Retries, Retry};
use rolecall::roster::{Email, Roster};
use serde_json::{Map, Value, json};

use super::{full, tell_figures};
use crate::memory::observed;
use crate::rosters;

const PAGE: usize = 3;

const FILE: &str = r#"
[guardrails]
keep_at_least = { Admin = MINIMUM }
UNMANAGED
[users]
"ana@acme.example" = { role = "Member" }
"cy@acme.example" = { role = "Admin", status = "active" }
"dee@acme.example" = { role = "DEE" }
"eve@acme.example" = { role = "Member", status = "away" }
"fay@acme.example" = { role = "Viewer" }
"hal@old.example" = { role = "Viewer" }
"ida@acme.example" = { role = "Member" }
"typo@acme.example" = { role = "Member" }
"#;

/// The lines of [`FILE`] about people who are missing or deactivated.
const ABSENT: [&str; 2] =
    ["\"fay@acme.example\" = { role = \"Viewer\" }\n", "\"typo@acme.example\" = { role = \"Member\" }\n"];

/// A user: ID, address, other addresses, assigned roles, roles from SCIM, status, and whether they are deactivated.
type Who = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    bool,
);

const PEOPLE: [Who; 10] = [
    ("u_ana", "ana@acme.example", &[], &["r_admin"], &[], "active", false),
    ("u_ben", "ben@acme.example", &[], &["r_admin"], &[], "active", false), // unmanaged, but counts toward the minimum
    ("u_cy", "cy@acme.example", &["cy@old.example"], &["r_admin"], &[], "active", false),
    ("u_dee", "dee@acme.example", &[], &["r_member"], &[], "", false),
    ("u_eve", "eve@acme.example", &[], &["r_viewer"], &["r_lead"], "active", false),
    ("u_fay", "fay@acme.example", &[], &["r_member"], &[], "away", true),
    ("u_gus", "gus@acme.example", &[], &["r_member"], &[], "active", false), // unmanaged
    ("u_hal", "hal@acme.example", &["hal@old.example"], &["r_viewer"], &[], "active", false),
    ("u_ida", "ida@acme.example", &[], &["r_lead", "r_member"], &[], "active", false),
    ("u_zoe", "zoe@acme.example", &[], &["r_admin"], &[], "active", true),
];

const ROLES: [(&str, &str, &str); 4] = [
    ("r_admin", "Admin", "admin"),
    ("r_lead", "Lead", "lead"),
    ("r_member", "Member", "member"),
    ("r_viewer", "Viewer", "viewer"),
];

/// The API versions with different representations of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Date {
    April,
    July,
    October,
}

fn role(id: &str) -> Value {
    let (id, name, slug) = ROLES.into_iter().find(|(other, ..)| *other == id).expect("a role");
    json!({ "id": id, "name": name, "slug": slug })
}

fn user(date: Date, (id, email, others, assigned, scim, status, deactivated): Who) -> Value {
    let emails: Vec<&str> = std::iter::once(email).chain(others.iter().copied()).collect();
    let mut user = json!({
        "id": id, "email": email, "emails": emails, "name": id.to_uppercase(), "avatar_url": "", "status": status,
        "role_id": assigned.last().copied().unwrap_or_default(),
    });
    match date {
        Date::April => {}
        Date::July => user["role"] = assigned.last().map_or(Value::Null, |id| role(id)),
        Date::October => {
            user["role_ids"] = json!(assigned);
            user["roles"] = assigned.iter().chain(scim).map(|id| role(id)).collect();
            user["is_deactivated"] = json!(deactivated);
        }
    }
    user
}

/// Returns all entries of the list from which `request` asks for a page.
fn whole(date: Date, request: &Outgoing) -> Vec<Value> {
    let users = |wanted: &dyn Fn(&Who) -> bool| {
        PEOPLE.into_iter().filter(wanted).map(|who| user(date, who)).collect()
    };
    match request.endpoint {
        Endpoint::Roles => ROLES.map(|(id, ..)| role(id)).to_vec(),
        Endpoint::Users => {
            let mut list: Vec<Value> = users(&|who| lists_deactivated(request) || !who.6);
            list.push(json!({ "id": "u_sync", "email": "", "name": "Sync", "status": "", "role_id": "" }));
            list
        }
        Endpoint::Search => {
            let body = body(request);
            let emails = body["filter"]["values"].as_array().expect("a list of addresses");
            users(&|(_, email, others, ..)| {
                std::iter::once(email).chain(*others).any(|address| emails.contains(&json!(address)))
            })
        }
        other => unreachable!("{other:?} is not asked"),
    }
}

fn body(request: &Outgoing) -> Value {
    serde_json::from_slice(request.body.as_deref().expect("a body")).expect("JSON")
}

fn lists_deactivated(request: &Outgoing) -> bool {
    request.query.contains(&("include_deactivated", "true".to_owned()))
}

/// Returns the index of the page's first entry, which this server uses as the cursor.
fn start(request: &Outgoing) -> usize {
    let in_query =
        || request.query.iter().find(|(name, _)| *name == "cursor").map(|(_, cursor)| cursor.clone());
    let cursor = match request.endpoint {
        Endpoint::Search => body(request)["cursor"].as_str().map(str::to_owned),
        _ => in_query(),
    };
    cursor.map_or(0, |cursor| cursor.parse().expect("a cursor of ours"))
}

fn truth(date: Date, request: &Outgoing) -> Value {
    if request.endpoint == Endpoint::Me {
        return json!({ "data": { "id": "org_1", "name": "Acme", "user": { "id": "u_api" } }, "request_id": "r" });
    }
    let start = start(request);
    let list = whole(date, request);
    let mut page = json!({ "request_id": "r" });
    if start < list.len() {
        page["data"] = list[start..list.len().min(start + PAGE)].to_vec().into();
    }
    if start + PAGE < list.len() {
        page["pagination"] = json!({ "cursor": (start + PAGE).to_string(), "has_next_page": true });
    }
    page
}

/// A falsified response: its description, status, and body.
type Lie = (String, u16, Value);

/// Falsifies a page in many ways. Falsifications without an effect aren't recorded.
struct Liar<'p> {
    date: Date,
    request: &'p Outgoing,
    page: &'p Value,
    lies: Vec<Lie>,
}

fn list(page: &mut Value) -> &mut Vec<Value> {
    page["data"].as_array_mut().expect("a list")
}

fn object(page: &mut Value) -> &mut Map<String, Value> {
    page.as_object_mut().expect("an object")
}

impl Liar<'_> {
    fn lie(&mut self, name: String, change: impl FnOnce(&mut Value)) {
        let mut page = self.page.clone();
        change(&mut page);
        if page != *self.page {
            self.lies.push((name, 200, page));
        }
    }

    fn is_about_roles(&self) -> bool {
        self.request.endpoint == Endpoint::Roles
    }

    /// Drops an entry, repeats it, removes one of its fields, or truncates the page before the entry.
    fn entry(&mut self, at: usize) {
        self.lie(format!("entry {at} dropped"), |page| drop(list(page).remove(at)));
        self.lie(format!("cut after {at} entries"), |page| list(page).truncate(at));
        self.lie(format!("entry {at} repeated"), |page| {
            let again = list(page)[at].clone();
            list(page).push(again);
        });
        let fields: Vec<String> =
            self.page["data"][at].as_object().into_iter().flat_map(Map::keys).cloned().collect();
        for field in fields {
            self.lie(format!("entry {at} lacks {field}"), |page| {
                drop(object(&mut list(page)[at]).remove(&field));
            });
        }
    }

    /// Gives two entries the same ID, or swaps their IDs.
    fn ids(&mut self, at: usize, other: usize) {
        self.lie(format!("entry {at} has the ID of {other}"), |page| {
            list(page)[at]["id"] = list(page)[other]["id"].clone();
        });
        // Skip April. Users have only a role ID there, and no other response would contradict the swapped names.
        if self.date == Date::April && self.is_about_roles() {
            return;
        }
        self.lie(format!("entries {at} and {other} exchange their IDs"), |page| {
            let (one, two) = (list(page)[at]["id"].clone(), list(page)[other]["id"].clone());
            (list(page)[at]["id"], list(page)[other]["id"]) = (two, one);
        });
    }

    /// Changes the ID, name, or slug of a role.
    fn role(&mut self, at: usize) {
        for (field, text) in
            [("slug", "other"), ("slug", "admin"), ("name", "Member"), ("name", "Other"), ("id", "r_other")]
        {
            self.lie(format!("entry {at} has the {field} {text}"), |page| {
                list(page)[at][field] = json!(text);
            });
        }
    }

    /// Falsifies a user's values.
    fn user(&mut self, at: usize) {
        for email in ["", "other@acme.example", "dee@acme.example"] {
            self.lie(format!("entry {at} has the address `{email}`"), |page| {
                list(page)[at]["email"] = json!(email);
                list(page)[at]["emails"] = json!([email]);
            });
        }
        self.lie(format!("entry {at} has another status"), |page| {
            list(page)[at]["status"] = json!("out_of_office");
        });
        self.lie(format!("entry {at} is deactivated or not"), |page| {
            if let Value::Bool(is) = list(page)[at]["is_deactivated"] {
                list(page)[at]["is_deactivated"] = json!(!is);
            }
        });
        for held in ["r_admin", "r_viewer", "r_unknown"] {
            let date = self.date;
            self.lie(format!("entry {at} holds {held}"), |page| hold(&mut list(page)[at], date, held));
        }
    }

    /// Falsifies the page's cursor, data, or status code.
    fn paging(&mut self) {
        self.lie("no pagination".into(), |page| drop(object(page).remove("pagination")));
        self.lie("another page without a cursor".into(), |page| {
            page["pagination"] = json!({ "has_next_page": true });
        });
        self.lie("the first page again".into(), |page| leads_to(page, 0));
        self.lie("an entry between two pages is left out".into(), |page| {
            if let Some(next) = page["pagination"]["cursor"].as_str() {
                let next: usize = next.parse().expect("a cursor of ours");
                leads_to(page, next + 1);
            }
        });
        self.lie("no data".into(), |page| drop(object(page).remove("data")));
        self.lie("data is null".into(), |page| page["data"] = Value::Null);
        self.lie("nothing but a request ID".into(), |page| *page = json!({ "request_id": "r" }));
        self.lie("an empty list".into(), |page| page["data"] = json!([]));
        let first = whole(self.date, self.request);
        self.lie("the first page's data".into(), |page| {
            page["data"] = first[..first.len().min(PAGE)].to_vec().into();
        });
        for status in [201, 202, 203, 204, 206] {
            self.lies.push((format!("the status {status}"), status, self.page.clone()));
        }
    }
}

fn hold(user: &mut Value, date: Date, held: &str) {
    let object =
        if held == "r_unknown" { json!({ "id": held, "name": "X", "slug": "x" }) } else { role(held) };
    user["role_id"] = json!(held);
    match date {
        Date::April => {}
        Date::July => user["role"] = object,
        Date::October => (user["role_ids"], user["roles"]) = (json!([held]), json!([object])),
    }
}

fn leads_to(page: &mut Value, position: usize) {
    page["pagination"] = json!({ "cursor": position.to_string(), "has_next_page": true });
}

/// Returns all falsifications of the response to `request`.
fn lies(date: Date, request: &Outgoing, page: &Value) -> Vec<Lie> {
    let mut liar = Liar { date, request, page, lies: Vec::new() };
    let count = page["data"].as_array().map_or(0, Vec::len);
    for at in 0..count {
        liar.entry(at);
        (0..count).filter(|other| *other != at).for_each(|other| liar.ids(at, other));
        if liar.is_about_roles() { liar.role(at) } else { liar.user(at) }
    }
    liar.paging();
    liar.lies
}

/// The correct responses. Each page is built only once because building a page is slow in a debug build.
struct Truth {
    date: Date,
    pages: RefCell<HashMap<Outgoing, Vec<u8>>>,
}

impl Truth {
    fn response(&self, request: &Outgoing) -> Vec<u8> {
        let mut pages = self.pages.borrow_mut();
        let page = pages.entry(request.clone());
        page.or_insert_with(|| truth(self.date, request).to_string().into_bytes()).clone()
    }
}

/// A server that gives correct responses to all requests except one.
struct Server<'l> {
    truth: &'l Truth,
    lie: Option<(&'l Outgoing, &'l Lie)>,
    always: bool,
    asked: RefCell<Vec<Outgoing>>,
    told: RefCell<u32>,
}

impl<'l> Server<'l> {
    fn new(truth: &'l Truth, lie: Option<(&'l Outgoing, &'l Lie)>, always: bool) -> Self {
        Self { truth, lie, always, asked: RefCell::default(), told: RefCell::new(0) }
    }

    fn once(&self, request: &Outgoing) -> Incoming {
        self.asked.borrow_mut().push(request.clone());
        let (status, body) = match self.lie {
            Some((about, (_, status, page)))
                if about == request && (self.always || *self.told.borrow() == 0) =>
            {
                *self.told.borrow_mut() += 1;
                (*status, page.to_string().into_bytes())
            }
            _ => (200, self.truth.response(request)),
        };
        Incoming { status, body, ..Incoming::default() }
    }

    /// Makes a plan the way `rolecall plan` does. Returns `None` if that fails.
    fn plan(&self, roster: &Roster) -> Option<ReviewedPlan> {
        let desired = roster.resolve_at(Timestamp::UNIX_EPOCH);
        let mut emails: Vec<Email> = desired.people.iter().map(|person| person.email.value.clone()).collect();
        let confirm_listing = roster.guardrails.needs_whole_list();
        let observe = |emails: &[Email]| -> Result<ObservedState, ObserveError> {
            let wanted = Wanted { emails, pin: None, confirm_listing };
            observed(self, &wanted)
        };
        let review = |observed: &ObservedState| {
            let roles = NamedRoles::look_up(roster, &observed.roles).ok()?;
            let plan = Plan::draw(&desired, observed, &roles, roster.policy).ok()?;
            let at = Timestamp::UNIX_EPOCH;
            Some(plan.review(Review { observed, roster, at, roles: &roles, max_changes: None }))
        };
        let state = observe(&emails).ok()?;
        let reviewed = review(&state)?;
        let holders = reviewed.holders_to_confirm(&state, &emails);
        if holders.is_empty() {
            return Some(reviewed);
        }
        emails.extend(holders);
        review(&observe(&emails).ok()?)
    }
}

impl Ask for Server<'_> {
    /// Sends a request with the usual retries, but without any waiting.
    async fn ask<R: ReadRequest>(&self, request: &R) -> Result<R::Response, Failure> {
        let now = std::time::Duration::ZERO;
        let mut retries = Retries::new(now, fastrand::Rng::with_seed(1));
        let mut failed = Failures::default();
        loop {
            let incoming = self.once(&request.outgoing());
            let failure = match exchange::attempt(request, Ok(incoming), Timestamp::UNIX_EPOCH).result {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            failed.add(&failure);
            if let Retry::No(_) = retries.retry_read(now, &failure, failed) {
                return Err(failure);
            }
        }
    }
}

#[test]
fn a_partial_response_gives_the_true_plan_or_no_plan() {
    let mut counts: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for date in [Date::April, Date::July, Date::October] {
        // The cases: two people swap roles (with and without a guardrail for unmanaged people), a removal reaches the minimum,
        // and a removal is blocked.
        for (dee, minimum, unmanaged) in [
            ("Admin", "2", ""),
            ("Admin", "2", "unmanaged = \"block\""),
            ("Member", "2", ""),
            ("Member", "3", ""),
        ] {
            let mut file =
                FILE.replace("DEE", dee).replace("MINIMUM", minimum).replace("UNMANAGED", unmanaged);
            if !unmanaged.is_empty() {
                // If a person is absent, the list is read twice even if the guardrail doesn't need it.
                for absent in ABSENT {
                    assert!(file.contains(absent));
                    file = file.replace(absent, "");
                }
            }
            falsify(date, &rosters::read(file).unwrap(), &mut counts);
        }
    }
    let rows: Vec<String> = counts
        .iter()
        .map(|(kind, [same, none])| {
            format!(
                "{kind:<16} {:>6} responses falsified: {same:>6} times the true plan, {none:>6} times none",
                same + none
            )
        })
        .collect();
    tell_figures("Partial and contradictory reads, one response at a time", &rows);
}

/// Makes a plan for every falsification of every response. Counts the correct plans and the failed ones.
fn falsify(date: Date, roster: &Roster, counts: &mut BTreeMap<String, [u32; 2]>) {
    let truth_of = Truth { date, pages: RefCell::default() };
    let honest = Server::new(&truth_of, None, false);
    let expected = honest.plan(roster).expect("there is a plan for the true state");
    assert!(expected.plan.changes.len() > 1);
    let pages: HashMap<Outgoing, Value> = honest
        .asked
        .into_inner()
        .into_iter()
        .filter(|request| request.endpoint != Endpoint::Me)
        .map(|request| (request.clone(), truth(date, &request)))
        .collect();
    for (request, page) in &pages {
        // With a prime step, the sample includes every kind of falsification.
        for lie in lies(date, request, page).iter().step_by(usize::try_from(full(1, 53)).unwrap()) {
            for always in [false, true] {
                let server = Server::new(&truth_of, Some((request, lie)), always);
                let plan = server.plan(roster);
                assert!(*server.told.borrow() > 0, "{request:?}: {} did not occur", lie.0);
                let what = || format!("{date:?} {request:?}: {}, always: {always}", lie.0);
                // Before October 2026, a person missing from every listing of active users counts as deactivated, and no other
                // response contradicts that. The plan leaves the person unchanged and reports them as deactivated.
                let is_definition = request.endpoint == Endpoint::Users && !lists_deactivated(request);
                match &plan {
                    Some(plan) if date != Date::October && always && is_definition => {
                        let is_planned = |change| expected.plan.changes.contains(change);
                        assert!(plan.plan.changes.iter().all(is_planned), "{}", what());
                        let drops_change = plan.plan.changes.len() < expected.plan.changes.len();
                        assert!(drops_change || plan.is_blocked() || !expected.is_blocked(), "{}", what());
                    }
                    Some(plan) => is_true(plan, &expected, &what),
                    None => {}
                }
                let kind = format!("{date:?}, {}", if always { "always" } else { "once" });
                counts.entry(kind).or_default()[usize::from(plan.is_none())] += 1;
            }
        }
    }
}

/// Checks that both plans have the same changes and the same missing or deactivated people. Guardrails that should have
/// blocked the plan must not pass.
fn is_true(plan: &ReviewedPlan, expected: &ReviewedPlan, what: &dyn Fn() -> String) {
    let (plan_of, expected_of) = (nameless(&plan.plan), nameless(&expected.plan));
    assert!(plan_of == expected_of, "{}\n{plan_of:#?}", what());
    assert!(plan.is_blocked() || !expected.is_blocked(), "a guardrail passes: {}", what());
    for (minimum, expected) in plan.minimums.iter().zip(&expected.minimums) {
        assert!(minimum.after <= expected.after, "more holders than there are: {}", what());
    }
    for (maximum, expected) in plan.maximums.iter().zip(&expected.maximums) {
        assert!(maximum.after >= expected.after, "fewer holders than there are: {}", what());
    }
}

/// Returns a plan's changes and people, without names. No decision depends on a name.
fn nameless(plan: &Plan) -> (Vec<Change>, Vec<Subject>, Vec<(&Email, bool)>) {
    let subject = |subject: &Subject| Subject { name: String::new(), ..subject.clone() };
    let changes =
        plan.changes.iter().map(|change| Change { subject: subject(&change.subject), ..change.clone() });
    let absent = plan
        .absent
        .iter()
        .map(|absent| (&absent.email.value, matches!(absent.absence, Absence::Deactivated { .. })));
    (changes.collect(), plan.found_elsewhere.iter().map(subject).collect(), absent.collect())
}
