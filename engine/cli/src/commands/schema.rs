use crate::{
    args::{SchemaArgs, SchemaKind},
    exit::Failure,
    output::Output,
};

/// Prints the JSON Schema of one kind of file.
pub(crate) fn schema(args: &SchemaArgs, output: Output) -> Result<(), Failure> {
    output.json(&match args.kind {
        SchemaKind::Config => tierd_rules::config_schema(),
        SchemaKind::Rules => tierd_rules::rules_schema(),
    })
}
