// Changing or taking back the limits of one vital: what is entered, what it would have meant, then the deed.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "../design/confirm.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Loading, NotDone } from "../design/states.tsx";
import { sayOf, useSay } from "../messages/index.ts";
import { announce } from "../shell/announcer.tsx";
import type { Override, Preview } from "./api.ts";
import { draftOf, overrideOf } from "./draft.ts";
import { asInherited, type Change, changesOf, isLooser, type VitalRule } from "./limits.ts";
import { LimitsForm } from "./limits-form.tsx";
import { PreviewCounts } from "./preview-counts.tsx";
import classes from "./rules.module.css";
import { fieldText, questionOf, translated, valueText } from "./words.ts";

/** Whose limits they are: how they are kept, and whether the last day can be replayed. */
export type Keeper = {
  /** Null where there is no single patient to replay. */
  preview: ((code: string, limits: Override) => Promise<Preview>) | null;
  put: (rule: VitalRule, limits: Override) => Promise<unknown>;
  remove: (rule: VitalRule) => Promise<unknown>;
  /** After a change. */
  reload: () => Promise<unknown>;
};

type EditorProps = { rule: VitalRule; keeper: Keeper; zone: string | undefined; onClose: () => void };
type Asked = { limits: Override; preview: Preview | null };

/** What failed is read again too: without an answer nobody knows whether it was done. */
const done = (doing: Promise<unknown>, { reload }: Keeper) =>
  doing.then(reload, (error: unknown) => {
    void reload();
    throw translated(error);
  });

export function LimitsEditor({ rule, keeper, zone, onClose }: EditorProps) {
  const say = useSay();
  const [draft, setDraft] = useState(() => draftOf(rule));
  const [asked, setAsked] = useState<Asked | null>(null);
  const vital = sayOf("vital", rule.name);
  if (asked && Object.keys(asked.limits).length === 0) {
    return <TakeBack rule={rule} keeper={keeper} zone={zone} onClose={onClose} />;
  }
  if (asked) {
    const changes = changesOf(rule, asked.limits);
    const save = async () => {
      await done(keeper.put(rule, asked.limits), keeper);
      announce(say("rules.saved", { vital }));
      onClose();
    };
    return (
      <Confirm
        {...questionOf(rule, changes)}
        risky={changes.some(isLooser)}
        onConfirm={save}
        // Back to what was entered; a saved change has closed everything by then.
        onClose={() => setAsked(null)}
      >
        <Meaning rule={rule} changes={changes} preview={asked.preview} ofWard={keeper.preview === null} zone={zone} />
      </Confirm>
    );
  }
  const check = async () => {
    const limits = overrideOf(draft);
    const empty = Object.keys(limits).length === 0;
    setAsked({ limits, preview: empty ? null : ((await keeper.preview?.(rule.code, limits)) ?? null) });
  };
  return (
    <Dialog title={say("rules.change_of", { vital })} onClose={onClose} wide>
      <LimitsForm rule={rule} draft={draft} onDraft={setDraft} onCheck={check} onCancel={onClose} />
    </Dialog>
  );
}

export function TakeBack({ rule, keeper, zone, onClose }: EditorProps) {
  const say = useSay();
  const vital = sayOf("vital", rule.name);
  const changes = changesOf(rule, {});
  const { preview } = keeper;
  const would = useQuery({
    queryKey: ["rules", "take-back", rule],
    queryFn: () => preview?.(rule.code, asInherited(rule)) ?? null,
    enabled: preview !== null && changes.length > 0,
    gcTime: 0,
  });
  const remove = async () => {
    await done(keeper.remove(rule), keeper);
    announce(say("rules.taken_back", { vital }));
  };
  return (
    <Confirm
      title={say("rules.take_back_question", { vital })}
      act={say("rules.take_back")}
      risky={changes.some(isLooser)}
      disabled={would.isLoading}
      onConfirm={remove}
      onClose={onClose}
    >
      {would.isLoading ? (
        <Loading />
      ) : (
        <Meaning rule={rule} changes={changes} preview={would.data ?? null} ofWard={preview === null} zone={zone} />
      )}
      <NotDone error={would.error} />
    </Confirm>
  );
}

type MeaningProps = {
  rule: VitalRule;
  changes: readonly Change[];
  preview: Preview | null;
  ofWard: boolean;
  zone: string | undefined;
};

function Meaning({ rule, changes, preview, ofWard, zone }: MeaningProps) {
  const say = useSay();
  return (
    <>
      {preview && changes.length > 0 ? <PreviewCounts preview={preview} zone={zone} /> : null}
      {changes.length === 0 && <p>{say("rules.no_effect")}</p>}
      <ul className={classes.changes}>
        {changes.map(({ field, before, after }) => (
          <li key={field}>
            {fieldText(field)}: {valueText(rule, field, before)} → {valueText(rule, field, after)}
          </li>
        ))}
      </ul>
      {ofWard && changes.length > 0 && <p>{say("rules.ward_effect")}</p>}
    </>
  );
}
