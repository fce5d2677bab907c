//! Who may see what: the only gate to REST, to the stream of events and to proofs.
//!
//! The operator of the node sees everything. An account sees how the network is, headers, the chain's own rules, and what it is
//! party to; contracts judge their own questions by the reader that they are told. Who is nobody sees whether the node is up.
//! Must never depend on the state: whoever asks has read it.

use portolan_primitives::{AccountId, Caller, ContractId, MemberId, Role};
use portolan_runtime::native::Native;

/// Who reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reader {
    /// On the node's own machine.
    Operator,
    /// By a signature that was verified.
    Account(AccountReader),
    /// Neither.
    Anonymous,
}

/// An account whose member signed the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountReader {
    /// The account.
    pub account: AccountId,
    /// Whose it is.
    pub member: MemberId,
    /// What the member may do.
    pub roles: Vec<Role>,
}

impl Reader {
    /// As contracts see it; `None` for nobody.
    pub fn caller(&self) -> Option<Caller> {
        match self {
            Self::Operator => Some(Caller::Operator),
            Self::Account(reader) => Some(Caller::Account(reader.account)),
            Self::Anonymous => None,
        }
    }

    /// Whether each of its reads is logged.
    pub fn is_watched(&self) -> bool {
        matches!(self, Self::Account(reader) if reader.roles.iter().any(|role| matches!(role, Role::Auditor | Role::Regulator)))
    }
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// Whether the node is up, and how its API is called.
    Probe,
    /// How the network and the node are.
    Status,
    /// The node's counters.
    Metrics,
    /// Headers and certificates.
    Headers,
    /// What contracts and native modules say about themselves.
    Descriptions,
    /// Handing a transaction in, which is judged by its own signatures.
    Submission,
    /// Whether a transaction is final, which only who knows its id can ask.
    Finality,
    /// A transaction with its outcome, events and proof.
    Transaction {
        /// The members of its sender and approvers.
        parties: &'a [MemberId],
    },
    /// What came of the agenda and of the chain's own acts.
    ChainOutcome,
    /// What falls due.
    Agenda,
    /// A question to a contract or native module.
    Question {
        /// Whom.
        contract: ContractId,
        /// Whether it is about the reader's own member or account, by its arguments.
        about_reader: bool,
    },
    /// The proof of a question's answer: it shows every record that the question read.
    QuestionProof,
    /// A value of the state under its key.
    State,
}

/// The reader may not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It has to say who it is.
    NotIdentified,
    /// It is party to nothing of it.
    NotParty,
}

/// Whether `reader` may see `resource`.
pub fn allows(reader: &Reader, resource: &Resource<'_>) -> Result<(), Denied> {
    match (reader, resource) {
        (Reader::Operator, _) | (_, Resource::Probe | Resource::Status) => Ok(()),
        (Reader::Anonymous, _) => Err(Denied::NotIdentified),
        (Reader::Account(reader), resource) if is_open_to(reader, resource) => Ok(()),
        (Reader::Account(_), _) => Err(Denied::NotParty),
    }
}

fn is_open_to(reader: &AccountReader, resource: &Resource<'_>) -> bool {
    match resource {
        Resource::Headers | Resource::Descriptions | Resource::Submission | Resource::Finality => true,
        Resource::Transaction { parties } => parties.contains(&reader.member),
        Resource::Question { contract, about_reader } => match Native::from_id(*contract) {
            // Contracts are told who asks.
            None => true,
            // The chain's own rules, and what all members decide together.
            Some(Native::Calendar | Native::Clock | Native::Contracts | Native::Governance | Native::Parameters) => {
                true
            }
            Some(Native::Members) => *about_reader,
            Some(Native::Agenda) => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: MemberId = MemberId([1; 16]);
    const OTHER: MemberId = MemberId([2; 16]);

    fn account(roles: &[Role]) -> Reader {
        Reader::Account(AccountReader { account: AccountId([3; 16]), member: OWN, roles: roles.to_vec() })
    }

    fn question(contract: ContractId, about_reader: bool) -> Resource<'static> {
        Resource::Question { contract, about_reader }
    }

    #[test]
    fn the_operator_sees_everything() {
        for resource in
            [Resource::Metrics, Resource::State, Resource::QuestionProof, Resource::Transaction { parties: &[] }]
        {
            assert_eq!(allows(&Reader::Operator, &resource), Ok(()), "{resource:?}");
        }
    }

    #[test]
    fn nobody_sees_whether_the_node_is_up_and_no_more() {
        assert_eq!(allows(&Reader::Anonymous, &Resource::Probe), Ok(()));
        assert_eq!(allows(&Reader::Anonymous, &Resource::Status), Ok(()));
        let others = [
            Resource::Metrics,
            Resource::Headers,
            Resource::Descriptions,
            Resource::Submission,
            Resource::Finality,
            Resource::Transaction { parties: &[OWN] },
            Resource::ChainOutcome,
            Resource::Agenda,
            question(ContractId([9; 16]), true),
            Resource::QuestionProof,
            Resource::State,
        ];
        for resource in others {
            assert_eq!(allows(&Reader::Anonymous, &resource), Err(Denied::NotIdentified), "{resource:?}");
        }
    }

    #[test]
    fn an_account_sees_transactions_that_its_member_is_party_to() {
        assert_eq!(allows(&account(&[]), &Resource::Transaction { parties: &[OTHER, OWN] }), Ok(()));
        assert_eq!(allows(&account(&[]), &Resource::Transaction { parties: &[OTHER] }), Err(Denied::NotParty));
    }

    #[test]
    fn contracts_judge_their_own_questions() {
        assert_eq!(allows(&account(&[]), &question(ContractId([9; 16]), false)), Ok(()));
    }

    #[test]
    fn an_account_asks_about_its_own_member_and_no_other() {
        assert_eq!(allows(&account(&[]), &question(Native::Members.id(), true)), Ok(()));
        assert_eq!(allows(&account(&[]), &question(Native::Members.id(), false)), Err(Denied::NotParty));
        assert_eq!(allows(&account(&[]), &question(Native::Clock.id(), false)), Ok(()));
    }

    #[test]
    fn a_member_reads_the_proposals_that_it_may_approve() {
        assert_eq!(allows(&account(&[]), &question(Native::Governance.id(), false)), Ok(()));
        assert_eq!(allows(&Reader::Anonymous, &question(Native::Governance.id(), false)), Err(Denied::NotIdentified));
    }

    #[test]
    fn an_account_sees_nothing_of_others_by_the_back_door() {
        let closed = [
            Resource::Metrics,
            Resource::State,
            Resource::QuestionProof,
            Resource::Agenda,
            Resource::ChainOutcome,
            question(Native::Agenda.id(), true),
        ];
        for resource in closed {
            assert_eq!(allows(&account(&[Role::Regulator]), &resource), Err(Denied::NotParty), "{resource:?}");
        }
    }

    #[test]
    fn auditors_and_regulators_are_watched() {
        assert!(account(&[Role::Bank, Role::Auditor]).is_watched());
        assert!(account(&[Role::Regulator]).is_watched());
        assert!(!account(&[Role::Bank]).is_watched());
        assert!(!Reader::Operator.is_watched());
    }
}
