//! `portolan financing`: money for a part before it is due.

use clap::{Subcommand, ValueEnum};
use portolan_interface::financing::OfferTerms;
use portolan_interface::financing::api::{Call, NAME};
use portolan_interface::{BusinessDate, DayCount, FinancingId, Money, PartId, Ppm};
use serde_json::json;

use super::receivable::RecourseArg;
use crate::args::{self, AccountArg, RecordId};
use crate::context::Context;
use crate::contracts::message;
use crate::error::CliResult;

/// Financing.
#[derive(Debug, Subcommand)]
pub enum FinancingCommand {
    /// The holder of a live part asks for finance on it.
    Request {
        /// The part, part1….
        #[arg(value_parser = args::part)]
        part: PartId,
    },
    /// A bank offers.
    Offer {
        /// The request, fin1….
        #[arg(value_parser = args::financing)]
        financing: FinancingId,
        /// Per cent a year, as 4.35.
        #[arg(long, value_parser = args::percent)]
        rate: Ppm,
        /// How days count.
        #[arg(long, value_enum, default_value = "act360")]
        day_count: DayCountArg,
        /// The fee, as 150.00CNY.
        #[arg(long, value_parser = args::money)]
        fee: Money,
        /// Whether the bank may come back to the borrower.
        #[arg(long, value_enum)]
        recourse: RecourseArg,
        /// Last day on which it may be accepted.
        #[arg(long, value_parser = args::date)]
        expires: BusinessDate,
        /// Number of the registration with the central registry; with it an acceptance draws at once.
        #[arg(long)]
        registry_reference: Option<String>,
    },
    /// The borrower accepts an offer.
    Accept {
        /// The request, fin1….
        #[arg(value_parser = args::financing)]
        financing: FinancingId,
        /// The offer's number.
        #[arg(long)]
        offer: u32,
    },
    /// The funder names the registration of an accepted offer, which draws.
    Draw {
        /// The request, fin1….
        #[arg(value_parser = args::financing)]
        financing: FinancingId,
        /// The registration's number.
        #[arg(long)]
        registry_reference: String,
    },
    /// Show a financing.
    Show {
        /// The request, fin1….
        #[arg(value_parser = args::financing)]
        financing: FinancingId,
    },
}

/// How days count.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DayCountArg {
    /// ACT/360.
    Act360,
    /// ACT/365 fixed.
    Act365,
    /// ACT/ACT (ISDA).
    ActAct,
    /// 30/360 (US).
    Thirty360,
}

impl From<DayCountArg> for DayCount {
    fn from(arg: DayCountArg) -> Self {
        match arg {
            DayCountArg::Act360 => Self::Act360,
            DayCountArg::Act365 => Self::Act365Fixed,
            DayCountArg::ActAct => Self::ActActIsda,
            DayCountArg::Thirty360 => Self::Thirty360Us,
        }
    }
}

/// Runs the command.
pub fn run(context: &Context, command: &FinancingCommand) -> CliResult<()> {
    let own = || context.account().map(AccountArg::contract_id);
    match command {
        FinancingCommand::Request { part } => {
            let done = context.send(vec![message(NAME, &Call::Request { borrower: own()?, part: *part })])?;
            let id: FinancingId = done.output()?;
            context.report(&done, &format!("The request is {}", id.text()), json!({ "financing": id.text() }))
        }
        FinancingCommand::Offer { financing, rate, day_count, fee, recourse, expires, registry_reference } => {
            let terms = OfferTerms {
                rate: *rate,
                day_count: (*day_count).into(),
                fee: *fee,
                recourse: (*recourse).into(),
                expires: *expires,
                registry_reference: registry_reference.clone(),
            };
            let done =
                context.send(vec![message(NAME, &Call::Offer { funder: own()?, financing: *financing, terms })])?;
            let number: u32 = done.output()?;
            context.report(&done, &format!("The offer is number {number}"), json!({ "offer": number }))
        }
        FinancingCommand::Accept { financing, offer } => {
            let call = Call::Accept { borrower: own()?, financing: *financing, offer: *offer };
            context.act(NAME, &call, "The offer is accepted").map(drop)
        }
        FinancingCommand::Draw { financing, registry_reference } => {
            let registry_reference = registry_reference.clone();
            let call = Call::Draw { funder: own()?, financing: *financing, registry_reference };
            context.act(NAME, &call, "The financing is drawn").map(drop)
        }
        FinancingCommand::Show { financing } => context.show(&format!("/v1/financings/{}", financing.text())),
    }
}
