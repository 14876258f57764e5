//! Frames: updates encoded once, sent to many. The codec joins the names of the matching filters with the shared body.

use bytes::{BufMut, Bytes};
use prost::{Message, encoding::encode_varint};
use prost_types::Timestamp;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};
use yellowstone_grpc_proto::geyser::{SubscribeRequest, SubscribeUpdate, subscribe_update::UpdateOneof};

use super::message::encode;

/// One `SubscribeUpdate` in two parts: protobuf joins messages by joining their bytes.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The field of the update that is set.
    pub(super) kind: &'static str,
    /// The `filters` field.
    pub(super) head: Bytes,
    /// Everything else.
    pub(super) body: Bytes,
}

impl Frame {
    /// A frame that belongs to no filter.
    pub(super) fn bare(update: UpdateOneof, created_at: Timestamp) -> Self {
        let kind = match &update {
            UpdateOneof::Ping(_) => "ping",
            UpdateOneof::Pong(_) => "pong",
            _ => "block",
        };
        Self { kind, head: Bytes::new(), body: encode(update, created_at) }
    }

    /// The generated type.
    pub(super) fn decode(&self) -> Result<SubscribeUpdate, Status> {
        let mut update =
            SubscribeUpdate::decode(self.body.clone()).map_err(|error| Status::internal(error.to_string()))?;
        update.merge(self.head.clone()).map_err(|error| Status::internal(error.to_string()))?;
        Ok(update)
    }
}

/// Encodes the names of filters as the `filters` field.
pub(super) fn encode_names<'a>(names: impl Iterator<Item = &'a str>) -> Bytes {
    let mut head = Vec::new();
    for name in names {
        head.push(0x0a);
        encode_varint(name.len() as u64, &mut head);
        head.extend_from_slice(name.as_bytes());
    }
    head.into()
}

/// The codec of `Subscribe`: requests as the generated type, answers as [`Frame`]s.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameCodec;

impl Codec for FrameCodec {
    type Encode = Frame;
    type Decode = SubscribeRequest;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for FrameCodec {
    type Item = Frame;
    type Error = Status;

    fn encode(&mut self, frame: Frame, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(frame.head.len() + frame.body.len());
        buffer.put_slice(&frame.head);
        buffer.put_slice(&frame.body);
        Ok(())
    }
}

impl Decoder for FrameCodec {
    type Item = SubscribeRequest;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<SubscribeRequest>, Status> {
        SubscribeRequest::decode(buffer).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
