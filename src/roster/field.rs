//! The table over the fields of a user that files can declare and a `PATCH` can set.
//!
//! Everything that is true of each field is here or goes through [`PerField`] and [`Field`]: a new field is one variant and one
//! entry of the table, and the compiler lists the places that must know what is special about it.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::every::words;

/// The value of a field as text. Files name a role by its name, slug or ID, and Pylon by its ID; a status is the same word in both.
pub type FieldValue = Arc<str>;

words! {
    /// A field of a user that can be declared, changed, and rolled back. In the order in which files, plans, and reports list them.
    #[derive(PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Field {
        Role = "role",
        Status = "status",
    }
}

impl Field {
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Role => "roles",
            Self::Status => "statuses",
        }
    }

    /// The field with this key.
    pub fn named(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == key)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One `T` for each field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, JsonSchema)]
pub struct PerField<T> {
    pub role: T,
    pub status: T,
}

impl<T> PerField<T> {
    pub fn from_fn(mut value: impl FnMut(Field) -> T) -> Self {
        Self { role: value(Field::Role), status: value(Field::Status) }
    }

    /// The values in the order of [`Field::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &T)> {
        Field::ALL.into_iter().map(|field| (field, &self[field]))
    }
}

impl<T> PerField<Option<T>> {
    /// The fields that have a value.
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
        /// Takes on work.
        Active = "active",
        /// Not at work right now.
        Away = "away",
        /// Not at work for longer, as on holiday.
        OutOfOffice = "out_of_office",
    }
}

impl Status {
    /// The status that this word stands for.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
