//! `every!`: the list of all variants of an enum, which the compiler holds to be whole.

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
