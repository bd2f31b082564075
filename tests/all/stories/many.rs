//! Tests for reports about lots of people. Equal changes collapse into one entry, but changes to guarded roles are always
//! listed.

use std::fmt::Write as _;

use crate::harness::Scene;

/// Sets up an organization in which Ana is an Admin, and `people` others are Members. The files make the last of these Members an
/// Admin, and the others Viewers.
fn scene(people: usize) -> Scene {
    let mut users =
        vec![r#"{ "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" }"#.to_owned()];
    let mut file = "[guardrails]\nmax_changes = 2000\n[defaults]\nrole = \"Viewer\"\n[users]\n\
                    \"ana@acme.example\" = { role = \"Admin\" }\n"
        .to_owned();
    for number in 1..=people {
        users.push(format!(
            r#"{{ "id": "u_{number}", "email": "p{number:04}@acme.example", "name": "P {number}", "role": "member" }}"#
        ));
        let role = if number == people { "{ role = \"Admin\" }" } else { "{}" };
        let _ = writeln!(file, "\"p{number:04}@acme.example\" = {role}");
    }
    let pylon = format!(
        r#"{{ "organization": {{ "id": "org_1", "name": "Acme" }}, "token_user": "u_ana", "users": [{}] }}"#,
        users.join(", ")
    );
    Scene::with_pylon(&pylon).file("users.toml", file)
}

#[test]
fn many_people_with_the_same_change_are_one_entry_and_guarded_roles_come_last() {
    let scene = scene(75);
    let expected = "rolecall plan · Acme (org_1, HOST) · 76 declared

  ~ 74 people   (--full lists them)
      role    Member → Viewer   users.toml:4, default
      p0001@acme.example, p0002@acme.example, p0003@acme.example and 71 more
  ! p0075@acme.example  P 75   gains Admin
      role    Member → Admin    users.toml:81

75 to change (75 roles) · 1 in sync
"
    .replace("HOST", &scene.host());
    let run = scene.run("plan");
    assert!(run.exits(0).stdout.starts_with(&expected), "{}", run.stdout);
}

#[test]
fn a_comment_has_a_title_above_the_guarded_roles_of_many_people() {
    let scene = scene(75);
    scene.run("plan --report markdown=plan.md").exits(0);
    let comment = std::fs::read_to_string(scene.folder().join("plan.md")).unwrap();
    let expected = "**Guardrails pass**: `75 of 76 change (limit 2000)`, `2 Admins remain (minimum 2)`.

| was → will be | people |
|:--|--:|
| role `Member` → `Viewer` | 74 |
| role `Member` → `Admin` | 1 |

**1 person gains or loses a guarded role**

| who | was → will be | why |
|:--|:--|:--|
| `p0075@acme.example`<br>`P 75` | role `Member` → `Admin`<br>**gains** `Admin` | `users.toml:81` |

<details><summary>74 other people change</summary>
";
    assert!(comment.contains(expected), "{comment}");
}

#[test]
fn option_full_lists_everyone() {
    let run = scene(75).run("plan --full");
    let listed =
        (1..=75).filter(|number| run.stdout.contains(&format!("~ p{number:04}@acme.example"))).count();
    assert_eq!(listed, 74, "{}", run.stdout);
}

#[test]
fn up_to_twenty_people_with_the_same_change_are_listed() {
    let run = scene(21).run("plan");
    assert!(run.stdout.contains("~ p0020@acme.example  P 20"), "{}", run.stdout);
    assert!(!run.stdout.contains("--full"), "{}", run.stdout);
}

#[test]
fn an_apply_groups_people_by_their_outcome() {
    let run = scene(75).run("apply --auto-approve");
    assert!(run.exits(0).stdout.contains("  ✓ 74 people   (--full lists them)\n"), "{}", run.stdout);
    assert!(run.stdout.contains("  ✓ p0075@acme.example  P 75   gains Admin\n"), "{}", run.stdout);
}
