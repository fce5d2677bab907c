//! Governance: members with a validator propose, approve and thereby carry out what no single member may do.
//!
//! A proposal names one typed action. Votes weigh as validators do. When the approvals reach the action's threshold, the
//! action runs: at once, or on the agenda after the lead time. It runs once; one that fails is recorded with its error and
//! can be run again until the proposal expires.
//!
//! An approval binds the action's hash, the policy under which the member approved, the keys that approved, and the version of
//! the contract that the action is for. What has changed until the action runs makes it stale. Must never act on an approval
//! whose member is no longer a voter, or whose approvers are no longer valid.

use codec::{Decode, Encode};
use portolan_primitives::hash::hash_encoded;
use portolan_primitives::limits::{MAX_TOTAL_POWER, MAX_VALIDATORS};
use portolan_primitives::{
    AccountId, BusinessDate, Caller, ContractId, Domain, Hash, Height, KeyId, MemberId, MemberStatus, PublicKey, Role,
    Validator, ValidatorSet,
};
use portolan_sdk::metadata::ContractMetadata;
use portolan_vm::abi::{Authorization, CallRefusal};
use scale_info::TypeInfo;

use super::members::{ADMIN, NO_CURRENCY};
use super::records::{
    Account, Instance, Key, KeyPurpose, Member, Parameter, Person, PersonId, Record, Validators, YearDays,
};
use super::{Context, Native, NativeError, NativeModule, NativeResult, decode_message};
use crate::authority::counts;

/// Days for which a proposal can be approved and run, if its proposer named fewer or none.
pub const LIFE_DAYS: i32 = 90;
/// Longest title of a proposal, bytes.
pub const MAX_TITLE: usize = 256;
/// Blocks between the decision on a validator set and its first block.
pub const SET_LEAD_BLOCKS: u64 = 2;
/// Parameter with the lead time of an action, business days; none if it was not set.
pub const LEAD_PARAMETER: &str = "governance.lead-days";
/// Gas that the agenda gives to an action after its lead time.
const ACTION_GAS: u64 = 1_000_000_000;
const PPM: u128 = 1_000_000;
/// More than two thirds of the voting power.
const TWO_THIRDS_PPM: u32 = 666_667;
/// Half of the voting power.
const HALF_PPM: u32 = 500_000;
/// Lowest threshold that a parameter may set: more than one third, so that the faulty alone decide nothing.
const LEAST_PPM: u32 = 333_334;

/// What a proposal does when it is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Action {
    /// A member joins.
    #[codec(index = 0)]
    AddMember {
        /// Its name on the chain.
        name: String,
        /// Its name for people.
        title: String,
        /// What it may do.
        roles: Vec<Role>,
        /// Pseudonym of its first person.
        admin: String,
        /// That person's key.
        admin_key: PublicKey,
    },
    /// A member is frozen, restricted, made active again, or leaves.
    #[codec(index = 1)]
    SetMemberStatus {
        /// The member.
        member: MemberId,
        /// Its new status.
        status: MemberStatus,
    },
    /// A member's roles change.
    #[codec(index = 2)]
    SetMemberRoles {
        /// The member.
        member: MemberId,
        /// Its new roles.
        roles: Vec<Role>,
    },
    /// A parameter gets a value.
    #[codec(index = 3)]
    SetParameter {
        /// Its name.
        name: String,
        /// SCALE of its value.
        value: Vec<u8>,
    },
    /// A contract is deployed.
    #[codec(index = 4)]
    DeployContract {
        /// Name of the instance.
        name: String,
        /// The module.
        code: Vec<u8>,
        /// SCALE of its instantiate message; empty if it takes none.
        instantiate: Vec<u8>,
    },
    /// A contract gets new code.
    #[codec(index = 5)]
    UpgradeContract {
        /// Name of the instance.
        name: String,
        /// The module.
        code: Vec<u8>,
        /// SCALE of its migrate message; empty if it takes none.
        migrate: Vec<u8>,
    },
    /// A year is added to a calendar, or replaced as far as it lies ahead.
    #[codec(index = 6)]
    EnactCalendar {
        /// The calendar.
        calendar: String,
        /// The year.
        days: YearDays,
    },
    /// The validators change, two blocks later.
    #[codec(index = 7)]
    SetValidators {
        /// All validators from then on.
        validators: Vec<Validator>,
    },
    /// A contract is called in the name of governance.
    #[codec(index = 8)]
    CallContract {
        /// The contract.
        contract: ContractId,
        /// SCALE of its message.
        input: Vec<u8>,
    },
}

impl Action {
    /// Parameter that sets the threshold, and the threshold where it was not set, in ppm of the voting power.
    fn threshold(&self) -> (&'static str, u32) {
        match self {
            Self::AddMember { .. } | Self::SetMemberRoles { .. } => ("governance.threshold.member", HALF_PPM),
            Self::SetMemberStatus { .. } => ("governance.threshold.status", HALF_PPM),
            Self::SetParameter { .. } | Self::EnactCalendar { .. } => {
                ("governance.threshold.parameter", TWO_THIRDS_PPM)
            }
            Self::DeployContract { .. } | Self::UpgradeContract { .. } | Self::CallContract { .. } => {
                ("governance.threshold.contract", TWO_THIRDS_PPM)
            }
            Self::SetValidators { .. } => ("governance.threshold.validators", TWO_THIRDS_PPM),
        }
    }

    /// The contract whose present code voters have in mind.
    fn contract(&self) -> Option<ContractId> {
        match self {
            Self::UpgradeContract { name, .. } => Some(ContractId::from_name(name)),
            Self::CallContract { contract, .. } => Some(*contract),
            _ => None,
        }
    }
}

/// Where a proposal stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum ProposalState {
    /// Approvals are being gathered.
    #[codec(index = 0)]
    Open,
    /// Enough approvals; the action is on the agenda for that day.
    #[codec(index = 1)]
    Scheduled {
        /// The day.
        due: BusinessDate,
    },
    /// The action ran.
    #[codec(index = 2)]
    Executed {
        /// At this height.
        height: Height,
    },
    /// The action was refused; it can be run again.
    #[codec(index = 3)]
    Failed {
        /// At this height.
        height: Height,
        /// What the callee answered, in SCALE of its error.
        error: Vec<u8>,
    },
    /// The proposer took it back.
    #[codec(index = 4)]
    Withdrawn,
}

/// A member's approval, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Approval {
    /// Who approved.
    pub member: MemberId,
    /// Version of the policy of its account `admin` that was met.
    pub policy_version: u32,
    /// Keys of the persons whom that policy counted.
    pub keys: Vec<KeyId>,
}

/// A proposal without its action, which can be large.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Proposal {
    /// Who proposed it.
    pub proposer: MemberId,
    /// What it is for, for people.
    pub title: String,
    /// Hash of the action: what an approval binds.
    pub action_hash: Hash,
    /// When it was made.
    pub created: Height,
    /// Last business date on which it can be approved or run.
    pub expires: BusinessDate,
    /// Version of the contract that the action upgrades or calls, when it was proposed; none for other actions.
    pub contract_version: Option<u32>,
    /// Who approved, in order.
    pub approvals: Vec<Approval>,
    /// Where it stands.
    pub state: ProposalState,
}

impl Record for Proposal {
    const MODULE: Native = Native::Governance;
    const PREFIX: u8 = 16;
    type Id = Hash;
}

impl Record for Action {
    const MODULE: Native = Native::Governance;
    const PREFIX: u8 = 17;
    // It may carry a contract's code.
    const LONG: bool = true;
    type Id = Hash;
}

/// Why a message about governance was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum GovernanceError {
    /// The sender must be the account `admin` of an active member that has a validator.
    #[codec(index = 0)]
    NotAVoter,
    /// Too few persons of the member approved.
    #[codec(index = 1)]
    TooFewPersons,
    /// Titles have 1 to 256 bytes.
    #[codec(index = 2)]
    BadTitle,
    /// There is no such proposal.
    #[codec(index = 3)]
    UnknownProposal,
    /// The approval is for another action than the proposal's; read the proposal again, and approve what it says now.
    #[codec(index = 4)]
    StaleApproval,
    /// The proposal is no longer open for that.
    #[codec(index = 5)]
    NotOpen,
    /// The proposal's last day is past.
    #[codec(index = 6)]
    Expired,
    /// The member approved already.
    #[codec(index = 7)]
    AlreadyApproved,
    /// Too little voting power approved so far.
    #[codec(index = 8)]
    NotEnoughApprovals {
        /// Power that approved, in ppm of all.
        approved: u32,
        /// Power that is needed.
        needed: u32,
    },
    /// Only the proposer takes a proposal back.
    #[codec(index = 9)]
    NotProposer,
    /// A validator set has 1 to 128 active members, each once, each with power and a key of its own, with at most a third of
    /// 2^64 in all.
    #[codec(index = 10)]
    BadValidatorSet,
    /// More than a third of the voting power would change at once: change the set in steps.
    #[codec(index = 11)]
    TooMuchChange,
    /// An earlier change of the validator set has yet to take effect.
    #[codec(index = 12)]
    ChangePending,
    /// The agenda takes no more entries.
    #[codec(index = 13)]
    AgendaFull,
    /// A number of days is 1 to 90.
    #[codec(index = 14)]
    BadLife,
    /// The contract that the action is for was upgraded since; propose the action again.
    #[codec(index = 15)]
    StaleContract {
        /// Its version when the action was proposed.
        proposed: u32,
        /// Its version now.
        now: u32,
    },
}

/// What happened in governance.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum GovernanceEvent {
    /// A proposal was made.
    #[codec(index = 0)]
    Proposed {
        /// The proposal.
        proposal: Hash,
        /// By whom.
        proposer: MemberId,
    },
    /// A member approved.
    #[codec(index = 1)]
    Approved {
        /// The proposal.
        proposal: Hash,
        /// Who.
        member: MemberId,
    },
    /// The action ran.
    #[codec(index = 2)]
    Executed {
        /// The proposal.
        proposal: Hash,
    },
    /// The action was refused.
    #[codec(index = 3)]
    Failed {
        /// The proposal.
        proposal: Hash,
        /// SCALE of the callee's error.
        error: Vec<u8>,
    },
    /// The proposer took it back.
    #[codec(index = 4)]
    Withdrawn {
        /// The proposal.
        proposal: Hash,
    },
    /// A validator set takes effect.
    #[codec(index = 5)]
    ValidatorsChange {
        /// First height that it certifies.
        from: Height,
    },
}

/// A proposal as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ProposalView {
    /// Its id.
    pub id: Hash,
    /// The record.
    pub proposal: Proposal,
    /// Voting power that approved and still counts, in ppm of all.
    pub approved: u32,
    /// Voting power that is needed, in ppm of all.
    pub needed: u32,
}

/// Proposals and validator sets.
#[portolan_sdk::interface(name = "governance", error = GovernanceError, event = GovernanceEvent, module = messages)]
pub trait Messages {
    /// A voter proposes, and thereby approves. Open for `days` business-date days, 90 if none are named.
    #[call(index = 0)]
    fn propose(&mut self, title: String, action: Action, days: Option<u32>) -> Result<Hash, GovernanceError>;
    /// A voter approves the action with that hash, or renews an approval that became stale. The approval that reaches the
    /// threshold carries it out.
    #[call(index = 1)]
    fn approve(&mut self, proposal: Hash, action_hash: Hash) -> Result<ProposalState, GovernanceError>;
    /// The proposer takes it back.
    #[call(index = 2)]
    fn withdraw(&mut self, proposal: Hash) -> Result<(), GovernanceError>;
    /// A voter, or the agenda after the lead time: runs an approved action, also again after it failed.
    #[call(index = 3)]
    fn execute(&mut self, proposal: Hash) -> Result<ProposalState, GovernanceError>;
    /// The proposals, ascending by id, after `after`, at most `limit` (256).
    #[query(index = 0, path = "/governance")]
    fn proposals(&self, after: Option<Hash>, limit: u32) -> Result<Vec<ProposalView>, GovernanceError>;
    /// One proposal.
    #[query(index = 1, path = "/governance/{proposal}")]
    fn proposal(&self, proposal: Hash) -> Result<ProposalView, GovernanceError>;
    /// A proposal's action.
    #[query(index = 2, path = "/governance/{proposal}/action")]
    fn action(&self, proposal: Hash) -> Result<Action, GovernanceError>;
    /// The validator sets: in force, and to come.
    #[query(index = 3, path = "/validators")]
    fn validators(&self) -> Result<Validators, GovernanceError>;
}

/// The module.
pub struct Governance;

impl NativeModule for Governance {
    fn metadata(&self) -> ContractMetadata {
        messages::metadata()
    }

    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        use messages::Call;
        match decode_message::<Call>(input)? {
            Call::Propose { title, action, days } => propose(context, title, action, days).map(|id| id.encode()),
            Call::Approve { proposal, action_hash } => {
                approve(context, proposal, action_hash).map(|state| state.encode())
            }
            Call::Withdraw { proposal } => withdraw(context, proposal).map(|()| vec![]),
            Call::Execute { proposal } => execute(context, proposal).map(|state| state.encode()),
        }
    }

    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        use messages::Query;
        match decode_message::<Query>(input)? {
            Query::Proposals { after, limit } => {
                let found = context.list::<Proposal>(&[], after.as_ref(), limit)?;
                let views: NativeResult<Vec<_>> =
                    found.into_iter().map(|(id, proposal)| view(context, id, proposal)).collect();
                Ok(views?.encode())
            }
            Query::Proposal { proposal } => {
                let record = known(context, &proposal)?;
                view(context, proposal, record).map(|view| view.encode())
            }
            Query::Action { proposal } => action_of(context, &proposal).map(|action| action.encode()),
            Query::Validators => Ok(validators(context)?.encode()),
        }
    }
}

fn refused(error: GovernanceError) -> NativeError {
    NativeError::refused(error)
}

fn ensure(holds: bool, error: GovernanceError) -> NativeResult<()> {
    if holds { Ok(()) } else { Err(refused(error)) }
}

fn known(context: &mut Context<'_>, id: &Hash) -> NativeResult<Proposal> {
    context.get::<Proposal>(id)?.ok_or_else(|| refused(GovernanceError::UnknownProposal))
}

fn action_of(context: &mut Context<'_>, id: &Hash) -> NativeResult<Action> {
    context.get::<Action>(id)?.ok_or_else(|| refused(GovernanceError::UnknownProposal))
}

fn validators(context: &mut Context<'_>) -> NativeResult<Validators> {
    context.get::<Validators>(&())?.ok_or_else(|| {
        NativeError::Fault(portolan_vm::HostFault("the state has no validator set; it was not made by genesis".into()))
    })
}

/// The set whose members vote in this block.
fn voters(context: &mut Context<'_>) -> NativeResult<ValidatorSet> {
    let height = context.block().height;
    Ok(validators(context)?.at(height).clone())
}

/// The voter whose account `admin` sends and whose policy is met.
fn voter(context: &mut Context<'_>) -> NativeResult<MemberId> {
    let sender = context.sender().ok_or_else(|| refused(GovernanceError::NotAVoter))?;
    let member = context.get::<Member>(&sender.member)?.ok_or_else(|| refused(GovernanceError::NotAVoter))?;
    let votes = voters(context)?.validators().iter().any(|validator| validator.member == sender.member);
    let is_admin = sender.account == AccountId::from_name(&member.name, ADMIN);
    ensure(votes && is_admin, GovernanceError::NotAVoter)?;
    match context.authorize(sender.account, "govern", NO_CURRENCY, 0)? {
        Authorization::Granted => Ok(sender.member),
        Authorization::TooFewPersons => Err(refused(GovernanceError::TooFewPersons)),
        _ => Err(refused(GovernanceError::NotAVoter)),
    }
}

fn propose(context: &mut Context<'_>, title: String, action: Action, days: Option<u32>) -> NativeResult<Hash> {
    let proposer = voter(context)?;
    ensure((1..=MAX_TITLE).contains(&title.len()), GovernanceError::BadTitle)?;
    let life = days.map_or(Ok(LIFE_DAYS), i32::try_from).ok().filter(|days| (1..=LIFE_DAYS).contains(days));
    let life = life.ok_or_else(|| refused(GovernanceError::BadLife))?;
    if let Action::SetValidators { validators } = &action {
        check_set(context, validators)?;
    }
    let action_hash = hash_encoded(Domain::Proposal, &action);
    let id = hash_encoded(Domain::Proposal, &(context.transaction_id(), proposer, action_hash));
    let contract_version = version_of(context, &action)?;
    let block = context.block();
    let proposal = Proposal {
        proposer,
        title,
        action_hash,
        created: block.height,
        expires: block.business_date.plus_days(life),
        contract_version,
        approvals: vec![],
        state: ProposalState::Open,
    };
    context.put(&id, &action)?;
    context.emit(&GovernanceEvent::Proposed { proposal: id, proposer })?;
    add_approval(context, id, proposal, proposer)?;
    Ok(id)
}

fn approve(context: &mut Context<'_>, id: Hash, action_hash: Hash) -> NativeResult<ProposalState> {
    let member = voter(context)?;
    let mut proposal = live(context, &id)?;
    ensure(proposal.action_hash == action_hash, GovernanceError::StaleApproval)?;
    let over = matches!(proposal.state, ProposalState::Executed { .. } | ProposalState::Withdrawn);
    ensure(!over, GovernanceError::NotOpen)?;
    if let Some(place) = proposal.approvals.iter().position(|approval| approval.member == member) {
        let before = proposal.approvals.remove(place);
        ensure(!still_counts(context, &before)?, GovernanceError::AlreadyApproved)?;
    }
    add_approval(context, id, proposal, member)
}

/// The version of the contract that an action is for: 0 for a native module, or where there is no contract yet.
fn version_of(context: &mut Context<'_>, action: &Action) -> NativeResult<Option<u32>> {
    let Some(contract) = action.contract() else { return Ok(None) };
    Ok(Some(context.get::<Instance>(&contract)?.map_or(0, |instance| instance.version)))
}

/// Passes while the action's contract is the one that voters had in mind.
fn ensure_same_contract(context: &mut Context<'_>, proposal: &Proposal, action: &Action) -> NativeResult<()> {
    match (proposal.contract_version, version_of(context, action)?) {
        (Some(proposed), Some(now)) => ensure(proposed == now, GovernanceError::StaleContract { proposed, now }),
        _ => Ok(()),
    }
}

/// What the member's approval rests on in this transaction.
fn approval_of(context: &mut Context<'_>, member: MemberId) -> NativeResult<Approval> {
    let account = admin_of(context, member)?.ok_or_else(|| refused(GovernanceError::NotAVoter))?;
    let counting = context.approvers().iter().filter(|approver| counts(&account.policy, member, approver));
    let mut keys: Vec<KeyId> = counting.map(|approver| approver.key).collect();
    keys.sort_unstable();
    Ok(Approval { member, policy_version: account.policy_version, keys })
}

fn admin_of(context: &mut Context<'_>, member: MemberId) -> NativeResult<Option<Account>> {
    let Some(record) = context.get::<Member>(&member)? else { return Ok(None) };
    context.get::<Account>(&AccountId::from_name(&record.name, ADMIN))
}

/// Whether an approval holds now: its member is active and has the same policy, and every key that approved is still valid
/// and in the hand of an active person.
fn still_counts(context: &mut Context<'_>, approval: &Approval) -> NativeResult<bool> {
    let member = context.get::<Member>(&approval.member)?;
    let active = member.is_some_and(|member| member.status == MemberStatus::Active);
    let same_policy = admin_of(context, approval.member)?
        .is_some_and(|account| !account.closed && account.policy_version == approval.policy_version);
    if !active || !same_policy {
        return Ok(false);
    }
    for key in &approval.keys {
        if !may_still_approve(context, key)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn may_still_approve(context: &mut Context<'_>, id: &KeyId) -> NativeResult<bool> {
    let block = context.block();
    let Some(key) = context.get::<Key>(id)?.filter(|key| key.valid_at(block.height, block.time)) else {
        return Ok(false);
    };
    let KeyPurpose::User(name) = key.purpose else { return Ok(false) };
    let person = context.get::<Person>(&PersonId { member: key.member, name })?;
    Ok(person.is_some_and(|person| person.active))
}

/// A proposal whose last day is not past.
fn live(context: &mut Context<'_>, id: &Hash) -> NativeResult<Proposal> {
    let proposal = known(context, id)?;
    ensure(context.block().business_date <= proposal.expires, GovernanceError::Expired)?;
    Ok(proposal)
}

/// Records an approval, and carries the action out if that was the last one needed.
fn add_approval(
    context: &mut Context<'_>,
    id: Hash,
    mut proposal: Proposal,
    member: MemberId,
) -> NativeResult<ProposalState> {
    let action = action_of(context, &id)?;
    ensure_same_contract(context, &proposal, &action)?;
    proposal.approvals.push(approval_of(context, member)?);
    context.emit(&GovernanceEvent::Approved { proposal: id, member })?;
    let (approved, needed) = standing(context, &proposal, &action)?;
    // What is on the agenda already, or failed, an approval that is renewed does not run.
    if approved >= needed && proposal.state == ProposalState::Open {
        match lead_days(context)? {
            0 => run(context, id, &mut proposal, action)?,
            days => schedule(context, id, &mut proposal, days)?,
        }
    }
    context.put(&id, &proposal)?;
    Ok(proposal.state)
}

fn schedule(context: &mut Context<'_>, id: Hash, proposal: &mut Proposal, days: i32) -> NativeResult<()> {
    let due = context.block().business_date.plus_days(days).min(proposal.expires);
    let message = messages::Call::Execute { proposal: id }.encode();
    context.schedule(due, &message, ACTION_GAS)?.map_err(|_| refused(GovernanceError::AgendaFull))?;
    proposal.state = ProposalState::Scheduled { due };
    Ok(())
}

fn withdraw(context: &mut Context<'_>, id: Hash) -> NativeResult<()> {
    let member = voter(context)?;
    let mut proposal = known(context, &id)?;
    ensure(proposal.proposer == member, GovernanceError::NotProposer)?;
    let over = matches!(proposal.state, ProposalState::Executed { .. } | ProposalState::Withdrawn);
    ensure(!over, GovernanceError::NotOpen)?;
    proposal.state = ProposalState::Withdrawn;
    context.put(&id, &proposal)?;
    context.emit(&GovernanceEvent::Withdrawn { proposal: id })
}

fn execute(context: &mut Context<'_>, id: Hash) -> NativeResult<ProposalState> {
    let by_agenda = context.caller() == Caller::Contract(Native::Governance.id());
    if !by_agenda {
        voter(context)?;
    }
    let mut proposal = live(context, &id)?;
    let runnable = match &proposal.state {
        ProposalState::Scheduled { due } => by_agenda || *due <= context.block().business_date,
        ProposalState::Failed { .. } => !by_agenda,
        // Approved below a threshold that has fallen since, or that voters' leaving has changed.
        ProposalState::Open => !by_agenda && lead_days(context)? == 0,
        ProposalState::Executed { .. } | ProposalState::Withdrawn => false,
    };
    ensure(runnable, GovernanceError::NotOpen)?;
    let action = action_of(context, &id)?;
    ensure_same_contract(context, &proposal, &action)?;
    let (approved, needed) = standing(context, &proposal, &action)?;
    ensure(approved >= needed, GovernanceError::NotEnoughApprovals { approved, needed })?;
    run(context, id, &mut proposal, action)?;
    context.put(&id, &proposal)?;
    Ok(proposal.state)
}

/// Carries the action out. What it wrote is undone if it fails; the proposal then holds its error.
fn run(context: &mut Context<'_>, id: Hash, proposal: &mut Proposal, action: Action) -> NativeResult<()> {
    let height = context.block().height;
    let done = match action {
        Action::SetValidators { validators } => {
            change_set(context, validators)?;
            Ok(vec![])
        }
        other => {
            let (contract, input) = message_of(other);
            context.call(contract, &input, None)?
        }
    };
    match done {
        Ok(_) => {
            proposal.state = ProposalState::Executed { height };
            context.emit(&GovernanceEvent::Executed { proposal: id })
        }
        Err((refusal, error)) => {
            let error = if refusal == CallRefusal::Reverted { error } else { vec![] };
            proposal.state = ProposalState::Failed { height, error: error.clone() };
            context.emit(&GovernanceEvent::Failed { proposal: id, error })
        }
    }
}

/// The message that an action is, and to whom.
fn message_of(action: Action) -> (ContractId, Vec<u8>) {
    use super::{calendar, contracts, members, parameters};
    match action {
        Action::AddMember { name, title, roles, admin, admin_key } => {
            let call = members::messages::Call::AddMember { name, title, roles, admin, admin_key };
            (Native::Members.id(), call.encode())
        }
        Action::SetMemberStatus { member, status } => {
            (Native::Members.id(), members::messages::Call::SetStatus { member, status }.encode())
        }
        Action::SetMemberRoles { member, roles } => {
            (Native::Members.id(), members::messages::Call::SetRoles { member, roles }.encode())
        }
        Action::SetParameter { name, value } => {
            (Native::Parameters.id(), parameters::messages::Call::Set { name, value }.encode())
        }
        Action::DeployContract { name, code, instantiate } => {
            (Native::Contracts.id(), contracts::messages::Call::Deploy { name, code, instantiate }.encode())
        }
        Action::UpgradeContract { name, code, migrate } => {
            (Native::Contracts.id(), contracts::messages::Call::Upgrade { name, code, migrate }.encode())
        }
        Action::EnactCalendar { calendar, days } => {
            (Native::Calendar.id(), calendar::messages::Call::Enact { calendar, days }.encode())
        }
        Action::CallContract { contract, input } => (contract, input),
        // Carried out by this module itself, before anything asks for its message.
        Action::SetValidators { .. } => (Native::Governance.id(), vec![]),
    }
}

/// Power whose approval still counts, and power that is needed, both in ppm of all; the first rounded down.
fn standing(context: &mut Context<'_>, proposal: &Proposal, action: &Action) -> NativeResult<(u32, u32)> {
    let set = voters(context)?;
    let mut power = 0u128;
    for approval in &proposal.approvals {
        let validator = set.validators().iter().find(|validator| validator.member == approval.member);
        if let Some(validator) = validator
            && still_counts(context, approval)?
        {
            power += u128::from(validator.power);
        }
    }
    let approved = (power * PPM).checked_div(set.total_power()).unwrap_or(0) as u32;
    let (name, default) = action.threshold();
    let needed = number(context, name)?.and_then(|ppm| u32::try_from(ppm).ok());
    Ok((approved, needed.unwrap_or(default).clamp(LEAST_PPM, PPM as u32)))
}

fn lead_days(context: &mut Context<'_>) -> NativeResult<i32> {
    let days = number(context, LEAD_PARAMETER)?.unwrap_or(0);
    Ok(i32::try_from(days).unwrap_or(LIFE_DAYS).min(LIFE_DAYS))
}

/// A parameter's value as a number, if it is one.
fn number(context: &mut Context<'_>, name: &str) -> NativeResult<Option<u64>> {
    let parameter = context.get::<Parameter>(&name.into())?;
    Ok(parameter.and_then(|parameter| codec::DecodeAll::decode_all(&mut parameter.0.as_slice()).ok()))
}

/// Whether these may be the validators: active members, each once, keys and power of their own.
fn check_set(context: &mut Context<'_>, validators: &[Validator]) -> NativeResult<()> {
    let mut members: Vec<_> = validators.iter().map(|validator| validator.member).collect();
    let mut keys: Vec<_> = validators.iter().map(|validator| validator.key).collect();
    members.sort_unstable();
    members.dedup();
    keys.sort_unstable();
    keys.dedup();
    let count = validators.len();
    let plain = (1..=MAX_VALIDATORS).contains(&count)
        && members.len() == count
        && keys.len() == count
        && validators.iter().all(|validator| validator.power > 0 && validator.key.check_registrable().is_ok())
        && validators.iter().map(|validator| u128::from(validator.power)).sum::<u128>() <= MAX_TOTAL_POWER;
    ensure(plain, GovernanceError::BadValidatorSet)?;
    for validator in validators {
        let member = context.get::<Member>(&validator.member)?;
        let active = member.is_some_and(|member| member.status == MemberStatus::Active);
        let used = context.get::<Key>(&validator.key.id())?;
        ensure(active && used.is_none(), GovernanceError::BadValidatorSet)?;
    }
    Ok(())
}

/// Puts a new set in force two blocks ahead. What changes at once stays within a third of the power, so that the old and
/// the new set share a quorum's honest part.
fn change_set(context: &mut Context<'_>, next: Vec<Validator>) -> NativeResult<()> {
    check_set(context, &next)?;
    let height = context.block().height;
    let mut record = validators(context)?;
    ensure(record.pending.iter().all(|(from, _)| *from <= height), GovernanceError::ChangePending)?;
    let current = record.at(height).clone();
    let next = ValidatorSet::new(next);
    ensure(changed_power(&current, &next) * 3 <= current.total_power(), GovernanceError::TooMuchChange)?;
    let from = Height(height.0 + SET_LEAD_BLOCKS);
    record = Validators { current, pending: vec![(from, next)] };
    context.put(&(), &record)?;
    context.emit(&GovernanceEvent::ValidatorsChange { from })
}

/// Power that leaves, joins, changes its weight or its key.
fn changed_power(before: &ValidatorSet, after: &ValidatorSet) -> u128 {
    let find = |set: &ValidatorSet, member: MemberId| {
        set.validators().iter().find(|validator| validator.member == member).cloned()
    };
    let left_or_changed: u128 = before
        .validators()
        .iter()
        .map(|old| match find(after, old.member) {
            Some(new) if new.key == old.key => u128::from(new.power.abs_diff(old.power)),
            Some(new) => u128::from(new.power.max(old.power)),
            None => u128::from(old.power),
        })
        .sum();
    let joined = |new: &&Validator| find(before, new.member).is_none();
    left_or_changed + after.validators().iter().filter(joined).map(|new| u128::from(new.power)).sum::<u128>()
}

fn view(context: &mut Context<'_>, id: Hash, proposal: Proposal) -> NativeResult<ProposalView> {
    let action = action_of(context, &id)?;
    let (approved, needed) = standing(context, &proposal, &action)?;
    Ok(ProposalView { id, proposal, approved, needed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(powers: &[(u8, u8, u64)]) -> ValidatorSet {
        let validator = |(member, key, power): &(u8, u8, u64)| Validator {
            member: MemberId([*member; 16]),
            key: PublicKey::Ed25519([*key; 32]),
            power: *power,
        };
        ValidatorSet::new(powers.iter().map(validator).collect())
    }

    #[test]
    fn the_power_that_changes_counts_leavers_joiners_weights_and_keys() {
        let before = set(&[(1, 1, 10), (2, 2, 10), (3, 3, 10)]);
        assert_eq!(changed_power(&before, &before), 0);
        assert_eq!(changed_power(&before, &set(&[(1, 1, 10), (2, 2, 10)])), 10);
        assert_eq!(changed_power(&before, &set(&[(1, 1, 10), (2, 2, 10), (3, 3, 10), (4, 4, 7)])), 7);
        assert_eq!(changed_power(&before, &set(&[(1, 1, 10), (2, 2, 10), (3, 3, 4)])), 6);
        assert_eq!(changed_power(&before, &set(&[(1, 1, 10), (2, 2, 10), (3, 9, 10)])), 10);
    }
}
