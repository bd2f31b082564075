//! Tests for entries in both forms, lines and tables, and for groups with headings.

use super::{becomes, stays};

#[test]
fn people_are_sorted_and_letter_case_does_not_matter() {
    becomes(
        "[users]\n'Zed@x.co'={}\n\"bo@x.co\" = { }\n'Ana@x.co' = {status='away',role='Admin'}\n",
        "[users]\n\"Ana@x.co\" = { role = \"Admin\", status = \"away\" }\n\"bo@x.co\" = {}\n\"Zed@x.co\" = {}\n",
    );
}

#[test]
fn each_group_is_sorted_below_its_heading() {
    becomes(
        r#"[users]
# team leads
"zed@x.co" = {}
"ana@x.co" = {} # on leave

# Support

# since May
"cy@x.co" = {}
"bo@x.co" = {}
# "al@x.co" = {}

"mo@x.co" = {}
"lu@x.co" = {}
"#,
        r#"[users]
# team leads
"ana@x.co" = {} # on leave
"zed@x.co" = {}

# Support

# since May
"bo@x.co" = {}
"cy@x.co" = {}
# "al@x.co" = {}

"lu@x.co" = {}
"mo@x.co" = {}
"#,
    );
}

#[test]
fn people_with_windows_are_tables_and_others_are_lines() {
    becomes(
        r#"[users]
"bo@x.co" = { role = "Member", windows = [{ until = 2027-01-03, role = "Admin" }] }   # incident
# zed@x.co is Zoe
"zed@x.co" = {}

# ana@x.co is Ana
[users."ana@x.co"] # her
status = "away"
role = "Admin"
[users."cy@x.co"]
windows = []
"#,
        r#"[users]
# ana@x.co is Ana
"ana@x.co" = { role = "Admin", status = "away" } # her
"cy@x.co" = { windows = [] }
# zed@x.co is Zoe
"zed@x.co" = {}

[users."bo@x.co"] # incident
role = "Member"
windows = [
  { until = 2027-01-03, role = "Admin" },
]
"#,
    );
}

#[test]
fn dotted_keys_become_a_line_if_no_comment_is_lost() {
    becomes(
        "[users]\n# new\n\"bo@x.co\".status = \"away\"\n'bo@x.co'.role = 'Admin' # for now\n\"al@x.co\".role = \"A\"\n",
        "[users]\n# new\n\"al@x.co\" = { role = \"A\" }\n\"bo@x.co\" = { role = \"Admin\", status = \"away\" } # for now\n",
    );
    stays("[users]\n\"bo@x.co\".status = \"away\" # holiday\n\"bo@x.co\".role = \"Admin\" # for now\n");
}

#[test]
fn a_person_keeps_a_form_that_a_comment_needs() {
    stays("[users]\n\"ana@x.co\" = { role = \"A\", # since May\n\n  status=\"away\" }\n");
    stays("[users.\"ana@x.co\"]\nrole = \"Admin\"   # since May\n");
    stays("[users.\"ana@x.co\"]\nrole = \"Admin\"\n# status = \"away\"\n");
    stays("[users.\"ana@x.co\"]\n# since May\nrole = \"Admin\"\n");
}

#[test]
fn a_line_that_is_too_long_is_a_table() {
    let role = "Member of the longest team name that anybody has ever seen in a file of people and roles";
    becomes(
        &format!("[users]\n\"ana@x.co\" = {{ role = \"{role}\", status = \"away\" }} # her\n"),
        &format!("[users]\n\n[users.\"ana@x.co\"] # her\nrole = \"{role}\"\nstatus = \"away\"\n"),
    );
}

#[test]
fn windows_as_a_list_of_tables_stay_below_their_person() {
    becomes(
        r#"[[users."bo@x.co".windows]]
status = "active"
until = 2027-01-03
[users."ana@x.co"]
role = "A" # keeps the table
[users."bo@x.co"]
status = "away"
"#,
        r#"[users."ana@x.co"]
role = "A" # keeps the table

[users."bo@x.co"]
status = "away"

[[users."bo@x.co".windows]]
until = 2027-01-03
status = "active"
"#,
    );
}
