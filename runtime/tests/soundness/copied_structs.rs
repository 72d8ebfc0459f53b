//! Structs of C that are copied between the call and the owners of what it returned: no code of the author's runs.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{Native, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;

    use crate::native::{acquire, release, touch};

    pub struct album {
        owners: c_int,
        songs: *mut [song; 2],
        pub first: *mut song,
    }

    #[derive(Clone, Copy)]
    pub struct song {
        pub length: c_int,
        pub title: *const u8,
    }

    /// An implementation of the author's, since bindings have none for pointers.
    impl Default for song {
        fn default() -> Self {
            super::run();
            song {
                length: 0,
                title: std::ptr::null(),
            }
        }
    }

    pub struct disc {
        _songs: c_int,
    }

    fn songs(length: c_int) -> *mut [song; 2] {
        let title = c"la".as_ptr().cast();
        acquire("Songs", [song { length, title }; 2])
    }

    pub unsafe extern "C" fn album_new() -> *mut album {
        let songs = songs(3);
        let first = songs.cast();
        acquire(
            "Album",
            album {
                owners: 1,
                songs,
                first,
            },
        )
    }

    pub unsafe extern "C" fn album_ref(album: *mut album) {
        touch(album);
        unsafe { (*album).owners += 1 };
    }

    pub unsafe extern "C" fn album_unref(album: *mut album) {
        touch(album);
        unsafe { (*album).owners -= 1 };
        if unsafe { (*album).owners } == 0 {
            release(unsafe { (*album).songs });
            release(album);
        }
    }

    /// Frees the songs, and writes others.
    pub unsafe extern "C" fn album_record(album: *mut album) {
        touch(album);
        unsafe {
            for song in &mut *(*album).songs {
                song.length = -1;
            }
            release((*album).songs);
            (*album).songs = songs(4);
            (*album).first = (*album).songs.cast();
        }
    }

    pub unsafe extern "C" fn album_songs(album: *mut album) -> *const song {
        touch(album);
        unsafe { (*album).first }
    }

    /// Writes the first song, and makes a disc.
    pub unsafe extern "C" fn album_press(
        album: *mut album,
        first: *mut song,
        disc: *mut *mut disc,
    ) -> c_int {
        touch(album);
        unsafe { *first = *(*album).first };
        unsafe { *disc = acquire("Disc", super::ffi::disc { _songs: 2 }) };
        0
    }

    pub unsafe extern "C" fn disc_free(disc: *mut disc) {
        release(disc);
    }
}

#[handle(raw = ffi::album, release = ffi::album_unref, retain = ffi::album_ref, independent, fork_safe)]
struct Album;

#[handle(raw = ffi::disc, release = ffi::disc_free, fork_safe)]
struct Disc;

#[record(ffi::song, partial)]
struct Song {
    length: i32,
}

thread_local! {
    static CODE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Runs the author's code.
fn run() {
    if let Some(code) = CODE.take() {
        code();
    }
}

#[methods(unsafe, rust_only)]
impl Album {
    #[calls(ffi::album_new, fails = null)]
    fn new() -> Result<Owned<Album>>;

    #[calls(ffi::album_songs, len = 2, fails = null)]
    fn songs(&mut self) -> Result<Vec<Song>>;

    #[field(first, len = |_| 2)]
    fn songs_in_field(&mut self) -> Vec<Song>;

    #[calls(ffi::album_record)]
    fn record(&mut self);

    #[calls(ffi::album_press, args = (self, out, out), fails = nonzero, on_failure = null)]
    fn press(&self) -> Result<(Song, Owned<Disc>)>;
}

#[test]
fn object_is_not_changed_by_another_owner_while_records_are_copied() {
    let copies: [fn(&mut Album) -> Vec<Song>; 2] =
        [|album| album.songs().unwrap(), Album::songs_in_field];
    for copy in copies {
        let _native = Native::start();
        let mut album = Album::new().unwrap();
        let mut other = album.clone();
        CODE.set(Some(Box::new(move || other.record())));
        let songs = copy(&mut album);
        assert_eq!(songs, [Song::new(3); 2]);
        assert_eq!(log(), [""; 0]);
        drop(CODE.take());
    }
}

#[test]
fn handle_beside_a_record_has_an_owner() {
    let _native = Native::start();
    let album = Album::new().unwrap();
    CODE.set(Some(Box::new(|| panic!("in the author's `Default`"))));
    let (first, disc) = album.press().unwrap();
    assert_eq!(first.length(), 3);
    drop(disc);
    assert_eq!(log(), ["release Disc"]);
    drop(CODE.take());
}
