//! Everybody of the organisation, findable by id and by address in constant time.
//!
//! Guarantees a stable order (the state's), which is what pages are cut from. People are never added or removed: the API cannot.

use std::{collections::HashMap, sync::Arc};

use super::user::User;

/// All users with their indexes.
#[derive(Debug, Clone)]
pub(super) struct People {
    all: Vec<Arc<User>>,
    by_id: HashMap<String, usize>,
    /// Primary addresses in lower case.
    by_primary: HashMap<String, usize>,
    /// Secondary addresses in lower case; several people may share one.
    by_secondary: HashMap<String, Vec<usize>>,
}

impl People {
    pub(super) fn index(all: Vec<Arc<User>>) -> Self {
        let mut by_id = HashMap::with_capacity(all.len());
        let mut by_primary = HashMap::with_capacity(all.len());
        let mut by_secondary: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, user) in all.iter().enumerate() {
            by_id.insert(user.id.clone(), at);
            // Users who are not people have no address; several of them share the empty one.
            if !user.email.is_empty() {
                by_primary.insert(user.email.to_lowercase(), at);
            }
            for other in &user.others {
                by_secondary.entry(other.to_lowercase()).or_default().push(at);
            }
        }
        Self { all, by_id, by_primary, by_secondary }
    }

    pub(super) fn all(&self) -> &[Arc<User>] {
        &self.all
    }

    pub(super) fn get(&self, at: usize) -> Option<&User> {
        self.all.get(at).map(Arc::as_ref)
    }

    pub(super) fn by_id(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    pub(super) fn by_primary(&self, email: &str) -> Option<usize> {
        self.by_primary.get(&email.to_lowercase()).copied()
    }

    /// Whoever has this address in any case, as the primary one or (if asked for) a secondary one.
    pub(super) fn with_address(&self, email: &str, secondary_too: bool) -> impl Iterator<Item = usize> {
        let key = email.to_lowercase();
        let secondary = if secondary_too { self.by_secondary.get(&key) } else { None };
        self.by_primary.get(&key).copied().into_iter().chain(secondary.into_iter().flatten().copied())
    }

    /// Changes one person; a snapshot taken before keeps the old value. Addresses and ids must stay as they are.
    pub(super) fn change(&mut self, at: usize, change: impl FnOnce(&mut User)) {
        if let Some(user) = self.all.get_mut(at) {
            change(Arc::make_mut(user));
        }
    }
}
