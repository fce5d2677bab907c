//! The small trait behind which the node's database stands, and the batch that is written whole or not at all.

/// A column (RocksDB: column family) of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Column(pub u8);

impl Column {
    /// Latest values by storage key.
    pub const FLAT: Column = Column(0);
    /// Pages of the tree by their path.
    pub const PAGES: Column = Column(1);
    /// Change records by height, big endian.
    pub const RECORDS: Column = Column(2);
    /// The state's own bookkeeping.
    pub const META: Column = Column(3);
    /// Columns of the state; the node's own begin at [`Column::FIRST_OF_NODE`].
    pub const OF_STATE: [Column; 4] = [Column::FLAT, Column::PAGES, Column::RECORDS, Column::META];
    /// First number that the node may use for columns of its own.
    pub const FIRST_OF_NODE: u8 = 16;
}

/// One write of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// Where.
    pub column: Column,
    /// Under which key.
    pub key: &'a [u8],
    /// What; `None` deletes.
    pub value: Option<&'a [u8]>,
}

/// Writes that take effect together or not at all, the later ones over the earlier ones. Their bytes lie in one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    writes: Vec<Write>,
}

/// Ends of a write's key and value in the bytes; it begins where the one before it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Write {
    column: Column,
    key_end: usize,
    value_end: Option<usize>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a write.
    pub fn put(&mut self, column: Column, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(key.as_ref());
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(value.as_ref());
        self.writes.push(Write { column, key_end, value_end: Some(self.bytes.len()) });
    }

    /// Adds a deletion.
    pub fn delete(&mut self, column: Column, key: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(key.as_ref());
        self.writes.push(Write { column, key_end: self.bytes.len(), value_end: None });
    }

    /// Writes so far.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The writes in order.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let mut begin = 0;
        self.writes.iter().map(move |Write { column, key_end, value_end }| {
            let key = &self.bytes[begin..*key_end];
            let value = value_end.map(|end| &self.bytes[*key_end..end]);
            begin = value_end.unwrap_or(*key_end);
            Operation { column: *column, key, value }
        })
    }
}

/// The store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store could not {action}: {cause}; check the disk and its free space")]
pub struct StoreError {
    /// What it was to do, as "read a value".
    pub action: &'static str,
    /// The database's own words.
    pub cause: String,
}

impl StoreError {
    /// The failure to do `action`, because of `cause`.
    pub fn new(action: &'static str, cause: impl ToString) -> Self {
        Self { action, cause: cause.to_string() }
    }
}

/// A key and its value as stored.
pub type Pair = (Vec<u8>, Vec<u8>);

/// An ordered key-value store with columns.
pub trait KeyValue: Send + Sync + 'static {
    /// The value under `key`.
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values under `keys`, in their order.
    fn multi_get(&self, column: Column, keys: &[&[u8]]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().map(|key| self.get(column, key)).collect()
    }

    /// Up to `limit` pairs whose key begins with `prefix` and is greater than `after`, ascending, all of one instant.
    fn scan(&self, column: Column, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, StoreError>;

    /// Writes the batch whole, synced to the disk before it returns.
    fn write(&self, batch: Batch) -> Result<(), StoreError>;
}
