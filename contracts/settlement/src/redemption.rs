//! Redemption through a payment order: the owner asks, the amount leaves the deposit and is pending, and the bank answers once.
//!
//! Pending money is still owed by the bank: it is part of what is outstanding until the bank says that it paid. What is never answered stays in
//! the lists of the bank and of the account for ever. Must never take an answer for another amount than the order's.

use codec::{Decode, Encode};
use portolan_interface::{
    AccountId, BusinessDate, Currency, Hash, MemberId, Money,
    settlement::{
        RecordKind, Redemption, RedemptionAnswer, RedemptionPage, RedemptionReply, RedemptionState, SettlementError,
        SettlementEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    EXECUTED, PENDING_AT, PENDING_OF, REDEMPTIONS, REDEMPTIONS_OF,
    deposits::{self, Place},
};

/// An order in its bank's list.
#[derive(Clone, Encode, Decode)]
pub struct Order {
    account: AccountId,
    currency: Currency,
    minor: i128,
    order: Hash,
    requested: i32,
    stage: Stage,
}

#[derive(Clone, Encode, Decode)]
enum Stage {
    /// With its places in the two lists of what is pending, which tell of it as long as this lasts.
    #[codec(index = 0)]
    Pending { at_bank: u32, of_account: u32 },
    #[codec(index = 1)]
    Executed(RedemptionReply),
    #[codec(index = 2)]
    Refused(RedemptionReply),
}

impl Stage {
    fn state(&self) -> RedemptionState {
        match self {
            Self::Pending { .. } => RedemptionState::Pending,
            Self::Executed(_) => RedemptionState::Executed,
            Self::Refused(_) => RedemptionState::Refused,
        }
    }
}

/// The owner asks; answers the order's number in the bank's list.
pub fn request(place: Place, amount: Money, order: Hash) -> Result<u32, SettlementError> {
    deposits::ensure_free(place, amount.minor)?;
    deposits::set_pending(place, amount.minor)?;
    let Place { account, bank, currency } = place;
    let number = REDEMPTIONS.len(&bank);
    let at_bank = PENDING_AT.push(&bank, &number);
    let of_account = PENDING_OF.push(&account, &(bank, number));
    let stage = Stage::Pending { at_bank, of_account };
    let record = Order { account, currency, minor: amount.minor, order, requested: env::business_date(), stage };
    REDEMPTIONS.push(&bank, &record);
    REDEMPTIONS_OF.push(&account, &(bank, number));
    emit(&SettlementEvent::RedemptionRequested { bank, number, account, amount, order });
    Ok(number)
}

/// The bank says what became of an order.
pub fn answer(
    bank: MemberId,
    number: u32,
    amount: Money,
    answer: RedemptionAnswer,
    reference: Hash,
) -> Result<(), SettlementError> {
    let mut order = load(bank, number)?;
    let Stage::Pending { at_bank, of_account } = order.stage else {
        return Err(SettlementError::RedemptionAnswered { state: order.stage.state() });
    };
    let requested = Money::new(order.minor, order.currency);
    ensure!(amount == requested, SettlementError::RedemptionAmount { requested });
    let account = order.account;
    let place = Place::new(account, bank, order.currency);
    let reply = RedemptionReply { on: BusinessDate(env::business_date()), reference };
    order.stage = match answer {
        RedemptionAnswer::Executed => {
            reconcile(bank, number, reference)?;
            deposits::pay_out_pending(place, order.minor)?;
            emit(&SettlementEvent::Redeemed { bank, number, account, amount, reference });
            Stage::Executed(reply)
        }
        RedemptionAnswer::Refused => {
            deposits::return_pending(place, order.minor)?;
            emit(&SettlementEvent::RedemptionRefused { bank, number, account, amount, reference });
            Stage::Refused(reply)
        }
    };
    REDEMPTIONS.set(&bank, number, &order);
    leave_pending(bank, account, at_bank, of_account);
    Ok(())
}

/// One payment of the bank's stands for one order.
fn reconcile(bank: MemberId, number: u32, reference: Hash) -> Result<(), SettlementError> {
    if let Some(number) = EXECUTED.get(&(bank, reference)) {
        return Err(SettlementError::ReferenceUsed { number });
    }
    EXECUTED.set(&(bank, reference), &number);
    Ok(())
}

/// Leaves both lists of what is pending; who is moved into a gap learns of its new place.
fn leave_pending(bank: MemberId, account: AccountId, at_bank: u32, of_account: u32) {
    PENDING_AT.swap_remove(&bank, at_bank);
    if let Some(moved) = PENDING_AT.get(&bank, at_bank) {
        place_anew(bank, moved, |at_bank_now, _| *at_bank_now = at_bank);
    }
    PENDING_OF.swap_remove(&account, of_account);
    if let Some((bank, moved)) = PENDING_OF.get(&account, of_account) {
        place_anew(bank, moved, |_, of_account_now| *of_account_now = of_account);
    }
}

fn place_anew(bank: MemberId, number: u32, change: impl FnOnce(&mut u32, &mut u32)) {
    let Some(mut order) = REDEMPTIONS.get(&bank, number) else { return };
    if let Stage::Pending { at_bank, of_account } = &mut order.stage {
        change(at_bank, of_account);
        REDEMPTIONS.set(&bank, number, &order);
    }
}

fn load(bank: MemberId, number: u32) -> Result<Order, SettlementError> {
    REDEMPTIONS.get(&bank, number).ok_or(SettlementError::Unknown { what: RecordKind::Redemption })
}

/// The order as people see it.
fn view(bank: MemberId, number: u32) -> Option<Redemption> {
    let order = REDEMPTIONS.get(&bank, number)?;
    let state = order.stage.state();
    let reply = match order.stage {
        Stage::Pending { .. } => None,
        Stage::Executed(reply) | Stage::Refused(reply) => Some(reply),
    };
    Some(Redemption {
        bank,
        number,
        account: order.account,
        amount: Money::new(order.minor, order.currency),
        order: order.order,
        requested: BusinessDate(order.requested),
        state,
        reply,
    })
}

/// A page of orders.
pub fn page(count: u32, orders: impl IntoIterator<Item = (MemberId, u32)>) -> RedemptionPage {
    let redemptions = orders.into_iter().filter_map(|(bank, number)| view(bank, number)).collect();
    RedemptionPage { count, redemptions }
}
