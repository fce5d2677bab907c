//! Who may act and who may read, as every contract asks it. Must never look at amounts.

use portolan_sdk::{AccountId, Caller, ContractId, MemberId, MemberStatus, Role, env};

/// The account's member and where it stands; none for an account or member that the chain does not know.
pub fn standing(account: AccountId) -> Option<(MemberId, MemberStatus)> {
    let member = env::member_of(account)?;
    env::member_status(member).map(|status| (member, status))
}

/// Whether claims, titles and money may come to a member that stands so: an expired check of its identity leaves it this.
pub fn may_receive(status: MemberStatus) -> bool {
    matches!(status, MemberStatus::Active | MemberStatus::Restricted)
}

/// Whether the member in this state may issue, transfer or draw.
pub fn may_commit(status: MemberStatus) -> bool {
    status == MemberStatus::Active
}

/// Whether that contract calls.
pub fn called_by(contract: ContractId) -> bool {
    env::caller() == Caller::Contract(contract)
}

/// Whether the reader of a query may see what these accounts are party to: the node's operator, a regulator, or their own member.
pub fn may_read(parties: &[AccountId]) -> bool {
    reader_is(|member| parties.iter().any(|party| env::member_of(*party) == Some(member)))
}

/// Whether the reader of a query may see what is this member's own: the node's operator, a regulator, or the member.
pub fn may_read_of(owner: MemberId) -> bool {
    reader_is(|member| member == owner)
}

fn reader_is(party: impl FnOnce(MemberId) -> bool) -> bool {
    match env::caller() {
        Caller::Operator => true,
        Caller::Contract(_) => false,
        Caller::Account(reader) => {
            env::member_of(reader).is_some_and(|member| env::has_role(member, Role::Regulator) || party(member))
        }
    }
}
