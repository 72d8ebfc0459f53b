//! Handles that C gets to keep while a callback has a handle that may live in the keeper, or while a call runs on a
//! part that does not know its owner.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;

/// A part of a chest. Nothing leads from it to the chest.
#[handle(raw = ffi::lid, part_of = Chest)]
struct Lid;

type Hook<F> = RefCell<Option<Box<F>>>;

thread_local! {
    /// The action of the callback that gets a drawer.
    static SEES: Hook<dyn FnOnce(&Drawer)> = const { RefCell::new(None) };
    /// The action of the other callback.
    static STEPS: Hook<dyn FnOnce()> = const { RefCell::new(None) };
}

#[derive(Attachment)]
struct Calls;

#[callbacks(unsafe)]
impl Calls {
    #[callback(ffi::see, args = (drawer, data))]
    fn see(&self, drawer: &Drawer) {
        SEES.take().unwrap()(drawer);
    }

    #[callback(ffi::step, args = (data))]
    fn step(&self) {
        STEPS.take().unwrap()();
    }
}

#[methods(unsafe, rust_only)]
impl Chest {
    #[calls(ffi::chest_lid)]
    fn lid(&self) -> Option<Borrowed<Lid>>;

    #[calls(ffi::show, args = (calls.see, calls.data))]
    fn show(calls: &Calls);
}

#[methods(unsafe, rust_only)]
impl Lid {
    #[calls(ffi::lid_show, args = (self, calls.step, calls.data))]
    fn show(&self, calls: &Calls) -> i32;
}

#[methods(unsafe, rust_only)]
impl Drawer {
    #[calls(ffi::drawer_look)]
    fn look(&self) -> i32;

    #[calls(ffi::drawer_show, args = (self, calls.step, calls.data))]
    fn show(&self, calls: &Calls) -> i32;
}

/// Gives C a letter, of which `letter` is another owner, and tries to write `letter`.
fn give_and_write(chest: &Chest, mut letter: Owned<'static, Letter>) {
    chest.give(letter.clone());
    let draft = letter.draft();
    assert!(matches!(draft, Err(Error::Busy("Letter"))), "{draft:?}");
}

/// Gives C a key, and tries to repair the house.
fn put_and_repair(chest: &Chest, house: &mut House) {
    chest.put(house.key().unwrap());
    let repair = house.repair();
    assert!(matches!(repair, Err(Error::Busy("House"))), "{repair:?}");
}

fn empty_chest() -> Rc<Owned<'static, Chest>> {
    Rc::new(Chest::new().unwrap())
}

fn chest_with_a_letter() -> Rc<Owned<'static, Chest>> {
    let chest = empty_chest();
    chest.give(Letter::new().unwrap());
    chest
}

#[test]
fn object_that_c_got_meanwhile_is_not_changed_while_a_callback_has_a_handle_of_c_s_own() {
    for (chest, things) in [(empty_chest as fn() -> _, 1), (chest_with_a_letter, 2)] {
        let _native = Native::start();
        let (chest, letter) = (chest(), Letter::new().unwrap());
        let mut other = letter.clone();
        SEES.set(Some(Box::new(move |drawer| {
            give_and_write(&chest, letter);
            assert_eq!(drawer.look(), things);
        })));
        Chest::show(&Calls);
        // The callback has dropped the chest.
        drop(other.draft().unwrap());
    }
}

#[test]
fn parent_of_what_c_got_meanwhile_is_not_changed_while_a_callback_has_a_handle_of_c_s_own() {
    let _native = Native::start();
    let (chest, mut house) = (empty_chest(), House::new().unwrap());
    SEES.set(Some(Box::new(move |drawer| {
        put_and_repair(&chest, &mut house);
        assert_eq!(drawer.look(), 1);
    })));
    Chest::show(&Calls);
}

#[test]
fn object_that_c_got_meanwhile_is_not_changed_while_a_handle_of_c_s_own_is_used() {
    let _native = Native::start();
    let (chest, letter) = (empty_chest(), Letter::new().unwrap());
    SEES.set(Some(Box::new(move |drawer| {
        STEPS.set(Some(Box::new(move || give_and_write(&chest, letter))));
        assert_eq!(drawer.show(&Calls), 1);
    })));
    Chest::show(&Calls);
}

#[test]
fn object_that_c_got_meanwhile_is_not_changed_while_a_part_is_used() {
    for (chest, things) in [(empty_chest as fn() -> _, 1), (chest_with_a_letter, 2)] {
        let _native = Native::start();
        let (chest, letter) = (chest(), Letter::new().unwrap());
        let mut other = letter.clone();
        let keeper = chest.clone();
        STEPS.set(Some(Box::new(move || give_and_write(&keeper, letter))));
        assert_eq!(chest.lid().unwrap().show(&Calls), things);
        drop(other.draft().unwrap());
    }
}

#[test]
fn parent_of_what_c_got_meanwhile_is_not_changed_while_a_part_is_used() {
    let _native = Native::start();
    let (chest, house) = (empty_chest(), Rc::new(RefCell::new(House::new().unwrap())));
    let (keeper, changed) = (chest.clone(), house.clone());
    STEPS.set(Some(Box::new(move || {
        put_and_repair(&keeper, &mut changed.borrow_mut())
    })));
    assert_eq!(chest.lid().unwrap().show(&Calls), 1);
    drop(house.borrow_mut().repair().unwrap());
}
