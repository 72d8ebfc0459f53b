//! The author's code that runs while a call uses its handles: it does not change these by another owner of the object.

use std::cell::RefCell;
use std::ops::{Deref, Neg};

use leakproof::prelude::*;

use crate::native::Native;
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;
    use std::ptr::null_mut;

    use crate::native::{acquire, fault, release, touch};

    pub struct recipe {
        owners: c_int,
        is_open: bool,
        pub title: *mut u8,
        photo: *mut photo,
    }
    pub struct edit {
        recipe: *mut recipe,
    }
    pub struct photo {
        owners: c_int,
    }

    pub unsafe extern "C" fn recipe_new() -> *mut recipe {
        let recipe = recipe {
            owners: 1,
            is_open: false,
            title: acquire("Title", *b"soup").cast(),
            photo: acquire("Photo", photo { owners: 1 }),
        };
        acquire("Recipe", recipe)
    }

    pub unsafe extern "C" fn recipe_ref(recipe: *mut recipe) {
        touch(recipe);
        unsafe { (*recipe).owners += 1 };
    }

    pub unsafe extern "C" fn recipe_free(recipe: *mut recipe) {
        touch(recipe);
        unsafe { (*recipe).owners -= 1 };
        if unsafe { (*recipe).owners } == 0 {
            unsafe { recipe_unpin(recipe) };
            release(unsafe { (*recipe).title.cast::<[u8; 4]>() });
            release(recipe);
        }
    }

    unsafe fn change(recipe: *mut recipe) {
        touch(recipe);
        if unsafe { (*recipe).is_open } {
            fault("a recipe is changed while it is edited");
        }
    }

    pub unsafe extern "C" fn recipe_serve_all(recipe: *mut recipe, guests: &c_int) -> c_int {
        unsafe { recipe_serve(recipe, *guests) }
    }

    pub unsafe extern "C" fn recipe_serve(recipe: *mut recipe, guests: c_int) -> c_int {
        unsafe { change(recipe) };
        guests
    }

    pub unsafe extern "C" fn edit_new(recipe: *mut recipe) -> *mut edit {
        unsafe { change(recipe) };
        unsafe { (*recipe).is_open = true };
        acquire("Edit", edit { recipe })
    }

    pub unsafe extern "C" fn edit_free(edit: *mut edit) {
        unsafe { (*(*edit).recipe).is_open = false };
        release(edit);
    }

    pub unsafe extern "C" fn recipe_title(recipe: *mut recipe) -> *mut u8 {
        touch(recipe);
        unsafe { (*recipe).title }
    }

    pub unsafe extern "C" fn title_len(_: *mut recipe) -> usize {
        4
    }

    /// Frees the old title.
    pub unsafe extern "C" fn recipe_rename(recipe: *mut recipe) {
        unsafe { change(recipe) };
        unsafe { (*recipe).title.cast::<[u8; 4]>().write(*b"gone") };
        release(unsafe { (*recipe).title.cast::<[u8; 4]>() });
        unsafe { (*recipe).title = acquire("Title", *b"stew").cast() };
    }

    pub unsafe extern "C" fn recipe_photo(recipe: *mut recipe) -> *mut photo {
        touch(recipe);
        unsafe { (*recipe).photo }
    }

    pub unsafe extern "C" fn recipe_unpin(recipe: *mut recipe) {
        unsafe { change(recipe) };
        let photo = unsafe { std::mem::replace(&mut (*recipe).photo, null_mut()) };
        if !photo.is_null() {
            unsafe { photo_free(photo) };
        }
    }

    pub unsafe extern "C" fn photo_ref(photo: *mut photo) {
        touch(photo);
        unsafe { (*photo).owners += 1 };
    }

    pub unsafe extern "C" fn photo_free(photo: *mut photo) {
        touch(photo);
        unsafe { (*photo).owners -= 1 };
        if unsafe { (*photo).owners } == 0 {
            release(photo);
        }
    }
}

#[handle(
    raw = ffi::recipe,
    release = ffi::recipe_free,
    retain = ffi::recipe_ref,
    independent,
    errors = Notes,
    fork_safe
)]
struct Recipe;

#[handle(raw = ffi::edit, release = ffi::edit_free, parent = &mut Recipe, fork_safe)]
struct Edit;

#[handle(raw = ffi::photo, release = ffi::photo_free, retain = ffi::photo_ref, independent, fork_safe)]
struct Photo;

/// The place of the author's code in a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Default,
    BeforeCall,
    Arguments,
    Field,
    Operator,
    Reference,
    Constant,
    Test,
}

type Action = Box<dyn FnOnce()>;

thread_local! {
    /// The author's code of the next call.
    static CODE: RefCell<Option<(Place, Action)>> = const { RefCell::new(None) };
    static EDIT: RefCell<Option<Owned<'static, Edit>>> = const { RefCell::new(None) };
}

/// Runs the author's code, if it is for this place.
fn run(place: Place) {
    let code = CODE.with_borrow_mut(|code| code.take_if(|(its, _)| *its == place));
    if let Some((_, code)) = code {
        code();
    }
}

struct Notes;

impl Default for Notes {
    fn default() -> Self {
        run(Place::Default);
        Notes
    }
}

impl ErrorSource<Recipe> for Notes {
    fn before_call(&mut self, _: &CallInfo<'_, Recipe>) {
        run(Place::BeforeCall);
    }

    fn into_error(self, call: &CallInfo<'_, Recipe>) -> Error {
        Error::Failed(call.function)
    }
}

fn seats(guests: i32) -> i32 {
    run(Place::Arguments);
    guests
}

/// A table that is laid when it is looked at.
struct Table;

struct Laid {
    seats: i32,
}

impl Deref for Table {
    type Target = Laid;

    fn deref(&self) -> &Laid {
        run(Place::Field);
        &Laid { seats: 2 }
    }
}

/// A number that is computed.
struct Fewer;

impl Neg for Fewer {
    type Output = i32;

    fn neg(self) -> i32 {
        run(Place::Operator);
        2
    }
}

/// A number that is counted when it is looked at.
struct Guests(i32, Place);

impl Deref for Guests {
    type Target = i32;

    fn deref(&self) -> &i32 {
        run(self.1);
        &self.0
    }
}

/// The guests of each day.
static REGULARS: &Guests = &Guests(2, Place::Constant);

fn test<R>(result: R) -> R {
    run(Place::Test);
    result
}

#[methods(unsafe, rust_only)]
impl Recipe {
    #[calls(ffi::recipe_new, fails = null)]
    fn new() -> Result<Owned<Recipe>>;

    #[calls(ffi::recipe_serve, args = (self, seats(guests)), fails = negative)]
    fn serve(&mut self, guests: i32) -> Result<()>;

    #[calls(ffi::recipe_serve, args = (self, Table.seats), fails = negative)]
    fn serve_table(&mut self) -> Result<()>;

    #[calls(ffi::recipe_serve, args = (self, -Fewer), fails = negative)]
    fn serve_fewer(&mut self) -> Result<()>;

    #[calls(ffi::recipe_serve_all, args = (self, &Guests(2, Place::Reference)), fails = negative)]
    fn serve_guests(&mut self) -> Result<()>;

    #[calls(ffi::recipe_serve_all, args = (self, REGULARS), fails = negative)]
    fn serve_regulars(&mut self) -> Result<()>;

    #[calls(ffi::edit_new, fails = when(|edit| test(edit).is_null()))]
    fn edit(&mut self) -> Result<Owned<Edit>>;

    #[calls(
        ffi::recipe_title,
        len = ffi::title_len,
        fails = when(|title: *mut u8| test(title).is_null()),
        borrowed
    )]
    fn title(&mut self) -> Result<Bytes>;

    #[calls(ffi::recipe_title, len = |_| test(4), borrowed, fails = null)]
    fn title_of_length(&mut self) -> Result<Bytes>;

    #[calls(ffi::recipe_title, len = 2 + test(2), borrowed, fails = null)]
    fn title_of_constant(&mut self) -> Result<Bytes>;

    #[field(title, len = |_| test(4))]
    fn title_in_field(&mut self) -> Option<Bytes>;

    #[calls(ffi::recipe_rename)]
    fn rename(&mut self);

    #[calls(ffi::recipe_photo, retain, fails = when(|photo| test(photo).is_null()))]
    fn photo(&mut self) -> Result<Owned<Photo>>;

    #[calls(ffi::recipe_unpin)]
    fn unpin(&mut self);
}

/// Sets the author's code: an edit of the recipe by another owner, which is refused.
fn edits_meanwhile(place: Place, recipe: &Owned<'static, Recipe>) {
    let mut other = recipe.clone();
    let edit = move || {
        let refused = other.edit();
        assert!(matches!(refused, Err(Error::Busy("Recipe"))), "{refused:?}");
    };
    CODE.set(Some((place, Box::new(edit))));
}

/// Sets the author's code: a change of the recipe by another owner, which is refused.
fn changes_meanwhile(recipe: &Owned<'static, Recipe>, change: fn(&mut Recipe)) {
    let mut other = recipe.clone();
    let change = move || {
        let refused = panic_of(|| change(&mut other));
        assert_eq!(refused, Error::Busy("Recipe").to_string());
    };
    CODE.set(Some((Place::Test, Box::new(change))));
}

fn has_run() -> bool {
    CODE.take().is_none()
}

#[test]
fn object_is_not_edited_by_another_owner_before_c_is_called_with_it() {
    for place in [Place::Default, Place::BeforeCall] {
        let _native = Native::start();
        let mut recipe = Recipe::new().unwrap();
        edits_meanwhile(place, &recipe);
        recipe.serve(2).unwrap();
        assert!(has_run(), "{place:?}");
        drop(recipe.edit().unwrap());
    }
}

#[test]
fn call_is_refused_whose_arguments_begin_an_edit_by_another_owner() {
    type Call = fn(&mut Recipe) -> Result<()>;
    let calls: [(Place, Call); 5] = [
        (Place::Arguments, |recipe| recipe.serve(2)),
        (Place::Field, Recipe::serve_table),
        (Place::Operator, Recipe::serve_fewer),
        (Place::Reference, Recipe::serve_guests),
        (Place::Constant, Recipe::serve_regulars),
    ];
    for (place, call) in calls {
        let _native = Native::start();
        let mut recipe = Recipe::new().unwrap();
        let other = Box::into_raw(Box::new(recipe.clone()));
        // SAFETY: the box was leaked above, and nothing else uses it.
        let borrowed: &'static mut Owned<'static, Recipe> = unsafe { &mut *other };
        let edit = move || {
            let other = borrowed;
            EDIT.set(Some(other.edit().unwrap()));
        };
        CODE.set(Some((place, Box::new(edit))));
        let refused = call(&mut recipe);
        let is_held = matches!(refused, Err(Error::Held("Recipe", "Edit")));
        assert!(is_held, "{place:?}: {refused:?}");
        assert!(has_run(), "{place:?}");
        drop(EDIT.take());
        call(&mut recipe).unwrap();
        // SAFETY: the box was leaked above, and nothing borrows it any more.
        drop(unsafe { Box::from_raw(other) });
    }
}

#[test]
fn object_is_not_edited_by_another_owner_in_a_call_that_makes_its_edit() {
    for place in [Place::Default, Place::BeforeCall, Place::Test] {
        let _native = Native::start();
        let mut recipe = Recipe::new().unwrap();
        edits_meanwhile(place, &recipe);
        drop(recipe.edit().unwrap());
        assert!(has_run(), "{place:?}");
    }
}

#[test]
fn object_is_not_changed_by_another_owner_before_its_memory_is_copied() {
    let _native = Native::start();
    let mut recipe = Recipe::new().unwrap();
    changes_meanwhile(&recipe, Recipe::rename);
    assert_eq!(recipe.title().unwrap().0, b"soup");
    assert!(has_run());
}

#[test]
fn object_is_not_changed_by_another_owner_while_a_length_is_computed() {
    let titles: [fn(&mut Recipe) -> Bytes; 3] = [
        |recipe| recipe.title_of_length().unwrap(),
        |recipe| recipe.title_of_constant().unwrap(),
        |recipe| recipe.title_in_field().unwrap(),
    ];
    for title in titles {
        let _native = Native::start();
        let mut recipe = Recipe::new().unwrap();
        changes_meanwhile(&recipe, Recipe::rename);
        assert_eq!(title(&mut recipe).0, b"soup");
        assert!(has_run());
    }
}

#[test]
fn object_is_not_changed_by_another_owner_before_the_result_is_retained() {
    let _native = Native::start();
    let mut recipe = Recipe::new().unwrap();
    changes_meanwhile(&recipe, Recipe::unpin);
    drop(recipe.photo().unwrap());
    assert!(has_run());
}
