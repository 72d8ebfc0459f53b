//! Canonical XML, by libxml2.
//!
//! libxml2 calls itself for each level of the tree. The stack that a document needs is provided, as for XPath.

use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};

use leakproof::prelude::*;

use super::encode::{Encoder, Encoding};
use super::options::Canonical;
use super::output::{Output, Sink};
use super::target::Destination;
use super::uris::{Uris, first_that_is_none};
use crate::document::Document;
use crate::ffi;
use crate::node::Node;

/// The stack in bytes that libxml2 needs for each level of the tree, with a margin for other builds of libxml2.
const LEVEL: usize = 1 << 10;

/// The stack in bytes that libxml2 needs besides the levels.
const BASE: usize = 256 << 10;

/// The maximum depth of the tree.
const DEEPEST: usize = 1_000_000;

/// A list of namespace prefixes that ends with NULL.
#[derive(Debug)]
struct Prefixes {
    /// The prefixes, which the list points to.
    _owned: Vec<CString>,
    list: Vec<*mut ffi::xmlChar>,
}

impl Prefixes {
    fn new(owned: Vec<CString>) -> Self {
        let pointers = owned
            .iter()
            .map(|prefix| prefix.as_ptr().cast::<ffi::xmlChar>().cast_mut());
        let list = pointers.chain([std::ptr::null_mut()]).collect();
        Prefixes {
            _owned: owned,
            list,
        }
    }

    fn start(&self) -> *mut *mut ffi::xmlChar {
        self.list.as_ptr().cast_mut()
    }
}

#[methods(unsafe, rust_only)]
impl super::output::Output {
    /// Writes a whole document.
    #[calls(
        ffi::xmlC14NExecute,
        args = (document, null, null, mode, prefixes.start(), comments, self),
        fields(context = sink.data, writecallback = sink.write),
        fails = negative,
        detach
    )]
    fn canonical(
        &mut self,
        document: &Document,
        mode: c_int,
        prefixes: Prefixes,
        comments: c_int,
        sink: &Sink,
    ) -> Result<c_int>;

    /// Writes the nodes that `subtree` shows.
    #[calls(
        ffi::xmlC14NExecute,
        args = (document, subtree.shows, subtree.data, mode, prefixes.start(), comments, self),
        fields(context = sink.data, writecallback = sink.write),
        fails = negative,
        detach
    )]
    fn canonical_part(
        &mut self,
        document: &Document,
        subtree: &Subtree,
        mode: c_int,
        prefixes: Prefixes,
        comments: c_int,
        sink: &Sink,
    ) -> Result<c_int>;
}

/// A node, an attribute or a namespace, as libxml2 passes it to [`Subtree`].
#[handle(raw = ffi::xmlNode, callback_only)]
struct Seen;

#[methods(unsafe, rust_only)]
impl Seen {
    #[field(parent)]
    fn parent(&self) -> Option<Borrowed<Seen>>;

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// The part of a document that is written: an element and all below it.
#[derive(Debug)]
struct Subtree {
    /// The address of the element.
    top: usize,
    /// The elements around the place that libxml2 has reached, from the document on.
    path: Mutex<Vec<Step>>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    address: usize,
    /// Set for an element of the part.
    is_inside: bool,
}

impl Attachment for Subtree {}

#[callbacks(unsafe)]
impl Subtree {
    /// Returns 1 for a node of the part.
    #[callback(ffi::xmlC14NIsVisibleCallback, args = (data, node, parent))]
    fn shows(&self, node: &Seen, parent: Option<Borrowed<'_, Seen>>) -> Result<c_int> {
        let is_shown = match parent {
            _ if node.address() == self.top => true,
            Some(parent) => self.holds(parent.get())?,
            None => false,
        };
        Ok(c_int::from(is_shown))
    }
}

impl Subtree {
    /// Returns `true` if an element belongs to the part. libxml2 goes in document order, so that the element or its
    /// parent is mostly at the end of the path.
    fn holds(&self, element: &Seen) -> Result<bool> {
        let mut path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        // The elements that are not in the path, from the inner to the outer.
        let mut unknown = Vec::new();
        let mut is_inside = false;
        let mut next = Some(element);
        while let Some(node) = next {
            let address = node.address();
            let reach = if unknown.len() < 2 { 3 } else { path.len() };
            let mut last = path.iter().enumerate().rev().take(reach);
            if let Some((place, known)) = last.find(|(_, step)| step.address == address) {
                is_inside = known.is_inside;
                if unknown.is_empty() {
                    return Ok(is_inside);
                }
                path.truncate(place + 1);
                break;
            }
            unknown.try_reserve(1)?;
            unknown.push(address);
            next = node.parent().map(|parent| parent.get());
        }
        if next.is_none() {
            path.clear();
        }
        path.try_reserve(unknown.len())?;
        for address in unknown.into_iter().rev() {
            is_inside |= address == self.top;
            path.push(Step { address, is_inside });
        }
        Ok(is_inside)
    }
}

/// Writes the canonical form of `node` to `destination`, and returns the destination.
pub(super) fn write(
    node: &Node,
    canonical: Canonical,
    destination: Destination,
) -> Result<Destination> {
    let document = node
        .owner()
        .ok_or_else(|| Error::Value("the node belongs to no document".into()))?;
    let whole = document.as_node();
    let depth = whole.map_or(0, |whole| depth(whole.get()));
    if depth > DEEPEST {
        return Err(Error::Overflow(format!(
            "the tree is deeper than {DEEPEST} levels"
        )));
    }
    let stack = BASE + depth * LEVEL;
    let uris = whole.and_then(|whole| Uris::of(whole.get(), true));
    let encoder = Encoder::new(destination, Encoding::utf8());
    let sink = Sink::new(encoder, false, uris.clone());
    if stacker::remaining_stack().is_some_and(|left| left > stack) {
        return on_this_stack(node, document.get(), canonical, sink);
    }
    // Python code does not run on another stack: the whole is written when libxml2 has returned.
    let memory = stacker::grow(stack, || {
        let memory = Encoder::new(Destination::memory(), Encoding::utf8());
        let sink = Sink::new(memory, false, uris).without_signals();
        on_this_stack(node, document.get(), canonical, sink)
    })?;
    let mut encoder = sink.finish()?;
    encoder.utf8(&memory.into_bytes())?;
    encoder.finish()?;
    Ok(encoder.into_destination())
}

fn on_this_stack(
    node: &Node,
    document: &Document,
    canonical: Canonical,
    sink: Sink,
) -> Result<Destination> {
    let mut output = Output::new()?;
    let mode = canonical.mode.cast_signed();
    let comments = c_int::from(canonical.comments);
    let prefixes = Prefixes::new(canonical.prefixes);
    let written = match node.is_document() {
        true => output.canonical(document, mode, prefixes, comments, &sink),
        false => {
            let subtree = Subtree {
                top: std::ptr::from_ref(node).addr(),
                path: Mutex::new(Vec::new()),
            };
            output.canonical_part(document, &subtree, mode, prefixes, comments, &sink)
        }
    };
    written.map_err(|error| explained(error, document))?;
    output.flush(&sink)?;
    Ok(sink.finish()?.into_destination())
}

/// Finds out why libxml2 gave no reason: a namespace whose URI is none.
fn explained(error: Error, document: &Document) -> Error {
    let whole = document
        .as_node()
        .filter(|_| matches!(error, Error::Failed(_)));
    match whole.map(|whole| first_that_is_none(whole.get())) {
        Some(Ok(Some(uri))) => Error::Value(format!(
            "canonical XML has no namespace {uri:?}, which is no URI"
        )),
        Some(Err(other)) => other,
        _ => error,
    }
}

/// Returns the number of levels below a node.
fn depth(top: &Node) -> usize {
    let mut deepest = 0;
    let mut levels = vec![top.steps()];
    while let Some(level) = levels.last_mut() {
        match level.next() {
            Some(node) if node.is_element() => levels.push(node.get().steps()),
            Some(_) => {}
            None => {
                levels.pop();
            }
        }
        deepest = deepest.max(levels.len());
    }
    deepest
}
