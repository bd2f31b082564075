//! Reports of every kind, with a hostile string wherever untrusted text can appear.

use jiff::Timestamp;
use rolecall::adoption;
use rolecall::apply::outcome::NotAttempted;
use rolecall::apply::rollback::NotRolledBackReason;
use rolecall::apply::{LastRead, Outcome, Stop};
use rolecall::comparison::{ComparedSubject, ComparedValue, DifferenceEntry, ItemLine, Kind, Unwritten};
use rolecall::desired::Origin;
use rolecall::invocation::Invocation;
use rolecall::observed::{Role, RoleCatalog, RoleId};
use rolecall::plan::Lost;
use rolecall::plan::guardrails::{Figure, RoleCount, RuleViolation, Verdict};
use rolecall::printable::Printable;
use rolecall::problem::{Problem, Problems};
use rolecall::pylon::failure::{Intermediary, Refusal, WrongShape};
use rolecall::pylon::inquiry::CutShort;
use rolecall::pylon::{Failure, FailureCause};
use rolecall::report::facts::OrganizationLine;
use rolecall::report::facts::agenda::{Edge, ScheduledChange, WindowLine};
use rolecall::report::facts::comparison::ComparisonSummary;
use rolecall::report::facts::files::{FileLine, FileState, SkippedLine};
use rolecall::report::facts::plan::{
    AcknowledgmentLine, ApplyResult, AuditLogLine, BaseLine, BlameLine, ChangeLine, EditLine,
    FoundElsewhereLine, GuardedRoleLine, GuardrailLine, IntegrationLine, MissingLine, OutcomeLine,
    PersonLine, PlanReport, PlanSummary, RollbackNotes, UndeclaredLine,
};
use rolecall::report::{AgendaReport, Body, ComparisonReport, words};
use rolecall::roster::{Email, Field, Guardrail, Moment, OnViolation, PerField, RoleRule};
use rolecall::source::{Location, Place, Sourced, Sources};

use super::carriers::{Carrier, Deal};

/// The rounds of people to put into a plan, and whether the plan was carried out.
pub(super) struct PlanOf {
    pub(super) rounds: std::ops::Range<usize>,
    pub(super) carried_out: bool,
}

pub(super) fn now() -> Timestamp {
    crate::harness::NOW.parse().unwrap()
}

pub(super) fn location(deal: &mut Deal<'_>, carrier: Carrier) -> Location {
    Location { file: deal.raw(carrier).to_owned(), line: 7, column: 3 }
}

fn invocation(deal: &mut Deal<'_>) -> Invocation {
    let config = deal.raw(Carrier::Config).to_owned();
    let again = vec!["apply".into(), config.clone()];
    Invocation {
        config: vec!["-c".into(), config.clone()],
        description: config,
        again,
        ..Invocation::default()
    }
}

pub(super) fn plan(deal: &mut Deal<'_>, of: &PlanOf) -> Body {
    deal.round(of.rounds.start);
    let has_people = !of.rounds.is_empty();
    let mut report = PlanReport {
        organization: OrganizationLine {
            name: deal.text(Carrier::Organization),
            id: deal.text(Carrier::OrganizationId),
            place: deal.text(Carrier::Place),
        },
        made_up: has_people,
        invocation: invocation(deal),
        declared: 12,
        at: Some(deal.text(Carrier::At)),
        only: vec![deal.text(Carrier::Only)],
        base: Some(base(deal)),
        blocked: !of.carried_out,
        summary: PlanSummary { in_sync: 3, in_sync_since_saved: 1, ..PlanSummary::default() },
        unmanaged: vec![deal.text(Carrier::Unmanaged)],
        lists_unmanaged: false,
        undeclared: vec![UndeclaredLine {
            email: deal.text(Carrier::Undeclared),
            role: deal.text(Carrier::UndeclaredRole),
            declared: of.rounds.start.is_multiple_of(2),
        }],
        integration_users: vec![IntegrationLine {
            id: deal.text(Carrier::IntegrationId),
            name: deal.text(Carrier::IntegrationName),
        }],
        guarded_roles: Vec::new(),
        guardrails: guardrails(deal, of.carried_out),
        acknowledgments: vec![AcknowledgmentLine {
            guardrail: Guardrail::KeepAtLeast,
            expires: deal.text(Carrier::Expires),
            expired: of.rounds.start.is_multiple_of(2),
            at: now(),
            location: Location { file: "users.toml".into(), line: 1, column: 1 },
        }],
        scheduled: vec![scheduled(deal)],
        windows: vec![window(deal)],
        now: now(),
        rollback: Some(rollback(deal, has_people)),
        audit_log: Some(audit_log(deal, of.rounds.start)),
        result: None,
        journal: (of.carried_out && has_people).then(|| deal.text(Carrier::Journal)),
        saved: Some(deal.text(Carrier::Saved)),
        changes: Vec::new(),
        observed: Vec::new(),
        ignored: Vec::new(),
        missing: Vec::new(),
        found_elsewhere: Vec::new(),
    };
    for round in of.rounds.clone() {
        add_people(&mut report, deal.round(round), round, of.carried_out);
    }
    if let Some(first) = report.changes.first() {
        report.guarded_roles.push(GuardedRoleLine {
            email: first.email.clone(),
            role: deal.round(of.rounds.start).text(Carrier::GuardedRole),
            gained: of.carried_out,
        });
    }
    if of.carried_out {
        let stop = Stop::Journal(deal.round(of.rounds.start).raw(Carrier::Stop).to_owned());
        let outcomes: Vec<Outcome> = report.outcomes().cloned().collect();
        report.result = Some(ApplyResult {
            stopped: Some(words::stop(&stop)),
            not_read_back: 2,
            journal_is_whole: true,
            next_step: words::next_step(&outcomes, Some(&stop), true, &report.invocation),
        });
    }
    Body::Plan(Box::new(report))
}

/// Returns a comparison with the base: one setting differs, and one person is no longer declared.
fn base(deal: &mut Deal<'_>) -> BaseLine {
    let value = ComparedValue {
        value: deal.text(Carrier::BaseValue),
        zone: None,
        location: None,
        from_defaults: false,
    };
    let item = ItemLine {
        key: Printable::new("timezone"),
        old: None,
        new: Some(value),
        sensitive: true,
        unresolved: false,
        unwritten: Some(Unwritten::Setting),
    };
    let setting = DifferenceEntry {
        subject: ComparedSubject::Files,
        kind: Kind::Changed,
        items: vec![item],
        keeps: Vec::new(),
        keeps_guarded: false,
    };
    let person = DifferenceEntry {
        subject: ComparedSubject::Person { email: Email::observed("lu@acme.example") },
        kind: Kind::Removed,
        items: Vec::new(),
        keeps: vec![deal.text(Carrier::RoleThatStays)],
        keeps_guarded: false,
    };
    BaseLine {
        name: deal.text(Carrier::BaseName),
        commit: None,
        has_files: true,
        problem: None,
        unwritten: vec![setting, person],
    }
}

fn guardrails(deal: &mut Deal<'_>, carried_out: bool) -> Vec<GuardrailLine> {
    let minimum = || RoleCount { role: RoleId("r".into()), limit: 2, before: 3, after: 1, during: None };
    let figure = |deal: &mut Deal<'_>| {
        let role = deal.raw(Carrier::FigureRole);
        words::figure(&Figure::AtLeast(minimum()), &|_| Printable::cut(role, 80).to_string())
    };
    let remedy = |deal: &mut Deal<'_>| {
        let role = deal.raw(Carrier::RemedyRole);
        words::remedy(
            &Figure::AtLeast(minimum()),
            None,
            &Invocation::default(),
            &|_| role.to_owned(),
            words::PlanTimes { at: now(), now: now() },
        )
    };
    let violation = |deal: &mut Deal<'_>| {
        let place = Place::new(Sources::default().add("users.toml".into(), String::new()), 0..0);
        let rule = RoleRule {
            place,
            emails: Vec::new(),
            except: Vec::new(),
            roles: Vec::new(),
            reason: Sourced::new(deal.raw(Carrier::RuleReason).to_owned(), place),
            on_violation: Sourced::new(OnViolation::Report, place),
        };
        Figure::Rule(RuleViolation { rule: rule.summary(), holders: Vec::new() })
    };
    let against_rule = violation(deal);
    let blocked = if carried_out { Verdict::Passes } else { Verdict::Blocks };
    vec![
        GuardrailLine {
            name: Guardrail::Rule,
            about: None,
            note: None,
            verdict: Verdict::Warns,
            figure: Printable::new(&words::figure(&against_rule, &|_| "Member".to_owned())),
            remedy: None,
            location: None,
        },
        GuardrailLine {
            name: Guardrail::KeepAtLeast,
            about: Some(Figure::AtLeast(minimum())),
            note: None,
            verdict: blocked,
            figure: Printable::new(&figure(deal)),
            remedy: (!carried_out).then(|| remedy(deal)),
            location: Some(Location { file: "users.toml".into(), line: 1, column: 1 }),
        },
        GuardrailLine {
            name: Guardrail::KeepAtLeast,
            about: Some(Figure::AtLeast(minimum())),
            note: None,
            verdict: Verdict::Acknowledged { reason: deal.raw(Carrier::AcknowledgedReason).to_owned() },
            figure: Printable::new(&figure(deal)),
            remedy: None,
            location: None,
        },
        GuardrailLine {
            name: Guardrail::KeepAtLeast,
            about: Some(Figure::AtLeast(minimum())),
            note: None,
            verdict: Verdict::Warns,
            figure: Printable::new(&figure(deal)),
            remedy: None,
            location: None,
        },
    ]
}

fn scheduled(deal: &mut Deal<'_>) -> ScheduledChange {
    ScheduledChange {
        when: deal.text(Carrier::ComingWhen),
        email: deal.text(Carrier::ComingAddress),
        field: Field::Role,
        from: Some(deal.text(Carrier::ComingBefore)),
        to: Some(deal.text(Carrier::ComingAfter)),
        gains: Some(deal.text(Carrier::ComingGain)),
        loses: Some(deal.text(Carrier::ComingLoss)),
        location: location(deal, Carrier::File),
        blocked_by: vec![Printable::new(&format!(
            "keep_at_least: {}",
            Printable::cut(deal.raw(Carrier::FigureRole), 80)
        ))],
    }
}

fn window(deal: &mut Deal<'_>) -> WindowLine {
    let edge = |written: Printable| Some(Edge { at: now(), written });
    WindowLine {
        email: deal.text(Carrier::WindowAddress),
        from: edge(deal.text(Carrier::WindowFrom)),
        until: edge(deal.text(Carrier::WindowUntil)),
        sets: PerField { role: Some(deal.text(Carrier::WindowRole)), status: None },
        then: None,
        reason: Some(deal.text(Carrier::WindowReason)),
        location: location(deal, Carrier::File),
    }
}

/// Adds the people of one round: a person whose values change, and a person of some other kind.
fn add_people(report: &mut PlanReport, deal: &mut Deal<'_>, round: usize, carried_out: bool) {
    let moment = Moment { at: now(), written: "2026-12-01".into() };
    let origin = |deal: &mut Deal<'_>| Origin::Window {
        until: Some(moment.clone()),
        reason: Some(deal.raw(Carrier::OriginReason).to_owned()),
    };
    let person = |deal: &mut Deal<'_>| PersonLine {
        id: deal.text(Carrier::Id),
        name: deal.text(Carrier::Name),
        primary_email: Some(deal.text(Carrier::Primary)),
    };
    let edits = |deal: &mut Deal<'_>| {
        let role = EditLine {
            field: Field::Role,
            from: vec![deal.text(Carrier::RoleBefore)],
            to: deal.text(Carrier::RoleAfter),
            through_scim: vec![deal.text(Carrier::ThroughScim)],
            location: location(deal, Carrier::File),
            origin: origin(deal),
            blame: Some(blame(deal, round, true)),
            cause: None,
        };
        let status = EditLine {
            field: Field::Status,
            from: vec![deal.text(Carrier::StatusBefore)],
            to: Printable::new("away"),
            through_scim: Vec::new(),
            location: location(deal, Carrier::File),
            origin: Origin::Defaults,
            blame: Some(blame(deal, round, false)),
            cause: None,
        };
        vec![role, status]
    };
    let refused: fn(&mut Deal<'_>) -> Outcome = |deal| {
        let cause = FailureCause::from(Refusal {
            status: 422,
            code: Some(deal.raw(Carrier::ErrorCode).to_owned()),
            errors: vec![deal.raw(Carrier::ErrorText).to_owned()],
            ..Refusal::default()
        });
        let request_id = Some(deal.raw(Carrier::RequestId).to_owned());
        Outcome::Rejected(Failure { request_id, ..failure(cause) })
    };
    let no_answer: fn(&mut Deal<'_>) -> Outcome = |deal| {
        let cause = FailureCause::NoAnswer(deal.raw(Carrier::NoAnswer).to_owned());
        Outcome::NotAttempted(NotAttempted::Unreachable(failure(cause)))
    };
    let intercepted: fn(&mut Deal<'_>) -> Outcome = |deal| {
        let server = Some(deal.raw(Carrier::ProxyServer).to_owned());
        let intermediary = Some(Intermediary { server, text: deal.raw(Carrier::ProxyText).to_owned() });
        Outcome::Rejected(failure(FailureCause::from(Refusal {
            status: 403,
            intermediary,
            ..Refusal::default()
        })))
    };
    let wrong_shape: fn(&mut Deal<'_>) -> Outcome = |deal| {
        let (why, body) = (deal.raw(Carrier::WrongShape).to_owned(), deal.raw(Carrier::WrongBody).to_owned());
        let failure = failure(FailureCause::WrongShape(WrongShape { expected: "a user", why, body }));
        Outcome::Unknown(Some(failure), Some(LastRead::OldValue))
    };
    let outcome = |deal: &mut Deal<'_>| {
        let of = [no_answer, refused, intercepted, refused, wrong_shape, refused][round % 6];
        carried_out.then(|| of(deal))
    };
    let (email, location) = (deal.text(Carrier::Address), location(deal, Carrier::File));
    let change = |deal: &mut Deal<'_>, outcome: Option<Outcome>| ChangeLine {
        email: email.clone(),
        person: person(deal),
        edits: edits(deal),
        outcome: outcome.map(OutcomeLine::new),
        location: location.clone(),
    };
    let outcome = outcome(deal);
    report.changes.push(change(deal, outcome));
    let missing = MissingLine {
        email: email.clone(),
        deactivated: false,
        name: None,
        did_you_mean: None,
        location: location.clone(),
    };
    match round % 4 {
        0 => report.observed.push(change(deal, None)),
        1 => {
            let (email, location) = (email.clone(), location.clone());
            report.found_elsewhere.push(FoundElsewhereLine { email, person: person(deal), location });
        }
        2 => {
            let did_you_mean = Some(deal.text(Carrier::NearAddress));
            report.missing.push(MissingLine { did_you_mean, ..missing });
        }
        _ => {
            let name = Some(deal.text(Carrier::DeactivatedName));
            report.missing.push(MissingLine { deactivated: true, name, ..missing });
        }
    }
}

/// Returns who set a value: a person in the organization, an ID outside of it, or only a source.
pub(super) fn blame(deal: &mut Deal<'_>, round: usize, is_known: bool) -> BlameLine {
    let mut source = deal.text(Carrier::BlamedThrough);
    let (mut actor_id, mut actor_name, mut actor_email) = (None, None, None);
    match round % 2 {
        _ if is_known => {
            actor_id = Some(deal.text(Carrier::BlamedId));
            actor_name = Some(deal.text(Carrier::BlamedName));
            actor_email = Some(deal.text(Carrier::BlamedAddress));
        }
        0 => actor_id = Some(deal.text(Carrier::BlamedUnmanaged)),
        _ => source = deal.text(Carrier::BlamedSource),
    }
    BlameLine {
        actor_id,
        actor_name,
        actor_email,
        source: Some(source),
        action: deal.text(Carrier::BlamedAction),
        at: now(),
        old: Some(deal.text(Carrier::BlamedBefore)),
        new: Some(deal.text(Carrier::BlamedAfter)),
        outdated: true,
    }
}

/// Returns an audit log that was read incompletely. `number` selects one of three reasons.
fn audit_log(deal: &mut Deal<'_>, number: usize) -> AuditLogLine {
    let failed = |cause, request_id| {
        CutShort::Failed(Failure { asked: "POST /audit-logs/search".into(), cause, request_id })
    };
    let refused = |deal: &mut Deal<'_>, status| {
        let refusal = Refusal {
            status,
            code: Some(deal.raw(Carrier::UnreadCode).to_owned()),
            errors: vec![deal.raw(Carrier::UnreadText).to_owned()],
            ..Refusal::default()
        };
        failed(refusal.into(), Some(deal.raw(Carrier::UnreadRequest).to_owned()))
    };
    let unread = match number % 3 {
        0 => refused(deal, 404),
        1 => refused(deal, 500),
        _ => failed(FailureCause::NoAnswer(deal.raw(Carrier::UnreadNoAnswer).to_owned()), None),
    };
    let (available, reason) = (!number.is_multiple_of(2), Some(words::why_unread(&unread)));
    AuditLogLine {
        available,
        complete: false,
        reason: reason.map(|reason| Printable::new(&reason)),
        edits: 3,
        blamed: 1,
    }
}

/// Returns the changes that a rollback doesn't undo, with the reasons.
fn rollback(deal: &mut Deal<'_>, journal_is_whole: bool) -> RollbackNotes {
    let role = |deal: &mut Deal<'_>, carrier, why: fn(RoleId) -> NotRolledBackReason| {
        let name = deal.raw(carrier);
        words::not_rolled_back(&why(RoleId("r".into())), &|_| name.to_owned())
    };
    let whys = [
        role(deal, Carrier::LostRole, |id| {
            NotRolledBackReason::Lost(Lost { field: Field::Role, from: vec![id.0] })
        }),
        role(deal, Carrier::GoneRole, NotRolledBackReason::RoleRemoved),
        words::not_rolled_back(
            &NotRolledBackReason::Lost(Lost {
                field: Field::Status,
                from: vec![deal.raw(Carrier::LostStatus).into()],
            }),
            &|_| unreachable!("a status is not a role"),
        ),
    ];
    let not_rolled_back = whys.map(|why| SkippedLine {
        email: deal.text(Carrier::LeftAddress),
        why,
        location: Some(location(deal, Carrier::File)),
    });
    let unwritten = not_written(deal, Carrier::UnwrittenRole, Carrier::UnwrittenStatus);
    let unwritten =
        unwritten.map(|why| SkippedLine { email: deal.text(Carrier::UnwrittenAddress), why, location: None });
    RollbackNotes {
        journal_is_whole,
        unreadable_lines: 1,
        not_rolled_back: not_rolled_back.into(),
        contradicted: 2,
        files: vec![file(deal, Carrier::KeepFile, Carrier::KeepText)],
        unwritten: unwritten.into(),
    }
}

/// Returns the reasons a role and a status can't be written to a file.
pub(super) fn not_written(deal: &mut Deal<'_>, role: Carrier, status: Carrier) -> [String; 2] {
    let id = || RoleId("r".into());
    let roles = [Role { id: id(), name: deal.raw(role).to_owned(), slug: "s".into() }];
    let status = adoption::NotWrittenReason::Undeclarable(vec![deal.raw(status).into()]);
    [(Field::Role, adoption::NotWrittenReason::Undeclarable(vec![id().0, id().0])), (Field::Status, status)]
        .map(|(field, why)| words::not_written(Some(field), &why, &RoleCatalog::new(roles.to_vec())))
}

/// Returns a file with this name, in which the text appears on removed, added, and unchanged lines.
pub(super) fn file(deal: &mut Deal<'_>, name: Carrier, text: Carrier) -> FileLine {
    let text: String = deal.raw(text).chars().take(1000).collect();
    let (before, after) =
        (format!("{text}\n# {text}\nx = 1 # {text}\n"), format!("{text}\nx = \"{text}\"\n{text}"));
    FileLine::new(deal.raw(name), FileState::WouldBeWritten, Some((&before, &after)))
}

fn failure(cause: FailureCause) -> Failure {
    Failure { asked: "PATCH /users/u_1".into(), cause, request_id: None }
}

pub(super) fn comparison(deal: &mut Deal<'_>, rounds: std::ops::Range<usize>) -> Body {
    deal.round(rounds.start);
    let (old, new) = (deal.text(Carrier::OldFile), deal.text(Carrier::NewFile));
    let windows = vec![window(deal)];
    let differences = rounds.flat_map(|round| {
        let deal = deal.round(round);
        let mut said = |carrier| {
            Some(ComparedValue {
                value: deal.text(carrier),
                zone: Some(deal.text(Carrier::Zone)),
                location: Some(location(deal, Carrier::File)),
                from_defaults: round.is_multiple_of(2),
            })
        };
        let (before, after) = (said(Carrier::ValueBefore), said(Carrier::ValueAfter));
        let key = deal.text(Carrier::Key);
        let changed = ItemLine {
            key,
            old: before.clone(),
            new: after.clone(),
            sensitive: true,
            unresolved: true,
            unwritten: None,
        };
        let listed = ItemLine {
            key: Printable::new("windows"),
            old: before,
            new: after,
            sensitive: false,
            unresolved: false,
            unwritten: None,
        };
        let person = ComparedSubject::Person { email: Email::observed(deal.raw(Carrier::Subject)) };
        let of = deal.raw(Carrier::AcknowledgedOf).to_owned();
        let risk = ComparedSubject::Acknowledgment { guardrail: Guardrail::KeepAtLeast, of, number: 0 };
        let kinds = [Kind::Added, Kind::Removed, Kind::Changed];
        let entry = |subject, kind, items| DifferenceEntry {
            subject,
            kind,
            items,
            keeps: Vec::new(),
            keeps_guarded: false,
        };
        [entry(person, kinds[round % 3], vec![changed]), entry(risk, kinds[(round + 1) % 3], vec![listed])]
    });
    let differences = differences.collect();
    let summary = ComparisonSummary {
        people_added: 1,
        people_removed: 1,
        people_changed: 1,
        settings: 1,
        sensitive: true,
    };
    let report = ComparisonReport { old, new, declared: 3, summary, differences, now: now(), windows };
    Body::Comparison(Box::new(report))
}

pub(super) fn agenda(deal: &mut Deal<'_>, rounds: std::ops::Range<usize>) -> Body {
    deal.round(rounds.start);
    let (file, timezone) = (deal.text(Carrier::AgendaFile), deal.text(Carrier::Timezone));
    let until = Some(deal.text(Carrier::Until));
    let (mut lines, mut windows) = (Vec::new(), Vec::new());
    for round in rounds {
        let deal = deal.round(round);
        lines.push(scheduled(deal));
        windows.push(window(deal));
    }
    Body::Agenda(Box::new(AgendaReport { file, timezone, now: now(), until, scheduled: lines, windows }))
}

pub(super) fn problems(deal: &mut Deal<'_>, rounds: std::ops::Range<usize>) -> Body {
    let mut sources = Sources::default();
    let list = rounds.map(|round| {
        let deal = deal.round(round);
        let (before, marked) = (deal.raw(Carrier::SourceText), deal.raw(Carrier::SourceText));
        let text = format!("x = {before}{marked}{before}");
        let start = 4 + before.len();
        let file = sources.add(deal.raw(Carrier::SourceName).to_owned(), text);
        let place = Place::new(file, start..start + marked.len());
        let note = Place::new(file, 0..1);
        Problem::new("roster::syntax", deal.raw(Carrier::Message))
            .at(place, deal.raw(Carrier::Label))
            .at(note, deal.raw(Carrier::Label))
            .help(deal.raw(Carrier::Help))
    });
    let list = list.collect();
    Body::Problems(Box::new(Problems { sources, list }))
}

pub(super) fn no_people(deal: &mut Deal<'_>, round: usize) -> Body {
    Body::NoPeople { file: deal.round(round).text(Carrier::EmptyFile), declared: 0 }
}
