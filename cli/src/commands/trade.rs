//! `portolan order`, `portolan bill`, `portolan customs`: what proves that there is a trade behind a claim.

use clap::{Subcommand, ValueEnum};
use portolan_interface::trade::api::{Call, NAME};
use portolan_interface::trade::{
    BillTerms, ContainerNumber, CustomsDecision, DeclarationTerms, Direction, EndorsementForm, Incoterm, OrderAnswer,
    OrderTerms, SurrenderPurpose, TitleStep, Unlocode,
};
use portolan_interface::{BusinessDate, DocumentId, Hash, Money};
use serde_json::json;

use crate::args::{self, AccountArg, MemberArg, RecordId};
use crate::clock;
use crate::context::Context;
use crate::contracts::message;
use crate::error::{CliError, CliResult};

/// Orders.
#[derive(Debug, Subcommand)]
pub enum OrderCommand {
    /// The buyer gives an order.
    Offer {
        /// The seller's account.
        #[arg(long)]
        seller: AccountArg,
        /// The total, as 120000.00CNY.
        #[arg(long, value_parser = args::money)]
        total: Money,
        /// First day of delivery.
        #[arg(long, value_parser = args::date)]
        deliver_from: BusinessDate,
        /// Last day of delivery.
        #[arg(long, value_parser = args::date)]
        deliver_until: BusinessDate,
        /// Incoterm.
        #[arg(long, value_enum, default_value = "fob")]
        incoterm: IncotermArg,
        /// The goods cross a border: the invoice then needs a bill of lading and cleared customs.
        #[arg(long)]
        cross_border: bool,
        /// Commitment to the order's lines, 64 hex digits; random if the lines stay outside.
        #[arg(long)]
        lines: Option<portolan_primitives::Hash>,
    },
    /// The seller accepts, in full or in part.
    Accept {
        /// The order, doc1….
        #[arg(value_parser = args::document)]
        order: DocumentId,
        /// Only this much of it.
        #[arg(long, value_parser = args::money)]
        part: Option<Money>,
    },
    /// The seller refuses.
    Refuse {
        /// The order, doc1….
        #[arg(value_parser = args::document)]
        order: DocumentId,
    },
    /// Show an order.
    Show {
        /// The order, doc1….
        #[arg(value_parser = args::document)]
        order: DocumentId,
    },
}

/// Incoterms 2020.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum IncotermArg {
    /// Ex works.
    Exw,
    /// Free carrier.
    Fca,
    /// Carriage paid to.
    Cpt,
    /// Carriage and insurance paid to.
    Cip,
    /// Delivered at place.
    Dap,
    /// Delivered at place unloaded.
    Dpu,
    /// Delivered duty paid.
    Ddp,
    /// Free alongside ship.
    Fas,
    /// Free on board.
    Fob,
    /// Cost and freight.
    Cfr,
    /// Cost, insurance and freight.
    Cif,
}

impl From<IncotermArg> for Incoterm {
    fn from(arg: IncotermArg) -> Self {
        match arg {
            IncotermArg::Exw => Self::Exw,
            IncotermArg::Fca => Self::Fca,
            IncotermArg::Cpt => Self::Cpt,
            IncotermArg::Cip => Self::Cip,
            IncotermArg::Dap => Self::Dap,
            IncotermArg::Dpu => Self::Dpu,
            IncotermArg::Ddp => Self::Ddp,
            IncotermArg::Fas => Self::Fas,
            IncotermArg::Fob => Self::Fob,
            IncotermArg::Cfr => Self::Cfr,
            IncotermArg::Cif => Self::Cif,
        }
    }
}

/// Bills of lading.
#[derive(Debug, Subcommand)]
pub enum BillCommand {
    /// The carrier issues a bill of lading.
    Issue {
        /// The carrier's number of it.
        #[arg(long)]
        number: String,
        /// The shipper's account, first holder and beneficiary.
        #[arg(long)]
        shipper: AccountArg,
        /// The consignee of a straight bill; without it the bill is to order and negotiable.
        #[arg(long)]
        consignee: Option<AccountArg>,
        /// The order, doc1….
        #[arg(long, value_parser = args::document)]
        order: DocumentId,
        /// Container numbers (ISO 6346).
        #[arg(long = "container", value_parser = args::container)]
        containers: Vec<ContainerNumber>,
        /// Port of loading (UN/LOCODE).
        #[arg(long, value_parser = args::port)]
        loading: Unlocode,
        /// Port of discharge (UN/LOCODE).
        #[arg(long, value_parser = args::port)]
        discharge: Unlocode,
        /// On-board date.
        #[arg(long, value_parser = args::date)]
        on_board: BusinessDate,
        /// Root of the bill's salted fields, as `document commit` says it; random if they stay outside.
        #[arg(long)]
        commitment: Option<portolan_primitives::Hash>,
    },
    /// Who is both holder and beneficiary passes the title on.
    Endorse {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
        /// To whom.
        #[arg(long)]
        to: AccountArg,
    },
    /// The beneficiary names the next one, or nobody any more.
    Nominate {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
        /// Whom.
        #[arg(long)]
        to: Option<AccountArg>,
    },
    /// The holder passes holdership on.
    TransferHolder {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
        /// To whom.
        #[arg(long)]
        to: AccountArg,
    },
    /// The holder lets the beneficial right go to the nominee.
    TransferBeneficiary {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
    },
    /// Who received the title gives it back before acting.
    Reject {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
    },
    /// Who is both gives the title to the carrier.
    Surrender {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
    },
    /// The carrier answers a surrender.
    AnswerSurrender {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
        /// Give the title back instead.
        #[arg(long)]
        reject: bool,
    },
    /// Show a bill with its endorsements.
    Show {
        /// The bill, doc1….
        #[arg(value_parser = args::document)]
        bill: DocumentId,
    },
}

/// Customs declarations.
#[derive(Debug, Subcommand)]
pub enum CustomsCommand {
    /// Lodge a declaration.
    Lodge {
        /// The authority.
        #[arg(long)]
        customs: MemberArg,
        /// Import instead of export.
        #[arg(long)]
        import: bool,
        /// The order, doc1….
        #[arg(long, value_parser = args::document)]
        order: DocumentId,
        /// The bill of lading, doc1….
        #[arg(long, value_parser = args::document)]
        bill: DocumentId,
        /// HS codes.
        #[arg(long = "hs-code", required = true)]
        hs_codes: Vec<String>,
        /// The declared value, as 120000.00CNY.
        #[arg(long, value_parser = args::money)]
        value: Money,
        /// Root of the declaration's salted fields, as `document commit` says it; random if they stay outside.
        #[arg(long)]
        commitment: Option<portolan_primitives::Hash>,
    },
    /// The authority decides; several decisions are taken in order, all or nothing.
    Decide {
        /// The declaration, doc1….
        #[arg(value_parser = args::document)]
        declaration: DocumentId,
        /// What.
        #[arg(required = true, value_enum)]
        decisions: Vec<DecisionArg>,
        /// Hash of the authority's reference of a hold, 64 hex digits.
        #[arg(long)]
        reference: Option<portolan_primitives::Hash>,
    },
    /// Show a declaration.
    Show {
        /// The declaration, doc1….
        #[arg(value_parser = args::document)]
        declaration: DocumentId,
    },
}

/// What a customs authority decides.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DecisionArg {
    /// Accept the declaration.
    Accept,
    /// Reject it.
    Reject,
    /// Put the goods under control.
    Control,
    /// Hold them, under a reference.
    Hold,
    /// Release them.
    Release,
    /// Clear them.
    Clear,
    /// End the hold of a reference.
    Lift,
    /// Invalidate the declaration.
    Invalidate,
}

impl DecisionArg {
    fn decision(self, reference: Option<Hash>) -> CliResult<CustomsDecision> {
        let needed = || CliError::refused("no_reference", "a hold has a reference: name it with --reference");
        Ok(match self {
            Self::Accept => CustomsDecision::Accept,
            Self::Reject => CustomsDecision::Reject,
            Self::Control => CustomsDecision::Control,
            Self::Hold => CustomsDecision::Hold { reference: reference.ok_or_else(needed)? },
            Self::Release => CustomsDecision::Release,
            Self::Clear => CustomsDecision::Clear,
            Self::Lift => CustomsDecision::Lift { reference: reference.ok_or_else(needed)? },
            Self::Invalidate => CustomsDecision::Invalidate,
        })
    }
}

/// The root that was given, or a random one: of what stays outside the chain.
fn given(root: Option<portolan_primitives::Hash>) -> CliResult<Hash> {
    if let Some(root) = root {
        return Ok(Hash(root.0));
    }
    Ok(Hash(clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?))
}

/// Sends a message that makes a document, and says its id.
fn make(context: &Context, call: &Call, what: &str) -> CliResult<()> {
    let done = context.send(vec![message(NAME, call)])?;
    let id: DocumentId = done.output()?;
    context.report(&done, &format!("{what} {}", id.text()), json!({ "document": id.text() }))
}

fn act(context: &Context, call: &Call, done: &str) -> CliResult<()> {
    context.act(NAME, call, done).map(drop)
}

/// An act on a title as it is now: one that comes between is noticed by the chain.
pub(super) fn step(context: &Context, bill: DocumentId) -> CliResult<TitleStep> {
    let title = context.client()?.get(&format!("/v1/titles/{}", bill.text()))?;
    let seen = title["bill"]["endorsements"].as_u64().and_then(|count| u32::try_from(count).ok());
    let foreign = || CliError::refused("foreign_answer", "a node's title has no endorsements; do the versions differ?");
    Ok(TitleStep { seen: seen.ok_or_else(foreign)?, remark: None })
}

/// Runs an order's command.
pub fn order(context: &Context, command: &OrderCommand) -> CliResult<()> {
    let answer = |order: &DocumentId, answer| -> CliResult<Call> {
        Ok(Call::AnswerOrder { seller: context.account()?.contract_id(), order: *order, answer })
    };
    match command {
        OrderCommand::Offer { seller, total, deliver_from, deliver_until, incoterm, cross_border, lines } => {
            let lines = given(*lines)?;
            let terms = OrderTerms {
                seller: seller.contract_id(),
                lines,
                total: *total,
                deliver_from: *deliver_from,
                deliver_until: *deliver_until,
                incoterm: (*incoterm).into(),
                cross_border: *cross_border,
                quantity: None,
                tolerance_class: 0,
            };
            make(context, &Call::OfferOrder { buyer: context.account()?.contract_id(), terms }, "The order is")
        }
        OrderCommand::Accept { order, part } => {
            let accepted = part.map_or(OrderAnswer::Accept, OrderAnswer::AcceptPart);
            act(context, &answer(order, accepted)?, "The order is accepted")
        }
        OrderCommand::Refuse { order } => act(context, &answer(order, OrderAnswer::Refuse)?, "The order is refused"),
        OrderCommand::Show { order } => context.show(&format!("/v1/documents/{}", order.text())),
    }
}

/// Runs a bill's command.
pub fn bill(context: &Context, command: &BillCommand) -> CliResult<()> {
    let own = || context.account().map(AccountArg::contract_id);
    match command {
        BillCommand::Issue {
            number,
            shipper,
            consignee,
            order,
            containers,
            loading,
            discharge,
            on_board,
            commitment,
        } => {
            let terms = BillTerms {
                number: number.clone(),
                shipper: shipper.contract_id(),
                consignee: consignee.as_ref().map(AccountArg::contract_id),
                order: *order,
                containers: containers.clone(),
                loading: loading.clone(),
                discharge: discharge.clone(),
                on_board: *on_board,
                negotiable: consignee.is_none(),
                holder: shipper.contract_id(),
                beneficiary: shipper.contract_id(),
                commitment: given(*commitment)?,
                replaces: None,
                earlier: vec![],
            };
            make(context, &Call::IssueBill { carrier: own()?, terms }, "The bill of lading is")
        }
        BillCommand::Endorse { bill, to } => {
            let form = EndorsementForm::ToOrder(to.contract_id());
            let call = Call::Endorse { owner: own()?, bill: *bill, form, step: step(context, *bill)? };
            act(context, &call, "The title is endorsed")
        }
        BillCommand::Nominate { bill, to } => {
            let nominee = to.as_ref().map(AccountArg::contract_id);
            let call = Call::Nominate { beneficiary: own()?, bill: *bill, nominee, step: step(context, *bill)? };
            act(context, &call, "The nomination stands")
        }
        BillCommand::TransferHolder { bill, to } => {
            let (to, step) = (to.contract_id(), step(context, *bill)?);
            act(context, &Call::TransferHolder { holder: own()?, bill: *bill, to, step }, "Holdership passed on")
        }
        BillCommand::TransferBeneficiary { bill } => {
            let call = Call::TransferBeneficiary { holder: own()?, bill: *bill, step: step(context, *bill)? };
            act(context, &call, "The nominee is the beneficiary")
        }
        BillCommand::Reject { bill } => {
            let call = Call::RejectTitle { receiver: own()?, bill: *bill, step: step(context, *bill)? };
            act(context, &call, "The title went back")
        }
        BillCommand::Surrender { bill } => {
            let (purpose, step) = (SurrenderPurpose::Delivery, step(context, *bill)?);
            act(context, &Call::Surrender { owner: own()?, bill: *bill, purpose, step }, "The title is surrendered")
        }
        BillCommand::AnswerSurrender { bill, reject } => {
            let step = step(context, *bill)?;
            let call = Call::AnswerSurrender { carrier: own()?, bill: *bill, accept: !reject, step };
            act(context, &call, if *reject { "The title went back" } else { "The title has ended" })
        }
        BillCommand::Show { bill } => context.show(&format!("/v1/titles/{}", bill.text())),
    }
}

/// Runs a customs command.
pub fn customs(context: &Context, command: &CustomsCommand) -> CliResult<()> {
    let own = || context.account().map(AccountArg::contract_id);
    match command {
        CustomsCommand::Lodge { customs, import, order, bill, hs_codes, value, commitment } => {
            let terms = DeclarationTerms {
                customs: customs.contract_id(),
                direction: if *import { Direction::Import } else { Direction::Export },
                order: *order,
                bill: *bill,
                hs_codes: hs_codes.clone(),
                value: *value,
                commitment: given(*commitment)?,
            };
            make(context, &Call::LodgeDeclaration { declarant: own()?, terms }, "The declaration is")
        }
        CustomsCommand::Decide { declaration, decisions, reference } => {
            let customs = own()?;
            let reference = reference.map(|hash| Hash(hash.0));
            let decide = |decision: &DecisionArg| {
                let decision = decision.decision(reference)?;
                Ok(message(NAME, &Call::DecideDeclaration { customs, declaration: *declaration, decision }))
            };
            let done = context.send(decisions.iter().map(decide).collect::<CliResult<_>>()?)?;
            context.report(&done, "The declaration is decided on", json!({ "document": declaration.text() }))
        }
        CustomsCommand::Show { declaration } => context.show(&format!("/v1/documents/{}", declaration.text())),
    }
}
