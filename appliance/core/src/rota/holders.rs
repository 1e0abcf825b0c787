//! Who holds a role, and in which order they are asked.

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::ids::PersonId;
use crate::limits;
use crate::time::Wall;

/// A half-open stretch of time: `start` is in it, `end` is the first instant that is not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Interval {
    /// Its first instant.
    #[n(0)]
    pub start: Wall,
    /// The first instant after it.
    #[n(1)]
    pub end: Wall,
}

impl Interval {
    /// Whether an instant is in it.
    pub fn contains(&self, at: Wall) -> bool {
        self.start <= at && at < self.end
    }

    /// The part of it that is in another one, when there is one.
    pub(crate) fn within(self, other: Self) -> Option<Self> {
        let both = Self { start: self.start.max(other.start), end: self.end.min(other.end) };
        (both.start < both.end).then_some(both)
    }
}

/// A place in the order of a role's holders: 0 is who is asked first, 1 their backup, up to
/// [`limits::ROTA_PLACES_MAX`] - 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode)]
#[cbor(transparent)]
pub struct Place(#[n(0)] u8);

impl Place {
    /// Who is asked first.
    pub const FIRST: Self = Self(0);
    /// Who is asked next.
    pub const BACKUP: Self = Self(1);

    /// The place of this number, from 0.
    pub const fn new(place: u8) -> Option<Self> {
        if place as usize >= limits::ROTA_PLACES_MAX { None } else { Some(Self(place)) }
    }

    /// Its number, from 0.
    pub const fn value(self) -> u8 {
        self.0
    }

    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map_while(Self::new)
    }
}

impl<'b, C> Decode<'b, C> for Place {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        Self::new(d.u8()?).ok_or_else(|| decode::Error::message("no place in a rota"))
    }
}

/// People who hold a role together, in the order in which they are asked; nobody twice, and at most
/// [`limits::ROTA_PLACES_MAX`]. Empty: nobody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Team(Vec<PersonId>);

impl Team {
    /// Nobody.
    pub const NOBODY: Self = Self(Vec::new());

    /// These people, when they are not too many and nobody is named twice.
    pub fn new(people: Vec<PersonId>) -> Option<Self> {
        let twice = people.iter().enumerate().any(|(at, person)| people[..at].contains(person));
        (people.len() <= limits::ROTA_PLACES_MAX && !twice).then_some(Self(people))
    }

    /// One person alone.
    pub fn one(person: PersonId) -> Self {
        Self(vec![person])
    }

    /// In order.
    pub fn people(&self) -> &[PersonId] {
        &self.0
    }

    /// Who is in this place.
    pub(crate) fn at(&self, place: Place) -> Option<PersonId> {
        self.0.get(usize::from(place.value())).copied()
    }
}

impl<C> Encode<C> for Team {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Team {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        Self::new(Vec::decode(d, ctx)?).ok_or_else(|| decode::Error::message("no team of a rota"))
    }
}

/// Somebody in a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub struct Holder {
    /// Where in the order.
    #[n(0)]
    pub place: Place,
    /// Who.
    #[n(1)]
    pub person: PersonId,
}

/// Who holds a role at one time, by place. A place may be empty while a later one is not: then the backup is all there is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holders(Vec<Holder>);

impl Holders {
    /// From who is in each place.
    pub(crate) fn from_places(places: impl IntoIterator<Item = (Place, Option<PersonId>)>) -> Self {
        let held = |(place, person): (Place, Option<PersonId>)| Some(Holder { place, person: person? });
        Self(places.into_iter().filter_map(held).collect())
    }

    /// Whether nobody holds the role.
    pub fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }

    /// By place, the first first.
    pub fn by_place(&self) -> &[Holder] {
        &self.0
    }

    /// Everybody once, in the order in which they are asked.
    pub fn people(&self) -> impl Iterator<Item = PersonId> {
        let first = |at: usize| !self.0[..at].iter().any(|earlier| earlier.person == self.0[at].person);
        (0..self.0.len()).filter(move |at| first(*at)).map(|at| self.0[at].person)
    }

    /// Whether somebody holds the role.
    pub fn contains(&self, person: PersonId) -> bool {
        self.0.iter().any(|holder| holder.person == person)
    }
}

impl<C> Encode<C> for Holders {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.0.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Holders {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let holders = Vec::<Holder>::decode(d, ctx)?;
        if holders.is_sorted_by(|one, next| one.place < next.place) {
            Ok(Self(holders))
        } else {
            Err(decode::Error::message("places out of order"))
        }
    }
}
