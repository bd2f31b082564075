//! An SVG timeline of the windows, with one lane per window. Text is placed next to the bars so that its contrast doesn't
//! depend on their color.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use maud::{Markup, html};

use super::LONGEST;
use crate::printable::Printable;
use crate::report::facts::agenda::WindowLine;
use crate::report::words;
use crate::roster::Field;

/// The maximum number of lanes. The JSON report has all windows.
const MOST: usize = 60;
/// Dimensions in SVG units: the total width, the width of the names, and the heights of a lane and of the dates.
const WIDTH: f64 = 960.0;
const NAMES: f64 = 230.0;
const LANE: f64 = 36.0;
const DATES: f64 = 24.0;
/// The maximum lengths, in characters, of an address and of a window's values, so that both fit next to the bars.
const LONGEST_ADDRESS: usize = 30;
const LONGEST_VALUES: usize = 36;
/// The minimum distance in SVG units between a date and the word `now`, which would otherwise overlap.
const NOW: f64 = 50.0;
/// The longest period shown after the current time. Without this cap, a single window ten years from now would squeeze all the
/// others together.
const FARTHEST: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The shortest period shown after the current time, even if all windows end sooner.
const NEAREST: SignedDuration = SignedDuration::from_hours(14 * 24);
/// The accessible name of the timeline.
const LABEL: &str = "Window timeline";
/// The maximum number of dates on the axis.
const TICKS: usize = 9;

/// Draws the timeline, or nothing if there are no windows.
pub(super) fn draw(windows: &[WindowLine], now: Timestamp) -> Markup {
    if windows.is_empty() {
        return html! {};
    }
    let shown = &windows[..windows.len().min(MOST)];
    let axis = Axis::new(shown, now);
    let lanes = f64::from(u32::try_from(shown.len()).unwrap_or(u32::MAX)) * LANE;
    let height = lanes + DATES;
    html! {
        // Make the timeline focusable. It has to be scrolled on small screens, and only focusable elements can be scrolled with a
        // keyboard.
        div.timeline tabindex="0" role="region" aria-label=(LABEL) {
            svg viewBox=(format!("0 0 {WIDTH} {height}")) role="group" {
                g aria-hidden="true" {
                    @for tick in axis.ticks().into_iter().filter(|tick| (axis.x(start_of(*tick)) - axis.x(now)).abs() > NOW) {
                        @let x = axis.x(start_of(tick));
                        line.tick x1=(x) y1="0" x2=(x) y2=(lanes) {}
                        text.date x=(x) y=(lanes + 16.0) { (tick) }
                    }
                }
                @for (number, window) in shown.iter().enumerate() { (lane(window, number, &axis)) }
                g aria-hidden="true" {
                    @let x = axis.x(now);
                    line.now x1=(x) y1="0" x2=(x) y2=(lanes) {}
                    text.today x=(x) y=(lanes + 16.0) { "now" }
                }
            }
        }
        @if windows.len() > MOST { p.quiet { "and " (words::count(windows.len() - MOST, "more window", "more windows")) } }
    }
}

/// Maps instants to horizontal positions.
struct Axis {
    from: Timestamp,
    until: Timestamp,
}

impl Axis {
    fn new(windows: &[WindowLine], now: Timestamp) -> Self {
        let edges = windows.iter().flat_map(|window| window.from.iter().chain(&window.until));
        let last = edges.map(|edge| edge.at).max().unwrap_or(now);
        let add = |duration| now.saturating_add(duration).unwrap_or(Timestamp::MAX);
        let span = last.clamp(add(NEAREST), add(FARTHEST)).duration_since(now);
        // Start slightly before the current time to show which windows are open, and end slightly after the last edge.
        let margin = span / 20;
        let until = now.saturating_add(span + margin).unwrap_or(Timestamp::MAX);
        Self { from: now.saturating_sub(margin).unwrap_or(Timestamp::MIN), until }
    }

    /// Returns the x coordinate of an instant, clamped to the drawing.
    fn x(&self, at: Timestamp) -> f64 {
        let whole = self.until.duration_since(self.from).as_secs_f64();
        let part = at.clamp(self.from, self.until).duration_since(self.from).as_secs_f64();
        let room = WIDTH - NAMES - 10.0;
        ((NAMES + room * part / whole) * 10.0).round() / 10.0
    }

    /// Returns up to [`TICKS`] dates at daily, weekly, monthly, or quarterly intervals.
    fn ticks(&self) -> Vec<Date> {
        let first = self.from.to_zoned_datetime(TimeZone::UTC).date();
        let last = self.until.to_zoned_datetime(TimeZone::UTC).date();
        let steps = [Span::new().days(1), Span::new().weeks(1), Span::new().months(1), Span::new().months(3)];
        for step in steps {
            let is_monthly = step.get_months() > 0;
            let start = if is_monthly { first.first_of_month() } else { first };
            let ticks: Vec<Date> = start
                .series(step)
                .skip_while(|day| *day <= first)
                .take_while(|day| *day <= last)
                .take(TICKS + 1)
                .collect();
            if ticks.len() <= TICKS {
                return ticks;
            }
        }
        Vec::new()
    }
}

fn start_of(day: Date) -> Timestamp {
    day.to_zoned_datetime(TimeZone::UTC).map_or(Timestamp::MAX, |day| day.timestamp())
}

fn lane(window: &WindowLine, number: usize, axis: &Axis) -> Markup {
    let WindowLine { email, from, until, .. } = window;
    let sets: Vec<(Field, &Printable)> = window.sets.some().collect();
    let top = f64::from(u32::try_from(number).unwrap_or(u32::MAX)) * LANE;
    let start = from.as_ref().map_or(axis.x(axis.from), |from| axis.x(from.at));
    let end = until.as_ref().map_or(axis.x(axis.until), |until| axis.x(until.at));
    let class = match sets.as_slice() {
        [(field, _)] => field.as_str(),
        _ => "several",
    };
    let values: Vec<String> =
        sets.iter().map(|(field, value)| format!("{field} {}", value.short(LONGEST_VALUES))).collect();
    html! {
        // The title is read out by screen readers and shown on hover.
        g.lane role="img" {
            title { (sentence(window)) }
            text.who x="0" y=(top + 15.0) { (email.short(LONGEST_ADDRESS).as_str()) }
            text.what x="0" y=(top + 29.0) { (Printable::cut(&values.join(", "), LONGEST_VALUES).as_str()) }
            rect class=(class) x=(start) y=(top + 10.0) width=((end - start).max(2.0)) height=(LANE - 20.0) rx="3" {}
        }
    }
}

/// Describes a window in a sentence, which becomes the title of its lane.
fn sentence(window: &WindowLine) -> String {
    let WindowLine { email, from, until, sets, then, reason, location } = window;
    let short = |text: &Printable| text.short(LONGEST).to_string();
    let sets: Vec<String> = sets.some().map(|(field, value)| format!("{field} {}", short(value))).collect();
    let from = from.as_ref().map_or_else(String::new, |from| format!(" from {}", from.written));
    let until =
        until.as_ref().map_or_else(|| " with no end".to_owned(), |until| format!(" until {}", until.written));
    let then = then.as_ref().map_or_else(String::new, |then| format!(", then {}", short(then)));
    let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({})", short(reason)));
    format!("{}: {}{from}{until}{then}{reason}, {location}", words::full_address(email), sets.join(", "))
}
