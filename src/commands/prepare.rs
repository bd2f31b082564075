//! What `plan` and `apply` have in common: from the files and Pylon to a reviewed plan.

use std::path::PathBuf;
use std::time::Duration;

use super::{Code, Environment, folder, sandbox, token};
use crate::apply::Finished;
use crate::cli::Common;
use crate::desired::DesiredState;
use crate::observed::{ObservedState, RoleCatalogue};
use crate::plan::guardrails::Review;
use crate::plan::roles::NamedRoles;
use crate::plan::{Plan, ReviewedPlan};
use crate::printable::Printable;
use crate::problem::{Problem, Problems};
use crate::pylon::observe::{Asking, Observation};
use crate::pylon::pace::Pacing;
use crate::pylon::{BaseUrl, Reader, Token};
use crate::report::{Material, Report};
use crate::roster::source::Sources;
use crate::roster::{Email, Region, Roster, Unmanaged};
use crate::sandbox::Running;

/// A reviewed plan, and what it takes to report it or carry it out.
pub(super) struct Prepared {
    pub(super) reviewed: ReviewedPlan,
    /// When the oldest read was sent that the plan rests on.
    pub(super) read_at: Duration,
    sources: Sources,
    roles: RoleCatalogue,
    place: String,
    mention_undeclared: bool,
    asking: Option<Asking>,
    sandbox: Option<Running>,
}

/// Where Pylon is and how it is asked.
struct Connection {
    reader: Reader,
    place: String,
    sandbox: Option<Running>,
}

/// The files, and what they desire at this instant.
pub(super) struct Declared {
    pub(super) roster: Roster,
    pub(super) desired: DesiredState,
}

/// Reads and resolves the files.
pub(super) fn declared(common: &Common, environment: &Environment) -> Result<Declared, Problems> {
    let roster = Roster::read(&common.config)?;
    match roster.resolve_at(environment.clock.now()) {
        Ok(desired) => Ok(Declared { roster, desired }),
        Err(problems) => Err(Problems::new(roster.sources, problems)),
    }
}

/// Files that declare nobody ask for nothing, so nobody is asked.
pub(super) fn declares_nobody(declared: &Declared, common: &Common) -> Option<Report> {
    let name = Printable::cut(&common.config.to_string_lossy(), 200);
    declared
        .roster
        .people
        .is_empty()
        .then(|| Report::Nothing(format!("{name} declares nobody: nothing to do\n")))
}

/// Observes, draws and reviews.
pub(super) async fn prepare(
    declared: Declared,
    max_changes: Option<u64>,
    common: &Common,
    environment: &Environment,
) -> Result<Prepared, Problems> {
    let Declared { roster, desired } = declared;
    let connection = match connect(&roster, common, environment).await {
        Ok(connection) => connection,
        Err(problem) => return Err(Problems::new(roster.sources, vec![problem])),
    };
    let Connection { reader, place, sandbox } = connection;
    let asking = Asking::new(reader, environment.clock, Pacing::new(&common.rate), fastrand::Rng::new());
    let declared: Vec<Email> = desired.people.iter().map(|person| person.email.value.clone()).collect();
    let observed = asking.observe(&declared, roster.workspace.organization.as_ref()).await;
    let reviewed = observed.map_err(|problem| vec![problem]).and_then(|Observation { state, read_at }| {
        let reviewed = review(&roster, &desired, &state, max_changes)?;
        Ok((reviewed, state.roles, read_at))
    });
    match reviewed {
        Ok((reviewed, roles, read_at)) => Ok(Prepared {
            reviewed,
            read_at,
            mention_undeclared: roster.guardrails.unmanaged != Unmanaged::Ignore,
            sources: roster.sources,
            roles,
            place,
            asking: Some(asking),
            sandbox,
        }),
        Err(problems) => Err(Problems::new(roster.sources, problems)),
    }
}

fn review(
    roster: &Roster,
    desired: &DesiredState,
    observed: &ObservedState,
    max_changes: Option<u64>,
) -> Result<ReviewedPlan, Vec<Problem>> {
    let roles = NamedRoles::look_up(roster, &observed.roles)?;
    let plan = Plan::draw(desired, observed, &roles, roster.policy)?;
    Ok(plan.review(Review { observed, desired, rules: &roster.guardrails, roles: &roles, max_changes }))
}

impl Prepared {
    /// What a report is made of.
    pub(super) fn material<'a>(
        &'a self,
        command: &'static str,
        finished: Option<&'a Finished>,
    ) -> Material<'a> {
        let Self { reviewed, sources, roles, place, mention_undeclared, .. } = self;
        Material {
            command,
            place,
            reviewed,
            sources,
            roles,
            mention_undeclared: *mention_undeclared,
            finished,
        }
    }

    /// Whom to ask from here on, at what pace.
    pub(super) fn take_asking(&mut self) -> Result<(Reader, Pacing, fastrand::Rng), Problems> {
        let asking =
            self.asking.take().ok_or_else(|| Problem::new(Code::NoRuntime, "a plan is carried out once"))?;
        Ok(asking.into_parts())
    }

    /// The embedded Pylon keeps its state for the next run.
    pub(super) async fn close(self) -> Result<(), Problems> {
        match self.sandbox {
            Some(running) => running.stop().await.map_err(|error| sandbox::not_kept(&error).into()),
            None => Ok(()),
        }
    }
}

async fn connect(roster: &Roster, common: &Common, environment: &Environment) -> Result<Connection, Problem> {
    let clock = environment.clock;
    if common.sandbox {
        let running = sandbox::embed(roster, &folder(&common.config), clock.now()).await?;
        let reader = Reader::new(
            BaseUrl::parse(&running.base_url())?,
            Token::new(crate::sandbox::DEFAULT_TOKEN)?,
            clock,
        )?;
        return Ok(Connection { reader, place: "sandbox".into(), sandbox: Some(running) });
    }
    let base = base_url(roster, common)?;
    let token = token(common, environment, &mut std::io::stdin())?;
    let place = base.region().map_or_else(|| base.host(), |region| region.as_str().to_owned());
    Ok(Connection { reader: Reader::new(base, token, clock)?, place, sandbox: None })
}

/// The given address, or the host of the region that was given or pinned. What contradicts the pin is refused before
/// anything is asked.
fn base_url(roster: &Roster, common: &Common) -> Result<BaseUrl, Problem> {
    let pin = roster.workspace.region.as_ref();
    let region: Option<Region> = common.region.map(Into::into);
    let base = match &common.base_url {
        Some(url) => BaseUrl::parse(url)?,
        None => BaseUrl::of(region.or(pin.map(|pin| pin.value)).unwrap_or(Region::Us)),
    };
    for asked in [region, base.region()].into_iter().flatten() {
        if let Some(pin) = pin.filter(|pin| pin.value != asked) {
            let (asked, pinned) = (asked.as_str(), pin.value.as_str());
            return Err(Problem::new(
                Code::OtherRegion,
                format!("the region {asked} is asked for, and these files are for {pinned}"),
            )
            .at(pin.place, "pinned here")
            .help(format!(
                "leave out --region and --base-url, or give --region {pinned}; nothing was asked"
            )));
        }
    }
    Ok(base)
}

/// Where the embedded Pylon keeps its state.
pub(super) fn state_file(folder: &std::path::Path) -> PathBuf {
    folder.join(".rolecall").join("sandbox.json")
}
