//! What contracts are built with mirrors what the chain runs them with: codes and limits of the host ABI, ids, callers, roles.
//! The two are written down twice, so that no signature library and no engine is linked into a contract; here they are held
//! together. The matches name every variant, so that a new one does not compile until its mirror is there.

use codec::{Decode, Encode};
use portolan_primitives as chain;
use portolan_sdk as sdk;
use portolan_vm::abi as host;

/// The same bytes on both sides, and each side reads the other's.
#[track_caller]
fn alike<A: Encode + Decode + PartialEq + std::fmt::Debug, B: Encode + Decode + PartialEq + std::fmt::Debug>(
    a: A,
    b: B,
) {
    assert_eq!(a.encode(), b.encode());
    assert_eq!(A::decode(&mut b.encode().as_slice()).as_ref(), Ok(&a));
    assert_eq!(B::decode(&mut a.encode().as_slice()).as_ref(), Ok(&b));
}

#[test]
fn entries_have_the_same_codes() {
    use host::Entry as H;
    use sdk::Entry as S;
    let mirror = |entry: H| match entry {
        H::Call => S::Call,
        H::Query => S::Query,
        H::Instantiate => S::Instantiate,
        H::Migrate => S::Migrate,
    };
    for entry in [H::Call, H::Query, H::Instantiate, H::Migrate] {
        assert_eq!(S::from_code(entry as i32), Some(mirror(entry)));
        assert_eq!(mirror(entry) as i32, entry as i32);
    }
    assert_eq!([-1, 4].map(S::from_code), [None, None]);
}

#[test]
fn refusals_of_authority_have_the_same_codes() {
    use host::Authorization as H;
    use sdk::Unauthorized as S;
    let mirror = |answer: H| match answer {
        H::Granted => None,
        H::NotTopLevel => Some(S::NotTopLevel),
        H::UnknownAccount => Some(S::UnknownAccount),
        H::MemberNotActive => Some(S::MemberNotActive),
        H::TooFewPersons => Some(S::TooFewPersons),
    };
    for answer in [H::Granted, H::NotTopLevel, H::UnknownAccount, H::MemberNotActive, H::TooFewPersons] {
        assert_eq!(mirror(answer).map_or(0, |refusal| refusal as i32), answer as i32);
        if let Some(refusal) = mirror(answer) {
            assert_eq!(refusal.encode(), [answer as i32 as u8], "what a contract's error says in SCALE");
        }
    }
}

#[test]
fn refusals_of_calls_have_the_same_codes() {
    use host::CallRefusal as H;
    use sdk::CallRefusal as S;
    let mirror = |refusal: H| match refusal {
        H::Reverted => S::Reverted,
        H::Failed => S::Failed,
        H::UnknownContract => S::UnknownContract,
        H::TooDeep => S::TooDeep,
        H::Reentrant => S::Reentrant,
    };
    for refusal in [H::Reverted, H::Failed, H::UnknownContract, H::TooDeep, H::Reentrant] {
        assert_eq!(mirror(refusal) as i32, refusal as i32);
    }
}

#[test]
fn refusals_of_the_agenda_have_the_same_codes() {
    use host::ScheduleRefusal as H;
    use sdk::ScheduleRefusal as S;
    let mirror = |refusal: H| match refusal {
        H::GasAboveBlock => S::GasAboveBlock,
        H::Quota => S::Quota,
        H::TooLong => S::TooLong,
    };
    for refusal in [H::GasAboveBlock, H::Quota, H::TooLong] {
        assert_eq!(mirror(refusal) as i32, refusal as i32);
        assert_eq!(mirror(refusal).encode(), [refusal as i32 as u8]);
    }
}

#[test]
fn a_calendars_refusals_have_the_same_codes() {
    assert_eq!(sdk::CalendarRefusal::NotCovered as i32, host::NOT_COVERED);
    assert_eq!(sdk::CalendarRefusal::UnknownCalendar as i32, host::UNKNOWN_CALENDAR);
}

#[test]
fn limits_of_the_host_are_the_same() {
    assert_eq!(sdk::abi::METADATA_SECTION, host::METADATA_SECTION);
    assert_eq!(sdk::abi::MAX_CALL_DEPTH, host::MAX_CALL_DEPTH);
    assert_eq!(sdk::abi::MAX_KEY_BYTES, host::MAX_KEY_BYTES);
    assert_eq!(sdk::abi::MAX_VALUE_BYTES, host::MAX_VALUE_BYTES);
    assert_eq!(sdk::abi::MAX_MESSAGE_BYTES, host::MAX_MESSAGE_BYTES);
    assert_eq!(sdk::abi::MAX_EVENTS, host::MAX_EVENTS);
    assert_eq!(sdk::abi::MAX_EVENT_BYTES, host::MAX_EVENT_BYTES);
    assert_eq!(sdk::abi::MAX_SCAN_ENTRIES, host::MAX_SCAN_ENTRIES);
    assert_eq!(
        chain::limits::MAX_CALL_INPUT,
        host::MAX_MESSAGE_BYTES,
        "what a transaction carries is what a call takes"
    );
}

#[test]
fn ids_and_callers_have_the_same_form() {
    alike(sdk::AccountId([1; 16]), chain::AccountId([1; 16]));
    alike(sdk::MemberId([2; 16]), chain::MemberId([2; 16]));
    alike(sdk::ContractId([3; 16]), chain::ContractId([3; 16]));
    alike(sdk::Hash([4; 32]), chain::Hash([4; 32]));
    alike(sdk::Currency(*b"CNY"), chain::Currency(*b"CNY"));
    let mirror = |caller: chain::Caller| match caller {
        chain::Caller::Account(account) => sdk::Caller::Account(sdk::AccountId(account.0)),
        chain::Caller::Contract(contract) => sdk::Caller::Contract(sdk::ContractId(contract.0)),
        chain::Caller::Operator => sdk::Caller::Operator,
    };
    let contract = chain::Caller::Contract(chain::ContractId([6; 16]));
    for caller in [chain::Caller::Account(chain::AccountId([5; 16])), contract, chain::Caller::Operator] {
        alike(mirror(caller), caller);
    }
}

#[test]
fn roles_are_known_by_the_same_codes() {
    use chain::Role as C;
    use sdk::Role as S;
    let mirror = |role: C| match role {
        C::Bank => S::Bank,
        C::CoreEnterprise => S::CoreEnterprise,
        C::Supplier => S::Supplier,
        C::Logistics => S::Logistics,
        C::Customs => S::Customs,
        C::Platform => S::Platform,
        C::Auditor => S::Auditor,
        C::Regulator => S::Regulator,
        C::Insurer => S::Insurer,
        C::RiskProvider => S::RiskProvider,
    };
    let all: Vec<C> = (0..=u8::MAX).filter_map(|index| C::decode(&mut [index].as_slice()).ok()).collect();
    assert_eq!(all.len(), 10);
    for role in all {
        alike(mirror(role), role);
        assert_eq!(mirror(role).code(), role.index());
    }
}

#[test]
fn states_of_members_are_known_by_the_same_codes_and_0_is_none() {
    use chain::MemberStatus as C;
    use sdk::MemberStatus as S;
    let mirror = |status: C| match status {
        C::Active => S::Active,
        C::Restricted => S::Restricted,
        C::Frozen => S::Frozen,
        C::Left => S::Left,
    };
    let all: Vec<C> = (0..=u8::MAX).filter_map(|index| C::decode(&mut [index].as_slice()).ok()).collect();
    assert_eq!(all.len(), 4);
    for status in all {
        alike(mirror(status), status);
        assert_eq!(mirror(status).code(), status.index());
        assert_eq!(S::from_code(i32::from(status.index())), Some(mirror(status)));
    }
    assert_eq!((S::from_code(0), C::decode(&mut [0].as_slice()).is_err()), (None, true));
}

#[test]
fn a_contracts_id_follows_from_its_name_alike_in_interface_sdk_and_chain() {
    use portolan_interface::{financing, receivable, settlement, trade};
    use portolan_runtime::native::Native;
    let compiled = [
        (trade::api::CONTRACT, "trade-documents"),
        (receivable::api::CONTRACT, "receivable"),
        (financing::api::CONTRACT, "financing"),
        (settlement::api::CONTRACT, "settlement"),
    ];
    for (id, name) in compiled {
        assert_eq!(id.0, chain::ContractId::from_name(name).0, "{name}");
        assert_eq!(id, sdk::ContractId::from_name(name), "{name}");
    }
    for native in Native::ALL {
        assert_eq!(native.id().0, sdk::ContractId::from_name(native.name()).0, "{}", native.name());
    }
}
