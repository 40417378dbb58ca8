// Builds the Worker's static files in dist/public: the portal, and the documentation pages with local copies of Swagger UI
// and Redoc; nothing is loaded from other hosts.
// With EDGECARE_BUILD=reuse the existing build stays if no source has changed since.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { buildPortal } from "./build-portal.mjs";
import { sourcesHash } from "./lib/sources-hash.mjs";

const outDir = "dist/public/assets";
/** Records the sources from which dist/public was built. */
const STAMP = "dist/public.sha256";
/** All sources of the pages; the lock file stands for installed packages. */
const SOURCES = [
  "portal",
  "public",
  "src",
  "scripts/build-portal.mjs",
  "scripts/build-public.mjs",
  "scripts/portal-messages.mjs",
  "package-lock.json",
  "tsconfig.json",
];

async function build() {
  await buildPortal();
  mkdirSync(outDir, { recursive: true });
  // Emptied, not removed: a running server that watches the folder would lose it.
  for (const name of readdirSync("dist/public")) rmSync(`dist/public/${name}`, { recursive: true, force: true });
  mkdirSync(outDir);
  cpSync("dist/portal", "dist/public", { recursive: true, filter: (path) => !path.endsWith("_headers") });
  cpSync("public/assets", outDir, { recursive: true });
  for (const file of ["swagger-ui.css", "swagger-ui-bundle.js"])
    cpSync(`node_modules/swagger-ui-dist/${file}`, `${outDir}/${file}`);
  // Redoc would load its vendor's logo from a CDN.
  const redoc = readFileSync("node_modules/redoc/bundles/redoc.standalone.js", "utf8");
  writeFileSync(`${outDir}/redoc.standalone.js`, redoc.replaceAll("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"));
}

const hash = sourcesHash(SOURCES);
const isBuilt = existsSync(STAMP) && existsSync("dist/public/index.html") && readFileSync(STAMP, "utf8") === hash;
if (process.env.EDGECARE_BUILD !== "reuse" || !isBuilt) {
  // An interrupted build leaves no record.
  rmSync(STAMP, { force: true });
  await build();
  writeFileSync(STAMP, hash);
}
