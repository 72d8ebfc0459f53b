//! XPointer: names parts of a document. The framework, the schemes `element()` and `xmlns()`, and of `xpointer()` what
//! XPath 1.0 can say.

use leakproof::prelude::*;

use super::contents;
use crate::document::Document;
use crate::node::Node;
use crate::valid;
use crate::xpath::errors::XPathError;
use crate::xpath::evaluate::eval_in;
use crate::xpath::options::Limits;
use crate::xpath::values::{XPathItem, XPathValue};

/// The reason why a pointer can't be followed.
pub(super) enum Failure {
    /// A mistake in the pointer.
    Is(String),
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Other(error)
    }
}

type Found<'d> = Result<Vec<Borrowed<'d, Node>>, Failure>;

/// A part of a pointer: a scheme with its data.
struct Part<'p> {
    scheme: &'p str,
    data: String,
}

/// Returns the nodes that a pointer finds: those of its first part that finds any.
pub(super) fn find<'d>(
    document: &'d Document,
    whole: Borrowed<'d, Node>,
    pointer: &str,
) -> Found<'d> {
    let pointer = pointer.trim();
    if is_name(pointer) {
        return with_id(document, whole, pointer);
    }
    let mut namespaces: Vec<(String, String)> = Vec::new();
    for part in parts(pointer)? {
        let found = match part.scheme {
            "xmlns" => {
                let (prefix, uri) = part
                    .data
                    .split_once('=')
                    .ok_or_else(|| malformed(pointer))?;
                namespaces.push((prefix.trim().to_owned(), uri.trim().to_owned()));
                continue;
            }
            "element" => element(document, whole, &part.data)?,
            "xpointer" => evaluated(document, whole, &part.data, &namespaces)?,
            // Parts of other schemes are skipped, as the framework says.
            _ => continue,
        };
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

fn malformed(pointer: &str) -> Failure {
    Failure::Is(format!("xpointer={pointer:?} is malformed"))
}

fn is_name(text: &str) -> bool {
    CString::new(text).is_ok_and(|text| valid::check_name(&text, "an ID").is_ok())
}

/// Splits a pointer into its parts. In data, `^` stands before a parenthesis that has no counterpart, and before `^`.
fn parts(pointer: &str) -> Result<Vec<Part<'_>>, Failure> {
    let wrong = || malformed(pointer);
    let mut parts = Vec::new();
    let mut rest = pointer;
    while !rest.is_empty() {
        let (scheme, after) = rest.split_once('(').ok_or_else(wrong)?;
        let local = scheme.rsplit(':').next().unwrap_or_default();
        if !is_name(local) {
            return Err(wrong());
        }
        let (mut data, mut open, mut end) = (String::new(), 1_usize, None);
        let mut chars = after.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '^' => {
                    let (_, escaped) = chars.next().ok_or_else(wrong)?;
                    if !matches!(escaped, '^' | '(' | ')') {
                        return Err(wrong());
                    }
                    data.push(escaped);
                    continue;
                }
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if open == 0 {
                end = Some(at);
                break;
            }
            data.push(c);
        }
        let end = end.ok_or_else(wrong)?;
        parts.push(Part { scheme, data });
        rest = after[end + 1..].trim_start();
    }
    Ok(parts)
}

/// Finds the element with an ID.
fn with_id<'d>(document: &'d Document, whole: Borrowed<'d, Node>, id: &str) -> Found<'d> {
    evaluated(document, whole, &format!("id('{id}')"), &[])
}

/// Follows the scheme `element()`: an ID, or numbers of children from the document or from an element with an ID.
fn element<'d>(document: &'d Document, whole: Borrowed<'d, Node>, data: &str) -> Found<'d> {
    let wrong = || Failure::Is(format!("xpointer has a malformed element({data})"));
    let mut steps = data.split('/');
    let id = steps.next().unwrap_or_default();
    let mut here = match id {
        "" => whole,
        id if is_name(id) => match with_id(document, whole, id)?.first() {
            Some(element) => *element,
            None => return Ok(Vec::new()),
        },
        _ => return Err(wrong()),
    };
    let mut is_at_element = !id.is_empty();
    for step in steps {
        let number: usize = step.parse().map_err(|_| wrong())?;
        let before = number.checked_sub(1).ok_or_else(wrong)?;
        match here
            .get()
            .steps()
            .filter(|child| child.is_element())
            .nth(before)
        {
            Some(child) => here = child,
            None => return Ok(Vec::new()),
        }
        is_at_element = true;
    }
    match is_at_element {
        true => Ok(vec![here]),
        false => Err(wrong()),
    }
}

/// Evaluates an XPath expression for nodes.
fn evaluated<'d>(
    document: &'d Document,
    whole: Borrowed<'d, Node>,
    expression: &str,
    namespaces: &[(String, String)],
) -> Found<'d> {
    let nul = || Failure::Is("xpointer has a NUL".into());
    let text = |text: &str| CString::new(text).map_err(|_| nul());
    let mut context = document.new_context()?;
    context.set_context_node(whole.get())?;
    for (prefix, uri) in namespaces {
        context.bind_prefix(&text(prefix)?, &text(uri)?)?;
    }
    let limits = Limits::new(None, None)?;
    let value = eval_in(&context, document, &text(expression)?, limits);
    let value = value.map_err(|error| match XPathError::code_of(&error) {
        Some(_) => Failure::Is(format!("xpointer: {error}")),
        None => Failure::Other(error),
    })?;
    let XPathValue::Nodes(items) = value else {
        let message = format!("xpointer({expression}) gives no nodes");
        return Err(Failure::Is(message));
    };
    let mut found = Vec::new();
    for item in items {
        match item {
            XPathItem::Node(node) if node.is_document() => found.extend(contents(node)?),
            XPathItem::Node(node) if node.is_content() => found.push(node),
            _ => {
                let message = format!(
                    "xpointer({expression}) gives an attribute or a namespace, which can't be included"
                );
                return Err(Failure::Is(message));
            }
        }
    }
    Ok(found)
}
