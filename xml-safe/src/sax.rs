//! The handlers that run around libxml2's own SAX handlers: they resolve references to external entities and to the
//! external DTD, record lines that are too large for libxml2's nodes, and keep entity references from pointing into the
//! DTD.
//!
//! No handler runs Python, reads a file, or lets libxml2 read one. A handler records a missing file, and stops the
//! parser if the rest of the document depends on the file. After the file was read, the document is parsed again. Each
//! external entity is declared as an internal one with the text that was read, so that libxml2 never calls its entity
//! loader. After parsing, the entity is marked as external again. Newer versions of libxml2 take the text of an
//! external entity from its declaration: with these, general entities are declared as external.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

use leakproof::Null;
use leakproof::prelude::*;

use crate::errors::ParseErrors;
use crate::external_entities::{Address, Loaded, refused};
use crate::ffi;
use crate::parser::{Input, Parser};

/// The first line that is too large for a node's line field.
const BIG_LINE: usize = 65_535;

/// The parser's state, as passed to its handlers.
#[handle(
    raw = ffi::xmlParserCtxt,
    callback_only,
    errors(ParseErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(ffi::__xmlGetWarningsDefaultValue = 1, ffi::__xmlParserDebugEntities = 0)
)]
pub(crate) struct Context;

#[methods(unsafe, rust_only)]
impl Context {
    #[calls(ffi::xmlSAX2EntityDecl, args = (self, name, kind, public, system, content))]
    fn declare(
        &self,
        name: &CStr,
        kind: c_int,
        public: Option<&CStr>,
        system: Option<&CStr>,
        content: Option<&CStr>,
    );

    #[calls(ffi::xmlSAX2GetEntity)]
    fn general_entity(&self, name: &CStr) -> Option<Borrowed<Declaration>>;

    #[calls(ffi::xmlSAX2GetParameterEntity)]
    fn parameter_entity(&self, name: &CStr) -> Option<Borrowed<Declaration>>;

    /// Refuses an entity that was to be declared and is not. libxml2 has had no memory for it, and reports no more than
    /// the references to it.
    fn check_declared(&self, name: &CStr, parameter: bool) -> Result<()> {
        let found = match parameter {
            true => self.parameter_entity(name),
            false => self.general_entity(name),
        };
        match found {
            Some(_) => Ok(()),
            None => Err(Error::OutOfMemory("xmlSAX2EntityDecl")),
        }
    }

    #[field(inputTab, len = inputNr)]
    fn inputs(&self) -> Vec<Borrowed<Reading>>;

    #[field(instate)]
    fn state(&self) -> i32;

    #[field(inSubset)]
    fn subset(&self) -> c_int;

    #[field((*input).line)]
    fn line(&self) -> c_int;

    /// The open element.
    #[field(node)]
    fn open(&self) -> Option<Borrowed<Added>>;

    #[field((*node).psvi)]
    fn set_open_line(&mut self, line: usize);

    #[field((*(*node).last).psvi)]
    fn set_last_line(&mut self, line: usize);

    #[field((*(*node).last).children)]
    fn set_last_children(&mut self, children: Null);

    #[field((*(*node).last).last)]
    fn set_last_of_last(&mut self, last: Null);

    #[field(myDoc)]
    fn document(&self) -> Option<Borrowed<Whole>>;

    #[field((*(*myDoc).last).psvi)]
    fn set_outer_line(&mut self, line: usize);

    /// Returns the current line if it is too large for a node's line field.
    fn big_line(&self) -> Option<usize> {
        let line = usize::try_from(self.line()).unwrap_or_default();
        (line >= BIG_LINE && self.subset() == 0).then_some(line)
    }

    /// Returns `true` if the last child of the open element is of this type.
    fn has_last(&self, kind: u32) -> bool {
        self.open()
            .is_some_and(|open| open.get().last().is_some_and(|last| last.kind() == kind))
    }

    /// Returns the address of the file that is being read. Internal entities have no address.
    fn base(&self) -> Option<CString> {
        let inputs = self.inputs();
        inputs.iter().rev().find_map(|input| input.address())
    }
}

/// The declaration of an entity.
#[handle(raw = ffi::xmlEntity, callback_only)]
struct Declaration;

/// A node of the tree under construction.
#[handle(raw = ffi::xmlNode, callback_only)]
struct Added;

#[methods(unsafe, rust_only)]
impl Added {
    #[field(type_)]
    fn kind(&self) -> u32;

    #[field(last)]
    fn last(&self) -> Option<Borrowed<Added>>;
}

/// The document under construction.
#[handle(raw = ffi::xmlDoc, callback_only)]
struct Whole;

#[methods(unsafe, rust_only)]
impl Whole {
    #[field(last)]
    fn last(&self) -> Option<Borrowed<Added>>;
}

/// An input of the parser.
#[handle(raw = ffi::xmlParserInput, callback_only)]
struct Reading;

#[methods(unsafe, rust_only)]
impl Reading {
    #[field(filename)]
    fn filename(&self) -> Option<CString>;

    fn address(&self) -> Option<CString> {
        self.filename().or_else(|| self.address_of_entity())
    }
}

/// The entity that an input is read from.
#[cfg(has_entity_of_input)]
#[handle(raw = ffi::xmlEntity, callback_only)]
struct Read;

#[cfg(has_entity_of_input)]
#[methods(unsafe, rust_only)]
impl Read {
    #[field(name)]
    fn name(&self) -> Option<CString>;

    #[field(URI)]
    fn address(&self) -> Option<CString>;
}

#[cfg(has_entity_of_input)]
#[methods(unsafe, rust_only)]
impl Reading {
    #[field(entity)]
    fn entity(&self) -> Option<Borrowed<Read>>;

    fn address_of_entity(&self) -> Option<CString> {
        self.entity().and_then(|entity| entity.address())
    }
}

#[cfg(not(has_entity_of_input))]
impl Reading {
    #[expect(clippy::unused_self, reason = "other versions know it")]
    fn address_of_entity(&self) -> Option<CString> {
        None
    }
}

/// The handlers of one run of the parser.
#[derive(Debug, Default)]
pub(crate) struct Handlers(Mutex<Resolving>);

/// The external references of a document.
#[derive(Debug, Default)]
pub(crate) struct Resolving {
    /// Set if external files may be read.
    pub(crate) allowed: bool,
    /// The path of the document's own file.
    pub(crate) document: Option<CString>,
    /// The files read so far.
    pub(crate) loaded: Loaded,
    /// The first declaration of each entity, by kind (true for a parameter entity) and name: the address of an external
    /// entity.
    declared: BTreeMap<(bool, CString), Option<Address>>,
    /// The addresses of files that are missing.
    wanted: Vec<Address>,
}

impl Attachment for Handlers {}

impl Handlers {
    pub(crate) fn new(allowed: bool, document: Option<&CStr>) -> Self {
        Handlers(Mutex::new(Resolving {
            allowed,
            document: document.map(CStr::to_owned),
            ..Resolving::default()
        }))
    }

    /// Locks the references. The lock never waits: only the parsing thread uses it.
    fn resolving(&self) -> MutexGuard<'_, Resolving> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares for parsing the document again, with the files that were read.
    pub(crate) fn restart(&mut self, loaded: Loaded) {
        let resolving = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        resolving.loaded = loaded;
        resolving.declared.clear();
    }

    /// Takes the addresses of the missing files, and the files read so far.
    pub(crate) fn take(&mut self) -> (Vec<Address>, Loaded) {
        let resolving = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        (
            std::mem::take(&mut resolving.wanted),
            std::mem::take(&mut resolving.loaded),
        )
    }
}

/// The type with which a general entity is declared once its text was read. For an external type, libxml2 itself
/// refuses a reference in the value of an attribute.
const GENERAL_WITH_TEXT: u32 = match cfg!(has_external_text) {
    true => ffi::XML_EXTERNAL_GENERAL_PARSED_ENTITY,
    false => ffi::XML_INTERNAL_GENERAL_ENTITY,
};

/// Returns the text for a declaration. libxml2 reads a text declaration at the start of an external entity, and `text`
/// has none left. Text that looks like a declaration is content, and so an error: a real declaration is put before it.
fn as_declared(text: CString) -> CString {
    const DECLARATION: &[u8] = b"<?xml encoding='UTF-8'?>";
    if cfg!(has_external_text) && text.as_bytes().starts_with(b"<?xml") {
        let text = [DECLARATION, text.as_bytes()].concat();
        return CString::new(text).unwrap_or_default();
    }
    text
}

/// The error that stops the parser until a missing file was read. The error never reaches the user.
fn stopped() -> Error {
    Error::Failed("xmlStopParser")
}

impl Resolving {
    fn absolute(&self, system: &CStr, base: Option<&CStr>) -> CString {
        let base = base.or(self.document.as_deref());
        let built = base.and_then(|base| Parser::build_uri(system, base));
        built.unwrap_or_else(|| system.to_owned())
    }

    /// Records a missing file, or refuses the document if external files may not be read.
    fn want(&mut self, what: &str, address: Address) -> Result<()> {
        if !self.allowed {
            let message = format!("{what} is not read: parse was given no `external`");
            return Err(refused(message, self.document.as_deref()));
        }
        self.wanted.push(address);
        Ok(())
    }

    fn refer(&mut self, parameter: bool, name: CString, in_attribute: bool) -> Result<()> {
        let text = name.to_string_lossy().into_owned();
        let Some(Some(address)) = self.declared.get(&(parameter, name)) else {
            return Ok(());
        };
        if in_attribute {
            let message = format!("the value of an attribute refers to the external entity {text}");
            return Err(refused(message, self.document.as_deref()));
        }
        if self.loaded.contains_key(&address.system) {
            return Ok(());
        }
        let address = address.clone();
        self.want(&format!("the external entity {text}"), address)?;
        match parameter {
            // The entity's declarations affect the rest of the document.
            true => Err(stopped()),
            // The parser continues, so that one run finds all references.
            false => Ok(()),
        }
    }
}

#[callbacks(unsafe)]
impl Handlers {
    #[callback(
        ffi::entityDeclSAXFunc,
        args = (context, name, kind, public, system, content),
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = ffi::xmlStopParser(context.cast())
    )]
    pub(crate) fn declare(
        &self,
        context: &Context,
        name: CString,
        kind: c_int,
        public: Option<CString>,
        system: Option<CString>,
        content: Option<CString>,
    ) -> Result<()> {
        let (parameter, internal) = match kind.cast_unsigned() {
            ffi::XML_EXTERNAL_GENERAL_PARSED_ENTITY => (false, GENERAL_WITH_TEXT),
            ffi::XML_EXTERNAL_PARAMETER_ENTITY => (true, ffi::XML_INTERNAL_PARAMETER_ENTITY),
            other => {
                let key = (other == ffi::XML_INTERNAL_PARAMETER_ENTITY, name.clone());
                self.resolving().declared.entry(key).or_insert(None);
                context.declare(
                    &name,
                    kind,
                    public.as_deref(),
                    system.as_deref(),
                    content.as_deref(),
                );
                return context.check_declared(&name, other == ffi::XML_INTERNAL_PARAMETER_ENTITY);
            }
        };
        let text = {
            let mut resolving = self.resolving();
            let system = system.clone().unwrap_or_default();
            let address = Address {
                system: resolving.absolute(&system, context.base().as_deref()),
                public: public.clone(),
            };
            let text = resolving.loaded.get(&address.system).cloned();
            let key = (parameter, name.clone());
            resolving.declared.entry(key).or_insert(Some(address));
            as_declared(text.unwrap_or_default())
        };
        let system = system.unwrap_or_default();
        context.declare(
            &name,
            internal.cast_signed(),
            public.as_deref(),
            Some(&system),
            Some(&text),
        );
        context.check_declared(&name, parameter)
    }

    /// Stops the parser if an entity was not declared.
    #[callback(
        ffi::entityDeclSAXFunc,
        args = (context, name, kind, _, _, _),
        before = ffi::xmlSAX2EntityDecl,
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = ffi::xmlStopParser(context.cast())
    )]
    pub(crate) fn declared(&self, context: &Context, name: CString, kind: c_int) -> Result<()> {
        let kind = kind.cast_unsigned();
        let external = kind == ffi::XML_EXTERNAL_PARAMETER_ENTITY;
        context.check_declared(
            &name,
            external || kind == ffi::XML_INTERNAL_PARAMETER_ENTITY,
        )
    }

    #[callback(
        ffi::getEntitySAXFunc,
        args = (context, name),
        before = ffi::xmlSAX2GetEntity,
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = { ffi::xmlStopParser(context.cast()); std::ptr::null_mut() }
    )]
    pub(crate) fn entity(&self, context: &Context, name: CString) -> Result<()> {
        #[allow(
            clippy::unnecessary_cast,
            reason = "an enum without negative values is unsigned to bindgen"
        )]
        let in_attribute = context.state() == ffi::XML_PARSER_ATTRIBUTE_VALUE as i32;
        self.resolving().refer(false, name, in_attribute)
    }

    #[callback(
        ffi::getParameterEntitySAXFunc,
        args = (context, name),
        before = ffi::xmlSAX2GetParameterEntity,
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = { ffi::xmlStopParser(context.cast()); std::ptr::null_mut() }
    )]
    pub(crate) fn parameter(&self, name: CString) -> Result<()> {
        self.resolving().refer(true, name, false)
    }

    #[callback(
        ffi::resolveEntitySAXFunc,
        args = (context, public, system),
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = { ffi::xmlStopParser(context.cast()); std::ptr::null_mut() }
    )]
    pub(crate) fn subset(
        &self,
        public: Option<CString>,
        system: Option<CString>,
    ) -> Result<Option<Owned<'static, Input>>> {
        let mut resolving = self.resolving();
        let system = system.unwrap_or_default();
        let address = Address {
            system: resolving.absolute(&system, None),
            public,
        };
        let Some(text) = resolving.loaded.get(&address.system) else {
            resolving.want("the external DTD", address)?;
            return Err(stopped());
        };
        Input::new(text.to_bytes(), &address.system).map(Some)
    }

    #[callback(
        ffi::startElementNsSAX2Func,
        args = (context, _, _, _, _, _, _, _, _),
        before = ffi::xmlSAX2StartElementNs,
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = ()
    )]
    pub(crate) fn element(&self, context: &mut Context) {
        if let Some(line) = context.big_line()
            && context.open().is_some()
        {
            context.set_open_line(line);
        }
    }

    #[callback(
        ffi::commentSAXFunc,
        args = (context, _),
        before = ffi::xmlSAX2Comment,
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = ()
    )]
    pub(crate) fn comment(&self, context: &mut Context) {
        note_last(context, ffi::XML_COMMENT_NODE);
    }

    #[callback(
        ffi::processingInstructionSAXFunc,
        args = (context, _, _),
        before = ffi::xmlSAX2ProcessingInstruction,
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = ()
    )]
    pub(crate) fn instruction(&self, context: &mut Context) {
        note_last(context, ffi::XML_PI_NODE);
    }

    /// Clears the link from an entity reference in the tree to the declaration; `Document::entity` finds the
    /// declaration by name. libxml2 sets the declaration as the child of each reference. XPath's `following` axis then
    /// went through the DTD back to the root element, and never ended.
    #[callback(
        ffi::referenceSAXFunc,
        args = (context, _),
        before = ffi::xmlSAX2Reference,
        data = (*context.cast::<ffi::xmlParserCtxt>())._private,
        on_error = ()
    )]
    pub(crate) fn reference(&self, context: &mut Context) {
        if context.has_last(ffi::XML_ENTITY_REF_NODE) {
            context.set_last_children(Null);
            context.set_last_of_last(Null);
        }
    }
}

/// Records the line of the last added node, if the node is of this type.
fn note_last(context: &mut Context, kind: u32) {
    let Some(line) = context.big_line() else {
        return;
    };
    let is_it = |last: Option<Borrowed<'_, Added>>| last.is_some_and(|last| last.kind() == kind);
    if context.open().is_some() {
        if context.has_last(kind) {
            context.set_last_line(line);
        }
    } else if let Some(document) = context.document()
        && is_it(document.get().last())
    {
        context.set_outer_line(line);
    }
}

impl ErrorSource<Context> for ParseErrors {
    fn into_error(self, call: &CallInfo<'_, Context>) -> Error {
        self.into_parse_error(call.function)
    }
}
