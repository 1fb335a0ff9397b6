//! Names of columns.

use super::{listed, listed_in, singular, words};

const ID_WORDS: &str = "id ids no num nr number key code ref fk pk sk uuid guid 编号 号 号码 代码 码 编码 卡号 标识";
/// Short forms that columns use for those who are graded.
const SHORT_FORMS: [(&str, &str); 7] = [
    ("customer", "cust cst"),
    ("client", "cli clt"),
    ("member", "mem mbr vip"),
    ("subscriber", "sub"),
    ("account", "acct acc"),
    ("user", "uid usr u"),
    ("company", "comp"),
];
const TIMES: &str = "date time datetime timestamp ts at on day when dt created updated modified joined since birthday dob epoch \
     registered opened started signed placed ordered purchased booked sold visited 日期 时间 生日";
const TIME_UNITS: &str = "unix ms utc sec millis";
const EVENTS: &str = "ordered order purchase purchased paid payment placed transaction sale sold booked booking visit visited \
     contacted called occurred happened event invoice 下单 支付 交易 购买 消费 联系";
const LATER: &str = "updated update modified deleted synced shipped ship delivered delivery due expires expired expiry birth \
     birthday cancelled canceled refunded end ends valid closed resolved returned required 更新 修改 删除 发货 到期 生日 结束";
const FLAGS: &str = "active enabled disabled deleted verified subscribed newsletter optin flag blocked closed vip test returning \
     consent subscribe";
const KINDS: &str = "status state channel type kind category source level tier 状态 渠道 类型 等级";
const PERSONAL: &str = "phone mobile tel telephone cell fax email mail address street birthday birth birthdate dob ssn passport \
     wechat weixin openid whatsapp iban ip firstname lastname fullname surname nickname username note notes comment comments remark \
     remarks message 姓名 手机 电话 邮箱 地址 生日 身份证 微信 备注";
const OF_PEOPLE: &str = "first last full nick middle family given user customer contact recipient receiver holder";
const OF_THINGS: &str = "product item company store 商品 产品 门店";
const GOOD_STATES: &str = "paid complete completed done success succeeded successful settled delivered shipped fulfilled captured \
     finished ok 已支付 已付款 支付成功 已完成 完成 成功 交易成功 已签收 已发货 已收货";
const BAD_STATES: &str = "cancelled canceled cancel refunded refund void voided failed failure pending returned rejected unpaid \
     draft expired declined chargeback error 已取消 取消 已退款 退款 未付款 待付款 待支付 未支付 已关闭 交易关闭 失败 作废";

/// Names something rather than measures it: `customer_id`, `orderNo`, `会员号`.
pub(in super::super) fn is_identifier(column: &str) -> bool {
    let words = words(column);
    let last = words.last().map_or("", String::as_str);
    listed(ID_WORDS, last) || ["编号", "号码", "卡号", "代码"].iter().any(|end| last.ends_with(end))
}

/// A key's name that says nothing of whose key it is.
pub(in super::super) fn is_generic_key(column: &str) -> bool {
    words(column).iter().all(|word| listed(ID_WORDS, word) || word == "row")
}

/// How well a column's name says that it refers to a table of this noun: 0 not at all, 1 with words before it
/// (`billing_customer_id`), 2 plainly (`customer_id`, `custNo`, `客户编号`, `customer`).
pub(in super::super) fn refers_to(column: &str, noun: &[String]) -> u8 {
    let names = names_of(noun);
    let whole = without_id_words(column);
    // Names whose words are not parted: `customerid`, `CUSTID`.
    let glued = words(column).concat();
    let ends = ["id", "no", "key", "code", "编号", "号", "代码", "卡号"];
    let is_glued = |name: &String| ends.iter().any(|end| glued.strip_suffix(end) == Some(name));
    if names.iter().any(|name| whole == *name || is_glued(name)) {
        return 2;
    }
    u8::from(names.first().is_some_and(|noun| whole.len() > noun.len() && whole.ends_with(noun)))
}

/// The noun itself, glued, then its last word and the short forms of that.
fn names_of(noun: &[String]) -> Vec<String> {
    let last = noun.last().cloned().unwrap_or_default();
    let short = SHORT_FORMS.iter().find(|(name, _)| *name == last).map_or("", |(_, short)| short);
    let short = short.split_whitespace().map(str::to_owned);
    [noun.concat(), last].into_iter().chain(short).collect()
}

/// The column's name without id words at either end, glued.
fn without_id_words(column: &str) -> String {
    let words = words(column);
    let is_id = |word: &&String| listed(ID_WORDS, word);
    let from = words.iter().take_while(is_id).count();
    let to = words.len() - words[from..].iter().rev().take_while(is_id).count();
    words[from..to].iter().map(|word| singular(word)).collect()
}

/// Counts pieces: `quantity`, `qty`, `数量`.
pub(in super::super) fn is_quantity(column: &str) -> bool {
    words(column).last().is_some_and(|last| listed("quantity qty units pieces 数量 件数", last))
}

/// Holds the state of a deal.
pub(in super::super) fn is_status(column: &str) -> bool {
    words(column).last().is_some_and(|last| listed("status state", last) || last.ends_with("状态"))
}

/// Holds one of a few kinds.
pub(in super::super) fn is_category(column: &str) -> bool {
    words(column).last().is_some_and(|last| listed_in(KINDS, last))
}

/// A state in which the deal counts, a state in which it doesn't, or neither.
pub(in super::super) fn status_counts(value: &str) -> Option<bool> {
    let value = value.trim().to_lowercase();
    if listed(GOOD_STATES, &value) {
        return Some(true);
    }
    listed(BAD_STATES, &value).then_some(false)
}

/// Says that its values are days or times.
pub(in super::super) fn is_time(column: &str) -> bool {
    let words = words(column);
    // `created_unix`, `ts_ms`: the unit stands last.
    let Some(last) = words.iter().rfind(|word| !listed(TIME_UNITS, word)) else { return false };
    let ends = ["date", "time", "timestamp", "日期", "时间", "日"];
    listed(TIMES, last) || (last != "update" && ends.iter().any(|end| last.ends_with(end)))
}

/// How well a time says when something happened: the larger the better, negative for what comes later.
pub(in super::super) fn event_rank(column: &str, noun: &[String]) -> i32 {
    let words = words(column);
    if words.iter().any(|word| listed_in(LATER, word)) {
        return -20;
    }
    let event = words.iter().any(|word| listed_in(EVENTS, word));
    let own =
        noun.iter().any(|noun| words.iter().any(|w| w == noun || (!noun.is_ascii() && w.contains(noun.as_str()))));
    10 * i32::from(event) + 5 * i32::from(own)
}

/// A yes or a no: `is_active`, `newsletter_opt_in`, `enabled`.
pub(in super::super) fn is_flag(column: &str) -> bool {
    let words = words(column);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let asks = listed("is has can accepts opted", first) && words.len() > 1;
    let opt_in = words.ends_with(&["opt".to_owned(), "in".to_owned()]);
    asks || opt_in || listed(FLAGS, last) || first.starts_with('是')
}

/// Holds personal data. A plain `name` does in the table of the people themselves.
pub(in super::super) fn is_personal(column: &str, of_people: bool) -> bool {
    let words = words(column);
    let has = |list: &str| words.iter().any(|w| listed(list, w) || (!w.is_ascii() && listed_in(list, w)));
    let named = words.last().is_some_and(|last| listed("name 名 名称 昵称 姓", last));
    has(PERSONAL) || (named && !has(OF_THINGS) && (of_people || has(OF_PEOPLE)))
}

#[cfg(test)]
mod tests {
    use super::super::noun;
    use super::*;

    #[test]
    fn references_are_known_by_name() {
        let customer = noun("customers");
        for (column, expected) in [
            ("customer_id", 2),
            ("CustomerId", 2),
            ("customerid", 2),
            ("CUST_NO", 2),
            ("custid", 2),
            ("customer", 2),
            ("fk_customer", 2),
            ("billing_customer_id", 1),
            ("product_id", 0),
            ("id", 0),
            ("customer_name", 0),
        ] {
            assert_eq!(refers_to(column, &customer), expected, "{column}");
        }
        assert_eq!(refers_to("客户编号", &noun("客户表")), 2);
        assert_eq!(refers_to("uid", &noun("users")), 2);
    }

    #[test]
    fn times_and_events() {
        for yes in [
            "ordered_at",
            "orderDate",
            "created",
            "ts",
            "下单时间",
            "created_unix",
            "Order Date",
            "purchasedate",
            "joined_on",
        ] {
            assert!(is_time(yes), "{yes}");
        }
        for no in ["update", "amount", "status", "city", "unix"] {
            assert!(!is_time(no), "{no}");
        }
        let order = noun("orders");
        assert!(event_rank("ordered_at", &order) > event_rank("created_at", &order));
        assert!(event_rank("created_at", &order) > event_rank("updated_at", &order));
    }

    #[test]
    fn personal_columns() {
        for (column, of_people, expected) in [
            ("name", true, true),
            ("name", false, false),
            ("customer_name", false, true),
            ("product_name", true, false),
            ("emailAddress", false, true),
            ("手机号", false, true),
            ("city", true, false),
            ("会员姓名", false, true),
        ] {
            assert_eq!(is_personal(column, of_people), expected, "{column}");
        }
    }

    #[test]
    fn flags_and_kinds() {
        for yes in ["is_active", "newsletterOptIn", "enabled", "是否会员"] {
            assert!(is_flag(yes), "{yes}");
        }
        assert!(!is_flag("is") && !is_flag("points"));
        assert!(is_category("contact_type") && is_category("会员等级") && !is_category("city"));
        assert_eq!(
            [status_counts("Paid"), status_counts("已取消"), status_counts("confirmed")],
            [Some(true), Some(false), None]
        );
    }
}
