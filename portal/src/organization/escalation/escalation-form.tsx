// Form of the escalation settings of a hospital or a ward: each part is inherited or chosen.
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import layout from "../../platform/design/layout.module.css";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type Escalation, type EscalationChange, resetEscalation, type Scope, type TierEntry, writeEscalation } from "./api.ts";
import { MAX_TIERS, MINUTES, PRIORITIES, type Priority, parseRepeat, parseTierMinutes } from "./minutes.ts";
import { TierFields } from "./tier-fields.tsx";

type Texts = Record<Priority, string>;
const toTexts = (text: (priority: Priority) => string): Texts => ({
  high: text("high"),
  medium: text("medium"),
  low: text("low"),
});

type EscalationFormProps = { scope: Scope; settings: Escalation; onChanged: () => Promise<unknown>; onClose: () => void };

export function EscalationForm({ scope, settings, onChanged, onClose }: EscalationFormProps) {
  const t = useTranslation();
  const { own, in_force } = settings;
  const [hasMinutes, setHasMinutes] = useState(own?.escalation_minutes !== undefined);
  const [minutes, setMinutes] = useState(() => toTexts((priority) => in_force.escalation_minutes[priority].join(", ")));
  const [hasRepeat, setHasRepeat] = useState(own?.repeat_minutes !== undefined);
  const [repeat, setRepeat] = useState(() => toTexts((priority) => String(in_force.repeat_minutes[priority] ?? "")));
  const [hasTiers, setHasTiers] = useState(own?.tiers !== undefined);
  const [tiers, setTiers] = useState<TierEntry[][]>(in_force.tiers);
  const labels = Object.fromEntries([
    ...PRIORITIES.map((priority) => [`escalation_minutes.${priority}`, t(`escalation.minutes.${priority}`)]),
    ...PRIORITIES.map((priority) => [`repeat_minutes.${priority}`, t(`escalation.repeat.${priority}`)]),
    ...tiers.map((_, i) => [`tiers.${i}`, t("escalation.tier", { number: i + 1 })]),
  ]);

  const validate = (): FieldErrors =>
    Object.fromEntries([
      ...(hasMinutes ? PRIORITIES : []).flatMap((priority) => {
        const parsed = parseTierMinutes(minutes[priority]);
        const isValid = parsed !== null && (priority !== "high" || parsed.length > 0);
        return isValid ? [] : [[`escalation_minutes.${priority}`, t("escalation.minutes_range", MINUTES)]];
      }),
      ...(hasRepeat ? PRIORITIES : []).flatMap((priority) =>
        parseRepeat(repeat[priority]) === undefined
          ? [[`repeat_minutes.${priority}`, t("escalation.repeat_range", MINUTES)]]
          : [],
      ),
      ...(hasTiers ? tiers : []).flatMap((entries, i) =>
        entries.length === 0 ? [[`tiers.${i}`, t("escalation.tier_empty")]] : [],
      ),
    ]);
  const save = async () => {
    const tierMinutes = (priority: Priority) => parseTierMinutes(minutes[priority]) ?? [];
    const repeatMinutes = (priority: Priority) => parseRepeat(repeat[priority]) ?? null;
    const change: EscalationChange = {
      ...(hasMinutes && {
        escalation_minutes: { high: tierMinutes("high"), medium: tierMinutes("medium"), low: tierMinutes("low") },
      }),
      ...(hasRepeat && {
        repeat_minutes: { high: repeatMinutes("high"), medium: repeatMinutes("medium"), low: repeatMinutes("low") },
      }),
      ...(hasTiers && { tiers }),
    };
    const { version } = settings;
    const isInherited = Object.keys(change).length === 0;
    if (isInherited && version === null) return onClose();
    const request = isInherited && version !== null ? resetEscalation(scope, version) : writeEscalation(scope, version, change);
    const changed = t("escalation.changed_meanwhile");
    // Settings that somebody else has changed meanwhile are read again before the next attempt.
    await withErrorMessages(request, { precondition_failed: changed, precondition_required: changed }).finally(onChanged);
    onClose();
  };
  return (
    <Form submitLabel={t("common.save")} validate={validate} onCancel={onClose} onSubmit={save} labels={labels}>
      {(field) => (
        <>
          <Checkbox
            label={t("escalation.own_minutes")}
            description={t("escalation.own_minutes_hint")}
            checked={hasMinutes}
            onChange={({ currentTarget }) => setHasMinutes(currentTarget.checked)}
            data-autofocus
          />
          {hasMinutes &&
            PRIORITIES.map((priority) => (
              <TextInput
                key={priority}
                {...field(`escalation_minutes.${priority}`)}
                label={t(`escalation.minutes.${priority}`)}
                value={minutes[priority]}
                onChange={({ currentTarget: { value } }) => setMinutes({ ...minutes, [priority]: value })}
              />
            ))}
          <Checkbox
            label={t("escalation.own_repeat")}
            description={t("escalation.own_repeat_hint")}
            checked={hasRepeat}
            onChange={({ currentTarget }) => setHasRepeat(currentTarget.checked)}
          />
          {hasRepeat &&
            PRIORITIES.map((priority) => (
              <TextInput
                key={priority}
                {...field(`repeat_minutes.${priority}`)}
                label={t(`escalation.repeat.${priority}`)}
                inputMode="numeric"
                value={repeat[priority]}
                onChange={({ currentTarget: { value } }) => setRepeat({ ...repeat, [priority]: value })}
              />
            ))}
          <Checkbox
            label={t("escalation.own_tiers")}
            description={t("escalation.own_tiers_hint")}
            checked={hasTiers}
            onChange={({ currentTarget }) => setHasTiers(currentTarget.checked)}
          />
          {hasTiers &&
            tiers.map((entries, i) => (
              <TierFields
                // biome-ignore lint/suspicious/noArrayIndexKey: a tier is its place.
                key={i}
                {...field(`tiers.${i}`)}
                number={i + 1}
                entries={entries}
                settings={settings}
                onChange={(changed) => setTiers(tiers.map((tier, place) => (place === i ? changed : tier)))}
              />
            ))}
          {hasTiers && (
            <div className={layout.endActs}>
              <Button variant="default" disabled={tiers.length >= MAX_TIERS} onClick={() => setTiers([...tiers, []])}>
                {t("escalation.add_tier")}
              </Button>
              <Button variant="default" disabled={tiers.length <= 1} onClick={() => setTiers(tiers.slice(0, -1))}>
                {t("escalation.remove_tier")}
              </Button>
            </div>
          )}
          <p className={layout.note}>{t("escalation.no_access")}</p>
        </>
      )}
    </Form>
  );
}
