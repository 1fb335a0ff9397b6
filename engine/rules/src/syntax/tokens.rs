//! The tokens of an expression, with places in the file.

use std::ops::Range;

use sqlparser::{
    ast::Expr,
    dialect::Dialect,
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Location as Point, Span, Token, TokenWithSpan, Tokenizer, TokenizerError, Whitespace},
};

use crate::{code, diagnostic::Diagnostic, fileset::Location, raw::offsets::Offsets, report::Report};

/// The strictest dialect of sqlparser: everything that a dialect may add is off. Identifiers are letters of any script, digits and `_`.
#[derive(Debug)]
pub(super) struct RuleDialect;

impl Dialect for RuleDialect {
    fn is_identifier_start(&self, char: char) -> bool {
        char.is_alphabetic() || char == '_'
    }

    fn is_identifier_part(&self, char: char) -> bool {
        char.is_alphanumeric() || char == '_'
    }

    /// Words of the language begin no value: without this, sqlparser takes `and` for a column in `a and and b`.
    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let token = parser.peek_token_ref();
        let is_infix = matches!(&token.token, Token::Word(word) if is_among(&word.value, &INFIX_WORDS));
        is_infix.then(|| parser.expected_ref("an expression", token))
    }

    /// Words that begin an expression of their own: where that fails, they aren't tried as a column.
    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        use Keyword as K;
        matches!(keyword, K::CASE | K::CAST | K::NOT | K::INTERVAL | K::EXISTS | K::NULL | K::TRUE | K::FALSE)
    }

    /// Double quotes and backticks quote nothing here.
    fn is_delimited_identifier_start(&self, _: char) -> bool {
        false
    }
}

/// Words that stand between values.
const INFIX_WORDS: [&str; 12] =
    ["and", "or", "in", "is", "between", "like", "when", "then", "else", "end", "as", "distinct"];

/// Words that are a value, or begin one.
const PREFIX_WORDS: [&str; 9] = ["as_of", "today", "not", "null", "true", "false", "case", "cast", "interval"];

/// What stands before the point in a name that has one: `tier.value`. Alone, `was` is the level before the run.
pub(super) const STANDINGS: [&str; 3] = ["tier", "was", "since"];

/// Whether the language has this word for itself, so that nothing can be named so.
pub(super) fn is_reserved(word: &str) -> bool {
    is_among(word, &INFIX_WORDS) || is_among(word, &PREFIX_WORDS) || is_among(word, &STANDINGS)
}

fn is_among(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A run of tokens, both ends inside. Places are found by widening it, token by token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Run {
    /// A single token.
    pub(super) fn one(index: usize) -> Run {
        Run { first: index, last: index }
    }

    /// The smallest run that holds both.
    pub(super) fn join(self, other: Run) -> Run {
        Run { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// The tokens of one expression, without blanks.
pub(super) struct Tokens<'a> {
    all: Vec<TokenWithSpan>,
    bytes: Vec<Range<usize>>,
    offsets: &'a Offsets,
}

impl<'a> Tokens<'a> {
    /// Cuts the text into tokens; `None` where that can't be done, and is reported.
    pub(super) fn new(text: &str, offsets: &'a Offsets, out: &mut Report) -> Option<Self> {
        let lines = Lines::new(text);
        let unreadable = |error: TokenizerError| unreadable(&error.message, &offsets.locate(lines.one(error.location)));
        let mut all = match Tokenizer::new(&RuleDialect, text).tokenize_with_location() {
            Ok(all) => all,
            Err(error) => {
                out.push(unreadable(error));
                return None;
            }
        };
        if let Some(comment) = all.iter().find(|token| is_comment(&token.token)) {
            let at = offsets.locate(lines.range(comment.span));
            let help = "comments stand outside the quotes, after `#`; for `a - -1` leave a blank between the signs";
            out.push(Diagnostic::error(code::NOT_SUPPORTED, &at, "a comment inside an expression").help(help));
            return None;
        }
        all.retain(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
        let bytes = all.iter().map(|token| lines.range(token.span)).collect();
        Some(Tokens { all, bytes, offsets })
    }

    pub(super) fn all(&self) -> &[TokenWithSpan] {
        &self.all
    }

    pub(super) fn token(&self, index: usize) -> Option<&Token> {
        self.all.get(index).map(|token| &token.token)
    }

    /// Whether the token at `index` is this keyword or name.
    pub(super) fn is_word(&self, index: usize, word: &str) -> bool {
        matches!(self.token(index), Some(Token::Word(w)) if w.value.eq_ignore_ascii_case(word))
    }

    /// The token at a place that sqlparser gives; the first one where it gives none.
    pub(super) fn find(&self, span: Span) -> usize {
        self.all.partition_point(|token| token.span.start < span.start).min(self.all.len().saturating_sub(1))
    }

    /// The place of a run in the file.
    pub(super) fn locate(&self, run: Run) -> Location {
        let start = self.bytes.get(run.first).map_or(0, |bytes| bytes.start);
        let end = self.bytes.get(run.last).map_or(start, |bytes| bytes.end);
        self.offsets.locate(start..end.max(start))
    }

    /// The place of one token; of the end of the text, if there are no more.
    pub(super) fn locate_token(&self, index: usize) -> Location {
        match self.bytes.get(index) {
            Some(bytes) => self.offsets.locate(bytes.clone()),
            None => {
                let end = self.bytes.last().map_or(0, |bytes| bytes.end);
                self.offsets.locate(end..end)
            }
        }
    }

    /// The index of the parenthesis that closes the one at `open`.
    pub(super) fn closing(&self, open: usize) -> usize {
        let mut depth = 0usize;
        for (index, token) in self.all.iter().enumerate().skip(open) {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen if depth <= 1 => return index,
                Token::RParen => depth -= 1,
                _ => {}
            }
        }
        self.all.len().saturating_sub(1)
    }
}

fn is_comment(token: &Token) -> bool {
    matches!(token, Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)))
}

/// What the tokenizer can't read.
fn unreadable(message: &str, at: &Location) -> Diagnostic {
    if message.contains("Unterminated string literal") {
        let help = "close the text with `'`; a quote inside a text is written twice: 'it''s'";
        return Diagnostic::error(code::EXPRESSION_SYNTAX, at, "this text has no end").help(help);
    }
    Diagnostic::error(code::EXPRESSION_SYNTAX, at, "this can't be read as part of an expression")
}

/// Lines and columns (both from 1, columns counting characters) to bytes.
struct Lines {
    /// The byte at which each character begins, and the end.
    bytes: Vec<usize>,
    /// The character that each line begins with.
    starts: Vec<usize>,
}

impl Lines {
    fn new(text: &str) -> Self {
        let bytes = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let newlines = text.chars().enumerate().filter(|(_, char)| *char == '\n');
        Lines { bytes, starts: std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect() }
    }

    fn char(&self, point: Point) -> usize {
        let line = self.starts.get(point.line.saturating_sub(1) as usize);
        let char = line.map_or(usize::MAX, |start| start + point.column.saturating_sub(1) as usize);
        char.min(self.bytes.len() - 1)
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.bytes[self.char(span.start)]..self.bytes[self.char(span.end)]
    }

    /// The character at a place.
    fn one(&self, point: Point) -> Range<usize> {
        let char = self.char(point);
        self.bytes[char]..self.bytes[(char + 1).min(self.bytes.len() - 1)]
    }
}
