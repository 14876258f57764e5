//! The single owner of market state: tokens, curves, pools, prices, rates.
