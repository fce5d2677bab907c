//! Acts and questions that need no words of their own: a table says under which noun and verb people find a contract's message, and its flags
//! follow from the contract's own description. Must never know what a message means.
//!
//! Of a message's fields the first account is who acts (`--as`); the first id, or else the first `number`, stands without a flag; fields of structs are
//! flags of their own, those of inner structs under the struct's name. A commitment or reference that is left out is random: what it is of
//! stays outside the chain.

mod table;
mod text;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use portolan_interface::{DocumentId, settlement, trade};
use portolan_primitives::{ContractId, Hash};
use portolan_sdk::metadata::{ContractMetadata, Message};
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use serde_json::{Map, Value, json};

use crate::args;
use crate::clock;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::values;
use table::{Does, Fixed, NOUNS, ROWS, Row};
use text::{fields_of, hint, inside_option, kebab, name};

/// Deepest struct whose fields are flags.
const MAX_DEPTH: usize = 4;

/// Where an argument comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// The account that acts.
    Own,
    /// A word without a flag.
    Place,
    /// A flag.
    Flag,
    /// The title as it is now, unless a flag says as of when.
    Title,
    /// The verb.
    Verb(&'static str),
}

/// One argument of a message: a field that is no struct of its own.
#[derive(Clone, Debug)]
struct Leaf {
    /// The way to it through the message.
    path: Vec<String>,
    /// So much of it is no part of the flag: the message's own struct, `terms` and the like, and the variant that the verb says.
    hidden: usize,
    ty: u32,
    from: From,
    /// What it is when it is left out.
    default: Option<Value>,
    /// Whether it may be left out without a default, and then is null.
    optional: bool,
    help: String,
}

impl Leaf {
    fn id(&self) -> String {
        self.path.join(".")
    }

    fn is_list(&self, types: &PortableRegistry) -> bool {
        let ty = types.resolve(self.ty);
        ty.is_some_and(|ty| match &ty.type_def {
            TypeDef::Sequence(items) => types
                .resolve(items.type_param.id)
                .is_some_and(|item| !matches!(item.type_def, TypeDef::Primitive(TypeDefPrimitive::U8))),
            _ => false,
        })
    }

    fn is_switch(&self, types: &PortableRegistry) -> bool {
        types.resolve(self.ty).is_some_and(|ty| matches!(ty.type_def, TypeDef::Primitive(TypeDefPrimitive::Bool)))
    }

    fn flag(&self) -> String {
        kebab(&self.path[self.hidden..].join("-"))
    }
}

/// What a row's words mean by the contract's description.
struct Act {
    row: &'static Row,
    metadata: ContractMetadata,
    message: Message,
    leaves: Vec<Leaf>,
}

fn metadata(contract: &str) -> ContractMetadata {
    match contract {
        settlement::api::NAME => settlement::api::metadata(),
        _ => trade::api::metadata(),
    }
}

impl Act {
    /// None if the contract has no such message, which a test keeps from happening.
    fn of(row: &'static Row) -> Option<Self> {
        let metadata = metadata(row.contract);
        let found = match row.does {
            Does::Act(_) => metadata.calls.iter().find(|message| message.name == row.message),
            Does::Ask => {
                metadata.queries.iter().map(|query| &query.message).find(|message| message.name == row.message)
            }
        };
        let message = found?.clone();
        let mut act = Self { row, metadata, message, leaves: Vec::new() };
        for argument in act.message.arguments.clone() {
            act.grow(vec![argument.name], argument.ty, false, String::new());
        }
        act.place();
        Some(act)
    }

    fn grow(&mut self, path: Vec<String>, ty: u32, optional: bool, help: String) {
        let id = path.join(".");
        let fixed = self.row.fixed.iter().find(|(at, _)| *at == id).map(|(_, fixed)| *fixed);
        let default = self.row.default.iter().find(|(at, _)| *at == id);
        let default = default.and_then(|(_, json)| serde_json::from_str(json).ok());
        let Some(of) = self.metadata.types.resolve(ty) else { return };
        match fixed {
            Some(Fixed::Value(json)) => return self.leaf(path, ty, From::Verb(json), None, false, help),
            Some(Fixed::Variant(variant)) => {
                if let Some(inner) = variant_field(&self.metadata.types, ty, variant) {
                    let path = [path, vec![variant.to_owned()]].concat();
                    self.grow(path, inner, optional, help);
                }
                return;
            }
            None => {}
        }
        if name(of) == "TitleStep" {
            return self.leaf(
                path,
                ty,
                From::Title,
                None,
                true,
                "Entries of the title that the act was made on; as it is now if left out".into(),
            );
        }
        let inner = inside_option(of);
        let of = inner.and_then(|inner| self.metadata.types.resolve(inner)).unwrap_or(of);
        let optional = optional || inner.is_some();
        if let Some(fields) = fields_of(of).filter(|_| path.len() < MAX_DEPTH) {
            let fields: Vec<_> =
                fields.iter().map(|field| (field.name.clone(), field.ty.id, field.docs.join(" "))).collect();
            for (field, ty, docs) in fields {
                self.grow([path.clone(), vec![field.unwrap_or_default()]].concat(), ty, optional, docs);
            }
            return;
        }
        let random = name(of) == "Hash"
            && inner.is_none()
            && !optional
            && !matches!(path.last().map(String::as_str), Some("fingerprint" | "near"));
        let help = if random { format!("{help} Random if left out.").trim().to_owned() } else { help };
        let default = default.or(random.then_some(Value::Null));
        self.leaf(path, ty, From::Flag, default, optional, help);
    }

    fn leaf(&mut self, path: Vec<String>, ty: u32, from: From, default: Option<Value>, optional: bool, help: String) {
        let id = path.join(".");
        let of_variant = |(at, fixed): &&(&str, Fixed)| matches!(fixed, Fixed::Variant(variant) if id.starts_with(&format!("{at}.{variant}.")));
        let variant = self.row.fixed.iter().find(of_variant).map(|(at, _)| at.split('.').count() + 1);
        let hidden = variant.unwrap_or(usize::from(path.len() > 1));
        self.leaves.push(Leaf { path, hidden, ty, from, default, optional, help });
    }

    /// Who acts, and what stands without a flag.
    fn place(&mut self) {
        let types = &self.metadata.types;
        let kind = |leaf: &Leaf| types.resolve(leaf.ty).map(name).unwrap_or_default().to_owned();
        let asks = self.row.does == Does::Ask;
        if let Some(first) = self.leaves.first_mut() {
            // A question about an account is about the own one; one about another's records is told whose.
            if kind(first) == "AccountId" && (!asks || first.path == ["account"]) {
                first.from = From::Own;
            }
        }
        let free = |leaf: &&mut Leaf| leaf.from == From::Flag && leaf.path.len() == 1;
        let ids = ["DocumentId", "CertificateId", "PartId", "FinancingId"];
        let is_id = |leaf: &&mut Leaf| ids.contains(&kind(leaf).as_str()) && !leaf.optional;
        if let Some(leaf) = self.leaves.iter_mut().filter(free).find(is_id) {
            leaf.from = From::Place;
        } else if let Some(leaf) = self.leaves.iter_mut().filter(free).find(|leaf| leaf.path == ["number"]) {
            leaf.from = From::Place;
        }
    }

    fn command(&self) -> Command {
        let about = self.message.doc.replace('`', "");
        let mut command = Command::new(self.row.verb).about(about);
        for leaf in &self.leaves {
            command = match leaf.from {
                From::Own | From::Verb(_) => command,
                From::Place => command.arg(self.arg(leaf).required(true)),
                From::Flag | From::Title => command.arg(self.arg(leaf).long(flag_of(leaf))),
            };
        }
        command
    }

    fn arg(&self, leaf: &Leaf) -> Arg {
        let types = &self.metadata.types;
        let hint = if leaf.from == From::Title { "a whole number".into() } else { hint(types, leaf.ty) };
        let help = if leaf.help.is_empty() { hint } else { format!("{} ({hint})", leaf.help.trim_end_matches('.')) };
        let arg = Arg::new(leaf.id())
            .help(help)
            .value_name(kebab(leaf.path.last().map_or("", String::as_str)).to_uppercase());
        if leaf.is_switch(types) {
            return arg.action(ArgAction::SetTrue);
        }
        let list = leaf.is_list(types);
        let arg = arg.required(!leaf.optional && leaf.default.is_none() && !list);
        let arg = match plain_variants(types, leaf.ty) {
            Some(names) => arg.value_parser(PossibleValuesParser::new(names)),
            None => arg,
        };
        arg.action(if list { ArgAction::Append } else { ArgAction::Set })
    }

    /// The message's JSON, from what was typed.
    fn arguments(&self, context: &Context, matches: &ArgMatches) -> CliResult<Value> {
        let mut arguments = Map::new();
        for leaf in &self.leaves {
            if let Some(value) = self.value(context, matches, leaf)? {
                put(&mut arguments, &leaf.path, value);
            }
        }
        Ok(Value::Object(arguments))
    }

    fn value(&self, context: &Context, matches: &ArgMatches, leaf: &Leaf) -> CliResult<Option<Value>> {
        let types = &self.metadata.types;
        let usage = |reason: String| CliError::Usage(format!("--{}: {reason}", leaf.flag()));
        match leaf.from {
            From::Own => return Ok(Some(json!(context.account()?.id))),
            From::Verb(json) => return Ok(serde_json::from_str(json).ok()),
            From::Title => return self.title(context, matches, leaf).map(Some),
            From::Place | From::Flag => {}
        }
        if leaf.is_switch(types) {
            return Ok(Some(json!(matches.get_flag(&leaf.id()))));
        }
        let texts: Vec<&String> = matches.get_many(&leaf.id()).into_iter().flatten().collect();
        if let (true, Some(TypeDef::Sequence(items))) =
            (leaf.is_list(types), types.resolve(leaf.ty).map(|ty| &ty.type_def))
        {
            let items = texts.iter().map(|text| text::value(types, items.type_param.id, text));
            return Ok(Some(Value::Array(items.collect::<Result<_, _>>().map_err(usage)?)));
        }
        match (texts.first(), &leaf.default) {
            (Some(text), _) => text::value(types, leaf.ty, text).map(Some).map_err(usage),
            (None, Some(Value::Null)) => {
                let random = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
                Ok(Some(json!(Hash(random))))
            }
            (None, default) => Ok(default.clone()),
        }
    }

    /// An act on a title says how many entries it saw: those that there are, or those that the actor names.
    fn title(&self, context: &Context, matches: &ArgMatches, leaf: &Leaf) -> CliResult<Value> {
        let seen: Option<&String> = matches.get_one(&leaf.id());
        if let Some(seen) = seen {
            let seen: u32 =
                seen.parse().map_err(|_| CliError::Usage(format!("--seen: `{seen}` is no whole number")))?;
            return Ok(json!({ "seen": seen }));
        }
        let place = self.leaves.iter().find(|leaf| leaf.from == From::Place);
        let bill: Option<&String> = place.and_then(|place| matches.get_one(&place.id()));
        let bill = args::document(bill.map_or("", String::as_str)).map_err(CliError::Usage)?;
        Ok(json!({ "seen": super::trade::step(context, bill)?.seen }))
    }

    fn encode(&self, arguments: &Value) -> CliResult<Vec<u8>> {
        let (ty, messages) = match self.row.does {
            Does::Act(_) => (self.metadata.call, self.metadata.calls.clone()),
            Does::Ask => {
                (self.metadata.query, self.metadata.queries.iter().map(|query| query.message.clone()).collect())
            }
        };
        values::encode_message(&self.metadata, ty, &messages, self.row.message, arguments)
    }

    fn run(&self, context: &Context, matches: &ArgMatches) -> CliResult<()> {
        let input = self.encode(&self.arguments(context, matches)?)?;
        let Does::Act(said) = self.row.does else { return self.ask(context, &input) };
        let call = portolan_primitives::Call { contract: ContractId::from_name(self.row.contract), input };
        let done = context.send(vec![call])?;
        let output = done.answer["receipt"]["outputs"][0].clone();
        let mut more = json!({ "output": output });
        let made = output.as_str().filter(|text| text.starts_with(DocumentId::KIND));
        if let Some(document) = made {
            more["document"] = json!(document);
        }
        let text = match &output {
            Value::Null => said.to_owned(),
            Value::Array(items) if items.is_empty() => said.to_owned(),
            output => format!("{said} {}", crate::view::cell(output, &context.known_names())),
        };
        context.report(&done, &text, more)
    }

    fn ask(&self, context: &Context, input: &[u8]) -> CliResult<()> {
        let client = context.client()?;
        let answer = client.post(&format!("/v1/contracts/{}/query", self.row.contract), input)?;
        context.show_value(&client, &answer["output"])
    }
}

fn flag_of(leaf: &Leaf) -> String {
    if leaf.from == From::Title { "seen".into() } else { leaf.flag() }
}

/// The names of an enum none of whose variants has a value.
fn plain_variants(types: &PortableRegistry, ty: u32) -> Option<Vec<String>> {
    let of = types.resolve(ty)?;
    if let Some(inner) = inside_option(of) {
        return plain_variants(types, inner);
    }
    match &of.type_def {
        TypeDef::Variant(variants) if variants.variants.iter().all(|variant| variant.fields.is_empty()) => {
            Some(variants.variants.iter().map(|variant| kebab(&portolan_node::values::snake(&variant.name))).collect())
        }
        _ => None,
    }
}

fn variant_field(types: &PortableRegistry, ty: u32, wanted: &str) -> Option<u32> {
    let TypeDef::Variant(variants) = &types.resolve(ty)?.type_def else { return None };
    let found = variants.variants.iter().find(|variant| portolan_node::values::snake(&variant.name) == wanted)?;
    found.fields.first().map(|field| field.ty.id)
}

/// Puts a value at its place; a null, which every left out field is, makes no struct around it.
fn put(object: &mut Map<String, Value>, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = object.entry(first.clone()).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The commands with those of the table: under the nouns that there are, and under new ones.
pub fn extend(mut cli: Command) -> Command {
    let mut nouns: Vec<&str> = ROWS.iter().map(|row| row.noun).collect();
    nouns.sort_unstable();
    nouns.dedup();
    for noun in nouns {
        let verbs = ROWS.iter().filter(|row| row.noun == noun).filter_map(Act::of).map(|act| act.command());
        let verbs: Vec<Command> = verbs.collect();
        if let Some((_, about)) = NOUNS.iter().find(|(name, _)| *name == noun) {
            if cli.find_subcommand(noun).is_none() {
                let new = Command::new(noun).about(*about).subcommand_required(true).arg_required_else_help(true);
                cli = cli.subcommand(new);
            }
        }
        cli = cli.mut_subcommand(noun, |command| command.subcommands(verbs));
    }
    cli
}

/// Runs what was asked, if the table has it.
pub fn run(context: &Context, matches: &ArgMatches) -> Option<CliResult<()>> {
    let (noun, matches) = matches.subcommand()?;
    let (verb, matches) = matches.subcommand()?;
    let row = ROWS.iter().find(|row| row.noun == noun && row.verb == verb)?;
    Some(Act::of(row)?.run(context, matches))
}

#[cfg(test)]
mod tests;
