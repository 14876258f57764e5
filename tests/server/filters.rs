//! Which updates a request selects.

use std::{collections::HashMap, time::Duration};

use futures_util::SinkExt;
use smart_stream_tui::simulator::{
    feed::{SlotItem, SlotItemKind},
    server::{FilterLimits, ServerSettings},
};
use tonic::Code;
use yellowstone_grpc_proto::{cuckoo::CompressedAccountFilterSet, geyser::subscribe_update::UpdateOneof, prelude::*};

use crate::stage::{
    Stage, account, failure, including, key, one, plain, settings, signature, slot_of, transaction, update, word, words,
};

#[tokio::test]
async fn two_filters_give_one_update_with_both_names_and_the_status_comes_apart() {
    let stage = Stage::new().await;
    let mut transactions = including("a", &[key(1)]);
    transactions.extend(including("b", &[key(9)])); // loaded from a table
    transactions.extend(including("c", &[key(2)]));
    let request = SubscribeRequest { transactions, transactions_status: one("audit"), ..Default::default() };
    let (_sink, mut stream) = stage.subscribe(request).await;
    stage.play(slot_of(100, vec![transaction(100, 1, &[1, 9])])).await;
    let first = update(&mut stream).await;
    assert_eq!((word(&first).as_str(), first.filters), ("t100.0", vec!["a".to_owned(), "b".to_owned()]));
    let second = update(&mut stream).await;
    assert_eq!((word(&second).as_str(), second.filters), ("x100.0", vec!["audit".to_owned()]));
}

#[tokio::test]
async fn include_exclude_and_required_hold_together() {
    let stage = Stage::new().await;
    let filter = SubscribeRequestFilterTransactions {
        vote: Some(false),
        failed: Some(false),
        account_include: vec![key(1).to_string(), key(2).to_string()],
        account_exclude: vec![key(3).to_string()],
        account_required: vec![key(8).to_string(), key(9).to_string()],
        ..Default::default()
    };
    let transactions = HashMap::from([("f".to_owned(), filter)]);
    let (_sink, mut stream) = stage.subscribe(SubscribeRequest { transactions, ..Default::default() }).await;
    let keys: [&[u8]; 5] = [&[1, 8, 9], &[1, 9], &[1, 3, 8, 9], &[8, 9], &[2, 7, 9, 8]];
    let kinds = (0..).zip(keys).map(|(index, keys)| transaction(100, index, keys)).collect();
    stage.play(slot_of(100, kinds)).await;
    assert_eq!(words(&mut stream, 2).await, "t100.0 t100.4");
}

#[tokio::test]
async fn a_bad_filter_ends_the_stream_with_the_real_text() {
    use subscribe_request_filter_accounts_filter::Filter;
    use subscribe_request_filter_accounts_filter_memcmp::Data;
    let limits = FilterLimits { filters: 32, keys: 2_000, any: false, name_bytes: 128, rejected: vec![key(77)] };
    let stage = Stage::with(ServerSettings { filter_limits: limits, ..settings() }).await;
    let named =
        |count: usize| (0..count).map(|name| (name.to_string(), SubscribeRequestFilterSlots::default())).collect();
    let slice = |offset, length| SubscribeRequestAccountsDataSlice { offset, length };
    let of = |filter| SubscribeRequestFilterAccountsFilter { filter };
    let condition = || of(Some(Filter::Datasize(1)));
    let memcmp = |data| of(Some(Filter::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp { offset: 0, data })));
    let on_account = |filters| {
        let account = vec![key(1).to_string()];
        let filter = SubscribeRequestFilterAccounts { account, filters, ..Default::default() };
        SubscribeRequest { accounts: HashMap::from([("a".to_owned(), filter)]), ..SubscribeRequest::default() }
    };
    let include = |keys: Vec<String>| {
        let filter = SubscribeRequestFilterTransactions { account_include: keys, ..Default::default() };
        SubscribeRequest { transactions: HashMap::from([("t".to_owned(), filter)]), ..Default::default() }
    };
    let conditions = vec![condition(), condition(), condition(), condition(), condition()];
    let signature_only = SubscribeRequestFilterTransactions {
        signature: Some(solana_sdk::signature::Signature::default().to_string()),
        ..Default::default()
    };
    let default = SubscribeRequest::default;
    let cases = [
        (include(vec!["0OIl".repeat(8)]), "Invalid Base58 string"),
        (include(vec!["11".to_owned()]), "String is the wrong size"),
        (
            SubscribeRequest { slots: named(33), ..default() },
            "Max amount of filters/data_slices reached, only 32 allowed",
        ),
        (include(vec![key(1).to_string(); 2_001]), "Max amount of Pubkeys reached, only 2000 allowed"),
        (include(Vec::new()), "Subscribe on full stream with `any` is not allowed, at least one filter required"),
        (
            SubscribeRequest { transactions: HashMap::from([("t".to_owned(), signature_only)]), ..default() },
            "Subscribe on full stream with `any` is not allowed, at least one filter required",
        ),
        (
            SubscribeRequest { slots: one(&"n".repeat(200)), ..default() },
            "oversized filter name (max allowed size 128), found 200",
        ),
        (SubscribeRequest { commitment: Some(7), ..default() }, "failed to create CommitmentLevel from 7"),
        (
            SubscribeRequest { accounts_data_slice: vec![slice(8, 8), slice(0, 4)], ..default() },
            "data slices out of order",
        ),
        (
            SubscribeRequest { accounts_data_slice: vec![slice(0, 8), slice(4, 8)], ..default() },
            "data slices overlapped",
        ),
        (on_account(conditions), "Too many filters provided; max 4"),
        (
            include(vec![key(1).to_string(), key(77).to_string()]),
            "Pubkey 6Ckm2BrnXxsSjyG5b17kQQRjoECVrts92RKXVGT8XeqS in filters is not allowed",
        ),
        (on_account(vec![condition(), condition()]), "datasize used more than once"),
        (on_account(vec![of(Some(Filter::TokenAccountState(false)))]), "token_account_state only allowed to be true"),
        (on_account(vec![of(None)]), "filter should be defined"),
        (
            on_account(vec![of(Some(Filter::Lamports(SubscribeRequestFilterAccountsFilterLamports::default())))]),
            "cmp for lamports should be defined",
        ),
        (on_account(vec![memcmp(None)]), "data for memcmp should be defined"),
        (on_account(vec![memcmp(Some(Data::Base58("0".to_owned())))]), "invalid base58"),
        (on_account(vec![memcmp(Some(Data::Base64("!".to_owned())))]), "invalid base64"),
        (on_account(vec![memcmp(Some(Data::Bytes(vec![0; 129])))]), "data too large"),
        (on_account(vec![memcmp(Some(Data::Base58("1".repeat(176))))]), "data too large"),
    ];
    for (request, text) in cases {
        // As the first request, and as an update of a live stream.
        let (mut sink, mut live) = stage
            .client()
            .await
            .subscribe_with_request(Some(SubscribeRequest { slots: one("s"), ..default() }))
            .await
            .unwrap();
        let (_sink, mut fresh) = stage.client().await.subscribe_with_request(Some(request.clone())).await.unwrap();
        sink.send(request).await.unwrap();
        let expected = (Code::InvalidArgument, format!("failed to create filter: {text}"));
        assert_eq!(failure(&mut fresh).await, expected);
        assert_eq!(failure(&mut live).await, expected);
    }
}

#[tokio::test]
async fn accounts_by_condition_with_slices() {
    use subscribe_request_filter_accounts_filter::Filter;
    use subscribe_request_filter_accounts_filter_memcmp::Data;
    let stage = Stage::new().await;
    let memcmp = |data| Filter::Memcmp(SubscribeRequestFilterAccountsFilterMemcmp { offset: 2, data: Some(data) });
    let named = |name: &str, filter| {
        let filters = vec![SubscribeRequestFilterAccountsFilter { filter: Some(filter) }];
        (name.to_owned(), SubscribeRequestFilterAccounts { filters, ..Default::default() })
    };
    let lamports = SubscribeRequestFilterAccountsFilterLamports {
        cmp: Some(subscribe_request_filter_accounts_filter_lamports::Cmp::Gt(4)),
    };
    let mut accounts = HashMap::from([
        named("bytes", memcmp(Data::Bytes(b"foo".to_vec()))),
        named("base58", memcmp(Data::Base58("bQbp".to_owned()))),
        named("base64", memcmp(Data::Base64("Zm9v".to_owned()))),
        named("size", Filter::Datasize(5)),
        named("rich", Filter::Lamports(lamports)),
        named("token", Filter::TokenAccountState(true)),
    ]);
    let owner = vec![key(200).to_string()];
    accounts.insert("owner".to_owned(), SubscribeRequestFilterAccounts { owner, ..Default::default() });
    let key_five = vec![key(5).to_string()];
    accounts.insert("five".to_owned(), SubscribeRequestFilterAccounts { account: key_five, ..Default::default() });
    let accounts_data_slice = vec![
        SubscribeRequestAccountsDataSlice { offset: 0, length: 1 },
        SubscribeRequestAccountsDataSlice { offset: 3, length: 100 },
    ];
    let (_sink, mut stream) =
        stage.subscribe(SubscribeRequest { accounts, accounts_data_slice, ..Default::default() }).await;
    let mut token = vec![0; 165];
    token[108] = 1;
    stage.play(slot_of(100, vec![account(4, b"abfoo"), account(5, b"xyzw"), account(3, &token)])).await;
    let mut got = Vec::new();
    for _ in 0..3 {
        let update = update(&mut stream).await;
        let Some(UpdateOneof::Account(account)) = update.update_oneof else { panic!("an account") };
        got.push((update.filters.join(" "), account.account.unwrap().data));
    }
    assert_eq!(got[0], ("base58 base64 bytes owner size".to_owned(), b"aoo".to_vec()));
    assert_eq!(got[1], ("five owner rich".to_owned(), b"xw".to_vec()));
    assert_eq!((got[2].0.as_str(), got[2].1.len()), ("owner token", 101));
}

#[tokio::test]
async fn votes_failures_and_signatures_are_told_apart() {
    let stage = Stage::new().await;
    let named = |name: &str, filter| (name.to_owned(), filter);
    let filter = SubscribeRequestFilterTransactions::default;
    let wanted = solana_sdk::signature::Signature::try_from(signature(100, 2)).unwrap();
    let transactions = HashMap::from([
        named("fine", SubscribeRequestFilterTransactions { failed: Some(false), ..filter() }),
        named("two", SubscribeRequestFilterTransactions { signature: Some(wanted.to_string()), ..filter() }),
        named("votes", SubscribeRequestFilterTransactions { vote: Some(true), ..filter() }),
        named("work", SubscribeRequestFilterTransactions { vote: Some(false), ..filter() }),
        named("wrong", SubscribeRequestFilterTransactions { failed: Some(true), ..filter() }),
    ]);
    let request = SubscribeRequest {
        transactions: transactions.clone(),
        transactions_status: transactions,
        ..Default::default()
    };
    let (_sink, mut stream) = stage.subscribe(request).await;
    let mut vote = transaction(100, 1, &[1, 9]);
    if let SlotItemKind::Transaction(info) = &mut vote {
        info.is_vote = true;
    }
    let mut failed = transaction(100, 2, &[1, 9]);
    if let SlotItemKind::Transaction(info) = &mut failed {
        info.meta.as_mut().unwrap().err = Some(TransactionError { err: vec![0] });
    }
    stage.play(slot_of(100, vec![vote, failed])).await;
    for expected in ["fine votes", "two work wrong"] {
        for kind in ["t", "x"] {
            let update = update(&mut stream).await;
            assert!(word(&update).starts_with(kind));
            assert_eq!(update.filters.join(" "), expected);
        }
    }
}

#[tokio::test]
async fn owners_of_token_balances_match_on_request() {
    let stage = Stage::new().await;
    let with = |flag: Option<TokenAccountExpansionControlFlag>| SubscribeRequestFilterTransactions {
        account_include: vec![key(50).to_string()],
        token_accounts: flag.map(Into::into),
        ..Default::default()
    };
    let transactions = HashMap::from([
        ("keys".to_owned(), with(None)),
        ("owners".to_owned(), with(Some(TokenAccountExpansionControlFlag::All))),
        ("spent".to_owned(), with(Some(TokenAccountExpansionControlFlag::BalanceChanged))),
    ]);
    let (_sink, mut stream) = stage.subscribe(SubscribeRequest { transactions, ..Default::default() }).await;
    let balance = |amount: &str| TokenBalance {
        owner: key(50).to_string(),
        ui_token_amount: Some(UiTokenAmount { amount: amount.to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let moved = |index, before, after| {
        let mut made = transaction(100, index, &[1, 9]);
        if let SlotItemKind::Transaction(info) = &mut made {
            let meta = info.meta.as_mut().unwrap();
            (meta.pre_token_balances, meta.post_token_balances) = (vec![balance(before)], vec![balance(after)]);
        }
        made
    };
    stage.play(slot_of(100, vec![moved(1, "5", "5"), moved(2, "5", "4")])).await;
    assert_eq!(update(&mut stream).await.filters, ["owners"]);
    assert_eq!(update(&mut stream).await.filters, ["owners", "spent"]);
}

#[tokio::test]
async fn compressed_sets_of_keys_select_like_lists() {
    let stage = Stage::new().await;
    let mut set = CompressedAccountFilterSet::with_capacity(1_000).unwrap();
    set.insert(key(2)).unwrap();
    let mut request = SubscribeRequest::default();
    let (mut accounts, mut transactions) = (SubscribeRequestFilterAccounts::default(), including("t", &[key(3)]));
    let compressed = set.to_proto();
    accounts.cuckoo_accounts_filter = Some(compressed.clone());
    transactions.get_mut("t").unwrap().cuckoo_account_include = Some(compressed.clone());
    request.accounts.insert("a".to_owned(), accounts);
    request.transactions = transactions;
    let (mut sink, mut stream) = stage.subscribe(request.clone()).await;
    let mut plan = plain(100);
    plan.items.push(SlotItem { at: Duration::ZERO, kind: account(1, b"one") });
    plan.items.push(SlotItem { at: Duration::ZERO, kind: account(2, b"two") });
    stage.play(plan).await;
    stage.play(plain(101)).await;
    assert_eq!(words(&mut stream, 5).await, "t100.1 t100.2 a100 t101.1 t101.2");
    // A set that is not what it says is refused.
    let broken = CuckooFilter { bucket_count: 3, ..compressed };
    request.accounts.get_mut("a").unwrap().cuckoo_accounts_filter = Some(broken);
    sink.send(request).await.unwrap();
    let (code, text) = failure(&mut stream).await;
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(text, "failed to create filter: cuckoo filter: not as many buckets as it says");
}
