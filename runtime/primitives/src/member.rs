//! Who acts: roles and states of members, and what a contract sees as its caller.

use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, ContractId};

/// What a member may do in the consortium. A member can have several.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Issues and redeems deposits, finances claims.
    #[codec(index = 0)]
    Bank,
    /// Debtor whose credit carries certificates.
    #[codec(index = 1)]
    CoreEnterprise,
    /// Supplier of any tier.
    #[codec(index = 2)]
    Supplier,
    /// Carrier, forwarder, warehouse.
    #[codec(index = 3)]
    Logistics,
    /// Customs authority.
    #[codec(index = 4)]
    Customs,
    /// Operator of the platform: holds no money and no claim.
    #[codec(index = 5)]
    Platform,
    /// Reads what its mandate grants, writes nothing.
    #[codec(index = 6)]
    Auditor,
    /// Reads all, freezes under governance.
    #[codec(index = 7)]
    Regulator,
    /// Insures shipments.
    #[codec(index = 8)]
    Insurer,
    /// Attests scores and risk data.
    #[codec(index = 9)]
    RiskProvider,
}

impl Role {
    /// The variant's codec index, as host functions take it.
    pub fn index(self) -> u8 {
        self as u8
    }
}

/// State of a member. Index 0 stays free: host functions answer it for "unknown".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// In good standing.
    #[codec(index = 1)]
    Active,
    /// May receive and repay; may not issue, transfer or draw.
    #[codec(index = 2)]
    Restricted,
    /// Can neither give nor take.
    #[codec(index = 3)]
    Frozen,
    /// No longer of the consortium.
    #[codec(index = 4)]
    Left,
}

impl MemberStatus {
    /// The variant's codec index, as host functions answer it.
    pub fn index(self) -> u8 {
        self as u8 + 1
    }
}

/// Who calls a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize, Deserialize)]
pub enum Caller {
    /// The sender of the transaction; in a query the reader whose signature was verified.
    #[codec(index = 0)]
    Account(AccountId),
    /// Another contract; the contract itself when the agenda calls.
    #[codec(index = 1)]
    Contract(ContractId),
    /// In queries only: the operator of the node, on loopback.
    #[codec(index = 2)]
    Operator,
}
