//! An alert, as the events and the snapshot write it.

use schemars::JsonSchema;
use serde::Serialize;

use super::Units;
use crate::{
    chain::ids::{Mint, Pool, WRAPPED_SOL, Wallet},
    engine::view::AlertView,
    mev::{
        Alert,
        alert::{AlertLeg, Attacker, Victim},
    },
};

/// See [`Line::Alert`](super::line::Line::Alert).
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlertFields {
    /// The same through all updates.
    alert_id: u64,
    /// Counts the updates from 0.
    revision: u32,
    class: &'static str,
    /// `provisional`, `confirmed` or `retracted`.
    state: &'static str,
    /// 0–1.
    confidence: f64,
    reasons: Vec<ReasonFields>,
    /// Highest slot of its legs.
    slot: u64,
    /// Milliseconds since the Unix epoch at which the leg that caused it arrived.
    recv_ms: i64,
    venue: &'static str,
    #[schemars(with = "String")]
    pool: Pool,
    #[schemars(with = "String")]
    mint: Mint,
    #[schemars(with = "String")]
    quote_mint: Mint,
    attackers: Vec<AttackerFields>,
    legs: Vec<LegFields>,
    /// All victims together; `null` where it is not known or not in SOL.
    victim_loss_lamports: Option<i64>,
    /// The same in raw units of another quote token; `null` for SOL.
    victim_loss_quote: Option<i64>,
    /// That token.
    #[schemars(with = "Option<String>")]
    victim_loss_quote_mint: Option<Mint>,
    victims: Vec<VictimFields>,
    /// Of matched inventory, after fees, transaction fees and tips; `null` where it is not known or not in SOL.
    attacker_profit_lamports: Option<i64>,
    /// Raw base units bought and not sold, or sold and not bought back.
    open_inventory_base: Units,
    /// Whether no trade is missing between the legs.
    chain_ok: bool,
    /// Microseconds from the arrival of the leg that caused it.
    detect_us: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReasonFields {
    code: &'static str,
    value: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AttackerFields {
    #[schemars(with = "String")]
    wallet: Wallet,
    /// How it is tied to the ones before it: `owner`, `payer`, `transfer`, `exact_amount` or `program`.
    link: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LegFields {
    /// `front`, `victim`, `back` or `other`.
    role: &'static str,
    signature: String,
    slot: u64,
    tx_index: u64,
    #[schemars(with = "String")]
    user: Wallet,
    side: &'static str,
    base_amount: Units,
    quote_amount: Units,
    /// Fees on top of the quote amount.
    fees: Units,
    tip_lamports: Units,
}

#[derive(Debug, Serialize, JsonSchema)]
struct VictimFields {
    signature: String,
    #[schemars(with = "String")]
    user: Wallet,
    /// Without any attacker; `null` where it is not known or not in SOL.
    loss_lamports: Option<i64>,
    /// Without this attacker alone.
    marginal_loss_lamports: Option<i64>,
    /// Base units that the order would have brought more.
    token_shortfall: Option<Units>,
    /// Share of its slippage that was used up.
    slack_use: Option<f64>,
}

impl From<&AlertView> for AlertFields {
    fn from(view: &AlertView) -> Self {
        let Alert { victim_loss, quote_mint, .. } = view.alert;
        let alert = &view.alert;
        let in_sol = quote_mint == WRAPPED_SOL;
        Self {
            alert_id: alert.id.0,
            revision: alert.revision,
            class: alert.class.name(),
            state: alert.state.name(),
            confidence: alert.confidence,
            reasons: alert.reasons.iter().map(|one| ReasonFields { code: one.code, value: one.value }).collect(),
            slot: alert.slot,
            recv_ms: alert.recv_us.div_euclid(1_000),
            venue: alert.venue.name(),
            pool: alert.pool,
            mint: alert.mint,
            quote_mint,
            attackers: alert.attackers.iter().map(AttackerFields::from).collect(),
            legs: alert.legs.iter().map(LegFields::from).collect(),
            victim_loss_lamports: victim_loss.filter(|_| in_sol),
            victim_loss_quote: victim_loss.filter(|_| !in_sol),
            victim_loss_quote_mint: (!in_sol).then_some(quote_mint),
            victims: alert.victims.iter().map(|victim| VictimFields::of(victim, in_sol)).collect(),
            attacker_profit_lamports: alert.profit.filter(|_| in_sol),
            open_inventory_base: alert.open_inventory.into(),
            chain_ok: alert.chain_ok,
            detect_us: alert.detect_us,
        }
    }
}

impl From<&Attacker> for AttackerFields {
    fn from(attacker: &Attacker) -> Self {
        Self { wallet: attacker.wallet, link: attacker.link.name() }
    }
}

impl From<&AlertLeg> for LegFields {
    fn from(leg: &AlertLeg) -> Self {
        Self {
            role: leg.role.name(),
            signature: leg.signature.to_string(),
            slot: leg.slot,
            tx_index: leg.tx_index,
            user: leg.user,
            side: leg.side.name(),
            base_amount: leg.base.into(),
            quote_amount: leg.quote.into(),
            fees: leg.fees.into(),
            tip_lamports: leg.tip.into(),
        }
    }
}

impl VictimFields {
    fn of(victim: &Victim, in_sol: bool) -> Self {
        Self {
            signature: victim.signature.to_string(),
            user: victim.user,
            loss_lamports: victim.loss.filter(|_| in_sol),
            marginal_loss_lamports: victim.marginal_loss.filter(|_| in_sol),
            token_shortfall: victim.token_shortfall.map(Units::from),
            slack_use: victim.slack_use,
        }
    }
}
