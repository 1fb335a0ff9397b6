//! Windows of one's own, groups, levels in conditions, categories, scorecards: what each is once it is checked.

#![allow(clippy::unwrap_used, reason = "a test stops where its files are wrong")]

mod common;

use common::load_with;
use tierd_model::{Decimal, Type, Value, WindowKind};
use tierd_rules::{
    AggregateFn, Category, Expr, ExprKind, Metric, MetricId, MetricKind, RuleSet, Standing, Step, TierSetId,
};

const CONFIG: &str = r#"
time_zone = "Asia/Shanghai"
database.sqlite = "shop.db"

[subject.customer]
table = "customers"
key = "id"
parent = { subject = "account", column = "account_id" }

[subject.customer.attributes]
account_id = "integer"
name = "text"
visits = "integer"
joined_on = { type = "date", encoding = "iso8601" }

[subject.account]
table = "accounts"
key = "id"
attributes = { name = "text", size = "integer" }

[facts.orders]
table = "orders"
subject = "customer"
subject_column = "customer_id"
time = "ordered_at"

[facts.orders.columns]
ordered_at = { type = "timestamp", encoding = "iso8601" }
amount = { type = "decimal(2)", encoding = "minor_units" }
status = "text"
category = "text"
"#;

fn load(rules: &str) -> RuleSet {
    let loaded = load_with(CONFIG, rules);
    let said: Vec<_> = loaded.diagnostics.iter().map(|d| d.render(&loaded.files, false)).collect();
    loaded.rules.unwrap_or_else(|| panic!("{}", said.join("\n")))
}

fn metric<'a>(rules: &'a RuleSet, name: &str) -> &'a Metric {
    rules.metric(name).unwrap_or_else(|| panic!("no metric {name}")).1
}

fn derived<'a>(rules: &'a RuleSet, name: &str) -> &'a Expr {
    let MetricKind::Derived(expr) = &metric(rules, name).kind else { panic!("{name} isn't derived") };
    expr
}

fn names(rules: &RuleSet) -> Vec<&str> {
    rules.metrics.iter().map(|metric| metric.name.as_str()).collect()
}

/// The order of evaluation, tier sets with a star.
fn order(rules: &RuleSet) -> Vec<String> {
    let step = |step: &Step| match *step {
        Step::Metric(id) => rules.metrics[id.0].name.clone(),
        Step::TierSet(id) => format!("*{}", rules.tier_sets[id.0].name),
    };
    rules.order.iter().map(step).collect()
}

/// `[metric.NAME]` from orders with a window.
fn spend(name: &str, window: &str) -> String {
    format!("[metric.{name}]\nfrom = \"orders\"\naggregate = \"sum(amount)\"\nwindow = {window}\nempty = 0\n")
}

const FIRST_ORDER: &str = r#"
[metric.first_order]
from = "orders"
aggregate = "first(date(ordered_at))"
window = "lifetime"
empty = "null"
"#;

#[test]
fn windows_begin_at_dates_of_the_subject() {
    let since = spend("early", "{ since = \"first_order\" }");
    let year = spend("year", "{ anniversary_of = \"joined_on\", offset = 1 }");
    let program = spend("program", "{ program_year = \"04-01\" }");
    let rules = load(&format!("{since}{year}{program}{FIRST_ORDER}"));
    let window = |name: &str| match &metric(&rules, name).kind {
        MetricKind::Aggregate(aggregate) => aggregate.window,
        other => panic!("{other:?}"),
    };
    let id = |name: &str| rules.metric(name).unwrap().0.0;
    assert_eq!(window("early").kind, WindowKind::Since(id("first_order")));
    assert_eq!(window("year").kind, WindowKind::AnniversaryOf(id("joined_on")));
    assert_eq!(window("year").offset, 1);
    assert!(matches!(window("program").kind, WindowKind::ProgramYear(day) if day.month_day() == (4, 1)));
    let passes: Vec<u8> = ["first_order", "year", "program", "early"].map(|name| metric(&rules, name).pass).into();
    assert_eq!(passes, [0, 0, 0, 1]);
    assert!(id("first_order") < id("early") && id("joined_on") < id("year"));
}

#[test]
fn passes_go_up_with_each_window_found_from_facts() {
    let last = "[metric.later]\nfrom = \"orders\"\naggregate = \"last(ordered_at)\"\nwindow = { since = \"grown\" }\nempty = \"null\"\n";
    let grown = "[metric.grown]\nderived = \"first_order + interval '1 month'\"\n";
    let rules = load(&format!("{FIRST_ORDER}{grown}{last}{}", spend("deep", "{ since = \"later\" }")));
    let passes: Vec<_> = rules.metrics.iter().map(|metric| (metric.name.as_str(), metric.pass)).collect();
    assert_eq!(passes, [("first_order", 0), ("grown", 0), ("later", 1), ("deep", 2)]);
}

#[test]
fn shares_and_counts_of_conditions_are_plain_aggregates() {
    let metric_of = |name: &str, aggregate: &str| {
        format!(
            "[metric.{name}]\nfrom = \"orders\"\naggregate = \"{aggregate}\"\nwindow = \"lifetime\"\nempty = \"null\"\n"
        )
    };
    let text = metric_of("late", "count_where(status = 'late')")
        + &metric_of("share_late", "share(status = 'late')")
        + &metric_of("gap", "mean_gap(ordered_at)")
        + &metric_of("median", "median_gap(ordered_at)");
    let rules = load(&text);
    let found = |name: &str| {
        let metric = metric(&rules, name);
        let MetricKind::Aggregate(aggregate) = &metric.kind else { panic!("{name}") };
        (aggregate.function, metric.ty, aggregate.argument.clone().unwrap())
    };
    let (function, ty, argument) = found("late");
    assert_eq!((function, ty), (AggregateFn::Count, Type::Integer));
    let ExprKind::Case { whens, otherwise: None } = argument.kind else { panic!() };
    assert_eq!(whens[0].1.kind, ExprKind::Literal(Value::Integer(1)));
    let (function, ty, argument) = found("share_late");
    assert_eq!((function, ty), (AggregateFn::Avg, Type::Decimal(6)));
    let ExprKind::Case { whens, otherwise: None } = argument.kind else { panic!() };
    assert!(matches!(&whens[1].0.kind, ExprKind::Not(inner) if **inner == whens[0].0));
    assert_eq!(whens[1].1.kind, ExprKind::Literal(Value::Integer(0)));
    assert_eq!((found("gap").0, found("gap").1), (AggregateFn::MeanGap, Type::Decimal(6)));
    assert_eq!((found("median").0, found("median").1), (AggregateFn::MedianGap, Type::Decimal(6)));
}

#[test]
fn a_trend_looks_at_the_window_before() {
    let trends = "[metric.trend]\ntrend = \"spend\"\n[metric.again]\ntrend = \"spend\"\n";
    let rules = load(&format!("{}{trends}", spend("spend", "{ last = \"12 months\" }")));
    assert_eq!(names(&rules), ["spend", "spend[before]", "trend", "again"]);
    let before = metric(&rules, "spend[before]");
    let MetricKind::Aggregate(aggregate) = &before.kind else { panic!() };
    assert_eq!((aggregate.window.offset, before.implicit), (1, true));
    let trend = derived(&rules, "trend");
    assert_eq!((trend.ty, trend.columns()), (Type::Decimal(6), vec![0, 1]));
    assert_eq!(derived(&rules, "again").columns(), vec![0, 1]);
}

#[test]
fn floor_and_ceil_give_integers() {
    let rules = load("[metric.m]\nderived = \"floor(visits / 3) + ceil(2.5) + Floor(visits)\"\n");
    assert_eq!(metric(&rules, "m").ty, Type::Integer);
}

#[test]
fn members_see_their_group_and_groups_their_members() {
    let rules = load(
        r#"
[metric.company_size]
lookup = "account.size"

[metric.many]
from = "customer"
aggregate = "count_where(visits > 3 and name <> 'x')"
where = "company_size > 1"
empty = 0

[metric.total]
from = "customer"
aggregate = "sum(visits)"
empty = "null"

[metric.share_of_group]
lookup = "account.total"
"#,
    );
    let (customer, account) = (rules.config.subjects[0].clone(), rules.config.subjects[1].clone());
    let parent = customer.parent.unwrap();
    assert_eq!((parent.subject.0, parent.attribute, account.parent), (1, 0, None));
    let subjects: Vec<_> = rules.metrics.iter().map(|metric| (metric.name.as_str(), metric.subject.0)).collect();
    for expected in [("company_size", 0), ("size", 1), ("many", 1), ("total", 1), ("share_of_group", 0), ("name", 0)] {
        assert!(subjects.contains(&expected), "{subjects:?}");
    }
    let size = rules.metric_of(metric(&rules, "size").subject, "size").unwrap().0;
    assert!(matches!(metric(&rules, "company_size").kind, MetricKind::Lookup(of) if of == size));
    let MetricKind::Rollup(rollup) = &metric(&rules, "many").kind else { panic!() };
    assert_eq!((rollup.members.0, rollup.function, &rollup.empty), (0, AggregateFn::Count, &Some(Value::Integer(0))));
    let (company, _) = rules.metric("company_size").unwrap();
    assert_eq!(rollup.filter.as_ref().unwrap().columns(), [company.0]);
}

#[test]
fn attributes_of_two_subjects_may_share_a_name() {
    let set = |name: &str, subject: &str| {
        format!(
            "[tiers.{name}]\nsubject = \"{subject}\"\nlevel = [{{ name = \"a\" }}, {{ name = \"b\", when = \"name = 'x'\" }}]\n"
        )
    };
    let rules = load(&(set("one", "customer") + &set("two", "account")));
    assert_eq!(names(&rules), ["name", "name"]);
    let of = |set: usize| rules.tier_sets[set].metrics()[0];
    for set in [0, 1] {
        let subject = rules.tier_sets[set].subject;
        assert_eq!(rules.metrics[of(set).0].subject, subject);
        assert_eq!(rules.metric_of(subject, "name").unwrap().0, of(set));
    }
}

const SETS: &str = r#"
[tiers.a]
subject = "customer"
level = [{ name = "low" }, { name = "high", when = "was = 'low' and tier.价值 >= '银'" }]

[tiers."价值"]
subject = "customer"
level = [{ name = "铜" }, { name = "银", when = "visits > 3" }, { name = "金", when = "visits > 9" }]

[metric.days_held]
derived = "days_between(since.价值, today)"

[metric.dropped]
derived = "was.a = 'high' and '银' > tier.价值"
"#;

#[test]
fn levels_are_asked_for_after_their_set() {
    let rules = load(SETS);
    assert_eq!(order(&rules), ["since.价值", "days_held", "visits", "*价值", "was.a", "tier.价值", "dropped", "*a"]);
    let kind = |name: &str| match metric(&rules, name).kind {
        MetricKind::Standing { set, what } => (set, what, metric(&rules, name).ty),
        _ => panic!("{name}"),
    };
    assert_eq!(kind("tier.价值"), (TierSetId(1), Standing::Level, Type::Text));
    assert_eq!(kind("was.a"), (TierSetId(0), Standing::Was, Type::Text));
    assert_eq!(kind("since.价值"), (TierSetId(1), Standing::Since, Type::Date));
    let metrics = rules.order.iter().filter_map(|step| match step {
        Step::Metric(id) => Some(*id),
        Step::TierSet(_) => None,
    });
    assert!(metrics.eq((0..rules.metrics.len()).map(MetricId)));
}

#[test]
fn levels_are_compared_by_their_order() {
    let list = |condition: &str| {
        let rules = load(&format!("{SETS}[metric.m]\nderived = \"{condition}\"\n"));
        match derived(&rules, "m").kind.clone() {
            ExprKind::In { list, negated, .. } => (list.iter().map(ToString::to_string).collect::<Vec<_>>(), negated),
            other => panic!("{other:?}"),
        }
    };
    for (condition, levels) in [
        ("tier.价值 >= '银'", &["银", "金"][..]),
        ("tier.价值 > '银'", &["金"]),
        ("was.价值 <= '银'", &["铜", "银"]),
        ("tier.价值 < '银'", &["铜"]),
        ("'银' <= tier.价值", &["银", "金"]),
        ("tier.价值 between '铜' and '银'", &["铜", "银"]),
    ] {
        assert_eq!(list(condition), (levels.iter().map(ToString::to_string).collect(), false), "{condition}");
    }
    assert!(list("tier.价值 not between '铜' and '银'").1);
}

const PRICES: &str = r#"
[metric.points_by]
from = "orders"
aggregate = "sum(amount)"
where = "status = 'paid'"
window = { calendar = "year" }
by = "category"
empty = 0

[metric.place]
rank = "points_by desc"

[metric.growth]
trend = "points_by"

[tiers.price]
subject = "customer"
per = "category"
categories = ["食品", "服装"]
level = [
    { name = "B" },
    { name = "A", when = "points_by > 100 and place < 10 and growth > 0 and visits > 1 and coalesce(was <> 'A', true)" },
]

[tiers.discount]
subject = "customer"
per = "category"
categories = ["食品"]
level = [{ name = "no" }, { name = "yes", when = "tier.price >= 'A' and points_by > 5" }]
"#;

#[test]
fn a_set_per_category_is_one_set_for_each() {
    let rules = load(PRICES);
    let sets: Vec<_> = rules.tier_sets.iter().map(|set| set.name.as_str()).collect();
    assert_eq!(sets, ["discount[食品]", "price[服装]", "price[食品]"]);
    let category = |set: &str, value: &str| {
        Some(Category { set: set.to_owned(), column: "category".to_owned(), value: value.to_owned() })
    };
    assert_eq!(rules.tier_sets[1].category, category("price", "服装"));
    let read = |set: usize| -> Vec<&str> {
        rules.tier_sets[set].metrics().iter().map(|id| rules.metrics[id.0].name.as_str()).collect()
    };
    assert_eq!(read(1), ["points_by[服装]", "place[服装]", "growth[服装]", "visits", "was.price[服装]"]);
    assert_eq!(read(0), ["tier.price[食品]", "points_by[食品]"]);
    assert!(rules.metric("points_by").is_none() && rules.metric("place").is_none());
    let MetricKind::Aggregate(aggregate) = &metric(&rules, "points_by[服装]").kind else { panic!() };
    let ExprKind::And(both) = &aggregate.filter.as_ref().unwrap().kind else { panic!() };
    let ExprKind::Compare(_, column, text) = &both[1].kind else { panic!() };
    assert_eq!((&column.kind, &text.kind), (&ExprKind::Column(3), &ExprKind::Literal(Value::Text("服装".into()))));
    assert!(
        order(&rules).iter().position(|step| step == "*price[食品]")
            < order(&rules).iter().position(|step| step == "*discount[食品]")
    );
}

#[test]
fn thresholds_and_keep_conditions_are_dependencies_too() {
    let sets = r#"
[tiers.price]
subject = "customer"
per = "category"
categories = ["食品"]
of = "spend"
level = [{ name = "B" }, { name = "A", from = 100, keep = "spend > 50 and tier.size = 'L' and was.size = 'L'" }]

[tiers.size]
subject = "customer"
level = [{ name = "S" }, { name = "L", when = "visits > 3" }]
"#;
    let spend = spend("spend", "{ last = \"1 year\" }") + "by = \"category\"\n";
    let rules = load(&(spend + sets));
    assert_eq!(
        order(&rules),
        ["spend[食品]", "visits", "*size", "tier.size", "was.size", "*price[食品]"],
        "what keeps a level is known before the level"
    );
    assert_eq!(rules.tier_sets[0].metrics().len(), 3);
}

#[test]
fn retention_rules_name_what_conditions_name() {
    let rules = load(&format!(
        "{SETS}[retention.r]\nsubject = \"customer\"\nwhen = \"tier.价值 < '金' and since.a < today\"\naction = {{ event = \"x\" }}\n"
    ));
    let read: Vec<&str> = rules.retention[0]
        .when
        .as_ref()
        .unwrap()
        .columns()
        .into_iter()
        .map(|id| rules.metrics[id].name.as_str())
        .collect();
    assert_eq!(read, ["tier.价值", "since.a"]);
    assert_eq!(order(&rules).last().unwrap(), "since.a");
}

#[test]
fn a_scorecard_is_the_sum_of_its_rows() {
    let rules = load(
        r#"
[metric.score]
scorecard = [
    { when = "visits >= 10", points = 40, title = "many visits" },
    { points = "-0.5 * visits", when = "name = 'x'" },
    { points = "least(visits, 10)" },
    { points = 2.25 },
]
"#,
    );
    let score = metric(&rules, "score");
    assert_eq!((score.ty, score.scorecard.len()), (Type::Decimal(2), 4));
    assert!(score.scorecard.iter().all(|row| row.points.ty == score.ty));
    assert_eq!(score.scorecard[0].title.as_deref(), Some("many visits"));
    assert_eq!(rules.quote(&score.scorecard[3].at), "{ points = 2.25 }");
    assert_eq!(score.scorecard[3].points.kind, ExprKind::Literal(Value::Decimal(Decimal::new(225, 2))));
    let ExprKind::Coalesce(both) = &score.scorecard[1].points.kind else { panic!() };
    let ExprKind::Case { whens, otherwise: Some(zero) } = &both[0].kind else { panic!() };
    assert!(matches!(whens[0].1.kind, ExprKind::Cast(_)) && **zero == both[1]);
    assert!(matches!(score.scorecard[0].points.kind, ExprKind::Case { .. }), "a number is never NULL");
    let mut sum = derived(&rules, "score");
    for row in score.scorecard.iter().skip(1).rev() {
        let ExprKind::Arith(_, left, right) = &sum.kind else { panic!() };
        assert_eq!(**right, row.points);
        sum = left;
    }
    assert_eq!(*sum, score.scorecard[0].points);
}
