//! Parameters of functions: what the type of a parameter says to `describe`, and how a row's value is read from the columns.

use crate::{
    Call, Column, Date, Decimal, Failure, Timestamp, ValueType, Values,
    description::{Accepts, Setting},
};

/// What may be a parameter of a function. Columns are checked once for a batch, in [`bind`](Parameter::bind); each row then costs an index.
pub trait Parameter<'a>: Sized {
    /// What the input takes and whether it is nullable; `None` for a parameter that isn't an input.
    const INPUT: Option<(Accepts, bool)>;

    /// Settings that it asks for.
    fn settings() -> Vec<Setting> {
        Vec::new()
    }

    /// The column, or whatever else it is read from.
    type Bound: 'a;

    /// Takes what it needs from a call.
    ///
    /// # Errors
    /// Where that isn't what `describe` asked for.
    fn bind(source: &mut Source<'a>) -> Result<Self::Bound, Failure>;

    /// What rows are read from.
    type View: Copy;

    /// The view of so many rows as were bound. Made where the loop over rows is, so that compilers see that every row is there.
    fn view(bound: &'a Self::Bound, rows: usize) -> Self::View;

    /// Its value in a row.
    fn at(view: Self::View, row: usize) -> Self;
}

/// What a call brings: parameters take their inputs from it in order.
pub struct Source<'a> {
    call: &'a Call,
    rows: usize,
    inputs: &'a [Column],
    taken: usize,
}

impl<'a> Source<'a> {
    /// Of a call with so many rows.
    pub fn new(call: &'a Call, rows: usize, inputs: &'a [Column]) -> Self {
        Source { call, rows, inputs, taken: 0 }
    }

    /// What the call is about.
    pub fn call(&self) -> &'a Call {
        self.call
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The next input.
    ///
    /// # Errors
    /// Where there is none left.
    pub fn column(&mut self) -> Result<&'a Column, Failure> {
        let column = self.inputs.get(self.taken).ok_or_else(|| self.wrong("is missing"))?;
        self.taken += 1;
        Ok(column)
    }

    /// That nothing is left.
    ///
    /// # Errors
    /// Where there are more inputs than parameters.
    pub fn end(&self) -> Result<(), Failure> {
        if self.taken == self.inputs.len() { Ok(()) } else { Err(self.wrong("is one too many")) }
    }

    fn values<T>(&self, values: &'a [T]) -> Result<&'a [T], Failure> {
        values.get(..self.rows).ok_or_else(|| self.wrong("has too few rows"))
    }

    /// Of the input taken last (before any, of the first).
    fn wrong(&self, what: &str) -> Failure {
        format!("input {} {what}", self.taken).into()
    }
}

macro_rules! plain {
    ($($(@$scale:ident)? $ty:ty, $accepts:expr, $case:ident($stored:ty), $value:ident => $read:expr;)*) => {$(
        impl<'a $(, const $scale: u8)?> Parameter<'a> for $ty {
            const INPUT: Option<(Accepts, bool)> = Some(($accepts, false));
            type Bound = &'a [$stored];

            fn bind(source: &mut Source<'a>) -> Result<Self::Bound, Failure> {
                match &source.column()?.values {
                    Values::$case(values) => source.values(values),
                    _ => Err(source.wrong("has another type")),
                }
            }

            type View = &'a [$stored];

            #[inline]
            fn view(bound: &'a Self::Bound, rows: usize) -> Self::View {
                &bound[..rows]
            }

            #[inline]
            fn at(view: Self::View, row: usize) -> Self {
                let $value = view[row];
                $read
            }
        }
    )*};
}

plain! {
    f64, Accepts::Number, Reals(f64), value => value;
    i64, Accepts::Exactly(ValueType::Integer), Integers(i64), value => value;
    bool, Accepts::Exactly(ValueType::Boolean), Booleans(u8), value => value != 0;
    Date, Accepts::Exactly(ValueType::Date), Dates(i32), value => Date(value);
    Timestamp, Accepts::Exactly(ValueType::Timestamp), Timestamps(i64), value => Timestamp(value);
    @SCALE Decimal<SCALE>, Accepts::Exactly(ValueType::Decimal(SCALE)), Decimals(i64), value => Decimal(value);
}

/// A column of texts, checked to be UTF-8 as a whole, with every offset on the border of a character.
pub struct TextColumn<'a> {
    offsets: &'a [u32],
    text: &'a str,
}

impl<'a> TextColumn<'a> {
    /// A row.
    pub(crate) fn at(&self, row: usize) -> &'a str {
        &self.text[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }
}

impl<'a> Parameter<'a> for &'a str {
    const INPUT: Option<(Accepts, bool)> = Some((Accepts::Exactly(ValueType::Text), false));
    type Bound = TextColumn<'a>;

    fn bind(source: &mut Source<'a>) -> Result<Self::Bound, Failure> {
        let Values::Texts(texts) = &source.column()?.values else { return Err(source.wrong("has another type")) };
        let offsets = texts.offsets.get(..=source.rows).ok_or_else(|| source.wrong("has too few rows"))?;
        let text = str::from_utf8(&texts.bytes).map_err(|_| source.wrong("isn't UTF-8"))?;
        let ascending = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        if !ascending || !offsets.iter().all(|offset| text.is_char_boundary(*offset as usize)) {
            return Err(source.wrong("has texts that overlap"));
        }
        Ok(TextColumn { offsets, text })
    }

    type View = &'a TextColumn<'a>;

    #[inline]
    fn view(bound: &'a Self::Bound, _: usize) -> Self::View {
        bound
    }

    fn at(view: Self::View, row: usize) -> Self {
        view.at(row)
    }
}

impl<'a> Parameter<'a> for String {
    const INPUT: Option<(Accepts, bool)> = <&str as Parameter>::INPUT;
    type Bound = TextColumn<'a>;

    fn bind(source: &mut Source<'a>) -> Result<Self::Bound, Failure> {
        <&str as Parameter>::bind(source)
    }

    type View = &'a TextColumn<'a>;

    #[inline]
    fn view(bound: &'a Self::Bound, _: usize) -> Self::View {
        bound
    }

    fn at(view: Self::View, row: usize) -> Self {
        view.at(row).to_owned()
    }
}

impl<'a, T: Parameter<'a>> Parameter<'a> for Option<T> {
    const INPUT: Option<(Accepts, bool)> = match T::INPUT {
        Some((accepts, _)) => Some((accepts, true)),
        None => None,
    };
    /// A byte for each row, 1 where it has a value; and the column.
    type Bound = (Vec<u8>, T::Bound);

    fn settings() -> Vec<Setting> {
        T::settings()
    }

    fn bind(source: &mut Source<'a>) -> Result<Self::Bound, Failure> {
        let valid = source.inputs.get(source.taken).and_then(|column| column.valid.as_deref());
        let bound = T::bind(source)?;
        let there = match valid {
            Some(bits) if bits.len() < source.rows.div_ceil(8) => {
                return Err(source.wrong("says of too few rows whether they have a value"));
            }
            Some(bits) => {
                let mut there: Vec<u8> = bits.iter().flat_map(|byte| eight(*byte)).collect();
                there.truncate(source.rows);
                there
            }
            None => vec![1; source.rows],
        };
        Ok((there, bound))
    }

    type View = (&'a [u8], T::View);

    #[inline]
    fn view((there, bound): &'a Self::Bound, rows: usize) -> Self::View {
        (&there[..rows], T::view(bound, rows))
    }

    #[inline]
    fn at((there, view): Self::View, row: usize) -> Self {
        (there[row] != 0).then(|| T::at(view, row))
    }
}

/// The bits of a byte, from the lowest on, as bytes.
fn eight(byte: u8) -> [u8; 8] {
    let copies = u64::from(byte) * 0x0101_0101_0101_0101;
    let bits = copies & 0x8040_2010_0804_0201;
    // A byte that isn't zero carries into its highest bit.
    let highest = (bits + 0x7f7f_7f7f_7f7f_7f7f) & 0x8080_8080_8080_8080;
    (highest >> 7).to_le_bytes()
}

impl<'a> Parameter<'a> for &'a Call {
    const INPUT: Option<(Accepts, bool)> = None;
    type Bound = &'a Call;

    fn bind(source: &mut Source<'a>) -> Result<Self::Bound, Failure> {
        Ok(source.call)
    }

    type View = &'a Call;

    #[inline]
    fn view(bound: &'a Self::Bound, _: usize) -> Self::View {
        bound
    }

    #[inline]
    fn at(view: Self::View, _: usize) -> Self {
        view
    }
}

/// For reading columns that don't come with a call.
pub fn no_call() -> Call {
    Call { function: String::new(), as_of: 0, today: 0, config: String::new() }
}

#[cfg(test)]
mod tests {
    use super::eight;

    #[test]
    fn bits_are_bytes() {
        for byte in 0..=u8::MAX {
            assert_eq!(eight(byte), std::array::from_fn(|bit| byte >> bit & 1));
        }
    }
}
