//! The wire scan is held against the prost types of the same schema.

use proptest::prelude::*;
use prost::Message;
use smart_stream_tui::chain::{
    proto::{self, subscribe_update::UpdateOneof},
    wire::{Kind, Update, WireError},
};

use crate::{data, messages, shared};

/// Where both read the frame, they must have read the same.
fn agree(frame: &[u8], scanned: &Update<'_>, update: &proto::SubscribeUpdate) {
    assert_eq!(scanned.filters.iter().collect::<Vec<_>>(), update.filters);
    let created_at = update.created_at.as_ref();
    let micros =
        |at: &prost_types::Timestamp| at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1_000);
    assert_eq!(scanned.created_at_us, created_at.map(micros));
    match (&scanned.kind, &update.update_oneof) {
        (Kind::Transaction(ours), Some(UpdateOneof::Transaction(theirs))) => {
            let info = theirs.transaction.as_ref().unwrap();
            assert_eq!((ours.slot, ours.bank_id, ours.index), (theirs.slot, theirs.bank_id, info.index));
            assert_eq!((ours.is_vote, ours.signature.as_slice()), (info.is_vote, &info.signature[..]));
            let transaction = proto::confirmed_block::Transaction::decode(ours.transaction).unwrap();
            assert_eq!(Some(transaction), info.transaction);
            let meta = proto::confirmed_block::TransactionStatusMeta::decode(ours.meta).unwrap();
            assert_eq!(Some(meta), info.meta);
        }
        (Kind::TransactionStatus(ours), Some(UpdateOneof::TransactionStatus(theirs))) => {
            assert_eq!((ours.slot, ours.index, ours.is_vote), (theirs.slot, theirs.index, theirs.is_vote));
            assert_eq!((ours.signature.as_slice(), ours.failed), (&theirs.signature[..], theirs.err.is_some()));
        }
        (Kind::Account(ours), Some(UpdateOneof::Account(theirs))) => {
            let info = theirs.account.as_ref().unwrap();
            assert_eq!(
                (ours.slot, ours.lamports, ours.write_version),
                (theirs.slot, info.lamports, info.write_version)
            );
            assert_eq!((ours.pubkey.as_slice(), ours.owner.as_slice()), (&info.pubkey[..], &info.owner[..]));
            assert_eq!(ours.data, info.data);
        }
        (Kind::Slot(ours), Some(UpdateOneof::Slot(theirs))) => {
            assert_eq!((ours.slot, ours.parent, ours.status), (theirs.slot, theirs.parent, theirs.status));
            assert_eq!(ours.dead_error, theirs.dead_error.as_deref());
        }
        (Kind::BlockMeta(ours), Some(UpdateOneof::BlockMeta(theirs))) => {
            assert_eq!((ours.slot, ours.parent_slot), (theirs.slot, theirs.parent_slot));
            assert_eq!(ours.blockhash, theirs.blockhash);
            assert_eq!(ours.block_time, theirs.block_time.as_ref().map(|time| time.timestamp));
            assert_eq!(ours.block_height, theirs.block_height.as_ref().map(|height| height.block_height));
            assert_eq!(ours.executed_transaction_count, theirs.executed_transaction_count);
        }
        (Kind::Pong(id), Some(UpdateOneof::Pong(theirs))) => assert_eq!(*id, theirs.id),
        (Kind::Ping, Some(UpdateOneof::Ping(_))) | (Kind::Other, None) => {}
        (ours, theirs) => panic!("{ours:?} is not {theirs:?} in {frame:?}"),
    }
}

fn all_agree(frames: &[bytes::Bytes]) {
    for frame in frames {
        agree(frame, &Update::scan(frame).unwrap(), &proto::SubscribeUpdate::decode(&frame[..]).unwrap());
    }
}

#[test]
fn every_published_message_scans_as_prost_reads_it() {
    let frames = messages(&data("published.pb.zst"));
    assert_eq!(frames.len(), 58);
    all_agree(&frames);
}

#[test]
fn every_other_recorded_message_scans_as_prost_reads_it() {
    for name in [
        "published-accounts.pb.zst",
        "reference.pb.zst",
        "reference-accounts.pb.zst",
        "reference-block-285000037.pb.zst",
        "reference-slots-398202740.pb.zst",
    ] {
        if let Some(path) = shared(name) {
            let frames = messages(&path);
            assert!(!frames.is_empty());
            all_agree(&frames);
            eprintln!("{name}: {} messages agree", frames.len());
        }
    }
}

#[test]
fn repeated_parts_merge_as_protobuf_says() {
    let frame = messages(&data("published.pb.zst")).swap_remove(0);
    let stamp = |seconds, nanos| proto::SubscribeUpdate {
        created_at: Some(prost_types::Timestamp { seconds, nanos }),
        ..Default::default()
    };
    let twice = [&frame[..], &stamp(5, 2_000).encode_to_vec(), &stamp(7, 0).encode_to_vec()].concat();
    let scanned = Update::scan(&twice).unwrap();
    assert_eq!(scanned.created_at_us, Some(7_000_002), "later seconds win, nanos that are not written again stay");
    agree(&twice, &scanned, &proto::SubscribeUpdate::decode(&twice[..]).unwrap());
}

#[test]
fn halves_of_a_message_merge_and_another_kind_replaces_it() {
    let bytes = |byte, length| bytes::Bytes::from(vec![byte; length]);
    let account = |account, slot| {
        UpdateOneof::Account(proto::SubscribeUpdateAccount { account: Some(account), slot, is_startup: false })
    };
    let info = proto::SubscribeUpdateAccountInfo { pubkey: bytes(1, 32), owner: bytes(2, 32), ..Default::default() };
    let rest =
        proto::SubscribeUpdateAccountInfo { lamports: 3, data: bytes(4, 9), write_version: 5, ..Default::default() };
    let slot = proto::SubscribeUpdateSlot { slot: 1, parent: Some(2), ..Default::default() };
    let dead = proto::SubscribeUpdateSlot { status: 6, dead_error: Some("fork".into()), ..Default::default() };
    let meta = proto::SubscribeUpdateBlockMeta {
        slot: 1,
        blockhash: "hash".into(),
        block_time: Some(proto::confirmed_block::UnixTimestamp { timestamp: 7 }),
        ..Default::default()
    };
    let count = proto::SubscribeUpdateBlockMeta {
        executed_transaction_count: 5,
        block_time: Some(proto::confirmed_block::UnixTimestamp::default()),
        ..Default::default()
    };
    let status =
        proto::SubscribeUpdateTransactionStatus { slot: 1, signature: bytes(3, 64), index: 4, ..Default::default() };
    let failed = proto::SubscribeUpdateTransactionStatus {
        err: Some(proto::confirmed_block::TransactionError::default()),
        is_vote: true,
        ..Default::default()
    };
    let pairs = [
        (account(info, 0), account(rest, 8)),
        (UpdateOneof::Slot(slot.clone()), UpdateOneof::Slot(dead)),
        (UpdateOneof::BlockMeta(meta), UpdateOneof::BlockMeta(count)),
        (UpdateOneof::TransactionStatus(status), UpdateOneof::TransactionStatus(failed)),
        (
            UpdateOneof::Pong(proto::SubscribeUpdatePong { id: 4 }),
            UpdateOneof::Pong(proto::SubscribeUpdatePong { id: 0 }),
        ),
        (UpdateOneof::Slot(slot), UpdateOneof::Ping(proto::SubscribeUpdatePing {})),
    ];
    for (first, second) in pairs {
        let encode = |kind| proto::SubscribeUpdate { update_oneof: Some(kind), ..Default::default() }.encode_to_vec();
        let both = [encode(first), encode(second)].concat();
        agree(&both, &Update::scan(&both).unwrap(), &proto::SubscribeUpdate::decode(&both[..]).unwrap());
    }
}

#[test]
fn varints_hold_64_bits() {
    // Field 12, which nobody knows, as a varint: ten bytes, the last of which has room for one bit.
    let frame = |last: &[u8]| [&[0x60], &[0xff; 9][..], last].concat();
    assert!(Update::scan(&frame(&[0x01])).is_ok());
    assert_eq!(Update::scan(&frame(&[0x02])).unwrap_err(), WireError::Varint);
    assert_eq!(Update::scan(&frame(&[0x81, 0x00])).unwrap_err(), WireError::Varint);
    assert_eq!(Update::scan(&frame(&[])).unwrap_err(), WireError::Truncated);
}

#[test]
fn impossible_content_is_refused() {
    let update = |signature: Vec<u8>| {
        let status = proto::SubscribeUpdateTransactionStatus { signature: signature.into(), ..Default::default() };
        let update_oneof = Some(UpdateOneof::TransactionStatus(status));
        proto::SubscribeUpdate { update_oneof, ..Default::default() }.encode_to_vec()
    };
    assert!(Update::scan(&update(vec![1; 64])).is_ok());
    for length in [0, 63, 65] {
        assert!(Update::scan(&update(vec![1; length])).is_err(), "{length}");
    }
    assert!(Update::scan(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).is_err());
    assert!(
        Update::scan(&[0x0a]).is_err() && Update::scan(&[0x0a, 1, 0xff]).is_err() && Update::scan(&[0x20, 1]).is_err()
    );
}

/// Small messages of every kind: mutations hit their structure, not long data.
fn small_frames() -> Vec<Vec<u8>> {
    let key = |byte| bytes::Bytes::from(vec![byte; 32]);
    let kinds = [
        UpdateOneof::Slot(proto::SubscribeUpdateSlot {
            slot: 300,
            parent: Some(299),
            status: 6,
            dead_error: Some("x".into()),
        }),
        UpdateOneof::Account(proto::SubscribeUpdateAccount {
            account: Some(proto::SubscribeUpdateAccountInfo {
                pubkey: key(1),
                lamports: 1 << 40,
                owner: key(2),
                data: vec![1, 2, 3].into(),
                write_version: 9,
                txn_signature: Some(vec![4; 64].into()),
            }),
            slot: 7,
            is_startup: true,
        }),
        UpdateOneof::BlockMeta(proto::SubscribeUpdateBlockMeta {
            slot: 7,
            blockhash: "hash".into(),
            block_time: Some(proto::confirmed_block::UnixTimestamp { timestamp: -5 }),
            block_height: Some(proto::confirmed_block::BlockHeight { block_height: 3 }),
            executed_transaction_count: 1000,
            ..Default::default()
        }),
        UpdateOneof::TransactionStatus(proto::SubscribeUpdateTransactionStatus {
            slot: 1,
            signature: vec![5; 64].into(),
            index: 2,
            err: Some(proto::confirmed_block::TransactionError { err: vec![1].into() }),
            ..Default::default()
        }),
        UpdateOneof::Pong(proto::SubscribeUpdatePong { id: -3 }),
        UpdateOneof::Ping(proto::SubscribeUpdatePing {}),
    ];
    let update = |kind| proto::SubscribeUpdate {
        filters: vec!["bonding_curve".into(), "amm_pool".into()],
        update_oneof: Some(kind),
        created_at: Some(prost_types::Timestamp { seconds: 1_792_445_838, nanos: 123_456_789 }),
    };
    kinds.map(|kind| update(kind).encode_to_vec()).into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn broken_frames_never_panic_and_never_disagree(
        which in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut frames = small_frames();
        frames.push(messages_once()[0].to_vec());
        let mut frame = frames[which.index(frames.len())].clone();
        frame.extend_from_slice(&frames[other.index(frames.len())]);
        frame.truncate(cut.index(frame.len() + 1));
        for (place, byte) in changes {
            if !frame.is_empty() {
                let place = place.index(frame.len());
                frame[place] = byte;
            }
        }
        if let (Ok(scanned), Ok(update)) = (Update::scan(&frame), proto::SubscribeUpdate::decode(&frame[..])) {
            agree(&frame, &scanned, &update);
        }
    }
}

fn messages_once() -> &'static [bytes::Bytes] {
    static MESSAGES: std::sync::OnceLock<Vec<bytes::Bytes>> = std::sync::OnceLock::new();
    MESSAGES.get_or_init(|| messages(&data("published.pb.zst")))
}
