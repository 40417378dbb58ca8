// Choosing the language before anybody is signed in.
import { useSay } from "../messages/index.ts";
import { prefer } from "./preferences.ts";
import classes from "./session.module.css";

export function Languages() {
  useSay();
  return (
    <div className={classes.languages}>
      <button type="button" lang="hi" onClick={() => prefer({ language: "hi" })}>
        हिन्दी
      </button>
      <button type="button" lang="en" onClick={() => prefer({ language: "en" })}>
        English
      </button>
    </div>
  );
}
