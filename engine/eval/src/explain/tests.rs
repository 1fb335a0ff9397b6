use tierd_model::{CalendarSpan, Type, Window, WindowKind};
use tierd_rules::{
    Aggregate, AggregateFn, AmountEncoding, Column, CompareOp, Encoding, ExprKind as K, Facts, FactsId, File, FileId,
    FileSet, Metric, MetricKind, RankKind, SubjectId,
};

use super::{text::lines, *};
use crate::testing::{
    array, clock, column, complete, date, decimal, integer, literal, metric, node, rule_set, text as words, tier_set,
};

const SPEND: usize = 0;
const CONTACTS: usize = 1;
const CITY: usize = 2;
const JOINED: usize = 3;
const NAME: usize = 4;
const PER_CONTACT: usize = 5;
const QUINTILE: usize = 6;

/// What the tests quote; expressions are written by hand beside it.
const FILE: &str = r#"
a = "annual_spend >= 10000 and monthly_contacts >= 5"
b = "annual_spend >= 5000"
derived = "annual_spend / nullif(monthly_contacts, 0)"
sum = "sum(amount)"
where = "status   =
        'paid'"
any = "city in ('Paris', '北京') or joined_on < as_of_day"
not = "not (annual_spend >= 10000 or city is null)"
name = "name = '王小明'"
between = "monthly_contacts between 7 and 8 or 6"
"#;

fn at(needle: &str) -> Location {
    let start = FILE.find(needle).unwrap();
    Location { file: FileId(0), range: start..start + needle.len() }
}

/// A node with its words in the file.
fn written(words: &str, kind: K, ty: Type) -> Expr {
    Expr { kind, ty, at: at(words) }
}

fn of(metric: usize) -> Box<Expr> {
    let types = [Type::Decimal(2), Type::Integer, Type::Text, Type::Date, Type::Text, Type::Decimal(6), Type::Integer];
    Box::new(column(metric, types[metric]))
}

fn constant(words: &str, value: Value) -> Box<Expr> {
    Box::new(Expr { at: at(words), ..literal(value) })
}

fn spend(bound: &str) -> Expr {
    let value = decimal(&format!("{bound}.00"));
    written(
        &format!("annual_spend >= {bound}"),
        K::Compare(CompareOp::Ge, of(SPEND), constant(bound, value)),
        Type::Bool,
    )
}

fn contacts() -> Expr {
    let five = constant("5", integer(5));
    written("monthly_contacts >= 5", K::Compare(CompareOp::Ge, of(CONTACTS), five), Type::Bool)
}

fn level_a() -> Expr {
    written("annual_spend >= 10000 and monthly_contacts >= 5", K::And(vec![spend("10000"), contacts()]), Type::Bool)
}

fn metrics() -> Vec<Metric> {
    let status = node(K::Literal(Value::Bool(true)), Type::Bool);
    let sum = Aggregate {
        facts: FactsId(0),
        function: AggregateFn::Sum,
        argument: Some(written("amount", K::Column(0), Type::Decimal(2))),
        filter: Some(Expr { at: at("status   =\n        'paid'"), ..status }),
        window: Window { kind: WindowKind::Last(CalendarSpan::months(12)), offset: 0 },
        per: None,
        empty: Some(decimal("0.00")),
    };
    let divisor = node(K::NullIf(of(CONTACTS), Box::new(literal(integer(0)))), Type::Integer);
    let quotient = K::Arith(tierd_rules::ArithOp::Div, of(SPEND), Box::new(divisor));
    let derived = written("annual_spend / nullif(monthly_contacts, 0)", quotient, Type::Decimal(6));
    let rank = MetricKind::Rank { of: MetricId(SPEND), descending: true, kind: RankKind::Ntile(2) };
    let mut name = metric("name", Type::Text, MetricKind::Attribute(2));
    name.personal = true;
    vec![
        metric("annual_spend", Type::Decimal(2), MetricKind::Aggregate(sum)),
        metric("monthly_contacts", Type::Integer, MetricKind::Attribute(3)),
        metric("city", Type::Text, MetricKind::Attribute(0)),
        metric("joined_on", Type::Date, MetricKind::Attribute(1)),
        name,
        metric("per_contact", Type::Decimal(6), MetricKind::Derived(derived)),
        metric("spend_half", Type::Integer, rank),
    ]
}

fn now() -> Clock {
    clock("2026-03-31T10:00", "Asia/Shanghai")
}

fn rules() -> RuleSet {
    let mut rules = rule_set(metrics(), vec![]);
    rules.files = FileSet::new(vec![File { path: "rules/value.toml".into(), text: FILE.into() }]);
    rules.config.facts.push(Facts {
        name: "orders".to_owned(),
        table: "orders".to_owned(),
        subject: SubjectId(0),
        subject_column: "customer_id".to_owned(),
        time: 0,
        filter: None,
        fresh: None,
        may_be_empty: false,
        columns: vec![Column {
            name: "amount".to_owned(),
            column: "amount".to_owned(),
            ty: Type::Decimal(2),
            encoding: Encoding::Amount(AmountEncoding::MinorUnits),
            personal: false,
            at: at("amount"),
        }],
        at: at("amount"),
    });
    rules
}

/// Three subjects; the last knows nothing but its name.
fn table(rules: &RuleSet) -> Metrics {
    let given = vec![
        Some(array(Type::Decimal(2), &[Some(decimal("7500.00")), Some(decimal("12000.50")), None])),
        Some(array(Type::Integer, &[Some(integer(6)), Some(integer(9)), None])),
        Some(array(Type::Text, &[Some(words("London")), None, None])),
        Some(array(Type::Date, &[Some(date("2026-04-10")), Some(date("2020-02-29")), None])),
        Some(array(Type::Text, &[Some(words("王大明")), Some(words("Ann")), Some(words("Bo"))])),
    ];
    complete(rules, given, 3, &now())
}

/// The explanation of a subject in a set of levels `L0`, `L1` … with these conditions, as plain lines.
fn explained(
    conditions: Vec<Option<Expr>>,
    unknown: Unknown,
    subject: usize,
    held: Option<u16>,
) -> (Explanation, Vec<String>) {
    let rules = rules();
    let mut set = tier_set(unknown, conditions);
    set.title = Some("客户价值等级".to_owned());
    let explanation = explain(&rules, &set, &table(&rules), subject, held, &now());
    let lines = lines(&explanation, "customer 4711", &now()).iter().map(text::Line::plain).collect();
    (explanation, lines)
}

/// The lines of one condition for the first subject, from the level to its metrics.
fn condition(when: Expr) -> (Vec<String>, String) {
    let (_, mut lines) = explained(vec![None, Some(when)], Unknown::Keep, 0, None);
    let parts = lines.iter().skip(2).take_while(|line| !line.starts_with("  L0")).cloned().collect();
    let next = lines.iter().position(|line| line.starts_with("next level")).map(|i| lines.split_off(i).join("\n"));
    (parts, next.unwrap_or_default())
}

#[test]
fn every_level_is_explained_with_values_thresholds_and_what_is_missing() {
    let (explanation, lines) = explained(vec![None, Some(spend("5000")), Some(level_a())], Unknown::Keep, 0, None);
    assert_eq!((explanation.level, explanation.basis), (Some(1), Basis::Proven));
    assert_eq!(
        lines,
        [
            "customer 4711 · value (客户价值等级): level L1",
            "  L2  no    annual_spend >= 10000 and monthly_contacts >= 5",
            "            no    annual_spend      = 7500  needs >= 10000  2500 short",
            "            yes   monthly_contacts  = 6     needs >= 5",
            "  L1  yes   annual_spend >= 5000",
            "            yes   annual_spend  = 7500  needs >= 5000",
            "  L0  yes   no condition",
            "metrics",
            "  annual_spend = 7500  sum(amount) of orders where status = 'paid', from 2025-03-31 00:00 to 2026-03-31 10:00",
            "  monthly_contacts = 6  attribute monthly_contacts",
            "next level L2: annual_spend must rise by 2500 to 10000",
        ]
    );
}

#[test]
fn the_highest_level_misses_nothing() {
    let (explanation, _) = explained(vec![None, Some(spend("5000"))], Unknown::Keep, 1, None);
    assert_eq!((explanation.level, explanation.missing), (Some(1), None));
}

#[test]
fn alternatives_are_shown_as_such() {
    let cities = vec![words("Paris"), words("北京")];
    let in_list =
        written("city in ('Paris', '北京')", K::In { value: of(CITY), list: cities, negated: false }, Type::Bool);
    let today = Box::new(written("as_of_day", K::Today, Type::Date));
    let joined = written("joined_on < as_of_day", K::Compare(CompareOp::Lt, of(JOINED), today), Type::Bool);
    let any = K::Or(vec![in_list, joined]);
    let (parts, next) = condition(written("city in ('Paris', '北京') or joined_on < as_of_day", any, Type::Bool));
    assert_eq!(
        parts,
        [
            "            no    any of",
            "              no    city       = 'London'    needs one of 'Paris', '北京'",
            "              no    joined_on  = 2026-04-10  needs < as_of_day (= 2026-03-31)  10 days too late",
        ]
    );
    assert_eq!(
        next,
        "next level L1 needs one of\n  city must be one of 'Paris', '北京', and is 'London'\n  joined_on must move back by more than 10 days, beyond as_of_day (= 2026-03-31)"
    );
}

#[test]
fn not_turns_the_question_round() {
    let no_city = written("city is null", K::IsNull { value: of(CITY), negated: false }, Type::Bool);
    let any = written("annual_spend >= 5000", K::Or(vec![spend("5000"), no_city]), Type::Bool);
    let (parts, next) = condition(node(K::Not(Box::new(any)), Type::Bool));
    assert_eq!(
        parts,
        [
            "            no    none of",
            "              no    annual_spend  = 7500      must not be >= 5000  2500 too much",
            "              yes   city          = 'London'  must not be NULL",
        ]
    );
    assert_eq!(next, "next level L1: annual_spend must fall by more than 2500, beyond 5000");
}

#[test]
fn between_misses_the_nearer_end() {
    let ends = || (constant("7", integer(7)), constant("8", integer(8)));
    let between = |(low, high), negated| K::Between { value: of(CONTACTS), low, high, negated };
    let (parts, next) = condition(written("monthly_contacts between 7 and 8", between(ends(), false), Type::Bool));
    assert_eq!(parts, ["            no    monthly_contacts  = 6  needs between 7 and 8  1 short"]);
    assert_eq!(next, "next level L1: monthly_contacts must rise by 1 to 7");
    let (six, eight) = (constant("6", integer(6)), constant("8", integer(8)));
    let (parts, next) = condition(written("monthly_contacts between 7 and 8", between((six, eight), true), Type::Bool));
    assert_eq!(parts, ["            no    monthly_contacts  = 6  needs not between 6 and 8"]);
    assert_eq!(next, "next level L1: monthly_contacts must be below 6 or above 8, and is 6");
}

#[test]
fn a_constant_stands_on_the_right() {
    let flipped = K::Compare(CompareOp::Lt, constant("10000", decimal("10000.00")), of(SPEND));
    let (parts, next) = condition(written("annual_spend >= 10000", flipped, Type::Bool));
    assert_eq!(parts, ["            no    annual_spend  = 7500  needs > 10000  2500 short"]);
    assert_eq!(next, "next level L1: annual_spend must rise by more than 2500, beyond 10000");
}

#[test]
fn personal_values_are_masked() {
    let is_name = K::Compare(CompareOp::Eq, of(NAME), constant("'王小明'", words("王小明")));
    let (explanation, lines) =
        explained(vec![None, Some(written("name = '王小明'", is_name, Type::Bool))], Unknown::Keep, 0, None);
    assert_eq!(lines[2], "            no    name  = 王*  needs = '王小明'");
    assert_eq!(lines[5], "  name = 王*  attribute name");
    assert_eq!(lines[6], "next level L1: name must be '王小明', and is 王*");
    assert!(explanation.metrics[0].personal);
}

#[test]
fn derived_metrics_and_ranks_show_what_is_behind_them() {
    let rich = node(K::Compare(CompareOp::Ge, of(PER_CONTACT), Box::new(literal(decimal("1200.000000")))), Type::Bool);
    let first = node(K::Compare(CompareOp::Eq, of(QUINTILE), Box::new(literal(integer(1)))), Type::Bool);
    let (explanation, lines) =
        explained(vec![None, Some(node(K::And(vec![rich, first]), Type::Bool))], Unknown::Keep, 0, None);
    assert_eq!(
        lines[2..],
        [
            "            yes   per_contact  = 1250  needs >= 1200",
            "            no    spend_half   = 2     needs = 1      1 too much",
            "  L0  yes   no condition",
            "metrics",
            "  per_contact = 1250  from annual_spend / nullif(monthly_contacts, 0)",
            "    annual_spend = 7500  sum(amount) of orders where status = 'paid', from 2025-03-31 00:00 to 2026-03-31 10:00",
            "    monthly_contacts = 6  attribute monthly_contacts",
            "  spend_half = 2  bucket of 2 by annual_spend, largest first, among 2",
            "    1: 12000.5 to 12000.5 (1)",
            "    2: 7500 to 7500 (1)",
            "next level L1: spend_half must fall by 1 to 1",
        ]
    );
    let of_quintile = explanation.metrics.last().unwrap();
    assert!(
        matches!(&of_quintile.how, How::Rank { of: MetricId(SPEND), ranked: 2, buckets, .. } if buckets.len() == 2)
    );
}

#[test]
fn unknown_is_said_with_what_the_set_does_about_it() {
    for (unknown, held, level, basis, headline) in [
        (Unknown::Keep, None, Some(0), Basis::ProvenDespiteUnknown, "level L0, though a higher condition is UNKNOWN"),
        (Unknown::Keep, Some(1), Some(1), Basis::Kept, "level L1, kept because a condition is UNKNOWN"),
        (Unknown::Lowest, Some(1), Some(0), Basis::Lowest, "level L0, the lowest because a condition is UNKNOWN"),
        (
            Unknown::Error,
            Some(1),
            None,
            Basis::Refused,
            "no level, because a condition is UNKNOWN and the set refuses that",
        ),
    ] {
        let (explanation, lines) = explained(vec![None, Some(spend("5000")), Some(level_a())], unknown, 2, held);
        assert_eq!((explanation.level, explanation.basis), (level, basis));
        assert_eq!(lines[0], format!("customer 4711 · value (客户价值等级): {headline}"));
        assert_eq!(lines[1], "  L2  ?     annual_spend >= 10000 and monthly_contacts >= 5");
        assert_eq!(lines[2], "            ?     annual_spend      = NULL  needs >= 10000");
    }
    let (_, lines) = explained(vec![None, Some(level_a())], Unknown::Keep, 2, None);
    assert_eq!(
        lines[lines.len() - 3..],
        [
            "next level L1 needs all of",
            "  annual_spend must be >= 10000, and is unknown (NULL)",
            "  monthly_contacts must be >= 5, and is unknown (NULL)",
        ]
    );
}

#[test]
fn a_level_that_holds_below_an_unknown_misses_nothing_of_its_own() {
    let known = node(K::IsNull { value: of(NAME), negated: true }, Type::Bool);
    let (explanation, lines) = explained(vec![None, Some(known), Some(spend("5000"))], Unknown::Lowest, 2, None);
    assert_eq!(explanation.missing.unwrap().need, None);
    assert_eq!(lines[lines.len() - 1], "next level L1: its condition holds; a higher one is UNKNOWN");
}

#[test]
fn explanations_agree_with_grades() {
    let rules = rules();
    let metrics = table(&rules);
    let set = tier_set(Unknown::Keep, vec![None, Some(spend("5000")), Some(level_a())]);
    let mut graded = crate::levels::grade(&set, &metrics, &now()).unwrap();
    graded.settle(|_| Some(1));
    for subject in 0..3 {
        let explanation = explain(&rules, &set, &metrics, subject, Some(1), &now());
        assert_eq!(explanation.level, Some(usize::from(graded.earned[subject])), "{subject}");
    }
}
