// A hospital's rules of channels: what is required by role, and members whom no channel reaches.
import { Switch } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Column, CURSOR_PAGINATION, DataTable, Table } from "../../platform/design/data-table.tsx";
import layout from "../../platform/design/layout.module.css";
import { useOfflineGuard } from "../../platform/design/offline-guard.tsx";
import { FoldedCard } from "../../platform/design/page.tsx";
import { ActionError, QueryBoundary } from "../../platform/design/query-states.tsx";
import { translateCode, useTranslation } from "../../platform/messages/translate.ts";
import { listUnreachableMembers, type RequiredChannels, readRequiredChannels, replaceRequiredChannels } from "./api.ts";

type Rule = RequiredChannels[number];
const ROLES = ["nurse", "doctor", "hospital_admin"] as const satisfies readonly Rule["role"][];
const CHANNELS = ["email", "push", "sms"] as const satisfies readonly Rule["channel"][];

export function RequiredChannelsCard({ hospitalId }: { hospitalId: string }) {
  const t = useTranslation();
  return (
    <FoldedCard title={t("notify.required")}>
      <p className={layout.note}>{t("notify.required_text")}</p>
      <Required hospitalId={hospitalId} />
    </FoldedCard>
  );
}

function Required({ hospitalId }: { hospitalId: string }) {
  const query = useQuery({ queryKey: ["hospitals", "channels", hospitalId], queryFn: () => readRequiredChannels(hospitalId) });
  return (
    <QueryBoundary query={query}>{(required) => <RequiredTable hospitalId={hospitalId} required={required} />}</QueryBoundary>
  );
}

const isSame = (a: Rule, b: Rule) => a.role === b.role && a.channel === b.channel;

function RequiredTable({ hospitalId, required }: { hospitalId: string; required: readonly Rule[] }) {
  const t = useTranslation();
  const client = useQueryClient();
  const { offline, offlineNotice } = useOfflineGuard();
  const change = useMutation({
    mutationFn: (changed: Rule) => {
      const others = required.filter((rule) => !isSame(rule, changed)).map(({ role, channel }) => ({ role, channel }));
      return replaceRequiredChannels(hospitalId, others.length === required.length ? [...others, changed] : others);
    },
    onSuccess: (data) => client.setQueryData(["hospitals", "channels", hospitalId], data),
    networkMode: "always",
  });
  const columns: Column<Rule["role"]>[] = [
    { label: t("notify.required_role"), cell: (role) => translateCode("role", role) },
    ...CHANNELS.map((channel) => ({
      label: t(`notify.channel.${channel}`),
      cell: (role: Rule["role"]) => (
        <Switch
          aria-label={t("notify.required_switch", {
            channel: t(`notify.channel.${channel}`),
            role: translateCode("role", role),
          })}
          checked={required.some((rule) => isSame(rule, { role, channel }))}
          onChange={() => !change.isPending && !offline && change.mutate({ role, channel })}
        />
      ),
    })),
  ];
  return (
    <>
      <Table label={t("notify.required")} columns={columns} items={ROLES} rowKey={(role) => role} />
      {offlineNotice}
      <ActionError error={change.error} />
    </>
  );
}

type Unreachable = Awaited<ReturnType<typeof listUnreachableMembers>>["items"][number];

export function UnreachableMembersCard({ hospitalId }: { hospitalId: string }) {
  const t = useTranslation();
  return (
    <FoldedCard title={t("notify.unreachable")}>
      <p className={layout.note}>{t("notify.unreachable_text")}</p>
      <UnreachableMembers hospitalId={hospitalId} />
    </FoldedCard>
  );
}

function UnreachableMembers({ hospitalId }: { hospitalId: string }) {
  const t = useTranslation();
  const query = useInfiniteQuery({
    queryKey: ["hospitals", "unreachable", hospitalId],
    queryFn: ({ pageParam }) => listUnreachableMembers(hospitalId, pageParam),
    ...CURSOR_PAGINATION,
  });
  const columns: Column<Unreachable>[] = [
    {
      label: t("notify.member"),
      cell: ({ user_id, full_name }) => (
        <Link to="/admin/users/$userId" params={{ userId: user_id }}>
          {full_name}
        </Link>
      ),
    },
    { label: t("notify.required_role"), cell: ({ role }) => translateCode("role", role) },
  ];
  return (
    <DataTable
      label={t("notify.unreachable")}
      query={query}
      columns={columns}
      rowKey={({ user_id }) => user_id}
      empty={t("notify.unreachable_none")}
    />
  );
}
