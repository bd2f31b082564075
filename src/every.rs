//! Lists of all variants of an enum: `every!`, which the compiler holds to be whole, and `words!`, for enums that are words in files.

/// All variants of an enum, each once and in this order. One that is left out is not covered, one that stands twice is unreachable.
macro_rules! every {
    ($name:ident: $($variant:ident),+ $(,)?) => {{
        const fn _is_whole(one: $name) {
            match one { $($name::$variant)|+ => {} }
        }
        [$($name::$variant),+]
    }};
}
pub(crate) use every;

/// Declares an enum of which each variant is one word in files and reports, with the list of the variants (`ALL`) and the word of
/// each (`as_str`).
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word in files, reports, and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}
pub(crate) use words;
