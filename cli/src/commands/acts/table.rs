//! Which acts and questions of the contracts people find under which noun and verb. One row each: what flags it has and what they mean follow
//! from the contract's own description.

use portolan_interface::{settlement, trade};

/// A noun that has no other commands, and what it is about.
pub const NOUNS: &[(&str, &str)] = &[
    ("fx", "Exchange of currencies: a bank's quotes, spot exchanges, forwards"),
    ("promise", "Promises to pay later: made, collected when overdue, written off, recovered"),
    ("netting", "Setting off promises among several accounts, by everybody's consent"),
    ("sales", "Standing rules by which what comes to a sales account is shared"),
    ("credit-note", "What lowers an invoice after the fact, by both sides' consent"),
    ("origin", "Certificates of origin"),
    ("warehouse", "Warehouse receipts: title to stored goods"),
    ("policy", "Cargo insurance and claims on it"),
];

/// What of a message the verb says already.
#[derive(Clone, Copy, Debug)]
pub enum Fixed {
    /// This value, as JSON.
    Value(&'static str),
    /// This variant; its fields are flags.
    Variant(&'static str),
}

/// What a row does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Sends the message, and says this when it ran.
    Act(&'static str),
    /// Asks the question.
    Ask,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// First word.
    pub noun: &'static str,
    /// Second word.
    pub verb: &'static str,
    /// The contract.
    pub contract: &'static str,
    /// Its message or question.
    pub message: &'static str,
    /// What it does.
    pub does: Does,
    /// Arguments, by their path, that the verb says.
    pub fixed: &'static [(&'static str, Fixed)],
    /// Arguments, by their path, that may be left out, with what they then are, as JSON.
    pub default: &'static [(&'static str, &'static str)],
}

const SETTLEMENT: &str = settlement::api::NAME;
const TRADE: &str = trade::api::NAME;
const YES: Fixed = Fixed::Value("true");
const NO: Fixed = Fixed::Value("false");

const fn act(
    words: (&'static str, &'static str),
    contract: &'static str,
    message: &'static str,
    done: &'static str,
) -> Row {
    Row { noun: words.0, verb: words.1, contract, message, does: Does::Act(done), fixed: &[], default: &[] }
}

const fn ask(words: (&'static str, &'static str), contract: &'static str, message: &'static str) -> Row {
    Row { noun: words.0, verb: words.1, contract, message, does: Does::Ask, fixed: &[], default: &[] }
}

impl Row {
    const fn with(self, fixed: &'static [(&'static str, Fixed)]) -> Self {
        Self { fixed, ..self }
    }

    const fn or(self, default: &'static [(&'static str, &'static str)]) -> Self {
        Self { default, ..self }
    }
}

/// Every row.
pub const ROWS: &[Row] = &[
    // Money.
    ask(("settlement", "book"), SETTLEMENT, "book"),
    ask(("settlement", "redemptions"), SETTLEMENT, "redemptions_of"),
    ask(("settlement", "redemptions-at"), SETTLEMENT, "redemptions_at"),
    ask(("settlement", "waterfall"), SETTLEMENT, "waterfall"),
    act(("fx", "quote"), SETTLEMENT, "quote", "The quote stands; its number is")
        .or(&[("terms.until_ms", "18446744073709551615")]),
    act(("fx", "withdraw"), SETTLEMENT, "withdraw_quote", "The quote is withdrawn"),
    act(("fx", "exchange"), SETTLEMENT, "exchange", "It is exchanged"),
    act(("fx", "lock"), SETTLEMENT, "lock_rate", "The rate is locked; the forward's number is"),
    ask(("fx", "quotes"), SETTLEMENT, "quotes"),
    ask(("fx", "show"), SETTLEMENT, "quote_of"),
    ask(("fx", "forwards"), SETTLEMENT, "forwards_of"),
    ask(("fx", "forwards-at"), SETTLEMENT, "forwards_at"),
    ask(("fx", "forward"), SETTLEMENT, "forward"),
    act(("promise", "make"), SETTLEMENT, "promise", "It is promised; the promise's number is"),
    act(("promise", "collect"), SETTLEMENT, "collect_payables", "What was there is collected"),
    act(("promise", "write-off"), SETTLEMENT, "write_off", "The promise is written off"),
    act(("promise", "recover"), SETTLEMENT, "recover", "It is recovered"),
    ask(("promise", "list"), SETTLEMENT, "payables"),
    ask(("promise", "owed"), SETTLEMENT, "promised_to"),
    ask(("promise", "show"), SETTLEMENT, "payable"),
    act(("netting", "propose"), SETTLEMENT, "propose_netting", "The netting is proposed; its number is"),
    act(("netting", "consent"), SETTLEMENT, "consent_to_netting", "This party consents"),
    act(("netting", "refuse"), SETTLEMENT, "refuse_netting", "The netting is refused"),
    ask(("netting", "list"), SETTLEMENT, "nettings"),
    ask(("netting", "show"), SETTLEMENT, "netting"),
    act(("sales", "set-rule"), SETTLEMENT, "set_sales_rule", "The rule stands"),
    act(("sales", "release"), SETTLEMENT, "release_sales_rule", "This payee is due nothing more by the rule"),
    ask(("sales", "rule"), SETTLEMENT, "sales_rule"),
    // Orders and goods.
    act(("order", "change"), TRADE, "propose_order", "The change is proposed")
        .with(&[("proposal", Fixed::Variant("change"))]),
    act(("order", "cancel"), TRADE, "propose_order", "The cancellation is proposed")
        .with(&[("proposal", Fixed::Value("\"cancel\""))]),
    act(("order", "close"), TRADE, "propose_order", "The close is proposed")
        .with(&[("proposal", Fixed::Value("\"close\""))]),
    act(("order", "consent"), TRADE, "answer_proposal", "The proposal holds").with(&[("consent", YES)]),
    act(("order", "decline"), TRADE, "answer_proposal", "The proposal has ended").with(&[("consent", NO)]),
    act(("order", "ship"), TRADE, "ship_goods", "The shipment is recorded"),
    act(("order", "receive"), TRADE, "receive_goods", "The receipt is recorded"),
    act(("order", "inspect"), TRADE, "inspect_goods", "The inspection is recorded"),
    act(("order", "return"), TRADE, "return_goods", "The return is recorded"),
    ask(("order", "history"), TRADE, "order"),
    // Titles.
    act(("bill", "endorse-as"), TRADE, "endorse", "The title is endorsed"),
    act(("bill", "present"), TRADE, "present_title", "The bearer has the title"),
    act(("bill", "pledge"), TRADE, "pledge_title", "The title is pledged"),
    act(("bill", "release"), TRADE, "release_title", "The pledge is released"),
    act(("bill", "surrender-for"), TRADE, "surrender", "The title is surrendered"),
    act(("bill", "amend"), TRADE, "propose_amendment", "The amendment is proposed"),
    act(("bill", "consent"), TRADE, "answer_amendment", "The bill is amended").with(&[("consent", YES)]),
    act(("bill", "decline"), TRADE, "answer_amendment", "The amendment has ended").with(&[("consent", NO)]),
    act(("bill", "indemnify"), TRADE, "give_indemnity", "The letter of indemnity is recorded"),
    act(("bill", "deliver"), TRADE, "deliver", "The delivery is recorded"),
    // Customs.
    act(("customs", "amend"), TRADE, "amend_declaration", "The declaration is amended"),
    act(("origin", "certify"), TRADE, "certify_origin", "The certificate of origin is"),
    act(("origin", "revoke"), TRADE, "revoke_origin", "The certificate of origin is revoked"),
    ask(("origin", "show"), TRADE, "document"),
    // Invoices and what lowers them.
    act(("document", "match"), TRADE, "match_invoice", "The invoice is matched"),
    act(("document", "release"), TRADE, "review_invoice", "This side of the review releases the invoice")
        .with(&[("release", YES)]),
    act(("document", "reject"), TRADE, "review_invoice", "The invoice is rejected").with(&[("release", NO)]),
    ask(("document", "review"), TRADE, "review"),
    ask(("document", "reviews"), TRADE, "reviews"),
    act(("document", "dispute"), TRADE, "dispute_invoice", "The invoice is disputed"),
    act(("document", "end-dispute"), TRADE, "end_dispute", "The dispute has ended"),
    act(("document", "cancel"), TRADE, "cancel_invoice", "The invoice is withdrawn"),
    ask(("document", "list"), TRADE, "documents"),
    ask(("document", "root"), TRADE, "commitment"),
    act(("credit-note", "propose"), TRADE, "propose_credit", "The credit note is").or(&[("terms.tax_minor", "0")]),
    act(("credit-note", "agree"), TRADE, "answer_credit", "The credit note is agreed on").with(&[("agree", YES)]),
    act(("credit-note", "refuse"), TRADE, "answer_credit", "The credit note has ended").with(&[("agree", NO)]),
    ask(("credit-note", "show"), TRADE, "document"),
    // Stored and insured goods.
    act(("warehouse", "issue"), TRADE, "issue_receipt", "The warehouse receipt is"),
    act(("warehouse", "split"), TRADE, "split_receipt", "The parts are"),
    act(("warehouse", "pledge"), TRADE, "pledge_receipt", "The receipt is pledged"),
    act(("warehouse", "release"), TRADE, "release_receipt", "The pledge is released"),
    act(("warehouse", "value"), TRADE, "value_receipt", "The price is attested"),
    act(("warehouse", "surrender"), TRADE, "surrender_receipt", "The receipt is surrendered"),
    act(("warehouse", "deliver"), TRADE, "answer_receipt", "The goods are delivered").with(&[("deliver", YES)]),
    act(("warehouse", "give-back"), TRADE, "answer_receipt", "The receipt went back to its owner")
        .with(&[("deliver", NO)]),
    ask(("warehouse", "show"), TRADE, "receipt"),
    act(("policy", "insure"), TRADE, "insure_cargo", "The policy is"),
    act(("policy", "claim"), TRADE, "claim_loss", "The loss is claimed; the claim's number is"),
    act(("policy", "accept"), TRADE, "answer_claim", "The claim is accepted"),
    act(("policy", "refuse"), TRADE, "answer_claim", "The claim is refused")
        .with(&[("accepted", Fixed::Value("null"))]),
    ask(("policy", "show"), TRADE, "document"),
];

/// Messages that have commands of their own, with checks and words that no table has.
#[cfg(test)]
pub const TYPED: &[(&str, &str)] = &[
    (SETTLEMENT, "serve"),
    (SETTLEMENT, "issue"),
    (SETTLEMENT, "redeem"),
    (SETTLEMENT, "answer_redemption"),
    (SETTLEMENT, "transfer"),
    (TRADE, "offer_order"),
    (TRADE, "answer_order"),
    (TRADE, "issue_bill"),
    (TRADE, "nominate"),
    (TRADE, "transfer_holder"),
    (TRADE, "transfer_beneficiary"),
    (TRADE, "reject_title"),
    (TRADE, "answer_surrender"),
    (TRADE, "lodge_declaration"),
    (TRADE, "decide_declaration"),
    (TRADE, "register_invoice"),
    (TRADE, "erase_salts"),
];
