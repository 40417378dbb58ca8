// The own passkeys: add, rename, remove.
import { Button, TextInput } from "@mantine/core";
import { browserSupportsWebAuthn } from "@simplewebauthn/browser";
import { useState } from "react";
import { withErrorMessages } from "../../platform/api/problem.ts";
import { ConfirmDialog } from "../../platform/design/confirm-dialog.tsx";
import { type Column, Table } from "../../platform/design/data-table.tsx";
import { Dialog } from "../../platform/design/dialog.tsx";
import { Form, validateRequired } from "../../platform/design/form.tsx";
import { formatDate, formatDateTime } from "../../platform/design/format.ts";
import layout from "../../platform/design/layout.module.css";
import { Card } from "../../platform/design/page.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { type Passkey, readPasskeyOptions, registerPasskey, removePasskey, renamePasskey } from "./api.ts";
import { createPasskey } from "./ceremonies.ts";
import { RemovalText } from "./removal-text.tsx";

type OnChanged = (newCodes: readonly string[] | null) => Promise<void>;
type Opened = { kind: "add" } | { kind: "rename" | "remove"; passkey: Passkey };
/** Characters, as the service stores it. */
const MAX_NAME_LENGTH = 100;

export function PasskeysCard({ passkeys, onChanged }: { passkeys: readonly Passkey[]; onChanged: OnChanged }) {
  const t = useTranslation();
  const [opened, setOpened] = useState<Opened | null>(null);
  const close = () => setOpened(null);
  return (
    <Card title={t("factors.passkeys")}>
      <p>{t("factors.passkeys_text")}</p>
      {passkeys.length > 0 && <PasskeyTable passkeys={passkeys} onOpen={setOpened} />}
      {browserSupportsWebAuthn() ? (
        <Button onClick={() => setOpened({ kind: "add" })} mt="sm">
          {t("factors.passkey_add")}
        </Button>
      ) : (
        <p className={layout.note}>{t("factors.passkeys_unsupported")}</p>
      )}
      {opened?.kind === "add" && <AddDialog onChanged={onChanged} onClose={close} />}
      {opened?.kind === "rename" && <RenameDialog passkey={opened.passkey} onChanged={onChanged} onClose={close} />}
      {opened?.kind === "remove" && (
        <ConfirmDialog
          title={t("factors.passkey_remove_title", { name: opened.passkey.name })}
          confirmLabel={t("common.delete")}
          onConfirm={async () => {
            await removePasskey(opened.passkey.passkey_id);
            await onChanged(null);
          }}
          onClose={close}
        >
          <p>{t("factors.passkey_remove_text")}</p>
          <RemovalText />
        </ConfirmDialog>
      )}
    </Card>
  );
}

function PasskeyTable({ passkeys, onOpen }: { passkeys: readonly Passkey[]; onOpen: (opened: Opened) => void }) {
  const t = useTranslation();
  const columns: Column<Passkey>[] = [
    { label: t("factors.passkey_name"), cell: ({ name }) => name },
    { label: t("factors.passkey_added"), cell: ({ created_at }) => formatDate(created_at) },
    {
      label: t("factors.passkey_used"),
      cell: ({ last_used_at }) => (last_used_at === null ? t("factors.never_used") : formatDateTime(last_used_at)),
    },
    { label: t("factors.passkey_backed_up"), cell: ({ is_backed_up }) => t(is_backed_up ? "common.yes" : "common.no") },
    {
      label: t("factors.change"),
      cell: (passkey) => (
        <div className={layout.acts}>
          <Button
            variant="default"
            size="compact-md"
            onClick={() => onOpen({ kind: "rename", passkey })}
            aria-label={t("factors.passkey_rename_of", { name: passkey.name })}
          >
            {t("factors.rename")}
          </Button>
          <Button
            variant="default"
            size="compact-md"
            onClick={() => onOpen({ kind: "remove", passkey })}
            aria-label={t("factors.passkey_remove_of", { name: passkey.name })}
          >
            {t("common.delete")}
          </Button>
        </div>
      ),
    },
  ];
  return <Table label={t("factors.passkeys")} columns={columns} items={passkeys} rowKey={({ passkey_id }) => passkey_id} />;
}

type NameFormProps = {
  submitLabel: string;
  initialName: string;
  onSubmit: (name: string) => Promise<void>;
  onCancel: () => void;
};

function NameForm({ submitLabel, initialName, onSubmit, onCancel }: NameFormProps) {
  const t = useTranslation();
  const [name, setName] = useState(initialName);
  return (
    <Form
      submitLabel={submitLabel}
      validate={() => validateRequired({ name })}
      onSubmit={() => onSubmit(name.trim())}
      onCancel={onCancel}
      labels={{ name: t("factors.passkey_name") }}
    >
      {(field) => (
        <TextInput
          {...field("name")}
          label={t("factors.passkey_name")}
          description={t("factors.passkey_name_hint")}
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={MAX_NAME_LENGTH}
          autoComplete="off"
          data-autofocus
        />
      )}
    </Form>
  );
}

function AddDialog({ onChanged, onClose }: { onChanged: OnChanged; onClose: () => void }) {
  const t = useTranslation();
  async function add(name: string) {
    const passkey = await createPasskey(await readPasskeyOptions());
    const { recovery_codes } = await registerPasskey({ name, passkey });
    onClose();
    await onChanged(recovery_codes);
  }
  const errorMessages = {
    passkey_known: t("factors.passkey_known"),
    already_exists: t("factors.passkey_known"),
    passkey_cancelled: t("factors.passkey_not_created"),
    invalid_passkey: t("factors.passkey_not_created"),
    limit_reached: t("factors.passkeys_full"),
  };
  return (
    <Dialog title={t("factors.passkey_add")} onClose={onClose}>
      <p>{t("factors.passkey_add_text")}</p>
      <NameForm
        submitLabel={t("factors.passkey_create")}
        initialName=""
        onSubmit={(name) => withErrorMessages(add(name), errorMessages)}
        onCancel={onClose}
      />
    </Dialog>
  );
}

function RenameDialog({ passkey, onChanged, onClose }: { passkey: Passkey; onChanged: OnChanged; onClose: () => void }) {
  const t = useTranslation();
  return (
    <Dialog title={t("factors.rename")} onClose={onClose}>
      <NameForm
        submitLabel={t("common.save")}
        initialName={passkey.name}
        onSubmit={async (name) => {
          await renamePasskey(passkey.passkey_id, name);
          onClose();
          await onChanged(null);
        }}
        onCancel={onClose}
      />
    </Dialog>
  );
}
