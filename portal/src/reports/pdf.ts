// PDF rendering with pdf.js in a worker, loaded when the first file is opened.
import { GlobalWorkerOptions, getDocument, type PDFDocumentProxy, VerbosityLevel } from "pdfjs-dist";

GlobalWorkerOptions.workerSrc = new URL("pdfjs-dist/build/pdf.worker.min.mjs", import.meta.url).href;
/** Decoders for CCITT, JBIG2 and JPEG 2000. pdf.js loads them by name, so the build keeps the file names. */
const DECODERS = [
  new URL("pdfjs-dist/wasm/jbig2_nowasm_fallback.js", import.meta.url),
  new URL("pdfjs-dist/wasm/openjpeg_nowasm_fallback.js", import.meta.url),
] as const;
/** The two standard fonts that systems do not provide. */
const STANDARD_FONTS = [
  new URL("pdfjs-dist/standard_fonts/FoxitSymbol.pfb", import.meta.url),
  new URL("pdfjs-dist/standard_fonts/FoxitDingbats.pfb", import.meta.url),
] as const;
/** Maximum canvas size that phones support. */
const MAX_PIXELS = 16_000_000;

export type OpenPdf = {
  pages: number;
  /** Page size at 100 %, in CSS pixels. */
  widthOf: (page: number) => Promise<number>;
  /**
   * Renders a page; the canvas keeps its content until the new page is complete.
   * @returns whether the page was drawn completely: a missing trace must not look like a flat one
   */
  draw: (canvas: HTMLCanvasElement, page: number, scale: number, signal: AbortSignal) => Promise<{ isComplete: boolean }>;
  textOf: (page: number) => Promise<string>;
  close: () => void;
};

/** @throws the pdf.js error for a file that cannot be opened */
export async function openPdf(bytes: Uint8Array<ArrayBuffer>): Promise<OpenPdf> {
  let task = startLoading(bytes, true);
  let document = await task.promise.catch(async () => {
    task = startLoading(bytes, false);
    return task.promise;
  });
  let closed = false;
  let isStrict = true;

  /** Reopens the file in tolerant mode, which skips what cannot be drawn. */
  async function reopenLeniently(): Promise<void> {
    if (!isStrict || closed) return;
    isStrict = false;
    const previousTask = task;
    task = startLoading(bytes, false);
    document = await task.promise;
    await previousTask.destroy();
  }

  return {
    pages: document.numPages,
    widthOf: async (page) => (await document.getPage(page)).getViewport({ scale: CSS_SCALE }).width,
    async draw(canvas, page, scale, signal) {
      if (isStrict) {
        try {
          return await drawPage(document, canvas, page, scale, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          await reopenLeniently();
        }
      }
      await drawPage(document, canvas, page, scale, signal);
      return { isComplete: false };
    },
    async textOf(page) {
      const { items } = await (await document.getPage(page)).getTextContent();
      return items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : " ") : "")).join("");
    },
    close() {
      closed = true;
      void task.destroy();
    },
  };
}

/** PDF units are 1/72 inch, CSS pixels 1/96. */
const CSS_SCALE = 96 / 72;

/** @param isStrict fail on content that cannot be drawn, instead of skipping it */
function startLoading(bytes: Uint8Array<ArrayBuffer>, isStrict: boolean) {
  return getDocument({
    // The worker takes ownership of the bytes.
    data: bytes.slice(),
    stopAtErrors: isStrict,
    useWasm: false,
    wasmUrl: new URL(".", DECODERS[0]).href,
    standardFontDataUrl: new URL(".", STANDARD_FONTS[0]).href,
    disableWorkerRendering: true,
    verbosity: VerbosityLevel.ERRORS,
  });
}

async function drawPage(
  document: PDFDocumentProxy,
  canvas: HTMLCanvasElement,
  number: number,
  scale: number,
  signal: AbortSignal,
): Promise<{ isComplete: boolean }> {
  const page = await document.getPage(number);
  signal.throwIfAborted();
  const css = page.getViewport({ scale: scale * CSS_SCALE });
  const density = Math.min(devicePixelRatio, Math.sqrt(MAX_PIXELS / (css.width * css.height)));
  const viewport = page.getViewport({ scale: scale * CSS_SCALE * density });
  const offscreen = window.document.createElement("canvas");
  offscreen.width = Math.max(1, Math.floor(viewport.width));
  offscreen.height = Math.max(1, Math.floor(viewport.height));
  const drawing = page.render({ canvas: offscreen, viewport });
  const stop = () => drawing.cancel();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await drawing.promise;
    signal.throwIfAborted();
    canvas.width = offscreen.width;
    canvas.height = offscreen.height;
    canvas.style.width = `${Math.floor(css.width)}px`;
    canvas.getContext("2d")?.drawImage(offscreen, 0, 0);
    // pdf.js skips an image that fails to decode without reporting it.
    return { isComplete: ![...page.objs, ...page.commonObjs].some(([, data]) => data === null) };
  } finally {
    signal.removeEventListener("abort", stop);
    // Browsers keep a canvas's memory until it is garbage collected.
    offscreen.width = 0;
    page.cleanup();
  }
}
