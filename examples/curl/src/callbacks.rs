//! Functions that libcurl calls during a transfer. Where there is no Python callable, they do nothing.

use leakproof::check_signals;
use leakproof::prelude::*;

use crate::ffi;

/// Gets the body of the response.
#[derive(Attachment)]
pub(crate) struct Writer(pub(crate) Option<Callable>);

#[callbacks(unsafe)]
impl Writer {
    #[callback(
        ffi::curl_write_callback,
        args = (bytes.ptr, size, count, data),
        len = size.saturating_mul(count),
        on_error = usize::MAX
    )]
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<usize> {
        pass_to(self.0.as_ref(), bytes)
    }
}

/// Gets the lines of the response's header.
#[derive(Attachment)]
pub(crate) struct HeaderWriter(pub(crate) Option<Callable>);

#[callbacks(unsafe)]
impl HeaderWriter {
    #[callback(
        ffi::curl_write_callback,
        args = (line.ptr, size, count, data),
        len = size.saturating_mul(count),
        on_error = usize::MAX
    )]
    pub(crate) fn write(&self, line: &[u8]) -> Result<usize> {
        pass_to(self.0.as_ref(), line)
    }
}

/// Passes bytes to a callable. Returns the number that it took: libcurl fails if these are not all.
fn pass_to(callable: Option<&Callable>, bytes: &[u8]) -> Result<usize> {
    let taken = match callable {
        Some(callable) => callable.call::<Option<usize>>((bytes,))?,
        None => None,
    };
    match taken {
        Some(taken) if taken > bytes.len() => Err(Error::Value(format!(
            "{taken} bytes of {} were written",
            bytes.len()
        ))),
        taken => Ok(taken.unwrap_or(bytes.len())),
    }
}

/// Gives the body of the request.
#[derive(Attachment)]
pub(crate) struct Reader(pub(crate) Option<Callable>);

#[callbacks(unsafe)]
impl Reader {
    #[callback(
        ffi::curl_read_callback,
        args = (buffer.ptr, size, count, data),
        len = size.saturating_mul(count),
        on_error = ffi::CURL_READFUNC_ABORT as usize
    )]
    pub(crate) fn read(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        let Some(reader) = &self.0 else {
            return Ok(());
        };
        reader.call_into((buffer.remaining(),), &mut buffer)
    }
}

/// Hears how far the transfer is. Ctrl-C ends the transfer here.
#[derive(Attachment)]
pub(crate) struct Progress(pub(crate) Option<Callable>);

#[callbacks(unsafe)]
impl Progress {
    #[callback(
        ffi::curl_xferinfo_callback,
        args = (data, to_download, downloaded, to_upload, uploaded),
        on_error = 1
    )]
    pub(crate) fn advance(
        &self,
        to_download: i64,
        downloaded: i64,
        to_upload: i64,
        uploaded: i64,
    ) -> Result<()> {
        check_signals()?;
        let progress = self.0.as_ref();
        progress.map_or(Ok(()), |progress| {
            progress.call_unit((to_download, downloaded, to_upload, uploaded))
        })
    }
}
