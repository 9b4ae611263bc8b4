//! Who answers a test's requests? One service for all requests of an app on a thread: to compile its routes takes a test
//! longer than to answer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_payments::{Admin, Payments};
use actix_web::App;
use actix_web::dev::ServiceResponse;
use actix_web::test::{TestRequest, call_service, init_service};

/// Answers one request.
pub type Service = Rc<dyn Fn(TestRequest) -> Pin<Box<dyn Future<Output = ServiceResponse>>>>;

thread_local! {
    /// Left alone when the thread ends: what a service drops needs what the thread has lost by then.
    static SERVICES: ManuallyDrop<RefCell<HashMap<u64, Service>>> = ManuallyDrop::default();
}

/// Mounts `payments` below `/payments`, with an admin.
pub async fn serve(payments: &Payments, admin: impl Into<Admin>) -> Service {
    let mount = payments.mount("/payments").admin(admin);
    let app = Rc::new(init_service(App::new().app_data(payments.clone()).service(mount)).await);
    Rc::new(move |request| {
        let app = app.clone();
        Box::pin(async move { call_service(&*app, request.to_request()).await })
    })
}

/// The services of one app, which end with it.
pub struct Served(u64);

impl Served {
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self(COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// This thread's, made by the first request on it.
    pub async fn here(&self, payments: &Payments, admin: impl Into<Admin>) -> Service {
        let known = SERVICES.with(|services| services.borrow().get(&self.0).cloned());
        let service = match known {
            Some(service) => service,
            None => serve(payments, admin).await,
        };
        SERVICES.with(|services| services.borrow_mut().entry(self.0).or_insert(service).clone())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Dropped only after the borrow: a service holds pools and hooks of its own.
        let _ended = SERVICES.try_with(|services| services.borrow_mut().remove(&self.0));
    }
}
