//! The document type declaration of a document that has none.
//!
//! A document type stays as it was made. libxml2 frees it with its entities, which references and Python objects may
//! refer to, so none is taken out or replaced.

use leakproof::prelude::*;

use crate::dtd::Dtd;
use crate::ffi;
use crate::valid;

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    /// Makes the internal subset, before the root element, or behind all nodes of a document without one.
    #[calls(ffi::xmlCreateIntSubset, fails = null)]
    fn create_subset(
        &mut self,
        name: &CStr,
        public_id: Option<&CStr>,
        system_id: Option<&CStr>,
    ) -> Result<Borrowed<Dtd>>;
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Make the document type declaration, as `<!DOCTYPE name>`, `<!DOCTYPE name SYSTEM "…">` or `<!DOCTYPE name PUBLIC
    /// "…" "…">` (xmlCreateIntSubset). `dtd` has it then.
    ///
    /// It comes before the root element, and behind the comments and processing instructions before that. In a document
    /// without a root element it comes behind them all. `name` is the name of the root element, with its prefix, which
    /// nothing checks. Nothing is read from the address `system_id`.
    ///
    /// Raises ValueError, and changes nothing, if the document has a document type: that can't be changed or taken out.
    /// The root element can be moved to a new document. Raises ValueError for a name, a public or a system identifier
    /// that XML does not allow, and for a public identifier without a system identifier.
    #[pyo3(signature = (name, public_id = None, system_id = None))]
    fn set_doctype(
        &mut self,
        name: &CStr,
        public_id: Option<&CStr>,
        system_id: Option<&CStr>,
    ) -> Result<()> {
        valid::doctype(name)?;
        system_id.map_or(Ok(()), valid::system_id)?;
        public_id.map_or(Ok(()), valid::public_id)?;
        if public_id.is_some() && system_id.is_none() {
            return Err(Error::Value(
                "a public identifier needs a system identifier, which may be empty".into(),
            ));
        }
        if self.internal_subset().is_some() {
            return Err(Error::Value(
                "the document has a document type, which cannot be changed: move the root element to a new document"
                    .into(),
            ));
        }
        self.create_subset(name, public_id, system_id).map(drop)
    }
}
