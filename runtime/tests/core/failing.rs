//! Failed calls, and the texts of their errors.

use leakproof::prelude::*;

use crate::wrapper::ffi::Next::{Fail, Grumble, Report};
use crate::wrapper::ffi::next;
use crate::wrapper::{File, Library, Store, StoreError, hooks};
use crate::{message_of, open};

#[test]
fn each_way_to_fail_is_seen() {
    let _library = Library::start();
    let mut store = open();
    next([Fail; 4]);
    assert!(store.cursor().is_err(), "null");
    assert!(store.check().is_err(), "nonzero");
    assert!(store.write(b"x").is_err(), "negative");
    assert!(store.level().is_err(), "when");
    assert!(store.cursor().is_ok());
    assert!(store.check().is_ok());
    assert_eq!(store.write(b"x").unwrap(), 1);
    assert_eq!(store.level().unwrap(), 50);
}

#[test]
fn errors_see_the_handle_and_the_arguments_before_and_after() {
    let _library = Library::start();
    let mut store = open();
    next([Fail]);
    let message = message_of(store.write(b"ab"));
    let call = r#"s.store_write[("bytes", [97, 98])]"#;
    assert_eq!(hooks(), [format!("arm {call}"), format!("failed {call}")]);
    assert_eq!(message, format!("{call}: "));
}

#[test]
fn notes_and_causes_go_with_an_error() {
    let failure = |message: &str| StoreError {
        message: message.into(),
    };
    let cause = failure("cause").with_note("of the cause");
    let error = failure("effect").with_note("one").caused_by(cause);
    let error = error.with_note("two");
    assert_eq!(error.notes(), ["one", "two"]);
    assert_eq!(error.to_string(), "effect");
    assert_eq!(error.library::<StoreError>().unwrap().message, "effect");
    let cause = std::error::Error::source(&error).unwrap();
    let cause = cause.downcast_ref::<Error>().unwrap();
    assert_eq!(
        (cause.to_string().as_str(), cause.notes()),
        ("cause", &["of the cause".to_owned()][..])
    );
    assert!(std::error::Error::source(cause).is_none());
    let plain = Error::Value("wrong".into());
    assert!(plain.notes().is_empty() && std::error::Error::source(&plain).is_none());
    let again = plain
        .caused_by(failure("first"))
        .caused_by(failure("second"));
    assert_eq!(
        std::error::Error::source(&again).unwrap().to_string(),
        "second"
    );
}

#[test]
fn a_long_chain_of_causes_needs_no_stack() {
    const LENGTH: usize = 100_000;
    let chain = || {
        let first = Error::Value("first".into());
        (0..LENGTH).fold(first, |cause, _| {
            Error::Value("effect".into())
                .caused_by(cause)
                .with_note("n")
        })
    };
    drop(chain());
    let chain = chain();
    assert_eq!(format!("{chain:?}").matches("effect").count(), LENGTH);
    let mut causes = 0;
    let mut next = std::error::Error::source(&chain);
    while let Some(cause) = next {
        causes += 1;
        next = cause.source();
    }
    assert_eq!(causes, LENGTH);
}

#[test]
fn a_call_without_a_receiver_has_no_handle_to_see() {
    let _library = Library::start();
    next([Fail]);
    message_of(Store::open(Some(c"name")));
    assert_eq!(hooks()[0], r#"arm .store_open[("title", Some("name"))]"#);
}

#[test]
fn reports_are_collected_in_their_order() {
    let _library = Library::start();
    let store = open();
    next([Report(&["one", "two"])]);
    assert_eq!(message_of(store.check()), "s.store_check[]: one, two");
}

#[test]
fn reports_of_one_call_do_not_reach_the_next() {
    let _library = Library::start();
    let store = open();
    next([Grumble(&["old"]), Report(&["new"])]);
    store.check().unwrap();
    assert_eq!(message_of(store.check()), "s.store_check[]: new");
}

#[test]
fn reports_of_a_call_that_cannot_fail_are_dropped() {
    let _library = Library::start();
    let store = open();
    next([Report(&["lost"]), Report(&["kept"])]);
    assert_eq!(store.status(), 3);
    assert_eq!(message_of(store.check()), "s.store_check[]: kept");
}

#[test]
fn a_failure_that_stays_in_the_handle_is_not_overlooked() {
    let _library = Library::start();
    let mut store = open();
    store.sync().unwrap();
    next([Report(&["full"])]);
    assert_eq!(message_of(store.sync()), "s.store_sync[]: full");
}

#[test]
fn without_an_errors_type_the_function_is_named() {
    let _library = Library::start();
    let store = open();
    let error = store.cursor().unwrap().step_to_failure().unwrap_err();
    assert_eq!(error.to_string(), "cursor_step failed");
    assert!(error.library::<StoreError>().is_none());
}

#[test]
fn a_detached_call_is_a_plain_call_without_python() {
    let _library = Library::start();
    let mut store = open();
    next([Report(&["detached"])]);
    assert_eq!(
        message_of(store.check_detached()),
        "s.store_check[]: detached"
    );
}

#[test]
fn errno_becomes_the_error_of_the_operating_system() {
    let Err(Error::Os(error, None)) = File::close_none() else {
        panic!("there is no file -1");
    };
    assert_eq!(error.raw_os_error(), Some(9), "EBADF");
}

#[test]
fn errno_is_that_of_right_after_the_call() {
    let number = |error: Error| match error {
        Error::Os(error, None) => error.raw_os_error(),
        other => panic!("{other}"),
    };
    assert_eq!(number(File::close_none_detached().unwrap_err()), Some(9));
    assert_eq!(number(File::fail_with_text().unwrap_err()), Some(5));
    // What an earlier call left there says nothing.
    let error = File::fail_silently().unwrap_err();
    assert_eq!(error.to_string(), "fail_silently failed");
}
