//! The names in use: what each stands for, and which a new one could be mistaken for.
//!
//! Promises: nothing outlives its name, and no lookup is linear in how many names there are.
//! Deliberately gives no name away by itself: it is asked for a verdict, and told.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::super::keyed::Keyed;
use super::Name;

/// Whether a name may be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It may.
    Free,
    /// Somebody or something has it.
    Taken(T),
    /// It could be mistaken for the name that this one has.
    Confusable(T),
}

/// The names in use, and what each stands for: values of which the default is the least.
#[derive(Debug)]
pub struct NamesInUse<T> {
    keyed: Keyed,
    by_key: HashTable<Entry<T>>,
    /// The hash of each look of each name, and what it stands for: one entry for a name whose looks
    /// are equal, and none that outlives its name.
    looks: BTreeSet<(u64, T)>,
}

/// A name in use. Its hash is kept, so that a table that grows need not look at every name again:
/// with a million of them that would take a tenth of a second.
#[derive(Debug)]
struct Entry<T> {
    hash: u64,
    name: Name,
    value: T,
}

impl<T: Copy + Ord + Default> NamesInUse<T> {
    /// No names; people choose them, hence the hasher's secret.
    pub fn new(keyed: Keyed) -> NamesInUse<T> {
        NamesInUse { keyed, by_key: HashTable::new(), looks: BTreeSet::new() }
    }

    /// What the name with this key stands for ([`Name::key`], [`super::key_of`]).
    pub fn find(&self, key: &str) -> Option<T> {
        let entry = self.by_key.find(self.keyed.hash_one(key), |entry| entry.name.key() == key);
        entry.map(|entry| entry.value)
    }

    /// What all names stand for, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = T> {
        self.by_key.iter().map(|entry| entry.value)
    }

    /// Takes a name into use, in place of one that compares equal. No two names may stand for the
    /// same.
    pub fn insert(&mut self, name: &Name, value: T) {
        self.remove(name);
        for look in self.hashed_looks(name) {
            self.looks.insert((look, value));
        }
        let hash = self.keyed.hash_one(name.key());
        let entry = Entry { hash, name: name.clone(), value };
        self.by_key.insert_unique(hash, entry, |entry| entry.hash);
    }

    /// Takes the name that compares equal out of use.
    pub fn remove(&mut self, name: &Name) {
        // The looks are those of the name as it was inserted, whose case may differ.
        let hash = self.keyed.hash_one(name.key());
        let Ok(found) = self.by_key.find_entry(hash, |entry| entry.name == *name) else { return };
        let (Entry { name, value, .. }, _) = found.remove();
        for look in self.hashed_looks(&name) {
            self.looks.remove(&(look, value));
        }
        if self.by_key.len() < self.by_key.capacity() / 8 {
            self.by_key.shrink_to(self.by_key.len() * 2, |entry| entry.hash);
        }
    }

    /// Whether `name` may be taken by `own`, whose present name does not stand in its way.
    ///
    /// Between plain ASCII names likeness is no reason: `modem` and `modern` have the same look.
    pub fn verdict(&self, name: &Name, own: Option<T>) -> Verdict<T> {
        let is_of_another = |value: &T| Some(*value) != own;
        if let Some(value) = self.find(name.key()).filter(is_of_another) {
            return Verdict::Taken(value);
        }
        if name.as_str().is_ascii() {
            return Verdict::Free;
        }
        let looks = self.hashed_looks(name).into_iter();
        let resembled = looks.flat_map(|look| self.looking_like(look)).find(is_of_another);
        resembled.map_or(Verdict::Free, Verdict::Confusable)
    }

    fn hashed_looks(&self, name: &Name) -> [u64; 2] {
        name.looks().map(|look| self.keyed.hash_one(look))
    }

    fn looking_like(&self, look: u64) -> impl Iterator<Item = T> {
        let all = self.looks.range((look, T::default())..);
        all.take_while(move |(other, _)| *other == look).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::parse(text, None).unwrap_or_else(|fault| panic!("{text:?}: {fault:?}"))
    }

    fn in_use(names: &[&str]) -> NamesInUse<usize> {
        let mut in_use = NamesInUse::new(Keyed::new([1; 16]));
        for (value, text) in names.iter().enumerate() {
            in_use.insert(&name(text), value);
        }
        in_use
    }

    #[test]
    fn names_are_found_and_taken_by_their_key() {
        let mut names = in_use(&["Straße", "bob"]);
        assert_eq!(names.find("strasse"), Some(0));
        assert_eq!(names.verdict(&name("STRASSE"), None), Verdict::Taken(0));
        assert_eq!(names.verdict(&name("Bob"), None), Verdict::Taken(1));
        assert_eq!(names.verdict(&name("bo"), None), Verdict::Free);
        names.remove(&name("BOB"));
        names.remove(&name("absent"));
        assert_eq!(names.verdict(&name("Bob"), None), Verdict::Free);
        assert_eq!(names.by_key.len(), 1);
    }

    #[test]
    fn what_could_be_mistaken_is_refused() {
        let pairs = [
            ("coco", "сосо"),          // Cyrillic
            ("nona", "ΝΟΝΑ"),          // Greek capitals, which fold to letters of another look
            ("vova", "νονα"),          // Greek small letters
            ("Nova", "Νονα"),          // Greek of both
            ("КАТЕ", "ΚΑΤΕ"),          // Greek after Cyrillic
            ("エロ", "工口"),          // Han after Kana
            ("alice", "ali\u{307}ce"), // a second dot
            ("Jim", "j\u{131}\u{307}m"),
        ];
        for (taken, wanted) in pairs {
            let verdict = in_use(&[taken]).verdict(&name(wanted), None);
            assert_eq!(verdict, Verdict::Confusable(0), "{wanted}");
            assert_eq!(in_use(&["other"]).verdict(&name(wanted), None), Verdict::Free);
        }
    }

    #[test]
    fn likeness_between_plain_names_is_no_reason() {
        let names = in_use(&["modern", "w1", "сосо"]);
        for wanted in ["modem", "wl", "coco"] {
            assert_eq!(names.verdict(&name(wanted), None), Verdict::Free, "{wanted}");
        }
    }

    #[test]
    fn ones_own_name_does_not_stand_in_the_way() {
        let names = in_use(&["nona", "bob"]);
        assert_eq!(names.verdict(&name("NONA"), Some(0)), Verdict::Free);
        assert_eq!(names.verdict(&name("ΝΟΝΑ"), Some(0)), Verdict::Free);
        assert_eq!(names.verdict(&name("ΝΟΝΑ"), Some(1)), Verdict::Confusable(0));
        assert_eq!(names.verdict(&name("bob"), Some(0)), Verdict::Taken(1));
    }

    #[test]
    fn a_look_that_two_names_share_goes_with_the_last() {
        let mut names = in_use(&["coco", "c0c0"]);
        assert_eq!(names.looks.len(), 2);
        names.remove(&name("coco"));
        assert_eq!(names.verdict(&name("сосо"), None), Verdict::Confusable(1));
        names.insert(&name("C0C0"), 7);
        names.remove(&name("c0c0"));
        assert_eq!(names.verdict(&name("сосо"), None), Verdict::Free);
        assert!(names.looks.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_outlives_its_name(
            steps in prop::collection::vec(("[aAoO0оО]{1,2}", any::<bool>()), 1..30),
        ) {
            let mut names = NamesInUse::new(Keyed::new([2; 16]));
            let mut model = std::collections::BTreeMap::new();
            let parsed = steps.iter().filter_map(|(text, comes)| {
                Some((Name::parse(text, None).ok()?, *comes))
            });
            for (step, (name, comes)) in parsed.enumerate() {
                if comes {
                    names.insert(&name, step);
                    model.insert(name.key().to_owned(), (step, name));
                } else {
                    names.remove(&name);
                    model.remove(name.key());
                    prop_assert_eq!(names.find(name.key()), None);
                }
                prop_assert_eq!(names.by_key.len(), model.len());
                let looks = model.values().flat_map(|(value, name)| {
                    names.hashed_looks(name).map(|look| (look, *value))
                });
                prop_assert_eq!(&names.looks, &looks.collect::<BTreeSet<_>>());
                for (key, (value, name)) in &model {
                    prop_assert_eq!(names.find(key), Some(*value));
                    prop_assert_eq!(names.verdict(name, None), Verdict::Taken(*value));
                }
            }
        }
    }
}
