//! The declarations of namespaces that an element inherits. An element that is written alone has them in its start tag:
//! also those that no name uses, since texts and values may have names with prefixes.

use leakproof::prelude::*;

use super::encode::{Encoder, Place};
use super::uris::Uris;
use crate::node::{Node, gather};
use crate::reconcile;

/// The names of the declarations, with a quote, and the URIs with references.
#[derive(Debug)]
pub(super) struct Inherited(Vec<(String, String)>);

impl Inherited {
    /// Returns the declarations that `node` inherits; `None` if it inherits none.
    pub(super) fn of(node: &Node, uris: Option<&Uris>) -> Result<Option<Self>> {
        if !node.is_element() {
            return Ok(None);
        }
        let inherited = reconcile::inherited(Borrowed::from(node))?.into_iter();
        let declarations = gather(inherited.map(|namespace| {
            let name = match namespace.prefix() {
                Some(prefix) => format!(" xmlns:{prefix}=\""),
                None => " xmlns=\"".into(),
            };
            let uri = namespace.href().unwrap_or_default();
            Ok((name, uris.map_or(uri.clone(), |uris| uris.written(&uri))))
        }))?;
        Ok((!declarations.is_empty()).then_some(Inherited(declarations)))
    }

    pub(super) fn write(&self, encoder: &mut Encoder) -> Result<()> {
        for (name, uri) in &self.0 {
            encoder.verbatim(name, Place::Name)?;
            encoder.content(uri)?;
            encoder.verbatim("\"", Place::Name)?;
        }
        Ok(())
    }
}
