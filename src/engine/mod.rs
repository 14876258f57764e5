//! Wires the stages: tasks and channels, [`Command`] in, [`View`] out, ordered shutdown.

pub mod view;

use crate::{
    chain::group::Group,
    stream::status::{Move, Throttle},
};

pub use view::View;

/// What the front end asks of the engine. Bounded channel, `try_send`: the engine never waits for the terminal.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Set a connection's throttle level by an in-place filter update.
    Throttle {
        /// Which connection.
        connection: usize,
        /// The level.
        level: Throttle,
    },
    /// Apply these moves, make before break.
    Rebalance {
        /// The moves, as the view's proposal showed them.
        moves: Vec<Move>,
    },
    /// Move one group by hand.
    MoveGroup {
        /// The group.
        group: Group,
        /// The connection it goes to.
        to: usize,
    },
    /// Close and reopen a connection, through the budget.
    Reconnect {
        /// Which connection.
        connection: usize,
    },
}
