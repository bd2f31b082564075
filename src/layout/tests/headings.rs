//! Headings of groups stay where they are: above the same people, and in the same order.

use super::{becomes, stays};

#[test]
fn a_heading_stays_above_its_group_and_an_entry_in_a_comment_goes_along_with_its_person() {
    becomes(
        r#"[users]
# Leads
"zed@acme.example" = {}
"amy@acme.example" = {}
# "old@acme.example" = {}
"bob@acme.example" = {}
"#,
        r#"[users]
# Leads
"amy@acme.example" = {}
# "old@acme.example" = {}
"bob@acme.example" = {}
"zed@acme.example" = {}
"#,
    );
}

#[test]
fn a_heading_in_the_middle_of_a_group_ends_it() {
    becomes(
        r#"[users]
# Support EMEA
"mo@acme.example" = {}
"lu@acme.example" = {}
# kim is on leave until May
"kim@acme.example" = {}

# Support AMER
"zed@acme.example" = {}
"amy@acme.example" = {}
"#,
        r#"[users]
# Support EMEA
"lu@acme.example" = {}
"mo@acme.example" = {}
# kim is on leave until May
"kim@acme.example" = {}

# Support AMER
"amy@acme.example" = {}
"zed@acme.example" = {}
"#,
    );
}

const TIERS: &str = r#"#:schema ./users.schema.json
# Header of the file

# General settings
timezone = "Europe/Berlin" # tz
# timezone = "UTC"

[defaults]
role = "Member"
# status = "active"

# People of tier 1
[users]
"zoe@acme.example" = {} # last by letter
# left 2026-03: "yan@acme.example" = {}
"ana@acme.example" = { role = "Admin" }
# "bob@acme.example" = { role = "Admin" }   # disabled until SEC-12
"cy@acme.example" = {}
# TODO(lead): add the new people here

# --- tier 2 ---
"mo@acme.example" = {}
"lu@acme.example" = {}
  # indented comment for kim
"kim@acme.example" = {}
# trailing comment of tier 2

# commented section
# [guardrails]
# max_changes = 5
"#;

const TIERS_SORTED: &str = r#"#:schema ./users.schema.json
# Header of the file

# General settings
timezone = "Europe/Berlin" # tz
# timezone = "UTC"

[defaults]
role = "Member"
# status = "active"

# People of tier 1
[users]
# left 2026-03: "yan@acme.example" = {}
"ana@acme.example" = { role = "Admin" }
# "bob@acme.example" = { role = "Admin" }   # disabled until SEC-12
"cy@acme.example" = {}
"zoe@acme.example" = {} # last by letter
# TODO(lead): add the new people here

# --- tier 2 ---
"lu@acme.example" = {}
"mo@acme.example" = {}
# indented comment for kim
"kim@acme.example" = {}
# trailing comment of tier 2

# commented section
# [guardrails]
# max_changes = 5
"#;

#[test]
fn every_comment_of_a_file_stays_with_its_group_whichever_way_lines_end() {
    becomes(TIERS, TIERS_SORTED);
    becomes(&TIERS.replace('\n', "\r\n"), &TIERS_SORTED.replace('\n', "\r\n"));
}

#[test]
fn groups_need_no_blank_lines_between_them() {
    becomes(
        r#"[users]
"z@x.co" = {}
"y@x.co" = {}
# Leads
"c@x.co" = {}
"b@x.co" = {}
# Support
# in three lines:
# EMEA only
"e@x.co" = {}
"d@x.co" = {}
# One
"a@x.co" = {}
"#,
        r#"[users]
"y@x.co" = {}
"z@x.co" = {}
# Leads
"b@x.co" = {}
"c@x.co" = {}
# Support
# in three lines:
# EMEA only
"d@x.co" = {}
"e@x.co" = {}
# One
"a@x.co" = {}
"#,
    );
}

#[test]
fn groups_of_one_person_keep_their_place() {
    stays("[users]\n# Zed is new.\n\"zed@x.co\" = {}\n# Ana knows why.\n\"ana@x.co\" = {}\n");
    stays("[users]\n\"zed@x.co\" = {}\n\n\"ana@x.co\" = {}\n# Leads\n\"al@x.co\" = {}\n");
}

#[test]
fn an_entry_in_a_comment_stays_above_its_person_or_at_the_end_of_its_group() {
    becomes(
        r#"[users]
# "first@x.co" = {}
"c@x.co" = {}
# "middle@x.co" = {}
# "middle2@x.co" = { role = "Admin" } # until May
"a@x.co" = {}
"b@x.co" = {}
# "last@x.co" = {}

# "alone@x.co" = {}

"e@x.co" = {}
"d@x.co" = {}
"#,
        r#"[users]
# "middle@x.co" = {}
# "middle2@x.co" = { role = "Admin" } # until May
"a@x.co" = {}
"b@x.co" = {}
# "first@x.co" = {}
"c@x.co" = {}
# "last@x.co" = {}

# "alone@x.co" = {}

"d@x.co" = {}
"e@x.co" = {}
"#,
    );
}

#[test]
fn a_comment_is_a_heading_unless_every_line_has_an_address() {
    for heading in
        ["# \"old@x.co\" = {}\n# Leads", "# Leads\n# \"old@x.co\" = {}", "# @acme/leads", "# Leads @ EMEA"]
    {
        becomes(
            &format!("[users]\n\"z@x.co\" = {{}}\n{heading}\n\"c@x.co\" = {{}}\n\"b@x.co\" = {{}}\n"),
            &format!("[users]\n\"z@x.co\" = {{}}\n{heading}\n\"b@x.co\" = {{}}\n\"c@x.co\" = {{}}\n"),
        );
    }
    becomes(
        "[users]\n\"z@x.co\" = {}\n# ask müller@x.co\n\"c@x.co\" = {}\n\"b@x.co\" = {}\n",
        "[users]\n\"b@x.co\" = {}\n# ask müller@x.co\n\"c@x.co\" = {}\n\"z@x.co\" = {}\n",
    );
}

#[test]
fn a_blank_line_keeps_a_heading_apart_from_a_comment_about_the_first_person() {
    becomes(
        r#"[users]
# Leads
"c@x.co" = {}
# a@x.co is on leave
"a@x.co" = {}
# Support
"d@x.co" = {}
# "old@x.co" = {}
"b@x.co" = {}
"#,
        r#"[users]
# Leads

# a@x.co is on leave
"a@x.co" = {}
"c@x.co" = {}

# Support

# "old@x.co" = {}
"b@x.co" = {}
"d@x.co" = {}
"#,
    );
}

#[test]
fn a_heading_above_dotted_keys_divides_a_person_and_moves_nothing() {
    stays("[users]\n\"b@x.co\".status = \"away\"\n# Leads\n\"a@x.co\" = {}\n\"b@x.co\".role = \"A\"\n");
}

const WINDOWS: &str = "windows = [\n  { until = 2027-01-03, role = \"B\" },\n]";

#[test]
fn a_person_with_windows_stays_a_line_if_a_table_would_be_below_another_heading() {
    becomes(
        r#"[users]
"ed@x.co" = { windows = [{ role = "B", until = 2027-01-03 }], role = "A" }      # lead
# on call
"bo@x.co".windows = [{ until = 2027-01-03, role = "B" }]
# "ex@x.co" = {}
"al@x.co" = { role = "A", windows = [{ until = 2027-01-03, role = "B" }] }
# "cy@x.co" = {}

"zed@x.co" = {}
"lu@x.co" = { windows = [{ until = 2027-01-03, role = "B" }] }
"#,
        &format!(
            r#"[users]
"ed@x.co" = {{ role = "A", {WINDOWS} }} # lead

# on call

# "ex@x.co" = {{}}
"al@x.co" = {{ role = "A", {WINDOWS} }}
"bo@x.co".{WINDOWS}
# "cy@x.co" = {{}}

"zed@x.co" = {{}}

[users."lu@x.co"]
{WINDOWS}
"#
        ),
    );
}

#[test]
fn headings_of_tables_keep_their_order_although_some_tables_could_be_lines() {
    becomes(
        &format!(
            r#"# People of Acme.

[users."zed@x.co"]
role = "Admin"

# The first shift

[users."yu@x.co"]
role = "Lead"

# The night shift

[users."dee@x.co"]
role = "Member"

[users."cy@x.co"]
{WINDOWS}

# The day shift

[users."moe@x.co"]
status = "away"

[users."lu@x.co"]
role = "Lead"
"#
        ),
        &format!(
            r#"# People of Acme.

[users]
"zed@x.co" = {{ role = "Admin" }}

# The first shift

"yu@x.co" = {{ role = "Lead" }}

# The night shift

[users."cy@x.co"]
{WINDOWS}

[users."dee@x.co"]
role = "Member"

# The day shift

[users."lu@x.co"]
role = "Lead"

[users."moe@x.co"]
status = "away"
"#
        ),
    );
}

#[test]
fn a_table_below_a_comment_stays_where_it_is() {
    let table = |comment: &str, address: &str| format!("\n{comment}[users.\"{address}@x.co\"]\n{WINDOWS}\n");
    let file = |tables: [(&str, &str); 6]| {
        let tables: String = tables.iter().map(|(comment, address)| table(comment, address)).collect();
        tables.trim_start().to_owned()
    };
    becomes(
        &file([
            ("", "zed"),
            ("", "yu"),
            ("# Leads\n# or only Moe\n", "moe"),
            ("# \"old@x.co\" = {}\n", "cy"),
            ("", "bo"),
            ("# Support\n", "al"),
        ]),
        &file([
            ("", "yu"),
            ("", "zed"),
            ("# Leads\n# or only Moe\n", "moe"),
            ("", "bo"),
            ("# \"old@x.co\" = {}\n", "cy"),
            ("# Support\n", "al"),
        ]),
    );
}

#[test]
fn a_comment_above_the_windows_of_a_person_stays_above_the_person() {
    becomes(
        "# Leads\n[[users.'b@x.co'.windows]]\n# see below\n[users.'b@x.co']\n[users.'a@x.co']\n",
        "# Leads\n# see below\n[users.\"b@x.co\"]\n\n[[users.\"b@x.co\".windows]]\n\n[users.\"a@x.co\"]\n",
    );
}

#[test]
fn tables_below_a_comment_that_become_lines_stay_apart() {
    becomes(
        r#"[users."zed@x.co"]
# Leads
[users."moe@x.co"] # her
[users."cy@x.co"]
[users."bo@x.co"]
# Support
[users."al@x.co"]
"#,
        r#"[users]
"zed@x.co" = {}

# Leads
"moe@x.co" = {} # her

"bo@x.co" = {}
"cy@x.co" = {}

# Support
"al@x.co" = {}
"#,
    );
}

#[test]
fn a_person_without_windows_comes_back_below_the_last_group_and_not_below_its_heading() {
    becomes(
        "[users]\n# Leads\n\"bo@x.co\" = {}\n\n# \"old@x.co\" = {}\n[users.\"al@x.co\"]\n",
        "[users]\n# Leads\n\"bo@x.co\" = {}\n\n# \"old@x.co\" = {}\n\"al@x.co\" = {}\n",
    );
    becomes(
        "[users]\n# \"ex@x.co\" = {}\n\"bo@x.co\" = {}\n\n# \"old@x.co\" = {}\n[users.\"al@x.co\"]\n",
        "[users]\n# \"old@x.co\" = {}\n\"al@x.co\" = {}\n# \"ex@x.co\" = {}\n\"bo@x.co\" = {}\n",
    );
}

#[test]
fn no_key_of_a_section_moves_past_a_comment() {
    becomes(
        r#"# Where we are
timezone = "Europe/Berlin"
include = ["teams/*.toml"]
allow_unicode_emails = true
[guardrails]
unmanaged = "report"
missing = "refuse"
# The minimums
keep_active = 1
protected = ["ana@x.co"]
keep_at_least = { Admin = 2 }
# A quarter would be too many.
max_changes = 5
[users."ana@x.co"]
status = "away"
# for now
role = "A"
"#,
        r#"# Where we are
timezone = "Europe/Berlin"
include = ["teams/*.toml"]
allow_unicode_emails = true

[guardrails]
unmanaged = "report"
missing = "refuse"
# The minimums
keep_active = 1
keep_at_least = { Admin = 2 }
protected = ["ana@x.co"]
# A quarter would be too many.
max_changes = 5

[users."ana@x.co"]
status = "away"
# for now
role = "A"
"#,
    );
    stays("timezone = \"UTC\"\n\n# All teams\n\ninclude = [\"teams/*.toml\"]\n");
}
