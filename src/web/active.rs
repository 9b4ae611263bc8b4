//! Whether the owner of a request has an active subscription: an extractor for one request handler, and a guard for a
//! whole scope. Both cache the answer for some seconds.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, error};

use crate::payments::Payments;

/// Who asks, as far as the host knows: its own id of the owner.
type Owner = Arc<dyn Fn(&HttpRequest) -> Option<String> + Send + Sync>;
/// What is answered to those who have no active subscription.
type Answer = Arc<dyn Fn(&HttpRequest) -> HttpResponse + Send + Sync>;

/// A guard for a scope or a resource: it lets in requests whose owner has an active subscription.
///
/// ```no_run
/// use actix_payments::RequireActive;
/// use actix_web::{App, HttpMessage, HttpRequest, web};
///
/// # struct User(String);
/// # async fn lessons() -> &'static str { "" }
/// # fn app(payments: actix_payments::Payments) {
/// let signed_in = |req: &HttpRequest| req.extensions().get::<User>().map(|user| user.0.clone());
/// let guard = RequireActive::new(payments, signed_in);
/// let lessons = web::scope("/lessons").wrap(guard).route("", web::get().to(lessons));
/// # App::new().service(lessons);
/// # }
/// ```
#[derive(Clone)]
#[must_use = "it guards the scope that it wraps"]
pub struct RequireActive {
    payments: Payments,
    owner: Owner,
    refused: Answer,
}

impl RequireActive {
    /// A guard that calls `owner` for the owner of a request. Without an owner, the request is not let in.
    pub fn new(payments: Payments, owner: impl Fn(&HttpRequest) -> Option<String> + Send + Sync + 'static) -> Self {
        let refused = |_: &HttpRequest| HttpResponse::PaymentRequired().body("an active subscription is needed");
        Self { payments, owner: Arc::new(owner), refused: Arc::new(refused) }
    }

    /// The answer to requests without an active subscription. Default: status 402 and a sentence.
    pub fn otherwise(mut self, answer: impl Fn(&HttpRequest) -> HttpResponse + Send + Sync + 'static) -> Self {
        self.refused = Arc::new(answer);
        self
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequireActive
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B, BoxBody>>;
    type Error = actix_web::Error;
    type Transform = Guarded<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Guarded { service: Rc::new(service), guard: self.clone() }))
    }
}

/// A service behind [`RequireActive`].
#[doc(hidden)]
pub struct Guarded<S> {
    service: Rc<S>,
    guard: RequireActive,
}

impl<S, B> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B, BoxBody>>;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, guard) = (self.service.clone(), self.guard.clone());
        let owner = (guard.owner)(request.request());
        Box::pin(async move {
            let owner = match owner {
                Some(owner) if guard.payments.engine().is_active(&owner).await? => owner,
                _ => {
                    let refused = (guard.refused)(request.request());
                    return Ok(request.into_response(refused).map_into_right_body());
                }
            };
            request.extensions_mut().insert(ActiveSubscription { owner });
            service.call(request).await.map(ServiceResponse::map_into_left_body)
        })
    }
}

/// Proof, for a request handler behind [`RequireActive`], that the owner has an active subscription. As an extractor,
/// it answers 402 if no guard has let the request in.
///
/// See [`RequireActive`] for an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveSubscription {
    /// The host's own id of the owner.
    pub owner: String,
}

impl FromRequest for ActiveSubscription {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let active = req.extensions().get::<Self>().cloned();
        ready(active.ok_or_else(|| error::ErrorPaymentRequired("an active subscription is needed")))
    }
}

impl fmt::Debug for RequireActive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireActive").finish_non_exhaustive()
    }
}
