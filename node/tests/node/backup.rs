//! A backup of a running node, and every way in which a restore refuses: what is restored was checked against the chain's own
//! certificates, and a restored validator never signs where it may have signed before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use codec::Encode;
use portolan_chain_spec::CodeSource;
use portolan_node::backup::{self, BackupError, Manifest, Restore, Restored};
use portolan_node::limits::FENCE_AFTER_MS;
use portolan_node::recovery::recover;
use portolan_node::store::columns::{BODIES, CERTIFICATES, HASHES, HEADERS, NODE};
use portolan_node::store::{Chain, Store};
use portolan_primitives::vote::CertificateError;
use portolan_primitives::{CommitCertificate, Hash, Header, Height, Timestamp};
use portolan_proof::ProofError;
use portolan_replica::{Fence, WhyNoBlock};
use portolan_runtime::genesis::Genesis;
use portolan_runtime::{ChainSecret, Runtime};
use portolan_state::{Batch, Column, KeyValue, Options, SaltKey, StateError};
use portolan_vm::{Vm, VmConfig};

use crate::cluster::{Cluster, settle};
use crate::world::{MEMBERS, add_person, spec};

const SECRET: [u8; 32] = [42; 32];
const NOW: Timestamp = Timestamp(2_000_000_000_000);
const CACHE: usize = 8 << 20;

fn genesis() -> Genesis {
    spec().check(&CodeSource::beside(Path::new("."))).unwrap().genesis
}

fn home(cluster: &Cluster, index: usize) -> PathBuf {
    cluster.folder.path().join(MEMBERS[index])
}

/// A backup of the node that runs on a home, asked for as the command asks.
async fn hot_backup(home: &Path, target: &Path) -> Result<Manifest, BackupError> {
    let (home, target) = (home.to_owned(), target.to_owned());
    let made = tokio::task::spawn_blocking(move || {
        backup::make(&target, &genesis(), NOW, |to| backup::checkpoint(&home, &genesis().chain(), to))
    });
    made.await.unwrap()
}

fn restore(from: Option<&Path>, home: &Path, now: Timestamp, through: Option<Height>) -> Result<Restored, BackupError> {
    let genesis = genesis();
    Restore { from, home, genesis: &genesis, secret: &SECRET, voted_through: through, now }.run()
}

/// The node's disk is lost, all but its keys.
fn lose(home: &Path) {
    std::fs::remove_dir_all(home.join("store")).unwrap();
    std::fs::remove_dir_all(home.join("log")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_validator_follows_and_votes_again_after_a_block_in_which_it_cannot_have_voted() {
    let mut cluster = Cluster::start().await;
    let at_backup = settle(&cluster.handle(3), &add_person("customs", "before")).await;
    let target = cluster.folder.path().join("backup");
    let manifest = hot_backup(&home(&cluster, 3), &target).await.unwrap();
    assert_eq!(manifest.height, at_backup);
    assert_eq!(Manifest::read(&target).unwrap(), manifest);
    // The chain goes on, and the validator votes; then its disk is lost.
    let height = settle(&cluster.handle(3), &add_person("customs", "after")).await;
    for index in 0..4 {
        cluster.reach(index, height).await;
    }
    let last = cluster.handle(3).tip().head.header.time;
    cluster.stop_node(3).await;
    lose(&home(&cluster, 3));
    // The clock of this restore is set so that the fence ends with the last block, instead of a minute from now.
    let now = Timestamp(last.0 - FENCE_AFTER_MS);
    let restored = restore(Some(&target), &home(&cluster, 3), now, None).unwrap();
    let fence = Fence::After(last);
    assert_eq!(restored, Restored { head: Some((at_backup, manifest.header_hash)), fence });
    cluster.start_node(3).await;
    cluster.reach(3, height).await;
    let late = cluster.handle(3);
    late.wait_ready().await;
    let status = late.status().await.unwrap().replica;
    assert_eq!((status.votes, status.why_no_block), (false, WhyNoBlock::Fenced { fence }));
    // The other three make the block that it can't have voted after, and from there it is one of four again.
    let next = settle(&cluster.handle(0), &add_person("customs", "later")).await;
    cluster.reach(3, next).await;
    while !late.status().await.unwrap().replica.votes {
        tokio::task::yield_now().await;
    }
    cluster.stop_node(0).await;
    let last = settle(&late, &add_person("customs", "needed")).await;
    assert!(last > next, "without its vote there is no quorum");
    assert_eq!(late.tip().head.header.height, last);
    drop(late);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_home_that_begins_anew_from_peers_is_fenced_too_and_a_start_in_between_does_not_lift_it() {
    let mut cluster = Cluster::start().await;
    let height = settle(&cluster.handle(3), &add_person("customs", "before")).await;
    for index in 0..4 {
        cluster.reach(index, height).await;
    }
    cluster.stop_node(3).await;
    lose(&home(&cluster, 3));
    let above = height.next();
    let restored = restore(None, &home(&cluster, 3), NOW, Some(above)).unwrap();
    assert_eq!(restored, Restored { head: None, fence: Fence::Above(above) });
    for _ in 0..2 {
        cluster.start_node(3).await;
        cluster.reach(3, height).await;
        let status = cluster.handle(3).status().await.unwrap().replica;
        assert_eq!((status.head, status.votes), (height, false));
        cluster.stop_node(3).await;
    }
    cluster.start_node(3).await;
    let next = settle(&cluster.handle(0), &add_person("customs", "later")).await;
    cluster.reach(3, next).await;
    assert_eq!(next, above);
    while !cluster.handle(3).status().await.unwrap().replica.votes {
        tokio::task::yield_now().await;
    }
    cluster.stop().await;
}

/// A stopped node's home with some blocks, and a backup of it.
struct World {
    folder: tempfile::TempDir,
    backup: PathBuf,
}

impl World {
    async fn start(blocks: u64) -> Self {
        let mut cluster = Cluster::start().await;
        let mut height = Height(0);
        for number in 0..blocks {
            height = settle(&cluster.handle(0), &add_person("customs", &format!("person-{number}"))).await;
        }
        cluster.reach(0, height).await;
        let home = home(&cluster, 0);
        cluster.stop_node(0).await;
        for index in 1..4 {
            cluster.stop_node(index).await;
        }
        let folder = tempfile::tempdir().unwrap();
        let backup = folder.path().join("backup");
        backup::make(&backup, &genesis(), NOW, |to| backup::checkpoint(&home, &genesis().chain(), to)).unwrap();
        Self { folder, backup }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn restore(&self, from: &Path) -> Result<Restored, BackupError> {
        restore(Some(from), &self.home(), NOW, None)
    }

    /// A backup that says of itself that it is whole, of a store that was changed.
    fn changed(&self, name: &str, change: impl FnOnce(&Chain<Store>, &mut Batch)) -> PathBuf {
        let target = self.folder.path().join(name);
        backup::make(&target, &genesis(), NOW, |to| {
            copy(&self.backup.join("store"), to);
            let store = Arc::new(Store::open(to, &genesis().chain(), CACHE)?);
            let mut batch = Batch::new();
            change(&Chain::new(store.clone()), &mut batch);
            store.write(batch).unwrap();
            Ok(())
        })
        .unwrap();
        target
    }

    fn refused(&self, from: &Path) -> BackupError {
        let error = self.restore(from).unwrap_err();
        assert!(!self.home().join("store").exists() && !self.home().join("restore.partial").exists(), "{error}");
        error
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        if entry.file_name() != "LOCK" {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The key of a value that a block above a height has changed, or that none has.
fn value(chain: &Chain<Store>, above: Height, changed: bool) -> Vec<u8> {
    let records = chain.store().scan(Column::RECORDS, &[], None, 1_000).unwrap();
    let recent: Vec<_> = records.into_iter().filter(|(key, _)| key[..] > above.0.to_be_bytes()[..]).collect();
    let holds = |key: &[u8]| recent.iter().any(|(_, record)| record.windows(key.len()).any(|part| part == key));
    let values = chain.store().scan(Column::FLAT, &[], None, 1_000).unwrap();
    values.into_iter().map(|(key, _)| key).find(|key| holds(key) == changed).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_refuses_what_the_chain_has_not_certified() {
    // Enough that most pages of the state's tree are written: they then are older than the last blocks.
    let world = World::start(40).await;
    let manifest = Manifest::read(&world.backup).unwrap();
    let last = manifest.height;
    let key = last.0.to_be_bytes();
    let differs = |from: &Path, expected: &'static str, at: Height| match world.refused(from) {
        BackupError::Differs { what, height } => assert_eq!((what, height), (expected, at)),
        other => panic!("{expected}: {other}"),
    };

    // A value that the last blocks did not touch, with everything else in order: only reading all values shows it.
    let old = world.changed("old-value", |chain, batch| {
        batch.put(Column::FLAT, value(chain, Height(0), false), b"a million more")
    });
    let error = world.refused(&old);
    assert!(
        matches!(&error, BackupError::OtherRoot { height, expected, .. } if (*height, *expected) == (last, manifest.state_root)),
        "{error}"
    );
    // And one that they did, whose page is made anew from it.
    let new = world.changed("new-value", |chain, batch| {
        batch.put(Column::FLAT, value(chain, Height(last.0 - 3), true), b"a million more")
    });
    let error = world.refused(&new);
    assert!(
        matches!(&error, BackupError::State(StateError::RootMismatch { height, expected, .. }) if (*height, *expected) == (last, manifest.state_root)),
        "{error}"
    );

    // A certificate of too few.
    let few = world.changed("few", |chain, batch| {
        let mut certificate: CommitCertificate = chain.certificate(last).unwrap().unwrap();
        certificate.signatures.truncate(1);
        batch.put(CERTIFICATES, key, certificate.encode());
    });
    let error = world.refused(&few);
    assert!(
        matches!(&error, BackupError::NotCertified { height, reason: ProofError::Certificate(CertificateError::NoQuorum { power: 1, total: 4 }) } if *height == last),
        "{error}"
    );

    // A header, and the head that says the same.
    let header = world.changed("header", |chain, batch| {
        let mut header: Header = chain.header(last).unwrap().unwrap();
        header.gas_used += 1;
        batch.put(HEADERS, key, header.encode());
    });
    assert!(matches!(world.refused(&header), BackupError::NotCertified { reason: ProofError::OtherBlock, .. }));

    // A hash of the history, a body that could run again, an earlier header.
    let history = world.changed("history", |_, batch| batch.put(HASHES, Height(1).0.to_be_bytes(), [9; 32]));
    differs(&history, "the history", last);
    let body = world.changed("body", |_, batch| batch.put(BODIES, key, Vec::<Vec<u8>>::new().encode()));
    differs(&body, "the body", last);
    let earlier = world.changed("earlier", |chain, batch| {
        let mut header: Header = chain.header(Height(1)).unwrap().unwrap();
        header.gas_used += 1;
        batch.put(HEADERS, Height(1).0.to_be_bytes(), header.encode());
    });
    differs(&earlier, "the header", Height(1));
    let nothing = world.changed("no-certificate", |_, batch| batch.delete(CERTIFICATES, key));
    differs(&nothing, "the certificate", last);

    // A manifest that says something else than the store.
    let other = world.folder.path().join("other");
    copy(&world.backup.join("store"), &other.join("store"));
    let said = Manifest { header_hash: Hash([1; 32]), ..manifest.clone() };
    std::fs::write(other.join(backup::MANIFEST), serde_json::to_vec(&said).unwrap()).unwrap();
    differs(&other, "the manifest", last);

    // And the untouched one is taken, with a fence a minute from now.
    let restored = world.restore(&world.backup).unwrap();
    let fence = Fence::After(Timestamp(NOW.0 + FENCE_AFTER_MS));
    assert_eq!(restored, Restored { head: Some((last, manifest.header_hash)), fence });
    let store = Arc::new(Store::open(&world.home().join("store"), &genesis().chain(), CACHE).unwrap());
    assert_eq!(Chain::new(store).fence().unwrap(), Some(fence));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_refuses_what_is_no_whole_backup_of_this_chain_and_overwrites_nothing() {
    let world = World::start(3).await;
    let manifest = Manifest::read(&world.backup).unwrap();
    let write = |folder: &Path, manifest: &Manifest| {
        std::fs::write(folder.join(backup::MANIFEST), serde_json::to_vec(manifest).unwrap()).unwrap();
    };
    let fresh = |name: &str| {
        let folder = world.folder.path().join(name);
        copy(&world.backup.join("store"), &folder.join("store"));
        write(&folder, &manifest);
        folder
    };
    let reason = |folder: &Path| match world.refused(folder) {
        BackupError::NoBackup { path, reason } => {
            assert_eq!(path, folder);
            reason
        }
        other => panic!("{other}"),
    };

    let cut = fresh("cut");
    std::fs::remove_file(cut.join(backup::MANIFEST)).unwrap();
    assert!(reason(&cut).starts_with("backup.json: No such file"));
    std::fs::write(cut.join(backup::MANIFEST), b"{}").unwrap();
    assert!(reason(&cut).starts_with("backup.json can't be read: missing field"));
    write(&cut, &Manifest { format: 9, ..manifest.clone() });
    assert_eq!(reason(&cut), "it has the format 9, and this version reads 1");
    for name in ["../store/CURRENT", "/etc/passwd", "", ".hidden", "a/b"] {
        let mut evil = manifest.clone();
        evil.files[0].name = name.into();
        write(&cut, &evil);
        assert_eq!(reason(&cut), format!("it names a file `{name}`"));
    }

    let chain = fresh("chain");
    write(&chain, &Manifest { chain: Hash([3; 32]), ..manifest.clone() });
    let expected = genesis().chain();
    let error = world.refused(&chain);
    assert!(
        matches!(error, BackupError::OtherChain { found, expected: ours } if (found, ours) == (Hash([3; 32]), expected)),
        "{error}"
    );

    // Every file counts, to its last byte.
    for (number, file) in manifest.files.iter().filter(|file| file.bytes > 0).enumerate() {
        let folder = fresh(&format!("damaged-{number}"));
        let path = folder.join("store").join(&file.name);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let damaged = |expected: &str| match world.refused(&folder) {
            BackupError::Damaged { path: found, reason } => assert_eq!((found, reason), (path.clone(), expected)),
            other => panic!("{other}"),
        };
        damaged("its content differs");
        std::fs::write(&path, &bytes[1..]).unwrap();
        damaged("its length differs");
    }

    // What is there stays.
    for name in ["store", "log"] {
        let there = world.home().join(name);
        std::fs::create_dir_all(&there).unwrap();
        std::fs::write(there.join("something"), b"precious").unwrap();
        let error = world.restore(&world.backup).unwrap_err();
        assert!(matches!(&error, BackupError::AlreadyThere(path) if *path == there), "{error}");
        assert_eq!(std::fs::read(there.join("something")).unwrap(), b"precious");
        std::fs::remove_dir_all(&there).unwrap();
    }
    let error = backup::make(&world.backup, &genesis(), NOW, |_| panic!("nothing is copied")).unwrap_err();
    assert!(matches!(&error, BackupError::NotEmpty(path) if *path == world.backup), "{error}");

    // What a restore that was killed left behind is no store, and the next one clears it away.
    let partial = world.home().join("restore.partial");
    std::fs::create_dir_all(&partial).unwrap();
    std::fs::write(partial.join(&manifest.files[0].name), b"half").unwrap();
    assert_eq!(world.restore(&world.backup).unwrap().head, Some((manifest.height, manifest.header_hash)));
    assert!(!partial.exists());
}

#[test]
fn a_store_that_ends_at_genesis_is_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&folder.path().join("store"), &genesis().chain(), CACHE).unwrap());
    let runtime = Runtime::new(Arc::new(Vm::new(VmConfig::default()).unwrap()), ChainSecret::new(&SECRET));
    recover(store.clone(), &runtime, &genesis(), Options::new(SaltKey::derive(&SECRET))).unwrap();
    let copied = |to: &Path| Ok(store.checkpoint(to)?);
    let error = backup::make(&folder.path().join("backup"), &genesis(), NOW, copied).unwrap_err();
    assert!(matches!(error, BackupError::OnlyGenesis), "{error}");
    let nowhere = folder.path().join("nowhere");
    let error = backup::checkpoint(&nowhere, &genesis().chain(), &folder.path().join("copy")).unwrap_err();
    assert!(matches!(&error, BackupError::NoStore(path) if *path == nowhere.join("store")), "{error}");
    let mut batch = Batch::new();
    batch.put(NODE, b"fence", [7, 7]);
    store.write(batch).unwrap();
    let what = Chain::new(store).fence().unwrap_err();
    assert_eq!(
        what.to_string(),
        "the store holds no readable fence at 66656e6365: restore this node with `portolan-node restore`"
    );
}
