// Page frame: a title that takes the focus on navigation, actions and content.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { t } from "../messages/translate.ts";
import layout from "./layout.module.css";
import classes from "./page.module.css";

type PageProps = {
  title: string;
  /** Window title, where the page title contains a patient's name: names never appear in the window title. */
  windowTitle?: string | undefined;
  /** Uses the full width of the screen. */
  isDense?: boolean;
  actions?: ReactNode;
  children: ReactNode;
};

/** Path that last took the focus, so that new data or filters do not move it. */
let lastFocusedPath = "";

export function Page({ title, windowTitle, isDense = false, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const documentTitle = windowTitle ?? title;
  useEffect(() => {
    document.title = `${documentTitle} · ${t("common.edgecare")}`;
  }, [documentTitle]);
  useEffect(() => {
    const path = location.pathname;
    if (lastFocusedPath !== "" && lastFocusedPath !== path) heading.current?.focus();
    lastFocusedPath = path;
  }, []);
  return (
    <div className={classes.page} data-dense={isDense}>
      <div className={layout.line}>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div className={layout.acts}>{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** A section of a page. */
export function Card({
  title,
  actions,
  children,
  className,
}: {
  title?: string;
  actions?: ReactNode;
  children: ReactNode;
  className?: string | undefined;
}) {
  return (
    <section className={className ? `${classes.card} ${className}` : classes.card}>
      {(title || actions) && (
        <div className={`${layout.line} ${classes.cardHead}`}>
          {title && <h2>{title}</h2>}
          {actions}
        </div>
      )}
      {children}
    </section>
  );
}

/** A section whose content is rendered, and so read, once it has been opened. */
export function FoldedCard({ title, children }: { title: string; children: ReactNode }) {
  const [wasOpened, setWasOpened] = useState(false);
  return (
    <details className={`${classes.card} ${classes.folded}`} onToggle={() => setWasOpened(true)}>
      <summary>
        <h2>{title}</h2>
      </summary>
      {wasOpened && children}
    </details>
  );
}

/** Label and value; stacked on a phone. */
export function DescriptionList({ items }: { items: readonly (readonly [label: string, value: ReactNode])[] }) {
  return (
    <dl className={`${layout.terms} ${classes.facts}`}>
      {items.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value ?? t("common.none")}</dd>
        </div>
      ))}
    </dl>
  );
}
