//! Connects a run to Pylon or to the sandbox, with the right host, proxy, certificates, token, and pacing.

use super::place::{SANDBOX, place};
use super::progress::ReadWaits;
use super::{CommandCode, Environment, Session, folder, sandbox, token};
use crate::cli::ConnectionArgs;
use crate::clock::Clock;
use crate::invocation::Invocation;
use crate::observed::Integration;
use crate::output::say;
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::pylon::network::{Direct, Route};
use crate::pylon::observe::Wanted;
use crate::pylon::pace::Pacing;
use crate::pylon::paced_reader::{Observation, PacedReader};
use crate::pylon::roots::Roots;
use crate::pylon::{BaseUrl, FlowControl, Reader, Token, Trace};
use crate::roster::{Email, Moment, Region, Roster};
use crate::sandbox::Running;

/// A read-only connection to Pylon or the sandbox. To send changes, `apply` turns the reader into a `Writer`.
pub(super) struct Connection {
    pub(super) reader: PacedReader,
    /// The organization's place in reports: `us`, `eu`, `sandbox`, or the host name.
    pub(super) place: String,
    /// The sandbox started for `--sandbox`, if given.
    pub(super) sandbox: Option<Running>,
    pub(super) invocation: Invocation,
    /// The time in `ROLECALL_NOW`, or `None` if the variable isn't set or no request can reach the real Pylon.
    pub(super) as_on: Option<Moment>,
}

impl Connection {
    /// Connects to the Pylon selected by `asked`, falling back to the region pinned by `roster` and then to the US.
    pub(super) async fn open(
        roster: &Roster,
        asked: &ConnectionArgs,
        session: Session<'_>,
    ) -> Result<Self, Problems> {
        let opened = open(roster, asked, session).await;
        opened.map_err(|problem| problem.with_sources(&roster.sources))
    }

    /// Returns the host name, or a placeholder for the sandbox.
    pub(super) fn host(&self) -> String {
        if self.sandbox.is_some() { "the sandbox".into() } else { self.reader.host() }
    }

    /// Reads the organization, confirming each of `emails` with a search. Fails if `roster` pins another organization.
    pub(super) async fn observe(&self, roster: &Roster, emails: &[Email]) -> Result<Observation, Problems> {
        self.read(roster, emails, roster.guardrails.needs_whole_list()).await
    }

    /// Like [`Self::observe`], but always includes all deactivated users.
    pub(super) async fn observe_everyone(
        &self,
        roster: &Roster,
        emails: &[Email],
    ) -> Result<Observation, Problems> {
        self.read(roster, emails, true).await
    }

    async fn read(
        &self,
        roster: &Roster,
        emails: &[Email],
        confirm_listing: bool,
    ) -> Result<Observation, Problems> {
        let wanted = Wanted { emails, pin: roster.workspace.organization.as_ref(), confirm_listing };
        let observed = self.reader.observe(&wanted).await;
        let observation = observed.map_err(|problem| problem.with_sources(&roster.sources))?;
        for Integration { id, name } in &observation.state.integrations {
            let name = Printable::cut(name, 80);
            self.reader.trace().line(&format!("integration user, not a person: {name} ({})", id.as_str()));
        }
        Ok(observation)
    }

    /// Returns `true` if the sandbox generated its organization.
    pub(super) fn is_made_up(&self) -> bool {
        self.sandbox.as_ref().is_some_and(|running| running.with_world(|world| world.made_up))
    }

    /// Closes the connection. For a sandbox, also saves its state for the next run.
    pub(super) async fn close(self) -> Result<(), Problems> {
        keep(self.sandbox).await
    }
}

/// Stops the sandbox, if one is running, and saves its state for the next run.
pub(super) async fn keep(sandbox: Option<Running>) -> Result<(), Problems> {
    match sandbox {
        Some(running) => running.stop().await.map_err(|error| sandbox::not_kept(&error).into()),
        None => Ok(()),
    }
}

async fn open(roster: &Roster, asked: &ConnectionArgs, session: Session<'_>) -> Result<Connection, Problem> {
    let clock = session.environment.clock;
    let waits = Box::new(ReadWaits::new(clock, session.common.quiet, session.environment.stderr_is_terminal));
    let trace = Trace::new(clock, session.common.verbose.then_some(say));
    let invocation = session.common.invocation.clone();
    let flow = FlowControl::new(Pacing::new(&asked.rate.concat()), clock.elapsed(), fastrand::Rng::new());
    let (base, token, place, sandbox) = if asked.sandbox {
        let running = sandbox::embed(roster, folder(&session.common.config), clock.now()).await?;
        let base = BaseUrl::parse(&running.base_url())?;
        (base, Token::new(crate::sandbox::DEFAULT_TOKEN), SANDBOX.to_owned(), Some(running))
    } else {
        let base = base_url(roster, asked)?;
        let place = place(&base);
        (base, token(session.environment), place, None)
    };
    let as_on = as_on(&base, clock);
    let reader = reader(base, token, session.environment, trace)?;
    let reader = PacedReader::new(reader, clock, flow, waits);
    Ok(Connection { reader, place, sandbox, invocation, as_on })
}

/// Builds a reader, reporting network problems before a missing or invalid token.
fn reader(
    base: BaseUrl,
    token: Result<Token, Problem>,
    environment: &Environment,
    trace: Trace,
) -> Result<Reader, Problem> {
    let route = Route::choose(&base, &environment.network)?;
    let roots = Roots::load(&base, &environment.network)?;
    Reader::new(base, token?, route, &roots, environment.clock, trace)
}

/// Fails if `ROLECALL_NOW` is set and requests might reach the real Pylon, since a fixed time is meant only for local testing.
pub(super) fn at_present(
    roster: &Roster,
    asked: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Problems> {
    if asked.sandbox {
        return Ok(());
    }
    let base = base_url(roster, asked).map_err(|problem| problem.with_sources(&roster.sources))?;
    match as_on(&base, environment.clock) {
        None => Ok(()),
        Some(Moment { written, .. }) => Err(Problem::new(
            CommandCode::FixedClock,
            format!("ROLECALL_NOW sets the time to {written}, but this command would change Pylon now"),
        )
        .help(
            "unset ROLECALL_NOW; to see the changes at another time, use `rolecall plan --at TIME`, or apply to a fake Pylon with --sandbox",
        )
        .into()),
    }
}

/// Chooses the proxy and loads the certificates for these options. Returns `None` if the base URL is invalid or contradicts the
/// region.
pub(super) fn network(
    roster: &Roster,
    asked: &ConnectionArgs,
    environment: &Environment,
) -> Option<(Result<Route, Problem>, Result<Roots, Problem>)> {
    if asked.sandbox {
        return Some((Ok(Route::Direct(Direct::Loopback)), Ok(Roots::NotNeeded)));
    }
    let (base, variables) = (base_url(roster, asked).ok()?, &environment.network);
    Some((Route::choose(&base, variables), Roots::load(&base, variables)))
}

/// Returns the time set by `ROLECALL_NOW`, if it's set and requests might reach the real Pylon.
fn as_on(base: &BaseUrl, clock: Clock) -> Option<Moment> {
    let at = clock.now();
    (clock.is_fixed() && !base.is_loopback()).then(|| Moment { at, written: at.to_string() })
}

/// Returns the base URL from `--base-url` or `PYLON_BASE_URL`. Without one, uses the host of the requested region, the pinned
/// region, or the US, in that order. Fails if any of these contradict each other.
fn base_url(roster: &Roster, asked: &ConnectionArgs) -> Result<BaseUrl, Problem> {
    let pin = roster.workspace.region.as_ref();
    let region = asked.region;
    let base = match asked.base_url.as_ref().filter(|url| !url.is_empty()) {
        Some(url) => BaseUrl::parse(url)?,
        None => BaseUrl::of_region(region.or(pin.map(|pin| pin.value)).unwrap_or(Region::Us)),
    };
    if let (Some(region), true) = (region, base.region() != region) {
        let (host, region) = (base.host(), region.as_str());
        return Err(Problem::new(
            CommandCode::OtherRegion,
            format!("--region {region} conflicts with the base URL {host}"),
        )
        .help("remove one of them; PYLON_BASE_URL means the same as --base-url"));
    }
    for wanted in [region, base.region()].into_iter().flatten() {
        if let Some(pin) = pin.filter(|pin| pin.value != wanted) {
            let (wanted, pinned) = (wanted.as_str(), pin.value.as_str());
            return Err(Problem::new(
                CommandCode::OtherRegion,
                format!("the requested region is {wanted}, but these files are pinned to {pinned}"),
            )
            .at(pin.place, "pinned here")
            .help(format!("remove --region and --base-url, or use --region {pinned}; no request was sent")));
        }
    }
    Ok(base)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_fixed_time_is_reported_if_pylon_may_be_the_real_one() {
        let noon = "2026-11-20T12:00:00Z".parse().unwrap();
        let told = |url: &str, calendar| {
            as_on(&BaseUrl::parse(url).unwrap(), Clock::start(calendar)).map(|moment| moment.written)
        };
        assert_eq!(told("https://api.usepylon.com", Some(noon)).as_deref(), Some("2026-11-20T12:00:00Z"));
        assert_eq!(told("https://api.usepylon.com", None), None);
        assert_eq!(told("http://127.0.0.1:8080", Some(noon)), None);
    }
}
