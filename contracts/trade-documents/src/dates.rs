//! What a document's date may be, by kind: impossible dates are refused, odd ones are flagged. The table is the documentation of [`DateFlag`].
//! Must never judge by anything but dates: a flag says what is odd, not who is wrong.

use alloc::vec::Vec;

use portolan_interface::{
    BusinessDate,
    trade::{DateFlag, TradeError},
};
use portolan_sdk::{ensure, env};

pub fn today() -> BusinessDate {
    BusinessDate(env::business_date())
}

/// An order's window is not over when the order is given.
pub fn window(until: BusinessDate) -> Result<(), TradeError> {
    ensure!(until >= today(), TradeError::DeliveryOver { until });
    Ok(())
}

/// Goods are on board when the bill says so.
pub fn on_board(on_board: BusinessDate, ordered: BusinessDate) -> Result<Vec<DateFlag>, TradeError> {
    ensure!(on_board <= today(), TradeError::OnBoardInFuture { on_board });
    Ok(before_order(on_board, ordered))
}

/// An invoice is issued before it is registered.
pub fn issued(issued: BusinessDate, ordered: BusinessDate) -> Result<Vec<DateFlag>, TradeError> {
    ensure!(issued <= today(), TradeError::IssuedInFuture { issued });
    Ok(before_order(issued, ordered))
}

/// What a document reports has happened.
pub fn not_in_future(date: BusinessDate) -> Result<(), TradeError> {
    let date = date.checked().map_err(TradeError::Terms)?;
    ensure!(date <= today(), TradeError::DateInFuture { date });
    Ok(())
}

/// What a document reports has happened, and not before what it follows.
pub fn after(date: BusinessDate, earliest: Option<BusinessDate>) -> Result<(), TradeError> {
    not_in_future(date)?;
    match earliest {
        Some(earliest) if date < earliest => Err(TradeError::DateTooEarly { date, earliest }),
        _ => Ok(()),
    }
}

fn before_order(date: BusinessDate, ordered: BusinessDate) -> Vec<DateFlag> {
    Vec::from_iter((date < ordered).then_some(DateFlag::BeforeOrder))
}

/// Adds what another document's dates are flagged with.
pub fn join(flags: &mut Vec<DateFlag>, others: &[DateFlag]) {
    for flag in others {
        if !flags.contains(flag) {
            flags.push(*flag);
        }
    }
}
