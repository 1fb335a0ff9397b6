//! Names of tables.

use super::{listed, singular, words};

/// Words around the noun of a table's name that say nothing: `tbl_customer_master`, `客户信息表`.
const FRAMES: &str = "tbl t tb dim fact fct stg v vw view app sys crm my master info list data table all base profile";
const ENDINGS_ZH: [&str; 8] = ["信息", "资料", "记录", "明细", "主", "档案", "列", "表"];

/// Who is graded.
const SUBJECTS: &str =
    "customer client member subscriber guest patient buyer shopper kunde cliente 客户 客戶 顾客 会员";
/// Who may be graded, or be staff, logins or suppliers.
const UNSURE_SUBJECTS: &str = "account user company person people 用户 账户 公司";
/// What rows refer to and that is not graded.
const THINGS: &str = "product item sku article category brand order invoice payment store shop branch staff employee supplier \
     vendor city country region currency warehouse role tag coupon campaign setting session ticket room track album 商品 产品 \
     订单 门店 员工 供应商 分类 类目 城市 地区 优惠券";
/// What customers are first graded by.
const DEALS: &str = "order purchase sale transaction trans payment invoice booking receipt reservation checkout trade";
const DEALS_ZH: [&str; 8] = ["订单", "交易", "消费", "购买", "销售", "支付", "账单", "流水"];

/// The words of a table's name without frames: `tblOrders` → `orders`, `订单表` → `订单`.
pub(in super::super) fn plain(table: &str) -> Vec<String> {
    let all = words(table);
    let kept: Vec<String> = all.iter().filter(|word| !listed(FRAMES, word)).map(|word| bare(word).to_owned()).collect();
    if kept.is_empty() { all } else { kept }
}

/// What a table is about: its words without frames, in the singular. `tblCustomers` → `customer`, `客户信息表` → `客户`.
pub(in super::super) fn noun(table: &str) -> Vec<String> {
    plain(table).iter().map(|word| singular(word)).collect()
}

/// A Chinese word without its frames.
fn bare(word: &str) -> &str {
    let mut word = word;
    while let Some(shorter) = ENDINGS_ZH.iter().find_map(|ending| word.strip_suffix(ending)).filter(|s| !s.is_empty()) {
        word = shorter;
    }
    word
}

/// How surely a table of this noun holds who is graded: 60, 45, or 0.
pub(in super::super) fn subject_score(noun: &[String]) -> i32 {
    // `customer_order` is about orders: the last word counts.
    match noun.last() {
        Some(last) if listed(SUBJECTS, last) => 60,
        Some(last) if listed(UNSURE_SUBJECTS, last) => 45,
        _ => 0,
    }
}

/// Whether it holds something that others refer to and that is not graded.
pub(in super::super) fn is_thing(noun: &[String]) -> bool {
    noun.last().is_some_and(|last| listed(THINGS, last))
}

/// Whether it holds deals.
pub(in super::super) fn is_deal(noun: &[String]) -> bool {
    noun.iter().any(|word| listed(DEALS, word) || DEALS_ZH.iter().any(|deal| word.contains(deal)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_lose_frames_and_plurals() {
        for (table, expected) in [
            ("customers", "customer"),
            ("tblCustomers", "customer"),
            ("crm_customer_master", "customer"),
            ("customer_orders", "customer order"),
            ("客户信息表", "客户"),
            ("t_会员", "会员"),
            ("表", "表"),
            ("data", "data"),
        ] {
            assert_eq!(noun(table).join(" "), expected, "{table}");
        }
        assert_eq!(plain("tblOrders").join(" "), "orders");
    }

    #[test]
    fn the_last_word_says_what_a_table_holds() {
        assert_eq!(subject_score(&noun("crm_customers")), 60);
        assert_eq!(subject_score(&noun("users")), 45);
        assert_eq!(subject_score(&noun("customer_orders")), 0);
        assert!(is_thing(&noun("customer_orders")) && is_deal(&noun("customer_orders")));
        assert!(is_deal(&noun("历史订单表")));
    }
}
