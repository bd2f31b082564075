//! Which endpoint a method and a path mean: the map of the seven that exist. Pure; what they do is in `world` and `patch`.

use super::{
    limits::Class,
    message::{Code, Refusal},
};

/// One of the seven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint<'a> {
    Me,
    ListRoles,
    ListUsers,
    SearchUsers,
    GetUser(&'a str),
    UpdateUser(&'a str),
    SearchAuditLog,
}

impl<'a> Endpoint<'a> {
    /// Unknown path: 404; known path, other method: 405 with an `Allow` header.
    pub(super) fn of(method: &str, path: &'a str) -> Result<Self, Refusal> {
        let id = path.strip_prefix("/users/").filter(|id| !id.is_empty() && !id.contains('/'));
        let (by_get, by_post, by_patch) = match (path, id) {
            ("/me", _) => (Some(Self::Me), None, None),
            ("/user-roles", _) => (Some(Self::ListRoles), None, None),
            ("/users", _) => (Some(Self::ListUsers), None, None),
            ("/users/search", _) => (None, Some(Self::SearchUsers), None),
            ("/audit-logs/search", _) => (None, Some(Self::SearchAuditLog), None),
            (_, Some(id)) => (Some(Self::GetUser(id)), None, Some(Self::UpdateUser(id))),
            (_, None) => return Err(Refusal::new(Code::NotFound, "there is nothing at this path")),
        };
        let chosen = match method {
            "GET" => by_get,
            "POST" => by_post,
            "PATCH" => by_patch,
            _ => None,
        };
        chosen.ok_or_else(|| {
            let methods = [("GET", by_get), ("POST", by_post), ("PATCH", by_patch)];
            let allowed: Vec<&str> =
                methods.iter().filter(|(_, endpoint)| endpoint.is_some()).map(|(name, _)| *name).collect();
            Refusal::new(Code::MethodNotAllowed, format!("{method} is not allowed at this path"))
                .with_header("Allow", allowed.join(", "))
        })
    }

    /// The rate limit that counts it.
    pub(super) fn class(self) -> Class {
        match self {
            Self::Me => Class::Me,
            Self::ListRoles => Class::Roles,
            Self::ListUsers => Class::Users,
            Self::GetUser(_) => Class::User,
            Self::SearchUsers => Class::Search,
            Self::UpdateUser(_) => Class::Patch,
            Self::SearchAuditLog => Class::Audit,
        }
    }
}
