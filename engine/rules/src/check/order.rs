//! The order in which metrics can be computed: each after those that it is made of.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
};

/// An order of `0..uses.len()` in which each comes after what it uses, otherwise as written; and the cycles among the rest,
/// each from its smallest member on. What uses a cycle is in neither.
pub(super) fn order(uses: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut users = vec![vec![]; uses.len()];
    let mut waiting_for: Vec<usize> = uses.iter().map(Vec::len).collect();
    for (user, used) in uses.iter().enumerate() {
        used.iter().for_each(|&used| users[used].push(user));
    }
    let mut ready: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
    ready.extend((0..uses.len()).filter(|&i| waiting_for[i] == 0).map(Reverse));
    let mut sorted = vec![];
    while let Some(Reverse(next)) = ready.pop() {
        sorted.push(next);
        for &user in &users[next] {
            waiting_for[user] -= 1;
            if waiting_for[user] == 0 {
                ready.push(Reverse(user));
            }
        }
    }
    let stuck: Vec<bool> = waiting_for.iter().map(|&count| count > 0).collect();
    (sorted, cycles(uses, &stuck))
}

/// Cycles among what is stuck: everything stuck uses something stuck, so that following the first one ends in a cycle.
fn cycles(uses: &[Vec<usize>], stuck: &[bool]) -> Vec<Vec<usize>> {
    let mut found = vec![];
    let mut seen = HashSet::new();
    for start in (0..uses.len()).filter(|&i| stuck[i]) {
        let mut path: Vec<usize> = vec![];
        let mut at = start;
        while seen.insert(at) {
            path.push(at);
            let Some(&next) = uses[at].iter().find(|&&used| stuck[used]) else {
                break;
            };
            at = next;
        }
        if let Some(begin) = path.iter().position(|&member| member == at) {
            let mut cycle = path.split_off(begin);
            let smallest = cycle.iter().enumerate().min_by_key(|(_, member)| **member).map_or(0, |(i, _)| i);
            cycle.rotate_left(smallest);
            found.push(cycle);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_comes_first() {
        let (sorted, cycles) = order(&[vec![2], vec![], vec![1], vec![0, 1]]);
        assert_eq!((sorted, cycles), (vec![1, 2, 0, 3], vec![]));
    }

    #[test]
    fn each_cycle_is_found_once() {
        // 0 → 1 → 2 → 0, 3 uses the cycle, 4 uses itself, 5 is free.
        let (sorted, cycles) = order(&[vec![1], vec![2], vec![0], vec![0], vec![4], vec![]]);
        assert_eq!((sorted, cycles), (vec![5], vec![vec![0, 1, 2], vec![4]]));
    }

    #[test]
    fn long_chains_need_no_stack() {
        let uses: Vec<_> = (0..200_000).map(|i| if i == 0 { vec![] } else { vec![i - 1] }).collect();
        assert_eq!(order(&uses).0.len(), uses.len());
    }
}
