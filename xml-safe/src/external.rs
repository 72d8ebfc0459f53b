//! What a document wants to be read besides itself, and whether it may.
//!
//! libxml2 reads the files that entities name as soon as it replaces entities or loads a DTD, prints to stderr where it
//! refuses the network, and has no setting of one parser that says otherwise before 2.13. So a document is looked at
//! first, parsed with all of that off.

use leakproof::Borrowed;

use crate::document::Document;
use crate::ffi;
use crate::node::{Entity, Node};
use crate::parser::Options;

/// Whether the address is one that libxml2 would use the network for.
fn is_remote(address: Option<&str>) -> bool {
    address.is_some_and(|address| {
        address.contains("://") && !address.to_ascii_lowercase().starts_with("file://")
    })
}

/// Something outside of the document that it may not have.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

/// The options with which `document` may be parsed again.
pub(crate) fn allowed(document: &Document, mut options: Options) -> Result<Options, Refused> {
    let Some(dtd) = document.internal_subset() else {
        return Ok(options);
    };
    let mut entities = dtd.entities();
    if let Some(external) = document.external_subset() {
        entities.extend(external.get().entities());
    }
    for entity in &entities {
        let reads = entity.is_external_parameter()
            && (!options.load_dtd || is_remote(entity.address().as_deref()))
            || entity.is_external_text()
                && options.resolve_entities
                && is_used(document, entity, &entities);
        if reads {
            return Err(Refused(format!(
                "the external entity {} is not read",
                entity.name().unwrap_or_default()
            )));
        }
    }
    options.load_dtd &= !is_remote(dtd.address().as_deref());
    Ok(options)
}

fn is_used(document: &Document, entity: &Entity, others: &[Borrowed<'_, Entity>]) -> bool {
    let Some(name) = entity.name() else {
        return false;
    };
    let reference = format!("&{name};");
    others.iter().any(|other| {
        other
            .replacement()
            .is_some_and(|text| text.contains(&reference))
    }) || document
        .as_node()
        .is_some_and(|node| refers(node.get(), &name))
}

fn refers(node: &Node, entity: &str) -> bool {
    let mut rest = vec![node.members()];
    while let Some(mut level) = rest.pop() {
        let Some(node) = level.pop() else { continue };
        rest.push(level);
        if node.is_reference_to(entity) {
            return true;
        }
        rest.push(node.get().members());
    }
    false
}

/// The number that libxml2 has for a file that it could not read.
pub(crate) const CODE: u32 = ffi::XML_IO_LOAD_ERROR;
