//! Files: immutable under their build's name, and those of earlier builds for pages that outlive a deploy.

use crate::{
    both,
    world::{Engine, World},
};
use axum::http::StatusCode;

both! {
    async fn a_file_of_this_build_is_kept_for_a_year(world: World) {
        let reply = world.get(None, &world.app.assets.address("main.css")).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.headers["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(reply.headers["content-type"], "text/css; charset=utf-8");
    }
}

#[tokio::test]
async fn a_page_of_an_earlier_build_still_finds_its_files() {
    let world = World::new(Engine::Sqlite).await;
    let folder = world.app.config.data_dir.join("assets/0123456789ab/pkg");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("aftercare.js"), "old").unwrap();
    let reply = world.get(None, "/assets/0123456789ab/pkg/aftercare.js").await;
    assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, "old"));
    std::fs::write(world.app.config.data_dir.join("secret"), "x").unwrap();
    for path in [
        "/assets/0123456789ab/../../secret",
        "/assets/0123456789ab/..%2f..%2fsecret",
        "/assets/0123456789ab/pkg",
        "/assets/ffffffffffff/main.css",
        "/assets/..%2f../secret",
    ] {
        assert_eq!(world.get(None, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn this_build_is_kept_for_pages_that_outlive_it() {
    let world = World::new(Engine::Sqlite).await;
    world.app.assets.keep(&world.app.config.data_dir).unwrap();
    let kept = world.app.config.data_dir.join("assets").join(world.app.assets.build()).join("main.css");
    assert!(kept.is_file());
}
