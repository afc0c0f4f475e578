//! One request to a registry: authorise, send, follow redirects, try again, read the answer.
//!
//! What is allowed to reach whom is decided here and in [`redirect`]: credentials go to the registry's own origin
//! (scheme, host and port) and to nobody else.

mod answer;
mod authorize;
mod redirect;
mod retry;

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::{self, HeaderName};
use ureq::http::{HeaderMap, HeaderValue, Method};

use crate::error::{Error, Result};
use crate::transport::{self, Origin, Transport, Url};

pub(crate) use answer::Answer;
pub(crate) use authorize::{Access, Authorizer, Scope};
pub(crate) use retry::RetryPolicy;

/// The way to one registry.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    transport: Arc<Transport>,
    authorizer: Arc<dyn Authorizer>,
    origin: Origin,
    retry: RetryPolicy,
}

/// One request, as the registry room describes it.
pub(crate) struct Call<'a> {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body<'a>,
    scope: Scope,
    once: bool,
    answer_timeout: Option<Duration>,
}

/// The body of a [`Call`].
pub(crate) enum Body<'a> {
    None,
    Bytes(&'a [u8]),
    Stream(&'a mut dyn BodyStream),
}

/// A body that is read while it is sent.
pub(crate) trait BodyStream: Read {
    fn size(&self) -> u64;

    /// Back to the first byte, to send it again.
    fn restart(&mut self) -> Result<()>;
}

impl<'a> Call<'a> {
    /// A request without body that asks for this access.
    pub(crate) fn new(method: Method, url: Url, scope: Scope) -> Call<'a> {
        Call {
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::None,
            scope,
            once: false,
            answer_timeout: None,
        }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Call<'a> {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn body(mut self, body: Body<'a>) -> Call<'a> {
        self.body = body;
        self
    }

    /// Sent once, whatever becomes of it: how much of its body has arrived, only the upload session knows.
    pub(crate) fn once(mut self) -> Call<'a> {
        self.once = true;
        self
    }

    /// A request whose answer does not matter: tried once, and not waited for longer than this.
    pub(crate) fn best_effort(mut self, answer_timeout: Duration) -> Call<'a> {
        self.answer_timeout = Some(answer_timeout);
        self
    }
}

/// What has happened to a call so far.
#[derive(Default)]
struct Course {
    attempt: u32,
    redirects: u32,
    challenged: bool,
    replaced_connection: bool,
    sent: bool,
}

impl Http {
    pub(crate) fn new(
        transport: Arc<Transport>,
        authorizer: Arc<dyn Authorizer>,
        origin: Origin,
        retry: RetryPolicy,
    ) -> Http {
        Http { transport, authorizer, origin, retry }
    }

    /// Carries the call out and returns the registry's answer, whatever its status; an answer with a status that is
    /// worth another try only after the tries are used up.
    pub(crate) fn send(&self, call: Call<'_>) -> Result<Answer> {
        let Call { method, mut url, headers, mut body, scope, once, answer_timeout } = call;
        let most_attempts = if answer_timeout.is_some() { 1 } else { self.retry.attempts };
        let mut course = Course { attempt: 1, ..Course::default() };
        // Who is led elsewhere stays a stranger: a storage host that leads back to the registry must not act there with
        // the caller's rights.
        let mut abroad = !self.is_own(&url);
        let mut authorization = self.authorization(abroad, &scope)?;
        loop {
            if course.sent
                && let Body::Stream(stream) = &mut body
            {
                stream.restart()?;
            }
            course.sent = true;
            let mut headers = headers.clone();
            if let Some(value) = &authorization {
                headers.insert(header::AUTHORIZATION, value.clone());
            }
            let request = transport::Request {
                method: method.clone(),
                url: &url,
                headers,
                answer_timeout,
                foreign: abroad,
                body: match &mut body {
                    Body::None => transport::Body::None,
                    Body::Bytes(bytes) => transport::Body::Bytes(bytes),
                    Body::Stream(stream) => {
                        let size = stream.size();
                        transport::Body::Reader { reader: *stream, size }
                    }
                },
            };
            let response = match self.transport.send(request) {
                Ok(response) => response,
                Err(failure) => {
                    if failure.reused_connection && !once && !course.replaced_connection {
                        course.replaced_connection = true;
                        continue;
                    }
                    if failure.error.is_retryable() && !once && course.attempt < most_attempts {
                        self.retry.wait(course.attempt, None);
                        course.attempt += 1;
                        continue;
                    }
                    return Err(failure.error.with_request(format!("{method} {url}")));
                }
            };
            let mut answer = Answer::new(response, method.clone(), url.clone(), scope.clone());
            if abroad {
                answer.forbid(&self.origin);
            }
            match answer.status() {
                401 if !abroad && !course.challenged => {
                    course.challenged = true;
                    let offered = self.authorizer.challenged(
                        &self.origin,
                        &scope,
                        answer.headers(),
                        authorization.as_ref(),
                    )?;
                    match offered {
                        Some(value) => authorization = Some(value),
                        None => return Ok(answer),
                    }
                }
                301 | 302 | 303 | 307 | 308 => {
                    course.redirects += 1;
                    url = redirect::next(&answer, course.redirects)?;
                    abroad |= !self.is_own(&url);
                    authorization = self.authorization(abroad, &scope)?;
                }
                status if retry::worth_another_try(status) && !once && course.attempt < most_attempts => {
                    if !self.retry.wait(course.attempt, answer.retry_after()) {
                        return Ok(answer);
                    }
                    course.attempt += 1;
                }
                _ => return Ok(answer),
            }
            answer.discard();
        }
    }

    fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.origin
    }

    fn authorization(&self, abroad: bool, scope: &Scope) -> Result<Option<HeaderValue>> {
        if abroad { Ok(None) } else { self.authorizer.authorization(&self.origin, scope) }
    }
}

/// Where a `Location` leads that a registry gave for the next step of an upload: as [`redirect`] has it for redirects,
/// elsewhere only if that is safe.
pub(crate) fn resolve_location(base: &Url, location: &str) -> Result<Url> {
    redirect::vet(base, location)
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// An error about the answer to this request.
fn request_error(error: Error, method: &Method, url: &Url) -> Error {
    error.with_request(format!("{method} {url}"))
}
