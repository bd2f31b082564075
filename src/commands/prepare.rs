//! What `plan` and `apply` have in common: from the files and Pylon to a reviewed plan.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::progress::say;
use super::{Code, Environment, folder, sandbox, token};
use crate::apply::Finished;
use crate::cli::Common;
use crate::desired::DesiredState;
use crate::desired::agenda::Ahead;
use crate::observed::ObservedState;
use crate::plan::blame::OutOfStep;
use crate::plan::forecast::{Coming, forecast};
use crate::plan::guardrails::Review;
use crate::plan::roles::NamedRoles;
use crate::plan::saved::{Binding, digest_of};
use crate::plan::{self, Plan, ReviewedPlan};
use crate::printable::Printable;
use crate::problem::{Problem, Problems, did_you_mean};
use crate::pylon::inquiry::Findings;
use crate::pylon::observe::{Asking, Observation};
use crate::pylon::pace::Pacing;
use crate::pylon::{BaseUrl, Reader, Token};
use crate::report::{Body, Material};
use crate::roster::{Email, Moment, Region, Roster, Unmanaged};
use crate::sandbox::Running;
use crate::source::Sources;

/// A reviewed plan, and what it takes to report it or carry it out.
pub(super) struct Prepared {
    pub(super) reviewed: ReviewedPlan,
    /// When the oldest read was sent that the plan rests on.
    pub(super) read_at: Duration,
    sources: Sources,
    observed: ObservedState,
    place: String,
    now: Timestamp,
    at: Option<Moment>,
    coming: Vec<Coming>,
    windows: Vec<Ahead>,
    /// Operations of a saved plan that are in step meanwhile.
    pub(super) meanwhile: usize,
    /// Where the audit log was asked.
    blame: Option<Findings>,
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

/// The files, and what they desire at one instant.
pub(super) struct Declared {
    pub(super) roster: Roster,
    pub(super) desired: DesiredState,
    /// The instant.
    pub(super) now: Timestamp,
    /// The same as it was asked for, where it is not the present.
    at: Option<Moment>,
}

/// What a plan is limited to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scope<'a> {
    /// `--only`
    pub(super) only: &'a [String],
    /// `--max-changes`
    pub(super) max_changes: Option<u64>,
}

/// Reads the files and resolves them, at the present or `at` another time.
pub(super) fn declared(
    at: Option<&str>,
    common: &Common,
    environment: &Environment,
) -> Result<Declared, Problems> {
    let present = environment.clock.now();
    let roster = read(&common.config, present)?;
    let at = at.map(|text| moment("--at", text, &roster)).transpose()?;
    let now = at.as_ref().map_or(present, |moment| moment.at);
    Ok(Declared { desired: roster.resolve_at(now), roster, now, at })
}

/// Reads the files, which must not accept a risk for too long from `present` on.
pub(super) fn read(config: &Path, present: Timestamp) -> Result<Roster, Problems> {
    let roster = Roster::read(config)?;
    let problems = roster.overlong_acknowledgements(present);
    if problems.is_empty() { Ok(roster) } else { Err(Problems::new(roster.sources, problems)) }
}

/// A TIME of the command line, in the declared zone.
pub(super) fn moment(flag: &str, text: &str, roster: &Roster) -> Result<Moment, Problem> {
    Moment::parse(text, &roster.timezone).map_err(|why| {
        Problem::new(Code::BadTime, format!("{flag} {} {why}", Printable::cut(text, 60)))
            .help("write a date (2026-12-20), a local date-time (2026-12-20T08:00:00) or one with an offset (2026-12-20T08:00:00+01:00)")
    })
}

/// The declared addresses that `--only` means.
fn only(scope: Scope<'_>, declared: &Declared) -> Result<Vec<Email>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut emails = Vec::new();
    for written in scope.only {
        let email = Email::observed(written.trim());
        if declared.desired.people.binary_search_by(|person| person.email.value.cmp(&email)).is_ok() {
            emails.push(email);
            continue;
        }
        let known = declared.desired.people.iter().map(|person| person.email.value.as_str());
        let problem = Problem::new(
            plan::Code::OnlyUnknown,
            format!("no file declares {}", Printable::cut(written, 80)),
        );
        problems.push(match did_you_mean(written, known) {
            Some(near) => problem.help(format!("did you mean {near}?")),
            None => problem.help("--only names people by the address by which they are declared"),
        });
    }
    if problems.is_empty() { Ok(emails) } else { Err(problems) }
}

/// Files that declare nobody ask for nothing, so nobody is asked; unless something in them is about others.
pub(super) fn declares_nobody(declared: &Declared, common: &Common) -> Option<Body> {
    let Roster { people, workspace, guardrails, .. } = &declared.roster;
    let asks =
        !people.is_empty() || workspace.organization.is_some() || guardrails.unmanaged == Unmanaged::Refuse;
    let file = Printable::cut(&common.config.to_string_lossy(), 200);
    (!asks).then_some(Body::NobodyDeclared { file })
}

/// Observes, draws and reviews.
pub(super) async fn prepare(
    declared: Declared,
    scope: Scope<'_>,
    common: &Common,
    environment: &Environment,
) -> Result<Prepared, Problems> {
    let drawn = draw(&declared, scope, common, environment).await;
    let windows = declared.roster.windows_ahead(declared.now);
    let Declared { roster, desired: _, now, at } = declared;
    match drawn {
        Ok(Drawn { reviewed, observed, read_at, coming, asking, place, sandbox }) => Ok(Prepared {
            reviewed,
            read_at,
            mention_undeclared: roster.guardrails.unmanaged != Unmanaged::Ignore,
            sources: roster.sources,
            observed,
            place,
            now,
            at,
            coming,
            windows,
            meanwhile: 0,
            blame: None,
            asking: Some(asking),
            sandbox,
        }),
        Err(problems) => Err(Problems::new(roster.sources, problems)),
    }
}

/// All that a plan takes beside the files.
struct Drawn {
    reviewed: ReviewedPlan,
    observed: ObservedState,
    read_at: Duration,
    coming: Vec<Coming>,
    asking: Asking,
    place: String,
    sandbox: Option<Running>,
}

async fn draw(
    declared: &Declared,
    scope: Scope<'_>,
    common: &Common,
    environment: &Environment,
) -> Result<Drawn, Vec<Problem>> {
    let Declared { roster, desired, now, at: _ } = declared;
    let only = only(scope, declared)?;
    let Connection { reader, place, sandbox } =
        connect(roster, common, environment).await.map_err(|problem| vec![problem])?;
    let tell: fn(&str) = if common.quiet { |_| {} } else { say };
    let asking =
        Asking::new(reader, environment.clock, Pacing::new(&common.rate), fastrand::Rng::new(), tell);
    let emails: Vec<Email> = desired.people.iter().map(|person| person.email.value.clone()).collect();
    let pin = roster.workspace.organization.as_ref();
    let Observation { state, read_at } =
        asking.observe(&emails, pin).await.map_err(|problem| vec![problem])?;
    let roles = NamedRoles::look_up(roster, &state.roles)?;
    let whole = Plan::draw(desired, &state, &roles, roster.policy)?;
    let coming = forecast(roster, &state, &roles, &whole, *now);
    let rules = &roster.guardrails;
    let review = Review { observed: &state, desired, rules, roles: &roles, max_changes: scope.max_changes };
    let reviewed = whole.only(&only).review(review);
    Ok(Drawn { reviewed, observed: state, read_at, coming, asking, place, sandbox })
}

impl Prepared {
    /// What a report is made of.
    pub(super) fn material<'a>(&'a self, finished: Option<&'a Finished>) -> Material<'a> {
        let Self {
            reviewed,
            sources,
            observed,
            place,
            mention_undeclared,
            now,
            at,
            coming,
            windows,
            meanwhile,
            blame,
            ..
        } = self;
        let (now, at, mention_undeclared, meanwhile) = (*now, at.as_ref(), *mention_undeclared, *meanwhile);
        let (roles, blame) = (&observed.roles, blame.as_ref());
        Material {
            place,
            reviewed,
            sources,
            roles,
            mention_undeclared,
            at,
            now,
            coming,
            windows,
            meanwhile,
            blame,
            finished,
        }
    }

    /// Asks the audit log who changed what is out of step. Costs a request where there is such a thing, and never fails.
    pub(super) async fn find_blame(&mut self) {
        if let Some(asking) = &self.asking {
            let out_of_step = OutOfStep::of(&self.reviewed.plan, &self.observed.roles);
            self.blame = Some(asking.inquire(out_of_step).await.finish(&self.observed));
        }
    }

    /// What `apply` locks: the organisation at its host, or the embedded Pylon of this folder.
    pub(super) fn host(&self) -> &str {
        &self.place
    }

    /// The digest of the files; made only where a plan is saved or was.
    pub(super) fn files_digest(&self) -> String {
        digest_of(&self.sources)
    }

    /// What a saved plan is bound to.
    pub(super) fn binding<'a>(&'a self, files: &'a str) -> Binding<'a> {
        Binding { host: &self.place, files }
    }

    /// Whom to ask from here on, at what pace.
    pub(super) fn take_asking(&mut self) -> Result<(Reader, Pacing, fastrand::Rng), Problems> {
        let asking = self.asking.take();
        let asking = asking.ok_or_else(|| Problem::new(Code::NoRuntime, "a plan is carried out once"))?;
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
    let base = match common.base_url.as_ref().filter(|url| !url.is_empty()) {
        Some(url) => BaseUrl::parse(url)?,
        None => BaseUrl::of(region.or(pin.map(|pin| pin.value)).unwrap_or(Region::Us)),
    };
    if let (Some(region), true) = (region, base.region() != region) {
        let (host, region) = (base.host(), region.as_str());
        return Err(Problem::new(
            Code::OtherRegion,
            format!("--region {region} and the base URL {host} contradict each other"),
        )
        .help("leave out one of them; PYLON_BASE_URL counts like --base-url"));
    }
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
