//! How values stand in a row: numbers in as few bytes as they need, texts and keys with their length.

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, cast::AsArray, types,
};
use tierd_eval::given::Booked;
use tierd_model::{Date, Decimal, Key, KeyType, Timestamp, Type, Value};

/// A column, ready to be written cell by cell.
pub(super) enum Cells<'a> {
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Decimal(&'a Decimal128Array),
    Real(&'a Float64Array),
    Bool(&'a BooleanArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
}

impl<'a> Cells<'a> {
    /// # Panics
    /// If the column isn't of this type: evaluation built it so.
    pub(super) fn new(column: &'a ArrayRef, ty: Type) -> Self {
        match ty {
            Type::Text => Cells::Text(column.as_string::<i32>()),
            Type::Integer => Cells::Integer(column.as_primitive::<types::Int64Type>()),
            Type::Decimal(_) => Cells::Decimal(column.as_primitive::<types::Decimal128Type>()),
            Type::Real => Cells::Real(column.as_primitive::<types::Float64Type>()),
            Type::Bool => Cells::Bool(column.as_boolean()),
            Type::Date => Cells::Date(column.as_primitive::<types::Date32Type>()),
            Type::Timestamp => Cells::Timestamp(column.as_primitive::<types::TimestampMicrosecondType>()),
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Text(column) => column.is_null(row),
            Cells::Integer(column) => column.is_null(row),
            Cells::Decimal(column) => column.is_null(row),
            Cells::Real(column) => column.is_null(row),
            Cells::Bool(column) => column.is_null(row),
            Cells::Date(column) => column.is_null(row),
            Cells::Timestamp(column) => column.is_null(row),
        }
    }

    /// Appends the value at a row where there is one.
    pub(super) fn put(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Cells::Text(column) => put_text(out, column.value(row)),
            Cells::Integer(column) => put_signed(out, column.value(row).into()),
            Cells::Decimal(column) => put_signed(out, column.value(row)),
            Cells::Real(column) => out.extend_from_slice(&column.value(row).to_bits().to_le_bytes()),
            Cells::Bool(column) => out.push(column.value(row).into()),
            Cells::Date(column) => put_signed(out, column.value(row).into()),
            Cells::Timestamp(column) => put_signed(out, column.value(row).into()),
        }
    }
}

/// Seven bits a byte, lowest first.
pub(super) fn put_count(out: &mut Vec<u8>, mut count: u64) {
    while count >= 0x80 {
        out.push(count as u8 | 0x80);
        count >>= 7;
    }
    out.push(count as u8);
}

/// Small numbers of either sign are short: 0, -1, 1, -2 are 0, 1, 2, 3.
fn put_signed(out: &mut Vec<u8>, value: i128) {
    if let Ok(short) = i64::try_from(value) {
        return put_count(out, ((short << 1) ^ (short >> 63)) as u64);
    }
    put_unsigned(out, ((value << 1) ^ (value >> 127)) as u128);
}

fn put_unsigned(out: &mut Vec<u8>, mut bits: u128) {
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_integer_key(out: &mut Vec<u8>, key: i64) {
    put_signed(out, key.into());
}

/// A booking before this time: most stand on whole seconds.
pub(super) fn put_booking(out: &mut Vec<u8>, booked: &Booked, before: Timestamp) {
    let ago = before.0.abs_diff(booked.at.0);
    put_count(out, booked.booking.into());
    match ago % 1_000_000 {
        0 => put_count(out, (ago / 1_000_000) << 1),
        _ => put_unsigned(out, u128::from(ago) << 1 | 1),
    }
    put_signed(out, booked.amount.into());
}

/// Reads what was put, from the front. Everything is `None` where the bytes are none that were put.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|byte| byte[0])
    }

    fn unsigned(&mut self) -> Option<u128> {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            value |= bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits)?;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
        }
    }

    pub(super) fn count(&mut self) -> Option<u64> {
        self.unsigned()?.try_into().ok()
    }

    pub(super) fn size(&mut self) -> Option<usize> {
        self.unsigned()?.try_into().ok()
    }

    fn signed(&mut self) -> Option<i128> {
        let bits = self.unsigned()?;
        Some((bits >> 1) as i128 ^ -((bits & 1) as i128))
    }

    fn integer(&mut self) -> Option<i64> {
        self.signed()?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.size()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    pub(super) fn key(&mut self, ty: KeyType) -> Option<Key> {
        Some(match ty {
            KeyType::Integer => Key::Integer(self.integer()?),
            KeyType::Text => Key::Text(self.text()?.into()),
        })
    }

    /// A booking of the only subject that there is.
    pub(super) fn booking(&mut self, before: Timestamp) -> Option<Booked> {
        let booking = self.count()?.try_into().ok()?;
        let ago = self.unsigned()?;
        let ago = if ago % 2 == 0 { (ago / 2).checked_mul(1_000_000)? } else { ago / 2 };
        let at = Timestamp(before.0.checked_sub_unsigned(ago.try_into().ok()?)?);
        Some(Booked { subject: 0, booking, at, amount: self.integer()? })
    }

    pub(super) fn value(&mut self, ty: Type) -> Option<Value> {
        Some(match ty {
            Type::Text => Value::Text(self.text()?.into()),
            Type::Integer => Value::Integer(self.integer()?),
            Type::Decimal(scale) => Value::Decimal(Decimal::new(self.signed()?, scale)),
            Type::Real => Value::Real(f64::from_bits(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))),
            Type::Bool => Value::Bool(self.byte()? != 0),
            Type::Date => Value::Date(Date(self.signed()?.try_into().ok()?)),
            Type::Timestamp => Value::Timestamp(Timestamp(self.integer()?)),
        })
    }
}
