//! Points programs as written.

use super::{
    forms::{DayText, Parsed, SpanText},
    read::At,
    table::{table, words},
    values::PointsEntry,
};

table! {
    /// A points program: what facts earn, spend and take back, and how points expire.
    PointsTable = "a points program" {
        /// Title for people.
        optional title: String,
        /// Whose points these are: the NAME of a `[subject.NAME]`. Needed only where the facts don't say it.
        optional subject: String,
        /// Digits after the point; the points of a single fact are rounded down to them. Default: 0.
        optional digits: u16,
        /// How points that nobody spends are lost: `{ after = "12 months" }` or `{ on = ["12-31"] }`. Default: never.
        optional expire: ExpireTable,
        /// Facts that give points: `[[points.NAME.earn]]`.
        optional earn: Vec<At<BookingTable>>,
        /// Facts that use points up: `[[points.NAME.spend]]`.
        optional spend: Vec<At<BookingTable>>,
        /// Facts that take points back: `[[points.NAME.refund]]`.
        optional refund: Vec<At<BookingTable>>,
    }
}

table! {
    /// Facts that book points.
    BookingTable = "a booking" {
        /// Title for people.
        optional title: String,
        /// The facts: the NAME of a `[facts.NAME]`.
        required from: String,
        /// Which facts count: a condition over their columns.
        #[schemars(example = "status = 'paid'")]
        optional r#where: String,
        /// How many points each fact books: a number, or an expression over the facts' columns. Less than 0 books nothing.
        #[schemars(example = "amount / 10")]
        required points: PointsEntry,
    }
}

table! {
    /// How points are lost: `after` a span, or `on` days of the year.
    ExpireTable = "`expire`" {
        /// Each earning is lost this long after it: `"12 months"`.
        optional after: Parsed<SpanText>,
        /// With `after`: not on the day itself but at the end of its month, quarter or year.
        optional at: ExpireAtName,
        /// All points are lost at the end of these days of the year: `["03-31", "09-30"]`.
        optional on: Vec<At<Parsed<DayText>>>,
    }
}

words! {
    /// To which end an expiry is put off.
    ExpireAtName {
        /// The end of the month.
        Month = "month end",
        /// The end of the quarter.
        Quarter = "quarter end",
        /// The end of the year.
        Year = "year end",
    }
}
