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
        SchemaKind::Tests => tierd_rules::tests_schema(),
    })
}

/// The schemas as files beside a `tierd.toml`, where its first line looks for them: path and text.
pub(crate) fn beside_config() -> [(&'static str, String); 3] {
    [
        (".tierd/tierd.schema.json", format!("{:#}\n", tierd_rules::config_schema())),
        (".tierd/rules.schema.json", format!("{:#}\n", tierd_rules::rules_schema())),
        (".tierd/tests.schema.json", format!("{:#}\n", tierd_rules::tests_schema())),
    ]
}
