//! How times and amounts are written in the JSON in which a subscription's facts are kept: times in microseconds since
//! 1970, amounts in minor units beside their currency.

/// A time.
pub(super) mod time {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::domain::{Timestamp, storable_time};

    pub(in super::super) fn to_micros(at: Timestamp) -> i64 {
        i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(0)
    }

    pub(in super::super) fn from_micros(micros: i64) -> Option<Timestamp> {
        Timestamp::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok().and_then(storable_time)
    }

    pub(in super::super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(to_micros(*at))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        from_micros(micros).ok_or_else(|| D::Error::custom("expected a time between 1970 and 9999"))
    }
}

/// A time that may be missing.
pub(super) mod maybe_time {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::time::{from_micros, to_micros};
    use crate::domain::Timestamp;

    pub(in super::super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        at.map(to_micros).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D>(deserializer: D) -> Result<Option<Timestamp>, D::Error>
    where
        D: Deserializer<'de>,
    {
        Ok(Option::<i64>::deserialize(deserializer)?.and_then(from_micros))
    }
}

/// An amount that may be missing.
pub(super) mod maybe_money {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::money::{Currency, Money};

    pub(in super::super) fn serialize<S: Serializer>(money: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
        money.map(|money| (money.minor, money.currency.to_string())).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
        let kept = Option::<(i64, String)>::deserialize(deserializer)?;
        Ok(kept.and_then(|(minor, code)| Some(Money::new(minor, Currency::parse(&code).ok()?))))
    }
}
