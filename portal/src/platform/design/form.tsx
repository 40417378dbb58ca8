// Form with checks on submit, an error summary that takes the focus, and API errors at their fields.
import { Button, Group } from "@mantine/core";
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { getLanguage } from "../../accounts/session/preferences.ts";
import { toProblem } from "../api/problem.ts";
import { t, useTranslation } from "../messages/translate.ts";
import classes from "./form.module.css";
import layout from "./layout.module.css";
import { useOfflineGuard } from "./offline-guard.tsx";
import { ActionError } from "./query-states.tsx";

/** Messages by field path, as the API names it. */
export type FieldErrors = Record<string, string>;

type FormProps = {
  submitLabel: string;
  /** Local checks; an empty result allows the submit. */
  validate?: () => FieldErrors;
  /** @throws Problem */
  onSubmit: () => Promise<unknown>;
  /** Whether it changes data; false for a form that only leads to the next step. */
  isMutation?: boolean;
  /** Label of the button that leaves the form; default "Cancel". */
  cancelLabel?: string;
  onCancel?: () => void;
  /** Renders the fields; the error summary links to a field by its `id`. */
  children: (field: (path: string) => { id: string; error: string | undefined }) => ReactNode;
  labels?: Record<string, string>;
};

/** The fields of `shown`; one that has been filled in since keeps its message. */
const pickPaths = (errors: FieldErrors, shown: FieldErrors): FieldErrors =>
  Object.fromEntries(Object.entries(shown).map(([path, message]) => [path, errors[path] ?? message]));

export function Form({
  submitLabel,
  validate,
  onSubmit,
  isMutation = true,
  cancelLabel,
  onCancel,
  children,
  labels = {},
}: FormProps) {
  const t = useTranslation();
  const { offline, offlineProps, offlineNotice } = useOfflineGuard(isMutation);
  const formId = useId();
  const summary = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<{ busy: boolean; errors: FieldErrors; submitError: unknown }>({
    busy: false,
    errors: {},
    submitError: null,
  });
  const language = getLanguage();
  const [errorLanguage, setErrorLanguage] = useState(language);
  if (language !== errorLanguage) {
    setErrorLanguage(language);
    // Messages of local checks are made again; those of the service stay as it wrote them.
    if (state.submitError === null) setState({ ...state, errors: pickPaths(validate?.() ?? {}, state.errors) });
  }
  const errorPaths = Object.keys(state.errors);
  useEffect(() => {
    if (errorPaths.length > 0) summary.current?.focus();
  }, [errorPaths.length]);

  async function handleSubmit(event: FormEvent) {
    event.preventDefault();
    if (state.busy || offline) return;
    const errors = validate?.() ?? {};
    if (Object.keys(errors).length > 0) return setState({ busy: false, errors, submitError: null });
    setState({ busy: true, errors: {}, submitError: null });
    try {
      await onSubmit();
      setState({ busy: false, errors: {}, submitError: null });
    } catch (error) {
      const fieldErrors = toProblem(error).errors.map(({ path, message }) => [path, message] as const);
      setState({ busy: false, errors: Object.fromEntries(fieldErrors), submitError: error });
    }
  }

  const fieldId = (path: string) => `${formId}-${path}`;
  return (
    <form onSubmit={handleSubmit} noValidate className={layout.stack}>
      {errorPaths.length > 0 && (
        <div ref={summary} tabIndex={-1} className={`${layout.alert} ${classes.summary}`} role="alert">
          <strong>{t("common.check_fields")}</strong>
          <ul>
            {errorPaths.map((path) => (
              <li key={path}>
                <a href={`#${fieldId(path)}`}>
                  {labels[path] ? `${labels[path]}: ` : ""}
                  {state.errors[path]}
                </a>
              </li>
            ))}
          </ul>
        </div>
      )}
      {children((path) => ({ id: fieldId(path), error: state.errors[path] }))}
      {errorPaths.length === 0 && <ActionError error={state.submitError} />}
      {offlineNotice}
      <Group justify="flex-end">
        {onCancel && (
          <Button variant="default" onClick={onCancel}>
            {cancelLabel ?? t("common.cancel")}
          </Button>
        )}
        <Button type="submit" loading={state.busy} {...offlineProps}>
          {submitLabel}
        </Button>
      </Group>
    </form>
  );
}

/** Required-field check: an error for each field that is empty. */
export function validateRequired(values: Record<string, string>): FieldErrors {
  const emptyFields = Object.entries(values).filter(([, value]) => value.trim() === "");
  return Object.fromEntries(emptyFields.map(([path]) => [path, t("common.required")]));
}
