// The own name and user name; the address is a manager's to change.
import { TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem, Problem } from "../api/problem.ts";
import { type FieldErrors, Form } from "../design/form.tsx";
import { Query } from "../design/states.tsx";
import { useSay } from "../messages/index.ts";
import { changeProfile, type Profile, readProfile } from "./account-api.ts";
import { reloadMe } from "./session.ts";
import { useMe } from "./use-session.ts";

export function ProfileForm() {
  const { user_id } = useMe();
  const query = useQuery({ queryKey: ["account", "profile", user_id], queryFn: readProfile });
  // Read anew, the form begins anew: what is typed is of the version it was read with.
  return <Query query={query}>{(profile) => <Fields key={profile.etag} profile={profile} />}</Query>;
}

const USER_NAME = /^[a-z0-9][a-z0-9._-]{1,30}[a-z0-9]$/;

function Fields({ profile: { data, etag } }: { profile: Profile }) {
  const say = useSay();
  const client = useQueryClient();
  const [name, setName] = useState(data.full_name);
  const [username, setUsername] = useState(data.username ?? "");
  const userName = username.trim().toLowerCase();

  const check = (): FieldErrors => ({
    ...(name.trim() === "" && { full_name: say("common.required") }),
    ...(userName !== "" && !USER_NAME.test(userName) && { username: say("session.username_shape") }),
  });
  async function save(): Promise<void> {
    try {
      await changeProfile(etag, { full_name: name.trim(), username: userName === "" ? null : userName });
    } catch (error) {
      const { status, code, message, errorId } = asProblem(error);
      if (code !== "already_exists") throw error;
      throw new Problem(status, code, message, errorId, [{ path: "username", message: say("session.username_taken"), code }]);
    }
    await client.invalidateQueries({ queryKey: ["account", "profile"] });
    // It is done, whether or not the header can show it at once.
    reloadMe().catch(() => undefined);
  }
  return (
    <Form
      submit={say("common.save")}
      check={check}
      onSubmit={save}
      labels={{ full_name: say("session.full_name"), username: say("session.username") }}
    >
      {(field) => (
        <>
          <TextInput
            {...field("full_name")}
            label={say("session.full_name")}
            value={name}
            onChange={(event) => setName(event.target.value)}
            autoComplete="name"
            maxLength={200}
          />
          <TextInput
            {...field("username")}
            label={say("session.username")}
            description={say("session.username_hint")}
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
