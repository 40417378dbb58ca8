// Editor of the limits of one vital sign: edit or reset, preview against the last day, save.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { ActionError, Loading } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { announce } from "../../shell/announcer.tsx";
import type { LimitOverride, Preview } from "./api.ts";
import { toDraft, toOverride } from "./limits-draft.ts";
import { LimitsForm } from "./limits-form.tsx";
import { PreviewTable } from "./preview-table.tsx";
import { diffLimits, isLessStrict, type LimitChange, toInheritedOverride, type VitalRule } from "./rule-limits.ts";
import { buildChangeQuestion, fieldLabel, formatRuleValue, translateProblem } from "./rule-text.ts";
import classes from "./rules.module.css";

/** Owner of the limits: how they are saved, and whether the last day can be replayed. */
export type LimitsTarget = {
  /** Null when there is no single patient to replay. */
  preview: ((code: string, limits: LimitOverride) => Promise<Preview>) | null;
  save: (rule: VitalRule, limits: LimitOverride) => Promise<unknown>;
  remove: (rule: VitalRule) => Promise<unknown>;
  /** Called after a change. */
  reload: () => Promise<unknown>;
};

type LimitsEditorProps = { rule: VitalRule; target: LimitsTarget; zone: string | undefined; onClose: () => void };
type PendingChange = { limits: LimitOverride; preview: Preview | null };

/** Refetch after a failure too: without a response the result is unknown. */
const applyChange = (request: Promise<unknown>, { reload }: LimitsTarget) =>
  request.then(reload, (error: unknown) => {
    void reload();
    throw translateProblem(error);
  });

export function LimitsEditor({ rule, target, zone, onClose }: LimitsEditorProps) {
  const t = useTranslation();
  const [draft, setDraft] = useState(() => toDraft(rule));
  const [pendingChange, setPendingChange] = useState<PendingChange | null>(null);
  const vital = translateCode("vital", rule.name);
  if (pendingChange && Object.keys(pendingChange.limits).length === 0) {
    return <ResetLimitsDialog rule={rule} target={target} zone={zone} onClose={onClose} />;
  }
  if (pendingChange) {
    const changes = diffLimits(rule, pendingChange.limits);
    const save = async () => {
      await applyChange(target.save(rule, pendingChange.limits), target);
      announce(t("rules.saved", { vital }));
      onClose();
    };
    return (
      <ConfirmDialog
        {...buildChangeQuestion(rule, changes)}
        isDangerous={changes.some(isLessStrict)}
        onConfirm={save}
        // Back to the form; a saved change has closed all dialogs by then.
        onClose={() => setPendingChange(null)}
      >
        <ChangeSummary
          rule={rule}
          changes={changes}
          preview={pendingChange.preview}
          isWard={target.preview === null}
          zone={zone}
        />
      </ConfirmDialog>
    );
  }
  const checkDraft = async () => {
    const limits = toOverride(draft);
    const isEmpty = Object.keys(limits).length === 0;
    setPendingChange({ limits, preview: isEmpty ? null : ((await target.preview?.(rule.code, limits)) ?? null) });
  };
  return (
    <Dialog title={t("rules.change_of", { vital })} onClose={onClose} wide>
      <LimitsForm rule={rule} draft={draft} onDraft={setDraft} onCheck={checkDraft} onCancel={onClose} />
    </Dialog>
  );
}

export function ResetLimitsDialog({ rule, target, zone, onClose }: LimitsEditorProps) {
  const t = useTranslation();
  const vital = translateCode("vital", rule.name);
  const changes = diffLimits(rule, {});
  const { preview } = target;
  const previewQuery = useQuery({
    queryKey: ["rules", "take-back", rule],
    queryFn: () => preview?.(rule.code, toInheritedOverride(rule)) ?? null,
    enabled: preview !== null && changes.length > 0,
    gcTime: 0,
  });
  const remove = async () => {
    await applyChange(target.remove(rule), target);
    announce(t("rules.taken_back", { vital }));
  };
  return (
    <ConfirmDialog
      title={t("rules.take_back_question", { vital })}
      confirmLabel={t("rules.take_back")}
      isDangerous={changes.some(isLessStrict)}
      disabled={previewQuery.isLoading}
      onConfirm={remove}
      onClose={onClose}
    >
      {previewQuery.isLoading ? (
        <Loading />
      ) : (
        <ChangeSummary rule={rule} changes={changes} preview={previewQuery.data ?? null} isWard={preview === null} zone={zone} />
      )}
      <ActionError error={previewQuery.error} />
    </ConfirmDialog>
  );
}

type ChangeSummaryProps = {
  rule: VitalRule;
  changes: readonly LimitChange[];
  preview: Preview | null;
  isWard: boolean;
  zone: string | undefined;
};

function ChangeSummary({ rule, changes, preview, isWard, zone }: ChangeSummaryProps) {
  const t = useTranslation();
  return (
    <>
      {preview && changes.length > 0 ? <PreviewTable preview={preview} zone={zone} /> : null}
      {changes.length === 0 && <p>{t("rules.no_effect")}</p>}
      <ul className={classes.changes}>
        {changes.map(({ field, before, after }) => (
          <li key={field}>
            {fieldLabel(field)}: {formatRuleValue(rule, field, before)} → {formatRuleValue(rule, field, after)}
          </li>
        ))}
      </ul>
      {isWard && changes.length > 0 && <p>{t("rules.ward_effect")}</p>}
    </>
  );
}
