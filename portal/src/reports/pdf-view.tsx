// A PDF page by page: previous, next, zoom, fit. Give it a `key`: it reads its file once, and another file is another view.
import { Button } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { Problem } from "../api/problem.ts";
import { Failed, Loading } from "../design/states.tsx";
import { number } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import type { OpenPdf } from "./pdf.ts";
import classes from "./pdf-view.module.css";
import { type Load, useDrawn, useOpenPdf, useWidth, type Zoom } from "./use-pdf.ts";

type PdfViewProps = {
  /** The bytes of the file. @throws Problem, which is shown */
  load: Load;
  page: number;
  onPage: (page: number) => void;
  /** What the file is, for those who do not see it: "ECG of 21 Nov 2026". */
  label?: string;
  /** How to get the file itself, offered where it cannot be shown. */
  download?: ReactNode;
};

export function PdfView({ load, page, onPage, label, download }: PdfViewProps) {
  const say = useSay();
  const opened = useOpenPdf(load);
  if (opened.status === "loading") return <Loading />;
  if (opened.status === "failed" && opened.error instanceof Problem) {
    return (
      <div className={classes.failed}>
        <Failed error={opened.error} />
        {download}
      </div>
    );
  }
  if (opened.status !== "open") return <Unreadable error={opened.error}>{download}</Unreadable>;
  return <Pages pdf={opened.pdf} page={page} onPage={onPage} label={label ?? say("reports.pdf")} download={download} />;
}

function Unreadable({ error, children }: { error: unknown; children?: ReactNode }) {
  const say = useSay();
  const locked = error instanceof Error && error.name === "PasswordException";
  return (
    <div className={classes.failed} role="alert">
      <p>{say(locked ? "reports.pdf_locked" : "reports.pdf_unreadable")}</p>
      {children}
    </div>
  );
}

const STEPS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4] as const;

type PagesProps = Omit<PdfViewProps, "load"> & { pdf: OpenPdf; label: string };

function Pages({ pdf, page: asked, onPage, label, download }: PagesProps) {
  const say = useSay();
  const frame = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [zoom, setZoom] = useState<Zoom>(null);
  const width = useWidth(frame);
  const page = Math.min(Math.max(1, Math.floor(asked) || 1), pdf.pages);
  const { busy, whole, error, scale } = useDrawn(pdf, canvas, { page, zoom, width });
  const smaller = STEPS.findLast((step) => step < scale - 0.01);
  const larger = STEPS.find((step) => step > scale + 0.01);
  const place = say("reports.page_of", { page, pages: pdf.pages });
  return (
    <div className={classes.view}>
      <div className={classes.bar}>
        <Button variant="default" disabled={page <= 1} onClick={() => onPage(page - 1)} aria-label={say("reports.previous_page")}>
          ◀
        </Button>
        <span role="status">{place}</span>
        <Button
          variant="default"
          disabled={page >= pdf.pages}
          onClick={() => onPage(page + 1)}
          aria-label={say("reports.next_page")}
        >
          ▶
        </Button>
        <span className={classes.gap} />
        <span className={classes.zoom}>
          <Button
            variant="default"
            disabled={!smaller}
            onClick={() => setZoom(smaller ?? null)}
            aria-label={say("reports.zoom_out")}
          >
            −
          </Button>
          <span>{number(Math.round(scale * 100))} %</span>
          <Button
            variant="default"
            disabled={!larger}
            onClick={() => setZoom(larger ?? null)}
            aria-label={say("reports.zoom_in")}
          >
            +
          </Button>
          <Button variant="default" aria-pressed={zoom === null} onClick={() => setZoom(null)}>
            {say("reports.fit")}
          </Button>
        </span>
      </div>
      {!whole && (
        <div className={classes.warning} role="alert">
          {say("reports.pdf_partial")} {download}
        </div>
      )}
      {error !== null && <Unreadable error={error}>{download}</Unreadable>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.frame} ref={frame} aria-label={label} aria-busy={busy} tabIndex={0}>
        <canvas ref={canvas} role="img" aria-label={`${label}, ${place}`} data-failed={error !== null} />
      </section>
      <PageText key={page} pdf={pdf} page={page} />
    </div>
  );
}

/** What stands on the page as text, for screen readers and to copy; pictures of text have none. */
function PageText({ pdf, page }: { pdf: OpenPdf; page: number }) {
  const say = useSay();
  const [text, setText] = useState<string | null>(null);
  const read = () => {
    pdf.textOf(page).then(setText, () => setText(""));
  };
  return (
    <details className={classes.text} onToggle={(event) => event.currentTarget.open && text === null && read()}>
      <summary>{say("reports.page_text")}</summary>
      <p>{text?.trim() || (text === null ? say("common.loading") : say("reports.page_without_text"))}</p>
    </details>
  );
}
