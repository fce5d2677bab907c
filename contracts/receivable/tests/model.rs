//! Random sequences of up to 500 calls, legal and illegal, in the contract and in a reference in plain Rust. After each call the answer, what was
//! told, every part, every list and every balance must be the same, and the sums must hold.

#[path = "model/reference.rs"]
mod reference;
mod world;

use portolan_interface::{
    AccountId, BusinessDate, CertificateId, DayCount, DocumentId, Hash, PartId, Ppm,
    receivable::{self, CertificateState, PartAct, PartState, ReceivableError, ReceivableEvent, Recourse},
    trade::{CreditReason, CreditTerms},
};
use portolan_sdk::CallError;
use portolan_terms::spread::equal_parts;
use proptest::{collection, prelude::*};
use reference::{Node, Outcome, Reference};
use world::{Firm, Receivable, World, cny, commitment};

const FACE: i128 = 1_000_000;
/// The smallest part of such a certificate.
const DUST: i128 = 100;

/// Who acts: who may, mostly, or one of all.
#[derive(Clone, Copy, Debug)]
enum Who {
    Right,
    Firm(usize),
}

#[derive(Clone, Debug)]
enum Act {
    Split(Vec<i128>),
    Equal(u16),
    Merge,
    Offer {
        to: usize,
        recourse: Recourse,
    },
    Accept,
    Reject,
    Withdraw,
    Discount,
    Order(PartAct),
    Agree {
        debtor: bool,
        act: PartAct,
    },
    Dispute {
        fraud: bool,
    },
    Acknowledge,
    Propose,
    WithdrawProposal,
    Consent,
    TakeBack,
    /// Everybody who can consents.
    ConsentAll,
    Credit {
        minor: i128,
    },
    OfferEarly {
        rate: u32,
    },
    WithdrawEarly,
    AcceptEarly,
    Collect,
    Claim,
    Discharge {
        number: u32,
    },
    Deposit(i128),
    Days(i32),
    ToDueDate,
}

/// An act on a node.
#[derive(Clone, Debug)]
struct Step {
    act: Act,
    who: Who,
    /// Which leaf; or, one time in ten, which node of all.
    place: usize,
    anywhere: bool,
}

fn part_act() -> impl Strategy<Value = PartAct> {
    prop_oneof![
        2 => Just(PartAct::Hold),
        3 => Just(PartAct::Release),
        4 => (-1i128..200_000).prop_map(|minor| PartAct::Resolve { lost: cny(minor) }),
        4 => (0i128..200).prop_map(|minor| PartAct::Resolve { lost: cny(minor) }),
    ]
}

fn recourse() -> impl Strategy<Value = Recourse> {
    prop_oneof![3 => Just(Recourse::With), 1 => Just(Recourse::Without)]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => collection::vec(-20i128..300_000, 0..5).prop_map(Act::Split),
        3 => (0u16..9).prop_map(Act::Equal),
        4 => Just(Act::Merge),
        9 => (0usize..4, recourse()).prop_map(|(to, recourse)| Act::Offer { to, recourse }),
        9 => Just(Act::Accept),
        1 => Just(Act::Reject),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Discount),
        4 => part_act().prop_map(Act::Order),
        4 => (any::<bool>(), part_act()).prop_map(|(debtor, act)| Act::Agree { debtor, act }),
        2 => any::<bool>().prop_map(|fraud| Act::Dispute { fraud }),
        1 => Just(Act::Acknowledge),
        1 => Just(Act::Propose),
        1 => Just(Act::WithdrawProposal),
        3 => Just(Act::Consent),
        2 => Just(Act::TakeBack),
        1 => (0i128..60_000).prop_map(|minor| Act::Credit { minor }),
        3 => prop_oneof![0u32..120_000, Just(1_000_001)].prop_map(|rate| Act::OfferEarly { rate }),
        1 => Just(Act::WithdrawEarly),
        3 => Just(Act::AcceptEarly),
        1 => Just(Act::Collect),
        3 => Just(Act::Claim),
        2 => (0u32..4).prop_map(|number| Act::Discharge { number }),
        1 => (1i128..150_000).prop_map(Act::Deposit),
        2 => (1i32..4).prop_map(Act::Days),
    ]
}

fn step(act: impl Strategy<Value = Act>) -> impl Strategy<Value = Step> {
    let who = prop_oneof![5 => Just(Who::Right), 1 => (0usize..7).prop_map(Who::Firm)];
    (act, who, 0usize..10_000, prop::bool::weighted(0.1)).prop_map(|(act, who, place, anywhere)| Step {
        act,
        who,
        place,
        anywhere,
    })
}

/// Before the due date, then sometimes to it, and after it.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let to_due = || prop_oneof![4 => Just(Act::ToDueDate), 1 => Just(Act::ConsentAll)];
    (collection::vec(step(act()), 0..380), collection::vec(step(to_due()), 0..2), collection::vec(step(act()), 0..118))
        .prop_map(|(before, due, after)| [before, due, after].concat())
}

struct Pair {
    world: World,
    certificate: CertificateId,
    invoice: DocumentId,
    model: Reference,
    /// Events of the contract that were compared.
    seen: usize,
    /// Credit notes so far.
    notes: u64,
}

fn firms(world: &World) -> [Firm; 7] {
    [world.tier_1, world.tier_2, world.other_tier_2, world.tier_3, world.bank, world.core, world.regulator]
}

fn reference() -> Hash {
    commitment(77)
}

/// The contract's answer, without what another contract would say.
fn answer<T>(result: Result<T, CallError<ReceivableError>>) -> Outcome {
    match result {
        Ok(_) => Ok(()),
        Err(CallError::Contract(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

impl Pair {
    fn new() -> Self {
        let world = World::new();
        let (certificate, _) = world.live(1, cny(FACE));
        let found = world.books().certificate(certificate).unwrap();
        let accounts = [world.core, world.tier_1, world.regulator].map(|firm| firm.account);
        let model = Reference::new(certificate, accounts, (FACE, DUST), (world.today(), found.due));
        let invoice = found.terms.invoice;
        let mut pair = Self { world, certificate, invoice, model, seen: 0, notes: 0 };
        pair.seen = pair.told().len();
        pair
    }

    fn told(&self) -> Vec<ReceivableEvent> {
        self.world.chain.events::<ReceivableEvent>(receivable::api::CONTRACT)
    }

    fn client(&self, by: AccountId) -> Receivable {
        Receivable::over(self.world.chain.as_account(by))
    }

    fn target(&self, step: &Step) -> PartId {
        let nodes = if step.anywhere { self.model.nodes.keys().copied().collect() } else { self.model.leaves() };
        nodes[step.place % nodes.len()]
    }

    /// Does the step in both, and compares the answers.
    fn perform(&mut self, step: &Step) {
        let part = self.target(step);
        let node = self.model.nodes[&part].clone();
        let firms = firms(&self.world);
        let right = |account: AccountId| match step.who {
            Who::Right => account,
            Who::Firm(place) => firms[place].account,
        };
        let (holder, core) = (right(node.holder), right(self.world.core.account));
        let today = self.model.today;
        let outcomes = match &step.act {
            Act::Split(cuts) => {
                // The last part takes the rest, so that many of the splits are exact.
                let mut amounts = cuts.clone();
                amounts.push(node.outstanding() - cuts.iter().sum::<i128>());
                self.split(holder, part, &amounts)
            }
            Act::Equal(count) => {
                let amounts = equal_parts(node.outstanding(), *count).unwrap_or_default();
                self.split(holder, part, &amounts)
            }
            Act::Merge => {
                let parent = if step.anywhere { part } else { node.parent.unwrap_or(part) };
                let outcome = self.client(holder).merge(holder, parent);
                (answer(outcome), self.model.call(|model| model.merge(holder, parent)))
            }
            Act::Offer { to, recourse } => {
                let (to, expires) = (firms[*to].account, BusinessDate(today.0 + 2));
                if expires.0 >= self.model.due.0 - 1 && today < self.model.due {
                    // Whether it lapses or is paid first on the due date is the agenda's order of ids.
                    return;
                }
                let outcome = self.client(holder).offer_transfer(holder, part, to, *recourse, expires);
                (answer(outcome), self.model.call(|model| model.offer(holder, part, to, *recourse, expires)))
            }
            Act::Accept | Act::Reject => {
                let receiver = match node.bound {
                    reference::Bound::Offered { to, .. } | reference::Bound::Lapsed { to, .. } => to,
                    _ => node.holder,
                };
                let by = right(receiver);
                let client = self.client(by);
                if matches!(step.act, Act::Accept) {
                    (answer(client.accept_transfer(by, part)), self.model.call(|model| model.accept(by, part)))
                } else {
                    (answer(client.reject_transfer(by, part)), self.model.call(|model| model.reject(by, part)))
                }
            }
            Act::Withdraw => {
                let outcome = self.client(holder).withdraw_transfer(holder, part);
                (answer(outcome), self.model.call(|model| model.withdraw(holder, part)))
            }
            Act::Discount => return self.discount(holder, part, &node),
            Act::Order(act) => {
                let by = right(self.world.regulator.account);
                let outcome = self.client(by).order(by, part, act.clone(), reference());
                (answer(outcome), self.model.call(|model| model.order(by, part, act, reference())))
            }
            Act::Agree { debtor, act } => {
                let by = if *debtor { core } else { holder };
                let outcome = self.client(by).agree(by, part, act.clone(), reference());
                (answer(outcome), self.model.call(|model| model.agree(by, part, act, reference())))
            }
            Act::Dispute { fraud } => {
                let outcome = self.client(core).dispute(core, part, reference(), *fraud);
                (answer(outcome), self.model.call(|model| model.dispute(core, part, reference(), *fraud)))
            }
            Act::Acknowledge => {
                let outcome = self.client(core).acknowledge(core, part);
                (answer(outcome), self.model.call(|model| model.acknowledge(core, part)))
            }
            Act::Propose => {
                let outcome = self.client(core).propose_cancellation(core, self.certificate);
                (answer(outcome), self.model.call(|model| model.propose_cancellation(core)))
            }
            Act::WithdrawProposal => {
                let outcome = self.client(core).withdraw_cancellation(core, self.certificate);
                (answer(outcome), self.model.call(|model| model.withdraw_cancellation(core)))
            }
            Act::Consent => self.consent(holder, part),
            Act::TakeBack => {
                let outcome = self.client(holder).withdraw_consent(holder, part);
                (answer(outcome), self.model.call(|model| model.take_back(holder, part)))
            }
            Act::ConsentAll => return self.consent_all(),
            Act::Credit { minor } => {
                return self.credit(right([core, self.world.tier_1.account][step.place % 2]), *minor);
            }
            Act::OfferEarly { rate } => {
                let (rate, expires) = (Ppm(*rate), BusinessDate(today.0 + 3));
                let outcome = self.client(core).offer_early_payment(core, part, rate, DayCount::Act360, expires);
                (answer(outcome), self.model.call(|model| model.offer_early(core, part, rate, expires)))
            }
            Act::WithdrawEarly => {
                let outcome = self.client(core).withdraw_early_payment(core, part);
                (answer(outcome), self.model.call(|model| model.withdraw_early(core, part)))
            }
            Act::AcceptEarly => {
                let outcome = self.client(holder).accept_early_payment(holder, part);
                (answer(outcome), self.model.call(|model| model.accept_early(holder, part)))
            }
            Act::Collect => {
                let outcome = self.client(holder).collect(self.certificate);
                (answer(outcome), self.model.call(Reference::collect))
            }
            Act::Claim => {
                let outcome = self.client(holder).claim_recourse(holder, part);
                (answer(outcome), self.model.call(|model| model.claim_recourse(holder, part)))
            }
            Act::Discharge { number } => {
                let outcome = self.client(holder).discharge(holder, *number, reference());
                (answer(outcome), self.model.call(|model| model.discharge(holder, *number, reference())))
            }
            Act::Deposit(minor) => {
                self.world.deposit(cny(*minor));
                self.model.credit(self.world.core.account, *minor);
                return;
            }
            Act::Days(days) => return self.advance(*days),
            Act::ToDueDate => return self.advance(self.model.due.0 - today.0),
        };
        // Payments of several batches go on in the next block.
        self.world.chain.run_agenda();
        assert_eq!(outcomes.0, outcomes.1, "{step:?} on {node:?}");
    }

    fn split(&mut self, by: AccountId, part: PartId, amounts: &[i128]) -> (Outcome, Outcome) {
        let outcome = self.client(by).split(by, part, amounts.iter().map(|minor| cny(*minor)).collect());
        (answer(outcome), self.model.call(|model| model.split(by, part, amounts)))
    }

    fn consent(&mut self, by: AccountId, part: PartId) -> (Outcome, Outcome) {
        let outcome = self.client(by).consent_to_cancellation(by, part);
        (answer(outcome), self.model.call(|model| model.consent(by, part)))
    }

    /// What can be freed is, and everybody consents.
    fn consent_all(&mut self) {
        let core = self.world.core.account;
        let proposed = answer(self.client(core).propose_cancellation(core, self.certificate));
        assert_eq!(proposed, self.model.call(|model| model.propose_cancellation(core)));
        for leaf in self.model.leaves() {
            let holder = self.model.nodes[&leaf].holder;
            let withdrawn = answer(self.client(holder).withdraw_transfer(holder, leaf));
            assert_eq!(withdrawn, self.model.call(|model| model.withdraw(holder, leaf)));
            let outcomes = self.consent(holder, leaf);
            assert_eq!(outcomes.0, outcomes.1);
        }
    }

    /// The holder asks, and the bank, if it is another, buys.
    fn discount(&mut self, by: AccountId, part: PartId, node: &Node) {
        let borrower = firms(&self.world).into_iter().find(|firm| firm.account == by).expect("a firm");
        let asked = self.world.financing(borrower).request(by, part);
        let live = self.model.shown(node) == PartState::Live;
        assert_eq!(asked.is_ok(), !self.model.is_financed() && node.holder == by && live, "{node:?}");
        let bank = self.world.bank;
        let Ok(financing) = asked else { return };
        let offered = self.world.financing(bank).offer(bank.account, financing, self.world.offer_terms());
        let in_time = self.model.today.0 + 5 < self.model.due.0;
        assert_eq!(offered.is_ok(), in_time && by != bank.account);
        if let Ok(offer) = offered {
            self.world.financing(borrower).accept(by, financing, offer).unwrap();
            self.model.discount(part, bank.account);
        }
    }

    /// Seller and buyer agree to a credit note, and a party has the certificate lose by it.
    fn credit(&mut self, by: AccountId, minor: i128) {
        if minor <= 0 || self.model.credited + minor > FACE {
            return;
        }
        self.notes += 1;
        let terms = CreditTerms {
            invoice: self.invoice,
            amount: cny(minor),
            tax_minor: 0,
            reason: CreditReason::Return,
            issued: self.world.today(),
            fingerprint: commitment(self.notes + 5_000_000),
            commitment: commitment(self.notes + 6_000_000),
        };
        let (seller, buyer) = (self.world.tier_1, self.world.core);
        let note = self.world.trade(seller).propose_credit(seller.account, terms).unwrap();
        self.world.trade(buyer).answer_credit(buyer.account, note, true).unwrap();
        self.model.note(note, minor);
        let outcome = answer(self.client(by).dilute(by, self.certificate, note));
        self.world.chain.run_agenda();
        assert_eq!(outcome, self.model.call(|model| model.dilute(by, note)), "{minor}");
    }

    fn advance(&mut self, days: i32) {
        for _ in 0..days {
            self.compare_events();
            self.world.advance_to(self.world.in_days(1));
            self.model.next_day();
            // Entries of one day run in the order of their ids.
            let mut told = self.told().split_off(self.seen);
            self.seen += told.len();
            let mut expected = std::mem::take(&mut self.model.events);
            told.sort_by_key(|event| format!("{event:?}"));
            expected.sort_by_key(|event| format!("{event:?}"));
            assert_eq!(told, expected);
        }
    }

    fn compare_events(&mut self) {
        let told = self.told().split_off(self.seen);
        self.seen += told.len();
        assert_eq!(told, std::mem::take(&mut self.model.events));
    }

    fn compare(&mut self) {
        self.compare_events();
        let totals = self.world.assert_conserved(self.certificate);
        let found = self.world.books().certificate(self.certificate).unwrap();
        assert_eq!(found.state, self.model.state);
        let cancelled = if found.state == CertificateState::Cancelled { self.model.outstanding() } else { 0 };
        assert_eq!(totals.cancelled, cny(cancelled));
        let debt = self.world.books().debt(self.world.core.account, cny(0).currency).unwrap();
        assert_eq!(debt.used, totals.outstanding);
        let tree = self.world.tree(self.certificate);
        assert_eq!(tree.len(), self.model.nodes.len());
        for part in tree {
            let node = &self.model.nodes[&part.id];
            let void = self.model.state == CertificateState::Cancelled;
            let outstanding = if void { 0 } else { node.outstanding() };
            assert_eq!((part.holder, part.state), (node.holder, self.model.shown(node)));
            assert_eq!((part.amount, part.outstanding), (cny(node.amount), cny(outstanding)));
            assert_eq!((part.settled, part.diluted), (cny(node.settled), cny(node.diluted)));
            assert_eq!((part.financing.is_some(), part.early), (node.financed(), node.early.clone()));
        }
        for firm in firms(&self.world) {
            assert_eq!(self.world.balance(firm, self.world.bank), self.model.balance(firm.account));
            self.compare_holdings(firm);
        }
        self.world.assert_deposits(self.world.bank);
    }

    /// What a firm holds or is offered, each once.
    fn compare_holdings(&self, firm: Firm) {
        let mut seen: Vec<PartId> = self.world.holdings(firm).iter().map(|part| part.id).collect();
        let concerns = |leaf: &PartId| {
            let node = &self.model.nodes[leaf];
            let offered = matches!(node.bound, reference::Bound::Offered { to, .. } if to == firm.account);
            (node.holder == firm.account || offered) && self.model.shown(node) != PartState::Cancelled
        };
        let mut expected: Vec<PartId> = self.model.leaves().into_iter().filter(concerns).collect();
        seen.sort_unstable();
        expected.sort_unstable();
        assert_eq!(seen, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_contract_answers_tells_and_pays_as_the_reference_does(steps in steps()) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.perform(step);
            pair.compare();
        }
        // Whatever happened, enough money ends it, but for what is in dispute.
        pair.world.deposit(cny(FACE));
        pair.model.credit(pair.world.core.account, FACE);
        let due = pair.model.due.0;
        pair.advance((due + 8 - pair.model.today.0).max(4));
        pair.compare();
        let left = pair.model.outstanding() - pair.model.disputed();
        prop_assert!(left == 0 || pair.model.state == CertificateState::Cancelled, "{left}");
    }
}
