//! Who pays for a seat, in memory: class seats of plans and of firms' plans, else money. A yardstick of its own, that
//! shares nothing with the ledger but the facts that it begins with.

use crate::world::World;
use aftercare::{
    charges::domain::ChargeState,
    fetch_all,
    training::domain::{Effect, EnrolmentState, book::Book},
    values::{BenefitId, ChargeId, OrganisationId, PersonId, ProductId},
};
use chrono::NaiveDate;
use std::collections::{BTreeSet, HashMap};

/// Where the units of one benefit are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Units {
    pub granted: i64,
    pub available: i64,
    pub reserved: i64,
    pub used: i64,
    pub expired: i64,
}

/// A number of class seats that somebody may use, or a firm.
#[derive(Clone, Debug)]
struct Right {
    id: BenefitId,
    holder: PersonId,
    firm: Option<OrganisationId>,
    product: ProductId,
    starts: NaiveDate,
    /// The first day on which it cannot be used any more.
    ends: NaiveDate,
    units: Units,
}

/// What a seat was booked on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum By {
    Nothing,
    Benefit(BenefitId),
    /// A charge: which of them.
    Money(usize),
}

/// One line of one book.
pub type Seat = (usize, usize);

/// Somebody owes something, or did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Charge {
    payer: PersonId,
    for_firm: bool,
    state: ChargeState,
    /// What was paid is to be paid back.
    back: bool,
}

/// Everything that pays in one world.
pub struct Purse {
    rights: Vec<Right>,
    charges: Vec<Charge>,
    /// What is reserved for or owed because of a seat whose fate is open.
    paid: HashMap<Seat, By>,
    /// What seats had used or owe that were given up too late.
    late: HashMap<Seat, By>,
    /// How often that came back with a cancelled class.
    forgiven: i64,
    /// The last charge of a seat: one that was paid is not opened again.
    charged: HashMap<Seat, usize>,
    /// The one firm, and who answers for it.
    firm: (OrganisationId, PersonId),
    /// The product that the course belongs to.
    product: ProductId,
}

/// What the seats of a class cost.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    pub minor: i64,
    /// The day of its first session.
    pub day: NaiveDate,
    pub late: Effect,
}

type Cells = (BenefitId, PersonId, Option<OrganisationId>, ProductId, NaiveDate, NaiveDate, i64);
const RIGHTS: &str = "select b.id, b.person_id, b.organisation_id, i.product_id, b.starts_on, b.ends_on, b.granted \
    from benefit b join item i on i.id = b.item_id where b.allowance = 'training_seat' order by b.ends_on, b.id";
const UNITS: &str =
    "select id, granted, available, reserved, used, expired from benefit where allowance = 'training_seat'";
const CHARGES: &str = "select c.person_id, c.organisation_id, c.state, b.charge_id from charge c \
    left join refund b on b.charge_id = c.id where c.entity = 'enrolment'";

impl Purse {
    /// As it was sold: nothing is used yet.
    pub async fn of(world: &World, firm: (OrganisationId, PersonId), product: ProductId) -> Self {
        let mut tx = world.db().read().await.unwrap();
        let rights = fetch_all!(tx, Cells, RIGHTS).unwrap();
        let right = |(id, holder, firm, product, starts, ends, granted): Cells| Right {
            id,
            holder,
            firm,
            product,
            starts,
            ends,
            units: Units { granted, available: granted, reserved: 0, used: 0, expired: 0 },
        };
        let rights: Vec<Right> = rights.into_iter().map(right).collect();
        // What ends first is plain.
        assert!(rights.windows(2).all(|pair| pair[0].ends < pair[1].ends || pair[0].firm != pair[1].firm));
        let (paid, late, charged) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { rights, charges: Vec::new(), paid, late, forgiven: 0, charged, firm, product }
    }

    /// Books a seat for somebody, on their own: of what they may use, and what the firms that they own may, the one that
    /// ends first pays; where nothing is left, they do.
    fn take(&mut self, seat: Seat, person: PersonId, price: Price) {
        let (firm, owner) = self.firm;
        let may = |right: &Right| right.holder == person || (right.firm == Some(firm) && person == owner);
        let benefit = self.reserve(may, price);
        self.book(seat, benefit, (person, false), price);
    }

    /// A seat is booked on a benefit, or on money where there is none.
    fn book(&mut self, seat: Seat, benefit: Option<BenefitId>, (payer, for_firm): (PersonId, bool), price: Price) {
        let by = match (benefit, self.charged.get(&seat)) {
            (Some(benefit), _) => By::Benefit(benefit),
            (None, _) if price.minor == 0 => By::Nothing,
            // What was paid for it already pays for it after all.
            (None, Some(&charge)) if self.charges[charge].state != ChargeState::Void => {
                self.charges[charge].back = false;
                By::Money(charge)
            }
            (None, _) => {
                self.charges.push(Charge { payer, for_firm, state: ChargeState::Due, back: false });
                By::Money(self.charges.len() - 1)
            }
        };
        if let By::Money(charge) = by {
            self.charged.insert(seat, charge);
        }
        self.paid.insert(seat, by);
    }

    fn reserve(&mut self, may: impl Fn(&Right) -> bool, price: Price) -> Option<BenefitId> {
        if price.minor == 0 {
            return None;
        }
        let product = self.product;
        let fits = |right: &&mut Right| {
            may(right)
                && right.product == product
                && right.starts <= price.day
                && price.day < right.ends
                && right.units.available > 0
        };
        let right = self.rights.iter_mut().find(fits)?;
        right.units.available -= 1;
        right.units.reserved += 1;
        Some(right.id)
    }

    /// The seat costs nothing after all.
    pub fn give_back(&mut self, seat: Seat) {
        match self.paid.remove(&seat) {
            Some(By::Benefit(id)) => {
                let units = self.units(id);
                units.reserved -= 1;
                units.available += 1;
            }
            Some(By::Money(charge)) => {
                let charge = &mut self.charges[charge];
                match charge.state {
                    ChargeState::Due => charge.state = ChargeState::Void,
                    ChargeState::Paid => charge.back = true,
                    ChargeState::Waived | ChargeState::Void => {}
                }
            }
            Some(By::Nothing) | None => {}
        }
    }

    /// The seat was used, or given up too late.
    pub fn spend(&mut self, seat: Seat) {
        if let Some(By::Benefit(id)) = self.paid.remove(&seat) {
            let units = self.units(id);
            units.reserved -= 1;
            units.used += 1;
        }
    }

    /// The seat was given up too late.
    fn spend_late(&mut self, seat: Seat) {
        self.late.extend(self.paid(seat).map(|by| (seat, by)));
        self.spend(seat);
    }

    /// The class of a seat that was given up too late does not take place: what that cost comes back. Says whether it had
    /// cost anything.
    fn forgive(&mut self, seat: Seat) -> bool {
        match self.late.remove(&seat) {
            Some(By::Benefit(id)) => {
                let units = self.units(id);
                units.used -= 1;
                units.available += 1;
                true
            }
            Some(By::Money(charge)) => {
                let charge = &mut self.charges[charge];
                match charge.state {
                    ChargeState::Due => charge.state = ChargeState::Void,
                    ChargeState::Paid => charge.back = true,
                    ChargeState::Waived | ChargeState::Void => return false,
                }
                true
            }
            Some(By::Nothing) | None => false,
        }
    }

    /// Whether giving a seat of a class up too late has cost somebody something.
    pub fn has_late(&self, class: usize) -> bool {
        self.late.iter().any(|((of, _), by)| *of == class && *by != By::Nothing)
    }

    /// The class was cancelled; gives who has something back that a late cancel had cost.
    pub fn class_cancelled(&mut self, class: usize, book: &Book) -> BTreeSet<PersonId> {
        let mut payers = BTreeSet::new();
        for (n, line) in book.lines.iter().enumerate() {
            if line.state == EnrolmentState::CancelledLate && self.forgive((class, n)) {
                self.forgiven += 1;
                payers.insert(if line.party.is_some() { self.firm.1 } else { line.person.unwrap() });
            }
        }
        payers
    }

    /// Staff write down how a charge was settled; says whether there was anything to settle.
    pub fn settle(&mut self, seat: Seat, outcome: ChargeState) -> bool {
        match self.paid(seat) {
            Some(By::Money(charge)) if self.charges[charge].state == ChargeState::Due => {
                self.charges[charge].state = outcome;
                true
            }
            _ => false,
        }
    }

    /// What pays for a seat goes with it into another class.
    pub fn carry(&mut self, from: Seat, to: Seat) {
        if let Some(by) = self.paid.remove(&from) {
            self.paid.insert(to, by);
        }
        if let Some(charge) = self.charged.remove(&from) {
            self.charged.insert(to, charge);
        }
    }

    fn units(&mut self, id: BenefitId) -> &mut Units {
        &mut self.rights.iter_mut().find(|right| right.id == id).unwrap().units
    }

    /// What was not used in its period is over; what is reserved stays reserved.
    pub fn expire(&mut self, today: NaiveDate) {
        for right in self.rights.iter_mut().filter(|right| right.ends <= today) {
            right.units.expired += right.units.available;
            right.units.available = 0;
        }
    }

    /// Follows the seats of one class: who came to one pays, who gave one back in time has back what it cost, who did so
    /// too late as the class's rules say. `found` is what the database says pays for these lines: which of a group's
    /// seats is paid by what nobody promised, only what pays for all of them.
    pub fn follow(
        &mut self,
        class: usize,
        before: &Book,
        after: &Book,
        price: Price,
        found: &[(usize, Option<BenefitId>)],
    ) {
        let booked = |book: &Book, n: usize| book.lines.get(n).is_some_and(|line| line.state == EnrolmentState::Booked);
        let mut of_firm = Vec::new();
        for (n, line) in after.lines.iter().enumerate() {
            let seat = (class, n);
            match (booked(before, n), booked(after, n)) {
                (true, false) if line.state == EnrolmentState::CancelledLate && price.late == Effect::Spent => {
                    self.spend_late(seat);
                }
                (true, false) => self.give_back(seat),
                // A seat that was carried here is paid for already.
                (false, true) if self.paid.contains_key(&seat) => {}
                (false, true) => match (line.party, line.person) {
                    (None, Some(person)) => self.take(seat, person, price),
                    _ => of_firm.push(n),
                },
                _ => {}
            }
        }
        let (firm, owner) = self.firm;
        let mut pays: Vec<_> = of_firm.iter().map(|_| self.reserve(|right| right.firm == Some(firm), price)).collect();
        for n in of_firm {
            let benefit = found.iter().find(|(line, _)| *line == n).expect("the line is there").1;
            let place = pays.iter().position(|by| *by == benefit);
            pays.remove(place.unwrap_or_else(|| panic!("{benefit:?} does not pay: {pays:?}")));
            self.book((class, n), benefit, (owner, true), price);
        }
    }

    /// What pays for a seat now.
    pub fn paid(&self, seat: Seat) -> Option<By> {
        self.paid.get(&seat).copied()
    }

    /// The ledger and the charges are what they should be.
    pub async fn compare(&self, tx: &mut aftercare::db::Tx, said: &str) {
        let rows = fetch_all!(tx, (BenefitId, i64, i64, i64, i64, i64), UNITS).unwrap();
        assert_eq!(rows.len(), self.rights.len());
        for (id, granted, available, reserved, used, expired) in rows {
            let there = Units { granted, available, reserved, used, expired };
            let right = self.rights.iter().find(|right| right.id == id).unwrap();
            assert_eq!(there, right.units, "{said}: {right:?}");
            assert_eq!(granted, available + reserved + used + expired, "{said}: units are lost or made up");
            let held = self.paid.values().filter(|by| **by == By::Benefit(id)).count();
            assert_eq!(reserved, held as i64, "{said}: what is reserved is reserved for a seat");
        }
        type Cells = (PersonId, Option<OrganisationId>, String, Option<ChargeId>);
        let mut there: Vec<_> = fetch_all!(tx, Cells, CHARGES)
            .unwrap()
            .into_iter()
            .map(|(payer, firm, state, back)| (payer, firm.is_some(), state, back.is_some()))
            .collect();
        let model = |charge: &Charge| (charge.payer, charge.for_firm, charge.state.as_str().to_owned(), charge.back);
        let mut model: Vec<_> = self.charges.iter().map(model).collect();
        there.sort();
        model.sort();
        assert_eq!(there, model, "{said}: who owes what");
    }

    /// How many units were used and expired, how many charges were opened, voided and are to be paid back, and how often a
    /// late cancel was forgiven: a walk in which none of that happened proves little.
    pub fn seen(&self) -> [i64; 6] {
        let sum = |of: fn(&Units) -> i64| self.rights.iter().map(|right| of(&right.units)).sum::<i64>();
        let voided = self.charges.iter().filter(|charge| charge.state == ChargeState::Void).count() as i64;
        let back = self.charges.iter().filter(|charge| charge.back).count() as i64;
        [sum(|units| units.used), sum(|units| units.expired), self.charges.len() as i64, voided, back, self.forgiven]
    }
}
