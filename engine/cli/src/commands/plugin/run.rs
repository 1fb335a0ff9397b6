use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{ArrayRef, UInt32Array};
use tierd_eval::{
    columns::value_at,
    plugin::{Plugins, Proposal, ProposedAction, SubjectFacts, call::Calling},
};
use tierd_host::Runner;
use tierd_model::{Clock, Type, Value, Zone};
use tierd_rules::{
    Expr, ExprKind,
    plugin::{PluginCall, PluginFunction, PluginKind},
};

use super::{Opened, cells::Csv, settings};
use crate::{
    args::PluginRunArgs,
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    session,
};

/// Columns of a CSV file that name the subject of a fact and its time.
const SUBJECT: &str = "subject";
const TIME: &str = "time";

/// Calls a function for the rows of a CSV file, and prints what it gives. Times without offset are UTC.
pub(super) fn run(args: &PluginRunArgs, output: Output) -> Result<(), Failure> {
    let opened = Opened::new(&args.plugin)?;
    let function = opened.function(args.function.as_deref())?;
    let zone = Zone::utc();
    let at = args.as_of.as_deref().map_or_else(|| Ok(session::now()), |text| session::parse_as_of(text, &zone))?;
    let file = Csv::read(&args.input)?;
    let call = opened.call(function, settings(args.config.as_deref())?);
    let asked = Asked {
        runner: opened.runner(&args.lookup, &zone, output)?,
        plugin: &opened.plugin.name,
        function,
        call,
        clock: Clock::new(at, Arc::new(zone)),
    };
    let table = match function.kind {
        PluginKind::Aggregator => asked.aggregate(&file)?,
        PluginKind::Planner => asked.plan(&file)?,
        _ => asked.values(&file, output)?,
    };
    output.table(&table, false)
}

/// A call, and who answers it.
struct Asked<'a> {
    runner: Runner,
    plugin: &'a str,
    function: &'a PluginFunction,
    call: PluginCall,
    clock: Clock,
}

impl Asked<'_> {
    /// The file's columns as the function takes them.
    fn inputs(&self, file: &Csv) -> Result<Vec<ArrayRef>, Failure> {
        let zone = self.clock.zone();
        let input = |input: &tierd_rules::plugin::PluginInput| file.column(&input.name, input.accepts.given_as(), zone);
        self.function.inputs.iter().map(input).collect()
    }

    fn values(&self, file: &Csv, output: Output) -> Result<Table, Failure> {
        let given: Vec<Option<ArrayRef>> = self.inputs(file)?.into_iter().map(Some).collect();
        let column = |(index, input): (usize, &tierd_rules::plugin::PluginInput)| Expr {
            kind: ExprKind::Column(index),
            ty: input.accepts.given_as(),
            at: self.call.at.clone(),
        };
        let inputs = self.function.inputs.iter().enumerate().map(column).collect();
        let call = PluginCall { inputs, ..self.call.clone() };
        let (plugin, clock, ty) = (self.plugin, &self.clock, self.ty());
        let calling = Calling { plugins: &self.runner, plugin, call: &call, ty, clock };
        let found = calling.of_values(&given, file.rows.len()).map_err(failed)?;
        if let Some(summary) = &found.summary {
            output.remark(&format!("fitted: {}", serde_json::Value::Object(summary.clone())));
        }
        let mut table = Table::new(file.header.iter().map(String::as_str).chain([&*self.function.name]));
        for (row, cells) in file.rows.iter().enumerate() {
            let value = Cell::value(value_at(&found.column, ty, row).as_ref());
            table.push(cells.iter().map(|cell| Cell::text(cell.as_str())).chain([value]).collect());
        }
        Ok(table)
    }

    fn aggregate(&self, file: &Csv) -> Result<Table, Failure> {
        let subjects = file.cells(SUBJECT)?;
        let times = file.column(TIME, Type::Timestamp, self.clock.zone())?;
        let time = |row: usize| match value_at(&times, Type::Timestamp, row) {
            Some(Value::Timestamp(at)) => Some(at.0),
            _ => None,
        };
        let mut by_subject: BTreeMap<&str, Vec<(i64, u32)>> = BTreeMap::new();
        for (row, subject) in subjects.iter().enumerate() {
            let at = time(row).ok_or_else(|| file.bad(TIME, row, Type::Timestamp))?;
            by_subject.entry(subject.as_str()).or_default().push((at, row as u32));
        }
        by_subject.values_mut().for_each(|rows| rows.sort_unstable());
        let order: UInt32Array = by_subject.values().flatten().map(|(_, row)| *row).collect();
        let inputs = self.inputs(file)?;
        let inputs = inputs.iter().map(|input| arrow_select::take::take(input, &order, None));
        let facts = SubjectFacts {
            rows_of: by_subject.values().map(|rows| rows.len() as u32).collect(),
            times: by_subject.values().flatten().map(|(at, _)| *at).collect(),
            inputs: inputs.collect::<Result<_, _>>().map_err(|error| Failure::new(Code::Failed, error))?,
        };
        let column = self.runner.aggregate(&self.call, &facts, &self.clock).map_err(failed)?;
        let mut table = Table::new([SUBJECT, &self.function.name]);
        for (row, subject) in by_subject.keys().enumerate() {
            table.push(vec![Cell::text(*subject), Cell::value(value_at(&column, self.ty(), row).as_ref())]);
        }
        Ok(table)
    }

    fn plan(&self, file: &Csv) -> Result<Table, Failure> {
        let inputs = self.inputs(file)?;
        let proposals = self.runner.plan(&self.call, &inputs, file.rows.len(), &self.clock).map_err(failed)?;
        let mut table = Table::new(["row", "action", "what", "owner", "channel", "due_days", "details"]);
        proposals.iter().for_each(|proposal| table.push(proposed(proposal)));
        Ok(table)
    }

    fn ty(&self) -> Type {
        // Planners, which have none, give no values.
        self.function.metric_type().unwrap_or(Type::Text)
    }
}

fn failed(failure: tierd_eval::plugin::PluginFailure) -> Failure {
    Failure::new(Code::Failed, format!("{failure} ({})", failure.reason))
}

/// Rows are counted from 1, as in the file without its header.
fn proposed(proposal: &Proposal) -> Vec<Cell> {
    let row = Cell::number(proposal.row + 1);
    match &proposal.action {
        ProposedAction::Task { title, owner, channel, text, due_days } => vec![
            row,
            Cell::text("task"),
            Cell::text(title),
            Cell::optional(owner.as_deref()),
            Cell::optional(channel.as_deref()),
            due_days.map_or(Cell::Null, Cell::number),
            Cell::optional(text.as_deref()),
        ],
        ProposedAction::Event { name, data } => {
            let json = serde_json::Value::Object(data.clone());
            let data = Cell::Data { text: json.to_string(), json };
            vec![row, Cell::text("event"), Cell::text(name), Cell::Null, Cell::Null, Cell::Null, data]
        }
    }
}
