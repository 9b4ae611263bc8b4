//! Which variants there are rows of: for those whose configurations are loaded once they are needed.

use crate::domain::Timestamp;
use crate::error::Error;

/// Looking for names of variants, each look bounded by how many names there are or are wanted, not by the rows.
pub(crate) trait VariantNames {
    /// The variants that there are events, payments or subscriptions of, from this name on, in the database's order.
    fn variants_from(&mut self, name: &str, cap: i64) -> Result<Vec<String>, Error>;
    /// The variants of the `cap` events that are due first, besides the events of some variants.
    fn waiting_variants(&mut self, now: Timestamp, cap: i64, except: &[String]) -> Result<Vec<String>, Error>;
    /// The same of operations on payments.
    fn operating_variants(&mut self, now: Timestamp, cap: i64, except: &[String]) -> Result<Vec<String>, Error>;
    /// The same of operations on subscriptions.
    fn subscription_operating_variants(
        &mut self,
        now: Timestamp,
        cap: i64,
        except: &[String],
    ) -> Result<Vec<String>, Error>;
    /// The variants of which there are at least so many among the `window` payments that were created last.
    fn creating_variants(&mut self, window: i64, least: i64) -> Result<Vec<String>, Error>;
    /// The variants of which questions to their gateways are due, besides some, up to `cap`.
    fn fetching_variants(&mut self, now: Timestamp, cap: i64, except: &[String]) -> Result<Vec<String>, Error>;
    /// The variants of which questions to their gateways are open, besides some, up to `cap`: those with the oldest ones.
    fn asking_variants(&mut self, cap: i64, except: &[String]) -> Result<Vec<String>, Error>;
}
