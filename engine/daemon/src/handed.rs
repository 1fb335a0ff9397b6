//! What a run hands to the ledger: levels with their reasons, what policies and rules remember, and actions filled in.

use std::cell::OnceCell;

use serde_json::Value as Json;
use tierd_eval::{
    action::{Action, Actions},
    evaluate::SetOutcome,
    history::{Held, PolicyState},
    movement::{self, Reason},
    retention::{self, RuleOutcome},
};
use tierd_ledger::{
    ActKind, ActRow, NewTask, Outgoing, Reader, RuleDecisions, RuleState, RuleStateRow, SetDecisions, Standing,
    StateRow,
};
use tierd_model::Clock;
use tierd_rules::{RuleSet, TierSet, retention::Mode};

use crate::{
    deciding::Deciding,
    evaluate::Evaluation,
    history::{LedgerKeys, held, hold_for, level_names},
};

/// Everything that a run hands over: of what is due alone.
pub(crate) struct Handed<'a> {
    rules: &'a RuleSet,
    sets: Vec<HandedSet<'a>>,
    retention: Vec<HandedRule<'a>>,
}

struct HandedSet<'a> {
    set: &'a TierSet,
    outcome: &'a SetOutcome,
    keys: LedgerKeys<'a>,
    levels: Vec<&'a str>,
    deciding: Deciding<'a>,
    states: Vec<StateRow>,
    before: &'a Reader,
    /// What was held before, read only if a level changes in a set for which the evaluation didn't ask.
    held: OnceCell<Vec<Standing>>,
}

struct HandedRule<'a> {
    outcome: &'a RuleOutcome,
    hold_for: String,
    keys: LedgerKeys<'a>,
    states: Vec<RuleStateRow>,
    acts: Vec<ActRow>,
}

impl<'a> Handed<'a> {
    /// `before` is the ledger as it was before this run.
    pub(crate) fn new(rules: &'a RuleSet, evaluation: &'a Evaluation, before: &'a Reader, clock: &'a Clock) -> Self {
        let outcome = &evaluation.outcome;
        let sets = outcome.sets_due().map(|set| HandedSet::new(rules, evaluation, set, before)).collect();
        let retention =
            outcome.rules_due().filter_map(|rule| HandedRule::new(rules, evaluation, rule, clock)).collect();
        Handed { rules, sets, retention }
    }

    /// Hands it to `write` in the ledger's own words.
    pub(crate) fn to<T>(&self, write: impl FnOnce(&[SetDecisions<'_>], &[RuleDecisions<'_>]) -> T) -> T {
        let metrics: Vec<_> =
            self.sets.iter().map(|set| |row: usize, json: &mut String| set.deciding.append(row, json)).collect();
        let reasons: Vec<_> = self.sets.iter().map(|set| |subject: usize| set.reason(subject).name()).collect();
        let sets: Vec<SetDecisions<'_>> = self
            .sets
            .iter()
            .zip(&metrics)
            .zip(&reasons)
            .map(|((set, metrics), reason)| SetDecisions {
                name: &set.set.name,
                family: set.set.category.as_ref().map_or(&set.set.name, |category| &category.set),
                category: set.set.category.as_ref().map(|category| category.value.as_str()),
                subject: &self.rules.config.subjects[set.set.subject.0].name,
                levels: &set.levels,
                keys: set.keys.borrowed(),
                assigned: &set.outcome.settled.held,
                metrics,
                reason,
                states: set.outcome.was.is_some().then_some(&set.states[..]),
            })
            .collect();
        let rules: Vec<RuleDecisions<'_>> = self.retention.iter().map(|rule| rule.decisions(self.rules)).collect();
        write(&sets, &rules)
    }
}

impl<'a> HandedSet<'a> {
    fn new(rules: &'a RuleSet, evaluation: &'a Evaluation, outcome: &'a SetOutcome, before: &'a Reader) -> Self {
        let set = &rules.tier_sets[outcome.set.0];
        HandedSet {
            set,
            outcome,
            keys: LedgerKeys::new(&evaluation.source(outcome).keys),
            levels: level_names(set),
            deciding: Deciding::new(rules, evaluation, outcome),
            states: states(outcome),
            before,
            held: OnceCell::new(),
        }
    }

    /// Why the level of a subject changes.
    fn reason(&self, subject: usize) -> Reason {
        let moved = &self.outcome.settled.moved;
        if let Ok(at) = moved.binary_search_by_key(&(subject as u32), |(subject, _)| *subject) {
            return moved[at].1;
        }
        let standings = self.held.get_or_init(|| {
            // A ledger that can't be read any more can't be written either, so that nobody will see the reasons.
            self.before.standings(&self.set.name, self.keys.borrowed(), &self.levels).unwrap_or_default()
        });
        let was = standings.get(subject).map_or(Held::NOTHING, held);
        movement::reason_at_once(self.set, &was, self.outcome.settled.held[subject])
    }
}

/// What the policy remembers of subjects, in the ledger's own words.
fn states(outcome: &SetOutcome) -> Vec<StateRow> {
    let row = |&(subject, state): &(u32, PolicyState)| StateRow {
        subject,
        policy: state.level,
        below_since: state.below_since,
        locked_until: state.locked_until,
        decided: state.decided,
    };
    outcome.settled.states.iter().map(row).collect()
}

impl<'a> HandedRule<'a> {
    /// `None` if nobody was there that the rule could be about.
    fn new(rules: &RuleSet, evaluation: &'a Evaluation, outcome: &'a RuleOutcome, clock: &Clock) -> Option<Self> {
        let rule = &rules.retention[outcome.rule.0];
        let source = evaluation.sources.iter().find(|source| source.subject == rule.subject)?;
        let actions = Actions::new(rules, outcome, &evaluation.outcome, clock)?;
        let outgoing = |act: &retention::Act| match act.kind {
            retention::ActKind::Acted => actions.of(act.subject).into_iter().map(outgoing).collect(),
            retention::ActKind::HeldOut | retention::ActKind::Shadow => Vec::new(),
        };
        let acts = outcome.acts.iter().map(|act| ActRow {
            subject: act.subject,
            kind: match act.kind {
                retention::ActKind::Acted => ActKind::Acted,
                retention::ActKind::HeldOut => ActKind::HeldOut,
                retention::ActKind::Shadow => ActKind::Shadow,
            },
            entered: act.entered,
            occurrence: act.occurrence,
            outgoing: outgoing(act),
        });
        let state = |&(subject, state): &(u32, tierd_eval::history::RuleState)| RuleStateRow {
            subject,
            state: RuleState {
                entered: state.entered,
                acted: state.acted,
                last_acted: state.last_acted,
                occurrence: state.occurrence,
            },
        };
        let (acts, states) = (acts.collect(), outcome.states.iter().map(state).collect());
        Some(HandedRule { outcome, hold_for: hold_for(rule), keys: LedgerKeys::new(&source.keys), states, acts })
    }

    fn decisions<'b>(&'b self, rules: &'b RuleSet) -> RuleDecisions<'b> {
        let rule = &rules.retention[self.outcome.rule.0];
        RuleDecisions {
            rule: &rule.name,
            subject: &rules.config.subjects[rule.subject.0].name,
            shadow: rule.mode == Mode::Shadow,
            hold_for: &self.hold_for,
            keys: self.keys.borrowed(),
            states: &self.states,
            acts: &self.acts,
        }
    }
}

fn outgoing(action: Action) -> Outgoing {
    match action {
        Action::Task(task) => Outgoing::Task(NewTask {
            title: task.title,
            owner: task.owner,
            channel: task.channel,
            text: task.text,
            due: task.due,
            escalate: task.escalation.map(|escalation| (escalation.on, escalation.to)),
        }),
        Action::Event(event) => Outgoing::Event { name: event.name, data: Json::Object(event.data).to_string() },
    }
}
