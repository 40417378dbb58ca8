// Language selection, also available before sign-in.
import { ActionError } from "../../platform/design/query-states.tsx";
import classes from "./session.module.css";
import { useLanguageChoice } from "./use-language-choice.ts";

export function LanguageButtons({ className = classes.languages }: { className?: string | undefined }) {
  const { choose, error } = useLanguageChoice();
  return (
    <div className={className}>
      <button type="button" lang="hi" onClick={() => choose("hi")}>
        हिन्दी
      </button>
      <button type="button" lang="en" onClick={() => choose("en")}>
        English
      </button>
      <ActionError error={error} />
    </div>
  );
}
