//! From text to [`Node`]: limits, tokens, sqlparser, and its errors in the words of a rule file.

use sqlparser::{
    dialect::Dialect,
    keywords::ALL_KEYWORDS,
    parser::{Parser, ParserError},
    tokenizer::Token,
};

use super::{
    lower::lower,
    node::Node,
    tokens::{RuleDialect, Tokens, is_reserved},
};
use crate::{
    code,
    diagnostic::Diagnostic,
    fileset::{File, FileId, Location},
    raw::offsets::Offsets,
    report::Report,
};

/// The longest expression: what sqlparser builds from it is dropped recursively, so its length bounds the stack.
const MAX_LENGTH: usize = 16 << 10;
/// How deep sqlparser may descend: parentheses, `not`, signs, calls.
const MAX_PARSER_DEPTH: usize = 60;

/// Parses the expression in the TOML string `text` at `at`. All that is wrong is reported; then there is no node.
pub(crate) fn parse(file: &File, text: &str, at: &Location, out: &mut Report) -> Option<Node> {
    if text.len() > MAX_LENGTH {
        let headline = format!("this expression has {} KiB; at most 16 are read", text.len().div_ceil(1024));
        let help = "split it into derived metrics";
        let start = Location { file: at.file, range: at.range.start..at.range.start };
        out.push(Diagnostic::error(code::EXPRESSION_TOO_LONG, &start, headline).help(help));
        return None;
    }
    let offsets = Offsets::new(file, at, text);
    let tokens = Tokens::new(text, &offsets, out)?;
    if tokens.all().is_empty() {
        out.push(Diagnostic::error(code::EXPRESSION_SYNTAX, at, "there is no expression here"));
        return None;
    }
    let foreign = foreign_tokens(&tokens);
    if !foreign.is_empty() {
        out.extend(foreign);
        return None;
    }
    parse_tokens(&tokens, out)
}

fn parse_tokens(tokens: &Tokens<'_>, out: &mut Report) -> Option<Node> {
    let mut parser = Parser::new(&RuleDialect)
        .with_recursion_limit(MAX_PARSER_DEPTH)
        .with_tokens_with_locations(tokens.all().to_vec());
    let parsed = parser.parse_expr();
    let rest = parser.index();
    match parsed {
        Err(error) => out.push(syntax_error(&error, tokens)),
        Ok(_) if rest < tokens.all().len() => {
            let headline = format!("expected an operator or the end, found `{}`", tokens.all()[rest].token);
            out.push(Diagnostic::error(code::EXPRESSION_SYNTAX, &tokens.locate_token(rest), headline));
        }
        Ok(tree) => return lower(&tree, tokens, out),
    }
    None
}

/// Whether expressions can use this name as it stands: letters of any script, digits and `_`, and no word that means something
/// else at a place where a value may stand.
pub fn is_usable_name(name: &str) -> bool {
    let mut chars = name.chars();
    let good = chars.next().is_some_and(|first| RuleDialect.is_identifier_start(first))
        && chars.all(|char| RuleDialect.is_identifier_part(char));
    let keyword = ALL_KEYWORDS.binary_search(&name.to_uppercase().as_str()).is_ok();
    good && !is_reserved(name) && (!keyword || reads_as_name(name))
}

/// Whether sqlparser takes this word for a name wherever a value may stand: `select` not after a parenthesis, for one.
fn reads_as_name(word: &str) -> bool {
    const USES: &str =
        "((N) = N and N is null) or not N < -N or f(N, N) in (1) or case when N then N else N end between N and N";
    let file = File { path: "".into(), text: "".into() };
    let at = Location { file: FileId(0), range: 0..0 };
    let node = parse(&file, &USES.replace('N', word), &at, &mut Report::default());
    let names = node.map(|node| node.names()).unwrap_or_default();
    names.len() == USES.matches('N').count() && names.iter().all(|(found, _)| **found == *word)
}

/// Tokens that no rule has, each with what to write in its place.
fn foreign_tokens(tokens: &Tokens<'_>) -> Vec<Diagnostic> {
    let foreign = |(index, token): (usize, &Token)| {
        let at = tokens.locate_token(index);
        let not_here =
            |headline: &str, help: &str| Some(Diagnostic::error(code::NOT_SUPPORTED, &at, headline).help(help));
        match token {
            Token::DoubleQuotedString(text) => Some(
                Diagnostic::error(code::DOUBLE_QUOTES, &at, "text is written in single quotes")
                    .help(format!("write '{}'; names are written without quotes", text.replace('\'', "''"))),
            ),
            Token::DoubleEq => not_here("`==` is no operator", "write `=`"),
            Token::StringConcat => not_here("texts can't be joined", "compare them one by one"),
            Token::Ampersand => not_here("`&` is no operator", "write `and`"),
            Token::Overlap => not_here("`&&` is no operator", "write `and`"),
            Token::ExclamationMark => not_here("`!` is no operator", "write `not` or `<>`"),
            Token::Mod => not_here("`%` is no operator", "a share is written as a number: 0.1 for 10 %"),
            Token::Caret => not_here("`^` is no operator", "write the product: `x * x`"),
            Token::DoubleColon => not_here("`::` is no cast here", "write `cast(x as real)`"),
            Token::SemiColon => not_here("a rule holds one expression, no statements", "leave the `;` out"),
            Token::Placeholder(_) => not_here("there are no parameters in rules", "write the value itself"),
            Token::Number(_, true) => not_here("a number has no suffix", "leave the `L` out"),
            Token::Char(char) => {
                let headline = format!("the sign {char} means nothing in an expression");
                Some(Diagnostic::error(code::EXPRESSION_SYNTAX, &at, headline).maybe_help(in_place_of(*char)))
            }
            _ => None,
        }
    };
    tokens.all().iter().map(|token| &token.token).enumerate().filter_map(foreign).collect()
}

/// What to write for signs of other systems, and those that Chinese input methods give in place of the ASCII ones.
fn in_place_of(char: char) -> Option<String> {
    let ascii = match char {
        '（' => '(',
        '）' => ')',
        '，' => ',',
        '＝' => '=',
        '＞' => '>',
        '＜' => '<',
        '`' => return Some("names are written without quotes".to_owned()),
        '≥' => return Some("write `>=`".to_owned()),
        '≤' => return Some("write `<=`".to_owned()),
        '≠' => return Some("write `<>`".to_owned()),
        '×' => '*',
        '÷' => '/',
        '‘' | '’' | '“' | '”' => '\'',
        _ => return None,
    };
    Some(format!("write `{ascii}`"))
}

/// sqlparser's error. Its place is in its message only; where there is none, the text ended too early.
fn syntax_error(error: &ParserError, tokens: &Tokens<'_>) -> Diagnostic {
    let message = match error {
        ParserError::RecursionLimitExceeded => return too_deep(&tokens.locate_token(0)),
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message.as_str(),
    };
    let (message, place) = message.split_once(" at Line: ").unwrap_or((message, ""));
    let mut numbers = place.split(", Column: ").map(|n| n.parse::<u64>().ok());
    let index = match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(line), Some(column)) => {
            let starts = tokens.all().iter().map(|token| token.span.start);
            starts.into_iter().position(|start| (start.line, start.column) == (line, column))
        }
        _ => None,
    };
    let index = index.unwrap_or(tokens.all().len());
    let wanted = message.strip_prefix("Expected: ").map(|rest| rest.split(", found").next().unwrap_or(rest));
    let found = tokens.token(index).map_or("the end".to_owned(), |token| format!("`{token}`"));
    let headline = match wanted {
        // A sign or a keyword itself.
        Some(wanted) if !wanted.contains(char::is_lowercase) => {
            format!("expected `{}`, found {found}", wanted.to_lowercase())
        }
        Some(wanted) => format!("expected {wanted}, found {found}"),
        None => format!("{found} isn't expected here"),
    };
    Diagnostic::error(code::EXPRESSION_SYNTAX, &tokens.locate_token(index), headline)
}

/// An expression that goes too deep.
pub(super) fn too_deep(at: &Location) -> Diagnostic {
    Diagnostic::error(code::TOO_DEEP, at, "this expression is nested too deeply").help("split it into derived metrics")
}
