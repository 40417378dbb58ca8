// PDFs, drawn by pdf.js in a worker of ours. It comes only when somebody opens a file.
import { GlobalWorkerOptions, getDocument, type PDFDocumentProxy, VerbosityLevel } from "pdfjs-dist";

GlobalWorkerOptions.workerSrc = new URL("pdfjs-dist/build/pdf.worker.min.mjs", import.meta.url).href;
/** Scans: CCITT and JBIG2, and JPEG 2000. pdf.js finds them by their names, which the build therefore keeps. */
const DECODERS = [
  new URL("pdfjs-dist/wasm/jbig2_nowasm_fallback.js", import.meta.url),
  new URL("pdfjs-dist/wasm/openjpeg_nowasm_fallback.js", import.meta.url),
] as const;
/** The two standard fonts that systems do not have. */
const STANDARD_FONTS = [
  new URL("pdfjs-dist/standard_fonts/FoxitSymbol.pfb", import.meta.url),
  new URL("pdfjs-dist/standard_fonts/FoxitDingbats.pfb", import.meta.url),
] as const;
/** What a phone can hold as one canvas. */
const MAX_PIXELS = 16_000_000;

export type OpenPdf = {
  pages: number;
  /** Of a page at 100 %, in CSS pixels. */
  widthOf: (page: number) => Promise<number>;
  /**
   * Draws a page; what is on the canvas stays until the new page is whole.
   * @returns whether all of it could be drawn: a trace that is missing must not look like one that is flat
   */
  draw: (canvas: HTMLCanvasElement, page: number, scale: number, signal: AbortSignal) => Promise<{ isComplete: boolean }>;
  textOf: (page: number) => Promise<string>;
  close: () => void;
};

/** @throws what pdf.js says of a file that it cannot open */
export async function openPdf(bytes: Uint8Array<ArrayBuffer>): Promise<OpenPdf> {
  let task = startLoading(bytes, true);
  let document = await task.promise.catch(async () => {
    task = startLoading(bytes, false);
    return task.promise;
  });
  let closed = false;
  let isStrict = true;

  /** Begins anew with what can be drawn of the file. */
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

/** PDFs count in points of 1/72 inch, pages of ours in CSS pixels of 1/96. */
const CSS_SCALE = 96 / 72;

/** @param isStrict stop at what cannot be drawn, instead of leaving it out */
function startLoading(bytes: Uint8Array<ArrayBuffer>, isStrict: boolean) {
  return getDocument({
    // The worker takes the bytes for itself.
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
    // A picture that could not be decoded is left out, and nothing else says so.
    return { isComplete: ![...page.objs, ...page.commonObjs].some(([, data]) => data === null) };
  } finally {
    signal.removeEventListener("abort", stop);
    // Browsers keep a canvas's pixels until somebody collects it.
    offscreen.width = 0;
    page.cleanup();
  }
}
