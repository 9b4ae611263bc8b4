//! Where does a customer manage a subscription alone? On a page of the gateway's, whose address is made anew each time
//! and stored nowhere: whoever has it may act for the customer.

use std::sync::Arc;

use super::next::checked_address;
use super::observed::observed;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::gateways::GatewayError;
use crate::gateways::subscriptions::PortalRequest;

impl Engine {
    /// The address of the gateway's page for this subscription's customer.
    pub(crate) async fn portal_link(self: &Arc<Self>, token: &str, return_url: &str) -> Result<String, Error> {
        let not_found = || Error::new(ErrorKind::NotFound, "there is no such subscription");
        let subscription = self.subscription(token).await?.ok_or_else(not_found)?;
        let refused = |why: String| Error::new(ErrorKind::Refused, why);
        let not_made = || refused("the gateway has not made this subscription yet".to_owned());
        let gateway_ref = subscription.gateway_ref.clone().ok_or_else(not_made)?;
        let variant = self.load(&subscription.variant).await?;
        let gateway = variant.as_ref().and_then(|variant| variant.gateway.subscriptions());
        let gateway = gateway.ok_or_else(|| refused(format!("{} has no subscriptions here", subscription.variant)))?;
        let state = subscription.state;
        let customer_ref = state.customer_ref.clone();
        let address = Some(self.address_of(&subscription.variant).trim_end_matches('/').to_owned());
        let return_url = return_url.replace("{token}", token);
        let of = token.to_owned();
        let account = self.read(move |tx| tx.account_of_subscription(&of)).await?;
        let request = PortalRequest { gateway_ref, account, customer_ref, state, address, return_url };
        let url = match observed(self, &subscription.variant, "portal", gateway.portal(&request)).await {
            Err(GatewayError::Unsupported(why)) => return Err(refused(why)),
            Err(error) => {
                let why = format!("the page for subscription {token} was not made");
                return Err(Error::new(ErrorKind::Gateway, why).with_source(error));
            }
            Ok(url) => url,
        };
        checked_address(&url)?;
        Ok(url)
    }
}
