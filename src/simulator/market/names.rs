//! Names of tokens: what people choose, and now and then what somebody chooses who wants to break a screen.

use fastrand::Rng;

/// Longest name in bytes that the program accepts.
const MAX_NAME: usize = 32;
/// Longest symbol in bytes that the program accepts.
const MAX_SYMBOL: usize = 13;
/// One name in so many is hostile.
const HOSTILE_EVERY: u32 = 40;
/// `create_v2` fails when name, symbol and uri are of exactly so many bytes together (seen when executing the program).
const FORBIDDEN_SUM: usize = 37;

const FIRST: [&str; 48] = [
    "Baby",
    "Based",
    "Turbo",
    "Moon",
    "Sad",
    "Happy",
    "Lazy",
    "Tiny",
    "Giga",
    "Mega",
    "Super",
    "Cosmic",
    "Golden",
    "Angry",
    "Sleepy",
    "Electric",
    "Frozen",
    "Hungry",
    "Secret",
    "Silent",
    "Quantum",
    "Pixel",
    "Wild",
    "Magic",
    "Neon",
    "Royal",
    "Salty",
    "Spicy",
    "Sunny",
    "Velvet",
    "Wise",
    "Zen",
    "Captain",
    "Doctor",
    "Major",
    "Uncle",
    "Grandma",
    "President",
    "Mr",
    "King",
    "Queen",
    "Dark",
    "Crypto",
    "Degen",
    "Rocket",
    "Diamond",
    "Paper",
    "Just a",
];
const SECOND: [&str; 64] = [
    "Dog",
    "Cat",
    "Frog",
    "Penguin",
    "Whale",
    "Hamster",
    "Goat",
    "Duck",
    "Owl",
    "Bear",
    "Bull",
    "Monkey",
    "Otter",
    "Panda",
    "Fox",
    "Wolf",
    "Llama",
    "Capybara",
    "Axolotl",
    "Beaver",
    "Squirrel",
    "Raccoon",
    "Pigeon",
    "Snail",
    "Shrimp",
    "Lobster",
    "Octopus",
    "Shark",
    "Dolphin",
    "Unicorn",
    "Dragon",
    "Goblin",
    "Wizard",
    "Knight",
    "Pirate",
    "Ninja",
    "Robot",
    "Alien",
    "Astronaut",
    "Banana",
    "Burger",
    "Taco",
    "Noodle",
    "Pickle",
    "Potato",
    "Waffle",
    "Donut",
    "Coffee",
    "Cheese",
    "Muffin",
    "Sock",
    "Hat",
    "Chair",
    "Toaster",
    "Spoon",
    "Umbrella",
    "Cloud",
    "Comet",
    "Volcano",
    "River",
    "Forest",
    "Internet",
    "Spreadsheet",
    "Meeting",
];
const TAILS: [&str; 12] = ["", "", "", "", "", "", " Coin", " Inu", " 2.0", " on Solana", " Club", " \u{1f680}"];

/// Names that must not reach a terminal as they are. All are valid UTF-8: the program refuses others.
const HOSTILE: [(&str, &str); 14] = [
    ("\u{1b}[2J\u{1b}[H", "CLEAR"),
    ("\u{1b}]0;pwned\u{7}", "\u{1b}[31mRED"),
    ("\u{202e}evil", "\u{202e}KCAB"),
    ("a\u{200b}b\u{200d}c\u{feff}", "Z\u{200b}W"),
    ("\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{1F468}\u{200D}\u{1F469}"),
    ("z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30a}", "Z\u{300}\u{301}\u{302}"),
    ("", ""),
    ("        ", "   "),
    ("=HYPERLINK(\"http://e.example\")", "=1+1"),
    ("ok\r\nERROR fake log line", "A\r\nB"),
    ("tab\tand\u{b}vertical\u{9b}31m", "\t\t"),
    ("\u{ff37}\u{ff49}\u{ff44}\u{ff45} \u{540d}\u{524d}", "\u{ff37}\u{ff49}"),
    ("\u{2066}isolate\u{2069}\u{2028}line", "P\u{2029}S"),
    ("NULL\u{0}byte", "\u{0}"),
];

/// How a token calls itself.
pub(super) struct Names {
    pub(super) name: String,
    pub(super) symbol: String,
    pub(super) uri: String,
}

impl Names {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let (name, symbol) = if rng.u32(0..HOSTILE_EVERY) == 0 {
            let (name, symbol) = rng.choice(HOSTILE).unwrap_or_default();
            (name.to_owned(), symbol.to_owned())
        } else {
            let [first, second] = [rng.choice(FIRST), rng.choice(SECOND)].map(Option::unwrap_or_default);
            let name = format!("{first} {second}{}", rng.choice(TAILS).unwrap_or_default());
            (name, symbol(first, second, rng))
        };
        let mut uri = "https://ipfs.io/ipfs/Qm".to_owned();
        uri.extend((0..44).map(|_| rng.alphanumeric()));
        let mut names = Self { name: shorten(name, MAX_NAME), symbol: shorten(symbol, MAX_SYMBOL), uri };
        if names.name.len() + names.symbol.len() + names.uri.len() == FORBIDDEN_SUM {
            names.uri.push('x');
        }
        names
    }
}

fn symbol(first: &str, second: &str, rng: &mut Rng) -> String {
    let upper = |text: &str, length: usize| {
        text.chars().filter(char::is_ascii_alphabetic).take(length).collect::<String>().to_uppercase()
    };
    match rng.u8(0..4) {
        0 => upper(second, 6),
        1 => upper(first, 2) + &upper(second, 4),
        2 => upper(first, 1) + &upper(second, 1),
        _ => upper(second, 3) + &upper(first, 3),
    }
}

fn shorten(mut text: String, bytes: usize) -> String {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_program_and_some_are_hostile() {
        let mut rng = Rng::with_seed(3);
        let mut hostile = 0;
        for _ in 0..4_000 {
            let names = Names::draw(&mut rng);
            assert!(names.name.len() <= MAX_NAME && names.symbol.len() <= MAX_SYMBOL && names.uri.len() <= 200);
            assert_ne!(names.name.len() + names.symbol.len() + names.uri.len(), FORBIDDEN_SUM);
            hostile += u32::from(HOSTILE.iter().any(|(name, _)| *name == names.name));
        }
        assert!((50..150).contains(&hostile), "{hostile}");
    }
}
