//! A plan in a file: what was reviewed, so that exactly this is applied, or less, or nothing.
//!
//! The file names the organization, the host, a digest of the files it was made of, its scope, and every operation with
//! its *from* and *to*. An apply makes a fresh plan and asks [`SavedPlan::admits`]: what has come into step meanwhile may
//! be missing, anything new or altered refuses the whole. The fresh plan is what is carried out, so a file that was
//! meddled with can only refuse; its checksum tells a damaged one apart. It fails closed, and holds no secret.

use std::collections::{HashMap, HashSet};

use ring::digest::{Context, SHA256, digest};
use serde::{Deserialize, Serialize};

use super::change::{Change, Edit, Plan, Subject};
use crate::observed::RoleCatalog;
use crate::printable::Printable;
use crate::problem::{Problem, codes};
use crate::roster::Field;
use crate::source::Sources;

codes! {
    /// What can be wrong with a saved plan.
    pub enum SavedPlanCode {
        /// The file is not there or cannot be read.
        Unreadable = "saved_plan::unreadable",
        /// The file is no saved plan, or not the one that was written.
        Damaged = "saved_plan::damaged",
        /// The file was written by another version of rolecall.
        OtherVersion = "saved_plan::other_version",
        /// The plan is for another organization or host.
        Foreign = "saved_plan::foreign",
        /// The files have changed since.
        FilesChanged = "saved_plan::files_changed",
        /// Something would be done that is not in it.
        Stale = "saved_plan::stale",
    }
}

/// The version of the format; a file with another one is not read.
pub const VERSION: u32 = 1;
/// A larger file is no saved plan: a million operations take some 200 MB.
pub const LARGEST: u64 = 512 * 1024 * 1024;
const FORMAT: &str = "rolecall plan";
/// So many operations are named when a plan is stale.
const NAMED: usize = 10;
/// A longer role or status is cut, in characters.
const LONGEST_VALUE: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    format: String,
    version: u32,
    /// When it was made, RFC 3339; for people.
    created: String,
    organization: String,
    /// `us`, `eu`, `sandbox` or the host.
    host: String,
    /// `sha256:…` over every file that was read.
    files: String,
    /// The people it is limited to; empty where it is about everybody.
    only: Vec<String>,
    operations: Vec<Operation>,
    /// `sha256:…` over all the rest.
    checksum: String,
}

/// What is done to one person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    pub user: String,
    pub email: String,
    pub edits: Vec<Step>,
}

/// From the values before to the value afterwards, as Pylon's API has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub field: Field,
    pub from: Vec<String>,
    pub to: String,
}

/// What a plan is bound to beside its operations.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// `us`, `eu`, `sandbox` or the host.
    pub host: &'a str,
    pub files: &'a str,
}

/// A digest of every file that was read, by its name below the folder of the root file and its text.
pub fn digest_of(sources: &Sources) -> String {
    let root = sources.iter().next().map_or("", |(name, _)| name);
    let folder = root.rfind('/').map_or("", |slash| &root[..=slash]);
    let mut context = Context::new(&SHA256);
    for (name, text) in sources.iter() {
        for part in [name.strip_prefix(folder).unwrap_or(name), text] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
    }
    hex(context.finish().as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

impl SavedPlan {
    /// What is to be saved of `plan`.
    pub fn new(plan: &Plan, binding: Binding<'_>, created: String) -> Self {
        let saved = Self {
            format: FORMAT.into(),
            version: VERSION,
            created,
            organization: plan.organization.id.clone(),
            host: binding.host.to_owned(),
            files: binding.files.to_owned(),
            only: plan.only.iter().map(ToString::to_string).collect(),
            operations: plan.changes.iter().map(Operation::new).collect(),
            checksum: String::new(),
        };
        Self { checksum: saved.checksum(), ..saved }
    }

    /// The text of the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self)
            .unwrap_or_else(|error| unreachable!("structs of texts serialize: {error}"))
            + "\n"
    }

    /// What a file holds.
    ///
    /// # Errors
    /// It is no saved plan, of a newer version, or not as it was written.
    pub fn parse(json: &str) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let damaged = |why: &str| {
            Problem::new(SavedPlanCode::Damaged, format!("this is no saved plan: {why}"))
                .help("make a new one with `rolecall plan -o FILE`")
        };
        let head: Head = serde_json::from_str(json).map_err(|error| damaged(&error.to_string()))?;
        if head.format != FORMAT {
            return Err(damaged("it is another kind of file"));
        }
        if head.version != VERSION {
            return Err(Problem::new(
                SavedPlanCode::OtherVersion,
                format!("this plan has version {}, and this rolecall reads {VERSION}", head.version),
            )
            .help("plan and apply with the same version of rolecall"));
        }
        let saved: Self = serde_json::from_str(json).map_err(|error| damaged(&error.to_string()))?;
        if saved.checksum != saved.checksum() {
            return Err(damaged("it is not as it was written (its checksum differs)"));
        }
        Ok(saved)
    }

    /// The people it is limited to.
    pub fn only(&self) -> &[String] {
        &self.only
    }

    /// Whether it was made of the files with this digest.
    ///
    /// # Errors
    /// It was made of others.
    pub fn is_of(&self, files: &str) -> Result<(), Problem> {
        if self.files == files {
            return Ok(());
        }
        Err(Problem::new(SavedPlanCode::FilesChanged, "the files are not those that this plan was made of")
            .help("nothing was changed; plan anew from the files as they are now"))
    }

    /// Whether `fresh` may be carried out in place of what was reviewed; how many operations have come into step. `roles` has the
    /// names for an error.
    ///
    /// # Errors
    /// It is bound to something else, or `fresh` holds an operation that is new or altered.
    pub fn admits(&self, fresh: &Plan, binding: Binding<'_>, roles: &RoleCatalog) -> Result<usize, Problem> {
        let foreign = |what: &str, saved: &str, now: &str| {
            let (saved, now) = (Printable::cut(saved, 80), Printable::cut(now, 80));
            Err(Problem::new(
                SavedPlanCode::Foreign,
                format!("this plan is for the {what} {saved}, not for {now}"),
            )
            .help("nothing was changed; plan anew"))
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

    /// How many of the operations somebody else has brought about. Whoever is no longer there is not one of them.
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

/// Each operation that was not reviewed, with the one that was, if that person had one.
fn stale(new: &[(Option<&Operation>, Operation)], roles: &RoleCatalog) -> Problem {
    let mut named: Vec<String> =
        new.iter().take(NAMED).map(|(reviewed, now)| altered(*reviewed, now, roles)).collect();
    let more = new.len().saturating_sub(NAMED);
    named.extend((more > 0).then(|| format!("{more} more people")));
    Problem::new(SavedPlanCode::Stale, format!("what would be done now is not what was reviewed: {}", named.join("; ")))
        .help("Pylon has changed since the plan, or a window has begun or ended; nothing was changed; plan and review anew")
}

/// `bo@acme.example (reviewed role Member → Admin, now role Viewer → Admin)`
fn altered(reviewed: Option<&Operation>, now: &Operation, roles: &RoleCatalog) -> String {
    let email = Printable::new(&now.email);
    let now = now.steps(roles);
    match reviewed {
        Some(reviewed) => format!("{email} (reviewed {}, now {now})", reviewed.steps(roles)),
        None => format!("{email} (not reviewed, now {now})"),
    }
}

impl Operation {
    /// `role Member → Admin and status away → active`
    fn steps(&self, roles: &RoleCatalog) -> String {
        let mut steps = Vec::new();
        for Step { field, from, to } in &self.edits {
            let label = |value: &String| {
                let label = roles.value_label(*field, &value.as_str().into());
                Printable::cut(&label, LONGEST_VALUE).to_string()
            };
            let from: Vec<String> = from.iter().map(label).collect();
            let from = if from.is_empty() { "(none)".to_owned() } else { from.join(", ") };
            steps.push(format!("{field} {from} → {}", label(to)));
        }
        steps.join(" and ")
    }

    /// What `change` does to whom.
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
