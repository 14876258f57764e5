//! The user's own groups, from the configuration file.

use smart_stream_tui::{
    chain::{
        group::{Group, Priority},
        program::Program,
    },
    config::Source,
};

use super::Case;

const KEY: &str = "So11111111111111111111111111111111111111112";

#[test]
fn own_groups_come_from_the_file_with_all_they_say() {
    let listed: Vec<String> =
        (0..3_u8).map(|byte| solana_sdk::pubkey::Pubkey::new_from_array([byte; 32]).to_string()).collect();
    let case = Case::new().file(&format!(
        "[[group]]\nname = \"orca\"\nprograms = [\"orca_whirlpool\", \"{KEY}\"]\n\
         [[group]]\nname = \"many\"\npriority = \"high\"\naccounts_file = \"many.txt\"\n\
         account_required = [\"{KEY}\"]\nfailed = false\n\n[groups]\nexternal_amm = false\n"
    ));
    case.write("smart-stream-tui/many.txt", &format!("# three\n\n{}\n", listed.join("\n")), 0o600);
    let config = case.ok();
    let rules = config.rules();
    let [orca, many] = ["orca", "many"].map(|name| rules.named(name).unwrap());
    let streams = config.streams(Source::Demo, Case::new().endpoint("http://127.0.0.1:9").ok().endpoints().remove(0));
    assert_eq!(streams.groups, [Group::BondingCurve, Group::AmmPool, orca, many]);
    assert_eq!((orca.priority(), many.priority()), (Priority::Low, Priority::High));
    let rule = rules.rule(orca).unwrap();
    let mut expected = vec![*Program::OrcaWhirlpool.id(), KEY.parse().unwrap()];
    expected.sort_unstable();
    assert_eq!((&rule.include, rule.required.len(), rule.failed), (&expected, 0, true));
    let rule = rules.rule(many).unwrap();
    assert_eq!((rule.include.len(), rule.required.len(), rule.failed), (3, 1, false));
    let shown = config.show();
    assert!(shown.contains("name = \"orca\"\npriority = \"low\"\n"), "{shown}");
    assert!(shown.contains("config.toml:2") && shown.contains("many.txt (3 addresses)"), "{shown}");
}

#[test]
fn a_group_that_cannot_be_is_named_with_line_and_mend() {
    let group = |lines: &str| Case::new().file(&format!("[ui]\nfps = 30\n[[group]]\n{lines}"));
    group("priority = \"low\"\n").refused(&["group.name = nothing", "config.toml:4", "write name ="]);
    group("name = \"all\"\n").refused(&[
        "group.name = \"all\"",
        "config.toml:4",
        "everything on the chain",
        "add programs",
    ]);
    group("name = \"amm_pool\"\nprograms = [\"pump\"]\n").refused(&[
        "config.toml:4",
        "another group",
        "choose another",
    ]);
    group("programs = [\"pump\"]\nname = \"\\u001b]0;x\\u202e\"\n").refused(&["config.toml:5", "lower-case letters"]);
    group("name = \"x\"\nprograms = [\"pamp\"]\n").refused(&[
        "group.programs = \"pamp\"",
        ":5",
        "no address",
        "\"pump_swap\"",
    ]);
    group("name = \"x\"\naccounts = \"pump\"\n").refused(&["group.accounts", ":5", "not a list"]);
    group("name = \"x\"\naccount_required = [\"pump\"]\n").refused(&["group.account_required", ":5", "base58"]);
    group("name = \"x\"\npriority = \"urgent\"\n").refused(&[
        "group.priority = \"urgent\"",
        ":5",
        "\"high\", \"medium\"",
    ]);
    group("name = \"x\"\nfailed = 1\n").refused(&["group.failed = 1", ":5", "true or false"]);
    group("name = \"x\"\nwallets = []\n").refused(&["unknown key `group.wallets`", ":5", "account_required"]);
    group("name = \"x\"\naccounts_file = \"gone.txt\"\n").refused(&[
        "group.accounts_file",
        "gone.txt",
        ":5",
        "on each line",
    ]);
    let six: Vec<String> = (0..6).map(|n| format!("[[group]]\nname = \"g{n}\"\nprograms = [\"pump\"]\n")).collect();
    let six = six.concat();
    Case::new().file(&six).refused(&["group.name = \"g5\"", "config.toml:17", "more than 5"]);
    let bad = group("name = \"x\"\naccounts_file = \"list.txt\"\n");
    bad.write("smart-stream-tui/list.txt", &format!("{KEY}\nnot one\n"), 0o600);
    bad.refused(&["group.accounts_file", "line 2 is no address"]);
}
