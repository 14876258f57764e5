//! Finding things: actions in the palette, keys in the help, rows in a pane, themes in the picker.

use smart_stream_tui::ui::{
    color::Depth,
    keys::{Key, Keymap},
    model::{Overlay, Pane, Tab},
    theme::{Theme, ThemeSource},
    update::Effect,
};

use super::{fixture, frame, lines, model, press, sorted};

fn typed(text: &str) -> Vec<Key> {
    text.chars().map(Key::Char).collect()
}

fn dark() -> Theme {
    Theme::built_in("dark", Depth::True).unwrap()
}

#[test]
fn the_palette_does_what_it_shows() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char(':')]);
    press(&mut model, &typed("frz"));
    let screen = lines(&frame(&mut model, (120, 40), &dark())).join("\n");
    assert!(screen.contains(":frz") && screen.contains("freeze the display"), "{screen}");
    press(&mut model, &[Key::Enter]);
    assert!(model.frozen && model.overlay.is_none());

    press(&mut model, &[Key::Char('3'), Key::Char(':')]);
    press(&mut model, &typed("sort mcap"));
    press(&mut model, &[Key::Enter]);
    assert_eq!(sorted(&model, Pane::Tokens), Some("mcap SOL"));

    press(&mut model, &[Key::Char(':')]);
    press(&mut model, &typed("theme light"));
    press(&mut model, &[Key::Enter]);
    assert_eq!(model.themes.name(model.theme), "light");

    press(&mut model, &[Key::Char(':')]);
    press(&mut model, &typed("filter giga"));
    press(&mut model, &[Key::Enter]);
    frame(&mut model, (120, 40), &dark());
    assert!(!model.typing && model.filter.typed().text() == "giga");
    assert!(!model.order.is_empty() && model.order.len() < model.view.tokens.len());

    press(&mut model, &[Key::Char(':')]);
    press(&mut model, &typed("quit"));
    assert_eq!(press(&mut model, &[Key::Enter]), [Effect::Quit]);
}

#[test]
fn an_argument_names_the_connection() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char(':')]);
    press(&mut model, &typed("reconnect 1"));
    let effects = press(&mut model, &[Key::Enter]);
    assert!(matches!(effects[..], [Effect::Command(smart_stream_tui::engine::Command::Reconnect { connection: 1 })]));
}

fn told(model: &mut smart_stream_tui::ui::model::Model, text: &str) -> Vec<Effect> {
    press(model, &[Key::Char(':')]);
    press(model, &typed(text));
    press(model, &[Key::Enter])
}

#[test]
fn what_follows_a_name_is_understood() {
    use smart_stream_tui::{chain::group::Group, engine::Command, stream::status::Throttle};
    let mut model = model(fixture::view());
    told(&mut model, "tab 4");
    assert_eq!(model.tab, Tab::Trades);
    let effects = told(&mut model, "throttle 1 high-only");
    assert_eq!(effects, [Effect::Command(Command::Throttle { connection: 1, level: Throttle::HighOnly })]);
    let mut model = super::model(fixture::view());
    let effects = told(&mut model, "move group bonding_curve 2");
    assert_eq!(effects, [Effect::Command(Command::MoveGroup { group: Group::BondingCurve, to: 2 })]);
    assert_eq!(told(&mut model, "screenshot ~/a b.svg"), [Effect::Screenshot(Some("~/a b.svg".into()))]);
    assert_eq!(told(&mut model, "tab 9"), []);
    assert!(model.notice.as_ref().unwrap().bad);
}

#[test]
fn the_filtered_tokens_are_asked_for_alone_and_escape_asks_for_everything_again() {
    use smart_stream_tui::engine::Command;
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char('3'), Key::Char('F')]);
    assert!(model.overlay.is_none() && model.notice.as_ref().unwrap().text.contains("filter tokens first"));
    let mint = model.view.tokens[5].mint;
    press(&mut model, &[Key::Char('f')]);
    press(&mut model, &typed(&format!("mint:{mint}")));
    press(&mut model, &[Key::Enter, Key::Char('F')]);
    let screen = lines(&frame(&mut model, (120, 40), &dark())).join("\n");
    assert!(screen.contains("Narrow the subscription to") && screen.contains(&mint.to_string()), "{screen}");
    assert!(screen.contains("Permits     2"), "{screen}");
    assert_eq!(press(&mut model, &[Key::Enter]), [Effect::Command(Command::Narrow { mints: vec![mint] })]);
    // It is in force: the screen says so, and a cleared filter asks what shall be.
    let view = smart_stream_tui::engine::View { narrowed_to: [mint].into(), ..fixture::view() };
    let mut model = super::model(view);
    let header = lines(&frame(&mut model, (120, 40), &dark()))[0].clone();
    assert!(header.contains("only 1 token"), "{header}");
    told(&mut model, "filter giga");
    press(&mut model, &[Key::Esc]);
    assert!(model.filter.is_empty());
    let screen = lines(&frame(&mut model, (120, 40), &dark())).join("\n");
    assert!(screen.contains("Ask for everything again"), "{screen}");
    assert_eq!(press(&mut model, &[Key::Enter]), [Effect::Command(Command::Narrow { mints: vec![] })]);
    assert_eq!(press(&mut model, &[Key::Char('F'), Key::Esc]), [], "left as it is");
}

#[test]
fn a_path_is_typed_behind_the_export_key() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char('E')]);
    let screen = lines(&frame(&mut model, (120, 40), &dark())).join("\n");
    assert!(screen.contains(":export") && screen.contains("export PATH"), "{screen}");
    press(&mut model, &typed("/tmp/x.json"));
    assert_eq!(press(&mut model, &[Key::Enter]), [Effect::Export(Some("/tmp/x.json".into()))]);
}

#[test]
fn keys_of_a_chord_are_shown_until_it_is_whole() {
    let mut model = model(fixture::view());
    model.keys = Keymap::load("top = \"g g\"\nbottom = \"g e\"", "keys.toml").unwrap();
    press(&mut model, &[Key::Char('3'), Key::Char('j'), Key::Char('j'), Key::Char('g')]);
    assert_eq!(model.notice.as_ref().unwrap().text, "g …  g top  e bottom");
    press(&mut model, &[Key::Char('g')]);
    assert_eq!(model.token_row, 0);
    press(&mut model, &[Key::Char('g'), Key::Esc]);
    assert!(model.pressed.is_empty() && model.notice.is_none());
    press(&mut model, &[Key::Char('g'), Key::Char('j')]);
    assert_eq!(model.token_row, 1, "what does not belong to it means what it means by itself");
}

#[test]
fn escape_leaves_the_palette_without_doing_anything() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char(':')]);
    press(&mut model, &typed("quit"));
    assert_eq!(press(&mut model, &[Key::Down, Key::Up, Key::Esc]), []);
    assert!(model.overlay.is_none());
}

#[test]
fn the_help_shows_only_what_is_searched_for() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char('?'), Key::Char('/')]);
    press(&mut model, &typed("rebal"));
    let screen = lines(&frame(&mut model, (120, 40), &dark())).join("\n");
    assert!(screen.contains("show the rebalancing plan") && !screen.contains("next pane"), "{screen}");
    press(&mut model, &[Key::Esc]);
    let screen = lines(&frame(&mut model, (120, 40), &dark())).join("\n");
    assert!(screen.contains("next pane"));
    press(&mut model, &[Key::Esc]);
    assert!(model.overlay.is_none());
}

#[test]
fn a_search_selects_rows_and_walks_in_a_round() {
    for tab in [Tab::Tokens, Tab::Trades] {
        let mut model = model(fixture::view());
        model.tab = tab;
        press(&mut model, &[Key::Char('/')]);
        press(&mut model, &typed("goat"));
        press(&mut model, &[Key::Enter]);
        let symbol = |model: &smart_stream_tui::ui::model::Model| match tab {
            Tab::Tokens => model.token_at(model.token_row).unwrap().symbol.to_string(),
            _ => model.view.trades.entries[model.tape[model.trade_row().unwrap()] as usize].symbol.to_string(),
        };
        assert_eq!(symbol(&model), "GOAT");
        let first = (model.token, model.trade);
        let mut rounds = 0;
        loop {
            press(&mut model, &[Key::Char('n')]);
            assert_eq!(symbol(&model), "GOAT");
            rounds += 1;
            if (model.token, model.trade) == first {
                break;
            }
            assert!(rounds < 200);
        }
        assert!(rounds > 1, "there are several");
        press(&mut model, &[Key::Char('n'), Key::Char('N')]);
        assert_eq!((model.token, model.trade), first);
    }
}

#[test]
fn what_is_not_there_is_said() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char('3'), Key::Char('/')]);
    press(&mut model, &typed("nothinglikethis"));
    assert!(model.notice.as_ref().unwrap().bad);
    press(&mut model, &[Key::Esc]);
    assert!(model.search.is_empty() && model.notice.is_none());
}

#[test]
fn themes_are_tried_on_and_taken_back() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char('c'), Key::Char('j'), Key::Char('j')]);
    assert_eq!(model.theme, 2);
    press(&mut model, &[Key::Esc]);
    assert_eq!((model.theme, model.overlay.is_none()), (0, true));
    press(&mut model, &[Key::Char('c'), Key::Char('j'), Key::Enter]);
    assert_eq!((model.theme, model.overlay.is_none()), (1, true));
    press(&mut model, &[Key::Char('c')]);
    assert!(matches!(model.overlay, Some(Overlay::Themes { before: 1 })));
    let screen = lines(&frame(&mut model, (100, 30), &dark())).join("\n");
    for name in model.themes.names() {
        assert!(screen.contains(name), "{name}");
    }
}

#[test]
fn themes_of_the_user_are_offered_and_bad_ones_are_not() {
    let mut source = ThemeSource::default();
    let built_in = source.names().len();
    let own = include_str!("../../themes/dark.toml").replace("#58a6ff", "#ff00ff");
    source.add("mine", &own).unwrap();
    assert!(source.add("broken", "text = 3").is_err());
    source.add("dark", &own).unwrap();
    assert_eq!(source.names().len(), built_in + 1);
    assert_eq!(source.name(built_in), "mine");
    let mine = source.get("mine", Depth::True).unwrap();
    assert_eq!(mine.accent, source.get("dark", Depth::True).unwrap().accent);
    assert_ne!(mine.accent, dark().accent);
}

#[test]
fn a_key_file_changes_keys_footer_and_help() {
    let mut model = model(fixture::view());
    model.keys = Keymap::load("freeze = \"F9\"\nquit = \"x\"", "keys.toml").unwrap();
    press(&mut model, &[Key::Char(' ')]);
    assert!(!model.frozen);
    press(&mut model, &[Key::F(9)]);
    assert!(model.frozen);
    let screen = lines(&frame(&mut model, (200, 60), &dark()));
    assert!(screen.last().unwrap().contains("F9 freeze") && screen.last().unwrap().contains("x quit"));
    press(&mut model, &[Key::Char('?')]);
    let screen = lines(&frame(&mut model, (200, 90), &dark())).join("\n");
    assert!(screen.contains("F9 "), "{screen}");
}
