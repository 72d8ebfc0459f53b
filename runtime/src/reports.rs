//! The C functions that C reports errors to. Each passes what C reports to the collector of the running call
//! ([`error_source`](crate::error_source)). A record is in use until the collector returns.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::NonNull;

use crate::error_source::{ErrorSink, ReportFn, report};
use crate::handle::{Borrowed, Handle};
use crate::uses::{HoldingBack, Passed};

// SAFETY: Rust: `report_mut` takes what the type says; guarantee 12: it catches panics.
unsafe impl<E: ErrorSink> ReportFn<E>
    for Option<unsafe extern "C" fn(*mut c_void, *mut <E::Record as Handle>::Raw)>
{
    const REPORT: Self = Some(report_mut::<E>);
}

// SAFETY: Rust: `report_const` takes what the type says; guarantee 12: it catches panics.
unsafe impl<E: ErrorSink> ReportFn<E>
    for Option<unsafe extern "C" fn(*mut c_void, *const <E::Record as Handle>::Raw)>
{
    const REPORT: Self = Some(report_const::<E>);
}

/// A `printf`-like function, as bindgen has it.
type FormatFn = Option<unsafe extern "C" fn(*mut c_void, *const c_char, ...)>;

// SAFETY: C: a function of the named arguments may stand for a variadic one, see below; guarantee 12: `report_format`
// catches panics.
unsafe impl<E: ErrorSink> ReportFn<E> for FormatFn {
    // SAFETY: C: the ABIs of the platforms that have Python pass the named arguments of a variadic call where a
    // function of only those arguments looks for them, and the caller removes the rest. Rust cannot define variadic
    // functions.
    const REPORT: Self = Some(unsafe {
        std::mem::transmute::<
            unsafe extern "C" fn(*mut c_void, *const c_char),
            unsafe extern "C" fn(*mut c_void, *const c_char, ...),
        >(report_format::<E>)
    });
}

unsafe extern "C" fn report_mut<E: ErrorSink>(
    _user: *mut c_void,
    record: *mut <E::Record as Handle>::Raw,
) {
    let Some(record) = NonNull::new(record) else {
        return;
    };
    report::<E>(|collector| {
        // SAFETY: annotation `errors`: C lends the record for the length of the callback.
        let record = Borrowed::from(unsafe { E::Record::from_raw(record) });
        let _releases = HoldingBack::begin();
        // What a running call has by `&mut` is shown to nobody.
        if let Ok(_used) = Passed(&record).begin(false) {
            collector.record(record.get());
        }
    });
}

unsafe extern "C" fn report_format<E: ErrorSink>(_user: *mut c_void, format: *const c_char) {
    if format.is_null() {
        return;
    }
    // SAFETY: annotation `errors`: C lends the format, a string, for the length of the callback.
    report::<E>(|collector| collector.record_format(unsafe { CStr::from_ptr(format) }));
}

unsafe extern "C" fn report_const<E: ErrorSink>(
    user: *mut c_void,
    record: *const <E::Record as Handle>::Raw,
) {
    // SAFETY: annotation `errors`: C lends the record, and it is only read.
    unsafe { report_mut::<E>(user, record.cast_mut()) }
}
