//! Money and time, and nothing else: amounts in minor units, day counts, interest, pro rata, waterfalls, dates, business days.
//!
//! Everything here is a pure function of its arguments. It must never use floats, storage, a clock or a host function,
//! and it must never guess: an amount that does not fit, a currency that differs or a day that no calendar covers is an error.
//!
//! Rounding happens in three places only: [`rate::Interest::amount`] and [`rate::share_of`] round once, half up; [`quote::Quote::convert`] rounds down;
//! [`spread`] gives the leftover units of a division to the largest remainders.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod business;
pub mod currency;
pub mod date;
mod error;
pub mod exact;
pub mod money;
pub mod quote;
pub mod rate;
pub mod spread;
pub mod waterfall;

pub use business::{Convention, DayStatus, adjust};
pub use currency::Currency;
pub use date::BusinessDate;
pub use error::TermsError;
pub use money::Money;
pub use quote::{Conversion, Quote};
pub use rate::{DayCount, Interest, Ppm, margin_call, share_of};
pub use spread::{equal_parts, largest_remainder, pro_rata};
pub use waterfall::{Claim, waterfall};
