use serde_json::json;
use tierd_model::{CalendarSpan, Type};
use tierd_rules::{
    MetricKind, RuleId, RuleSet, SubjectId, TierSetId, Unknown,
    plugin::{OnPluginError, PluginCall, PluginId, PluginKind},
    retention::{self, EventAction, EventValue, Mode, Part, Reentry, RetentionRule, TaskAction, Template, Trigger},
};

use super::*;
use crate::plugin::NoPlugins;
use crate::{
    due::Due,
    evaluate::evaluate,
    history::NoHistory,
    testing::{array, clock, date, decimal, given, integer, metric, nowhere, rule_set, text as words, tier_set},
};

fn template(parts: Vec<Part>) -> Template {
    Template { parts, at: nowhere() }
}

fn plain(text: &str) -> Template {
    template(vec![Part::Text(text.to_owned())])
}

fn place(metric: usize) -> Part {
    Part::Metric(MetricId(metric))
}

fn rule(action: retention::Action) -> RetentionRule {
    RetentionRule {
        name: "win_back".to_owned(),
        title: None,
        subject: SubjectId(0),
        schedule: None,
        guard: None,
        trigger: Trigger::State,
        when: None,
        hold_for: None,
        reentry: Reentry::OncePerEntry,
        cooldown: None,
        limit: None,
        group: None,
        priority: 0,
        holdout: 0,
        mode: Mode::Live,
        action,
        goal: None,
        strategy_of: Some(TierSetId(0)),
        allow: Vec::new(),
        at: nowhere(),
    }
}

/// Orders, spend, name (personal), last order.
fn rules() -> RuleSet {
    let mut name = metric("name", Type::Text, MetricKind::Attribute(2));
    name.personal = true;
    let metrics = vec![
        metric("orders", Type::Integer, MetricKind::Attribute(0)),
        metric("spend", Type::Decimal(2), MetricKind::Attribute(1)),
        name,
        metric("last_order", Type::Date, MetricKind::Attribute(3)),
    ];
    let mut set = tier_set(Unknown::Keep, vec![None]);
    set.levels[0].strategy.insert("owner".to_owned(), json!("key-accounts"));
    set.levels[0].benefits.insert("discount".to_owned(), json!(0.88));
    rule_set(metrics, vec![set])
}

fn action(rule: RetentionRule) -> Action {
    let mut actions = actions(rule, Vec::new());
    assert_eq!(actions.len(), 1);
    actions.remove(0)
}

/// What is to be done for the only subject, of which a planner has proposed this.
fn actions(rule: RetentionRule, planned: Vec<(u32, ProposedAction)>) -> Vec<Action> {
    let rules = rules();
    let columns = vec![
        Some(array(Type::Integer, &[Some(integer(3))])),
        Some(array(Type::Decimal(2), &[Some(decimal("12.50"))])),
        Some(array(Type::Text, &[Some(words("王小明"))])),
        Some(array(Type::Date, &[None])),
    ];
    let now = clock("2026-03-31T10:00", "UTC");
    let outcome = evaluate(&rules, vec![given(0, 1, columns)], &NoHistory, &NoPlugins, &Due::ALL, &now).unwrap();
    let rules = RuleSet { retention: vec![rule], ..rules };
    let decided = RuleOutcome { planned, ..RuleOutcome::undecided(RuleId(0)) };
    Actions::new(&rules, &decided, &outcome, &now).unwrap().of(0)
}

#[test]
fn tasks_are_filled_in_with_personal_values_masked() {
    let parts = vec![Part::Text("call ".to_owned()), place(2), Part::Text(", ".to_owned()), place(1), place(3)];
    let task = TaskAction {
        title: template(parts),
        owner: Some(template(vec![Part::Strategy("owner".to_owned())])),
        channel: Some(template(vec![Part::Strategy("channel".to_owned())])),
        text: None,
        due: Some(CalendarSpan::days(3)),
        escalate: Some(retention::Escalation { after: CalendarSpan::days(2), to: plain("manager") }),
    };
    let day = |text: &str| match date(text) {
        Value::Date(day) => day,
        _ => unreachable!("a date"),
    };
    let expected = Task {
        title: "call 王*, 12.50".to_owned(),
        owner: Some("key-accounts".to_owned()),
        // The level's strategy has no such key.
        channel: None,
        text: None,
        due: Some(day("2026-04-03")),
        escalation: Some(Escalation { on: day("2026-04-05"), to: "manager".to_owned() }),
    };
    assert_eq!(action(rule(retention::Action::Task(task))), Action::Task(expected));
}

#[test]
fn data_of_events_keep_the_type_of_a_single_placeholder() {
    let value = |part| EventValue::Template(template(vec![part]));
    let data = vec![
        ("key".to_owned(), value(Part::Key)),
        ("orders".to_owned(), value(place(0))),
        ("spend".to_owned(), value(place(1))),
        ("last".to_owned(), value(place(3))),
        ("discount".to_owned(), value(Part::Benefit("discount".to_owned()))),
        ("text".to_owned(), EventValue::Template(template(vec![Part::Text("no ".to_owned()), Part::Key]))),
        ("fixed".to_owned(), EventValue::Json(json!(1))),
        ("list".to_owned(), EventValue::List(vec![value(Part::Key), EventValue::Table(vec![])])),
        ("table".to_owned(), EventValue::Table(vec![("orders".to_owned(), value(place(0)))])),
    ];
    let Action::Event(event) = action(rule(retention::Action::Event(EventAction { name: plain("coupon"), data })))
    else {
        unreachable!("an event")
    };
    assert_eq!(event.name, "coupon");
    let expected = json!({
        "key": 1, "orders": 3, "spend": "12.50", "last": null, "discount": 0.88, "text": "no 1", "fixed": 1,
        "list": [1, {}], "table": { "orders": 3 }
    });
    assert_eq!(Json::Object(event.data), expected);
}

#[test]
fn texts_have_no_needless_digits_and_money_keeps_its_two() {
    let shown = |units, scale| shortened(Decimal::new(units, scale)).to_string();
    assert_eq!(
        [shown(82_500_000, 6), shown(-500_000, 6), shown(800_000, 2), shown(1_234_567, 6), shown(70, 1)],
        ["82.50", "-0.50", "8000.00", "1.234567", "7.0"]
    );
}

#[test]
fn what_a_planner_proposes_is_done_as_it_says() {
    let call = PluginCall {
        plugin: PluginId(0),
        function: "plan".to_owned(),
        kind: PluginKind::Planner,
        inputs: Vec::new(),
        required: Vec::new(),
        config: Map::new(),
        on_error: OnPluginError::Fail,
        at: nowhere(),
    };
    let task = ProposedAction::Task {
        title: "call {owner}".to_owned(),
        owner: Some("sales".to_owned()),
        channel: None,
        text: None,
        due_days: Some(3),
    };
    let event = ProposedAction::Event { name: "coupon".to_owned(), data: Map::new() };
    let planned = vec![(0, task), (0, event.clone()), (1, event)];
    let found = actions(rule(retention::Action::Planned(call.clone())), planned);
    let day = |text: &str| match date(text) {
        Value::Date(day) => Some(day),
        _ => unreachable!("a date"),
    };
    let title = "call {owner}".to_owned();
    let (owner, due) = (Some("sales".to_owned()), day("2026-04-03"));
    let task = Action::Task(Task { title, owner, channel: None, text: None, due, escalation: None });
    assert_eq!(found, [task, Action::Event(Event { name: "coupon".to_owned(), data: Map::new() })]);
    assert_eq!(actions(rule(retention::Action::Planned(call)), Vec::new()), []);
}
