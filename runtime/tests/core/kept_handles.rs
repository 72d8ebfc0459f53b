//! Handles that C keeps in another handle, and that the caller releases.

use std::ffi::c_int;
use std::sync::Mutex;

use leakproof::prelude::*;

use crate::panic_of;
use crate::wrapper::ffi::Next::{Fail, Succeed};
use crate::wrapper::ffi::{log, next};
use crate::wrapper::{Library, ffi};

#[handle(raw = ffi::tune, release = ffi::tune_free)]
struct Tune;

#[methods(unsafe, rust_only)]
impl Tune {
    #[calls(ffi::tune_new, fails = null)]
    fn new(notes: c_int) -> Result<Owned<Tune>>;

    #[calls(ffi::tune_notes)]
    fn notes(&self) -> c_int;

    #[calls(ffi::tune_copy, fails = null)]
    fn variation(&self) -> Result<Owned<Variation>>;
}

/// Lives in a tune.
#[handle(raw = ffi::variation, release = ffi::variation_free, parent = Tune)]
struct Variation;

#[handle(raw = ffi::player, release = ffi::player_free, attachments)]
struct Player;

#[methods(unsafe, rust_only)]
impl Player {
    #[calls(ffi::player_new, fails = null)]
    fn new() -> Result<Owned<Player>>;

    #[calls(ffi::player_set_tune, fails = negative, scope = until_replaced)]
    fn set_tune(&mut self, tune: Option<Owned<Tune>>) -> Result<()>;

    /// Uses the same place in C, but another one of the runtime's.
    #[calls(ffi::player_set_tune, args = (self, tune), fails = when(|_| Self::panics()), scope = until_replaced)]
    fn set_tune_and_panic(&mut self, tune: Owned<Tune>) -> Result<()>;

    #[calls(ffi::player_set_encore, scope = handle)]
    fn set_encore(&self, tune: Owned<Tune>);

    #[calls(ffi::player_set_many, args = (self, tune, tune.notes()), scope = until_replaced)]
    fn set_with_notes(&mut self, tune: Owned<Tune>) -> c_int;

    #[calls(ffi::player_play)]
    fn play(&self) -> c_int;

    #[calls(ffi::player_rehearse, args = (self, listener.listen, listener.data))]
    fn rehearse(&self, listener: &Listener) -> c_int;

    #[calls(ffi::player_rehearse, args = (self, listener.listen, listener.data), fails = when(|_| false))]
    fn practice(&mut self, listener: &Listener) -> Result<c_int>;

    fn panics() -> bool {
        panic!("in the test for failure")
    }
}

/// Notes what it hears.
#[derive(Default, Attachment)]
struct Listener(Mutex<Vec<c_int>>);

#[callbacks(unsafe)]
impl Listener {
    #[callback(ffi::listen_t, args = (data, tune))]
    fn listen(&self, tune: &Tune) {
        self.0.lock().unwrap().push(tune.notes());
    }
}

fn tune(notes: c_int) -> Owned<'static, Tune> {
    Tune::new(notes).unwrap()
}

fn player() -> Owned<'static, Player> {
    let player = Player::new().unwrap();
    log();
    player
}

#[test]
fn handle_that_c_keeps_is_released_when_another_one_replaces_it() {
    let _library = Library::start();
    let mut player = player();
    player.set_tune(Some(tune(3))).unwrap();
    assert_eq!(player.play(), 3);
    assert_eq!(log(), ["tune_new", "player_set_tune"]);
    player.set_tune(Some(tune(5))).unwrap();
    assert_eq!(log(), ["tune_new", "player_set_tune", "tune_free 3"]);
    assert_eq!(player.play(), 5);
    player.set_tune(None).unwrap();
    assert_eq!(log(), ["player_set_tune", "tune_free 5"]);
    player.set_tune(None).unwrap();
    assert_eq!(player.play(), 0);
}

#[test]
fn handle_that_c_keeps_is_released_after_its_keeper() {
    let _library = Library::start();
    let mut player = player();
    player.set_tune(Some(tune(3))).unwrap();
    player.set_encore(tune(4));
    player.set_encore(tune(6));
    log();
    drop(player);
    // With `scope = handle` each one stays.
    assert_eq!(
        log(),
        ["player_free 9", "tune_free 3", "tune_free 4", "tune_free 6"]
    );
}

#[test]
fn failing_call_releases_the_new_handle_and_leaves_the_one_before() {
    let _library = Library::start();
    let mut player = player();
    player.set_tune(Some(tune(3))).unwrap();
    log();
    next([Fail]);
    player.set_tune(Some(tune(5))).unwrap_err();
    assert_eq!(log(), ["tune_new", "player_set_tune", "tune_free 5"]);
    next([Fail, Succeed]);
    player.set_tune(None).unwrap_err();
    assert_eq!(player.play(), 3);
    drop(player);
    assert_eq!(log(), ["player_set_tune", "player_free 3", "tune_free 3"]);
}

#[test]
fn handle_stays_where_nobody_knows_whether_c_has_it() {
    let _library = Library::start();
    let mut player = player();
    player.set_tune(Some(tune(3))).unwrap();
    log();
    panic_of(|| player.set_tune_and_panic(tune(5)));
    assert_eq!(player.play(), 5);
    assert_eq!(log(), ["tune_new", "player_set_tune"]);
    drop(player);
    assert_eq!(log(), ["player_free 5", "tune_free 3", "tune_free 5"]);
}

#[test]
fn expression_of_the_arguments_sees_the_handle() {
    let _library = Library::start();
    let mut player = player();
    assert_eq!(player.set_with_notes(tune(3)), 3);
    assert_eq!(player.play(), 3);
}

#[test]
fn handle_that_others_live_in_is_not_passed() {
    let _library = Library::start();
    let mut player = player();
    let kept = tune(3);
    let variation = kept.variation().unwrap().into_raw();
    log();
    let message = panic_of(|| player.set_tune(Some(kept)));
    assert!(message.contains("other handles live in it"), "{message}");
    // The tune waits for its variation.
    assert_eq!(log(), [""; 0]);
    // SAFETY: it was not released since `into_raw`.
    drop(unsafe { Owned::<Variation>::from_raw_again(variation) });
    assert_eq!(log(), ["variation_free", "tune_free 3"]);
    assert_eq!(player.play(), 0);
}

#[test]
fn callback_gets_a_kept_handle_only_in_a_shared_call_on_its_keeper() {
    let _library = Library::start();
    let mut player = player();
    player.set_tune(Some(tune(3))).unwrap();
    let listener = Listener::default();
    assert_eq!(player.rehearse(&listener), 3);
    assert_eq!(*listener.0.lock().unwrap(), [3]);
    let error = player.practice(&listener).unwrap_err();
    assert!(matches!(error, Error::Busy("Player")), "{error}");
    assert_eq!(*listener.0.lock().unwrap(), [3]);
}
