// Puts the documentation pages' files together in dist/public: our scripts, Swagger UI and Redoc; nothing from elsewhere.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const out = "dist/public/assets";
rmSync("dist/public", { recursive: true, force: true });
mkdirSync(out, { recursive: true });
cpSync("public/assets", out, { recursive: true });
for (const file of ["swagger-ui.css", "swagger-ui-bundle.js"]) cpSync(`node_modules/swagger-ui-dist/${file}`, `${out}/${file}`);
// Redoc would fetch its maker's logo from a CDN.
const redoc = readFileSync("node_modules/redoc/bundles/redoc.standalone.js", "utf8");
writeFileSync(`${out}/redoc.standalone.js`, redoc.replaceAll("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,"));
