// Checks exported documents with programs that others wrote: qpdf, LibreOffice and unzip. One that is not installed is skipped.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadFonts } from "../render/src/assets.ts";
import { renderDocx } from "../render/src/docx/render-docx.ts";
import { renderPdf } from "../render/src/pdf/render-pdf.ts";
import { textsOf } from "../render/src/texts.ts";
import { documentModel, longModel, SCRIPTS } from "../test/document-models.ts";
import { buildRenderAssets, RENDER_ASSETS } from "./build-render.mjs";

buildRenderAssets();
const folder = mkdtempSync(join(tmpdir(), "edgecare-documents-"));
const scripts = Object.values(SCRIPTS).map((text) => ({ type: /** @type {const} */ ("paragraph"), text }));
const models = { hindi: documentModel(), long: longModel(), scripts: documentModel({ language: "en", blocks: scripts }) };
let failed = 0;

/** @returns whether the program is installed and content with the file */
function check(program, args, expected) {
  const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 120_000 });
  if (error && "code" in error && error.code === "ENOENT") return console.log(`${program}: skipped: not installed`);
  const isGood = status === 0 && (!expected || existsSync(expected));
  console.log(`${program} ${args.join(" ")}: ${isGood ? "passed" : `failed (${status})\n${stdout}${stderr}`}`);
  if (!isGood) failed++;
}

for (const [name, model] of Object.entries(models)) {
  const fonts = await loadFonts(textsOf(model).join("\n"), async (path) => new Uint8Array(readFileSync(RENDER_ASSETS + path)));
  const [pdf, docx] = [join(folder, `${name}.pdf`), join(folder, `${name}.docx`)];
  writeFileSync(pdf, (await renderPdf(model, fonts)).bytes);
  writeFileSync(docx, (await renderDocx(model)).bytes);
  check("qpdf", ["--check", pdf]);
  check("unzip", ["-tq", docx]);
  const target = join(folder, "converted");
  check("soffice", ["--headless", "--convert-to", "pdf", "--outdir", target, docx], join(target, `${name}.pdf`));
}
rmSync(folder, { recursive: true, force: true });
console.log(`documents: ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
