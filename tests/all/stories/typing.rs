//! Tests for typical mistakes. Each message shows the location, the mistake, and the correction.

use pretty_assertions::assert_eq;
use rolecall::problem::Problems;

use crate::rosters::read;

/// Files with typical mistakes, each with its problems. A problem consists of its locations, code, message, and help.
#[expect(clippy::needless_raw_string_hashes, reason = "the rows of a table look alike")]
pub(crate) const TYPED: &[(&str, &[&str])] = &[
    (
        r#"[users]
"ana@acme.example": { role = "Admin" }
"#,
        &[
            r#"2:19 roster::syntax: `:` does not separate a key from its value | write `=`: "ana@acme.example" = { … }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role: "Admin" }
"#,
        &[r#"2:28 roster::syntax: `:` does not separate a key from its value | write `=`: role = "Admin""#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" status = "away" }
"#,
        &[r#"2:39 roster::syntax: a comma is missing before this | write `,` before it"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" },
"bo@acme.example" = { role = "Admin" },
"#,
        &[
            r#"2:40 roster::syntax: the `,` at the end of this line is not needed | delete the `,`: each entry has its own line, and commas separate only the items inside { } or [ ]"#,
            r#"3:39 roster::syntax: the `,` at the end of this line is not needed | delete the `,`: each entry has its own line, and commas separate only the items inside { } or [ ]"#,
        ],
    ),
    (
        r#"timezone = "UTC",
"#,
        &[
            r#"1:17 roster::syntax: the `,` at the end of this line is not needed | delete the `,`: each entry has its own line, and commas separate only the items inside { } or [ ]"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 12/20/2026, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-12-20"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 20.12.2026, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-12-20"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026/12/20, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-12-20"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026-1-3, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-01-03"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 26-01-03, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-01-03"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 3 Jan 2026, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-01-03"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026-12-20 8:00, status = "away" }] }
"#,
        &[
            r#"2:44 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00, which is local time, or add an offset: 2026-12-20T08:00:00+01:00"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026-12-20 8:00am, status = "away" }] }
"#,
        &[
            r#"2:44 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00, which is local time, or add an offset: 2026-12-20T08:00:00+01:00"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026-12-20T08:00 CET, status = "away" }] }
"#,
        &[
            r#"2:44 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00, which is local time, or add an offset: 2026-12-20T08:00:00+01:00"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026-02-30, status = "away" }] }
"#,
        &[
            r#"2:44 roster::bad_time: `2026-02-30` is not a real date | write a day that exists, as year-month-day: 2026-12-20"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026-20-12, status = "away" }] }
"#,
        &[
            r#"2:44 roster::bad_time: `2026-20-12` is not a real date | write the month before the day: 2026-12-20"#,
        ],
    ),
    (
        r#"[[acknowledge]]
guardrail = "max_changes"
up_to = 5
reason = "x"
expires = 20.12.2026
"#,
        &[r#"5:11 roster::syntax: this is not a valid date | write year-month-day: expires = 2026-12-20"#],
    ),
    (
        r#"[guardrails]
max_changes = 25%
"#,
        &[r#"2:15 roster::syntax: a percentage needs quotes | write: max_changes = "25%""#],
    ),
    (
        r#"[users]
“ana@acme.example” = { role = “Admin” }
"#,
        &[
            r#"2:1 roster::syntax: a curly quote (“) is not a quote in TOML | write straight quotes: "ana@acme.example""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = “Admin” }
"#,
        &[
            r#"2:31 roster::syntax: a curly quote (“) is not a quote in TOML | write straight quotes: "Admin""#,
        ],
    ),
    (
        r#"[users]
‘ana@acme.example’ = { role = ‘Admin’ }
"#,
        &[
            r#"2:1 roster::syntax: a curly quote (‘) is not a quote in TOML | write straight quotes: "ana@acme.example""#,
        ],
    ),
    (
        r#"[users]
„ana@acme.example“ = { role = „Admin“ }
"#,
        &[
            r#"2:1 roster::syntax: a curly quote („) is not a quote in TOML | write straight quotes: "ana@acme.example""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin” }
"#,
        &[
            r#"2:37 roster::syntax: a curly quote (”) is not a quote in TOML | write straight quotes: "Admin""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = “Admin" }
"#,
        &[
            r#"2:31 roster::syntax: a curly quote (“) is not a quote in TOML | write straight quotes: "Admin""#,
        ],
    ),
    (
        "[users]\n\"ana@acme.example\"\u{a0}= { role = \"Admin\" }\n",
        &[
            r#"2:19 roster::syntax: this is a non-breaking space (U+00A0), which TOML does not accept as a space | delete it and type an ordinary space; copied text often contains such characters"#,
        ],
    ),
    (
        "[users]\n\u{a0}\"ana@acme.example\" = { role = \"Admin\" }\n",
        &[
            r#"2:1 roster::syntax: this is a non-breaking space (U+00A0), which TOML does not accept as a space | delete it and type an ordinary space; copied text often contains such characters"#,
        ],
    ),
    (
        "[users]\n\u{200b}\"ana@acme.example\" = { role = \"Admin\" }\n",
        &[
            r#"2:1 roster::syntax: this is a zero-width space (U+200B), which is invisible and not allowed here | delete it, or type the line again; copied text often contains such characters"#,
        ],
    ),
    (
        "[users]\n\"ana@acme.example\"\u{3000}= { role = \"Admin\" }\n",
        &[
            r#"2:19 roster::syntax: this is an ideographic space (U+3000), which TOML does not accept as a space | delete it and type an ordinary space; copied text often contains such characters"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" ＝ { role = "Admin" }
"#,
        &[r#"2:20 roster::syntax: a full-width character (＝) is not a TOML symbol | write `=`"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin"，status = "away" }
"#,
        &[r#"2:38 roster::syntax: a full-width character (，) is not a TOML symbol | write `,`"#],
    ),
    (
        r#"[users]
"ana@acme.example" = ｛ role = "Admin" ｝
"#,
        &[r#"2:22 roster::syntax: a full-width character (｛) is not a TOML symbol | write `{`"#],
    ),
    (
        "timezone = \"UTC\"\n\u{feff}[users]\n\"ana@acme.example\" = {}\n",
        &[
            r#"2:1 roster::syntax: this is a byte-order mark (U+FEFF), which is invisible and not allowed here | delete it, or type the line again; copied text often contains such characters"#,
        ],
    ),
    (
        r#"[users]
ana@acme.example = {}
"#,
        &[r#"2:1 roster::syntax: this address is not in quotes | write: "ana@acme.example" = { … }"#],
    ),
    (
        r#"[users.ana@acme.example]
role = "Admin"
"#,
        &[r#"1:8 roster::syntax: an address in a header needs quotes | write: [users."ana@acme.example"]"#],
    ),
    (
        r#"[users]
ana+x@acme.example = { role = "Admin" }
"#,
        &[r#"2:1 roster::syntax: this address is not in quotes | write: "ana+x@acme.example" = { … }"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = Admin }
"#,
        &[r#"2:31 roster::syntax: this text is not in quotes | write: role = "Admin""#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = Support Lead }
"#,
        &[r#"2:31 roster::syntax: this text is not in quotes | write: role = "Support Lead""#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin", status = out_of_office }
"#,
        &[r#"2:49 roster::syntax: this text is not in quotes | write: status = "out_of_office""#],
    ),
    (
        "timezone = Europe/Berlin\n",
        &[r#"1:12 roster::syntax: this text is not in quotes | write: timezone = "Europe/Berlin""#],
    ),
    (
        r#"[defaults]
role = Member
"#,
        &[r#"2:8 roster::syntax: this text is not in quotes | write: role = "Member""#],
    ),
    (
        "include = [teams/*.toml]\n",
        &[r#"1:12 roster::syntax: this text is not in quotes | write: "teams/*.toml""#],
    ),
    (
        r#"[users]
"ana@acme.example' = { role = "Admin" }
"#,
        &[
            r#"2:1 roster::syntax: this string starts and ends with different quotes | close the string where it ends: "ana@acme.example""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = 'Admin" }
"#,
        &[
            r#"2:31 roster::syntax: this string starts and ends with different quotes | close the string where it ends: "Admin""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin' }
"#,
        &[
            r#"2:31 roster::syntax: this string starts and ends with different quotes | close the string where it ends: "Admin""#,
        ],
    ),
    (
        r#"[users]
`ana@acme.example` = { role = `Admin` }
"#,
        &[
            r#"2:1 roster::syntax: a backtick (`) is not a quote in TOML | write straight quotes: "ana@acme.example""#,
        ],
    ),
    (
        "allow_unicode_emails = True\n",
        &[r#"1:24 roster::syntax: `True` is not lowercase | write: allow_unicode_emails = true"#],
    ),
    (
        "allow_unicode_emails = yes\n",
        &[r#"1:24 roster::syntax: `yes` is not a TOML value | write: allow_unicode_emails = true"#],
    ),
    (
        "allow_unicode_emails = on\n",
        &[r#"1:24 roster::syntax: `on` is not a TOML value | write: allow_unicode_emails = true"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = null }
"#,
        &[r#"2:31 roster::syntax: TOML has no `null` | delete `role` if it has no value"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = None }
"#,
        &[r#"2:31 roster::syntax: TOML has no `None` | delete `role` if it has no value"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin }
"bo@acme.example" = { role = "Member" }
"#,
        &[
            r#"2:31 roster::syntax: this string is not closed on its line | close the string where it ends: "Admin""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example = { role = "Admin" }
"bo@acme.example" = { role = "Member" }
"#,
        &[
            r#"2:1 roster::syntax: this string is not closed on its line | close the string where it ends: "ana@acme.example""#,
        ],
    ),
    (
        r#"[users]
ana@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Member" }
"#,
        &[
            r#"2:1 roster::syntax: a quote is missing before this address | write: "ana@acme.example" = { … }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin"
"bo@acme.example" = { role = "Member" }
"#,
        &[
            r#"2:22 roster::syntax: this `{` is not closed | write `}` where its content ends; each `{` needs a `}`, and each `[` a `]`"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" }}
"bo@acme.example" = { role = "Member" }
"#,
        &[r#"2:40 roster::syntax: this `}` has no matching `{` | delete it, or add the missing `{`"#],
    ),
    (
        r#"[users]
"ana@acme.example" = role = "Admin" }
"bo@acme.example" = { role = "Member" }
"#,
        &[
            r#"2:22 roster::syntax: a person's values belong in braces | write: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = role = "Admin"
"#,
        &[
            r#"2:22 roster::syntax: a person's values belong in braces | write: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"include = ["a.toml"
[users]
"bo@acme.example" = { role = "Member" }
"#,
        &[
            r#"1:11 roster::syntax: this `[` is not closed | write `]` where its content ends; each `{` needs a `}`, and each `[` a `]`"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "A", windows = [{ from = 2026-12-20, role = "B" } }
"bo@acme.example" = {}
"#,
        &[
            r#"2:46 roster::syntax: this `[` is not closed | write `]` where its content ends; each `{` needs a `}`, and each `[` a `]`"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" == { role = "Admin" }
"#,
        &[
            r#"2:20 roster::syntax: `==` does not separate a key from its value | write `=`: "ana@acme.example" = { … }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" => { role = "Admin" }
"#,
        &[
            r#"2:20 roster::syntax: `=>` does not separate a key from its value | write `=`: "ana@acme.example" = { … }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" -> { role = "Admin" }
"#,
        &[
            r#"2:20 roster::syntax: `->` does not separate a key from its value | write `=`: "ana@acme.example" = { … }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" := { role = "Admin" }
"#,
        &[
            r#"2:20 roster::syntax: `:=` does not separate a key from its value | write `=`: "ana@acme.example" = { … }"#,
        ],
    ),
    (
        r#"// people
[users]
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: `//` does not start a TOML comment | start it with `#`: # people"#],
    ),
    (
        r#"[users]
"ana@acme.example" = {} // lead
"#,
        &[r#"2:25 roster::syntax: `//` does not start a TOML comment | start it with `#`: # lead"#],
    ),
    (
        r#"; people
[users]
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: `;` does not start a TOML comment | start it with `#`: # people"#],
    ),
    (
        r#"[users]
"ana@acme.example" = {};
"#,
        &[
            r#"2:24 roster::syntax: the `;` at the end of this line is not needed | delete the `;`: each entry has its own line, and commas separate only the items inside { } or [ ]"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = {}; lead
"#,
        &[r#"2:24 roster::syntax: `;` does not start a TOML comment | start it with `#`: # lead"#],
    ),
    (
        r#"-- people
[users]
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: `--` does not start a TOML comment | start it with `#`: # people"#],
    ),
    (
        r#"/* people */
[users]
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: `/*` does not start a TOML comment | start it with `#`: # people"#],
    ),
    (
        r#"<!-- people -->
[users]
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: `<!--` does not start a TOML comment | start it with `#`: # people"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" } team lead
"#,
        &[r#"2:41 roster::syntax: unexpected text after the value | start a comment with `#`: # team lead"#],
    ),
    (
        r#"the support team
[users]
"ana@acme.example" = { role = "Admin" }
"#,
        &[
            r#"1:1 roster::syntax: this line is neither `key = value` nor the [header] of a section | start a comment with `#`: # the support team"#,
        ],
    ),
    (
        r#"{
  "users": {
    "ana@acme.example": { "role": "Admin" }
  }
}
"#,
        &[
            r#"1:1 roster::syntax: this file is JSON, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"{"users":{"ana@acme.example":{"role":"Admin"}}}
"#,
        &[
            r#"1:1 roster::syntax: this file is JSON, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"[
  {"email": "ana@acme.example", "role": "Admin"}
]
"#,
        &[
            r#"1:1 roster::syntax: this file is JSON, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"users:
  - email: ana@acme.example
    role: Admin
"#,
        &[
            r#"1:1 roster::syntax: this file is YAML, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"users:
  ana@acme.example:
    role: Admin
"#,
        &[
            r#"1:1 roster::syntax: this file is YAML, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"---
users:
- ana@acme.example
- bo@acme.example
"#,
        &[
            r#"1:1 roster::syntax: this file is YAML, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"[users]
- ana@acme.example
"#,
        &[
            r#"2:1 roster::syntax: a list item with `-` is not TOML | write one line per person below [users]: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example":
  role: Admin
  status: away
"#,
        &[
            r#"2:19 roster::syntax: `:` does not separate a key from its value | write `=`: "ana@acme.example" = { … }"#,
            r#"3:7 roster::syntax: `:` does not separate a key from its value | write `=`: role = "Admin""#,
            r#"4:9 roster::syntax: `:` does not separate a key from its value | write `=`: status = "away""#,
        ],
    ),
    (
        r#"email,role
ana@acme.example,Admin
"#,
        &[
            r#"1:1 roster::syntax: this file is CSV, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"[users]
ana@acme.example
bo@acme.example
"#,
        &[
            r#"2:1 roster::syntax: an address without a value is not an entry | write: "ana@acme.example" = {}, with a role or a status between the braces"#,
            r#"3:1 roster::syntax: an address without a value is not an entry | write: "bo@acme.example" = {}, with a role or a status between the braces"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example"
"bo@acme.example"
"#,
        &[
            r#"2:1 roster::syntax: `"ana@acme.example"` has no `=` and no value | write: "ana@acme.example" = {}, with a role or a status between the braces"#,
            r#"3:1 roster::syntax: `"bo@acme.example"` has no `=` and no value | write: "bo@acme.example" = {}, with a role or a status between the braces"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = }
"#,
        &[r#"2:31 roster::syntax: `role` has no value | write a value: role = "Admin", or delete the key"#],
    ),
    (
        r#"[users]
"ana@acme.example" =
"#,
        &[
            r#"2:21 roster::syntax: `ana@acme.example` has no value | write a value: "ana@acme.example" = { role = "Admin" }, or delete the key"#,
        ],
    ),
    (
        r#"timezone =
[users]
"ana@acme.example" = {}
"#,
        &[
            r#"1:11 roster::syntax: `timezone` has no value | write a value: timezone = "Europe/Berlin", or delete the key"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" { role = "Admin" }
"#,
        &[
            r#"2:20 roster::syntax: `=` is missing after `"ana@acme.example"` | write: "ana@acme.example" = …"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role "Admin" }
"#,
        &[r#"2:29 roster::syntax: `=` is missing after `role` | write: role = …"#],
    ),
    (
        r#"timezone "UTC"
"#,
        &[r#"1:10 roster::syntax: `=` is missing after `timezone` | write: timezone = …"#],
    ),
    (
        r#"[users
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: this section header has no `]` | write: [users]"#],
    ),
    (
        r#"users]
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: this section header has no `[` | write: [users]"#],
    ),
    (
        r#"[users]]
"ana@acme.example" = {}
"#,
        &[
            r#"1:1 roster::syntax: this section header has a different number of `[` and `]` | write: [users]"#,
        ],
    ),
    (
        r#"[[users]
"ana@acme.example" = {}
"#,
        &[
            r#"1:1 roster::syntax: this section header has a different number of `[` and `]` | write: [users]"#,
        ],
    ),
    (
        r#"[[acknowledge]
guardrail = "max_changes"
"#,
        &[
            r#"1:1 roster::syntax: this section header has a different number of `[` and `]` | write: [[acknowledge]]"#,
        ],
    ),
    (
        r#"(users)
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: a section header needs brackets and its own line | write: [users]"#],
    ),
    (
        r#"users:
"ana@acme.example" = {}
"#,
        &[r#"1:1 roster::syntax: a section header needs brackets and its own line | write: [users]"#],
    ),
    (
        r#"[users]
<<<<<<< HEAD
"ana@acme.example" = { role = "Admin" }
=======
"ana@acme.example" = { role = "Member" }
>>>>>>> feature/x
"#,
        &[
            r#"2:1 roster::syntax: this is an unresolved merge conflict | keep the entries that are right, and delete the lines that begin with `<<<<<<<`, `|||||||`, `=======`, and `>>>>>>>`"#,
        ],
    ),
    (
        r#"[users]
-"ana@acme.example" = { role = "Admin" }
+"ana@acme.example" = { role = "Member" }
"#,
        &[
            r#"2:1 roster::syntax: this line starts with `-`, like a line in a diff | delete the character to keep the line, or delete the whole line"#,
            r#"3:1 roster::syntax: this line starts with `+`, like a line in a diff | delete the character to keep the line, or delete the whole line"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = {
  role = "Admin"
  status = "away"
}
"#,
        &[r#"4:3 roster::syntax: a comma is missing before this | end the line above with `,`"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Support\Lead" }
"#,
        &[
            r#"2:39 roster::syntax: a backslash begins an escape sequence, and this one is not valid in TOML | write it twice: "Support\\Lead""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "\d" }
"#,
        &[
            r#"2:32 roster::syntax: a backslash begins an escape sequence, and this one is not valid in TOML | write it twice: "\\d""#,
        ],
    ),
    (
        r#"```toml
[users]
"ana@acme.example" = {}
```
"#,
        &[
            r#"1:1 roster::syntax: a Markdown code fence is not part of TOML | delete this line"#,
            r#"4:1 roster::syntax: a Markdown code fence is not part of TOML | delete this line"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin",, status = "away" }
"#,
        &[r#"2:39 roster::syntax: unexpected comma | delete it"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { , role = "Admin" }
"#,
        &[r#"2:24 roster::syntax: unexpected comma | delete it"#],
    ),
    (
        r#"[guardrails]
max_changes = 040
"#,
        &[r#"2:15 roster::syntax: this is not a valid number | write: max_changes = 40"#],
    ),
    (
        "[users]\n\"ana@acme.example\" = { status = on }\n",
        &[r#"2:33 roster::syntax: this text is not in quotes | write: status = "active""#],
    ),
    (
        "[users]\n\"ana@acme.example\" = { role = no }\n",
        &[r#"2:31 roster::syntax: this text is not in quotes | write: role = "no""#],
    ),
    (
        "[users]\n\"ana@acme.example\" = { role = 007 }\n",
        &[r#"2:31 roster::syntax: this text is not in quotes | write: role = "007""#],
    ),
    (
        "[users]\n\"ana@acme.example\": Admin\n",
        &[
            r#"2:19 roster::syntax: `:` does not separate a key from its value | write `=`: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        "[users]\n\"ana@acme.example\" = away\n",
        &[
            r#"2:22 roster::syntax: this text is not in quotes | write: "ana@acme.example" = { status = "away" }"#,
        ],
    ),
    (
        "[users]\n\"ana@acme.example\" = { windows = [{ from = 2026-12-20 until = 2026-12-21, role = \"A\" }] }\n",
        &[r#"2:55 roster::syntax: a comma is missing before this | write `,` before it"#],
    ),
    (
        "[guardrails]\nmax_changes = 1 ,000\n",
        &["2:15 roster::syntax: numbers cannot have commas | write: max_changes = 1000"],
    ),
    (
        "[guardrails]\nmax_changes = 12 ,000\n",
        &["2:15 roster::syntax: numbers cannot have commas | write: max_changes = 12000"],
    ),
    (
        "\u{feff}\u{feff}\u{feff}timezone = \"UTC\"\n",
        &[
            r#"1:1 roster::syntax: this is a byte-order mark (U+FEFF), which is invisible and not allowed here | delete it, or type the line again; copied text often contains such characters"#,
        ],
    ),
    (
        "include = [\"teams\\é.toml\"]\n",
        &[
            r#"1:18 roster::syntax: a backslash begins an escape sequence, and this one is not valid in TOML | write paths with `/`: "teams/é.toml""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 02026-12-20, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-12-20"#],
    ),
    (
        "[users]\n\"ana@acme.example\" = { windows = [{ from = 2026\u{2013}12\u{2013}20, status = \"away\" }] }\n",
        &[r#"2:48 roster::syntax: an en dash (–) is not an ASCII `-` | write `-`: 2026-12-20"#],
    ),
    (
        "[users]\n\"ana@acme.example\" = { windows = [{ from = 2026\u{2014}12\u{2014}20, status = \"away\" }] }\n",
        &[r#"2:48 roster::syntax: an em dash (—) is not an ASCII `-` | write `-`: 2026-12-20"#],
    ),
    (
        "[users]\n\"ana@acme.example\" = { windows = [{ from = 2026\u{2011}12\u{2011}20, status = \"away\" }] }\n",
        &[r#"2:48 roster::syntax: a typographic hyphen (‑) is not an ASCII `-` | write `-`: 2026-12-20"#],
    ),
    (
        "[guardrails]\nmax_changes = \u{2212}5\n",
        &[r#"2:15 roster::syntax: a minus sign (−) is not an ASCII `-` | write `-`: -5"#],
    ),
    (
        r#"[guardrails]
max_changes = 1,000
"#,
        &[r#"2:15 roster::syntax: numbers cannot have commas | write: max_changes = 1000"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = {{ role }} }
"#,
        &[
            r#"2:32 roster::syntax: expected a key, found `{` | write { key = value }; if this is a template, fill it in first"#,
        ],
    ),
    (
        r#"[users]
""ana@acme.example"" = { role = ""Admin"" }
"#,
        &[
            r#"2:1 roster::syntax: two quotes in a row are an empty string | write one quote on each side: "ana@acme.example""#,
        ],
    ),
    (
        r#"[users]
ana silva = { role = "Admin" }
"#,
        &[
            r#"2:5 roster::syntax: this key is not in quotes | a key that contains this character needs quotes: "ana silva" = …"#,
        ],
    ),
    (
        r#"[users]
<ana@acme.example> = { role = "Admin" }
"#,
        &[r#"2:2 roster::syntax: this address is not in quotes | write: "ana@acme.example" = { … }"#],
    ),
    (
        r#"[users]
Ana Silva <ana@acme.example> = { role = "Admin" }
"#,
        &[r#"2:12 roster::syntax: this address is not in quotes | write: "ana@acme.example" = { … }"#],
    ),
    (
        r#"[users]
"ana@acme.example" = ( role = "Admin" )
"#,
        &[
            r#"2:22 roster::syntax: TOML has no parentheses | write { … } around keys with values, and [ … ] around a list"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = [ role = "Admin" ]
"#,
        &[
            r#"2:22 roster::syntax: keys with values belong in braces, not in brackets | write { … } instead of [ … ]: { role = "Admin" }"#,
        ],
    ),
    (
        r#"["users"
"a@b.co" = {}
"#,
        &[r#"1:1 roster::syntax: this section header has no `]` | write: [users]"#],
    ),
    (
        r#"[users] = {
"a@b.co" = {}
}
"#,
        &[
            r#"1:9 roster::syntax: text follows the section header on the same line | put it on the next line, or start it with `#` if it is a comment"#,
            r#"3:1 roster::syntax: this `}` has no matching `{` | delete it, or add the missing `{`"#,
        ],
    ),
    (
        r#"[users] people
"a@b.co" = {}
"#,
        &[
            r#"1:9 roster::syntax: text follows the section header on the same line | put it on the next line, or start it with `#` if it is a comment"#,
        ],
    ),
    (
        r#"[users]:
"a@b.co" = {}
"#,
        &[r#"1:1 roster::syntax: a section header needs brackets and its own line | write: [users]"#],
    ),
    (
        r#"[users]
"ana@acme.example" = {}
}
"#,
        &[r#"3:1 roster::syntax: this `}` has no matching `{` | delete it, or add the missing `{`"#],
    ),
    (
        "[users]\n\"ana@acme.example\" = { role = \"Ad\u{7}min\" }\n",
        &[r#"2:34 roster::syntax: this text contains a control character (U+0007) | delete it"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Ad
min" }
"#,
        &[
            r#"2:31 roster::syntax: this string is not closed on its line | close the string where it ends: "Ad""#,
        ],
    ),
    (
        "[users]\r\"ana@acme.example\" = {}\r",
        &[
            r#"1:9 roster::syntax: this file has bare CR line endings | save the file with Unix (LF) or Windows (CRLF) line endings"#,
        ],
    ),
    (
        r#"[users]
&quot;ana@acme.example&quot; = { role = &quot;Admin&quot; }
"#,
        &[
            r#"2:1 roster::syntax: `&quot;` is HTML, not TOML | write the character itself, as in "ana@acme.example""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" }
...
"#,
        &[
            r#"3:1 roster::syntax: this line is neither `key = value` nor the [header] of a section | start a comment with `#`: # ..."#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" }
<p>
"#,
        &[r#"3:1 roster::syntax: this line is HTML, not TOML | delete this line"#],
    ),
    (
        r#"[users]
"a@b.co" = {}
[users]
"c@b.co" = {}
"#,
        &[
            r#"3:2 and 1:2 roster::duplicate_key: the section [users] is declared twice | put everything below one of the two headers"#,
        ],
    ),
    (
        r#"[defaults]
role = "A"
[defaults]
role = "B"
"#,
        &[
            r#"3:2 and 1:2 roster::duplicate_key: the section [defaults] is declared twice | put everything below one of the two headers"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "A", role = "B" }
"#,
        &[
            r#"2:36 and 2:24 roster::duplicate_key: `role` is set twice for ana@acme.example | keep the one that is right, and delete the other"#,
        ],
    ),
    (
        r#"[users."tia@acme.example"]
role = "A"
[users."tia@acme.example"]
role = "B"
"#,
        &[
            r#"3:8 and 1:8 roster::duplicate_person: tia@acme.example is declared twice | keep one of the two entries; letter case does not matter in an address"#,
        ],
    ),
    (
        r#"[users]
"tia@acme.example" = {}
[users."tia@acme.example"]
role = "B"
"#,
        &[
            r#"3:8 and 2:1 roster::duplicate_person: tia@acme.example is declared twice | keep one of the two entries; letter case does not matter in an address"#,
        ],
    ),
    (
        r#"[users]
"a\u0041@b.co" = {}
"aA@b.co" = {}
"#,
        &[
            r#"3:1 and 2:1 roster::duplicate_person: aA@b.co is declared twice | keep one of the two entries; letter case does not matter in an address"#,
        ],
    ),
    (
        r#"timezone = "UTC"
timezone = "UTC"
"#,
        &[
            r#"2:1 and 1:1 roster::duplicate_key: `timezone` is set twice | keep the one that is right, and delete the other"#,
        ],
    ),
    (
        r#"[users]
"ana" = { statsu = "x" }
"ana" = { role = 5 }
"#,
        &[
            r#"2:1 roster::bad_email: `ana` is not an email address: it has no `@` | write the address that the person uses in Pylon, in quotes: "ana@acme.example""#,
            r#"2:11 roster::unknown_key: a person has no key `statsu` | did you mean `status`?"#,
            r#"3:1 roster::bad_email: `ana` is not an email address: it has no `@` | write the address that the person uses in Pylon, in quotes: "ana@acme.example""#,
            r#"3:1 and 2:1 roster::duplicate_person: ana is declared twice | keep one of the two entries; letter case does not matter in an address"#,
            r#"3:18 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
        ],
    ),
    (
        r#"[users]
"" = {}
"" = {}
"#,
        &[
            r#"2:1 roster::bad_email: an email address cannot be empty | write the address that the person uses in Pylon, in quotes: "ana@acme.example""#,
            r#"3:1 roster::bad_email: an email address cannot be empty | write the address that the person uses in Pylon, in quotes: "ana@acme.example""#,
            r#"3:1 and 2:1 roster::duplicate_person: an empty address is declared twice | keep one of the two entries; letter case does not matter in an address"#,
        ],
    ),
    (
        r#"[defaults]
role = 3
[defaults]
roel = "B"
role = 4
role = 5
"#,
        &[
            r#"2:8 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
            r#"3:2 and 1:2 roster::duplicate_key: the section [defaults] is declared twice | put everything below one of the two headers"#,
            r#"4:1 roster::unknown_key: [defaults] has no key `roel` | did you mean `role`?"#,
            r#"5:8 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
            r#"6:8 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
        ],
    ),
    (
        r#"[users]
"a@b.co" = {}
[users]
"a@b.co" = { x = 1 }
"#,
        &[
            r#"3:2 and 1:2 roster::duplicate_key: the section [users] is declared twice | put everything below one of the two headers"#,
            r#"4:1 and 2:1 roster::duplicate_person: a@b.co is declared twice | keep one of the two entries; letter case does not matter in an address"#,
            r#"4:14 roster::unknown_key: a person has no key `x` | a person takes: role, status, windows"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "A", role = 5, role = 6 }
"#,
        &[
            r#"2:36 and 2:24 roster::duplicate_key: `role` is set twice for ana@acme.example | keep the one that is right, and delete the other"#,
            r#"2:43 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
            r#"2:46 and 2:24 roster::duplicate_key: `role` is set twice for ana@acme.example | keep the one that is right, and delete the other"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "A", windows = [{ from = 2026-12-20, from = "x", role = "B" }] }
"#,
        &[
            r#"2:68 and 2:49 roster::duplicate_key: `from` is set twice for ana@acme.example | keep the one that is right, and delete the other"#,
            r#"2:75 roster::wrong_type: `from` must be a date or a date-time, without quotes | write it without quotes: 2026-12-20, 2026-12-20T08:00:00, or 2026-12-20T08:00:00+01:00"#,
        ],
    ),
    (
        r#"[users]
"tia@acme.example" = { role = 3 }
[users."tia@acme.example"]
role = 4
windows = [{ until = 2027-01-01 }]
"#,
        &[
            r#"2:31 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
            r#"3:8 and 2:1 roster::duplicate_person: tia@acme.example is declared twice | keep one of the two entries; letter case does not matter in an address"#,
            r#"4:8 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
            r#"5:12 roster::empty_window: this window sets neither a role nor a status | add `role = …` or `status = …`"#,
        ],
    ),
    (
        r#"[guardrails]
max_changes = 5
max_changes = "x"
"#,
        &[
            r#"3:1 and 2:1 roster::duplicate_key: `max_changes` is set twice in [guardrails] | keep the one that is right, and delete the other"#,
            r#"3:15 roster::bad_value: `max_changes` must be a percentage or a count | write a percentage of the declared people, such as "25%", or a count, such as 40; 0 allows no changes"#,
        ],
    ),
    (
        r#"[users]
"t@b.co" = {}
"t@b.co".role = 5
"#,
        &[
            r#"3:1 and 2:1 roster::duplicate_person: t@b.co is declared twice | keep one of the two entries; letter case does not matter in an address"#,
            r#"3:17 roster::wrong_type: `role` must be a string | write it in quotes: "…""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin"
"bo@acme.example" = { rol = "Member" }
"cy" = {}
[guardrails]
max_changes = "x"
"#,
        &[
            r#"2:22 roster::syntax: this `{` is not closed | write `}` where its content ends; each `{` needs a `}`, and each `[` a `]`"#,
            r#"3:23 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
            r#"4:1 roster::bad_email: `cy` is not an email address: it has no `@` | write the address that the person uses in Pylon, in quotes: "ana@acme.example""#,
            r#"6:15 roster::bad_value: `max_changes` must be a percentage or a count | write a percentage of the declared people, such as "25%", or a count, such as 40; 0 allows no changes"#,
        ],
    ),
    (
        r#"[users
"ana@acme.example" = { rol = "x" }
"cy" = {}
[guardrails]
max_changes = "x"
"#,
        &[
            r#"1:1 roster::syntax: this section header has no `]` | write: [users]"#,
            r#"2:24 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
            r#"3:1 roster::bad_email: `cy` is not an email address: it has no `@` | write the address that the person uses in Pylon, in quotes: "ana@acme.example""#,
            r#"5:15 roster::bad_value: `max_changes` must be a percentage or a count | write a percentage of the declared people, such as "25%", or a count, such as 40; 0 allows no changes"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { status = away }
"#,
        &[r#"2:33 roster::syntax: this text is not in quotes | write: status = "away""#],
    ),
];

/// Valid TOML with keys or values that aren't valid in a roster, and the problems in the same form as in [`TYPED`].
#[expect(clippy::needless_raw_string_hashes, reason = "the rows of a table look alike")]
const MEANT: &[(&str, &[&str])] = &[
    (
        r#"[users]
"ana@acme.example" = { role = "A", windows = [{ start = 2026-12-20, end = 2026-12-24, date = 2026-12-20, status = "away" }] }
"#,
        &[
            r#"2:49 roster::unknown_key: a window has no key `start` | did you mean `from`?"#,
            r#"2:69 roster::unknown_key: a window has no key `end` | did you mean `until`? It is the first day or instant after the window"#,
            r#"2:87 roster::unknown_key: a window has no key `date` | write `from` and `until`; for one whole day, `until` is the next day"#,
        ],
    ),
    (
        r#"[[users]]
email = "ana@acme.example"
role = "Admin"
"#,
        &[
            r#"1:1 roster::wrong_type: `users` must be a table | write the header [users] once, with one pair of brackets, and then one line per person below it: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"users = ["ana@acme.example"]
"#,
        &[
            r#"1:9 roster::wrong_type: `users` must be a table | write the header [users] once, with one pair of brackets, and then one line per person below it: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = ["Admin"], roles = ["A"], email = "x@acme.example", away = true, admin = true }
"#,
        &[
            r#"2:31 roster::wrong_type: `role` must be a string | a person has one role, in quotes and without brackets: role = "Admin""#,
            r#"2:42 roster::unknown_key: a person has no key `roles` | a person has one role: role = "Admin""#,
            r#"2:57 roster::unknown_key: a person has no key `email` | the address is the key of the entry: "ana@acme.example" = { role = "Admin" }"#,
            r#"2:83 roster::unknown_key: a person has no key `away` | write the status: status = "away""#,
            r#"2:96 roster::unknown_key: a person has no key `admin` | write the role: role = "Admin""#,
        ],
    ),
    (
        r#"[guardrails]
unmanaged = "refuse"
missing = "Deny"
"#,
        &[
            r#"2:13 roster::bad_value: `refuse` is not a valid `unmanaged` | did you mean `block`? `unmanaged` must be one of: ignore, report, block"#,
            r#"3:11 roster::bad_value: `Deny` is not a valid `missing` | did you mean `block`? `missing` must be one of: report, block"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { status = "ooo" }
"bo@acme.example" = { status = "on vacation" }
"cy@acme.example" = { status = "Out-of-Office" }
"di@acme.example" = { status = "busy" }
"ed@acme.example" = { status = "holidy" }
"#,
        &[
            r#"2:33 roster::unknown_status: `ooo` is not a valid `status` | did you mean `out_of_office`? `status` must be one of: active, away, out_of_office"#,
            r#"3:32 roster::unknown_status: `on vacation` is not a valid `status` | did you mean `out_of_office`? `status` must be one of: active, away, out_of_office"#,
            r#"4:32 roster::unknown_status: `Out-of-Office` is not a valid `status` | did you mean `out_of_office`? `status` must be one of: active, away, out_of_office"#,
            r#"5:32 roster::unknown_status: `busy` is not a valid `status` | did you mean `away`? `status` must be one of: active, away, out_of_office"#,
            r#"6:32 roster::unknown_status: `holidy` is not a valid `status` | `status` must be one of: active, away, out_of_office"#,
        ],
    ),
    (
        r#"[[acknowledge]]
guardrail = "foo"
up_to = -1
reason = ""
"#,
        &[
            r#"1:1 roster::missing_key: this acknowledgment has no `expires` | None"#,
            r#"2:13 roster::bad_value: `foo` is not a guardrail | the guardrails are: max_changes, keep_at_least, keep_at_most, keep_active, protected, token_owner, rule, unmanaged, missing"#,
            r#"3:9 roster::bad_value: `up_to` must be a whole number, 0 or more | write a number such as 40"#,
            r#"4:10 roster::bad_value: `reason` is empty | None"#,
        ],
    ),
    (
        r#"[acknowledge]
guardrail = "max_changes"
up_to = 5
reason = "r"
expires = 2026-12-01
"#,
        &[
            r#"1:1 roster::wrong_type: `acknowledge` must be an array | write the header with two pairs of brackets: [[acknowledge]]"#,
        ],
    ),
    (
        r#"[guardrails]
keep_active = true
keep_at_least = { Admin = "2" }
keep_at_most = { Admin = "5 people" }
"#,
        &[
            r#"2:15 roster::wrong_type: `keep_active` must be a whole number | write a number without quotes, such as 40"#,
            r#"3:27 roster::wrong_type: `Admin` must be a whole number | write it without quotes: 2"#,
            r#"4:26 roster::wrong_type: `Admin` must be a whole number | write a number without quotes, such as 40"#,
        ],
    ),
    (
        r#"allow_unicode_emails = 00
[guardrails]
protected = 01
keep_active = 1.000.5
max_changes = 07
"#,
        &[
            r#"1:24 roster::syntax: this is not a valid `allow_unicode_emails` | write a value as in allow_unicode_emails = true"#,
            r#"3:13 roster::syntax: this is not a valid `protected` | write a value as in protected = ["ana@acme.example"]"#,
            r#"4:15 roster::syntax: this is not a valid `keep_active` | write a value as in keep_active = 5"#,
            r#"5:15 roster::syntax: this is not a valid number | write: max_changes = 7"#,
        ],
    ),
    (
        r#"allow_unicode_emails = 1
rule = ["x"]
[users."ana@acme.example"]
role = "Admin"
windows = ["x"]
"#,
        &[
            r#"1:24 roster::wrong_type: `allow_unicode_emails` must be true or false | write true or false, without quotes"#,
            r#"2:9 roster::wrong_type: `rule` must be a table | write the header with two pairs of brackets: [[rule]]"#,
            r#"5:12 roster::wrong_type: `a window` must be a table | write it in braces: { until = 2026-12-20, status = "away" }"#,
        ],
    ),
    (
        r#"[users]
[[acknowledge]]
guardrail = "max_changes"
up_to = 5
reason = "a new team"
expires = 2026-12-01
"zoe@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Viewer" }
[[acknowledge]]
guardrail = "keep_active"
down_to = 1
reason = "a new team"
expires = 2026-12-01
"cy@acme.example" = { role = "Viewer" }
"#,
        &[
            r#"7:1 roster::unknown_key: [[acknowledge]] has no key `zoe@acme.example` | people belong below [users]: move [[acknowledge]] to the end of the file"#,
            r#"14:1 roster::unknown_key: [[acknowledge]] has no key `cy@acme.example` | people belong below [users]: move [[acknowledge]] to the end of the file"#,
        ],
    ),
    (
        r#"[users."a@b.example]
role = "Admin"
["users"."b@b.example""]
role = "Admin"
[users "c@b.example"]
role = "Admin"
[[users."a@b.example".windows]
until = 2026-12-20
role = "Viewer"
"#,
        &[
            r#"1:1 roster::syntax: this is not a valid section header | write: [users."a@b.example"]"#,
            r#"3:1 roster::syntax: this is not a valid section header | write: [users."b@b.example"]"#,
            r#"5:1 roster::syntax: this is not a valid section header | write: [users."c@b.example"]"#,
            r#"7:1 roster::syntax: this section header has a different number of `[` and `]` | write: [[users."a@b.example".windows]]"#,
        ],
    ),
    (
        r#"[[rule]]
emails = []
roles = "Viewer"
[users]
"#,
        &[
            r#"1:1 roster::missing_key: `emails` of this rule is empty | for example: emails = "*@contractor.example""#,
            r#"1:1 roster::missing_key: `reason` of this rule is missing | for example: reason = "contractors read only""#,
            r#"3:9 roster::wrong_type: `roles` must be an array | write it in brackets: roles = ["Viewer"]"#,
        ],
    ),
    (
        r#"[users."o'neil@acme.example"
role = "Admin"
[users."bo@windows.example"
role = "Admin"
[users.o'reilly@b.example]
role = "Admin"
"#,
        &[
            r#"1:1 roster::syntax: this section header has no `]` | write: [users."o'neil@acme.example"]"#,
            r#"3:1 roster::syntax: this section header has no `]` | write: [users."bo@windows.example"]"#,
            r#"5:1 roster::syntax: this is not a valid section header | write: [users."o'reilly@b.example"]"#,
        ],
    ),
    (
        r#"[users]
"a@b.example" = { windows = [{ from = 2026-12-20T08:00+1:00, status = "away" }] }
"b@b.example" = { windows = [{ from = 2026-12-20T08:00+2500, status = "away" }] }
"c@b.example" = { windows = [{ from = 2026-12-20 08:00 MEZ, status = "away" }] }
"#,
        &[
            r#"2:39 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00+01:00"#,
            r#"3:39 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00, which is local time, or add an offset: 2026-12-20T08:00:00+01:00"#,
            r#"4:39 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00, which is local time, or add an offset: 2026-12-20T08:00:00+01:00"#,
        ],
    ),
    (
        r#"[users/a]
"ana@acme.example" = { role = "Admin" }
"#,
        &[r#"1:1 roster::syntax: this is not a valid section header | write: [users]"#],
    ),
    (
        r#"[users]
"a@b.example" = { windows = [{ from = 2026-12-20T08:00+01, status = "away" }] }
"b@b.example" = { windows = [{ from = 2026-12-20T08:00-0530, status = "away" }] }
"c@b.example" = { windows = [{ from = 2026-12-20T08+01:00, status = "away" }] }
"d@b.example" = { windows = [{ from = 2026-12-20 8:00Z, status = "away" }] }
"#,
        &[
            r#"2:39 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00+01:00"#,
            r#"3:39 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00-05:30"#,
            r#"4:39 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00+01:00"#,
            r#"5:39 roster::syntax: this is not a valid time | write: from = 2026-12-20T08:00:00Z"#,
        ],
    ),
    (
        r#"[defaults]
role = "Member"
timezone = "Europe/Berlin"
[users]
"ana@acme.example" = { role = "Admin" }
"#,
        &[
            r#"3:1 roster::unknown_key: [defaults] has no key `timezone` | move it to the root file, above its first [section] header"#,
        ],
    ),
    (
        r#"[[rule]]
emails = ["@acme.example", "Ana <ana@acme.example>"]
roles = ["Viewer"]
reason = "x"
[users."ana@acme.example"]
role = "Admin"
status = "away"
windows = [{ until = 2027-01-01, role = "Viewer", then = "active" }]
"#,
        &[
            r#"2:11 roster::bad_pattern: `@acme.example` is not an address pattern: the part before the `@` must have 1 to 64 characters, and the whole address at most 254 | write an address, or one with a `*` before the `@`: "*@contractor.example""#,
            r#"2:28 roster::bad_pattern: `Ana <ana@acme.example>` is not an address pattern: it contains a space or an invisible character | write only the address: "ana@acme.example""#,
            r#"8:58 and 7:10 roster::bad_value: `then` is for people whose status is not declared outside the window | delete `then`: after the window, the declared status applies"#,
        ],
    ),
    (
        r#"[guardrails]
max_changes = 9223372036854775808
keep_active = 0xffff_ffff_ffff_ffff
keep_at_least = { Admin = 9223372036854775807 }
"#,
        &[
            r#"2:15 roster::bad_value: `max_changes` must be a whole number, 0 or more | write a number such as 40"#,
            r#"3:15 roster::bad_value: `keep_active` must be a whole number, 0 or more | write a number such as 40"#,
        ],
    ),
    (
        r#"[guardrails]
max_changes = 1.000
"#,
        &[
            r#"2:15 roster::wrong_type: `max_changes` must be a percentage or a count | write a percentage of the declared people, such as "25%", or a count, such as 40; 0 allows no changes"#,
        ],
    ),
    (
        r#"[guardrails]
max_changes = true
"#,
        &[
            r#"2:15 roster::wrong_type: `max_changes` must be a percentage or a count | write a percentage of the declared people, such as "25%", or a count, such as 40; 0 allows no changes"#,
        ],
    ),
    (
        r#"include = "teams/*.toml"
"#,
        &[
            r#"1:11 roster::wrong_type: `include` must be an array | write it in brackets: include = ["teams/*.toml"]"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = "Admin"
"bo@acme.example" = ["Admin"]
"#,
        &[
            r#"2:22 roster::wrong_type: `ana@acme.example` must be a table | write it in braces: { role = "Admin" }"#,
            r#"3:21 roster::wrong_type: `bo@acme.example` must be a table | write it in braces: { role = "Admin" }"#,
        ],
    ),
    (
        r#"[[guardrails]]
max_changes = 5
[[defaults]]
role = "A"
"#,
        &[
            r#"1:1 roster::wrong_type: `guardrails` must be a table | write the header with one pair of brackets: [guardrails]"#,
            r#"3:1 roster::wrong_type: `defaults` must be a table | write the header with one pair of brackets: [defaults]"#,
        ],
    ),
    (
        r#"[[acknowledge]]
guardrail = "protected"
email = "a@b.co"
reason = "r"
expires = 2026-12-01
"#,
        &[r#"3:1 roster::unknown_key: [[acknowledge]] has no key `email` | did you mean `user`?"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { from = 2026-12-20, name = "Ana" }
"#,
        &[
            r#"2:24 roster::unknown_key: a person has no key `from` | dates go in a window: windows = [{ from = 2026-12-20, until = 2027-01-03, status = "away", then = "active" }]"#,
            r#"2:43 roster::unknown_key: a person has no key `name` | this cannot be declared for a person; write it as a comment: # …"#,
        ],
    ),
    (
        r#"timezone = ""
[users]
"a@b.co" = { status = "" , "" = 1 }
"#,
        &[
            r#"1:12 roster::unknown_timezone: an empty string is not a time zone | use an IANA name such as `Europe/Berlin` or `UTC`"#,
            r#"3:23 roster::unknown_status: an empty string is not a valid `status` | `status` must be one of: active, away, out_of_office"#,
            r#"3:28 roster::unknown_key: a person has an empty key | a person takes: role, status, windows"#,
        ],
    ),
    (
        r#"[users."ana@acme.example"]
role = "A"
[[users."ana@acme.example".windows]]
begin = 2026-12-20
"#,
        &[r#"4:1 roster::unknown_key: a window has no key `begin` | did you mean `from`?"#],
    ),
];

fn described(problems: &Problems) -> Vec<String> {
    let place = |label: &rolecall::problem::Label| {
        let location = problems.sources.locate(label.place);
        format!("{}:{}", location.line, location.column)
    };
    let described = |problem: &rolecall::problem::Problem| {
        let places: Vec<String> = problem.labels.iter().map(place).collect();
        let help = problem.help.as_deref().unwrap_or("None");
        format!("{} {}: {} | {help}", places.join(" and "), problem.code, problem.message)
    };
    problems.list.iter().map(described).collect()
}

#[test]
fn each_mistake_is_one_problem_with_a_correction() {
    for (text, expected) in TYPED.iter().chain(MEANT) {
        let problems = read(text.as_bytes()).expect_err(text);
        assert_eq!(described(&problems), *expected, "of:\n{text}");
    }
}

/// A secret is redacted in the message, the help, and the excerpt, whether it is a key or a value on the line below its key.
#[test]
fn a_secret_in_an_unusual_place_is_not_printed() {
    for text in [
        "ghp_abcdefgh12345678 = 1\n",
        "[users]\nghp_abcdefgh12345678 = {}\n",
        "[ghp_abcdefgh12345678]\n[ghp_abcdefgh12345678]\n",
        "[users]\n\"ana@acme.example\" = { ghp_abcdefgh12345678 = 1, ghp_abcdefgh12345678 = 2 }\n",
        "[users]\nghp_abcdefgh12345678 = {}\nghp_abcdefgh12345678 = {}\n",
        "[guardrails]\nghp_abcdefgh12345678 = 1\nghp_abcdefgh12345678 = 1\n",
        "pylon_token =\n\"abcdefgh battery\"\n",
        "pylon_token =\nabcdefgh\n",
    ] {
        let problems = read(text).expect_err(text);
        let shown = rolecall::report::diagnostic::render(&problems, false, None);
        assert!(!shown.contains("abcdefgh"), "{shown}");
    }
}

/// CRLF line endings and a byte-order mark affect neither the line number nor the message.
#[test]
fn line_ends_and_a_byte_order_mark_make_no_difference() {
    for (text, expected) in TYPED.iter().filter(|(text, _)| !text.contains(['\r', '\u{feff}'])) {
        let problems = read(text.replace('\n', "\r\n").as_bytes()).expect_err(text);
        assert_eq!(described(&problems), *expected, "with CRLF, of:\n{text}");
        let problems = read(format!("\u{feff}{text}").as_bytes()).expect_err(text);
        assert_eq!(described(&problems), *expected, "with a mark, of:\n{text}");
    }
}

/// Files with combinations of mistakes, or with a mistake that has more than one possible explanation. The problems are in the
/// same form as in [`TYPED`].
#[expect(clippy::needless_raw_string_hashes, reason = "the rows of a table look alike")]
const NEXT_TO_OTHERS: &[(&str, &[&str])] = &[
    (
        r#"[guardrails]
max_changes: 5
unmanaged = block
keep_active = 05
"#,
        &[
            r#"2:12 roster::syntax: `:` does not separate a key from its value | write `=`: max_changes = 5"#,
            r#"3:13 roster::syntax: this text is not in quotes | write: unmanaged = "block""#,
            r#"4:15 roster::syntax: this is not a valid number | write: keep_active = 5"#,
        ],
    ),
    (
        r#"[users]
"a@a.example": {}
"b@a.example" = { role = Admin }
"#,
        &[
            r#"2:14 roster::syntax: `:` does not separate a key from its value | write `=`: "a@a.example" = { … }"#,
            r#"3:26 roster::syntax: this text is not in quotes | write: role = "Admin""#,
        ],
    ),
    (
        r#"timezone: "UTC"
[users]
"b@a.example" = { role = Admin }
"#,
        &[
            r#"1:9 roster::syntax: `:` does not separate a key from its value | write `=`: timezone = "UTC""#,
            r#"3:26 roster::syntax: this text is not in quotes | write: role = "Admin""#,
        ],
    ),
    (
        r#"[users."ana@a.example"]
role: "Admin"
status = away
"#,
        &[
            r#"2:5 roster::syntax: `:` does not separate a key from its value | write `=`: role = "Admin""#,
            r#"3:10 roster::syntax: this text is not in quotes | write: status = "away""#,
        ],
    ),
    (
        r#"[users]
"ana@a.example": { role = "Admin" }
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"2:16 roster::syntax: `:` does not separate a key from its value | write `=`: "ana@a.example" = { … }"#,
            r#"3:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"[users]
"ana@a.example": {
  role: "Admin"
  status: "awai"
}
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"2:16 roster::syntax: `:` does not separate a key from its value | write `=`: "ana@a.example" = { … }"#,
            r#"3:7 roster::syntax: `:` does not separate a key from its value | write `=`: role = "Admin""#,
            r#"4:3 roster::syntax: a comma is missing before this | end the line above with `,`"#,
            r#"4:9 roster::syntax: `:` does not separate a key from its value | write `=`: status = "awai""#,
            r#"6:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"[users]
"ana@a.example" = { role: Admin, status: awai }
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"2:25 roster::syntax: `:` does not separate a key from its value | write `=`: role = "Admin""#,
            r#"2:40 roster::syntax: `:` does not separate a key from its value | write `=`: status = "awai""#,
            r#"3:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"[[acknowledge]]
guardrail = "missing"
up_to = 5
reason: "x"
expires = 2026-12-01
"#,
        &[r#"4:7 roster::syntax: `:` does not separate a key from its value | write `=`: reason = "x""#],
    ),
    (
        r#"[users]
"ana@acme.example" { role = "Admin" }
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"2:20 roster::syntax: `=` is missing after `"ana@acme.example"` | write: "ana@acme.example" = …"#,
            r#"3:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example"
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"2:1 roster::syntax: `"ana@acme.example"` has no `=` and no value | write: "ana@acme.example" = {}, with a role or a status between the braces"#,
            r#"3:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"role:Admin
timezone = 5
"#,
        &[
            r#"1:1 roster::syntax: this line is neither `key = value` nor the [header] of a section | start a comment with `#`: # role:Admin"#,
            r#"2:12 roster::wrong_type: `timezone` must be a string | write it in quotes: "…""#,
        ],
    ),
    (
        r#"[users]
ana@acme.example: { role: "Admin" }
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"2:1 roster::syntax: this address is not in quotes | write: "ana@acme.example" = { … }"#,
            r#"3:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"[users:]
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"1:1 roster::syntax: this is not a valid section header | write: [users]"#,
            r#"2:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"users:
"cy@a.example" = { rol = "x" }
"#,
        &[
            r#"1:1 roster::syntax: a section header needs brackets and its own line | write: [users]"#,
            r#"2:20 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"users:
  ana@acme.example:
    role: Admin
  "bo@a.example":
    role: Admin
    status: away
"#,
        &[
            r#"1:1 roster::syntax: this file is YAML, not TOML | write a [users] header, then one line per person: "ana@acme.example" = { role = "Admin" }"#,
        ],
    ),
    (
        r#"# x
[users]
"bo@a.example" -> {
  role = "Admin",
  status = "awai",
}
"cy@a.example" = { role = "x" }
"cy@a.example" = { role = "x" }
"#,
        &[
            r#"3:16 roster::syntax: `->` does not separate a key from its value | write `=`: "bo@a.example" = { … }"#,
            r#"5:12 roster::unknown_status: `awai` is not a valid `status` | did you mean `away`? `status` must be one of: active, away, out_of_office"#,
            r#"8:1 and 7:1 roster::duplicate_person: cy@a.example is declared twice | keep one of the two entries; letter case does not matter in an address"#,
        ],
    ),
    (
        r#"token = pylon_api_x9
"#,
        &[
            r#"1:1 roster::secret_in_file: `token` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
        ],
    ),
    (
        r#"PYLON_API_TOKEN=pylon_api_x9
"#,
        &[
            r#"1:1 roster::secret_in_file: `PYLON_API_TOKEN` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
        ],
    ),
    (
        r#"password: hunter2
"#,
        &[
            r#"1:1 roster::secret_in_file: `password` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
        ],
    ),
    (
        r#"[workspace]
api_key = abc123
"#,
        &[
            r#"2:1 roster::secret_in_file: `api_key` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
        ],
    ),
    (
        r#"token = "pylon_api_x9"
"#,
        &[
            r#"1:1 roster::secret_in_file: `token` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
        ],
    ),
    (
        r#"tokens = [ "abc",
  "hunter\qpass"]
"#,
        &[
            r#"1:1 roster::secret_in_file: `tokens` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
            r#"2:10 roster::syntax: a backslash begins an escape sequence, and this one is not valid in TOML | write it twice: "a\\b""#,
        ],
    ),
    (
        r#"[workspace.secrets]
a = "hunter\q"
"#,
        &[
            r#"1:12 roster::secret_in_file: `secrets` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
            r#"2:12 roster::syntax: a backslash begins an escape sequence, and this one is not valid in TOML | write it twice: "a\\b""#,
        ],
    ),
    (
        r#"export PYLON_API_TOKEN=pylon_api_x9
"#,
        &[
            r#"1:8 roster::secret_in_file: `PYLON_API_TOKEN` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin", token = hunter2 }
"#,
        &[
            r#"2:40 roster::secret_in_file: `token` does not belong in a reviewed file | pull requests and CI logs expose what is in this file: set PYLON_API_TOKEN or use --token-file instead, and if a real token was committed, revoke it in Pylon"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin"; status = "away" }
"#,
        &[
            r#"2:38 roster::syntax: `;` is not allowed after a value | separate the keys with a comma: write `,` instead of `;`"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" or "Member" }
"#,
        &[
            r#"2:39 roster::syntax: `or` is not allowed after a value | a person has one role: role = "Admin""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" + "Member" }
"#,
        &[r#"2:39 roster::syntax: `+` is not allowed after a value | a person has one role: role = "Admin""#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" | "Member" }
"#,
        &[r#"2:39 roster::syntax: `|` is not allowed after a value | a person has one role: role = "Admin""#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" and "Member", status = "away" }
"#,
        &[
            r#"2:39 roster::syntax: `and` is not allowed after a value | a person has one role: role = "Admin""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" / "Member" }
"#,
        &[r#"2:39 roster::syntax: `/` is not allowed after a value | a person has one role: role = "Admin""#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" "Member" }
"#,
        &[
            r#"2:39 roster::syntax: `"Member"` is not allowed after a value | a person has one role: role = "Admin""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin", "Member" }
"#,
        &[r#"2:49 roster::syntax: `Member` has no value | write a value: "Member" = "…", or delete the key"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" (owner) }
"#,
        &[
            r#"2:39 roster::syntax: `(owner)` is not allowed after a value | a person has one role: role = "Admin""#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" && status = "away" }
"#,
        &[
            r#"2:39 roster::syntax: `&&` is not allowed after a value | separate the keys with a comma: write `,` instead of `&&`"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" and status = "away" }
"#,
        &[
            r#"2:39 roster::syntax: `and` is not allowed after a value | separate the keys with a comma: write `,` instead of `and`"#,
        ],
    ),
    (
        r#"[guardrails]
keep_at_least = { Tier 2 = 3 }
"#,
        &[r#"2:19 roster::syntax: a key with a space needs quotes | write: "Tier 2" = 3"#],
    ),
    (
        r#"[guardrails]
keep_at_least = { "Admin" >= 2 }
"#,
        &[r#"2:27 roster::syntax: `>=` does not separate a key from its value | write `=`: "Admin" = 2"#],
    ),
    (
        r#"[guardrails]
keep_at_least = { Admin >= 2, Tier 2 = 3 }
"#,
        &[r#"2:25 roster::syntax: `>=` does not separate a key from its value | write `=`: Admin = 2"#],
    ),
    (
        r#"[guardrails]
keep_at_least = { Admin = 2; Lead = 3 }
"#,
        &[
            r#"2:28 roster::syntax: `;` is not allowed after a value | separate the keys with a comma: write `,` instead of `;`"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = , status = "away" }
"#,
        &[r#"2:24 roster::syntax: `role` has no value | write a value: role = "Admin", or delete the key"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = , status = , }
"#,
        &[r#"2:24 roster::syntax: `role` has no value | write a value: role = "Admin", or delete the key"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = }
"#,
        &[r#"2:31 roster::syntax: `role` has no value | write a value: role = "Admin", or delete the key"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role, status = "away" }
"#,
        &[
            r#"2:24 roster::syntax: `role` has no `=` and no value | write a value: role = "Admin", or delete the key"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [ from = 2026-12-01, until = 2026-12-05, status = "active" ] }
"#,
        &[
            r#"2:34 roster::syntax: keys with values belong in braces, not in brackets | write [{ … }] instead of [ … ]: windows = [{ until = 2026-12-20, status = "away" }]"#,
        ],
    ),
    (
        r#"[users."ana@acme.example"]
windows = [ from = 2026-12-01, until = 2026-12-05, status = "active" ]
"#,
        &[
            r#"2:11 roster::syntax: keys with values belong in braces, not in brackets | write [{ … }] instead of [ … ]: windows = [{ until = 2026-12-20, status = "away" }]"#,
        ],
    ),
    (
        r#"[users."ana@acme.example"
role = "Admin"
"#,
        &[r#"1:1 roster::syntax: this section header has no `]` | write: [users."ana@acme.example"]"#],
    ),
    (
        r#"["users"."ana@acme.example"
role = "Admin"
"#,
        &[r#"1:1 roster::syntax: this section header has no `]` | write: [users."ana@acme.example"]"#],
    ),
    (
        r#"[users.'ana@acme.example'
role = "Admin"
"#,
        &[r#"1:1 roster::syntax: this section header has no `]` | write: [users."ana@acme.example"]"#],
    ),
    (
        r#"[users."ana@acme.example"]]
role = "Admin"
"#,
        &[
            r#"1:1 roster::syntax: this section header has a different number of `[` and `]` | write: [users."ana@acme.example"]"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = {
  role = "Admin";
  status = "away";
}
"cy@acme.example" = { rol = "x" }
"#,
        &[
            r#"3:17 roster::syntax: `;` is not allowed after a value | separate the keys with a comma: write `,` instead of `;`"#,
            r#"6:23 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = {
  role = ,
  status = "away",
}
"cy@acme.example" = { rol = "x" }
"#,
        &[
            r#"3:3 roster::syntax: `role` has no value | write a value: role = "Admin", or delete the key"#,
            r#"6:23 roster::unknown_key: a person has no key `rol` | did you mean `role`?"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ until = 2026-12-05T24:00:00, status = "away" }] }
"#,
        &[
            r#"2:45 roster::syntax: this is not a valid time | write the start of the next day: until = 2026-12-06T00:00:00"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ until = 2026-12-05T18:60:00, status = "away" }] }
"#,
        &[
            r#"2:45 roster::syntax: this is not a valid time | write the minute as a number from 00 to 59, as in 2026-12-20T08:00:00"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 1 Dec 2026, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid date | write year-month-day: from = 2026-12-01"#],
    ),
    (
        r#"[users]
'ana.o'neil@acme.example' = {}
"#,
        &[
            r#"2:7 roster::syntax: this `'` ends the string | write it in double quotes: "ana.o'neil@acme.example" = { … }"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ until = 2026-12-05, status = "away", reason = it's ok }] }
"#,
        &[r#"2:83 roster::syntax: this text is not in quotes | write it in double quotes: "it's ok""#],
    ),
    (
        r#"[users]
"ana@acme.example" = None
"#,
        &[
            r#"2:22 roster::syntax: TOML has no `None` | write: "ana@acme.example" = {}, with a role or a status between the braces"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example".role: "Admin"
"#,
        &[
            r#"2:24 roster::syntax: `:` does not separate a key from its value | write `=`: "ana@acme.example".role = "Admin""#,
        ],
    ),
    (
        r#"[users]
✅ "ana@acme.example" = {}
"#,
        &[r#"2:1 roster::syntax: there is text before this key | delete it: "ana@acme.example" = …"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = "Admin" } – boss
"#,
        &[
            r#"2:41 roster::syntax: an en dash (–) is not an ASCII `-` | delete it, or put a `#` before it to make it a comment"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { role = ${ROLE} }
"#,
        &[r#"2:31 roster::syntax: this is not a valid `role` | write a value as in role = "Admin""#],
    ),
    (
        r#"[users."ana@acme.example"]
windows: []
"#,
        &[r#"2:8 roster::syntax: `:` does not separate a key from its value | write `=`: windows = [ … ]"#],
    ),
    (
        r#"[users]
"ana@acme.example".status = Away
"#,
        &[r#"2:29 roster::syntax: this text is not in quotes | write: "ana@acme.example".status = "away""#],
    ),
    (
        r#"[users]
"ana@acme.example".role =
"#,
        &[
            r#"2:26 roster::syntax: `"ana@acme.example".role` has no value | write a value: "ana@acme.example".role = "Admin", or delete the key"#,
        ],
    ),
    (
        "include = teams.toml\n",
        &[
            r#"1:11 roster::syntax: this is not a valid `include` | write a value as in include = ["teams/*.toml"]"#,
        ],
    ),
    (
        r#"[guardrails]
keep_at_least = Admin = 2
"#,
        &[
            r#"2:17 roster::syntax: this is not a valid `keep_at_least` | write a value as in keep_at_least = { Admin = 2 }"#,
        ],
    ),
    (
        r#"[guardrails]
max_changes = 12.5%
"#,
        &[
            r#"2:15 roster::syntax: this is not a valid `max_changes` | write a value as in max_changes = "25%""#,
        ],
    ),
    (
        r#"[guardrails]
max_changes = 40 people
"#,
        &[
            r#"2:15 roster::syntax: this is not a valid `max_changes` | write a value as in max_changes = "25%""#,
        ],
    ),
    (
        r#"[guardrails]
max_changes = unlimited
"#,
        &[
            r#"2:15 roster::syntax: this is not a valid `max_changes` | write a value as in max_changes = "25%""#,
        ],
    ),
    (
        r#"[guardrails]
unmanaged = Block
"#,
        &[r#"2:13 roster::syntax: this text is not in quotes | write: unmanaged = "block""#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ until = tomorrow, status = "away" }] }
"#,
        &[r#"2:45 roster::syntax: this is not a valid `until` | write a value as in until = 2026-12-20"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 20261220, status = "away" }] }
"#,
        &[
            r#"2:44 roster::wrong_type: `from` must be a date or a date-time, without quotes | write year-month-day, with hyphens: from = 2026-12-20"#,
        ],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 20261220x, status = "away" }] }
"#,
        &[r#"2:44 roster::syntax: this is not a valid `from` | write a value as in from = 2026-12-20"#],
    ),
    (
        r#"[users]
"ana@acme.example" = { windows = [{ from = 2026-12-05T08:60, status = "away" }] }
"#,
        &[
            r#"2:44 roster::syntax: this is not a valid time | write the minute as a number from 00 to 59, as in 2026-12-20T08:00:00"#,
        ],
    ),
    (
        r#"{users}
"ana@acme.example" = { role = "Admin" }
"#,
        &[r#"1:1 roster::syntax: a section header needs brackets and its own line | write: [users]"#],
    ),
    (
        r#"[users]
"""ana@acme.example""" = {}
"#,
        &[
            r#"2:1 roster::syntax: a key needs one quote on each side, not three | write: "ana@acme.example" = …"#,
        ],
    ),
    (
        r#"[[acknowledge]]
guardrail = "missing"
up_to = 5
reason = "x"
expires = 2026-12-01
[acknowledge]
guardrail = "missing"
up_to = 5
reason = "x"
expires = 2026-12-01
"#,
        &[
            r#"6:1 roster::wrong_type: `acknowledge` must be an array | write the header with two pairs of brackets: [[acknowledge]]"#,
        ],
    ),
];

#[test]
fn one_mistake_neither_hides_the_next_nor_is_reported_twice() {
    for (text, expected) in NEXT_TO_OTHERS {
        let problems = read(text.as_bytes()).expect_err(text);
        assert_eq!(described(&problems), *expected, "of:\n{text}");
    }
}

/// Extracts the correction from a help message, replacing the ellipses with values.
fn correction(help: &str) -> Option<String> {
    let written = help.split_once("write: ").or_else(|| help.split_once("write `=`: "))?.1;
    let end = [", with ", ", which ", ", or "].iter().filter_map(|words| written.find(words)).min();
    let written = &written[..end.unwrap_or(written.len())];
    Some(written.replace("{ … }", "{}").replace("[ … ]", "[]").replace("= …", "= 0"))
}

#[test]
fn every_suggested_correction_is_valid_toml() {
    for (text, _) in TYPED.iter().chain(MEANT).chain(NEXT_TO_OTHERS) {
        let problems = read(text.as_bytes()).expect_err(text);
        let helps = problems.list.iter().filter_map(|problem| problem.help.as_deref());
        for written in helps.filter_map(correction) {
            let is_toml = |text: &str| text.parse::<toml::Table>().is_ok();
            assert!(is_toml(&written) || is_toml(&format!("x = {written}")), "{written}, of:\n{text}");
        }
    }
}
