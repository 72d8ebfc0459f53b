//! The handlers around libxml2's own while it parses: they find out what a document refers to outside of itself, give it
//! what was read, note lines that libxml2's nodes have no place for, and keep references from pointing into the DTD.
//!
//! No handler runs Python, reads a file, or lets libxml2 do so. What is missing is written down, the parser stops, and the
//! document is parsed again when it was read. libxml2 never meets an entity that is external: it is declared as one whose
//! text is known, so that no path in libxml2 leads to its loader. Afterwards it is marked as external again. Newer versions
//! take an external entity's text from its declaration: there a general entity stays external.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

use leakproof::__private::to_c::Null;
use leakproof::prelude::*;

use crate::errors::ParseErrors;
use crate::external::{Address, Loaded, refused};
use crate::ffi;
use crate::parser::{Input, Parser};

/// The line from which on a node has no place for its line.
const BIG_LINE: usize = 65_535;

/// The parser's state, as its handlers get it.
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

    #[field(inputTab, len = inputNr)]
    fn inputs(&self) -> Vec<Borrowed<Reading>>;

    #[field(instate)]
    fn state(&self) -> i32;

    #[field(inSubset)]
    fn subset(&self) -> c_int;

    #[field((*input).line)]
    fn line(&self) -> c_int;

    /// The element that is open.
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

    /// The line, where a node has no place for it.
    fn big_line(&self) -> Option<usize> {
        let line = usize::try_from(self.line()).unwrap_or_default();
        (line >= BIG_LINE && self.subset() == 0).then_some(line)
    }

    /// Whether what was added last to the open element is of this type.
    fn has_last(&self, kind: u32) -> bool {
        self.open()
            .is_some_and(|open| open.get().last().is_some_and(|last| last.kind() == kind))
    }

    /// The address of the file that is read now: internal entities have none.
    fn base(&self) -> Option<CString> {
        let inputs = self.inputs();
        inputs.iter().rev().find_map(|input| input.address())
    }
}

/// A node of the tree that is built.
#[handle(raw = ffi::xmlNode, callback_only)]
struct Added;

#[methods(unsafe, rust_only)]
impl Added {
    #[field(type_)]
    fn kind(&self) -> u32;

    #[field(last)]
    fn last(&self) -> Option<Borrowed<Added>>;
}

/// The document that is built.
#[handle(raw = ffi::xmlDoc, callback_only)]
struct Whole;

#[methods(unsafe, rust_only)]
impl Whole {
    #[field(last)]
    fn last(&self) -> Option<Borrowed<Added>>;
}

/// Something that the parser reads.
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

/// The entity that the parser reads.
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

/// The handlers of one parsing.
#[derive(Debug, Default)]
pub(crate) struct Handlers(Mutex<Resolving>);

/// What a document refers to outside of itself.
#[derive(Debug, Default)]
pub(crate) struct Resolving {
    /// Whether anything may be read.
    pub(crate) allowed: bool,
    /// The document's own file.
    pub(crate) document: Option<CString>,
    /// What was read until now.
    pub(crate) loaded: Loaded,
    /// The first declaration of each entity, parameter entities apart: where it is, if it is external.
    declared: BTreeMap<(bool, CString), Option<Address>>,
    /// What is needed, too.
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

    /// What is written down. Nothing waits for it: only the thread that parses has it.
    fn resolving(&self) -> MutexGuard<'_, Resolving> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begin anew with what was read.
    pub(crate) fn restart(&mut self, loaded: Loaded) {
        let resolving = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        resolving.loaded = loaded;
        resolving.declared.clear();
    }

    /// What is needed, and what was read until now.
    pub(crate) fn take(&mut self) -> (Vec<Address>, Loaded) {
        let resolving = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        (
            std::mem::take(&mut resolving.wanted),
            std::mem::take(&mut resolving.loaded),
        )
    }
}

/// The kind of a general entity that is declared with the text that was read. Where it is external, libxml2 itself refuses it
/// in the value of an attribute.
const GENERAL_WITH_TEXT: u32 = match cfg!(has_external_text) {
    true => ffi::XML_EXTERNAL_GENERAL_PARSED_ENTITY,
    false => ffi::XML_INTERNAL_GENERAL_ENTITY,
};

/// The text for a declaration. libxml2 reads a text declaration in external ones, and `text` has none left: what looks like
/// one is part of the text, and so an error.
fn as_declared(text: CString) -> CString {
    const DECLARATION: &[u8] = b"<?xml encoding='UTF-8'?>";
    if cfg!(has_external_text) && text.as_bytes().starts_with(b"<?xml") {
        let text = [DECLARATION, text.as_bytes()].concat();
        return CString::new(text).unwrap_or_default();
    }
    text
}

/// What stops the parser where something has to be read first. Nobody sees it.
fn stopped() -> Error {
    Error::Failed("xmlStopParser")
}

impl Resolving {
    fn absolute(&self, system: &CStr, base: Option<&CStr>) -> CString {
        let base = base.or(self.document.as_deref());
        let built = base.and_then(|base| Parser::build_uri(system, base));
        built.unwrap_or_else(|| system.to_owned())
    }

    /// Write down what is missing.
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
            // What it declares matters for what follows.
            true => Err(stopped()),
            // All that the document refers to is found at once.
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
        on_error = ()
    )]
    pub(crate) fn declare(
        &self,
        context: &Context,
        name: CString,
        kind: c_int,
        public: Option<CString>,
        system: Option<CString>,
        content: Option<CString>,
    ) {
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
                return;
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

    /// Forgets what a reference in the tree refers to; `Document::entity` finds it by name. libxml2 has the declaration as
    /// the child of each reference. XPath's `following` axis went from there through the DTD back to the root element, and
    /// never ended.
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

/// Note the line of the node that was added last, if it is of this type.
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
