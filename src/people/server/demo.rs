//! The people of the demo company: the eight accounts of the bar, forty customers of five languages, three firms.

use super::store::{self, NewPerson};
use crate::{
    access::{Act, Membership, Role, Subject},
    error::AppError,
    server::{
        Cx,
        demo::{ACCOUNTS, Cast},
        settings,
    },
};

/// Name, address without its domain, language, country.
const CUSTOMERS: [(&str, &str, &str, &str); 40] = [
    ("Amelia Hughes", "amelia.hughes", "en", "IE"),
    ("Oliver Brennan", "oliver.brennan", "en", "IE"),
    ("Grace Whitfield", "grace.whitfield", "en", "GB"),
    ("Noah Fitzgerald", "noah.fitzgerald", "en", "IE"),
    ("Isla Merrick", "isla.merrick", "en", "GB"),
    ("Ethan Caldwell", "ethan.caldwell", "en", "MT"),
    ("Ruby Ashcroft", "ruby.ashcroft", "en", "GB"),
    ("Finn Gallagher", "finn.gallagher", "en", "IE"),
    ("Lucía Fernández Ibarra", "lucia.fernandez", "es", "ES"),
    ("Javier Ortega Ruiz", "javier.ortega", "es", "ES"),
    ("María José Castillo", "mariajose.castillo", "es", "ES"),
    ("Álvaro Núñez", "alvaro.nunez", "es", "ES"),
    ("Inés Barragán", "ines.barragan", "es", "ES"),
    ("Pablo Etxeberria", "pablo.etxeberria", "es", "ES"),
    ("Núria Puigdemont Soler", "nuria.soler", "es", "ES"),
    ("Diego Salcedo", "diego.salcedo", "es", "ES"),
    ("Giulia Bianchi", "giulia.bianchi", "it", "IT"),
    ("Lorenzo Ricci", "lorenzo.ricci", "it", "IT"),
    ("Chiara De Luca", "chiara.deluca", "it", "IT"),
    ("Niccolò Ferrara", "niccolo.ferrara", "it", "IT"),
    ("Alessia Marchetti", "alessia.marchetti", "it", "IT"),
    ("Davide Conti", "davide.conti", "it", "IT"),
    ("Beatrice Lombardo", "beatrice.lombardo", "it", "IT"),
    ("Stefano Galli", "stefano.galli", "it", "IT"),
    ("आरव शर्मा", "aarav.sharma", "hi", "IN"),
    ("अनन्या गुप्ता", "ananya.gupta", "hi", "IN"),
    ("रोहन मेहता", "rohan.mehta", "hi", "IN"),
    ("प्रिया वर्मा", "priya.verma", "hi", "IN"),
    ("विक्रम सिंह राठौड़", "vikram.rathore", "hi", "IN"),
    ("नेहा अग्रवाल", "neha.agarwal", "hi", "IN"),
    ("करण मल्होत्रा", "karan.malhotra", "hi", "IN"),
    ("सुनीता देशमुख", "sunita.deshmukh", "hi", "IN"),
    ("Jonas Kazlauskas", "jonas.kazlauskas", "lt", "LT"),
    ("Ieva Stankevičienė", "ieva.stankeviciene", "lt", "LT"),
    ("Mantas Žukauskas", "mantas.zukauskas", "lt", "LT"),
    ("Austėja Jankauskaitė", "austeja.jankauskaite", "lt", "LT"),
    ("Tomas Paulauskas", "tomas.paulauskas", "lt", "LT"),
    ("Rūta Butkutė", "ruta.butkute", "lt", "LT"),
    ("Gediminas Vasiliauskas", "gediminas.vasiliauskas", "lt", "LT"),
    ("Eglė Grigaitienė", "egle.grigaitiene", "lt", "LT"),
];

const FIRMS: [&str; 3] = ["Petrauskas & Partners", "Costa Verde Hotels", "Himalaya Textiles"];

/// Marks the database as the demo's and fills in the people.
pub async fn seed(cx: &Cx) -> Result<Cast, AppError> {
    let permit = cx.may(Act::Import, &Subject::nobody())?;
    let now = cx.now;
    cx.db()
        .write(move |tx| {
            Box::pin(async move {
                settings::write(tx, "demo", "yes").await?;
                let mut accounts = Vec::new();
                for (account, email, name) in ACCOUNTS {
                    let new = NewPerson { email: email.parse().ok(), name: name.to_owned(), ..NewPerson::default() };
                    let person = store::insert(tx, &permit, &new, now).await?;
                    if let Ok(role) = account.parse::<Role>() {
                        store::add_role(tx, &permit, person, role).await?;
                    }
                    accounts.push((account, person));
                }
                let mut customers = Vec::new();
                for (name, mailbox, language, country) in CUSTOMERS {
                    let new = NewPerson {
                        email: format!("{mailbox}@example.org").parse().ok(),
                        name: name.to_owned(),
                        language: language.parse().ok(),
                        country: country.parse().ok(),
                        ..NewPerson::default()
                    };
                    customers.push(store::insert(tx, &permit, &new, now).await?);
                }
                let mut organisations = Vec::new();
                for firm in FIRMS {
                    organisations.push(store::insert_organisation(tx, &permit, firm, now).await?);
                }
                // A firm as somebody once typed it: likely one that is there already.
                store::insert_organisation(tx, &permit, "COSTA VERDE HOTELS, S.L.", now).await?;
                let cast = Cast::new(accounts, customers, organisations);
                let firm = cast.organisation(0)?;
                store::join(tx, &permit, firm, cast.person("owner")?, Membership::Owner, now).await?;
                store::join(tx, &permit, firm, cast.person("member")?, Membership::Member, now).await?;
                for (place, firm, membership) in [
                    (32, 0, Membership::Member),
                    (33, 0, Membership::Member),
                    (34, 0, Membership::Member),
                    (8, 1, Membership::Owner),
                    (9, 1, Membership::Member),
                    (24, 2, Membership::Owner),
                    (25, 2, Membership::Member),
                ] {
                    store::join(tx, &permit, cast.organisation(firm)?, cast.customer(place)?, membership, now).await?;
                }
                Ok(cast)
            })
        })
        .await
}
