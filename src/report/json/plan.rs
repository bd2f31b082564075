//! A plan, and what came of it.

use schemars::JsonSchema;
use serde::Serialize;

use super::files::{File, Left, file, left_line};
use super::{
    Coming, OrganizationOf, Place, VERSION, WindowOf, coming_line, encode, organization_of, place,
    window_line,
};
use crate::apply::Outcome;
use crate::desired::Origin;
use crate::exit::Exit;
use crate::plan::guardrails::Verdict;
use crate::printable::Printable;
use crate::report::facts::plan::{
    ActorLine, AuditLogLine, BlameLine, EditLine, Entry, EntryKind, ExpiredLine, GuardrailLine,
    IntegrationLine, KeptRoleLine, PersonLine, PlanReport, TakebackLines,
};
use crate::report::words;

/// `plan`, `apply` and `rollback`: what would change, or what came of changing it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Plan<'a> {
    version: u32,
    command: &'a str,
    exit_code: u8,
    organization: OrganizationOf<'a>,
    /// `true` if a sandbox made the organization up from the files; otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_up: Option<bool>,
    declared: usize,
    at: Option<&'a str>,
    only: Vec<&'a str>,
    refused: bool,
    summary: Summary,
    kept_roles: Vec<KeptRole<'a>>,
    changes: Vec<Change<'a>>,
    observed: Vec<Change<'a>>,
    missing: Vec<Absent<'a>>,
    found_elsewhere: Vec<Elsewhere<'a>>,
    undeclared: Vec<&'a str>,
    integration_users: Vec<IntegrationUser<'a>>,
    guardrails: Vec<Guardrail<'a>>,
    expired_acknowledgements: Vec<Expired<'a>>,
    coming: Vec<Coming<'a>>,
    windows: Vec<WindowOf<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    takeback: Option<TakebackOf<'a>>,
    /// With `plan --blame` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    blame: Option<AuditLog>,
    result: Option<ResultOf>,
    journal: Option<&'a str>,
    saved: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
struct Summary {
    changes: usize,
    in_step: usize,
    in_step_since_saved: usize,
    observed: usize,
    missing: usize,
    undeclared: usize,
    integration_users: usize,
}

/// A user without an email address, who is not a person.
#[derive(Serialize, JsonSchema)]
struct IntegrationUser<'a> {
    id: &'a str,
    name: &'a str,
}

/// A role that `keep_at_least` keeps, gained or lost.
#[derive(Serialize, JsonSchema)]
struct KeptRole<'a> {
    email: &'a str,
    role: &'a str,
    gained: bool,
}

#[derive(Serialize, JsonSchema)]
struct Change<'a> {
    email: &'a str,
    #[serde(flatten)]
    person: Person<'a>,
    edits: Vec<Edit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeOf>,
}

#[derive(Serialize, JsonSchema)]
struct Person<'a> {
    id: &'a str,
    name: &'a str,
    primary_email: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
struct Edit<'a> {
    field: &'a str,
    from: Vec<&'a str>,
    to: &'a str,
    through_scim: Vec<&'a str>,
    place: Place,
    origin: OriginOf<'a>,
    /// Who brought `from` about; with `plan --blame` alone, and where the audit log says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    blame: Option<Blame<'a>>,
}

/// The newest entry of the audit log about a field of a person.
#[derive(Serialize, JsonSchema)]
struct Blame<'a> {
    /// The user's id.
    actor_id: Option<&'a str>,
    /// Where the actor is somebody in the organisation.
    actor_name: Option<&'a str>,
    actor_email: Option<&'a str>,
    source: Option<&'a str>,
    action: &'a str,
    /// RFC 3339, in UTC.
    at: String,
    old: Option<&'a str>,
    new: Option<&'a str>,
    /// It set another value than `from`: something that is not in the log came after it.
    outlived: bool,
}

/// How far the audit log was read.
#[derive(Serialize, JsonSchema)]
struct AuditLog {
    available: bool,
    /// Where it was read to its end, an edit without `blame` is one that the log says nothing of.
    complete: bool,
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum OriginOf<'a> {
    Person,
    Defaults,
    Window { until: Option<&'a str>, reason: Option<&'a str> },
    AfterWindow { window_status: &'a str },
    Rollback,
}

#[derive(Serialize, JsonSchema)]
struct OutcomeOf {
    name: &'static str,
    in_force: bool,
    detail: String,
    request_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Absent<'a> {
    email: &'a str,
    deactivated: bool,
    did_you_mean: Option<&'a str>,
    place: Place,
}

#[derive(Serialize, JsonSchema)]
struct Elsewhere<'a> {
    email: &'a str,
    #[serde(flatten)]
    person: Person<'a>,
    place: Place,
}

#[derive(Serialize, JsonSchema)]
struct Guardrail<'a> {
    name: &'static str,
    verdict: &'static str,
    figure: &'a str,
    acknowledged: Option<&'a str>,
    remedy: Option<&'a str>,
    place: Option<Place>,
}

#[derive(Serialize, JsonSchema)]
struct Expired<'a> {
    guardrail: &'a str,
    expired: &'a str,
    place: Place,
}

/// `rollback`: what is left as it is, and what the files say against it.
#[derive(Serialize, JsonSchema)]
struct TakebackOf<'a> {
    journal_is_whole: bool,
    /// What these lines of the journal say is not taken back.
    unreadable_lines: usize,
    left: Vec<Left<'a>>,
    /// So many people are declared otherwise: the next apply would undo the rollback.
    contradicted: usize,
    /// What the files would have to say instead.
    files: Vec<File<'a>>,
    unwritten: Vec<Left<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ResultOf {
    stopped: Option<String>,
    not_read_back: usize,
}

/// A plan, or what came of it.
pub(super) fn write(command: &str, exit: Exit, report: &PlanReport) -> String {
    encode(&plan(command, exit, report))
}

/// The plan as one object, alone or within another.
pub(super) fn plan<'a>(command: &'a str, exit: Exit, report: &'a PlanReport) -> Plan<'a> {
    let PlanReport {
        organization,
        made_up,
        invocation: _,
        declared,
        at,
        only,
        entries,
        kept_roles,
        in_step,
        meanwhile,
        undeclared,
        integrations,
        guardrails,
        expired,
        coming,
        windows,
        now: _,
        takeback,
        audit_log,
        result,
        journal,
        saved,
    } = report;
    let mut plan = Plan {
        version: VERSION,
        command,
        exit_code: exit.code(),
        organization: organization_of(organization),
        made_up: made_up.then_some(true),
        declared: *declared,
        at: at.as_ref().map(Printable::raw),
        only: only.iter().map(Printable::raw).collect(),
        refused: report.is_refused(),
        summary: Summary {
            changes: 0,
            in_step: *in_step,
            in_step_since_saved: *meanwhile,
            observed: 0,
            missing: 0,
            undeclared: undeclared.len(),
            integration_users: integrations.len(),
        },
        kept_roles: kept_roles.iter().map(kept_role).collect(),
        changes: Vec::new(),
        observed: Vec::new(),
        missing: Vec::new(),
        found_elsewhere: Vec::new(),
        undeclared: undeclared.iter().map(Printable::raw).collect(),
        integration_users: integrations
            .iter()
            .map(|IntegrationLine { id, name }| IntegrationUser { id: id.raw(), name: name.raw() })
            .collect(),
        guardrails: guardrails.iter().map(guardrail).collect(),
        expired_acknowledgements: expired.iter().map(expired_line).collect(),
        coming: coming.iter().map(coming_line).collect(),
        windows: windows.iter().map(window_line).collect(),
        takeback: takeback.as_ref().map(takeback_of),
        blame: audit_log.as_ref().map(audit_log_of),
        result: result.as_ref().map(|result| ResultOf {
            stopped: result.stopped.as_ref().map(words::stop),
            not_read_back: result.not_read_back,
        }),
        journal: journal.as_ref().map(Printable::raw),
        saved: saved.as_ref().map(Printable::raw),
    };
    entries.iter().for_each(|entry| plan.take(entry));
    plan.summary.changes = plan.changes.len();
    plan.summary.observed = plan.observed.len();
    plan.summary.missing = plan.missing.len();
    plan
}

impl<'a> Plan<'a> {
    fn take(&mut self, entry: &'a Entry) {
        let Entry { email, kind, location } = entry;
        let email = email.raw();
        let mut absent = |deactivated: bool, did_you_mean: Option<&'a Printable>| {
            self.missing.push(Absent {
                email,
                deactivated,
                did_you_mean: did_you_mean.map(Printable::raw),
                place: place(location),
            });
        };
        match kind {
            EntryKind::Change { person, edits, outcome } => self.changes.push(Change {
                email,
                person: person_of(person),
                edits: edits.iter().map(edit).collect(),
                outcome: outcome.as_ref().map(outcome_of),
            }),
            EntryKind::Observed { person, edits } => self.observed.push(Change {
                email,
                person: person_of(person),
                edits: edits.iter().map(edit).collect(),
                outcome: None,
            }),
            EntryKind::FoundElsewhere { person } => {
                self.found_elsewhere.push(Elsewhere {
                    email,
                    person: person_of(person),
                    place: place(location),
                });
            }
            EntryKind::Missing { did_you_mean } => absent(false, did_you_mean.as_ref()),
            EntryKind::Deactivated { name: _ } => absent(true, None),
        }
    }
}

fn person_of(person: &PersonLine) -> Person<'_> {
    let PersonLine { id, name, primary } = person;
    Person { id: id.raw(), name: name.raw(), primary_email: primary.as_ref().map(Printable::raw) }
}

fn edit(edit: &EditLine) -> Edit<'_> {
    let EditLine { field, from, to, through_scim, location, origin, blame } = edit;
    Edit {
        field: field.as_str(),
        from: from.iter().map(Printable::raw).collect(),
        to: to.raw(),
        through_scim: through_scim.iter().map(Printable::raw).collect(),
        place: place(location),
        origin: match origin {
            Origin::Person => OriginOf::Person,
            Origin::Defaults => OriginOf::Defaults,
            Origin::Window { until, reason } => OriginOf::Window {
                until: until.as_ref().map(|until| until.written.as_str()),
                reason: reason.as_deref(),
            },
            Origin::Rollback => OriginOf::Rollback,
            Origin::After { window } => OriginOf::AfterWindow { window_status: window },
        },
        blame: blame.as_ref().map(blame_of),
    }
}

fn blame_of(line: &BlameLine) -> Blame<'_> {
    let BlameLine { actor, source, action, at, old, new, is_outlived } = line;
    let (actor_id, actor_name, actor_email) = match actor {
        ActorLine::Person { id, name, email } => (Some(id), Some(name), Some(email)),
        ActorLine::Id(id) => (Some(id), None, None),
        ActorLine::Source(_) | ActorLine::Unknown => (None, None, None),
    };
    Blame {
        actor_id: actor_id.map(Printable::raw),
        actor_name: actor_name.map(Printable::raw),
        actor_email: actor_email.map(Printable::raw),
        source: Some(source.raw()).filter(|source| !source.is_empty()),
        action: action.raw(),
        at: at.to_string(),
        old: old.as_ref().map(Printable::raw),
        new: new.as_ref().map(Printable::raw),
        outlived: *is_outlived,
    }
}

fn audit_log_of(line: &AuditLogLine) -> AuditLog {
    let AuditLogLine { is_available, unread, edits: _, blamed: _ } = line;
    AuditLog {
        available: *is_available,
        complete: unread.is_none(),
        reason: unread.as_ref().map(words::why_unread),
    }
}

fn outcome_of(outcome: &Outcome) -> OutcomeOf {
    OutcomeOf {
        name: outcome.as_str(),
        in_force: outcome.is_in_force(),
        detail: words::outcome(outcome),
        request_id: outcome.failure().and_then(|failure| failure.request_id.clone()),
    }
}

fn guardrail(line: &GuardrailLine) -> Guardrail<'_> {
    let GuardrailLine { guardrail, of: _, verdict, figure, remedy, location } = line;
    let (verdict, acknowledged) = match verdict {
        Verdict::Holds => ("holds", None),
        Verdict::Reported => ("reported", None),
        Verdict::Acknowledged { reason } => ("acknowledged", Some(reason.as_str())),
        Verdict::Refused => ("refused", None),
    };
    Guardrail {
        name: guardrail.as_str(),
        verdict,
        figure,
        acknowledged,
        remedy: remedy.as_deref(),
        place: location.as_ref().map(place),
    }
}

fn takeback_of(lines: &TakebackLines) -> TakebackOf<'_> {
    let TakebackLines { is_whole, unreadable, left, contradicted, files, unwritten } = lines;
    TakebackOf {
        journal_is_whole: *is_whole,
        unreadable_lines: *unreadable,
        left: left.iter().map(left_line).collect(),
        contradicted: *contradicted,
        files: files.iter().map(file).collect(),
        unwritten: unwritten.iter().map(left_line).collect(),
    }
}

fn kept_role(line: &KeptRoleLine) -> KeptRole<'_> {
    let KeptRoleLine { email, role, gained } = line;
    KeptRole { email: email.raw(), role: role.raw(), gained: *gained }
}

fn expired_line(line: &ExpiredLine) -> Expired<'_> {
    let ExpiredLine { guardrail, expired, at: _, location } = line;
    Expired { guardrail, expired: expired.raw(), place: place(location) }
}
