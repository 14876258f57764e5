//! The unary calls, answered from the ring.

use tonic::{Request, Response, Status};
use yellowstone_grpc_proto::geyser::{
    CommitmentLevel, GetBlockHeightResponse, GetLatestBlockhashResponse, GetSlotResponse, IsBlockhashValidRequest,
    IsBlockhashValidResponse, SubscribeReplayInfoResponse,
};

use super::{hub::Hub, ring::FrozenSlot};

/// Blocks for which a blockhash stays valid.
const BLOCKHASH_AGE: u64 = 150;

type Answer<T> = Result<Response<T>, Status>;

fn newest<T>(hub: &Hub, commitment: Option<i32>, read: impl FnOnce(&FrozenSlot) -> T) -> Answer<T> {
    let level = commitment.unwrap_or_default();
    let level = CommitmentLevel::try_from(level)
        .map_err(|_| Status::unknown(format!("failed to create CommitmentLevel from {level}")))?;
    let answer = hub.ring(|ring| ring.newest(level).map(read));
    answer.map(Response::new).ok_or_else(|| Status::internal("block is not available yet"))
}

pub(super) fn replay_info(hub: &Hub) -> Response<SubscribeReplayInfoResponse> {
    Response::new(SubscribeReplayInfoResponse { first_available: hub.ring(super::ring::Ring::first_available) })
}

pub(super) fn latest_blockhash(hub: &Hub, commitment: Option<i32>) -> Answer<GetLatestBlockhashResponse> {
    newest(hub, commitment, |block| GetLatestBlockhashResponse {
        slot: block.slot,
        blockhash: block.blockhash.clone(),
        last_valid_block_height: block.height + BLOCKHASH_AGE,
    })
}

pub(super) fn block_height(hub: &Hub, commitment: Option<i32>) -> Answer<GetBlockHeightResponse> {
    newest(hub, commitment, |block| GetBlockHeightResponse { block_height: block.height })
}

pub(super) fn slot(hub: &Hub, commitment: Option<i32>) -> Answer<GetSlotResponse> {
    newest(hub, commitment, |block| GetSlotResponse { slot: block.slot })
}

pub(super) fn is_blockhash_valid(
    hub: &Hub,
    request: &Request<IsBlockhashValidRequest>,
) -> Answer<IsBlockhashValidResponse> {
    let request = request.get_ref();
    let (slot, height, level) =
        newest(hub, request.commitment, |block| (block.slot, block.height, block.level))?.into_inner();
    let valid = hub.ring(|ring| {
        ring.iter().any(|block| {
            block.blockhash == request.blockhash && block.level >= level && block.height + BLOCKHASH_AGE >= height
        })
    });
    Ok(Response::new(IsBlockhashValidResponse { slot, valid }))
}
