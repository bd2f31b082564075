//! Tests for blank lines, comments, and the order of sections and keys.

use pretty_assertions::assert_eq;

use super::super::{NewFile, NotToml, PersonValues, canonical, fresh};
use super::{becomes, stays};
use crate::roster::{Email, PerField, Region, Status};

#[test]
fn a_directive_is_separate_from_the_section_below_it() {
    becomes(
        "[users]\n\"a@x.co\" = {}\n\n#:schema s.json\n[defaults]\nrole = \"A\"\n",
        "#:schema s.json\n\n[defaults]\nrole = \"A\"\n\n[users]\n\"a@x.co\" = {}\n",
    );
}

#[test]
fn sections_have_their_order_and_keep_their_comments() {
    becomes(
        r#"#:schema ./users.schema.json
# Acme's people.

timezone='Europe/Berlin'
include = ["teams/*.toml"]   # every team


# Everybody

[users] # all of them
"ana@acme.example" = {}
[[acknowledge]]
expires=2026-12-01
reason="support reorganization"
guardrail="max_changes"
up_to=40
# Ours.
[workspace]
region="eu"
organization="org_1"
# region = "us"

[ policy ]
status = "observe"              # never written
role = "enforce"
[guardrails.keep_at_least]
Admin = 2
[guardrails]
missing = "block"
# A quarter would be too many.
max_changes = 0x10

# vim: set ft=toml:"#,
        r#"#:schema ./users.schema.json
# Acme's people.

include = ["teams/*.toml"]   # every team
timezone = "Europe/Berlin"

# Ours.
[workspace]
organization = "org_1"
region = "eu"
# region = "us"

[policy]
role = "enforce"
status = "observe"              # never written

[guardrails]
missing = "block"
# A quarter would be too many.
max_changes = 0x10

[guardrails.keep_at_least]
Admin = 2

[[acknowledge]]
guardrail = "max_changes"
up_to = 40
reason = "support reorganization"
expires = 2026-12-01

# Everybody

[users] # all of them
"ana@acme.example" = {}

# vim: set ft=toml:
"#,
    );
}

#[test]
fn keys_are_not_sorted_past_blank_lines_and_separate_comments() {
    becomes(
        "[guardrails]\nmissing = \"report\"\n\n\n# Minimums\n\nkeep_active = 1\nkeep_at_least = { Admin = 2 }\n",
        "[guardrails]\nmissing = \"report\"\n\n# Minimums\n\nkeep_at_least = { Admin = 2 }\nkeep_active = 1\n",
    );
}

#[test]
fn dotted_keys_and_inline_tables_of_the_root_become_sections() {
    becomes(
        r#"users."bo@acme.example".role = "Admin" # boss
users."ana@acme.example" = {}
# Everybody.
defaults.role = "Member"
workspace = { region = "eu", organization = "org_1" } # pin
"#,
        r#"[workspace] # pin
organization = "org_1"
region = "eu"

[defaults]
# Everybody.
role = "Member"

[users]
"ana@acme.example" = {}
"bo@acme.example" = { role = "Admin" } # boss
"#,
    );
}

#[test]
fn a_trailing_comment_keeps_its_column_if_possible() {
    becomes(
        "[policy]\nrole   = 'observe'      # shown\nstatus='ignore'         # left\nextra_roles='ignore' # one space\n",
        "[policy]\nrole = \"observe\"        # shown\nstatus = \"ignore\"       # left\nextra_roles = \"ignore\" # one space\n",
    );
}

#[test]
fn line_ends_stay_the_same() {
    becomes(
        "[users]\r\n\r\n\r\n'b@x.co'={}\r\n'a@x.co'={}",
        "[users]\r\n\"a@x.co\" = {}\r\n\"b@x.co\" = {}\r\n",
    );
}

#[test]
fn a_byte_order_mark_is_removed() {
    becomes("\u{feff}[users]\n", "[users]\n");
}

#[test]
fn files_without_keys_have_a_canonical_layout() {
    for (before, after) in
        [("", ""), ("\n\n", ""), (" # one\n\n\n# two", "# one\n\n# two\n"), ("[users]", "[users]\n")]
    {
        becomes(before, after);
    }
    assert_eq!(canonical("users = {"), Err(NotToml));
}

#[test]
fn unknown_sections_keep_their_order_above_the_users() {
    becomes(
        "x = 1\n[users]\n[[b]]\n[b.c]\n[[b]]\n[a.b]\n[a]\n[defaults]\n",
        "x = 1\n\n[defaults]\n\n[[b]]\n\n[b.c]\n\n[[b]]\n\n[a.b]\n\n[a]\n\n[users]\n",
    );
}

#[test]
fn a_new_file_is_canonical() {
    let person = |email: &str, role: &str, status: Option<Status>| PersonValues {
        email: Email::observed(email),
        values: PerField { role: Some(role.into()), status: status.map(|it| it.as_str().into()) },
    };
    let people = [
        person("bo@acme.example", "Member", None),
        person("Ana@acme.example", "Admin \"one\"\n", None),
        person("cy@acme.example", "Member", Some(Status::Away)),
        person("dee@acme.example", &"long ".repeat(20), None),
    ];
    let file = NewFile {
        include: None,
        allow_unicode_emails: false,
        organization: Some("org_1"),
        region: Some(Region::Us),
        default_role: Some(&"Member".into()),
        people: &people,
    };
    let text = fresh(&file);
    assert_eq!(
        text,
        r#"# The roles and statuses of your Pylon users. Edit a line, run `rolecall plan` to see what would change, and then run
# `rolecall apply`. Write a role as its name, slug, or ID.

[workspace]
organization = "org_1"
region = "us"

# The role of the people below who have no role of their own.
[defaults]
role = "Member"

[users]
"Ana@acme.example" = { role = "Admin \"one\"\n" }
"bo@acme.example" = {}
"cy@acme.example" = { status = "away" }

[users."dee@acme.example"]
role = "long long long long long long long long long long long long long long long long long long long long "
"#
    );
    stays(&text);
    let empty = NewFile { organization: None, region: None, default_role: None, people: &[], ..file };
    stays(&fresh(&empty));
}
