//! What a notification says: which object to ask for, and nothing else
//! (topics: <https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications>).

use super::interpret::{Family, reference};
use super::verify::is_number;
use crate::domain::event::{Interpretation, Recorded, References};
use crate::domain::identifier::GatewayRef;
use crate::domain::named::NamedObject;

/// The topics in whose objects facts are read, with their families. Those without `topic_` come from older settings.
pub(super) const TOPICS: [(&str, Family); 5] = [
    ("payment", Family::Payment),
    ("topic_merchant_order_wh", Family::MerchantOrder),
    ("topic_chargebacks_wh", Family::Chargeback),
    ("merchant_order", Family::MerchantOrder),
    ("chargebacks", Family::Chargeback),
];

/// Reads a notification. The event's id begins with the id of the object, which is signed.
pub(super) fn interpret(event: &Recorded<'_>) -> Interpretation {
    let id = event.id.split(':').next().filter(|id| is_number(id));
    let family = TOPICS.into_iter().find(|(topic, _)| *topic == event.kind).map(|(_, family)| family);
    let Some((family, id)) = family.zip(id) else {
        let summary = "nothing about a payment: kept for handlers".to_owned();
        return Interpretation { summary, ..Interpretation::default() };
    };
    let gateway_ref = GatewayRef::from(reference(family, id));
    Interpretation {
        summary: format!("names {gateway_ref} without showing it"),
        references: References { tokens: Vec::new(), gateway_refs: vec![gateway_ref.clone()] },
        object_to_fetch: Some(NamedObject::new(family.word(), gateway_ref)),
        ..Interpretation::default()
    }
}
