/// Where the JSON Schemas stand in a folder that tierd made, beside `tierd.toml`.
const SCHEMA_FOLDER: &str = ".tierd/";

/// `tierd.toml` and the rule files of the demo: path relative to the demo's folder, and text.
///
/// The first line of each names its schema in this repository; in the demo's folder the schemas are elsewhere.
pub(crate) fn files() -> Vec<(&'static str, String)> {
    [
        ("tierd.toml", include_str!("../../../../examples/shop/tierd.toml")),
        ("rules/value.toml", include_str!("../../../../examples/shop/rules/value.toml")),
        ("rules/rfm.toml", include_str!("../../../../examples/shop/rules/rfm.toml")),
    ]
    .map(|(path, text)| (path, with_local_schema(path, text)))
    .into()
}

/// `text` with its `#:schema` line pointing to [`SCHEMA_FOLDER`], as seen from `path`.
fn with_local_schema(path: &str, text: &str) -> String {
    let Some((first, rest)) = text.split_once('\n') else { return text.to_owned() };
    match first.strip_prefix("#:schema ").and_then(|schema| schema.rsplit('/').next()) {
        Some(schema) => {
            let up = "../".repeat(path.matches('/').count());
            format!("#:schema {up}{SCHEMA_FOLDER}{schema}\n{rest}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_lines_point_into_the_demo_folder() {
        let first = |path: &str| {
            let (_, text) = files().into_iter().find(|(p, _)| *p == path).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(first("tierd.toml"), "#:schema .tierd/tierd.schema.json");
        assert_eq!(first("rules/value.toml"), "#:schema ../.tierd/rules.schema.json");
        assert_eq!(first("rules/rfm.toml"), "#:schema ../.tierd/rules.schema.json");
    }

    #[test]
    fn the_rest_of_a_file_is_untouched() {
        assert_eq!(
            with_local_schema("a.toml", "#:schema x/y.json\n# one\ntwo = 2\n"),
            "#:schema .tierd/y.json\n# one\ntwo = 2\n"
        );
        assert_eq!(with_local_schema("a.toml", "two = 2\n"), "two = 2\n");
    }
}
