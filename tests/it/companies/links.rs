//! Does an id of a company's object lead to its page in the company's dashboard, and any other text nowhere?

use actix_payments::domain::mode::Mode;
use actix_payments::gateways::Gateway;

use super::{Company, adyen, lemon_squeezy, paddle, polar, razorpay, square};

/// An id, and the pages that it leads to in live and in test mode.
type Row = (&'static str, &'static str, &'static str);

fn leads(gateway: &dyn Gateway, rows: &[Row]) {
    for (id, live, test) in rows {
        assert_eq!(gateway.dashboard_url(&(*id).into(), Mode::Live).as_deref(), Some(*live), "{}", gateway.name());
        assert_eq!(gateway.dashboard_url(&(*id).into(), Mode::Test).as_deref(), Some(*test), "{}", gateway.name());
    }
}

fn leads_nowhere(gateway: &dyn Gateway, ids: &[&str]) {
    let odd =
        ["", " ", "../settings", "a/b", "a?b", "a#b", "<script>", "pi_1/..", "Ü", "txn_é", "order_1/2", "pay_1\n"];
    for id in ids.iter().chain(&odd) {
        for mode in [Mode::Live, Mode::Test] {
            assert_eq!(gateway.dashboard_url(&(*id).into(), mode), None, "{} {id:?}", gateway.name());
        }
    }
}

#[test]
fn each_id_leads_to_its_page_and_a_strange_one_nowhere() {
    let gateway = paddle::Of::gateway();
    leads(
        &gateway,
        &[
            (
                "txn_01h",
                "https://vendors.paddle.com/transactions-v2/txn_01h",
                "https://sandbox-vendors.paddle.com/transactions-v2/txn_01h",
            ),
            (
                "sub_01h",
                "https://vendors.paddle.com/subscriptions-v2/sub_01h",
                "https://sandbox-vendors.paddle.com/subscriptions-v2/sub_01h",
            ),
            (
                "ctm_01h",
                "https://vendors.paddle.com/customers-v2/ctm_01h",
                "https://sandbox-vendors.paddle.com/customers-v2/ctm_01h",
            ),
        ],
    );
    leads_nowhere(&gateway, &["adj_01h", "adj_01h:reverse", "pay_1", "order_1", "12"]);

    let gateway = lemon_squeezy::Of::gateway();
    leads(
        &gateway,
        &[
            ("order_12", "https://app.lemonsqueezy.com/orders/12", "https://app.lemonsqueezy.com/orders/12"),
            ("7", "https://app.lemonsqueezy.com/subscriptions/7", "https://app.lemonsqueezy.com/subscriptions/7"),
        ],
    );
    leads_nowhere(
        &gateway,
        &["order_", "invoice_9", "104e18a2-d755-4d4b-80c4-a6c1dcbe1c10", "txn_1", "123456789012345678901"],
    );

    // Its ids do not say what they are of, and each page has an address of its own.
    leads_nowhere(&polar::Of::gateway(), &["1f81eb52-5198-4599-803e-771906343485", "order_1"]);

    let gateway = razorpay::Of::gateway();
    let page = |id: &'static str, url: &'static str| (id, url, url);
    leads(
        &gateway,
        &[
            page("pay_D1", "https://dashboard.razorpay.com/app/payments/pay_D1"),
            page("order_D1", "https://dashboard.razorpay.com/app/orders/order_D1"),
            page("sub_D1", "https://dashboard.razorpay.com/app/subscriptions/sub_D1"),
            page("rfnd_D1", "https://dashboard.razorpay.com/app/refunds/rfnd_D1"),
        ],
    );
    leads_nowhere(&gateway, &["disp_D1", "inv_D1", "txn_1", "12"]);

    let gateway = square::Of::gateway();
    leads(
        &gateway,
        &[(
            "KkAkhdMsgzn59SM8A89WgKwekxLZY",
            "https://squareup.com/dashboard/sales/transactions/KkAkhdMsgzn59SM8A89WgKwekxLZY",
            "https://squareupsandbox.com/dashboard/sales/transactions/KkAkhdMsgzn59SM8A89WgKwekxLZY",
        )],
    );
    leads_nowhere(&gateway, &["pay_1", "104e18a2-d755"]);

    let gateway = adyen::Of::gateway();
    leads(
        &gateway,
        &[(
            "QFQTPCQ8HXSKGK82",
            "https://ca-live.adyen.com/ca/ca/accounts/showTx.shtml?pspReference=QFQTPCQ8HXSKGK82&txType=Payment",
            "https://ca-test.adyen.com/ca/ca/accounts/showTx.shtml?pspReference=QFQTPCQ8HXSKGK82&txType=Payment",
        )],
    );
    leads_nowhere(&gateway, &["PL61C53A8B97E69", "QFQTPCQ8HXSKGK821", "QFQTPCQ8HXSKGK8&"]);

    let gateway = super::mercado_pago::gateway();
    let url = "https://www.mercadopago.com/activities?q=123";
    leads(&gateway, &[page("payment_123", url)]);
    leads_nowhere(
        &gateway,
        &["123", "refund_5", "merchant_order_9", "chargeback_5", "preference_7-abc", "payment_12a"],
    );
}
