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

/// The names in use, as what they stand for: values of which the default is the least. Who asks has
/// the names at hand and passes `key`, which gives the key of the name that stands for a value.
///
/// The hashes are kept, so that a table that grows need not look at every name again: with a
/// million of them that would take a tenth of a second.
#[derive(Debug)]
pub struct NamesInUse<T> {
    keyed: Keyed,
    /// The hash of each name's key, and what the name stands for.
    by_key: HashTable<(u64, T)>,
    /// The hash of each look of each name, and what it stands for: one entry for a name whose looks
    /// are equal, and none that outlives its name.
    looks: BTreeSet<(u64, T)>,
}

impl<T: Copy + Ord + Default> NamesInUse<T> {
    /// No names; people choose them, hence the hasher's secret.
    pub fn new(keyed: Keyed) -> NamesInUse<T> {
        NamesInUse { keyed, by_key: HashTable::new(), looks: BTreeSet::new() }
    }

    /// What the name with this key stands for ([`Name::key`], [`super::key_of`]).
    pub fn find<'n>(&self, wanted: &str, key: impl Fn(T) -> &'n str) -> Option<T> {
        let hash = self.keyed.hash_one(wanted);
        let found =
            self.by_key.find(hash, |(other, value)| *other == hash && key(*value) == wanted);
        found.map(|(_, value)| *value)
    }

    /// What all names stand for, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = T> {
        self.by_key.iter().map(|(_, value)| *value)
    }

    /// Takes a name into use. Neither it nor one that compares equal may be in use, and no two may
    /// stand for the same.
    pub fn insert(&mut self, name: &Name, value: T) {
        let hash = self.keyed.hash_one(name.key());
        self.by_key.insert_unique(hash, (hash, value), |(hash, _)| *hash);
        for look in self.hashed_looks(name) {
            self.looks.insert((look, value));
        }
    }

    /// Takes the name out of use that was inserted for this value.
    pub fn remove(&mut self, name: &Name, value: T) {
        let hash = self.keyed.hash_one(name.key());
        if let Ok(found) = self.by_key.find_entry(hash, |(_, other)| *other == value) {
            found.remove();
        }
        for look in self.hashed_looks(name) {
            self.looks.remove(&(look, value));
        }
        if self.by_key.len() < self.by_key.capacity() / 8 {
            self.by_key.shrink_to(self.by_key.len() * 2, |(hash, _)| *hash);
        }
    }

    /// Whether `name` may be taken by `own`, whose present name does not stand in its way.
    ///
    /// Between plain ASCII names likeness is no reason: `modem` and `modern` have the same look.
    pub fn verdict<'n>(
        &self,
        name: &Name,
        own: Option<T>,
        key: impl Fn(T) -> &'n str,
    ) -> Verdict<T> {
        let is_of_another = |value: &T| Some(*value) != own;
        if let Some(value) = self.find(name.key(), key).filter(is_of_another) {
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

    /// Names in use by numbers, as those who ask keep them.
    struct People {
        names: Vec<Option<Name>>,
        in_use: NamesInUse<usize>,
    }

    impl People {
        fn named(names: &[&str]) -> People {
            let in_use = NamesInUse::new(Keyed::new([1; 16]));
            let mut people = People { names: Vec::new(), in_use };
            names.iter().for_each(|text| people.add(name(text)));
            people
        }

        fn add(&mut self, name: Name) {
            self.in_use.insert(&name, self.names.len());
            self.names.push(Some(name));
        }

        fn remove(&mut self, number: usize) {
            let name = self.names[number].take().expect("the name is in use");
            self.in_use.remove(&name, number);
        }

        fn key(&self, number: usize) -> &str {
            self.names[number].as_ref().expect("the name is in use").key()
        }

        fn find(&self, key: &str) -> Option<usize> {
            self.in_use.find(key, |number| self.key(number))
        }

        fn verdict(&self, text: &str, own: Option<usize>) -> Verdict<usize> {
            self.in_use.verdict(&name(text), own, |number| self.key(number))
        }
    }

    #[test]
    fn names_are_found_and_taken_by_their_key() {
        let mut people = People::named(&["Straße", "bob"]);
        assert_eq!(people.find("strasse"), Some(0));
        assert_eq!(people.verdict("STRASSE", None), Verdict::Taken(0));
        assert_eq!(people.verdict("Bob", None), Verdict::Taken(1));
        assert_eq!(people.verdict("bo", None), Verdict::Free);
        people.remove(1);
        assert_eq!(people.verdict("Bob", None), Verdict::Free);
        assert_eq!(people.in_use.by_key.len(), 1);
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
            let verdict = People::named(&[taken]).verdict(wanted, None);
            assert_eq!(verdict, Verdict::Confusable(0), "{wanted}");
            assert_eq!(People::named(&["other"]).verdict(wanted, None), Verdict::Free);
        }
    }

    #[test]
    fn likeness_between_plain_names_is_no_reason() {
        let people = People::named(&["modern", "w1", "сосо"]);
        for wanted in ["modem", "wl", "coco"] {
            assert_eq!(people.verdict(wanted, None), Verdict::Free, "{wanted}");
        }
    }

    #[test]
    fn ones_own_name_does_not_stand_in_the_way() {
        let people = People::named(&["nona", "bob"]);
        assert_eq!(people.verdict("NONA", Some(0)), Verdict::Free);
        assert_eq!(people.verdict("ΝΟΝΑ", Some(0)), Verdict::Free);
        assert_eq!(people.verdict("ΝΟΝΑ", Some(1)), Verdict::Confusable(0));
        assert_eq!(people.verdict("bob", Some(0)), Verdict::Taken(1));
    }

    #[test]
    fn a_look_that_two_names_share_goes_with_the_last() {
        let mut people = People::named(&["coco", "c0c0"]);
        assert_eq!(people.in_use.looks.len(), 2);
        people.remove(0);
        assert_eq!(people.verdict("сосо", None), Verdict::Confusable(1));
        people.remove(1);
        assert_eq!(people.verdict("сосо", None), Verdict::Free);
        assert!(people.in_use.looks.is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_outlives_its_name(
            steps in prop::collection::vec(("[aAoO0оО]{1,2}", any::<bool>()), 1..30),
        ) {
            let mut people = People::named(&[]);
            let mut model = std::collections::BTreeMap::new();
            let parsed = steps.iter().filter_map(|(text, comes)| {
                Some((Name::parse(text, None).ok()?, *comes))
            });
            for (name, comes) in parsed {
                if let Some((number, _)) = model.remove(name.key()) {
                    people.remove(number);
                }
                prop_assert_eq!(people.find(name.key()), None);
                if comes {
                    model.insert(name.key().to_owned(), (people.names.len(), name.clone()));
                    people.add(name);
                }
                prop_assert_eq!(people.in_use.by_key.len(), model.len());
                let looks = model.values().flat_map(|(number, name)| {
                    people.in_use.hashed_looks(name).map(|look| (look, *number))
                });
                prop_assert_eq!(&people.in_use.looks, &looks.collect::<BTreeSet<_>>());
                for (key, (number, name)) in &model {
                    prop_assert_eq!(people.find(key), Some(*number));
                    prop_assert_eq!(people.verdict(name.as_str(), None), Verdict::Taken(*number));
                }
            }
        }
    }
}
