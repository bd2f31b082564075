//! Saved plans, which limit a later apply to the reviewed changes.
//!
//! A saved plan contains the organization, the host, a digest of the files, the people selected with `--only`, and the old
//! and new values of every change. An apply computes a new plan and passes it to [`SavedPlan::admits`]. The new plan can
//! lack changes that have become unnecessary, but a single new or different change is enough to reject the whole apply.
//!
//! The apply executes the new plan rather than the saved one, so tampering with a saved plan can't introduce changes that aren't
//! declared. The checksum isn't a signature and protects only against accidental damage. A saved plan contains no secrets, and its
//! report is used only by `show`.

use std::collections::{HashMap, HashSet};

use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{Change, Edit, Plan, Subject};
use crate::observed::RoleCatalog;
use crate::printable::Printable;
use crate::problem::{Problem, codes};
use crate::roster::Field;
use crate::source::Sources;

codes! {
    /// Reasons a saved plan cannot be applied.
    pub enum SavedPlanCode {
        /// The saved plan does not exist or cannot be read.
        Unreadable = "saved_plan::unreadable",
        /// The file is not a saved plan, or it was modified after it was written.
        Damaged = "saved_plan::damaged",
        /// The file has a format version that this version of rolecall cannot read.
        OtherVersion = "saved_plan::other_version",
        /// The plan is for a different organization or host.
        Foreign = "saved_plan::foreign",
        /// The files have changed since the plan was saved.
        FilesChanged = "saved_plan::files_changed",
        /// The apply would make a change that was not reviewed.
        Stale = "saved_plan::stale",
    }
}

/// The format version of saved plans. Any other version is rejected.
pub const VERSION: u32 = 1;
/// The maximum size of a saved plan in bytes. A million operations take up about 200 MB.
pub const LARGEST: u64 = 512 * 1024 * 1024;
const FORMAT: &str = "rolecall plan";
/// The maximum number of operations to list in the error about a stale plan.
const NAMED: usize = 10;
/// The maximum length of each role and status in the error about a stale plan, in characters.
const LONGEST_VALUE: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    format: String,
    version: u32,
    /// When the plan was made, in RFC 3339. Displayed by `show`, but ignored by an apply.
    created: String,
    organization: String,
    /// The Pylon host: `us`, `eu`, `sandbox`, or the host name of another base URL.
    host: String,
    /// The digest of the files, from [`digest_of`].
    files: String,
    /// The people selected with `--only`. Empty if the plan covers everyone.
    only: Vec<String>,
    operations: Vec<Operation>,
    /// The plan report, for `show`. An apply ignores it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    report: Value,
    /// `sha256:…`, computed over all other fields.
    checksum: String,
}

/// The changes to one person, as stored in saved plans and journals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    pub user: String,
    pub email: String,
    pub edits: Vec<Step>,
}

/// The old and new values of one field, in the representation of Pylon's API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub field: Field,
    pub from: Vec<String>,
    pub to: String,
}

/// The host and files that a saved plan is bound to, in addition to its organization.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The Pylon host: `us`, `eu`, `sandbox`, or the host name of another base URL.
    pub host: &'a str,
    /// The digest of the files, from [`digest_of`].
    pub files: &'a str,
}

/// Returns a digest of all files read. It covers their contents and their paths relative to the root file's folder.
pub fn digest_of(sources: &Sources) -> String {
    let mut context = Context::new(&SHA256);
    for (name, text) in relative(sources) {
        for part in [name, text] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
    }
    hex(context.finish().as_ref())
}

/// Returns each file's path relative to the root file's folder, along with its contents.
fn relative(sources: &Sources) -> impl Iterator<Item = (&str, &str)> {
    let root = sources.iter().next().map_or("", |(name, _)| name);
    let folder = root.rfind('/').map_or("", |slash| &root[..=slash]);
    sources.iter().map(move |(name, text)| (name.strip_prefix(folder).unwrap_or(name), text))
}

/// Returns the path and SHA-256 digest of every file read, sorted by path. Paths are relative to the root file's folder.
pub fn listed_digests(sources: &Sources) -> Vec<(String, String)> {
    let mut digests: Vec<(String, String)> =
        relative(sources).map(|(name, text)| (name.to_owned(), sha256_of(text))).collect();
    digests.sort();
    digests
}

/// Returns the SHA-256 digest of a string as printed by `sha256sum`.
pub fn sha256_of(text: &str) -> String {
    let digest = hex(digest(&SHA256, text.as_bytes()).as_ref());
    digest.trim_start_matches("sha256:").to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

impl SavedPlan {
    /// Creates a saved plan. `created` is a timestamp in RFC 3339.
    pub fn new(plan: &Plan, binding: Binding<'_>, created: String, report: Value) -> Self {
        let saved = Self {
            format: FORMAT.into(),
            version: VERSION,
            created,
            organization: plan.organization.id.clone(),
            host: binding.host.to_owned(),
            files: binding.files.to_owned(),
            only: plan.only.iter().map(ToString::to_string).collect(),
            operations: plan.changes.iter().map(Operation::new).collect(),
            report,
            checksum: String::new(),
        };
        Self { checksum: saved.checksum(), ..saved }
    }

    /// Serializes the plan to the contents of the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self)
            .unwrap_or_else(|error| unreachable!("structs of texts serialize: {error}"))
            + "\n"
    }

    /// Parses the contents of a saved plan.
    ///
    /// # Errors
    /// Returns an error if the file is not a saved plan, has a different format version, or was modified after it was written.
    pub fn parse(json: &str) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let damaged = |why: &str| {
            Problem::new(SavedPlanCode::Damaged, format!("this is not a valid saved plan: {why}"))
                .help("make a new one with `rolecall plan -o FILE`")
        };
        let head: Head = serde_json::from_str(json).map_err(|error| damaged(&error.to_string()))?;
        if head.format != FORMAT {
            return Err(damaged("it is another kind of file"));
        }
        if head.version != VERSION {
            return Err(Problem::new(
                SavedPlanCode::OtherVersion,
                format!(
                    "the saved plan has format version {}, but this version of rolecall reads {VERSION}",
                    head.version
                ),
            )
            .help("plan and apply with the same version of rolecall"));
        }
        let saved: Self = serde_json::from_str(json).map_err(|error| damaged(&error.to_string()))?;
        if saved.checksum != saved.checksum() {
            return Err(damaged("its checksum does not match, so it was changed after it was written"));
        }
        Ok(saved)
    }

    /// Returns the people selected with `--only`, or an empty slice if the plan covers everyone.
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// Returns the creation time in RFC 3339 along with the report.
    pub fn into_report(self) -> (String, Value) {
        (self.created, self.report)
    }

    /// Checks that the plan was made from the files with this digest.
    ///
    /// # Errors
    /// Returns an error if the plan was made from different files.
    pub fn is_of(&self, files: &str) -> Result<(), Problem> {
        if self.files == files {
            return Ok(());
        }
        Err(Problem::new(SavedPlanCode::FilesChanged, "the files have changed since this plan was saved")
            .help("nothing was changed; run `rolecall plan -o FILE` again, and review the new plan"))
    }

    /// Checks that a newly computed plan makes no changes beyond the reviewed ones, and returns the number of reviewed changes
    /// already in sync. `roles` is used to name roles in errors.
    ///
    /// # Errors
    /// Returns an error if the saved plan is for a different organization, host, or set of files, or if `fresh` contains a new or
    /// different operation.
    pub fn admits(&self, fresh: &Plan, binding: Binding<'_>, roles: &RoleCatalog) -> Result<usize, Problem> {
        let foreign = |what: &str, saved: &str, now: &str| {
            let (saved, now) = (Printable::cut(saved, 80), Printable::cut(now, 80));
            Err(Problem::new(
                SavedPlanCode::Foreign,
                format!("the saved plan is for the {what} {saved}, not for {now}"),
            )
            .help("nothing was changed; run `rolecall plan -o FILE` again, and review the new plan"))
        };
        if self.organization != fresh.organization.id {
            return foreign("organization", &self.organization, &fresh.organization.id);
        }
        if self.host != binding.host {
            return foreign("host", &self.host, binding.host);
        }
        self.is_of(binding.files)?;
        let reviewed: HashMap<&str, &Operation> =
            self.operations.iter().map(|operation| (operation.user.as_str(), operation)).collect();
        let mut new = Vec::new();
        for change in &fresh.changes {
            let now = Operation::new(change);
            let before = reviewed.get(now.user.as_str()).copied();
            if before != Some(&now) {
                new.push((before, now));
            }
        }
        if new.is_empty() { Ok(self.in_sync_now(fresh)) } else { Err(stale(&new, roles)) }
    }

    /// Counts the reviewed changes that another client has already made. Leaves out changes to people who have since been
    /// removed from Pylon or deactivated. Also leaves out people with an overdue change after a window.
    fn in_sync_now(&self, fresh: &Plan) -> usize {
        let changes = fresh.changes.iter().map(|change| change.subject.email.value.as_str());
        let absent = fresh.absent.iter().map(|absent| absent.email.value.as_str());
        let is_overdue = |change: &&Change| change.edits.iter().any(|edit| edit.origin.is_overdue());
        let overdue = fresh.observed.iter().filter(is_overdue);
        let overdue = overdue.map(|change| change.subject.email.value.as_str());
        let pending: HashSet<&str> = changes.chain(absent).chain(overdue).collect();
        self.operations.iter().filter(|operation| !pending.contains(operation.email.as_str())).count()
    }

    fn checksum(&self) -> String {
        let unsigned = Self { checksum: String::new(), ..self.clone() };
        hex(digest(&SHA256, unsigned.to_json().as_bytes()).as_ref())
    }
}

/// Returns an error that lists each unreviewed operation next to the one reviewed for the same person, if any.
fn stale(new: &[(Option<&Operation>, Operation)], roles: &RoleCatalog) -> Problem {
    let mut named: Vec<String> =
        new.iter().take(NAMED).map(|(reviewed, now)| altered(*reviewed, now, roles)).collect();
    let more = new.len().saturating_sub(NAMED);
    named.extend((more > 0).then(|| format!("{more} more people")));
    Problem::new(
        SavedPlanCode::Stale,
        format!("the apply would make changes that were not reviewed: {}", named.join("; ")),
    )
    .help(
        "nothing was changed; Pylon has changed since the plan was saved, or a window has started or ended: run \
         `rolecall plan -o FILE` again, and review the new plan",
    )
}

/// Formats an unreviewed operation, e.g. `bo@acme.example (reviewed role Member → Admin, now role Viewer → Admin)`.
fn altered(reviewed: Option<&Operation>, now: &Operation, roles: &RoleCatalog) -> String {
    let email = Printable::new(&now.email);
    let now = now.steps(roles);
    match reviewed {
        Some(reviewed) => format!("{email} (reviewed {}, now {now})", reviewed.steps(roles)),
        None => format!("{email} (not reviewed, now {now})"),
    }
}

impl Operation {
    /// Formats the edits, e.g. `role Member → Admin and status away → active`.
    fn steps(&self, roles: &RoleCatalog) -> String {
        let mut steps = Vec::new();
        for Step { field, from, to } in &self.edits {
            let label = |value: &String| roles.value_label(*field, &value.as_str().into());
            let labels: Vec<String> = from.iter().map(label).collect();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let (from, to) = Printable::cut_changes(&labels, &label(to), LONGEST_VALUE);
            let from: Vec<&str> = from.iter().map(Printable::as_str).collect();
            let from = if from.is_empty() { "(none)".to_owned() } else { from.join(", ") };
            steps.push(format!("{field} {from} → {to}"));
        }
        steps.join(" and ")
    }

    pub fn new(change: &Change) -> Self {
        let Change { subject: Subject { email, id, primary: _, secondary: _, name: _ }, edits } = change;
        let step = |Edit { field, from, to, through_scim: _, place: _, origin: _ }: &Edit| Step {
            field: *field,
            from: from.iter().map(ToString::to_string).collect(),
            to: to.to_string(),
        };
        Self {
            user: id.as_str().to_owned(),
            email: email.value.to_string(),
            edits: edits.iter().map(step).collect(),
        }
    }
}
