//! Bills of lading and their title: one holder, who controls it, and one beneficiary, who owns the right.

use alloc::{string::String, vec::Vec};

use codec::Encode;

use super::DateFlag;
use crate::{AccountId, BusinessDate, DocumentId, Hash, data, small};

/// Most containers of one bill of lading.
pub const MAX_CONTAINERS: usize = 256;
/// Longest number of a bill of lading, in bytes (DCSA: 20; 35 in older messages).
pub const MAX_BILL_NUMBER: usize = 35;
/// Most endorsements that a bill brings along from another platform.
pub const MAX_EARLIER: usize = 64;

/// What a bearer signs with the key of a blank endorsement to take the title: the bill and the account that takes it, so that nobody who
/// sees the signature can use it for another account.
pub fn presentation(bill: DocumentId, presenter: AccountId) -> Vec<u8> {
    ("portolan presentation of a title", bill, presenter).encode()
}

small! {
    /// Where the title of a bill of lading stands.
    pub enum TitleState {
        /// In force.
        #[codec(index = 0)]
        Issued,
        /// Given back to the carrier, who has not answered.
        #[codec(index = 1)]
        Surrendered,
        /// The carrier took it for delivery: the title has ended, nothing moves any more.
        #[codec(index = 2)]
        Accomplished,
        /// Switched to paper: the electronic title has ended for ever; a new one may name it.
        #[codec(index = 3)]
        OnPaper,
        /// Void, with its owner's consent; a new one may name it.
        #[codec(index = 4)]
        Void,
    }

    /// For what a title is given to the carrier. Giving it is the owner's consent to what follows.
    pub enum SurrenderPurpose {
        /// For the goods: the title ends.
        #[codec(index = 0)]
        Delivery,
        /// For a paper bill: the electronic title ends for ever.
        #[codec(index = 1)]
        Paper,
        /// For another bill in its place: this one is void.
        #[codec(index = 2)]
        Reissue,
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
        /// Both went on together, to the order of the new owner.
        #[codec(index = 3)]
        Both,
        /// The receiver gave it back.
        #[codec(index = 4)]
        Reject,
        /// Given to the carrier.
        #[codec(index = 5)]
        Surrender,
        /// The carrier accepted for delivery: the end.
        #[codec(index = 6)]
        SurrenderAccepted,
        /// The carrier rejected: the title returned.
        #[codec(index = 7)]
        SurrenderRejected,
        /// A next beneficiary was named, or none any more.
        #[codec(index = 8)]
        Nominate,
        /// Both went on together, to the new owner alone.
        #[codec(index = 9)]
        Named,
        /// Endorsed in blank: whoever presents it takes it.
        #[codec(index = 10)]
        Blank,
        /// A bearer presented it.
        #[codec(index = 11)]
        Presented,
        /// Pledged to a bank.
        #[codec(index = 12)]
        Pledge,
        /// The bank released the pledge.
        #[codec(index = 13)]
        PledgeReleased,
        /// The carrier proposed an amendment.
        #[codec(index = 14)]
        AmendmentProposed,
        /// The owner consented: the bill is amended.
        #[codec(index = 15)]
        Amended,
        /// The owner refused the amendment, or the carrier took it back.
        #[codec(index = 16)]
        AmendmentRefused,
        /// The carrier accepted for paper: the end of the electronic title.
        #[codec(index = 17)]
        SwitchedToPaper,
        /// The carrier accepted for a new bill: this one is void.
        #[codec(index = 18)]
        Voided,
        /// A new bill took its place.
        #[codec(index = 19)]
        Replaced,
        /// Somebody gave a letter of indemnity for delivery without the title.
        #[codec(index = 20)]
        Indemnified,
        /// The goods were delivered.
        #[codec(index = 21)]
        Delivered,
    }

    /// On what goods were delivered.
    pub enum DeliveryBasis {
        /// The title was surrendered and taken.
        #[codec(index = 0)]
        Surrender,
        /// A recorded letter of indemnity; the title is still out.
        #[codec(index = 1)]
        Indemnity,
    }

    /// What an actor saw and says with an act on a title.
    pub struct TitleStep {
        /// Entries of the endorsement chain that the actor saw; with another number the act is refused as stale, so of two acts in one block
        /// the first in order wins.
        pub seen: u32,
        /// Hash of a remark that stays outside, encrypted for whom it is meant.
        pub remark: Option<Hash>,
    }

    /// The public key of a bearer: a scheme byte and 32 bytes. Made for one blank endorsement; whoever has its secret half can take the title.
    pub struct BearerKey(pub [u8; 33]);
}

data! {
    /// A container number by ISO 6346, such as `MSKU6011672`.
    pub struct ContainerNumber(pub String);

    /// A place by UN/LOCODE, such as `CNSHA`.
    pub struct Unlocode(pub String);

    /// To whom a title is endorsed.
    pub enum EndorsementForm {
        /// To the order of an account, which may endorse it on.
        #[codec(index = 0)]
        ToOrder(AccountId),
        /// To an account alone, which may surrender it and nothing else.
        #[codec(index = 1)]
        Named(AccountId),
        /// In blank: to whoever presents it with a signature by this key. Until then it is with who endorsed, and nothing else moves it.
        #[codec(index = 2)]
        Blank(BearerKey),
    }

    /// One endorsement of a bill's life on another platform. Parties there are no accounts: they are salted commitments.
    pub struct EarlierEndorsement {
        /// Who endorsed.
        pub from: Hash,
        /// To whom.
        pub to: Hash,
        /// On which day.
        pub date: BusinessDate,
    }

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
        /// Container numbers.
        pub containers: Vec<ContainerNumber>,
        /// Port of loading.
        pub loading: Unlocode,
        /// Port of discharge.
        pub discharge: Unlocode,
        /// Day on board.
        pub on_board: BusinessDate,
        /// Whether the title can be endorsed; a straight bill cannot, and names its consignee.
        pub negotiable: bool,
        /// First holder.
        pub holder: AccountId,
        /// First beneficiary.
        pub beneficiary: AccountId,
        /// Salted commitment to the whole document.
        pub commitment: Hash,
        /// The bill of this carrier, void or on paper, in whose place this one stands; it may have the same number.
        pub replaces: Option<DocumentId>,
        /// Its endorsements on another platform, oldest or newest first, without a gap. They are kept oldest first.
        pub earlier: Vec<EarlierEndorsement>,
    }

    /// What a carrier would change of a bill.
    pub struct Amendment {
        /// Container numbers.
        pub containers: Vec<ContainerNumber>,
        /// Port of loading.
        pub loading: Unlocode,
        /// Port of discharge.
        pub discharge: Unlocode,
        /// Day on board.
        pub on_board: BusinessDate,
        /// Salted commitment to the whole document as amended.
        pub commitment: Hash,
    }

    /// A promise to hold the carrier harmless for delivery without the title.
    pub struct Indemnity {
        /// Who promised, by an act of their own.
        pub giver: AccountId,
        /// Salted commitment to the letter.
        pub letter: Hash,
    }

    /// That the goods are gone.
    pub struct Delivery {
        /// On what.
        pub basis: DeliveryBasis,
        /// To whom.
        pub to: AccountId,
        /// The business date.
        pub date: BusinessDate,
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
        pub containers: Vec<ContainerNumber>,
        /// Port of loading.
        pub loading: Unlocode,
        /// Port of discharge.
        pub discharge: Unlocode,
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
        /// Whether it was endorsed to its owner alone, and so goes no further.
        pub named_only: bool,
        /// While it is endorsed in blank: the key whose bearer takes it.
        pub bearer: Option<BearerKey>,
        /// The bank that it is pledged to, without whose approval nothing of the title moves.
        pub pledgee: Option<AccountId>,
        /// While it is with the carrier: for what.
        pub purpose: Option<SurrenderPurpose>,
        /// What the carrier would amend, until the owner answers.
        pub amendment: Option<Amendment>,
        /// How often it was amended.
        pub amendments: u32,
        /// The letter of indemnity for delivery without the title.
        pub indemnity: Option<Indemnity>,
        /// That the goods are gone, once they are.
        pub delivery: Option<Delivery>,
        /// The bill in whose place it stands.
        pub replaces: Option<DocumentId>,
        /// The bill that stands in its place.
        pub replaced_by: Option<DocumentId>,
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
        /// Whom the act names besides: the nominee, the pledgee, who got the goods.
        pub named: Option<AccountId>,
        /// Hash of the actor's remark.
        pub remark: Option<Hash>,
        /// The business date.
        pub date: BusinessDate,
        /// The block's height.
        pub height: u64,
    }

    /// A title with its whole endorsement chain.
    pub struct TitleView {
        /// The bill.
        pub bill: Bill,
        /// Its endorsements on another platform, oldest first.
        pub earlier: Vec<EarlierEndorsement>,
        /// The endorsements from number `from` on, oldest first.
        pub endorsements: Vec<Endorsement>,
    }
}

impl From<&str> for ContainerNumber {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Unlocode {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}
