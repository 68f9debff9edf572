//! The demo company's cases: one in every state, told by people of five languages, among them a railway's day.

use super::service::{self, CustomerDeed, DeskDeed, NewCase};
use crate::{
    access::{Person, Role, Viewer},
    cases::domain::{Kind, Priority},
    error::AppError,
    server::{
        Cx,
        demo::{ACCOUNTS, Cast},
        form::Form,
    },
    values::PersonId,
};
use chrono::TimeDelta;

/// Who comes with it.
#[derive(Clone, Copy)]
enum Who {
    /// An account of the demo bar.
    Account(&'static str),
    /// One of the forty.
    Customer(usize),
}

/// What happens to a case, so many hours after it was opened.
enum Then {
    Answer(i64, &'static str),
    Ask(i64, &'static str),
    Reply(i64, &'static str),
    Solve(i64, &'static str),
    Note(i64, &'static str),
    Thanks(i64),
}

struct Story {
    who: Who,
    kind: Kind,
    hours_ago: i64,
    subject: &'static str,
    words: &'static str,
    then: &'static [Then],
}

const STORIES: &[Story] = &[
    Story {
        who: Who::Account("customer"),
        kind: Kind::Question,
        hours_ago: 50,
        subject: "Which toner fits my printer?",
        words: "The display says that the toner is low. Which one do I order, and is it part of my plan?",
        then: &[
            Then::Answer(
                3,
                "Hello Carla, the XL cartridge fits, and two a year are part of your plan. Shall we send one?",
            ),
            Then::Ask(4, "To which address shall we send it: your home or your office?"),
        ],
    },
    Story {
        who: Who::Account("customer"),
        kind: Kind::Question,
        hours_ago: 24 * 6,
        subject: "Can a colleague come to the class in my place?",
        words: "I have to travel on that day. May somebody else of my office take my seat?",
        then: &[Then::Solve(
            5,
            "Yes, of course. Cancel yours until the day before and enrol your colleague: the seat is yours to give.",
        )],
    },
    Story {
        who: Who::Customer(16),
        kind: Kind::Claim,
        hours_ago: 20,
        subject: "Treno Milano – Venezia, 95 minuti di ritardo",
        words: "Il treno delle 7:45 è arrivato con 95 minuti di ritardo e ho perso la coincidenza. Chiedo l’indennizzo previsto per il mio biglietto da 42,50 euro.",
        then: &[Then::Note(3, "95 minutes: 25 % of 42.50 EUR. The ticket is on file.")],
    },
    Story {
        who: Who::Customer(8),
        kind: Kind::Complaint,
        hours_ago: 24 * 4,
        subject: "Nadie avisó del cambio de andén",
        words: "En Atocha cambiaron el andén dos minutos antes de la salida y no hubo ningún aviso. Perdimos el tren con dos niños.",
        then: &[Then::Answer(
            3,
            "Lucía, lo sentimos mucho. Estamos revisando qué pasó con los avisos de ese tren y te respondemos por completo esta semana.",
        )],
    },
    Story {
        who: Who::Customer(20),
        kind: Kind::Incident,
        hours_ago: 24 * 9,
        subject: "Bagaglio dimenticato sul treno",
        words: "Ho lasciato uno zaino blu nella carrozza 4, posto 12. Dentro c’è il computer del lavoro.",
        then: &[
            Then::Answer(
                1,
                "Abbiamo avvisato il personale di bordo: lo zaino è stato trovato e lo teniamo al deposito di Verona.",
            ),
            Then::Reply(4, "Grazie infinite! Passo domani a ritirarlo."),
            Then::Solve(30, "Lo zaino ti è stato consegnato. Buon viaggio!"),
            Then::Thanks(31),
        ],
    },
    Story {
        who: Who::Customer(0),
        kind: Kind::Incident,
        hours_ago: 5,
        subject: "The water heater trips the fuse",
        words: "Since the visit last week the fuse goes whenever the heater switches on. We have no hot water.",
        then: &[],
    },
    Story {
        who: Who::Customer(3),
        kind: Kind::Question,
        hours_ago: 24 * 12,
        subject: "Invoice with our VAT number",
        words: "Could you send the invoice again with our VAT number on it?",
        then: &[Then::Solve(4, "Here you are: the new invoice is among your documents."), Then::Thanks(20)],
    },
    Story {
        who: Who::Customer(24),
        kind: Kind::Question,
        hours_ago: 30,
        subject: "लेखा सॉफ़्टवेयर में GST रिपोर्ट",
        words: "नए संस्करण में GST रिपोर्ट कहाँ मिलेगी? पिछले महीने तक वह मुख्य मेनू में थी।",
        then: &[Then::Answer(4, "रिपोर्ट अब “कर” मेनू में है। अगले सप्ताह की कक्षा में हम इसे दिखाएँगे।")],
    },
    Story {
        who: Who::Customer(26),
        kind: Kind::Incident,
        hours_ago: 8,
        subject: "प्रिंटर काग़ज़ फँसा रहा है",
        words: "दो दिन से हर दूसरा पन्ना फँस जाता है। साफ़ करने पर भी वही हाल है।",
        then: &[],
    },
    Story {
        who: Who::Customer(32),
        kind: Kind::Question,
        hours_ago: 26,
        subject: "Ar galima perkelti techninę apžiūrą?",
        words: "Penktadienį įmonė nedirbs. Ar apžiūrą galima perkelti į kitą savaitę?",
        then: &[Then::Ask(2, "Žinoma. Ar tiktų antradienis, 10 valanda?")],
    },
    Story {
        who: Who::Customer(36),
        kind: Kind::Complaint,
        hours_ago: 24 * 20,
        subject: "Skaičiuoklė atvyko sugadinta",
        words: "Dėžė buvo įlenkta, ekranas įskilęs. Kurjeris sakė, kad jam tas pats.",
        then: &[
            Then::Answer(2, "Labai atsiprašome. Naują išsiunčiame šiandien, seną kurjeris pasiims nemokamai."),
            Then::Solve(60, "Naujas įrenginys pristatytas."),
            Then::Reply(70, "Naujas veikia, bet senojo niekas nepasiėmė."),
            Then::Solve(90, "Senąjį pasiėmėme, atsiprašome už vėlavimą."),
            Then::Thanks(100),
        ],
    },
    Story {
        who: Who::Account("owner"),
        kind: Kind::Question,
        hours_ago: 28,
        subject: "How many class seats are left in our plan?",
        words: "I would like to send two new employees. Are there seats left, and until when?",
        then: &[Then::Answer(
            2,
            "Rasa, your purchases show it: open the plan and you see each seat. Write if anything is unclear.",
        )],
    },
];

/// Tells the stories through the same use cases as everybody else.
pub async fn seed(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let agent = acting(cx, cast, "agent", Role::Agent)?;
    for story in STORIES {
        let customer = match story.who {
            Who::Account(account) => cast.person(account)?,
            Who::Customer(n) => cast.customer(n)?,
        };
        let opened = cx.now - TimeDelta::hours(story.hours_ago);
        let at = |hours: i64| (opened + TimeDelta::hours(hours)).min(cx.now);
        let theirs = Cx { now: opened, ..cx.as_viewer(viewer(customer, "customer@example.com", &[])?) };
        let form = Form::of(&[("kind", story.kind.as_str()), ("subject", story.subject), ("words", story.words)]);
        let id = service::open_by_form(&theirs, &form, None).await?;
        for then in story.then {
            let said = |words| Form::of(&[("words", words)]);
            let desk = |hours| Cx { now: at(hours), ..agent.clone() };
            let customer = |hours| Cx { now: at(hours), ..theirs.clone() };
            match *then {
                Then::Answer(hours, words) => {
                    service::by_desk(&desk(hours), id, DeskDeed::Answer, &said(words)).await?
                }
                Then::Ask(hours, words) => service::by_desk(&desk(hours), id, DeskDeed::Ask, &said(words)).await?,
                Then::Solve(hours, words) => {
                    service::by_desk(&desk(hours), id, DeskDeed::AnswerAndSolve, &said(words)).await?
                }
                Then::Note(hours, words) => service::by_desk(&desk(hours), id, DeskDeed::Note, &said(words)).await?,
                Then::Reply(hours, words) => {
                    service::by_customer(&customer(hours), id, CustomerDeed::Reply, &said(words)).await?
                }
                Then::Thanks(hours) => {
                    service::by_customer(&customer(hours), id, CustomerDeed::Confirm, &Form::default()).await?
                }
            }
        }
    }
    upset(cx, cast).await
}

/// A second contact about one matter: more urgent than the first, and with somebody senior.
async fn upset(cx: &Cx, cast: &Cast) -> Result<(), AppError> {
    let cx = Cx { now: cx.now - TimeDelta::hours(30), ..cx.as_viewer(Viewer::System) };
    let customer = cast.customer(12)?;
    cx.clone()
        .db()
        .write(move |tx| {
            let cx = cx.clone();
            Box::pin(async move {
                let new = NewCase {
                    customer,
                    kind: Kind::Complaint,
                    subject: "Segunda vez que llamo por la misma factura".to_owned(),
                    words: "Me habéis cobrado dos veces y nadie me ha devuelto la llamada.".to_owned(),
                    entity: None,
                    priority: Priority::High,
                };
                service::open(tx, &cx, new).await.map(|_| ())
            })
        })
        .await
}

/// The context of an account of the demo bar.
pub fn acting(cx: &Cx, cast: &Cast, account: &str, role: Role) -> Result<Cx, AppError> {
    let email =
        ACCOUNTS.iter().find(|(name, _, _)| *name == account).map_or("agent@example.com", |(_, email, _)| *email);
    Ok(cx.as_viewer(viewer(cast.person(account)?, email, &[role])?))
}

/// Somebody of the demo as a viewer.
fn viewer(id: PersonId, email: &str, roles: &[Role]) -> Result<Viewer, AppError> {
    Ok(Viewer::Person(Box::new(Person {
        id,
        name: String::new(),
        email: email.parse().map_err(|_| AppError::NotFound)?,
        language: None,
        zone: None,
        roles: roles.iter().copied().collect(),
        memberships: Vec::new(),
    })))
}
