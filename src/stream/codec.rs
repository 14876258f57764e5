//! The codec of the Subscribe call: requests as prost messages, updates as the received bytes, read in place later.

use bytes::{Buf, Bytes};
use prost::Message;
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::chain::proto::SubscribeRequest;

/// Encodes [`SubscribeRequest`], hands out each received message as one frozen [`Bytes`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RawCodec;

/// See [`RawCodec`].
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestEncoder;

/// See [`RawCodec`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameDecoder;

impl Codec for RawCodec {
    type Encode = SubscribeRequest;
    type Decode = Bytes;
    type Encoder = RequestEncoder;
    type Decoder = FrameDecoder;

    fn encoder(&mut self) -> Self::Encoder {
        RequestEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        FrameDecoder
    }
}

impl Encoder for RequestEncoder {
    type Item = SubscribeRequest;
    type Error = Status;

    fn encode(&mut self, item: Self::Item, buffer: &mut EncodeBuf<'_>) -> Result<(), Self::Error> {
        item.encode(buffer).map_err(|error| Status::internal(format!("the request could not be encoded: {error}")))
    }
}

impl Decoder for FrameDecoder {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Self::Error> {
        // The buffer holds exactly one message, and splitting it off its `BytesMut` copies nothing.
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
