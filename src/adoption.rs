//! Updates the files to match Pylon by changing values and adding entries, without touching any other lines.
//!
//! This module is pure: it maps text to text. It never writes a value set by a window, since such values are temporary. It also
//! skips values that can't be expressed in a file: a missing role, several roles at once, or a status that only Pylon can set.
//! All skipped values are listed in [`Adoption::not_written`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::desired::{DesiredPerson, DesiredState, Origin};
use crate::layout::{self, PersonValues, Refused, edited};
use crate::observed::{ObservedState, Person, RoleCatalog};
use crate::plan::{Change, Edit, Subject};
use crate::roster::role_rules::is_same_text;
use crate::roster::{Email, Field, FieldValue, PerField, RoleRule, Roster, Stance, Window};
use crate::source::{FileId, Place, Sourced, Sources};

/// The files updated to match Pylon, along with the values that couldn't be written to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adoption {
    /// The new text of each file to change, in the order the files were read.
    pub files: BTreeMap<FileId, String>,
    /// The declared addresses of the people whose values change in the files.
    pub people: BTreeSet<Email>,
    /// The number of people added to the files.
    pub added: usize,
    pub not_written: Vec<NotWritten>,
}

/// A value or person left out of the updated files, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotWritten {
    pub email: Sourced<Email>,
    /// The field that couldn't be written, or `None` if the reason applies to the person's whole entry.
    pub field: Option<Field>,
    pub why: NotWrittenReason,
}

/// The reason a value or person was left out of the updated files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotWrittenReason {
    /// The desired value comes from a window. Contains the end of the window, or `None` if the window has no end.
    Window(Option<String>),
    /// The desired value is the `then` of a window that has ended.
    AfterWindow,
    /// Pylon still has the value set by a window that has ended. Contains the end of that window.
    EndedWindow(String),
    /// Pylon has no value, several values, or a value that can't be expressed in a file. Contains Pylon's values.
    Undeclarable(Vec<FieldValue>),
    /// The address is invalid, or it has non-ASCII characters and the files don't set `allow_unicode_emails`.
    Address,
    /// A rule doesn't allow the role. Contains a summary of the rule.
    Rule(String),
    /// The address can't be declared in any file, even with `allow_unicode_emails`.
    UndeclarableAddress,
    /// Several people in Pylon share this address.
    SharedAddress,
    /// The address looks the same as another address, so the files can't declare both. Contains the other address.
    LookAlike(Email),
    /// The file can't be edited automatically because of the way it's written. Contains the details.
    Refused(Refused),
}

/// The values to declare for each field of a person, or the reason to leave the field as it is.
type WantedValues<'c> = Vec<(Field, Result<&'c [FieldValue], NotWrittenReason>)>;

impl Adoption {
    /// Edits the files to declare Pylon's current values, instead of applying `changes` to Pylon.
    pub fn of_changes<'c>(
        changes: impl Iterator<Item = &'c Change>,
        roster: &Roster,
        roles: &RoleCatalog,
        now: Timestamp,
    ) -> Self {
        let people = changes.map(|Change { subject, edits }| {
            let email = &subject.email;
            let wanted = edits.iter().map(|edit| {
                let Edit { field, from, to: _, through_scim: _, place: _, origin } = edit;
                let ended = || ended_window(&email.value, *field, from, roster, roles, now);
                let why = temporary(origin).or_else(|| ended().map(NotWrittenReason::EndedWindow));
                (*field, why.map_or(Ok(from.as_slice()), Err))
            });
            (subject, email, wanted.collect())
        });
        Self::declaring(people, roster, roles)
    }

    /// Edits the files to declare the values restored by a rollback, unless the files already declare the same values, or the
    /// policy doesn't enforce the field.
    pub fn of_rollback(
        changes: &[Change],
        desired: &DesiredState,
        roster: &Roster,
        observed: &ObservedState,
    ) -> Self {
        let roles = &observed.roles;
        let people = changes.iter().filter_map(|Change { subject, edits }| {
            let declared = subject.addresses().find_map(|email| find(desired, email))?;
            let wanted = edits.iter().filter_map(|edit| {
                let Edit { field, from: _, to, through_scim: _, place: _, origin: _ } = edit;
                let is_enforced = roster.policy.fields[*field] == Stance::Enforce;
                let desired = declared.likely_value(*field).filter(|_| is_enforced)?;
                let is_declared = roles.value_meant(*field, &desired.value.value).as_ref() == Some(to);
                let value = temporary(&desired.origin).map_or(Ok(std::slice::from_ref(to)), Err);
                (!is_declared).then_some((*field, value))
            });
            Some((subject, &declared.email, wanted.collect()))
        });
        Self::declaring(people, roster, roles)
    }

    /// Edits the files to declare the given values of each person, who is declared under the given address.
    fn declaring<'c>(
        people: impl Iterator<Item = (&'c Subject, &'c Sourced<Email>, WantedValues<'c>)>,
        roster: &Roster,
        roles: &RoleCatalog,
    ) -> Self {
        let mut adoption = Self::default();
        let mut edits = Vec::new();
        for (subject, email, wanted) in people {
            let addresses: Vec<&Email> = subject.addresses().collect();
            let mut values = PerField::default();
            for (field, value) in wanted {
                let value = value
                    .and_then(|value| declarable(field, value, roles))
                    .and_then(|value| obeying(field, value, &email.value, &addresses, roster, roles));
                match value {
                    Ok(value) => values[field] = Some(value),
                    Err(why) => {
                        let field = Some(field);
                        adoption.not_written.push(NotWritten { email: email.clone(), field, why });
                    }
                }
            }
            if !values.is_none() {
                let values = PersonValues { email: email.value.clone(), values };
                edits.push((email.clone(), layout::PersonEdit::Change(values)));
            }
        }
        adoption.write(edits, &roster.sources);
        adoption
    }

    /// Adds entries for `people` to `file`, on top of any earlier edits in this [`Adoption`].
    pub fn add(
        &mut self,
        people: &[&Person],
        file: FileId,
        roster: &Roster,
        roles: &RoleCatalog,
        wanted: PerField<bool>,
    ) {
        let default = roster.people.iter().find_map(|person| {
            let role = person.values.role.as_ref()?;
            (role.from_defaults && role.value.place.file == file).then(|| role.value.value.clone())
        });
        let addresses: Vec<&Email> = people.iter().map(|person| &person.email).collect();
        let look_alikes = roster.look_alikes(&addresses);
        let mut edits = Vec::new();
        for person in people {
            let email = Sourced::new(person.email.clone(), Place::new(file, 0..0));
            let mut omitted = Vec::new();
            let values = match look_alikes.get(&person.email) {
                Some(other) => Err((None, NotWrittenReason::LookAlike(other.clone()))),
                None => newcomer(person, default.as_ref(), roster, roles, wanted, &mut omitted),
            };
            let mut leave_out =
                |field, why| self.not_written.push(NotWritten { email: email.clone(), field, why });
            match values {
                Ok(values) => {
                    omitted.into_iter().for_each(|(field, why)| leave_out(Some(field), why));
                    let new = PersonValues { email: person.email.clone(), values };
                    edits.push((email, layout::PersonEdit::Add(new)));
                }
                Err((field, why)) => leave_out(field, why),
            }
        }
        self.write(edits, &roster.sources);
    }

    /// Returns the number of declared people whose entries differ from the values to write, including people whose entries
    /// couldn't be edited.
    pub fn declared_otherwise(&self) -> usize {
        let others = self.not_written.iter().map(|value| &value.email.value);
        self.people.iter().chain(others).collect::<BTreeSet<_>>().len()
    }

    /// Applies the edits, file by file. An entry that can't be edited is added to `not_written` and doesn't affect the other
    /// edits.
    fn write(&mut self, edits: Vec<(Sourced<Email>, layout::PersonEdit)>, sources: &Sources) {
        let mut by_file: BTreeMap<FileId, Vec<(Sourced<Email>, layout::PersonEdit)>> = BTreeMap::new();
        for (email, edit) in edits {
            by_file.entry(email.place.file).or_default().push((email, edit));
        }
        for (file, edits) in by_file {
            let original = sources.text(file);
            let text = self.files.get(&file).map_or(original, String::as_str).to_owned();
            let text = self.edit_what_is_possible(text, edits);
            if text != original || self.files.contains_key(&file) {
                self.files.insert(file, text);
            }
        }
    }

    /// Makes the `edits` that are possible in `text`, counts them, and returns the edited text. Adds the others to
    /// `not_written`.
    fn edit_what_is_possible(
        &mut self,
        text: String,
        mut edits: Vec<(Sourced<Email>, layout::PersonEdit)>,
    ) -> String {
        // The loop ends because each failed attempt removes at least one edit.
        while !edits.is_empty() {
            let all: Vec<layout::PersonEdit> = edits.iter().map(|(_, edit)| edit.clone()).collect();
            let refused = match edited(&text, &all) {
                Ok(text) => {
                    all.into_iter().for_each(|edit| self.count(edit));
                    return text;
                }
                Err(refused) => refused,
            };
            let of_all = refused.iter().find(|refused| refused.email().is_none());
            let by_email: HashMap<&Email, &Refused> =
                refused.iter().filter_map(|refused| Some((refused.email()?, refused))).collect();
            let mut possible = Vec::new();
            for (email, edit) in edits {
                match by_email.get(&email.value).copied().or(of_all) {
                    Some(why) => {
                        let why = NotWrittenReason::Refused(why.clone());
                        self.not_written.push(NotWritten { email, field: None, why });
                    }
                    None => possible.push((email, edit)),
                }
            }
            edits = possible;
        }
        text
    }

    fn count(&mut self, made: layout::PersonEdit) {
        match made {
            layout::PersonEdit::Change(values) => {
                self.people.insert(values.email);
            }
            layout::PersonEdit::Add(_) => self.added += 1,
        }
    }
}

/// Returns the values to declare for a new person. A role is mandatory. Any other wanted value that can't be expressed in a file
/// is added to `omitted`.
///
/// # Errors
/// Returns an error if the person's role can't be expressed in a file.
pub fn declarable_values(
    person: &Person,
    wanted: PerField<bool>,
    roles: &RoleCatalog,
    omitted: &mut Vec<(Field, NotWrittenReason)>,
) -> Result<PerField<Option<FieldValue>>, (Field, NotWrittenReason)> {
    let mut values = PerField::default();
    for (field, wanted) in wanted.iter() {
        let known = &person.held[field].assigned;
        match declarable(field, known, roles) {
            Ok(value) => values[field] = wanted.then_some(value),
            Err(why) if field == Field::Role => return Err((field, why)),
            // If Pylon has no value for this field, nothing is omitted.
            Err(why) => omitted.extend((*wanted && !known.is_empty()).then_some((field, why))),
        }
    }
    Ok(values)
}

/// Returns Pylon's value for a field as spelled in files.
///
/// # Errors
/// Returns an error unless Pylon has exactly one value and files can declare that value.
fn declarable(
    field: Field,
    values: &[FieldValue],
    roles: &RoleCatalog,
) -> Result<FieldValue, NotWrittenReason> {
    let written = if let [only] = values { roles.value_written(field, only) } else { None };
    written.ok_or_else(|| NotWrittenReason::Undeclarable(values.to_vec()))
}

/// Returns the values to declare for a new person. `default` is the role in the file's `[defaults]`.
///
/// # Errors
/// Returns the field and the reason if the person can't be declared.
fn newcomer(
    person: &Person,
    default: Option<&FieldValue>,
    roster: &Roster,
    roles: &RoleCatalog,
    wanted: PerField<bool>,
    omitted: &mut Vec<(Field, NotWrittenReason)>,
) -> Result<PerField<Option<FieldValue>>, (Option<Field>, NotWrittenReason)> {
    if Email::declared(person.email.as_str(), roster.allow_unicode_emails).is_err() {
        return Err((None, NotWrittenReason::Address));
    }
    let mut values =
        declarable_values(person, wanted, roles, omitted).map_err(|(field, why)| (Some(field), why))?;
    // The rules must also allow the default role.
    if let Some(role) = values.role.take().or_else(|| default.cloned()) {
        let addresses: Vec<&Email> = person.addresses().collect();
        let role = obeying(Field::Role, role, &person.email, &addresses, roster, roles)
            .map_err(|why| (Some(Field::Role), why))?;
        values.role = Some(role).filter(|role| default != Some(role));
    }
    Ok(values)
}

/// Returns the value, spelled so that the person's role rules allow it both offline and in `plan`. Offline, rules apply only to
/// the declared address, and roles are compared as text. In `plan`, rules apply to all of the person's addresses, and role IDs
/// are compared.
///
/// # Errors
/// Returns an error if a rule doesn't allow the role.
fn obeying(
    field: Field,
    value: FieldValue,
    declared: &Email,
    addresses: &[&Email],
    roster: &Roster,
    roles: &RoleCatalog,
) -> Result<FieldValue, NotWrittenReason> {
    if !field.facts().names_role {
        return Ok(value);
    }
    let applies =
        |rule: &&RoleRule| rule.applies_to([declared]) || rule.applies_to(addresses.iter().copied());
    let rules: Vec<&RoleRule> = roster.guardrails.role_rules.iter().filter(applies).collect();
    let meant = roles.value_meant(field, &value);
    let is_meant = |role: &FieldValue| meant.is_some() && roles.value_meant(field, role) == meant;
    let forbidding = |written: &FieldValue| {
        rules.iter().find(|rule| {
            let mut allowed = rule.roles.iter().map(|role| &role.value);
            !allowed.clone().any(is_meant) || !allowed.any(|role| is_same_text(role, written))
        })
    };
    let Some(rule) = forbidding(&value) else { return Ok(value) };
    let mut spellings = rules.iter().flat_map(|rule| &rule.roles).map(|role| &role.value);
    let spelling = spellings.find(|role| is_meant(role) && forbidding(role).is_none());
    spelling.cloned().ok_or_else(|| NotWrittenReason::Rule(rule.summary()))
}

fn find<'d>(desired: &'d DesiredState, email: &Email) -> Option<&'d DesiredPerson> {
    let found = desired.people.binary_search_by(|person| person.email.value.cmp(email)).ok()?;
    desired.people.get(found)
}

/// If the value still in Pylon was set by a window that has ended, returns the end of that window. Declaring such a value in
/// the person's entry would make it permanent.
fn ended_window(
    declared: &Email,
    field: Field,
    from: &[FieldValue],
    roster: &Roster,
    roles: &RoleCatalog,
    now: Timestamp,
) -> Option<String> {
    let windows = roster.person(declared)?.windows.iter().rev();
    let is_set_by = |window: &&Window| {
        let set = window.sets[field].as_ref().and_then(|value| roles.value_meant(field, &value.value));
        set.is_some_and(|value| from == [value])
    };
    let mut ends = windows.filter(is_set_by).filter_map(|window| window.until.as_ref());
    ends.find(|until| until.value.at <= now).map(|until| until.value.written.clone())
}

/// Returns the reason not to write a value that applies only temporarily, or `None` for any other value.
fn temporary(origin: &Origin) -> Option<NotWrittenReason> {
    match origin {
        Origin::Window { until, reason: _ } => {
            Some(NotWrittenReason::Window(until.as_ref().map(|until| until.written.clone())))
        }
        Origin::After { .. } => Some(NotWrittenReason::AfterWindow),
        Origin::Person | Origin::Defaults | Origin::Rollback => None,
    }
}
