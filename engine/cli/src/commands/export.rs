//! `tierd export`: the decision table.

use std::{
    collections::HashSet,
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use arrow_array::ArrayRef;
use serde_json::{Map, Value as Json};
use tierd_daemon::{
    evaluate::{Evaluation, Evaluator, SetResult},
    run::evaluate_with_held,
};
use tierd_eval::columns::value_at;
use tierd_ledger::{KeyRef, Reader};
use tierd_model::{CalendarSpan, Clock, Date, Timestamp, Type, Value};
use tierd_rules::{Level, MetricId, TierSet};

use crate::{
    args::{ExportArgs, Format},
    commands::levels::last_run,
    exit::{Code, Failure},
    mask::mask,
    output::{Cell, Output, Table, write_stdout},
    progress::Progress,
    reading,
    session::Session,
};
