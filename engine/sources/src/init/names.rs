//! What a table or column is called, and what that says. English and Chinese words; other languages fall back on keys and values.

/// The words of a name in lower case: `tblCustomerOrders`, `customer_orders` and `Customer Orders` are alike. A run of Chinese
/// is one word.
pub(super) fn words(name: &str) -> Vec<String> {
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
pub(super) fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && stem.len() > 1 => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// Words around the noun of a table's name that say nothing: `tbl_customer_master`, `dim_客户信息表`.
const TABLE_FRAMES: [&str; 22] = [
    "tbl", "t", "tb", "dim", "fact", "fct", "stg", "v", "vw", "view", "app", "sys", "crm", "my", "master", "info",
    "list", "data", "table", "all", "base", "profile",
];
const TABLE_FRAMES_ZH: [&str; 8] = ["信息", "资料", "记录", "明细", "主", "档案", "列", "表"];

/// What a table is about: its words without frames, in the singular. `tblCustomers` → `customer`, `客户信息表` → `客户`.
pub(super) fn noun(table: &str) -> Vec<String> {
    let all = words(table);
    let kept: Vec<String> =
        all.iter().filter(|w| !TABLE_FRAMES.contains(&w.as_str())).map(|w| singular(&bare(w))).collect();
    if kept.is_empty() { all } else { kept }
}

/// A Chinese word without its frames.
fn bare(word: &str) -> String {
    let mut word = word;
    while let Some(shorter) = TABLE_FRAMES_ZH.iter().find_map(|frame| word.strip_suffix(frame)) {
        if shorter.is_empty() {
            break;
        }
        word = shorter;
    }
    word.to_owned()
}

/// People and firms that are graded, with the short forms that columns use for them.
const SUBJECTS: [(&str, &[&str]); 20] = [
    ("customer", &["cust", "cst"]),
    ("client", &["cli", "clt"]),
    ("member", &["mem", "mbr", "vip"]),
    ("客户", &[]),
    ("客戶", &[]),
    ("顾客", &[]),
    ("会员", &["会员卡"]),
    ("subscriber", &["sub"]),
    ("guest", &[]),
    ("patient", &[]),
    ("buyer", &[]),
    ("shopper", &[]),
    ("kunde", &["kunden", "kd"]),
    ("cliente", &["cli"]),
    ("account", &["acct", "acc"]),
    ("user", &["uid", "usr", "u"]),
    ("用户", &[]),
    ("账户", &[]),
    ("company", &["comp"]),
    ("person", &["people"]),
];
/// From here on, [`SUBJECTS`] may as well be staff, logins or suppliers.
const UNSURE_FROM: usize = 14;

/// How surely a table of this noun holds who is graded: 60, 45, or 0.
pub(super) fn subject_score(noun: &[String]) -> i32 {
    // `customer_order` is about orders: the last word counts.
    let last = noun.last().map_or("", String::as_str);
    match SUBJECTS.iter().position(|(name, short)| *name == last || (*name == "person" && short.contains(&last))) {
        Some(at) if at < UNSURE_FROM => 60,
        Some(_) => 45,
        None => 0,
    }
}

/// Things that rows refer to and that are not graded.
pub(super) fn is_thing(noun: &[String]) -> bool {
    const THINGS: [&str; 42] = [
        "product",
        "item",
        "sku",
        "article",
        "category",
        "brand",
        "order",
        "invoice",
        "payment",
        "store",
        "shop",
        "branch",
        "staff",
        "employee",
        "supplier",
        "vendor",
        "city",
        "country",
        "region",
        "currency",
        "warehouse",
        "role",
        "tag",
        "coupon",
        "campaign",
        "setting",
        "session",
        "ticket",
        "room",
        "track",
        "album",
        "商品",
        "产品",
        "订单",
        "门店",
        "员工",
        "供应商",
        "分类",
        "类目",
        "城市",
        "地区",
        "优惠券",
    ];
    noun.last().is_some_and(|last| THINGS.contains(&last.as_str()))
}

/// Deals: what customers are first graded by.
pub(super) fn is_deal(noun: &[String]) -> bool {
    const DEALS: [&str; 20] = [
        "order",
        "purchase",
        "sale",
        "transaction",
        "trans",
        "payment",
        "invoice",
        "booking",
        "receipt",
        "reservation",
        "checkout",
        "trade",
        "订单",
        "交易",
        "消费",
        "购买",
        "销售",
        "支付",
        "账单",
        "流水",
    ];
    noun.iter().any(|word| DEALS.iter().any(|deal| word == deal || (!deal.is_ascii() && word.contains(deal))))
}

const ID_WORDS: [&str; 22] = [
    "id", "ids", "no", "num", "nr", "number", "key", "code", "ref", "fk", "pk", "sk", "uuid", "guid", "编号", "号",
    "号码", "代码", "码", "编码", "卡号", "标识",
];

/// Names something rather than measures it: `customer_id`, `orderNo`, `会员号`.
pub(super) fn is_identifier(column: &str) -> bool {
    let words = words(column);
    let last = words.last().map_or("", String::as_str);
    ID_WORDS.contains(&last)
        || (words.len() == 1 && ["编号", "号码", "卡号", "代码"].iter().any(|end| last.ends_with(end)))
}

/// A key's name that says nothing of whose key it is.
pub(super) fn is_generic_key(column: &str) -> bool {
    words(column).iter().all(|word| ID_WORDS.contains(&word.as_str()) || word == "row")
}

/// How well a column's name says that it refers to a table of this noun: 0 not at all, 1 with words before it
/// (`billing_customer_id`), 2 plainly (`customer_id`, `custNo`, `客户编号`, `customer`).
pub(super) fn refers_to(column: &str, noun: &[String]) -> u8 {
    let target = noun.concat();
    let whole = whole_name(column);
    if names_of(noun).any(|name| whole == name) {
        return 2;
    }
    // Names whose words are not parted: `customerid`, `CUSTID`.
    let glued = words(column).concat();
    let ends = ["id", "no", "key", "code", "编号", "号", "代码", "卡号"];
    if names_of(noun).any(|name| ends.iter().any(|end| glued == format!("{name}{end}"))) {
        return 2;
    }
    u8::from(whole.len() > target.len() && whole.ends_with(&target))
}

/// The noun itself, glued, and its short forms.
fn names_of(noun: &[String]) -> impl Iterator<Item = String> {
    let last = noun.last().cloned().unwrap_or_default();
    let short = SUBJECTS.iter().find(|(name, _)| *name == last).map_or(&[][..], |(_, short)| short);
    [noun.concat(), last].into_iter().chain(short.iter().map(|s| (*s).to_owned()))
}

/// The column's name without id words at either end, glued.
fn whole_name(column: &str) -> String {
    let words = words(column);
    let is_id = |word: &&String| ID_WORDS.contains(&word.as_str());
    let from = words.iter().take_while(is_id).count();
    let to = words.len() - words[from..].iter().rev().take_while(is_id).count();
    words[from..to].iter().map(|word| singular(word)).collect()
}

/// Units and currencies at the end of an amount's name.
const UNITS: [&str; 18] = [
    "usd", "eur", "cny", "rmb", "gbp", "jpy", "hkd", "yuan", "dollar", "dollars", "euro", "euros", "cents", "cent",
    "minor", "fen", "pence", "pennies",
];

/// Counts the smallest unit of money: `amount_cents`, `price_fen`, `金额_分`.
pub(super) fn is_minor_unit(column: &str) -> bool {
    let words = words(column);
    let last = words.last().map_or("", String::as_str);
    let fen = last == "分" || last.ends_with("金额分") || last.ends_with("价分") || last.ends_with("费分");
    words.len() > 1 && ["cents", "cent", "minor", "fen", "pence", "pennies"].contains(&last) || fen
}

/// The name of an amount in whole units: `amount_cents` → `amount`.
pub(super) fn without_unit(column: &str) -> Option<&str> {
    let at = column.rfind(['_', ' ', '-']).or_else(|| column.rfind(|c: char| c.is_uppercase()));
    let (head, tail) = column.split_at(at?);
    let tail = tail.trim_start_matches(['_', ' ', '-']).to_lowercase();
    let is_unit = UNITS.contains(&tail.as_str()) || tail == "分";
    // `amount_in_cents`
    (is_unit && !head.is_empty()).then(|| head.strip_suffix("_in").or_else(|| head.strip_suffix("In")).unwrap_or(head))
}

/// How well a name stands for what a customer paid in one deal: `None` for no money at all, 0 for money that isn't that
/// (tax, fees, balances), then the larger the better.
pub(super) fn money_rank(column: &str) -> Option<u8> {
    let mut words = words(column);
    while words.len() > 1 && words.last().is_some_and(|w| UNITS.contains(&w.as_str()) || w == "in" || w == "分") {
        words.pop();
    }
    let rank =
        |word: &String| MONEY.iter().find(|(money, _)| word == money || is_part(word, money)).map(|(_, rank)| *rank);
    rank(words.last()?)?;
    if words.iter().any(|word| NO_SPEND.iter().any(|no| word == no || is_part(word, no))) {
        return Some(0);
    }
    words.iter().filter_map(rank).max()
}

/// Names of money, and how surely they mean the whole deal.
const MONEY: [(&str, u8); 32] = [
    ("paid", 9),
    ("实付", 9),
    ("grand", 9),
    ("total", 8),
    ("总额", 8),
    ("总价", 8),
    ("金额", 7),
    ("amount", 7),
    ("amt", 7),
    ("revenue", 6),
    ("turnover", 6),
    ("sales", 6),
    ("spend", 6),
    ("spent", 6),
    ("gmv", 6),
    ("payment", 6),
    ("消费额", 6),
    ("subtotal", 5),
    ("sum", 5),
    ("net", 5),
    ("gross", 5),
    ("value", 4),
    ("费用", 4),
    ("款", 4),
    ("price", 3),
    ("价格", 3),
    ("单价", 2),
    ("charge", 3),
    ("fee", 1),
    ("cost", 1),
    ("balance", 1),
    ("余额", 1),
];
const NO_SPEND: [&str; 24] = [
    "tax", "vat", "discount", "shipping", "freight", "fee", "balance", "credit", "cost", "refund", "coupon", "tip",
    "deposit", "limit", "优惠", "折扣", "运费", "税", "余额", "退款", "成本", "积分", "额度", "定金",
];

/// Whether `word` holds `part`: anywhere in Chinese, at the end of unparted English (`totalamount`).
fn is_part(word: &str, part: &str) -> bool {
    if part.is_ascii() { part.len() >= 5 && word.ends_with(part) } else { word.contains(part) }
}

/// The price of one piece rather than of a deal.
pub(super) fn is_unit_price(column: &str) -> bool {
    money_rank(column).is_some_and(|rank| rank == 2 || rank == 3) && !column.to_lowercase().contains("charge")
}

/// Counts pieces: `quantity`, `qty`, `数量`.
pub(super) fn is_quantity(column: &str) -> bool {
    words(column)
        .last()
        .is_some_and(|last| ["quantity", "qty", "units", "pieces", "数量", "件数"].contains(&last.as_str()))
}

/// Holds the state of a deal.
pub(super) fn is_status(column: &str) -> bool {
    words(column).last().is_some_and(|last| ["status", "state"].contains(&last.as_str()) || last.ends_with("状态"))
}

/// Holds one of a few kinds.
pub(super) fn is_category(column: &str) -> bool {
    const KINDS: [&str; 10] =
        ["channel", "type", "kind", "category", "source", "level", "tier", "渠道", "类型", "等级"];
    is_status(column) || words(column).last().is_some_and(|last| KINDS.iter().any(|k| last == k || is_part(last, k)))
}

/// A state in which the deal counts, a state in which it doesn't, or neither.
pub(super) fn status_counts(value: &str) -> Option<bool> {
    const GOOD: [&str; 24] = [
        "paid",
        "complete",
        "completed",
        "done",
        "success",
        "succeeded",
        "successful",
        "settled",
        "delivered",
        "shipped",
        "fulfilled",
        "captured",
        "finished",
        "ok",
        "已支付",
        "已付款",
        "支付成功",
        "已完成",
        "完成",
        "成功",
        "交易成功",
        "已签收",
        "已发货",
        "已收货",
    ];
    const BAD: [&str; 30] = [
        "cancelled",
        "canceled",
        "cancel",
        "refunded",
        "refund",
        "void",
        "voided",
        "failed",
        "failure",
        "pending",
        "returned",
        "rejected",
        "unpaid",
        "draft",
        "expired",
        "declined",
        "chargeback",
        "error",
        "已取消",
        "取消",
        "已退款",
        "退款",
        "未付款",
        "待付款",
        "待支付",
        "未支付",
        "已关闭",
        "交易关闭",
        "失败",
        "作废",
    ];
    let value = value.trim().to_lowercase();
    if GOOD.contains(&value.as_str()) {
        return Some(true);
    }
    BAD.contains(&value.as_str()).then_some(false)
}

/// Says that its values are days or times.
pub(super) fn is_time(column: &str) -> bool {
    const TIMES: [&str; 24] = [
        "date",
        "time",
        "datetime",
        "timestamp",
        "ts",
        "at",
        "on",
        "day",
        "when",
        "dt",
        "created",
        "updated",
        "modified",
        "joined",
        "since",
        "birthday",
        "dob",
        "epoch",
        "registered",
        "ordered",
        "purchased",
        "日期",
        "时间",
        "生日",
    ];
    let words = words(column);
    let Some(last) = words.last() else { return false };
    // `created_unix`, `ts_ms`: the unit stands last.
    let last = if ["unix", "ms", "utc", "sec", "millis"].contains(&last.as_str()) {
        words.first().unwrap_or(last)
    } else {
        last
    };
    TIMES.contains(&last.as_str())
        || ["date", "time", "timestamp", "日期", "时间", "日"].iter().any(|end| last.ends_with(end) && last != "update")
}

/// How well a time says when something happened: the larger the better, negative for what it isn't.
pub(super) fn event_rank(column: &str, noun: &[String]) -> i32 {
    const LATER: [&str; 30] = [
        "updated",
        "update",
        "modified",
        "deleted",
        "shipped",
        "ship",
        "delivered",
        "delivery",
        "due",
        "expires",
        "expired",
        "expiry",
        "birth",
        "birthday",
        "cancelled",
        "canceled",
        "refunded",
        "end",
        "ends",
        "valid",
        "closed",
        "resolved",
        "returned",
        "更新",
        "修改",
        "删除",
        "发货",
        "到期",
        "生日",
        "结束",
    ];
    const EVENT: [&str; 26] = [
        "ordered",
        "order",
        "purchase",
        "purchased",
        "paid",
        "payment",
        "placed",
        "transaction",
        "sale",
        "sold",
        "booked",
        "booking",
        "visit",
        "visited",
        "contacted",
        "called",
        "occurred",
        "happened",
        "event",
        "invoice",
        "下单",
        "支付",
        "交易",
        "购买",
        "消费",
        "联系",
    ];
    let words = words(column);
    let any = |list: &[&str]| words.iter().any(|w| list.iter().any(|l| w == l || is_part(w, l)));
    if any(&LATER) {
        return -20;
    }
    let own = noun.iter().any(|n| words.iter().any(|w| w == n || (!n.is_ascii() && w.contains(n.as_str()))));
    10 * i32::from(any(&EVENT)) + 5 * i32::from(own) + 5
}

/// A yes or a no: `is_active`, `newsletter_opt_in`, `enabled`.
pub(super) fn is_flag(column: &str) -> bool {
    const FLAGS: [&str; 16] = [
        "active",
        "enabled",
        "disabled",
        "deleted",
        "verified",
        "subscribed",
        "newsletter",
        "optin",
        "flag",
        "blocked",
        "closed",
        "vip",
        "test",
        "returning",
        "consent",
        "subscribe",
    ];
    let words = words(column);
    let first = words.first().map_or("", String::as_str);
    let last = words.last().map_or("", String::as_str);
    (["is", "has", "can", "accepts", "opted"].contains(&first) && words.len() > 1)
        || FLAGS.contains(&last)
        || words.ends_with(&["opt".to_owned(), "in".to_owned()])
        || first.starts_with('是')
}

/// Holds personal data. A plain `name` does in the table of the people themselves.
pub(super) fn is_personal(column: &str, of_people: bool) -> bool {
    const WORDS: [&str; 44] = [
        "phone",
        "mobile",
        "tel",
        "telephone",
        "cell",
        "fax",
        "email",
        "mail",
        "address",
        "street",
        "birthday",
        "birth",
        "birthdate",
        "dob",
        "ssn",
        "passport",
        "wechat",
        "weixin",
        "openid",
        "whatsapp",
        "iban",
        "ip",
        "firstname",
        "lastname",
        "fullname",
        "surname",
        "nickname",
        "username",
        "note",
        "notes",
        "comment",
        "comments",
        "remark",
        "remarks",
        "message",
        "姓名",
        "手机",
        "电话",
        "邮箱",
        "地址",
        "生日",
        "身份证",
        "微信",
        "备注",
    ];
    const PEOPLE: [&str; 12] = [
        "first",
        "last",
        "full",
        "nick",
        "middle",
        "family",
        "given",
        "user",
        "customer",
        "contact",
        "recipient",
        "receiver",
    ];
    let words = words(column);
    let has = |list: &[&str]| words.iter().any(|w| list.iter().any(|l| w == l || (!l.is_ascii() && w.contains(l))));
    let named = words.last().is_some_and(|last| ["name", "名", "名称", "昵称", "姓"].contains(&last.as_str()));
    let no_product = !has(&["product", "item", "company", "store", "商品", "产品", "门店"]);
    has(&WORDS) || (named && no_product && (of_people || has(&PEOPLE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noun_of(table: &str) -> String {
        noun(table).join(" ")
    }

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
    fn nouns_lose_frames_and_plurals() {
        for (table, expected) in [
            ("customers", "customer"),
            ("tblCustomers", "customer"),
            ("crm_customer_master", "customer"),
            ("companies", "company"),
            ("addresses", "address"),
            ("status", "status"),
            ("customer_orders", "customer order"),
            ("客户信息表", "客户"),
            ("t_会员", "会员"),
            ("表", "表"),
        ] {
            assert_eq!(noun_of(table), expected, "{table}");
        }
    }

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
    fn money_that_a_customer_paid_ranks_above_other_money() {
        for (column, expected) in [
            ("amount", Some(7)),
            ("totalAmount", Some(8)),
            ("total_usd", Some(8)),
            ("amount_in_cents", Some(7)),
            ("unit_price", Some(3)),
            ("tax_amount", Some(0)),
            ("shipping_fee", Some(0)),
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
        for yes in ["amount_cents", "priceFen", "total_minor", "金额_分"] {
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
        for no in ["update", "amount", "status", "city"] {
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
}
