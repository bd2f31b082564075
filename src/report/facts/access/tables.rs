//! Lays out an access review as tables: narrow ones for a terminal, and wide ones with all details.

use super::{
    AccessChanges, AccessLine, AccessReport, AccessState, AccessSummary, AccountChange, AppliedRule,
    DeclaredRole, FilesLine, Held, HeldRole, IntegrationLine, NotFoundLine,
};
use crate::clock::minute;
use crate::desired::Origin;
use crate::printable::Printable;
use crate::report::facts::explanation::SinceLine;
use crate::report::facts::plan::{BlameLine, EditLine};
use crate::report::tables::{LONGEST_CELL, Mark, Row, Table, TableReport, cell, joined};
use crate::report::words::{self, full_address};
use crate::source::Location;

/// In a terminal, the name of the person who set a role is truncated to this many characters.
const LONGEST_ACTOR: usize = 16;
/// The maximum length of a rule in a note, in characters.
const LONGEST_RULE: usize = 240;
/// The content of a cell without values.
const NONE: &str = "-";
const WIDE: [&str; 6] = ["address", "name", "role", "set", "declared", "state"];

/// The amount of detail in a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// For terminals, where most lines must fit in 80 characters. There's no state column, because the sign and the notes of a
    /// row show its state. Columns that would be the same for everyone are omitted too.
    Narrow {
        is_annotated: bool,
        has_files: bool,
        shows_held: bool,
        shows_set: bool,
    },
    Wide,
}

impl AccessReport {
    /// Returns the tables for a terminal.
    pub fn tables(&self) -> TableReport {
        self.in_layout(self.narrow(false))
    }

    /// Returns the tables for GitHub annotations, which need the locations of the declarations.
    pub fn annotated_tables(&self) -> TableReport {
        self.in_layout(self.narrow(true))
    }

    /// Returns the tables with additional columns, for formats with enough space.
    pub fn wide_tables(&self) -> TableReport {
        self.in_layout(Layout::Wide)
    }

    /// Returns the narrow layout, optionally with the locations of declarations.
    fn narrow(&self, is_annotated: bool) -> Layout {
        let is_assigned = |role: &HeldRole| role.held == Held::Assigned;
        Layout::Narrow {
            is_annotated,
            has_files: self.files.is_some(),
            shows_held: !self.people.iter().flat_map(|line| &line.roles).all(is_assigned),
            shows_set: self.people.iter().any(|line| line.role_set.is_some()),
        }
    }

    fn in_layout(&self, layout: Layout) -> TableReport {
        let AccessSummary { unmanaged, not_in_sync, against_rule, not_found, .. } = self.summary;
        let has_other_roles = self.people.iter().any(|line| line.beyond_declared().next().is_some());
        let differs = unmanaged + not_in_sync + against_rule + not_found > 0 || has_other_roles;
        let needs_review = differs || !self.unread.is_empty();
        let mut about = vec![words::organization(&self.organization)];
        about.extend(self.files.as_ref().and_then(FilesLine::version));
        about.push(Printable::new(&format!("read at {}", minute(self.read_at))));
        TableReport {
            about,
            verdict: self.verdict(),
            mark: if needs_review { Mark::Attention } else { Mark::Good },
            tables: self.sections(layout),
        }
    }

    /// Returns one table of people per level of privilege, the tables of integration users and of declared people not found in
    /// Pylon, and, with `--since`, the table of changes.
    fn sections(&self, layout: Layout) -> Vec<Table> {
        let columns = layout.columns();
        let people = |title, belongs: fn(&AccessLine) -> bool| {
            let lines = self.people.iter().filter(|line| belongs(line));
            Table::new(Some(title), &columns, lines.map(|line| line.row(layout, self.files.is_some())))
        };
        let integration =
            |IntegrationLine { id, name }: &IntegrationLine| Row::new(Mark::Plain, [cell(name), cell(id)]);
        let mut tables = vec![
            people("Admin and other guarded roles", |line| !line.deactivated && line.is_privileged()),
            people("Other roles", |line| {
                !line.deactivated && !line.is_privileged() && !line.roles.is_empty()
            }),
            people("No role", |line| !line.deactivated && line.roles.is_empty()),
            people("Deactivated", |line| line.deactivated),
            Table::new(
                Some("Integration users, which cannot sign in"),
                &["name", "user ID"],
                self.integration_users.iter().map(integration),
            ),
            Table::new(
                Some("Declared, but not found in Pylon"),
                &["address", "declared"],
                self.not_found.iter().map(NotFoundLine::row),
            ),
        ];
        // In a terminal, users look at the end of the output first.
        let at = if layout == Layout::Wide { 0 } else { tables.len() };
        tables.splice(at..at, self.since.as_ref().map(AccessChanges::table));
        tables
    }

    /// Summarizes the review in several lines. The first line counts the people in each category. The others count the accounts
    /// that changed since the review given with `--since`, give the digest of the files, and list the sources that couldn't be
    /// read.
    fn verdict(&self) -> String {
        let AccessSummary {
            active,
            admins,
            unmanaged,
            not_in_sync,
            observed,
            ignored,
            against_rule,
            deactivated,
            integration_users,
            not_found,
        } = self.summary;
        let mut parts = vec![
            words::count(active, "active person", "active people"),
            words::count(admins, "Admin", "Admins"),
            format!("{unmanaged} unmanaged"),
            format!("{not_in_sync} not in sync"),
            words::count(integration_users, "integration user", "integration users"),
        ];
        for (number, what) in [
            (against_rule, "against a rule"),
            (observed, "observed"),
            (ignored, "ignored by policy"),
            (deactivated, "deactivated"),
            (not_found, "declared, but not found in Pylon"),
        ] {
            parts.extend((number > 0).then(|| format!("{number} {what}")));
        }
        let mut lines = vec![parts.join(" · ")];
        lines.extend(self.since.as_ref().map(AccessChanges::sentence));
        match &self.files {
            None => lines.push("There are no files, so everyone is unmanaged.".into()),
            Some(files) => {
                let number = words::count(files.list.len(), "file", "files");
                lines.push(format!("{number}, SHA-256 {}", files.sha256));
            }
        }
        lines.extend(self.unread.iter().map(|why| format!("Not read: {why}")));
        lines.join("\n")
    }
}

impl Layout {
    fn columns(self) -> Vec<&'static str> {
        let Self::Narrow { shows_held, shows_set, .. } = self else { return WIDE.to_vec() };
        let mut columns = vec!["address", "role"];
        columns.extend(shows_held.then_some("held"));
        columns.extend(shows_set.then_some(["since", "set by"]).into_iter().flatten());
        columns
    }
}

impl AccessChanges {
    fn table(&self) -> Table {
        let rows = self.accounts.iter().map(AccountChange::row);
        Table::new(Some("Changes since the earlier review"), &["account", "change"], rows)
    }

    fn sentence(&self) -> String {
        let Self { read_at, file, accounts } = self;
        let number = match accounts.len() {
            0 => "nothing changed".into(),
            some => words::count(some, "account changed", "accounts changed"),
        };
        format!("Since {} ({}): {number}", minute(*read_at), cell(file))
    }
}

impl AccountChange {
    fn row(&self) -> Row {
        let mark = if self.gained_guarded { Mark::Attention } else { Mark::Plain };
        // Integration users don't have an address.
        let who = self.email.as_ref().unwrap_or(&self.name);
        Row::new(mark, [cell(who), joined(self.words(cell), NONE)])
    }
}

impl FilesLine {
    fn version(&self) -> Option<Printable> {
        let commit = self.commit.as_ref()?.get(..12)?;
        let modified = if self.modified == Some(true) { ", modified" } else { "" };
        Some(Printable::new(&format!("commit {commit}{modified}")))
    }
}

impl AccessLine {
    fn row(&self, layout: Layout, has_files: bool) -> Row {
        let mark = match self.state {
            _ if self.is_against_rule() || self.beyond_declared().next().is_some() => Mark::Attention,
            AccessState::InSync if !self.is_role_left_alone() => Mark::Good,
            // Without files, everyone is unmanaged.
            AccessState::Unmanaged if !has_files => Mark::Plain,
            AccessState::NotInSync | AccessState::Unmanaged => Mark::Attention,
            AccessState::InSync | AccessState::Observed | AccessState::Ignored | AccessState::Deactivated => {
                Mark::Plain
            }
        };
        let mut row = Row::new(mark, self.cells(layout));
        if layout == Layout::Wide || matches!(layout, Layout::Narrow { is_annotated: true, .. }) {
            let declared = self.declared.as_ref().map(|declared| &declared.location);
            row.location = self.declared_role.as_ref().map(|role| &role.location).or(declared).cloned();
        }
        row.notes = self.notes(layout, row.location.as_ref());
        row
    }

    fn cells(&self, layout: Layout) -> Vec<Printable> {
        let set = self.role_set.as_ref().map(|set| (set.at.strftime("%Y-%m-%d").to_string(), actor(set)));
        let Layout::Narrow { shows_held, shows_set, .. } = layout else {
            let declared =
                self.declared_role.as_ref().map_or_else(|| Printable::new(NONE), DeclaredRole::cell);
            let by_api = if self.is_set_by_api() { " through the API" } else { "" };
            let set =
                set.map_or_else(|| NONE.to_owned(), |(day, by)| format!("{day} by {}{by_api}", cell(&by)));
            let roles = joined(self.roles.iter().map(HeldRole::cell), NONE);
            let state = Printable::new(self.state.as_str());
            return vec![
                full_address(&self.email),
                cell(&self.name),
                roles,
                Printable::new(&set),
                declared,
                state,
            ];
        };
        let role = match self.roles.as_slice() {
            [] => Printable::new(NONE),
            [role] => cell(&role.name),
            [role, others @ ..] => Printable::new(&format!("{} +{}", cell(&role.name), others.len())),
        };
        let mut cells = vec![full_address(&self.email), role];
        cells.extend(shows_held.then(|| Printable::new(self.held())));
        if shows_set {
            let (day, by) = set.unwrap_or_else(|| (NONE.into(), Printable::new(NONE)));
            let by = by.short(LONGEST_ACTOR);
            let by = if self.is_set_by_api() { Printable::new(&format!("{by} (API)")) } else { by };
            cells.extend([Printable::new(&day), by]);
        }
        cells
    }

    /// Returns `true` if the role was set through the API. The audit log then names the token's creator, even if an integration
    /// such as rolecall made the change.
    fn is_set_by_api(&self) -> bool {
        let source = self.role_set.as_ref().and_then(|set| set.source.as_ref());
        source.is_some_and(|source| source.raw() == "api")
    }

    /// Returns the commit of the line that declares the role, or of the line that declares the person if no role is declared.
    fn since(&self) -> Option<&SinceLine> {
        match (&self.declared_role, &self.declared) {
            (Some(role), _) => role.since.as_ref(),
            (None, declared) => declared.as_ref()?.since.as_ref(),
        }
    }

    /// Summarizes how the person holds their roles: `assigned`, `SCIM group`, or `several` for a mix of both.
    fn held(&self) -> &'static str {
        match self.roles.as_slice() {
            [] => "-",
            [HeldRole { held, .. }, others @ ..] if others.iter().all(|other| other.held == *held) => {
                held.as_str()
            }
            _ => "several",
        }
    }

    /// Returns pending changes and other remarks about the person. Notes omit `shown`, the location that the row already shows.
    fn notes(&self, layout: Layout, shown: Option<&Location>) -> Vec<String> {
        let mut notes = Vec::new();
        if let Layout::Narrow { has_files, .. } = layout {
            let roles = || joined(self.roles.iter().map(HeldRole::cell), NONE);
            notes.extend((self.roles.len() > 1).then(|| roles().to_string()));
            let is_unmanaged = self.state == AccessState::Unmanaged && has_files;
            notes.extend(is_unmanaged.then(|| "unmanaged".to_owned()));
            let is_temporary = |role: &&DeclaredRole| matches!(role.origin, Origin::Window { .. });
            let temporary = self.declared_role.as_ref().filter(is_temporary);
            notes.extend(temporary.map(|role| format!("declared role: {}", role.cell())));
        }
        notes.extend(self.pending.iter().map(|edit| edit_note(edit, "", shown)));
        notes.extend(self.observed.iter().map(|edit| edit_note(edit, " (observed)", shown)));
        notes.extend(self.ignored.iter().map(|edit| edit_note(edit, " (ignored by policy)", shown)));
        let from_scim = self.beyond_declared().filter(|role| role.held == Held::Scim);
        let others = from_scim.map(|role| cell(&role.name));
        notes
            .extend(others.map(|role| format!("a SCIM group grants {role}, which the files do not declare")));
        for AppliedRule { rule, location, violated: _ } in self.rules.iter().filter(|rule| rule.violated) {
            let rule = rule.short(LONGEST_RULE);
            notes.push(format!("a rule does not allow this role ({rule}; see {location})"));
        }
        notes.extend(self.is_role_left_alone().then(|| "the files do not declare a role".to_owned()));
        if self.role_set.as_ref().is_some_and(|set| set.outdated) {
            notes.push("the role has changed since then, but that change is not in the audit log".into());
        }
        if layout == Layout::Wide {
            let status = if self.status.is_empty() { Printable::new("(none)") } else { cell(&self.status) };
            notes.push(format!("ID {}, status {status}", cell(&self.id)));
            notes.extend(self.since().map(SinceLine::sentence));
            let others = joined(self.other_emails.iter().map(full_address), NONE);
            notes.extend((!self.other_emails.is_empty()).then(|| format!("also {others}")));
            notes.extend(
                self.protected.then(|| {
                    "protected: rolecall changes this person only with an acknowledgment".to_owned()
                }),
            );
            notes.extend(self.owns_token.then(|| "owns the token of this run".to_owned()));
        }
        notes
    }
}

impl HeldRole {
    fn cell(&self) -> Printable {
        let name = cell(&self.name);
        match self.held {
            Held::Assigned => name,
            Held::Scim => Printable::new(&format!("{name} ({})", self.held.as_str())),
        }
    }
}

impl DeclaredRole {
    fn cell(&self) -> Printable {
        let value = cell(&self.value);
        match words::origin(&self.origin) {
            origin if origin.is_empty() => value,
            origin => Printable::new(&format!("{value}, {origin}")),
        }
    }
}

impl NotFoundLine {
    fn row(&self) -> Row {
        let Self { declared, declared_role, did_you_mean } = self;
        let role = declared_role.as_ref().map_or_else(|| Printable::new(NONE), DeclaredRole::cell);
        let near = did_you_mean.as_ref();
        Row::new(Mark::Attention, [full_address(&declared.email), role])
            .at(declared.location.clone())
            .notes(near.map(|near| format!("did you mean {}?", full_address(near))))
    }
}

/// Returns who set a role: the first known of the name, email address, ID, and source. The source `api` counts as unknown.
fn actor(set: &BlameLine) -> Printable {
    let known = [&set.actor_name, &set.actor_email, &set.actor_id, &set.source];
    let known = known.into_iter().flatten().find(|text| !text.is_empty() && text.raw() != "api");
    known.cloned().unwrap_or_else(|| Printable::new("unknown"))
}

fn edit_note(edit: &EditLine, remark: &str, shown: Option<&Location>) -> String {
    let change = edit.change(LONGEST_CELL);
    let line = |at: &Location| (at.file.clone(), at.line);
    let is_shown = shown.is_some_and(|shown| line(shown) == line(&edit.location));
    let at = if is_shown { String::new() } else { format!(", {}", edit.location) };
    format!("{} {change}{remark}{at}", edit.field)
}
