//! Guards of tier sets and retention rules.

use super::Checking;
use crate::{
    code,
    diagnostic::Diagnostic,
    guard::{Guard, GuardExceed},
    raw::{
        At, Name, Named,
        forms::Parsed,
        guard::{GuardExceedName, SourceGuardTable},
        policy::ShareText,
        retention::RetentionTable,
        rules::TiersTable,
    },
    suggest::nearest,
};

impl Checking<'_> {
    /// The guard of a tier set; `Some(None)` where there is none.
    pub(super) fn tiers_guard(&mut self, table: &TiersTable) -> Option<Option<Guard>> {
        let Some(written) = &table.guard else {
            return Some(None);
        };
        let guard = written.value.as_ref()?;
        let ordered = table.ordered.as_ref().and_then(|ordered| ordered.value) != Some(false);
        if let (Some(fallen), false) = (&guard.fallen, ordered) {
            self.without_order("fallen", &fallen.at, table);
        }
        let share = match &guard.share {
            Some(share) => self.level_shares(share.value.as_ref()?, table),
            None => Some(vec![]),
        };
        let moved = At::value_or(guard.moved.as_ref(), None, |moved| Some(moved.0));
        let fallen = At::value_or(guard.fallen.as_ref(), None, |fallen| Some(fallen.0));
        let source = source(&guard.source)?;
        let guard = Guard { moved: moved?, fallen: fallen?, share: share?, ..source };
        self.idle_guard(&guard, written);
        Some(Some(guard))
    }

    /// The guard of a retention rule; `Some(None)` where there is none.
    pub(super) fn rule_guard(&mut self, table: &RetentionTable) -> Option<Option<Guard>> {
        let Some(written) = &table.guard else {
            return Some(None);
        };
        let guard = written.value.as_ref()?;
        let acted = At::value_or(guard.acted.as_ref(), None, |acted| Some(acted.0));
        let guard = Guard { acted: acted?, ..source(&guard.source)? };
        self.idle_guard(&guard, written);
        Some(Some(guard))
    }

    fn level_shares(&mut self, shares: &Named<Parsed<ShareText>>, table: &TiersTable) -> Option<Vec<(u16, u32)>> {
        let levels = table.level.value.iter().flatten().map(|level| level.value.as_ref()?.name.value.as_deref());
        let levels: Vec<Option<&str>> = levels.collect();
        let found: Vec<_> = shares.0.iter().map(|(name, share)| self.level_share(name, share, &levels)).collect();
        let mut found = found.into_iter().collect::<Option<Vec<_>>>()?;
        found.sort_by_key(|(level, _)| *level);
        Some(found)
    }

    fn level_share(
        &mut self,
        name: &Name,
        share: &At<Parsed<ShareText>>,
        levels: &[Option<&str>],
    ) -> Option<(u16, u32)> {
        let place = levels.iter().position(|level| *level == Some(&name.text));
        if place.is_none() && levels.iter().all(Option::is_some) {
            let names = levels.iter().flatten().copied();
            let help = match nearest(&name.text, names.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
            };
            let headline = format!("this set has no level `{}`", name.text);
            self.out.push(Diagnostic::error(code::UNKNOWN_LEVEL, &name.at, headline).help(help));
        }
        Some((u16::try_from(place?).ok()?, share.value.as_ref()?.0))
    }

    /// Warns of a guard that bounds nothing.
    fn idle_guard<T>(&mut self, guard: &Guard, written: &At<T>) {
        if *guard == (Guard { exceed: guard.exceed, ..Guard::default() }) {
            self.idle(
                &written.at,
                "this guard bounds nothing",
                "write a bound such as moved = \"10%\", or leave it out",
            );
        }
    }
}

/// What guards of both kinds watch; `None` where it can't be read.
fn source(table: &SourceGuardTable) -> Option<Guard> {
    Some(Guard {
        shrunk: At::value_or(table.shrunk.as_ref(), None, |limit| Some(limit.0))?,
        stale: At::value_or(table.stale.as_ref(), None, |span| Some(span.0))?,
        bad_rows: At::value_or(table.bad_rows.as_ref(), None, |limit| Some(limit.0))?,
        exceed: At::value_or(table.exceed.as_ref(), GuardExceed::Hold, |exceed| match exceed {
            GuardExceedName::Hold => GuardExceed::Hold,
            GuardExceedName::Warn => GuardExceed::Warn,
        })?,
        ..Guard::default()
    })
}
