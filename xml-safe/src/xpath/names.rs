//! The names in the text of an expression: what it refers to, and where.
//!
//! libxml2 reports an undefined name by a number, and compiles expressions without positions. The text tells the rest.

/// The kind of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Variable,
    Function,
    /// An element, an attribute or a target of a processing instruction.
    Node,
}

/// A name in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'e> {
    pub(crate) kind: Kind,
    pub(crate) prefix: Option<&'e str>,
    pub(crate) local: &'e str,
    /// The number of bytes before the name. For a variable, before its dollar sign.
    pub(crate) at: usize,
}

/// The names that are node tests with parentheses, not functions.
pub(super) const NODE_TYPES: [&str; 4] = ["comment", "node", "processing-instruction", "text"];

/// The words that are operators behind an operand.
const OPERATORS: [&str; 4] = ["and", "div", "mod", "or"];

/// Reads an expression from left to right. Text that is no expression has some names, too.
#[derive(Clone)]
pub(super) struct Reader<'e> {
    pub(super) text: &'e str,
    pub(super) at: usize,
    /// Set behind an operand, where a name is an operator, and a slash is one.
    behind_operand: bool,
    /// Set behind a path that begins with a slash.
    has_slash: bool,
}

impl<'e> Reader<'e> {
    pub(super) fn new(text: &'e str) -> Self {
        Reader {
            text,
            at: 0,
            behind_operand: false,
            has_slash: false,
        }
    }

    pub(super) fn rest(&self) -> &'e str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn first(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Moves behind the characters that `belongs` accepts, and returns them.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'e str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    pub(super) fn take_name(&mut self) -> Option<&'e str> {
        self.first().filter(|c| starts_name(*c))?;
        Some(self.take_while(continues_name))
    }

    /// Takes a name with or without a prefix. An axis before it is left.
    pub(super) fn take_qualified(&mut self) -> Option<(Option<&'e str>, &'e str)> {
        let first = self.take_name()?;
        let rest = self.rest();
        let Some(local) = rest.strip_prefix(':').filter(|rest| !rest.starts_with(':')) else {
            return Some((None, first));
        };
        if local.starts_with('*') {
            self.at += ":*".len();
            return Some((Some(first), "*"));
        }
        let before = self.at;
        self.at += 1;
        match self.take_name() {
            Some(local) => Some((Some(first), local)),
            None => {
                self.at = before;
                Some((None, first))
            }
        }
    }

    pub(super) fn skip_literal(&mut self, quote: char) {
        self.at += 1;
        self.take_while(|c| c != quote);
        self.at += self.first().map_or(0, char::len_utf8);
        self.behind_operand = true;
    }

    /// Skips a number, a dot or two dots.
    pub(super) fn skip_number(&mut self) {
        self.take_while(|c| c.is_ascii_digit() || c == '.');
        let mut exponent = self.rest().chars().skip(1);
        if self.rest().starts_with(['e', 'E'])
            && exponent
                .next()
                .is_some_and(|c| c.is_ascii_digit() || "+-".contains(c))
        {
            self.at += 2;
            self.take_while(|c| c.is_ascii_digit());
        }
        self.behind_operand = true;
    }

    /// Skips a character that is no part of a name, a number or a literal.
    pub(super) fn skip_other(&mut self, c: char) {
        if c == '/' {
            self.has_slash |= !self.behind_operand;
            self.take_while(|c| c == '/');
            self.behind_operand = false;
            return;
        }
        self.behind_operand = match c {
            ')' | ']' => true,
            '*' => !self.behind_operand,
            _ => false,
        };
        self.at += c.len_utf8();
    }

    pub(super) fn take_variable(&mut self) -> Option<Name<'e>> {
        let at = self.at;
        self.at += 1;
        self.skip_blanks();
        let (prefix, local) = self.take_qualified()?;
        self.behind_operand = true;
        Some(Name {
            kind: Kind::Variable,
            prefix,
            local,
            at,
        })
    }

    /// Takes a name that is not an operator and not an axis.
    pub(super) fn take_test_or_function(&mut self) -> Option<Name<'e>> {
        let at = self.at;
        let (prefix, local) = self.take_qualified()?;
        if self.behind_operand && prefix.is_none() && OPERATORS.contains(&local) {
            self.behind_operand = false;
            return None;
        }
        self.skip_blanks();
        if self.rest().starts_with("::") {
            self.at += 2;
            self.behind_operand = false;
            return None;
        }
        let is_called = self.rest().starts_with('(');
        let is_type = prefix.is_none() && NODE_TYPES.contains(&local);
        self.behind_operand = true;
        Some(Name {
            kind: match is_called && !is_type {
                true => Kind::Function,
                false => Kind::Node,
            },
            prefix,
            local,
            at,
        })
    }
}

impl<'e> Iterator for Reader<'e> {
    type Item = Name<'e>;

    fn next(&mut self) -> Option<Name<'e>> {
        loop {
            self.skip_blanks();
            let name = match self.first()? {
                quote @ ('\'' | '"') => {
                    self.skip_literal(quote);
                    None
                }
                c if c == '.' || c.is_ascii_digit() => {
                    self.skip_number();
                    None
                }
                '$' => self.take_variable(),
                c if starts_name(c) => self.take_test_or_function(),
                c => {
                    self.skip_other(c);
                    None
                }
            };
            if name.is_some() {
                return name;
            }
        }
    }
}

pub(super) fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || (!c.is_ascii() && c.is_alphanumeric())
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || "_-.".contains(c) || (!c.is_ascii() && !c.is_whitespace())
}

/// Returns the names in the expression, from left to right.
pub(crate) fn names(expression: &str) -> impl Iterator<Item = Name<'_>> {
    Reader::new(expression)
}

/// Returns whether the expression has a path that begins at the document: with a slash, or with the function `id`.
pub(crate) fn begins_at_document(expression: &str) -> bool {
    let mut names = Reader::new(expression);
    let is_id =
        |name: Name<'_>| name.kind == Kind::Function && name.prefix.is_none() && name.local == "id";
    names.any(is_id) || names.has_slash
}

/// Returns the number of bytes before the first parenthesis or bracket that is nested deeper than `most`.
pub(crate) fn first_deeper(expression: &str, most: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in expression.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') if depth == most => return Some(at),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}
