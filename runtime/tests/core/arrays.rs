//! Arrays as parameters, and pointers to one value that C passes to a callback.

use std::ffi::c_int;
use std::ptr;
use std::sync::Mutex;

use leakproof::prelude::*;

use crate::wrapper::{Library, ffi};

#[handle(raw = ffi::bell, release = ffi::bell_free)]
struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_new, fails = null)]
    fn new() -> Result<Owned<Bell>>;

    #[calls(ffi::bell_weigh, args = (self, weights.as_ptr(), c_int::try_from(weights.len()).unwrap()))]
    fn weigh(&self, weights: Vec<f64>) -> f64;

    #[calls(
        ffi::bell_spell,
        args = (self, names.iter().map(|name| name.as_ptr()).chain([ptr::null()]).collect::<Vec<_>>().as_mut_ptr())
    )]
    fn spell(&self, names: Vec<CString>) -> c_int;

    #[calls(
        ffi::bell_spell,
        args = (self, names.iter().map(|name| name.as_ptr()).chain([ptr::null()]).collect::<Vec<_>>().as_mut_ptr()),
        detach
    )]
    fn spell_detached(&self, names: Vec<CString>) -> c_int;

    #[calls(ffi::bell_ask, args = (self, asked.ask, asked.data))]
    fn ask(&self, asked: &Asked) -> c_int;
}

/// The place of an answer.
#[handle(raw = c_int, callback_only)]
struct Answer;

#[methods(unsafe, rust_only)]
impl Answer {
    #[calls(ffi::answer_set)]
    fn set(&mut self, answer: c_int);
}

#[derive(Default, Attachment)]
struct Asked {
    questions: Mutex<Vec<c_int>>,
}

#[callbacks(unsafe)]
impl Asked {
    #[callback(ffi::ask, args = (data, question.ptr, answer), len = 1)]
    fn ask(&self, question: Vec<c_int>, answer: &mut Answer) -> c_int {
        answer.set(2 * question[0]);
        self.questions.lock().unwrap().extend(question);
        1
    }
}

#[test]
fn array_is_passed_by_an_expression_that_lives_until_c_has_returned() {
    let _library = Library::start();
    let bell = Bell::new().unwrap();
    assert_eq!(bell.weigh(vec![1.5, 2.0]), 3.5);
    assert_eq!(bell.weigh(Vec::new()), 0.0);
    let names = || vec![CString::from(c"ding"), c"dong".into()];
    assert_eq!(bell.spell(names()), 8);
    assert_eq!(bell.spell_detached(names()), 8);
    assert_eq!(bell.spell(Vec::new()), 0);
}

#[test]
fn callback_reads_one_value_and_writes_another_through_pointers() {
    let _library = Library::start();
    let asked = Asked::default();
    assert_eq!(Bell::new().unwrap().ask(&asked), 14);
    assert_eq!(*asked.questions.lock().unwrap(), [7]);
}
