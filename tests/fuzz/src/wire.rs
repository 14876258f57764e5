//! The wire scan against the prost types of the same schema: where both read a frame, they must have read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use prost::Message;
use smart_stream_tui::chain::{
    proto::{self, subscribe_update::UpdateOneof},
    wire::{Kind, Update},
};

fuzz_target!(init: smart_stream_tui_fuzz::seed(), |frame: &[u8]| {
    let (Ok(ours), Ok(theirs)) = (Update::scan(frame), proto::SubscribeUpdate::decode(frame)) else { return };
    assert!(ours.filters.iter().eq(theirs.filters.iter().map(String::as_str)));
    match (ours.kind, theirs.update_oneof) {
        (Kind::Transaction(ours), Some(UpdateOneof::Transaction(theirs))) => {
            let info = theirs.transaction.unwrap();
            assert_eq!((ours.slot, ours.bank_id, ours.index), (theirs.slot, theirs.bank_id, info.index));
            assert_eq!((&ours.signature[..], ours.is_vote), (&info.signature[..], info.is_vote));
            let transaction = proto::confirmed_block::Transaction::decode(ours.transaction).unwrap();
            assert_eq!(Some(transaction), info.transaction);
        }
        (Kind::Account(ours), Some(UpdateOneof::Account(theirs))) => {
            let info = theirs.account.unwrap();
            assert_eq!((ours.slot, ours.lamports, ours.data), (theirs.slot, info.lamports, &info.data[..]));
        }
        (Kind::Slot(ours), Some(UpdateOneof::Slot(theirs))) => {
            assert_eq!((ours.slot, ours.parent, ours.status), (theirs.slot, theirs.parent, theirs.status));
        }
        (Kind::BlockMeta(ours), Some(UpdateOneof::BlockMeta(theirs))) => {
            assert_eq!((ours.slot, ours.parent_slot, ours.blockhash), (theirs.slot, theirs.parent_slot, &theirs.blockhash[..]));
        }
        (Kind::TransactionStatus(ours), Some(UpdateOneof::TransactionStatus(theirs))) => {
            assert_eq!((ours.slot, ours.index, ours.failed), (theirs.slot, theirs.index, theirs.err.is_some()));
        }
        (Kind::Pong(id), Some(UpdateOneof::Pong(theirs))) => assert_eq!(id, theirs.id),
        (Kind::Ping, Some(UpdateOneof::Ping(_))) | (Kind::Other, None) => {}
        (ours, theirs) => panic!("{ours:?} is not {theirs:?}"),
    }
});
