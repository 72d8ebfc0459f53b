//! Errors of transfers.

use leakproof::prelude::*;
use leakproof::{CallInfo, FailureDetails};

use crate::easy::Easy;
use crate::ffi;

/// The message of a failed transfer.
pub(crate) type Message = TextBuffer<{ ffi::CURL_ERROR_SIZE as usize }>;

/// An error that libcurl reported.
#[exception]
pub(crate) struct CurlError {
    /// The message, in libcurl's words.
    pub message: String,
    /// The error code (CURLcode).
    pub code: u32,
}

/// A transfer took longer than it may.
#[exception(extends = CurlError)]
pub(crate) struct CurlTimeoutError {
    /// The fields of every error of libcurl.
    pub base: CurlError,
}

/// Takes the message from the buffer of the transfer, or from the error code if there is none.
#[derive(Debug, Default)]
pub(crate) struct CurlErrors {
    message: Option<String>,
}

impl FailureDetails<Message> for CurlErrors {
    fn details(&mut self, message: Message) {
        self.message = Some(message.text()).filter(|message| !message.is_empty());
    }
}

impl ErrorSource<Easy> for CurlErrors {
    fn into_error(self, call: &CallInfo<'_, Easy>) -> Error {
        let status = call.status.and_then(|status| u32::try_from(status).ok());
        let code = status.unwrap_or(ffi::CURLE_FAILED_INIT);
        let error = CurlError {
            message: self
                .message
                .or_else(|| Easy::message_of(code))
                .unwrap_or_default(),
            code,
        };
        match code {
            ffi::CURLE_OUT_OF_MEMORY => Error::OutOfMemory(call.function),
            ffi::CURLE_OPERATION_TIMEDOUT => CurlTimeoutError { base: error }.into(),
            _ => error.into(),
        }
    }
}
