//! The small reports (roles, explanation, files, doctor), with a hostile string wherever text from elsewhere can stand.

use std::ops::Range;

use rolecall::desired::Origin;
use rolecall::printable::Printable;
use rolecall::report::facts::OrganizationLine;
use rolecall::report::facts::doctor::{Check, DoctorReport};
use rolecall::report::facts::explanation::{ExplanationReport, HeldBy, PylonLine, StandingLine, ValueLine};
use rolecall::report::facts::files::{FilesReport, LeftLine};
use rolecall::report::facts::plan::{ComingLine, EditLine, Entry, EntryKind, PersonLine};
use rolecall::report::facts::roles::{RoleLine, RolesReport};
use rolecall::report::{Body, words};
use rolecall::roster::{Field, Guardrail, Moment};

use super::bodies::{PlanOf, file, location, not_written, now, plan};
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
            declared: 0,
            is_named: false,
            is_ambiguous: round.is_multiple_of(3),
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

/// Somebody who is declared and there, or, every other time, whose address nobody there has, or several people have.
pub(super) fn explanation(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let round = rounds.start;
    deal.round(round);
    let person = |deal: &mut Deal<'_>| PylonLine {
        id: deal.text(Carrier::AskedId),
        name: deal.text(Carrier::AskedName),
        email: deal.text(Carrier::AskedPrimary),
        others: vec![deal.text(Carrier::AskedOther)],
        found_by_other: true,
        assigned: vec![deal.text(Carrier::AskedAssigned)],
        through_scim: vec![deal.text(Carrier::AskedThroughScim)],
        status: deal.text(Carrier::AskedStatus),
        deactivated: round.is_multiple_of(3),
    };
    let in_pylon = match round % 4 {
        0 | 2 => HeldBy::One(Box::new(person(deal))),
        1 => HeldBy::Nobody,
        _ => {
            // Of several only this much is shown.
            let [id, name, email] = [Carrier::AskedId, Carrier::AskedName, Carrier::AskedPrimary]
                .map(|carrier| deal.text(carrier));
            HeldBy::Several(vec![PylonLine { id, name, email, ..person(&mut deal.aside()) }])
        }
    };
    let until = Some(Moment { at: now(), written: "2026-12-01".into() });
    let origin = Origin::Window { until, reason: Some(deal.raw(Carrier::AskedOrigin).to_owned()) };
    let value = ValueLine {
        field: Field::Role,
        value: Some(deal.text(Carrier::AskedValue)),
        origin: words::whence(&origin),
        location: Some(location(deal, Carrier::File)),
    };
    let standing = StandingLine {
        guardrail: Guardrail::Protected,
        text: Printable::new(deal.raw(Carrier::AskedStanding)).to_string(),
        location: Some(location(deal, Carrier::File)),
    };
    let coming = ComingLine {
        when: deal.text(Carrier::AskedWhen),
        email: deal.text(Carrier::Asked),
        field: Field::Status,
        from: Some(deal.text(Carrier::AskedBefore)),
        to: Some(deal.text(Carrier::AskedAfter)),
        location: location(deal, Carrier::File),
        refused_by: Vec::new(),
    };
    let report = ExplanationReport {
        organization: organization(deal),
        asked: deal.text(Carrier::Asked),
        declared: Some((deal.text(Carrier::AskedDeclared), location(deal, Carrier::File))),
        in_pylon,
        values: vec![value],
        plan: Some(plan_of_one(deal, round)),
        standing: vec![standing],
        did_you_mean: (round % 4 == 1).then(|| deal.text(Carrier::AskedNear)),
        coming: vec![coming],
        windows: Vec::new(),
    };
    Body::Explanation(Box::new(report))
}

/// Most of what this plan says is not shown of a person, so a deal of its own remembers it.
fn plan_of_one(deal: &mut Deal<'_>, round: usize) -> rolecall::report::PlanReport {
    let mut aside = deal.aside();
    let of = PlanOf { rounds: round..round, carried_out: false };
    let Body::Plan(mut plan) = plan(&mut aside, &of) else { unreachable!("it is a plan") };
    let edit = EditLine {
        field: Field::Role,
        from: vec![deal.text(Carrier::AskedBefore)],
        to: deal.text(Carrier::AskedAfter),
        through_scim: Vec::new(),
        location: location(deal, Carrier::File),
        origin: Origin::Person,
        blame: None,
    };
    let person = PersonLine { id: Printable::new("u_1"), name: Printable::new("Bo"), primary: None };
    let kind = if round.is_multiple_of(3) {
        EntryKind::Observed { person, edits: vec![edit] }
    } else {
        EntryKind::Change { person, edits: vec![edit], outcome: None }
    };
    plan.entries =
        vec![Entry { email: deal.text(Carrier::Asked), kind, location: location(deal, Carrier::File) }];
    *plan
}

pub(super) fn files(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let verdict = words::updated(rounds.len(), 1, 2, 3, true);
    let (mut files, mut left) = (Vec::new(), Vec::new());
    for round in rounds {
        let deal = deal.round(round);
        files.push(file(deal, Carrier::WrittenFile, Carrier::WrittenText));
        let whys = not_written(deal, Carrier::NotWrittenRole, Carrier::NotWrittenStatus);
        left.extend(whys.map(|why| LeftLine {
            email: deal.text(Carrier::NotWrittenAddress),
            why,
            location: Some(location(deal, Carrier::File)),
        }));
    }
    Body::Files(Box::new(FilesReport { verdict, files, left }))
}

/// What the checks say, as the doctor says it: a value within a sentence, and lines to copy.
pub(super) fn doctor(deal: &mut Deal<'_>, rounds: Range<usize>) -> Body {
    let checks = rounds.map(|round| {
        let deal = deal.round(round);
        let found = Printable::new(deal.raw(Carrier::CheckFound)).to_string();
        let remedy = Printable::cut(deal.raw(Carrier::CheckRemedy), 300);
        let check = if round.is_multiple_of(2) {
            Check::bad("token and host", found, remedy.to_string())
        } else {
            Check::attention("organisation", found, format!("pin the files to it:\n{remedy}"))
        };
        Check { location: Some(location(deal, Carrier::File)), ..check }
    });
    Body::Doctor(Box::new(DoctorReport { checks: checks.collect() }))
}
