//! Metrics that are found from more than the subject's own: its group, its members, its points account.

use tierd_model::{Decimal, Window};
use tierd_rules::{MetricId, PointsId, PointsMeasure, Rollup};

use super::{
    Row,
    stories::{How, Lots, Part, call},
};
use crate::{given::NO_PARENT, points::replay};

pub(super) fn lookup(row: &Row<'_>, of: MetricId) -> How {
    let metric = &row.rules.metrics[of.0];
    let parent = row.outcome.and_then(|outcome| {
        let &parent = row.of?.parents.get(row.subject)?;
        let parents = outcome.subject(metric.subject)?;
        (parent != NO_PARENT).then(|| (parents.key)(parent as usize))
    });
    let kind = row.rules.config.subjects.get(metric.subject.0);
    How::Lookup {
        parent: kind.map(|kind| kind.name.clone()).unwrap_or_default(),
        key: parent,
        metric: metric.name.clone(),
    }
}

pub(super) fn rollup(row: &Row<'_>, rollup: &Rollup) -> How {
    let members = row.outcome.and_then(|outcome| outcome.subject(rollup.members));
    let count =
        members.map_or(0, |members| members.parents.iter().filter(|&&parent| parent as usize == row.subject).count());
    let kind = row.rules.config.subjects.get(rollup.members.0);
    How::Rollup {
        text: call(row, rollup.function, rollup.argument.as_ref()),
        members: kind.map(|kind| kind.name.clone()).unwrap_or_default(),
        count: count as u64,
        filter: rollup.filter.as_ref().map(|filter| row.quote(&filter.at)),
    }
}

pub(super) fn points(row: &Row<'_>, id: PointsId, measure: PointsMeasure) -> How {
    let program = &row.rules.points[id.0];
    let booked = |window: Window| Part::Booked(window, window.resolve(row.clock));
    let (what, part) = match measure {
        PointsMeasure::Earned(window) => ("earned", booked(window)),
        PointsMeasure::Spent(window) => ("spent", booked(window)),
        PointsMeasure::Expired(window) => ("expired", booked(window)),
        PointsMeasure::Balance => ("balance", Part::All),
        PointsMeasure::Expiring(within) => ("expiring", Part::LostBy(within.add_to(row.clock.today()))),
        PointsMeasure::NextExpiry => ("next_expiry", Part::All),
    };
    let bookings = row.of.and_then(|of| of.bookings.iter().find(|(program, _)| *program == id));
    let account = bookings.map(|(_, bookings)| {
        let mine: Vec<_> = bookings.iter().filter(|b| b.subject as usize == row.subject).copied().collect();
        let statement = replay(program, &mine, row.clock);
        let amount = |units| Decimal::new(units, program.digits);
        Lots {
            balance: amount(statement.balance()),
            lots: statement.lots.iter().map(|lot| (lot.expires, amount(lot.remaining))).collect(),
            debt: amount(statement.debt),
        }
    });
    How::Points { text: format!("{}.{what}", program.name), part, account }
}
