//! Metrics that are read off points accounts: `points = "club.balance"`.

use tierd_model::{Type, Window, WindowKind};

use crate::{
    PointsId, PointsMeasure, PointsProgram,
    check::{
        Checking,
        catalog::Catalog,
        metrics::draft::{Body, Draft},
    },
    code,
    raw::{At, Name, rules::MetricTable, values::WindowEntry},
    suggest::nearest,
};

const MEASURES: [&str; 6] = ["balance", "earned", "spent", "expired", "expiring", "next_expiry"];

impl Checking<'_> {
    /// A metric read off a points account.
    pub(in crate::check) fn points_metric(
        &mut self,
        draft: &mut Draft<'_>,
        table: &MetricTable,
        text: &At<String>,
        catalog: &Catalog,
    ) {
        let found = self.told(&draft.name, table, text, catalog);
        let Some((program, id, measure)) = found.filter(|(program, ..)| self.agrees(draft, program.subject, catalog))
        else {
            return;
        };
        let ty = if measure == PointsMeasure::NextExpiry { Type::Date } else { program.ty() };
        draft.subject = Some(program.subject);
        draft.body = Some(Body::Points(id, measure, ty));
    }

    /// What a metric tells, and of which program.
    fn told<'c>(
        &mut self,
        name: &Name,
        table: &MetricTable,
        text: &At<String>,
        catalog: &'c Catalog,
    ) -> Option<(&'c PointsProgram, PointsId, PointsMeasure)> {
        let value = text.value.as_ref()?;
        let Some((program, measure)) = value.split_once('.') else {
            let help = format!("write \"{}.balance\"", if value.is_empty() { "club" } else { value });
            self.error(code::UNKNOWN_POINTS, &text.at, "which points, and what of them?", help);
            return None;
        };
        let (id, found) = self.program_named(program, text, catalog)?;
        let measure = self.measure(name, table, measure, text);
        Some((found?, id, measure?))
    }

    /// The program of this name; the program itself is `None` where it is wrong, which is reported.
    fn program_named<'c>(
        &mut self,
        name: &str,
        text: &At<String>,
        catalog: &'c Catalog,
    ) -> Option<(PointsId, Option<&'c PointsProgram>)> {
        let programs = &catalog.programs.0;
        let found = programs.iter().position(|(known, _)| known == name);
        if found.is_none() && !self.incomplete {
            let help = match nearest(name, programs.iter().map(|(known, _)| known.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: `[points.{name}]`"),
            };
            let at = self.place(text, 0..name.len());
            self.error(code::UNKNOWN_POINTS, &at, format!("no points program `{name}`"), help);
        }
        found.map(|index| (PointsId(index), programs[index].1.as_ref()))
    }

    fn measure(&mut self, name: &Name, table: &MetricTable, measure: &str, text: &At<String>) -> Option<PointsMeasure> {
        let timed = matches!(measure, "earned" | "spent" | "expired");
        if let (Some(window), false) = (&table.window, timed) {
            let help = "leave it out; `earned`, `spent` and `expired` have a window";
            self.error(code::CONFLICTING_KEYS, &window.at, format!("`{measure}` has no `window`"), help);
            return None;
        }
        if let (Some(within), true) = (&table.within, measure != "expiring") {
            let help = "leave it out, or write `expiring`";
            self.error(code::CONFLICTING_KEYS, &within.at, format!("`{measure}` has no `within`"), help);
            return None;
        }
        match measure {
            "balance" => Some(PointsMeasure::Balance),
            "next_expiry" => Some(PointsMeasure::NextExpiry),
            "earned" => self.points_window(table).map(PointsMeasure::Earned),
            "spent" => self.points_window(table).map(PointsMeasure::Spent),
            "expired" => self.points_window(table).map(PointsMeasure::Expired),
            "expiring" => {
                let Some(within) = &table.within else {
                    let help = "say how soon: within = \"30 days\"";
                    self.error(code::MISSING_KEY, &name.at, "`expiring` has no `within`", help);
                    return None;
                };
                within.value.as_ref().map(|within| PointsMeasure::Expiring(within.0))
            }
            _ => self.unknown_measure(measure, text),
        }
    }

    fn unknown_measure<T>(&mut self, measure: &str, text: &At<String>) -> Option<T> {
        let help = match nearest(measure, MEASURES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", MEASURES.join(", ")),
        };
        let start = text.value.as_ref()?.find('.')? + 1;
        let at = self.place(text, start..start + measure.len());
        self.error(code::UNKNOWN_POINTS, &at, format!("points have no `{measure}`"), help);
        None
    }

    fn points_window(&mut self, table: &MetricTable) -> Option<Window> {
        let Some(window) = &table.window else {
            return Some(Window { kind: WindowKind::Lifetime, offset: 0 });
        };
        match window.value.as_ref()? {
            WindowEntry::Lifetime(_) => Some(Window { kind: WindowKind::Lifetime, offset: 0 }),
            WindowEntry::Table(table) => {
                let found = self.window(table, &window.at)?;
                if let Some(anchor) = found.anchor {
                    let headline = "points are counted in windows that are the same for all";
                    let help = "write { last = \"12 months\" }, { calendar = \"year\" } or another such window";
                    self.error(code::BAD_WINDOW, &anchor.at, headline, help);
                    return None;
                }
                Some(found.window)
            }
        }
    }
}
