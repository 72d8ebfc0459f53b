//! The functions and the variables that an XPath expression names.
//!
//! This reads the lexical structure alone (XPath 1.0, section 3.7), of an expression that libxml2 has compiled already.

use std::ffi::{CStr, c_int};

use leakproof::Error;

use crate::errors::XPathError;

/// A function or a variable, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Name<'e> {
    pub(crate) kind: NameKind,
    pub(crate) prefix: Option<&'e [u8]>,
    pub(crate) local: &'e [u8],
    position: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    Function,
    Variable,
}

/// What also stands before a parenthesis: the node types, and the operators that are words.
const NOT_FUNCTIONS: &[&[u8]] = &[
    b"comment",
    b"text",
    b"processing-instruction",
    b"node",
    b"and",
    b"or",
    b"div",
    b"mod",
];

/// The functions that `expression` calls and the variables it reads, in their order.
pub(crate) fn names_in(expression: &[u8]) -> Vec<Name<'_>> {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(&byte) = expression.get(at) {
        match byte {
            b'\'' | b'"' => at = end_of_literal(expression, at),
            b'$' => {
                let start = skip_space(expression, at + 1);
                let (name, end) = qualified_name(expression, start, NameKind::Variable);
                names.extend(name);
                at = end.max(at + 1);
            }
            byte if is_name(byte) => {
                let (name, end) = qualified_name(expression, at, NameKind::Function);
                let called = expression.get(skip_space(expression, end)) == Some(&b'(');
                names.extend(name.filter(|name| called && name.is_function()));
                at = end;
            }
            _ => at += 1,
        }
    }
    names
}

impl Name<'_> {
    fn is_function(&self) -> bool {
        let number = self.local.first().is_none_or(u8::is_ascii_digit);
        !number && (self.prefix.is_some() || !NOT_FUNCTIONS.contains(&self.local))
    }

    /// The error that libxml2 has for this name.
    pub(crate) fn error(&self, expression: &CStr, code: u32) -> Error {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let prefix = self.prefix.map(text);
        let local = text(self.local);
        let message = match &prefix {
            Some(prefix) if code == crate::ffi::XML_XPATH_UNDEF_PREFIX_ERROR => {
                format!("Undefined namespace prefix: {prefix}")
            }
            Some(prefix) => format!("Unregistered function: {prefix}:{local}"),
            None => format!("Unregistered function: {local}"),
        };
        let position = c_int::try_from(self.position).unwrap_or(c_int::MAX);
        let expression = Some(expression.to_string_lossy().into_owned());
        XPathError {
            message,
            code: code.cast_signed(),
            expression,
            position,
        }
        .into()
    }
}

fn end_of_literal(expression: &[u8], start: usize) -> usize {
    let rest = &expression[start + 1..];
    rest.iter()
        .position(|byte| *byte == expression[start])
        .map_or(expression.len(), |length| start + length + 2)
}

fn qualified_name(expression: &[u8], start: usize, kind: NameKind) -> (Option<Name<'_>>, usize) {
    let end = end_of_name(expression, start);
    if end == start {
        return (None, start);
    }
    let first = &expression[start..end];
    // One colon joins prefix and name; two end the name of an axis.
    let follows = |at: usize| expression.get(at).copied();
    if follows(end) == Some(b':') && follows(end + 1).is_some_and(is_name) {
        let local_end = end_of_name(expression, end + 1);
        let local = &expression[end + 1..local_end];
        return (
            Some(Name {
                kind,
                prefix: Some(first),
                local,
                position: start,
            }),
            local_end,
        );
    }
    (
        Some(Name {
            kind,
            prefix: None,
            local: first,
            position: start,
        }),
        end,
    )
}

fn end_of_name(expression: &[u8], start: usize) -> usize {
    let length = expression[start..]
        .iter()
        .take_while(|byte| is_name(**byte))
        .count();
    start + length
}

fn skip_space(expression: &[u8], start: usize) -> usize {
    let length = expression[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    start + length
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | 0x80..)
}
