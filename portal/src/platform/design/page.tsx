// The frame of a page: its title, which takes the focus when somebody comes here, and what it does first.
import { type ReactNode, useEffect, useRef } from "react";
import { t } from "../messages/translate.ts";
import layout from "./layout.module.css";
import classes from "./page.module.css";

type PageProps = {
  title: string;
  /** Of the window, where the page's own title says whose it is: names never stand there. */
  windowTitle?: string | undefined;
  /** As much of the screen as there is for what the page shows. */
  isDense?: boolean;
  actions?: ReactNode;
  children: ReactNode;
};

/** Path that last took the focus, so that new data or another filter moves nothing. */
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

/** A part of a page that belongs together. */
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

/** Label and value, one below the other on a phone. */
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
