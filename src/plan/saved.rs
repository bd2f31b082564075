//! A saved plan: a file that records what was reviewed. An apply then makes only the reviewed changes, or fewer, or none.
//!
//! The file contains the organization, the host, a digest of the files, the people of `--only`, and the old and new values
//! of every change. An apply makes a new plan and passes it to [`SavedPlan::admits`]. Changes that are no longer needed
//! may be missing from the new plan. If a change is new or different, the whole apply is refused.
//!
//! The apply carries out the new plan, not the file, so editing the file cannot cause a change that the files do not declare. The
//! checksum detects damage; it is not a signature. The file contains no secrets. Its report is only for `show`.

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
    /// The reasons why a saved plan cannot be applied.
    pub enum SavedPlanCode {
        /// The file does not exist or cannot be read.
        Unreadable = "saved_plan::unreadable",
        /// The file is not a saved plan, or it was changed after it was written.
        Damaged = "saved_plan::damaged",
        /// The file was written by another version of rolecall.
        OtherVersion = "saved_plan::other_version",
        /// The plan is for another organization or host.
        Foreign = "saved_plan::foreign",
        /// The files have changed since the plan was saved.
        FilesChanged = "saved_plan::files_changed",
        /// The apply would make a change that is not in the saved plan.
        Stale = "saved_plan::stale",
    }
}

/// The version of the format. Files with another version are refused.
pub const VERSION: u32 = 1;
/// The largest saved plan that is read, in bytes. A million operations take about 200 MB.
pub const LARGEST: u64 = 512 * 1024 * 1024;
const FORMAT: &str = "rolecall plan";
/// The error about a stale plan names at most this many operations.
const NAMED: usize = 10;
/// The error cuts roles and statuses to this many characters.
const LONGEST_VALUE: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    format: String,
    version: u32,
    /// The time of the plan in RFC 3339, for readers. rolecall does not use it.
    created: String,
    organization: String,
    /// `us`, `eu`, `sandbox` or the host.
    host: String,
    /// Contains the result of [`digest_of`].
    files: String,
    /// The people in `--only`. Empty if the plan is not limited.
    only: Vec<String>,
    operations: Vec<Operation>,
    /// The report of the plan, for people. An apply does not use it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    report: Value,
    /// `sha256:…` of all other fields.
    checksum: String,
}

/// The changes to one person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    pub user: String,
    pub email: String,
    pub edits: Vec<Step>,
}

/// The old values and the new value of one field, as in Pylon's API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub field: Field,
    pub from: Vec<String>,
    pub to: String,
}

/// What a saved plan is valid for, next to its organization.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// `us`, `eu`, `sandbox` or the host.
    pub host: &'a str,
    /// Contains the result of [`digest_of`].
    pub files: &'a str,
}

/// Returns a digest of the contents of all files that were read, and of their paths relative to the folder of the root file.
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

/// Returns the path relative to the folder of the root file, and the text, of each file that was read.
fn relative(sources: &Sources) -> impl Iterator<Item = (&str, &str)> {
    let root = sources.iter().next().map_or("", |(name, _)| name);
    let folder = root.rfind('/').map_or("", |slash| &root[..=slash]);
    sources.iter().map(move |(name, text)| (name.strip_prefix(folder).unwrap_or(name), text))
}

/// Returns what `sha256sum` prints for all files that were read, in the folder of the root file: per file, the digest, two spaces,
/// and the path. The lines are sorted by path.
pub fn listed_digests(sources: &Sources) -> Vec<(String, String)> {
    let mut digests: Vec<(String, String)> =
        relative(sources).map(|(name, text)| (name.to_owned(), sha256_of(text))).collect();
    digests.sort();
    digests
}

/// Returns the SHA-256 digest of text, as `sha256sum` prints it.
pub fn sha256_of(text: &str) -> String {
    let digest = hex(digest(&SHA256, text.as_bytes()).as_ref());
    digest.trim_start_matches("sha256:").to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

impl SavedPlan {
    /// Returns the file for `plan`. `created` is the time in RFC 3339.
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

    /// Returns the text of the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self)
            .unwrap_or_else(|error| unreachable!("structs of texts serialize: {error}"))
            + "\n"
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// The text is not a saved plan, or has another version, or was changed after it was written.
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
                    "the saved plan has format version {}, and this version of rolecall reads {VERSION}",
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

    /// Returns the people in `--only`, or an empty list if the plan is not limited.
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// Returns the time of the plan in RFC 3339, and its report.
    pub fn into_report(self) -> (String, Value) {
        (self.created, self.report)
    }

    /// Checks that the plan was made from the files with this digest.
    ///
    /// # Errors
    /// The plan was made from other files.
    pub fn is_of(&self, files: &str) -> Result<(), Problem> {
        if self.files == files {
            return Ok(());
        }
        Err(Problem::new(SavedPlanCode::FilesChanged, "the files have changed since this plan was saved")
            .help("nothing was changed; run `rolecall plan -o FILE` again, and review the new plan"))
    }

    /// Checks that the new plan `fresh` makes only reviewed changes. Returns how many reviewed changes are already in sync. `roles`
    /// provides the names of roles for an error.
    ///
    /// # Errors
    /// The saved plan is for another organization, host, or set of files, or `fresh` has a new or different operation.
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

    /// Counts the reviewed changes that are already in sync because another client has made them. People who are no longer in Pylon
    /// do not count.
    fn in_sync_now(&self, fresh: &Plan) -> usize {
        let changes = fresh.changes.iter().map(|change| change.subject.email.value.as_str());
        let absent = fresh.absent.iter().map(|absent| absent.email.value.as_str());
        let pending: HashSet<&str> = changes.chain(absent).collect();
        self.operations.iter().filter(|operation| !pending.contains(operation.email.as_str())).count()
    }

    fn checksum(&self) -> String {
        let unsigned = Self { checksum: String::new(), ..self.clone() };
        hex(digest(&SHA256, unsigned.to_json().as_bytes()).as_ref())
    }
}

/// Returns the error that names each new operation, with the reviewed one for the same person, if there is one.
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

/// Returns a text like `bo@acme.example (reviewed role Member → Admin, now role Viewer → Admin)`.
fn altered(reviewed: Option<&Operation>, now: &Operation, roles: &RoleCatalog) -> String {
    let email = Printable::new(&now.email);
    let now = now.steps(roles);
    match reviewed {
        Some(reviewed) => format!("{email} (reviewed {}, now {now})", reviewed.steps(roles)),
        None => format!("{email} (not reviewed, now {now})"),
    }
}

impl Operation {
    /// Returns a text like `role Member → Admin and status away → active`.
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

    /// Returns the operation that records `change`.
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
