//! What can be wrong with a cell, in the words of the operator who reads the report.

use serde::{Deserialize, Serialize};

/// One fault of one row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RowFault {
    pub column: String,
    pub value: String,
    pub fault: Fault,
    /// What the column is called in a shop's file, and on which line its value stands there, where that is another than
    /// the row's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<i64>,
}

impl RowFault {
    pub fn new(column: impl Into<String>, value: impl Into<String>, fault: Fault) -> Self {
        Self { column: column.into(), value: value.into(), fault, field: None, line: None }
    }

    /// What the operator finds it by in the file.
    pub fn name(&self) -> &str {
        self.field.as_deref().unwrap_or(&self.column)
    }
}

/// What is wrong with a value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum Fault {
    #[error("required")]
    Required,
    #[error("not an e-mail address")]
    NotAnEmail,
    #[error("not a date")]
    NotADate,
    #[error("no such date")]
    NoSuchDate,
    #[error("not a whole number")]
    NotAWholeNumber,
    #[error("quantity below 1")]
    QuantityBelowOne,
    #[error("more than {0}")]
    TooLarge(i64),
    #[error("not a decimal")]
    NotADecimal,
    #[error("below zero")]
    BelowZero,
    #[error("not an ISO 4217 code")]
    NotACurrency,
    #[error("not an ISO 3166-1 country")]
    NotACountry,
    #[error("not a BCP 47 language")]
    NotALanguage,
    #[error("not one of goods, software, journey, installation")]
    NotAKind,
    #[error("unknown plan")]
    UnknownPlan,
    #[error("the plan is not for this kind")]
    PlanForAnotherKind,
    #[error("delivered before it was purchased")]
    DeliveredBeforePurchased,
    #[error("more serial numbers than quantity")]
    MoreSerialsThanQuantity,
    #[error("the same serial number twice")]
    SerialTwice,
    #[error("longer than {0} characters")]
    TooLong(usize),
    #[error("the same order line as in line {0}")]
    SameAsLine(u64),
    #[error("{found} cells where the header has {expected}")]
    CellCount { found: usize, expected: usize },
    #[error("not UTF-8")]
    NotUtf8,
    #[error("several organisations have this name, organisation_id tells them apart{0}")]
    SeveralOrganisations(String),
    #[error("conflict: {0}")]
    Conflict(Conflict),
}

/// Why a changed row must not be applied: somebody already relies on what it would take away.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, thiserror::Error)]
pub enum Conflict {
    #[error("an item of it has a repair")]
    Repair,
    #[error("an item of it was registered by a customer")]
    Registration,
    #[error("an item of it was handed on")]
    Transfer,
    #[error("a benefit of it was used")]
    UsedBenefit,
}
