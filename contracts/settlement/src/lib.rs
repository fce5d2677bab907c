//! Deposits that banks issue, what falls due to whom, and the order in which a receipt is spread.
//!
//! Money here is always some bank's liability to some account: it comes to be when that bank issues it, goes when it is redeemed, and in between
//! only moves between accounts of the same bank. So a bank's deposits, with what it was asked to pay out and has not answered (pending), come to
//! what it issued less what was redeemed, after every call.
//! What is due and not yet paid binds the payer's deposit. Must never create money for anybody but the issuing bank, and never call a contract.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod deposits;
mod exchange;
mod late;
mod netting;
mod obligations;
mod payables;
mod proceeds;
mod redemption;
mod waterfall;

use alloc::vec::Vec;

use portolan_interface::{
    AccountId, BusinessDate, CertificateId, Currency, Hash, MemberId, Money, PAGE, PartId, TermsError, access,
    financing::api::CONTRACT as FINANCING,
    receivable::api::CONTRACT as RECEIVABLE,
    settlement::{
        BookPage, CollectionStep, DepositPage, Forward, ForwardPage, FxQuote, Netting, NettingPage, NettingTerms,
        Obligation, ObligationPage, Payable, PayablePage, PayableTerms, Payment, Payout, Proceeds, QuotePage,
        QuoteTerms, RedemptionAnswer, RedemptionPage, SalesLine, SalesRule, Settlement, SettlementError,
        SettlementEvent, Waterfall, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use deposits::{Balance, Place, Service};
use obligations::DueDay;

portolan_sdk::storage! {
    /// What a bank issued and redeemed in a currency.
    0 => SERVICES: Map<(MemberId, [u8; 3]), Service>;
    /// What an account has at a bank in a currency.
    1 => BALANCES: Map<(AccountId, MemberId, [u8; 3]), Balance>;
    /// Where an account has deposits.
    2 => DEPOSITS_OF: List<AccountId, (MemberId, Currency)>;
    /// Who has deposits at a bank in a currency.
    3 => DEPOSITORS: List<(MemberId, [u8; 3]), AccountId>;
    /// What is owed on a certificate.
    4 => OBLIGATIONS: Map<CertificateId, Obligation>;
    /// What a payer owes.
    5 => OBLIGATIONS_OF: List<AccountId, CertificateId>;
    /// What a payer owes on a day from one deposit, in order of days; removed when it is paid.
    6 => DUE: Map<(AccountId, MemberId, [u8; 3], i32), DueDay>;
    /// How the receipts of a part are spread.
    7 => WATERFALLS: Map<PartId, Waterfall>;
    /// What a bank was ever asked to pay out.
    8 => REDEMPTIONS: List<MemberId, redemption::Order>;
    /// Numbers of those that it has not answered.
    9 => PENDING_AT: List<MemberId, u32>;
    /// Banks and numbers of an account's redemptions.
    10 => REDEMPTIONS_OF: List<AccountId, (MemberId, u32)>;
    /// Of those that are not answered.
    11 => PENDING_OF: List<AccountId, (MemberId, u32)>;
    /// Which redemption a bank's payment stands for.
    12 => EXECUTED: Map<(MemberId, Hash), u32>;
    /// What a dealer quoted.
    13 => QUOTES: List<MemberId, FxQuote>;
    /// What was agreed with a dealer for a later day.
    14 => FORWARDS: List<MemberId, Forward>;
    /// Dealers and numbers of an account's forwards.
    15 => FORWARDS_OF: List<AccountId, (MemberId, u32)>;
    /// What an account promised.
    16 => PAYABLES: List<AccountId, payables::Promise>;
    /// Payers and numbers of what was promised to an account.
    17 => OWED_TO: List<AccountId, (AccountId, u32)>;
    /// What a payer promised for a day from one deposit, in order of days; removed when it is paid.
    18 => PAYABLE_DAYS: Map<(AccountId, MemberId, [u8; 3], i32), payables::PayableDay>;
    /// All nettings.
    19 => NETTINGS: List<(), Netting>;
    /// Numbers of those that touch an account.
    20 => NETTINGS_OF: List<AccountId, u32>;
    /// How the proceeds that come to a sales account are shared.
    21 => SALES_RULES: Map<(AccountId, MemberId, [u8; 3]), SalesRule>;
}

// Every message is a function of its own: put together in the dispatcher they would exceed what the VM takes as one function (64 KiB).
struct Contract;

portolan_sdk::export!(Contract, portolan_interface::settlement::api);

impl Settlement for Contract {
    #[inline(never)]
    fn serve(&mut self, bank_account: AccountId, cap: Money) -> Result<(), SettlementError> {
        cap.currency.exponent().map_err(SettlementError::Terms)?;
        positive(cap)?;
        let bank = authorised_bank(bank_account, "settlement.serve", cap.currency, 0)?;
        deposits::serve(bank, cap)?;
        emit(&SettlementEvent::Serving { bank, cap });
        Ok(())
    }

    #[inline(never)]
    fn issue(
        &mut self,
        bank_account: AccountId,
        to: AccountId,
        amount: Money,
        reference: Hash,
    ) -> Result<(), SettlementError> {
        positive(amount)?;
        let bank = authorised_bank(bank_account, "settlement.issue", amount.currency, amount.minor)?;
        receiver(to)?;
        deposits::issue(bank, to, amount)?;
        emit(&SettlementEvent::Issued { bank, account: to, amount, reference });
        proceeds::received(Place::new(to, bank, amount.currency), amount.minor)
    }

    #[inline(never)]
    fn redeem(
        &mut self,
        account: AccountId,
        bank: MemberId,
        amount: Money,
        order: Hash,
    ) -> Result<u32, SettlementError> {
        positive(amount)?;
        authorise(account, "settlement.redeem", amount)?;
        redemption::request(Place::new(account, bank, amount.currency), amount, order)
    }

    #[inline(never)]
    fn transfer(
        &mut self,
        from: AccountId,
        to: AccountId,
        bank: MemberId,
        amount: Money,
        reference: Hash,
    ) -> Result<(), SettlementError> {
        positive(amount)?;
        ensure!(from != to, SettlementError::SameAccount);
        authorise(from, "settlement.transfer", amount)?;
        receiver(to)?;
        let place = Place::new(from, bank, amount.currency);
        deposits::ensure_free(place, amount.minor)?;
        deposits::pay(place, to, amount.minor)?;
        emit(&SettlementEvent::Transferred { bank, from, to, amount, reference });
        proceeds::received(Place { account: to, ..place }, amount.minor)
    }

    #[inline(never)]
    fn register(
        &mut self,
        certificate: CertificateId,
        payer: AccountId,
        bank: MemberId,
        amount: Money,
        due: BusinessDate,
    ) -> Result<(), SettlementError> {
        ensure!(access::called_by(RECEIVABLE), SettlementError::NotTrusted);
        positive(amount)?;
        deposits::ensure_served(bank, amount.currency)?;
        obligations::register(certificate, payer, bank, amount, due)
    }

    #[inline(never)]
    fn collect(&mut self, certificate: CertificateId) -> Result<Money, SettlementError> {
        ensure!(access::called_by(RECEIVABLE), SettlementError::NotTrusted);
        obligations::collect(certificate)
    }

    #[inline(never)]
    fn pay(&mut self, certificate: CertificateId, payments: Vec<Payment>) -> Result<(), SettlementError> {
        ensure!(access::called_by(RECEIVABLE), SettlementError::NotTrusted);
        obligations::pay(certificate, &payments)
    }

    #[inline(never)]
    fn fund(&mut self, bank_account: AccountId, to: AccountId, amount: Money) -> Result<(), SettlementError> {
        ensure!(access::called_by(FINANCING), SettlementError::NotTrusted);
        positive(amount)?;
        let bank = bank_of(bank_account)?;
        receiver(to)?;
        deposits::issue(bank, to, amount)?;
        emit(&SettlementEvent::Issued { bank, account: to, amount, reference: Hash([0; 32]) });
        Ok(())
    }

    #[inline(never)]
    fn register_waterfall(&mut self, part: PartId, waterfall: Waterfall) -> Result<(), SettlementError> {
        ensure!(access::called_by(FINANCING), SettlementError::NotTrusted);
        waterfall::register(part, waterfall)
    }

    #[inline(never)]
    fn serves(&self, bank: MemberId, currency: Currency) -> Result<bool, SettlementError> {
        Ok(SERVICES.contains(&(bank, currency.0)))
    }

    #[inline(never)]
    fn answer_redemption(
        &mut self,
        bank_account: AccountId,
        number: u32,
        amount: Money,
        answer: RedemptionAnswer,
        reference: Hash,
    ) -> Result<(), SettlementError> {
        let bank = authorised_bank(bank_account, "settlement.answer_redemption", amount.currency, amount.minor)?;
        redemption::answer(bank, number, amount, answer, reference)
    }

    #[inline(never)]
    fn quote(&mut self, dealer_account: AccountId, terms: QuoteTerms) -> Result<u32, SettlementError> {
        let most = exchange::sound(&terms)?;
        let dealer = authorised_bank(dealer_account, "settlement.quote", most.currency, most.minor)?;
        exchange::post(dealer, dealer_account, terms)
    }

    #[inline(never)]
    fn withdraw_quote(&mut self, dealer_account: AccountId, number: u32) -> Result<(), SettlementError> {
        let dealer = authorised_bank(dealer_account, "settlement.withdraw_quote", NO_CURRENCY, 0)?;
        exchange::withdraw(dealer, number)
    }

    #[inline(never)]
    fn exchange(
        &mut self,
        account: AccountId,
        dealer: MemberId,
        number: u32,
        sold: Money,
        bought: Currency,
    ) -> Result<Proceeds, SettlementError> {
        positive(sold)?;
        authorise(account, "settlement.exchange", sold)?;
        exchange::exchange(account, dealer, number, sold, bought)
    }

    #[inline(never)]
    fn lock_rate(
        &mut self,
        account: AccountId,
        dealer: MemberId,
        number: u32,
        sold: Money,
        bought: Currency,
    ) -> Result<u32, SettlementError> {
        positive(sold)?;
        authorise(account, "settlement.lock_rate", sold)?;
        exchange::lock(account, dealer, number, sold, bought)
    }

    #[inline(never)]
    fn run_forward(&mut self, dealer: MemberId, number: u32) -> Result<(), SettlementError> {
        ensure_agenda()?;
        exchange::run_forward(dealer, number)
    }

    #[inline(never)]
    fn promise(&mut self, payer: AccountId, terms: PayableTerms) -> Result<u32, SettlementError> {
        positive(terms.amount)?;
        ensure!(payer != terms.payee, SettlementError::SameAccount);
        authorise(payer, "settlement.promise", terms.amount)?;
        committing(payer)?;
        receiver(terms.payee)?;
        payables::promise(payer, terms)
    }

    #[inline(never)]
    fn run_payables(
        &mut self,
        payer: AccountId,
        bank: MemberId,
        currency: Currency,
        due: BusinessDate,
    ) -> Result<(), SettlementError> {
        ensure_agenda()?;
        payables::run(Place::new(payer, bank, currency), due)
    }

    #[inline(never)]
    fn collect_payables(
        &mut self,
        account: AccountId,
        payer: AccountId,
        bank: MemberId,
        currency: Currency,
    ) -> Result<Money, SettlementError> {
        env::authorize(account, "settlement.collect_payables", currency, 0).map_err(SettlementError::Unauthorized)?;
        payables::collect(account, Place::new(payer, bank, currency))
    }

    #[inline(never)]
    fn propose_netting(&mut self, account: AccountId, terms: NettingTerms) -> Result<u32, SettlementError> {
        env::authorize(account, "settlement.propose_netting", terms.currency, 0)
            .map_err(SettlementError::Unauthorized)?;
        committing(account)?;
        netting::propose(account, terms)
    }

    #[inline(never)]
    fn consent_to_netting(&mut self, account: AccountId, number: u32) -> Result<(), SettlementError> {
        let stake = netting::at_stake(account, number)?;
        authorise(account, "settlement.consent_to_netting", stake)?;
        netting::consent(account, number)
    }

    #[inline(never)]
    fn refuse_netting(&mut self, account: AccountId, number: u32) -> Result<(), SettlementError> {
        env::authorize(account, "settlement.refuse_netting", NO_CURRENCY, 0).map_err(SettlementError::Unauthorized)?;
        netting::refuse(account, number)
    }

    #[inline(never)]
    fn set_sales_rule(
        &mut self,
        account: AccountId,
        bank: MemberId,
        currency: Currency,
        lines: Vec<SalesLine>,
        payout: Payout,
    ) -> Result<(), SettlementError> {
        env::authorize(account, "settlement.set_sales_rule", currency, 0).map_err(SettlementError::Unauthorized)?;
        committing(account)?;
        proceeds::set(Place::new(account, bank, currency), lines, payout)
    }

    #[inline(never)]
    fn release_sales_rule(
        &mut self,
        payee: AccountId,
        account: AccountId,
        bank: MemberId,
        currency: Currency,
    ) -> Result<(), SettlementError> {
        env::authorize(payee, "settlement.release_sales_rule", currency, 0).map_err(SettlementError::Unauthorized)?;
        proceeds::release(Place::new(account, bank, currency), payee)
    }

    #[inline(never)]
    fn share_collected(
        &mut self,
        account: AccountId,
        bank: MemberId,
        currency: Currency,
    ) -> Result<(), SettlementError> {
        ensure_agenda()?;
        proceeds::share_collected(Place::new(account, bank, currency))
    }

    #[inline(never)]
    fn reduce(&mut self, certificate: CertificateId, by: Money) -> Result<(), SettlementError> {
        ensure!(access::called_by(RECEIVABLE), SettlementError::NotTrusted);
        positive(by)?;
        obligations::reduce(certificate, by)
    }

    #[inline(never)]
    fn pay_early(
        &mut self,
        certificate: CertificateId,
        payments: Vec<Payment>,
        discount: Money,
    ) -> Result<(), SettlementError> {
        ensure!(access::called_by(RECEIVABLE), SettlementError::NotTrusted);
        obligations::pay_early(certificate, &payments, discount)
    }

    #[inline(never)]
    fn restore(&mut self, certificate: CertificateId, by: Money) -> Result<(), SettlementError> {
        ensure!(access::called_by(RECEIVABLE), SettlementError::NotTrusted);
        positive(by)?;
        obligations::restore(certificate, by)
    }

    #[inline(never)]
    fn run_collection(&mut self, payer: AccountId, number: u32, step: CollectionStep) -> Result<(), SettlementError> {
        ensure_agenda()?;
        late::run_collection(payer, number, step)
    }

    #[inline(never)]
    fn write_off(
        &mut self,
        payee: AccountId,
        payer: AccountId,
        number: u32,
        reference: Hash,
    ) -> Result<(), SettlementError> {
        let stake = late::at_stake(payee, payer, number)?;
        authorise(payee, "settlement.write_off", stake)?;
        late::write_off(payee, payer, number, reference)
    }

    #[inline(never)]
    fn recover(&mut self, payer: AccountId, number: u32, amount: Money) -> Result<Money, SettlementError> {
        positive(amount)?;
        authorise(payer, "settlement.recover", amount)?;
        late::recover(payer, number, amount)
    }

    #[inline(never)]
    fn redemptions_at(&self, bank: MemberId, from: Option<u32>) -> Result<RedemptionPage, SettlementError> {
        ensure!(access::may_read_of(bank), SettlementError::NotParty);
        let count = REDEMPTIONS.len(&bank);
        let from = from.unwrap_or(0);
        let numbers = from..count.min(from.saturating_add(PAGE));
        Ok(redemption::page(count, numbers.map(|number| (bank, number))))
    }

    #[inline(never)]
    fn pending_at(&self, bank: MemberId, from: Option<u32>) -> Result<RedemptionPage, SettlementError> {
        ensure!(access::may_read_of(bank), SettlementError::NotParty);
        let numbers = PENDING_AT.page(&bank, from.unwrap_or(0), PAGE);
        Ok(redemption::page(PENDING_AT.len(&bank), numbers.into_iter().map(|number| (bank, number))))
    }

    #[inline(never)]
    fn redemptions_of(&self, account: AccountId, from: Option<u32>) -> Result<RedemptionPage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        let orders = REDEMPTIONS_OF.page(&account, from.unwrap_or(0), PAGE);
        Ok(redemption::page(REDEMPTIONS_OF.len(&account), orders))
    }

    #[inline(never)]
    fn pending_of(&self, account: AccountId, from: Option<u32>) -> Result<RedemptionPage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        let orders = PENDING_OF.page(&account, from.unwrap_or(0), PAGE);
        Ok(redemption::page(PENDING_OF.len(&account), orders))
    }

    #[inline(never)]
    fn quotes(&self, bank: MemberId, from: Option<u32>) -> Result<QuotePage, SettlementError> {
        ensure!(access::may_read_of(bank), SettlementError::NotParty);
        Ok(QuotePage { count: QUOTES.len(&bank), quotes: QUOTES.page(&bank, from.unwrap_or(0), PAGE) })
    }

    #[inline(never)]
    fn quote_of(&self, bank: MemberId, number: u32) -> Result<FxQuote, SettlementError> {
        exchange::view(bank, number)
    }

    #[inline(never)]
    fn forwards_at(&self, bank: MemberId, from: Option<u32>) -> Result<ForwardPage, SettlementError> {
        ensure!(access::may_read_of(bank), SettlementError::NotParty);
        Ok(ForwardPage { count: FORWARDS.len(&bank), forwards: FORWARDS.page(&bank, from.unwrap_or(0), PAGE) })
    }

    #[inline(never)]
    fn forward(&self, bank: MemberId, number: u32) -> Result<Forward, SettlementError> {
        exchange::view_forward(bank, number)
    }

    #[inline(never)]
    fn forwards_of(&self, account: AccountId, from: Option<u32>) -> Result<ForwardPage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        let numbers = FORWARDS_OF.page(&account, from.unwrap_or(0), PAGE);
        let forwards = numbers.iter().filter_map(|(dealer, number)| FORWARDS.get(dealer, *number)).collect();
        Ok(ForwardPage { count: FORWARDS_OF.len(&account), forwards })
    }

    #[inline(never)]
    fn payables(&self, account: AccountId, from: Option<u32>) -> Result<PayablePage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        let count = PAYABLES.len(&account);
        let from = from.unwrap_or(0);
        let numbers = from..count.min(from.saturating_add(PAGE));
        payables::page(count, numbers.map(|number| (account, number)))
    }

    #[inline(never)]
    fn promised_to(&self, account: AccountId, from: Option<u32>) -> Result<PayablePage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        payables::page(OWED_TO.len(&account), OWED_TO.page(&account, from.unwrap_or(0), PAGE))
    }

    #[inline(never)]
    fn payable(&self, payer: AccountId, number: u32) -> Result<Payable, SettlementError> {
        let payable = payables::view(payer, number)?;
        ensure!(access::may_read(&[payer, payable.terms.payee]), SettlementError::NotParty);
        Ok(payable)
    }

    #[inline(never)]
    fn nettings(&self, account: AccountId, from: Option<u32>) -> Result<NettingPage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        netting::page(account, from.unwrap_or(0), PAGE)
    }

    #[inline(never)]
    fn netting(&self, number: u32) -> Result<Netting, SettlementError> {
        let netting = netting::view(number)?;
        let parties: Vec<AccountId> = netting.parties.iter().map(|party| party.account).collect();
        ensure!(access::may_read(&parties), SettlementError::NotParty);
        Ok(netting)
    }

    #[inline(never)]
    fn sales_rule(&self, account: AccountId, bank: MemberId, currency: Currency) -> Result<SalesRule, SettlementError> {
        let rule = proceeds::view(Place::new(account, bank, currency))?;
        let mut parties: Vec<AccountId> = rule.lines.iter().map(|line| line.payee).collect();
        parties.push(account);
        ensure!(access::may_read(&parties), SettlementError::NotParty);
        Ok(rule)
    }

    #[inline(never)]
    fn deposits(&self, account: AccountId, from: Option<u32>) -> Result<DepositPage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        let places = DEPOSITS_OF.page(&account, from.unwrap_or(0), PAGE);
        let deposits =
            places.into_iter().map(|(bank, currency)| deposits::view(Place::new(account, bank, currency))).collect();
        Ok(DepositPage { count: DEPOSITS_OF.len(&account), deposits })
    }

    #[inline(never)]
    fn book(&self, bank: MemberId, currency: Currency, from: Option<u32>) -> Result<BookPage, SettlementError> {
        let book = deposits::book(bank, currency)?;
        let depositors = if access::may_read_of(bank) {
            DEPOSITORS.page(&(bank, currency.0), from.unwrap_or(0), PAGE)
        } else {
            Vec::new()
        };
        let deposits =
            depositors.into_iter().map(|account| deposits::view(Place::new(account, bank, currency))).collect();
        Ok(BookPage { book, deposits })
    }

    #[inline(never)]
    fn obligations(&self, account: AccountId, from: Option<u32>) -> Result<ObligationPage, SettlementError> {
        ensure!(access::may_read(&[account]), SettlementError::NotParty);
        let certificates = OBLIGATIONS_OF.page(&account, from.unwrap_or(0), PAGE);
        let obligations = certificates.iter().filter_map(|certificate| OBLIGATIONS.get(certificate)).collect();
        Ok(ObligationPage { count: OBLIGATIONS_OF.len(&account), obligations })
    }

    #[inline(never)]
    fn obligation(&self, certificate: CertificateId) -> Result<Obligation, SettlementError> {
        let obligation = OBLIGATIONS.get(&certificate).ok_or(SettlementError::UnknownObligation)?;
        ensure!(access::may_read(&[obligation.payer]), SettlementError::NotParty);
        Ok(obligation)
    }

    #[inline(never)]
    fn waterfall(&self, part: PartId) -> Result<Waterfall, SettlementError> {
        let waterfall = WATERFALLS.get(&part).ok_or(SettlementError::UnknownWaterfall)?;
        let mut parties: Vec<AccountId> = waterfall.tranches.iter().map(|tranche| tranche.payee).collect();
        parties.push(waterfall.residual);
        ensure!(access::may_read(&parties), SettlementError::NotParty);
        Ok(waterfall)
    }
}

/// For acts without an amount.
const NO_CURRENCY: Currency = Currency(*b"XXX");

fn ensure_agenda() -> Result<(), SettlementError> {
    ensure!(access::called_by(env::self_id()), SettlementError::NotAgenda);
    Ok(())
}

/// A sum of minor units; one that does not fit is refused.
fn add(left: i128, right: i128) -> Result<i128, SettlementError> {
    left.checked_add(right).ok_or(SettlementError::Terms(TermsError::Overflow))
}

fn positive(amount: Money) -> Result<(), SettlementError> {
    ensure!(amount.is_positive(), SettlementError::AmountNotPositive);
    Ok(())
}

fn authorise(account: AccountId, action: &str, amount: Money) -> Result<(), SettlementError> {
    env::authorize(account, action, amount.currency, amount.minor).map_err(SettlementError::Unauthorized)
}

/// The bank that the account belongs to, when the transaction's approvers may act for it.
fn authorised_bank(
    account: AccountId,
    action: &str,
    currency: Currency,
    minor: i128,
) -> Result<MemberId, SettlementError> {
    env::authorize(account, action, currency, minor).map_err(SettlementError::Unauthorized)?;
    bank_of(account)
}

/// The bank in good standing that the account belongs to.
fn bank_of(account: AccountId) -> Result<MemberId, SettlementError> {
    let (bank, status) = access::standing(account).ok_or(SettlementError::UnknownAccount)?;
    ensure!(access::may_commit(status), SettlementError::MemberNotActive { status });
    ensure!(env::has_role(bank, portolan_interface::Role::Bank), SettlementError::NotBank);
    Ok(bank)
}

/// Passes when the account's member may bind itself.
fn committing(account: AccountId) -> Result<(), SettlementError> {
    let (_, status) = access::standing(account).ok_or(SettlementError::UnknownAccount)?;
    ensure!(access::may_commit(status), SettlementError::MemberNotActive { status });
    Ok(())
}

/// Passes when money may come to the account.
fn receiver(account: AccountId) -> Result<(), SettlementError> {
    let (_, status) = access::standing(account).ok_or(SettlementError::UnknownAccount)?;
    ensure!(access::may_receive(status), SettlementError::MemberNotActive { status });
    Ok(())
}
