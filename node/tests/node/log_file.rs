//! The consensus log: what was synced comes back, what a power cut tore is cut, damage is refused.

use std::path::{Path, PathBuf};

use portolan_node::limits::{LOG_SEGMENT_BYTES, MAX_LOG_RECORD};
use portolan_node::log_file::{LogError, LogFile, Record};
use portolan_primitives::{Hash, Height};

const CHAIN: Hash = Hash([7; 32]);

fn open(folder: &Path) -> (LogFile, Vec<Record>) {
    open_after(folder, 0)
}

fn open_after(folder: &Path, decided: u64) -> (LogFile, Vec<Record>) {
    LogFile::open(folder, CHAIN, Height(decided)).unwrap()
}

fn record(height: u64, text: &str) -> Record {
    Record { height: Height(height), bytes: text.as_bytes().to_vec() }
}

fn write(log: &mut LogFile, records: &[Record]) {
    for record in records {
        log.append(record.height, &record.bytes).unwrap();
    }
    log.flush().unwrap();
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn what_was_synced_comes_back_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, found) = open(folder.path());
    assert!(found.is_empty());
    let records = [record(1, "proposal"), record(1, "prevote"), record(1, "")];
    write(&mut log, &records[..2]);
    write(&mut log, &records[2..]);
    drop(log);
    assert_eq!(open(folder.path()).1, records);
}

#[test]
fn what_was_not_synced_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    write(&mut log, &[record(1, "synced")]);
    log.append(Height(1), b"only in memory").unwrap();
    assert!(log.is_dirty());
    drop(log);
    assert_eq!(open(folder.path()).1, [record(1, "synced")]);
}

#[test]
fn records_of_decided_heights_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    write(&mut log, &[record(1, "old"), record(2, "new")]);
    drop(log);
    assert_eq!(open_after(folder.path(), 1).1, [record(2, "new")]);
}

#[test]
fn a_power_cut_at_any_byte_of_the_last_group_leaves_the_groups_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    write(&mut log, &[record(1, "first")]);
    let path = segments(folder.path()).pop().unwrap();
    let before = std::fs::metadata(&path).unwrap().len();
    write(&mut log, &[record(1, "second"), record(1, "third")]);
    drop(log);
    let whole = std::fs::read(&path).unwrap();
    for length in before..whole.len() as u64 {
        std::fs::write(&path, &whole[..length as usize]).unwrap();
        let (mut log, found) = open(folder.path());
        assert_eq!(found, [record(1, "first")], "cut at {length}");
        write(&mut log, &[record(1, "after")]);
        drop(log);
        assert_eq!(open(folder.path()).1, [record(1, "first"), record(1, "after")], "cut at {length}");
    }
}

#[test]
fn a_last_group_whose_pages_did_not_all_reach_the_disk_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    write(&mut log, &[record(1, "first")]);
    let path = segments(folder.path()).pop().unwrap();
    let before = std::fs::metadata(&path).unwrap().len() as usize;
    write(&mut log, &[record(1, &"x".repeat(9_000))]);
    drop(log);
    let whole = std::fs::read(&path).unwrap();
    for (from, to) in [(before, before + 4_096), (before + 4_096, whole.len()), (before, whole.len())] {
        let mut holed = whole.clone();
        holed[from..to].fill(0);
        std::fs::write(&path, &holed).unwrap();
        assert_eq!(open(folder.path()).1, [record(1, "first")], "pages from {from} to {to} lost");
    }
}

#[test]
fn damage_before_the_last_group_is_refused_at_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    let path = segments(folder.path()).pop().unwrap();
    let start = std::fs::metadata(&path).unwrap().len() as usize;
    write(&mut log, &[record(1, "first")]);
    let end = std::fs::metadata(&path).unwrap().len() as usize;
    write(&mut log, &[record(1, "second")]);
    drop(log);
    let whole = std::fs::read(&path).unwrap();
    for byte in start..end {
        let mut damaged = whole.clone();
        damaged[byte] ^= 0x40;
        std::fs::write(&path, &damaged).unwrap();
        let opened = LogFile::open(folder.path(), CHAIN, Height(0));
        assert!(matches!(opened, Err(LogError::Corrupt { .. })), "byte {byte}: {opened:?}");
    }
}

#[test]
fn a_body_that_looks_like_a_group_does_not_stop_the_torn_end_from_being_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    write(&mut log, &[record(1, "first")]);
    let path = segments(folder.path()).pop().unwrap();
    let group = std::fs::read(&path).unwrap()[72..].to_vec();
    let before = std::fs::metadata(&path).unwrap().len() as usize;
    // A peer's transaction holds the bytes of a whole group; the disk loses the front of the group around it.
    log.append(Height(1), &group).unwrap();
    log.flush().unwrap();
    drop(log);
    let mut torn = std::fs::read(&path).unwrap();
    torn[before..before + 20].fill(0);
    std::fs::write(&path, &torn).unwrap();
    assert_eq!(open(folder.path()).1, [record(1, "first")]);
}

#[test]
fn the_log_of_another_chain_and_other_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let other = Hash([8; 32]);
    let opened = LogFile::open(folder.path(), other, Height(0));
    assert!(matches!(opened, Err(LogError::OtherChain { found: CHAIN, expected, .. }) if expected == other));
    std::fs::write(segments(folder.path()).pop().unwrap(), vec![0x55; 500]).unwrap();
    let opened = LogFile::open(folder.path(), CHAIN, Height(0));
    assert!(matches!(opened, Err(LogError::Foreign { .. })), "{opened:?}");
}

#[test]
fn a_full_segment_is_left_behind_only_when_its_heights_are_decided() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    let long = vec![1; LOG_SEGMENT_BYTES as usize];
    log.append(Height(1), &long).unwrap();
    log.flush().unwrap();
    log.forget(Height(0)).unwrap();
    assert_eq!(segments(folder.path()).len(), 1, "height 1 is not decided");
    log.forget(Height(1)).unwrap();
    assert_eq!(segments(folder.path()).len(), 1, "the full one is gone, a new one is there");
    assert!(log.bytes() < 1_000);
    write(&mut log, &[record(2, "next")]);
    drop(log);
    assert_eq!(open_after(folder.path(), 1).1, [record(2, "next")]);
}

#[test]
fn a_record_that_is_too_long_is_refused_and_many_long_ones_go_in_several_groups() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    let refused = log.append(Height(1), &vec![0; MAX_LOG_RECORD + 1]);
    assert!(
        matches!(refused, Err(LogError::TooLong { found, limit }) if (found, limit) == (MAX_LOG_RECORD + 1, MAX_LOG_RECORD))
    );
    assert!(!log.is_dirty());
    let longest = vec![1; MAX_LOG_RECORD];
    for _ in 0..3 {
        log.append(Height(1), &longest).unwrap();
    }
    log.flush().unwrap();
    drop(log);
    let lengths: Vec<usize> = open(folder.path()).1.iter().map(|record| record.bytes.len()).collect();
    assert_eq!(lengths, [MAX_LOG_RECORD; 3]);
}

#[test]
fn an_older_segment_is_kept_while_a_height_in_it_is_not_decided_and_may_not_be_torn() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = open(folder.path());
    let first = segments(folder.path()).pop().unwrap();
    log.append(Height(1), &vec![1; LOG_SEGMENT_BYTES as usize]).unwrap();
    log.flush().unwrap();
    let full = std::fs::read(&first).unwrap();
    log.forget(Height(1)).unwrap();
    write(&mut log, &[record(2, "next")]);
    drop(log);
    // The power went before the full segment was removed.
    std::fs::write(&first, &full).unwrap();
    let (mut log, found) = open(folder.path());
    assert_eq!((found.len(), segments(folder.path()).len()), (2, 2));
    log.forget(Height(0)).unwrap();
    assert_eq!(segments(folder.path()).len(), 2, "height 1 is not decided");
    log.forget(Height(1)).unwrap();
    assert_eq!(segments(folder.path()).len(), 1);
    drop(log);
    // A segment that another one follows was whole once.
    std::fs::write(&first, &full[..full.len() - 1]).unwrap();
    let opened = LogFile::open(folder.path(), CHAIN, Height(0));
    assert!(matches!(opened, Err(LogError::Corrupt { .. })), "{opened:?}");
}

#[test]
fn a_segment_whose_making_was_interrupted_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let path = segments(folder.path()).pop().unwrap();
    std::fs::write(&path, b"PORT").unwrap();
    let (mut log, found) = open(folder.path());
    assert!(found.is_empty());
    write(&mut log, &[record(1, "vote")]);
    drop(log);
    assert_eq!(open(folder.path()).1, [record(1, "vote")]);
}
