//! The codes of diagnostics: stable names that people search for and scripts match on.
//!
//! A code never changes its meaning; a mistake that needs other words gets another code. The corpus under `tests/corpus/bad`
//! holds at least one input for each that loading reports.

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal;)*) => {
        $($(#[doc = $doc])+ pub const $name: &str = $code;)*

        /// Every code with its meaning.
        pub const ALL: &[(&str, &str)] = &[$(($code, concat!($($doc),+).trim_ascii_start())),*];
    };
}

/// Lints: warnings that a metric, a tier set or a retention rule can do without by `allow = ["CODE"]`.
pub const LINTS: &[&str] = &[
    UNUSED_METRIC,
    SHADOWED_ATTRIBUTE,
    UNREACHABLE_LEVEL,
    LEVEL_GAP,
    OVERLAPPING_LEVELS,
    OVERLAPPING_RULES,
    KEEP_HARDER_THAN_ENTER,
    WINDOW_BEYOND_DATA,
    LEVEL_ORDER,
    UNSCHEDULED,
];

codes! {
    /// There is no `tierd.toml`.
    MISSING_CONFIG = "missing-config";
    /// A file is larger than 8 MiB.
    FILE_TOO_LARGE = "file-too-large";
    /// The files hold more metrics, tier sets or levels than tierd takes.
    TOO_MANY = "too-many";
    /// A file is no TOML.
    TOML_SYNTAX = "toml-syntax";
    /// A key that means nothing here.
    UNKNOWN_KEY = "unknown-key";
    /// A key that must be there.
    MISSING_KEY = "missing-key";
    /// Keys that exclude each other.
    CONFLICTING_KEYS = "conflicting-keys";
    /// A TOML value of another type than the key takes, such as a number in place of a string.
    WRONG_VALUE_TYPE = "wrong-value-type";
    /// A value that isn't among those that the key takes.
    UNKNOWN_VALUE = "unknown-value";
    /// A value out of its range.
    OUT_OF_RANGE = "out-of-range";
    /// An empty name, path or list.
    EMPTY_VALUE = "empty-value";
    /// A text that is no stretch of time.
    BAD_SPAN = "bad-span";
    /// A text that is no day of the year.
    BAD_DAY = "bad-day";
    /// A share that isn't above 0 % and below 100 %.
    BAD_SHARE = "bad-share";
    /// A limit of rows that is neither a number, a share nor `any`.
    BAD_LIMIT = "bad-limit";
    /// A text that is no length of time.
    BAD_DURATION = "bad-duration";
    /// Words or a cron expression for no time that comes again, or for one that never comes.
    BAD_SCHEDULE = "bad-schedule";
    /// No schedule of that name, and no words for one.
    UNKNOWN_SCHEDULE = "unknown-schedule";
    /// A text that is no address and port, no host or no origin.
    BAD_ADDRESS = "bad-address";
    /// A way in from other machines, and no token that would guard it.
    MISSING_TOKEN = "missing-token";
    /// A name that conditions couldn't use.
    BAD_NAME = "bad-name";
    /// Two things of one name.
    DUPLICATE_NAME = "duplicate-name";
    /// No time zone of that name.
    UNKNOWN_ZONE = "unknown-zone";
    /// No column type of that name.
    UNKNOWN_TYPE = "unknown-type";
    /// A decimal, date or timestamp column that doesn't say how it is stored.
    MISSING_ENCODING = "missing-encoding";
    /// An encoding that doesn't go with the column's type.
    WRONG_ENCODING = "wrong-encoding";
    /// The time column is none, or isn't a date or timestamp.
    BAD_TIME_COLUMN = "bad-time-column";
    /// No subject of that name.
    UNKNOWN_SUBJECT = "unknown-subject";
    /// No facts of that name.
    UNKNOWN_FACTS = "unknown-facts";
    /// No points program of that name, or nothing of that name to be told of it.
    UNKNOWN_POINTS = "unknown-points";
    /// No tier set of that name.
    UNKNOWN_TIER_SET = "unknown-tier-set";
    /// Nothing of that name to put into a text.
    UNKNOWN_PLACEHOLDER = "unknown-placeholder";
    /// No column, attribute or metric of that name.
    UNKNOWN_NAME = "unknown-name";
    /// No function of that name.
    UNKNOWN_FUNCTION = "unknown-function";
    /// Several subjects, and nothing that says which one is meant.
    AMBIGUOUS_SUBJECT = "ambiguous-subject";
    /// Several tier sets, and nothing that says which one is meant.
    AMBIGUOUS_TIER_SET = "ambiguous-tier-set";
    /// Something of one subject used for another.
    WRONG_SUBJECT = "wrong-subject";
    /// A metric that says in no way, or in several, how it is found.
    METRIC_KIND = "metric-kind";
    /// An aggregate that is none of `sum(…)`, `count(*)` and so on.
    BAD_AGGREGATE = "bad-aggregate";
    /// An aggregate without `empty`.
    MISSING_EMPTY = "missing-empty";
    /// `empty` is no value of the metric's type.
    BAD_EMPTY = "bad-empty";
    /// A rate of something, or over a window, that has none.
    BAD_RATE = "bad-rate";
    /// A window without or with several kinds.
    BAD_WINDOW = "bad-window";
    /// A rank's order that isn't `METRIC desc` or `METRIC asc`, or of something without order.
    BAD_ORDER = "bad-order";
    /// A window that begins at something that is no date of the subject's own, or is known too late.
    BAD_ANCHOR = "bad-anchor";
    /// A trend of something that has no window before its own.
    BAD_TREND = "bad-trend";
    /// A parent that is no other subject, or by a column that can't hold its key.
    BAD_PARENT = "bad-parent";
    /// A look-up that isn't of a metric of the parent.
    BAD_LOOKUP = "bad-lookup";
    /// Something per category that isn't used so, or categories that don't fit together.
    BAD_CATEGORY = "bad-category";
    /// No plugin of that name beside the rules.
    UNKNOWN_PLUGIN = "unknown-plugin";
    /// A plugin that can't be loaded, or that says what can't be of itself.
    BAD_PLUGIN = "bad-plugin";
    /// A function of a plugin where one of another kind belongs.
    FUNCTION_KIND = "function-kind";
    /// An input that the plugin's function doesn't take.
    UNKNOWN_INPUT = "unknown-input";
    /// An input that the plugin's function needs.
    MISSING_INPUT = "missing-input";
    /// A personal value that a planner would be given.
    PERSONAL_INPUT = "personal-input";
    /// A setting that the plugin's function doesn't have.
    UNKNOWN_SETTING = "unknown-setting";
    /// A setting that the plugin's function needs.
    MISSING_SETTING = "missing-setting";
    /// A setting of another type than the plugin's function takes.
    BAD_SETTING = "bad-setting";
    /// No look-up table of that name.
    UNKNOWN_LOOKUP = "unknown-lookup";
    /// A table that a plugin looks things up in, and that isn't granted to it.
    MISSING_GRANT = "missing-grant";
    /// A granted look-up table without a column that the plugin needs, or with one of another type.
    LOOKUP_COLUMN = "lookup-column";
    /// A text that is no size of memory.
    BAD_SIZE = "bad-size";
    /// A level that the tier set hasn't.
    UNKNOWN_LEVEL = "unknown-level";
    /// Levels compared by an order that they don't have.
    BAD_LEVEL_COMPARISON = "bad-level-comparison";
    /// Metrics and tier sets that are made of each other.
    CYCLE = "cycle";
    /// A key that changes nothing, because of another one or because another one isn't there.
    IDLE_KEY = "idle-key";
    /// A points program without earnings, or an expiry that says in no way, or in several, when points are lost.
    BAD_POINTS = "bad-points";
    /// What is to start a retention rule can't: a date that is none, a move that doesn't happen, a follow-up that no level asks for.
    BAD_TRIGGER = "bad-trigger";
    /// A retention rule that does nothing, or several things.
    ACTION_KIND = "action-kind";
    /// A text with a brace that doesn't belong to a `{name}`.
    BAD_TEMPLATE = "bad-template";
    /// A level above the lowest without condition, or a retention rule without condition and trigger.
    MISSING_WHEN = "missing-when";
    /// Text that is no expression.
    EXPRESSION_SYNTAX = "expression-syntax";
    /// An expression longer than 16 KiB.
    EXPRESSION_TOO_LONG = "expression-too-long";
    /// An expression nested too deeply.
    TOO_DEEP = "too-deep";
    /// SQL that isn't part of the rule language.
    NOT_SUPPORTED = "not-supported";
    /// Text in double quotes.
    DOUBLE_QUOTES = "double-quotes";
    /// A function with too few, too many or wrong arguments.
    WRONG_ARGUMENTS = "wrong-arguments";
    /// An operand or a result of the wrong type.
    TYPE_MISMATCH = "type-mismatch";
    /// Exact numbers and floating-point numbers mixed.
    MIXED_NUMBERS = "mixed-numbers";
    /// A condition that is neither true nor false.
    NOT_A_CONDITION = "not-a-condition";
    /// NULL where it would make everything UNKNOWN.
    NULL_OPERAND = "null-operand";
    /// A text compared for its order.
    TEXT_ORDER = "text-order";
    /// A pattern that is more than a prefix.
    LIKE_PATTERN = "like-pattern";
    /// A division whose divisor may be zero.
    ZERO_DIVISOR = "zero-divisor";
    /// A literal that is no date, time or stretch of time.
    BAD_LITERAL = "bad-literal";
    /// A number with more digits than tierd computes with.
    TOO_MANY_DIGITS = "too-many-digits";
    /// A column or computation where only a value will do.
    NOT_CONSTANT = "not-constant";
    /// A value in a test that isn't of its column's or metric's type.
    BAD_VALUE = "bad-value";
    /// A test case that passes whatever the rules say.
    NOTHING_EXPECTED = "nothing-expected";
    /// A metric that nothing uses.
    UNUSED_METRIC = "unused-metric";
    /// A metric with the name of an attribute, computed from something else.
    SHADOWED_ATTRIBUTE = "shadowed-attribute";
    /// A level that nobody can have.
    UNREACHABLE_LEVEL = "unreachable-level";
    /// Values between two levels' conditions for which neither holds, so that a subject falls further than its values say.
    LEVEL_GAP = "level-gap";
    /// Two levels of a set without order whose conditions hold at once: the later one is taken.
    OVERLAPPING_LEVELS = "overlapping-levels";
    /// Two retention rules that act on the same subjects at once, outside of a common group.
    OVERLAPPING_RULES = "overlapping-rules";
    /// A condition to stay that is harder than the one to enter.
    KEEP_HARDER_THAN_ENTER = "keep-harder-than-enter";
    /// A window that begins before the first facts. Found by a look into the database.
    WINDOW_BEYOND_DATA = "window-beyond-data";
    /// Levels whose thresholds run against their order.
    LEVEL_ORDER = "level-order";
    /// A tier set or retention rule that no schedule decides, where there are schedules.
    UNSCHEDULED = "unscheduled";
    /// A table or view that the configuration names and the database doesn't have. Found by a look into the database.
    MISSING_TABLE = "missing-table";
    /// A column that the configuration names and its table doesn't have. Found by a look into the database.
    MISSING_COLUMN = "missing-column";
}
