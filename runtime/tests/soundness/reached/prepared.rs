//! Handles that C gets to keep in a bag while a call that gives the bag to C, or its release, is being prepared.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::native::{live, log};

#[handle(raw = ffi::van, release = ffi::van_free, fork_safe)]
pub(super) struct Van;

/// A bag whose release may fail.
#[handle(
    raw = ffi::bag,
    release(ffi::bag_close, fails = nonzero, on_failure = kept),
    errors(Packing, asks_handle),
    fork_safe
)]
struct Bag;

type Hook = RefCell<Option<Box<dyn FnOnce(&Bag)>>>;

thread_local! {
    /// The action before C is called with a bag.
    static BEFORE: Hook = const { RefCell::new(None) };
    /// The action after C refused to release a bag.
    static AFTER: Hook = const { RefCell::new(None) };
}

/// The weight of a bag, once something is packed.
fn weigh(bag: &Bag) -> i32 {
    BEFORE.take().unwrap()(bag);
    1
}

#[derive(Default)]
struct Packing;

impl ErrorSource<Bag> for Packing {
    fn before_call(&mut self, call: &CallInfo<'_, Bag>) {
        if let (Some(bag), Some(pack)) = (call.handle(), BEFORE.take()) {
            pack(bag);
        }
    }

    fn into_error(self, call: &CallInfo<'_, Bag>) -> Error {
        if let (Some(bag), Some(pack)) = (call.handle(), AFTER.take()) {
            pack(bag);
        }
        Error::Failed(call.function)
    }
}

#[methods(unsafe, rust_only)]
impl Van {
    #[calls(ffi::van_new, fails = null)]
    pub(super) fn new() -> Result<Owned<Van>>;

    #[calls(ffi::van_of, args = (bag, weigh(bag)), fails = null, consumes = always)]
    fn of(bag: Owned<Bag>) -> Result<Owned<Van>>;

    #[calls(ffi::van_load, args = (self, bag, weigh(bag)))]
    fn load(&self, bag: Owned<Bag>);
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_new, fails = null)]
    fn new() -> Result<Owned<Bag>>;

    #[calls(ffi::bag_jam)]
    fn jam(&self, is_stuck: bool);

    #[calls(ffi::bag_give)]
    fn give(&self, letter: Owned<Letter>);

    #[calls(ffi::bag_put)]
    fn put(&self, key: Owned<Key>);

    #[calls(ffi::bag_look)]
    fn look(&self) -> i32;
}

/// Gives C a bag, in which C gets a letter before.
fn give_with_a_letter(give: impl FnOnce(Owned<'static, Bag>)) {
    let mut native = Native::start();
    let (bag, letter) = (Bag::new().unwrap(), Letter::new().unwrap());
    BEFORE.set(Some(Box::new(|bag| bag.give(letter))));
    let refused = panic_of(|| give(bag));
    let expected = "a Bag is not given to C, because C got something to keep in it";
    assert!(refused.contains(expected), "{refused}");
    // Nobody knows whether C has the bag.
    native.loses("Bag");
    native.loses("Letter");
    native.counts("Bag");
}

#[test]
fn handle_in_which_c_got_an_object_meanwhile_is_not_given_to_another_handle() {
    give_with_a_letter(|bag| Van::new().unwrap().load(bag));
}

#[test]
fn handle_in_which_c_got_an_object_meanwhile_is_not_given_to_a_new_handle() {
    give_with_a_letter(|bag| drop(Van::of(bag)));
}

/// Closes a bag that stays.
fn close(bag: Owned<'static, Bag>) -> (Error, Owned<'static, Bag>) {
    match bag.close() {
        Err((error, Some(bag))) => (error, bag),
        closed => panic!("the bag should still be there: {closed:?}"),
    }
}

#[test]
fn handle_in_which_c_got_something_meanwhile_is_not_released() {
    let _native = Native::start();
    let (bag, house) = (Bag::new().unwrap(), Rc::new(House::new().unwrap()));
    let packed = house.clone();
    BEFORE.set(Some(Box::new(move |bag| bag.put(packed.key().unwrap()))));
    let (error, bag) = close(bag);
    assert!(
        error.to_string().contains("a Bag is not released"),
        "{error}"
    );
    drop(house);
    assert_eq!((bag.look(), live("House")), (1, 1));
    drop(bag);
    let released = ["Bag", "Key", "House"];
    assert_eq!(log(), released.map(|name| format!("release {name}")));
}

/// C gets a letter to keep in a bag, by the action of `hook`, while a release of the bag fails.
fn give_while_a_release_fails(hook: impl FnOnce(Box<dyn FnOnce(&Bag)>)) {
    let _native = Native::start();
    let (house, mut letter) = (House::new().unwrap(), Letter::new().unwrap());
    let bag = Bag::new().unwrap();
    bag.put(house.key().unwrap());
    bag.jam(true);
    let other = letter.clone();
    hook(Box::new(|bag| bag.give(other)));
    let (_, bag) = close(bag);
    bag.jam(false);
    let draft = letter.draft().unwrap();
    assert_eq!(panic_of(|| bag.look()), held("Bag"));
    drop(draft);
    assert_eq!(bag.look(), 2);
}

#[test]
fn object_that_c_got_before_a_release_failed_is_used_with_the_handle() {
    give_while_a_release_fails(|give| BEFORE.set(Some(give)));
}

#[test]
fn object_that_c_got_after_it_refused_a_release_is_used_with_the_handle() {
    give_while_a_release_fails(|give| AFTER.set(Some(give)));
}
