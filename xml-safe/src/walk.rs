//! The iterator over a node and the nodes below it, in document order.
//!
//! The tree may change between two steps. The iterator stores the last node, its ancestors up to the top, and the next
//! sibling of each. It goes on below the last node if that is still in place, else at the stored siblings that are
//! still in place, from the innermost level outwards. In the place of a sibling that has left, it takes the present
//! next sibling. So it survives removals, and its memory grows with the depth only. Nodes that are put right behind the
//! last one are left out, so a loop that puts a node there each time ends.

use std::sync::{Mutex, PoisonError};

use leakproof::CallContext;
use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyTypeError, PyValueError};
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyResult};
use leakproof::pyo3::types::{PyList, PyListMethods, PyString, PyStringMethods};
use leakproof::pyo3::{PyErr, PyTraverseError, PyVisit, Python, intern, pyclass, pymethods};

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

/// A node on the way down to the node that an iterator gave last, and the node behind it.
type Step<O> = (O, Option<O>);

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
    /// The tree may change meanwhile. The iterator goes on behind nodes that are taken out, and leaves out what is
    /// below them. Nodes inserted further on are included. Nodes inserted right behind the last one are not.
    ///
    /// Raises ValueError for an unknown type, and for a text that is no name.
    #[pyo3(signature = (
        name = None,
        *,
        r#type: "str | abc.Iterable[str] | None" = None
    ))]
    fn iter(&self, name: Option<&CStr>, r#type: Option<Bound<'_, PyAny>>) -> Result<Walk<'_>> {
        let types = match r#type {
            Some(types) => types_of(&types)?,
            None => 1 << ffi::XML_ELEMENT_NODE,
        };
        name.map_or(Ok(()), valid::pattern)?;
        let top = Borrowed::from(self);
        let name = name.map(CStr::to_owned);
        Ok(Walk { top, name, types })
    }

    /// Return the nodes from below this one down to the next node that an iterator gives, each with its next sibling,
    /// or None if there is no such node. `here` is the child of this node that the iterator was at or below, or this
    /// node itself. With `down`, the search begins below `here`. If nothing is found there, it goes on at `ahead`, the
    /// next sibling that `here` had.
    #[foreign(here, ahead)]
    #[pyo3(signature = (here, ahead, down, name, types))]
    fn _walk(
        &self,
        here: &Node,
        ahead: Option<&Node>,
        down: bool,
        name: Option<&CStr>,
        types: u32,
    ) -> Result<Option<Vec<Step<Borrowed<'_, Node>>>>> {
        let Some(document) = self.owner() else {
            return Ok(None);
        };
        // Another document has adopted the others.
        let within = |node: &Node| Borrowed::from(node).with_owner(document.get());
        let Some(parent) = within(self) else {
            return Ok(None);
        };
        let here = within(here);
        let is_there = |node: &Borrowed<'_, Node>| node.get().parent() == Some(parent);
        let find = |first, top| {
            let mut nodes = std::iter::successors(first, |node| following(*node, top));
            nodes.find(|node| node.is_wanted(name, types))
        };
        let here = here.filter(|here| *here == parent || is_there(here));
        let below = here.filter(|_| down).and_then(|here| {
            let first = following(here, here);
            find(first, here)
        });
        let found = below.or_else(|| {
            let ahead = ahead?;
            let instead = || here.and_then(|here| here.get().next_sibling());
            let ahead = within(ahead).filter(is_there);
            find(ahead.or_else(instead), parent)
        });
        found.map(|node| path(node, parent)).transpose()
    }

    /// Returns `true` if an iterator gives this node.
    fn _is_wanted(&self, name: Option<&CStr>, types: u32) -> bool {
        self.is_wanted(name, types)
    }

    #[rust_only]
    fn is_wanted(&self, name: Option<&CStr>, types: u32) -> bool {
        const NAMED: u32 =
            1 << ffi::XML_ELEMENT_NODE | 1 << ffi::XML_PI_NODE | 1 << ffi::XML_ENTITY_REF_NODE;
        let bit = 1_u32.checked_shl(self.type_number()).unwrap_or(0);
        types & bit != 0 && name.is_none_or(|name| bit & NAMED != 0 && self.has_name(name))
    }
}

/// Returns the nodes from below `parent` down to `node`, each with the node behind it.
fn path<'d>(
    node: Borrowed<'d, Node>,
    parent: Borrowed<'d, Node>,
) -> Result<Vec<Step<Borrowed<'d, Node>>>> {
    let mut path = Vec::new();
    let upwards = Successors::new(Some(node), Node::parent).take_while(|node| *node != parent);
    for node in upwards {
        path.try_reserve(1)?;
        path.push((node, node.get().next_sibling()));
    }
    path.reverse();
    Ok(path)
}

/// The arguments of an iterator.
pub(crate) struct Walk<'d> {
    top: Borrowed<'d, Node>,
    name: Option<CString>,
    types: u32,
}

impl IntoPython for Walk<'_> {
    const TYPE: PyStaticExpr = <Successors<'static, Node> as IntoPython>::TYPE;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        let top = self.top.into_python(context)?;
        let name = self
            .name
            .map(|name| name.into_python(context))
            .transpose()?;
        // PyO3 makes an int of an argument, and panics without memory.
        let types = self.types.into_python(context)?;
        let iterator = NodeIterator {
            top: top.unbind(),
            name: name.map(Bound::unbind),
            types: types.unbind(),
            way: Mutex::new(Way::Before),
        };
        Ok(Bound::new(context.py(), iterator)?.into_any())
    }
}

/// Iterates over a node and the nodes below it.
#[pyclass(module = "xml_safe", frozen, crate = "leakproof::pyo3")]
struct NodeIterator {
    top: Py<PyAny>,
    name: Option<Py<PyAny>>,
    types: Py<PyAny>,
    way: Mutex<Way>,
}

/// The place of an iterator.
enum Way {
    Before,
    /// The way down from the top to the node that was given last. Empty at the top itself.
    At(Vec<Step<Object>>),
    End,
    /// A thread is looking for the next node.
    Taken,
}

type Object = Py<PyAny>;

impl NodeIterator {
    fn swap(&self, way: Way) -> Way {
        let mut present = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut present, way)
    }

    /// Returns the next node.
    fn step(&self, py: Python<'_>, way: &mut Way) -> PyResult<Option<Object>> {
        if matches!(way, Way::Before) {
            let arguments = (&self.name, &self.types);
            let is_wanted = self
                .top
                .call_method1(py, intern!(py, "_is_wanted"), arguments)?;
            *way = Way::At(Vec::new());
            if is_wanted.is_truthy(py)? {
                return Ok(Some(self.top.clone_ref(py)));
            }
        }
        let Way::At(steps) = way else { return Ok(None) };
        let Some((kept, added)) = self.way_on(py, steps)? else {
            *way = Way::End;
            return Ok(None);
        };
        steps.try_reserve(added.len()).map_err(Error::from)?;
        let node = added.last().map(|(node, _)| node.clone_ref(py));
        steps.truncate(kept);
        steps.extend(added);
        Ok(node)
    }

    /// Returns the way to the next node: the number of steps that it has in common with the present one, and the
    /// others.
    fn way_on(
        &self,
        py: Python<'_>,
        steps: &[Step<Object>],
    ) -> PyResult<Option<(usize, Vec<Step<Object>>)>> {
        if steps.is_empty() {
            let added = self.walk(py, &self.top, &self.top, None, true)?;
            return Ok(added.map(|added| (0, added)));
        }
        for (level, (here, ahead)) in steps.iter().enumerate().rev() {
            let parent = level
                .checked_sub(1)
                .map_or(&self.top, |above| &steps[above].0);
            let down = level + 1 == steps.len();
            if let Some(added) = self.walk(py, here, parent, ahead.as_ref(), down)? {
                return Ok(Some((level, added)));
            }
        }
        Ok(None)
    }

    fn walk(
        &self,
        py: Python<'_>,
        here: &Object,
        parent: &Object,
        ahead: Option<&Object>,
        down: bool,
    ) -> PyResult<Option<Vec<Step<Object>>>> {
        let arguments = (here, ahead, down, &self.name, &self.types);
        let found = parent
            .bind(py)
            .call_method1(intern!(py, "_walk"), arguments)?;
        if found.is_none() {
            return Ok(None);
        }
        let found = found.cast::<PyList>()?;
        let mut added = Vec::new();
        added.try_reserve(found.len()).map_err(Error::from)?;
        for step in found.iter() {
            added.push(step.extract()?);
        }
        Ok(Some(added))
    }
}

#[pymethods(crate = "leakproof::pyo3")]
impl NodeIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Object>> {
        // The lock is not held while the tree is used: that may wait for other threads.
        let mut way = self.swap(Way::Taken);
        if matches!(way, Way::Taken) {
            return Err(PyValueError::new_err("the iterator is in use already"));
        }
        let node = self.step(py, &mut way);
        self.swap(way);
        node
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(way) = self.way.try_lock()
            && let Way::At(steps) = &*way
        {
            for (here, ahead) in steps {
                visit.call(here)?;
                visit.call(ahead)?;
            }
        }
        visit.call(&self.top)
    }
}
