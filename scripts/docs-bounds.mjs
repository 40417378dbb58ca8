// `npm run docs:bounds`: writes the table of what bounds each operation into docs/performance.md.
import { readFileSync, writeFileSync } from "node:fs";
import { app } from "../src/app.ts";
import { buildOpenApiDocument } from "../src/service/openapi-routes.ts";
import { renderBounds, replaceTable } from "./lib/bounds.mjs";

const page = "docs/performance.md";
writeFileSync(page, replaceTable(readFileSync(page, "utf8"), renderBounds(buildOpenApiDocument(app))));
