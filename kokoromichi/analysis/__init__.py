"""What a ledger and its streams say: observations in, frames, charts and reports out."""
