//! What goes wrong on purpose: which fault strikes which request, by chance (seeded, so repeatable) or by script.
//!
//! Pure: the same faults and the same requests in the same order strike the same. Counts what fired, because a fault that never
//! fired has tested nothing. Leaves to `delivery` what a fault does to an answer.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use super::{
    fault::{Fault, FaultsError},
    limits::Class,
};

/// Which faults strike, and a count of those that did.
#[derive(Debug, Clone)]
pub struct Faults {
    /// Chances in 0..=1 that together are 1 at most.
    chances: BTreeMap<Fault, f64>,
    /// By the number of the request, from 1; a script goes before chance.
    script: BTreeMap<u64, Fault>,
    only: Scope,
    seed: u64,
    random: fastrand::Rng,
    stall: Duration,
    requests: u64,
    fired: BTreeMap<Fault, u64>,
}

/// The endpoints that faults strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    /// Every GET.
    Gets,
    One(Class),
}

impl Scope {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "all" => Some(Self::All),
            "get" => Some(Self::Gets),
            _ => Class::ALL.into_iter().find(|class| class.name() == word).map(Self::One),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Gets => "get",
            Self::One(class) => class.name(),
        }
    }

    /// Whether a request for this endpoint is in it. `None` is a path or method that does not exist.
    fn covers(self, class: Option<Class>) -> bool {
        match self {
            Self::All => true,
            Self::Gets => class.is_some_and(|class| Class::GETS.contains(&class)),
            Self::One(only) => class == Some(only),
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self {
            chances: BTreeMap::new(),
            script: BTreeMap::new(),
            only: Scope::All,
            seed: 0,
            random: fastrand::Rng::with_seed(0),
            // Longer than any client of sense waits.
            stall: Duration::from_mins(2),
            requests: 0,
            fired: BTreeMap::new(),
        }
    }

    /// The same, and this fault strikes with this chance (clamped to what the others leave of 1).
    #[must_use]
    pub fn with(mut self, fault: Fault, chance: f64) -> Self {
        let left = 1.0
            - self
                .chances
                .iter()
                .filter(|(other, _)| **other != fault)
                .map(|(_, chance)| chance)
                .sum::<f64>();
        self.chances.insert(fault, chance.clamp(0.0, left.max(0.0)));
        self
    }

    /// The same, and this fault strikes the `number`th request (from 1) among those that can be struck.
    #[must_use]
    pub fn at(mut self, number: u64, fault: Fault) -> Self {
        self.script.insert(number, fault);
        self
    }

    /// The same, for one endpoint only; requests for others are not counted either.
    #[must_use]
    pub fn on(mut self, class: Class) -> Self {
        self.only = Scope::One(class);
        self
    }

    /// The same, for every GET endpoint and no other.
    #[must_use]
    pub fn on_gets(mut self) -> Self {
        self.only = Scope::Gets;
        self
    }

    /// The same with another seed for chance.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.seed = seed;
        self.random = fastrand::Rng::with_seed(seed);
        self
    }

    /// The same, but a stall ends with a cut after this time instead of two minutes.
    #[must_use]
    pub fn stalling_for(mut self, time: Duration) -> Self {
        self.stall = time;
        self
    }

    /// How long a stall lasts.
    pub fn stall(&self) -> Duration {
        self.stall
    }

    /// How often this fault has struck.
    pub fn fired(&self, fault: Fault) -> u64 {
        self.fired.get(&fault).copied().unwrap_or(0)
    }

    /// How often any fault has struck.
    pub fn fired_in_all(&self) -> u64 {
        self.fired.values().sum()
    }

    /// Decides about the next request, for this endpoint (`None`: there is no such path or method).
    /// The caller counts the fault once it has had an effect.
    pub(super) fn decide(&mut self, class: Option<Class>) -> Option<Fault> {
        if !self.only.covers(class) {
            return None;
        }
        self.requests += 1;
        // Chance draws even when the script decides: a script must not shift what strikes later.
        let by_chance = self.draw();
        self.script.get(&self.requests).copied().or(by_chance)
    }

    /// Counts a fault that has had an effect.
    pub(super) fn count(&mut self, fault: Fault) {
        *self.fired.entry(fault).or_default() += 1;
    }

    fn draw(&mut self) -> Option<Fault> {
        if self.chances.is_empty() {
            return None;
        }
        let mut left = self.random.f64();
        self.chances.iter().find_map(|(fault, chance)| {
            left -= chance;
            (left < 0.0).then_some(*fault)
        })
    }
}

impl FromStr for Faults {
    type Err = FaultsError;

    /// `500=0.1,cut-after=0.05`: faults and their probabilities. Also `on=ENDPOINT`, `seed=N`, and `stall=SECONDS`.
    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::none();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "off") {
            let Some((key, value)) = part.split_once('=').map(|(key, value)| (key.trim(), value.trim()))
            else {
                part.parse::<Fault>()?;
                return Err(FaultsError(format!(
                    "`{part}`: how often? Write a chance from 0 to 1, as in `{part}=0.1`"
                )));
            };
            faults = faults.set(key, value)?;
        }
        let sum: f64 = faults.chances.values().sum();
        // A little more than 1, for sums like 0.1 + 0.2 + 0.7.
        if sum > 1.0 + 1e-9 {
            return Err(FaultsError(format!(
                "the chances add up to {sum:.2}; at most one fault strikes a request, so 1 is the most"
            )));
        }
        Ok(faults)
    }
}

impl Faults {
    fn set(mut self, key: &str, value: &str) -> Result<Self, FaultsError> {
        let whole = || {
            value.parse::<u64>().map_err(|_| FaultsError(format!("`{key}={value}`: expected a whole number")))
        };
        match key {
            "seed" => return Ok(self.seeded(whole()?)),
            "stall" => return Ok(self.stalling_for(Duration::from_secs(whole()?))),
            "on" => {
                self.only = Scope::parse(value).ok_or_else(|| {
                    let names = Class::ALL.map(Class::name).join(", ");
                    FaultsError(format!("`on={value}`: expected {names}, get or all"))
                })?;
                return Ok(self);
            }
            _ => {}
        }
        let fault: Fault = key.parse()?;
        let chance = value.parse().ok().filter(|chance| (0.0..=1.0).contains(chance));
        let chance =
            chance.ok_or_else(|| FaultsError(format!("`{key}={value}`: expected a chance from 0 to 1")))?;
        self.chances.insert(fault, chance);
        Ok(self)
    }
}

impl fmt::Display for Faults {
    /// The text that reads back as the same chances; a script is not written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.chances.is_empty() {
            return f.write_str("off");
        }
        for (fault, chance) in &self.chances {
            write!(f, "{fault}={chance},")?;
        }
        write!(f, "on={},seed={},stall={}", self.only.name(), self.seed, self.stall.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Decides about a request on which every fault has an effect.
    fn strike(faults: &mut Faults, class: Option<Class>) -> Option<Fault> {
        let fault = faults.decide(class)?;
        faults.count(fault);
        Some(fault)
    }

    #[test]
    fn every_fault_has_a_name_that_reads_back() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(fault));
            assert_eq!(Fault::FAILURES.contains(&fault), !fault.is_misleading(), "{fault}");
        }
        for fault in Fault::FAILURES {
            assert_eq!(
                fault.name().ends_with("-applied") || fault == Fault::CutAfter,
                fault.is_applied_first(),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_slip_is_answered_with_what_was_meant() {
        let error = |text: &str| text.parse::<Faults>().unwrap_err().to_string();
        assert!(
            error("cut-aftr=0.1")
                .starts_with("there is no fault `cut-aftr`; did you mean `cut-after`?; there are 500, ")
        );
        assert_eq!(error("500"), "`500`: how often? Write a chance from 0 to 1, as in `500=0.1`");
        assert_eq!(error("500=2"), "`500=2`: expected a chance from 0 to 1");
        assert_eq!(error("500=NaN"), "`500=NaN`: expected a chance from 0 to 1");
        assert_eq!(
            error("500=0.6,409=0.6"),
            "the chances add up to 1.20; at most one fault strikes a request, so 1 is the most"
        );
        assert_eq!(
            error("500=0.1,on=put"),
            "`on=put`: expected me, roles, users, user, search, patch, audit, get or all"
        );
        assert_eq!(error("seed=x"), "`seed=x`: expected a whole number");
    }

    #[test]
    fn what_is_written_reads_back_as_the_same() {
        for on in Class::ALL.map(Class::name).into_iter().chain(["get", "all"]) {
            let text = format!("500=0.1,cut-after=0.05,on={on},seed=7,stall=3");
            assert_eq!(text.parse::<Faults>().unwrap().to_string(), text);
        }
        assert_eq!("off".parse::<Faults>().unwrap().to_string(), "off");
    }

    #[test]
    fn chances_hold_in_the_long_run_and_every_kind_fires() {
        let faults = |seed| {
            Fault::ALL.into_iter().fold(Faults::none().seeded(seed), |faults, fault| faults.with(fault, 0.05))
        };
        let mut played = faults(1);
        let history: Vec<_> = (0..20_000).map(|_| strike(&mut played, None)).collect();
        for fault in Fault::ALL {
            assert!(
                (800..1200).contains(&played.fired(fault)),
                "{fault}: {} of 1000 expected",
                played.fired(fault)
            );
        }
        assert_eq!(played.fired_in_all(), history.iter().flatten().count() as u64);
        let (mut again, mut other) = (faults(1), faults(2));
        assert_eq!((0..20_000).map(|_| strike(&mut again, None)).collect::<Vec<_>>(), history);
        assert!((0..20_000).map(|_| strike(&mut other, None)).collect::<Vec<_>>() != history);
    }

    #[test]
    fn a_script_counts_only_the_requests_that_can_be_struck() {
        let mut faults = Faults::none().on(Class::Patch).at(2, Fault::Conflict);
        let classes = [
            Some(Class::Me),
            Some(Class::Patch),
            None,
            Some(Class::Search),
            Some(Class::Patch),
            Some(Class::Patch),
        ];
        let struck: Vec<_> = classes.map(|class| strike(&mut faults, class)).to_vec();
        assert_eq!(struck, vec![None, None, None, None, Some(Fault::Conflict), None]);
        assert_eq!(faults.fired(Fault::Conflict), 1);
    }

    #[test]
    fn get_stands_for_every_get_endpoint() {
        let faults: Faults = "500=1,on=get".parse().unwrap();
        let struck: Vec<Class> =
            Class::ALL.into_iter().filter(|class| faults.clone().decide(Some(*class)).is_some()).collect();
        assert_eq!(struck, Class::GETS);
        assert_eq!(faults.clone().decide(None), None);
    }
}
