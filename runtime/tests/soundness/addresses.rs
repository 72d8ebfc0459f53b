//! Objects that C has freed while another thread has not returned from their release, and what C lends at their
//! addresses.

use std::sync::mpsc::channel;
use std::thread;

use leakproof::prelude::*;

use crate::native::{Native, leaks};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender};

    /// A plot, or a bed in a garden: both have the same size.
    pub struct plot {
        pub number: c_int,
    }
    pub type bed = plot;
    pub struct garden {
        bed: *mut bed,
    }

    /// The way back of the thread that released a plot: it tells the plot's address, and waits.
    pub static WAY_BACK: Mutex<Option<(Sender<usize>, Receiver<()>)>> = Mutex::new(None);
    /// The memory of the plot that was freed last.
    static FREED: Mutex<usize> = Mutex::new(0);

    pub unsafe extern "C" fn plot_new() -> *mut plot {
        Box::into_raw(Box::new(plot { number: 1 }))
    }

    pub unsafe extern "C" fn plot_free(plot: *mut plot) {
        *FREED.lock().unwrap() = plot.expose_provenance();
        let way_back = WAY_BACK.lock().unwrap().take();
        if let Some((freed, ends)) = way_back {
            freed.send(plot.addr()).unwrap();
            ends.recv().unwrap();
        }
    }

    /// Its bed gets the memory of the freed plot.
    pub unsafe extern "C" fn garden_new() -> *mut garden {
        let bed = std::ptr::with_exposed_provenance_mut(*FREED.lock().unwrap());
        Box::into_raw(Box::new(garden { bed }))
    }

    pub unsafe extern "C" fn garden_bed(garden: *mut garden) -> *mut bed {
        unsafe { (*garden).bed }
    }

    pub unsafe extern "C" fn garden_free(garden: *mut garden) {
        drop(unsafe { Box::from_raw(garden) });
    }

    pub unsafe extern "C" fn bed_dig(bed: *mut bed) -> c_int {
        unsafe { (*bed).number += 1 };
        unsafe { (*bed).number }
    }

    pub unsafe extern "C" fn bed_number(bed: *mut bed) -> c_int {
        unsafe { (*bed).number }
    }
}

#[handle(raw = ffi::plot, release = ffi::plot_free, fork_safe)]
struct Plot;

#[handle(raw = ffi::garden, release = ffi::garden_free, fork_safe)]
struct Garden;

#[handle(raw = ffi::bed, part_of = Garden)]
struct Bed;

#[methods(unsafe, rust_only)]
impl Plot {
    #[calls(ffi::plot_new, fails = null)]
    fn new() -> Result<Owned<Plot>>;
}

#[methods(unsafe, rust_only)]
impl Garden {
    #[calls(ffi::garden_new, fails = null)]
    fn new() -> Result<Owned<Garden>>;

    #[calls(ffi::garden_bed)]
    fn bed(&self) -> Option<Borrowed<Bed>>;

    /// The bed, as the handle that a plot is.
    #[calls(ffi::garden_bed)]
    fn plot(&self) -> Option<Borrowed<Plot>>;
}

#[methods(unsafe, rust_only)]
impl Bed {
    #[calls(ffi::bed_number)]
    fn number(&self) -> std::ffi::c_int;
}

#[methods(unsafe, rust_only)]
impl Plot {
    #[calls(ffi::bed_number)]
    fn number(&self) -> std::ffi::c_int;

    #[calls(ffi::bed_dig)]
    fn dig(&mut self) -> std::ffi::c_int;
}

#[test]
fn what_c_lends_at_the_address_of_what_another_thread_has_just_released_is_free() {
    let _native = Native::start();
    let ((freed, is_freed), (end, ends)) = (channel(), channel());
    *ffi::WAY_BACK.lock().unwrap() = Some((freed, ends));
    let releasing = thread::spawn(|| {
        let mut plot = Plot::new().unwrap();
        assert_eq!(plot.dig(), 2);
    });
    let address = is_freed.recv().unwrap();
    let garden = Garden::new().unwrap();
    let bed = garden.bed().unwrap();
    assert_eq!(bed.get().number(), 2);
    assert_eq!(garden.plot().unwrap().get().number(), 2);
    end.send(()).unwrap();
    releasing.join().unwrap();
    assert_eq!(bed.get().number(), 2);
    leaks(std::ptr::without_provenance::<()>(address));
}
