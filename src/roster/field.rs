//! User fields that can be declared in files and set with a `PATCH` request.
//!
//! All other code accesses fields through [`Field`] and [`PerField`]. To add a field, add a variant here, and the compiler will
//! point out every `match` that needs to handle it.

use std::fmt;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::every::words;

/// The value of a field. Files refer to a role by name, slug, or ID, whereas Pylon uses the role's ID. A status is spelled the
/// same in files and in Pylon.
pub type FieldValue = Arc<str>;

words! {
    /// A user field that can be declared, changed, and rolled back. Files, plans, and reports list the fields in this order.
    #[derive(PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Field {
        Role = "role",
        Status = "status",
    }
}

/// Static properties of a field. They are all defined in [`Field::facts`].
pub struct FieldFacts {
    pub plural: &'static str,
    /// The key in the body of `PATCH /users/{id}` (Pylon API, "Update a user").
    pub patch_key: &'static str,
    /// A sample value to show in messages.
    pub example: &'static str,
    /// Whether the values are roles of the organization. Files refer to a role by name, slug, or ID, while Pylon always uses
    /// the ID. A person can have several values for such a field.
    pub names_role: bool,
    /// Whether Pylon can change the value on its own at any time. If so, two responses can differ.
    pub changes_in_pylon: bool,
    /// The values allowed in files, or `None` if any string is accepted.
    pub closed_list: Option<&'static [&'static str]>,
}

impl Field {
    /// The field set by a window's `then` key.
    pub const OF_THEN: Self = Self::Status;

    pub const fn facts(self) -> FieldFacts {
        match self {
            Self::Role => FieldFacts {
                plural: "roles",
                patch_key: "role_id",
                example: "Admin",
                names_role: true,
                changes_in_pylon: false,
                closed_list: None,
            },
            Self::Status => FieldFacts {
                plural: "statuses",
                patch_key: "status",
                example: "away",
                names_role: false,
                changes_in_pylon: true,
                closed_list: Some(&Status::WORDS),
            },
        }
    }

    /// Returns `true` if this value can be declared in a file and set with a `PATCH` request.
    pub fn accepts(self, value: &str) -> bool {
        self.facts().closed_list.is_none_or(|words| words.contains(&value))
    }

    /// Lists all fields with their articles, joined by `conjunction`: `a role or a status`.
    pub fn any(conjunction: &str) -> String {
        Self::ALL.map(|field| format!("a {field}")).join(conjunction)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A set of values, one for each user field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub struct PerField<T> {
    pub role: T,
    pub status: T,
}

impl<T> PerField<T> {
    pub fn from_fn(mut value: impl FnMut(Field) -> T) -> Self {
        Self { role: value(Field::Role), status: value(Field::Status) }
    }

    /// Iterates over the values in the order of [`Field::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Field, &T)> {
        Field::ALL.into_iter().map(|field| (field, &self[field]))
    }
}

impl<T> PerField<Option<T>> {
    /// Iterates over the fields with a value.
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
    /// A status that can be declared in files. Pylon may report other statuses, but these are the only ones it accepts (Pylon
    /// API, `PATCH /users/{id}`).
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
