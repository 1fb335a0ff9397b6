//! Changes of valid plugins that leave them valid: bytes changed at random hardly ever pass the validator, and then nothing of the plugin
//! ever runs.
//!
//! A change is one of: other bytes in a segment of data (descriptions are there, and whatever a guest gives), operators of a function
//! (another one of the same type, other constants and offsets, some left out, copied or put in), or bytes of a small section
//! (limits of memories and tables, globals, segments). The section that says what the functions are stays as it is.

use std::ops::Range;

use libfuzzer_sys::fuzzer_mutate;
use wasmparser::{FunctionBody, Parser, Payload, Validator};

use crate::sections::{Section, module, number, sections, signed};

/// One of each kind, and those that look something up or give their input back.
const GOOD: [&[u8]; 7] = [
    include_bytes!("../good/weighted.wasm"),
    include_bytes!("../good/signs.wasm"),
    include_bytes!("../good/mean.wasm"),
    include_bytes!("../good/sums.wasm"),
    include_bytes!("../good/proposes.wasm"),
    include_bytes!("../good/looks_up.wasm"),
    include_bytes!("../good/identity.wasm"),
];
/// One change of so many begins with a good plugin: a corpus is mostly of those that break soon, and theirs do too.
const ANEW: usize = 3;

/// How often another change is tried where one leaves a module that isn't valid.
const TRIES: usize = 32;
/// Tables, memories, globals, the start function, elements.
const SMALL: [u8; 5] = [4, 5, 6, 8, 9];
const CODE: u8 = 10;

/// Operators of one byte that take and give the same types as the others of their group.
const GROUPS: [Range<u8>; 12] = [
    0x28..0x29, // a load of 32 bits; alone, so that only its offset changes
    0x2c..0x30, // loads of fewer bits
    0x30..0x36, // the same to 64 bits
    0x3a..0x3c, // stores of fewer bits
    0x46..0x50, // comparisons of i32
    0x51..0x5b, // of i64
    0x61..0x67, // of f64
    0x67..0x6a, // i32 to i32
    0x6a..0x79, // two i32 to i32
    0x7c..0x8b, // two i64 to i64
    0x99..0xa0, // f64 to f64
    0xa0..0xa7, // two f64 to f64
];

/// Operators that leave the stack as it was or end the function.
const SNIPPETS: [&[u8]; 12] = [
    &[0x00],                                                       // unreachable
    &[0x0f],                                                       // return
    &[0x41, 0x7f, 0x0f],                                           // return -1
    &[0x41, 0x00, 0x0f],                                           // return 0
    &[0x41, 0xfc, 0xff, 0x0b, 0x0f],                               // return the end of three pages, less 4
    &[0x41, 0xc2, 0x00, 0x0f],                                     // return 66, which isn't aligned
    &[0x03, 0x40, 0x0c, 0x00, 0x0b],                               // a loop without end
    &[0x41, 0xe8, 0x07, 0x40, 0x00, 0x1a],                         // 1000 pages more
    &[0x41, 0x01, 0x40, 0x00, 0x1a],                               // one more
    &[0x41, 0x00, 0x41, 0x7f, 0x41, 0xff, 0xff, 0x0b, 0xfc, 0x0b, 0x00], // all ones in the memory
    &[0x41, 0xc0, 0x00, 0x41, 0xff, 0x01, 0x36, 0x02, 0x00],       // 255 at 64, where guests have what they give
    &[0x41, 0x00, 0x41, 0x00, 0x41, 0x08, 0x41, 0xff, 0xff, 0x7f, 0x10, 0x01, 0x1a], // a call with odd arguments
];

/// Numbers at which something ends.
const NUMBERS: [i64; 20] = [
    0, 1, -1, 2, 7, 8, 64, 127, 255, 2048, 8192, 16384, 65535, 65536, 196_608, 0x7fff_ffff, -0x8000_0000,
    0xffff_ffff, i64::MAX, i64::MIN,
];

/// Changes the plugin in the first `size` of these bytes, which has at most `most` afterwards. Returns how many it has then.
pub fn change(bytes: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut random = Random::new(seed);
    let given = if random.below(ANEW) == 0 { None } else { Plugin::of(&bytes[..size]) };
    let Some(plugin) = given.or_else(|| Plugin::of(GOOD[random.below(GOOD.len())])) else { return size };
    for _ in 0..TRIES {
        let changed = plugin.changed(&mut random);
        if changed.len() <= most && Validator::new().validate_all(&changed).is_ok() {
            bytes[..changed.len()].copy_from_slice(&changed);
            return changed.len();
        }
    }
    size
}

/// A module, and what of it can be changed.
struct Plugin {
    bytes: Vec<u8>,
    sections: Vec<Section>,
    bodies: Vec<Range<usize>>,
    data: Vec<Range<usize>>,
}

impl Plugin {
    fn of(bytes: &[u8]) -> Option<Self> {
        let sections = sections(bytes)?;
        let (mut bodies, mut data) = (Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.ok()? {
                Payload::CodeSectionEntry(body) => bodies.push(body.range()),
                Payload::DataSection(segments) => {
                    for segment in segments {
                        let segment = segment.ok()?;
                        // The bytes of a segment are the last thing in it.
                        data.push(segment.range.end - segment.data.len()..segment.range.end);
                    }
                }
                _ => {}
            }
        }
        data.retain(|segment| !segment.is_empty());
        (!bodies.is_empty()).then(|| Plugin { bytes: bytes.to_vec(), sections, bodies, data })
    }

    fn changed(&self, random: &mut Random) -> Vec<u8> {
        let small: Vec<_> = self.sections.iter().filter(|section| SMALL.contains(&section.id)).collect();
        match random.below(10) {
            0 | 1 if !self.data.is_empty() => self.with_bytes_changed(random.of(&self.data)),
            2 if !small.is_empty() => self.with_bytes_changed(&random.of(&small).content),
            _ => self.with_code_changed(random),
        }
    }

    /// As many other bytes in this place.
    fn with_bytes_changed(&self, place: &Range<usize>) -> Vec<u8> {
        let mut changed = self.bytes.clone();
        let mut part = changed[place.clone()].to_vec();
        let kept = fuzzer_mutate(&mut part, place.len(), place.len());
        changed[place.start..place.start + kept].copy_from_slice(&part[..kept]);
        changed
    }

    /// One to four changes of operators in one function.
    fn with_code_changed(&self, random: &mut Random) -> Vec<u8> {
        let at = random.below(self.bodies.len());
        let mut body = self.bytes[self.bodies[at].clone()].to_vec();
        for _ in 0..1 << random.below(3) {
            body = self.with_operators_changed(body, random);
        }
        let mut code = Vec::new();
        number(&mut code, self.bodies.len() as u32);
        for (index, other) in self.bodies.iter().enumerate() {
            let body = if index == at { &body[..] } else { &self.bytes[other.clone()] };
            number(&mut code, body.len() as u32);
            code.extend_from_slice(body);
        }
        let content = |section: &Section| match section.id {
            CODE => (CODE, &code[..]),
            id => (id, &self.bytes[section.content.clone()]),
        };
        module(&self.bytes, self.sections.iter().map(content))
    }

    /// A body that can't be read any more stays as it is: the validator will say so.
    fn with_operators_changed(&self, body: Vec<u8>, random: &mut Random) -> Vec<u8> {
        let Some(operators) = operators(&body) else { return body };
        let at = random.below(operators.len());
        let some = |random: &mut Random, of: usize, from: usize| from..(from + 1 + random.below(6)).min(of);
        let (place, new) = match random.below(10) {
            // The last operator ends the function.
            0 => (some(random, operators.len() - 1, at.min(operators.len() - 2)), Vec::new()),
            1 | 2 => (at..at, random.of(&SNIPPETS).to_vec()),
            3 => {
                let other = &self.bytes[random.of(&self.bodies).clone()];
                let Some(theirs) = self::operators(other) else { return body };
                let from = random.below(theirs.len());
                let copied = some(random, theirs.len(), from);
                (at..at, theirs[copied].iter().flat_map(|range| other[range.clone()].to_vec()).collect())
            }
            _ => (at..at + 1, changed_operator(&body[operators[at].clone()], random)),
        };
        let end = operators[operators.len() - 1].end;
        let start_of = |index: usize| operators.get(index).map_or(end, |operator| operator.start);
        let mut changed = body[..start_of(place.start)].to_vec();
        changed.extend(new);
        changed.extend_from_slice(&body[start_of(place.end)..]);
        changed
    }
}

/// Where the operators of a body are in it, if there are at least two.
fn operators(body: &[u8]) -> Option<Vec<Range<usize>>> {
    let function = FunctionBody::new(wasmparser::BinaryReader::new(body, 0));
    let starts = function.get_operators_reader().ok()?.into_iter_with_offsets();
    let mut starts: Vec<usize> = starts.map(|operator| operator.map(|(_, at)| at)).collect::<Result<_, _>>().ok()?;
    starts.push(body.len());
    let operators: Vec<_> = starts.windows(2).map(|two| two[0]..two[1]).collect();
    (operators.len() >= 2).then_some(operators)
}

/// Another operator in the place of this one, of the same type where it is of a kind of which there are several.
fn changed_operator(operator: &[u8], random: &mut Random) -> Vec<u8> {
    let code = operator[0];
    let group = GROUPS.iter().find(|group| group.contains(&code)).cloned().unwrap_or(code..code + 1);
    let mut new = vec![group.start + random.below(group.len()) as u8];
    match code {
        // Loads and stores: alignment, offset.
        0x28..=0x3e => {
            new.push(0);
            number(&mut new, random.number() as u32);
        }
        // Constants.
        0x41 => signed(&mut new, i64::from(random.number() as i32)),
        0x42 => signed(&mut new, random.number()),
        0x44 => new.extend((if random.below(2) == 0 { random.number() as f64 } else { random.bits() }).to_le_bytes()),
        // Branches, calls, locals, globals.
        0x0c | 0x0d | 0x10 | 0x20..=0x24 => number(&mut new, random.below(16) as u32),
        _ => new.extend_from_slice(&operator[1..]),
    }
    new
}

/// Marsaglia's xorshift64*.
struct Random(u64);

impl Random {
    fn new(seed: u32) -> Self {
        Random(u64::from(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`, which isn't 0.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A number at which something ends, or a small one.
    fn number(&mut self) -> i64 {
        if self.below(2) == 0 { *self.of(&NUMBERS) } else { self.below(300) as i64 }
    }

    /// Any bits as a number.
    fn bits(&mut self) -> f64 {
        f64::from_bits(self.next())
    }
}
