//! Bills of lading and their title.

use alloc::{string::String, vec::Vec};

use super::DateFlag;
use crate::{AccountId, BusinessDate, DocumentId, Hash, data, small};

/// Most containers of one bill of lading.
pub const MAX_CONTAINERS: usize = 256;
/// Longest number of a bill of lading, in bytes (DCSA: 20; 35 in older messages).
pub const MAX_BILL_NUMBER: usize = 35;

small! {
    /// Where the title of a bill of lading stands.
    pub enum TitleState {
        /// In force.
        #[codec(index = 0)]
        Issued,
        /// Given back to the carrier, who has not answered.
        #[codec(index = 1)]
        Surrendered,
        /// The carrier took it: the title has ended, nothing moves any more.
        #[codec(index = 2)]
        Accomplished,
    }

    /// What an act on a title changed.
    pub enum TitleAct {
        /// The carrier issued it.
        #[codec(index = 0)]
        Issue,
        /// Holdership went on.
        #[codec(index = 1)]
        Holder,
        /// The beneficial right went to the nominee.
        #[codec(index = 2)]
        Beneficiary,
        /// Both went on together.
        #[codec(index = 3)]
        Both,
        /// The receiver gave it back.
        #[codec(index = 4)]
        Reject,
        /// Given to the carrier.
        #[codec(index = 5)]
        Surrender,
        /// The carrier accepted: the end.
        #[codec(index = 6)]
        SurrenderAccepted,
        /// The carrier rejected: the title returned.
        #[codec(index = 7)]
        SurrenderRejected,
    }
}

data! {
    /// What a carrier issues.
    pub struct BillTerms {
        /// The carrier's own number, 1 to 35 bytes of ASCII letters, digits, `-` and `/`. Only its keyed hash is stored.
        pub number: String,
        /// Who gave the goods.
        pub shipper: AccountId,
        /// To whom they go; none: to order.
        pub consignee: Option<AccountId>,
        /// The order that they belong to.
        pub order: DocumentId,
        /// Container numbers by ISO 6346, such as `MSKU6011672`.
        pub containers: Vec<[u8; 11]>,
        /// Port of loading, UN/LOCODE.
        pub loading: [u8; 5],
        /// Port of discharge, UN/LOCODE.
        pub discharge: [u8; 5],
        /// Day on board.
        pub on_board: BusinessDate,
        /// Whether the title can be endorsed; a straight bill cannot.
        pub negotiable: bool,
        /// First holder.
        pub holder: AccountId,
        /// First beneficiary.
        pub beneficiary: AccountId,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
    }

    /// A bill of lading and its title.
    pub struct Bill {
        /// Its id.
        pub id: DocumentId,
        /// Who carries.
        pub carrier: AccountId,
        /// Who gave the goods.
        pub shipper: AccountId,
        /// To whom they go; none: to order.
        pub consignee: Option<AccountId>,
        /// The order that they belong to.
        pub order: DocumentId,
        /// Container numbers.
        pub containers: Vec<[u8; 11]>,
        /// Port of loading.
        pub loading: [u8; 5],
        /// Port of discharge.
        pub discharge: [u8; 5],
        /// Day on board.
        pub on_board: BusinessDate,
        /// Whether the title can be endorsed.
        pub negotiable: bool,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
        /// Who controls the title; exactly one.
        pub holder: AccountId,
        /// Who owns the right; exactly one.
        pub beneficiary: AccountId,
        /// Whom the beneficiary named as the next.
        pub nominee: Option<AccountId>,
        /// From whom holdership came and who may have it back, while the receiver has not acted.
        pub former_holder: Option<AccountId>,
        /// From whom the right came and who may have it back, while the receiver has not acted.
        pub former_beneficiary: Option<AccountId>,
        /// Number of entries of the endorsement chain.
        pub endorsements: u32,
        /// What is odd about its date.
        pub flags: Vec<DateFlag>,
        /// Height of the block that brought it.
        pub height: u64,
        /// Where the title stands.
        pub state: TitleState,
    }

    /// One entry of the endorsement chain.
    pub struct Endorsement {
        /// What happened.
        pub act: TitleAct,
        /// Who acted.
        pub by: AccountId,
        /// Holder afterwards.
        pub holder: AccountId,
        /// Beneficiary afterwards.
        pub beneficiary: AccountId,
        /// The business date.
        pub date: BusinessDate,
        /// The block's height.
        pub height: u64,
    }

    /// A title with its whole endorsement chain.
    pub struct TitleView {
        /// The bill.
        pub bill: Bill,
        /// The endorsements from number `from` on, oldest first.
        pub endorsements: Vec<Endorsement>,
    }
}
