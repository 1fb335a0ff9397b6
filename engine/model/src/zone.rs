use jiff::tz::TimeZone;

use crate::{DAY_MICROS, MICROS};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A calendar day: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub i32);

impl Date {
    /// The day of a year, month (1–12) and day (1–31); `None` where there is no such day.
    pub fn from_ymd(year: i64, month: u32, day: u32) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(-9999..=9999).contains(&year) {
            return None;
        }
        let days = days_from_civil(year, month, day);
        (civil_from_days(days) == (year, month, day)).then_some(Date(days as i32))
    }

    /// Year, month and day.
    pub fn ymd(self) -> (i64, u32, u32) {
        civil_from_days(i64::from(self.0))
    }
}

/// Why a time zone can't be used.
#[derive(Debug, thiserror::Error)]
#[error("no time zone `{name}`; use a name of the IANA database such as Asia/Shanghai, Europe/Paris or UTC")]
pub struct ZoneError {
    name: String,
    #[source]
    source: jiff::Error,
}

/// A time zone, flattened to a table of offsets so that a row costs a comparison and an addition.
///
/// Local times that a jump forward skips are read with the offset before the jump; those that a jump back repeats are
/// the first of the two (RFC 5545, as jiff's "compatible").
#[derive(Debug)]
pub struct Zone {
    name: String,
    /// Sorted by both starts; the first begins before all time.
    pieces: Vec<Piece>,
    /// For each stretch of [`BUCKET_BITS`], the piece that holds its beginning; by local time and by instant.
    civil_index: Vec<u16>,
    instant_index: Vec<u16>,
}

/// A stretch of time with one offset.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// First instant, in microseconds.
    instant: i64,
    /// First local time that belongs to it, in microseconds of the local clock.
    civil: i64,
    /// Local time minus UTC, in microseconds.
    offset: i64,
}

/// When clocks show a local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// At this instant.
    Once(i64),
    /// At both, as the clock is put back in between.
    Twice(i64, i64),
    /// They jump over it, at this instant.
    Never { jump: i64 },
}

/// Transitions are laid out from 1900 to 2200: outside, the nearest offset holds.
const FIRST_SECOND: i64 = -2_208_988_800;
const LAST_SECOND: i64 = 7_258_118_400;

/// Stretches of 2^40 microseconds (some 12.7 days) hold at most a transition or two, so that a lookup in any order of times is
/// one load and a comparison.
const BUCKET_BITS: u32 = 40;
const FIRST_BUCKET: i64 = (FIRST_SECOND * MICROS) >> BUCKET_BITS;
const LAST_BUCKET: i64 = (LAST_SECOND * MICROS) >> BUCKET_BITS;

impl Zone {
    /// The zone of this IANA name.
    ///
    /// # Errors
    /// [`ZoneError`] where the database has no such zone.
    pub fn new(name: &str) -> Result<Self, ZoneError> {
        let zone = TimeZone::get(name).map_err(|source| ZoneError { name: name.to_owned(), source })?;
        Ok(Zone::of_pieces(name, pieces(&zone)))
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Zone::of_pieces("UTC", pieces(&TimeZone::UTC))
    }

    fn of_pieces(name: &str, pieces: Vec<Piece>) -> Self {
        let civil_index = index(&pieces, |piece| piece.civil);
        let instant_index = index(&pieces, |piece| piece.instant);
        Zone { name: name.to_owned(), pieces, civil_index, instant_index }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instant at which clocks show this local time (microseconds since 1970-01-01T00:00 on the local clock).
    #[inline]
    pub fn to_instant(&self, civil: i64) -> i64 {
        civil.saturating_sub(self.piece(civil, &self.civil_index, |p| p.civil).offset)
    }

    /// The local time at this instant, in microseconds since 1970-01-01T00:00 on the local clock.
    #[inline]
    pub fn to_civil(&self, instant: i64) -> i64 {
        instant.saturating_add(self.piece(instant, &self.instant_index, |p| p.instant).offset)
    }

    /// The calendar day at this instant.
    #[inline]
    pub fn date_of(&self, at: Timestamp) -> Date {
        Date(self.to_civil(at.0).div_euclid(DAY_MICROS) as i32)
    }

    /// The instant at which this calendar day begins.
    #[inline]
    pub fn midnight(&self, date: Date) -> Timestamp {
        Timestamp(self.to_instant(i64::from(date.0) * DAY_MICROS))
    }

    /// The offsets that hold for local times, from long ago on: each pair is the first local time (microseconds on the local
    /// clock; the first pair begins before all time) and the offset from UTC in microseconds.
    pub fn civil_offsets(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.pieces.iter().map(|p| (p.civil, p.offset))
    }

    /// As [`Zone::civil_offsets`], by instants.
    pub fn instant_offsets(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.pieces.iter().map(|p| (p.instant, p.offset))
    }

    /// When clocks show this local time (microseconds on the local clock).
    pub(crate) fn shown(&self, civil: i64) -> Shown {
        let first = self.to_instant(civil);
        let place = self.place(first, &self.instant_index, |p| p.instant);
        let piece = self.pieces[place];
        if first.saturating_add(piece.offset) != civil {
            return Shown::Never { jump: piece.instant };
        }
        let second = self.pieces.get(place + 1).map(|next| (next.instant, civil.saturating_sub(next.offset)));
        match second {
            Some((begin, second)) if second >= begin => Shown::Twice(first, second),
            _ => Shown::Once(first),
        }
    }

    #[inline]
    fn piece(&self, at: i64, index: &[u16], start: impl Fn(&Piece) -> i64) -> Piece {
        self.pieces[self.place(at, index, start)]
    }

    #[inline]
    fn place(&self, at: i64, index: &[u16], start: impl Fn(&Piece) -> i64) -> usize {
        let bucket = (at >> BUCKET_BITS).clamp(FIRST_BUCKET, LAST_BUCKET) - FIRST_BUCKET;
        let mut found = usize::from(index[bucket as usize]);
        while self.pieces.get(found + 1).is_some_and(|next| start(next) <= at) {
            found += 1;
        }
        found
    }
}

/// For each bucket the last piece that starts at its beginning or before. There are at most a few hundred pieces.
fn index(pieces: &[Piece], start: impl Fn(&Piece) -> i64) -> Vec<u16> {
    let piece_at = |at: i64| pieces.partition_point(|piece| start(piece) <= at).saturating_sub(1) as u16;
    (FIRST_BUCKET..=LAST_BUCKET).map(|bucket| piece_at(bucket << BUCKET_BITS)).collect()
}

fn pieces(zone: &TimeZone) -> Vec<Piece> {
    let first = jiff::Timestamp::from_second(FIRST_SECOND).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut offset = i64::from(zone.to_offset(first).seconds()) * MICROS;
    let mut out = vec![Piece { instant: i64::MIN, civil: i64::MIN, offset }];
    for transition in zone.following(first) {
        let second = transition.timestamp().as_second();
        if second > LAST_SECOND {
            break;
        }
        let next = i64::from(transition.offset().seconds()) * MICROS;
        if next == offset {
            continue;
        }
        let instant = second * MICROS;
        // From here on the local clock shows `instant + next`. In a jump back, times up to `instant + offset` are the first of
        // two; in a jump forward, times before `instant + next` are skipped and read with the old offset.
        out.push(Piece { instant, civil: instant + offset.max(next), offset: next });
        offset = next;
    }
    out
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
#[inline]
pub const fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted_month = if month > 2 { month as i64 - 3 } else { month as i64 + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a number of days since 1970-01-01 (the inverse of [`days_from_civil`]).
#[inline]
pub const fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil;

    /// Microseconds on the local clock of a civil date and time.
    fn civil_micros(at: civil::DateTime) -> i64 {
        let days = days_from_civil(i64::from(at.year()), at.month() as u32, at.day() as u32);
        let seconds = i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60 + i64::from(at.second());
        days * DAY_MICROS + seconds * MICROS + i64::from(at.subsec_nanosecond()) / 1000
    }

    /// Every hour of a year, against jiff itself.
    #[test]
    fn agrees_with_jiff_around_every_transition() {
        for name in
            ["UTC", "Asia/Shanghai", "America/New_York", "Europe/Paris", "Australia/Lord_Howe", "Africa/Casablanca"]
        {
            let zone = Zone::new(name).unwrap();
            let jiff = TimeZone::get(name).unwrap();
            for hour in 0..24 * 366 * 2 {
                let civil = civil::date(1987, 1, 1).at(0, 30, 0, 0) + jiff::Span::new().hours(hour);
                let expected = jiff.to_ambiguous_zoned(civil).compatible().unwrap().timestamp().as_microsecond();
                assert_eq!(zone.to_instant(civil_micros(civil)), expected, "{name} {civil}");
                let back = jiff.to_datetime(jiff::Timestamp::from_microsecond(expected).unwrap());
                assert_eq!(zone.to_civil(expected), civil_micros(back), "{name} {civil}");
            }
        }
    }

    #[test]
    fn days_and_civil_dates_are_inverse() {
        for days in (-800_000..800_000).step_by(37) {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
        assert_eq!(Date::from_ymd(2023, 2, 29), None);
        assert_eq!(Date::from_ymd(2024, 2, 29).map(|d| d.to_string()).as_deref(), Some("2024-02-29"));
    }
}
