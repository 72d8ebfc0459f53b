//! Memory that C asks a callback to fill.

use std::ffi::c_int;
use std::io::Write;
use std::mem;
use std::sync::Mutex;

use leakproof::prelude::*;

use crate::panic_of;
use crate::wrapper::{Library, ffi};

#[handle(raw = ffi::intake, release = ffi::intake_free)]
struct Intake;

#[methods(unsafe, rust_only)]
impl Intake {
    #[calls(ffi::intake_new, fails = null)]
    fn new(chunk: c_int) -> Result<Owned<Intake>>;

    #[field(nowhere)]
    fn set_nowhere(&mut self, nowhere: c_int);

    #[calls(ffi::intake_taken, args = (self, len), borrowed)]
    fn taken(&self) -> Option<Bytes>;

    #[calls(ffi::intake_load, args = (self, source.load, source.data), fails = negative)]
    fn load(&mut self, source: &Source) -> Result<()>;

    #[calls(ffi::intake_load, args = (self, source.load_some, source.data), fails = negative)]
    fn load_some(&mut self, source: &Source) -> Result<()>;

    #[calls(ffi::intake_input, args = (self, source.input, source.data), fails = negative)]
    fn input(&mut self, source: &Source) -> Result<()>;

    #[calls(ffi::intake_items, args = (self, size, count, source.items, source.data), fails = negative)]
    fn items(&mut self, size: usize, count: usize, source: &Source) -> Result<()>;

    #[calls(ffi::intake_items, args = (self, size, count, source.items_added, source.data), fails = negative)]
    fn items_added(&mut self, size: usize, count: usize, source: &Source) -> Result<()>;

    #[calls(ffi::intake_at, args = (self, source.at, source.data, offset), fails = negative)]
    fn at(&mut self, source: &Source, offset: i64) -> Result<c_int>;

    #[calls(ffi::intake_seed, args = (self, source.seed, source.data))]
    fn seed(&mut self, source: &Source);

    #[calls(ffi::intake_claim, args = (self, source.claim, source.data), fails = negative)]
    fn claim(&mut self, source: &Source) -> Result<c_int>;

    #[calls(ffi::intake_drain, args = (self, size, count, source.drain, source.data), fails = negative)]
    fn drain(&self, size: c_int, count: c_int, source: &Source) -> Result<c_int>;

    #[calls(ffi::intake_rows, args = (self, rows, columns, source.rows, source.data), fails = negative)]
    fn rows(&self, rows: c_int, columns: c_int, source: &Source) -> Result<c_int>;
}

type Step = Box<dyn FnMut(&mut OutBuffer<'_>) -> Result<c_int> + Send>;

/// The steps of the callback, one for each of its calls. After the last one it writes nothing.
struct Source {
    steps: Mutex<Vec<Step>>,
    seen: Mutex<Vec<Vec<u16>>>,
}

impl Attachment for Source {}

impl Source {
    fn of<const N: usize>(steps: [Step; N]) -> Source {
        Source {
            steps: Mutex::new(steps.into_iter().rev().collect()),
            seen: Mutex::default(),
        }
    }

    fn step(&self, buffer: &mut OutBuffer<'_>) -> Result<c_int> {
        let step = self.steps.lock().unwrap().pop();
        step.map_or(Ok(0), |mut step| step(buffer))
    }

    fn see(&self, numbers: Vec<u16>) -> c_int {
        self.seen.lock().unwrap().push(numbers);
        0
    }
}

#[callbacks(unsafe)]
impl Source {
    #[callback(ffi::load_t, args = (buffer.ptr, buffer.len, data), on_error = usize::MAX)]
    fn load(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        self.step(&mut buffer).map(drop)
    }

    #[callback(ffi::load_t, args = (buffer.ptr, buffer.len, data), on_error = usize::MAX)]
    fn load_some(&self, buffer: Option<OutBuffer<'_>>) -> Result<()> {
        match buffer {
            Some(mut buffer) => self.step(&mut buffer).map(drop),
            None => {
                self.see(Vec::new());
                Ok(())
            }
        }
    }

    #[callback(ffi::input_t, args = (data, buffer.ptr, buffer.len), on_error = -1)]
    fn input(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        self.step(&mut buffer).map(drop)
    }

    #[callback(
        ffi::items_t, args = (buffer.ptr, size, count, data), len = size.saturating_mul(count), on_error = usize::MAX
    )]
    fn items(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        self.step(&mut buffer).map(drop)
    }

    #[callback(ffi::items_t, args = (buffer.ptr, size, count, data), len = size + count, on_error = usize::MAX)]
    fn items_added(&self, mut buffer: OutBuffer<'_>, size: usize, count: usize) -> Result<()> {
        assert_eq!(size + count, buffer.capacity());
        self.step(&mut buffer).map(drop)
    }

    #[callback(ffi::at_t, args = (data, buffer.ptr, buffer.len, offset), on_error = -1)]
    fn at(&self, mut buffer: OutBuffer<'_>, offset: i64) -> Result<c_int> {
        assert_eq!(offset, 7);
        self.step(&mut buffer)
    }

    #[callback(ffi::seed_t, args = (data, buffer.ptr, buffer.len))]
    fn seed(&self, mut buffer: OutBuffer<'_>) {
        self.step(&mut buffer).unwrap();
    }

    #[callback(ffi::claim_t, args = (data, buffer.ptr, buffer.len), on_error = -1)]
    fn claim(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        self.step(&mut buffer).map(drop)
    }

    #[callback(ffi::drain_t, args = (items.ptr, size, count, data), len = size * count, on_error = -1)]
    fn drain(&self, items: &[u8]) -> c_int {
        self.see(items.iter().copied().map(Into::into).collect())
    }

    #[callback(ffi::rows_t, args = (numbers.ptr, rows, columns, data), len = rows * columns, on_error = -1)]
    fn rows(&self, numbers: Vec<u16>, rows: c_int) -> c_int {
        self.see(numbers) + rows
    }
}

/// A step that writes `bytes`.
fn put(bytes: &'static [u8]) -> Step {
    Box::new(move |buffer| buffer.put(bytes).map(|()| 0))
}

fn taken(intake: &Intake) -> Vec<u8> {
    intake.taken().unwrap().0
}

fn message<T>(result: Result<T>) -> String {
    match result.map(drop).unwrap_err() {
        Error::Value(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn c_gets_what_was_written() {
    let _library = Library::start();
    let mut intake = Intake::new(4).unwrap();
    intake
        .load(&Source::of([put(b"abcd"), put(b"e"), put(b"fg")]))
        .unwrap();
    assert_eq!(taken(&intake), b"abcdefg");
    intake.input(&Source::of([put(b"hi")])).unwrap();
    assert_eq!(taken(&intake), b"abcdefghi");
}

#[test]
fn too_much_is_an_error_and_writes_nothing() {
    let _library = Library::start();
    let mut intake = Intake::new(4).unwrap();
    let failed = intake.load(&Source::of([put(b"abcd"), put(b"12345"), put(b"e")]));
    assert_eq!(
        message(failed),
        "a callback has 5 bytes, where C has asked for at most 4"
    );
    assert_eq!(taken(&intake), b"abcd");
    let source = Source::of([Box::new(|buffer| {
        buffer.put(b"ab")?;
        assert_eq!(
            message(buffer.put([0; 3])),
            "a callback has 3 bytes, where C has asked for at most 2 more"
        );
        assert_eq!(
            message(buffer.advance(3)),
            "a callback has 3 bytes, where C has asked for at most 2 more"
        );
        assert_eq!(
            message(buffer.advance(usize::MAX)).split(' ').next(),
            Some("a")
        );
        assert_eq!(
            (buffer.capacity(), buffer.written(), buffer.remaining()),
            (4, 2, 2)
        );
        assert_eq!(format!("{buffer:?}"), "OutBuffer(2 of 4 bytes)");
        buffer.put(b"cd").map(|()| 0)
    })]);
    intake.input(&source).unwrap();
    assert_eq!(taken(&intake), b"abcdabcd");
}

#[test]
fn nothing_is_read_after_a_panic_or_an_error() {
    let _library = Library::start();
    let mut intake = Intake::new(4).unwrap();
    let panics: Step = Box::new(|buffer| {
        buffer.put(b"ab").unwrap();
        panic!("after two bytes");
    });
    assert_eq!(
        panic_of(|| intake.load(&Source::of([panics]))),
        "after two bytes"
    );
    let fails: Step = Box::new(|buffer| {
        buffer.put(b"ab")?;
        Err(Error::Value("after two bytes".into()))
    });
    assert_eq!(
        message(intake.input(&Source::of([fails]))),
        "after two bytes"
    );
    assert_eq!(taken(&intake), b"");
}

#[test]
fn rest_is_zeros_until_it_is_written() {
    let _library = Library::start();
    let mut intake = Intake::new(6).unwrap();
    let source = Source::of([Box::new(|buffer| {
        buffer.put(b"a")?;
        assert_eq!(buffer.unwritten(), [0; 5]);
        buffer.unwritten()[..2].copy_from_slice(b"bc");
        buffer.advance(1)?;
        // What was written behind is still there.
        assert_eq!(buffer.unwritten(), b"c\0\0\0");
        buffer.unwritten()[3] = b'e';
        buffer.advance(2)?;
        buffer.put(b"d")?;
        assert_eq!(buffer.unwritten(), b"e");
        Ok(0)
    })]);
    intake.load(&source).unwrap();
    assert_eq!(taken(&intake), b"abc\0d");
}

#[test]
fn bytes_that_are_only_counted_are_zeros() {
    let _library = Library::start();
    let mut intake = Intake::new(6).unwrap();
    let source = Source::of([Box::new(|buffer| {
        buffer.advance(2)?;
        buffer.put(b"a")?;
        buffer.advance(1).map(|()| 0)
    })]);
    intake.load(&source).unwrap();
    assert_eq!(taken(&intake), b"\0\0a\0");
}

#[test]
fn buffer_is_a_writer_of_short_writes() {
    let _library = Library::start();
    let mut intake = Intake::new(6).unwrap();
    let source = Source::of([Box::new(|buffer| {
        assert_eq!(buffer.write(b"abcd").unwrap(), 4);
        assert_eq!(buffer.write(b"efgh").unwrap(), 2);
        assert_eq!(buffer.write(b"i").unwrap(), 0);
        assert!(buffer.write_all(b"i").is_err());
        buffer.flush().unwrap();
        Ok(0)
    })]);
    intake.load(&source).unwrap();
    assert_eq!(taken(&intake), b"abcdef");
}

#[test]
fn status_leaves_no_byte_unwritten() {
    let _library = Library::start();
    let mut intake = Intake::new(4).unwrap();
    let short: Step = Box::new(|buffer| {
        buffer.put(b"a")?;
        // Not counted, so not kept.
        buffer.unwritten().fill(9);
        Ok(5)
    });
    assert_eq!(intake.at(&Source::of([short]), 7).unwrap(), 5);
    assert_eq!(taken(&intake), b"a\0\0\0");
    assert_eq!(intake.at(&Source::of([put(b"bcde")]), 7).unwrap(), 0);
    let fails: Step = Box::new(|buffer| buffer.put(b"much more").map(|()| 0));
    assert_eq!(
        message(intake.at(&Source::of([fails]), 7)),
        "a callback has 9 bytes, where C has asked for at most 4"
    );
    assert_eq!(taken(&intake), b"a\0\0\0bcde");
}

#[test]
fn callback_without_a_result_leaves_no_byte_unwritten() {
    let _library = Library::start();
    let mut intake = Intake::new(4).unwrap();
    intake.seed(&Source::of([put(b"ab")]));
    assert_eq!(taken(&intake), b"ab\0\0");
    let fails: Step = Box::new(|buffer| {
        buffer.put(b"cd")?;
        Err(Error::Value("a test".into()))
    });
    let message = panic_of(|| intake.seed(&Source::of([fails])));
    assert!(message.contains("a test"), "{message}");
    assert_eq!(taken(&intake), b"ab\0\0\0\0\0\0");
}

#[derive(Attachment)]
struct Forgetful;

#[callbacks(unsafe)]
impl Forgetful {
    #[callback(ffi::load_t, args = (buffer.ptr, buffer.len, data), on_error = usize::MAX)]
    fn load(&self, mut buffer: OutBuffer<'_>) {
        if buffer.capacity() > 2 {
            buffer.put(b"abc").unwrap();
        }
        #[expect(clippy::forget_non_drop, reason = "there may be a drop one day")]
        mem::forget(buffer);
    }
}

#[methods(unsafe, rust_only)]
impl Intake {
    #[calls(ffi::intake_load, args = (self, source.load, source.data), fails = negative)]
    fn load_once(&mut self, source: &Forgetful) -> Result<()>;
}

#[test]
fn forgotten_buffer_is_counted() {
    let _library = Library::start();
    let mut intake = Intake::new(2).unwrap();
    intake.load_once(&Forgetful).unwrap();
    assert_eq!(taken(&intake), b"");
}

#[test]
fn empty_memory_is_an_empty_buffer() {
    let _library = Library::start();
    let mut intake = Intake::new(0).unwrap();
    let empty = || -> Step {
        Box::new(|buffer| {
            assert_eq!((buffer.capacity(), buffer.remaining()), (0, 0));
            assert!(buffer.unwritten().is_empty());
            buffer.put(b"")?;
            buffer.put(b"a").map(|()| 0)
        })
    };
    for nowhere in [0, 1] {
        intake.set_nowhere(nowhere);
        let failed = intake.load(&Source::of([empty()]));
        assert_eq!(
            message(failed),
            "a callback has 1 bytes, where C has asked for at most 0"
        );
    }
}

#[test]
fn null_is_an_error_or_none() {
    let _library = Library::start();
    let mut intake = Intake::new(4).unwrap();
    intake.set_nowhere(1);
    let source = Source::of([put(b"a")]);
    assert_eq!(
        message(intake.load(&source)),
        "C passed no buffer to a callback"
    );
    intake.load_some(&source).unwrap();
    assert_eq!(source.seen.lock().unwrap().len(), 1);
    intake.set_nowhere(0);
    intake.load_some(&source).unwrap();
    assert_eq!(taken(&intake), b"a");
}

#[test]
fn negative_length_is_an_error() {
    let _library = Library::start();
    let mut intake = Intake::new(-4).unwrap();
    let negative =
        "the length of buffer that C passed to a callback is negative, or more than any memory has";
    assert_eq!(message(intake.input(&Source::of([put(b"a")]))), negative);
    // -4 as a `size_t`.
    assert_eq!(message(intake.load(&Source::of([put(b"a")]))), negative);
    assert_eq!(message(intake.at(&Source::of([]), 7)), negative);
}

#[test]
fn length_that_the_result_cannot_say_is_an_error() {
    let _library = Library::start();
    let mut intake = Intake::new(127).unwrap();
    assert_eq!(intake.claim(&Source::of([put(&[1; 127])])).unwrap(), 127);
    let mut intake = Intake::new(128).unwrap();
    let source = Source::of([put(b"a")]);
    assert_eq!(
        message(intake.claim(&source)),
        "C asks a callback for 128 bytes of buffer, and its return type has no such number"
    );
    assert_eq!(source.steps.lock().unwrap().len(), 1);
}

#[test]
fn length_is_an_expression() {
    let _library = Library::start();
    let mut intake = Intake::new(6).unwrap();
    let source = Source::of([put(b"abcdef"), put(b"abcdefg")]);
    let failed = intake.items(2, 3, &source);
    assert_eq!(
        message(failed),
        "a callback has 7 bytes, where C has asked for at most 6"
    );
    assert_eq!(taken(&intake), b"abcdef");
    intake.drain(3, 2, &source).unwrap();
    assert_eq!(intake.rows(3, 2, &source).unwrap(), 3);
    assert_eq!(
        *source.seen.lock().unwrap(),
        [vec![97, 98, 99, 100, 101, 102], vec![1, 2, 3, 4, 5, 6]]
    );
    intake
        .items_added(2, 4, &Source::of([put(b"abcdef")]))
        .unwrap();
}

#[test]
fn length_of_an_expression_is_checked() {
    let _library = Library::start();
    let mut intake = Intake::new(6).unwrap();
    let source = Source::of([put(b"a")]);
    for wrong in [
        message(intake.items(usize::MAX, 2, &source)),
        message(intake.drain(-1, 2, &source)).replace("items", "buffer"),
        message(intake.rows(-1, 2, &source)).replace("numbers", "buffer"),
    ] {
        assert_eq!(
            wrong,
            "the length of buffer that C passed to a callback is negative, or more than any memory has"
        );
    }
}

#[test]
fn length_that_overflows_is_an_error() {
    let _library = Library::start();
    let mut intake = Intake::new(6).unwrap();
    let source = Source::of([put(b"a")]);
    let error = intake.items_added(usize::MAX, 1, &source).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the length of buffer that C passed to a callback is negative, or more than any memory has"
    );
    assert_eq!(taken(&intake), b"");
}
