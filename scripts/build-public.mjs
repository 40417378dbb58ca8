// Puts together what the Worker serves as files, in dist/public: the portal, and the documentation pages with our scripts,
// Swagger UI and Redoc; nothing from elsewhere.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { buildPortal } from "./build-portal.mjs";

const outDir = "dist/public/assets";
await buildPortal();
mkdirSync(outDir, { recursive: true });
// Emptied, not removed: a server that watches the folder would lose it.
for (const name of readdirSync("dist/public")) rmSync(`dist/public/${name}`, { recursive: true, force: true });
mkdirSync(outDir);
cpSync("dist/portal", "dist/public", { recursive: true, filter: (path) => !path.endsWith("_headers") });
cpSync("public/assets", outDir, { recursive: true });
for (const file of ["swagger-ui.css", "swagger-ui-bundle.js"])
  cpSync(`node_modules/swagger-ui-dist/${file}`, `${outDir}/${file}`);
// Redoc would fetch its maker's logo from a CDN.
const redoc = readFileSync("node_modules/redoc/bundles/redoc.standalone.js", "utf8");
writeFileSync(`${outDir}/redoc.standalone.js`, redoc.replaceAll("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"));
