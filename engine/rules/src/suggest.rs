//! Near misses: the known name that someone probably meant.

/// The candidate nearest to `name`, if it is near enough to be a slip of the finger; the earlier one among equals.
///
/// "Near" is at most a third of the name's characters changed, swapped, added or left out, or a difference of case only.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let mut most = wanted.len().div_ceil(3).min(3);
    if wanted.len() > 64 {
        return None;
    }
    let mut best = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        if other.len().abs_diff(wanted.len()) > most {
            continue;
        }
        let distance = distance(&wanted, &other);
        if distance < most || (distance == most && best.is_none() && distance < wanted.len().max(other.len())) {
            (most, best) = (distance, Some(candidate));
        }
    }
    best
}

/// Edits from `a` to `b`, neighbours swapped counting as one ("optimal string alignment").
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut least = (above[j] + usize::from(x != y)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["annual_spend", "monthly_contacts", "status", "年消费"];
        for (wrong, expected) in [
            ("anual_spend", Some("annual_spend")),
            ("annual_sepnd", Some("annual_spend")),
            ("Status", Some("status")),
            ("年消废", Some("年消费")),
            ("points", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
    }
}
