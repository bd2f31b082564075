//! Macros that enumerate an enum's variants. The compiler verifies that no variant is missing.

/// Returns an array of all variants in the given order. A missing variant makes the generated `match` non-exhaustive, and a
/// repeated variant makes one of its patterns unreachable.
macro_rules! every {
    ($name:ident: $($variant:ident),+ $(,)?) => {{
        const fn _is_complete(one: $name) {
            match one { $($name::$variant)|+ => {} }
        }
        [$($name::$variant),+]
    }};
}
pub(crate) use every;

/// Declares an enum whose variants correspond to words in files and reports. Generates an array of all variants (`ALL`), one of
/// all words (`WORDS`), and conversions from variant to word (`as_str`) and back (`named`).
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The words for all variants, in the order of [`Self::ALL`].
            pub const WORDS: [&'static str; Self::ALL.len()] = [$($word),+];

            /// Returns the word for this variant in files, reports, and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Returns the variant with this word, if there is one.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|known| known.as_str() == word)
            }
        }
    };
}
pub(crate) use words;
