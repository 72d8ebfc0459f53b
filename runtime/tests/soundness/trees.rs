//! Parts that move, as parameters of callbacks: nothing releases or changes the tree until the callback returns.

use std::cell::RefCell;

use leakproof::KeptPart;
use leakproof::prelude::*;

use crate::native::{Native, live, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type see = Option<unsafe extern "C" fn(*mut plant, *mut c_void)>;

    pub struct bed {
        pub first: *mut plant,
        /// Sees each plant before it is freed.
        freed: see,
        data: *mut c_void,
    }
    pub struct plant {
        pub bed: *mut bed,
        pub up: *mut plant,
        pub next: *mut plant,
        pub below: *mut plant,
        pub user: *mut c_void,
        height: c_int,
    }

    thread_local! {
        /// The plant that was made last.
        static LAST: Cell<*mut plant> = const { Cell::new(null_mut()) };
    }

    pub unsafe extern "C" fn bed_new() -> *mut bed {
        acquire(
            "Bed",
            bed {
                first: null_mut(),
                freed: None,
                data: null_mut(),
            },
        )
    }

    pub unsafe extern "C" fn bed_watch(bed: *mut bed, freed: see, data: *mut c_void) {
        touch(bed);
        unsafe { ((*bed).freed, (*bed).data) = (freed, data) };
    }

    /// Frees the first plant.
    pub unsafe extern "C" fn bed_free(bed: *mut bed) {
        unsafe {
            if !(*bed).first.is_null() {
                plant_free((*bed).first);
            }
        }
        release(bed);
    }

    /// A plant, which is the first one of its bed or unlinked.
    pub unsafe extern "C" fn plant_new(bed: *mut bed) -> *mut plant {
        touch(bed);
        let plant = acquire(
            "Plant",
            plant {
                bed,
                up: null_mut(),
                next: null_mut(),
                below: null_mut(),
                user: null_mut(),
                height: 3,
            },
        );
        unsafe {
            if (*bed).first.is_null() {
                (*bed).first = plant;
            }
        }
        LAST.set(plant);
        plant
    }

    pub unsafe extern "C" fn plant_free(plant: *mut plant) {
        if LAST.get() == plant {
            LAST.set(null_mut());
        }
        let bed = unsafe { (*plant).bed };
        touch(bed);
        if let (Some(freed), data) = unsafe { ((*bed).freed, (*bed).data) } {
            unsafe { freed(plant, data) };
        }
        release(plant);
    }

    pub unsafe extern "C" fn plant_height(plant: *mut plant) -> c_int {
        touch(plant);
        unsafe { (*plant).height }
    }

    pub unsafe extern "C" fn plant_grow(plant: *mut plant) -> c_int {
        touch(plant);
        unsafe { (*plant).height += 1 };
        0
    }

    /// Shows the plant that was made last.
    pub unsafe extern "C" fn show(see: see, data: *mut c_void) {
        unsafe { see.unwrap()(LAST.get(), data) };
    }
}

#[handle(raw = ffi::bed, release = ffi::bed_free, tree, attachments, fork_safe)]
struct Bed;

#[handle(raw = ffi::plant, part_of = Bed, owner_field = bed, tree(
    parent = up,
    children = below,
    next = next,
    object = user,
    release = ffi::plant_free,
    root = first,
))]
struct Plant;

#[methods(unsafe, rust_only)]
impl Bed {
    #[calls(ffi::bed_new, fails = null)]
    fn new() -> Result<Owned<Bed>>;

    #[field(first)]
    fn first(&self) -> Option<Borrowed<Plant>>;

    #[calls(ffi::plant_new, fails = null)]
    fn plant(&mut self) -> Result<Borrowed<Plant>>;

    #[calls(ffi::bed_watch, args = (self, freed.see, freed.data), scope = handle)]
    fn watch(&mut self, freed: Freed);

    #[calls(ffi::show, args = (see.see, see.data))]
    fn show(see: &See);
}

#[methods(unsafe, rust_only)]
impl Plant {
    #[calls(ffi::plant_height)]
    fn height(&self) -> i32;

    #[calls(ffi::plant_grow, fails = nonzero)]
    fn grow(&mut self) -> Result<()>;
}

thread_local! {
    static BED: RefCell<Option<Owned<'static, Bed>>> = const { RefCell::new(None) };
}

/// Does something while it has a plant.
struct See(fn(&mut Owned<'static, Bed>));

impl Attachment for See {}

#[callbacks(unsafe)]
impl See {
    #[callback(ffi::see, args = (plant, data))]
    fn see(&self, plant: &Plant) {
        BED.with_borrow_mut(|bed| (self.0)(bed.as_mut().unwrap()));
        assert_eq!(plant.height(), 3);
    }
}

/// Keeps what is about to be freed.
#[derive(Attachment)]
struct Freed;

thread_local! {
    static KEPT: RefCell<Vec<KeptPart>> = const { RefCell::new(Vec::new()) };
}

#[callbacks(unsafe)]
impl Freed {
    #[callback(ffi::see, args = (plant, data))]
    fn see(&self, plant: &Plant) -> Result<()> {
        let kept = KeptPart::of(plant)?;
        KEPT.with_borrow_mut(|all| all.push(kept));
        Ok(())
    }
}

/// A bed with a plant, and one that is not linked.
fn bed() -> Owned<'static, Bed> {
    let mut bed = Bed::new().unwrap();
    bed.plant().unwrap();
    bed.plant().unwrap();
    bed
}

#[test]
fn unlinked_part_is_not_released_while_a_callback_has_it() {
    let _native = Native::start();
    BED.set(Some(bed()));
    Bed::show(&See(|bed| bed.release_unlinked()));
    assert_eq!((live("Plant"), log()), (2, vec![]));
    BED.with_borrow_mut(|bed| bed.as_mut().unwrap().release_unlinked());
    assert_eq!((live("Plant"), log().len()), (1, 1));
    drop(BED.take());
}

#[test]
fn tree_is_not_changed_while_a_callback_has_a_part() {
    let _native = Native::start();
    BED.set(Some(bed()));
    Bed::show(&See(|bed| {
        let tree = Tree::of(&mut **bed);
        let first = tree.owner().first().unwrap();
        let refused = tree.edit(first).unwrap().grow();
        assert!(matches!(refused, Err(Error::Busy("Bed"))), "{refused:?}");
    }));
    drop(BED.take());
}

#[test]
fn part_that_is_being_released_is_not_passed_to_a_callback() {
    let _native = Native::start();
    let mut bed = bed();
    bed.watch(Freed);
    bed.release_unlinked();
    assert_eq!((live("Plant"), log().len()), (1, 1));
    drop(bed);
    KEPT.with_borrow(|kept| assert!(kept.is_empty(), "{kept:?}"));
}
