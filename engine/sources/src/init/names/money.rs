//! Names of amounts.

use super::{is_part, listed, listed_in, words};

/// Units and currencies at the end of an amount's name.
const UNITS: &str =
    "usd eur cny rmb gbp jpy hkd yuan dollar dollars euro euros cents cent minor fen pence pennies 分 元";
const MINOR_UNITS: &str = "cents cent minor fen pence pennies 分";

/// Names of money, and how surely they mean all that a customer paid in one deal.
const MONEY: [(u8, &str); 8] = [
    (9, "paid grand 实付"),
    (8, "total 总额 总价"),
    (7, "amount amt 金额"),
    (6, "revenue turnover sales spend spent gmv payment 消费额"),
    (5, "subtotal sum net gross"),
    (4, "value charge 费用 款"),
    (UNIT_PRICE, "price 价格 单价"),
    (1, "fee cost balance freight tax 余额 税额 运费"),
];
/// The rank of a price of one piece.
const UNIT_PRICE: u8 = 3;
/// With one of these it isn't what a customer paid.
const NO_SPEND: &str = "tax vat discount shipping freight fee balance credit cost refund coupon tip deposit limit 优惠 折扣 运费 税 \
     余额 退款 成本 积分 额度 定金";

/// How well a name stands for what a customer paid in one deal: `None` for no money at all, 0 for money that isn't that
/// (tax, fees, balances), then the larger the better.
pub(in super::super) fn money_rank(column: &str) -> Option<u8> {
    let mut words = words(column);
    while words.len() > 1 && words.last().is_some_and(|word| listed(UNITS, word) || word == "in") {
        words.pop();
    }
    let rank = |word: &String| MONEY.iter().find(|(_, names)| listed_in(names, word)).map(|(rank, _)| *rank);
    // `total_items` counts items: the last word says what it is.
    rank(words.last()?)?;
    if words.iter().any(|word| listed_in(NO_SPEND, word)) {
        return Some(0);
    }
    words.iter().filter_map(rank).max()
}

/// The price of one piece rather than of a deal.
pub(in super::super) fn is_unit_price(column: &str) -> bool {
    money_rank(column) == Some(UNIT_PRICE)
}

/// Counts the smallest unit of money: `amount_cents`, `price_fen`, `金额_分`.
pub(in super::super) fn is_minor_unit(column: &str) -> bool {
    let words = words(column);
    let Some(last) = words.last() else { return false };
    // 积分 and 评分 are points and marks, not money.
    let fen = ["金额分", "价分", "费分"].iter().any(|end| is_part(last, end));
    (words.len() > 1 && listed(MINOR_UNITS, last)) || fen
}

/// The name of an amount in whole units: `amount_cents` → `amount`.
pub(in super::super) fn without_unit(column: &str) -> Option<&str> {
    let at = column.rfind(['_', ' ', '-']).or_else(|| column.rfind(char::is_uppercase))?;
    let (head, tail) = column.split_at(at);
    let unit = tail.trim_start_matches(['_', ' ', '-']).to_lowercase();
    if head.is_empty() || !listed(UNITS, &unit) {
        return None;
    }
    // `amount_in_cents`
    Some(head.strip_suffix("_in").or_else(|| head.strip_suffix("In")).unwrap_or(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_that_a_customer_paid_ranks_above_other_money() {
        for (column, expected) in [
            ("paid_amount", Some(9)),
            ("totalAmount", Some(8)),
            ("total_usd", Some(8)),
            ("totalamount", Some(7)),
            ("amount_in_cents", Some(7)),
            ("unit_price", Some(3)),
            ("tax_amount", Some(0)),
            ("shipping_fee", Some(0)),
            ("Freight", Some(0)),
            ("订单金额", Some(7)),
            ("实付金额", Some(9)),
            ("优惠金额", Some(0)),
            ("quantity", None),
            ("total_items", None),
            ("name", None),
        ] {
            assert_eq!(money_rank(column), expected, "{column}");
        }
    }

    #[test]
    fn minor_units_are_named() {
        for yes in ["amount_cents", "priceFen", "total_minor", "金额_分", "订单金额分"] {
            assert!(is_minor_unit(yes), "{yes}");
        }
        for no in ["amount", "积分", "cents", "recent", "评分"] {
            assert!(!is_minor_unit(no), "{no}");
        }
        assert_eq!(without_unit("amount_cents"), Some("amount"));
        assert_eq!(without_unit("amount_in_cents"), Some("amount"));
        assert_eq!(without_unit("priceFen"), Some("price"));
        assert_eq!(without_unit("amount"), None);
    }
}
