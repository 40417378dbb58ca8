// Builds the Worker edgecare-render: its fonts in dist/render/assets, and its bundle in dist/render/worker, which tests run.
// The bundle stays if nothing that it is made of has changed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { writeFonts } from "./lib/render-fonts.mjs";
import { sourcesHash } from "./lib/sources-hash.mjs";

export const RENDER_BUNDLE = "dist/render/worker/index.js";
export const RENDER_ASSETS = "dist/render/assets";
/** Records the sources from which the bundle was built. */
const STAMP = "dist/render/worker.sha256";
const SOURCES = [
  "render",
  "src/care/exports/document-model.ts",
  "src/care/exports/renderer.ts",
  "scripts/build-render.mjs",
  "package-lock.json",
];

/** The fonts alone: what wrangler dev needs. */
export function buildRenderAssets() {
  mkdirSync(`${RENDER_ASSETS}/fonts`, { recursive: true });
  writeFonts(`${RENDER_ASSETS}/fonts`);
}

/** Fonts and bundle, if they are not up to date. */
export function buildRender() {
  buildRenderAssets();
  const hash = sourcesHash(SOURCES);
  if (existsSync(RENDER_BUNDLE) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === hash) return;
  // An interrupted build leaves no record.
  rmSync(STAMP, { force: true });
  const { status, stderr, stdout } = spawnSync(
    "wrangler",
    ["deploy", "--dry-run", "-c", "render/wrangler.toml", "--outdir", resolve("dist/render/worker")],
    { env: { ...process.env, WRANGLER_SEND_METRICS: "false" }, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the render Worker was not built:\n${stdout}${stderr}`);
  writeFileSync(STAMP, hash);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) buildRender();
