// Forms: checked when they are sent, a summary that takes the focus and leads to the fields, the API's errors at their fields.
import { Button, Group } from "@mantine/core";
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { asProblem } from "../api/problem.ts";
import { say, useSay } from "../messages/index.ts";
import classes from "./form.module.css";
import layout from "./layout.module.css";
import { useHeld } from "./offline.tsx";
import { NotDone } from "./states.tsx";

/** Messages by the path of their field, as the API names it. */
export type FieldErrors = Record<string, string>;

type FormProps = {
  submit: string;
  /** What is wrong before anything is sent; empty when it may be. */
  check?: () => FieldErrors;
  /** @throws Problem */
  onSubmit: () => Promise<unknown>;
  /** Whether it changes something; false for a form that leads to the next question. */
  changes?: boolean;
  /** Of the button that leaves the form; "Cancel" without it. */
  cancel?: string;
  onCancel?: () => void;
  /** Draws the fields; `id` of a field leads the summary to it. */
  children: (field: (path: string) => { id: string; error: string | undefined }) => ReactNode;
  labels?: Record<string, string>;
};

export function Form({ submit, check, onSubmit, changes = true, cancel, onCancel, children, labels = {} }: FormProps) {
  const say = useSay();
  const { offline, held, reason } = useHeld(changes);
  const form = useId();
  const summary = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<{ busy: boolean; errors: FieldErrors; failed: unknown }>({
    busy: false,
    errors: {},
    failed: null,
  });
  const paths = Object.keys(state.errors);
  useEffect(() => {
    if (paths.length > 0) summary.current?.focus();
  }, [paths.length]);

  async function send(event: FormEvent) {
    event.preventDefault();
    if (state.busy || offline) return;
    const errors = check?.() ?? {};
    if (Object.keys(errors).length > 0) return setState({ busy: false, errors, failed: null });
    setState({ busy: true, errors: {}, failed: null });
    try {
      await onSubmit();
      setState({ busy: false, errors: {}, failed: null });
    } catch (error) {
      const told = asProblem(error).errors.map(({ path, message }) => [path, message] as const);
      setState({ busy: false, errors: Object.fromEntries(told), failed: error });
    }
  }

  const idOf = (path: string) => `${form}-${path}`;
  return (
    <form onSubmit={send} noValidate className={layout.stack}>
      {paths.length > 0 && (
        <div ref={summary} tabIndex={-1} className={`${layout.alert} ${classes.summary}`} role="alert">
          <strong>{say("common.check_fields")}</strong>
          <ul>
            {paths.map((path) => (
              <li key={path}>
                <a href={`#${idOf(path)}`}>
                  {labels[path] ? `${labels[path]}: ` : ""}
                  {state.errors[path]}
                </a>
              </li>
            ))}
          </ul>
        </div>
      )}
      {children((path) => ({ id: idOf(path), error: state.errors[path] }))}
      {paths.length === 0 && <NotDone error={state.failed} />}
      {reason}
      <Group justify="flex-end">
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {cancel ?? say("common.cancel")}
          </Button>
        )}
        <Button type="submit" loading={state.busy} {...held}>
          {submit}
        </Button>
      </Group>
    </form>
  );
}

/** For `check`: which of these are empty. */
export function requiredIn(values: Record<string, string>): FieldErrors {
  const empty = Object.entries(values).filter(([, value]) => value.trim() === "");
  return Object.fromEntries(empty.map(([path]) => [path, say("common.required")]));
}

export { numberIn } from "./typed-number.ts";
