//! The organization's users, indexed by ID and by email address.
//!
//! Users are never added or removed because the API has no operations for that. Paging relies on the resulting stable order of
//! users.

use std::collections::HashMap;
use std::sync::Arc;

use super::written_user::WrittenUser;

#[derive(Debug, Clone)]
pub(super) struct Users {
    /// All users, in a stable order. They're reference-counted to make a world with many users cheap to clone.
    all: Vec<Arc<WrittenUser>>,
    by_id: HashMap<String, usize>,
    /// Indexes into `all`, by primary address in lowercase.
    by_primary: HashMap<String, usize>,
    /// Indexes into `all`, by secondary address in lowercase. Several users may share a secondary address.
    by_secondary: HashMap<String, Vec<usize>>,
}

impl Users {
    pub(super) fn new(all: Vec<Arc<WrittenUser>>) -> Self {
        let mut by_id = HashMap::with_capacity(all.len());
        let mut by_primary = HashMap::with_capacity(all.len());
        let mut by_secondary: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, user) in all.iter().enumerate() {
            by_id.extend(user.id.clone().map(|id| (id, at)));
            // Users who aren't people don't have an address, so their `email` is empty.
            if !user.email.is_empty() {
                by_primary.insert(user.email.to_lowercase(), at);
            }
            for other in &user.emails {
                by_secondary.entry(other.to_lowercase()).or_default().push(at);
            }
        }
        Self { all, by_id, by_primary, by_secondary }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &WrittenUser> {
        self.all.iter().map(Arc::as_ref)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&WrittenUser> {
        self.all.get(at).map(Arc::as_ref)
    }

    pub(super) fn by_id(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Returns the indexes of the users with this primary address. If `secondary_too` is set, users with this secondary address
    /// are included. Case is ignored.
    pub(super) fn with_address(&self, email: &str, secondary_too: bool) -> impl Iterator<Item = usize> {
        let key = email.to_lowercase();
        let secondary = self.by_secondary.get(&key).filter(|_| secondary_too);
        self.by_primary.get(&key).into_iter().chain(secondary.into_iter().flatten()).copied()
    }

    /// Replaces the user at this index. The new user must have the same ID and addresses because the lookup tables aren't
    /// updated.
    pub(super) fn replace(&mut self, at: usize, user: WrittenUser) {
        if let Some(slot) = self.all.get_mut(at) {
            *slot = Arc::new(user);
        }
    }
}
