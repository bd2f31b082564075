//! Instants as written in the files: a date, a local date-time, or a date-time with an offset.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::value::{Datetime, Offset as TomlOffset};

/// An instant and its original notation, such as `2027-01-03` or `2026-12-01T18:00:00+01:00`. JSON has only the original
/// notation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Moment {
    #[serde(skip)]
    pub at: Timestamp,
    /// The original notation, which is ISO 8601.
    pub written: String,
}

impl Moment {
    /// Parses a date or a date-time in the time zone `zone`, as described for [`Moment::from_datetime`].
    ///
    /// # Errors
    /// Returns the reason the string isn't an instant, worded to complete a sentence.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Self, String> {
        let datetime: Datetime = text.trim().parse().map_err(|_| {
            if names_missing_day(text.trim()) { MISSING_DAY } else { "is neither a date nor a date-time" }
                .to_owned()
        })?;
        Self::from_datetime(&datetime, zone)
    }

    /// Converts a date or a date-time to an instant. A date means the start of that day in `zone`. A local date-time is
    /// interpreted in `zone`, while a date-time with an offset doesn't depend on it.
    ///
    /// Local times that daylight saving skips or repeats are resolved with the "compatible" strategy of RFC 5545. It picks the
    /// later instant for a skipped time and the earlier one for a repeated time.
    ///
    /// # Errors
    /// Returns the reason the value isn't an instant, worded to complete a sentence.
    pub fn from_datetime(written: &Datetime, zone: &TimeZone) -> Result<Self, String> {
        let Some(date) = written.date else {
            return Err("is a time without a date".into());
        };
        let small = |number: u8| i8::try_from(number).unwrap_or(i8::MAX);
        let year = i16::try_from(date.year).unwrap_or(i16::MAX);
        let day = Date::new(year, small(date.month), small(date.day)).map_err(|_| MISSING_DAY.to_owned())?;
        let time = match &written.time {
            None => Time::midnight(),
            Some(time) => {
                let nanosecond = i32::try_from(time.nanosecond.unwrap_or(0)).unwrap_or(i32::MAX);
                Time::new(small(time.hour), small(time.minute), small(time.second.unwrap_or(0)), nanosecond)
                    .map_err(|_| "has a time of day that does not exist".to_owned())?
            }
        };
        let local = DateTime::from_parts(day, time);
        let too_far = |_| "is too far away".to_owned();
        let at = match written.offset {
            None if written.time.is_none() => day
                .to_zoned_datetime(zone.clone())
                .and_then(|day| day.start_of_day())
                .map_err(too_far)?
                .timestamp(),
            None => zone.to_timestamp(local).map_err(too_far)?,
            Some(TomlOffset::Z) => Offset::UTC.to_timestamp(local).map_err(too_far)?,
            Some(TomlOffset::Custom { minutes }) => {
                let offset = Offset::from_seconds(i32::from(minutes) * 60).map_err(too_far)?;
                offset.to_timestamp(local).map_err(too_far)?
            }
        };
        Ok(Self { at, written: written.to_string() })
    }
}

const MISSING_DAY: &str = "is not a real date";

/// Returns `true` if the text begins with a well-formed date that isn't in the calendar, such as `2027-02-30`.
fn names_missing_day(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else { return false };
    let Some((month, day)) = rest.split_at_checked(5).unwrap_or((rest, "")).0.split_once('-') else {
        return false;
    };
    let is_well_formed = (year.len(), month.len(), day.len()) == (4, 2, 2);
    match (year.parse(), month.parse(), day.parse()) {
        (Ok(year), Ok(month), Ok(day)) if is_well_formed => Date::new(year, month, day).is_err(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn at(written: &str, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        Moment::parse(written, &zone).unwrap().at.to_string()
    }

    #[test]
    fn the_error_for_a_day_that_does_not_exist_says_so() {
        for (text, why) in [
            ("2027-02-30", MISSING_DAY),
            ("2027-13-01T08:00:00", MISSING_DAY),
            ("2027-02-28T25:00:00", "is neither a date nor a date-time"),
            ("2027-2-30", "is neither a date nor a date-time"),
            ("tomorrow", "is neither a date nor a date-time"),
        ] {
            assert_eq!(Moment::parse(text, &TimeZone::UTC).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn a_date_is_its_first_instant_in_the_zone() {
        assert_eq!(at("2026-12-20", "Europe/Berlin"), "2026-12-19T23:00:00Z");
        assert_eq!(at("2026-06-20", "Europe/Berlin"), "2026-06-19T22:00:00Z");
        // Midnight doesn't exist on this day in Beirut, where clocks go from 0:00 to 1:00.
        assert_eq!(at("2025-03-30", "Asia/Beirut"), "2025-03-29T22:00:00Z");
    }

    #[test]
    fn a_skipped_local_time_is_the_later_instant_and_a_repeated_one_the_earlier() {
        assert_eq!(at("2026-03-29T02:30:00", "Europe/Berlin"), "2026-03-29T01:30:00Z");
        assert_eq!(at("2026-10-25T02:30:00", "Europe/Berlin"), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn a_text_that_is_not_an_instant_is_rejected() {
        for text in ["", "soon", "08:00:00", "2026-02-30", "2026-13-01", "2026-12-20T25:00:00", "20.12.2026"]
        {
            assert!(Moment::parse(text, &TimeZone::UTC).is_err(), "{text}");
        }
    }

    #[test]
    fn an_offset_needs_no_zone() {
        assert_eq!(at("2026-12-01T18:00:00+01:00", "Asia/Tokyo"), "2026-12-01T17:00:00Z");
        assert_eq!(at("2026-12-01T18:00:00Z", "Asia/Tokyo"), "2026-12-01T18:00:00Z");
    }
}
