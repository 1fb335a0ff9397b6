//! Windows that begin at a subject's own date: their ends for each subject, as `Window::resolve_from` finds them.
//!
//! Ends are instants. Facts that are dated by day are given the instant at which their day begins, so that a row is in a window
//! here exactly if it is there, in every zone.

use tierd_model::{CalendarSpan, Clock, Instants, Type, Window, WindowKind};

use super::{
    Cte,
    expr::date_literal,
    plan::Plan,
    select,
    text::{Names, Sql, name},
    zone::{Reach, date_of, midnight},
};

/// The ends of all windows of a step over one fact table.
pub(super) struct OwnWindows {
    /// The query that has them, a row for each subject.
    pub(super) cte: String,
    /// Its column of the subject.
    pub(super) key: String,
    bounds: Vec<(Window, Bounds)>,
}

/// The columns that hold the ends of one window; without the second, it ends with the run.
struct Bounds {
    from: String,
    until: Option<String>,
}

impl OwnWindows {
    /// The windows of subjects whose anchors are columns of `from`. `columns` has the names of facts' columns, which the new ones
    /// must differ from.
    pub(super) fn new(
        plan: &Plan<'_>,
        windows: Vec<Window>,
        from: &str,
        cte: String,
        mut columns: Names,
    ) -> (Self, Cte) {
        let key = name(&columns.take("whose"));
        let mut selected = vec![("key".to_owned(), key.clone())];
        let mut bounds = Vec::new();
        for window in windows {
            let Some(anchor) = window.anchor() else { continue };
            let metric = &plan.rules.metrics[anchor];
            let (start, end) = ends(window, &Sql::whole(&plan.columns[anchor]), metric.ty, plan.clock);
            let from = name(&columns.take(&format!("from_{}", metric.name)));
            selected.push((start.bare().to_owned(), from.clone()));
            let until = end.map(|end| {
                let until = name(&columns.take(&format!("until_{}", metric.name)));
                selected.push((end.bare().to_owned(), until.clone()));
                until
            });
            bounds.push((window, Bounds { from, until }));
        }
        let query = select(&selected, &format!("FROM {from}"));
        (OwnWindows { cte: cte.clone(), key, bounds }, (cte, query))
    }

    /// The columns between which a window lies.
    pub(super) fn bounds(&self, window: Window) -> Option<(&str, Option<&str>)> {
        let (_, bounds) = self.bounds.iter().find(|(known, _)| *known == window)?;
        Some((&bounds.from, bounds.until.as_deref()))
    }
}

/// Where a window begins, NULL if it holds nothing, and where it ends, if that isn't the run.
fn ends(window: Window, anchor: &Sql, ty: Type, clock: &Clock) -> (Sql, Option<Sql>) {
    match (window.kind, ty) {
        (WindowKind::Since(_), Type::Timestamp) => (anchor.clone(), None),
        (WindowKind::Since(_), _) => (midnight(clock.zone(), Reach::ALL, anchor), None),
        _ => {
            let day = if ty == Type::Timestamp { date_of(clock.zone(), Reach::ALL, anchor) } else { anchor.clone() };
            let end = (window.offset > 0).then(|| anniversary(window, &day, 1, clock));
            (anniversary(window, &day, 0, clock), end)
        }
    }
}

/// The instant of the anniversary with which a window begins, or `later` years after that; NULL before the first one.
fn anniversary(window: Window, day: &Sql, later: u16, clock: &Clock) -> Sql {
    let (today, offset) = (clock.today(), window.offset);
    let oldest = CalendarSpan::months(-12 * (i32::from(offset) + 2)).add_to(today);
    let reach = Reach::of([Instants { start: clock.zone().midnight(oldest), end: clock.as_of() }]);
    let back = if offset > 0 { format!(" - {offset}") } else { String::new() };
    let years = if later > 0 { format!("(years + {later})") } else { "years".to_owned() };
    let begins = Sql::whole(format!(
        "\
(SELECT CASE WHEN years >= 0 THEN {} END
FROM (SELECT day, years - ({} > {}){back} AS years
      FROM (SELECT day, {} - CAST(substr(day, 1, 4) AS INTEGER) AS years FROM (SELECT {} AS day))))",
        years_after(&years),
        years_after("years"),
        date_literal(today).bare(),
        today.ymd().0,
        day.bare(),
    ));
    midnight(clock.zone(), reach, &begins)
}

/// The column `day` some years later: 29 February is the 28th in years that have none, where SQLite goes on to 1 March.
fn years_after(years: &str) -> String {
    let limit = format!("date(day, 'start of month', {years} || ' years', '+1 month', '-1 day')");
    format!("min(date(day, {years} || ' years'), {limit})")
}
