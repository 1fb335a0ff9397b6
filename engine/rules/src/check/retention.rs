//! Retention rules: what starts them, whom they are about, within which limits they act. What they do is in [`action`].

use super::{Checking, allow::allowed, catalog::Catalog, heads::Heads, metrics::Metrics, template::Places};
use crate::{
    MetricKind, ScheduleId, SubjectId, TierSet, TierSetId, code,
    diagnostic::Diagnostic,
    expr::Expr,
    raw::{
        At, Name, RuleFile,
        retention::{ExceedName, ModeName, ReentryEntry, ReentryName, RetentionTable},
    },
    retention::{Exceed, Mode, Reentry, RetentionRule, RunLimit, Trigger},
    syntax::Node,
};

mod action;
mod sets;
mod trigger;

use self::sets::Sets;

/// More than any company has: a bound for time and memory.
const MAX_RULES: usize = 1_000;

/// What a retention rule is checked against.
struct Ground<'a, 's> {
    catalog: &'a Catalog,
    sets: Sets<'s>,
}

impl Checking<'_> {
    /// The retention rules of all files, by name.
    pub(super) fn retention<'a>(
        &mut self,
        catalog: &'a Catalog,
        heads: &Heads,
        metrics: &mut Metrics<'a>,
        tier_sets: &[TierSet],
        files: &[&RuleFile],
    ) -> Vec<RetentionRule> {
        let sets = Sets::new(tier_sets, heads, files, self.incomplete);
        let ground = Ground { catalog, sets };
        let tables = files.iter().filter_map(|file| file.retention.as_ref()?.value.as_ref()).flat_map(|named| &named.0);
        let named = self.by_name(tables, "retention rule", MAX_RULES);
        let checked: Vec<_> =
            named.into_iter().map(|(name, table)| self.rule(name, table.value.as_ref()?, &ground, metrics)).collect();
        let mut rules: Vec<_> = checked.into_iter().flatten().collect();
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        rules
    }

    fn rule<'a>(
        &mut self,
        name: &Name,
        table: &RetentionTable,
        ground: &Ground<'a, '_>,
        metrics: &mut Metrics<'a>,
    ) -> Option<RetentionRule> {
        let one = self.one_trigger(name, table);
        let node = match &table.r#when {
            Some(when) => self.parse(when).map(Some),
            None => Some(None),
        };
        let limits = self.limits(table);
        let subject = self.rule_subject(name, table, node.as_ref().and_then(Option::as_ref), ground, metrics)?;
        let when = match node {
            Some(Some(node)) => self.when(&node, subject, ground.catalog, metrics).map(Some),
            Some(None) => Some(None),
            None => None,
        };
        let guard = self.rule_guard(table);
        let trigger = if one { self.trigger(table, subject, ground, metrics) } else { None };
        let set = self.strategy_set(table, trigger.as_ref(), when.as_ref(), subject, ground, metrics);
        let places = Places { subject, set: set.flatten().map(|set| ground.sets.get(set)) };
        let action = set.and_then(|_| self.action(&table.action, &places, ground.catalog, metrics));
        let goal = self.goal(table, subject, ground.catalog);
        let schedule = self.rule_schedule(table, trigger.as_ref(), ground);
        let limits = limits?;
        Some(RetentionRule {
            name: name.text.clone(),
            title: table.title.as_ref().and_then(|title| title.value.clone()),
            subject,
            schedule: schedule?,
            guard: guard?,
            trigger: trigger?,
            when: when?,
            hold_for: limits.hold_for,
            reentry: limits.reentry,
            cooldown: limits.cooldown,
            limit: limits.limit,
            group: limits.group,
            priority: limits.priority,
            holdout: limits.holdout,
            mode: limits.mode,
            action: action?,
            goal: goal?,
            strategy_of: set?,
            allow: allowed(table.allow.as_ref()),
            at: name.at.clone(),
        })
    }

    /// Whom the rule is about: what it says, else the only subject, that of its tier set, or that of the names that it uses.
    fn rule_subject(
        &mut self,
        name: &Name,
        table: &RetentionTable,
        when: Option<&Node>,
        ground: &Ground<'_, '_>,
        metrics: &Metrics<'_>,
    ) -> Option<SubjectId> {
        let catalog = ground.catalog;
        if let Some(subject) = &table.subject {
            return self.subject_named(subject, catalog);
        }
        if catalog.subjects.len() <= 1 {
            return (!catalog.subjects.is_empty()).then_some(SubjectId(0));
        }
        let set = trigger::set_written(table).and_then(|text| ground.sets.find(text.value.as_deref()?));
        let mut uses = when.map(Node::names).unwrap_or_default();
        uses.extend(self.date_use(table));
        let found = set.map(|set| ground.sets.get(set).subject).or_else(|| metrics.subject_of(&uses, catalog));
        if found.is_none() {
            self.ambiguous(&name.at, catalog);
        }
        found
    }

    /// The set whose levels give strategy and benefits; `None` where it is wrong.
    fn strategy_set(
        &mut self,
        table: &RetentionTable,
        trigger: Option<&Trigger>,
        when: Option<&Option<Expr>>,
        subject: SubjectId,
        ground: &Ground<'_, '_>,
        metrics: &Metrics<'_>,
    ) -> Option<Option<TierSetId>> {
        if let Some(text) = &table.strategy {
            return self.set_named(text, Some(subject), ground).map(Some);
        }
        if trigger::set_written(table).is_some() || table.moved.is_some() {
            return match trigger? {
                Trigger::Moved { set, .. } | Trigger::FollowUp(set) => Some(Some(*set)),
                Trigger::State | Trigger::Date { .. } => Some(None),
            };
        }
        // Where a set is wrong, nobody knows what its levels give.
        if ground.sets.incomplete() {
            return None;
        }
        let of_subject = ground.sets.of(subject);
        if let [only] = of_subject.as_slice() {
            return Some(Some(*only));
        }
        let columns = when?.as_ref().map(Expr::columns).unwrap_or_default();
        let mut named: Vec<TierSetId> = columns
            .into_iter()
            .filter_map(|column| match metrics.done[column].kind {
                MetricKind::Standing { set, .. } => Some(set),
                _ => None,
            })
            .collect();
        named.sort();
        named.dedup();
        match named.as_slice() {
            [only] => Some(Some(*only)),
            _ => Some(None),
        }
    }

    /// When the rule is decided: with its tier set, where it is about moves.
    fn rule_schedule(
        &mut self,
        table: &RetentionTable,
        trigger: Option<&Trigger>,
        ground: &Ground<'_, '_>,
    ) -> Option<Option<ScheduleId>> {
        let (Some(moved), own) = (&table.moved, &table.schedule) else {
            return self.schedule_of(table.schedule.as_ref(), &ground.catalog.zone);
        };
        if let Some(own) = own {
            let headline = "`schedule` doesn't go with `moved`";
            let diagnostic = Diagnostic::error(code::CONFLICTING_KEYS, &own.at, headline);
            let help = "a rule about moves is decided when its tier set is; leave it out";
            self.out.push(diagnostic.other(&moved.at, "").help(help));
            return None;
        }
        match trigger? {
            Trigger::Moved { set, .. } => Some(ground.sets.get(*set).schedule),
            _ => None,
        }
    }

    /// How often, on how many and on whom the rule acts.
    fn limits(&mut self, table: &RetentionTable) -> Option<Limits> {
        let hold_for = At::value_or(table.r#for.as_ref(), None, |span| Some(span.0));
        let cooldown = At::value_or(table.cooldown.as_ref(), None, |span| Some(span.0));
        let reentry = self.reentry(table);
        let limit = self.run_limit(table);
        let group = match &table.group {
            Some(group) => self.text(group).map(Some),
            None => Some(None),
        };
        if let (Some(priority), None) = (&table.priority, &table.group) {
            let help = "rules of one `group` are ordered by it; write `group`, or leave it out";
            self.idle(&priority.at, "`priority` without `group` means nothing", help);
        }
        Some(Limits {
            hold_for: hold_for?,
            reentry: reentry?,
            cooldown: cooldown?,
            limit: limit?,
            group: group?,
            priority: At::value_or(table.priority.as_ref(), 0, |priority| *priority)?,
            holdout: At::value_or(table.holdout.as_ref(), 0, |share| share.0)?,
            mode: At::value_or(table.mode.as_ref(), Mode::Live, |mode| match mode {
                ModeName::Live => Mode::Live,
                ModeName::Shadow => Mode::Shadow,
            })?,
        })
    }

    fn reentry(&mut self, table: &RetentionTable) -> Option<Reentry> {
        let Some(written) = &table.reentry else {
            return Some(Reentry::OncePerEntry);
        };
        let every = match written.value.as_ref()? {
            ReentryEntry::Short(ReentryName::OncePerEntry) => return Some(Reentry::OncePerEntry),
            ReentryEntry::Short(ReentryName::Once) => return Some(Reentry::Once),
            ReentryEntry::Long(long) => long.every.value.as_ref()?.0,
        };
        let own = [
            ("on", table.on.as_ref().map(|on| &on.at), "a date is acted on once; leave `every` out"),
            (
                "follow_up",
                table.follow_up.as_ref().map(|set| &set.at),
                "the level's own `every` says when; leave it out",
            ),
        ];
        for (key, at, help) in own {
            if let Some(at) = at {
                let headline = format!("`every` doesn't go with `{key}`");
                let diagnostic = Diagnostic::error(code::CONFLICTING_KEYS, &written.at, headline);
                self.out.push(diagnostic.other(at, "").help(help));
                return None;
            }
        }
        Some(Reentry::Every(every))
    }

    fn run_limit(&mut self, table: &RetentionTable) -> Option<Option<RunLimit>> {
        let Some(written) = &table.limit else {
            return Some(None);
        };
        let limit = written.value.as_ref()?;
        let per_run = limit.per_run.value?;
        if per_run == 0 {
            let help = "write mode = \"shadow\" to see what a rule would do";
            self.error(code::OUT_OF_RANGE, &limit.per_run.at, "a rule that acts on nobody", help);
            return None;
        }
        let exceed = At::value_or(limit.exceed.as_ref(), Exceed::Defer, |exceed| match exceed {
            ExceedName::Defer => Exceed::Defer,
            ExceedName::Hold => Exceed::Hold,
        })?;
        Some(Some(RunLimit { per_run, exceed }))
    }
}

/// How often, on how many and on whom a rule acts.
struct Limits {
    hold_for: Option<tierd_model::CalendarSpan>,
    reentry: Reentry,
    cooldown: Option<tierd_model::CalendarSpan>,
    limit: Option<RunLimit>,
    group: Option<String>,
    priority: i64,
    holdout: u32,
    mode: Mode,
}
