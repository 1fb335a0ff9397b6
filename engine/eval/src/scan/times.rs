//! Windows as ranges of stored times.

use tierd_model::{Clock, Date, Instants, Timestamp, Type, Zone};

use super::mask::Range;

/// The stored times of a window.
pub(super) fn time_range(ty: Type, window: Instants, zone: &Zone) -> Range {
    let bound = |at: Timestamp| if ty == Type::Date { first_day_from(at, zone) } else { i128::from(at.0) };
    Range::clamped(bound(window.start), bound(window.end) - 1)
}

/// The stored times up to and including `as_of`.
pub(super) fn known_times(ty: Type, clock: &Clock) -> Range {
    let end = Timestamp(clock.as_of().0.saturating_add(1));
    time_range(ty, Instants { start: Timestamp(i64::MIN), end }, clock.zone())
}

/// The first day that begins at this instant or later.
fn first_day_from(at: Timestamp, zone: &Zone) -> i128 {
    if at.0 == i64::MIN {
        return i128::from(i32::MIN);
    }
    let mut day = zone.date_of(at);
    while zone.midnight(day) < at {
        day = Date(day.0 + 1);
    }
    while zone.midnight(Date(day.0 - 1)) >= at {
        day = Date(day.0 - 1);
    }
    i128::from(day.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tierd_model::{days_from_civil, parse_timestamp};

    /// Samoa had no 30 December 2011; São Paulo's clocks went from 0:00 to 1:00 in summer.
    #[test]
    fn a_date_is_in_a_window_as_its_midnight_is() {
        for zone in ["UTC", "Asia/Shanghai", "Pacific/Apia", "America/Sao_Paulo", "America/New_York"] {
            let zone = Zone::new(zone).unwrap();
            for bound in [
                "2011-12-30",
                "2011-12-31",
                "2011-12-30 10:00",
                "2018-11-04",
                "2018-11-03 23:59:59",
                "2026-03-08 02:30",
            ] {
                let at = parse_timestamp(bound.as_bytes()).unwrap().instant(&zone);
                let first = first_day_from(at, &zone) as i32;
                for day in first - 3..first + 3 {
                    assert_eq!(zone.midnight(Date(day)) >= at, day >= first, "{bound} in {}, day {day}", zone.name());
                }
            }
        }
        let all = Instants { start: Timestamp(i64::MIN), end: Timestamp(0) };
        let days = time_range(Type::Date, all, &Zone::utc());
        assert_eq!((days.low, days.high), (i32::MIN.into(), days_from_civil(1969, 12, 31)));
    }
}
