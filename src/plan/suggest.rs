//! Suggests a correction for an address that might contain a typo.
//!
//! Only unmanaged people are considered because a typo in a file leaves the real person unmanaged.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::change::{Absence, Absent};
use crate::roster::Email;

/// The maximum number of addresses to index. Suggestions are only a convenience and shouldn't slow down a plan.
const POOL: usize = 20_000;
/// The minimum similarity, from 0 to 1, that both the local part and the domain of a suggestion must reach. The two parts are
/// compared separately. Otherwise, any two colleagues' addresses would look similar because they share a domain.
const ALIKE: f32 = 0.7;

/// Sets the suggestion for each missing person to the closest address in `unmanaged`. No address is suggested twice.
pub(super) fn suggest(absent: &mut [Absent], unmanaged: &[Email]) {
    let missing = absent.iter_mut().filter_map(|absent| match &mut absent.absence {
        Absence::Missing { did_you_mean } => Some((&absent.email.value, did_you_mean)),
        Absence::Deactivated { .. } => None,
    });
    let unmanaged = Addresses::new(unmanaged);
    let mut taken = HashSet::new();
    for (email, did_you_mean) in missing {
        *did_you_mean = unmanaged.near(email).filter(|near| taken.insert(near.clone()));
    }
}

/// An index of candidate addresses, grouped by domain.
#[derive(Debug)]
pub struct Addresses {
    domains: Alike,
    locals: BTreeMap<String, Alike>,
}

impl Addresses {
    /// Indexes the first 20,000 of `emails`.
    pub fn new<'e>(emails: impl IntoIterator<Item = &'e Email>) -> Self {
        let mut by_domain: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for email in emails.into_iter().take(POOL).map(Email::folded) {
            if let Some((local, domain)) = email.split_once('@') {
                by_domain.entry(domain.to_owned()).or_default().push(local.to_owned());
            }
        }
        Self {
            domains: Alike::new(by_domain.keys().cloned().collect()),
            locals: by_domain.into_iter().map(|(domain, locals)| (domain, Alike::new(locals))).collect(),
        }
    }

    /// Returns the indexed address most similar to `email`, or `None` if no address reaches the minimum similarity.
    pub fn near(&self, email: &Email) -> Option<Email> {
        let email = email.folded();
        let (local, domain) = email.split_once('@')?;
        self.domains.near(domain, 3).into_iter().find_map(|domain| {
            let local = self.locals.get(domain)?.near(local, 1).first().copied()?;
            Some(Email::observed(&format!("{local}@{domain}")))
        })
    }
}

/// A bigram index of strings, which avoids comparing every typo with every address.
#[derive(Debug)]
struct Alike {
    texts: Vec<String>,
    by_pair: HashMap<[char; 2], Vec<usize>>,
}

/// The maximum number of strings to compare in full per lookup. The strings that share the most bigrams are compared first.
const COMPARED: usize = 50;
/// The maximum number of index entries to read per lookup. The entries of the rarest bigrams are read first.
const LOOKED_AT: usize = 600;

impl Alike {
    fn new(texts: Vec<String>) -> Self {
        let mut by_pair: HashMap<[char; 2], Vec<usize>> = HashMap::new();
        for (number, text) in texts.iter().enumerate() {
            for pair in pairs(text) {
                by_pair.entry(pair).or_default().push(number);
            }
        }
        Self { texts, by_pair }
    }

    /// Returns up to `most` strings similar to `text`, best match first.
    fn near(&self, text: &str, most: usize) -> Vec<&str> {
        let mut lists: Vec<&Vec<usize>> =
            pairs(text).iter().filter_map(|pair| self.by_pair.get(pair)).collect();
        lists.sort_by_key(|list| list.len());
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for number in lists.into_iter().flatten().take(LOOKED_AT) {
            *shared.entry(*number).or_default() += 1;
        }
        let mut candidates: Vec<(usize, usize)> = shared.into_iter().collect();
        candidates.sort_by_key(|(number, shared)| (std::cmp::Reverse(*shared), *number));
        let candidates: Vec<&str> =
            candidates.iter().take(COMPARED).map(|(number, _)| self.texts[*number].as_str()).collect();
        similar::get_close_matches(text, &candidates, most, ALIKE)
    }
}

/// Returns the distinct bigrams of a string, with `^` and `$` marking its ends.
fn pairs(text: &str) -> BTreeSet<[char; 2]> {
    let letters: Vec<char> = std::iter::once('^').chain(text.chars()).chain(['$']).collect();
    letters.windows(2).map(|pair| [pair[0], pair[1]]).collect()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::source::{Place, Sourced, Sources};

    #[test]
    fn a_typo_suggests_a_similar_address_of_an_unmanaged_person() {
        let file = Sources::default().add("users.toml".into(), String::new());
        let unmanaged =
            ["ana@acme.example", "dee.brown@acme.example", "jo@acme.example"].map(Email::observed);
        let near = |written: &str| {
            let email = Sourced::new(Email::observed(written), Place::new(file, 0..0));
            let mut absent = [Absent { email, absence: Absence::Missing { did_you_mean: None } }];
            suggest(&mut absent, &unmanaged);
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

    #[test]
    fn a_suggestion_is_found_among_thousands_of_addresses() {
        let colleagues: Vec<Email> =
            (0..10_000).map(|number| Email::observed(&format!("person.{number}@acme.example"))).collect();
        let zoe = Email::observed("zoe.quinn@acme.example");
        let addresses = Addresses::new(colleagues.iter().chain([&zoe]));
        for (written, meant) in [
            ("zoe.quin@acme.example", "zoe.quinn@acme.example"),
            ("zoe.quinn@acme.exmaple", "zoe.quinn@acme.example"),
            ("oze.quinn@acme.example", "zoe.quinn@acme.example"),
            ("persn.7421@acme.example", "person.7421@acme.example"),
        ] {
            let near = addresses.near(&Email::observed(written)).map(|near| near.as_str().to_owned());
            assert_eq!(near.as_deref(), Some(meant), "{written}");
        }
    }
}
