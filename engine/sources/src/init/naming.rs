//! Names in rules for tables and columns: their own where rules can use them.

use tierd_rules::is_usable_name;

use super::names;

/// The name of a table's facts, or of a subject: letters of any script, digits and `_`.
pub(super) fn table_name(name: &str, taken: &[String]) -> String {
    let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let name = match name.trim_matches('_') {
        "" => "rows".to_owned(),
        name => name.to_owned(),
    };
    free(name, taken)
}

/// The name of a column: an amount in minor units is named without them, since rules see whole units; a word of SQL gets
/// the noun of its table before it.
pub(super) fn column_name(column: &str, minor_units: bool, noun: &[String], taken: &[String]) -> String {
    let whole = names::without_unit(column).filter(|whole| minor_units && !taken.iter().any(|t| t == whole));
    let name = whole.unwrap_or(column);
    if is_usable_name(name) {
        return free(name.to_owned(), taken);
    }
    let spelled: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let candidates = [spelled.clone(), format!("{}_{spelled}", noun.join("_")), format!("column_{spelled}")];
    let usable = candidates.into_iter().find(|name| is_usable_name(name));
    free(usable.unwrap_or_else(|| "column_".to_owned()), taken)
}

/// `name`, or with a number after it where it is taken.
fn free(name: String, taken: &[String]) -> String {
    if !taken.contains(&name) {
        return name;
    }
    let numbered = (2..).map(|n| format!("{name}_{n}")).find(|name| !taken.contains(name));
    numbered.unwrap_or(name)
}
