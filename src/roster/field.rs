//! Lists the fields of a user that files can declare and a `PATCH` can set.
//!
//! All other code handles the fields through [`Field`] and [`PerField`]. A new field needs one variant here. The compiler then lists
//! the places that must handle what is special about it.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RosterCode;
use crate::every::words;

/// The value of a field as text. Files name a role by its name, slug, or ID, and Pylon names it by its ID. A status is the same word
/// in both.
pub type FieldValue = Arc<str>;

words! {
    /// A field of a user that can be declared, changed, and rolled back. Files, plans, and reports list the fields in this order.
    #[derive(PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Field {
        Role = "role",
        Status = "status",
    }
}

/// What is true of one field. The code that needs it asks [`Field`], so a new field only has to state it here.
struct FieldFacts {
    plural: &'static str,
    /// The key in the body of `PATCH /users/{id}` (Pylon API, "Update a user").
    patch_key: &'static str,
    /// A value for examples in messages.
    example: &'static str,
    /// Whether a value names a role of the organization, which has an ID in Pylon. A person can then have several values.
    names_role: bool,
    /// The words that a file can declare, or `None` if it can declare any text.
    words: Option<ClosedList>,
}

/// The only values that a field can be set to.
pub struct ClosedList {
    pub words: &'static [&'static str],
    /// The code of the problem if a file declares another word.
    pub unknown: RosterCode,
}

impl Field {
    /// The field that the key `then` of a window sets when the window ends.
    pub const OF_THEN: Self = Self::Status;

    const fn facts(self) -> FieldFacts {
        match self {
            Self::Role => FieldFacts {
                plural: "roles",
                patch_key: "role_id",
                example: "Admin",
                names_role: true,
                words: None,
            },
            Self::Status => FieldFacts {
                plural: "statuses",
                patch_key: "status",
                example: "away",
                names_role: false,
                words: Some(ClosedList { words: &Status::WORDS, unknown: RosterCode::UnknownStatus }),
            },
        }
    }

    pub const fn plural(self) -> &'static str {
        self.facts().plural
    }

    /// The key in the body of `PATCH /users/{id}`.
    pub const fn patch_key(self) -> &'static str {
        self.facts().patch_key
    }

    /// A value for examples in messages.
    pub const fn example(self) -> &'static str {
        self.facts().example
    }

    /// Whether a value names a role of the organization. Files name it by name, slug, or ID, and Pylon by its ID.
    pub const fn names_role(self) -> bool {
        self.facts().names_role
    }

    /// The only values that the field can be set to, or `None` if it takes any text.
    pub const fn closed_list(self) -> Option<ClosedList> {
        self.facts().words
    }

    /// Whether a file can declare this value, and a `PATCH` can set it.
    pub fn accepts(self, value: &str) -> bool {
        self.closed_list().is_none_or(|list| list.words.contains(&value))
    }

    /// All fields in a sentence, such as `a role or a status`.
    pub fn any(conjunction: &str) -> String {
        Self::ALL.map(|field| format!("a {field}")).join(conjunction)
    }

    /// Returns the field with this key.
    pub fn named(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == key)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Contains one `T` per field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub struct PerField<T> {
    pub role: T,
    pub status: T,
}

impl<T> PerField<T> {
    pub fn from_fn(mut value: impl FnMut(Field) -> T) -> Self {
        Self { role: value(Field::Role), status: value(Field::Status) }
    }

    /// Returns the values in the order of [`Field::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &T)> {
        Field::ALL.into_iter().map(|field| (field, &self[field]))
    }
}

impl<T> PerField<Option<T>> {
    /// Returns the fields that have a value.
    pub fn some(&self) -> impl Iterator<Item = (Field, &T)> {
        self.iter().filter_map(|(field, value)| Some((field, value.as_ref()?)))
    }

    pub fn is_none(&self) -> bool {
        self.some().next().is_none()
    }
}

impl<T> Index<Field> for PerField<T> {
    type Output = T;

    fn index(&self, field: Field) -> &T {
        match field {
            Field::Role => &self.role,
            Field::Status => &self.status,
        }
    }
}

impl<T> IndexMut<Field> for PerField<T> {
    fn index_mut(&mut self, field: Field) -> &mut T {
        match field {
            Field::Role => &mut self.role,
            Field::Status => &mut self.status,
        }
    }
}

words! {
    /// A status that can be declared. Pylon may show other statuses, but accepts only these (Pylon API, `PATCH /users/{id}`).
    #[derive(PartialOrd, Ord, Hash, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Status {
        /// The person is at work.
        Active = "active",
        /// The person is away for a short time.
        Away = "away",
        /// The person is away for longer, for example on vacation.
        OutOfOffice = "out_of_office",
    }
}

impl Status {
    /// Returns the status that is spelled like this.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
