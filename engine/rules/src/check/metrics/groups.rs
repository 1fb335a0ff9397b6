//! Metrics across groups: of the group that a subject belongs to, and from the members of a group.

use tierd_model::Type;

use super::{
    Metrics,
    draft::{Body, Draft},
};
use crate::{
    AggregateFn, MetricKind, Rollup, SubjectId,
    check::{Checking, catalog::Catalog},
    code,
    raw::{At, offsets::Offsets, rules::MetricTable},
    syntax::Node,
};

impl Checking<'_> {
    /// `lookup = "account.size"`.
    pub(super) fn lookup(&mut self, draft: &mut Draft<'_>, text: &At<String>, catalog: &Catalog) {
        let Some(value) = &text.value else {
            return;
        };
        let Some((group, metric)) = value.split_once('.') else {
            let headline = "a look-up is the name of a group and one of its metrics";
            return self.error(
                code::BAD_LOOKUP,
                &text.at,
                headline,
                "write \"GROUP.METRIC\", such as \"account.size\"",
            );
        };
        let offsets = Offsets::new(self.files.file(text.at.file), &text.at, value);
        let group = At { value: Some(group.to_owned()), at: offsets.locate(0..group.len()) };
        let Some(parent) = self.subject_named(&group, catalog) else {
            return;
        };
        let all = (0..catalog.subjects.len()).map(SubjectId).filter(|member| catalog.parent(*member) == Some(parent));
        let members: Vec<SubjectId> = all.filter(|member| draft.subject.is_none_or(|own| own == *member)).collect();
        match members.as_slice() {
            [member] => draft.subject = Some(*member),
            [] => {
                let headline =
                    format!("no subject of this metric has `{}` as its parent", group.value.unwrap_or_default());
                let help = "say so in tierd.toml: parent = { subject = \"account\", column = \"account_id\" }";
                return self.error(code::BAD_LOOKUP, &group.at, headline, help);
            }
            _ => return self.ambiguous(&text.at, catalog),
        }
        let at = offsets.locate(value.len() - metric.len()..value.len());
        draft.names_of = Some(parent);
        draft.uses = vec![(metric.trim().into(), at)];
        draft.body = Some(Body::Lookup);
    }

    /// The members whose metrics an aggregate is from, if it isn't from facts.
    pub(super) fn members_of(&self, table: &MetricTable, catalog: &Catalog) -> Option<SubjectId> {
        let from = table.from.as_ref()?.value.as_deref()?;
        let is_facts = catalog.facts.iter().any(|facts| facts.name.text == from);
        catalog.subject(from).filter(|_| !is_facts)
    }

    /// An aggregate of the metrics of a group's members.
    pub(super) fn rollup<'a>(
        &mut self,
        draft: &mut Draft<'a>,
        members: SubjectId,
        table: &'a MetricTable,
        text: &At<String>,
        catalog: &Catalog,
    ) {
        let call = self.parse(text);
        let filter = match &table.r#where {
            Some(text) => self.parse(text).map(Some),
            None => Some(None),
        };
        self.only_with_facts(table);
        if table.empty.is_none() {
            let function = call.as_ref().and_then(|call| self.called(call)).map(|called| called.function());
            self.missing_empty::<()>(&draft.name, "group without such members", function);
        }
        let Some(group) = catalog.parent(members) else {
            let name = &catalog.subjects[members.0].name.text;
            if let (Some(from), None) = (&table.from, catalog.parents[members.0]) {
                let headline = format!("subject `{name}` belongs to no group");
                let help = "say so in tierd.toml: parent = { subject = \"account\", column = \"account_id\" }";
                self.error(code::BAD_PARENT, &from.at, headline, help);
            }
            return;
        };
        if let (Some(call), Some(filter), true) = (call, filter, self.agrees(draft, group, catalog)) {
            draft.uses = call.names().into_iter().chain(filter.iter().flat_map(Node::names)).collect();
            (draft.subject, draft.names_of) = (Some(group), Some(members));
            draft.body = Some(Body::Rollup { table, call, filter });
        }
    }

    fn only_with_facts(&mut self, table: &MetricTable) {
        let keys = [
            ("window", table.window.as_ref().map(|window| &window.at)),
            ("per", table.per.as_ref().map(|per| &per.at)),
            ("by", table.by.as_ref().map(|by| &by.at)),
        ];
        for (key, at) in keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))) {
            let headline = format!("`{key}` goes with facts only, and these are the metrics of a group's members");
            self.error(code::CONFLICTING_KEYS, at, headline, "leave it out; the members' metrics have windows");
        }
    }

    /// A roll-up, whose members' metrics are done.
    pub(super) fn rolled_up(
        &mut self,
        members: SubjectId,
        table: &MetricTable,
        call: &Node,
        filter: Option<&Node>,
        catalog: &Catalog,
        metrics: &Metrics<'_>,
    ) -> Option<(MetricKind, Type)> {
        let filter = match filter {
            Some(filter) => self.typing(catalog, metrics, members).condition(filter).map(Some),
            None => Some(None),
        };
        let called = self.called(call)?;
        let argument = called.argument(&mut self.typing(catalog, metrics, members), &call.at)?;
        let found = self.call(&called, argument)?;
        let function = found.function;
        if matches!(
            function,
            AggregateFn::First
                | AggregateFn::Last
                | AggregateFn::DaysSince
                | AggregateFn::MeanGap
                | AggregateFn::MedianGap
        ) {
            let headline = "members have no order in time";
            let help = "write sum(x), count(*), count_where(c), share(c), avg(x), min(x) or max(x)";
            self.error(code::BAD_AGGREGATE, &call.at, headline, help);
            return None;
        }
        let empty = self.empty(table.empty.as_ref()?, found.ty, &catalog.zone)?;
        let rollup = Rollup { members, function, argument: found.argument, filter: filter?, empty };
        Some((MetricKind::Rollup(rollup), found.ty))
    }
}
