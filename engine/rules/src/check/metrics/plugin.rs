//! Metrics that plugins find: of the subject's own values, or of its facts.

use tierd_model::Type;

use super::draft::{Body, Draft};
use crate::{
    check::{Checking, catalog::Catalog, plugins::Call, window},
    code,
    fileset::Location,
    plugin::{OnPluginError, PluginFacts, PluginFunction, PluginKind, PluginMetric},
    raw::{At, plugin::OnPluginErrorName, rules::MetricTable},
    syntax::Node,
};

/// A call of a function of the subject's values, before the names in its inputs are looked up.
#[derive(Clone)]
pub(in crate::check) struct Scored {
    pub(super) call: Call,
    /// In the function's order.
    pub(super) inputs: Vec<Node>,
    pub(super) ty: Type,
}

impl Checking<'_> {
    pub(super) fn plugin_metric(
        &mut self,
        draft: &mut Draft<'_>,
        table: &MetricTable,
        text: &At<String>,
        catalog: &Catalog,
    ) {
        let Some(callee) = self.callee(text, table.function.as_ref(), catalog) else {
            return;
        };
        let at = table.function.as_ref().map_or(&text.at, |function| &function.at);
        if !self.finds_a_metric(callee.function, table, at) {
            return;
        }
        let on_error = At::value_or(table.on_plugin_error.as_ref(), OnPluginError::Fail, |word| match word {
            OnPluginErrorName::Fail => OnPluginError::Fail,
            OnPluginErrorName::Unknown => OnPluginError::Unknown,
        });
        let call = self.plugin_call(callee, table.config.as_ref(), on_error, at);
        let inputs = self.inputs(callee.function, table.inputs.as_ref(), at);
        let (Some(call), Some(inputs), Some(ty)) = (call, inputs, callee.function.metric_type()) else {
            return;
        };
        if callee.function.kind == PluginKind::Aggregator {
            return self.gathered(draft, table, &call, &inputs, ty, catalog);
        }
        draft.uses = inputs.iter().flat_map(Node::names).collect();
        draft.body = Some(Body::Plugin(Box::new(Scored { call, inputs, ty })));
    }

    /// Whether a function finds a metric of what the table says that it is given.
    fn finds_a_metric(&mut self, function: &PluginFunction, table: &MetricTable, at: &Location) -> bool {
        let name = &function.name;
        let of_facts = function.kind == PluginKind::Aggregator;
        let (at, headline, help) = match (function.kind, &table.from) {
            (PluginKind::Planner, _) => {
                let help = "a metric takes a scorer, segmenter, model or aggregator; a planner is the action of a retention rule";
                (at, format!("`{name}` is a planner: it proposes what to do, and gives no value"), help)
            }
            (PluginKind::Aggregator, None) => {
                let headline = format!("`{name}` is an aggregator: it is given facts, and none are named");
                (at, headline, "say which ones: from = \"orders\"")
            }
            (kind, Some(from)) if !of_facts => {
                let headline = format!("`{name}` is a {}: it is given the subject's values, not facts", kind.name());
                (&from.at, headline, "leave `from` out, and what goes with it")
            }
            _ => {
                self.only_with_facts_of_plugin(table, of_facts);
                return true;
            }
        };
        self.error(code::FUNCTION_KIND, at, headline, help);
        false
    }

    fn only_with_facts_of_plugin(&mut self, table: &MetricTable, of_facts: bool) {
        let keys = [
            ("where", table.r#where.as_ref().map(|text| &text.at)),
            ("window", table.window.as_ref().map(|window| &window.at)),
            ("empty", table.empty.as_ref().map(|empty| &empty.at)),
            ("by", table.by.as_ref().map(|by| &by.at)),
        ];
        for (key, at) in keys.into_iter().filter(|_| !of_facts).filter_map(|(key, at)| at.map(|at| (key, at))) {
            let headline = format!("`{key}` goes with facts only, and this function is given the subject's values");
            self.error(code::CONFLICTING_KEYS, at, headline, "leave it out");
        }
        if let Some(per) = &table.per {
            self.error(code::CONFLICTING_KEYS, &per.at, "`per` goes with `aggregate` only", "leave it out");
        }
    }

    /// An aggregator over facts.
    fn gathered(
        &mut self,
        draft: &mut Draft<'_>,
        table: &MetricTable,
        call: &Call,
        inputs: &[Node],
        ty: Type,
        catalog: &Catalog,
    ) {
        let facts = self.facts_of(&draft.name, table, catalog);
        let window = self.window_of(&draft.name, table);
        let empty = match &table.empty {
            Some(empty) => self.empty(empty, ty, &catalog.zone),
            None => self.missing_empty(&draft.name, "subject without such facts", None),
        };
        let Some(facts) = facts else { return };
        let entry = &catalog.facts[facts.0];
        let filter = self.row_filter(table.r#where.as_ref(), entry, catalog);
        let call = self.typed_facts(entry, catalog, |typing| call.typed(inputs, typing));
        let by = match &table.by {
            Some(by) => self.by(by, entry).map(Some),
            None => Some(None),
        };
        let (Some(call), Some(window), Some(empty), Some(filter), Some(by), Some(of)) =
            (call, window, empty, filter, by, entry.subject)
        else {
            return;
        };
        if self.agrees(draft, of, catalog) {
            let window::Found { window, anchor } = window;
            let anchor = anchor.and_then(|anchor| Some((anchor.value.as_deref()?.trim().into(), anchor.at.clone())));
            draft.uses = anchor.into_iter().collect();
            (draft.subject, draft.by) = (Some(of), by);
            let facts = Some(PluginFacts { facts, filter, window, empty });
            draft.body = Some(Body::Gathered(Box::new(PluginMetric { call, facts }), ty));
        }
    }

    /// Keys that mean nothing without `plugin`.
    pub(super) fn only_with_plugin(&mut self, table: &MetricTable) {
        let keys = [
            ("function", table.function.as_ref().map(|function| &function.at)),
            ("inputs", table.inputs.as_ref().map(|inputs| &inputs.at)),
            ("config", table.config.as_ref().map(|config| &config.at)),
            ("on_plugin_error", table.on_plugin_error.as_ref().map(|word| &word.at)),
        ];
        for (key, at) in keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))) {
            let headline = format!("`{key}` goes with `plugin` only");
            self.error(code::CONFLICTING_KEYS, at, headline, "leave it out");
        }
    }
}
