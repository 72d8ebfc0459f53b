//! Shapes, whose owners C counts: used independently of each other, or borrowed as one.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::{Py, PyAny, Python};

use crate::ffi;

/// A shape, which several handles may own.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, independent, release = ffi::shape_unref, fork_safe)]
pub struct Shape;

#[methods(unsafe)]
impl Shape {
    /// Makes a shape, around another one if there is a `child`.
    #[new]
    #[pyo3(signature = (child = None))]
    #[calls(ffi::shape_new, fails = null)]
    fn new(child: Option<&Shape>) -> Result<Owned<Shape>>;

    /// The shape inside.
    #[getter]
    #[calls(ffi::shape_child, retain)]
    fn child(&self) -> Option<Owned<Shape>>;

    /// The number of owners, by C's count.
    #[getter]
    #[calls(ffi::shape_owners)]
    fn owners(&self) -> c_int;

    /// Works by an exclusive borrow.
    #[calls(ffi::shape_work, detach)]
    fn work(&mut self);

    /// Works by a shared borrow.
    #[calls(ffi::shape_work, args = (self), detach)]
    fn work_beside(&self);

    /// Meets another shape, and borrows this one exclusively.
    #[calls(ffi::shape_meet)]
    fn meet(&mut self, other: &Shape);
}

/// A container: containers can hold each other, so all of them are borrowed as one.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, release = ffi::shape_unref, borrowed_with = Self, fork_safe)]
pub struct Container;

#[methods(unsafe)]
impl Container {
    /// Makes a container, around another one if there is a `child`.
    #[new]
    #[pyo3(signature = (child = None))]
    #[calls(ffi::shape_new, fails = null)]
    fn new(child: Option<&Container>) -> Result<Owned<Container>>;

    /// The container in it.
    #[getter]
    #[calls(ffi::shape_child, retain)]
    fn child(&self) -> Option<Owned<Container>>;

    /// The number of owners, by C's count.
    #[getter]
    #[calls(ffi::shape_owners)]
    fn owners(&self) -> c_int;

    /// Works by an exclusive borrow.
    #[calls(ffi::shape_work, detach)]
    fn work(&mut self);

    /// Works by a shared borrow.
    #[calls(ffi::shape_work, args = (self), detach)]
    fn work_beside(&self);

    /// Meets another container, and borrows this one exclusively.
    #[calls(ffi::shape_meet)]
    fn meet(&mut self, other: &Container);

    /// Returns the owners of both, in a body that has this one exclusively.
    fn owners_of_both(&mut self, other: &Container) -> c_int {
        self.owners() + other.owners()
    }

    /// Calls `call` with a shared borrow, as an iteration with a callback does.
    fn tell(&self, py: Python<'_>, call: Py<PyAny>) -> Result<Py<PyAny>> {
        Ok(call.call0(py)?)
    }
}

/// A lid, which containers refer to: a type of the same group.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, release = ffi::shape_unref, borrowed_with = Container, fork_safe)]
pub struct Lid;

#[methods(unsafe)]
impl Lid {
    /// Makes a lid.
    #[new]
    #[calls(ffi::shape_new, args = (null), fails = null)]
    fn new() -> Result<Owned<Lid>>;

    /// Works by an exclusive borrow.
    #[calls(ffi::shape_work, detach)]
    fn work(&mut self);
}
