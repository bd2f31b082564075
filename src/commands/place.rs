//! The place of an organization: a region, a host, or the sandbox.

use crate::cli::ConnectionArgs;
use crate::pylon::BaseUrl;
use crate::roster::Region;

/// The name that reports, journals, and saved plans use for the sandbox, instead of a region or host.
pub(super) const SANDBOX: &str = "sandbox";

/// Returns the place of a base URL: `us`, `eu`, or the host name.
pub(super) fn place(base: &BaseUrl) -> String {
    base.region().map_or_else(|| base.host(), |region| region.as_str().to_owned())
}

/// Returns `true` if these options may select this place. Without a base URL or a region, the files could pin any region.
pub(super) fn may_select(asked: &ConnectionArgs, of: &str) -> bool {
    match (asked.base_url.as_deref().filter(|url| !url.is_empty()), asked.region) {
        _ if asked.sandbox => of == SANDBOX,
        (Some(url), _) => BaseUrl::parse(url).map_or(true, |base| place(&base) == of),
        (None, Some(region)) => region.as_str() == of,
        (None, None) => Region::ALL.iter().any(|region| region.as_str() == of),
    }
}
