// Loads the wasm when the page has been read, and wakes the islands on it. Pages work without any of this.
const tag = document.querySelector("script[data-module]");
const wake = async () => {
  const module = await import(tag.dataset.module);
  await module.default({ module_or_path: tag.dataset.wasm });
  module.hydrate();
  for (const island of document.querySelectorAll("leptos-island")) {
    const start = module[island.dataset.component];
    if (start) await start(island);
  }
  document.documentElement.dataset.alive = "";
};
wake().catch((error) => console.warn(`The islands stay still: ${error}`));
