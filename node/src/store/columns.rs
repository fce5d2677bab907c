//! The columns of the store, and how each is laid out for the way it is read and written.

use portolan_state::Column;
use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, DBCompressionType, Options};

/// Format, chain and head.
pub const NODE: Column = Column(16);
/// Headers by height.
pub const HEADERS: Column = Column(17);
/// Header hashes by height, 32 bytes each, for proofs of ancestry.
pub const HASHES: Column = Column(18);
/// Transactions of a block by height.
pub const BODIES: Column = Column(19);
/// Commit certificates by height.
pub const CERTIFICATES: Column = Column(20);
/// Receipts of a block, with their events, by height.
pub const RECEIPTS: Column = Column(21);
/// Height and place of a transaction by its id.
pub const TRANSACTIONS: Column = Column(22);
/// Validator sets by their hash.
pub const VALIDATORS: Column = Column(23);
/// Heights whose header hands over to another validator set.
pub const HANDOVERS: Column = Column(24);
/// Proofs of misbehaviour by their hash.
pub const EVIDENCE: Column = Column(25);

/// Columns of what goes with its block when that is pruned.
pub const OF_BLOCKS: [Column; 4] = [HEADERS, BODIES, CERTIFICATES, RECEIPTS];

/// How a column is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Point reads of small values all over the key space: bloom filters, small blocks, no compression.
    Points,
    /// Written once in ascending order, read by height: compressed, large blocks, files are moved and not rewritten.
    Ascending,
    /// Written and soon deleted in ascending order.
    Queue,
    /// A handful of keys.
    Few,
}

const COLUMNS: [(Column, &str, Access); 14] = [
    (Column::FLAT, "state-values", Access::Points),
    (Column::PAGES, "state-pages", Access::Points),
    (Column::RECORDS, "state-records", Access::Queue),
    (Column::META, "state-meta", Access::Few),
    (NODE, "node", Access::Few),
    (HEADERS, "headers", Access::Ascending),
    (HASHES, "header-hashes", Access::Ascending),
    (BODIES, "bodies", Access::Ascending),
    (CERTIFICATES, "certificates", Access::Ascending),
    (RECEIPTS, "receipts", Access::Ascending),
    (TRANSACTIONS, "transactions", Access::Points),
    (VALIDATORS, "validators", Access::Few),
    (HANDOVERS, "handovers", Access::Few),
    (EVIDENCE, "evidence", Access::Few),
];

/// The name of a column in the database.
pub(super) fn name(column: Column) -> Option<&'static str> {
    COLUMNS.iter().find(|(known, ..)| *known == column).map(|(_, name, _)| *name)
}

/// Whether the database may have a column family of that name.
pub(super) fn is_known(name: &str) -> bool {
    name == rocksdb::DEFAULT_COLUMN_FAMILY_NAME || COLUMNS.iter().any(|(_, known, _)| *known == name)
}

/// Every column with its options, over one shared cache.
pub(super) fn descriptors(cache: &Cache) -> Vec<ColumnFamilyDescriptor> {
    let ours = COLUMNS.iter().map(|(_, name, access)| ColumnFamilyDescriptor::new(*name, options(*access, cache)));
    let default = ColumnFamilyDescriptor::new(rocksdb::DEFAULT_COLUMN_FAMILY_NAME, options(Access::Few, cache));
    std::iter::once(default).chain(ours).collect()
}

fn options(access: Access, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    let mut options = Options::default();
    options.set_compression_type(DBCompressionType::None);
    match access {
        Access::Points => {
            table.set_bloom_filter(10.0, false);
            table.set_block_size(4 * 1024);
            options.set_write_buffer_size(32 * 1024 * 1024);
            // Most keys that are asked for and not cached are new ones; without this each walks the whole skip list.
            options.set_memtable_whole_key_filtering(true);
            options.set_memtable_prefix_bloom_ratio(0.05);
            options.set_level_compaction_dynamic_level_bytes(true);
        }
        Access::Ascending => {
            table.set_block_size(32 * 1024);
            options.set_compression_type(DBCompressionType::Lz4);
            options.set_write_buffer_size(16 * 1024 * 1024);
            // Files that lie one behind the other are moved down for nothing, and only there can they be dropped whole.
            options.set_level_zero_file_num_compaction_trigger(2);
        }
        Access::Queue => options.set_write_buffer_size(16 * 1024 * 1024),
        Access::Few => options.set_write_buffer_size(1024 * 1024),
    }
    options.set_block_based_table_factory(&table);
    options
}
