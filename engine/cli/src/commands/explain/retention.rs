//! What the retention rules say of a customer.

use tierd_daemon::evaluate::Evaluation;
use tierd_eval::{
    explain::rules::{self, RuleStory},
    history::RuleState,
};
use tierd_ledger::{Keys, Reader};
use tierd_model::{Clock, Key};
use tierd_rules::{RuleId, retention::Mode};

use crate::{
    exit::{Code, Failure},
    session::Session,
};

/// Every rule about the subjects of this key, of whatever kind.
pub(super) fn stories(
    session: &Session,
    clock: &Clock,
    evaluation: &Evaluation,
    customer: &str,
) -> Result<Vec<RuleStory>, Failure> {
    let rules = &session.rules;
    let path = session.project.ledger(&rules.config);
    let ledger = path.exists().then(|| Reader::open(&path)).transpose();
    let ledger = ledger.map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    let mut stories = Vec::new();
    for (source, of) in evaluation.sources.iter().zip(&evaluation.outcome.subjects) {
        let key = Key::parse(customer, rules.config.subjects[of.subject.0].key_type);
        let Some((key, subject)) = key.and_then(|key| source.keys.find(&key).map(|subject| (key, subject))) else {
            continue;
        };
        let mut states = Vec::with_capacity(rules.retention.len());
        for id in 0..rules.retention.len() {
            let state = ledger.as_ref().map(|ledger| state(session, ledger, RuleId(id), &key)).transpose();
            states.push(state.map_err(|error| Failure::from_error(Code::Unreachable, &error))?.unwrap_or_default());
        }
        let before = |rule: RuleId| states[rule.0];
        stories.extend(rules::rules(rules, &evaluation.outcome, of, subject, before, clock));
    }
    Ok(stories)
}

/// What a rule remembers of one subject.
fn state(session: &Session, ledger: &Reader, rule: RuleId, key: &Key) -> Result<RuleState, tierd_ledger::Error> {
    let rule = &session.rules.retention[rule.0];
    let shadow = rule.mode == Mode::Shadow;
    let states = match key {
        Key::Integer(key) => ledger.rule_states(&rule.name, shadow, Keys::Integer(&[*key]))?,
        Key::Text(key) => ledger.rule_states(&rule.name, shadow, Keys::Text(&vec![&**key]))?,
    };
    let state = states.first().map(|row| row.state).unwrap_or_default();
    Ok(RuleState {
        entered: state.entered,
        acted: state.acted,
        last_acted: state.last_acted,
        occurrence: state.occurrence,
    })
}
