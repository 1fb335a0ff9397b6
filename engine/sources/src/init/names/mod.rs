//! What a table or column is called, and what that says. English and Chinese words; other languages fall back on keys and values.

mod columns;
mod money;
mod tables;

pub(super) use columns::{
    event_rank, is_category, is_flag, is_generic_key, is_identifier, is_personal, is_quantity, is_status, is_time,
    refers_to, status_counts,
};
pub(super) use money::{is_minor_unit, is_unit_price, money_rank, without_unit};
pub(super) use tables::{is_deal, is_thing, noun, plain, subject_score};

/// The words of a name in lower case: `tblCustomerOrders`, `customer_orders` and `Customer Orders` are alike. A run of Chinese
/// is one word.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (i, &c) in chars.iter().enumerate() {
        if i > 0 && begins_word(chars[i - 1], c, chars.get(i + 1).copied()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphabetic()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn begins_word(before: char, c: char, after: Option<char>) -> bool {
    let capital = c.is_uppercase() && (!before.is_uppercase() || after.is_some_and(char::is_lowercase));
    !c.is_alphabetic() || !before.is_alphabetic() || capital || before.is_ascii() != c.is_ascii()
}

/// `orders` → `order`, `companies` → `company`, `addresses` → `address`.
fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    match word.strip_suffix('s') {
        // Short for transactions.
        Some("tran") => word.to_owned(),
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && stem.len() > 1 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// Whether `word` is one of the words of `list`, which blanks part.
fn listed(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// As [`listed`], or holds one of them: in Chinese anywhere, in English at the end of an unparted name (`totalamount`).
fn listed_in(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|part| word == part || is_part(word, part))
}

fn is_part(word: &str, part: &str) -> bool {
    if part.is_ascii() { part.len() >= 5 && word.ends_with(part) } else { word.contains(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for (name, expected) in [
            ("customer_id", "customer id"),
            ("CustomerID", "customer id"),
            ("orderDateUTC", "order date utc"),
            ("HTTPServer", "http server"),
            ("Order Date", "order date"),
            ("address2", "address"),
            ("客户ID", "客户 id"),
            ("", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn plurals_lose_their_ending() {
        for (word, expected) in [
            ("orders", "order"),
            ("companies", "company"),
            ("addresses", "address"),
            ("status", "status"),
            ("boxes", "box"),
            ("address", "address"),
            ("s", "s"),
        ] {
            assert_eq!(singular(word), expected);
        }
    }
}
