//! What the decoder knows, out of its own tables.

use super::{tables, venue::Emits};
use crate::chain::program::Program;

/// What is known of a program.
#[derive(Clone, Debug)]
pub struct Known {
    /// The program.
    pub program: Program,
    /// Where the layouts come from, and of which day they are.
    pub origin: &'static str,
    /// Its instructions.
    pub instructions: Vec<KnownInstruction>,
    /// Its events.
    pub events: Vec<KnownEvent>,
}

/// See [`Known::instructions`].
#[derive(Clone, Debug)]
pub struct KnownInstruction {
    /// Its name.
    pub name: &'static str,
    /// The bytes that tell it from others: eight, or one.
    pub discriminator: Vec<u8>,
    /// Names of the events that it must emit; two forms of one fact are separated by `|`.
    pub must_emit: Vec<String>,
}

/// See [`Known::events`].
#[derive(Clone, Debug)]
pub struct KnownEvent {
    /// Its name.
    pub name: &'static str,
    /// The bytes that tell it from others: eight, or one.
    pub discriminator: Vec<u8>,
    /// Whether it is read; the others say nothing about a market, or nothing that another event does not say.
    pub read: bool,
}

/// What is known of every program.
#[must_use]
pub fn list() -> Vec<Known> {
    Program::ALL.into_iter().map(known).collect()
}

fn known(program: Program) -> Known {
    let table = tables::of(program);
    let bytes = |discriminator: u64| discriminator.to_be_bytes().into_iter().take(table.tag).collect();
    let name = |discriminator| table.event(discriminator).map_or("", |event| event.name).to_owned();
    let must_emit = |emits| match emits {
        Emits::Nothing | Emits::Itself => Vec::new(),
        Emits::One(event) => vec![name(event)],
        Emits::Both(first, second) => vec![name(first), name(second)],
        Emits::Twice(event) => vec![name(event), name(event)],
        Emits::Newer(newer, older) => vec![format!("{}|{}", name(newer), name(older))],
        Emits::Hops => {
            let trades = table.events.iter().filter(|event| event.trade).map(|event| event.name);
            vec![trades.collect::<Vec<_>>().join("|")]
        }
    };
    let instructions = table.instructions.iter().map(|spec| KnownInstruction {
        name: spec.name,
        discriminator: bytes(spec.discriminator),
        must_emit: must_emit(spec.emits),
    });
    let events = table.events.iter().map(|event| KnownEvent {
        name: event.name,
        discriminator: bytes(event.discriminator),
        read: event.read.is_some(),
    });
    Known { program, origin: table.origin, instructions: instructions.collect(), events: events.collect() }
}
