//! Table-driven cases for each guardrail, both exactly at the limit and just past it.

use pretty_assertions::assert_eq;
use rolecall::observed::{Person, RoleId, UserId};
use rolecall::plan::forecast::forecast;
use rolecall::plan::guardrails::{Figure, RoleCount, Verdict};
use rolecall::roster::{Email, Guardrail};

use super::organization::{Case, now};
use crate::rosters::held;

const TO_MEMBER: &str = "{ role = \"Member\" }";
const AWAY: &str = "{ status = \"away\" }";

/// Appends `count` people with this role and status, continuing the numbering.
fn add(people: &mut Vec<Person>, count: usize, role: &str, status: &str) {
    for _ in 0..count {
        let number = people.len();
        people.push(Person {
            id: UserId::new(&format!("u_{number:02}")).unwrap(),
            email: Email::observed(&format!("p{number:02}@acme.example")),
            secondary: vec![Email::observed(&format!("p{number:02}@old.example"))],
            name: format!("Person {number}"),
            held: held(role, status),
            deactivated: false,
        });
    }
}

/// Declares the people in this range of numbers, each with the same `table`.
fn declare(numbers: std::ops::Range<usize>, table: &str) -> String {
    numbers.map(|number| format!("\"p{number:02}@acme.example\" = {table}\n")).collect()
}

/// Returns the verdicts of `guardrail` on the case, leaving out [`Verdict::Passes`].
fn says(case: &Case, guardrail: Guardrail) -> Vec<&'static str> {
    let resolved = case.resolve();
    let plan = resolved.plan().unwrap();
    let reviewed = resolved.review(plan);
    let of_it = reviewed.findings.iter().filter(|finding| finding.figure.guardrail() == guardrail);
    let verdicts = of_it.filter_map(|finding| match finding.verdict {
        Verdict::Passes => None,
        Verdict::Warns => Some("warns"),
        Verdict::Acknowledged { .. } => Some("acknowledged"),
        Verdict::Blocks => Some("blocks"),
    });
    verdicts.collect()
}

/// Returns a case for `max_changes` in which `changed` of the `declared` members become viewers.
fn of_changes(changed: usize, declared: usize, rule: &str) -> Case {
    let mut people = Vec::new();
    add(&mut people, declared, "role_member", "active");
    let text = format!(
        "{rule}\n[users]\n{}{}",
        declare(0..changed, "{ role = \"Viewer\" }"),
        declare(changed..declared, "{ role = \"Member\" }")
    );
    Case { people, token_user: None, text }
}

/// Returns a case for `keep_at_least` and `keep_active`: `lost` of the `before` active Admins become members or go away,
/// depending on `table`.
fn of_losses(table: &str, before: usize, lost: usize, rule: &str) -> Case {
    let mut people = Vec::new();
    add(&mut people, before, "role_admin", "active");
    let text = format!("{rule}\n[users]\n{}", declare(0..lost, table));
    Case { people, token_user: None, text }
}

fn acknowledge(keys: &str) -> String {
    format!("[[acknowledge]]\n{keys}\nreason = \"r\"\nexpires = 2026-12-01\n")
}

const PASSES: &[&str] = &[];
const WARNS: &[&str] = &["warns"];
const ACKNOWLEDGED: &[&str] = &["acknowledged"];
const BLOCKS: &[&str] = &["blocks"];

type Row = (Case, &'static [&'static str]);

/// Returns cases at and past the limit of a guardrail, with the expected verdicts.
fn table(guardrail: Guardrail) -> Vec<Row> {
    match guardrail {
        Guardrail::MaxChanges => max_changes(),
        Guardrail::KeepAtLeast => keep_at_least(),
        Guardrail::KeepAtMost => keep_at_most(),
        Guardrail::KeepActive => keep_active(),
        Guardrail::Protected => protected(),
        Guardrail::TokenOwner => token_owner(),
        Guardrail::Rule => role_rule(),
        // Each pair is the number of people in Pylon and the number declared. None, one, or two people are unmanaged or missing.
        Guardrail::Unmanaged => unmanaged_or_missing("unmanaged", [(2, 2), (3, 2), (4, 2)]),
        Guardrail::Missing => unmanaged_or_missing("missing", [(2, 2), (2, 3), (2, 4)]),
    }
}

fn max_changes() -> Vec<Row> {
    let count = |count: u64| format!("[guardrails]\nmax_changes = {count}\n");
    let share = |share: u64| format!("[guardrails]\nmax_changes = \"{share}%\"\n");
    let up_to = |figure: u64| acknowledge(&format!("guardrail = \"max_changes\"\nup_to = {figure}"));
    let rows = [
        (0, 3, count(0), PASSES),
        (1, 3, count(0), BLOCKS),
        (2, 3, count(2), PASSES),
        (3, 3, count(2), BLOCKS),
        (10, 10, String::new(), PASSES), // a percentage always allows ten changes
        (10, 39, String::new(), PASSES), // 25% of 39 is 9, but the limit of a percentage is never below 10
        (11, 43, String::new(), BLOCKS), // 25% of 43 is 10
        (11, 44, String::new(), PASSES), // 25% of 44 is 11
        (12, 47, String::new(), BLOCKS), // 25% of 47 is still 11
        (10, 20, share(0), PASSES),
        (11, 20, share(0), BLOCKS),
        (20, 20, share(100), PASSES),
        (3, 3, count(2) + &up_to(3), ACKNOWLEDGED),
        (3, 3, count(1) + &up_to(2), BLOCKS),
    ];
    rows.map(|(changed, declared, rule, says)| (of_changes(changed, declared, &rule), says)).to_vec()
}

fn keep_at_least() -> Vec<Row> {
    let minimum = |minimum: u64| format!("[guardrails]\nkeep_at_least = {{ Admin = {minimum} }}\n");
    let down_to = |figure: u64| {
        acknowledge(&format!("guardrail = \"keep_at_least\"\nrole = \"admin\"\ndown_to = {figure}"))
    };
    let rows = [
        (4, 2, String::new(), PASSES), // the default minimum is two
        (3, 2, String::new(), BLOCKS),
        (5, 2, minimum(3), PASSES),
        (5, 3, minimum(3), BLOCKS),
        (1, 0, minimum(3), WARNS), // already below the minimum, and not because of this plan
        (1, 1, minimum(3), BLOCKS),
        (2, 2, minimum(0), PASSES),
        (3, 2, minimum(2) + &down_to(1), ACKNOWLEDGED),
        (3, 3, minimum(2) + &down_to(1), BLOCKS),
    ];
    rows.map(|(before, lost, rule, says)| (of_losses(TO_MEMBER, before, lost, &rule), says)).to_vec()
}

/// Returns a case for `keep_at_most`: `lost` of the `before` Admins become members, while `gained` viewers become Admins.
fn of_seats(before: usize, lost: usize, gained: usize, rule: &str) -> Case {
    let mut people = Vec::new();
    add(&mut people, before, "role_admin", "active");
    add(&mut people, gained, "role_viewer", "active");
    let gains = declare(before..before + gained, "{ role = \"Admin\" }");
    let text = format!("{rule}\n[users]\n{}{gains}", declare(0..lost, TO_MEMBER));
    Case { people, token_user: None, text }
}

fn keep_at_most() -> Vec<Row> {
    let both = |minimum: u64, maximum: u64| {
        format!(
            "[guardrails]\nkeep_at_least = {{ Admin = {minimum} }}\nkeep_at_most = {{ admin = {maximum} }}\n"
        )
    };
    let maximum = |maximum: u64| both(0, maximum);
    let up_to = |figure: u64| {
        acknowledge(&format!("guardrail = \"keep_at_most\"\nrole = \"role_admin\"\nup_to = {figure}"))
    };
    let twice = "[guardrails]\nkeep_at_least = {}\nkeep_at_most = { Admin = 9, admin = 4 }\n".to_owned();
    let rows = [
        (3, 0, 2, maximum(5), PASSES),
        (3, 0, 3, maximum(5), BLOCKS),
        (3, 1, 3, maximum(5), PASSES),
        (3, 0, 2, twice, BLOCKS),
        (7, 1, 0, maximum(5), WARNS), // already above the maximum, and this plan lowers the count
        (7, 1, 1, maximum(5), WARNS),
        (7, 0, 1, maximum(5), BLOCKS),
        (0, 0, 1, maximum(0), BLOCKS),
        (3, 0, 3, maximum(5) + &up_to(6), ACKNOWLEDGED),
        (3, 0, 4, maximum(5) + &up_to(6), BLOCKS),
        (5, 2, 2, both(4, 5), PASSES), // alternates losses and gains
        (5, 2, 2, both(5, 5), BLOCKS), // any order would exceed one of the limits during the apply
        (5, 2, 2, both(5, 5) + &up_to(6), ACKNOWLEDGED),
        (6, 2, 2, both(6, 5) + &up_to(6), BLOCKS), // peaks at seven during the apply
    ];
    rows.map(|(before, lost, gained, rule, says)| (of_seats(before, lost, gained, &rule), says)).to_vec()
}

#[test]
fn a_maximum_can_be_any_number_that_the_reader_accepts() {
    for maximum in [1_u64 << 62, (1 << 63) - 1] {
        let rule = format!(
            "[guardrails]\nkeep_at_least = {{ Admin = 5 }}\nkeep_at_most = {{ Admin = 5, Member = {maximum} }}\n"
        );
        // No order stays within both limits for Admin. The planned order exceeds them by as little as possible.
        assert_eq!(says(&of_seats(5, 2, 2, &rule), Guardrail::KeepAtMost), BLOCKS, "{maximum}");
    }
}

fn keep_active() -> Vec<Row> {
    let minimum = |minimum: u64| format!("[guardrails]\nkeep_active = {minimum}\n");
    let down_to = |figure: u64| acknowledge(&format!("guardrail = \"keep_active\"\ndown_to = {figure}"));
    let rows = [
        (3, 3, String::new(), PASSES),
        (3, 1, minimum(2), PASSES),
        (3, 2, minimum(2), BLOCKS),
        (1, 0, minimum(2), WARNS),
        (1, 1, minimum(2), BLOCKS),
        (3, 2, minimum(2) + &down_to(1), ACKNOWLEDGED),
        (3, 3, minimum(2) + &down_to(1), BLOCKS),
    ];
    rows.map(|(before, lost, rule, says)| (of_losses(AWAY, before, lost, &rule), says)).to_vec()
}

/// Returns cases with two Admins, in which only person 0 changes.
fn protected() -> Vec<Row> {
    let protect = |who: &str| format!("[guardrails]\nkeep_at_least = {{}}\nprotected = [\"{who}\"]\n");
    let user = |who: &str| acknowledge(&format!("guardrail = \"protected\"\nuser = \"{who}\""));
    let rows = [
        (protect("p00@acme.example"), BLOCKS),
        (protect("P00@Acme.example"), BLOCKS),
        (protect("p00@old.example"), BLOCKS),
        (protect("p01@acme.example"), PASSES),
        (protect("nobody@acme.example"), WARNS),
        (protect("p00@acme.example") + &user("p00@old.example"), ACKNOWLEDGED),
        (protect("p00@acme.example") + &user("p01@acme.example"), BLOCKS),
    ];
    rows.map(|(rule, says)| (of_losses(TO_MEMBER, 2, 1, &rule), says)).to_vec()
}

/// Returns cases with five Admins, in which only person 0 changes.
fn token_owner() -> Vec<Row> {
    let user = |who: &str| acknowledge(&format!("guardrail = \"token_owner\"\nuser = \"{who}\""));
    let of_another_role = "[guardrails]\nkeep_at_least = { Viewer = 0 }".to_owned();
    let rows = [
        (String::new(), TO_MEMBER, Some("u_00"), BLOCKS),
        (String::new(), TO_MEMBER, Some("u_01"), PASSES), // the token belongs to a different Admin
        (String::new(), TO_MEMBER, None, PASSES),
        (String::new(), AWAY, Some("u_00"), PASSES),
        (of_another_role, TO_MEMBER, Some("u_00"), BLOCKS), // the token owner's Admin role counts even without a minimum
        (user("p00@old.example"), TO_MEMBER, Some("u_00"), ACKNOWLEDGED),
        (user("p01@acme.example"), TO_MEMBER, Some("u_00"), BLOCKS),
    ];
    rows.map(|(rule, table, owner, says)| {
        (Case { token_user: owner.and_then(UserId::new), ..of_losses(table, 5, 1, &rule) }, says)
    })
    .to_vec()
}

/// Returns cases with three Admins. Person 1 becomes a Member, and the other two are unmanaged. Each person also has an address
/// at `old.example`.
fn role_rule() -> Vec<Row> {
    let rule = |emails: &str, roles: &str, more: &str| {
        format!(
            "[guardrails]\nkeep_at_least = {{ Admin = 0 }}\n[[rule]]\nemails = {emails:?}\nroles = [{roles}]\nreason = \"r\"\n{more}\n"
        )
    };
    let block = "on_violation = \"block\"";
    let user = |who: &str| acknowledge(&format!("guardrail = \"rule\"\nuser = \"{who}\""));
    let all_but = |except: &str| format!("on_violation = \"block\"\nexcept = [{except}]");
    let rows = [
        (rule("p02@acme.example", "\"Member\"", block), BLOCKS),
        (rule("p02@acme.example", "\"Member\"", ""), WARNS),
        (rule("P*@acme.example", "\"Member\"", block), BLOCKS),
        (rule("p02@acme.example", "\"Member\", \"role_admin\"", block), PASSES),
        (rule("p02@old.example", "\"Member\"", block), BLOCKS), // a secondary address of the same person
        (rule("p01@acme.example", "\"Member\"", block), PASSES), // the plan itself fixes the violation
        (rule("p03@acme.example", "\"Member\"", block), PASSES),
        (rule("*@acme.example", "\"Member\"", &all_but("\"p00@old.example\", \"p02@acme.example\"")), PASSES),
        (rule("*@acme.example", "\"Member\"", &all_but("\"p00@old.example\"")), BLOCKS),
        (rule("p02@acme.example", "\"Member\"", block) + &user("p02@old.example"), ACKNOWLEDGED),
        (rule("p02@acme.example", "\"Member\"", block) + &user("p00@acme.example"), BLOCKS),
    ];
    rows.map(|(rule, says)| {
        let mut people = Vec::new();
        add(&mut people, 3, "role_admin", "active");
        let text = format!("{rule}[users]\n{}", declare(1..2, TO_MEMBER));
        (Case { people, token_user: None, text }, says)
    })
    .to_vec()
}

/// Builds rows from three pairs. Each pair is the number of people in Pylon and the number declared. The two numbers are equal
/// in `even`, differ by one in `one`, and differ by two in `two`.
fn unmanaged_or_missing(guardrail: &str, [even, one, two]: [(usize, usize); 3]) -> Vec<Row> {
    let rule = |word: &str| format!("[guardrails]\n{guardrail} = \"{word}\"\n");
    let up_to = |figure: u64| acknowledge(&format!("guardrail = \"{guardrail}\"\nup_to = {figure}"));
    let rows = [
        (rule("block"), even, PASSES),
        (rule("block"), one, BLOCKS),
        (rule("report"), two, PASSES),
        (rule("block") + &up_to(2), two, ACKNOWLEDGED),
        (rule("block") + &up_to(1), two, BLOCKS),
    ];
    rows.map(|(rule, (there, declared), says)| {
        let mut people = Vec::new();
        add(&mut people, there, "role_member", "active");
        let text = format!("{rule}\n[users]\n{}", declare(0..declared, "{}"));
        (Case { people, token_user: None, text }, says)
    })
    .to_vec()
}

#[test]
fn each_guardrail_passes_at_its_limit_and_blocks_one_beyond() {
    for guardrail in Guardrail::ALL {
        let table = table(guardrail);
        for (case, expected) in &table {
            assert_eq!(says(case, guardrail), *expected, "{guardrail:?} of {case:?}");
        }
        for verdict in [PASSES, BLOCKS, ACKNOWLEDGED] {
            assert!(table.iter().any(|(_, says)| *says == verdict), "{guardrail:?} never says {verdict:?}");
        }
    }
}

#[test]
fn an_acknowledgment_is_active_until_just_before_it_expires() {
    for (expires, expected) in
        [("2026-11-20T08:00:00.000000001Z", "acknowledged"), ("2026-11-20T08:00:00Z", "blocks")]
    {
        let rule = format!(
            "[guardrails]\nmax_changes = 0\n[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 1\nreason = \"r\"\nexpires = {expires}"
        );
        assert_eq!(says(&of_changes(1, 1, &rule), Guardrail::MaxChanges), [expected], "{expires}");
    }
}

#[test]
fn a_role_guarded_under_two_names_has_the_higher_minimum() {
    let rule = "[guardrails]\nkeep_at_least = { Admin = 3, admin = 4, role_admin = 1 }";
    let case = of_losses(TO_MEMBER, 5, 1, rule);
    let resolved = case.resolve();
    let reviewed = resolved.review(resolved.plan().unwrap());
    let role = RoleId("role_admin".into());
    assert_eq!(reviewed.minimums, [RoleCount { role, limit: 4, before: 5, after: 4, during: None }]);
}

#[test]
fn a_role_that_is_assigned_and_from_a_group_breaks_a_rule_once_and_acknowledged_people_come_last() {
    let mut people = Vec::new();
    add(&mut people, 2, "role_member", "active");
    people[1].held.role.from_scim = vec!["role_member".into()];
    let rule = "[[rule]]\nemails = \"*@acme.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\n";
    let accepted = acknowledge("guardrail = \"rule\"\nuser = \"p00@acme.example\"");
    let case = Case { people, token_user: None, text: format!("{rule}{accepted}[users]\n") };
    let resolved = case.resolve();
    let reviewed = resolved.review(resolved.plan().unwrap());
    let violations = reviewed.findings.iter().filter_map(|finding| match &finding.figure {
        Figure::Rule(violation) => {
            Some((&finding.verdict, violation.holders.len(), violation.holders[0].0.as_str()))
        }
        _ => None,
    });
    assert_eq!(
        violations.collect::<Vec<_>>(),
        [
            (&Verdict::Warns, 1, "p01@acme.example"),
            (&Verdict::Acknowledged { reason: "r".into() }, 1, "p00@acme.example"),
        ]
    );
}

#[test]
fn a_scheduled_change_is_counted_with_the_declared_people_who_have_no_windows() {
    const WINDOW: &str =
        "{ windows = [{ from = 2026-11-22, until = 2026-11-24, status = \"away\", then = \"active\" }] }";
    let mut people = Vec::new();
    add(&mut people, 60, "role_admin", "active");
    let users = format!("[users]\n{}{}", declare(0..12, WINDOW), declare(12..60, "{}"));
    let blocked_by = |share: &str| {
        let text = format!("[guardrails]\nmax_changes = \"{share}\"\n{users}");
        let resolved = Case { people: people.clone(), token_user: None, text }.resolve();
        let plan = resolved.plan().unwrap();
        let coming = forecast(&resolved.roster, &resolved.observed, &resolved.roles, &plan, now());
        coming[0].blocked_by.clone()
    };
    assert_eq!(blocked_by("20%"), []);
    assert_eq!(blocked_by("19%"), [Figure::Changes { changed: 12, declared: 60, limit: 11 }]);
}
