//! Raw amounts in JSON: a number as far as every reader holds it exactly, else a decimal string.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// Largest integer that a double holds exactly, with all below it.
const MAX_EXACT: u128 = 1 << 53;

/// Raw integer units (lamports, token base units).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units(u128);

impl From<u64> for Units {
    fn from(units: u64) -> Self {
        Self(units.into())
    }
}

impl From<u128> for Units {
    fn from(units: u128) -> Self {
        Self(units)
    }
}

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match u64::try_from(self.0) {
            Ok(units) if self.0 <= MAX_EXACT => serializer.serialize_u64(units),
            _ => serializer.collect_str(&self.0),
        }
    }
}

impl JsonSchema for Units {
    fn schema_name() -> Cow<'static, str> {
        "Units".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Raw integer units; a decimal string above 2^53.",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_992_u64 },
                { "type": "string", "pattern": "^[0-9]{16,39}$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn a_number_only_where_a_double_holds_it() {
        let json = |units: u128| serde_json::to_string(&Units(units)).unwrap();
        assert_eq!(json(0), "0");
        assert_eq!(json(MAX_EXACT), "9007199254740992");
        assert_eq!(json(MAX_EXACT + 1), "\"9007199254740993\"");
        assert_eq!(json(u128::MAX), format!("\"{}\"", u128::MAX));
    }
}
