//! What a retention rule does, and what is counted as its effect.

use tierd_model::CalendarSpan;

use crate::{
    RuleSet, SubjectId,
    check::{Checking, catalog::Catalog, metrics::Metrics, template::Places},
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    plugin::{OnPluginError, PluginCall, PluginKind},
    raw::{
        At, Named,
        plugin::OnPlannerErrorName,
        retention::{ActionTable, DataEntry, EscalateTable, RetentionTable},
    },
    retention::{Action, Escalation, EventAction, EventValue, Goal, TaskAction},
    syntax::Node,
};

impl Checking<'_> {
    pub(super) fn action<'a>(
        &mut self,
        written: &At<ActionTable>,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Action> {
        let table = written.value.as_ref()?;
        let kinds = [
            ("task", table.task.as_ref().map(|task| &task.at)),
            ("event", table.event.as_ref().map(|event| &event.at)),
            ("plugin", table.plugin.as_ref().map(|plugin| &plugin.at)),
        ];
        let given: Vec<_> = kinds.into_iter().filter_map(|(kind, at)| Some((kind, at?))).collect();
        let this = match given.as_slice() {
            [] => {
                let help = "write action = { task = \"call {name}\" } or { event = \"coupon\" }";
                self.error(code::ACTION_KIND, &written.at, "this action does nothing", help);
                return None;
            }
            [(this, _)] => *this,
            [(first, first_at), (second, at), ..] => {
                let diagnostic = Diagnostic::error(code::ACTION_KIND, at, format!("`{second}` excludes `{first}`"));
                self.out.push(diagnostic.other(first_at, "").help("make two rules of it"));
                return None;
            }
        };
        let good = self.only_of(this, table);
        let action = match (&table.task, &table.event, &table.plugin) {
            (Some(title), ..) => self.task(title, table, places, catalog, metrics).map(Action::Task),
            (_, Some(name), _) => {
                let name = self.template(name, places, catalog, metrics);
                let data = self.data(table, places, catalog, metrics);
                name.zip(data).map(|(name, data)| Action::Event(EventAction { name, data }))
            }
            (.., Some(plugin)) => self.planner(plugin, table, places.subject, catalog, metrics).map(Action::Planned),
            (None, None, None) => None,
        };
        action.filter(|_| good)
    }

    /// A planner's call.
    fn planner<'a>(
        &mut self,
        plugin: &At<String>,
        table: &ActionTable,
        subject: SubjectId,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<PluginCall> {
        let callee = self.callee(plugin, table.function.as_ref(), catalog)?;
        let at = table.function.as_ref().map_or(&plugin.at, |function| &function.at);
        if callee.function.kind != PluginKind::Planner {
            let (name, kind) = (&callee.function.name, callee.function.kind.name());
            let headline = format!("`{name}` is a {kind}: it gives a value, and proposes nothing");
            self.error(code::FUNCTION_KIND, at, headline, "an action takes a planner; make a metric of this one");
            return None;
        }
        self.may_propose(callee, &plugin.at);
        let on_error = At::value_or(table.on_plugin_error.as_ref(), OnPluginError::Fail, |word| match word {
            OnPlannerErrorName::Fail => OnPluginError::Fail,
            OnPlannerErrorName::Wait => OnPluginError::Unknown,
        });
        let call = self.plugin_call(callee, table.config.as_ref(), on_error, at);
        let inputs = self.inputs(callee.function, table.inputs.as_ref(), at)?;
        let inputs: Vec<Node> = inputs.iter().map(|input| metrics.as_meant(input)).collect();
        for input in &inputs {
            self.resolve(&input.names(), subject, catalog, metrics);
        }
        call?.typed(&inputs, &mut self.typing(catalog, metrics, subject))
    }

    /// Reports personal values that a planner would be given. Templates mask them; what a planner makes of them nobody could mask.
    pub(in crate::check) fn nothing_personal_is_planned(&mut self, rules: &RuleSet) {
        let personal = rules.personal();
        let planned = rules.retention.iter().filter_map(|rule| match &rule.action {
            Action::Planned(call) => Some(call),
            Action::Task(_) | Action::Event(_) => None,
        });
        for input in planned.flat_map(|call| &call.inputs) {
            if let Some(metric) = input.columns().into_iter().find(|&metric| personal[metric]) {
                let headline =
                    format!("`{}` is personal, and what a planner proposes isn't masked", rules.metrics[metric].name);
                let help =
                    "give the plugin something else; only tasks and events of rules may have {name}, and mask it";
                self.error(code::PERSONAL_INPUT, &input.at, headline, help);
            }
        }
    }

    /// Reports keys that belong to another kind of action than this; whether there are none.
    fn only_of(&mut self, this: &str, table: &ActionTable) -> bool {
        let others = keys_of_kinds(table).into_iter().filter(|(kind, ..)| *kind != this);
        let given: Vec<_> = others.filter_map(|(kind, key, at)| Some((kind, key, at?))).collect();
        for (kind, key, at) in &given {
            let headline = format!("`{key}` goes with `{kind}`, not with `{this}`");
            self.error(code::CONFLICTING_KEYS, at, headline, "leave it out");
        }
        given.is_empty()
    }

    fn task<'a>(
        &mut self,
        title: &At<String>,
        table: &ActionTable,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<TaskAction> {
        let title = self.template(title, places, catalog, metrics);
        let owner = self.optional_template(table.owner.as_ref(), places, catalog, metrics);
        let channel = self.optional_template(table.channel.as_ref(), places, catalog, metrics);
        let text = self.optional_template(table.text.as_ref(), places, catalog, metrics);
        let due = At::value_or(table.due.as_ref(), None, |due| Some(due.0));
        let escalate = match &table.escalate {
            Some(escalate) => self.escalation(escalate, table, places, catalog, metrics).map(Some),
            None => Some(None),
        };
        Some(TaskAction {
            title: title?,
            owner: owner?,
            channel: channel?,
            text: text?,
            due: due?,
            escalate: escalate?,
        })
    }

    fn escalation<'a>(
        &mut self,
        written: &At<EscalateTable>,
        table: &ActionTable,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Escalation> {
        if table.due.is_none() {
            let help = "say how long the task may take: due = \"3 days\"";
            self.error(code::MISSING_KEY, &written.at, "`escalate` needs `due`", help);
        }
        let escalate = written.value.as_ref()?;
        let after: Option<CalendarSpan> = escalate.after.value.as_ref().map(|after| after.0);
        let to = self.template(&escalate.to, places, catalog, metrics);
        Some(Escalation { after: after?, to: to? })
    }

    fn data<'a>(
        &mut self,
        table: &ActionTable,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Vec<(String, EventValue)>> {
        match &table.data {
            Some(data) => self.named_data(data.value.as_ref()?, places, catalog, metrics),
            None => Some(vec![]),
        }
    }

    fn named_data<'a>(
        &mut self,
        written: &Named<DataEntry>,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<Vec<(String, EventValue)>> {
        // All of them, so that each one's mistakes are reported.
        let values: Vec<_> = written
            .0
            .iter()
            .map(|(name, value)| Some((name.text.clone(), self.datum(value, places, catalog, metrics)?)))
            .collect();
        values.into_iter().collect()
    }

    fn datum<'a>(
        &mut self,
        written: &At<DataEntry>,
        places: &Places<'_>,
        catalog: &'a Catalog,
        metrics: &mut Metrics<'a>,
    ) -> Option<EventValue> {
        match written.value.as_ref()? {
            DataEntry::Text(text) if text.trim().is_empty() => Some(EventValue::Json(text.as_str().into())),
            DataEntry::Text(text) => {
                let text = At { value: Some(text.clone()), at: written.at.clone() };
                self.template(&text, places, catalog, metrics).map(EventValue::Template)
            }
            DataEntry::List(all) => {
                let values: Vec<_> = all.iter().map(|value| self.datum(value, places, catalog, metrics)).collect();
                values.into_iter().collect::<Option<_>>().map(EventValue::List)
            }
            DataEntry::Table(named) => self.named_data(named, places, catalog, metrics).map(EventValue::Table),
            DataEntry::Json(json) => Some(EventValue::Json(json.clone())),
        }
    }

    /// What is counted as having come back; `Some(None)` where nothing is.
    pub(super) fn goal(
        &mut self,
        table: &RetentionTable,
        subject: SubjectId,
        catalog: &Catalog,
    ) -> Option<Option<Goal>> {
        let Some(goal) = &table.goal else {
            return Some(None);
        };
        let goal = goal.value.as_ref()?;
        let facts = self.facts_named(&goal.from, catalog)?;
        let filter = self.row_filter(goal.r#where.as_ref(), &catalog.facts[facts.0], catalog);
        let agrees = self.about(facts, subject, &goal.from.at, catalog);
        let within = goal.within.value.as_ref()?.0;
        Some(Some(Goal { facts, filter: filter?, within })).filter(|_| agrees)
    }
}

/// Keys that go with one kind of action alone: the kind, the key, and where it is written.
fn keys_of_kinds(table: &ActionTable) -> [(&'static str, &'static str, Option<&Location>); 10] {
    [
        ("task", "owner", table.owner.as_ref().map(|key| &key.at)),
        ("task", "channel", table.channel.as_ref().map(|key| &key.at)),
        ("task", "due", table.due.as_ref().map(|key| &key.at)),
        ("task", "text", table.text.as_ref().map(|key| &key.at)),
        ("task", "escalate", table.escalate.as_ref().map(|key| &key.at)),
        ("event", "data", table.data.as_ref().map(|key| &key.at)),
        ("plugin", "function", table.function.as_ref().map(|key| &key.at)),
        ("plugin", "inputs", table.inputs.as_ref().map(|key| &key.at)),
        ("plugin", "config", table.config.as_ref().map(|key| &key.at)),
        ("plugin", "on_plugin_error", table.on_plugin_error.as_ref().map(|key| &key.at)),
    ]
}
