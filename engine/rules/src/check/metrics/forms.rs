//! Metrics of one key: attributes, ranks, scorecards.

use std::sync::Arc;

use tierd_model::Decimal;

use super::draft::{Body, Draft, Row, Use};
use crate::{
    RankKind, SubjectId,
    check::{
        Checking,
        catalog::{Catalog, unknown},
    },
    code,
    fileset::Location,
    raw::{
        At,
        offsets::Offsets,
        rules::{MetricTable, NtileTable, ScoreTable},
        values::PointsEntry,
    },
    syntax::{Node, NodeKind},
};

/// More rows than any scorecard has. Their sum is as deep as there are rows.
const MAX_ROWS: usize = 100;

impl Checking<'_> {
    pub(super) fn attribute(&mut self, draft: &mut Draft<'_>, text: &At<String>, catalog: &Catalog) {
        let Some(name) = &text.value else {
            return;
        };
        let having: Vec<SubjectId> = (0..catalog.subjects.len())
            .map(SubjectId)
            .filter(|subject| draft.subject.is_none_or(|explicit| explicit == *subject))
            .filter(|subject| catalog.attribute(*subject, name).is_some())
            .collect();
        match having.as_slice() {
            [subject] => {
                draft.subject = Some(*subject);
                let found = catalog.attribute(*subject, name);
                draft.body = found.and_then(|(index, column)| {
                    let column = column.as_ref()?;
                    Some(Body::Attribute { index, ty: column.ty, personal: column.personal })
                });
            }
            [] => {
                let subjects = catalog.subjects.iter().enumerate();
                let subjects = subjects.filter(|(i, _)| draft.subject.is_none_or(|explicit| explicit.0 == *i));
                let known: Vec<_> = subjects.map(|(_, entry)| &entry.columns).collect();
                if known.iter().all(|columns| columns.is_some()) {
                    let names = known.into_iter().flatten().flatten().map(|(name, _)| name.text.as_str());
                    let diagnostic = unknown(code::UNKNOWN_NAME, "attribute", name, &text.at, names);
                    self.out.push(diagnostic);
                }
            }
            _ => self.ambiguous(&text.at, catalog),
        }
    }

    /// Reports that nothing says which subject is meant.
    pub(in crate::check) fn ambiguous(&mut self, at: &Location, catalog: &Catalog) {
        let names: Vec<&str> = catalog.subjects.iter().map(|entry| entry.name.text.as_str()).collect();
        let help = format!("write subject = \"{}\" or another of {}", names.first().unwrap_or(&""), names.join(", "));
        self.error(code::AMBIGUOUS_SUBJECT, at, "of which subject?", help);
    }

    pub(super) fn rank(&mut self, draft: &mut Draft<'_>, table: &MetricTable) {
        let quintile = table.quintile.as_ref().map(|text| (text, RankKind::Ntile(5)));
        let ranked = table.rank.as_ref().map(|text| (text, RankKind::Rank));
        let percentile = table.percentile.as_ref().map(|text| (text, RankKind::Percentile));
        let ntile = table.ntile.as_ref().and_then(|ntile| ntile.value.as_ref()).and_then(|ntile| self.ntile(ntile));
        let Some((text, kind)) = quintile.or(ranked).or(percentile).or(ntile) else {
            return;
        };
        match (self.direction(text), &table.cuts) {
            (Some(order), Some(cuts)) => self.frozen(draft, cuts, order, kind),
            (Some((of, descending)), None) => {
                draft.uses = vec![of];
                draft.body = Some(Body::Rank { descending, kind });
            }
            (None, _) => {}
        }
    }

    fn ntile<'t>(&mut self, table: &'t NtileTable) -> Option<(&'t At<String>, RankKind)> {
        let buckets = table.buckets.value?;
        if buckets < 2 {
            self.error(code::OUT_OF_RANGE, &table.buckets.at, "there are at least 2 buckets", "write buckets = 10");
            return None;
        }
        Some((&table.of, RankKind::Ntile(buckets)))
    }

    /// `METRIC desc`: the metric, and whether the largest is first.
    fn direction(&mut self, text: &At<String>) -> Option<(Use, bool)> {
        let value = text.value.as_ref()?;
        let words: Vec<&str> = value.split_whitespace().collect();
        let (name, descending) = match words.as_slice() {
            [name, word] if word.eq_ignore_ascii_case("desc") => (name, true),
            [name, word] if word.eq_ignore_ascii_case("asc") => (name, false),
            _ => {
                let name = words.first().copied().unwrap_or("annual_spend");
                let headline = "an order is a metric and `desc` or `asc`";
                let help =
                    format!("write \"{name} desc\" for the largest first, \"{name} asc\" for the smallest first");
                self.error(code::BAD_ORDER, &text.at, headline, help);
                return None;
            }
        };
        let start = value.find(name).unwrap_or(0);
        let offsets = Offsets::new(self.files.file(text.at.file), &text.at, value);
        Some(((Arc::from(*name), offsets.locate(start..start + name.len())), descending))
    }

    pub(super) fn scorecard(&mut self, draft: &mut Draft<'_>, rows: &At<Vec<At<ScoreTable>>>) {
        let Some(written) = &rows.value else {
            return;
        };
        if written.len() > MAX_ROWS {
            let headline = format!("this scorecard has more than {MAX_ROWS} rows");
            return self.error(code::TOO_MANY, &rows.at, headline, "add up several scorecards in a derived metric");
        }
        let rows_read: Vec<Option<Row>> = written.iter().map(|row| self.row(row.value.as_ref()?, &row.at)).collect();
        let nodes = rows_read.iter().flatten().flat_map(|row| row.when.iter().chain([&row.points]));
        draft.uses = nodes.flat_map(Node::names).collect();
        draft.body = rows_read.into_iter().collect::<Option<_>>().map(|all| Body::Scorecard(all, rows.at.clone()));
    }

    fn row(&mut self, table: &ScoreTable, at: &Location) -> Option<Row> {
        let when = match &table.when {
            Some(when) => self.parse(when).map(Some),
            None => Some(None),
        };
        let points = match table.points.value.as_ref()? {
            PointsEntry::Number(digits) => self.points(digits, &table.points.at),
            PointsEntry::Expression(text) => self.parse(&At { value: Some(text.clone()), at: table.points.at.clone() }),
        };
        let title = table.title.as_ref().and_then(|title| title.value.clone());
        Some(Row { title, when: when?, points: points?, at: at.clone() })
    }

    pub(super) fn points(&mut self, digits: &str, at: &Location) -> Option<Node> {
        let whole = digits.parse().ok().map(NodeKind::Integer);
        let kind = whole.or_else(|| {
            let number = Decimal::parse(digits).filter(|number| number.scale <= tierd_model::MAX_SCALE);
            number.map(NodeKind::Decimal)
        });
        if kind.is_none() {
            let headline = format!("the number {digits} has too many digits");
            self.error(code::TOO_MANY_DIGITS, at, headline, "write 40 or -2.5");
        }
        Some(Node { kind: kind?, at: at.clone() })
    }
}
