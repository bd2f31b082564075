//! Whom a missing address may have meant: somebody whom no file declares, since that is what a typo leaves behind.

use std::collections::{BTreeMap, HashSet};

use super::change::{Absence, Absent};
use crate::roster::Email;

/// How many people a typo is compared with; beyond that a suggestion would cost more than it is worth.
const POOL: usize = 20_000;
/// How alike the part before the `@` must be, and the one behind it. Compared apart: colleagues share a domain, so
/// whole addresses are always alike.
const ALIKE: f32 = 0.7;

/// Notes for each missing person the nearest of `strangers`; nobody is suggested twice.
pub(super) fn suggest(absent: &mut [Absent], strangers: &[Email]) {
    let missing = absent.iter_mut().filter_map(|absent| match &mut absent.absence {
        Absence::Missing { did_you_mean } => Some((&absent.email.value, did_you_mean)),
        Absence::Deactivated { .. } => None,
    });
    let strangers = Addresses::new(strangers);
    let mut taken = HashSet::new();
    for (email, did_you_mean) in missing {
        *did_you_mean = strangers.near(email).filter(|near| taken.insert(near.clone()));
    }
}

/// Addresses of which one may have been meant, by what stands behind the `@`.
#[derive(Debug)]
pub struct Addresses(BTreeMap<String, Vec<String>>);

impl Addresses {
    /// The first some thousand of these.
    pub fn new<'e>(emails: impl IntoIterator<Item = &'e Email>) -> Self {
        let mut by_domain: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for email in emails.into_iter().take(POOL).map(Email::folded) {
            if let Some((local, domain)) = email.split_once('@') {
                by_domain.entry(domain.to_owned()).or_default().push(local.to_owned());
            }
        }
        Self(by_domain)
    }

    /// The one that is most like `email`, if any is like it at all.
    pub fn near(&self, email: &Email) -> Option<Email> {
        let email = email.folded();
        let (local, domain) = email.split_once('@')?;
        let domains: Vec<&str> = self.0.keys().map(String::as_str).collect();
        similar::get_close_matches(domain, &domains, 3, ALIKE).into_iter().find_map(|domain| {
            let locals: Vec<&str> = self.0[domain].iter().map(String::as_str).collect();
            let local = similar::get_close_matches(local, &locals, 1, ALIKE).first().copied()?;
            Some(Email::observed(&format!("{local}@{domain}")))
        })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::source::{Place, Sourced, Sources};

    #[test]
    fn a_slip_is_understood_and_a_colleague_is_no_slip() {
        let file = Sources::default().add("users.toml".into(), String::new());
        let strangers =
            ["ana@acme.example", "dee.brown@acme.example", "jo@acme.example"].map(Email::observed);
        let near = |written: &str| {
            let email = Sourced::new(Email::observed(written), Place::new(file, 0..0));
            let mut absent = [Absent { email, absence: Absence::Missing { did_you_mean: None } }];
            suggest(&mut absent, &strangers);
            match &absent[0].absence {
                Absence::Missing { did_you_mean } => did_you_mean.as_ref().map(ToString::to_string),
                Absence::Deactivated { .. } => None,
            }
        };
        assert_eq!(near("jo@acme.exmaple").as_deref(), Some("jo@acme.example"));
        assert_eq!(near("Dee.Bronw@acme.example").as_deref(), Some("dee.brown@acme.example"));
        assert_eq!(near("typo@acme.example"), None);
        assert_eq!(near("ana@other.example.org"), None);
    }
}
