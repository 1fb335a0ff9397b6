//! Personal values leave tierd masked, or not at all.

/// The first character and a star: `王小明` → `王*`, an empty text stays empty.
///
/// The number of characters isn't shown, and combining marks after the first character are dropped with the rest.
pub(crate) fn mask(text: &str) -> String {
    match text.trim_start().chars().next() {
        Some(first) => format!("{first}*"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn only_the_first_character_is_shown() {
        assert_eq!(mask("王小明"), "王*");
        assert_eq!(mask("Ada Lovelace"), "A*");
        assert_eq!(mask("  x"), "x*");
        assert_eq!(mask(""), "");
    }
}
