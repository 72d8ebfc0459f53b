//! Document types: DTDs, and what they declare, as values that can't be changed.
//!
//! The declarations of entities, elements and attributes are nodes in the DTD, in their order. Notations are in a table
//! only.

use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};

use leakproof::prelude::*;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{Bound, PyAny, PyResult};
use leakproof::pyo3::{PyTypeInfo, pyclass, pymethods};
use leakproof::{CallContext, Dict, IntoPython};

use crate::document::Document;
use crate::ffi;
use crate::node::{Node, gather};

/// A document type: the declaration at the beginning of a document with the declarations inside of it (the internal
/// subset), or the DTD that it refers to (the external subset). It can't be changed.
#[handle(raw = ffi::xmlDtd, part_of = Document, owner_field = doc)]
pub(crate) struct Dtd;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Dtd {
    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    #[field(doc)]
    fn document(&self) -> Option<Borrowed<Document>>;

    #[field(entities)]
    fn general(&self) -> Option<Borrowed<Table>>;

    #[field(pentities)]
    fn parameters(&self) -> Option<Borrowed<Table>>;

    #[field(notations)]
    pub(crate) fn table_of_notations(&self) -> Option<Borrowed<Table>>;

    /// Marks the entities that have a system identifier as external: they were declared as internal ones with their
    /// text.
    pub(crate) fn mark_external_entities(&self) -> Result<()> {
        let mut tables = [self.general(), self.parameters()].into_iter().flatten();
        tables.try_for_each(|table| table.get().scan(&Marks))
    }

    /// Makes the general entities the owners of their content, so that libxml2 frees it with them.
    pub(crate) fn let_entities_own_content(&self) -> Result<()> {
        match self.general() {
            Some(table) => table.get().scan_owners(&Owners),
            None => Ok(()),
        }
    }

    /// The declarations, in document order.
    fn declarations(&self) -> Successors<'_, Node> {
        let first = self.as_node().and_then(|dtd| dtd.get().first_child());
        Successors::new(first, Node::next_sibling)
    }

    /// The entities, or the parameter entities.
    fn entities_where(&self, is_wanted: impl Fn(u32) -> bool) -> Result<Dict<String, EntityValue>> {
        let declared = self.declarations();
        let declared = declared.filter_map(|node| node.get().as_entity());
        let declared = declared.filter(|entity| is_wanted(entity.kind()));
        gather(declared.map(|entity| Ok(entity.value()))).map(Dict)
    }
}

#[methods(unsafe, utf8 = lossy)]
impl Dtd {
    /// The name of the root element, as the document type declares it. None for an external subset without one.
    #[getter]
    #[field(name)]
    pub(crate) fn name(&self) -> Option<String>;

    /// The public identifier of the external subset.
    #[getter]
    #[field(ExternalID)]
    pub(crate) fn public_id(&self) -> Option<String>;

    /// The system identifier of the external subset, as the document has it.
    #[getter]
    #[field(SystemID)]
    pub(crate) fn system_id(&self) -> Option<String>;

    /// The external subset as a document type of its own. None if it was not read, and of the external subset itself.
    #[getter]
    fn external(&self) -> Option<Borrowed<'_, Dtd>> {
        let external = self.document()?.get().external_subset()?;
        (external != Borrowed::from(self)).then_some(external)
    }

    /// The general entities that are declared here, by name, in their order. Of several declarations, the first holds.
    #[getter]
    fn entities(&self) -> Result<Dict<String, EntityValue>> {
        self.entities_where(|kind| !is_parameter(kind))
    }

    /// The parameter entities that are declared here, by name, in their order.
    #[getter]
    fn parameter_entities(&self) -> Result<Dict<String, EntityValue>> {
        self.entities_where(is_parameter)
    }

    /// The notations that are declared here, by name, sorted by name.
    #[getter]
    fn notations(&self) -> Result<Dict<String, NotationValue>> {
        let found = Found::default();
        if let Some(table) = self.table_of_notations() {
            table.get().scan_notations(&found)?;
        }
        let found = found.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut notations = gather(found.into_iter())?;
        notations.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(Dict(notations))
    }

    /// The content that elements may have by their declarations here: "empty", "any", "mixed" or "children", by name,
    /// in their order. A name has its prefix: "p:name".
    #[getter]
    fn elements(&self) -> Result<Dict<String, &'static str>> {
        let declared = self.declarations();
        let declared = declared.filter_map(|node| node.get().as_element_declaration());
        gather(declared.map(|element| {
            Ok((
                prefixed(element.prefix(), element.name()),
                element.content(),
            ))
        }))
        .map(Dict)
    }

    /// The attributes that are declared here, in their order.
    #[getter]
    fn attributes(&self) -> Result<Vec<AttributeValue>> {
        let declared = self.declarations();
        let declared = declared.filter_map(|node| node.get().as_attribute_declaration());
        gather(declared.map(|attribute| attribute.value()))
    }
}

#[methods(unsafe)]
impl crate::document::Document {
    /// The document type. None for a document without one.
    #[getter]
    fn dtd(&self) -> Option<Borrowed<'_, Dtd>> {
        self.internal_subset()
    }
}

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[field(self, when(type_, ffi::XML_ENTITY_DECL))]
    pub(crate) fn as_entity(&self) -> Option<Borrowed<Entity>>;

    #[field(self, when(type_, ffi::XML_ELEMENT_DECL))]
    fn as_element_declaration(&self) -> Option<Borrowed<ElementDeclaration>>;

    #[field(self, when(type_, ffi::XML_ATTRIBUTE_DECL))]
    pub(crate) fn as_attribute_declaration(&self) -> Option<Borrowed<AttributeDeclaration>>;
}

/// Returns a name as it is written.
fn prefixed(prefix: Option<String>, name: Option<String>) -> String {
    let name = name.unwrap_or_default();
    match prefix {
        Some(prefix) => format!("{prefix}:{name}"),
        None => name,
    }
}

/// The declaration of an entity.
#[handle(raw = ffi::xmlEntity, part_of = Document)]
pub(crate) struct Entity;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Entity {
    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    #[field(etype)]
    pub(crate) fn kind(&self) -> u32;

    #[field(name)]
    fn name(&self) -> Option<String>;

    #[field(content)]
    pub(crate) fn content(&self) -> Option<String>;

    #[field(ExternalID)]
    fn public_id(&self) -> Option<String>;

    #[field(SystemID)]
    fn system_id(&self) -> Option<String>;

    fn value(&self) -> (String, EntityValue) {
        let name = self.name().unwrap_or_default();
        let kind = match self.kind() {
            ffi::XML_INTERNAL_GENERAL_ENTITY | ffi::XML_INTERNAL_PARAMETER_ENTITY => "internal",
            ffi::XML_EXTERNAL_GENERAL_PARSED_ENTITY | ffi::XML_EXTERNAL_PARAMETER_ENTITY => {
                "external"
            }
            ffi::XML_EXTERNAL_GENERAL_UNPARSED_ENTITY => "unparsed",
            _ => "predefined",
        };
        let (content, notation) = match kind {
            // libxml2 has the name of the notation in place of the text.
            "unparsed" => (None, self.content()),
            _ => (self.content(), None),
        };
        let value = EntityValue {
            name: name.clone(),
            kind,
            content,
            public_id: self.public_id(),
            system_id: self.system_id(),
            notation,
        };
        (name, value)
    }
}

fn is_parameter(kind: u32) -> bool {
    matches!(
        kind,
        ffi::XML_INTERNAL_PARAMETER_ENTITY | ffi::XML_EXTERNAL_PARAMETER_ENTITY
    )
}

/// The declaration of an element.
#[handle(raw = ffi::xmlElement, part_of = Document)]
struct ElementDeclaration;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl ElementDeclaration {
    #[field(name)]
    fn name(&self) -> Option<String>;

    #[field(prefix)]
    fn prefix(&self) -> Option<String>;

    #[field(etype)]
    fn kind(&self) -> u32;

    fn content(&self) -> &'static str {
        match self.kind() {
            ffi::XML_ELEMENT_TYPE_EMPTY => "empty",
            ffi::XML_ELEMENT_TYPE_ANY => "any",
            ffi::XML_ELEMENT_TYPE_MIXED => "mixed",
            ffi::XML_ELEMENT_TYPE_ELEMENT => "children",
            _ => "undefined",
        }
    }
}

/// The declaration of an attribute.
#[handle(raw = ffi::xmlAttribute, part_of = Document)]
pub(crate) struct AttributeDeclaration;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl AttributeDeclaration {
    #[field(name)]
    fn name(&self) -> Option<String>;

    #[field(prefix)]
    fn prefix(&self) -> Option<String>;

    #[field(elem)]
    fn element(&self) -> Option<String>;

    #[field(atype)]
    pub(crate) fn kind(&self) -> u32;

    #[field(def)]
    fn presence(&self) -> u32;

    #[field(defaultValue)]
    fn default_value(&self) -> Option<String>;

    #[field(tree)]
    fn first_choice(&self) -> Option<Borrowed<Choice>>;

    fn value(&self) -> Result<AttributeValue> {
        let choices = Successors::new(self.first_choice(), Choice::next);
        Ok(AttributeValue {
            element: self.element().unwrap_or_default(),
            name: prefixed(self.prefix(), self.name()),
            r#type: match self.kind() {
                ffi::XML_ATTRIBUTE_ID => "ID",
                ffi::XML_ATTRIBUTE_IDREF => "IDREF",
                ffi::XML_ATTRIBUTE_IDREFS => "IDREFS",
                ffi::XML_ATTRIBUTE_ENTITY => "ENTITY",
                ffi::XML_ATTRIBUTE_ENTITIES => "ENTITIES",
                ffi::XML_ATTRIBUTE_NMTOKEN => "NMTOKEN",
                ffi::XML_ATTRIBUTE_NMTOKENS => "NMTOKENS",
                ffi::XML_ATTRIBUTE_ENUMERATION => "enumeration",
                ffi::XML_ATTRIBUTE_NOTATION => "NOTATION",
                _ => "CDATA",
            },
            presence: match self.presence() {
                ffi::XML_ATTRIBUTE_REQUIRED => "required",
                ffi::XML_ATTRIBUTE_IMPLIED => "implied",
                ffi::XML_ATTRIBUTE_FIXED => "fixed",
                _ => "default",
            },
            default: self.default_value(),
            values: gather(choices.map(|choice| Ok(choice.name().unwrap_or_default())))?,
        })
    }
}

/// A value that an attribute may have.
#[handle(raw = ffi::xmlEnumeration, part_of = Document)]
struct Choice;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Choice {
    #[field(name)]
    fn name(&self) -> Option<String>;

    #[field(next)]
    fn next(&self) -> Option<Borrowed<Choice>>;
}

/// The entities, or the notations, of a DTD by name.
#[handle(raw = ffi::xmlHashTable, callback_only)]
pub(crate) struct Table;

#[methods(unsafe, rust_only)]
impl Table {
    #[calls(ffi::xmlHashSize, pure)]
    pub(crate) fn size(&self) -> c_int;

    #[calls(ffi::xmlHashScan, args = (self, owners.own, owners.data), fails = sticky)]
    fn scan_owners(&self, owners: &Owners) -> Result<()>;

    #[calls(ffi::xmlHashScan, args = (self, marks.mark, marks.data), fails = sticky)]
    fn scan(&self, marks: &Marks) -> Result<()>;

    #[calls(ffi::xmlHashScan, args = (self, found.add, found.data), fails = sticky)]
    fn scan_notations(&self, found: &Found) -> Result<()>;
}

/// An entity of a table.
#[handle(raw = ffi::xmlEntity, callback_only)]
struct Declared;

#[methods(unsafe, rust_only)]
impl Declared {
    #[field(etype)]
    fn kind(&self) -> u32;

    #[field(etype)]
    fn set_kind(&mut self, kind: u32);

    #[field(SystemID)]
    fn address(&self) -> Option<CString>;

    #[field(owner)]
    fn set_owner(&mut self, owner: c_int);
}

/// Marks entities as external.
#[derive(Debug)]
struct Marks;

impl Attachment for Marks {}

#[callbacks(unsafe)]
impl Marks {
    #[callback(ffi::xmlHashScanner, args = (entity, data, _))]
    fn mark(&self, entity: &mut Declared) {
        let external = match entity.kind() {
            ffi::XML_INTERNAL_GENERAL_ENTITY => ffi::XML_EXTERNAL_GENERAL_PARSED_ENTITY,
            ffi::XML_INTERNAL_PARAMETER_ENTITY => ffi::XML_EXTERNAL_PARAMETER_ENTITY,
            _ => return,
        };
        if entity.address().is_some() {
            entity.set_kind(external);
        }
    }
}

/// Makes entities the owners of their content.
#[derive(Debug)]
struct Owners;

impl Attachment for Owners {}

#[callbacks(unsafe)]
impl Owners {
    #[callback(ffi::xmlHashScanner, args = (entity, data, _))]
    fn own(&self, entity: &mut Declared) {
        entity.set_owner(1);
    }
}

/// A notation of a table.
#[handle(raw = ffi::xmlNotation, callback_only)]
struct DeclaredNotation;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl DeclaredNotation {
    #[field(name)]
    fn name(&self) -> Option<String>;

    #[field(PublicID)]
    fn public_id(&self) -> Option<String>;

    #[field(SystemID)]
    fn system_id(&self) -> Option<String>;
}

/// Collects the notations of a table.
#[derive(Debug, Default)]
struct Found(Mutex<Vec<Result<(String, NotationValue)>>>);

impl Attachment for Found {}

#[callbacks(unsafe)]
impl Found {
    #[callback(ffi::xmlHashScanner, args = (notation, data, _))]
    fn add(&self, notation: &DeclaredNotation) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = notation.name().unwrap_or_default();
        let value = NotationValue {
            name: name.clone(),
            public_id: notation.public_id(),
            system_id: notation.system_id(),
        };
        found.push(Ok((name, value)));
    }
}

/// An entity that a DTD declares.
#[pyclass(
    frozen,
    get_all,
    eq,
    name = "Entity",
    module = "xml_safe",
    crate = "leakproof::pyo3"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityValue {
    /// The name.
    pub(crate) name: String,
    /// The kind: "internal"; "external", with a text of its own; "unparsed", with a notation; or "predefined".
    pub(crate) kind: &'static str,
    /// The text. References to parameter entities and to characters in it are replaced, and others are not. None for an
    /// external entity that was not read.
    pub(crate) content: Option<String>,
    /// The public identifier of an external entity.
    pub(crate) public_id: Option<String>,
    /// The system identifier of an external entity, as the document has it.
    pub(crate) system_id: Option<String>,
    /// The name of the notation of an unparsed entity.
    pub(crate) notation: Option<String>,
}

/// A notation that a DTD declares.
#[pyclass(
    frozen,
    get_all,
    eq,
    name = "Notation",
    module = "xml_safe",
    crate = "leakproof::pyo3"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotationValue {
    /// The name.
    pub(crate) name: String,
    /// The public identifier.
    pub(crate) public_id: Option<String>,
    /// The system identifier.
    pub(crate) system_id: Option<String>,
}

/// An attribute that a DTD declares.
#[pyclass(
    frozen,
    get_all,
    eq,
    name = "AttributeDeclaration",
    module = "xml_safe",
    crate = "leakproof::pyo3"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttributeValue {
    /// The name of the element.
    pub(crate) element: String,
    /// The name, with its prefix: "p:name".
    pub(crate) name: String,
    /// The type: "CDATA", "ID", "IDREF", "IDREFS", "ENTITY", "ENTITIES", "NMTOKEN", "NMTOKENS", "NOTATION" or
    /// "enumeration".
    pub(crate) r#type: &'static str,
    /// "required", "implied", "fixed", or "default" for an attribute with a default value.
    pub(crate) presence: &'static str,
    /// The default value, or the fixed one.
    pub(crate) default: Option<String>,
    /// The values to choose from, of an enumeration or of notations.
    pub(crate) values: Vec<String>,
}

macro_rules! values {
    ($($value:ident: $name:literal),+) => {$(
        #[pymethods(crate = "leakproof::pyo3")]
        impl $value {
            fn __repr__(&self) -> String {
                format!("<{} {:?}>", $name, self.name)
            }
        }

        impl IntoPython for $value {
            const TYPE: PyStaticExpr = <$value as PyTypeInfo>::TYPE_HINT;

            fn into_python<'a, 'py>(
                self,
                context: &CallContext<'a, 'py>,
            ) -> PyResult<Bound<'py, PyAny>>
            where
                Self: 'a,
            {
                Ok(Bound::new(context.py(), self)?.into_any())
            }
        }
    )+};
}

values! { EntityValue: "Entity", NotationValue: "Notation", AttributeValue: "AttributeDeclaration" }
