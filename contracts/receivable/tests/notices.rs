//! What the contracts make known, act by act: whoever listens to events can follow a claim from order to payment.

mod world;

use portolan_interface::{
    PartId, financing,
    receivable::{self, ReceivableEvent, Recourse},
    settlement,
    trade::{self, OrderAnswer},
};
use portolan_sdk::{ContractId, codec::Decode};
use world::{World, cny, date};

const FACE: i128 = 120_000_000;

/// Names of what a contract told, in order.
fn told<E: Decode + std::fmt::Debug>(world: &World, contract: ContractId) -> Vec<String> {
    let name = |event: &E| format!("{event:?}").split([' ', '(']).next().unwrap_or_default().to_owned();
    world.chain.events::<E>(contract).iter().map(name).collect()
}

fn of_receivable(world: &World) -> Vec<String> {
    told::<ReceivableEvent>(world, receivable::api::CONTRACT)
}

#[test]
fn from_order_to_payment_every_act_is_told_once() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    world.deposit(cny(FACE));
    let parts = world.split(world.tier_1, root, &[40_000_000, 80_000_000]);
    world.transfer(world.tier_1, world.tier_2, parts[0]);
    world.discount(world.tier_2, parts[0], world.bank);
    world.advance_to(date("2026-06-01"));
    assert_eq!(
        told::<trade::TradeEvent>(&world, trade::api::CONTRACT),
        [
            "OrderOffered",
            "OrderAnswered",
            "BillIssued",
            "DeclarationLodged",
            "DeclarationDecided",
            "DeclarationDecided",
            "DeclarationDecided",
            "InvoiceRegistered",
            "InvoiceChanged",
            "InvoiceChanged",
            "InvoiceChanged",
        ]
    );
    assert_eq!(
        of_receivable(&world),
        [
            "Issued",
            "Accepted",
            "Split",
            "TransferOffered",
            "Transferred",
            "Transferred",
            "Matured",
            "Paid",
            "Paid",
            "Settled"
        ]
    );
    assert_eq!(
        told::<financing::FinancingEvent>(&world, financing::api::CONTRACT),
        ["Requested", "Offered", "Accepted", "Drawn"]
    );
    assert_eq!(
        told::<settlement::SettlementEvent>(&world, settlement::api::CONTRACT),
        ["Serving", "Serving", "Issued", "Issued", "Collected", "Spread", "Spread"]
    );
}

#[test]
fn what_comes_to_nothing_is_told_too() {
    let world = World::new();
    let refused = world.offered(1, cny(FACE));
    world.receivable(world.tier_1).refuse(world.tier_1.account, refused).unwrap();
    world.offered(2, cny(FACE));
    world.advance_to(world.in_days(8));
    assert_eq!(of_receivable(&world), ["Issued", "Refused", "Issued", "Expired"]);

    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let holder = world.receivable(world.tier_1);
    let offer = || {
        holder
            .offer_transfer(world.tier_1.account, root, world.tier_2.account, Recourse::Without, world.in_days(3))
            .unwrap()
    };
    offer();
    world.receivable(world.tier_2).reject_transfer(world.tier_2.account, root).unwrap();
    offer();
    holder.withdraw_transfer(world.tier_1.account, root).unwrap();
    offer();
    world.advance_to(world.in_days(4));
    let of_offers = ["TransferOffered", "OfferEnded"].repeat(3);
    assert_eq!(of_receivable(&world), [vec!["Issued", "Accepted"], of_offers].concat());
    // Nothing is on the deposit: it matures, and is overdue.
    world.advance_to(date("2026-06-01"));
    assert_eq!(of_receivable(&world)[8..], ["Matured", "Overdue"]);

    let order = world.trade(world.core).offer_order(world.core.account, world.order_terms(9, cny(FACE))).unwrap();
    world.trade(world.tier_1).answer_order(world.tier_1.account, order, OrderAnswer::Refuse).unwrap();
    let told = told::<trade::TradeEvent>(&world, trade::api::CONTRACT);
    assert_eq!(told[told.len() - 2..], ["OrderOffered", "OrderAnswered"]);
}

#[test]
fn each_step_of_a_title_is_told() {
    let world = World::new();
    let order = world.order(1, cny(1_000));
    let bill = world.bill(1, order);
    let (owner, next) = (world.trade(world.tier_1), world.trade(world.tier_2));
    let step = |seen| trade::TitleStep { seen, remark: None };
    owner.nominate(world.tier_1.account, bill, Some(world.tier_2.account), step(1)).unwrap();
    owner.transfer_beneficiary(world.tier_1.account, bill, step(2)).unwrap();
    next.reject_title(world.tier_2.account, bill, step(3)).unwrap();
    let form = trade::EndorsementForm::ToOrder(world.tier_2.account);
    owner.endorse(world.tier_1.account, bill, form, step(4)).unwrap();
    let told = told::<trade::TradeEvent>(&world, trade::api::CONTRACT);
    let steps = ["BillIssued", "Nominated", "TitleChanged", "TitleChanged", "TitleChanged"];
    assert_eq!(told[2..], steps);
}

#[test]
fn a_certificate_stands_in_the_lists_of_its_debtor_and_its_first_creditor() {
    let world = World::new();
    let (certificate, root) = world.live(1, cny(FACE));
    world.transfer(world.tier_1, world.tier_2, root);
    for (firm, count) in [(world.core, 1), (world.tier_1, 1), (world.tier_2, 0)] {
        let page = world.receivable(firm).certificates(firm.account, None).unwrap();
        let ids: Vec<_> = page.certificates.iter().map(|certificate| certificate.id).collect();
        assert_eq!(ids, vec![certificate; count]);
    }
    assert_eq!(root, PartId::root(certificate));
}

#[test]
fn a_request_and_an_offer_that_are_taken_back_are_told() {
    let world = World::new();
    let (_, root) = world.live(1, cny(FACE));
    let (borrower, bank) = (world.financing(world.tier_1), world.financing(world.bank));
    let id = borrower.request(world.tier_1.account, root).unwrap();
    let offer = bank.offer(world.bank.account, id, world.offer_terms()).unwrap();
    bank.withdraw_offer(world.bank.account, id, offer).unwrap();
    borrower.withdraw(world.tier_1.account, id).unwrap();
    let told = told::<financing::FinancingEvent>(&world, financing::api::CONTRACT);
    assert_eq!(told, ["Requested", "Offered", "OfferWithdrawn", "Withdrawn"]);
}
