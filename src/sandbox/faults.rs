//! Decides which requests get which faults, either at random or from a script.
//!
//! The random choices are seeded, so the same sequence of requests always gets the same faults. Because a fault that never fires
//! doesn't test anything, this module also counts how often each fault has fired. `delivery` turns a fault into what the client
//! receives.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use super::fault::Fault;
use super::operation::ApiOperation;

/// The faults to inject, and how often each fault has fired.
#[derive(Debug, Clone)]
pub struct Faults {
    /// The probability of each fault, from 0 to 1, with a total of at most 1.
    chances: BTreeMap<Fault, f64>,
    /// The scripted faults, which take precedence over random ones. Each key is the position of a request among the eligible
    /// requests, starting from 1.
    script: BTreeMap<u64, Fault>,
    /// The operations into which faults are injected. If `None`, any request is eligible, even if its path is unknown.
    only: Option<Vec<ApiOperation>>,
    random: fastrand::Rng,
    /// How long a stalled connection is kept open.
    pub(super) stall: Duration,
    requests: u64,
    fired: BTreeMap<Fault, u64>,
}

impl Faults {
    pub fn none() -> Self {
        Self {
            chances: BTreeMap::new(),
            script: BTreeMap::new(),
            only: None,
            random: fastrand::Rng::with_seed(0),
            // Longer than any reasonable client would wait.
            stall: Duration::from_mins(2),
            requests: 0,
            fired: BTreeMap::new(),
        }
    }

    /// Injects a fault with this probability, from 0 to 1.
    #[must_use]
    pub fn with(mut self, fault: Fault, chance: f64) -> Self {
        self.chances.insert(fault, chance);
        self
    }

    /// Injects a fault into the `number`th eligible request (see [`Self::on`]), counting from 1.
    #[must_use]
    pub fn at(mut self, number: u64, fault: Fault) -> Self {
        self.script.insert(number, fault);
        self
    }

    /// Restricts faults to this operation. Requests for other operations aren't eligible, so [`Self::at`] doesn't count them.
    #[must_use]
    pub fn on(mut self, operation: ApiOperation) -> Self {
        self.only = Some(vec![operation]);
        self
    }

    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.random = fastrand::Rng::with_seed(seed);
        self
    }

    /// Closes stalled connections after `time` instead of two minutes.
    #[must_use]
    pub fn stalling_for(mut self, time: Duration) -> Self {
        self.stall = time;
        self
    }

    pub fn fired(&self, fault: Fault) -> u64 {
        self.fired.get(&fault).copied().unwrap_or(0)
    }

    /// Chooses the fault for the next request, if any. `operation` is `None` for an unknown path or method. If the fault has an
    /// effect, the caller must call `count`.
    pub(super) fn decide(&mut self, operation: Option<ApiOperation>) -> Option<Fault> {
        if let Some(only) = &self.only
            && !operation.is_some_and(|operation| only.contains(&operation))
        {
            return None;
        }
        self.requests += 1;
        // Always draw a random number. Otherwise, a scripted fault would shift all random faults after it.
        let by_chance = self.draw();
        self.script.get(&self.requests).copied().or(by_chance)
    }

    /// Counts a fault that had an effect.
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

    fn set(self, key: &str, value: &str) -> Result<Self, String> {
        let whole = || value.parse::<u64>().map_err(|_| format!("`{key}={value}`: expected a whole number"));
        match key {
            "seed" => Ok(self.seeded(whole()?)),
            "stall" => Ok(self.stalling_for(Duration::from_secs(whole()?))),
            "on" if value == "all" => Ok(Self { only: None, ..self }),
            "on" => {
                let only = ApiOperation::meant_by(value).ok_or_else(|| {
                    let names = ApiOperation::WORDS.join(", ");
                    format!("`on={value}`: expected {names}, get or all")
                })?;
                Ok(Self { only: Some(only), ..self })
            }
            _ => {
                let fault: Fault = key.parse()?;
                let chance = value.parse().ok().filter(|chance| (0.0..=1.0).contains(chance));
                let chance =
                    chance.ok_or_else(|| format!("`{key}={value}`: expected a probability from 0 to 1"))?;
                Ok(self.with(fault, chance))
            }
        }
    }
}

impl FromStr for Faults {
    type Err = String;

    /// Parses `500=0.1,cut-after=0.05`, a list of faults and their probabilities. Other keys are `on=OPERATION`, `seed=N`, and
    /// `stall=SECONDS`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut faults = Self::none();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "off") {
            let Some((key, value)) = part.split_once('=') else {
                part.parse::<Fault>()?;
                return Err(format!("`{part}` needs a probability from 0 to 1, as in `{part}=0.1`"));
            };
            faults = faults.set(key.trim(), value.trim())?;
        }
        let sum: f64 = faults.chances.values().sum();
        // Tolerate rounding errors in sums like 0.1 + 0.2 + 0.7.
        if sum > 1.0 + 1e-9 {
            return Err(format!(
                "the probabilities add up to {sum:.2}, but the maximum is 1: a request has at most one fault"
            ));
        }
        Ok(faults)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    /// Chooses a request's fault and counts it as if it had an effect.
    fn strike(faults: &mut Faults, class: Option<ApiOperation>) -> Option<Fault> {
        let fault = faults.decide(class)?;
        faults.count(fault);
        Some(fault)
    }

    #[test]
    fn every_fault_name_parses_back_to_its_fault() {
        for fault in Fault::ALL {
            assert_eq!(fault.as_str().parse(), Ok(fault));
        }
        for fault in Fault::ALL.into_iter().filter(|fault| !fault.is_misleading()) {
            assert_eq!(
                fault.as_str().ends_with("-applied") || fault == Fault::CutAfter,
                fault.is_applied_first(),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_misspelled_name_gets_a_suggestion() {
        let error = |text: &str| text.parse::<Faults>().unwrap_err();
        assert!(
            error("cut-aftr=0.1")
                .starts_with("unknown fault `cut-aftr`; did you mean `cut-after`? (known: 500, ")
        );
        assert_eq!(error("500"), "`500` needs a probability from 0 to 1, as in `500=0.1`");
        assert_eq!(error("500=2"), "`500=2`: expected a probability from 0 to 1");
        assert_eq!(error("500=NaN"), "`500=NaN`: expected a probability from 0 to 1");
        assert_eq!(
            error("500=0.6,409=0.6"),
            "the probabilities add up to 1.20, but the maximum is 1: a request has at most one fault"
        );
        assert_eq!(
            error("500=0.1,on=put"),
            "`on=put`: expected me, roles, users, user, search, patch, audit, get or all"
        );
        assert_eq!(error("seed=x"), "`seed=x`: expected a whole number");
    }

    #[test]
    fn every_key_of_the_fault_list_has_its_effect() {
        let faults: Faults = "500=0.1,cut-after=0.05,on=patch,seed=7,stall=3".parse().unwrap();
        let expected = [(Fault::InternalError, 0.1), (Fault::CutAfter, 0.05)];
        assert_eq!(faults.chances, BTreeMap::from(expected));
        assert_eq!((faults.random.get_seed(), faults.stall), (7, Duration::from_secs(3)));
        for operation in ApiOperation::ALL {
            let faults: Faults = format!("500=0.1,on={}", operation.as_str()).parse().unwrap();
            assert_eq!(faults.only, Some(vec![operation]));
        }
        assert_eq!("500=0.1,on=all".parse::<Faults>().unwrap().only, None);
        assert_eq!("off".parse::<Faults>().unwrap().chances, BTreeMap::new());
    }

    #[test]
    fn faults_strike_with_their_probability_and_every_kind_fires() {
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
        assert_eq!(played.fired.values().sum::<u64>(), history.iter().flatten().count() as u64);
        let (mut again, mut other) = (faults(1), faults(2));
        assert_eq!((0..20_000).map(|_| strike(&mut again, None)).collect::<Vec<_>>(), history);
        assert!((0..20_000).map(|_| strike(&mut other, None)).collect::<Vec<_>>() != history);
    }

    #[test]
    fn a_script_counts_only_requests_that_faults_may_strike() {
        let mut faults = Faults::none().on(ApiOperation::UpdateUser).at(2, Fault::Conflict);
        let classes = [
            Some(ApiOperation::GetMe),
            Some(ApiOperation::UpdateUser),
            None,
            Some(ApiOperation::SearchUsers),
            Some(ApiOperation::UpdateUser),
            Some(ApiOperation::UpdateUser),
        ];
        let struck: Vec<_> = classes.map(|class| strike(&mut faults, class)).to_vec();
        assert_eq!(struck, vec![None, None, None, None, Some(Fault::Conflict), None]);
        assert_eq!(faults.fired(Fault::Conflict), 1);
    }

    #[test]
    fn get_means_every_get_endpoint() {
        let faults: Faults = "500=1,on=get".parse().unwrap();
        let struck: Vec<ApiOperation> = ApiOperation::ALL
            .into_iter()
            .filter(|class| faults.clone().decide(Some(*class)).is_some())
            .collect();
        assert_eq!(
            struck,
            [ApiOperation::GetMe, ApiOperation::ListRoles, ApiOperation::ListUsers, ApiOperation::GetUser]
        );
        assert_eq!(faults.clone().decide(None), None);
    }
}
