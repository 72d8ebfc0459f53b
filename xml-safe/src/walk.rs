//! The iterator over a node and the nodes below it, in document order.
//!
//! The tree may change between two steps. The iterator stores the last node, its ancestors up to the top, and the next
//! sibling of each. It goes on below the last node if that is still in place, else at the stored siblings that are
//! still in place, from the innermost level outwards. In the place of a sibling that has left, it takes the present
//! next sibling. So it survives removals, and its memory grows with the depth only. Nodes that are put right behind the
//! last one are left out, so a loop that puts a node there each time ends.

use std::sync::{Mutex, TryLockError};

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyTypeError, PyValueError};
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyResult};
use leakproof::pyo3::types::{PyString, PyStringMethods};
use leakproof::pyo3::{PyErr, PyTraverseError, PyVisit, Python, pyclass, pymethods};
use leakproof::{CallContext, with_receiver};

use crate::ffi;
use crate::node::Node;
use crate::order::following;
use crate::valid;

/// The types of nodes that an iterator can give: bits by the numbers of the types.
const TYPES: [(&str, u32); 8] = [
    ("node", u32::MAX),
    ("element", 1 << ffi::XML_ELEMENT_NODE),
    ("text", 1 << ffi::XML_TEXT_NODE),
    ("cdata", 1 << ffi::XML_CDATA_SECTION_NODE),
    ("comment", 1 << ffi::XML_COMMENT_NODE),
    ("pi", 1 << ffi::XML_PI_NODE),
    ("entity_ref", 1 << ffi::XML_ENTITY_REF_NODE),
    ("dtd", 1 << ffi::XML_DTD_NODE),
];

/// Returns the bits of a type, or of several.
fn types_of(types: &Bound<'_, PyAny>) -> Result<u32> {
    if let Ok(name) = types.cast::<PyString>() {
        return type_of(name);
    }
    let items = types.try_iter().map_err(|error| {
        match error.is_instance_of::<PyTypeError>(types.py()) {
            true => PyTypeError::new_err("type is a str or an iterable of str"),
            false => error,
        }
    })?;
    let mut bits = 0;
    for item in items {
        bits |= type_of(item?.cast::<PyString>().map_err(PyErr::from)?)?;
    }
    Ok(bits)
}

fn type_of(name: &Bound<'_, PyString>) -> Result<u32> {
    let name = name.to_cow()?;
    let found = TYPES.iter().find(|(known, _)| *known == name);
    found.map(|(_, bits)| *bits).ok_or_else(|| {
        let known = TYPES.map(|(name, _)| format!("{name:?}")).join(", ");
        Error::Value(format!(
            "no iterator gives nodes of the type {name:?}: choose from {known}"
        ))
    })
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Iterate over this node and all nodes below it, in document order. The nodes are looked for one after the other,
    /// and no list is made.
    ///
    /// `name` is the name of elements, of references to entities, or the target of processing instructions. A name in a
    /// namespace is written "{uri}name"; "*" stands for any name or URI. `type` is "element", "text", "cdata",
    /// "comment", "pi", "entity_ref", "dtd", several of these, or "node" for all. By default the iterator gives
    /// elements. It gives no attributes.
    ///
    /// The tree may change meanwhile. Behind a node that is taken out while it is the last one that came, the iterator
    /// goes on in the tree, and leaves out what is below the node. If a node above the last one is taken out, the rest
    /// of what is below that comes first. Nodes inserted further on are included. Nodes inserted right behind the last
    /// one are not.
    ///
    /// Raises ValueError for an unknown type, and for a text that is no name.
    #[pyo3(signature = (
        name = None,
        *,
        r#type: "str | abc.Iterable[str] | None" = None
    ))]
    fn iter(&self, name: Option<&CStr>, r#type: Option<Bound<'_, PyAny>>) -> Result<Walk<'_>> {
        Walk::new(Borrowed::from(self), name, r#type)
    }

    #[rust_only]
    fn is_wanted(&self, name: Option<&CStr>, types: u32) -> bool {
        const NAMED: u32 =
            1 << ffi::XML_ELEMENT_NODE | 1 << ffi::XML_PI_NODE | 1 << ffi::XML_ENTITY_REF_NODE;
        let bit = 1_u32.checked_shl(self.type_number()).unwrap_or(0);
        types & bit != 0 && name.is_none_or(|name| bit & NAMED != 0 && self.has_name(name))
    }
}

/// The arguments of an iterator.
pub(crate) struct Walk<'d> {
    top: Borrowed<'d, Node>,
    wanted: Wanted,
}

impl<'d> Walk<'d> {
    pub(crate) fn new(
        top: Borrowed<'d, Node>,
        name: Option<&CStr>,
        types: Option<Bound<'_, PyAny>>,
    ) -> Result<Self> {
        let types = match types {
            Some(types) => types_of(&types)?,
            None => 1 << ffi::XML_ELEMENT_NODE,
        };
        name.map_or(Ok(()), valid::pattern)?;
        let name = name.map(CStr::to_owned);
        let wanted = Wanted { name, types };
        Ok(Walk { top, wanted })
    }
}

/// The nodes that an iterator gives.
struct Wanted {
    name: Option<CString>,
    types: u32,
}

impl Wanted {
    fn includes(&self, node: &Node) -> bool {
        node.is_wanted(self.name.as_deref(), self.types)
    }

    /// Returns the first of these nodes from `first` on, in the tree at `top`.
    fn find<'d>(
        &self,
        first: Option<Borrowed<'d, Node>>,
        top: Borrowed<'d, Node>,
    ) -> Option<Borrowed<'d, Node>> {
        let mut next = first;
        while let Some(node) = next.filter(|node| !self.includes(node)) {
            next = following(node, top);
        }
        next
    }
}

impl IntoPython for Walk<'_> {
    const TYPE: PyStaticExpr = <Successors<'static, Node> as IntoPython>::TYPE;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        let iterator = NodeIterator {
            top: self.top.into_python(context)?.unbind(),
            wanted: self.wanted,
            way: Mutex::new(Way::Before),
        };
        Ok(Bound::new(context.py(), iterator)?.into_any())
    }
}

/// Iterates over a node and the nodes below it.
#[pyclass(module = "xml_safe", frozen, crate = "leakproof::pyo3")]
struct NodeIterator {
    top: Object,
    wanted: Wanted,
    /// Locked by the thread that is looking for the next node.
    way: Mutex<Way>,
}

/// The place of an iterator.
enum Way {
    Before,
    /// The way down from the top to the node that was given last. Empty at the top itself.
    At(Vec<Step>),
    End,
}

type Object = Py<PyAny>;

/// A node on the way down to the node that an iterator gave last, and the next sibling that it had.
struct Step {
    here: Object,
    ahead: Option<Object>,
}

impl Step {
    fn at<'a>(node: Borrowed<'a, Node>, context: &CallContext<'a, '_>) -> PyResult<Self> {
        Ok(Step {
            here: node.into_python(context)?.unbind(),
            ahead: node
                .get()
                .next_sibling()
                .map(|next| next.into_python(context).map(Bound::unbind))
                .transpose()?,
        })
    }
}

/// Returns the parent of a node, if that is the node of the object `parent`.
fn parent_at<'a>(
    node: Borrowed<'a, Node>,
    parent: &Bound<'_, PyAny>,
) -> Option<Borrowed<'a, Node>> {
    let above = node.get().parent();
    above.filter(|above| above.is_object(parent))
}

/// Adds the way to `node` from below `top`.
fn add_way<'a>(
    steps: &mut Vec<Step>,
    node: Borrowed<'a, Node>,
    top: Borrowed<'a, Node>,
    context: &CallContext<'a, '_>,
) -> PyResult<()> {
    let level = steps.len();
    let upwards = Successors::new(Some(node), Node::parent);
    for node in upwards.take_while(|node| *node != top) {
        steps.try_reserve(1).map_err(Error::from)?;
        steps.push(Step::at(node, context)?);
    }
    steps[level..].reverse();
    Ok(())
}

/// The result of a search for the next node.
enum Found {
    /// The way to it was added.
    Yes,
    No,
    /// The search goes on at the next sibling that a node had, which is no longer behind that node.
    Elsewhere,
}

impl From<bool> for Found {
    fn from(is_found: bool) -> Self {
        match is_found {
            true => Found::Yes,
            false => Found::No,
        }
    }
}

impl NodeIterator {
    /// Returns the next node.
    fn step(&self, py: Python<'_>, way: &mut Way) -> PyResult<Option<Object>> {
        if matches!(way, Way::Before) {
            let top = self.top.bind(py);
            let is_wanted = with_receiver(top, |top: &Node, _| Ok(self.wanted.includes(top)))?;
            *way = Way::At(Vec::new());
            if is_wanted {
                return Ok(Some(self.top.clone_ref(py)));
            }
        }
        let Way::At(steps) = way else { return Ok(None) };
        let former = steps.len();
        match self.find(py, steps) {
            Ok(Some(level)) => {
                steps.drain(level..former);
                Ok(steps.last().map(|step| step.here.clone_ref(py)))
            }
            Ok(None) => {
                *way = Way::End;
                Ok(None)
            }
            Err(error) => {
                steps.truncate(former);
                Err(error)
            }
        }
    }

    /// Adds the steps of the way to the next node that the present way has not. Returns the number of those that it
    /// has.
    fn find(&self, py: Python<'_>, steps: &mut Vec<Step>) -> PyResult<Option<usize>> {
        if steps.is_empty() {
            let is_found = with_receiver(self.top.bind(py), |top: &Node, context| {
                let top = Borrowed::from(top);
                self.add(steps, (following(top, top), top), top, context)
            })?;
            return Ok(is_found.then_some(0));
        }
        let last = steps.len() - 1;
        for level in (0..=last).rev() {
            if self.find_from(py, steps, level, level == last)? {
                return Ok(Some(level));
            }
        }
        Ok(None)
    }

    /// Looks for the next node below the parent of the node at `level`. With `down`, the search begins below that node.
    /// If nothing is found there, it goes on at the next sibling that the node had.
    fn find_from(
        &self,
        py: Python<'_>,
        steps: &mut Vec<Step>,
        level: usize,
        down: bool,
    ) -> PyResult<bool> {
        let parent = match level.checked_sub(1) {
            Some(above) => steps[above].here.bind(py).clone(),
            None => self.top.bind(py).clone(),
        };
        let here = steps[level].here.bind(py).clone();
        let ahead = steps[level].ahead.as_ref();
        let ahead = ahead.map(|ahead| ahead.bind(py).clone());
        let found = with_receiver(&here, |here: &Node, context| {
            let here = Borrowed::from(here);
            let elsewhere = || ahead.as_ref().map_or(Found::No, |_| Found::Elsewhere);
            let Some(top) = parent_at(here, &parent) else {
                return Ok(elsewhere());
            };
            if down && self.add(steps, (following(here, here), here), top, context)? {
                return Ok(Found::Yes);
            }
            let next = here.get().next_sibling();
            match &ahead {
                Some(ahead) if next.is_some_and(|next| next.is_object(ahead)) => {
                    Ok(self.add(steps, (next, top), top, context)?.into())
                }
                _ => Ok(elsewhere()),
            }
        })?;
        let Some(ahead) = ahead.filter(|_| matches!(found, Found::Elsewhere)) else {
            return Ok(matches!(found, Found::Yes));
        };
        let found = with_receiver(&ahead, |ahead: &Node, context| {
            let ahead = Borrowed::from(ahead);
            match parent_at(ahead, &parent) {
                Some(top) => Ok(self.add(steps, (Some(ahead), top), top, context)?.into()),
                None => Ok(Found::Elsewhere),
            }
        })?;
        if !matches!(found, Found::Elsewhere) {
            return Ok(matches!(found, Found::Yes));
        }
        with_receiver(&here, |here: &Node, context| {
            let here = Borrowed::from(here);
            match parent_at(here, &parent) {
                Some(top) => {
                    let next = here.get().next_sibling();
                    self.add(steps, (next, top), top, context)
                }
                None => Ok(false),
            }
        })
    }

    /// Looks for the first node that the iterator gives, from `first` on in the tree at `within`, and adds the way to
    /// it from below `top`. Returns whether there is one.
    fn add<'a>(
        &self,
        steps: &mut Vec<Step>,
        (first, within): (Option<Borrowed<'a, Node>>, Borrowed<'a, Node>),
        top: Borrowed<'a, Node>,
        context: &CallContext<'a, '_>,
    ) -> PyResult<bool> {
        match self.wanted.find(first, within) {
            Some(node) => add_way(steps, node, top, context).map(|()| true),
            None => Ok(false),
        }
    }
}

#[pymethods(crate = "leakproof::pyo3")]
impl NodeIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Object>> {
        let mut way = match self.way.try_lock() {
            Ok(way) => way,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(PyValueError::new_err("the iterator is in use already"));
            }
        };
        self.step(py, &mut way)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(way) = self.way.try_lock()
            && let Way::At(steps) = &*way
        {
            for Step { here, ahead } in steps {
                visit.call(here)?;
                visit.call(ahead)?;
            }
        }
        visit.call(&self.top)
    }
}
