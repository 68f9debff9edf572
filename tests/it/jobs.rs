//! Work for later.

use crate::{both, world::World};

both! {
    async fn a_letter_waits_for_days_until_a_mail_server_takes_it(world: World) {
        let world = World::without_mail(world.engine).await;
        world.post(None, "/sign-in", &[("email", "ann@example.com")]).await;
        for _ in 0..30 {
            world.corrupt("update job set leased_until = null").await;
            world.drain().await;
        }
        assert_eq!(world.count("select attempts from job where kind = 'deliver'").await, 30);
        assert_eq!(world.count("select count(*) from job where failed_at is not null").await, 0);
        assert_eq!(world.broken().await, Vec::<String>::new());
        // Not for ever, and then it is seen.
        world.corrupt("update job set attempts = 249, leased_until = null").await;
        world.drain().await;
        assert_eq!(world.broken().await, ["job_given_up"]);
    }
}
