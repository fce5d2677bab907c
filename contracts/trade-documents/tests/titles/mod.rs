//! Acts on titles for tests, each made on what the chain has now.
#![allow(dead_code)]

use portolan_interface::{
    AccountId, DocumentId, Hash,
    trade::{Bill, BillTerms, EndorsementForm, SurrenderPurpose, TitleAct, TitleStep, TitleView, TradeError},
};
use portolan_sdk::CallError;

pub use crate::world::refuses;
use crate::world::{Firm, Trade, World, cny};

pub type Outcome = Result<(), CallError<TradeError>>;

/// A world with a bill whose title tier 1 owns.
pub fn bill() -> (World, DocumentId) {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let bill = world.bill(1, order);
    (world, bill)
}

pub fn title(world: &World, bill: DocumentId) -> TitleView {
    Trade::over(world.chain.as_operator()).title(bill, None).unwrap()
}

pub fn record(world: &World, bill: DocumentId) -> Bill {
    title(world, bill).bill
}

pub fn owners(world: &World, bill: DocumentId) -> (AccountId, AccountId) {
    let bill = record(world, bill);
    (bill.holder, bill.beneficiary)
}

/// Acts of the chain and who made them, oldest first.
pub fn acts(world: &World, bill: DocumentId) -> Vec<(TitleAct, AccountId)> {
    title(world, bill).endorsements.iter().map(|entry| (entry.act, entry.by)).collect()
}

/// On what the chain has now.
pub fn now(world: &World, bill: DocumentId) -> TitleStep {
    TitleStep { seen: record(world, bill).endorsements, remark: None }
}

pub fn nominate(world: &World, by: Firm, bill: DocumentId, nominee: Option<Firm>) -> Outcome {
    world.trade(by).nominate(by.account, bill, nominee.map(|firm| firm.account), now(world, bill))
}

pub fn transfer_holder(world: &World, by: Firm, bill: DocumentId, to: Firm) -> Outcome {
    world.trade(by).transfer_holder(by.account, bill, to.account, now(world, bill))
}

pub fn transfer_beneficiary(world: &World, by: Firm, bill: DocumentId) -> Outcome {
    world.trade(by).transfer_beneficiary(by.account, bill, now(world, bill))
}

pub fn endorse(world: &World, by: Firm, bill: DocumentId, to: Firm) -> Outcome {
    endorse_as(world, by, bill, EndorsementForm::ToOrder(to.account))
}

pub fn endorse_as(world: &World, by: Firm, bill: DocumentId, form: EndorsementForm) -> Outcome {
    world.trade(by).endorse(by.account, bill, form, now(world, bill))
}

pub fn reject(world: &World, by: Firm, bill: DocumentId) -> Outcome {
    world.trade(by).reject_title(by.account, bill, now(world, bill))
}

pub fn surrender(world: &World, by: Firm, bill: DocumentId) -> Outcome {
    surrender_for(world, by, bill, SurrenderPurpose::Delivery)
}

pub fn surrender_for(world: &World, by: Firm, bill: DocumentId, purpose: SurrenderPurpose) -> Outcome {
    world.trade(by).surrender(by.account, bill, purpose, now(world, bill))
}

pub fn answer(world: &World, by: Firm, bill: DocumentId, accept: bool) -> Outcome {
    world.trade(by).answer_surrender(by.account, bill, accept, now(world, bill))
}

pub fn pledge(world: &World, by: Firm, bill: DocumentId, bank: Firm) -> Outcome {
    world.trade(by).pledge_title(by.account, bill, bank.account, now(world, bill))
}

pub fn release(world: &World, by: Firm, bill: DocumentId) -> Outcome {
    world.trade(by).release_title(by.account, bill, now(world, bill))
}

pub fn indemnify(world: &World, by: Firm, bill: DocumentId, letter: Hash) -> Outcome {
    world.trade(by).give_indemnity(by.account, bill, letter, now(world, bill))
}

pub fn deliver(world: &World, by: Firm, bill: DocumentId, to: Firm) -> Outcome {
    world.trade(by).deliver(by.account, bill, to.account, now(world, bill))
}

/// Another bill for the order of [`bill`].
pub fn issue(
    world: &World,
    seed: u64,
    order: DocumentId,
    change: impl FnOnce(&mut BillTerms),
) -> Result<DocumentId, CallError<TradeError>> {
    let mut terms = world.bill_terms(seed, order);
    change(&mut terms);
    world.trade(world.carrier).issue_bill(world.carrier.account, terms)
}
