//! Diagnostic codes for problems in the root file and its team files. docs/diagnostics.md documents each code, and a test keeps
//! the page complete.

use crate::problem::codes;

codes! {
    /// The diagnostic code of a problem in the root file or a team file.
    pub enum RosterCode {
        /// The file does not exist.
        FileMissing = "roster::file_missing",
        /// The path refers to a directory, a pipe, or a device.
        NotAFile = "roster::not_a_file",
        /// The file cannot be opened or read.
        FileUnreadable = "roster::file_unreadable",
        /// The file is larger than [`LARGEST_FILE`](super::read::LARGEST_FILE).
        FileTooLarge = "roster::file_too_large",
        /// The file is not valid UTF-8.
        NotUtf8 = "roster::not_utf8",
        /// The path contains a symbolic link that leads outside the folder of the root file.
        OutsideFolder = "roster::outside_folder",
        /// The file is not valid TOML.
        Syntax = "roster::syntax",
        UnknownKey = "roster::unknown_key",
        /// The key names a secret or an API host, neither of which belongs in a reviewed file.
        SecretInFile = "roster::secret_in_file",
        /// A team file contains a key that is allowed only in the root file.
        RootOnly = "roster::root_only",
        /// A key is below `[users]`, so TOML parses it as a person. It belongs at the top of the root file or in another table.
        MisplacedKey = "roster::misplaced_key",
        /// The value has the wrong type for its key.
        WrongType = "roster::wrong_type",
        /// The value has the right type, but is invalid for its key.
        BadValue = "roster::bad_value",
        /// A rule or an acknowledgment lacks a required key, or an acknowledgment has a key that doesn't apply to its guardrail.
        MissingKey = "roster::missing_key",
        BadEmail = "roster::bad_email",
        /// An address contains non-ASCII characters, but `allow_unicode_emails` is not set to `true`.
        UnicodeEmail = "roster::unicode_email",
        /// Two different addresses look the same.
        LookAlike = "roster::look_alike",
        /// A person is declared more than once.
        DuplicatePerson = "roster::duplicate_person",
        /// A key or a table is defined more than once in a file.
        DuplicateKey = "roster::duplicate_key",
        /// The status isn't one of the statuses that files can declare.
        UnknownStatus = "roster::unknown_status",
        /// An include pattern doesn't match any file.
        IncludeMatchesNothing = "roster::include_matches_nothing",
        /// An include pattern is invalid, its folder can't be read, or the root file is read from a pipe, which can't include
        /// files.
        BadInclude = "roster::bad_include",
        /// An include pattern matches the root file itself.
        IncludeLoop = "roster::include_loop",
        UnknownTimezone = "roster::unknown_timezone",
        /// The value isn't an instant, for example because the day doesn't exist or because a time has no date.
        BadTime = "roster::bad_time",
        /// A window ends before it starts, or at the same instant.
        BackwardsWindow = "roster::backwards_window",
        /// A window sets no field.
        EmptyWindow = "roster::empty_window",
        /// Two windows of a person overlap and set the same field.
        OverlappingWindows = "roster::overlapping_windows",
        /// A person has more than 366 windows.
        TooManyWindows = "roster::too_many_windows",
        /// A window sets a field, but the field has no declared value outside the window.
        NoWayBack = "roster::no_way_back",
        /// An email pattern is invalid.
        BadPattern = "roster::bad_pattern",
        /// A declared role violates a rule.
        AgainstRule = "roster::against_rule",
        /// An acknowledgment expires more than 30 days from now.
        ExpiresTooLate = "roster::expires_too_late",
    }
}
