//! Stored values as typed ones, as strict as the reader in Rust: what doesn't fit its declared type is NULL.
//!
//! SQLite stores any type in any column and reads dates generously (30 February is 1 or 2 March to it), so that each column is
//! asked for its storage class, and each date whether it comes back as it went in. Text ends for many of its functions where a
//! zero byte stands, so that is asked, too; only text that isn't UTF-8 passes here and is bad for the reader. The result has no affinity and the binary
//! collation, whatever the table declares: comparisons mean here what they mean in a rule.

use tierd_model::{KeyType, Type, Zone, pow10};
use tierd_rules::{AmountEncoding, Column, Encoding, TimeEncoding};

use super::{
    expr::times,
    text::{Binds, Sql, indent, infix, name},
    zone::{Reach, date_of, midnight, offset_at_local},
};

/// Reals at or beyond this size are bad values: 2^80.
const REAL_LIMIT: &str = "1208925819614629174706176.0";
/// Counted instants, in seconds, as the reader takes them: 0000-01-02 to 9999-12-30.
const FIRST_SECOND: i64 = -62_167_132_800;
const LAST_SECOND: i64 = 253_402_214_399;

/// The typed value of this column of a table.
pub(super) fn decode(column: &Column, zone: &Zone, reach: Reach) -> Sql {
    let raw = Sql::whole(name(&column.column));
    match (column.encoding, column.ty) {
        (Encoding::Plain, ty) => plain(&raw, ty),
        (Encoding::Amount(encoding), ty) => amount(&raw, encoding, ty.scale().unwrap_or(0)),
        (Encoding::Time(encoding), Type::Date) => date(&raw, encoding, zone, reach),
        (Encoding::Time(encoding), _) => timestamp(&raw, encoding, zone, reach),
    }
}

/// A key, or NULL where it isn't stored as its type.
pub(super) fn key(column: &str, ty: KeyType) -> Sql {
    let class = match ty {
        KeyType::Integer => "integer",
        KeyType::Text => "text",
    };
    stored_as(class, &Sql::whole(name(column)), &Sql::whole(name(column)))
}

/// `value` where `raw` is of this storage class, else NULL.
fn stored_as(class: &str, raw: &Sql, value: &Sql) -> Sql {
    Sql::whole(format!("CASE typeof({}) WHEN '{class}' THEN {} END", raw.bare(), value.bare()))
}

fn plain(raw: &Sql, ty: Type) -> Sql {
    let c = raw.bare();
    match ty {
        Type::Text => stored_as("text", raw, raw),
        Type::Bool => Sql::whole(format!("CASE WHEN typeof({c}) = 'integer' AND {c} IN (0, 1) THEN {c} END")),
        Type::Real => Sql::whole(format!(
            "CASE WHEN typeof({c}) IN ('integer', 'real') AND {c} > -{REAL_LIMIT} AND {c} < {REAL_LIMIT} THEN CAST({c} AS REAL) END"
        )),
        _ => stored_as("integer", raw, raw),
    }
}

fn amount(raw: &Sql, encoding: AmountEncoding, scale: u8) -> Sql {
    match encoding {
        AmountEncoding::MinorUnits => stored_as("integer", raw, raw),
        AmountEncoding::Real => real_amount(raw, scale),
        AmountEncoding::Text => text_amount(raw, scale),
    }
}

/// A REAL within 1/10,000 of a unit, or an INTEGER in whole units.
fn real_amount(raw: &Sql, scale: u8) -> Sql {
    let units = infix(Binds::Product, raw, "*", &Sql::whole(format!("{}.0", pow10(scale))));
    let near = format!(
        "\
(SELECT CAST(round(u) AS INTEGER)
FROM (SELECT {} AS u)
WHERE abs(u - round(u)) <= 0.0001 AND abs(u) < 9223372036854775808.0)",
        units.bare()
    );
    Sql::whole(format!(
        "CASE typeof({})\n  WHEN 'integer' THEN {}\n  WHEN 'real' THEN {} END",
        raw.bare(),
        whole_units(raw, scale).bare(),
        indent(&near, 4)
    ))
}

/// An INTEGER in whole units, as far as its smallest units fit 64 bits.
fn whole_units(raw: &Sql, scale: u8) -> Sql {
    let most = i128::from(i64::MAX) / pow10(scale);
    match scale {
        0 => raw.clone(),
        _ => Sql::whole(format!(
            "CASE WHEN {0} BETWEEN -{most} AND {most} THEN {1} END",
            raw.bare(),
            times(raw, pow10(scale)).bare()
        )),
    }
}

/// TEXT such as `-19.90`, or an INTEGER in whole units. More digits than the scale has must be zeros.
fn text_amount(raw: &Sql, scale: u8) -> Sql {
    let whole = whole_units(raw, scale);
    let zeros = "0".repeat(usize::from(scale));
    let text = format!(
        "\
(SELECT CAST(sign || units AS INTEGER)
FROM (SELECT sign, digits, fraction,
        ltrim(substr(digits, 1, point - 1) || substr(fraction || '{zeros}', 1, {scale}), '0') AS units
      FROM (SELECT sign, digits, point, substr(digits, point + 1) AS fraction
            FROM (SELECT sign, digits, instr(digits || '.', '.') AS point
                  FROM (SELECT CASE WHEN t GLOB '-*' THEN '-' ELSE '' END AS sign,
                          substr(t, CASE WHEN t GLOB '[-+]*' THEN 2 ELSE 1 END) AS digits
                        FROM (SELECT {raw} AS t)
                        WHERE instr(t, char(0)) = 0))))
WHERE digits GLOB '[0-9]*' AND digits NOT GLOB '*[^0-9.]*' AND digits NOT GLOB '*.*.*' AND digits NOT GLOB '*.'
  AND rtrim(substr(fraction, {after}), '0') = '' AND length(fraction) <= 38
  AND length(ltrim(replace(digits, '.', ''), '0')) <= 38
  AND (length(units) < 19 OR length(units) = 19 AND units < '9223372036854775808'))",
        raw = raw.bare(),
        after = u32::from(scale) + 1,
    );
    Sql::whole(format!(
        "CASE typeof({})\n  WHEN 'integer' THEN {}\n  WHEN 'text' THEN {} END",
        raw.bare(),
        whole.bare(),
        indent(&text, 4)
    ))
}

fn date(raw: &Sql, encoding: TimeEncoding, zone: &Zone, reach: Reach) -> Sql {
    let c = raw.bare();
    match encoding {
        TimeEncoding::Iso8601 => {
            // SQLite also knows years before 0, written with a sign: hence the length.
            Sql::whole(format!(
                "CASE WHEN typeof({c}) = 'text' AND length({c}) = 10 AND date({c}, '+0 days') = {c} THEN {c} END"
            ))
        }
        TimeEncoding::Yyyymmdd => yyyymmdd(raw),
        _ => date_of(zone, reach, &instant(raw, encoding)),
    }
}

fn timestamp(raw: &Sql, encoding: TimeEncoding, zone: &Zone, reach: Reach) -> Sql {
    match encoding {
        TimeEncoding::Iso8601 => iso_timestamp(raw, zone, reach),
        TimeEncoding::Yyyymmdd => midnight(zone, reach, &yyyymmdd(raw)),
        _ => instant(raw, encoding),
    }
}

/// Microseconds since 1970 of a count of seconds, milliseconds or Julian days.
fn instant(raw: &Sql, encoding: TimeEncoding) -> Sql {
    let c = raw.bare();
    let counted = |per_second: i64| {
        let (first, last) = (FIRST_SECOND * per_second, LAST_SECOND * per_second + per_second - 1);
        let factor = 1_000_000 / per_second;
        Sql::whole(format!(
            "CASE WHEN typeof({c}) = 'integer' AND {c} BETWEEN {first} AND {last} THEN {c} * {factor} END"
        ))
    };
    match encoding {
        TimeEncoding::UnixSeconds => counted(1),
        TimeEncoding::UnixMilliseconds => counted(1000),
        _ => Sql::whole(format!(
            "\
(SELECT milliseconds * 1000
FROM (SELECT t, CAST(round((t - 2440587.5) * 86400000.0) AS INTEGER) AS milliseconds FROM (SELECT {c} AS t))
WHERE typeof(t) IN ('integer', 'real') AND milliseconds BETWEEN {FIRST_SECOND}000 AND {LAST_SECOND}999)"
        )),
    }
}

/// `YYYY-MM-DD` of an INTEGER or TEXT of eight digits.
fn yyyymmdd(raw: &Sql) -> Sql {
    let c = raw.bare();
    Sql::whole(format!(
        "\
(SELECT day
FROM (SELECT t, substr(t, 1, 4) || '-' || substr(t, 5, 2) || '-' || substr(t, 7) AS day FROM (SELECT {c} AS t))
WHERE typeof(t) IN ('integer', 'text') AND instr(t, char(0)) = 0 AND date(day, '+0 days') = day AND day >= '1000')"
    ))
}

/// ISO 8601 text: a date, perhaps a time, perhaps an offset. Without offset it is local time.
///
/// `tail` is what follows the minutes: seconds with a fraction, and in its last `n` characters the offset.
fn iso_timestamp(raw: &Sql, zone: &Zone, reach: Reach) -> Sql {
    let offset = offset_at_local(zone, reach, &Sql::whole("local"));
    Sql::whole(format!(
        "\
(SELECT local - CASE WHEN zoned THEN moved ELSE {offset} END
FROM (SELECT zone <> '' AS zoned,
        CAST(substr(zone, 1, 1) || '60000000' AS INTEGER)
          * (substr(zone, 2, 2) * 60 + CAST(substr(replace(zone, ':', ''), 4) AS INTEGER)) AS moved,
        (strftime('%s', substr(t, 1, 16)) + CAST(substr(seconds, 2, 2) AS INTEGER)) * 1000000
          + CAST(substr(substr(seconds, 5) || '000000', 1, 6) AS INTEGER) AS local
      FROM (SELECT t, substr(tail, 1, length(tail) - n) AS seconds, substr(tail, length(tail) - n + 1) AS zone
            FROM (SELECT t, substr(t, 17) AS tail,
                    CASE WHEN substr(t, 17) GLOB '*[Zz]' THEN 1
                         WHEN substr(t, 17) GLOB '*[-+][0-9][0-9]:[0-9][0-9]' THEN 6
                         WHEN substr(t, 17) GLOB '*[-+][0-9][0-9][0-9][0-9]' THEN 5
                         WHEN substr(t, 17) GLOB '*[-+][0-9][0-9]' THEN 3 ELSE 0 END AS n
                  FROM (SELECT {raw} AS t)))
      WHERE typeof(t) = 'text' AND instr(t, char(0)) = 0 AND date(substr(t, 1, 10), '+0 days') = substr(t, 1, 10)
        AND (length(t) = 10 OR substr(t, 11, 6) GLOB '[ T][0-2][0-9]:[0-5][0-9]' AND substr(t, 12, 2) < '24')
        AND (seconds = '' OR seconds GLOB ':[0-5][0-9]'
             OR seconds GLOB ':[0-5][0-9].[0-9]*' AND substr(seconds, 5) NOT GLOB '*[^0-9]*')
        AND substr(zone, 2, 2) < '24' AND substr(replace(zone, ':', ''), 4) < '60'))",
        raw = raw.bare(),
        offset = indent(&offset.at(Binds::Product), 2),
    ))
}

#[cfg(test)]
mod tests;
