//! Certificates of polkas and rounds: true signatures of enough validators, each counted once.

use crate::world::*;

/// A vote of `place` in a certificate: signed by it, or by another key in its name.
fn signed(place: u8, signer: u8, kind: VoteKind, round: u32, value: Option<Hash>) -> (MemberId, Signature) {
    let message = portolan_primitives::vote::vote_message(&CHAIN, kind, Height(1), Round(round), value.as_ref());
    (member(place), key(signer).sign(&message))
}

/// Validator 0 of four has prevoted the first block and is shown a polka of these.
fn after_polka(signatures: Vec<(MemberId, Signature)>) -> Vec<(VoteKind, Option<Hash>)> {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6));
    let polka = PolkaMessage { height: Height(1), round: Round(0), value: first_block().hash(), signatures };
    votes(&receive(&mut replica, &Message::Polka(polka), 7))
}

#[test]
fn a_polka_counts_true_signatures_of_two_thirds_each_once() {
    let block = Some(first_block().hash());
    let prevote = |place, signer| signed(place, signer, VoteKind::Prevote, 0, block);
    let honest = vec![prevote(1, 1), prevote(2, 2), prevote(3, 3)];
    assert_eq!(after_polka(honest), [(VoteKind::Precommit, block)]);
    let wrong = [
        ("too few", vec![prevote(1, 1), prevote(2, 2)]),
        ("one counted twice", vec![prevote(1, 1), prevote(2, 2), prevote(2, 2)]),
        ("signed by another", vec![prevote(1, 1), prevote(2, 2), prevote(3, 2)]),
        ("of no validator", vec![prevote(1, 1), prevote(2, 2), prevote(9, 9)]),
        ("precommits", (1..4).map(|place| signed(place, place, VoteKind::Precommit, 0, block)).collect()),
        ("for another block", (1..4).map(|place| signed(place, place, VoteKind::Prevote, 0, None)).collect()),
    ];
    for (what, signatures) in wrong {
        assert_eq!(after_polka(signatures), [], "{what}");
    }
}

/// The round that validator 0 of four is in after it is shown these votes of round 3 as a reason to enter a round.
fn after_round(reason: RoundReason, votes: Vec<(VoteKind, (MemberId, Signature))>) -> Option<Round> {
    let mut replica = replica(0, 4);
    proposed(&mut replica, 5);
    let vote = |(kind, (validator, signature))| RoundVote { kind, value: None, validator, signature };
    let votes = votes.into_iter().map(vote).collect();
    let message = RoundMessage { height: Height(1), round: Round(3), reason, votes };
    receive(&mut replica, &Message::Round(message), 7);
    replica.status().round
}

#[test]
fn a_round_is_entered_for_true_votes_of_enough_each_once() {
    let vote = |kind, place, signer| (kind, signed(place, signer, kind, 3, None));
    let (prevote, precommit) = (VoteKind::Prevote, VoteKind::Precommit);
    let skip = |votes| after_round(RoundReason::Skip, votes);
    let after = |votes| after_round(RoundReason::Precommit, votes);
    let three = || (1..4).map(|place| vote(precommit, place, place)).collect::<Vec<_>>();
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(precommit, 2, 2)]), Some(Round(3)));
    assert_eq!(after(three()), Some(Round(3)));
    let stays = Some(Round(0));
    assert_eq!(skip(vec![vote(prevote, 1, 1)]), stays, "a third is not more than a third");
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(prevote, 1, 1)]), stays, "one counted twice");
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(prevote, 2, 1)]), stays, "signed by another");
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(prevote, 9, 9)]), stays, "of no validator");
    assert_eq!(after(three()[..2].to_vec()), stays, "too few precommits");
    let mixed = vec![vote(prevote, 1, 1), vote(precommit, 2, 2), vote(precommit, 3, 3)];
    assert_eq!(after(mixed), stays, "a prevote is no precommit");
}
