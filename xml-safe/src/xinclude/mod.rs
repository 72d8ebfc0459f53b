//! XInclude: elements `xi:include` are replaced by other documents, by parts of them, or by texts.
//!
//! libxml2's own XInclude reads files and addresses by a loader of the whole process, and frees nodes that Python may
//! have. So this module does it with the package's own means. Everything is read and copied first, to nodes that are in
//! no tree. The document is changed only when all of it succeeded.

mod pointer;
mod resources;

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::rc::Rc;

use leakproof::prelude::*;

use crate::attributes;
use crate::change::{self, Replacement};
use crate::copy::copy_into;
use crate::create::within;
use crate::document::Document;
use crate::errors::XIncludeError;
use crate::external_entities::External;
use crate::info::escaped;
use crate::node::{Node, gather};
use crate::numbers::Count;
use crate::order::{behind, following};
use crate::parser::Parser;
use crate::valid;

const NAMESPACE: &[u8] = b"http://www.w3.org/2001/XInclude";
const BASE: &CStr = c"{http://www.w3.org/XML/1998/namespace}base";

/// The stack in bytes that one inclusion within another one needs.
const STACK: usize = 256 << 10;

/// The target of an `xi:include`: an address, an XPointer, and whether to read text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    /// The address; `None` for the document itself.
    address: Option<CString>,
    pointer: Option<String>,
    is_text: bool,
}

/// The document that an `xi:include` element is in.
#[derive(Clone)]
enum Source<'t> {
    /// The document being changed, in its state before the change.
    Own(&'t Document),
    Read(Rc<Owned<'static, Document>>),
}

impl Source<'_> {
    fn document(&self) -> &Document {
        match self {
            Source::Own(document) => document,
            Source::Read(document) => document,
        }
    }
}

/// A copied node, not linked yet, and its base address.
struct Included<'t> {
    node: Borrowed<'t, Node>,
    base: Option<CString>,
}

/// One call of `Document.xinclude`.
struct Process<'p, 't> {
    tree: &'p Tree<'t, Document>,
    external: Option<&'p External>,
    /// The documents read so far, by address.
    read: BTreeMap<CString, Rc<Owned<'static, Document>>>,
    /// The address of the document itself.
    own: Option<CString>,
    depth: usize,
    most: usize,
    count: usize,
}

/// An `xi:include` element.
#[derive(Clone, Copy)]
struct Include<'s>(Borrowed<'s, Node>);

impl<'s> Include<'s> {
    fn of(node: Borrowed<'s, Node>) -> Option<Self> {
        node.is_xinclude("include").then_some(Include(node))
    }

    /// Returns an attribute without a namespace.
    fn attribute(self, name: &CStr) -> Result<Option<String>> {
        let found = self.0.get().attribute(name);
        found.map(|found| found.get().value()).transpose()
    }

    fn error(self, message: impl Into<String>) -> Error {
        let node = self.0.get();
        let file = node.owner().and_then(|document| document.get().url());
        let line = c_int::try_from(node.line()).unwrap_or_default().max(0);
        let href = self.attribute(c"href").ok().flatten();
        let message: String = message.into();
        let file_name = file.as_deref().unwrap_or("the document");
        // An element that was made here has no line.
        let place = match line {
            0 => file_name.to_owned(),
            line => format!("{file_name}, line {line}"),
        };
        XIncludeError {
            message: format!("{place}: {message}"),
            href,
            line,
            file,
        }
        .into()
    }

    /// Returns the element `xi:fallback`, and refuses other elements of XInclude.
    fn fallback(self) -> Result<Option<Borrowed<'s, Node>>> {
        let node = self.0;
        let mut fallback = None;
        for child in node.get().steps() {
            if !child.has_xinclude_namespace() {
                continue;
            }
            if !child.is_xinclude("fallback") {
                return Err(self.error("xi:include has a child of XInclude other than xi:fallback"));
            }
            if fallback.replace(child).is_some() {
                return Err(self.error("xi:include has two xi:fallback"));
            }
        }
        Ok(fallback)
    }

    /// Returns the address that relative addresses in what replaces the element start from.
    fn place(self) -> Result<Option<CString>> {
        match self.0.get().parent() {
            Some(parent) => base_of(parent.get()),
            None => Ok(None),
        }
    }
}

impl Node {
    fn has_xinclude_namespace(&self) -> bool {
        let uri = self.ns().and_then(|namespace| namespace.uri_bytes());
        uri.is_some_and(|uri| uri.to_bytes() == NAMESPACE)
    }

    fn is_xinclude(&self, local: &str) -> bool {
        self.is_element()
            && self.has_xinclude_namespace()
            && self.name().is_some_and(|name| name == local)
    }
}

/// Returns the base address of a node.
fn base_of(node: &Node) -> Result<Option<CString>> {
    let base = node.base()?.map(CString::new);
    Ok(base.and_then(|base| base.ok()))
}

/// Resolves an address.
fn resolved(address: &CStr, base: Option<&CStr>) -> Option<CString> {
    match base {
        None => Some(address.to_owned()),
        Some(base) => Parser::build_uri(address, base),
    }
}

impl<'t> Process<'_, 't> {
    /// Returns what replaces an element.
    fn include(
        &mut self,
        include: Include<'_>,
        source: &Source<'t>,
        chain: &mut Vec<Target>,
    ) -> Result<Vec<Included<'t>>> {
        stacker::maybe_grow(STACK, 8 * STACK, || {
            self.include_here(include, source, chain)
        })
    }

    fn include_here(
        &mut self,
        include: Include<'_>,
        source: &Source<'t>,
        chain: &mut Vec<Target>,
    ) -> Result<Vec<Included<'t>>> {
        self.count += 1;
        if self.count > self.most {
            let message = format!("the document has more than {} inclusions", self.most);
            return Err(include.error(message));
        }
        let fallback = include.fallback()?;
        let target = self.target(include)?;
        let is_read = self.read_target(include, &target, source, chain);
        let why = match is_read? {
            Ok(included) => return Ok(included),
            Err(why) => why,
        };
        match fallback {
            None => Err(include.error(why)),
            Some(fallback) => {
                let children = gather(fallback.get().steps().map(Ok))?;
                self.expand(&children, source, chain)
            }
        }
    }

    /// Returns what an element names.
    fn target(&self, include: Include<'_>) -> Result<Target> {
        let is_text = match include.attribute(c"parse")?.as_deref() {
            None | Some("xml") => false,
            Some("text") => true,
            Some(other) => {
                return Err(include.error(format!("parse is \"xml\" or \"text\", not {other:?}")));
            }
        };
        let href = include.attribute(c"href")?.unwrap_or_default();
        let pointer = include.attribute(c"xpointer")?;
        if href.contains('#') {
            return Err(include.error("href has a fragment: use xpointer"));
        }
        if is_text && pointer.is_some() {
            return Err(include.error("xpointer does not go with parse=\"text\""));
        }
        let address = match href.is_empty() {
            true if pointer.is_none() => {
                return Err(include.error("href or xpointer is missing"));
            }
            true => None,
            false => {
                let href = CString::new(href).map_err(|_| include.error("href has a NUL"))?;
                let href = escaped(&href).map_err(|error| match error {
                    Error::Value(_) => include.error("href is no URI"),
                    other => other,
                })?;
                let base = base_of(include.0.get())?;
                let address = resolved(&href, base.as_deref());
                Some(address.ok_or_else(|| include.error("href can't be resolved"))?)
            }
        };
        Ok(Target {
            address,
            pointer,
            is_text,
        })
    }

    /// Returns copies of the nodes that an element names, or the reason why there are none.
    fn read_target(
        &mut self,
        include: Include<'_>,
        target: &Target,
        source: &Source<'t>,
        chain: &mut Vec<Target>,
    ) -> Result<Result<Vec<Included<'t>>, String>> {
        if target.is_text {
            let Some(address) = &target.address else {
                return Err(include.error("href is missing"));
            };
            return Ok(self
                .text(include, address)?
                .map(|node| vec![Included { node, base: None }]));
        }
        let (document, address) = match &target.address {
            // A reference to the same document is to that which the element is in.
            None => (source.clone(), address_of(source.document())),
            Some(address) if self.own.as_ref() == Some(address) => {
                (Source::Own(self.tree.owner()), Some(address.clone()))
            }
            Some(address) => match self.document(address)? {
                Ok(document) => (Source::Read(document), Some(address.clone())),
                Err(why) => return Ok(Err(why)),
            },
        };
        let target = Target {
            address,
            ..target.clone()
        };
        if chain.contains(&target) {
            return Err(include.error("the document includes itself"));
        }
        if chain.len() > self.depth {
            let message = format!("inclusions are nested deeper than {}", self.depth);
            return Err(include.error(message));
        }
        let of = document.document();
        let whole = of
            .as_node()
            .ok_or_else(|| include.error("the document has no node"))?;
        let nodes = match &target.pointer {
            None => contents(whole)?,
            Some(pointer) => match pointer::find(of, whole, pointer) {
                Ok(nodes) if nodes.is_empty() => {
                    return Ok(Err(format!("xpointer={pointer:?} finds nothing")));
                }
                Ok(nodes) => nodes,
                Err(pointer::Failure::Is(message)) => return Err(include.error(message)),
                Err(pointer::Failure::Other(error)) => return Err(error),
            },
        };
        chain.try_reserve(1)?;
        chain.push(target);
        let included = self.expand(&nodes, &document, chain);
        chain.pop();
        included.map(Ok)
    }

    /// Copies nodes, with what they include.
    fn expand(
        &mut self,
        nodes: &[Borrowed<'_, Node>],
        source: &Source<'t>,
        chain: &mut Vec<Target>,
    ) -> Result<Vec<Included<'t>>> {
        let mut all = Vec::new();
        for node in nodes {
            if let Some(include) = Include::of(*node) {
                let mut included = self.include(include, source, chain)?;
                all.try_reserve(included.len())?;
                all.append(&mut included);
                continue;
            }
            let copy = copy_into(self.tree, node.get(), true)?;
            let replaced = self.replacements(*node, copy, source, chain)?;
            change::replace_all(self.tree, &replaced)?;
            all.try_reserve(1)?;
            let base = base_of(node.get())?;
            all.push(Included { node: copy, base });
        }
        Ok(all)
    }

    /// Returns the places of the elements in `top` that include something, in `copy`, with the nodes for each.
    fn replacements(
        &mut self,
        top: Borrowed<'_, Node>,
        copy: Borrowed<'t, Node>,
        source: &Source<'t>,
        chain: &mut Vec<Target>,
    ) -> Result<Vec<Replacement<'t>>> {
        let mut replaced = Vec::new();
        for (include, there) in pairs(top, copy)? {
            let included = self.include(include, source, chain)?;
            let nodes = self.placed(include, &included)?;
            change::check_replacement(there, &nodes).map_err(|error| match error {
                Error::Value(message) => include.error(message),
                other => other,
            })?;
            replaced.try_reserve(1)?;
            replaced.push((there, nodes));
        }
        Ok(replaced)
    }

    /// Returns the nodes of an inclusion, with the attributes `xml:base` that they need at the place of the element.
    fn placed(
        &self,
        include: Include<'_>,
        included: &[Included<'t>],
    ) -> Result<Vec<Borrowed<'t, Node>>> {
        let place = include.place()?;
        for Included { node, base } in included {
            let Some(base) = base.as_deref().filter(|_| node.is_element()) else {
                continue;
            };
            let own = node.get().attribute(BASE);
            let own = own.map(|own| own.get().value()).transpose()?;
            let own = own.and_then(|own| CString::new(own).ok());
            let without = match &own {
                Some(own) => resolved(own, place.as_deref()),
                None => place.clone(),
            };
            if without.as_deref() == Some(base) {
                continue;
            }
            let relative = place.as_deref().and_then(|place| relative(base, place));
            let value = relative.as_deref().unwrap_or(base);
            attributes::set(self.tree, *node, BASE, value)?;
        }
        gather(included.iter().map(|included| Ok(included.node)))
    }

    /// Reads a document, or returns why it is not read.
    fn document(
        &mut self,
        address: &CString,
    ) -> Result<Result<Rc<Owned<'static, Document>>, String>> {
        if let Some(document) = self.read.get(address) {
            return Ok(Ok(Rc::clone(document)));
        }
        let is_huge = self.tree.owner().is_huge();
        let read = resources::document(self.external, address, self.own.is_some(), is_huge)?;
        Ok(read.map(|document| {
            let document = Rc::new(document);
            self.read.insert(address.clone(), Rc::clone(&document));
            document
        }))
    }

    /// Reads a text, or returns why it is not read.
    fn text(
        &mut self,
        include: Include<'_>,
        address: &CStr,
    ) -> Result<Result<Borrowed<'t, Node>, String>> {
        let encoding = include.attribute(c"encoding")?;
        let encoding = encoding.as_deref();
        let text = match resources::text(self.external, address, self.own.is_some(), encoding)? {
            Ok(text) => text,
            Err(why) => return Ok(Err(why)),
        };
        let name = address.to_string_lossy();
        let text = CString::new(text)
            .map_err(|_| include.error(format!("{name} has a NUL, which XML does not allow")))?;
        valid::text(&text, &name).map_err(|error| include.error(error.to_string()))?;
        let mut owner = self.tree.edit_owner();
        within(self.tree, owner.new_text(&text)?).map(Ok)
    }
}

/// Returns an address relative to another one, if that leads to the same place.
fn relative(address: &CStr, base: &CStr) -> Option<CString> {
    let relative = Parser::build_relative_uri(address, base)?;
    let again = resolved(&relative, Some(base));
    (!relative.is_empty() && again.as_deref() == Some(address)).then_some(relative)
}

fn address_of(document: &Document) -> Option<CString> {
    document.url().and_then(|url| CString::new(url).ok())
}

/// Returns the children of a document without its DTD.
fn contents(whole: Borrowed<'_, Node>) -> Result<Vec<Borrowed<'_, Node>>> {
    gather(whole.get().steps().filter(|child| !child.is_dtd()).map(Ok))
}

/// Finds the outermost `xi:include` elements of a tree, each with the node at its place in another tree of the same
/// shape. Refuses `xi:fallback` elsewhere.
fn pairs<'s, 'c>(
    top: Borrowed<'s, Node>,
    copy: Borrowed<'c, Node>,
) -> Result<Vec<(Include<'s>, Borrowed<'c, Node>)>> {
    let mut found = Vec::new();
    let mut here = Some((top, copy));
    while let Some((old, new)) = here {
        if old.is_dtd() {
            here = old.get().next_sibling().zip(new.get().next_sibling());
            continue;
        }
        if old.is_xinclude("fallback") {
            return Err(Include(old).error("xi:fallback is not in xi:include"));
        }
        here = match Include::of(old) {
            Some(include) => {
                found.try_reserve(1)?;
                found.push((include, new));
                behind(old, top).zip(behind(new, copy))
            }
            None => following(old, top).zip(following(new, copy)),
        };
    }
    Ok(found)
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Replace the `xi:include` elements by what they name, and return their number.
    ///
    /// `external` is the policy, as for `parse`: a folder whose files may be read, or a function of the address and
    /// None, which returns bytes, a str, or None to refuse. Nothing else is read. Without `external`, elements can
    /// include parts of this document. Relative addresses start from `url` and `xml:base`; in a document without `url`
    /// they are below the folder. Included documents are parsed with `resolve_entities`.
    ///
    /// `href`, `parse`, `encoding`, `xi:fallback` and `xpointer` are those of XInclude 1.0. An XPointer is an ID, or
    /// has the schemes `element()`, `xmlns()`, and `xpointer()` with an XPath expression for nodes. Included elements
    /// get the `xml:base` that they need. A fallback is for what is not read, and for an XPointer that finds nothing.
    ///
    /// Everything is read before the document is changed: after an exception it is as it was. Nodes that are replaced
    /// stay usable, outside of the tree.
    ///
    /// Raises XIncludeError for wrong elements, for what is not read and has no fallback, for inclusions that include
    /// themselves, or are nested deeper than `max_depth`, and for more than `max_inclusions`; ParseError for an
    /// included document that is malformed; and the exceptions of the function `external`.
    #[pyo3(
        signature = (*, external = None, max_depth = Count::of(40), max_inclusions = Count::of(1000)),
        text_signature = "($self, *, external=None, max_depth=40, max_inclusions=1000)"
    )]
    fn xinclude(
        &mut self,
        external: Option<External>,
        max_depth: Count,
        max_inclusions: Count,
    ) -> Result<usize> {
        let depth = max_depth.get("max_depth", 0, "")?;
        let most = max_inclusions.get("max_inclusions", 0, "")?;
        let tree = Tree::of(self);
        let document = tree.owner();
        let own = address_of(document);
        let Some(whole) = document.as_node() else {
            return Ok(0);
        };
        let mut process = Process {
            tree: &tree,
            external: external.as_ref(),
            read: BTreeMap::new(),
            own: own.clone(),
            depth,
            most,
            count: 0,
        };
        let mut chain = Vec::new();
        chain.try_reserve(1)?;
        chain.push(Target {
            address: own,
            pointer: None,
            is_text: false,
        });
        let replaced = process.replacements(whole, whole, &Source::Own(document), &mut chain)?;
        let count = process.count;
        change::replace_all(&tree, &replaced)?;
        Ok(count)
    }
}
