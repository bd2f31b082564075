//! The table: each verb with what is told about it, in the order in which people need them.

/// What is told about a verb, beside its one sentence and its flags (`crate::cli`).
#[derive(Debug)]
pub struct Verb {
    pub name: &'static str,
    /// What the one sentence leaves out.
    pub more: &'static str,
    /// Commands to copy, each with what it does; the first is the one of the short help.
    pub examples: &'static [(&'static str, &'static str)],
    /// What its exit codes mean; 64 means the same everywhere.
    pub exits: &'static [(&'static str, &'static str)],
    /// The common flags that it has no use for.
    pub unused: &'static [&'static str],
}

/// Headings of the list of verbs, and what stands below them.
pub const GROUPS: &[(&str, &[&str])] = &[
    ("The main job", &["plan", "apply", "rollback"]),
    ("The files", &["import", "validate", "fmt", "compare", "agenda"]),
    ("A closer look", &["explain", "roles", "doctor"]),
    ("Around it", &["sandbox", "schema", "completions", "man"]),
];

/// What is common to verbs that ask nobody.
const NO_PROGRESS: &[&str] = &["quiet", "verbose"];
/// What is common to verbs that print a text of their own.
const NO_REPORT: &[&str] = &["config", "format", "report", "markdown_limit", "quiet", "verbose"];

const SHOWN: (&str, &str) = ("0", "shown");
const REFUSED: (&str, &str) = ("3", "refused by a guardrail");
const HALF_WRITTEN: (&str, &str) = ("4", "some files are written, and others are not");
const CARRIED: &[(&str, &str)] = &[
    ("0", "all applied, or nothing to do"),
    ("1", "could not do it, and nothing was changed"),
    REFUSED,
    ("4", "changed, but not all of it is applied"),
    ("5", "the saved plan is stale, damaged or not for this organization; or a `yes` came too late"),
    ("129, 130, 143", "stopped by a signal; run it again"),
];

pub const VERBS: &[Verb] = &[
    Verb {
        name: "plan",
        more: "Reads the files, asks Pylon how things stand, and shows the difference: who would change, what the guardrails say, \
               who is missing, and what windows will bring by themselves. Nothing is changed.",
        examples: &[
            ("rolecall plan", "what would change now"),
            ("rolecall plan -o plan.json", "the same, saved for `apply plan.json`"),
            ("rolecall plan --at 2026-12-20", "what would change on that day"),
            ("rolecall plan --only bo@acme.example", "one person alone"),
            ("rolecall plan --blame", "and who changed it in Pylon"),
            ("rolecall plan --report markdown=plan.md", "a comment for the pull request as well"),
        ],
        exits: &[SHOWN, ("1", "could not be made"), ("2", "changes pending (--detailed-exitcode)"), REFUSED],
        unused: &[],
    },
    Verb {
        name: "apply",
        more: "Plans anew, or takes a plan that was saved and reviewed; shows it and asks; sends only what is needed, within the \
               pace that Pylon allows; reads back what is true afterwards. A second run sends only what is not applied.",
        examples: &[
            ("rolecall apply", "shows the plan, and asks"),
            ("rolecall apply --auto-approve", "for pipelines, where it was reviewed before"),
            ("rolecall apply plan.json --auto-approve", "what was reviewed, or nothing"),
        ],
        exits: CARRIED,
        unused: &[],
    },
    Verb {
        name: "rollback",
        more: "Each person gets back what they had before, unless somebody has changed it since. What users.toml still declares, \
               the next apply would set again: the report says what to change there.",
        examples: &[
            ("rolecall rollback .rolecall/journal/20261120T080000Z-4711-5e0c9b1f.jsonl", "the way back"),
            ("rolecall rollback", "the newest journals, to choose from"),
        ],
        exits: &[
            ("0", "all applied, or nothing to do"),
            ("1", "could not do it, and nothing was changed"),
            REFUSED,
            ("4", "changed, but not all of it is applied"),
            ("5", "a `yes` came too late, and the plan is another by now"),
            ("129, 130, 143", "stopped by a signal; run it again"),
        ],
        unused: &[],
    },
    Verb {
        name: "import",
        more: "Without --update it writes a new file; it never overwrites one. With --update live values replace declared ones that \
               differ, and comments, order and layout stay. With --state it writes the organization as a state of the sandbox.",
        examples: &[
            ("rolecall import", "writes users.toml"),
            ("rolecall import --update --diff", "what would change in the files"),
            ("rolecall import --update --into teams/new.toml", "unmanaged people too"),
            ("rolecall import --state pylon.json", "the organization, for the sandbox"),
        ],
        exits: &[("0", "written, or nothing to write"), ("1", "nothing was written"), HALF_WRITTEN],
        unused: &[],
    },
    Verb {
        name: "validate",
        more: "Reads the root file and every file that it includes, asks nobody, and reports everything that is wrong at once, \
               with file, line and column.",
        examples: &[
            ("rolecall validate", "users.toml and what it includes"),
            ("rolecall validate people/users.toml", "another root file"),
            ("rolecall validate - < users.toml", "standard input"),
        ],
        exits: &[("0", "valid"), ("1", "not valid")],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "fmt",
        more: "The root file and every file that it includes. What is declared stays the same.",
        examples: &[
            ("rolecall fmt", "writes the files"),
            ("rolecall fmt --check", "for pipelines: writes nothing"),
            ("rolecall fmt --diff", "what would change"),
            ("rolecall fmt teams/emea.toml", "this file, and no other"),
            ("rolecall fmt - < users.toml", "writes to standard output, for editors"),
        ],
        exits: &[
            ("0", "formatted, or as it should be"),
            ("1", "the files are not valid, or cannot be written"),
            ("2", "a file would change (--check)"),
            HALF_WRITTEN,
        ],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "compare",
        more: "Offline: people, windows, guardrails, policy, accepted risks, the pin; so also what changes for later, and all there is \
               where a pipeline has no token. What means the same is no difference.",
        examples: &[
            ("rolecall compare base/users.toml users.toml", "what a branch changes"),
            ("rolecall compare base/users.toml users.toml --format markdown", "as a comment"),
        ],
        exits: &[SHOWN, ("1", "a file is not valid"), ("2", "they differ (--detailed-exitcode)")],
        unused: &["config", "quiet", "verbose"],
    },
    Verb {
        name: "agenda",
        more: "Transitions come when an apply runs, so run it on a schedule.",
        examples: &[
            ("rolecall agenda", "everything that is ahead"),
            ("rolecall agenda --until 2027-01-31", "the next weeks"),
        ],
        exits: &[SHOWN, ("1", "the files are not valid")],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "explain",
        more: "Every value with its place in the files, default or window, what Pylon has, what an apply would do, what comes next. \
               People who are unmanaged are shown too.",
        examples: &[("rolecall explain bo@acme.example", "by any address that Pylon knows")],
        exits: &[
            SHOWN,
            ("1", "nobody has this address, or several people have, or it could not be found out"),
        ],
        unused: &[],
    },
    Verb {
        name: "roles",
        more: "Name, slug and id of each role, how many hold it, how many are declared with it. It serves before there is a \
               users.toml too.",
        examples: &[("rolecall roles", "what may stand behind `role =`")],
        exits: &[SHOWN, ("1", "could not be read")],
        unused: &[],
    },
    Verb {
        name: "doctor",
        more: "Files, token, region, organization and pin, roles, clock, proxy, certificates, the last apply: each is checked, and what is wrong is \
               said with what to do. Nothing is changed.",
        examples: &[("rolecall doctor", "before the first plan, or when something is odd")],
        exits: &[("0", "it works"), ("1", "something has to be mended")],
        unused: &[],
    },
    Verb {
        name: "sandbox",
        more: "It responds as Pylon does, on 127.0.0.1, until it is interrupted, and prints the two lines that point rolecall to it. \
               For one run, --sandbox on another verb is shorter. With --write-state it writes a description of an organization to \
               edit, and exits.",
        examples: &[
            ("rolecall sandbox", "twelve invented people, any free port"),
            ("rolecall sandbox --people 50 --limits patch=20", "more people, less pace"),
            ("rolecall sandbox --state pylon.json --faults 500=0.1", "yours, and trouble"),
            ("rolecall sandbox --write-state pylon.json", "writes a description to edit, and exits"),
        ],
        exits: &[("0", "interrupted, or written"), ("1", "could not run"), ("143", "stopped by SIGTERM")],
        unused: NO_PROGRESS,
    },
    Verb {
        name: "schema",
        more: "An editor that knows it completes keys and values, explains them, and marks mistakes: put the schema beside users.toml, \
               and into the first line of users.toml: #:schema ./users.schema.json",
        examples: &[
            ("rolecall schema > users.schema.json", "of users.toml and team files"),
            ("rolecall schema report > report.schema.json", "of --format json"),
            ("rolecall schema plan > plan.schema.json", "of a plan saved by `plan -o`"),
        ],
        exits: &[("0", "printed")],
        unused: NO_REPORT,
    },
    Verb {
        name: "completions",
        more: "They go where your shell looks for them, or are read when it starts.",
        examples: &[
            ("rolecall completions bash > rolecall.bash", "and in ~/.bashrc: source rolecall.bash"),
            ("rolecall completions zsh > ~/.zfunc/_rolecall", "with ~/.zfunc in fpath"),
            ("rolecall completions fish > ~/.config/fish/completions/rolecall.fish", ""),
        ],
        exits: &[("0", "printed")],
        unused: NO_REPORT,
    },
    Verb {
        name: "man",
        more: "Without a verb the page of rolecall itself. Packagers write all of them into a folder.",
        examples: &[
            ("rolecall man plan | man -l -", "reads a page"),
            ("rolecall man --into share/man/man1", "writes rolecall.1, rolecall-plan.1, …"),
        ],
        exits: &[("0", "printed, or written"), ("1", "a page could not be written")],
        unused: NO_REPORT,
    },
];
