//! What a retention rule does, and what is counted as its effect.

use tierd_model::CalendarSpan;

use crate::{
    SubjectId,
    check::{Checking, catalog::Catalog, metrics::Metrics, template::Places},
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{
        At, Named,
        retention::{ActionTable, DataEntry, EscalateTable, RetentionTable},
    },
    retention::{Action, Escalation, EventAction, EventValue, Goal, TaskAction},
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
        match (&table.task, &table.event) {
            (Some(title), None) => {
                let good = self.only_of("task", "event", &[("data", table.data.as_ref().map(|data| &data.at))]);
                let task = self.task(title, table, places, catalog, metrics);
                task.filter(|_| good).map(Action::Task)
            }
            (None, Some(name)) => {
                let good = self.only_of("event", "task", &keys_of_task(table));
                let name = self.template(name, places, catalog, metrics);
                let data = self.data(table, places, catalog, metrics);
                Some(Action::Event(EventAction { name: name?, data: data? })).filter(|_| good)
            }
            (Some(task), Some(event)) => {
                let diagnostic = Diagnostic::error(code::ACTION_KIND, &event.at, "`event` excludes `task`");
                self.out.push(diagnostic.other(&task.at, "").help("make two rules of it"));
                None
            }
            (None, None) => {
                let help = "write action = { task = \"call {name}\" } or { event = \"coupon\" }";
                self.error(code::ACTION_KIND, &written.at, "this action does nothing", help);
                None
            }
        }
    }

    /// Reports keys that belong to the other kind of action; whether there are none.
    fn only_of(&mut self, this: &str, other: &str, keys: &[(&str, Option<&Location>)]) -> bool {
        let given: Vec<_> = keys.iter().filter_map(|(key, at)| at.map(|at| (key, at))).collect();
        for (key, at) in &given {
            let headline = format!("`{key}` goes with `{other}`, not with `{this}`");
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

fn keys_of_task(table: &ActionTable) -> [(&'static str, Option<&Location>); 5] {
    [
        ("owner", table.owner.as_ref().map(|key| &key.at)),
        ("channel", table.channel.as_ref().map(|key| &key.at)),
        ("due", table.due.as_ref().map(|key| &key.at)),
        ("text", table.text.as_ref().map(|key| &key.at)),
        ("escalate", table.escalate.as_ref().map(|key| &key.at)),
    ]
}
