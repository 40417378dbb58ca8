// PDF viewer with paging, zoom and fit. Needs a `key` per file: the file is read once per mount.
import { Button } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { Problem } from "../platform/api/problem.ts";
import { formatNumber } from "../platform/design/format.ts";
import { LoadError, Loading } from "../platform/design/query-states.tsx";
import { useTranslation } from "../platform/messages/translate.ts";
import type { OpenPdf } from "./pdf.ts";
import classes from "./pdf-view.module.css";
import { type LoadPdf, useElementWidth, useOpenPdf, usePdfDrawing, type Zoom } from "./use-pdf.ts";

type PdfViewProps = {
  /** Loads the file's bytes. @throws Problem, which is shown */
  load: LoadPdf;
  page: number;
  onPage: (page: number) => void;
  /** Accessible name of the file: "ECG of 21 Nov 2026". */
  label?: string;
  /** Download action, offered when the file cannot be shown. */
  download?: ReactNode;
};

export function PdfView({ load, page, onPage, label, download }: PdfViewProps) {
  const t = useTranslation();
  const opened = useOpenPdf(load);
  if (opened.status === "loading") return <Loading />;
  if (opened.status === "failed" && opened.error instanceof Problem) {
    return (
      <div className={classes.failed}>
        <LoadError error={opened.error} />
        {download}
      </div>
    );
  }
  if (opened.status !== "open") return <PdfError error={opened.error}>{download}</PdfError>;
  return <PdfPages pdf={opened.pdf} page={page} onPage={onPage} label={label ?? t("reports.pdf")} download={download} />;
}

function PdfError({ error, children }: { error: unknown; children?: ReactNode }) {
  const t = useTranslation();
  const isLocked = error instanceof Error && error.name === "PasswordException";
  return (
    <div className={classes.failed} role="alert">
      <p>{t(isLocked ? "reports.pdf_locked" : "reports.pdf_unreadable")}</p>
      {children}
    </div>
  );
}

const ZOOM_STEPS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4] as const;

type PdfPagesProps = Omit<PdfViewProps, "load"> & { pdf: OpenPdf; label: string };

function PdfPages({ pdf, page: requestedPage, onPage, label, download }: PdfPagesProps) {
  const t = useTranslation();
  const frame = useRef<HTMLElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [zoom, setZoom] = useState<Zoom>(null);
  const width = useElementWidth(frame);
  const page = Math.min(Math.max(1, Math.floor(requestedPage) || 1), pdf.pages);
  const { busy, isComplete, error, scale } = usePdfDrawing(pdf, canvas, { page, zoom, width });
  const previousZoom = ZOOM_STEPS.findLast((step) => step < scale - 0.01);
  const nextZoom = ZOOM_STEPS.find((step) => step > scale + 0.01);
  const pageLabel = t("reports.page_of", { page, pages: pdf.pages });
  return (
    <div className={classes.view}>
      <div className={classes.bar}>
        <Button variant="default" disabled={page <= 1} onClick={() => onPage(page - 1)} aria-label={t("reports.previous_page")}>
          ◀
        </Button>
        <span role="status">{pageLabel}</span>
        <Button
          variant="default"
          disabled={page >= pdf.pages}
          onClick={() => onPage(page + 1)}
          aria-label={t("reports.next_page")}
        >
          ▶
        </Button>
        <span className={classes.gap} />
        <span className={classes.zoom}>
          <Button
            variant="default"
            disabled={!previousZoom}
            onClick={() => setZoom(previousZoom ?? null)}
            aria-label={t("reports.zoom_out")}
          >
            −
          </Button>
          <span>{formatNumber(Math.round(scale * 100))} %</span>
          <Button
            variant="default"
            disabled={!nextZoom}
            onClick={() => setZoom(nextZoom ?? null)}
            aria-label={t("reports.zoom_in")}
          >
            +
          </Button>
          <Button variant="default" aria-pressed={zoom === null} onClick={() => setZoom(null)}>
            {t("reports.fit")}
          </Button>
        </span>
      </div>
      {!isComplete && (
        <div className={classes.warning} role="alert">
          {t("reports.pdf_partial")} {download}
        </div>
      )}
      {error !== null && <PdfError error={error}>{download}</PdfError>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroll container must be reachable by keyboard */}
      <section className={classes.frame} ref={frame} aria-label={label} aria-busy={busy} tabIndex={0}>
        <canvas ref={canvas} role="img" aria-label={`${label}, ${pageLabel}`} data-failed={error !== null} />
      </section>
      <PageText key={page} pdf={pdf} page={page} />
    </div>
  );
}

/** The page's text for screen readers and copying; scanned pages have none. */
function PageText({ pdf, page }: { pdf: OpenPdf; page: number }) {
  const t = useTranslation();
  const [text, setText] = useState<string | null>(null);
  const loadText = () => {
    pdf.textOf(page).then(setText, () => setText(""));
  };
  return (
    <details className={classes.text} onToggle={(event) => event.currentTarget.open && text === null && loadText()}>
      <summary>{t("reports.page_text")}</summary>
      <p>{text?.trim() || (text === null ? t("common.loading") : t("reports.page_without_text"))}</p>
    </details>
  );
}
