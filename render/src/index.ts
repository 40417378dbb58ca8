// The Worker that renders documents: called by the API through a service binding, never from outside.
import { WorkerEntrypoint } from "cloudflare:workers";
import type { DocumentModel } from "../../src/care/exports/document-model.ts";
import type { DocumentFormat, DocumentRenderer, RenderedDocument } from "../../src/care/exports/renderer.ts";
import { loadFonts } from "./assets.ts";
import { renderDocx } from "./docx/render-docx.ts";
import { renderPdf } from "./pdf/render-pdf.ts";
import { textsOf } from "./texts.ts";

export class RenderService extends WorkerEntrypoint<RenderEnv> implements DocumentRenderer {
  /** @throws RangeError if created_at is no time */
  async render(model: DocumentModel, format: DocumentFormat): Promise<RenderedDocument> {
    if (format === "docx") return renderDocx(model);
    return renderPdf(model, await loadFonts(textsOf(model).join("\n"), (path) => this.#asset(path)));
  }

  async #asset(path: string): Promise<Uint8Array> {
    const response = await this.env.ASSETS.fetch(`https://assets${path}`);
    if (!response.ok) throw new Error(`no font at ${path}: ${response.status}`);
    return response.bytes();
  }
}

export default { fetch: () => new Response(null, { status: 404 }) };
