//! Chests of ours that something lends which lives in the chest, or which keeps what lives there: the end of the lender
//! is not the end of the chest.

use super::prepared::Van;
use super::*;
use crate::native::log;

/// A chest by another type.
#[handle(raw = ffi::chest, release = ffi::chest_free, fork_safe)]
struct Trunk;

#[handle(raw = ffi::label, release = ffi::label_free, parent = Chest, fork_safe)]
struct Label;

#[methods(unsafe, rust_only)]
impl Chest {
    #[calls(ffi::chest_label, fails = null)]
    fn label(&self) -> Result<Owned<Label>>;
}

#[methods(unsafe, rust_only)]
impl Label {
    #[calls(ffi::label_chest)]
    fn trunk(&self) -> Option<Borrowed<Trunk>>;
}

#[methods(unsafe, rust_only)]
impl Trunk {
    #[calls(ffi::chest_give)]
    fn give(&self, letter: Owned<Letter>);

    #[calls(ffi::chest_put)]
    fn put(&self, key: Owned<Key>);

    #[calls(ffi::chest_look)]
    fn look(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Van {
    #[calls(ffi::van_note)]
    fn note(&self, label: Owned<Label>);

    #[calls(ffi::van_chest)]
    fn chest(&self) -> Option<Borrowed<Chest>>;
}

/// A van that keeps a label of the chest.
fn van_with_a_label_of(chest: &Chest) -> Owned<'static, Van> {
    let van = Van::new().unwrap();
    van.note(chest.label().unwrap());
    van
}

#[test]
fn what_c_got_in_a_handle_that_its_child_lends_by_another_type_lives_as_long_as_the_handle() {
    let _native = Native::start();
    let (chest, house) = (Chest::new().unwrap(), House::new().unwrap());
    let label = chest.label().unwrap();
    label.trunk().unwrap().put(house.key().unwrap());
    drop(label);
    drop(house);
    assert_eq!(chest.look(), 1);
    drop(chest);
    let released = ["Label", "Chest", "Key", "House"];
    assert_eq!(log(), released.map(|name| format!("release {name}")));
}

#[test]
fn object_that_c_got_in_a_handle_that_its_child_lends_by_another_type_is_used_with_the_handle() {
    let _native = Native::start();
    let (chest, mut letter) = (Chest::new().unwrap(), Letter::new().unwrap());
    let label = chest.label().unwrap();
    label.trunk().unwrap().give(letter.clone());
    drop(label);
    let label = chest.label().unwrap();
    let trunk = label.trunk().unwrap();
    let draft = letter.draft().unwrap();
    assert_eq!(panic_of(|| chest.look()), held("Chest"));
    assert_eq!(panic_of(|| trunk.look()), held("Trunk"));
    drop(draft);
    assert_eq!((chest.look(), trunk.look()), (1, 1));
}

#[test]
fn what_c_keeps_in_a_handle_that_a_keeper_of_its_child_lent_lives_as_long_as_the_handle() {
    let put: [fn(&Chest, &Van, &House); 2] = [
        |chest, van, house| {
            chest.put(house.key().unwrap());
            van.chest().unwrap();
        },
        |_, van, house| van.chest().unwrap().put(house.key().unwrap()),
    ];
    for put in put {
        let _native = Native::start();
        let (chest, house) = (Chest::new().unwrap(), House::new().unwrap());
        let van = van_with_a_label_of(&chest);
        put(&chest, &van, &house);
        drop(van);
        drop(house);
        assert_eq!(chest.look(), 1);
        drop(chest);
        let released = ["Van", "Label", "Chest", "Key", "House"];
        assert_eq!(log(), released.map(|name| format!("release {name}")));
    }
}

#[test]
fn object_in_a_handle_that_a_keeper_of_its_child_lent_is_used_with_the_handle() {
    let _native = Native::start();
    let (chest, mut letter) = (Chest::new().unwrap(), Letter::new().unwrap());
    let van = van_with_a_label_of(&chest);
    chest.give(letter.clone());
    van.chest().unwrap();
    drop(van);
    let draft = letter.draft().unwrap();
    assert_eq!(panic_of(|| chest.look()), held("Chest"));
    drop(draft);
    assert_eq!(chest.look(), 1);
}
