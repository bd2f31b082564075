//! The table of commands, with the text for their help and manual pages.

/// The documentation of a command beyond its summary and flags, which are in `crate::cli`.
#[derive(Debug)]
pub struct Verb {
    pub name: &'static str,
    /// The description following the one-line summary.
    pub more: &'static str,
    /// Example commands, along with descriptions. The short help shows only the first example.
    pub examples: &'static [(&'static str, &'static str)],
    /// The command's exit codes, except 64, which means the same for every command.
    pub exits: &'static [(&'static str, &'static str)],
    /// The common flags that don't apply to this command and are therefore hidden from its help.
    pub unused: &'static [&'static str],
}

/// The groups in the list of commands, each with its commands.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("Main", &["plan", "apply", "rollback"]),
    ("Files", &["import", "validate", "fmt", "compare", "agenda", "show"]),
    ("Inspect", &["explain", "roles", "access", "doctor"]),
    ("Other", &["demo", "sandbox", "schema", "completions", "man"]),
];

/// Flags that don't apply to commands without a connection to Pylon.
const NO_PROGRESS: &[&str] = &["quiet", "verbose"];
/// Flags that don't apply to commands that print plain text instead of a report.
const NO_REPORT: &[&str] = &["config", "format", "report", "markdown_limit", "quiet", "verbose"];

const SHOWN: (&str, &str) = ("0", "success");
const REFUSED: (&str, &str) = ("3", "blocked by a guardrail; nothing was changed");
const HALF_WRITTEN: (&str, &str) = ("4", "some files were written, but others were not");
const CARRIED: &[(&str, &str)] = &[
    ("0", "every change was applied, or there was nothing to change"),
    ("1", "failed; nothing was changed"),
    REFUSED,
    ("4", "some changes were or may have been applied, but not all of them"),
    ("5", "the saved plan cannot be applied, or the plan has changed since it was shown"),
    ("129, 130, 143", "stopped by a signal; run it again to continue"),
];

pub const VERBS: &[Verb] = &[
    Verb {
        name: "plan",
        more: "Reads the files and the organization, and shows how they differ: who would change, what the guardrails report, \
               who is not found in Pylon, and which changes are scheduled. Nothing is changed.",
        examples: &[
            ("rolecall plan", "show what would change now"),
            ("rolecall plan -o plan.json", "also save the plan for `rolecall apply plan.json`"),
            ("rolecall plan --at 2026-12-20", "show what would change on that day"),
            ("rolecall plan --only bo@acme.example", "plan for one person only"),
            ("rolecall plan --blame", "also show who last changed each value in Pylon"),
            (
                "rolecall plan --base main",
                "also show whether each change comes from these files, a window, or drift",
            ),
            ("rolecall plan --report markdown=plan.md", "also write a comment for the pull request"),
        ],
        exits: &[
            SHOWN,
            ("1", "failed"),
            ("2", "there are changes to apply (with --detailed-exitcode)"),
            ("3", "a guardrail blocks the plan"),
        ],
        unused: &[],
    },
    Verb {
        name: "apply",
        more: "Makes a new plan, or takes a saved plan that was reviewed. Shows the plan and asks for confirmation. Sends only the \
               requests that are needed, within Pylon's rate limit, and then reads each person back to confirm the change. \
               Running it again sends only the changes that are not applied yet.",
        examples: &[
            ("rolecall apply", "show the plan and ask for confirmation"),
            ("rolecall apply --auto-approve", "apply without asking, for pipelines with reviewed changes"),
            ("rolecall apply plan.json --auto-approve", "apply exactly the saved plan, or nothing"),
        ],
        exits: CARRIED,
        unused: &[],
    },
    Verb {
        name: "rollback",
        more: "Undoes one apply: restores the earlier values of each person that it changed, unless someone else has changed those \
               values since. Edit users.toml too, because the next apply would otherwise undo the rollback. The report shows \
               which lines to edit.",
        examples: &[
            ("rolecall rollback", "list the journals of this config"),
            ("rolecall rollback --last --dry-run", "show what undoing the newest apply would change"),
            ("rolecall rollback --last", "undo the newest apply"),
            ("rolecall rollback .rolecall/journal/20261120T080000Z-4711-5e0c9b1f.jsonl", "undo this apply"),
        ],
        exits: &[
            ("0", "every change was applied, or there was nothing to change"),
            ("1", "failed; nothing was changed"),
            REFUSED,
            ("4", "some changes were or may have been applied, but not all of them"),
            ("5", "the plan has changed since it was shown; nothing was changed"),
            (
                "129, 130, 143",
                "stopped by a signal; to continue, run it again with the same journal, not with --last",
            ),
        ],
        unused: &[],
    },
    Verb {
        name: "import",
        more: "Writes a new users.toml, and never overwrites a file. With --split-by, writes the people to team files in teams/, \
               which must not contain a TOML file yet. With --update, changes the existing files: sets each declared value \
               that differs to the value in Pylon. With --state, writes a state file for the sandbox instead.",
        examples: &[
            ("rolecall import", "write users.toml"),
            (
                "rolecall import --split-by role",
                "write users.toml, and teams/admin.toml, teams/member.toml, …",
            ),
            ("rolecall import --update --diff", "show what would change in the files"),
            ("rolecall import --update --into teams/emea.toml", "also add unmanaged people"),
            ("rolecall import --state pylon.json", "copy the organization for the sandbox"),
        ],
        exits: &[("0", "success, or nothing to write"), ("1", "failed; nothing was written"), HALF_WRITTEN],
        unused: &[],
    },
    Verb {
        name: "validate",
        more: "Reads the root file and every file that it includes, without connecting to Pylon. Reports every problem with its file, \
               line, and column. Also warns about probable mistakes and entries that have no effect.",
        examples: &[
            ("rolecall validate", "check users.toml and the files that it includes"),
            ("rolecall validate people/users.toml", "check another root file"),
            ("rolecall validate - < users.toml", "check standard input"),
            ("rolecall validate --deny warnings", "also fail on warnings (for pipelines)"),
        ],
        exits: &[
            ("0", "the files are valid"),
            ("1", "a file is not valid, or there is a warning and --deny warnings is given"),
        ],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "fmt",
        more: "Formats the root file and every file that it includes. The declared values stay the same.",
        examples: &[
            ("rolecall fmt", "format the files"),
            ("rolecall fmt --check", "fail if a file is not formatted (for pipelines)"),
            ("rolecall fmt --diff", "show what would change"),
            ("rolecall fmt teams/emea.toml", "format only this file"),
            ("rolecall fmt - < users.toml", "format standard input to standard output (for editors)"),
        ],
        exits: &[
            ("0", "the files are formatted"),
            ("1", "a file is not valid or cannot be written"),
            ("2", "a file would change (with --check)"),
            HALF_WRITTEN,
        ],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "compare",
        more: "Compares the people, windows, guardrails, rules, policy, acknowledgments, and pinned organization in two versions of \
               the files, without connecting to Pylon. Also shows differences that take effect later. Works in pipelines that \
               have no token. Different spellings of the same value count as equal.",
        examples: &[
            ("rolecall compare main", "show how these files differ from the branch main"),
            ("rolecall compare HEAD~1 HEAD", "show what the last commit changed"),
            (
                "rolecall compare base/users.toml users.toml --format markdown",
                "compare two files, and print a Markdown comment",
            ),
        ],
        exits: &[
            SHOWN,
            ("1", "a file is not valid"),
            ("2", "the versions differ (with --detailed-exitcode)"),
        ],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "agenda",
        more: "Scheduled changes are made when an apply runs, so run `rolecall apply` on a schedule.",
        examples: &[
            ("rolecall agenda", "list all scheduled changes"),
            ("rolecall agenda --until 2027-01-31", "list the changes before a day"),
        ],
        exits: &[SHOWN, ("1", "the files are not valid")],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "show",
        more: "Prints the report of a saved plan, in any format except CSV: who would have changed, and why, when the plan was saved. It needs \
               neither the files nor Pylon. `rolecall apply FILE` checks whether the plan can still be applied.",
        examples: &[
            ("rolecall show plan.json", "read the plan that a pipeline saved"),
            ("rolecall show plan.json --format html > plan.html", "as a web page"),
        ],
        exits: &[SHOWN, ("1", "the file cannot be read, or is not a saved plan")],
        unused: &["config", "quiet", "verbose"],
    },
    Verb {
        name: "explain",
        more: "For each declared value, shows where it comes from (a line, default, or window), the value in Pylon, what an apply \
               would change, and what is scheduled. If known, also shows the commit that last changed the line and the latest \
               changes in the audit log. Also works for unmanaged people. If given the code of an error instead, shows what \
               the code means and what to do, which needs neither the files nor Pylon.",
        examples: &[
            ("rolecall explain bo@acme.example", "find the person by any address in Pylon"),
            ("rolecall explain lindqvist", "find the person by part of the name or address"),
            ("rolecall explain roster::bad_email", "show what an error means, and what to do"),
        ],
        exits: &[SHOWN, ("1", "failed, no person matches, or several people match")],
        unused: &[],
    },
    Verb {
        name: "roles",
        more: "Shows the name, slug, and ID of each role, how many people hold it, and how many are declared with it. It works \
               without a users.toml.",
        examples: &[("rolecall roles", "list the names that `role =` accepts")],
        exits: &[SHOWN, ("1", "failed")],
        unused: &[],
    },
    Verb {
        name: "access",
        more: "Lists every account in Pylon with its roles, and shows who set them and when. For declared people, also shows the line \
               in the file, the commit that last changed it, and what differs. Admins and other guarded roles come first. \
               Works without a users.toml, and never changes anything.",
        examples: &[
            ("rolecall access", "show who has access"),
            ("rolecall access --format csv > access.csv", "as a table for an auditor"),
            ("rolecall access --since access-2026-08.json", "also show what changed since that review"),
            (
                "rolecall access --report html=access.html --report json=access.json",
                "save a page and a machine-readable copy",
            ),
        ],
        exits: &[SHOWN, ("1", "failed")],
        unused: &[],
    },
    Verb {
        name: "doctor",
        more: "Checks the files, token, region, pinned organization, roles, clock, proxy, certificates, journal folder, and last \
               apply. Explains how to fix each problem. Changes nothing.",
        examples: &[("rolecall doctor", "check the setup before the first plan or after a failure")],
        exits: &[("0", "no check failed"), ("1", "a check failed")],
        unused: &[],
    },
    Verb {
        name: "demo",
        more: "Writes the files of a small organization into a new folder, and shows their plan. The fake Pylon is built into rolecall, so it needs \
               no token and no network.",
        examples: &[("rolecall demo", "write the example to rolecall-demo/")],
        exits: &[SHOWN, ("1", "the folder already exists, or cannot be written")],
        unused: &["config", "quiet", "verbose"],
    },
    Verb {
        name: "sandbox",
        more: "Listens on 127.0.0.1 and responds like Pylon until it is interrupted. Prints two lines to paste into a shell to \
               connect rolecall to it. To use a sandbox for one run only, add --sandbox to another command instead. With \
               --write-state, writes a description of an organization for you to edit, and exits.",
        examples: &[
            ("rolecall sandbox", "start with 12 generated people on any free port"),
            ("rolecall sandbox --people 50 --limits patch=20", "more people and a lower rate limit"),
            ("rolecall sandbox --state pylon.json --faults 500=0.1", "your organization, with 10% errors"),
            ("rolecall sandbox --write-state pylon.json", "write a description to edit, and exit"),
        ],
        exits: &[
            ("0", "interrupted, or the description was written"),
            ("1", "failed"),
            ("129", "stopped by SIGHUP"),
            ("143", "stopped by SIGTERM"),
        ],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "schema",
        more: "With the schema, an editor completes and explains keys and values, and marks mistakes. Save it next to \
               users.toml, and make this the first line of users.toml: #:schema ./users.schema.json",
        examples: &[
            ("rolecall schema > users.schema.json", "for users.toml and team files"),
            ("rolecall schema report > report.schema.json", "for the output of --format json"),
            ("rolecall schema plan > plan.schema.json", "for plans saved by `rolecall plan -o`"),
        ],
        exits: &[SHOWN],
        unused: NO_REPORT,
    },
    Verb {
        name: "completions",
        more: "Save the script where your shell looks for completions, or load it when your shell starts.",
        examples: &[
            ("rolecall completions bash > rolecall.bash", "add `source rolecall.bash` to ~/.bashrc"),
            ("rolecall completions zsh > ~/.zfunc/_rolecall", "~/.zfunc must be in fpath"),
            ("rolecall completions fish > ~/.config/fish/completions/rolecall.fish", ""),
        ],
        exits: &[SHOWN],
        unused: NO_REPORT,
    },
    Verb {
        name: "man",
        more: "Without a command, prints the man page of rolecall itself. Packagers can write all man pages to a folder.",
        examples: &[
            ("rolecall man plan | man -l -", "read the page of `rolecall plan`"),
            ("rolecall man --into share/man/man1", "write rolecall.1, rolecall-plan.1, and the others"),
        ],
        exits: &[SHOWN, ("1", "a page could not be written")],
        unused: NO_REPORT,
    },
];
