//! What does the environment say, and what is printed when the shop opens?

use std::env;
use std::error::Error;
use std::net::SocketAddr;

/// The tea box's price on the dummy gateway.
pub(crate) const DUMMY_TEA: &str = "tea-box";

/// The variants that sell the tea box, each with the gateway's id of its price.
#[derive(Clone)]
pub(crate) struct TeaPrices(pub(crate) Vec<(String, String)>);

/// What a process of the shop does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    All,
    /// Serves pages and takes deliveries, and processes nothing.
    Receive,
    /// Processes, and answers only whether it is healthy.
    Work,
}

impl Role {
    fn parse(word: &str) -> Result<Self, String> {
        match word {
            "" | "all" => Ok(Self::All),
            "receive" => Ok(Self::Receive),
            "work" => Ok(Self::Work),
            other => Err(format!("expected ROLE to be all, receive or work, got {other:?}")),
        }
    }
}

pub(crate) struct Settings {
    pub(crate) database_url: String,
    /// What the admin pages read from, if not that.
    pub(crate) replica_url: Option<String>,
    pub(crate) role: Role,
    pub(crate) bind: String,
    /// At least one; several while one is being replaced by another.
    pub(crate) stripe_secrets: Vec<String>,
    /// Without one, Stripe's checkout is not started from here.
    pub(crate) stripe_api_key: Option<String>,
    pub(crate) stripe_api_base: Option<String>,
    /// Stripe's id of the tea box's price.
    stripe_tea_price: Option<String>,
    /// Without one, nobody can be erased.
    pub(crate) erasure_key: Option<String>,
    pub(crate) admin_password: String,
    pub(crate) dummy_secret: String,
    stripe_was_given: bool,
    password_was_given: bool,
}

impl Settings {
    /// Those of a test: nothing of the environment.
    #[cfg(all(test, feature = "testing", feature = "sqlite"))]
    pub(crate) fn of_test() -> Self {
        Self {
            database_url: String::new(),
            replica_url: None,
            role: Role::All,
            bind: String::new(),
            stripe_secrets: vec!["whsec_test".to_owned()],
            stripe_api_key: None,
            stripe_api_base: None,
            stripe_tea_price: None,
            erasure_key: None,
            admin_password: "for tests".to_owned(),
            dummy_secret: "for tests".to_owned(),
            stripe_was_given: true,
            password_was_given: true,
        }
    }

    pub(crate) fn from_env() -> Result<Self, Box<dyn Error>> {
        let given = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let secrets = given("STRIPE_WEBHOOK_SECRET");
        let password = given("ADMIN_PASSWORD");
        Ok(Self {
            database_url: given("DATABASE_URL").unwrap_or_else(|| "sqlite://shop.db".into()),
            replica_url: given("REPLICA_URL"),
            role: Role::parse(&given("ROLE").unwrap_or_default())?,
            bind: given("BIND").unwrap_or_else(|| "127.0.0.1:8080".into()),
            stripe_was_given: secrets.is_some(),
            stripe_secrets: match secrets {
                Some(list) => list.split(',').map(|secret| secret.trim().to_owned()).collect(),
                None => vec![format!("whsec_{}", random()?)],
            },
            stripe_api_key: given("STRIPE_API_KEY"),
            stripe_api_base: given("STRIPE_API_BASE"),
            stripe_tea_price: given("STRIPE_TEA_PRICE"),
            erasure_key: given("ERASURE_KEY"),
            password_was_given: password.is_some(),
            admin_password: password.map_or_else(random, Ok)?,
            dummy_secret: random()?,
        })
    }

    /// Where the tea box is sold: with Stripe only where it can be called and has a price.
    pub(crate) fn tea_prices(&self) -> TeaPrices {
        let of_stripe = self.stripe_tea_price.clone().filter(|_| self.stripe_api_key.is_some());
        let dummy = ("dummy".to_owned(), DUMMY_TEA.to_owned());
        TeaPrices([dummy].into_iter().chain(of_stripe.map(|price| ("stripe".to_owned(), price))).collect())
    }

    /// Tells where to look, and how to send a signed event by hand. Secrets are shown only when they were made up
    /// here.
    pub(crate) fn print(&self, address: Option<&SocketAddr>) {
        let root = address.map_or_else(|| format!("http://{}", self.bind), |address| format!("http://{address}"));
        let password = if self.password_was_given { "$ADMIN_PASSWORD" } else { &self.admin_password };
        println!("\nThe shop      {root}/");
        println!("The admin     {root}/payments/admin/   user admin, password {password}");
        println!("For Stripe    {root}/payments/stripe/  the address of the webhook endpoint");
        if !self.stripe_was_given {
            println!("              signing secret {}", self.stripe_secrets[0]);
        }
        println!("\nA signed test event, to paste into another terminal:\n\n{}\n", self.test_event(&root, "demo"));
    }

    /// A command that signs and sends a `checkout.session.completed` for `token`.
    pub(crate) fn test_event(&self, root: &str, token: &str) -> String {
        let secret = match self.stripe_was_given {
            true => "${STRIPE_WEBHOOK_SECRET%%,*}",
            false => &self.stripe_secrets[0],
        };
        format!(
            r#"T=$(date +%s); BODY='{{"id":"evt_'$T'","object":"event","type":"checkout.session.completed","created":'$T',"livemode":false,"data":{{"object":{{"id":"cs_test_'$T'","object":"checkout.session","mode":"payment","status":"complete","payment_status":"paid","amount_total":4999,"currency":"eur","client_reference_id":"{token}","payment_intent":"pi_'$T'"}}}}}}'; \
SIG=$(printf '%s' "$T.$BODY" | openssl dgst -sha256 -hmac "{secret}" -r | cut -d' ' -f1); \
curl -i -H "Stripe-Signature: t=$T,v1=$SIG" -H 'Content-Type: application/json' --data-raw "$BODY" {root}/payments/stripe/"#
        )
    }
}

/// 32 letters and digits that nobody can guess.
fn random() -> Result<String, Box<dyn Error>> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
