// PDFs, drawn by pdf.js in a worker of ours. It comes only when somebody opens a file.
import { GlobalWorkerOptions, getDocument, type PDFDocumentProxy, VerbosityLevel } from "pdfjs-dist";

GlobalWorkerOptions.workerSrc = new URL("pdfjs-dist/build/pdf.worker.min.mjs", import.meta.url).href;
/** Scans: CCITT and JBIG2, and JPEG 2000. pdf.js finds them by their names, which the build therefore keeps. */
const DECODERS = [
  new URL("pdfjs-dist/wasm/jbig2_nowasm_fallback.js", import.meta.url),
  new URL("pdfjs-dist/wasm/openjpeg_nowasm_fallback.js", import.meta.url),
] as const;
/** The two standard fonts that systems do not have. */
const FONTS = [
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
  draw: (canvas: HTMLCanvasElement, page: number, scale: number, signal: AbortSignal) => Promise<{ whole: boolean }>;
  textOf: (page: number) => Promise<string>;
  close: () => void;
};

/** @throws what pdf.js says of a file that it cannot open */
export async function openPdf(bytes: Uint8Array<ArrayBuffer>): Promise<OpenPdf> {
  let task = read(bytes, true);
  let document = await task.promise.catch(async () => {
    task = read(bytes, false);
    return task.promise;
  });
  let closed = false;
  let strict = true;

  /** Begins anew with what can be drawn of the file. */
  async function beLenient(): Promise<void> {
    if (!strict || closed) return;
    strict = false;
    const before = task;
    task = read(bytes, false);
    document = await task.promise;
    await before.destroy();
  }

  return {
    pages: document.numPages,
    widthOf: async (page) => (await document.getPage(page)).getViewport({ scale: CSS_SCALE }).width,
    async draw(canvas, page, scale, signal) {
      if (strict) {
        try {
          return await drawPage(document, canvas, page, scale, signal);
        } catch (error) {
          if (signal.aborted) throw error;
          await beLenient();
        }
      }
      await drawPage(document, canvas, page, scale, signal);
      return { whole: false };
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

/** @param strict stop at what cannot be drawn, instead of leaving it out */
function read(bytes: Uint8Array<ArrayBuffer>, strict: boolean) {
  return getDocument({
    // The worker takes the bytes for itself.
    data: bytes.slice(),
    stopAtErrors: strict,
    useWasm: false,
    wasmUrl: new URL(".", DECODERS[0]).href,
    standardFontDataUrl: new URL(".", FONTS[0]).href,
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
): Promise<{ whole: boolean }> {
  const page = await document.getPage(number);
  signal.throwIfAborted();
  const css = page.getViewport({ scale: scale * CSS_SCALE });
  const density = Math.min(devicePixelRatio, Math.sqrt(MAX_PIXELS / (css.width * css.height)));
  const viewport = page.getViewport({ scale: scale * CSS_SCALE * density });
  const sheet = window.document.createElement("canvas");
  sheet.width = Math.max(1, Math.floor(viewport.width));
  sheet.height = Math.max(1, Math.floor(viewport.height));
  const drawing = page.render({ canvas: sheet, viewport });
  const stop = () => drawing.cancel();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await drawing.promise;
    signal.throwIfAborted();
    canvas.width = sheet.width;
    canvas.height = sheet.height;
    canvas.style.width = `${Math.floor(css.width)}px`;
    canvas.getContext("2d")?.drawImage(sheet, 0, 0);
    // A picture that could not be decoded is left out, and nothing else says so.
    return { whole: ![...page.objs, ...page.commonObjs].some(([, data]) => data === null) };
  } finally {
    signal.removeEventListener("abort", stop);
    // Browsers keep a canvas's pixels until somebody collects it.
    sheet.width = 0;
    page.cleanup();
  }
}
