//! References to entities that a change puts into a document. The document can be read again only if the entity is
//! declared, or may be.

use leakproof::prelude::*;

use crate::document::Document;
use crate::ffi;
use crate::node::Node;
use crate::order::following;

/// The entities that every document has. A parser makes text of them, also where a DTD declares them again.
const PREDEFINED: [&CStr; 5] = [c"lt", c"gt", c"amp", c"quot", c"apos"];

/// Returns `true` if the document may have references to entities.
pub(crate) fn may_have_references(document: &Document) -> bool {
    document.internal_subset().is_some()
}

/// Refuses a reference that could not be read again. The external subset may declare any entity if it was not read.
pub(crate) fn check(document: &Document, name: &CStr) -> Result<()> {
    let refused = |why| {
        let name = name.to_string_lossy();
        Err(Error::Value(format!(
            "{name:?} cannot be referred to: {why}"
        )))
    };
    if PREDEFINED.contains(&name) {
        return refused("it is a predefined entity, which a parser reads as text: make a text");
    }
    match document.entity(name).map(|entity| entity.get().kind()) {
        Some(ffi::XML_EXTERNAL_GENERAL_UNPARSED_ENTITY) => {
            refused("it is an unparsed entity, whose name is the value of an attribute")
        }
        Some(_) => Ok(()),
        None if has_unread_subset(document) => Ok(()),
        None => refused(
            "the document declares no such entity; parse(…, resolve_entities=True) puts texts in the place of references",
        ),
    }
}

/// Refuses a node of another document with a reference that could not be read again here: in its attributes, or, with
/// `deep`, below it.
pub(crate) fn check_all(document: &Document, top: &Node, deep: bool) -> Result<()> {
    let top = Borrowed::from(top);
    let mut here = Some(top);
    while let Some(node) = here {
        check_node(document, node.get())?;
        // The value of an attribute that comes alone.
        if node.is_attribute() {
            return node
                .steps()
                .try_for_each(|part| check_node(document, part.get()));
        }
        for attribute in node.get().attribute_list() {
            let value = attribute.get().as_node();
            let mut parts = value.iter().flat_map(|value| value.get().steps());
            parts.try_for_each(|part| check_node(document, part.get()))?;
        }
        here = following(node, top).filter(|_| deep);
    }
    Ok(())
}

fn check_node(document: &Document, node: &Node) -> Result<()> {
    node.entity_name()
        .map_or(Ok(()), |name| check(document, &name))
}

/// Returns `true` if the document has an external subset that was not read. A standalone document needs none.
fn has_unread_subset(document: &Document) -> bool {
    let subset = document.internal_subset();
    let is_external =
        subset.is_some_and(|dtd| dtd.public_id().or_else(|| dtd.system_id()).is_some());
    is_external && document.external_subset().is_none() && document.standalone() != 1
}
