//! The children of a node, as a sequence.

use leakproof::CallContext;
use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyIndexError, PyOverflowError};
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyResult};
use leakproof::pyo3::types::{PyList, PySlice, PySliceMethods, PyTuple};
use leakproof::pyo3::{PyErr, PyTypeInfo, Python};

use crate::change::{Placing, child_before, clear, put, remove, remove_all};
use crate::create::within;
use crate::ffi;
use crate::moves::{Place, begin_owner_of};
use crate::node::{Node, gather};
use crate::numbers::Index;
use crate::serialize::python::exception;

/// The children of a node: a sequence of all nodes in it, texts and comments too, without attributes.
///
/// The sequence shows the children as they are at present, and changes them: nodes are put there and taken out as by
/// the methods of `Node`. An index takes time by its distance from the end that it counts from.
#[handle(raw = ffi::xmlNode, part_of = Node, owner_field = self)]
pub(crate) struct Children;

#[methods(unsafe, rust_only)]
impl Children {
    #[field(self)]
    fn parent(&self) -> Option<Borrowed<Node>>;
}

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[field(self)]
    pub(crate) fn as_children(&self) -> Option<Borrowed<Children>>;
}

/// What an index or a slice stands for.
enum Found<'t> {
    Node(Borrowed<'t, Node>),
    Nodes(Vec<Borrowed<'t, Node>>),
}

impl IntoPython for Found<'_> {
    // A node for an index, a list for a slice. A type checker would refuse every use of a union of both.
    const TYPE: PyStaticExpr = PyAny::TYPE_HINT;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        match self {
            Found::Node(node) => node.into_python(context),
            Found::Nodes(nodes) => nodes.into_python(context),
        }
    }
}

/// Returns the nodes that an index or a slice stands for.
fn find<'t>(parent: Borrowed<'t, Node>, index: &Bound<'_, PyAny>) -> Result<Found<'t>> {
    let Ok(slice) = index.cast::<PySlice>() else {
        return child_at(parent, read(index)?).map(Found::Node);
    };
    let all = gather(shown(parent).map(Ok))?;
    let indices = slice.indices(isize::try_from(all.len()).unwrap_or(isize::MAX))?;
    let next = |at: &isize| at.checked_add(indices.step);
    let positions = std::iter::successors(Some(indices.start), next).take(indices.slicelength);
    let nodes = positions.filter_map(|at| all.get(usize::try_from(at).ok()?));
    gather(nodes.copied().map(Ok)).map(Found::Nodes)
}

/// Returns an argument as an index.
fn read(index: &Bound<'_, PyAny>) -> Result<isize> {
    index.extract().map_err(|error: PyErr| {
        match error.is_instance_of::<PyOverflowError>(index.py()) {
            true => out_of_range(index.py()),
            false => error.into(),
        }
    })
}

/// Returns the child at an index, which counts from the end if it is negative.
fn child_at(parent: Borrowed<'_, Node>, index: isize) -> Result<Borrowed<'_, Node>> {
    let child = match usize::try_from(index) {
        Ok(index) => shown(parent).nth(index),
        Err(_) => from_end(parent).nth(index.unsigned_abs() - 1),
    };
    child.ok_or_else(|| Python::attach(out_of_range))
}

fn out_of_range(py: Python<'_>) -> Error {
    exception::<PyIndexError>(py, "the node has no child at this index").into()
}

/// Iterates over the children that Python may have.
fn shown(parent: Borrowed<'_, Node>) -> Successors<'_, Node> {
    Successors::new(parent.get().first_shown(), Node::next_sibling)
}

/// Iterates over these children from the end.
fn from_end(parent: Borrowed<'_, Node>) -> Successors<'_, Node> {
    let parent = parent.get();
    let last = parent.first_shown().and_then(|_| parent.last_child());
    Successors::new(last, Node::previous_sibling)
}

#[methods(unsafe)]
impl Children {
    fn __len__(&self) -> usize {
        self.list().count()
    }

    fn __getitem__(&self, index: Bound<'_, PyAny>) -> Result<Found<'_>> {
        find(self.node()?, &index)
    }

    /// Puts a node at the place of another one, as `replace_with` does.
    ///
    /// Raises ValueError for another child of the same parent, which cannot be at two places: to exchange two children
    /// by two assignments would lose one of them.
    #[foreign(node)]
    fn __setitem__(&mut self, index: Bound<'_, PyAny>, node: &mut Node) -> Result<()> {
        let (tree, parent) = begin_owner_of(self)?;
        let child = child_at(parent, read(&index)?)?;
        if child == Borrowed::from(&*node) {
            return Ok(());
        }
        if parent.get().index(node).is_ok() {
            return Err(Error::Value(
                "the node is a child already, and cannot be at two places: take it out first, or move it with insert()"
                    .into(),
            ));
        }
        put(&tree, node, Placing::Instead(child))
    }

    fn __delitem__(&mut self, index: Bound<'_, PyAny>) -> Result<()> {
        let (tree, parent) = begin_owner_of(self)?;
        match find(parent, &index)? {
            Found::Node(child) => remove(&tree, child),
            Found::Nodes(children) => remove_all(&tree, &children),
        }
    }

    /// Iterates over the children. If the tree changes meanwhile, the iterator goes on behind nodes that are taken out.
    fn __iter__(&self) -> Successors<'_, Node> {
        self.list()
    }

    fn __reversed__(&self) -> Successors<'_, Node> {
        self.parent()
            .map_or(Successors::new(None, Node::previous_sibling), from_end)
    }

    fn __contains__(&self, node: Bound<'_, PyAny>) -> bool {
        self.list().any(|child| child.is_object(&node))
    }

    fn __eq__(&self, other: Bound<'_, PyAny>) -> PyResult<bool> {
        let is_list = other.is_instance_of::<PyList>()
            || other.is_instance_of::<PyTuple>()
            || other.is_instance_of::<ChildrenClass>();
        if !is_list {
            return Ok(false);
        }
        let mut others = other.try_iter()?;
        let mut children = self.list();
        loop {
            match (children.next(), others.next().transpose()?) {
                (Some(child), Some(other)) if child.is_object(&other) => {}
                (child, other) => return Ok(child.is_none() && other.is_none()),
            }
        }
    }

    /// Return the position of a child. Raises ValueError if `node` is no child of the node.
    fn index(&self, node: &Node) -> Result<usize> {
        self.node()?.get().index(node)
    }

    /// Return 1 for a child, 0 for anything else.
    fn count(&self, node: Bound<'_, PyAny>) -> usize {
        usize::from(self.__contains__(node))
    }

    /// Put `node` behind the last child, as `Node.append` does.
    #[foreign(node)]
    fn append(&mut self, node: &mut Node) -> Result<()> {
        let (tree, parent) = begin_owner_of(self)?;
        put(&tree, node, Placing::Last(parent))
    }

    /// Put `node` before the child at `index`, as `Node.insert` does.
    #[foreign(node)]
    fn insert(&mut self, index: Index, node: &mut Node) -> Result<()> {
        let (tree, parent) = begin_owner_of(self)?;
        let next = child_before(parent, index.0);
        put(&tree, node, Placing::At(Place { parent, next }))
    }

    /// Take a child out of the tree. Raises ValueError if `node` is no child of the node.
    fn remove(&mut self, node: &mut Node) -> Result<()> {
        let (tree, parent) = begin_owner_of(self)?;
        parent.get().index(node)?;
        remove(&tree, within(&tree, Borrowed::from(&*node))?)
    }

    /// Take a child out of the tree, by default the last one, and return it.
    #[pyo3(signature = (index = -1))]
    fn pop(&mut self, index: isize) -> Result<Borrowed<'_, Node>> {
        let (tree, parent) = begin_owner_of(self)?;
        let child = child_at(parent, index)?;
        remove(&tree, child)?;
        Ok(child)
    }

    /// Take all children out, as `Node.clear` does.
    fn clear(&mut self) -> Result<()> {
        let (tree, parent) = begin_owner_of(self)?;
        clear(&tree, parent)
    }

    #[rust_only]
    fn list(&self) -> Successors<'_, Node> {
        self.parent()
            .map_or(Successors::new(None, Node::next_sibling), shown)
    }

    #[rust_only]
    fn node(&self) -> Result<Borrowed<'_, Node>> {
        self.parent()
            .ok_or_else(|| Error::Value("the children have no parent".into()))
    }
}
