//! Handles that C reaches by what it keeps in other ones: a call that changes what a kept handle lives in, or a kept
//! counted object, runs beside no use of the handle that it is kept in.

mod ffi;
mod lent;
mod meanwhile;
mod prepared;

use leakproof::prelude::*;

use crate::native::Native;
use crate::panic_of;

/// A letter whose owners C counts.
#[handle(raw = ffi::letter, release = ffi::letter_free, retain = ffi::letter_ref, independent, fork_safe)]
struct Letter;

#[handle(raw = ffi::draft, release = ffi::draft_free, parent = &mut Letter, fork_safe)]
struct Draft;

#[handle(raw = ffi::house, release = ffi::house_free, fork_safe)]
struct House;

#[handle(raw = ffi::key, release = ffi::key_free, parent = House, fork_safe)]
struct Key;

#[handle(raw = ffi::repair, release = ffi::repair_free, parent = &mut House, fork_safe)]
struct Repair;

#[handle(raw = ffi::chest, release = ffi::chest_free, fork_safe)]
struct Chest;

/// A drawer, which the chest lends.
#[handle(raw = ffi::drawer, release = ffi::drawer_free, fork_safe)]
struct Drawer;

#[methods(unsafe, rust_only)]
impl Letter {
    #[calls(ffi::letter_new, fails = null)]
    fn new() -> Result<Owned<Letter>>;

    #[calls(ffi::draft_new, fails = null)]
    fn draft(&mut self) -> Result<Owned<Draft>>;
}

#[methods(unsafe, rust_only)]
impl House {
    #[calls(ffi::house_new, fails = null)]
    fn new() -> Result<Owned<House>>;

    #[calls(ffi::house_key, fails = null)]
    fn key(&self) -> Result<Owned<Key>>;

    #[calls(ffi::repair_new, fails = null)]
    fn repair(&mut self) -> Result<Owned<Repair>>;

    #[calls(ffi::house_furnish)]
    fn furnish(&mut self, chest: &Chest) -> i32;

    #[calls(ffi::house_furnish_from)]
    fn furnish_from(&mut self, drawer: &Drawer) -> i32;
}

#[methods(unsafe, rust_only)]
impl Chest {
    #[calls(ffi::chest_new, fails = null)]
    fn new() -> Result<Owned<Chest>>;

    #[calls(ffi::chest_give)]
    fn give(&self, letter: Owned<Letter>);

    #[calls(ffi::chest_put)]
    fn put(&self, key: Owned<Key>);

    #[calls(ffi::chest_look)]
    fn look(&self) -> i32;

    #[calls(ffi::chest_furnish)]
    fn furnish(&self, house: &mut House) -> i32;

    #[calls(ffi::chest_drawer)]
    fn drawer(&self) -> Option<Borrowed<Drawer>>;
}

/// The panic of a call on a handle that something else uses.
fn in_use(name: &'static str) -> String {
    Error::Busy(name).to_string()
}

/// The panic of a call on a handle that C keeps a letter in, while the letter is written.
fn held(name: &'static str) -> String {
    Error::Held(name, "Draft").to_string()
}

#[test]
fn call_does_not_change_what_an_argument_reaches_by_what_c_keeps() {
    let _native = Native::start();
    let (mut house, chest) = (House::new().unwrap(), Chest::new().unwrap());
    chest.put(house.key().unwrap());
    assert_eq!(panic_of(|| house.furnish(&chest)), in_use("Chest"));
    assert_eq!(
        (chest.look(), house.furnish(&Chest::new().unwrap())),
        (1, 0)
    );
}

#[test]
fn call_does_not_change_an_argument_that_the_receiver_reaches_by_what_c_keeps() {
    let _native = Native::start();
    let (mut house, chest) = (House::new().unwrap(), Chest::new().unwrap());
    chest.put(house.key().unwrap());
    assert_eq!(panic_of(|| chest.furnish(&mut house)), in_use("House"));
    assert_eq!(chest.furnish(&mut House::new().unwrap()), 1);
}

#[test]
fn call_does_not_change_what_a_lent_argument_reaches_by_what_c_keeps() {
    let _native = Native::start();
    let (mut house, chest) = (House::new().unwrap(), Chest::new().unwrap());
    chest.put(house.key().unwrap());
    let drawer = chest.drawer().unwrap();
    assert_eq!(panic_of(|| house.furnish_from(&drawer)), in_use("Drawer"));
    let other = Chest::new().unwrap();
    assert_eq!(house.furnish_from(&other.drawer().unwrap()), 0);
}
