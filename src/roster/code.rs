//! The diagnostic codes of this module. docs/diagnostics.md explains each of them, and a test keeps that page complete.

use crate::problem::codes;

codes! {
    /// Identifies a problem in the files.
    pub enum RosterCode {
        /// The file does not exist.
        FileMissing = "roster::file_missing",
        /// The path is a directory, a pipe, or a device.
        NotAFile = "roster::not_a_file",
        /// The file cannot be opened or read.
        FileUnreadable = "roster::file_unreadable",
        /// The file is larger than the limit.
        FileTooLarge = "roster::file_too_large",
        /// The file is not UTF-8.
        NotUtf8 = "roster::not_utf8",
        /// The path is a link to a file outside the folder of the config.
        OutsideFolder = "roster::outside_folder",
        /// The text is not valid TOML.
        Syntax = "roster::syntax",
        UnknownKey = "roster::unknown_key",
        /// The key would put a secret or a host into a reviewed file.
        SecretInFile = "roster::secret_in_file",
        /// A team file has a key that only the root file may have.
        RootOnly = "roster::root_only",
        /// A key of the root file is below `[users]`, so TOML reads it as a person.
        MisplacedKey = "roster::misplaced_key",
        /// The value has the wrong type for its key.
        WrongType = "roster::wrong_type",
        /// The value has the right type, but is not valid for its key.
        BadValue = "roster::bad_value",
        /// The table does not have a key that it needs.
        MissingKey = "roster::missing_key",
        BadEmail = "roster::bad_email",
        /// An address has characters outside ASCII, and the file does not allow them.
        UnicodeEmail = "roster::unicode_email",
        /// Two addresses look the same but are different.
        LookAlike = "roster::look_alike",
        /// A person is declared twice.
        DuplicatePerson = "roster::duplicate_person",
        /// A key or a section is declared twice in one file.
        DuplicateKey = "roster::duplicate_key",
        /// The status is not one that can be declared.
        UnknownStatus = "roster::unknown_status",
        /// The include pattern does not match any file.
        IncludeMatchesNothing = "roster::include_matches_nothing",
        /// The include pattern is invalid, or its folder cannot be read.
        BadInclude = "roster::bad_include",
        /// An include pattern matches the root file itself.
        IncludeLoop = "roster::include_loop",
        UnknownTimezone = "roster::unknown_timezone",
        /// The date or the time does not exist.
        BadTime = "roster::bad_time",
        /// A window does not end after its start.
        BackwardsWindow = "roster::backwards_window",
        /// A window sets neither a role nor a status.
        EmptyWindow = "roster::empty_window",
        /// Windows of one person that set the same field overlap.
        OverlappingWindows = "roster::overlapping_windows",
        /// A person has more than 366 windows.
        TooManyWindows = "roster::too_many_windows",
        /// No value is declared for the time outside a window.
        NoWayBack = "roster::no_way_back",
        /// A pattern for addresses is invalid.
        BadPattern = "roster::bad_pattern",
        /// A declared role breaks a rule.
        AgainstRule = "roster::against_rule",
        /// An acknowledgment expires more than 30 days from now.
        ExpiresTooLate = "roster::expires_too_late",
    }
}
