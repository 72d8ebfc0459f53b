//! The parts of an expression that an error of an evaluation can be about.
//!
//! libxml2 reports a value of a wrong type, and a wrong number of arguments, without saying where: a compiled
//! expression has no positions. The text is read here by the grammar of XPath 1.0, for expressions that libxml2 has
//! compiled. Every call and operator that may have failed by what is known of its operands is a possible cause. If
//! there is only one, that is the cause.

use std::fmt;

use crate::ffi;
use crate::xpath::names::{NODE_TYPES, Name, Reader, starts_name};

/// A part of an expression that an error may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause<'e> {
    /// A variable, a function or a prefix that is unknown.
    Name { name: String, at: usize },
    /// A call of a function, at its name.
    Call { name: &'e str, at: usize },
    /// An operand that has to be a node set.
    Operand { operator: &'static str, at: usize },
}

impl Cause<'_> {
    /// The cause of an error about an unknown name, or about its prefix.
    pub(crate) fn name(name: &Name<'_>, of_prefix: bool) -> Self {
        let at = name.at;
        let name = match (name.prefix, of_prefix) {
            (Some(prefix), true) => prefix.to_owned(),
            (Some(prefix), false) => format!("{prefix}:{}", name.local),
            (None, _) => name.local.to_owned(),
        };
        Cause::Name { name, at }
    }

    /// The number of bytes before the part.
    pub(crate) fn at(&self) -> usize {
        match self {
            Cause::Name { at, .. } | Cause::Call { at, .. } | Cause::Operand { at, .. } => *at,
        }
    }

    /// The name of the variable, the prefix or the function.
    pub(crate) fn name_of(&self) -> Option<String> {
        match self {
            Cause::Name { name, .. } => Some(name.clone()),
            Cause::Call { name, .. } => Some((*name).to_owned()),
            Cause::Operand { .. } => None,
        }
    }
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Name { name, .. } => f.write_str(name),
            Cause::Call { name, .. } => write!(f, "{name}()"),
            Cause::Operand { operator, .. } => write!(f, "an operand of {operator:?}"),
        }
    }
}

/// What is known of a value before the evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Nodes,
    /// A string, a number or a boolean.
    Other,
    Unknown,
}

/// The functions of XPath 1.0 with the least and the greatest number of their arguments.
pub(crate) const CORE: [(&str, usize, usize); 27] = [
    ("boolean", 1, 1),
    ("ceiling", 1, 1),
    ("concat", 2, usize::MAX),
    ("contains", 2, 2),
    ("count", 1, 1),
    ("false", 0, 0),
    ("floor", 1, 1),
    ("id", 1, 1),
    ("lang", 1, 1),
    ("last", 0, 0),
    ("local-name", 0, 1),
    ("name", 0, 1),
    ("namespace-uri", 0, 1),
    ("normalize-space", 0, 1),
    ("not", 1, 1),
    ("number", 0, 1),
    ("position", 0, 0),
    ("round", 1, 1),
    ("starts-with", 2, 2),
    ("string", 0, 1),
    ("string-length", 0, 1),
    ("substring", 2, 3),
    ("substring-after", 2, 2),
    ("substring-before", 2, 2),
    ("sum", 1, 1),
    ("translate", 3, 3),
    ("true", 0, 0),
];

/// The functions of XPath 1.0 whose argument is a node set.
const OF_NODES: [&str; 5] = ["count", "local-name", "name", "namespace-uri", "sum"];

/// The name of a function in a namespace of libxml2's own, which takes two arguments.
const ESCAPE_URI: &str = "escape-uri";

/// The operators between operands, all but `|`. libxml2 looks at no character behind a word.
const OPERATORS: [&str; 13] = [
    "and", "or", "div", "mod", "!=", "<=", ">=", "=", "<", ">", "+", "-", "*",
];

/// The depth of expressions within expressions beyond which nothing is looked for. libxml2 compiles none that is nested
/// deeper than 500 levels.
const DEEPEST: usize = 600;

/// Returns the possible causes of an error, from left to right; none if they are not known. `of_variable` returns the
/// type of a variable.
pub(crate) fn causes<'e>(
    code: u32,
    expression: &'e str,
    of_variable: &dyn Fn(&Name<'_>) -> Type,
) -> Vec<Cause<'e>> {
    let is_known = [
        ffi::XML_XPATH_INVALID_TYPE,
        ffi::XML_XPATH_INVALID_ARITY,
        ffi::XML_XPATH_INVALID_CTXT_SIZE,
        ffi::XML_XPATH_INVALID_CTXT_POSITION,
    ]
    .contains(&code);
    if !is_known {
        return Vec::new();
    }
    let mut parser = Parser {
        reader: Reader::new(expression),
        of_variable,
        code,
        found: Vec::new(),
        depth: 0,
        predicates: 0,
    };
    match parser.expression() {
        Some(_) if parser.is_at_end() => {
            parser.found.sort_by_key(Cause::at);
            parser.found
        }
        _ => Vec::new(),
    }
}

/// Returns a number of steps that libxml2's compiled form of an expression has at least: one for each literal, number,
/// name and operator. Minus signs and the operators that are words are left out.
pub(crate) fn least_steps(expression: &str) -> usize {
    let mut reader = Reader::new(expression);
    let mut steps = 0;
    loop {
        reader.skip_blanks();
        let Some(c) = reader.first() else {
            return steps;
        };
        let is_step = match c {
            '\'' | '"' => {
                reader.skip_literal(c);
                true
            }
            '.' | '0'..='9' => {
                let start = reader.at;
                reader.skip_number();
                let number = &expression[start..reader.at];
                number.contains(|c: char| c.is_ascii_digit())
            }
            '$' => reader.take_variable().is_some(),
            _ if starts_name(c) => {
                // Its literal counts.
                let name = reader.take_test_or_function();
                name.is_some_and(|name| name.local != "processing-instruction")
            }
            _ => {
                reader.skip_other(c);
                if "<>".contains(c) && reader.first() == Some('=') {
                    reader.skip_other('=');
                }
                "+*=<>|[".contains(c)
            }
        };
        steps += usize::from(is_step);
    }
}

/// Reads an expression from left to right. `None` stands for text that is no expression.
struct Parser<'e, 'v> {
    reader: Reader<'e>,
    of_variable: &'v dyn Fn(&Name<'_>) -> Type,
    /// The code of the error.
    code: u32,
    found: Vec<Cause<'e>>,
    depth: usize,
    /// The number of predicates around the place.
    predicates: usize,
}

impl<'e> Parser<'e, '_> {
    /// Moves to the next character that is not blank, and returns its place.
    fn place(&mut self) -> usize {
        self.reader.skip_blanks();
        self.reader.at
    }

    fn is_at_end(&mut self) -> bool {
        self.place() == self.reader.text.len()
    }

    fn is_before(&mut self, text: &str) -> bool {
        self.place();
        self.reader.rest().starts_with(text)
    }

    /// Moves behind a text, if it is next.
    fn take(&mut self, text: &str) -> bool {
        let is_next = self.is_before(text);
        if is_next {
            self.reader.at += text.len();
        }
        is_next
    }

    fn require(&mut self, text: &str) -> Option<()> {
        self.take(text).then_some(())
    }

    fn add(&mut self, code: u32, cause: Cause<'e>) {
        if code == self.code {
            self.found.push(cause);
        }
    }

    /// Adds an operator as a cause, if it needs a node set at a place where there may be none.
    fn need_nodes(&mut self, operator: &'static str, at: usize, operand: Type) {
        if operand != Type::Nodes {
            self.add(ffi::XML_XPATH_INVALID_TYPE, Cause::Operand { operator, at });
        }
    }

    /// Reads operands with operators between them. Every operator but `|` gives a value that is no node set, so that
    /// their precedence makes no difference.
    fn expression(&mut self) -> Option<Type> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut found = self.operand()?;
        while OPERATORS.iter().any(|operator| self.take(operator)) {
            self.operand()?;
            found = Type::Other;
        }
        self.depth -= 1;
        Some(found)
    }

    /// Reads paths with `|` between them, behind minus signs.
    fn operand(&mut self) -> Option<Type> {
        let mut is_negated = false;
        while self.take("-") {
            is_negated = true;
        }
        let mut at = self.place();
        let mut found = self.path()?;
        let mut is_union = false;
        while self.take("|") {
            self.need_nodes("|", at, found);
            at = self.place();
            found = self.path()?;
            is_union = true;
        }
        if is_union {
            self.need_nodes("|", at, found);
            found = Type::Nodes;
        }
        Some(if is_negated { Type::Other } else { found })
    }

    fn path(&mut self) -> Option<Type> {
        let at = self.place();
        let mut found = match self.reader.first()? {
            '(' => {
                self.reader.at += 1;
                let inner = self.expression()?;
                self.require(")")?;
                inner
            }
            '$' => (self.of_variable)(&self.reader.take_variable()?),
            quote @ ('\'' | '"') => {
                self.reader.skip_literal(quote);
                Type::Other
            }
            _ if self.is_number() => {
                self.reader.skip_number();
                Type::Other
            }
            _ if self.is_call() => self.call()?,
            _ => {
                self.location()?;
                return Some(Type::Nodes);
            }
        };
        while self.is_before("[") {
            self.need_nodes("[", at, found);
            self.predicate()?;
            found = Type::Nodes;
        }
        if self.is_before("/") {
            self.need_nodes("/", at, found);
            self.take_slashes();
            self.steps()?;
            found = Type::Nodes;
        }
        Some(found)
    }

    fn is_number(&self) -> bool {
        let rest = self.reader.rest();
        let digits = rest.strip_prefix('.').unwrap_or(rest);
        digits.starts_with(|c: char| c.is_ascii_digit())
    }

    /// Returns `true` before the name of a function.
    fn is_call(&self) -> bool {
        let mut ahead = self.reader.clone();
        let Some((prefix, local)) = ahead.take_qualified() else {
            return false;
        };
        ahead.skip_blanks();
        let is_type = prefix.is_none() && NODE_TYPES.contains(&local);
        ahead.rest().starts_with('(') && !is_type
    }

    fn call(&mut self) -> Option<Type> {
        let at = self.place();
        let (prefix, local) = self.reader.take_qualified()?;
        let name = self.reader.text.get(at..self.reader.at)?;
        self.require("(")?;
        let (mut count, mut first) = (0, Type::Unknown);
        while !self.take(")") {
            let argument = self.expression()?;
            if count == 0 {
                first = argument;
            }
            count += 1;
            if !self.is_before(")") {
                self.require(",")?;
            }
        }
        let core = CORE
            .iter()
            .find(|(core, ..)| prefix.is_none() && *core == local);
        let call = Cause::Call { name, at };
        let Some((_, least, most)) = core else {
            if local == ESCAPE_URI && count != 2 {
                self.add(ffi::XML_XPATH_INVALID_ARITY, call);
            }
            return Some(Type::Unknown);
        };
        match local {
            _ if !(*least..=*most).contains(&count) => {
                self.add(ffi::XML_XPATH_INVALID_ARITY, call);
            }
            "last" if self.predicates == 0 => self.add(ffi::XML_XPATH_INVALID_CTXT_SIZE, call),
            "position" if self.predicates == 0 => {
                self.add(ffi::XML_XPATH_INVALID_CTXT_POSITION, call);
            }
            _ if count == 1 && OF_NODES.contains(&local) && first != Type::Nodes => {
                self.add(ffi::XML_XPATH_INVALID_TYPE, call);
            }
            _ => {}
        }
        Some(match local {
            "id" => Type::Nodes,
            _ => Type::Other,
        })
    }

    fn take_slashes(&mut self) {
        let _ = self.take("//") || self.take("/");
    }

    fn location(&mut self) -> Option<()> {
        if !self.is_before("/") {
            return self.steps();
        }
        self.take_slashes();
        self.place();
        let starts_step =
            |c: char| c.is_alphabetic() || !c.is_ascii() || matches!(c, '_' | '.' | '@' | '*');
        match self.reader.first().is_some_and(starts_step) {
            true => self.steps(),
            false => Some(()),
        }
    }

    fn steps(&mut self) -> Option<()> {
        self.step()?;
        while self.is_before("/") {
            self.take_slashes();
            self.step()?;
        }
        Some(())
    }

    fn step(&mut self) -> Option<()> {
        if self.take("..") || self.take(".") {
            return Some(());
        }
        if !self.take("@") {
            self.take_axis();
        }
        if !self.take("*") {
            self.place();
            self.reader.take_qualified()?;
            if self.take("(") {
                self.place();
                if let Some(quote @ ('\'' | '"')) = self.reader.first() {
                    self.reader.skip_literal(quote);
                }
                self.require(")")?;
            }
        }
        while self.is_before("[") {
            self.predicate()?;
        }
        Some(())
    }

    fn take_axis(&mut self) {
        let mut ahead = self.reader.clone();
        ahead.take_name();
        ahead.skip_blanks();
        if ahead.rest().starts_with("::") {
            self.reader.at = ahead.at + "::".len();
        }
    }

    fn predicate(&mut self) -> Option<()> {
        self.require("[")?;
        self.predicates += 1;
        self.expression()?;
        self.predicates -= 1;
        self.require("]")
    }
}
