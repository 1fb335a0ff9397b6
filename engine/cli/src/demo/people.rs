use super::random::Random;

const SURNAMES: [&str; 32] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭", "何", "高", "林",
    "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "欧阳", "司马",
];
const GIVEN: [&str; 40] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀英", "霞",
    "平", "刚", "桂英", "建华", "文", "辉", "婷婷", "玉兰", "志强", "雪", "宇轩", "子涵", "浩然", "欣怡", "梓萱",
    "晓东", "佳怡", "思远", "海燕", "国庆", "小红",
];
const OTHERS: [&str; 16] = [
    "Anna Schmidt",
    "José García",
    "Olivia Brown",
    "佐藤 花子",
    "김민준",
    "Nguyễn Thị Mai",
    "Ahmed Hassan",
    "Иван Петров",
    "Marie Dubois",
    "Liam O'Neill",
    "Priya Sharma",
    "田中 太郎",
    "Zoë Peeters",
    "이서연",
    "Noah Smith",
    "Aylin Yılmaz",
];
const CITIES: [&str; 15] = [
    "上海", "北京", "广州", "深圳", "杭州", "成都", "武汉", "南京", "西安", "重庆", "苏州", "天津", "长沙", "青岛",
    "香港",
];

const WORDS: [&str; 24] = [
    "华信",
    "东湖",
    "长江",
    "楚天",
    "恒达",
    "中远",
    "宏图",
    "金盾",
    "新世纪",
    "天成",
    "联合",
    "兴业",
    "创世",
    "瑞丰",
    "大江",
    "黄鹤",
    "光谷",
    "星辰",
    "安顺",
    "百川",
    "博雅",
    "佳美",
    "万通",
    "永盛",
];

/// A name: mostly Chinese, some from elsewhere.
pub(super) fn name(random: &mut Random) -> String {
    if random.chance(3) {
        return (*random.pick(&OTHERS)).to_owned();
    }
    let surname = random.pick(&SURNAMES);
    let given = random.pick(&GIVEN);
    format!("{surname}{given}")
}

/// A city: the first of the list are the likeliest.
pub(super) fn city(random: &mut Random) -> &'static str {
    CITIES[random.skewed(0, CITIES.len() as u32 - 1) as usize]
}

/// A company of some city, with one of these endings: 武汉恒达商贸有限公司.
pub(super) fn company(random: &mut Random, endings: &[String]) -> String {
    let (city, word, ending) = (city(random), random.pick(&WORDS), random.pick(endings));
    format!("{city}{word}{ending}")
}

/// A public body of some city: 武汉市税务局.
pub(super) fn body(random: &mut Random, endings: &[String]) -> String {
    let (city, ending) = (city(random), random.pick(endings));
    format!("{city}{ending}")
}
