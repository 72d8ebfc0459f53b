//! Parts of one tree, and their copies in another one that adopts their Python objects.

use crate::error::{Error, Result};
use crate::handle::TreeOps;
use crate::handle::kind::{HandleKind, Id};
use crate::handle::tree_ops::{Pair, Unlike};
use crate::tree::unlinked;

/// Parts and their copies in another tree.
#[derive(Debug)]
pub(crate) struct Copied<'a> {
    pub(crate) kind: &'static HandleKind,
    pub(crate) ops: &'static TreeOps,
    /// Each original and its copy.
    pub(crate) tops: &'a [Pair],
    /// Their owners.
    pub(crate) owners: (Id, Id),
}

/// A function of the Python half that gives the Python objects of the originals to the copies. Without it there are no
/// objects.
pub(crate) struct AdoptObjects(pub(crate) unsafe fn(&Copied<'_>) -> Result<()>);

inventory::collect!(AdoptObjects);

impl Copied<'_> {
    /// Calls `each` with each part and its copy, in the order of the tree.
    ///
    /// # Errors
    ///
    /// Those of `each`, and [`Error::Value`] if the copy has another shape.
    ///
    /// # Safety
    ///
    /// All parts are valid, and nobody changes the trees meanwhile.
    pub(crate) unsafe fn each(&self, mut each: impl FnMut(Pair) -> Result<()>) -> Result<()> {
        for tops in self.tops {
            let mut next = Some(*tops);
            while let Some(here) = next {
                each(here)?;
                // SAFETY: the caller's promise.
                next = unsafe { self.ops.next_of_pair(*tops, here) }.map_err(|Unlike| {
                    Error::Value(format!(
                        "the copy of this {} has another shape",
                        self.kind.name()
                    ))
                })?;
            }
        }
        Ok(())
    }

    /// Gives the Python objects of the originals to the copies.
    ///
    /// # Errors
    ///
    /// As [`Tree::adopt_objects`](crate::Tree::adopt_objects), except for those of owners.
    ///
    /// # Safety
    ///
    /// All parts are valid, and the thread uses both owners exclusively.
    pub(super) unsafe fn adopt_objects(&self) -> Result<()> {
        let (from, to) = self.owners;
        if from == to {
            return Err(Error::Value(format!(
                "the original and the copy belong to the same {}",
                from.kind().name()
            )));
        }
        // SAFETY: the caller's promise.
        unsafe {
            self.each(|_| Ok(()))?;
            for hook in inventory::iter::<AdoptObjects> {
                (hook.0)(self)?;
            }
            // The originals have no Python object left: check their subtrees.
            for (original, copy) in self.tops.iter().filter(|_| unlinked::is_any()) {
                unlinked::unsettle(self.ops.topmost(*original, from.raw()));
                unlinked::unsettle(self.ops.topmost(*copy, to.raw()));
            }
        }
        Ok(())
    }
}
