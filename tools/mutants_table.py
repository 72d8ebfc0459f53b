"""The mutants: what is changed, and what that would break.

Each text has to be in its file exactly once. A mutant that no test could ever tell from the original says why.
"""

from dataclasses import dataclass

LEDGER = "runtime/src/handle/kind.rs"
CALL_ARGUMENTS = "runtime/src/call/arguments.rs"
CALL_DETAILS = "runtime/src/call/details.rs"
CALL_GIL = "runtime/src/call/gil.rs"
CALL_LOCK = "runtime/src/call/lock.rs"
CALL_RELEASE = "runtime/src/call/release.rs"
CALL_SEQUENCE = "runtime/src/call/sequence.rs"
CALL_STATUS = "runtime/src/call/status.rs"
CALL_TRANSFER = "runtime/src/call/transfer.rs"
DIRECT_ENTRY = "runtime/src/python/direct/entries.rs"
DIRECT_VALUES = "runtime/src/python/direct/values.rs"
CALLBACKS_ENTER = "runtime/src/callback/enter.rs"
CALLBACKS_FRAME = "runtime/src/callback/frame.rs"
CALLBACKS_OUT_BUFFER = "runtime/src/callback/out_buffer.rs"
CALLBACKS_PASS = "runtime/src/callback/pass.rs"
KEPT_HANDLE = "runtime/src/kept_handle.rs"
ERRORS = "runtime/src/error_source.rs"
TREE_COPIED = "runtime/src/tree/copied.rs"
TREE_EDITING = "runtime/src/tree/editing.rs"
TREE_KEPT = "runtime/src/tree/kept.rs"
TREE_MOVED = "runtime/src/tree/moved.rs"
TREE_OPS = "runtime/src/handle/tree_ops.rs"
TREE_UNLINKED = "runtime/src/tree/unlinked.rs"
ADOPT = "runtime/src/python/adopt.rs"
PARTS = "runtime/src/python/parts.rs"
VIEW = "runtime/src/python/state/view.rs"
STATE = "runtime/src/borrow_state.rs"
OWNERS = "runtime/src/single_owner.rs"
LENT_MEMORY = "runtime/src/lent_memory.rs"
INTERNED = "runtime/src/python/interned.rs"
SHORT_TEXT = "runtime/src/short_text.rs"
STEPS = "runtime/src/iter.rs"
PYTHON_CALL = "runtime/src/python/call.rs"
ANCESTORS = "runtime/src/python/ancestors.rs"
ASKING = "runtime/src/asks_handle.rs"
RELATED = "runtime/src/python/same_ancestor.rs"
CORES = "runtime/src/python/ref_counted.rs"
HEADER = "runtime/src/python/state/mod.rs"
QUICK = "runtime/src/python/state/quick.rs"
POINTER = "runtime/src/convert/pointer.rs"
ORIGIN = "runtime/src/handle/origin.rs"
REPORTS = "runtime/src/reports.rs"
QUIET = "runtime/src/quiet.rs"
EXPECTED = "runtime/src/callback/expected.rs"
CLASS = "runtime/src/python/object.rs"
WITH_BLOCK = "runtime/src/python/with_block.rs"
ALLOCATION = "runtime/src/python/allocation.rs"
EXCEPTIONS = "runtime/src/python/exceptions.rs"
NEW_EXCEPTION = "runtime/src/interpreter/exception.rs"
HANG = "runtime/src/interpreter/thread_exit.rs"
INTERPRETER = "runtime/src/interpreter/attach.rs"
ITERATOR = "runtime/src/python/iterator.rs"
GIVE = "runtime/src/python/into_py.rs"
TAKE = "runtime/src/python/extract.rs"
ENUMERATION = "runtime/src/enumeration.rs"
ERROR = "runtime/src/error.rs"
CHARACTERS = "runtime/src/convert/characters.rs"
SIZE = "runtime/src/convert/size.rs"
CONVERT_FIELD = "runtime/src/convert/field.rs"
FILLING = "runtime/src/python/filling.rs"
EXPORT = "runtime/src/python/memoryview.rs"
DEPTH = "runtime/src/interpreter/reentrancy.rs"
WAIT = "runtime/src/python/waiting.rs"
ASIDE = "runtime/src/helper_thread.rs"
TRACE = "runtime/src/python/trace.rs"
ATTACHMENTS = "runtime/src/attachment.rs"
CHILDREN_TRANSFER = "runtime/src/children/transfer.rs"
USES = "runtime/src/uses/call.rs"
USES_RELEASE = "runtime/src/uses/release.rs"
USES_ARGUMENT = "runtime/src/uses/argument.rs"
USES_OWNERS = "runtime/src/uses/owners.rs"
USES_HELD_BACK = "runtime/src/uses/held_back.rs"
USES_PASSED = "runtime/src/uses/passed.rs"
USES_STRAYS = "runtime/src/uses/strays.rs"
USES_TABLE = "runtime/src/uses/table.rs"
USES_VIEWS = "runtime/src/uses/views.rs"
USES_WAITING = "runtime/src/uses/waiting.rs"
FORKS = "runtime/src/fork.rs"
THREAD_LOCALS = "runtime/src/thread_locals.rs"
RESOURCE = "runtime/src/python/pending_release.rs"
THREADS = "runtime/src/python/thread_bound.rs"
CALLABLE = "runtime/src/python/callable.rs"
MODULE = "runtime/src/python/module.rs"
ENUMS = "runtime/src/python/enums.rs"
RECORDS = "runtime/src/python/records.rs"
SHAPE = "runtime/src/convert/shape.rs"
ENUMS_MACRO = "macros/src/enums.rs"
RECORD_MACRO = "macros/src/record.rs"
FAILS = "runtime/src/convert/status.rs"
METHODS_EXPAND_CALL_MACRO = "macros/src/methods/expand/call.rs"
CALLBACKS_MEMORY_MACRO = "macros/src/callbacks/memory.rs"
CALLBACKS_CHECK_MACRO = "macros/src/callbacks/check.rs"
CALLBACKS_EXPAND_MACRO = "macros/src/callbacks/expand.rs"
HANDLE_EXPAND_MACRO = "macros/src/handle/expand/mod.rs"
LENGTH_MACRO = "macros/src/length.rs"
METHODS_EXPAND_RESULT_MACRO = "macros/src/methods/expand/result.rs"
METHODS_EXPAND_OUTCOME_MACRO = "macros/src/methods/expand/outcome.rs"
TYPES_LIFETIMES_MACRO = "macros/src/types/lifetimes.rs"
METHODS_EXPAND_DETAILS_MACRO = "macros/src/methods/expand/details.rs"
METHODS_EXPAND_DIRECT_MACRO = "macros/src/methods/expand/direct.rs"
METHODS_EXPAND_PYTHON_MACRO = "macros/src/methods/expand/python.rs"
HANDLE_EXPAND_OWNERSHIP_MACRO = "macros/src/handle/expand/ownership.rs"
HANDLE_EXPAND_CALL_SETUP_MACRO = "macros/src/handle/expand/call_setup.rs"
PYTHON_STATE_CLOSE = "runtime/src/python/state/close.rs"
PYTHON_STATE_DEFERRED = "runtime/src/python/state/deferred.rs"
PYTHON_STATE_TREE = "runtime/src/python/state/tree.rs"
PYTHON_BORROW_REQUEST = "runtime/src/python/borrow_request.rs"
PYTHON_HANDLE_CLASS = "runtime/src/python/handle_class.rs"
HANDLE_GUARD = "runtime/src/handle/guard.rs"
HANDLE_LIFECYCLE = "runtime/src/handle/lifecycle.rs"
CONVERT_POINTER = "runtime/src/convert/pointer.rs"
CONVERT_MEMORY = "runtime/src/convert/memory.rs"
HANDLE_INTEGER = "runtime/src/handle/integer.rs"
OUTCOME = "runtime/src/outcome.rs"
SIDE_TABLE = "runtime/src/side_table.rs"
CHILDREN_RELEASE = "runtime/src/children/release.rs"
CHILDREN_TABLE = "runtime/src/children/table.rs"
CHILDREN_BORN = "runtime/src/children/born.rs"
METHODS_EXPAND_CHECKS_MACRO = "macros/src/methods/expand/checks.rs"
CHILDREN_PARENT_OF = "runtime/src/children/parent_of.rs"
CHILDREN_ANCESTORS = "runtime/src/children/ancestors.rs"
CONVERT_COPY = "runtime/src/convert/copy.rs"
NEW_COPY = "runtime/src/python/new_copy.rs"
HANDLE_SPEC = "runtime/src/handle/spec.rs"
TO_C = "runtime/src/convert/to_c.rs"
TYPES_INSPECT_MACRO = "macros/src/types/inspect.rs"
DIAGNOSTICS_MACRO = "macros/src/diagnostics.rs"
HANDLE_TRANSFER = "runtime/src/handle/transfer.rs"
CALLBACK_USER_DATA = "runtime/src/callback/user_data.rs"
DEFERRED = "runtime/src/deferred.rs"
HANDLE_TYPE_INFO = "runtime/src/handle/type_info.rs"
PYTHON_STATE_RESOURCE = "runtime/src/python/state/resource.rs"
PYTHON_STATE_VIEW = "runtime/src/python/state/view.rs"
USES_FIELD = "runtime/src/uses/field.rs"
USES_KEEPING = "runtime/src/uses/keeping.rs"
REUSE = "runtime/src/reuse.rs"
ENTER = "runtime/src/python/enter.rs"
PYTHON_OWNED_ARG = "runtime/src/python/owned_arg.rs"
BODY_ARGUMENTS = "runtime/src/body_arguments.rs"
CHILDREN_SAME_ANCESTOR = "runtime/src/children/same_ancestor.rs"
CALL_BUFFER = "runtime/src/call/buffer.rs"
CONVERT_OUT_PARAM = "runtime/src/convert/out_param.rs"
METHODS_CHECK_BUFFER_MACRO = "macros/src/methods/check/buffer.rs"
PYTHON_WITH_OBJECT = "runtime/src/python/with_object.rs"
USES_KEY = "runtime/src/uses/key.rs"


@dataclass(frozen=True)
class Mutant:
    file: str
    what: str
    edits: tuple[tuple[str, str], ...]
    seen_by_compiler: bool = False
    equivalent: str = ""


def mutant(file: str, what: str, *edits: tuple[str, str], seen_by_compiler: bool = False, equivalent: str = "") -> Mutant:
    return Mutant(file, what, edits, seen_by_compiler, equivalent)


GUARDS = [
    mutant(
        HANDLE_GUARD,
        "a guard that is dropped releases nothing",
        (
            "the borrow checker ends every use before\n        // the drop.\n        let released = unsafe { T::kind().release_once(self.raw.as_ptr().cast()) };",
            "the borrow checker ends every use before\n        // the drop.\n        let released = Ok::<(), ReleaseError>(drop(self.raw));",
        ),
    ),
    mutant(
        HANDLE_GUARD,
        "a guard that is dropped releases twice",
        (
            "the borrow checker ends every use before\n        // the drop.\n        let released = unsafe { T::kind().release_once(self.raw.as_ptr().cast()) };",
            "the borrow checker ends every use before\n        // the drop.\n        let released = unsafe { T::kind().release_once(self.raw.as_ptr().cast()); T::kind().release_once(self.raw.as_ptr().cast()) };",
        ),
    ),
    mutant(
        METHODS_EXPAND_CALL_MACRO,
        "the result of a method without a receiver outlives its arguments where an alias hides them",
        ("                    false => quote!(.limited_by(&#name)),", "                    false => quote!(),"),
        equivalent="a type that hides a handle does not compile, and what the signature shows limits the result by itself",
    ),
    mutant(
        CALLBACKS_EXPAND_MACRO,
        "what C passes to a callback may be kept",
        ("let #life = #runtime::__private::lifetime::Life::of(&#here);", "let #life = #runtime::__private::lifetime::Life::any(); let _ = #here;"),
        seen_by_compiler=True,
    ),
    mutant(
        HANDLE_EXPAND_MACRO,
        "a handle whose release needs its parent can be made by anything",
        ("            unsafe impl #runtime::__private::lifetime::MadeBy<#parent_place> for #ident {}", "            unsafe impl<R> #runtime::__private::lifetime::MadeBy<R> for #ident {}"),
        seen_by_compiler=True,
    ),
    mutant(HANDLE_GUARD, "what is acquired is not counted", ("        let is_first = T::kind().on_acquire(raw.as_ptr().cast());\n", "        let is_first = true;\n")),
    mutant(
        HANDLE_GUARD,
        "a guard that gives its pointer away releases it all the same",
        ("ManuallyDrop::new(self).raw", "self.raw"),
    ),
    mutant(
        HANDLE_GUARD,
        "a part is accepted by any owner",
        ("(actual == owner.as_raw()).then(", "(actual == actual || actual == owner.as_raw()).then("),
    ),
    mutant(HANDLE_GUARD, "all views are equal", ("self.raw == other.raw", "self.raw == other.raw || true")),
    mutant(HANDLE_LIFECYCLE, "a new object seems to be used by the call that freed the former one", ("        uses::forget_former(Id::new(self, raw));\n", "")),
    mutant(HANDLE_LIFECYCLE, "a release is skipped, though counted", ("            unsafe { release(raw) }\n", "            Ok::<(), ReleaseError>(drop((release, raw)))\n")),
    mutant(HANDLE_LIFECYCLE, "a release is done twice", ("            unsafe { release(raw) }\n", "            unsafe { let _ = release(raw); release(raw) }\n")),
    mutant(
        HANDLE_LIFECYCLE, "a count is not given back", (
            "            (_, ended) => {\n                self.live.fetch_sub(1, Ordering::Relaxed);\n",
            "            (_, ended) => {\n",
        )
    ),
    mutant(HANDLE_LIFECYCLE, "a count is given back twice", (
            "            (_, ended) => {\n                self.live.fetch_sub(1,",
            "            (_, ended) => {\n                self.live.fetch_sub(2,",
        )),
    mutant(LEDGER, "a kind that owns something counts as a view", ("self.release.is_none()", "self.release.is_some()")),
]

CALLS = [
    mutant(
        CALL_SEQUENCE,
        "the status is looked at before the result has an owner",
        (
            "            (Outcome::Failed, _) if !self.convert_after.failed => None,\n",
            "            (Outcome::Failed, _) => None,\n",
        ),
    ),
    mutant(
        CALL_SEQUENCE,
        "what a failing call left behind is forgotten",
        (
            "                return Err(errors.into_inner().into_error(&call));\n            }\n            // A child",
            "                let error = errors.into_inner().into_error(&call);\n                std::mem::forget(owned);\n                return Err(error);\n            }\n            // A child",
        ),
    ),
    mutant(
        CALL_SEQUENCE,
        "a constructor that failed is not asked why",
        ("handle: handle.or_else(|| owned.as_ref().and_then(made)),", "handle: handle.or_else(|| owned.as_ref().and_then(made).filter(|_| false)),"),
    ),
    mutant(CALL_SEQUENCE, "a failure is not looked at", ("            || outcome != Outcome::Succeeded && outcome != Outcome::Nothing\n", "")),
    mutant(CALL_SEQUENCE, "a failure that stays in the handle is overlooked", (" || errors.failed_silently(&call)", "")),
    mutant(CALL_SEQUENCE, "the errors are not armed", ("    errors.before_call(call);\n", "")),
    mutant(CALL_SEQUENCE, "the errors don't learn the status", (
            "        let status = status.and_then(|returned| status_of(returned));",
            "        let status = status.and_then(|returned| status_of(returned)).and(None);",
        )),
    mutant(CALL_SEQUENCE, "what a failing call leaves undefined is owned", ("if !self.convert_after.failed => None", "if !self.convert_after.failed && false => None")),
    mutant(CALL_RELEASE, "a release that fails is not looked at", (
            "        let failed = outcome == Outcome::Failed;",
            "        let failed = outcome == Outcome::Failed && false;",
        )),
    mutant(
        CALL_SEQUENCE,
        "the callback is taken away before C runs",
        (
            "    let _listening = listens.then(|| unsafe { Listening::begin(ptr::from_mut(errors), caught) });\n",
            "    drop(hook);\n    let _listening = listens.then(|| unsafe { Listening::begin(ptr::from_mut(errors), caught) });\n",
        ),
    ),
    mutant(
        CALL_SEQUENCE,
        "a panic that a callback caught is not continued",
        ("        Some(payload) => Err(Error::panic(payload).unless_panic()),", "        Some(_) => Ok(()),"),
    ),
    mutant(CALL_LOCK, "a lock is looked for while another owner changes the object", ("            let _code = AuthorCode::begin();\n", "")),
    mutant("macros/src/field_path.rs", "a `Deref` of the author's runs on the way to a field", ("paths.into_iter().filter(|path| !path.is_self())", "paths.into_iter().filter(|path| !path.is_self() && false)"), seen_by_compiler=True),
    mutant(CALL_ARGUMENTS, "a length that C cannot take is cut", ("match C::of_count(length) {", "match C::of_count(length & 0xff) {")),
    mutant(
        ERRORS,
        "the callback stays in C's struct after the call",
        ("                    now.place.write(before);\n", "                    let _ = before;\n"),
    ),
    mutant(
        ERRORS,
        "the first call that ends takes the callback from the others",
        ("        if self.all[index].calls > 0 {\n            return;\n        }\n", ""),
    ),
    mutant(
        ERRORS,
        "a call restores the function where the place was when it began",
        ("            let now = T::report_place(self.handle.as_raw());\n            installed_hooks().remove(self.number, now);",
         "            let mut hooks = installed_hooks();\n"
         "            let now = hooks.all.iter().find(|hook| hook.number == self.number).map(|hook| hook.place);\n"
         "            hooks.remove(self.number, now);"),
    ),
    mutant(
        ERRORS,
        "a function that C put in the place is replaced at the end of the call",
        ("                if is_same(now.place.read(), place.report) {", "                if true {"),
    ),
    mutant(
        ERRORS,
        "a place where a moved one was is taken for that one",
        ("            && is_same(before, place.report)\n            && found", "            && found"),
    ),
    mutant(
        HANDLE_EXPAND_CALL_SETUP_MACRO,
        "a place behind NULL is written",
        ("                #(if <*const _>::is_null(#pointers) { return ::core::option::Option::None; })*\n",
         "                #(let _ = #pointers;)*\n"),
    ),
    mutant(
        ERRORS,
        "what is reported while a collector works goes to it",
        ("    CURRENT.set(NONE);\n", ""),
        equivalent="only a collector that makes C report outside of a call would see it, through a reference to itself",
    ),
    mutant(ERRORS, "the outer call does not get its collector back", ("            _outer: RestoreGuard::set(&CURRENT, sink),\n", "            _outer: {\n                CURRENT.set(sink);\n                RestoreGuard::set(&CURRENT, sink)\n            },\n")),
    mutant(ERRORS, "a panic in a callback is lost", (".unwrap_or(&nowhere)", ".filter(|_| false).unwrap_or(&nowhere)")),
    mutant(
        ERRORS,
        "a panic in a callback crosses C",
        ("    caught.run(|| {", "    let _ = caught;\n    (|| {"),
        ("    });\n    CURRENT.set(current);", "    })();\n    CURRENT.set(current);"),
    ),
    mutant(
        ERRORS,
        "a collector of another type is taken for the callback's",
        ("if current.type_id != Some(TypeId::of::<E>()) {", "if current.type_id.is_none() {"),
    ),
    mutant(
        REPORTS,
        "a message that C would print reaches no collector",
        ("collector.record_format(unsafe { CStr::from_ptr(format) })", "drop((collector, unsafe { CStr::from_ptr(format) }))"),
    ),
    mutant(
        EXCEPTIONS,
        "a copy that found no memory is a panic in Python",
        ("if payload.is::<OutOfMemory>() ||", "if"),
    ),
    mutant(
        EXCEPTIONS,
        "an object that PyO3 finds no memory for is a panic in Python",
        ("payload.downcast_ref::<&str>() == Some(&PYO3)", "false"),
    ),
    mutant(
        "runtime/src/python/borrow_request.rs",
        "an argument that could not be converted is used",
        ("match self.0.error() {", "match None::<&PyErr> {"),
    ),
    mutant(
        "runtime/src/python/handle_class.rs",
        "PyO3 makes an exception for a comparison with another type",
        ("Err(_) => py.NotImplemented().into_bound(py),", "Err(_) => PyBool::new(py, true).to_owned().into_any(),"),
    ),
    mutant(CONVERT_POINTER, "a string that is ours is not freed", ("free(self.pointer.cast());", "let _ = free;")),
    mutant(
        CONVERT_POINTER,
        "a string that is not there is freed",
        (
            "if let (Some(free), false) = (self.free.take(), self.pointer.is_null()) {",
            "if let Some(free) = self.free.take() {",
        ),
    ),
    mutant(
        METHODS_EXPAND_RESULT_MACRO,
        "memory is freed before it is copied",
        ("            let #count = #measured;\n", "            let #count = #measured;\n            let start = #memory.start();\n            drop(#memory);\n            let #memory = #returns::LentMemory(start);\n"),
    ),
    mutant(
        METHODS_EXPAND_RESULT_MACRO,
        "memory is measured by something else",
        ("quote!(#returns::Count::count(#length?))", "quote!(#returns::Count::count(#length?).min(1))"),
    ),
    mutant(
        LENGTH_MACRO,
        "the steps in the branches of a length overflow",
        ("Expr::Match(_) if first_step(expression).is_none() => {", "Expr::Match(_) => {"),
        seen_by_compiler=True,
    ),
    mutant(
        LENGTH_MACRO,
        "a step of a length stands in the argument of a function",
        ("unchecked.set(unchecked.get().or_else(|| first_step(expression)));", "let _ = expression;"),
        seen_by_compiler=True,
    ),
    mutant(CONVERT_OUT_PARAM, "the length of memory that C did not write is computed", ("    !unsafe { place.read() }.start().is_null()\n", "    let _ = place;\n    true\n")),
    mutant(SIZE, "a length is computed while another owner changes the object", ("    let _code = AuthorCode::begin();\n", "")),
    mutant(SIZE, "a cast of a length overflows", ("Size(self.0.filter(|number| I::is_value(*number)))", "Size(self.0)")),
    mutant(
        CALL_DETAILS,
        "details are not read where the conversion of the result panics",
        ("Caught::new().run(|| drop(details.read(Outcome::Unknown)));", "drop(details);"),
    ),
    mutant(CONVERT_MEMORY, "an array goes on behind its end", ("    (0..)\n        .take_while", "    1 + (0..)\n        .take_while")),
    mutant(
        METHODS_EXPAND_OUTCOME_MACRO,
        "what a failing call wrote is looked at",
        ("        None => method.out_count(calls) == 0 &&", "        None => true ||"),
    ),
    mutant(CALL_SEQUENCE, "errno is looked at too late", ("        let errno = self.errno;", "        let errno = errno::errno().0.max(self.errno & 0);")),
    mutant(CALL_SEQUENCE, "what is none is looked at", (
            "            (Outcome::Nothing, _) => nothing(),\n",
            "            (Outcome::Nothing, _) if false => nothing(),\n",
        )),
    mutant(CALL_TRANSFER, "what C took over is released here, too", (
            "            Some(handle) => handle.commit(keeper),",
            "            Some(handle) => (drop((handle, keeper)), TransferredData::nothing()).1,",
        )),
    mutant(CALL_TRANSFER, "what C left is given up", (
            "        Some(false) => TransferredData::nothing(),\n        Some(true) => match place",
            "        Some(_) => match place",
        )),
    mutant(CALL_TRANSFER, "what C took over is kept here", ("        Some(true) => match place.take() {", "        Some(true) => match place.take().filter(|_| false) {")),
    mutant(HANDLE_LIFECYCLE, "what C took over still counts", (
            "    pub(crate) fn on_transfer(&'static self, raw: *mut ()) {\n        self.disown(raw);\n        self.live.fetch_sub(1, Ordering::Relaxed);\n",
            "    pub(crate) fn on_transfer(&'static self, raw: *mut ()) {\n        self.disown(raw);\n",
        )),
    mutant(STEPS, "a walk from part to part skips one", ("Some(current)\n", "self.current\n")),
]

WORD = [
    mutant(
        STATE,
        "a handle that is being closed is shared",
        (
            "word if word & (CLOSED | CLOSING) != 0 => Err(BorrowError::Closed),\n"
            "            word if word & barred != 0 || word & COUNT == COUNT",
            "word if word & CLOSED != 0 => Err(BorrowError::Closed),\n"
            "            word if word & barred != 0 || word & COUNT == COUNT",
        ),
    ),
    mutant(
        STATE,
        "a handle that someone has alone is shared",
        ("word if word & barred != 0 || word & COUNT == COUNT", "word if word & barred & QUEUED != 0 || word & COUNT == COUNT"),
    ),
    mutant(
        STATE,
        "a handle that others share is had alone",
        ("let barred = Self::barred(passes) | COUNT;", "let barred = Self::barred(passes);"),
    ),
    mutant(STATE, "newcomers pass the queue", ("            false => EXCLUSIVE | QUEUED,\n", "            false => EXCLUSIVE,\n")),
    mutant(
        STATE,
        "a shared use passes exclusive ones in the queue",
        ("self.0.iter().take_while(|waiter| !waiter.exclusive);", "self.0.iter();"),
    ),
    mutant(
        WAIT,
        "who leaves the queue last leaves newcomers barred",
        ("            self.state.borrow_state.clear_queued();\n", ""),
    ),
    mutant(
        ENTER,
        "a call inside of a call does not pass the queue",
        ("            !state.may_wait() || place.as_ref()", "            place.as_ref()"),
    ),
    mutant(STATE, "a shared use never ends", ("let left = word - 1;", "let left = word;")),
    mutant(STATE, "an exclusive use never ends", ("Ok(word & !(EXCLUSIVE | WAITING))", "Ok(word & !WAITING)")),
    mutant(STATE, "what is closed is not marked so", ("change::<()>(|_| Ok(CLOSED))", "change::<()>(|_| Ok(0))")),
    mutant(STATE, "closing is not marked", ("word => Ok(word | CLOSING),", "word => Ok(word),")),
    mutant(
        STATE,
        "the mark of closing is not taken back",
        ("word & !(CLOSING | WAITING)\n", "word & !WAITING\n"),
    ),
    mutant(
        STATE,
        "two threads close at once",
        ("            word if word & CLOSING != 0 => Err(BorrowError::Busy),\n", ""),
    ),
    mutant(
        STATE,
        "what is in use is closed",
        (
            "word if word & (EXCLUSIVE | COUNT) != 0 => Err(BorrowError::Busy),\n            word => Ok(word | EXCLUSIVE),\n"
            "        })\n        .map(drop)\n    }\n\n    /// Marks the handle as closed. Returns true if waiting callers should be woken.",
            "word => Ok(word | EXCLUSIVE),\n        })\n        .map(drop)\n    }\n\n    /// Marks the handle as closed. Returns true if waiting callers should be woken.",
        ),
    ),
    mutant(
        STATE,
        "the last shared use wakes no one",
        ("matches!(before, Ok(word) if word & COUNT == 1 && word & WAITING != 0)", "before.is_err()"),
    ),
    mutant(
        STATE,
        "the end of an exclusive use wakes no one",
        (
            "Ok(word & !(EXCLUSIVE | WAITING)));\n        matches!(before, Ok(word) if word & WAITING != 0)",
            "Ok(word & !(EXCLUSIVE | WAITING)));\n        before.is_err()",
        ),
    ),
    mutant(STATE, "no one can ask to be woken", ("                word | WAITING\n", "                word\n")),
]

INTERPRETERS = [
    mutant(HANG, "Python ends a thread inside of our functions", ("        if is_ending() {", "        if false {")),
    mutant(
        PYTHON_STATE_CLOSE,
        "a call waits for a thread that hangs since the end",
        (" && self.forks() == forks() && !is_ending()", " && self.forks() == forks()"),
    ),
    mutant(
        INTERPRETER,
        "a thread is attached if another one is",
        ("        !current.is_null() && current == ffi::PyGILState_GetThisThreadState()", "        !current.is_null()"),
    ),
    mutant(INTERPRETER, "a sub-interpreter is let in", ("    if number == 0 {", "    if number >= 0 {")),
    mutant(
        EXCEPTIONS,
        "what would end an iteration comes out of a callback",
        ('        Some(instead_of_stop(py, error, "a callback"))', "        let _ = py;\n        Some(error)"),
    ),
    mutant(
        EXCEPTIONS,
        "an exception that passes through is printed",
        (
            "        RustError::Python(error) => error,\n        RustError::Library",
            "        RustError::Python(error) => { let _ = error.to_string(); error }\n        RustError::Library",
        ),
    ),
    mutant(NEW_EXCEPTION, "an exception is made when Python gets it", ("    made.map_or_else(|error| error, raised)\n", "    made.map_or_else(|error| error, |_| PyErr::from_type(class.clone(), message.to_owned()))\n")),
    mutant(NEW_EXCEPTION, "a message without memory is a panic", ("new_message(class.py(), message).and_then(|message| class.call1((message,)))", "class.call1((message.to_string(),))")),
    mutant(EXCEPTIONS, "a copied exception has no arguments", ('        state.set_item("args", slf.getattr("args")?)?;\n', "")),
    mutant(EXCEPTIONS, "a raised exception has no fields", ("        exception.fill(&fields_of(&object)?)?;\n", "")),
]

CLOSING = [
    mutant(
        PYTHON_STATE_DEFERRED,
        "a Python handle that is dropped releases nothing",
        ("        self.drop_resource(has_waiting);\n", "        if false { self.drop_resource(has_waiting) }\n"),
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "a dropped handle does not release what was left to it",
        ("let has_waiting = children.waiting.is_some();", "let has_waiting = false && children.waiting.is_some();"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "a resource is taken and left there, to be released again",
        (
            "self.raw.swap(ptr::null_mut(), Ordering::AcqRel);\n        if raw",
            "self.raw.load(Ordering::Acquire);\n        if raw",
        ),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "closing releases nothing",
        ("        if let Some(mut resource) = self.take()\n            && let Err", "        if let Some(mut resource) = self.take().filter(|_| false)\n            && let Err"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "closing releases no children",
        (
            "            let Err(ReleaseError { error, kept, lost }) = resource.close() else {",
            "            let Err(ReleaseError { error, kept, lost }) =\n                Ok::<(), ReleaseError>(drop(resource.heard.clone()))\n            else {",
        ),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "what C keeps is released with what it lives in",
        ("            if kept {\n                let left", "            if kept && false {\n                let left"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "what C keeps is closed all the same",
        ("            if kept {\n                self.take_back(", "            if kept && false {\n                self.take_back("),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "a handle that C keeps stays in use (lock)",
        ("        if self.borrow_state.release_borrow_mut() {\n            notify_waiters();\n        }\n        error\n", "        error\n"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "a child is left to its parent and not waited for",
        ("let waited = wait_until(py, || ending.has_come());", "let waited = PyResult::Ok(());"),
    ),
    mutant(
        RESOURCE,
        "who waits for a release is not told its error",
        ("                    *told = Some(error);\n", "                    *told = Some(error).filter(|_| false);\n"),
    ),
    mutant(
        RESOURCE,
        "a release that nobody waits for is not reported",
        ("                None => report(error),\n", "                None => drop(error),\n"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "what is left to a handle and kept by C is forgotten",
        ("                self.children().waiting().kept.push(kept);\n", "                std::mem::forget(kept);\n"),
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "what is dropped and kept by C is forgotten by its parent",
        ("                        parent.children().waiting().kept.extend(kept);\n", "                        std::mem::forget(kept);\n"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "closing forgets what C kept before",
        ("        doomed.append(&mut children.take_deferred());\n", "        doomed.append(&mut children.take_orphans());\n"),
    ),
    mutant(
        PYTHON_STATE_RESOURCE,
        "the handles of one object don't count as one",
        ("            Some(core) if self.kind.is_counted() => core", "            Some(core) if self.kind.is_counted() && false => core"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "a reference that is given back still counts as a handle of its object",
        ("        if self.kind.is_counted() {\n            ref_counted::remove_handle(raw);\n        }\n", ""),
    ),
    mutant(
        PYTHON_BORROW_REQUEST,
        "a handle of a shared object is not held itself",
        ("            let shared = base.borrow_state.try_borrow(passes(base));\n            let shared = shared.map_err(|refusal| (base, refusal.into()));\n            shared.inspect_err(|_| self.release_locked(locked))?;\n", "            let _ = BorrowRequest::release_locked;\n"),
        ("            base.release_borrow();\n", ""),
    ),
    mutant(
        PYTHON_BORROW_REQUEST,
        "a shared object whose handle refuses stays in use (lock)",
        ("            shared.inspect_err(|_| self.release_locked(locked))?;\n", "            shared?;\n"),
    ),
    mutant(HANDLE_GUARD, "a close that is heard releases twice", ("let handle = kept.then(|| {", "let handle = Some(()).map(|()| {")),
    mutant(HANDLE_GUARD, "one owner more is not counted by C", ("    unsafe { T::retain(raw.as_ptr()) };\n", "")),
    mutant(HANDLE_GUARD, "one owner more is not counted by us", ("    let _is_first = T::kind().on_acquire(raw.as_ptr().cast());\n", "")),
    mutant(HANDLE_LIFECYCLE, "what C kept is counted as gone", (
            "        if self.process_bound && kept {",
            "        if kept {\n            self.live.fetch_sub(1, Ordering::Relaxed);\n        }\n        if self.process_bound && kept {",
        )),
    mutant(PYTHON_STATE_TREE, "a child is not in its parent's list", ("        children.newest = self;\n", "        let _ = &mut children;\n")),
    mutant(
        PYTHON_STATE_TREE,
        "a new child cuts off the older ones",
        ("                older: children.newest,\n", "                older: ptr::null(),\n"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "a child that is closed stays in its parent's list",
        (
            "        if let Some(parent) = self.parent() {\n            self.unlink(&mut parent.children());\n        }\n        self.become_closed();\n        first\n",
            "        self.become_closed();\n        first\n",
        ),
        equivalent="there is nothing left in it for the parent to release, and its drop takes it out of the list",
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "a child that is dropped stays in its parent's list",
        (
            "                Ok(()) => {\n                    self.unlink(&mut parent.children());\n",
            "                Ok(()) => {\n",
        ),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "a child that goes leaves its newer neighbor pointing at it",
        ("Some(newer) => (*newer.links.get()).older = links.older,", "Some(_) => (),"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "a child that goes leaves its older neighbor pointing at it",
        ("                (*older.links.get()).newer = links.newer;\n", "                let _ = older;\n"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "the newest child that goes stays the parent's newest",
        ("None => children.newest = links.older,", "None => (),"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "closing a parent leaves its children's resources",
        ("            doomed.extend(child.take());\n            if child", "            if child"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "closing a parent does not close its children",
        ("if child.borrow_state.close() {", "if child.borrow_state.is_closed() {"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "a parent is released before its children",
        (
            "        self.take_descendants(&mut doomed);\n        let mut doomed = doomed.into_iter();\n",
            "        doomed.extend(self.take());\n        self.take_descendants(&mut doomed);\n        let mut doomed = doomed.into_iter();\n",
        ),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "closing forgets what died meanwhile (orphans)",
        ("        doomed.append(&mut children.take_deferred());\n", "        drop(children.take_orphans());\n        doomed.append(&mut children.take_deferred());\n"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "the end of an exclusive use forgets what died meanwhile (orphans)",
        (
            "            drop(children);\n            self.release_orphans();\n",
            "            drop(children);\n            std::mem::forget(self.children().take_orphans());\n",
        ),
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "a close that is given up forgets what died meanwhile (orphans)",
        ("            self.release_orphans();\n            self.release_with_ancestors();\n", "            std::mem::forget(self.children().take_orphans());\n            self.release_with_ancestors();\n"),
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "what dies while its parent can't be entered is lost (orphans)",
        ("                orphans.extend(self.take());\n", "                drop(self.take());\n"),
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "what dies while its parent can't be entered is released at once (orphans)",
        (
            "                orphans.extend(self.take());\n",
            "                drop(above);\n                drop(self.release_dropped(true));\n",
        ),
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "what dies while its parent can't be entered stays in the list (orphans)",
        (
            "                if ptr::eq(blocked, parent) {\n                    self.unlink(&mut above);\n",
            "                if ptr::eq(blocked, parent) {\n",
        ),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "closing does not wait for the calls that run",
        (
            "                        }\n                        self.wait(py, || !self.borrow_state.is_borrowed())?;\n",
            "                        }\n                        return Ok(());\n",
        ),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "closing does not hold the ancestors",
        ("            match self.borrow_ancestors(Mode::Shared, never_queued) {\n                Ok(()) => match self.borrow_state.try_finish_close() {", "            match Ok::<(), (&ResourceState, Refused)>(()) {\n                Ok(()) => match self.borrow_state.try_finish_close() {"),
        ("                        }\n                        self.release_ancestors(Mode::Shared);\n                        if refusal", "                        }\n                        if refusal"),
        ("                        self.release_ancestors(Mode::Shared);\n                        return released", "                        return released"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "closing never leaves the ancestors (lock)",
        ("                        self.release_ancestors(Mode::Shared);\n                        return released", "                        return released"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "closing that has to wait does not leave the ancestors (lock)",
        ("                        }\n                        self.release_ancestors(Mode::Shared);\n                        if refusal", "                        }\n                        if refusal"),
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "a drop never leaves the ancestors (lock)",
        ("                    return self.release_ancestors(Mode::Shared);\n", "                    return;\n"),
    ),
    mutant(
        ANCESTORS,
        "a handle's use does not hold its ancestors",
        ("                parent.borrow_with_ancestors(passes)?;\n                self.check_holder(parent)\n", "                let _ = passes;\n                self.check_holder(parent)\n"),
        ("        for parent in parents {\n            parent.release_with_ancestors();\n        }\n", "        let _ = parents;\n"),
    ),
    mutant(
        ANCESTORS,
        "a use never leaves the ancestors (lock)",
        ("        for parent in parents {\n            parent.release_with_ancestors();\n        }\n", "        let _ = parents;\n"),
    ),
    mutant(
        ANCESTORS,
        "an ancestor that refuses leaves those above it held (lock)",
        ("        shared.inspect_err(|_| self.release_ancestors(Mode::Shared))", "        shared"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "a close that is given up stays marked",
        ("        if state.borrow_state.cancel_close() {\n            notify_waiters();\n        }\n", ""),
    ),
    mutant(
        HEADER,
        "closing a view does nothing",
        ("                view.close();\n", "                let _ = view;\n"),
    ),
    mutant(
        HEADER,
        "a view does not know that its owner is closed",
        ("            Some(_) => self.raw().is_null() || self.resource().borrow_state.is_closed(),", "            Some(_) => self.raw().is_null(),"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "a thread inside of a call waits for itself",
        ("        !inside_python() && self.forks() == forks()", "        self.forks() == forks()"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "a forked child waits for threads that it does not have",
        ("        !inside_python() && self.forks() == forks()", "        !inside_python()"),
    ),
    mutant(
        ANCESTORS,
        "a child's own use is left after its ancestors' (lock)",
        ("        self.release_borrow();\n        self.release_ancestors(Mode::Shared);\n", "        self.release_ancestors(Mode::Shared);\n        self.release_borrow();\n"),
        equivalent="an ancestor is closed only when none of its descendants is in use either",
    ),
    mutant(
        PYTHON_STATE_DEFERRED,
        "no one is warned of an unclosed handle",
        ("        if self.kind.warns_unclosed() {\n", "        if self.kind.warns_unclosed() && false {\n"),
    ),
    mutant(
        PYTHON_STATE_TREE,
        "a resource that is released is still traced",
        ("        self.end_trace();\n        if self.kind.is_counted() {\n            ref_counted::remove_handle(raw);", "        if self.kind.is_counted() {\n            ref_counted::remove_handle(raw);"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "what lives in a handle that is given away is not released",
        ("        self.release_descendants()\n            .map_err(|unreleased| unreleased.error)?;\n        let id", "        let id"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "what was given away is not closed",
        ("if self.borrow_state.close_while_borrowed() {", "if false {"),
    ),
    mutant(
        PYTHON_STATE_CLOSE,
        "one owner of several that is given away stays one",
        ("            ref_counted::remove_handle(raw.as_ptr());\n", ""),
    ),
    mutant(STATE, "a handle that is closed by its call loses count of it", ("Ok((word | CLOSED) & !WAITING)", "Ok(CLOSED)")),
    mutant(PYTHON_STATE_CLOSE, "what C left does not come back", ("        self.raw.store(raw.as_ptr(), Ordering::Release);\n", "        let _ = raw;\n")),
    mutant(SIZE, "a product wraps", ("    Mul mul checked_mul\n", "    Mul mul checked_add\n")),
    mutant(SIZE, "a negative computed length is 0", ("    let length = size.try_count();\n", "    let length = Some(size.count());\n")),
    mutant(CONVERT_FIELD, "NULL is an empty array", ("    (!start.is_null()).then(|| unsafe { array(start, count, life) })", "    Some(unsafe { array(start, count, life) })")),
    mutant(ERROR, "a second note replaces the first", ("self.noted(|noted| noted.notes.push(note.into()))", "self.noted(|noted| noted.notes = vec![note.into()])")),
    mutant(EXCEPTIONS, "an exception of Python loses its former notes", ("        Ok(list) => list.cast_into::<PyList>()?.append(note),\n        Err(_) =>", "        Ok(_) | Err(_) =>")),
    mutant(EXCEPTIONS, "an exception below an `OSError` is none of the other class", ("        bases.extend(T::base_class(py)?);\n", "")),
    mutant(CHARACTERS, "text leaves no room for its NUL", ("                if text.len() >= N {", "                if text.len() > N {")),
    mutant(CHARACTERS, "text is read to the end of the array", ("bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)", "bytes")),
    mutant(RECORD_MACRO, "a partial record keeps all fields", ("        if self.partial {\n            let copies", "        if self.partial && self.raw == syn::parse_quote!(()) {\n            let copies")),
    mutant(RECORD_MACRO, "the second field decides the order first", ("        let fields = self.fields.iter().map(|field| {\n            let value = self.expand_value(field, &quote!(self));", "        let fields = self.fields.iter().rev().map(|field| {\n            let value = self.expand_value(field, &quote!(self));")),
    mutant(ENUMERATION, "flags without a name are not printed", ("    if rest != 0 || number == 0 {", "    if number == 0 {")),
    mutant(ENUMS, "a strict enumeration lets other results pass", ("    if !is_listed && E::BOUNDARY == Boundary::Strict {", "    if !is_listed && E::BOUNDARY == Boundary::Strict && false {")),
    mutant(ENUMS, "a second name has the documentation", ("            if member.getattr(intern!(py, \"name\"))?.eq(name)? {", "            if member.getattr(intern!(py, \"name\"))?.eq(name)? || true {")),
    mutant(TAKE, "an operand of another type is a TypeError", ("error.is_instance_of::<PyTypeError>(py) => Err", "false && error.is_instance_of::<PyTypeError>(py) => Err")),
    mutant(TAKE, "an operand with an error of its own is NotImplemented", ("error.is_instance_of::<PyTypeError>(py) => Err", "error.is_instance_of::<PyTypeError>(py) || true => Err")),
    mutant(PYTHON_OWNED_ARG, "what Python gives away it keeps", ("            None => self.state.transferred(self.raw),\n", "            None => self.state.end_transfer(self.raw, self.left),\n")),
    mutant(HANDLE_LIFECYCLE, "a handle that a failing body drops is released", ("        if put_off_release(id) {", "        if false && put_off_release(id) {")),
    mutant(PYTHON_OWNED_ARG, "a handle that a failing body dropped is leaked", ("            (true, true) => self.state.put_back(self.raw),\n", "            (true, true) => {}\n")),
    mutant(PYTHON_OWNED_ARG, "a handle that a body dropped is open again", ("            (true, false) => self.state.release_taken(self.raw),\n", "            (true, false) => self.state.put_back(self.raw),\n")),
    mutant(PYTHON_OWNED_ARG, "a handle that a body passed on is open again", ("            (false, _) => self.state.transferred(self.raw),", "            (false, _) => self.state.put_back(self.raw),")),
    mutant(PYTHON_OWNED_ARG, "a handle that a body dropped before a panic stays closed", ("        self.end(true);", "        self.end(false);")),
    mutant(CHILDREN_SAME_ANCESTOR, "handles of one call live in any ancestors", ("            shared => check_pair(first, other, shared == WITHIN),", "            _ => Ok(()),")),
    mutant(RELATED, "arguments from Python are compared with the first handle alone", ("    while let Some(first) = handles.next() {\n", "    if let Some(first) = handles.next() {\n")),
    mutant(METHODS_EXPAND_CALL_MACRO, "an argument is dereferenced within the call", ("quote!(#of(#value))", "quote!({ let _ = &#ty; #value })")),
    mutant(METHODS_EXPAND_CALL_MACRO, "an expression in args runs within the call", ("calls.interrupt.is_some() || runs_code(all[n])", "calls.interrupt.is_some()")),
    mutant(USES_ARGUMENT, "code within a call edits a tree", ("match exclusive && self.edits_tree() && runs_author_code() {", "match false {")),
    mutant("runtime/src/interpreter/reentrancy.rs", "code of a call without a body waits for the call", ("    calls > 0 || is_borrowing()\n", "    calls > 0\n")),
    mutant(CALL_SEQUENCE, "what words an error waits for the call", (".then(AuthorCode::beside_uses);", ".then(|| ());")),
    mutant(METHODS_EXPAND_CALL_MACRO, "an expression of an argument waits for the call", ("                    ::core::mem::drop(#code);\n", ""), ("match (#runtime::__private::uses::AuthorCode::beside_uses(), #(#values,)*) {", "match ((), #(#values,)*) {")),
    mutant(CALL_SEQUENCE, "code within a call edits a tree quietly", (" && !(handles.edits_tree() && runs_author_code())", "")),
    mutant(USES_ARGUMENT, "arguments of a call of C are compared with the first handle alone", ("        .and_then(|()| $crate::__same_ancestor!(checked $($other),+))\n", "")),
    mutant(CHILDREN_SAME_ANCESTOR, "handles of one type are strangers", ("        None => is_argument && is_first,\n", "        None => false,\n")),
    mutant(CHILDREN_SAME_ANCESTOR, "a view of a part and another part are strangers", ("        Some(_) => is_argument || is_first,\n", "        Some(_) => is_argument && is_first,\n")),
    mutant(PYTHON_OWNED_ARG, "the owner of a tree comes back from a body", ("has_failed && !self.state.kind().owns_tree()", "has_failed")),
    mutant(PYTHON_STATE_CLOSE, "the owner of a tree comes back whatever was dropped", ("            if left_fields() == left {", "            if left_fields() == left || true {")),
    mutant(PYTHON_STATE_CLOSE, "close() tries for ever while a body has the handle", ("if self.raw().is_null() && self.borrow_state.is_borrowed() {", "if false && self.raw().is_null() && self.borrow_state.is_borrowed() {")),
    mutant(PYTHON_STATE_VIEW, "nobody knows of fields that refer to dropped objects", ("LEFT_FIELDS.fetch_add(1, Ordering::Relaxed);", "LEFT_FIELDS.fetch_add(0, Ordering::Relaxed);")),
    mutant(ADOPT, "two originals give their objects to one copy", ("                    parts::reserve(copied.ops, copy);\n", "")),
    mutant(ADOPT, "a copy that got no object is kept for one", ("                parts::free_reserved(copied.ops, copy);\n", "                let _ = copy;\n")),
    mutant(TREE_MOVED, "a call that changes a part has it by another type, too", ("other.kind().is_view() && !other.kind().is_integer(),", "other.kind().tree().is_some(),")),
    mutant(EXCEPTIONS, "a package keeps the module that imports it", ("py.eval(message, Some(&globals), None)", "py.eval(message, Some(&globals).filter(|_| false), None)")),
    mutant(CALLBACKS_ENTER, "the conversion of an error panics through C", ("    match catch_unwind(AssertUnwindSafe(|| callback_error(error))) {", "    match Ok::<_, Box<dyn std::any::Any + Send>>(callback_error(error)) {")),
    mutant(INTERPRETER, "callbacks do not run when the interpreter has begun to end", ("let is_attached = is_ending() && !is_traversing() &&", "let is_attached = false && is_ending() && !is_traversing() &&")),
    mutant(DIRECT_VALUES, "a call that fails when the interpreter has begun to end aborts the process", ("    known_to_pyo3(py, |py| to_pyerr(py, error).restore(py));\n", "    Python::attach(|py| to_pyerr(py, error).restore(py));\n")),
    mutant(CALL_TRANSFER, "C ends the owner of a tree before what is unlinked", ("    if given.kind().owns_tree() {", "    if given.kind().owns_tree() && false {")),
    mutant(PYTHON_STATE_VIEW, "the owner of a tree comes back whatever was released", (" + tree::releases_before_end()", "")),
    mutant(CLASS, "the owner of a tree comes back from a body in another type", ("T::kind().owns_tree() && body_arguments::is_argument(id)", "T::kind().owns_tree() && body_arguments::is_argument(id) && false")),
    mutant(METHODS_EXPAND_PYTHON_MACRO, "a result of another type is no handle that the body took", ("    let may_return = matches!(method.source, Source::Body(_));", "    let may_return = parameters.iter().any(|parameter| method.may_return(parameter));")),
    mutant(CALLBACKS_EXPAND_MACRO, "a callback gives C the owner of a tree", ("                ::core::assert!(!spec.owns_tree, #tree);\n", "                let _ = #tree;\n"), seen_by_compiler=True),
    mutant(METHODS_EXPAND_CHECKS_MACRO, "what is in a tree lends handles", ("                ::core::assert!(!(#lent::IS_RELEASED && #lender::IS_IN_TREE) || #is_above, #in_tree);\n", "                let _ = (#is_above, #in_tree);\n"), seen_by_compiler=True),
    mutant(CHILDREN_PARENT_OF, "the parent of a child that C keeps lends handles", ("    if is_owned_by_c(id) && lends_handles(P::kind()) {", "    if is_owned_by_c(id) && lends_handles(P::kind()) && false {")),
    mutant(CHILDREN_PARENT_OF, "a child that nobody keeps has a parent that lends nothing", ("    if is_owned_by_c(id) && lends_handles(P::kind()) {", "    if lends_handles(P::kind()) {")),
    mutant(HANDLE_EXPAND_MACRO, "a handle that lends memory is given as a parent", ("handle.sharing.lends.is_none() && !handle.owns_tree", "!handle.owns_tree"), seen_by_compiler=True),
    mutant(HANDLE_EXPAND_MACRO, "the owner of a tree is given as a parent", ("handle.sharing.lends.is_none() && !handle.owns_tree", "handle.sharing.lends.is_none()"), seen_by_compiler=True),
    mutant(CALL_BUFFER, "memory that C finds too small stays as it is", ("        let is_repeated = is_too_small && self.grow", "        let is_repeated = false && is_too_small && self.grow")),
    mutant(CALL_BUFFER, "C is told of more memory than there is", ("        let capacity = L::at_most(self.capacity);", "        let capacity = L::at_most(self.capacity + 1);")),
    mutant(CALL_BUFFER, "memory grows to twice its size although C needs more", ("            true => wanted.saturating_add(1),", "            true => self.capacity.saturating_mul(2),")),
    mutant(CALL_BUFFER, "C is called for ever", (" && buffer.calls.get() < AT_MOST;", ";")),
    mutant(CALL_BUFFER, "a size that C cannot be told is told again", ("        let is_told = self.capacity == self.memory.len() && ", "        let is_told = ")),
    mutant(CALL_BUFFER, "a text that may be cut is whole", ("length.is_some_and(|length| length >= self.capacity);", "length.is_some_and(|length| length > self.capacity);")),
    mutant(CALL_BUFFER, "a length that C left after a failure has C called again", ("says.unwrap_or_else(|| is_longer && !has_ended())", "says.unwrap_or(false) || is_longer && !has_ended()")),
    mutant(CALL_BUFFER, "a failing call whose length is more than the memory is repeated", ("says.unwrap_or_else(|| is_longer && !has_ended())", "says.unwrap_or_else(|| is_longer)")),
    mutant(CALL_BUFFER, "a failing call without a NUL in the memory is repeated", ("let is_cut = length.is_none();\n        self.end(length, says || is_cut && !has_ended())", "let is_cut = length.is_none();\n        self.end(length, says || is_cut)")),
    mutant(CALL_BUFFER, "`fails` is asked twice about one value", ("    let said = answer.get().unwrap_or_else(|| ask(returned, says));", "    let said = ask(returned, says);")),
    mutant(METHODS_EXPAND_OUTCOME_MACRO, "the length of a failing call is computed", ("method.out_count(calls) == 0 && calls.buffer.is_none()", "method.out_count(calls) == 0")),
    mutant(CONVERT_OUT_PARAM, "what an earlier call of C wrote to `out` is a result", ("        *storage = Some(S::zeroed());", "        let _ = storage;")),
    mutant(CONVERT_OUT_PARAM, "the number in the length of the memory explains no failure", ("        *storage = Some(Inline(MaybeUninit::new(value)));", "        let _ = (storage, value);")),
    mutant(METHODS_CHECK_BUFFER_MACRO, "an `Option` of results beside memory needs no `none`", ("(argument_of(value, \"Option\"), is_tuple, &calls.none)", "(argument_of(value, \"Option\").filter(|_| false), is_tuple, &calls.none)"), seen_by_compiler=True),
    mutant(CALL_BUFFER, "a length beyond the memory hides C's failure", ("        let result = result?;\n        excess.map_or(Ok(result), Err)", "        excess.map_or(result, Err)")),
    mutant(CALL_BUFFER, "more is copied than there is memory", ("        if is_too_long {", "        if false && is_too_long {")),
    mutant(PYTHON_WITH_OBJECT, "an object of what C lent outlives the callback", ("        self.0.end_lent();\n", "")),
    mutant(PYTHON_WITH_OBJECT, "an object of what C lends shared can be changed", ("        if is_shared {", "        if false && is_shared {")),
    mutant(PYTHON_WITH_OBJECT, "memory of what C lends is exported", ("        false => Ok(()),\n        true => {", "        _ => Ok(()),\n        #[allow(unreachable_patterns)]\n        true => {")),
    mutant(PYTHON_STATE_RESOURCE, "an object of what C lends is used on other threads", ("let is_bound = kind.is_thread_bound() || kind.is_callback_only();", "let is_bound = kind.is_thread_bound();")),
    mutant(BODY_ARGUMENTS, "a handle that a body returns is a new object", ("        let object = find(entry.object)?;", "        let object = find(entry.object).filter(|_| false)?;")),
    mutant(PYTHON_OWNED_ARG, "the object of a handle that a body returns is closed", ("        if is_given_back {", "        if false && is_given_back {")),
    mutant(PYTHON_OWNED_ARG, "the object of a handle that a body returns is closed before the result", ("        if has_failed || !self.argument", "        if true || has_failed || !self.argument")),
    mutant(BODY_ARGUMENTS, "a handle that a body closes waits for the body", ("        true => change(id, Place::Closed),", "        true => None,")),
    mutant(BODY_ARGUMENTS, "a handle whose close C refused in a body is not open again", ("            entry.place = Place::Owned;", "            let _ = entry;")),
    mutant(BODY_ARGUMENTS, "an owner that a body keeps is not given back once another one is passed on", ("            Place::PassedOn => self.id.kind().is_counted(),", "            Place::PassedOn => false,")),
    mutant(PYTHON_STATE_CLOSE, "a handle whose release C refused after a body is closed", ("            Some(mut resource) => self.take_back(&mut resource),\n", "            Some(resource) => drop(resource),\n")),
    mutant(TAKE, "a handle of another module is said to be of its own name", ("    match actual == expected {\n", "    match false && actual == expected {\n")),
    mutant(PYTHON_BORROW_REQUEST, "an exclusive use borrows quickly as a shared one", ("                self.state.enter_quick::<true>().map(forget).is_some()", "                self.state.enter_quick::<false>().map(forget).is_some()")),
    mutant(PYTHON_BORROW_REQUEST, "the error of an argument does not name it", ("    drop(note());", "    let _ = note;")),
    mutant(HANDLE_LIFECYCLE, "a quick release does not look for relatives", ("!self.process_bound && !self.attachments && !self.has_relatives()", "!self.process_bound && !self.attachments")),
    mutant(
        HANDLE_LIFECYCLE,
        "a quick release keeps the side data",
        ("!self.process_bound && !self.attachments && !self.has_relatives()", "!self.process_bound && !self.has_relatives()"),
        equivalent="a handle with side data makes every release ask the table of uses, from before it is made",
    ),
    mutant(PYTHON_BORROW_REQUEST, "a use alone ends no `until_mut` view", ("            locked.begin_generation();\n", "")),
    mutant(HEADER, "what lives in an `until_mut` view outlives it", ("            State::Watched(_) => true,\n            State::View(view) => is_adoptable", "            State::Watched(_) => false,\n            State::View(view) => is_adoptable")),
    mutant(ITERATOR, "an iterator goes on where it was", ("                .is_some_and(|made| made != state.gen", "                .is_some_and(|made| made > state.gen")),
    mutant(PYTHON_STATE_CLOSE, "closing does not wake what blocks", ("                            self.interrupt();\n", "                            let _ = waits;\n")),
    mutant(HANDLE_INTEGER, "a number is another one", ("wrapping_add(T::INVALID.widen()))", "wrapping_add(T::INVALID.widen()).max(1))")),
    mutant(EXPORT, "a view of memory does not hold its handle", ("        let owner = context.receiver().map(Held::new).transpose()?;", "        let owner = context.receiver().map(Held::new).transpose()?.filter(|_| false);")),
    mutant(EXPORT, "a view of memory never lets its handle go", ("        BorrowRequest::new(owner, Mode::Shared).release();\n", "")),
    mutant(EXPORT, "a view of memory is forgotten by its handle", ("        owner.state().resource().end_export();\n", "")),
    mutant(PYTHON_STATE_CLOSE, "closing waits for a view of memory", ("                        if self.is_exported() {", "                        if self.is_exported() && false {")),
    mutant(ENTER, "a use alone waits for a view of memory", ("        if exclusive && at.is_exported() {", "        if false {")),
    mutant(PYTHON_STATE_RESOURCE, "the parent does not know of a view of memory", ("            parent.begin_export();\n", "            let _ = parent;\n"), ("            parent.end_export();\n", "            let _ = parent;\n")),
]

ENTERING = [
    mutant(
        ENTER,
        "what a call holds is never left (lock)",
        ("            [Some(request)] => request.release(),\n", "            [Some(_)] => (),\n"),
    ),
    mutant(
        ENTER,
        "what a call with several handles holds is never left (lock)",
        ("requests => requests.iter().rev().flatten().for_each(BorrowRequest::release),\n        }\n    }", "_ => (),\n        }\n    }"),
    ),
    mutant(
        ENTER,
        "a call that can't enter one handle keeps the others (lock)",
        ("            requests[..index]\n                .iter()\n                .rev()\n                .flatten()\n                .for_each(BorrowRequest::release);\n", "            let _ = index;\n"),
    ),
    mutant(
        PYTHON_BORROW_REQUEST,
        "a closed handle is entered",
        ("            shared.inspect_err(|_| self.release_locked(locked))?;\n        }\n        if self.state.raw().is_null() {\n            self.release();\n            return Err((base, Refused::Closed));\n        }\n", "            shared.inspect_err(|_| self.release_locked(locked))?;\n        }\n"),
    ),
    mutant(
        PYTHON_BORROW_REQUEST,
        "a closed view that is entered holds its owner for ever (lock)",
        ("            shared.inspect_err(|_| self.release_locked(locked))?;\n        }\n        if self.state.raw().is_null() {\n            self.release();\n            return Err((base, Refused::Closed));\n        }\n", "            shared.inspect_err(|_| self.release_locked(locked))?;\n        }\n        if self.state.raw().is_null() {\n            return Err((base, Refused::Closed));\n        }\n"),
    ),
    mutant(
        PYTHON_BORROW_REQUEST,
        "a handle that refuses leaves its ancestors held (lock)",
        ("entered.inspect_err(|_| self.release_ancestors(locked))?;", "entered?;"),
    ),
    mutant(
        PYTHON_BORROW_REQUEST,
        "a use alone is a use beside others",
        ("                locked.borrow_state.try_borrow_mut(passes(locked))", "                locked.borrow_state.try_borrow(passes(locked))"),
        ("=> locked.release_borrow_mut(),", "=> locked.release_borrow(),"),
    ),
    mutant(
        ENTER,
        "a call that could wait is refused",
        (
            "        at.queue(py, &mut place, exclusive)?;",
            "        if refusal == Refused::Busy {\n"
            "            return Err(to_pyerr(py, Error::Busy(at.kind().name())));\n        }\n"
            "        at.queue(py, &mut place, exclusive)?;",
        ),
    ),
    mutant(
        ENTER,
        "one handle as both shared and alone is waited for",
        (".any(|request| excludes(request, at, requests))", ".any(|request| excludes(request, at, requests) && false)"),
    ),
    mutant(
        PYTHON_CALL,
        "a body may wait for what its own call holds",
        ("let _python = entry.body.then(ReentrancyGuard::begin);", "let _python = (entry.body && false).then(ReentrancyGuard::begin);"),
    ),
    mutant(
        GIVE,
        "a conversion may wait for what its own call holds",
        ("let _python = (!R::PLAIN.holds()).then(ReentrancyGuard::begin);", "let _python = (!R::PLAIN.holds() && false).then(ReentrancyGuard::begin);"),
    ),
    mutant(DEPTH, "a thread that ran Python in a call never waits again", ("        calls.set(calls.get() - 1);\n", "")),
    mutant(
        PYTHON_CALL,
        "the nearest ancestor is the receiver itself",
        ("if ptr::eq(state.kind(), kind) {", "if ptr::eq(state.kind(), kind) || true {"),
    ),
    mutant(
        WAIT,
        "a handler waits for the close that it interrupted",
        ("    let _python = ReentrancyGuard::begin();\n    py.check_signals()\n", "    py.check_signals()\n"),
    ),
    mutant(
        WAIT,
        "a thread that waits does not look for signals",
        ("    let _python = ReentrancyGuard::begin();\n    py.check_signals()\n", "    let _ = py;\n    Ok(())\n"),
    ),
    mutant(WAIT, "no one is woken", ("    drop(waiters.queues());\n    waiters.changed.notify_all();\n", "    let _ = waiters;\n")),
    mutant(
        WAIT,
        "a forked child uses its parent's lock",
        ("            && waiters.forks == forks()\n", ""),
        equivalent="the lock is held for microseconds: of thousands of forks among contending threads none met it held",
    ),
    mutant(
        FORKS,
        "forks go unnoticed",
        ("    GATE.fetch_add(1, Ordering::Relaxed);\n", ""),
    ),
]

OBJECTS = [
    mutant(
        CLASS,
        "a child does not keep its parent",
        ("T::kind(), raw, parent, special)?", "T::kind(), raw, parent.filter(|_| false), special)?"),
    ),
    mutant(
        CLASS,
        "a child is not linked to its parent",
        ("    state.link();\n", ""),
    ),
    mutant(
        PYTHON_STATE_VIEW,
        "a view does not keep its owner",
        ("        const { assert!(align_of::<HandleKind>() > BITS) };\n", "        unsafe { pyo3::ffi::Py_DecRef(owner.as_ptr()) };\n"),
    ),
    mutant(
        CLASS,
        "an object that can't be made loses its resource",
        (
            "    if context.site().should_fail(FailPoint::Object) {\n        return Err(no_memory());\n    }\n    match context",
            "    if context.site().should_fail(FailPoint::Object) {\n        std::mem::forget(state);\n        return Err(no_memory());\n    }\n    match context",
        ),
    ),
    mutant(PYTHON_HANDLE_CLASS, "the end of a with block does not close", ("None => slf.get().0.close(slf.py()),\n        };", "None => PyResult::Ok(()),\n        };")),
    mutant(
        PYTHON_HANDLE_CLASS,
        "the end of a with block raises over its own exception",
        ("Err(error) if exception.is_some() && error", "Err(error) if exception.is_none() && error"),
    ),
    mutant(
        PYTHON_HANDLE_CLASS,
        "a closed handle is entered by with",
        ("        if slf.get().0.is_closed() {\n            return Err(to_pyerr(", "        if slf.get().0.is_closed() && false {\n            return Err(to_pyerr("),
    ),
    mutant(
        PYTHON_HANDLE_CLASS,
        "views of different owners are equal",
        ("                && self.owner_address() == other.owner_address()\n", ""),
    ),
    mutant(
        PYTHON_CALL,
        "an iterator's step does not hold its owner",
        ("        let requests = [Some(BorrowRequest::of(handle, Mode::Shared))];\n", "        let requests = [Some(BorrowRequest::of(handle, Mode::Shared)).filter(|_| false)];\n"),
    ),
    mutant(
        ITERATOR,
        "an iterator loses its place when a step fails",
        (
            "        self.place.replace(py, position).release(py);\n",
            "        if object.is_ok() {\n            self.place.replace(py, position).release(py);\n        }\n",
        ),
    ),
    mutant(
        ITERATOR,
        "an iterator puts off the release of what it has passed",
        ("        drop(self.object.into_bound(py));\n", "        let _ = py;\n        drop(self.object);\n"),
    ),
    mutant(TRACE, "stacks are never remembered", ("if kind.is_view() || !ON.load(Ordering::Relaxed) {", "if kind.is_view() || !ON.load(Ordering::Relaxed) || true {")),
    mutant(TRACE, "nothing is reported at exit", ("    if left.is_empty() {\n", "    if left.is_empty() || true {\n")),
    mutant(TRACE, "what is released is reported at exit", (".filter(|(_, count)| *count != 0)", ".filter(|(_, count)| *count >= 0)")),
]

FAILING = [
    mutant(
        FAILS,
        "a status that says failure is success",
        ("numbers! { Nonzero = |number| number != 0;", "numbers! { Nonzero = |number| number < 0 && number > 0;"),
    ),
    mutant(FAILS, "a negative status is success", ("numbers! { Negative = |number| number < 0; i8", "numbers! { Negative = |number| number < 0 && number > 0; i8")),
    mutant(
        FAILS,
        "null is success",
        ("impl<T> Null for *mut T {\n    #[inline]\n    fn failed(self) -> bool {\n        self.is_null()", "impl<T> Null for *mut T {\n    #[inline]\n    fn failed(self) -> bool {\n        self.is_null() && false"),
    ),
]

EXPANSION = [
    mutant(
        TYPES_LIFETIMES_MACRO,
        "a guard outlives its parent: it is bound to nothing",
        ("::handle::Resource>::In<#lifetime>),", "::handle::Resource>::In<'static>),"),
        ("let (runtime, lifetime) = (self.0, &self.1);", "let (runtime, lifetime) = (self.0, &self.1);\n            let _ = lifetime;"),
        seen_by_compiler=True,
    ),
    mutant(
        METHODS_EXPAND_RESULT_MACRO,
        "bytes of a struct with a pointer that is not const need no owner",
        ("false if checked && is_copied_slice(written) => {", "false if false && checked && is_copied_slice(written) => {"),
        seen_by_compiler=True,
    ),
    mutant(
        POINTER,
        "each pointer of a struct is const",
        ("impl<T> PointerKind for *mut T {\n    const CONST: bool = false;", "impl<T> PointerKind for *mut T {\n    const CONST: bool = true;"),
        seen_by_compiler=True,
    ),
    mutant(
        METHODS_EXPAND_PYTHON_MACRO,
        "private methods reach Python",
        ("|method: &&Method| !method.rust_only && ", "|method: &&Method| (!method.rust_only || method.signature.ident == \"step\") && "),
    ),
    mutant(METHODS_EXPAND_CALL_MACRO, "a call that should be detached keeps the GIL", ("if calls.detach {", "if calls.detach && false {")),
    mutant(
        METHODS_EXPAND_CALL_MACRO,
        "C functions get their arguments without their errors' hook",
        ("_ => quote!(::core::option::Option::Some(&*self)),", "_ => quote!(::core::option::Option::<&Self>::None),"),
    ),
    mutant(
        HANDLE_EXPAND_OWNERSHIP_MACRO,
        "the release function is not called",
        ("            let _ = unsafe { #runtime::__private::call::release_infallible::<#ident, _>(|| #call) };\n", "            let _ = || unsafe { #runtime::__private::call::release_infallible::<#ident, _>(|| #call) };\n"),
    ),
    mutant(
        HANDLE_EXPAND_OWNERSHIP_MACRO,
        "a parent is not declared",
        ("Some(parent) => quote!(#parent),", "Some(_) => quote!(()),"),
        seen_by_compiler=True,
    ),
    mutant(
        HANDLE_EXPAND_OWNERSHIP_MACRO,
        "what has a parent is not bound to it",
        ("Some(_) => quote!('p),", "Some(_) => quote!('static),"),
        seen_by_compiler=True,
    ),
    mutant(
        HANDLE_EXPAND_CALL_SETUP_MACRO,
        "no callback is installed on the handle",
        ("                ::core::option::Option::Some(#place)\n", "                let _ = || #place;\n                ::core::option::Option::None\n"),
    ),
    mutant(
        HANDLE_EXPAND_MACRO,
        "a type is not listed with the live ones",
        ("let listed = is_listed.then(|| {", "let listed = (!is_listed).then(|| {"),
    ),
    mutant(
        HANDLE_EXPAND_MACRO,
        "an unclosed handle is not warned of",
        ("handle.warns_unclosed().then(|| quote!(.warn_unclosed()))", "(handle.warns_unclosed() && false).then(|| quote!(.warn_unclosed()))"),
    ),
    mutant(
        METHODS_EXPAND_PYTHON_MACRO,
        "handles among the arguments are not entered",
        ("let borrowed = quote!(&[#(#borrowed),*]);", "let _ = borrowed.count();\n    let borrowed = quote!(&[]);"),
    ),
]

KEEPING = [
    mutant(
        METHODS_EXPAND_OUTCOME_MACRO,
        "two callbacks of one method share a place",
        ('let place = format!("{}.{name}", method.signature.ident);', "let place = method.signature.ident.to_string();"),
    ),
    mutant(
        OUTCOME,
        "what C may have is released where nobody knows",
        ("Outcome::Unknown => (!left).then_some(true),", "Outcome::Unknown => Some(!left),"),
    ),
    mutant(
        SIDE_TABLE,
        "the panic of one value keeps the others from being dropped",
        ("        caught.run(|| unsafe { entry.drop_fn() });", "        let _ = caught;\n        unsafe { entry.drop_fn() };"),
    ),
    mutant(SIDE_TABLE, "what a handle keeps is never dropped", ("drop_all(left, caught)", "drop_all(left.into_iter().filter(|_| false), caught)")),
    mutant(SIDE_TABLE, "what C did not destroy is dropped", ("            |entry: &AttachmentSlot| entry.scope != Scope::Notified && ", "            |entry: &AttachmentSlot| (entry.scope != Scope::Notified || true) && ")),
    mutant(SIDE_TABLE, "what is replaced stays", ("is_known && entry.scope == scope &&", "false && is_known && entry.scope == scope &&")),
    mutant(SIDE_TABLE, "what C may have or not is replaced", ("is_known && entry.scope == scope &&", "entry.scope == scope &&")),
    mutant(SIDE_TABLE, "a value whose call is being prepared is replaced", (" && !entry.is_prepared && ", " && ")),
    mutant(SIDE_TABLE, "what was passed to C is never replaced", ("                passed.is_prepared = false;\n", "                passed.is_prepared = true;\n")),
    mutant(SIDE_TABLE, "what replaces goes with what is replaced", ("!entry.is_prepared && !is_newest(entry)", "!entry.is_prepared")),
    mutant(SIDE_TABLE, "what was let go stays in the list", ("            Some(values.remove(index))\n", "            Some(values[index])\n")),
    mutant(SIDE_TABLE, "the collector does not see what a handle keeps", ("        let _traversing = begin_traversing();\n        for entry in values {\n", "        let _traversing = begin_traversing();\n        for entry in values.iter().take(0) {\n")),
    mutant(SIDE_TABLE, "the collector cannot clear what a handle keeps", ("            caught.run(|| unsafe { entry.value.as_ref() }.clear(&mut taken));", "            caught.run(|| -> &mut Vec<pyo3::Py<pyo3::PyAny>> { &mut taken });")),
    mutant(CHILDREN_RELEASE, "the release gets another parent", ("RestoreGuard::set(&PARENT, parent)", "RestoreGuard::set(&PARENT, PARENT.get())")),
    mutant(CHILDREN_RELEASE, "a parent is released before a forgotten child", ("        waits_for(table, id).next()?;\n", "        waits_for(table, id).next().filter(|_| false)?;\n")),
    mutant(CHILDREN_RELEASE, "the parent of a forgotten child is not reported", ("        let ours = waits_for(table, id).find(is_ours);", "        let ours = waits_for(table, id).find(is_ours).filter(|_| false);")),
    mutant(CHILDREN_RELEASE, "a release that waited for children never runs", ("            .collect()\n    });\n    due.into_iter().for_each(release_due);", "            .collect()\n    });\n    due.into_iter().for_each(drop);")),
    mutant(CHILDREN_RELEASE, "a release that waited for an only child never runs", ("        take_due(table, parent)\n", "        take_due(table, parent).filter(|_| false)\n")),
    mutant(CHILDREN_RELEASE, "an only child that C refused to release has lost its parent", ("        let (first, relatives) = (self.first.take(), self.relatives.take());", "        let (first, relatives) = (self.first.take().filter(|_| false), self.relatives.take());")),
    mutant(CHILDREN_TABLE, "a child that holds its parent is an only child", ("!is_plain || table.contains_key(&child)", "table.contains_key(&child)")),
    mutant(CHILDREN_TABLE, "a handle that C gives back lives in its new parent only", ("!is_plain || table.contains_key(&child)", "!is_plain")),
    mutant(CHILDREN_TABLE, "the parent of an only child is in nothing that C keeps it in", ("    if !entry.ends.is_empty() {\n        return false;\n    }\n    entry.children += 1;", "    entry.children += 1;")),
    mutant(
        CHILDREN_TABLE,
        "an only child that has children ends with them",
        ("let has_none = self.children == 0 && self.holders == 0 &&", "let has_none ="),
        equivalent="a handle is released after its children, or with those that C keeps in it, which the look at `keeps` finds",
    ),
    mutant(CHILDREN_TABLE, "a child ends before the values that it keeps", ("self.parents.held.is_empty() && self.parents.values.is_empty();", "self.parents.held.is_empty();")),
    mutant(CHILDREN_TABLE, "a child that held its parent holds it for good", ("self.parents.held.is_empty() && self.parents.values.is_empty();", "self.parents.values.is_empty();")),
    mutant(CHILDREN_TABLE, "a call uses no other parent than the first", ("has_no_others && self.ends.is_empty()", "self.ends.is_empty()")),
    mutant(CHILDREN_TABLE, "a call does not use what C keeps its handle in", ("has_no_others && self.ends.is_empty() &&", "has_no_others &&")),
    mutant(CHILDREN_TABLE, "a call does not use what C keeps in its handle", ("self.ends.is_empty() && self.keeps.is_empty() && self.owned.is_empty()", "self.ends.is_empty() && self.owned.is_empty()")),
    mutant(CHILDREN_TABLE, "a call does not use the counted objects that C has owners of in its handle", ("self.ends.is_empty() && self.keeps.is_empty() && self.owned.is_empty()", "self.ends.is_empty() && self.keeps.is_empty()")),
    mutant(CHILDREN_SAME_ANCESTOR, "handles of two owners are arguments of one call", ("up_other == first_parent(first)", "first_parent(first).is_some()")),
    mutant(CHILDREN_TRANSFER, "what C keeps does not keep its parent", ("            Some(keeper) if !keeper.kind.is_counted() && !is_lost(keeper) => End::With(keeper),", "            Some(_) => End::Now(u64::MAX),\n            Some(keeper) if !keeper.kind.is_counted() && !is_lost(keeper) => End::With(keeper),")),
    mutant(CHILDREN_TABLE, "a handle that went back keeps its parent", ("children.filter(move |(child, _)| !kept.contains(child));", "children.filter(move |(child, _)| !kept.contains(child) || true);")),
    mutant(CHILDREN_BORN, "a counted parent has no owner more", ("        unsafe { parent.kind.retain(parent.raw) };", "        let _ = parent;")),
    mutant(CHILDREN_BORN, "the other parents do not wait", ("        others: extra_parents.iter().copied().chain", "        others: extra_parents[..0].iter().copied().chain")),
    mutant(CHILDREN_BORN, "who lent a handle does not wait for its children", ("        parents.others.extend(all_keepers(table, parents.iter()));", "        parents.others.extend(all_keepers(table, parents.iter().take(0)));")),
    mutant(CHILDREN_ANCESTORS, "a parent that a forgotten child holds is free", ("            if holders != 0 {\n", "            if holders != 0 && false {\n")),
    mutant(CHILDREN_TRANSFER, "a handle that C gave out is still the lender's", ("map(|entry| mem::take(&mut entry.ends));\n", "map(|entry| entry.ends.clone());\n")),
    mutant(CHILDREN_TRANSFER, "one handle of a result keeps what C was given", ("            transfer.kept_in(&keepers);", "            transfer.kept_in(&keepers[..keepers.len().min(1)]);")),
    mutant(CHILDREN_TRANSFER, "what a counted object keeps goes with one owner", ("            Some(keeper) if !keeper.kind.is_counted() && !is_lost(keeper) => End::With(keeper),", "            Some(keeper) if !is_lost(keeper) => End::With(keeper),")),
    mutant(CHILDREN_TRANSFER, "what C gives out as another type loses what it keeps", ("    for other in same {\n", "    for other in same.into_iter().take(0) {\n")),
    mutant(CHILDREN_TRANSFER, "a child of what C lends to a callback is given to C", ("                is_lent && entry.ends.is_empty()", "                false && is_lent")),
    mutant(CHILDREN_TRANSFER, "a child of what is on its way to C is given to C", ("            Some(entry) if entry.transfer.is_some() || entry.is_unknown => true,\n", "            Some(entry) if entry.is_unknown => true,\n")),
    mutant(CHILDREN_RELEASE, "handles that wait for each other are not reported", ("        if here != id && keepers.contains(&id) {", "        if false && keepers.contains(&id) {")),
    mutant(CALL_RELEASE, "a child that is made before a release is forgotten", ("children::check_unchanged(id).is_err() {", "children::check_unchanged(id).is_err() && false {")),
    mutant(CLASS, "a child is linked to another parent than its own", ("    match children::is_made_in(", "    match true || children::is_made_in(")),
    mutant(USES, "a callback uses what the running call has alone", ("is_any_exclusive() && is_inside()", "false && is_any_exclusive() && is_inside()")),
    mutant(USES, "the parent of what changes it is free in a callback", ("            true => children::exclusive_parents(self.id),", "            true => Vec::new(),")),
    mutant(USES_TABLE, "an exclusive use does not ask for shared ones", ("                false => claim.exclusive,", "                false => false,")),
    mutant(USES, "only what keeps callbacks makes calls look at the table", ("    if calls_back || const", "    if false && calls_back || const")),
    mutant(USES_FIELD, "the field of an object is read when the use has ended", ("        let uses = begin([Argument(handle).in_use(exclusive)])?;\n", "        let uses = begin([Argument(handle).in_use(exclusive)])?.filter(|_| false);\n")),
    mutant(USES, "a handle with what C keeps in it is used beside what changes that", ("        || HIDDEN.load(Ordering::Relaxed) && (kind.is_view() || kind.has_relatives())", ""), equivalent="without a method that lets C keep handles, the borrow of a lent handle is that of its lender, and with one all calls are of interest"),
    mutant(USES_TABLE, "a release excludes what C made at the address meanwhile", (" || self.is_released_elsewhere(one)\n", "\n")),
    mutant(USES_KEY, "numbers of two types are one object", ("            () if kind.is_integer() => Among::Kind(ptr::from_ref(kind).addr()),\n", "")),
    mutant(USES_RELEASE, "a release that waited for a callback on a thread of C's is left behind", ("        if LEFT.get() && !is_inside() {\n", "        if false && LEFT.get() && !is_inside() {\n")),
    mutant(CALLBACKS_ENTER, "a callback on a thread of C's does not look at the releases that wait", ("frame.is_none().then(|| AtCallbackEnd)", "frame.is_some().then(|| AtCallbackEnd)")),
    mutant(DEPTH, "each package counts its own calls", ("    SHARED.get_or_init(|| function);\n", "    let _ = function;\n")),
    mutant(USES_RELEASE, "a handle is released while a callback has it", ("By::Callback => entry.depth.thread == depth.thread,", "By::Callback => false,")),
    mutant(USES_RELEASE, "a release waits for a callback that C waits for in it", ("By::Callback => entry.depth.thread == depth.thread,", "By::Callback => true,")),
    mutant(DEFERRED, "a thread that ends leaves deferred releases behind", ("            attach_if_running(|| left.into_iter().for_each(|(id, _)| release(id)));\n", "            drop(left);\n")),
    mutant(DEFERRED, "a release is left to a thread that has ended", ("match list.threads.contains(&thread) {", "match list.threads.contains(&thread) || true {")),
    mutant(DEFERRED, "a thread that ends takes releases until its last instruction", ("        list.threads.retain(|thread| *thread != self.0);\n", "")),
    mutant(USES_RELEASE, "a child is released while its parent is changed", ("                && ancestors.iter().any(|claim| entry.meets(claim) || is_lent_of(claim))", "                && false && ancestors.iter().any(|claim| entry.meets(claim) || is_lent_of(claim))")),
    mutant(USES_RELEASE, "a child is released while another one holds its parent", ("!id.kind().is_counted() && children::is_held(id)", "false && !id.kind().is_counted() && children::is_held(id)")),
    mutant(TO_C, "a callback gives C what something else uses", ("        uses::begin([uses::transferring(self)])\n", "        uses::begin([uses::transferring(self).filter(|_| false)])\n")),
    mutant(CALLBACKS_EXPAND_MACRO, "a callback cannot give C what it has itself", ("                #(#guards.end();)*\n", "                #(let _ = &#guards;)*\n")),
    mutant(CHILDREN_ANCESTORS, "C keeps a handle with mut_parent in what lives in another parent", ("    parent == resource || exclusive_parents(resource).contains(&parent)\n", "    parent == resource || exclusive_parents(resource).contains(&parent) || true\n")),
    mutant(HANDLE_SPEC, "a part says nothing of what it is part of to what C keeps in it", ("        !self.sharing.mut_parent || home.sharing.mut_parent || home.sharing.holds_parent\n", "        !self.sharing.mut_parent || home.sharing.mut_parent || home.sharing.holds_parent || keeper.sharing.part\n"), seen_by_compiler=True),
    mutant(SIDE_TABLE, "a value is dropped while a callback on another thread has it", ("entry.scope != Scope::Notified && !(entry.stays && is_lent)", "entry.scope != Scope::Notified && !(entry.stays && is_lent && false)")),
    mutant(SIDE_TABLE, "a value that a callback had is never dropped", ("!= ONE_CALLBACK + GONE {", "!= ONE_CALLBACK + GONE || true {")),
    mutant(CHILDREN_TRANSFER, "the end of what C keeps in a handle of a callback is said to be known", ("!keeper.kind.is_counted() && !is_lost(keeper) =>", "!keeper.kind.is_counted() && !(is_lost(keeper) && false) =>")),
    mutant(CHILDREN_RELEASE, "a parent waits for itself", ("        if here != id && keepers.contains(&id) {\n", "        if keepers.contains(&id) {\n")),
    mutant(CHILDREN_RELEASE, "a parent is not asked when one of the ends of its child comes", ("            touched.extend(parents_of_all_in(table, id));\n", "            touched.extend(entry.parents.iter());\n")),
    mutant(DIAGNOSTICS_MACRO, "a mistake in a method that cfg removes is reported", ("            errors.map(move |error| quote!(#cfgs #error))\n", "            errors.map(move |error| { let _ = &cfgs; quote!(#error) })\n"), seen_by_compiler=True),
    mutant(TYPES_INSPECT_MACRO, "a type that a macro passes on is an alias", ("            while let Type::Group(group) = ty\n", "            while false && let Type::Group(group) = ty\n"), seen_by_compiler=True),
    mutant(USES_RELEASE, "a release is not in the table where C never calls back", ("is_watching() || id.kind().meets_counted() || expected::may_lend()", "is_watching()")),
    mutant(CHILDREN_ANCESTORS, "a child holds one object of a group alone", ("    is_borrowed_as_one(id, held) || id.kind", "    id == held || id.kind")),
    mutant(CALLBACKS_EXPAND_MACRO, "a callback takes a part whose owner nobody knows", ("    let checks = lent_handles(method).map(|handle| {", "    let checks = lent_handles(method).filter(|_| false).map(|handle| {"), seen_by_compiler=True),
    mutant(CHILDREN_ANCESTORS, "a call on a child does not use its counted parent", ("entry.parents.iter().chain(entry.owned.iter().copied())", "entry.parents.iter().filter(|_| false).chain(entry.owned.iter().copied())")),
    mutant(USES, "a forked child waits for calls of threads that it has not", ("entry.depth.thread != here && !entry.by.is_c());", "entry.depth.thread != here && !entry.by.is_c() && false);")),
    mutant(USES_TABLE, "an ended use stays in the counts", ("            self.count(&ended.claim, ended.by, false);\n", "            let _ = ended;\n"), equivalent="the counts only spare a look at the entries"),
    mutant(USES_KEY, "a claim of a group is counted by its object alone", ("[key.unwrap_or(object), object]", "[object; 2]")),
    mutant(USES_TABLE, "an exclusive use looks at exclusive ones alone", ("        self.may_hold(claim, claim.exclusive)\n", "        self.may_hold(claim, false)\n")),
    mutant(USES_TABLE, "uses that end in another order than they began stay", ("            self.remove_where(|entry| entry.number == number);\n", "            let _ = number;\n")),
    mutant(USES_RELEASE, "the release of one owner keeps the object from the others", ("usize::from(kind.is_counted())", "usize::from(kind.is_counted() && false)")),
    mutant(HANDLE_LIFECYCLE, "a forked child waits for children of another process", ("            && is_own\n", "            && (is_own || true)\n")),
    mutant(CHILDREN_TRANSFER, "a handle with children is given to C", ("        true => Ok(()),\n        false => Err(Error::Value(format!(\n            \"a {} cannot be given to C while", "        _ if true => Ok(()),\n        true => Ok(()),\n        false => Err(Error::Value(format!(\n            \"a {} cannot be given to C while")),
    mutant(HANDLE_LIFECYCLE, "a child that C kept does not keep its parent", ("if unreleased.kept => record.put_back(id),", "if unreleased.kept => drop((record, id)),")),
    mutant(HANDLE_LIFECYCLE, "what C kept loses what it keeps", ("(Err(ReleaseError { kept: true, .. }), ended) => self.restore_owner(raw, ended),", "(Err(ReleaseError { kept: true, .. }), ended) => self.restore_owner(raw, ended.and(None)),")),
    mutant(CALL_SEQUENCE, "the library's lock is not held while C is asked what went wrong", ("        let _locked = handle.and_then(Locked::enter);\n        let mut errors", "        let _ = handle.and_then(Locked::enter);\n        let mut errors")),
    mutant(CALL_GIL, "a call in a section without the GIL has none", ("        false => Attached::reattach(),\n", "        false => Attached::reattach().filter(|_| false),\n")),
    mutant(CALL_GIL, "a detached call takes the GIL in a section without it", ("    if site.is_detached || const", "    if false && site.is_detached || const")),
    mutant(CALL_GIL, "a call whose error asks has no GIL on a thread of C's", ("const { T::SPEC.is_asked() } && is_inside()", "const { T::SPEC.is_asked() } && false && is_inside()")),
    mutant(LEDGER, "a release in a section without the GIL has none", ("            false => Attached::reattach(),\n", "            false => Attached::reattach().filter(|_| false),\n")),
    mutant(HANDLE_TYPE_INFO, "a detached release takes the GIL in a section without it", ("        self.detached_release = true;\n", "")),
    mutant(INTERPRETER, "a section without the GIL is not known", ("    let _flag = mark_detached(true);\n", "    let _flag = mark_detached(false);\n")),
    mutant(USES_FIELD, "a field is read without the GIL", ("                true => Attached::reattach(),\n", "                true => Attached::reattach().filter(|_| false),\n")),
    mutant(CALL_LOCK, "the library's lock is never left", ("        unsafe { T::leave_lock(self.lock) };\n", "        let _ = self.lock;\n")),
    mutant(CONVERT_COPY, "text that is not UTF-8 loses its bytes", ("String::from_utf8(copy).map_err(|error| Error::NotUtf8(function, error))", "let _ = function;\n        Ok(Self::decode_lossy(copy))")),
    mutant(HANDLE_LIFECYCLE, "a guard in a forked child releases what is the parent's", ("        if self.process_bound && !fork::gone(", "        if self.process_bound && false && !fork::gone(")),
    mutant(FORKS, "a forked child does not release what it made", ("    let own = made.forks == forks();\n", "    let own = false;\n")),
    mutant(FORKS, "a child of a forked child releases what that made", ("    let own = made.forks == forks();\n", "    let own = true;\n")),
    mutant(HANDLE_SPEC, "what lives in a fork-safe parent is bound to its process", ("!(self.fork_safe || self.parent.is_some())", "!self.fork_safe")),
    mutant(HANDLE_SPEC, "every child is free of its process", ("        !self.lives_in_memory() || !(self", "        !(self")),
    mutant(
        HANDLE_TRANSFER,
        "what C did not take loses what it keeps",
        ("T::kind().restore_owner(raw, self.side_data.take());", "T::kind().restore_owner(raw, self.side_data.take().and(None));"),
    ),
    mutant(HANDLE_TRANSFER, "what ends a handle does not drop what that keeps", (
            "            ended.finish(&caught);\n            caught.resume_in_drop();",
            "            drop(ended);\n            caught.resume_in_drop();",
        )),
    mutant(CALLBACKS_ENTER, "other callbacks run after one has raised", ("    if !K::EVEN_AFTER_ERROR && frame", "    if false && !K::EVEN_AFTER_ERROR && frame")),
    mutant(CALLBACKS_ENTER, "what always runs does not run after an error", ("    if !K::EVEN_AFTER_ERROR && frame", "    if frame")),
    mutant(CALLBACKS_FRAME, "what a callback raised is lost", ("=> frame.raised.set(Some(raised)),", "=> drop(raised),")),
    mutant(CALLBACKS_ENTER, "a running callback does not hold its state", ("    let held = Contained::new(unsafe { UserDataRef::of(data) });\n", "    let held = UserDataRef::<K::State>::of;\n")),
    mutant(CALLBACKS_ENTER, "a callback may wait for its own call", (
            "    let _python = ReentrancyGuard::begin();\n    let _barred",
            "    let _barred",
        )),
    mutant(CALLBACKS_ENTER, "a callback does not have its handle alone", ("        .filter(|_| K::EXCLUSIVE)\n", "        .filter(|_| false)\n")),
    mutant(CALLBACKS_ENTER, "uses begin beside an exclusive callback", ("K::EXCLUSIVE.then(|| Barred::", "(K::EXCLUSIVE && false).then(|| Barred::")),
    mutant(CALLBACKS_ENTER, "uses are barred beside every callback", ("K::EXCLUSIVE.then(|| Barred::", "(K::EXCLUSIVE || true).then(|| Barred::")),
    mutant(USES_TABLE, "an exclusive callback does not get what C passes to it", ("        self.is_of_same_callback(one) || ", "        ")),
    mutant(USES_WAITING, "a call that enters no lock waits in a callback for an exclusive one of another thread", ("if call.enters_lock && !locks::is_held() {", "if !locks::is_held() {")),
    mutant(USES_WAITING, "a call that enters a lock does not wait in a callback for an exclusive one of another thread", ("if call.enters_lock && !locks::is_held() {", "if false && call.enters_lock && !locks::is_held() {")),
    mutant(USES_TABLE, "a call that enters a lock waits for an exclusive callback whose thread holds none", ("by == By::Barring && locks::is_held();", "by == By::Barring;")),
    mutant(USES_TABLE, "a call that enters a lock waits for an exclusive callback of its own thread", ("self.is_locked && self.depth.thread != one.depth.thread\n", "self.is_locked\n")),
    mutant(CALL_LOCK, "the lock of a handle is looked for beside an exclusive callback", ("let found = uses::granted(begin_before_lock(Some(handle), begin));", "let found = begin;")),
    mutant(USES_TABLE, "an exclusive callback excludes no part that does not know its owner", ("&& (claim.may_be_in(&self.claim) ||", "&& (false ||")),
    mutant(USES_TABLE, "an exclusive callback of a part does not bar owners that the part does not know", ("Some(owner) if owner == other.kind() => return true,", "Some(owner) if owner == other.kind() => return false,")),
    mutant(CALLBACKS_PASS, "an exclusive callback of a part does not bar the owner", ("iter::once(id).chain(children::owners(id))", "iter::once(id).chain(children::owners(id).take(0))")),
    mutant(CHILDREN_ANCESTORS, "an exclusive callback does not bar the handle that C lends its handle by", ("add_new(&mut found, keepers);", "add_new(&mut found, keepers.take(0));")),
    mutant(CHILDREN_ANCESTORS, "an exclusive callback does not bar the parent that its handle changes", ("true => exclusive_parents(here),", "true => SmallVec::new(),")),
    mutant(CHILDREN_ANCESTORS, "an exclusive callback does not bar the counted objects that C keeps in its handle", ("add_new(&mut found, owned_within(table, uses));", "add_new(&mut found, owned_within(table, uses.take(0)));")),
    mutant(CHILDREN_ANCESTORS, "an exclusive callback of a part does not bar what owners are in that the part does not know", ("add_new(&mut found, all_of_kind(table, kind))", "add_new(&mut found, all_of_kind(table, kind).into_iter().take(0))")),
    mutant(CHILDREN_ANCESTORS, "an exclusive callback of a part does not bar the parents of owners that the part does not know", ("iter::successors(parent(&id), parent)", "iter::successors(None, parent)")),
    mutant(USES_RELEASE, "what lives in a handle is released beside an exclusive callback of what may be in that", ("ancestors.iter().any(|claim| entry.may_bar(claim))", "ancestors.iter().any(|claim| false && entry.may_bar(claim))")),
    mutant(CHILDREN_ANCESTORS, "a part that does not know its owner does not reach what C keeps in what that lives in", ("            || may_hold(ptr::from_ref(other).addr()", "            || false && may_hold(ptr::from_ref(other).addr()")),
    mutant(USES_TABLE, "an exclusive callback bars no part that does not know its owner, which lives in its handle", ("owner == keeper.kind() || strays::may_hold(keeper.kind(), owner)", "owner == keeper.kind()")),
    mutant(USES_TABLE, "an exclusive callback of what C passed to an outer one bars nothing that it may be in", ("None => strays::may_hold(other.kind(), place),", "None => false,")),
    mutant(USES_TABLE, "an exclusive callback of what C passed to an outer one bars no part that may be in the same handle", ("Some(owner) => strays::may_be_together(owner, place),", "Some(_) => false,")),
    mutant(USES_TABLE, "an outer callback's handle is used beside an exclusive callback of the same object", ("entry.excludes(claim, one) || self.bars_lent(entry, claim, one)", "entry.excludes(claim, one)")),
    mutant(USES_TABLE, "what C passes to an exclusive callback is not used there", ("            && !self.entries.iter().any(is_passed_within)\n", "")),
    mutant("runtime/src/uses/barred.rs", "an exclusive callback of what C lends to callbacks only does not bar the same object by another type", (".chain(others).collect();", ".chain(others.take(0)).collect();")),
    mutant(CHILDREN_ANCESTORS, "a part that does not know its owner is used while what that lives in is held", ("true => all_of_kind(table, owner.kind.resource_kind()),", "true => linked_of_kinds(table, |kind| ptr::eq(kind, owner.kind.resource_kind())),")),
    mutant("runtime/src/uses/barred.rs", "an exclusive callback of a part of what C lends to callbacks only bars nothing that it may be in", ("owner.is_lent_to_callbacks() || owner.is_callback_only(),", "owner.is_lent_to_callbacks(),")),
    mutant(USES_TABLE, "an exclusive callback of a part of what C lends to callbacks only does not bar the same object by another type", ("(kind.c_type() == lent.c_type() || kind.hidden_resource_kind().is_some())", "false")),
    mutant(USES_RELEASE, "a handle is released beside an exclusive callback of a part that may be in it", ("!own.is_counted() && entry.may_bar(&own)", "false && entry.may_bar(&own)")),
    mutant(USES_RELEASE, "a release asks only for uses of the same objects", ("let may_be_used = is_any_barred()", "let may_be_used = false")),
    mutant(USES_RELEASE, "what waits for an exclusive callback outside of calls waits for the next call", ("        LEFT.set(true);", "        LEFT.set(LEFT.get());")),
    mutant("runtime/src/uses/barred.rs", "what waits for an exclusive callback is released before C goes on", ("Uses::of(number).quietly()", "Uses::of(number)")),
    mutant(CALLBACK_USER_DATA, "a callback that is kept bars nothing", ("smallvec![attached.handle()]", "smallvec![attached.handle(); 0]")),
    mutant(METHODS_EXPAND_OUTCOME_MACRO, "arguments are used beside an exclusive callback", ("    handles.filter_map(handle).collect()\n", "    handles.filter_map(handle).take(0).collect()\n")),
    mutant(CALLBACKS_ENTER, "every callback has its handle alone", ("        .filter(|_| K::EXCLUSIVE)\n", "        .filter(|_| true)\n")),
    mutant(CALLBACKS_PASS, "what C refused is kept", ("        self.is_left.set(takes == Some(false));\n", "        self.is_left.set(false);\n")),
    mutant(CALL_SEQUENCE, "what a callback raised does not come out", ("            None => Err(error),\n            Some(panic)", "            None => Ok(drop(error)),\n            Some(panic)")),
    mutant(CALL_SEQUENCE, "a panic in a callback does not come out", (
            "        CallbackFailure::Panic(panic) => resume_unwind(panic),\n        CallbackFailure::Error(error) => match caught",
            "        CallbackFailure::Panic(panic) => Ok(drop(panic)),\n        CallbackFailure::Error(error) => match caught",
        )),
    mutant(CALL_SEQUENCE, "nobody listens to what callbacks raise", (
            "let calls_back = site.calls_back || expected::is_expected();",
            "let calls_back = false && (site.calls_back || expected::is_expected());",
        )),
    mutant(CALL_SEQUENCE, "only what keeps callbacks listens to them", (
            "let calls_back = site.calls_back || expected::is_expected();",
            "let calls_back = site.calls_back || const { T::SPEC.attachments };",
        )),
    mutant(CALL_STATUS, "that there is none counts as a failure", (
            "            () if (self.none)(returned) => Outcome::Nothing,\n",
            "            () if (self.none)(returned) && false => Outcome::Nothing,\n",
        )),
    mutant(THREADS, "a thread that ends leaves its handles open", ("        close_all(self.0);\n", "")),
    mutant(PYTHON_STATE_RESOURCE, "any thread may use what belongs to one", ("        } else if self.is_on_wrong_thread() {\n            Some(Owner::Thread)", "        } else if self.is_on_wrong_thread() && false {\n            Some(Owner::Thread)")),
    mutant(PYTHON_STATE_RESOURCE, "a forked child may use what it must not", ("        if self.is_from_parent_process() {\n            Some(", "        if self.is_from_parent_process() && false {\n            Some(")),
    mutant(HEADER, "what is closed belongs to a thread all the same", ("self.resource().other_owner().filter(|_| !self.is_closed())", "self.resource().other_owner().filter(|_| true)")),
    mutant(PYTHON_STATE_DEFERRED, "what is dropped on another thread is released there", ("        if self.is_on_wrong_thread() {\n            return self.send_deferred_to_thread();\n        }\n", "")),
    mutant(PYTHON_STATE_TREE, "what another thread has to release is taken from it", ("        if let Some(name) = self.descendant_on_wrong_thread() {\n            return Err(self.abort_close(", "        if let Some(name) = self.descendant_on_wrong_thread().filter(|_| false) {\n            return Err(self.abort_close(")),
    mutant(PYTHON_STATE_TREE, "a closed child of another thread is in the way", ("            if open && child.is_on_wrong_thread()", "            if (open || true) && child.is_on_wrong_thread()")),
    mutant(PYTHON_STATE_CLOSE, "another parent is closed before its children", ("            self.close_dependents(py)?;\n        }\n        loop {", "        }\n        loop {")),
    mutant(PYTHON_STATE_CLOSE, "what cannot be closed closes some of what lives in it", ("            self.check_dependents_first(py)?;\n", "")),
    mutant(PYTHON_STATE_TREE, "another parent does not know its children", ("        self.dependents.fetch_add(1, Ordering::Relaxed);\n", "        self.dependents.fetch_add(0, Ordering::Relaxed);\n")),
    mutant(PYTHON_STATE_TREE, "what is released still needs its other parents", ("        self.dependents.fetch_sub(1, Ordering::Relaxed);\n", "        self.dependents.fetch_sub(0, Ordering::Relaxed);\n")),
    mutant(PYTHON_STATE_RESOURCE, "the collector does not see the parent", ("        visit.call(&self.parent)?;\n", "")),
    mutant(PYTHON_STATE_RESOURCE, "the collector does not see the other parents", ("        for parent in self.extra_parents() {\n            visit.call(parent)?;\n        }\n", "")),
    mutant(PYTHON_STATE_TREE, "a use does not hold the other parents", ("    pub(in crate::python) fn parents(&self) -> impl Iterator<Item = &ResourceState> {\n        let extra_parents = self.extra_parents().iter()", "    pub(in crate::python) fn parents(&self) -> impl Iterator<Item = &ResourceState> {\n        let extra_parents = self.extra_parents().iter().take(0)")),
    mutant(EXPORT, "the collector does not see what a view holds", ("        self.owner.iter().try_for_each(|held| visit.call(&held.0))", "        self.owner.iter().take(0).try_for_each(|held| visit.call(&held.0))")),
    mutant(ITERATOR, "the collector does not see what an iterator holds", ("        visit.call(&self.owner)\n", "        let _ = visit;\n        Ok(())\n")),
    mutant(THREADS, "a thread that ends releases nothing", ("        if !waiting.is_empty() {\n", "        if !waiting.is_empty() && false {\n")),
    mutant(THREADS, "a thread does not look for what waits for it", ("    if is_release_waiting() {\n", "    if is_release_waiting() && false {\n")),
    mutant(THREADS, "what belongs to a thread that has ended is left to nobody", ("        None => Err(resource),\n", "        None => {\n            drop(resource);\n            Ok(())\n        }\n")),
    mutant(CALLABLE, "the collector drops a callable under a lock", ("        taken.extend(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());\n", "        let _ = taken;\n        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());\n")),
    mutant(
        CALLABLE,
        "the collector sees a tuple without items",
        ("    let made = items.into_iter().map(|item| item.into_bound_py_any(py));\n", ""),
        ("    PyTuple::new(py, made.collect::<PyResult<Vec<_>>>()?)\n", "    PyTuple::new(py, items)\n"),
    ),
    mutant(CALLABLE, "the collector does not see a callable", ("            Ok(callable) => visit.call(&*callable),\n", "            Ok(_) => Ok(()),\n")),
]

THREADS_VARIABLES = [
    mutant(THREAD_LOCALS, "variables of the thread stay as a call set them", ("        self.layer.put_back(self.are_pointers);\n", "")),
    mutant(THREAD_LOCALS, "variables of the thread are not set", ("    layer.set(are_pointers);\n    let outer", "    let outer")),
    mutant(THREAD_LOCALS, "callbacks see the variables of the call", ("        && !layer.paused.replace(true)\n", "        && !layer.paused.get()\n        && false\n")),
    mutant(THREAD_LOCALS, "variables are not set again behind a callback", ("    layer.set(false);\n    layer.paused.set(false);\n", "    layer.paused.set(false);\n")),
    mutant(CALL_SEQUENCE, "what is reported without a handle is dropped", ("hook.is_some() || const { T::LISTENS };", "hook.is_some();")),
    mutant(CALL_RELEASE, "a release reports to the call that runs", ("    let _listening = const { T::LISTENS }.then(Listening::to_nobody);\n", "")),
    mutant(CALLBACKS_ENTER, "C's own function is called with the variables of others", (
            "    let before = unsafe { K::before(arguments) };\n    let _paused = crate::thread_locals::pause();\n",
            "    let _paused = crate::thread_locals::pause();\n    // SAFETY: the caller's promise.\n    let before = unsafe { K::before(arguments) };\n",
        )),
    mutant(
        METHODS_EXPAND_CALL_MACRO,
        "callbacks stay in the fields of the receiver",
        ("            Some(quote!(#field = #before;))", "            Some(quote!(let _ = #before;))"),
    ),
    mutant(CALLBACK_USER_DATA, "the oldest attached value is found", ("let mut newest = values.iter().rev();", "let mut newest = values.iter();")),
]

VALUES = [
    mutant(MODULE, "the base classes belong to the builtins", ("            move_into_package(&class)?;\n", "            let _ = move_into_package;\n            drop(class);\n")),
    mutant(MODULE, "an import anew makes the names of the base classes anew", ("        if CStr::from_ptr((*class).tp_name) == name.as_c_str() {\n", "        if false && CStr::from_ptr((*class).tp_name) == name.as_c_str() {\n")),
    mutant(MODULE, "messages name the base class a builtin", ("        (*class).tp_name = name.into_raw();\n", "        drop(name);\n")),
    mutant(PYTHON_HANDLE_CLASS, "methods of the base class can be replaced", ("subclass, frozen, immutable_type, weakref", "subclass, frozen, weakref")),
    mutant(ENUMS, "C gets flags that are not listed", ("    if unlisted != 0 && E::BOUNDARY != Boundary::Keep {", "    if unlisted != 0 && !E::KEEP && false {")),
    mutant(ENUMS, "flags that an author lets pass are refused", ("    if unlisted != 0 && E::BOUNDARY != Boundary::Keep {", "    if unlisted != 0 {")),
    mutant(ENUMS, "the other flags are all other bits", ("        if E::FLAGS {\n            class.setattr", "        if E::FLAGS && false {\n            class.setattr")),
    mutant(SHAPE, "a record may be of a C struct with pointers", ("    const HOLDS_POINTER: bool = true;", "    const HOLDS_POINTER: bool = false;"), seen_by_compiler=True),
    mutant(RECORDS, "a record with a NaN hashes anew each time", ("            true => value,\n            false => record", "            _ if true => value,\n            _ => record")),
    mutant(ENUMS_MACRO, "the sign bit is a negative flag", ("                    & (::core::primitive::i128::MAX >> ", "                    | (0 & ::core::primitive::i128::MAX >> ")),
]

SHARING = [
    mutant(
        ANCESTORS,
        "a child that changes its parent borrows it shared",
        ("        mode == Mode::Exclusive && self.kind().sharing().mut_parent", "        mode == Mode::Exclusive && self.kind().sharing().mut_parent && false"),
    ),
    mutant(
        ANCESTORS,
        "a reading call of a `mut_parent` borrows the parent exclusively",
        ("        mode == Mode::Exclusive && self.kind().sharing().mut_parent", "        mode != Mode::Shared && self.kind().sharing().mut_parent"),
    ),
    mutant(
        ANCESTORS,
        "other children use a parent that is held",
        ("        if parent.may_be_used_by(Some(self)) {\n            return Ok(());\n        }\n        parent.release", "        if true {\n            return Ok(());\n        }\n        parent.release"),
    ),
    mutant(
        PYTHON_BORROW_REQUEST,
        "a held parent is used directly",
        ("        if !base.may_be_used_by(self.child) {", "        if !base.may_be_used_by(self.child) && false {"),
    ),
    mutant(
        ANCESTORS,
        "the hold on a parent never ends (lock)",
        ("        state.set_holder(ptr::null_mut());\n", ""),
    ),
    mutant(
        ANCESTORS,
        "what was left to a held parent is forgotten (orphans)",
        ("        state.release_deferred();\n", ""),
    ),
    mutant(
        PYTHON_STATE_RESOURCE,
        "a view does not end with the use of an ancestor",
        ("            sum.wrapping_add(parent.lock_owner().generation_with_ancestors())", "            sum.wrapping_add(0 * parent.lock_owner().generation_with_ancestors())"),
    ),
    mutant(
        CHILDREN_SAME_ANCESTOR,
        "a handle of another ancestor is taken",
        ("        Relation::Stranger => Some(at),", "        Relation::Stranger => None,"),
    ),
    mutant(
        METHODS_EXPAND_PYTHON_MACRO,
        "`foreign` exempts nothing",
        ("bits | 1 << (index + 1)", "bits | 0 << (index + 1)"),
    ),
    mutant(
        CORES,
        "objects of a group are borrowed alone",
        (".map(|group| group_core(py, group))\n        .transpose()?;", ".map(|group| group_core(py, group))\n        .transpose()?\n        .filter(|_| false);"),
    ),
    mutant(
        ENTER,
        "two objects of a group exclude each other in one call",
        ("            continue;\n        }\n        request.joined = true;\n        if request.mode != Mode::Shared {\n            first.group_mode = Mode::Exclusive;\n        }\n    }\n}\n\n/// Merges the requests for the parts", "            continue;\n        }\n        request.joined = false;\n        if request.mode != Mode::Shared {\n            first.group_mode = Mode::Exclusive;\n        }\n    }\n}\n\n/// Merges the requests for the parts"),
    ),
    mutant(
        ENTER,
        "one object is both shared and exclusive in one call",
        ("        if exclusive && core(first.resource) == core(object) {", "        if false && exclusive && core(first.resource) == core(object) {"),
    ),
    mutant(
        USES_TABLE,
        "a callback changes an object that the running call reads",
        ("entries.find(|entry| entry.excludes(claim, one) ||", "entries.find(|entry| entry.by != By::Call && entry.excludes(claim, one) ||"),
    ),
    mutant(
        USES,
        "the uses of a call never end (busy)",
        ("        table().end(self.number);\n", "        let _ = self.number;\n"),
    ),
    mutant(
        CALLBACK_USER_DATA,
        "a callback that C may refuse is lent as a value",
        ("                .filter(|_| entry.stays)\n", "                .filter(|_| entry.scope == Scope::Forever)\n"),
    ),
    mutant(
        ATTACHMENTS,
        "a value that several share is shown to the garbage collector (crash)",
        ("(Arc::strong_count(shared) == 1).then_some(&**shared)", "Some(&**shared)"),
    ),
    mutant(
        INTERPRETER,
        "Python code runs while garbage is collected",
        ("    TRAVERSING.get()\n", "    false\n"),
    ),
]

ASKED = [
    mutant(
        ASKING,
        "detached calls race with the question what went wrong",
        ("        if self.asks && !exclusive && (asks || !self.locks) {", "        if false && self.asks && !exclusive && (asks || !self.locks) {"),
        seen_by_compiler=True,
    ),
    mutant(
        ASKING,
        "a child's exclusive call keeps others from its parent",
        ("exclusive && with_parent, false)", "exclusive && (with_parent || true), false)"),
        seen_by_compiler=True,
    ),
    mutant(
        ASKING,
        "a reading call of a `mut_parent` has the parent alone",
        ("sharing.mut_parent && !reads_parent", "sharing.mut_parent && (!reads_parent || true)"),
        seen_by_compiler=True,
    ),
]

OWNERS_OF_HANDLES = [
    mutant(OWNERS, "a handle may have two owners", ("!NOTES || owned().insert(handle)", "owned().insert(handle) || true")),
    mutant(OWNERS, "a released handle keeps its owner", ("        owned().remove(&handle);\n", "")),
    mutant(LENT_MEMORY, "a change of lent memory is not noticed", ("(hash != before)", "false")),
    mutant(
        LENT_MEMORY,
        "a change of lent memory is noticed by each later call",
        ("std::mem::replace(&mut lent.hash, hash)", "lent.hash"),
    ),
    mutant(INTERNED, "a name is the one that was at the address before", ("if is_known && short_text::are_equal(text_of(name.object), bytes) {", "if is_known {")),
    mutant(SHORT_TEXT, "text that ends with other characters is ASCII", ("(first | last) & NOT_ASCII", "first & NOT_ASCII")),
    mutant(SHORT_TEXT, "texts that begin alike are equal", ("(Some(one), Some(other)) => one == other,", "(Some(one), Some(other)) => one.0 == other.0,")),
    mutant(SHORT_TEXT, "a NUL at the end of a text is overlooked", ("(_, Some((first, last))) => has_zero(first) || has_zero(last),", "(_, Some((first, _))) => has_zero(first),")),
    mutant(SHORT_TEXT, "a NUL in the second half of a short text is overlooked", ("has_zero(first | last << 32)", "has_zero(first | u64::MAX << 32)")),
    mutant(SHORT_TEXT, "text with a NUL inside is passed to C", ("*end == 0 && !has_nul(text)", "*end == 0 && (true || !has_nul(text))")),
    mutant(PYTHON_STATE_DEFERRED, "a dropped handle of another process is released", ("self.kind.warns_unclosed() || self.is_from_parent_process()", "self.kind.warns_unclosed()")),
    mutant(PYTHON_STATE_DEFERRED, "a dropped handle is not warned of", ("self.kind.warns_unclosed() || self.is_from_parent_process()", "self.is_from_parent_process()")),
    mutant(PYTHON_STATE_DEFERRED, "a dropped handle is released again", ("        let raw = *self.raw.get_mut();\n        if raw.is_null() {\n            return;\n        }\n", "        let raw = std::ptr::with_exposed_provenance_mut(self.identity());\n")),
    mutant("runtime/src/python/pending_release.rs", "the failed release of a dropped handle is not reported", ("            drop(resource.end(released));\n        }\n    }\n\n    /// Passes on", "            std::mem::forget((resource, released));\n        }\n    }\n\n    /// Passes on")),
    mutant("runtime/src/python/py_box.rs", "a value without a box is not dropped", ("                drop_made(make);\n", "                std::mem::forget(make);\n")),
    mutant("runtime/src/python/state/resource.rs", "a traced handle keeps its trace", ("match traced.is_some() || kind", "match (traced.is_some() && false) || kind")),
    mutant("runtime/src/python/state/resource.rs", "a handle that is bound to a thread is used by others", ("|| kind.is_thread_bound() || kind.is_callback_only() {\n            true", "|| kind.is_callback_only() {\n            true")),
    mutant(ALLOCATION, "the memory of a dropped object becomes two new ones", ("        spare.count = count;\n", "")),
    mutant(INTERNED, "a remembered name is given out without a reference", ("NewCopy::take(ffi::Py_NewRef(name.object))", "NewCopy::take(name.object)")),
    mutant(INTERNED, "a name that leaves the table is never dropped", ("                ffi::Py_XDECREF(former.object);\n", "                let _ = former;\n")),
    mutant(INTERNED, "text that is not ASCII is remembered", ("            && bytes.is_ascii()\n", "")),
    mutant(CALL_SEQUENCE, "C reports something in a pure call", ("site.access != Access::Any && callbacks != callbacks_so_far()", "false && site.access != Access::Any && callbacks != callbacks_so_far()")),
    mutant(LENT_MEMORY, "memory is compared after its view has ended", ("lent.id != self.id", "true || lent.id != self.id")),
    mutant(
        CALL_SEQUENCE,
        "a result with a second owner is returned",
        ("        if let Some(wrong) = self.wrong {\n            return Err(wrong.error(site));\n        }\n", ""),
    ),
    mutant(
        METHODS_EXPAND_RESULT_MACRO,
        "copied memory need not say who frees it",
        ("(None, _) => quote!(#runtime::__private::from_c::constant(#start))", "(None, _) => start"),
        seen_by_compiler=True,
    ),
    mutant(
        USES_TABLE,
        "the uses of a call end with those of another one",
        ("            self.remove_where(|entry| entry.number == number);\n", "            self.remove_where(|entry| entry.number >= number);\n"),
    ),
    mutant(
        CLASS,
        "a part of another owner is given to Python",
        ("        Some(actual) => actual == here,\n", "        Some(actual) => actual == here || !owner.state().is_closed(),\n"),
    ),
]

SIGNALS = [
    mutant(
        ASIDE,
        "an interruptible call uses a helper thread also where no handlers run",
        ("        if crate::interpreter::handles_signals() {", "        if true {"),
    ),
    mutant(
        ASIDE,
        "what a handler raises is lost (interruptible)",
        ("                    return Some(error);\n", "                    drop(error);\n                    return None;\n"),
    ),
    mutant(
        ASIDE,
        "a panicking method goes on to interrupt (interruptible)",
        ("self.panicked.set(called.is_none());", "self.panicked.set(called.is_none() && false);"),
    ),
    mutant(
        CALL_SEQUENCE,
        "a result that came beside an exception is given (interruptible)",
        ("        None => *raised = Some(later),\n", "        None => drop(later),\n"),
    ),
]

DIRECT_ENTRIES = [
    mutant(
        DIRECT_ENTRY,
        "a module that is imported anew replaces the entries by themselves",
        ("        !(self.replaced)().function.load(Ordering::Acquire).is_null()\n", "        false\n"),
    ),
    mutant(
        STATE,
        "a quick shared borrow looks only at the count",
        ("            false => (!(COUNT >> 1), word + 1),", "            false => (0, word + 1),"),
    ),
    mutant(STATE, "a quick exclusive borrow looks at nothing", ("            true => (u32::MAX, EXCLUSIVE),", "            true => (0, EXCLUSIVE),")),
    mutant(
        STATE,
        "the end of a quick borrow wakes nobody",
        ("            false => (word & !COUNT == 0, word.wrapping_sub(1)),", "            false => (true, word.wrapping_sub(1)),"),
    ),
    mutant(
        QUICK,
        "a quick borrow asks neither process nor thread",
        ("counted.quick_gate != gate() || !counted", "!counted"),
    ),
    mutant(DIRECT_ENTRY, "a method that may be called without its argument is called with one only", ("            (1, 1) => ", "            (_, 1) => ")),
    mutant(METHODS_EXPAND_DIRECT_MACRO, "an argument behind the slash is not passed by name", ("            signature.is_positional_only = false;\n", "")),
    mutant(ALLOCATION, "what may be in a cycle is not shown to the collector", ("        if may_be_in_cycle {\n            ffi", "        if may_be_in_cycle && false {\n            ffi")),
    mutant(CHILDREN_ANCESTORS, "a use leaves out what may end with another keeper", ("    for (here, entry) in all_within(table, id) {", "    let kept = all_kept(table, id);\n    let all = all_within(table, id);\n    for (here, entry) in all.filter(|(here, _)| *here == id || kept.contains(here)) {")),
    mutant(
        "runtime/src/python/direct/slots.rs",
        "an operation that an entry cannot do fails",
        ("            None => {\n                let pyo3: ffi::binaryfunc = std::mem::transmute(replaced::<M>());\n                pyo3(receiver, key)\n            }", "            None => ptr::null_mut(),"),
    ),
    mutant(
        "runtime/src/python/direct/slots.rs",
        "each truth is one",
        ("        c_int::from(is_true)", "        c_int::from(is_true || true)"),
    ),
    mutant(
        METHODS_EXPAND_DIRECT_MACRO,
        "an argument by keyword has no default but `None`",
        ("                arguments.push(tokens);", "                arguments.push(quote!(::core::default::Default::default()));"),
    ),
    mutant(
        ALLOCATION,
        "the collector does not see the owner of a view",
        ("                0 => visit(view.owner().as_ptr(), argument),", "                0 => 0,"),
    ),
    mutant(DIRECT_ENTRY, "a constructor loses what is passed by name", ("            true => ptr::null_mut(),\n            false => named_arguments", "            true => ptr::null_mut(),\n            false if count == 0 => ffi::PyDict_New(),\n            false => named_arguments")),
    mutant(DIRECT_ENTRY, "a constructor leaves out an own `__init__`", ("tp_vectorcall.is_none() && !initializes", "tp_vectorcall.is_none()")),
    mutant(WITH_BLOCK, "an own `__exit__` is called on a closed handle", ("    is_closed.then(|| R::", "    (is_closed && false).then(|| R::")),
    mutant(METHODS_EXPAND_DIRECT_MACRO, "the signature of a constructor is not looked at", ("            Meta::Path(path) if path.is_ident(\"new\") => kind = quote!(constructor),\n", "            Meta::Path(path) if path.is_ident(\"new\") => return Some((quote!(constructor), \"__new__\".to_owned())),\n")),
    mutant(
        ALLOCATION,
        "the classes that others derive from have one layout",
        ('reason = "only the size matters")] usize);', 'reason = "only the size matters")] ());'),
        ("        Distinct(0)\n", "        Distinct(())\n"),
    ),
    mutant(PYTHON_CALL, "a constructor makes objects of its own class only", ("            is_derived.then(|| ", "            (is_derived && false).then(|| ")),
    mutant(HANDLE_SPEC, "what lives in an instance of a derived class is hidden from the collector", ("        self.subclass || self.may_be_in_cycle()", "        self.may_be_in_cycle()")),
    mutant(PYTHON_HANDLE_CLASS, "the end of a with block passes over an own `close`", ("    Ok((!close.is(&inherited)).then_some(name))", "    Ok((!close.is(&inherited) && false).then_some(name))")),
    mutant(ALLOCATION, "the class of a dropped object is not counted down", ("        ffi::Py_DECREF(class.cast());\n", "")),
    mutant(ALLOCATION, "the owner of a dropped view stays", ("            ffi::Py_DECREF(owner);\n", "            let _ = owner;\n")),
    mutant(ALLOCATION, "weak references to a dropped object are not told", ("            ffi::PyObject_ClearWeakRefs(object);\n", "")),
    mutant(ALLOCATION, "the collector runs while a view is made", ("let was_enabled = ffi::PyGC_Disable();", "let was_enabled = 0;")),
    mutant(QUICK, "a closed view is borrowed quickly", ("                    _ if view.is_closed() => return None,\n", "")),
    mutant(
        PYTHON_STATE_RESOURCE,
        "a thread-bound handle is borrowed quickly",
        ("= !is_bound && !has_parents", "= (!is_bound || true) && !has_parents"),
    ),
    mutant(
        PYTHON_STATE_RESOURCE,
        "a handle with parents is borrowed quickly, without a look at these",
        ("= !is_bound && !has_parents", "= !is_bound && (!has_parents || true)"),
    ),
    mutant(QUICK, "until_mut views do not end with a quick borrow", ("            counted.begin_generation();\n", "")),
    mutant(
        METHODS_EXPAND_DIRECT_MACRO,
        "a call without the GIL does not count its borrow",
        ("        && method.detach.is_none()\n        && method.cfg", "        && method.cfg"),
        equivalent="the borrow of a direct entry is in the state's word, too, and ends when the thread has the GIL again",
    ),
    mutant(DIRECT_ENTRY, "keywords are taken for no arguments", ("for any function of the vectorcall protocol.\n    unsafe {\n        let count = ffi::PyVectorcall_NARGS(count);\n        if keywords.is_null()\n            && M::REQUIRED", "for any function of the vectorcall protocol.\n    unsafe {\n        let count = ffi::PyVectorcall_NARGS(count);\n        if M::REQUIRED")),
    mutant(
        NEW_COPY,
        "text that is not ASCII is copied as if it were",
        ("        if short_text::is_ascii(bytes) {\n", "        if short_text::is_ascii(bytes) || bytes.len() > 4 {\n"),
    ),
    mutant(
        NEW_COPY,
        "an exception for missing memory stays set during the call",
        ("            unsafe { ffi::PyErr_Clear() };\n", ""),
        equivalent="the same exception is set anew when the call returns; a debug build of CPython would tell",
    ),
    mutant(
        DIRECT_VALUES,
        "a call that makes an exception may wait for a handle",
        ("while the call borrows the handle.\n    let _python = ReentrancyGuard::begin();\n    known_to_pyo3(py, |py| to_pyerr", "while the call borrows the handle.\n    known_to_pyo3(py, |py| to_pyerr"),
    ),
    mutant(
        METHODS_EXPAND_DIRECT_MACRO,
        "an argument by name only is taken by position",
        ("signature.is_some_and(|signature| signature.has_keywords())", "false"),
    ),
    mutant(
        DIRECT_VALUES,
        "a number that does not fit is cut",
        ("value == -1 && overflow != 0", "value == -1 && overflow != 0 && false"),
    ),
    mutant(
        CALL_SEQUENCE,
        "the uses of a call end before its result has its owner",
        (
            "        let mut ended = after.own(returned, caught, nothing, own);\n",
            "        drop(uses);\n        let mut ended = after.own(returned, caught, nothing, own);\n",
        ),
        ("        uses.into_iter().for_each(Uses::end);\n", ""),
    ),
    mutant(REPORTS, "a record is no use", ("if let Ok(_used) = Passed(&record).begin(false) {", "if Passed(&record).begin(false).is_ok() {")),
    mutant(
        USES_KEY,
        "two types that C lends to callbacks are two objects",
        ("Among::CallbackOnly(kind.c_type())", "Among::Kind(ptr::from_ref(kind).addr())"),
    ),
    mutant(
        ORIGIN,
        "optional arguments lend nothing",
        ("\n                .chain(self.lenders.iter().copied().flatten());", ";"),
    ),
    mutant(QUIET, "sections without the GIL are not counted", ("        BARS.fetch_add(ONE_SECTION, Ordering::Relaxed);\n", "        BARS.fetch_add(0, Ordering::Relaxed);\n"), ("        BARS.fetch_sub(ONE_SECTION, Ordering::Relaxed);", "")),
    mutant(CALL_SEQUENCE, "a call may be quiet where a callback is expected", ("is_silent && !site.calls_back && may_be_quiet(handles.is_exclusive())", "is_silent && !site.calls_back")),
    mutant(QUIET, "an exclusive call is quiet until the first callback", ("        true => bars == 0,\n", "        true => bars & !LENDING == 0,\n")),
    mutant(USES, "an exclusive call is noted from the first callback on", ("exclusive && (expected::is_expected() || expected::may_lend())", "exclusive && expected::is_expected()")),
    mutant(USES_TABLE, "a new object ends the use of what it is a part of", ("entry.claim.leaves && entry.claim.is_of_same_object(claim)", "entry.claim.is_of_same_object(claim)")),
    mutant(USES_TABLE, "a new object of another kind waits for one that C has freed", ("            entry.successor = claim.kind();", "")),
    mutant(CHILDREN_TRANSFER, "what a freed handle kept ends with the next one at its address", ("                add_end(table, *kept, *end);", "")),
    mutant(USES_RELEASE, "a handle is released that a callback's handle may live in", (" || table.has_stray(depth);", ";")),
    mutant(CHILDREN_ANCESTORS, "each handle that a callback has may live in any other one", ("    (!is_ours(resource)).then_some(resource)", "    (!is_ours(resource) || true).then_some(resource)")),
    mutant(USES_TABLE, "a callback's handle is in the way of nothing that may keep it", ("        self.stray\n            && other.exclusive", "        false && self.stray\n            && other.exclusive")),
    mutant(USES_RELEASE, "a child is released after C freed its parent", ("    if may_not_wait(id) {", "    if may_not_wait(id) && false {")),
    mutant(USES_HELD_BACK, "another thread runs a release that a callback holds back", ("    if holds_back {\n        with", "    let holds_back = false;\n    if holds_back {\n        with")),
    mutant(USES_HELD_BACK, "a child is leaked although an outer callback has its parent", ("        ended.retain(|stray|", "        ended.retain(|stray| true ||")),
    mutant(CHILDREN_RELEASE, "what waits for a leaked handle is leaked without a report", ("            for parent in parents.filter(waits) {", "            for parent in parents.filter(waits).take(0) {")),
    mutant(USES_RELEASE, "a child is released while a callback changes its counted parent by another type", ("entry.meets(claim) || is_lent_of(claim))", "entry.meets(claim))"), equivalent="the callback uses the parent by the parent's own type, too: the table of children knows each parent, and each counted type is claimed (`claim_viewed`)"),
    mutant(USES_RELEASE, "the last owner of what a callback has by another type is released", ("claim.is_counted() && is_lent_of(claim))", "false && claim.is_counted() && is_lent_of(claim))")),
    mutant(USES_TABLE, "a call that has an object alone does not lend it by another type", ("            && !(claim.viewed && self", "            && !(false && claim.viewed && self")),
    mutant(USES_VIEWS, "a group is used while a callback has one of its objects by another type", ("    let same = same.map(|kind|", "    let same = same.take(0).map(|kind|")),
    mutant(USES_VIEWS, "what C keeps an object in goes while a callback has that by another type", ("        .into_iter()\n        .chain(same)", "        .into_iter()\n        .take(0)\n        .chain(same)")),
    mutant(USES_VIEWS, "a held object is lent by another type", ("    if !children::is_any_held() {", "    if true || !children::is_any_held() {")),
    mutant(USES_VIEWS, "the calls of a holder do not lend the held object by another type", ("            && !is_in_call_on(holder)", "            && (true || !is_in_call_on(holder))")),
    mutant(USES_VIEWS, "a callback changes a handle of ours outside of a call that has it alone", ("find(|id| !is_exclusive(*id))", "find(|id| false && !is_exclusive(*id))")),
    mutant(USES_VIEWS, "a call that has a handle alone does not lend it by another type", ("find(|id| !is_exclusive(*id))", "find(|id| true || !is_exclusive(*id))")),
    mutant(USES_VIEWS, "a callback has a handle by another type beside a change of what C keeps in it", ("within.contains(&claim.object())) {", "true || within.contains(&claim.object())) {")),
    mutant(USES_TABLE, "a callback uses what it changes by another type", ("by == By::Callback || self.claim.viewed ||", "by == By::Callback ||")),
    mutant(CHILDREN_TABLE, "a handle that C keeps something in is not found by its type", ("        id.kind.note_reaching();\n        self.linked.insert(id);\n", "        id.kind.note_reaching();\n")),
    mutant(CHILDREN_RELEASE, "a handle whose release was refused is not found by what C keeps in it", ("                table.note_linked(id);\n", "")),
    mutant(CHILDREN_ANCESTORS, "a part that does not know its owner uses nothing of what C keeps there", (".filter(|id| is_it(id.kind)).collect()", ".filter(|id| is_it(id.kind) && false).collect()")),
    mutant(CHILDREN_ANCESTORS, "a handle that C keeps does not use what is held beside it", ("steps.chain(keepers.map(|keeper| (keeper, here)))", "steps.chain(keepers.map(|keeper| (keeper, here)).take(0))")),
    mutant(CHILDREN_ANCESTORS, "an object is another one by another type", ("let is_one_object = one.raw == other.raw", "let is_one_object = false && one.raw == other.raw")),
    mutant(CHILDREN_BORN, "what a lent handle lends outlives the callback", ("        if !is_ours {\n            for hook", "        if false && !is_ours {\n            for hook")),
    mutant(CHILDREN_BORN, "a handle of ours that a lent one lends ends with the callback", ("        if !is_ours {\n            for hook", "        if true || !is_ours {\n            for hook")),
    mutant(USES_PASSED, "a callback does not use what C may keep in a handle of its own", ("claims.extend(reached.iter().map(", "claims.extend(reached.iter().take(0).map(")),
    mutant(USES_PASSED, "a callback gets a handle of C's own that may keep what a child holds", ("            held.extend(reached);", "            let _ = reached;")),
    mutant(USES_OWNERS, "an object of another type is the one that C had at its address", ("owners.has_c && (owners.ours != 0 ||", "owners.has_c && (true || owners.ours != 0 ||")),
    mutant(USES_STRAYS, "C has no handles in those that show them to callbacks", ("            add(lender(), (shown.kind)());", "            let _ = (lender, shown.kind);")),
    mutant(LEDGER, "the table does not know an object that callbacks have by another type alone", ("() if any(&|kind| is_same(kind)) &&", "() if any(&|kind| is_same(kind)) && false &&")),
    mutant(LEDGER, "a shared call is not in the table whose parent callbacks write by another type", ("                reached.extend(here.parents());", "                reached.extend(here.parents().take(0));")),
    mutant(USES_STRAYS, "C has no handles in those that lend them", ("            add(lender(), (lent.kind)());", "            let _ = (lender, lent.kind);")),
    mutant(USES_STRAYS, "C has no handles in their parents", ("            add(parent, kind);", "            let _ = (parent, kind);")),
    mutant(USES_STRAYS, "C has handles only in what keeps them itself", ("        reached.extend(inside.into_iter().flatten().filter(|kind| seen.insert(**kind)));", "        reached.extend(inside.into_iter().flatten().filter(|kind| seen.insert(**kind)).take(0));")),
    mutant(CALLBACKS_EXPAND_MACRO, "a callback that cfg removes is there", ("        #(#cfgs)*\n        const _", "        const _"), seen_by_compiler=True),
    mutant(CALLBACKS_EXPAND_MACRO, "an alias hides the handle that a callback gives to C", ("    let checks = passed.chain(returned).map(|ty| {", "    let checks = passed.chain(returned.filter(|_| false)).map(|ty| {"), seen_by_compiler=True),
    mutant(CALLBACKS_EXPAND_MACRO, "an alias hides the handle that a callback takes", ("    let checks = passed.chain(returned).map(|ty| {", "    let checks = passed.filter(|_| false).chain(returned).map(|ty| {"), seen_by_compiler=True),
    mutant(USES_PASSED, "values of what keeps the handle of a callback are dropped", ("            if kind.calls_back() || kind.is_view() || kind.has_relatives() {", "            if kind.calls_back() {")),
    mutant(CHILDREN_RELEASE, "a closed child that holds its parent is to be closed", ("        entry if entry.is_deferred => Some(Closed::Deferred),\n", "")),
    mutant(USES_OWNERS, "an object is changed that a callback gave C an owner of", ("    if is_shared {\n        begin(id);", "    if is_shared && false {\n        begin(id);")),
    mutant(USES_OWNERS, "an object is changed that C has the only owner of, and lends", ("    if has_c {\n        begin(id);", "    if has_c && false {\n        begin(id);")),
    mutant(USES_OWNERS, "a new object is the one that C was given", ("    owners.has_c &= owners.number.is_some();\n", "")),
    mutant(USES_TABLE, "a callback gives C one owner alone", ("            && !(claim.joins && self.by == By::Owning)\n", "")),
    mutant(USES_PASSED, "a counted object of C's goes while a callback has it", (".filter(|resource| resource.kind().is_counted()));", ".filter(|_| false));")),
    mutant(CHILDREN_TRANSFER, "what C gives back still waits for what C kept it in", ("let is_later = |end: &&End| !is_same && !matches!", "let is_later = |end: &&End| !matches!")),
    mutant(CHILDREN_TRANSFER, "each handle that C gives out is one that it gives back", ("    let is_same = call.previous();", "    let is_same = call.previous() || true;")),
    mutant(CHILDREN_TRANSFER, "what an earlier call left for good is free with what C gives back", (".any(|(id, _)| is_kept_for_good(table, id))", ".any(|(id, _)| false && is_kept_for_good(table, id))")),
    mutant(CHILDREN_TRANSFER, "what C lends to a callback is one that it was given", ("match unknown.or_else(lent_now) {", "match unknown.or_else(|| lent_now().filter(|_| false)) {")),
    mutant(CHILDREN_BORN, "what C lends is one that it was given before", ("entry.parents.first.is_some() && !entry.is_owned_by_c() {", "entry.parents.first.is_some() || entry.is_owned_by_c() {")),
    mutant(ASIDE, "a signal handler uses what the call that waits has alone", ("                let inside = Inside::begin();\n", ""), ("                drop(inside);\n", "")),
    mutant(ASIDE, "a fork waits with the GIL for the end of a call", ("Wait::WithoutGil => detach(wait)", "Wait::WithoutGil => wait()")),
    mutant(ASIDE, "a second fork interrupts a call that has ended", ("if helper.is_running() {", "if helper.is_running() || true {")),
    mutant(MODULE, "Python does not say that it will fork", ("        before_python_forks(py)?;\n", "        let _ = before_python_forks;\n")),
    mutant(ASIDE, "a signal handler that forks cannot interrupt the call", ("                    let _at_call = at_depth(self.depth);\n", "")),
    mutant(USES, "close() does not interrupt a call that has the handle alone", ("one.filter(|one| one.exclusive || interrupted != Some(one.id))", "one.filter(|one| one.exclusive || interrupted != Some(one.id) || true)")),
    mutant(USES, "a refused use is a panic in Python", ("        true => resume_unwind(Box::new(error)),\n", "        true => panic!(\"{error}\"),\n")),
    mutant(PYTHON_CALL, "a body gets a handle together with a child that changes it", ("    if !entry.body {\n        join_parents(requests);", "    if !entry.body || true {\n        join_parents(requests);")),
    mutant(PYTHON_CALL, "a result keeps another argument of the type of its second parent", (" && children::is_made_beside(id, argument)\n", "\n")),
    mutant(PYTHON_BORROW_REQUEST, "a handle that gets a child to keep is not borrowed exclusively", ("(self.group_mode, self.child) = (Mode::Exclusive, Some(given));", "self.child = Some(given);")),
    mutant(PYTHON_BORROW_REQUEST, "a child that is given to its parent borrows the parent again", ("        self.leaves_parent = true;\n", "")),
    mutant(CHILDREN_ANCESTORS, "a child that holds its parent is in its own way where C keeps another", ("seen.iter().map(|(_, from)| *from).collect();", "seen.iter().map(|(_, from)| *from).filter(|_| false).collect();")),
    mutant(CHILDREN_ANCESTORS, "a child that holds its parent cannot be given to it", ("chain(given.iter().copied()));", "chain(given.iter().copied().filter(|_| false)));")),
    mutant(CHILDREN_BORN, "a handle that C lends by another one loses its values with its owner", ("    if lent.kind.calls_back() {\n", "    if lent.kind.calls_back() && false {\n")),
    mutant(SIDE_TABLE, "values that a callback got are held for good", ("        drop(replace_lent_here(self.outer.take()));\n", "        mem::forget(replace_lent_here(self.outer.take()));\n")),
    mutant(REUSE, "a handle that cannot be reset is used again", ("handle.reset().is_err() || !children", "handle.reset().is_err() && false || !children")),
    mutant(REUSE, "a handle of another parent is kept", ("!children::is_only_in(Id::of(&*handle), Id::of(self.parent))", "!children::is_only_in(Id::of(&*handle), Id::of(self.parent)) && false")),
    mutant(REUSE, "an idle handle of the parent process is used in a forked child", ("        is_ours.then_some(taken)\n", "        (is_ours || true).then_some(taken)\n")),
    mutant("runtime/src/idle.rs", "idle handles are not bounded", ("        let oldest = is_full.then(", "        let oldest = (is_full && false).then(")),
    mutant(HANDLE_LIFECYCLE, "idle handles are in the way of their parent", ("        release_idle(id);\n", "")),
    mutant(USES, "a call passes those that wait for what it uses", ("        && !table.waiting.is_empty()\n", "        && false\n")),
    mutant(CALL_SEQUENCE, "a call enters the library's lock before its uses begin", ("        let uses = begin_before_lock(locked, || handles.begin());\n", "        let _before = locked.and_then(Locked::enter);\n        let uses = begin_before_lock(locked, || handles.begin());\n")),
    mutant(CALL_SEQUENCE, "a call that may fail enters the library's lock before its uses begin", ("        let uses = begin_before_lock(handle, || handles.begin())?;\n", "        let _before = handle.and_then(Locked::enter);\n        let uses = begin_before_lock(handle, || handles.begin())?;\n")),
    mutant(USES, "a call on a parent does not wait for the deferred release of the child that had it alone", ("if waiting::may_wait_for_others() =>", "if false && waiting::may_wait_for_others() =>")),
    mutant(USES_WAITING, "a call from Python does not wait for another thread's", ("may_wait() && !is_inside()", "false && !is_inside()")),
    mutant(CHILDREN_ANCESTORS, "nobody says who holds a handle", ("    Some(found.map_or(of, |(child, _)| *child))", "    Some(found.map_or(of, |_| of))")),
    mutant(PYTHON_STATE_DEFERRED, "what C refused to release is lost with its parent", ("                orphans.extend(self.take_deferred());\n", "                orphans.extend(self.children().take_orphans());\n")),
    mutant(USES_RELEASE, "a release is noted from the first callback on", ("id.kind().meets_counted() || expected::may_lend()", "id.kind().meets_counted()")),
    mutant(USES_RELEASE, "an unlinked part is released while a callback has it", ("            Err(_) => return None,\n", "            Err(_) => return Some(Released { _uses: None }),\n")),
    mutant(ENTER, "a body that owns a tree gets parts of it", ("            !(other.joined || other.given || is_given)\n", "            !other.joined\n")),
    mutant(TREE_MOVED, "a call gets one part twice by `&mut`", ("        if is_moved || others.iter()", "        if is_moved && false || others.iter()")),
    mutant(TREE_MOVED, "a call that changes a part also gets it by `&`", ("others.iter().flatten().any(|other| part.is(*other)) {", "others.iter().flatten().any(|other| part.is(*other)) && false {")),
    mutant(TREE_MOVED, "a call that changes the owner of a tree also gets it as another argument", ("            (false, true) => Ok(Some(Self::owner(Id::of(handle)))),", "            (false, true) => Ok(Some(Self::owner(Id::of(handle))).filter(|_| false)),")),
    mutant(TREE_UNLINKED, "a callback gets a part that is being released", ("    let Some(_exclusive) = begin_release_of_parts(owner) else {\n", "    let Some(_) = begin_release_of_parts(owner).map(drop) else {\n")),
    mutant(CHILDREN_ANCESTORS, "a call that changes a part leaves the rest of the tree to callbacks", ("sharing.mut_parent || id.kind.tree().is_some()", "sharing.mut_parent")),
    mutant(USES_KEEPING, "a call that runs does not use what its handle gets to keep", ("    table.extend(&keepers, &reached);\n", "    let _ = (&mut table, keepers, reached);\n")),
    mutant(QUIET, "calls are quiet until C keeps something", ("AtomicUsize::new(LENDING | KEEPING | WRITING);", "AtomicUsize::new(LENDING | WRITING);")),
    mutant(CHILDREN_ANCESTORS, "a call on a part does not use what that is a part of", ("        found.retain(|ancestor| *ancestor != id);\n", "        found.retain(|ancestor| *ancestor != here);\n")),
    mutant(USES_TABLE, "a call in a callback hides that the callback has the handle from C", ("entry.by == By::Call && depths(entry) < outermost", "entry.by == By::Call")),
    mutant(USES_TABLE, "a call does not speak for the handle that it calls back with", ("    !of_thread.into_iter().any(is_outside)", "    !of_thread.into_iter().any(|entry| is_outside(entry) && false)")),
    mutant(CHILDREN_TRANSFER, "calls on a handle do not use counted objects that C moved there", ("                    .extend(owned.iter().copied());\n", "                    .extend(owned.iter().copied().take(0));\n")),
    mutant(CHILDREN_TRANSFER, "a counted object is changed that C moved to nobody knows where", ("out.left_to_c.extend(owned.iter().copied()),", "{}")),
    mutant(CHILDREN_TRANSFER, "a counted object is changed that C keeps in what it lends to a callback", ("        _ => return left_to_c(owned),", "        _ => return,")),
    mutant(HANDLE_TRANSFER, "the parent of what C may or may not have is changed", ("            record.may_be_owned_by_c();\n", "            std::mem::forget(record);\n")),
    mutant(HANDLE_TRANSFER, "a counted object that C may or may not have is changed", ("        if const { T::SPEC.sharing.counted } {\n            owners::left_to_c(Id", "        if const { T::SPEC.sharing.counted } && false {\n            owners::left_to_c(Id")),
    mutant(USES_TABLE, "an object is changed that a callback has by another type", ("            (false, true) if self.claim.may_be_lent_of(claim) => true,\n", "")),
    mutant(USES, "a callback writes the object of a shared call by another type", ("    !exclusive && expected::may_write() && kind.is_written_by_callbacks()\n        || ", "    ")),
    mutant(EXPECTED, "a shared call is quiet until the first callback that may write its object", ("let is_written = all.any(|lent| lent.is_written);", "let is_written = all.any(|lent| lent.is_written && false);")),
    mutant(USES, "a use that is refused without the GIL is a panic", ("    match is_attached() || is_detached() {", "    match is_attached() || false && is_detached() {")),
    mutant(USES, "a use that is refused with the GIL is a panic", ("    match is_attached() || is_detached() {", "    match is_attached() && is_detached() {")),
    mutant(CHILDREN_TRANSFER, "a handle does not use the counted object that C keeps an owner of in it", ("table.entry(keeper).or_default().owned.insert(owned);", "table.entry(keeper).or_default().owned.remove(&owned);")),
    mutant(USES, "a handle gets one owner of an object only", ("        !is_same && !children::lives_in(other.id, self.id)\n", "        false && !is_same && !children::lives_in(other.id, self.id)\n")),
    mutant(USES, "an owner is given by a call that has the object by another argument", ("        !is_same && !children::lives_in(other.id, self.id)\n", "        true || !is_same && !children::lives_in(other.id, self.id)\n")),
    mutant(CHILDREN_RELEASE, "a handle whose release is deferred has a forgotten guard", ("            entry.is_deferred = true;\n", "            entry.is_deferred = false;\n")),
    mutant(CHILDREN_ANCESTORS, "a callback does not use what C keeps its parameter in", ("    reached.extend(entry.keepers());\n", "    let _ = entry.keepers();\n")),
    mutant(USES_TABLE, "C lends a handle in use to be written by another type", ("            (false, true) if claim.may_be_lent_of(&self.claim) => true,\n", "")),
    mutant(CHILDREN_TRANSFER, "a handle is changed that C may use for good", ("    if is_for_good {\n", "    if is_for_good && false {\n")),
    mutant(USES_RELEASE, "a release is deferred when the use in its way has ended", ("if ended_so_far() == (ends + own_ends, held) || !deferred", "if ended_so_far() == (ends + own_ends, held) || true || !deferred"), equivalent="the use has to end in the microseconds in which the release gets into the list: no test has met that"),
    mutant(EXCEPTIONS, "an exception loses its bases the second time", ("    if bases.len() > 1 {\n        return Ok(());\n    }\n", "")),
    mutant(CALL_DETAILS, "the details of a failure are not read", ("            _ => (self.0)(),", "            _ => None,")),
    mutant(CALL_SEQUENCE, "the details of a failure are read only if the call failed", ("let written = details.read(outcome);", "let written = (outcome == Outcome::Failed).then(|| details.read(outcome)).flatten();")),
    mutant(CALL_SEQUENCE, "the errors are told no details", ("                D::tell(written, &mut errors);\n", "                let _ = written;\n")),
    mutant(METHODS_EXPAND_DETAILS_MACRO, "the details of a failure live as long as they like", ("Life::of(&#here)", "Life::any()"), seen_by_compiler=True),
    mutant(USES, "a counted object is used while a call has what C keeps it in alone", ("            false if owned.contains(&id) =>", "            false if false && owned.contains(&id) =>")),
    mutant(CHILDREN_ANCESTORS, "a call that has a parent alone has nothing that C keeps there alone", ("owned_within(table, handles.into_iter().chain(parents.iter().copied()))", "owned_within(table, handles.into_iter())")),
    mutant(CHILDREN_ANCESTORS, "a call has alone what C keeps in its handle, and not what it keeps in that", ("        let within = handles.flat_map(|handle| all_within(table, handle));", "        let within = handles.flat_map(|handle| all_within(table, handle).take(1));")),
    mutant(USES, "an argument of a call is not what C keeps in the receiver", ("claim.is_of_argument() || theirs.is_of_argument()", "claim.exclusive || theirs.exclusive")),
    mutant(USES_RELEASE, "a release of what C keeps an object in has the object alone", ("claim.without_group().releasing();", "claim.without_group();")),
    mutant(CHILDREN_ANCESTORS, "a keeper is used while a child holds what it keeps", ("                let owned = entry.owned.iter().copied();\n", "                let owned = entry.owned.iter().copied().filter(|_| false);\n")),
    mutant(CHILDREN_ANCESTORS, "a counted object is used while a child holds what C keeps it in", ("id.kind.is_counted() && is_kept()", "false && id.kind.is_counted() && is_kept()")),
    mutant(CHILDREN_ANCESTORS, "a child that holds a handle holds nothing of the group of what C keeps there", ("let is_kept = |owned: &Id| is_borrowed_as_one(id, *owned);", "let is_kept = |owned: &Id| id == *owned;")),
    mutant(USES_OWNERS, "what C keeps an object in is changed that C has our last owner of", ("owners.ours != 0 || is_kept || ", "owners.ours != 0 || is_kept && false || ")),
    mutant(USES_OWNERS, "what C keeps an object in is changed when we own that no more", ("    if is_kept_owner(id) {\n", "    if is_kept_owner(id) && false {\n")),
    mutant(CHILDREN_RELEASE, "a new object is the one that a released handle kept", ("self.owned.into_iter().chain(owned)", "owned")),
    mutant(CHILDREN_RELEASE, "a new object is the one that C kept in what ended with a released handle", ("        ended.owned.append(&mut entry.owned);\n", "        entry.owned = IdSet::default();\n")),
    mutant(CALL_SEQUENCE, "a call is quiet whatever its errors do before", ("if !are_silent::<T::Errors>() && !is_quiet::<T, P>(site, &self.handles)", "if false && !are_silent::<T::Errors>() && !is_quiet::<T, P>(site, &self.handles)")),
]

MEMORY_TO_FILL = [
    mutant(CALLBACKS_OUT_BUFFER, "a callback writes more than C asked for", ("        if count <= remaining {\n", "        if count <= remaining || true {\n")),
    mutant(CALLBACKS_OUT_BUFFER, "what was written is written over", ("memory.start.add(memory.written), count) };", "memory.start, count) };")),
    mutant(CALLBACKS_OUT_BUFFER, "C is not told of what was written", ("        memory.written += count;\n", "")),
    mutant(CALLBACKS_OUT_BUFFER, "the rest of the memory is not initialized", ("        memory.initialize(memory.capacity);\n", "")),
    mutant(CALLBACKS_OUT_BUFFER, "what is written behind the count is lost", ("memory.initialized = memory.initialized.max(memory.written);", "memory.initialized = memory.written;")),
    mutant(CALLBACKS_OUT_BUFFER, "bytes are counted that nobody wrote", ("        self.0.initialize(self.0.written + count);\n", "")),
    mutant(CALLBACKS_OUT_BUFFER, "more is counted than C asked for", ("        self.check_room(count)?;\n        self.0.initialize(", "        self.0.initialize(")),
    mutant(USES_TABLE, "a callback with a handle of C's own does not use what C gets to keep meanwhile", ("None => self.stray && strays::may_hold(keeper.kind(), self.kind()),", "None => false,")),
    mutant(USES_TABLE, "a call on a part does not use what C gets to keep meanwhile", ("Some(owner) => owner == keeper.kind() ||", "Some(owner) => false &&")),
    mutant(USES_TABLE, "the author's code of a call uses its handles exclusively", ("                        || claim.exclusive && runs_author_code()\n", "                        || claim.exclusive && runs_author_code() && false\n")),
    mutant(USES_TABLE, "what C lends to a callback only may free what an outer callback has", ("            && strays::may_hold(other.kind(), self.kind())", "            && !matches!(other.object().among, Among::CallbackOnly(_))\n            && strays::may_hold(other.kind(), self.kind())")),
    mutant(USES, "a call changes what its other argument reaches", ("            && reached.any(|claim| claim.is_of_same_object(&object))", "            && reached.any(|claim| claim.is_of_same_object(&object) && false)")),
    mutant(HANDLE_LIFECYCLE, "after a refused release nobody knows that the handle is ours", ("        if self.is_noted_as_ours() {\n            children::own(Id::new(self, raw));\n        }\n        if let Some(ended)", "        if let Some(ended)")),
    mutant(CHILDREN_RELEASE, "a refused release forgets what C got to keep meanwhile", ("            entry.owned.append(&mut self.owned);\n", "            entry.owned = mem::take(&mut self.owned);\n")),
    mutant(LEDGER, "nobody knows which handles are ours that C lends to calls", ("self.is_seen_by_callbacks() || self.is_lent_to_calls()", "self.is_seen_by_callbacks()")),
    mutant(CHILDREN_BORN, "what C lends by another type is none of ours", ("ours_by_other_type(table, lent).map(End::With);", "ours_by_other_type(table, lent).map(End::With).filter(|_| false);")),
    mutant(CHILDREN_BORN, "a child that C makes by a handle of its own lives in nothing", ("        None => stray(maker),\n", "        None => stray(maker).filter(|_| false),\n")),
    mutant(CHILDREN_BORN, "what C was given for good is out of reach although C lends it", ("        entry.is_lent = true;\n", "")),
    mutant(CHILDREN_TRANSFER, "a transfer does not know what C got to keep while it was prepared", ("            entry.transfer.is_none() && !(entry.keeps.is_empty() && entry.owned.is_empty())\n", "            entry.transfer.is_none() && !(entry.keeps.is_empty() && entry.owned.is_empty()) && false\n")),
    mutant(CHILDREN_ANCESTORS, "one of several lenders stands for all", ("is_known && entry.keepers().all(", "is_known && entry.keepers().any(")),
    mutant(USES_VIEWS, "a callback changes what an outer one may have borrowed from", ("    match all.find(|id| is_lent_in_callback(*id)) {\n", "    match all.find(|id| is_lent_in_callback(*id) && false) {\n")),
    mutant(METHODS_EXPAND_CHECKS_MACRO, "a method without a receiver is none of its type's", ("let with_receiver = || std::iter::once(receiver).chain(&lenders);", "let with_receiver = || std::iter::once(receiver).filter(|_| method.receiver != Receiver::None).chain(&lenders);")),
    mutant(METHODS_EXPAND_CHECKS_MACRO, "a callback that is passed by its constant is not noted", ("is_type.then(|| syn::parse_quote!(#path))", "is_type.then(|| syn::parse_quote!(#path)).filter(|_| false)")),
    mutant(ERRORS, "what errors report is in no handle", ("        lenders: &[Some(T::kind)],\n", "        lenders: &[],\n")),
    mutant(CALLBACKS_ENTER, "a callback that C destroys while it runs panics twice", ("let held = Contained::new(unsafe { UserDataRef::of(data) });", "let held = unsafe { UserDataRef::of(data) };")),
    mutant(USES_FIELD, "a field is read beside an exclusive use", ("may_read_quietly(is_written) && !is_any_exclusive()", "may_read_quietly(is_written)")),
    mutant(CHILDREN_TABLE, "a field is read while a child holds its handle", ("            watching::watch_related();\n", "            watching::watch();\n")),
    mutant(KEPT_HANDLE, "a handle in which others live is kept by C", ("        if let Err(error) = children::check_transferable(id) {\n            panic!(\"{error}\");\n        }\n", "")),
    mutant(KEPT_HANDLE, "calls on the keeper do not use the handle that C keeps in it", ("            children::keep_ours(Id::new(T::kind(), raw.as_ptr().cast()), self.keeper);\n", "")),
    mutant(CALLBACKS_OUT_BUFFER, "the rest is what was written and not counted", ("        self.initialized = self.written;\n        self.initialize(self.capacity);", "        self.initialize(self.capacity);")),
    mutant(CALLBACKS_OUT_BUFFER, "a callback without a result leaves the rest as it is", ("        if !R::IS_NUMBER {\n", "        if false && !R::IS_NUMBER {\n")),
    mutant(CALLBACKS_OUT_BUFFER, "C asks for more than its result can say", ("        match R::of(self.capacity) {\n", "        match R::of(self.written) {\n")),
    mutant(CALLBACKS_OUT_BUFFER, "NULL is memory", ("            None | Some(0) => Some(OutBuffer(self)),\n", "            _ if true => Some(OutBuffer(self)),\n            None => None,\n")),
    mutant(CALLBACKS_OUT_BUFFER, "NULL is an error where C asks for nothing", ("            None | Some(0) => Some(OutBuffer(self)),\n", "            None => Some(OutBuffer(self)),\n")),
    mutant(CALLBACKS_OUT_BUFFER, "NULL is no `None`", ("            None => Some(OutBuffer(self)),\n", "            _ if true => Some(OutBuffer(self)),\n            None => None,\n")),
    mutant(CALLBACKS_OUT_BUFFER, "a length may be more than any memory has", ("length.filter(|length| isize::try_from(*length).is_ok());", "length.filter(|length| isize::try_from(*length).is_ok() || true);")),
    mutant(CONVERT_MEMORY, "a negative length is 0", ("                usize::try_from(self).ok()\n", "                Some(usize::try_from(self).unwrap_or(0))\n")),
    mutant(CALLBACKS_EXPAND_MACRO, "a status leaves the rest of the memory as it is", ("                #rest\n", "")),
    mutant(CALLBACKS_MEMORY_MACRO, "C gets 0 in place of the number of bytes", ("            quote!(#written(#memory))", "            quote!({ let _ = (#written, #memory); ::core::default::Default::default() })")),
    mutant(CALLBACKS_CHECK_MACRO, "`len` is the length of several", ("    for (name, ty) in unmeasured {\n", "    for (name, ty) in unmeasured.take(0) {\n"), seen_by_compiler=True),
    mutant(CALLBACKS_CHECK_MACRO, "a callback fills two memories", ("callback.filled().skip(1) {", "callback.filled().skip(2) {"), seen_by_compiler=True),
    mutant(CALLBACKS_CHECK_MACRO, "C's own function and the method fill one memory", ("        if callback.before.is_some() {\n", "        if callback.before.is_some() && false {\n"), seen_by_compiler=True),
    mutant(FILLING, "the count of `readinto` is not checked", ("written.filter(|written| *written <= room);", "written.filter(|written| *written <= room || true);")),
    mutant(FILLING, "`readinto` is asked for all that C asks for", ("buffer.remaining().min(MOST_AT_ONCE);", "buffer.remaining().max(MOST_AT_ONCE.min(0));")),
    mutant(FILLING, "the memoryview is not released", ("            let _ = view.call_method0(\"release\");\n", "")),
    mutant(FILLING, "the `bytearray` is made shorter", ("            let bytes = bytes_of(&zeros)?;\n            let view = PyMemoryView::from(&zeros)?;\n            let returned = callable.call1((&view,));\n", "            let view = PyMemoryView::from(&zeros)?;\n            let returned = callable.call1((&view,));\n            let bytes = bytes_of(&zeros)?;\n")),
    mutant(FILLING, "scattered bytes are read as if they were not", ("    match bytes.is_c_contiguous() {\n", "    match bytes.is_c_contiguous() || true {\n")),
    mutant(FILLING, "an integer that is too large is another error", ("error.is_instance_of::<PyOverflowError>(returned.py()) => None", "false && error.is_instance_of::<PyOverflowError>(returned.py()) => None")),
]

TREES = [
    mutant(TREE_MOVED, "a part that a call unlinked is not noted", ("        unlinked::insert(self.kind, self.raw, owner);\n", "        let _ = owner;\n")),
    mutant(TREE_MOVED, "a part that a call made is not noted", ("        unlinked::insert(kind, raw, owner);\n", "")),
    mutant(TREE_MOVED, "a part that a call linked is released all the same", ("                unlinked::remove(self.raw);\n", "")),
    mutant(TREE_MOVED, "the witness leaves its subtree unseen", ("            unlinked::unsettle(unsafe { ops.topmost(self.parent, owner.raw()) });\n", "            let _ = unsafe { ops.topmost(self.parent, owner.raw()) };\n")),
    mutant(TREE_MOVED, "a witness that moves to another tree at once leaves its subtree unseen", ("        if self.parent != parent && !self.parent.is_null()", "        if parent.is_null() && !self.parent.is_null()")),
    mutant(TREE_OPS, "the root of an owner is unlinked", (" && !(self.is_root)(raw, owner)", " && !((self.is_root)(raw, owner) && false)")),
    mutant(TREE_OPS, "objects below other lists than the first are not found", ("            for list in list..self.lists {\n                // SAFETY: the caller's promise.\n                let first = unsafe { (self.first)(here, list) };", "            for list in list..self.lists.min(1) {\n                // SAFETY: the caller's promise.\n                let first = unsafe { (self.first)(here, list) };")),
    mutant(TREE_OPS, "objects of siblings are not found", ("                if !next.is_null() {\n                    return Some(next);\n", "                if !next.is_null() && false {\n                    return Some(next);\n")),
    mutant(TREE_OPS, "after the end of a list the search goes on with the first one", ("self.list_that_ends_with(parent, here) + 1", "self.lists.min(self.list_that_ends_with(parent, here) + 2)")),
    mutant(TREE_UNLINKED, "a held subtree is released", ("            if mark(ops.object(here)) || is_kept(here) {\n", "            if (mark(ops.object(here)) || is_kept(here)) && here == top && start != top {\n")),
    mutant(TREE_UNLINKED, "a free subtree is not released", ("                    table().remove(raw);\n                    release(ops, raw);\n", "                    let _ = (ops, raw);\n")),
    mutant(TREE_UNLINKED, "the room of a thread outlives it", ("            table().reserved -= entries;\n", "            let _ = entries;\n")),
    mutant(TREE_UNLINKED, "the objects of unlinked parts are not noted as witnesses", ("        table.note_witness(raw, raw);\n        next", "        next")),
    mutant(TREE_UNLINKED, "what lost its witness is not looked at beside an unlinked part", ("            _ if entry.recheck => Unsettled::Any,\n", "")),
    mutant(TREE_UNLINKED, "the owner is released before its unlinked parts", ("        let newest = table().take_newest(owner);\n        let Some((kind, raw)) = newest else { return };\n", "        let newest = table().take_newest(owner).filter(|_| false);\n        let Some((kind, raw)) = newest else { return };\n")),
    mutant(TREE_UNLINKED, "a witness that is dropped during a call is forgotten", ("        table().queue(raw);\n        here = older;\n", "        let _ = raw;\n        here = older;\n")),
    mutant(TREE_UNLINKED, "what C keeps is released", ("    *table.kept.entry(raw.addr()).or_insert(0) += 1;\n    KEPT.fetch_add(1, Ordering::Relaxed);\n", "    *table.kept.entry(raw.addr()).or_insert(0) += 1;\n")),
    mutant(TREE_UNLINKED, "what C kept is never released", ("    table.settle_later(owner);\n}\n\n/// Returns whether C keeps", "    let _ = owner;\n}\n\n/// Returns whether C keeps")),
    mutant(TREE_EDITING, "a part with a Python object is held by nothing", ("        has_object || unlinked", "        false && has_object || unlinked")),
    mutant(TREE_EDITING, "a part that C keeps is held by nothing", ("        has_object || unlinked::is_kept", "        has_object || false && unlinked::is_kept")),
    mutant(TREE_EDITING, "a part of another owner is edited", ("        match owner == self.owner.as_ptr() {\n", "        match owner == self.owner.as_ptr() || true {\n")),
    mutant(PARTS, "a part is taken for that of any object", ("ptr::eq(there.cast(), object.as_ptr())", "!there.is_null()")),
    mutant(PARTS, "a part has several objects", ("    match ptr::eq(object.get().state().kind(), kind) {\n", "    let _ = object.get();\n    return Ok(None);\n    #[allow(unreachable_code)]\n    match ptr::eq(object.get().state().kind(), kind) {\n")),
    mutant(VIEW, "the field of a part refers to a dropped object", ("        unsafe { *ops.object(self.raw.get()) = ptr::null_mut() };\n", "")),
    mutant(VIEW, "a witness that is dropped is not missed", ("            (true, true) => owner.lose_witness(ops, self.raw.get()),\n            (true, false) => owner.settle_parts_later(),\n", "            (true, _) => {}\n")),
    mutant(VIEW, "a part of a closed part is open", ("addr() & CLOSED != 0 || self.is_owner_closed()", "addr() & CLOSED != 0 || self.is_owner_closed() && false")),
    mutant(PYTHON_STATE_CLOSE, "a subtree is released while others read the tree", ("        if self.borrow_state.try_borrow_mut(true).is_ok() {\n            return true;\n        }\n        self.release_ancestors(Mode::Shared);\n        false\n", "        let _ = self.borrow_state.try_borrow_mut(true);\n        true\n")),
    mutant(PYTHON_STATE_CLOSE, "what dies during a shared borrow is released by nobody", ("                self.settle_parts_if_free();\n", "")),
    mutant(PYTHON_STATE_CLOSE, "an exclusive call leaves what it unlinked", ("        self.settle_parts();\n        loop {", "        loop {")),
    mutant(QUICK, "a quick exclusive call leaves what it unlinked", ("        if is_unsettled || !self.counted", "        if is_unsettled && false || !self.counted")),
    mutant(PYTHON_CALL, "parts of one tree exclude each other in one call", ("    join_parts(requests, entry.body);\n", "")),
    mutant(ENTER, "a body has no view of a part beside other parts", ("        true => request.is_in_tree(),\n", "        true => request.is_tree_part(),\n")),
    mutant(ENTER, "a call that changes a part by its second argument reads the tree", ("        if request.mode == Mode::Shared && first.group_mode == Mode::Shared {\n            continue;\n        }\n        request.joined = true;\n        if request.mode != Mode::Shared {\n            first.group_mode = Mode::Exclusive;\n        }\n", "        if request.mode == Mode::Shared && first.group_mode == Mode::Shared {\n            continue;\n        }\n        request.joined = true;\n")),
    mutant(TREE_OPS, "a copy with more lists of children has the shape", ("                let first = unsafe { ((self.first)(here.0, list), (self.first)(here.1, list)) };\n                if let Some(first) = both(first)? {", "                let first = unsafe { ((self.first)(here.0, list), (self.first)(here.1, list)) };\n                if let Ok(Some(first)) = both(first) {")),
    mutant(TREE_OPS, "the shape of a copy ends where that of the original ends", ("                (false, false) => {}\n                _ => return Err(Unlike),", "                (false, false) => {}\n                _ => return Ok(None),"), equivalent="both walks go down and up together, so they come to their tops at once"),
    mutant(TREE_COPIED, "an original without objects is not released", ("                unlinked::unsettle(self.ops.topmost(*original, from.raw()));\n", "                let _ = original;\n")),
    mutant(TREE_COPIED, "a part is adopted within its owner", ("        if from == to {\n", "        if from == to && false {\n")),
    mutant(ADOPT, "a copy with an object gets another one", ("            match parts::is_registered(copied.ops, copy) {\n", "            match parts::is_registered(copied.ops, copy) && false {\n")),
    mutant(VIEW, "a view at the address of a part stays behind", ("        match self.has(AT_OWNER) {\n            true => self.owner().get().state().entered_raw(),", "        match self.has(AT_OWNER) && false {\n            true => self.owner().get().state().entered_raw(),")),
    mutant(VIEW, "a part of an adopted part is open", ("        owner.is_adopted_since(self.adoptions)\n", "        owner.is_adopted_since(self.adoptions) && false\n")),
    mutant(ENTER, "a call that waited uses what was adopted meanwhile", ("        if requests.iter().flatten().any(BorrowRequest::was_adopted) {", "        if requests.iter().flatten().any(BorrowRequest::was_adopted) && false {")),
    mutant(PYTHON_HANDLE_CLASS, "the hash of a part changes where it is adopted", ("        if let Some(part) = self.tree_part() {\n", "        if let Some(part) = self.tree_part().filter(|_| false) {\n")),
    mutant(ADOPT, "a second adoption in a call finds an object that has left", ("filter(|request| is_it(request.resource) && !request.was_adopted())", "filter(|request| is_it(request.resource))")),
    mutant(VIEW, "a view of a view of a closed part is open", ("            owner = view.owner().get().state().as_view();\n        }\n        false\n", "            owner = None;\n        }\n        false\n")),
    mutant(ITERATOR, "an iterator over parts of a part goes on where the part was adopted", ("        let is_stale = state.is_adopted_since(then)\n", "        let is_stale = state.is_adopted_since(then) && false\n")),
    mutant(CLASS, "a result that was found before the adoption becomes a view", ("        None => !(owner.state().is_adopted() && has_adopted_parts()),\n", "        None => true,\n")),
    mutant(ITERATOR, "an iterator follows a part to another owner", ("        let Some(raw) = self.object.get().state().raw_of_part(owner) else {", "        let Some(raw) = Some(self.object.get().state().entered_raw()) else {")),
    mutant(ITERATOR, "an iterator does not keep the part that it has come to", ("            Some(part) if !const { T::SPEC.is_tree_part() } => {", "            Some(part) if !const { T::SPEC.is_tree_part() } || true => {")),
    mutant(ITERATOR, "an iterator gives the next part where that is now", ("        Ok(part.filter(|_| parent_of::<T>(raw) == self.parent))", "        Ok(part)")),
    mutant(ITERATOR, "an iterator ends where the next part was taken out", ("        Ok(Some(last)) => follow(last, owner, step),", "        Ok(Some(last)) => follow(last, owner, step).map(|_| None),")),
    mutant(ITERATOR, "a closed object of the next part ends an iterator", ("                false => Err(Error::Closed(T::NAME)),", "                false => Ok(None),")),
]

MUTANTS = [*DIRECT_ENTRIES, *GUARDS, *CALLS, *FAILING, *WORD, *INTERPRETERS, *CLOSING, *ENTERING, *OBJECTS, *EXPANSION, *KEEPING, *THREADS_VARIABLES, *VALUES, *SHARING, *ASKED, *OWNERS_OF_HANDLES, *SIGNALS, *MEMORY_TO_FILL, *TREES]
