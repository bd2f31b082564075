//! Tests for unusual layouts. The resulting format hardly matters, as long as comments and meaning are preserved.

use pretty_assertions::assert_eq;

use super::super::canonical;
use super::tree;

/// The inputs, each preceded by the number of `#!` comments in it.
const TEXTS: &[(usize, &str)] = &[
    (2, "users = { 'a@x.co' = { role = 'A' }, #!\n 'b@x.co' = {}, #!\n }"),
    (1, "users = { 'a@x.co'.role = 'A', 'a@x.co'.status = 'away' } #!"),
    (3, "[users] #!\n#!\n\n#!\n[users.'a@x.co']"),
    (4, "#!\n\n#!\n[users.'b@x.co']\n#!\n\n#!\n[users.'a@x.co']"),
    (2, "[users.'b@x.co']\n#!\n[policy]\n#!\n[users.'a@x.co']\n[users]\n'c@x.co' = {}"),
    (
        3,
        "[users.'a@x.co'] #!\n[[users.'a@x.co'.windows]] #!\n[users.'b@x.co']\n[[users.'a@x.co'.windows]] #!\n",
    ),
    (2, "[users.'a@x.co'.deep] #!\nx = 1\n[users]\n'a@x.co'.role = 1 #!\n'b@x.co' = 1"),
    (1, "[[users]]\nname = 'a' #!\n[[users.x]]\n[[users]]\n"),
    (2, "[[users.'a@x.co']]\nb = 1 #!\n[users.'a@x.co'.c]\n[[users.'a@x.co']]\n#!"),
    (3, "a = [ #!\n#!\n] #!"),
    (3, "a = [[[ #!\n]], { b = [ 1, #!\n ] }, { c = 1, #!\n } ]"),
    (1, "a = ['#', \"#\\\"#\", '''#''#''', \"\"\"\\\"\"\"#\"\"\"\"\" #!\n]"),
    (0, "a = \"\"\"\r\nkept\r\n\"\"\"\nb = [{ c = '''\r\n''' }]"),
    (1, "a = { b = '''one\r\ntwo''', #!\n }\n"),
    (1, "[a.b.c]\nz = 9\n[a]\nb.d = 1 #!\n"),
    (2, "policy.role.deep = 1 #!\npolicy.status = 2\n[policy.role.deeper] #!\n"),
    (1, "acknowledge = [{ up_to = 1, guardrail = 'missing' }, #!\n]\n[users]\n"),
    (1, "acknowledge = []\nguardrails = {} #!\n"),
    (0, "'' = 1\n\"\\n\" = 2\n[users]\n'' = {}\n'a b' . 'c' = 3"),
    (1, "[users]\n'B@x.co' = {}\n\t'b@x.co' = {} #!\n"),
    (2, "\u{feff}#!\r\n[users]\r\n'a@x.co'.role\t=\t'A' #!"),
    (2, "[users]\n'a@x.co' = { windows = [ #!\n { until = 2027-01-03, role = 'A' } #!\n ] }"),
    (1, "[users]\n'a@x.co' = { role = ['A', #!\n 'B'] }"),
    (2, "[users]\n'a@x.co' = { role #!\n = 'A', status = #!\n 'away' }"),
];

#[test]
fn no_comment_is_lost_and_no_value_changes() {
    for (comments, text) in TEXTS {
        let once = canonical(text).unwrap_or_else(|_| panic!("TOML: {text}"));
        assert_eq!(once.matches("#!").count(), *comments, "of:\n{text}\nbecame:\n{once}");
        assert_eq!(tree(&once), tree(text), "of:\n{text}\nbecame:\n{once}");
        assert_eq!(canonical(&once).as_ref(), Ok(&once), "of:\n{text}");
    }
}
