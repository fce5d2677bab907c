//! Random sequences against a reference that keeps plain lists and adds them up anew each time.

#[path = "../../receivable/tests/world/mod.rs"]
mod world;

use std::collections::BTreeMap;

use portolan_interface::{
    CertificateId, PartId,
    receivable::api::CONTRACT as RECEIVABLE,
    settlement::{ObligationState, Payment, RecordKind, RedemptionAnswer, RedemptionState, SettlementError},
};
use portolan_terms::pro_rata;
use proptest::prelude::*;
use world::{Firm, Settlement, World, cny, commitment, refusal};

#[derive(Clone, Debug)]
enum Act {
    Issue { to: usize, minor: i128 },
    Redeem { from: usize, minor: i128 },
    Answer { order: usize, minor: Option<i128>, executed: bool, reference: u64 },
    Transfer { from: usize, to: usize, minor: i128 },
    Owe { payer: usize, minor: i128, days: i32 },
    Collect { claim: usize },
    Pay { claim: usize, to: usize, minor: i128 },
    NextDay,
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0usize..3;
    let minor = 1i128..1_000;
    prop_oneof![
        4 => (who.clone(), minor.clone()).prop_map(|(to, minor)| Act::Issue { to, minor }),
        2 => (who.clone(), minor.clone()).prop_map(|(from, minor)| Act::Redeem { from, minor }),
        2 => (0usize..6, prop::option::weighted(0.2, minor.clone()), any::<bool>(), 0u64..4)
            .prop_map(|(order, minor, executed, reference)| Act::Answer { order, minor, executed, reference }),
        2 => (who.clone(), who.clone(), minor.clone()).prop_map(|(from, to, minor)| Act::Transfer { from, to, minor }),
        4 => (who.clone(), minor.clone(), 0i32..4).prop_map(|(payer, minor, days)| Act::Owe { payer, minor, days }),
        5 => (0usize..12).prop_map(|claim| Act::Collect { claim }),
        4 => (0usize..12, who, minor).prop_map(|(claim, to, minor)| Act::Pay { claim, to, minor }),
        3 => Just(Act::NextDay),
    ]
}

#[derive(Clone)]
struct Claim {
    payer: usize,
    amount: i128,
    due: i32,
    paid: i128,
    reserved: i128,
    tried: Option<i32>,
    state: ObligationState,
}

impl Claim {
    /// Owed and not set aside.
    fn open(&self) -> i128 {
        self.amount - self.paid - self.reserved
    }

    /// First those that had no turn, then those that had none today.
    fn turn(&self, today: i32) -> u8 {
        match self.state {
            ObligationState::Pending => 0,
            _ if self.tried == Some(today) => 2,
            _ => 1,
        }
    }
}

/// A redemption: who asked for how much, and whether it was executed, once it is answered.
struct Order {
    from: usize,
    minor: i128,
    answered: Option<bool>,
}

#[derive(Default)]
struct Model {
    totals: [i128; 3],
    orders: Vec<Order>,
    /// References of payments, with the orders that they stand for.
    payments: BTreeMap<u64, u32>,
    claims: Vec<Claim>,
    today: i32,
}

impl Model {
    fn held(&self, who: usize) -> i128 {
        self.claims.iter().filter(|claim| claim.payer == who).map(|claim| claim.reserved).sum()
    }

    fn free(&self, who: usize) -> i128 {
        let due: i128 =
            self.claims.iter().filter(|claim| claim.payer == who && claim.due <= self.today).map(Claim::open).sum();
        self.totals[who] - self.held(who) - due
    }

    fn pending(&self, who: usize) -> i128 {
        self.orders.iter().filter(|order| order.from == who && order.answered.is_none()).map(|order| order.minor).sum()
    }

    /// Why the owner may not dispose of an amount.
    fn short(&self, who: usize, minor: i128) -> Option<SettlementError> {
        let missing = minor - self.free(who);
        (missing > 0).then(|| SettlementError::InsufficientDeposit { missing: cny(missing.min(minor)) })
    }

    fn answer(&mut self, index: usize, minor: i128, executed: bool, reference: u64) -> Result<(), SettlementError> {
        let unknown = SettlementError::Unknown { what: RecordKind::Redemption };
        let order = self.orders.get_mut(index).ok_or(unknown)?;
        let state = |executed| if executed { RedemptionState::Executed } else { RedemptionState::Refused };
        match (order.answered, self.payments.get(&reference)) {
            (Some(executed), _) => Err(SettlementError::RedemptionAnswered { state: state(executed) }),
            _ if minor != order.minor => Err(SettlementError::RedemptionAmount { requested: cny(order.minor) }),
            (None, Some(number)) if executed => Err(SettlementError::ReferenceUsed { number: *number }),
            _ => {
                order.answered = Some(executed);
                if executed {
                    self.payments.insert(reference, index as u32);
                } else {
                    self.totals[order.from] += minor;
                }
                Ok(())
            }
        }
    }

    /// The amount that collecting sets aside, or none where it is refused.
    fn collect(&mut self, index: usize) -> Option<i128> {
        let claim = self.claims.get(index)?.clone();
        let collectable = match claim.state {
            ObligationState::Pending => claim.due <= self.today,
            ObligationState::Overdue => true,
            ObligationState::Paying | ObligationState::Paid => false,
        };
        if !collectable {
            return None;
        }
        let rank = |other: &Claim| (other.due, other.turn(self.today));
        let others =
            || self.claims.iter().enumerate().filter(|(place, other)| *place != index && other.payer == claim.payer);
        let before: i128 =
            others().filter(|(_, other)| rank(other) < rank(&claim)).map(|(_, other)| other.open()).sum();
        let alike: i128 =
            others().filter(|(_, other)| rank(other) == rank(&claim)).map(|(_, other)| other.open()).sum();
        let available = (self.totals[claim.payer] - self.held(claim.payer) - before).max(0);
        let share = pro_rata(available, &[claim.open(), alike]).unwrap()[0];
        let claim = &mut self.claims[index];
        claim.reserved = share;
        claim.tried = Some(self.today);
        claim.state = if share > 0 { ObligationState::Paying } else { ObligationState::Overdue };
        Some(share)
    }

    fn pay(&mut self, index: usize, to: usize, minor: i128) -> bool {
        let Some(claim) = self.claims.get_mut(index) else { return false };
        if claim.state != ObligationState::Paying || minor > claim.reserved {
            return false;
        }
        claim.reserved -= minor;
        claim.paid += minor;
        if claim.reserved == 0 {
            claim.state = if claim.paid == claim.amount { ObligationState::Paid } else { ObligationState::Overdue };
        }
        self.totals[claim.payer] -= minor;
        self.totals[to] += minor;
        true
    }
}

fn claim_id(index: usize) -> CertificateId {
    CertificateId([index as u8 + 1; 32])
}

/// Does the act in both and compares whether it was allowed.
fn perform(world: &World, firms: [Firm; 3], model: &mut Model, act: &Act) {
    let contract = Settlement::over(world.chain.as_contract(RECEIVABLE));
    let bank = world.bank.member;
    match *act {
        Act::Issue { to, minor } => {
            world.deposit_to(firms[to], cny(minor));
            model.totals[to] += minor;
        }
        Act::Redeem { from, minor } => {
            let done = world.settlement(firms[from]).redeem(firms[from].account, bank, cny(minor), commitment(0));
            match model.short(from, minor) {
                Some(error) => assert_eq!(refusal(done), error),
                None => {
                    assert_eq!(done, Ok(model.orders.len() as u32));
                    model.totals[from] -= minor;
                    model.orders.push(Order { from, minor, answered: None });
                }
            }
        }
        Act::Answer { order, minor, executed, reference } => {
            let minor = minor.or_else(|| model.orders.get(order).map(|order| order.minor)).unwrap_or(1);
            let answer = if executed { RedemptionAnswer::Executed } else { RedemptionAnswer::Refused };
            let done = world.settlement(world.bank).answer_redemption(
                world.bank.account,
                order as u32,
                cny(minor),
                answer,
                commitment(reference),
            );
            match model.answer(order, minor, executed, reference) {
                Ok(()) => assert_eq!(done, Ok(())),
                Err(error) => assert_eq!(refusal(done), error),
            }
        }
        Act::Transfer { from, to, minor } => {
            let done = world.settlement(firms[from]).transfer(
                firms[from].account,
                firms[to].account,
                bank,
                cny(minor),
                commitment(0),
            );
            let error = if from == to { Some(SettlementError::SameAccount) } else { model.short(from, minor) };
            match error {
                Some(error) => assert_eq!(refusal(done), error),
                None => {
                    assert_eq!(done, Ok(()));
                    model.totals[from] -= minor;
                    model.totals[to] += minor;
                }
            }
        }
        Act::Owe { payer, minor, days } => {
            let due = model.today + days;
            contract
                .register(
                    claim_id(model.claims.len()),
                    firms[payer].account,
                    bank,
                    cny(minor),
                    portolan_interface::BusinessDate(due),
                )
                .unwrap();
            let state = ObligationState::Pending;
            model.claims.push(Claim { payer, amount: minor, due, paid: 0, reserved: 0, tried: None, state });
        }
        Act::Collect { claim } => {
            let share = contract.collect(claim_id(claim)).ok().map(|share| share.minor);
            assert_eq!(share, model.collect(claim));
        }
        Act::Pay { claim, to, minor } => {
            let payment = Payment { part: PartId([0; 32]), holder: firms[to].account, minor, financed: false };
            assert_eq!(contract.pay(claim_id(claim), vec![payment]).is_ok(), model.pay(claim, to, minor));
        }
        Act::NextDay => {
            model.today += 1;
            world.advance_to(portolan_interface::BusinessDate(model.today));
        }
    }
}

fn compare(world: &World, firms: [Firm; 3], model: &Model) {
    world.assert_deposits(world.bank);
    for (who, firm) in firms.into_iter().enumerate() {
        let page = Settlement::over(world.chain.as_operator()).deposits(firm.account, None).unwrap();
        let found = page
            .deposits
            .first()
            .map_or([0; 3], |deposit| [deposit.balance.minor, deposit.held.minor, deposit.pending.minor]);
        assert_eq!(found, [model.totals[who], model.held(who), model.pending(who)]);
    }
    for (index, claim) in model.claims.iter().enumerate() {
        let obligation = Settlement::over(world.chain.as_operator()).obligation(claim_id(index)).unwrap();
        assert_eq!(
            (obligation.paid.minor, obligation.reserved.minor, obligation.state),
            (claim.paid, claim.reserved, claim.state)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn deposits_and_claims_follow_the_reference(acts in proptest::collection::vec(act(), 1..60)) {
        let world = World::new();
        let firms = [world.core, world.tier_1, world.tier_2];
        let mut model = Model { today: world.chain.date(), ..Model::default() };
        for act in &acts {
            perform(&world, firms, &mut model, act);
            compare(&world, firms, &model);
        }
    }
}
