//! From the plan and what came of it to a [`PlanReport`]: ids become names, places become lines.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::OrganizationLine;
use super::files::{FileState, LeftLine, file_lines, left_lines};
use super::plan::{
    ActorLine, ApplyResult, AuditLogLine, BlameLine, ComingLine, EditLine, Entry, EntryKind, ExpiredLine,
    GuardrailLine, Instant, IntegrationLine, KeptRoleLine, PersonLine, PlanReport, TakebackLines, WindowLine,
};
use crate::apply::Finished;
use crate::apply::rollback::{Left, Takeback};
use crate::desired::agenda::{Ahead, Transition};
use crate::invocation::Invocation;
use crate::observed::{Integration, RoleCatalogue, RoleId, UserId};
use crate::plan::blame::{Actor, Blame};
use crate::plan::forecast::Coming;
use crate::plan::guardrails::{Figure, Finding, ReviewedPlan, Verdict};
use crate::plan::order::Ordered;
use crate::plan::{Absence, Absent, Change, Edit, Plan, Subject};
use crate::printable::Printable;
use crate::pylon::inquiry::Findings;
use crate::report::words;
use crate::roster::{Email, Field, FieldValue, Moment, Window};
use crate::source::{Location, Place, Sourced, Sources};

/// A role within a sentence is named in at most so many characters.
const LONGEST: usize = 80;

/// Everything a plan report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// `us`, `eu`, `sandbox` or the host.
    pub place: &'a str,
    /// A sandbox made the organization up from the files.
    pub made_up: bool,
    /// How rolecall was called.
    pub invocation: &'a Invocation,
    /// The reviewed plan.
    pub reviewed: &'a ReviewedPlan,
    /// For places.
    pub sources: &'a Sources,
    /// For the names of roles.
    pub roles: &'a RoleCatalogue,
    /// Whether people whom no file declares are mentioned.
    pub mention_undeclared: bool,
    /// The users who are not people.
    pub integrations: &'a BTreeSet<Integration>,
    /// The instant that was asked about, where it is not the present.
    pub at: Option<&'a Moment>,
    /// When the plan was made.
    pub now: Timestamp,
    /// What windows will bring by themselves.
    pub coming: &'a [Coming],
    /// The windows that hold or will.
    pub windows: &'a [Ahead],
    /// Operations of a saved plan that are in step meanwhile.
    pub meanwhile: usize,
    /// What a rollback leaves, and what the files say against it.
    pub takeback: Option<&'a Takeback>,
    /// Who is to blame for what, where the audit log was asked.
    pub blame: Option<&'a Findings>,
    /// What came of it.
    pub finished: Option<&'a Finished>,
}

impl PlanReport {
    /// The report of a plan, carried out or not.
    pub fn new(material: &Material<'_>) -> Self {
        let Material {
            place,
            made_up,
            invocation,
            reviewed,
            sources,
            roles: _,
            mention_undeclared,
            integrations,
            at,
            now,
            coming,
            windows,
            meanwhile,
            takeback,
            blame,
            finished,
        } = *material;
        let ReviewedPlan { plan, findings, floors: _, expired } = reviewed;
        let undeclared =
            plan.undeclared.iter().filter(|_| mention_undeclared).map(|email| Printable::new(email.as_str()));
        let expired = expired.iter().map(|acknowledgement| ExpiredLine {
            guardrail: acknowledgement.risk.guardrail().as_str(),
            expired: Printable::new(&acknowledgement.expires.value.written),
            at: acknowledgement.expires.value.at,
            location: material.locate(acknowledgement.place),
        });
        let is_meant = |email: &Email| plan.only.is_empty() || plan.only.contains(email);
        Self {
            organization: OrganizationLine::new(&plan.organization, place),
            made_up,
            invocation: invocation.clone(),
            declared: plan.declared,
            at: at.map(|moment| Printable::new(&moment.written)),
            only: plan.only.iter().map(|email| Printable::new(email.as_str())).collect(),
            entries: material.entries(),
            kept_roles: material.kept_roles(),
            in_step: plan.in_step,
            meanwhile,
            undeclared: undeclared.collect(),
            integrations: integrations
                .iter()
                .map(|Integration { id, name }| IntegrationLine {
                    id: Printable::new(id.as_str()),
                    name: Printable::new(name),
                })
                .collect(),
            guardrails: findings.iter().map(|finding| material.guardrail(finding)).collect(),
            expired: expired.collect(),
            coming: coming.iter().map(|coming| material.coming(coming)).collect(),
            windows: windows
                .iter()
                .filter(|ahead| is_meant(&ahead.email))
                .map(|ahead| window_line(ahead, sources))
                .collect(),
            now,
            takeback: takeback.map(|takeback| material.takeback(takeback)),
            audit_log: blame.map(|findings| material.audit_log(findings)),
            result: finished.map(|finished| ApplyResult {
                stopped: finished.stopped.clone(),
                not_read_back: finished.not_read_back,
            }),
            journal: None,
            saved: None,
        }
    }
}

impl Material<'_> {
    fn entries(&self) -> Vec<Entry> {
        let plan = &self.reviewed.plan;
        let changes = plan.changes.iter().enumerate().map(|(number, change)| {
            let (person, edits) = self.person_and_edits(change);
            self.entry(
                &change.subject,
                EntryKind::Change {
                    person,
                    edits,
                    outcome: self.finished.map(|finished| finished.outcomes[number].clone()),
                },
            )
        });
        let observed = plan.observed.iter().map(|change| {
            let (person, edits) = self.person_and_edits(change);
            self.entry(&change.subject, EntryKind::Observed { person, edits })
        });
        let is_told = |subject: &Subject| {
            plan.changes.iter().chain(&plan.observed).any(|change| change.subject.id == subject.id)
        };
        let elsewhere = plan.found_elsewhere.iter().filter(|subject| !is_told(subject));
        let elsewhere = elsewhere
            .map(|subject| self.entry(subject, EntryKind::FoundElsewhere { person: person_line(subject) }));
        let absent = plan.absent.iter().map(|absent| self.absent(absent));
        let mut entries: Vec<Entry> = changes.chain(observed).chain(elsewhere).chain(absent).collect();
        entries.sort_by_key(|entry| entry.email.raw().to_ascii_lowercase());
        entries
    }

    fn kept_roles(&self) -> Vec<KeptRoleLine> {
        let mut ordered = self.reviewed.in_order();
        ordered.sort_by(|one, other| one.change.subject.email.value.cmp(&other.change.subject.email.value));
        let lines = ordered.iter().flat_map(|Ordered { change, gains, losses }| {
            let line = move |role: &RoleId, gained: bool| KeptRoleLine {
                email: Printable::new(change.subject.email.value.as_str()),
                role: self.label(role),
                gained,
            };
            let gains = gains.iter().map(move |role| line(role, true));
            gains.chain(losses.iter().map(move |role| line(role, false)))
        });
        lines.collect()
    }

    fn entry(&self, subject: &Subject, kind: EntryKind) -> Entry {
        let email = Printable::new(subject.email.value.as_str());
        Entry { email, kind, location: self.locate(subject.email.place) }
    }

    fn absent(&self, absent: &Absent) -> Entry {
        let kind = match &absent.absence {
            Absence::Missing { did_you_mean } => EntryKind::Missing {
                did_you_mean: did_you_mean.as_ref().map(|email| Printable::new(email.as_str())),
            },
            Absence::Deactivated { name } => EntryKind::Deactivated { name: Printable::new(name) },
        };
        Entry {
            email: Printable::new(absent.email.value.as_str()),
            kind,
            location: self.locate(absent.email.place),
        }
    }

    fn person_and_edits(&self, change: &Change) -> (PersonLine, Vec<EditLine>) {
        let Change { subject, edits } = change;
        let line = |edit: &Edit| {
            let Edit { field, from, to, through_scim, place, origin } = edit;
            let label = |value: &FieldValue| Printable::new(&self.roles.value_label(*field, value));
            EditLine {
                field: *field,
                from: from.iter().map(label).collect(),
                to: label(to),
                through_scim: through_scim.iter().map(label).collect(),
                location: self.locate(*place),
                origin: origin.clone(),
                blame: self.blame(&subject.id, *field),
            }
        };
        (person_line(subject), edits.iter().map(line).collect())
    }

    fn blame(&self, id: &UserId, field: Field) -> Option<BlameLine> {
        self.blame?.blames.get(&(id.clone(), field)).map(blame_line)
    }

    fn audit_log(&self, findings: &Findings) -> AuditLogLine {
        let Findings { blames, unread, is_available } = findings;
        let Plan { changes, observed, .. } = &self.reviewed.plan;
        let edits = changes.iter().chain(observed).map(|change| change.edits.len());
        AuditLogLine {
            is_available: *is_available,
            unread: unread.clone(),
            edits: edits.sum(),
            blamed: blames.len(),
        }
    }

    fn guardrail(&self, finding: &Finding) -> GuardrailLine {
        let Finding { figure, verdict, place } = finding;
        let label = |role: &RoleId| self.label(role).short(LONGEST).to_string();
        let written = |role: &RoleId| self.roles.written(role);
        let in_a_week = self.now.saturating_add(SignedDuration::from_hours(7 * 24)).unwrap_or(self.now);
        let expires = in_a_week.strftime("%Y-%m-%d").to_string();
        let remedy = (*verdict == Verdict::Refused)
            .then(|| words::remedy(figure, self.takeback.is_some(), &written, &expires));
        GuardrailLine {
            guardrail: figure.guardrail(),
            verdict: verdict.clone(),
            of: figure.clone(),
            figure: words::figure(figure, &label),
            remedy,
            location: place.map(|place| self.locate(place)),
        }
    }

    fn coming(&self, coming: &Coming) -> ComingLine {
        let Coming { transition, refused_by } = coming;
        let label = |role: &RoleId| self.label(role).short(LONGEST).to_string();
        let named =
            |figure: &Figure| format!("{}: {}", figure.guardrail().as_str(), words::figure(figure, &label));
        let refused_by = refused_by.iter().map(named).collect();
        ComingLine { refused_by, ..coming_line(transition, self.sources) }
    }

    fn takeback(&self, takeback: &Takeback) -> TakebackLines {
        let Takeback { is_whole, unreadable, left, files } = takeback;
        let left = left.iter().map(|Left { email, why }| LeftLine {
            email: Printable::new(email.value.as_str()),
            why: words::left(why, &|role| self.roles.label(role)),
            location: Some(self.locate(email.place)),
        });
        TakebackLines {
            is_whole: *is_whole,
            unreadable: *unreadable,
            left: left.collect(),
            contradicted: files.declared_otherwise(),
            files: file_lines(files, self.sources, FileState::WouldBeWritten),
            unwritten: left_lines(files, self.sources, self.roles),
        }
    }

    fn label(&self, role: &RoleId) -> Printable {
        Printable::new(&self.roles.label(role))
    }

    fn locate(&self, place: Place) -> Location {
        self.sources.locate(place)
    }
}

/// A transition that no guardrail was asked about.
pub(super) fn coming_line(transition: &Transition, sources: &Sources) -> ComingLine {
    let Transition { moment, email, field, from, to, place } = transition;
    let shown = |text: &Option<FieldValue>| text.as_deref().map(Printable::new);
    ComingLine {
        when: Printable::new(&moment.written),
        email: Printable::new(email.as_str()),
        field: *field,
        from: shown(from),
        to: shown(to),
        location: sources.locate(*place),
        refused_by: Vec::new(),
    }
}

pub(super) fn window_line(ahead: &Ahead, sources: &Sources) -> WindowLine {
    let Ahead { email, window } = ahead;
    let Window { place, from, until, sets, then, reason } = window;
    let instant = |moment: &Option<Sourced<Moment>>| {
        let moment = &moment.as_ref()?.value;
        Some(Instant { at: moment.at, written: Printable::new(&moment.written) })
    };
    WindowLine {
        email: Printable::new(email.as_str()),
        from: instant(from),
        until: instant(until),
        sets: sets.some().map(|(field, value)| (field, Printable::new(&value.value))).collect(),
        then: then.as_ref().map(|then| Printable::new(&then.value)),
        reason: reason.as_deref().map(Printable::new),
        location: sources.locate(*place),
    }
}

fn blame_line(blame: &Blame) -> BlameLine {
    let Blame { actor, source, action, at, old, new, is_outlived } = blame;
    let shown = |text: &Option<String>| text.as_deref().map(Printable::new);
    BlameLine {
        actor: match actor {
            Actor::Person { id, name, email } => ActorLine::Person {
                id: Printable::new(id.as_str()),
                name: Printable::new(name),
                email: Printable::new(email.as_str()),
            },
            Actor::Id(id) => ActorLine::Id(Printable::new(id)),
            Actor::Source(source) => ActorLine::Source(Printable::new(source)),
            Actor::Unknown => ActorLine::Unknown,
        },
        source: Printable::new(source),
        action: Printable::new(action),
        at: *at,
        old: shown(old),
        new: shown(new),
        is_outlived: *is_outlived,
    }
}

fn person_line(subject: &Subject) -> PersonLine {
    let Subject { email, id, primary, secondary: _, name } = subject;
    let primary = Some(primary)
        .filter(|primary| **primary != email.value)
        .map(|primary| Printable::new(primary.as_str()));
    PersonLine { id: Printable::new(id.as_str()), name: Printable::new(name), primary }
}
