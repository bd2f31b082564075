//! Tests for how values are formatted.

use super::{becomes, stays};

#[test]
fn strings_are_in_double_quotes_and_invisible_characters_are_escaped() {
    becomes(
        "a = 'x'\nb = '''\nsay \"hi\" \\ o\n'''\nc = \"\"\"one \\\n   two\"\"\"\nd = \"\\u00e9\\t\u{202e}\\U000e0041\"\n'e f' = '#'\n",
        "a = \"x\"\nb = \"say \\\"hi\\\" \\\\ o\\n\"\nc = \"one two\"\nd = \"é\\t\\u202E\\U000E0041\"\n\"e f\" = \"#\"\n",
    );
}

#[test]
fn numbers_and_dates_stay_as_written() {
    stays("a = 0x1F\nb = 1_000\nc = 1e3\nd = 2026-12-20 08:00:00z\ne = 08:00:00.123\nf = true\ng = +inf\n");
}

#[test]
fn an_array_is_on_one_line_if_it_fits() {
    becomes("include = [\n'a',\n\n'b' ,\n]\n", "include = [\"a\", \"b\"]\n");
    let long = "a-long-name-in-a-list".repeat(3);
    becomes(
        &format!("include = ['{long}', '{long}']"),
        &format!("include = [\n  \"{long}\",\n  \"{long}\",\n]\n"),
    );
}

#[test]
fn an_array_keeps_its_comments_and_blank_lines() {
    becomes(
        r#"[guardrails]
protected = [ # nobody touches

      # the founders
  "ana@acme.example",   # her
  "bo@acme.example" # him
  , # both


  # and
  ["nested", # in here
  ], "cy@acme.example"
  # nobody else

]
"#,
        r#"[guardrails]
protected = [
  # nobody touches

  # the founders
  "ana@acme.example",   # her
  "bo@acme.example", # him
  # both

  # and
  [
    "nested", # in here
  ],
  "cy@acme.example",
  # nobody else
]
"#,
    );
}

#[test]
fn each_window_has_a_line_and_its_keys_are_sorted() {
    becomes(
        r#"[users."cy@acme.example"]
windows = [ { reason = "leave", then = "active", status = "away", until = 2027-01-03, from = 2026-12-20 }, {until=2026-12-01T18:00:00+01:00,role="Admin"} ]
role = "Member"
"#,
        r#"[users."cy@acme.example"]
role = "Member"
windows = [
  { from = 2026-12-20, until = 2027-01-03, status = "away", then = "active", reason = "leave" },
  { until = 2026-12-01T18:00:00+01:00, role = "Admin" },
]
"#,
    );
}
