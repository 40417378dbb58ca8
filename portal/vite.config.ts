// Builds the portal to static files, and serves it with hot reload in front of a running server (`npm run dev`).
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { messageCatalogues } from "../scripts/portal-messages.mjs";

/** Parts of pdf.js that it asks for by their names (src/reports/upload/pdf.ts): the version stands in the folder instead of a hash. */
const PDF_PARTS = /_nowasm_fallback\.js$|^Foxit\w+\.pfb$/;
const pdfjs: { version: string } = JSON.parse(
  readFileSync(new URL("../node_modules/pdfjs-dist/package.json", import.meta.url), "utf8"),
);

const server = process.env["EDGECARE_URL"] ?? "http://localhost:8787";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [react(), messageCatalogues(fileURLToPath(new URL("src", import.meta.url)))],
  worker: { format: "es" },
  build: {
    outDir: "../dist/portal",
    emptyOutDir: true,
    assetsDir: "portal",
    target: "es2023",
    // A stylesheet or script in the page itself would break the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: {
        assetFileNames: ({ names }) =>
          PDF_PARTS.test(names[0] ?? "") ? `portal/pdfjs-${pdfjs.version}/[name][extname]` : "portal/[name]-[hash][extname]",
      },
    },
  },
  server: {
    port: 5173,
    proxy: { "/api": { target: server, ws: true, changeOrigin: false }, "/health": server, "/docs": server, "/assets": server },
  },
});
