// PDF lifecycle hook: loads once, opens, re-renders on page or size changes, and releases on unmount.
import { type RefObject, useEffect, useRef, useState } from "react";
import { throwUnreachable } from "../platform/api/problem.ts";
import type { OpenPdf } from "./pdf.ts";

export type LoadPdf = (signal: AbortSignal) => Promise<ArrayBuffer>;
/** `unreadable`: the file was loaded but is not a PDF that can be shown. */
type PdfState = { status: "loading" } | { status: "failed" | "unreadable"; error: unknown } | { status: "open"; pdf: OpenPdf };

export function useOpenPdf(load: LoadPdf): PdfState {
  const [pdfState, setPdfState] = useState<PdfState>({ status: "loading" });
  const loadRef = useRef(load);
  useEffect(() => {
    const abort = new AbortController();
    let pdf: OpenPdf | null = null;
    async function open(): Promise<void> {
      let status: "failed" | "unreadable" = "failed";
      try {
        const [bytes, { openPdf }] = await Promise.all([
          loadRef.current(abort.signal),
          import("./pdf.ts").catch(throwUnreachable),
        ]);
        if (abort.signal.aborted) return;
        status = "unreadable";
        pdf = await openPdf(new Uint8Array(bytes));
        if (abort.signal.aborted) return pdf.close();
        setPdfState({ status: "open", pdf });
      } catch (error) {
        if (!abort.signal.aborted) setPdfState({ status, error });
      }
    }
    void open();
    return () => {
      abort.abort();
      pdf?.close();
    };
  }, []);
  return pdfState;
}

/** `null` fits the page to the width of its frame. */
export type Zoom = number | null;
export type DrawState = { busy: boolean; isComplete: boolean; error: unknown; scale: number };

export function usePdfDrawing(
  pdf: OpenPdf,
  canvas: RefObject<HTMLCanvasElement | null>,
  { page, zoom, width }: { page: number; zoom: Zoom; width: number },
): DrawState {
  const [drawState, setDrawState] = useState<DrawState>({ busy: true, isComplete: true, error: null, scale: 1 });
  useEffect(() => {
    if (width === 0) return;
    const abort = new AbortController();
    async function draw(): Promise<void> {
      setDrawState((previous) => ({ ...previous, busy: true, error: null }));
      try {
        const scale = zoom ?? Math.max(0.1, width / (await pdf.widthOf(page)));
        if (!canvas.current || abort.signal.aborted) return;
        const { isComplete } = await pdf.draw(canvas.current, page, scale, abort.signal);
        setDrawState({ busy: false, isComplete, error: null, scale });
      } catch (error) {
        if (!abort.signal.aborted) setDrawState((previous) => ({ ...previous, busy: false, error }));
      }
    }
    void draw();
    return () => abort.abort();
  }, [pdf, canvas, page, zoom, width]);
  useEffect(() => {
    const canvasElement = canvas.current;
    return () => {
      // Browsers keep a canvas's memory until it is garbage collected.
      if (canvasElement) canvasElement.width = 0;
    };
  }, [canvas]);
  return drawState;
}

/** The current width of an element, in whole pixels. */
export function useElementWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
