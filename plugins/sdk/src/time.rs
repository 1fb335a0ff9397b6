//! Values that Rust has no type of its own for.

use crate::Call;

/// A calendar day: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(pub i32);

/// An instant: microseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// An exact decimal with `SCALE` digits after the point: 19.99 is `Decimal::<2>(1999)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal<const SCALE: u8>(pub i64);

impl Call {
    /// The time that the run speaks of.
    pub fn at(&self) -> Timestamp {
        Timestamp(self.as_of)
    }

    /// Its day in the zone of the company.
    pub fn day(&self) -> Date {
        Date(self.today)
    }
}

impl Date {
    /// The day with this year, month (1 to 12) and day of the month. What is beyond a month's end runs on into the next.
    ///
    /// ```
    /// use tierd_plugin::Date;
    /// assert_eq!(Date::new(2026, 6, 30).0, 20_634);
    /// assert_eq!(Date::new(2026, 6, 30).year_month_day(), (2026, 6, 30));
    /// ```
    pub fn new(year: i32, month: u32, day: u32) -> Self {
        // Years from March on, in eras of 400 years (Hinnant, "chrono-compatible low-level date algorithms").
        let year = i64::from(year) - i64::from(month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
        Date((era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468) as i32)
    }

    /// Year, month (1 to 12) and day of the month.
    pub fn year_month_day(self) -> (i32, u32, u32) {
        let days = i64::from(self.0) + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
        ((year_of_era + era * 400 + i64::from(month <= 2)) as i32, month, day)
    }

    /// Days from `earlier` until this day.
    pub fn days_since(self, earlier: Date) -> i32 {
        self.0 - earlier.0
    }
}

impl Timestamp {
    /// Days of 24 hours from `earlier` until this instant.
    pub fn days_since(self, earlier: Timestamp) -> f64 {
        (self.0 - earlier.0) as f64 / 86_400e6
    }
}

impl<const SCALE: u8> Decimal<SCALE> {
    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 10f64.powi(i32::from(SCALE))
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn days_and_dates_agree_over_eight_centuries() {
        let mut day = Date::new(1600, 1, 1);
        let mut before = (1599, 12, 31);
        while day < Date::new(2400, 1, 1) {
            let (y, m, d) = day.year_month_day();
            assert!((y, m, d) > before && Date::new(y, m, d) == day, "{y}-{m}-{d}");
            before = (y, m, d);
            day.0 += 1;
        }
        assert_eq!(Date::new(2000, 2, 29).year_month_day(), (2000, 2, 29));
        assert_eq!(Date::new(1970, 1, 1).0, 0);
    }
}
