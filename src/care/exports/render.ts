// Asks the render Worker for a file, within a time limit.
import { ApiError } from "../../platform/errors.ts";
import { type DocumentModel, MAX_BLOCKS, MAX_MODEL_BYTES } from "./document-model.ts";
import type { DocumentFormat, DocumentRenderer, RenderedDocument } from "./renderer.ts";

const DEADLINE_MS = 10_000;

/** The binding, which the generated types know as a service only. */
export const documentRenderer = (env: Pick<Env, "RENDER">): DocumentRenderer => env.RENDER as unknown as DocumentRenderer;

/** @throws ApiError render_unavailable, if the Worker fails or takes longer than 10 s; export_too_large */
export async function renderDocument(
  renderer: DocumentRenderer,
  model: DocumentModel,
  format: DocumentFormat,
): Promise<RenderedDocument> {
  if (model.blocks.length > MAX_BLOCKS || new TextEncoder().encode(JSON.stringify(model)).length > MAX_MODEL_BYTES)
    throw new ApiError("export_too_large");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the render Worker took too long")), DEADLINE_MS);
  });
  try {
    return await Promise.race([renderer.render(model, format), late]);
  } catch (cause) {
    throw new ApiError("render_unavailable", undefined, { cause });
  } finally {
    clearTimeout(timer);
  }
}
