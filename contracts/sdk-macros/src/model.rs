//! Reads the annotated trait into plain data and refuses what the wire format can't carry, each with its own message.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, GenericArgument, ItemTrait, Lit, LitInt, LitStr, Meta, Pat, PathArguments,
    Result, ReturnType, Token, TraitItem, TraitItemFn, Type,
    parse::{Parse, ParseStream},
};

/// What stands in the attribute's parentheses.
pub struct Arguments {
    pub name: LitStr,
    pub version: Option<LitStr>,
    pub module: Option<Ident>,
    pub error: Type,
    pub event: Type,
}

/// The trait, understood.
pub struct Interface {
    pub arguments: Arguments,
    pub module: Ident,
    pub item: ItemTrait,
    pub methods: Vec<Method>,
}

/// How a method is entered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Call,
    Query,
    Instantiate,
    Migrate,
}

/// One entry point.
pub struct Method {
    pub kind: Kind,
    pub index: u8,
    pub path: String,
    pub name: Ident,
    pub arguments: Vec<(Ident, Type)>,
    pub output: Type,
    pub doc: String,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let (mut name, mut version, mut module, mut error, mut event) = (None, None, None, None, None);
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "name" => name = Some(input.parse()?),
                "version" => version = Some(input.parse()?),
                "module" => module = Some(input.parse()?),
                "error" => error = Some(input.parse()?),
                "event" => event = Some(input.parse()?),
                _ => {
                    return Err(Error::new(
                        key.span(),
                        "unknown argument; known are name, error, event, version, module",
                    ));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let missing = |what| {
            Error::new(Span::call_site(), format!("say `{what}` in #[interface(name = \"…\", error = …, event = …)]"))
        };
        let name: LitStr = name.ok_or_else(|| missing("name = \"…\""))?;
        check_name(&name)?;
        Ok(Self {
            name,
            version,
            module,
            error: error.ok_or_else(|| missing("error = …"))?,
            event: event.ok_or_else(|| missing("event = …"))?,
        })
    }
}

impl Interface {
    pub fn read(arguments: Arguments, mut item: ItemTrait) -> Result<Self> {
        if !item.generics.params.is_empty() {
            return Err(Error::new_spanned(&item.generics, "an interface has no generic parameters"));
        }
        let mut problems: Option<Error> = None;
        let mut methods = Vec::new();
        for member in &mut item.items {
            match member {
                TraitItem::Fn(function) => match Method::read(function, &arguments.error) {
                    Ok(method) => methods.push(method),
                    Err(problem) => add(&mut problems, problem),
                },
                other => add(&mut problems, Error::new_spanned(other, "an interface holds only methods")),
            }
        }
        if let Err(problem) = check_distinct(&methods) {
            add(&mut problems, problem);
        }
        if let Some(problem) = problems {
            return Err(problem);
        }
        let module = arguments
            .module
            .clone()
            .unwrap_or_else(|| Ident::new(&snake_case(&item.ident.to_string()), item.ident.span()));
        methods.sort_by_key(|method| (method.kind, method.index));
        Ok(Self { arguments, module, item, methods })
    }

    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.kind == kind)
    }
}

impl Method {
    fn read(function: &mut TraitItemFn, error: &Type) -> Result<Self> {
        let (kind, index, path) = take_kind(function)?;
        check_form(function, kind)?;
        let arguments = read_arguments(function)?;
        check_path(&path, &arguments, function)?;
        Ok(Self {
            kind,
            index,
            path,
            name: function.sig.ident.clone(),
            arguments,
            output: read_output(function, error)?,
            doc: read_doc(&function.attrs),
        })
    }

    /// The message's variant.
    pub fn variant(&self) -> Ident {
        Ident::new(&camel_case(&self.name.to_string()), self.name.span())
    }
}

/// Takes the one attribute of ours from the method and reads it.
fn take_kind(function: &mut TraitItemFn) -> Result<(Kind, u8, String)> {
    const OURS: [(&str, Kind); 4] =
        [("call", Kind::Call), ("query", Kind::Query), ("instantiate", Kind::Instantiate), ("migrate", Kind::Migrate)];
    let kind_of =
        |attribute: &Attribute| OURS.iter().find(|(name, _)| attribute.path().is_ident(name)).map(|(_, kind)| *kind);
    let (ours, others): (Vec<_>, Vec<_>) = function.attrs.drain(..).partition(|attribute| kind_of(attribute).is_some());
    function.attrs = others;
    let [attribute] = ours.as_slice() else {
        return Err(Error::new_spanned(
            &function.sig.ident,
            "mark the method with exactly one of #[call(index = N)], #[query(index = N, path = \"/…\")], #[instantiate], #[migrate]",
        ));
    };
    let kind = kind_of(attribute).expect("partitioned by this very test");
    let (index, path) = read_attribute(attribute)?;
    match (kind, index, path) {
        (Kind::Instantiate | Kind::Migrate, None, None) => Ok((kind, 0, String::new())),
        (Kind::Instantiate | Kind::Migrate, ..) => {
            Err(Error::new_spanned(attribute, "this attribute takes no arguments"))
        }
        (_, None, _) => {
            Err(Error::new_spanned(attribute, "the index is missing: it is part of the protocol, say `index = N`"))
        }
        (Kind::Call, Some(_), Some(_)) => Err(Error::new_spanned(attribute, "only a query has a path")),
        (Kind::Call, Some(index), None) => Ok((kind, index, String::new())),
        (Kind::Query, Some(_), None) => Err(Error::new_spanned(attribute, "the path is missing: say `path = \"/…\"`")),
        (Kind::Query, Some(index), Some(path)) => Ok((kind, index, path)),
    }
}

fn read_attribute(attribute: &Attribute) -> Result<(Option<u8>, Option<String>)> {
    let (mut index, mut path) = (None, None);
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok((None, None));
    }
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("index") {
            let literal: LitInt = meta.value()?.parse()?;
            index = Some(
                literal
                    .base10_parse::<u8>()
                    .map_err(|_| Error::new(literal.span(), "an index is between 0 and 255"))?,
            );
        } else if meta.path.is_ident("path") {
            path = Some(meta.value()?.parse::<LitStr>()?.value());
        } else {
            return Err(meta.error("known are `index` and, for a query, `path`"));
        }
        Ok(())
    })?;
    Ok((index, path))
}

fn check_form(function: &TraitItemFn, kind: Kind) -> Result<()> {
    let signature = &function.sig;
    if let Some(body) = &function.default {
        return Err(Error::new_spanned(body, "an interface's method has no body"));
    }
    if !signature.generics.params.is_empty() || signature.asyncness.is_some() || signature.unsafety.is_some() {
        return Err(Error::new_spanned(signature, "a message has no generics and is neither async nor unsafe"));
    }
    let receiver =
        signature.receiver().ok_or_else(|| Error::new_spanned(signature, "the method takes `&mut self` or `&self`"))?;
    match (kind, receiver.reference.is_some(), receiver.mutability.is_some()) {
        (Kind::Query, true, false) | (Kind::Call, true, _) | (Kind::Instantiate | Kind::Migrate, true, true) => Ok(()),
        (Kind::Query, ..) => Err(Error::new_spanned(receiver, "a query can't write: take `&self`")),
        (Kind::Call, ..) => Err(Error::new_spanned(receiver, "a call takes `&mut self`, or `&self` if it only reads")),
        _ => Err(Error::new_spanned(receiver, "take `&mut self`")),
    }
}

fn read_arguments(function: &TraitItemFn) -> Result<Vec<(Ident, Type)>> {
    let typed = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed
        .map(|argument| match (&*argument.pat, &*argument.ty) {
            (_, Type::Reference(reference)) => {
                Err(Error::new_spanned(reference, "a message owns its arguments: no references"))
            }
            (Pat::Ident(name), ty) if name.by_ref.is_none() && name.subpat.is_none() => {
                Ok((name.ident.clone(), ty.clone()))
            }
            (pattern, _) => {
                Err(Error::new_spanned(pattern, "an argument is a plain name: it becomes a field of the message"))
            }
        })
        .collect()
}

fn read_output(function: &TraitItemFn, error: &Type) -> Result<Type> {
    let wanted = error.to_token_stream();
    let refusal = || Error::new_spanned(&function.sig, format!("the method returns `Result<T, {wanted}>`"));
    let ReturnType::Type(_, output) = &function.sig.output else { return Err(refusal()) };
    let Type::Path(path) = &**output else { return Err(refusal()) };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Result").ok_or_else(refusal)?;
    let PathArguments::AngleBracketed(generics) = &last.arguments else { return Err(refusal()) };
    match generics.args.iter().collect::<Vec<_>>().as_slice() {
        [GenericArgument::Type(value), GenericArgument::Type(failure)]
            if failure.to_token_stream().to_string() == wanted.to_string() =>
        {
            Ok(value.clone())
        }
        _ => Err(refusal()),
    }
}

/// `{name}` in a path stands for an argument of the query; the others come from the query string.
fn check_path(path: &str, arguments: &[(Ident, Type)], function: &TraitItemFn) -> Result<()> {
    let refuse = |message: String| Err(Error::new_spanned(&function.sig.ident, message));
    if path.is_empty() {
        return Ok(());
    }
    if !path.starts_with('/') || path.len() == 1 || path.ends_with('/') {
        return refuse(format!("the path `{path}` starts with `/` and does not end with it"));
    }
    for segment in path[1..].split('/') {
        let argument = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match argument {
            Some(argument) if arguments.iter().any(|(name, _)| name == argument) => {}
            Some(argument) => {
                return refuse(format!("the path names `{{{argument}}}`, which is no argument of the query"));
            }
            None if is_plain_segment(segment) => {}
            None => {
                return refuse(format!(
                    "`{segment}` in the path is neither a lower-case word nor one whole `{{argument}}`"
                ));
            }
        }
    }
    Ok(())
}

fn is_plain_segment(segment: &str) -> bool {
    !segment.is_empty()
        && segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `/receivables/{id}` and `/receivables/{certificate}` are one path to a router.
fn path_shape(path: &str) -> String {
    path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect::<Vec<_>>().join("/")
}

fn check_distinct(methods: &[Method]) -> Result<()> {
    let mut problems = None;
    let mut indices = BTreeMap::new();
    let mut paths = BTreeMap::new();
    for method in methods {
        let name = &method.name;
        if let Some(earlier) = indices.insert((method.kind, method.index), name) {
            let what = match method.kind {
                Kind::Call | Kind::Query => format!("index {} is already taken by `{earlier}`", method.index),
                Kind::Instantiate | Kind::Migrate => format!("`{earlier}` already has this attribute"),
            };
            add(&mut problems, Error::new_spanned(name, what));
        }
        let taken = if method.kind == Kind::Query { paths.insert(path_shape(&method.path), name) } else { None };
        if let Some(earlier) = taken {
            add(&mut problems, Error::new_spanned(name, format!("the path is already taken by `{earlier}`")));
        }
    }
    problems.map_or(Ok(()), Err)
}

fn check_name(name: &LitStr) -> Result<()> {
    let value = name.value();
    let good = value.len() <= 32 && value.split('-').all(is_plain_segment);
    if good {
        Ok(())
    } else {
        Err(Error::new(name.span(), "a contract's name is lower-case words joined by `-`, at most 32 characters"))
    }
}

pub fn read_doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn add(problems: &mut Option<Error>, problem: Error) {
    match problems {
        Some(all) => all.combine(problem),
        None => *problems = Some(problem),
    }
}

fn camel_case(snake: &str) -> String {
    let capital = |word: &str| {
        word.chars().next().map(|first| first.to_ascii_uppercase().to_string() + &word[first.len_utf8()..])
    };
    snake.trim_start_matches("r#").split('_').filter_map(capital).collect()
}

fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn refusal(methods: proc_macro2::TokenStream) -> String {
        let arguments = syn::parse2::<Arguments>(quote!(name = "ledger", error = E, event = V)).expect("well-formed");
        let item = syn::parse2::<ItemTrait>(quote!(pub trait Ledger { #methods })).expect("a trait");
        Interface::read(arguments, item).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_message_without_an_index_is_refused() {
        assert!(
            refusal(quote!(
                #[call]
                fn pay(&mut self) -> Result<(), E>;
            ))
            .contains("index is missing")
        );
        assert!(
            refusal(quote!(
                fn pay(&mut self) -> Result<(), E>;
            ))
            .contains("exactly one of")
        );
    }

    #[test]
    fn two_messages_of_one_index_are_refused_but_a_call_and_a_query_may_share_it() {
        let twice = refusal(quote! {
            #[call(index = 1)] fn pay(&mut self) -> Result<(), E>;
            #[call(index = 1)] fn repay(&mut self) -> Result<(), E>;
        });
        assert!(twice.contains("index 1 is already taken by `pay`"), "{twice}");
        let shared = refusal(quote! {
            #[call(index = 1)] fn pay(&mut self) -> Result<(), E>;
            #[query(index = 1, path = "/payments")] fn payments(&self) -> Result<u32, E>;
        });
        assert_eq!(shared, "");
    }

    #[test]
    fn two_queries_whose_paths_a_router_can_not_tell_apart_are_refused() {
        let twice = refusal(quote! {
            #[query(index = 0, path = "/payments/{id}")] fn by_id(&self, id: u32) -> Result<u32, E>;
            #[query(index = 1, path = "/payments/{payer}")] fn by_payer(&self, payer: u32) -> Result<u32, E>;
        });
        assert!(twice.contains("path is already taken by `by_id`"), "{twice}");
    }

    #[test]
    fn a_path_names_only_arguments() {
        let unknown = refusal(quote!(
            #[query(index = 0, path = "/payments/{id}")]
            fn payments(&self) -> Result<u32, E>;
        ));
        assert!(unknown.contains("`{id}`, which is no argument"), "{unknown}");
        assert!(
            refusal(quote!(
                #[query(index = 0, path = "payments")]
                fn payments(&self) -> Result<u32, E>;
            ))
            .contains("starts with `/`")
        );
    }

    #[test]
    fn a_query_that_could_write_is_refused() {
        assert!(
            refusal(quote!(
                #[query(index = 0, path = "/p")]
                fn p(&mut self) -> Result<u32, E>;
            ))
            .contains("can't write")
        );
    }

    #[test]
    fn a_wrong_signature_says_what_is_wanted() {
        assert!(
            refusal(quote!(
                #[call(index = 0)]
                fn pay(&mut self) -> u32;
            ))
            .contains("returns `Result<T, E>`")
        );
        assert!(
            refusal(quote!(
                #[call(index = 0)]
                fn pay(&mut self) -> Result<u32, Other>;
            ))
            .contains("returns `Result<T, E>`")
        );
        assert!(
            refusal(quote!(
                #[call(index = 0)]
                fn pay(&mut self, to: &str) -> Result<u32, E>;
            ))
            .contains("no references")
        );
        assert!(
            refusal(quote!(
                #[call(index = 0)]
                fn pay() -> Result<u32, E>;
            ))
            .contains("&mut self")
        );
        assert!(
            refusal(quote!(
                #[call(index = 0)]
                fn pay<T>(&mut self, to: T) -> Result<u32, E>;
            ))
            .contains("no generics")
        );
        assert!(
            refusal(quote!(
                #[call(index = 256)]
                fn pay(&mut self) -> Result<u32, E>;
            ))
            .contains("between 0 and 255")
        );
    }

    #[test]
    fn every_problem_of_an_interface_is_reported_at_once() {
        let arguments = syn::parse2::<Arguments>(quote!(name = "ledger", error = E, event = V)).expect("well-formed");
        let item = syn::parse2::<ItemTrait>(quote!(
            trait Ledger {
                fn a(&mut self) -> Result<(), E>;
                #[call(index = 1)]
                fn b(&mut self) -> u32;
            }
        ))
        .expect("a trait");
        assert_eq!(Interface::read(arguments, item).err().map(|error| error.into_iter().count()), Some(2));
    }

    #[test]
    fn a_contract_is_named_in_lower_case_words() {
        let named = |name: &str| syn::parse2::<Arguments>(quote!(name = #name, error = E, event = V)).is_ok();
        assert!(named("trade-documents"));
        assert!(!named("Trade") && !named("") && !named("a--b") && !named("a_b") && !named(&"a".repeat(33)));
    }

    #[test]
    fn names_change_case_by_words() {
        assert_eq!(camel_case("accept_transfer"), "AcceptTransfer");
        assert_eq!(snake_case("TradeDocuments"), "trade_documents");
    }
}
