// A PDF's life in a page: read once, opened, drawn again when page or size change, and given back on leaving.
import { type RefObject, useEffect, useRef, useState } from "react";
import { unreachable } from "../api/problem.ts";
import type { OpenPdf } from "./pdf.ts";

export type Load = (signal: AbortSignal) => Promise<ArrayBuffer>;
/** `unreadable`: the file came, and is no PDF that can be shown. */
type Opened = { status: "loading" } | { status: "failed" | "unreadable"; error: unknown } | { status: "open"; pdf: OpenPdf };

export function useOpenPdf(load: Load): Opened {
  const [opened, setOpened] = useState<Opened>({ status: "loading" });
  const first = useRef(load);
  useEffect(() => {
    const leaving = new AbortController();
    let pdf: OpenPdf | null = null;
    async function open(): Promise<void> {
      let status: "failed" | "unreadable" = "failed";
      try {
        const [bytes, { openPdf }] = await Promise.all([first.current(leaving.signal), import("./pdf.ts").catch(unreachable)]);
        if (leaving.signal.aborted) return;
        status = "unreadable";
        pdf = await openPdf(new Uint8Array(bytes));
        if (leaving.signal.aborted) return pdf.close();
        setOpened({ status: "open", pdf });
      } catch (error) {
        if (!leaving.signal.aborted) setOpened({ status, error });
      }
    }
    void open();
    return () => {
      leaving.abort();
      pdf?.close();
    };
  }, []);
  return opened;
}

/** `null` fits the page's width into its frame. */
export type Zoom = number | null;
export type Drawn = { busy: boolean; whole: boolean; error: unknown; scale: number };

export function useDrawn(
  pdf: OpenPdf,
  canvas: RefObject<HTMLCanvasElement | null>,
  { page, zoom, width }: { page: number; zoom: Zoom; width: number },
): Drawn {
  const [drawn, setDrawn] = useState<Drawn>({ busy: true, whole: true, error: null, scale: 1 });
  useEffect(() => {
    if (width === 0) return;
    const stale = new AbortController();
    async function draw(): Promise<void> {
      setDrawn((before) => ({ ...before, busy: true, error: null }));
      try {
        const scale = zoom ?? Math.max(0.1, width / (await pdf.widthOf(page)));
        if (!canvas.current || stale.signal.aborted) return;
        const { whole } = await pdf.draw(canvas.current, page, scale, stale.signal);
        setDrawn({ busy: false, whole, error: null, scale });
      } catch (error) {
        if (!stale.signal.aborted) setDrawn((before) => ({ ...before, busy: false, error }));
      }
    }
    void draw();
    return () => stale.abort();
  }, [pdf, canvas, page, zoom, width]);
  useEffect(() => {
    const drawnOn = canvas.current;
    return () => {
      // Browsers keep a canvas's pixels until somebody collects it.
      if (drawnOn) drawnOn.width = 0;
    };
  }, [canvas]);
  return drawn;
}

/** The width of an element, in whole pixels, as it changes. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
