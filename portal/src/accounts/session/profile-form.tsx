// Form for the own name and user name.
import { TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Problem, toProblem } from "../../platform/api/problem.ts";
import { type FieldErrors, Form } from "../../platform/design/form.tsx";
import { QueryBoundary } from "../../platform/design/query-states.tsx";
import { useTranslation } from "../../platform/messages/translate.ts";
import { changeProfile, type Profile, readProfile } from "./account-api.ts";
import { reloadMe } from "./session.ts";
import { useMe } from "./use-session.ts";

export function ProfileForm() {
  const { user_id } = useMe();
  const query = useQuery({ queryKey: ["account", "profile", user_id], queryFn: readProfile });
  // A reload resets the form: input belongs to the version that it was based on.
  return <QueryBoundary query={query}>{(profile) => <ProfileFields key={profile.etag} profile={profile} />}</QueryBoundary>;
}

const USERNAME_PATTERN = /^[a-z0-9][a-z0-9._-]{1,30}[a-z0-9]$/;

function ProfileFields({ profile: { data, etag } }: { profile: Profile }) {
  const t = useTranslation();
  const client = useQueryClient();
  const [name, setName] = useState(data.full_name);
  const [username, setUsername] = useState(data.username ?? "");
  const normalizedUsername = username.trim().toLowerCase();

  const validate = (): FieldErrors => ({
    ...(name.trim() === "" && { full_name: t("common.required") }),
    ...(normalizedUsername !== "" && !USERNAME_PATTERN.test(normalizedUsername) && { username: t("session.username_shape") }),
  });
  async function save(): Promise<void> {
    try {
      await changeProfile(etag, { full_name: name.trim(), username: normalizedUsername === "" ? null : normalizedUsername });
    } catch (error) {
      const { status, code, message, errorId } = toProblem(error);
      if (code !== "already_exists") throw error;
      throw new Problem(status, code, message, errorId, [{ path: "username", message: t("session.username_taken"), code }]);
    }
    await client.invalidateQueries({ queryKey: ["account", "profile"] });
    // The change is saved even if the header cannot be refreshed now.
    reloadMe().catch(() => undefined);
  }
  return (
    <Form
      submitLabel={t("common.save")}
      validate={validate}
      onSubmit={save}
      labels={{ full_name: t("session.full_name"), username: t("session.username") }}
    >
      {(field) => (
        <>
          <TextInput
            {...field("full_name")}
            label={t("session.full_name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoComplete="name"
            maxLength={200}
          />
          <TextInput
            {...field("username")}
            label={t("session.username")}
            description={t("session.username_hint")}
            value={username}
            onChange={(event) => setUsername(event.target.value)}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={32}
          />
        </>
      )}
    </Form>
  );
}
