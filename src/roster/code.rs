//! The diagnostic codes of this module. Each is explained in docs/diagnostics.md, and a test keeps that list complete.

use crate::problem::codes;

codes! {
    /// What can be wrong in the files.
    pub enum RosterCode {
        /// The file is not there.
        FileMissing = "roster::file_missing",
        /// The path is a directory, a pipe or a device.
        NotAFile = "roster::not_a_file",
        /// The file cannot be opened or read.
        FileUnreadable = "roster::file_unreadable",
        /// The file is larger than rolecall reads.
        FileTooLarge = "roster::file_too_large",
        /// The file is not UTF-8.
        NotUtf8 = "roster::not_utf8",
        /// The path leads out of the folder of the config.
        OutsideFolder = "roster::outside_folder",
        /// The text is not TOML.
        Syntax = "roster::syntax",
        UnknownKey = "roster::unknown_key",
        /// A key that must not be in a reviewed file.
        SecretInFile = "roster::secret_in_file",
        /// A key of the root file in a team file.
        RootOnly = "roster::root_only",
        /// A key of the file, below a table that took it in.
        MisplacedKey = "roster::misplaced_key",
        /// The value has another type than this key takes.
        WrongType = "roster::wrong_type",
        /// The value is of the right type and means nothing here.
        BadValue = "roster::bad_value",
        /// A key that this table needs is not there.
        MissingKey = "roster::missing_key",
        BadEmail = "roster::bad_email",
        /// An address has characters outside ASCII, and the file does not allow them.
        UnicodeEmail = "roster::unicode_email",
        /// Two addresses that look the same.
        LookAlike = "roster::look_alike",
        /// One person is declared twice.
        DuplicatePerson = "roster::duplicate_person",
        /// A key or a section, declared twice in one file.
        DuplicateKey = "roster::duplicate_key",
        /// The status is none of the three.
        UnknownStatus = "roster::unknown_status",
        /// The include pattern names no file.
        IncludeMatchesNothing = "roster::include_matches_nothing",
        /// The include pattern cannot be followed.
        BadInclude = "roster::bad_include",
        /// A pattern of the root file matches the root file.
        IncludeLoop = "roster::include_loop",
        UnknownTimezone = "roster::unknown_timezone",
        /// A date or time that does not exist.
        BadTime = "roster::bad_time",
        /// A window that ends before it begins.
        BackwardsWindow = "roster::backwards_window",
        /// A window that sets nothing.
        EmptyWindow = "roster::empty_window",
        /// Two windows set one field at once.
        OverlappingWindows = "roster::overlapping_windows",
        /// More windows than anybody has a use for.
        TooManyWindows = "roster::too_many_windows",
        /// No value is declared for the time after a window.
        NoWayBack = "roster::no_way_back",
        /// An acknowledgment expires more than thirty days from now.
        ExpiresTooLate = "roster::expires_too_late",
    }
}
