// Puts the documentation pages' files together in dist/public: our scripts, Swagger UI and Redoc; nothing from elsewhere.
import { cpSync, mkdirSync, rmSync } from "node:fs";

const out = "dist/public/assets";
rmSync("dist/public", { recursive: true, force: true });
mkdirSync(out, { recursive: true });
cpSync("public/assets", out, { recursive: true });
for (const file of ["swagger-ui.css", "swagger-ui-bundle.js"]) cpSync(`node_modules/swagger-ui-dist/${file}`, `${out}/${file}`);
cpSync("node_modules/redoc/bundles/redoc.standalone.js", `${out}/redoc.standalone.js`);
