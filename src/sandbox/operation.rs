//! The seven operations of the API, with their methods and paths. They are implemented in `answers` and `patch`.

use super::message::{ApiError, ErrorCode};
use crate::every::words;

words! {
    /// An API operation, which is identified by its method and path and has a separate rate limit. Each string is the operation's
    /// name in `--limits` and in the `on=` key of `--faults`. Messages list the operations in this order.
    #[derive(Hash)]
    pub enum ApiOperation {
        GetMe = "me",
        ListRoles = "roles",
        ListUsers = "users",
        GetUser = "user",
        SearchUsers = "search",
        UpdateUser = "patch",
        SearchAuditLog = "audit",
    }
}

impl ApiOperation {
    fn method(self) -> &'static str {
        match self {
            Self::GetMe | Self::ListRoles | Self::ListUsers | Self::GetUser => "GET",
            Self::SearchUsers | Self::SearchAuditLog => "POST",
            Self::UpdateUser => "PATCH",
        }
    }

    /// Returns the operations that a name stands for: all GET operations for `get`, and a single operation for any other name.
    /// Returns `None` if the name is unknown.
    pub(super) fn meant_by(word: &str) -> Option<Vec<Self>> {
        let is_meant = |operation: &Self| match word {
            "get" => operation.method() == "GET",
            _ => operation.as_str() == word,
        };
        let meant: Vec<Self> = Self::ALL.into_iter().filter(is_meant).collect();
        (!meant.is_empty()).then_some(meant)
    }

    /// Returns a request's operation and the user ID in the path. The ID is meaningless unless the operation is about a single
    /// user. An unknown path results in a 404, and a known path with the wrong method in a 405.
    pub(super) fn find<'p>(method: &str, path: &'p str) -> Result<(Self, &'p str), ApiError> {
        let id = path.strip_prefix("/users/").filter(|id| !id.contains('/')).unwrap_or_default();
        let at_path: &[Self] = match path {
            "/me" => &[Self::GetMe],
            "/user-roles" => &[Self::ListRoles],
            "/users" => &[Self::ListUsers],
            "/users/search" => &[Self::SearchUsers],
            "/audit-logs/search" => &[Self::SearchAuditLog],
            _ if !id.is_empty() => &[Self::GetUser, Self::UpdateUser],
            _ => return Err(ApiError::new(ErrorCode::NotFound, "there is nothing at this path")),
        };
        match at_path.iter().find(|operation| operation.method() == method) {
            Some(operation) => Ok((*operation, id)),
            None => {
                let allowed: Vec<&str> = at_path.iter().map(|operation| operation.method()).collect();
                Err(ApiError::method_not_allowed(method, &allowed.join(", ")))
            }
        }
    }
}
