//! What no store may take from kiln: memory, by an answer that does not end, and time, by one that comes
//! in drops. And what is asked again: what the SDK does not know for a store that is busy.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, InterceptorContext,
};
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_s3::config::{Builder, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::SdkBody;

/// Bytes of an answer that is read whole. A page of 1,000 keys, each at its longest and every byte of it
/// escaped, has 4 MB.
pub(super) const ANSWER_BYTES_MAX: usize = 16 << 20;
/// Pages of a listing: a million objects.
pub(super) const PAGES_MAX: usize = 1_000;
/// A listing may take this many times as long as a transfer may stall.
pub(super) const LISTING_STALLS: u32 = 15;
/// And one answer this many times.
const ANSWER_STALLS: u32 = 6;

/// A limit for each attempt, until the head of the answer is there, or the whole where it is read whole.
pub(super) fn attempts(stall: Duration) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(stall)
        .read_timeout(stall * 3)
        .operation_attempt_timeout(stall * ANSWER_STALLS);
    aws_sdk_s3::Config::builder().timeout_config(timeouts.build())
}

/// Ends an answer that is longer than [`ANSWER_BYTES_MAX`], whatever it says of its length. An object's
/// bytes have no such limit: they are never kept whole.
#[derive(Debug)]
pub(super) enum AnswerLimit {
    /// Of refusals only.
    Refusals,
    /// Of whatever comes.
    All,
}

impl Intercept for AnswerLimit {
    fn name(&self) -> &'static str {
        "AnswerLimit"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response_mut();
        if matches!(self, AnswerLimit::All) || !answer.status().is_success() {
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            let limited = http_body_util::Limited::new(body, ANSWER_BYTES_MAX);
            *answer.body_mut() = SdkBody::from_body_1_x(limited);
        }
        Ok(())
    }
}

/// 429 is what stores other than AWS say for its 503: too many requests, ask again later.
#[derive(Debug)]
pub(super) struct TooManyRequests;

impl ClassifyRetry for TooManyRequests {
    fn name(&self) -> &'static str {
        "TooManyRequests"
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|answer| answer.status().as_u16()) {
            Some(429) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }
}
