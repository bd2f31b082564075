//! What a run has to say: one [`Report`], and one file a format that turns it into bytes.
//!
//! A report holds facts with their places settled and every text from elsewhere as [`Printable`]; a format decides only
//! how it looks. Nothing here asks, decides or prints.

use crate::apply::{Finished, Outcome, Stop};
use crate::desired::Origin;
use crate::desired::agenda::Transition;
use crate::observed::{RoleCatalogue, RoleId};
use crate::plan::forecast::Coming;
use crate::plan::guardrails::{Figure, Finding, Guardrail, ReviewedPlan, Verdict};
use crate::plan::{Absence, Absent, Change, RoleEdit, StatusEdit, Subject};
use crate::printable::Printable;
use crate::problem::Problems;
use crate::roster::Moment;
use crate::roster::source::{Location, Place, Sources};

pub mod diagnostic;
pub mod json;
pub mod style;
pub mod text;
pub mod words;

/// In which format a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// For programs; frozen by its version.
    Json,
}

/// What a run has to say.
#[derive(Debug, Clone)]
pub enum Report {
    /// There is nothing to say: it was said on the way.
    Nothing,
    /// Nobody is declared, so nobody was asked.
    NobodyDeclared {
        /// Which verb.
        command: &'static str,
        /// The root file.
        file: Printable,
    },
    /// The files are valid.
    Valid {
        /// How many files were read.
        files: usize,
        /// How many people are declared.
        declared: usize,
    },
    /// What would change, or what came of changing it.
    Plan(Box<PlanReport>),
    /// It could not be done.
    Problems {
        /// Which verb.
        command: &'static str,
        /// Why.
        problems: Box<Problems>,
    },
}

/// A reviewed plan, and what came of it if it was carried out.
#[derive(Debug, Clone)]
pub struct PlanReport {
    /// `plan` or `apply`.
    pub command: &'static str,
    /// The organisation's name.
    pub organization: Printable,
    /// The organisation's id.
    pub organization_id: Printable,
    /// `us`, `eu`, `sandbox` or the host.
    pub place: Printable,
    /// How many people are declared.
    pub declared: usize,
    /// The instant that was asked about, where it is not the present.
    pub at: Option<Printable>,
    /// The people it is limited to; empty where it is about everybody.
    pub only: Vec<Printable>,
    /// Who is not in step, sorted by declared address.
    pub entries: Vec<Entry>,
    /// Declared people who are as they should be.
    pub in_step: usize,
    /// Operations of a saved plan that somebody else has brought about meanwhile.
    pub meanwhile: usize,
    /// Primary addresses of people whom no file declares; empty where the files ignore them.
    pub undeclared: Vec<Printable>,
    /// What the guardrails say.
    pub guardrails: Vec<GuardrailLine>,
    /// Acknowledgements that have expired.
    pub expired: Vec<ExpiredLine>,
    /// What windows will bring by themselves: the next days, and what would be refused.
    pub coming: Vec<ComingLine>,
    /// What came of it, if it was carried out.
    pub result: Option<ApplyResult>,
    /// Where its journal is, if it was carried out.
    pub journal: Option<Printable>,
}

/// What a window will bring by itself.
#[derive(Debug, Clone)]
pub struct ComingLine {
    /// When, as the file wrote it.
    pub when: Printable,
    /// The declared address.
    pub email: Printable,
    /// `role` or `status`.
    pub field: &'static str,
    /// What is desired before; nothing where the value is left alone.
    pub from: Option<Printable>,
    /// What is desired from then on; nothing where the value is left alone.
    pub to: Option<Printable>,
    /// Where it is declared.
    pub location: Location,
    /// The figures of the guardrails that would refuse it, each with its name.
    pub refused_by: Vec<String>,
}

/// One person who is not in step.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The declared address.
    pub email: Printable,
    /// What it is about.
    pub kind: EntryKind,
    /// Where the person is declared.
    pub location: Location,
}

/// What an entry is about.
#[derive(Debug, Clone)]
pub enum EntryKind {
    /// Something changes.
    Change {
        /// Who, in Pylon.
        person: PersonLine,
        /// What changes.
        edits: Vec<EditLine>,
        /// What came of it.
        outcome: Option<Outcome>,
    },
    /// Something differs that the policy only observes.
    Observed {
        /// Who, in Pylon.
        person: PersonLine,
        /// What differs.
        edits: Vec<EditLine>,
    },
    /// Found under another address, and in step.
    FoundElsewhere {
        /// Who, in Pylon.
        person: PersonLine,
    },
    /// Not in Pylon.
    Missing {
        /// The nearest address.
        did_you_mean: Option<Printable>,
    },
    /// Deactivated in Pylon.
    Deactivated {
        /// The name in Pylon.
        name: Printable,
    },
}

/// A person as Pylon knows them.
#[derive(Debug, Clone)]
pub struct PersonLine {
    /// The id.
    pub id: Printable,
    /// The name.
    pub name: Printable,
    /// The primary address, where it is not the declared one.
    pub primary: Option<Printable>,
}

/// One field that changes.
#[derive(Debug, Clone)]
pub struct EditLine {
    /// `role` or `status`.
    pub field: &'static str,
    /// The value before.
    pub from: Vec<Printable>,
    /// The value afterwards.
    pub to: Printable,
    /// Roles that stay through SCIM groups.
    pub through_scim: Vec<Printable>,
    /// Where it is declared.
    pub location: Location,
    /// Where it comes from, if not from the person's own declaration.
    pub origin: Origin,
}

/// What one guardrail says.
#[derive(Debug, Clone)]
pub struct GuardrailLine {
    /// Which.
    pub guardrail: Guardrail,
    /// Whether the plan may be carried out.
    pub verdict: Verdict,
    /// The figure and its limit, in a few words: `2 of 12 change (limit 10)`.
    pub figure: String,
    /// How to acknowledge it, where it refuses.
    pub remedy: Option<String>,
    /// Where to look in the files.
    pub location: Option<Location>,
}

/// An acknowledgement that has expired.
#[derive(Debug, Clone)]
pub struct ExpiredLine {
    /// Of which guardrail.
    pub guardrail: &'static str,
    /// Since when.
    pub expired: Printable,
    /// Where it stands.
    pub location: Location,
}

/// What came of an apply as a whole.
#[derive(Debug, Clone)]
pub struct ApplyResult {
    /// Why it ended early.
    pub stopped: Option<Stop>,
    /// Changes that could not be read back.
    pub not_read_back: usize,
}

/// Everything a plan report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// `plan` or `apply`.
    pub command: &'static str,
    /// `us`, `eu`, `sandbox` or the host.
    pub place: &'a str,
    /// The reviewed plan.
    pub reviewed: &'a ReviewedPlan,
    /// For places.
    pub sources: &'a Sources,
    /// For the names of roles.
    pub roles: &'a RoleCatalogue,
    /// Whether people whom no file declares are mentioned.
    pub mention_undeclared: bool,
    /// The instant that was asked about, where it is not the present.
    pub at: Option<&'a Moment>,
    /// What windows will bring by themselves.
    pub coming: &'a [Coming],
    /// Operations of a saved plan that are in step meanwhile.
    pub meanwhile: usize,
    /// What came of it.
    pub finished: Option<&'a Finished>,
}

impl PlanReport {
    /// The report of a plan, carried out or not.
    pub fn new(material: &Material<'_>) -> Self {
        let Material {
            command,
            place,
            reviewed,
            sources: _,
            roles: _,
            mention_undeclared,
            at,
            coming,
            meanwhile,
            finished,
        } = *material;
        let ReviewedPlan { plan, findings, floors: _, expired } = reviewed;
        let undeclared =
            plan.undeclared.iter().filter(|_| mention_undeclared).map(|email| Printable::new(email.as_str()));
        let expired = expired.iter().map(|acknowledgement| ExpiredLine {
            guardrail: acknowledgement.risk.guardrail(),
            expired: Printable::new(&acknowledgement.expires.value.written),
            location: material.locate(acknowledgement.place),
        });
        Self {
            command,
            organization: Printable::new(&plan.organization.name),
            organization_id: Printable::new(&plan.organization.id),
            place: Printable::new(place),
            declared: plan.declared,
            at: at.map(|moment| Printable::new(&moment.written)),
            only: plan.only.iter().map(|email| Printable::new(email.as_str())).collect(),
            entries: material.entries(),
            in_step: plan.in_step,
            meanwhile,
            undeclared: undeclared.collect(),
            guardrails: findings.iter().map(|finding| material.guardrail(finding)).collect(),
            expired: expired.collect(),
            coming: coming.iter().map(|coming| material.coming(coming)).collect(),
            result: finished.map(|finished| ApplyResult {
                stopped: finished.stopped.clone(),
                not_read_back: finished.not_read_back,
            }),
            journal: None,
        }
    }

    /// The outcomes, where it was carried out.
    pub fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Change { outcome, .. } => outcome.as_ref(),
            EntryKind::Observed { .. }
            | EntryKind::FoundElsewhere { .. }
            | EntryKind::Missing { .. }
            | EntryKind::Deactivated { .. } => None,
        })
    }

    /// Whether a guardrail refuses it.
    pub fn is_refused(&self) -> bool {
        self.guardrails.iter().any(|line| line.verdict == Verdict::Refused)
    }
}

impl Material<'_> {
    fn entries(&self) -> Vec<Entry> {
        let plan = &self.reviewed.plan;
        let outcome = |index: usize| {
            self.finished
                .and_then(|finished| finished.carried.get(index))
                .map(|carried| carried.outcome.clone())
        };
        let changes = plan.changes.iter().enumerate().map(|(index, change)| {
            let (person, edits) = self.person_and_edits(change);
            self.entry(&change.subject, EntryKind::Change { person, edits, outcome: outcome(index) })
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
        entries.sort_by(|a, b| a.email.cmp(&b.email));
        entries
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
        let Change { subject, role, status } = change;
        let role = role.as_ref().map(|edit| {
            let RoleEdit { from, to, through_scim, place, origin } = edit;
            let labels = |ids: &[RoleId]| ids.iter().map(|id| self.label(id)).collect();
            let (location, origin) = (self.locate(*place), origin.clone());
            EditLine {
                field: "role",
                from: labels(from),
                to: self.label(to),
                through_scim: labels(through_scim),
                location,
                origin,
            }
        });
        let status = status.as_ref().map(|edit| {
            let StatusEdit { from, to, place, origin } = edit;
            let from = Some(from)
                .filter(|from| !from.is_empty())
                .map(|from| Printable::new(from))
                .into_iter()
                .collect();
            let (location, origin) = (self.locate(*place), origin.clone());
            EditLine {
                field: "status",
                from,
                to: Printable::new(to.as_str()),
                through_scim: Vec::new(),
                location,
                origin,
            }
        });
        (person_line(subject), role.into_iter().chain(status).collect())
    }

    fn guardrail(&self, finding: &Finding) -> GuardrailLine {
        let Finding { figure, verdict, place } = finding;
        let label = |role: &RoleId| self.label(role).to_string();
        let remedy = (*verdict == Verdict::Refused).then(|| words::remedy(figure, &label));
        GuardrailLine {
            guardrail: figure.guardrail(),
            verdict: verdict.clone(),
            figure: words::figure(figure, &label),
            remedy,
            location: place.map(|place| self.locate(place)),
        }
    }

    fn coming(&self, coming: &Coming) -> ComingLine {
        let Coming { transition: Transition { moment, email, field, from, to, place }, refused_by } = coming;
        let label = |role: &RoleId| self.label(role).to_string();
        let named =
            |figure: &Figure| format!("{}: {}", figure.guardrail().as_str(), words::figure(figure, &label));
        let shown = |text: &Option<String>| text.as_deref().map(Printable::new);
        ComingLine {
            when: Printable::new(&moment.written),
            email: Printable::new(email.as_str()),
            field,
            from: shown(from),
            to: shown(to),
            location: self.locate(*place),
            refused_by: refused_by.iter().map(named).collect(),
        }
    }

    fn label(&self, role: &RoleId) -> Printable {
        Printable::new(&self.roles.label(role))
    }

    fn locate(&self, place: Place) -> Location {
        self.sources.locate(place)
    }
}

fn person_line(subject: &Subject) -> PersonLine {
    let Subject { email, id, primary, secondary: _, name } = subject;
    let primary = Some(primary)
        .filter(|primary| **primary != email.value)
        .map(|primary| Printable::new(primary.as_str()));
    PersonLine { id: Printable::new(id.as_str()), name: Printable::new(name), primary }
}
