//! The smaller reports (roles, explanation, access review, journals, files, doctor), with a hostile string wherever untrusted text
//! can appear.

use std::ops::Range;

use rolecall::desired::Origin;
use rolecall::new_roster::NewRoster;
use rolecall::printable::Printable;
use rolecall::report::facts::OrganizationLine;
use rolecall::report::facts::access::{
    AccessChanges, AccessLine, AccessReport, AccessState, AccessSummary, AccountChange, AppliedRule,
    ChangeKind, DeclaredRole, FileDigest, FilesLine, Held, HeldRole, LogLine, NotFoundLine,
};
use rolecall::report::facts::agenda::ScheduledChange;
use rolecall::report::facts::doctor::{Check, DoctorReport};
use rolecall::report::facts::explanation::{
    CandidateLine, DeclarationLine, ExplanationReport, HeldValuesLine, LastChangeLine, PolicyLine, PylonLine,
    SinceLine, StandingLine, ValueLine,
};
use rolecall::report::facts::files::{FilesReport, SkippedLine};
use rolecall::report::facts::journals::{JournalEntry, JournalState, JournalsReport};
use rolecall::report::facts::plan::{BlameLine, ChangeLine, EditLine, IntegrationLine, PersonLine};
use rolecall::report::facts::roles::{RoleLine, RolesReport};
use rolecall::report::{Body, words};
use rolecall::roster::{Field, Guardrail, Moment, PerField};
use rolecall::source::Location;

use super::bodies::{PlanOf, blame, file, location, not_written, now, plan};
use super::carriers::{Carrier, Deal};

pub(super) fn roles(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    deal.round(rounds.start);
    let organization = organization(deal);
    let (mut roles, mut unknown) = (Vec::new(), Vec::new());
    for round in rounds {
        let deal = deal.round(round);
        roles.push(RoleLine {
            name: deal.text(Carrier::RoleName),
            slug: deal.text(Carrier::RoleSlug),
            id: deal.text(Carrier::RoleId),
            held: round % 2,
            declared: Some(0),
            is_ambiguous: round.is_multiple_of(3),
            is_unused: round.is_multiple_of(2),
        });
        unknown.push(deal.text(Carrier::UnknownRole));
    }
    Body::Roles(Box::new(RolesReport { organization, roles, has_files: true, unknown }))
}

fn organization(deal: &mut Deal<'_>) -> OrganizationLine {
    OrganizationLine {
        name: deal.text(Carrier::SheetOrganization),
        id: deal.text(Carrier::SheetOrganizationId),
        place: deal.text(Carrier::SheetPlace),
    }
}

/// Explains either an existing person or, in every other round, an address that matches no user or several users.
pub(super) fn explanation(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let round = rounds.start;
    deal.round(round);
    let person = |deal: &mut Deal<'_>| PylonLine {
        id: deal.text(Carrier::AskedId),
        name: deal.text(Carrier::AskedName),
        email: deal.text(Carrier::AskedPrimary),
        other_emails: vec![deal.text(Carrier::AskedOther)],
        found_by_other_email: true,
        values: PerField::from_fn(|field| {
            let [assigned, through_scim] = match field {
                Field::Role => [Some(Carrier::AskedAssigned), Some(Carrier::AskedThroughScim)],
                Field::Status => [Some(Carrier::AskedStatus), None],
            }
            .map(|carrier| carrier.map(|carrier| deal.text(carrier)).into_iter().collect());
            HeldValuesLine { assigned, through_scim }
        }),
        deactivated: round.is_multiple_of(3),
    };
    let (mut in_pylon, mut several_in_pylon) = (None, Vec::new());
    match round % 4 {
        0 | 2 => in_pylon = Some(person(deal)),
        1 => {}
        _ => {
            // If several users match, the report shows only these three values for each of them.
            let [id, name, email] = [Carrier::AskedId, Carrier::AskedName, Carrier::AskedPrimary]
                .map(|carrier| deal.text(carrier));
            several_in_pylon.push(PylonLine { id, name, email, ..person(&mut deal.detached()) });
        }
    }
    let until = Some(Moment { at: now(), written: "2026-12-01".into() });
    let origin = Origin::Window { until, reason: Some(deal.raw(Carrier::AskedOrigin).to_owned()) };
    let value = ValueLine {
        field: Field::Role,
        value: Some(deal.text(Carrier::AskedValue)),
        origin: words::full_origin(&origin),
        location: Some(location(deal, Carrier::File)),
    };
    let standing = StandingLine {
        guardrail: Guardrail::Protected,
        text: Printable::new(deal.raw(Carrier::AskedStanding)).to_string(),
        location: Some(location(deal, Carrier::File)),
        violation: None,
    };
    let scheduled = ScheduledChange {
        when: deal.text(Carrier::AskedWhen),
        email: deal.text(Carrier::Asked),
        field: Field::Status,
        from: Some(deal.text(Carrier::AskedBefore)),
        to: Some(deal.text(Carrier::AskedAfter)),
        gains: None,
        loses: None,
        location: location(deal, Carrier::File),
        blocked_by: Vec::new(),
    };
    let report = ExplanationReport {
        organization: organization(deal),
        asked: deal.text(Carrier::Asked),
        declared: Some(DeclarationLine {
            email: deal.text(Carrier::AskedDeclared),
            location: location(deal, Carrier::File),
            since: Some(SinceLine {
                commit: "d9eba730b454".into(),
                at: now(),
                author: deal.text(Carrier::AskedSinceAuthor),
                subject: deal.text(Carrier::AskedSinceSubject),
            }),
        }),
        last_changes: match &in_pylon {
            Some(_) => vec![LastChangeLine { field: Field::Role, blame: blame(deal, round, true) }],
            None => Vec::new(),
        },
        candidates: Vec::new(),
        more_candidates: 0,
        in_pylon,
        several_in_pylon,
        values: vec![value],
        plan: Some(plan_of_one(deal, round)),
        ignored_by: vec![PolicyLine { key: "role", location: Some(location(deal, Carrier::File)) }],
        standing: vec![standing],
        did_you_mean: (round % 4 == 1).then(|| deal.text(Carrier::AskedNear)),
        scheduled: vec![scheduled],
        windows: Vec::new(),
    };
    Body::Explanation(Box::new(report))
}

/// Lists matching people. The strings in the rest of the explanation go to a detached deal because they aren't shown.
pub(super) fn candidates(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let mut detached = deal.detached();
    let Body::Explanation(mut report) = explanation(&mut detached, rounds.clone()) else {
        unreachable!("it is an explanation")
    };
    for round in rounds {
        let deal = deal.round(round);
        report.candidates.push(CandidateLine {
            email: deal.text(Carrier::CandidateAddress),
            name: Some(deal.text(Carrier::CandidateName)),
            declared: round.is_multiple_of(2),
        });
    }
    Body::Explanation(report)
}

/// Returns an access review with one person of each kind per round.
pub(super) fn access(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    deal.round(rounds.start);
    let organization = OrganizationLine {
        name: deal.text(Carrier::AccessOrganization),
        id: deal.text(Carrier::AccessOrganizationId),
        place: deal.text(Carrier::AccessPlace),
    };
    let files = FilesLine {
        commit: Some("d9eba730b454d5d78a51c95db7c432d27a29db0a".into()),
        modified: Some(true),
        sha256: "0".repeat(64),
        list: vec![FileDigest { sha256: "0".repeat(64), name: deal.text(Carrier::AccessFile) }],
    };
    // Untrusted text inside a sentence has already been escaped and cut.
    let why = Printable::new(deal.raw(Carrier::AccessUnread)).to_string();
    let since_file = deal.text(Carrier::AccessSinceFile);
    let (mut people, mut integration_users, mut not_found) = (Vec::new(), Vec::new(), Vec::new());
    let mut changes = Vec::new();
    for round in rounds {
        let deal = deal.round(round);
        people.push(access_line(deal, round));
        changes.push(AccountChange {
            id: Printable::new(&format!("gone_{round}")),
            email: Some(deal.text(Carrier::AccessGone)),
            name: deal.text(Carrier::AccessGoneName),
            kind: ChangeKind::Gone,
            email_before: Some(deal.text(Carrier::AccessEarlier)),
            emails_gained: vec![deal.text(Carrier::AccessEmailGained)],
            emails_lost: vec![deal.text(Carrier::AccessEmailLost)],
            gained: vec![deal.text(Carrier::AccessGained)],
            lost: vec![deal.text(Carrier::AccessLost)],
            managed: Some(true),
            deactivated: Some(false),
            gained_guarded: round.is_multiple_of(2),
        });
        integration_users.push(IntegrationLine {
            id: deal.text(Carrier::AccessIntegrationId),
            name: deal.text(Carrier::AccessIntegrationName),
        });
        let declared = DeclarationLine {
            email: deal.text(Carrier::AccessMissing),
            location: location(deal, Carrier::AccessPlaceOfLine),
            since: None,
        };
        let did_you_mean = Some(deal.text(Carrier::AccessNear));
        not_found.push(NotFoundLine { declared, declared_role: None, did_you_mean });
    }
    Body::Access(Box::new(AccessReport {
        organization,
        read_at: now(),
        rolecall_version: "0.1.0",
        files: Some(files),
        audit_log: LogLine { complete: true, reason: None },
        unread: vec![format!("each role's history: {why}")],
        summary: AccessSummary::default(),
        since: Some(AccessChanges { read_at: now(), file: since_file, accounts: changes }),
        people,
        integration_users,
        not_found,
    }))
}

fn access_line(deal: &mut Deal<'_>, round: usize) -> AccessLine {
    let since = SinceLine {
        commit: "d9eba730b454".into(),
        at: now(),
        author: deal.text(Carrier::AccessAuthor),
        subject: deal.text(Carrier::AccessSubject),
    };
    let until = Some(Moment { at: now(), written: "2026-12-01".into() });
    let declared_role = DeclaredRole {
        value: deal.text(Carrier::AccessDeclaredRole),
        origin: Origin::Window { until, reason: Some(deal.raw(Carrier::AccessOrigin).to_owned()) },
        location: location(deal, Carrier::AccessPlaceOfLine),
        since: Some(since.clone()),
    };
    let role = HeldRole {
        name: deal.text(Carrier::AccessRole),
        id: deal.text(Carrier::AccessRoleId),
        held: [Held::Assigned, Held::Scim][round % 2],
        declared: round.is_multiple_of(3),
        admin: round.is_multiple_of(3),
        guarded: false,
    };
    let role_set = BlameLine {
        actor_id: Some(deal.text(Carrier::AccessActorId)),
        actor_name: Some(deal.text(Carrier::AccessActor)).filter(|name| !name.is_empty()),
        actor_email: Some(deal.text(Carrier::AccessActorAddress)),
        source: Some(deal.text(Carrier::AccessSource)),
        action: deal.text(Carrier::AccessAction),
        at: now(),
        old: Some(deal.text(Carrier::AccessOld)),
        new: Some(deal.text(Carrier::AccessNew)),
        outdated: true,
    };
    let edit = EditLine {
        field: Field::Role,
        from: vec![deal.text(Carrier::AccessBefore)],
        to: deal.text(Carrier::AccessAfter),
        through_scim: Vec::new(),
        location: Location { file: "users.toml".into(), line: 1, column: 1 },
        origin: Origin::Person,
        blame: None,
        cause: None,
    };
    let declared = DeclarationLine {
        email: deal.text(Carrier::AccessDeclared),
        location: location(deal, Carrier::AccessPlaceOfLine),
        since: Some(since),
    };
    AccessLine {
        email: deal.text(Carrier::AccessAddress),
        other_emails: vec![deal.text(Carrier::AccessOther)],
        name: deal.text(Carrier::AccessName),
        id: deal.text(Carrier::AccessId),
        status: deal.text(Carrier::AccessStatus),
        roles: vec![role],
        role_set: Some(role_set),
        declared: Some(declared),
        declared_role: Some(declared_role),
        rules: vec![AppliedRule {
            rule: deal.text(Carrier::AccessRule),
            location: Location { file: "users.toml".into(), line: 1, column: 1 },
            violated: true,
        }],
        state: AccessState::NotInSync,
        pending: vec![edit],
        observed: Vec::new(),
        ignored: Vec::new(),
        unmanaged: false,
        deactivated: round.is_multiple_of(5),
        protected: round.is_multiple_of(2),
        owns_token: false,
    }
}

pub(super) fn journals(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let mut journals = Vec::new();
    for round in rounds {
        let deal = deal.round(round);
        journals.push(JournalEntry {
            journal: deal.text(Carrier::JournalPath),
            at: Some(now()),
            command: Some(deal.text(Carrier::JournalCommand)),
            undoes: Some(deal.text(Carrier::JournalUndoes)),
            user: Some(deal.text(Carrier::JournalUser)),
            organization: Some(deal.text(Carrier::JournalOrganization)),
            host: Some(deal.text(Carrier::JournalHost)),
            changes: Some(round),
            applied: Some(round / 2),
            state: JournalState::Finished,
            not_applied: round % 2,
            is_resumable: false,
            rolled_back: round.is_multiple_of(3),
            problem: None,
        });
    }
    let undo = Some("rolecall rollback --last".into());
    let last = journals.first().cloned();
    Body::Journals(Box::new(JournalsReport { journals, older: 1, undo, resume: None, last }))
}

/// Returns a plan for one person. Most of its strings go to a detached deal because the report doesn't show them.
fn plan_of_one(deal: &mut Deal<'_>, round: usize) -> rolecall::report::PlanReport {
    let mut detached = deal.detached();
    let of = PlanOf { rounds: round..round, carried_out: false };
    let Body::Plan(mut plan) = plan(&mut detached, &of) else { unreachable!("it is a plan") };
    let edit = EditLine {
        field: Field::Role,
        from: vec![deal.text(Carrier::AskedBefore)],
        to: deal.text(Carrier::AskedAfter),
        through_scim: Vec::new(),
        location: location(deal, Carrier::File),
        origin: Origin::Person,
        blame: None,
        cause: None,
    };
    let person = PersonLine { id: Printable::new("u_1"), name: Printable::new("Bo"), primary_email: None };
    let (email, location) = (deal.text(Carrier::Asked), location(deal, Carrier::File));
    let line = ChangeLine { email, person, edits: vec![edit], outcome: None, location };
    match round % 3 {
        0 => plan.observed = vec![line],
        1 => plan.ignored = vec![line],
        _ => plan.changes = vec![line],
    }
    *plan
}

pub(super) fn files(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let role = deal.round(rounds.start).raw(Carrier::DefaultRole);
    let verdict = words::imported(
        &NewRoster {
            root: String::new(),
            teams: Vec::new(),
            declared: rounds.len(),
            default_role: Some((role.into(), 3)),
            unicode: 2,
            not_written: Vec::new(),
        },
        true,
    );
    let (mut files, mut skipped) = (Vec::new(), Vec::new());
    for round in rounds {
        let deal = deal.round(round);
        files.push(file(deal, Carrier::WrittenFile, Carrier::WrittenText));
        let whys = not_written(deal, Carrier::NotWrittenRole, Carrier::NotWrittenStatus);
        skipped.extend(whys.map(|why| SkippedLine {
            email: deal.text(Carrier::NotWrittenAddress),
            why,
            location: Some(location(deal, Carrier::File)),
        }));
    }
    Body::Files(Box::new(FilesReport { verdict, files, not_written: skipped }))
}

/// Returns a `doctor` report in which each check has untrusted text within a sentence and in the lines to copy.
pub(super) fn doctor(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let checks = rounds.map(|round| {
        let deal = deal.round(round);
        let found = Printable::new(deal.raw(Carrier::CheckFound)).to_string();
        let remedy = Printable::cut(deal.raw(Carrier::CheckRemedy), 300);
        let check = if round.is_multiple_of(2) {
            Check::bad("token and host", found, remedy.to_string())
        } else {
            Check::attention("organization", found, format!("pin the files to it:\n{remedy}"))
        };
        Check { location: Some(location(deal, Carrier::File)), ..check }
    });
    Body::Doctor(Box::new(DoctorReport { checks: checks.collect() }))
}
