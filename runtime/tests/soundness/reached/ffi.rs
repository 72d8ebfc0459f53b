//! The C library: chests and bags with letters, which C counts the owners of, and with keys of houses; and vans that
//! move them.

#![allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use crate::native::{acquire, fault, release, touch};

pub type step = Option<unsafe extern "C" fn(*mut c_void)>;
pub type see = Option<unsafe extern "C" fn(*mut drawer, *mut c_void)>;

pub struct letter {
    owners: c_int,
    is_whole: bool,
}
pub struct draft {
    letter: *mut letter,
}
pub struct house {
    is_whole: bool,
}
pub struct repair {
    house: *mut house,
}
pub struct key {
    house: *mut house,
}
#[repr(C)]
pub struct chest {
    size: c_int,
    lid: lid,
    drawer: drawer,
    letters: Vec<*mut letter>,
    keys: Vec<*mut key>,
}
pub struct lid {
    chest: *mut chest,
}
pub struct drawer {
    chest: *mut chest,
}
pub struct label {
    chest: *mut chest,
}
/// A bag, whose release may fail.
pub struct bag {
    is_stuck: bool,
    letters: Vec<*mut letter>,
    keys: Vec<*mut key>,
}
pub struct van {
    bags: Vec<*mut bag>,
    labels: Vec<*mut label>,
}

thread_local! {
    /// The drawer of the chest that was made last.
    static LAST: Cell<*mut drawer> = const { Cell::new(null_mut()) };
}

pub unsafe extern "C" fn letter_new() -> *mut letter {
    let letter = letter {
        owners: 1,
        is_whole: true,
    };
    acquire("Letter", letter)
}

pub unsafe extern "C" fn letter_ref(letter: *mut letter) {
    touch(letter);
    unsafe { (*letter).owners += 1 };
}

pub unsafe extern "C" fn letter_free(letter: *mut letter) {
    touch(letter);
    unsafe { (*letter).owners -= 1 };
    if unsafe { (*letter).owners } == 0 {
        release(letter);
    }
}

unsafe fn letter_read(letter: *mut letter) {
    touch(letter);
    if !unsafe { (*letter).is_whole } {
        fault("a letter is read while it is written");
    }
}

/// Nothing else may read the letter until the draft is done.
pub unsafe extern "C" fn draft_new(letter: *mut letter) -> *mut draft {
    unsafe { letter_read(letter) };
    unsafe { (*letter).is_whole = false };
    acquire("Draft", draft { letter })
}

pub unsafe extern "C" fn draft_free(draft: *mut draft) {
    unsafe { (*(*draft).letter).is_whole = true };
    release(draft);
}

pub unsafe extern "C" fn house_new() -> *mut house {
    acquire("House", house { is_whole: true })
}

pub unsafe extern "C" fn house_free(house: *mut house) {
    release(house);
}

pub unsafe extern "C" fn house_key(house: *mut house) -> *mut key {
    touch(house);
    acquire("Key", key { house })
}

unsafe fn key_turn(key: *mut key) {
    touch(key);
    let house = unsafe { (*key).house };
    touch(house);
    if !unsafe { (*house).is_whole } {
        fault("a house is entered while it is changed");
    }
}

pub unsafe extern "C" fn key_free(key: *mut key) {
    touch(unsafe { (*key).house });
    release(key);
}

/// Nothing else may enter the house until the repair is done.
pub unsafe extern "C" fn repair_new(house: *mut house) -> *mut repair {
    touch(house);
    unsafe { (*house).is_whole = false };
    acquire("Repair", repair { house })
}

pub unsafe extern "C" fn repair_free(repair: *mut repair) {
    unsafe { (*(*repair).house).is_whole = true };
    release(repair);
}

/// Changes the house for what is in the chest.
pub unsafe extern "C" fn house_furnish(house: *mut house, chest: *mut chest) -> c_int {
    unsafe { (*house).is_whole = false };
    let things = unsafe { chest_look(chest) };
    unsafe { (*house).is_whole = true };
    things
}

pub unsafe extern "C" fn house_furnish_from(house: *mut house, drawer: *mut drawer) -> c_int {
    unsafe { house_furnish(house, (*drawer).chest) }
}

pub unsafe extern "C" fn chest_furnish(chest: *mut chest, house: *mut house) -> c_int {
    unsafe { house_furnish(house, chest) }
}

pub unsafe extern "C" fn chest_new() -> *mut chest {
    let chest = acquire(
        "Chest",
        chest {
            size: 0,
            lid: lid { chest: null_mut() },
            drawer: drawer { chest: null_mut() },
            letters: Vec::new(),
            keys: Vec::new(),
        },
    );
    unsafe { (*chest).lid.chest = chest };
    unsafe { (*chest).drawer.chest = chest };
    LAST.set(unsafe { &raw mut (*chest).drawer });
    chest
}

pub unsafe extern "C" fn chest_give(chest: *mut chest, letter: *mut letter) {
    touch(chest);
    unsafe { (*chest).letters.push(letter) };
}

pub unsafe extern "C" fn chest_put(chest: *mut chest, key: *mut key) {
    touch(chest);
    unsafe { (*chest).keys.push(key) };
}

/// Reads the letters, tries the keys and counts them all.
unsafe fn look(letters: &[*mut letter], keys: &[*mut key]) -> c_int {
    letters
        .iter()
        .for_each(|letter| unsafe { letter_read(*letter) });
    keys.iter().for_each(|key| unsafe { key_turn(*key) });
    (letters.len() + keys.len()) as c_int
}

unsafe fn free_all(letters: &[*mut letter], keys: &[*mut key]) {
    letters
        .iter()
        .for_each(|letter| unsafe { letter_free(*letter) });
    keys.iter().for_each(|key| unsafe { key_free(*key) });
}

pub unsafe extern "C" fn chest_look(chest: *mut chest) -> c_int {
    touch(chest);
    unsafe { look(&(*chest).letters, &(*chest).keys) }
}

pub unsafe extern "C" fn chest_free(chest: *mut chest) {
    release(chest);
    unsafe { free_all(&(*chest).letters, &(*chest).keys) };
}

pub unsafe extern "C" fn chest_lid(chest: *mut chest) -> *mut lid {
    touch(chest);
    unsafe { &raw mut (*chest).lid }
}

pub unsafe extern "C" fn lid_show(lid: *mut lid, step: step, data: *mut c_void) -> c_int {
    unsafe { step.unwrap()(data) };
    unsafe { chest_look((*lid).chest) }
}

pub unsafe extern "C" fn chest_drawer(chest: *mut chest) -> *mut drawer {
    touch(chest);
    unsafe { &raw mut (*chest).drawer }
}

/// Shows the drawer of the last chest.
pub unsafe extern "C" fn show(see: see, data: *mut c_void) {
    unsafe { see.unwrap()(LAST.get(), data) };
}

pub unsafe extern "C" fn drawer_look(drawer: *mut drawer) -> c_int {
    unsafe { chest_look((*drawer).chest) }
}

pub unsafe extern "C" fn drawer_show(drawer: *mut drawer, step: step, data: *mut c_void) -> c_int {
    unsafe { step.unwrap()(data) };
    unsafe { drawer_look(drawer) }
}

pub unsafe extern "C" fn drawer_free(_: *mut drawer) {
    fault("a drawer is released without its chest");
}

pub unsafe extern "C" fn chest_label(chest: *mut chest) -> *mut label {
    touch(chest);
    acquire("Label", label { chest })
}

pub unsafe extern "C" fn label_chest(label: *mut label) -> *mut chest {
    touch(label);
    unsafe { (*label).chest }
}

pub unsafe extern "C" fn label_free(label: *mut label) {
    release(label);
}

pub unsafe extern "C" fn bag_new() -> *mut bag {
    let bag = bag {
        is_stuck: false,
        letters: Vec::new(),
        keys: Vec::new(),
    };
    acquire("Bag", bag)
}

pub unsafe extern "C" fn bag_give(bag: *mut bag, letter: *mut letter) {
    touch(bag);
    unsafe { (*bag).letters.push(letter) };
}

pub unsafe extern "C" fn bag_put(bag: *mut bag, key: *mut key) {
    touch(bag);
    unsafe { (*bag).keys.push(key) };
}

pub unsafe extern "C" fn bag_look(bag: *mut bag) -> c_int {
    touch(bag);
    unsafe { look(&(*bag).letters, &(*bag).keys) }
}

pub unsafe extern "C" fn bag_jam(bag: *mut bag, is_stuck: c_int) {
    touch(bag);
    unsafe { (*bag).is_stuck = is_stuck != 0 };
}

pub unsafe extern "C" fn bag_close(bag: *mut bag) -> c_int {
    touch(bag);
    if unsafe { (*bag).is_stuck } {
        return 1;
    }
    release(bag);
    unsafe { free_all(&(*bag).letters, &(*bag).keys) };
    0
}

pub unsafe extern "C" fn van_new() -> *mut van {
    let van = van {
        bags: Vec::new(),
        labels: Vec::new(),
    };
    acquire("Van", van)
}

pub unsafe extern "C" fn van_of(bag: *mut bag, _weight: c_int) -> *mut van {
    let van = unsafe { van_new() };
    unsafe { (*van).bags.push(bag) };
    van
}

pub unsafe extern "C" fn van_load(van: *mut van, bag: *mut bag, _weight: c_int) {
    touch(van);
    unsafe { (*van).bags.push(bag) };
}

pub unsafe extern "C" fn van_note(van: *mut van, label: *mut label) {
    touch(van);
    unsafe { (*van).labels.push(label) };
}

/// The chest that the first label belongs to.
pub unsafe extern "C" fn van_chest(van: *mut van) -> *mut chest {
    touch(van);
    unsafe { (*van).labels.first() }.map_or(null_mut(), |label| unsafe { label_chest(*label) })
}

pub unsafe extern "C" fn van_free(van: *mut van) {
    release(van);
    let (bags, labels) = unsafe { (&(*van).bags, &(*van).labels) };
    bags.iter().for_each(|bag| unsafe {
        bag_close(*bag);
    });
    labels
        .iter()
        .for_each(|label| unsafe { label_free(*label) });
}
