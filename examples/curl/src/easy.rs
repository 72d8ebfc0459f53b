//! Transfers.

use std::ffi::{c_char, c_double, c_long};
use std::sync::OnceLock;

use leakproof::prelude::*;

use crate::callbacks::{HeaderWriter, Progress, Reader, Writer};
use crate::error::{CurlErrors, Message};
use crate::ffi;
use crate::list::StringList;

/// A transfer: what to do, with whom, and what came of it. It keeps its connection for the next transfer.
#[handle(raw = ffi::CURL, release(ffi::curl_easy_cleanup, detach), errors = CurlErrors, attachments)]
pub(crate) struct Easy;

#[methods(unsafe)]
impl Easy {
    #[rust_only]
    #[calls(ffi::curl_global_init, fails = nonzero)]
    fn set_up(flags: c_long) -> Result<()>;

    #[rust_only]
    #[calls(ffi::curl_easy_init, fails = null)]
    fn init() -> Result<Owned<Easy>>;

    /// Prepare a transfer from or to `url` (curl_easy_init).
    ///
    /// Only HTTP and HTTPS are allowed, also where a server redirects. There is no file and no terminal that the
    /// transfer reads or writes by itself.
    #[new]
    fn new(url: &str) -> Result<Owned<Easy>> {
        static IS_SET_UP: OnceLock<()> = OnceLock::new();
        if IS_SET_UP.get().is_none() {
            Easy::set_up(ffi::CURL_GLOBAL_DEFAULT.into())?;
            let _ = IS_SET_UP.set(());
        }
        let mut easy = Easy::init()?;
        // Signals of the system would interrupt other threads.
        easy.set_no_signal(1)?;
        easy.set_protocols(c"http,https")?;
        easy.write_by()?;
        easy.write_header_by()?;
        easy.read_by()?;
        easy.report_by()?;
        easy.set_no_progress(0)?;
        easy.set_writer(None)?;
        easy.set_header_writer(None)?;
        easy.set_reader(None)?;
        easy.set_progress(None)?;
        easy.set_url(url)?;
        Ok(easy)
    }

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_NOSIGNAL, ..., on as c_long), fails = nonzero)]
    fn set_no_signal(&mut self, on: c_long) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_PROTOCOLS_STR, ..., names as *const c_char),
        fails = nonzero
    )]
    fn set_protocols(&mut self, names: &CStr) -> Result<()>;

    // ---- what to do

    /// Set the URL (CURLOPT_URL).
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_URL, ..., url as *const c_char), fails = nonzero)]
    fn set_url(&mut self, url: &str) -> Result<()>;

    /// Set the name of the request method, such as "DELETE" (CURLOPT_CUSTOMREQUEST).
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_CUSTOMREQUEST, ..., name as *const c_char),
        fails = nonzero
    )]
    fn set_method(&mut self, name: &str) -> Result<()>;

    /// Set the User-Agent of the request (CURLOPT_USERAGENT).
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_USERAGENT, ..., name as *const c_char),
        fails = nonzero
    )]
    fn set_user_agent(&mut self, name: &str) -> Result<()>;

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_TIMEOUT_MS, ..., time as c_long), fails = nonzero)]
    fn set_timeout_ms(&mut self, time: c_long) -> Result<()>;

    /// Limit the time of the whole transfer, in seconds; None for no limit (CURLOPT_TIMEOUT_MS).
    fn set_timeout(&mut self, seconds: Option<f64>) -> Result<()> {
        let time = seconds.map_or(0.0, |seconds| (seconds * 1000.0).ceil());
        let is_time = time >= 0.0 && time <= f64::from(i32::MAX) && seconds != Some(0.0);
        if !is_time {
            return Err(Error::Value(
                "a timeout is a number of seconds above 0".into(),
            ));
        }
        self.set_timeout_ms(time as c_long)
    }

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_FOLLOWLOCATION, ..., on as c_long), fails = nonzero)]
    fn set_follow(&mut self, on: c_long) -> Result<()>;

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_MAXREDIRS, ..., count as c_long), fails = nonzero)]
    fn set_most_redirects(&mut self, count: c_long) -> Result<()>;

    /// Follow up to `at_most` redirects; 0 follows none (CURLOPT_FOLLOWLOCATION, CURLOPT_MAXREDIRS).
    fn follow_redirects(&mut self, at_most: u16) -> Result<()> {
        self.set_follow(c_long::from(at_most > 0))?;
        self.set_most_redirects(at_most.into())
    }

    /// Remember the cookies of servers (CURLOPT_COOKIEFILE).
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_COOKIEFILE, ..., c"" as *const c_char), fails = nonzero)]
    fn remember_cookies(&mut self) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_HTTPHEADER, ..., list as *mut ffi::curl_slist),
        fails = nonzero,
        scope = until_replaced
    )]
    fn keep_headers(&mut self, list: Option<Owned<StringList>>) -> Result<()>;

    /// Set lines of the request's header, such as "Accept: text/html" (CURLOPT_HTTPHEADER).
    ///
    /// Raises ValueError for a line break in a line, behind which others could add lines of theirs.
    fn set_headers(&mut self, lines: Vec<CString>) -> Result<()> {
        let breaks = |line: &CString| line.as_bytes().iter().any(|byte| b"\r\n".contains(byte));
        if lines.iter().any(breaks) {
            return Err(Error::Value(
                "a line of a header contains no line break".into(),
            ));
        }
        self.keep_headers(StringList::of(&lines)?)
    }

    /// Send `body` with a POST request (CURLOPT_COPYPOSTFIELDS).
    #[calls(ffi::shim_set_body, args = (self, body.ptr, body.len), fails = nonzero)]
    fn set_body(&mut self, body: &[u8]) -> Result<()>;

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_UPLOAD, ..., on as c_long), fails = nonzero)]
    fn set_upload(&mut self, on: c_long) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_INFILESIZE_LARGE, ..., size as ffi::curl_off_t),
        fails = nonzero
    )]
    fn set_upload_size(&mut self, size: i64) -> Result<()>;

    // ---- callbacks

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_WRITEFUNCTION, ..., Writer::WRITE as ffi::curl_write_callback), fails = nonzero)]
    fn write_by(&mut self) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_WRITEDATA, ..., writer.data),
        fails = nonzero,
        scope = until_replaced
    )]
    fn keep_writer(&mut self, writer: Writer) -> Result<()>;

    /// Pass the body of the response to `write(bytes)`, in pieces (CURLOPT_WRITEFUNCTION). Without a callable, and with
    /// None, the body is thrown away.
    ///
    /// A callable that returns a smaller number than it got bytes, as `write` of a full file does, fails the transfer.
    fn set_writer(&mut self, write: Option<Callable>) -> Result<()> {
        self.keep_writer(Writer(write))
    }

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_HEADERFUNCTION, ..., HeaderWriter::WRITE as ffi::curl_write_callback),
        fails = nonzero
    )]
    fn write_header_by(&mut self) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_HEADERDATA, ..., writer.data),
        fails = nonzero,
        scope = until_replaced
    )]
    fn keep_header_writer(&mut self, writer: HeaderWriter) -> Result<()>;

    /// Pass each line of the response's header to `write(bytes)` (CURLOPT_HEADERFUNCTION).
    fn set_header_writer(&mut self, write: Option<Callable>) -> Result<()> {
        self.keep_header_writer(HeaderWriter(write))
    }

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_READFUNCTION, ..., Reader::READ as ffi::curl_read_callback), fails = nonzero)]
    fn read_by(&mut self) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_READDATA, ..., reader.data),
        fails = nonzero,
        scope = until_replaced
    )]
    fn keep_reader(&mut self, reader: Reader) -> Result<()>;

    #[rust_only]
    fn set_reader(&mut self, read: Option<Callable>) -> Result<()> {
        self.keep_reader(Reader(read))
    }

    /// Upload what `read(size)` returns, at most `size` bytes each time, until it returns none (CURLOPT_UPLOAD,
    /// CURLOPT_READFUNCTION). The size of the whole is `size`, if it is known.
    #[pyo3(signature = (read, size = None))]
    fn upload(&mut self, read: Callable, size: Option<u64>) -> Result<()> {
        let size = size.map_or(Ok(-1), i64::try_from);
        let size = size.map_err(|_| Error::Overflow("the size is too large for libcurl".into()))?;
        self.set_reader(Some(read))?;
        self.set_upload(1)?;
        self.set_upload_size(size)
    }

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_XFERINFOFUNCTION, ..., Progress::ADVANCE as ffi::curl_xferinfo_callback),
        fails = nonzero
    )]
    fn report_by(&mut self) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_setopt,
        args = (self, ffi::CURLOPT_XFERINFODATA, ..., progress.data),
        fails = nonzero,
        scope = until_replaced
    )]
    fn keep_progress(&mut self, progress: Progress) -> Result<()>;

    #[rust_only]
    #[calls(ffi::curl_easy_setopt, args = (self, ffi::CURLOPT_NOPROGRESS, ..., off as c_long), fails = nonzero)]
    fn set_no_progress(&mut self, off: c_long) -> Result<()>;

    /// Call `progress(to_download, downloaded, to_upload, uploaded)`, in bytes, about once per second or more often
    /// (CURLOPT_XFERINFOFUNCTION). An exception ends the transfer.
    fn set_progress(&mut self, progress: Option<Callable>) -> Result<()> {
        self.keep_progress(Progress(progress))
    }

    // ---- the transfer

    /// Perform the transfer (curl_easy_perform).
    ///
    /// Raises CurlError, CurlTimeoutError, and any exception of a callback. Using this object in a callback raises
    /// BusyError. A status such as 404 is no error: see `response_code`.
    #[calls(
        ffi::shim_perform,
        args = (self, details),
        details = Message,
        fails = nonzero,
        detach
    )]
    fn perform(&mut self) -> Result<()>;

    #[rust_only]
    #[calls(ffi::curl_easy_strerror, utf8 = lossy)]
    pub(crate) fn message_of(code: u32) -> Option<String>;

    // ---- what came of it

    /// The status of the last response, such as 200; 0 before the first one (CURLINFO_RESPONSE_CODE).
    #[getter]
    #[calls(
        ffi::curl_easy_getinfo,
        args = (self, ffi::CURLINFO_RESPONSE_CODE, ..., out as *mut c_long),
        fails = nonzero
    )]
    fn response_code(&self) -> Result<i64>;

    /// The number of redirects that were followed (CURLINFO_REDIRECT_COUNT).
    #[getter]
    #[calls(
        ffi::curl_easy_getinfo,
        args = (self, ffi::CURLINFO_REDIRECT_COUNT, ..., out as *mut c_long),
        fails = nonzero
    )]
    fn redirect_count(&self) -> Result<i64>;

    /// The last URL, after all redirects (CURLINFO_EFFECTIVE_URL).
    #[getter]
    #[calls(
        ffi::curl_easy_getinfo,
        args = (self, ffi::CURLINFO_EFFECTIVE_URL, ..., out as *mut *const c_char),
        fails = nonzero,
        utf8 = lossy
    )]
    fn effective_url(&self) -> Result<Option<String>>;

    /// The Content-Type of the response; None if there was none (CURLINFO_CONTENT_TYPE).
    #[getter]
    #[calls(
        ffi::curl_easy_getinfo,
        args = (self, ffi::CURLINFO_CONTENT_TYPE, ..., out as *mut *const c_char),
        fails = nonzero,
        utf8 = lossy
    )]
    fn content_type(&self) -> Result<Option<String>>;

    /// The time of the last transfer, in seconds (CURLINFO_TOTAL_TIME).
    #[getter]
    #[calls(
        ffi::curl_easy_getinfo,
        args = (self, ffi::CURLINFO_TOTAL_TIME, ..., out as *mut c_double),
        fails = nonzero
    )]
    fn total_time(&self) -> Result<f64>;

    /// The size of the downloaded body, in bytes (CURLINFO_SIZE_DOWNLOAD_T).
    #[getter]
    #[calls(
        ffi::curl_easy_getinfo,
        args = (self, ffi::CURLINFO_SIZE_DOWNLOAD_T, ..., out as *mut ffi::curl_off_t),
        fails = nonzero
    )]
    fn downloaded(&self) -> Result<i64>;

    #[rust_only]
    #[calls(
        ffi::curl_easy_getinfo,
        args = (self, ffi::CURLINFO_COOKIELIST, ..., out as *mut *mut ffi::curl_slist),
        fails = nonzero,
        on_failure = null
    )]
    fn cookie_list(&self) -> Result<Option<Owned<StringList>>>;

    /// The remembered cookies, in the format of Netscape's cookie files (CURLINFO_COOKIELIST).
    #[getter]
    fn cookies(&self) -> Result<Vec<String>> {
        let list = self.cookie_list()?;
        Ok(list.map_or_else(Vec::new, |list| list.texts()))
    }
}
