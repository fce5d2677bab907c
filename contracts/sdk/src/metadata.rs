//! What a contract says about itself: its messages, errors, events and their types, from which tools turn bytes to JSON and
//! back. Lies SCALE-encoded in the module's custom section
//! [`portolan_metadata`](crate::abi::METADATA_SECTION).
//!
//! Depends on nothing but SCALE. Must never be trusted before [`ContractMetadata::from_bytes`] has read it.

use alloc::{string::String, vec::Vec};

use codec::{Decode, DecodeLimit, Encode};
use scale_info::{MetaType, PortableRegistry, Registry, TypeDef, TypeInfo, form::PortableForm};

use crate::ContractError;

/// Version of this format.
pub const FORMAT: u8 = 1;
/// Longest encoded metadata.
pub const MAX_BYTES: usize = 256 * 1024;
/// Most types of one contract.
pub const MAX_TYPES: usize = 4_096;
/// Deepest nesting of a type.
pub const MAX_TYPE_DEPTH: u32 = 32;
/// Most values that a type may hold besides those that each cost a byte of input, so that a short input stays a small value.
pub const MAX_TYPE_NODES: u64 = 4_096;

/// A contract's description.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ContractMetadata {
    /// [`FORMAT`].
    pub format: u8,
    /// Name of the contract's instance, which its id comes from.
    pub name: String,
    /// Version of the interface.
    pub version: String,
    /// What the contract is for.
    pub doc: String,
    /// Arguments of the entry that runs once when the instance is created; none if it takes nothing.
    pub instantiate: Option<Message>,
    /// Arguments of the entry that runs once after an upgrade; none if it takes nothing.
    pub migrate: Option<Message>,
    /// Messages that may write, by ascending index.
    pub calls: Vec<Message>,
    /// Questions, by ascending index.
    pub queries: Vec<Query>,
    /// Type of a whole call: an enum with one variant a message.
    pub call: u32,
    /// Type of a whole query: an enum with one variant a question.
    pub query: u32,
    /// Type of what the contract reverts with: [`ContractError`] of its own error.
    pub error: u32,
    /// Type of its events.
    pub event: u32,
    /// The types that the numbers above and below name.
    pub types: PortableRegistry,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Message {
    /// First byte of its encoding.
    pub index: u8,
    /// The method's name, as in `accept_transfer`; the variant of [`ContractMetadata::call`] is `AcceptTransfer`.
    pub name: String,
    /// Its fields, in their order.
    pub arguments: Vec<Argument>,
    /// Type of the value it returns.
    pub output: u32,
    /// What it does.
    pub doc: String,
}

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: u32,
}

/// One question and where the node serves it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Query {
    /// The path below `/v1`, such as `/receivables/{id}`; arguments that it does not name come from the query string.
    pub path: String,
    /// The question.
    pub message: Message,
}

/// Why bytes are no metadata that a tool may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataError {
    /// Longer than [`MAX_BYTES`], or more than [`MAX_TYPES`] types.
    TooLong,
    /// Not the encoding of a [`ContractMetadata`].
    Malformed,
    /// Of a format that this code does not know.
    Format(u8),
    /// Names a type that is not in the registry.
    UnknownType(u32),
    /// The type contains itself or nests deeper than [`MAX_TYPE_DEPTH`]: no bound on the work of decoding it is known.
    TooDeep(u32),
    /// The type holds more than [`MAX_TYPE_NODES`] values that cost no input, or is a list of such.
    TooWide(u32),
    /// The type is a bit sequence, which no contract needs.
    BitSequence(u32),
}

impl core::fmt::Display for MetadataError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooLong => write!(out, "the metadata exceeds {MAX_BYTES} bytes or {MAX_TYPES} types"),
            Self::Malformed => write!(out, "the bytes are no contract metadata"),
            Self::Format(format) => {
                write!(out, "the metadata has format {format}, known is {FORMAT}: update this program")
            }
            Self::UnknownType(id) => write!(out, "the metadata names type {id}, which it does not describe"),
            Self::TooDeep(id) => write!(out, "type {id} contains itself or nests deeper than {MAX_TYPE_DEPTH}"),
            Self::TooWide(id) => write!(out, "type {id} holds more than {MAX_TYPE_NODES} values without input"),
            Self::BitSequence(id) => write!(out, "type {id} is a bit sequence"),
        }
    }
}

impl core::error::Error for MetadataError {}

impl ContractMetadata {
    /// As it lies in the custom section.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode()
    }

    /// Reads a custom section, and makes sure that every type in it can be decoded in bounded work from bounded input: whoever
    /// writes a contract writes this too.
    ///
    /// # Errors
    /// See [`MetadataError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MetadataError> {
        if bytes.len() > MAX_BYTES {
            return Err(MetadataError::TooLong);
        }
        match bytes.first() {
            Some(&FORMAT) => {}
            Some(&other) => return Err(MetadataError::Format(other)),
            None => return Err(MetadataError::Malformed),
        }
        let metadata =
            Self::decode_all_with_depth_limit(MAX_TYPE_DEPTH, &mut &*bytes).map_err(|_| MetadataError::Malformed)?;
        metadata.check_types()?;
        Ok(metadata)
    }

    fn check_types(&self) -> Result<(), MetadataError> {
        let types = &self.types.types;
        if types.len() > MAX_TYPES {
            return Err(MetadataError::TooLong);
        }
        if types.iter().enumerate().any(|(index, ty)| u32::try_from(index) != Ok(ty.id)) {
            return Err(MetadataError::Malformed);
        }
        let mut measures = Measures { types: &self.types, known: alloc::vec![None; types.len()] };
        for ty in types {
            measures.of(ty.id, 0)?;
        }
        self.named_types().try_for_each(|id| self.types.resolve(id).map(drop).ok_or(MetadataError::UnknownType(id)))
    }

    fn named_types(&self) -> impl Iterator<Item = u32> + '_ {
        let queries = self.queries.iter().map(|query| &query.message);
        let messages = self.instantiate.iter().chain(&self.migrate).chain(&self.calls).chain(queries);
        let in_messages =
            messages.flat_map(|message| message.arguments.iter().map(|argument| argument.ty).chain([message.output]));
        [self.call, self.query, self.error, self.event].into_iter().chain(in_messages)
    }
}

/// How much a value of a type may cost whoever decodes it.
#[derive(Clone, Copy)]
struct Measure {
    /// Levels of types in it.
    depth: u32,
    /// Most values in it, lists counted as one: their elements cost input.
    nodes: u64,
    /// Whether each value takes at least one byte of input.
    costs_input: bool,
}

struct Measures<'a> {
    types: &'a PortableRegistry,
    known: Vec<Option<Measure>>,
}

impl Measures<'_> {
    fn of(&mut self, id: u32, level: u32) -> Result<Measure, MetadataError> {
        let at = id as usize;
        if let Some(known) = *self.known.get(at).ok_or(MetadataError::UnknownType(id))? {
            return Ok(known);
        }
        if level >= MAX_TYPE_DEPTH {
            return Err(MetadataError::TooDeep(id));
        }
        let ty = self.types.resolve(id).ok_or(MetadataError::UnknownType(id))?;
        let measure = self.measure(id, &ty.type_def, level + 1)?;
        if measure.depth > MAX_TYPE_DEPTH {
            return Err(MetadataError::TooDeep(id));
        }
        if measure.nodes > MAX_TYPE_NODES {
            return Err(MetadataError::TooWide(id));
        }
        self.known[at] = Some(measure);
        Ok(measure)
    }

    fn measure(&mut self, id: u32, definition: &TypeDef<PortableForm>, level: u32) -> Result<Measure, MetadataError> {
        match definition {
            TypeDef::Composite(composite) => self.all(composite.fields.iter().map(|field| field.ty.id), level),
            TypeDef::Tuple(tuple) => self.all(tuple.fields.iter().map(|field| field.id), level),
            TypeDef::Variant(variants) => {
                let mut widest = Measure { depth: 1, nodes: 1, costs_input: true };
                for variant in &variants.variants {
                    let fields = self.all(variant.fields.iter().map(|field| field.ty.id), level)?;
                    widest.depth = widest.depth.max(fields.depth);
                    widest.nodes = widest.nodes.max(fields.nodes);
                }
                Ok(widest)
            }
            TypeDef::Sequence(sequence) => self.list(id, sequence.type_param.id, level),
            TypeDef::Array(array) if array.len == 0 => self
                .all([array.type_param.id].into_iter(), level)
                .map(|element| Measure { costs_input: false, ..element }),
            TypeDef::Array(array) => self.list(id, array.type_param.id, level),
            TypeDef::Compact(compact) => {
                self.all([compact.type_param.id].into_iter(), level).map(|inner| Measure { costs_input: true, ..inner })
            }
            TypeDef::Primitive(_) => Ok(Measure { depth: 1, nodes: 1, costs_input: true }),
            TypeDef::BitSequence(_) => Err(MetadataError::BitSequence(id)),
        }
    }

    /// Of a value that has all of these.
    fn all(&mut self, ids: impl Iterator<Item = u32>, level: u32) -> Result<Measure, MetadataError> {
        let mut sum = Measure { depth: 1, nodes: 1, costs_input: false };
        for id in ids {
            let field = self.of(id, level)?;
            sum.depth = sum.depth.max(field.depth + 1);
            sum.nodes = sum.nodes.saturating_add(field.nodes);
            sum.costs_input |= field.costs_input;
        }
        Ok(sum)
    }

    /// Of a list: its elements must cost input, else four bytes could ask for as many values as they can count.
    fn list(&mut self, id: u32, element: u32, level: u32) -> Result<Measure, MetadataError> {
        let element = self.of(element, level)?;
        let measure = Measure { depth: element.depth + 1, nodes: 1, costs_input: true };
        element.costs_input.then_some(measure).ok_or(MetadataError::TooWide(id))
    }
}

/// Builds metadata; an interface's `metadata()` uses it.
pub struct Builder {
    metadata: ContractMetadata,
    registry: Registry,
}

impl Builder {
    /// Of the contract with that name.
    #[must_use]
    pub fn new(name: &str, version: &str, doc: &str) -> Self {
        let metadata = ContractMetadata {
            format: FORMAT,
            name: name.into(),
            version: version.into(),
            doc: doc.into(),
            instantiate: None,
            migrate: None,
            calls: Vec::new(),
            queries: Vec::new(),
            call: 0,
            query: 0,
            error: 0,
            event: 0,
            types: Registry::new().into(),
        };
        Self { metadata, registry: Registry::new() }
    }

    /// Adds a call.
    pub fn call(&mut self, index: u8, name: &str, arguments: &[(&str, MetaType)], output: MetaType, doc: &str) {
        let message = self.message(index, name, arguments, output, doc);
        self.metadata.calls.push(message);
    }

    /// Adds a query.
    pub fn query(
        &mut self,
        path: &str,
        index: u8,
        name: &str,
        arguments: &[(&str, MetaType)],
        output: MetaType,
        doc: &str,
    ) {
        let message = self.message(index, name, arguments, output, doc);
        self.metadata.queries.push(Query { path: path.into(), message });
    }

    /// Sets the arguments of the instantiation.
    pub fn instantiate(&mut self, index: u8, name: &str, arguments: &[(&str, MetaType)], output: MetaType, doc: &str) {
        self.metadata.instantiate = Some(self.message(index, name, arguments, output, doc));
    }

    /// Sets the arguments of the migration.
    pub fn migrate(&mut self, index: u8, name: &str, arguments: &[(&str, MetaType)], output: MetaType, doc: &str) {
        self.metadata.migrate = Some(self.message(index, name, arguments, output, doc));
    }

    /// The finished description.
    #[must_use]
    pub fn finish<C, Q, E, V>(mut self) -> ContractMetadata
    where
        C: TypeInfo + 'static,
        Q: TypeInfo + 'static,
        E: TypeInfo + 'static,
        V: TypeInfo + 'static,
    {
        self.metadata.call = self.number(MetaType::new::<C>());
        self.metadata.query = self.number(MetaType::new::<Q>());
        self.metadata.error = self.number(MetaType::new::<ContractError<E>>());
        self.metadata.event = self.number(MetaType::new::<V>());
        self.metadata.types = self.registry.into();
        self.metadata
    }

    fn message(
        &mut self,
        index: u8,
        name: &str,
        arguments: &[(&str, MetaType)],
        output: MetaType,
        doc: &str,
    ) -> Message {
        let arguments =
            arguments.iter().map(|(name, ty)| Argument { name: (*name).into(), ty: self.number(*ty) }).collect();
        Message { index, name: name.into(), arguments, output: self.number(output), doc: doc.into() }
    }

    fn number(&mut self, ty: MetaType) -> u32 {
        self.registry.register_type(&ty).id
    }
}

#[cfg(test)]
mod tests {
    use alloc::{boxed::Box, vec};

    use super::*;

    fn described<T: TypeInfo + 'static>() -> Result<ContractMetadata, MetadataError> {
        ContractMetadata::from_bytes(&Builder::new("ledger", "1.0.0", "").finish::<T, (), (), ()>().to_bytes())
    }

    #[derive(TypeInfo)]
    struct Chain(#[allow(dead_code)] Vec<Chain>);

    #[derive(TypeInfo)]
    struct Loop(#[allow(dead_code)] Box<Loop>);

    #[test]
    fn metadata_survives_the_round_trip() {
        let mut builder = Builder::new("ledger", "1.0.0", "Keeps books.");
        builder.call(
            3,
            "pay",
            &[("to", MetaType::new::<[u8; 16]>()), ("minor", MetaType::new::<i128>())],
            MetaType::new::<()>(),
            "Pays.",
        );
        builder.query(
            "/payments/{id}",
            0,
            "payment",
            &[("id", MetaType::new::<u32>())],
            MetaType::new::<Option<Vec<u8>>>(),
            "One payment.",
        );
        let metadata = builder.finish::<u8, u16, u32, Vec<u64>>();
        assert_eq!(ContractMetadata::from_bytes(&metadata.to_bytes()), Ok(metadata));
    }

    #[test]
    fn a_type_that_contains_itself_is_refused() {
        assert!(matches!(described::<Chain>(), Err(MetadataError::TooDeep(_))));
        assert!(matches!(described::<Loop>(), Err(MetadataError::TooDeep(_))));
    }

    #[test]
    fn a_list_whose_elements_cost_nothing_is_refused() {
        assert!(matches!(described::<Vec<()>>(), Err(MetadataError::TooWide(_))));
        assert!(matches!(described::<Vec<[u8; 0]>>(), Err(MetadataError::TooWide(_))));
        assert!(matches!(described::<[(); 1_000_000]>(), Err(MetadataError::TooWide(_))));
        assert!(described::<Vec<Option<()>>>().is_ok());
    }

    #[test]
    fn a_type_that_doubles_at_every_level_is_refused() {
        type Two<T> = (T, T);
        type Sixteen<T> = Two<Two<Two<Two<T>>>>;
        assert!(described::<Sixteen<Sixteen<()>>>().is_ok());
        assert!(matches!(described::<Sixteen<Sixteen<Sixteen<Sixteen<()>>>>>(), Err(MetadataError::TooWide(_))));
    }

    #[test]
    fn bytes_that_are_no_metadata_are_refused() {
        let good = Builder::new("ledger", "1.0.0", "").finish::<u8, u8, u8, u8>().to_bytes();
        assert_eq!(ContractMetadata::from_bytes(&[]), Err(MetadataError::Malformed));
        assert_eq!(ContractMetadata::from_bytes(&good[..good.len() - 1]), Err(MetadataError::Malformed));
        assert_eq!(ContractMetadata::from_bytes(&[&good[..], &[0]].concat()), Err(MetadataError::Malformed));
        assert_eq!(ContractMetadata::from_bytes(&[&[2], &good[1..]].concat()), Err(MetadataError::Format(2)));
        assert_eq!(ContractMetadata::from_bytes(&vec![FORMAT; MAX_BYTES + 1]), Err(MetadataError::TooLong));
    }

    #[test]
    fn a_type_that_is_not_described_is_refused() {
        let mut metadata = Builder::new("ledger", "1.0.0", "").finish::<u8, u8, u8, u8>();
        metadata.event = 999;
        assert_eq!(ContractMetadata::from_bytes(&metadata.to_bytes()), Err(MetadataError::UnknownType(999)));
    }
}
