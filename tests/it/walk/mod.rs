//! Walks over the whole portal: every address as everybody, every act with its line of history, and whatever hostile
//! people send. In the demo world, on SQLite: these are rules of the router and the services, not of the engine.

mod acts;
mod digest;
mod doors;
mod hostile;
mod quiet;
mod table;
mod things;

use crate::world::{Engine, Signed, World};
use aftercare::access::Role;
use digest::Digest;

/// Who walks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Who {
    Guest,
    /// The customer whose things are walked over.
    Customer,
    /// Another customer.
    Stranger,
    /// The owner of another firm.
    Owner,
    Staff(Role),
}

impl Who {
    const ALL: [Self; 9] = [
        Self::Guest,
        Self::Customer,
        Self::Stranger,
        Self::Owner,
        Self::Staff(Role::Trainer),
        Self::Staff(Role::Technician),
        Self::Staff(Role::Agent),
        Self::Staff(Role::Manager),
        Self::Staff(Role::Admin),
    ];

    fn email(self) -> Option<String> {
        match self {
            Self::Guest => None,
            Self::Customer => Some("customer@example.com".to_owned()),
            Self::Stranger => Some("amelia.hughes@example.org".to_owned()),
            Self::Owner => Some("lucia.fernandez@example.org".to_owned()),
            Self::Staff(role) => Some(format!("{}@example.com", role.as_str())),
        }
    }

    async fn enter(self, world: &World) -> Option<Signed> {
        match self.email() {
            Some(email) => Some(world.signed(&email).await),
            None => None,
        }
    }
}

async fn demo() -> World {
    World::demo(Engine::Sqlite).await
}

/// The first cell of the first row, as text.
async fn text(world: &World, sql: &str) -> String {
    found(world, sql).await.unwrap_or_else(|| panic!("the demo has no row for: {sql}"))
}

async fn found(world: &World, sql: &str) -> Option<String> {
    let mut connection = digest::connect(world).await;
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_optional(&mut connection).await.unwrap()
}
