//! Macros that list all variants of an enum. The compiler checks that the lists are complete.

/// Returns all variants of an enum in this order. A missing variant makes the match incomplete, and a repeated one is unreachable.
macro_rules! every {
    ($name:ident: $($variant:ident),+ $(,)?) => {{
        const fn _is_complete(one: $name) {
            match one { $($name::$variant)|+ => {} }
        }
        [$($name::$variant),+]
    }};
}
pub(crate) use every;

/// Declares an enum whose variants are words in files and reports, with a list of all variants (`ALL`) and their words (`as_str`).
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The words of all variants, in the same order.
            pub const WORDS: [&'static str; Self::ALL.len()] = [$($word),+];

            /// Returns the word in files, reports, and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}
pub(crate) use words;
