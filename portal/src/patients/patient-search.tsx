// Patient search in the header: beginnings of a name, a number, a phone; Enter opens the one that is marked.
import { useNavigate } from "@tanstack/react-router";
import { type FocusEvent, type KeyboardEvent, useState } from "react";
import { asProblem } from "../api/problem.ts";
import layout from "../design/layout.module.css";
import { date } from "../design/time.ts";
import { useSay } from "../messages/index.ts";
import { nameOf, type PatientSummary } from "./api.ts";
import classes from "./patient-search.module.css";
import { chooseHospital, isLongEnough, usePatientSearch, useSearchedHospital } from "./use-patient-search.ts";

export const SEARCH_ID = "patient-search";
const LIST_ID = "patient-search-found";
const SHOWN = 8;
const optionId = (index: number) => `${LIST_ID}-${index}`;

export function PatientSearch() {
  const say = useSay();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [marked, setMarked] = useState(0);
  const { query, waiting, found } = usePatientSearch(text, SHOWN);
  const shown = open && isLongEnough(text);

  const type = (next: string) => {
    setText(next);
    setMarked(0);
    setOpen(true);
  };
  const go = (patient: PatientSummary) => {
    setText("");
    setOpen(false);
    // On a phone the field covers the header while it has the focus.
    document.getElementById(SEARCH_ID)?.blur();
    void navigate({ to: "/patients/$patientId", params: { patientId: patient.patient_id } });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const patient = found[marked];
    const move = (step: number) => setMarked((marked + step + found.length) % found.length);
    if (event.key === "Escape") {
      if (open) setOpen(false);
      else setText("");
    } else if (event.key === "Enter" && shown && patient) go(patient);
    else if (event.key === "ArrowDown" && found.length > 0) shown ? move(1) : setOpen(true);
    else if (event.key === "ArrowUp" && found.length > 0 && shown) move(-1);
    else return;
    event.preventDefault();
  };
  const onBlur = (event: FocusEvent<HTMLElement>) => {
    if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
  };

  return (
    <search className={classes.search} onBlur={onBlur} onFocus={() => setOpen(true)}>
      <svg className={classes.glass} viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="8.5" cy="8.5" r="5.5" />
        <path d="m13 13 5 5" />
      </svg>
      <input
        id={SEARCH_ID}
        className={classes.input}
        role="combobox"
        aria-label={say("shell.search")}
        aria-expanded={shown}
        aria-controls={LIST_ID}
        aria-autocomplete="list"
        aria-activedescendant={shown && found.length > 0 ? optionId(marked) : undefined}
        placeholder={say("shell.search")}
        title="Ctrl+K"
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={onKey}
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        enterKeyHint="search"
      />
      <div className={classes.found} hidden={!shown}>
        <Hospital />
        <div id={LIST_ID} role="listbox" aria-label={say("patients.search.found")}>
          {found.map((patient, index) => (
            <Found
              key={patient.patient_id}
              id={optionId(index)}
              patient={patient}
              marked={index === marked}
              onPoint={() => setMarked(index)}
              onChoose={() => go(patient)}
            />
          ))}
        </div>
        <p role="status" className={found.length > 0 ? "visually-hidden" : classes.note}>
          {!shown ? "" : waiting ? say("patients.search.searching") : <Outcome error={query.error} n={found.length} />}
        </p>
      </div>
    </search>
  );
}

/** Where it is looked for, for administrators of several hospitals. */
function Hospital() {
  const say = useSay();
  const { id, hospitals } = useSearchedHospital();
  if (hospitals.length < 2) return null;
  return (
    <label className={classes.hospital}>
      {say("patients.hospital")}
      <select value={id ?? ""} onChange={(event) => chooseHospital(event.target.value)}>
        {hospitals.map(({ hospital_id, name }) => (
          <option key={hospital_id} value={hospital_id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function Outcome({ error, n }: { error: unknown; n: number }) {
  const say = useSay();
  if (n > 0) return say("patients.search.n_found", { n });
  if (!error) return say("patients.search.nobody");
  const { code, errorId } = asProblem(error);
  const text = say(code === "unreachable" ? "shell.unreachable" : "patients.search.failed");
  return errorId ? `${text} ${say("common.error_id", { id: errorId })}` : text;
}

type FoundProps = { id: string; patient: PatientSummary; marked: boolean; onPoint: () => void; onChoose: () => void };

function Found({ id, patient, marked, onPoint, onChoose }: FoundProps) {
  const say = useSay();
  const { patient_number: n, date_of_birth: born } = patient;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and the keys (aria-activedescendant)
    <div
      id={id}
      role="option"
      aria-selected={marked}
      tabIndex={-1}
      className={classes.option}
      onPointerMove={onPoint}
      // The field keeps the focus, else the list would close under the pointer.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onChoose}
    >
      <span className={classes.name}>{nameOf(patient)}</span>
      <span className={`${layout.note} ${classes.detail}`}>
        {say("common.number", { n })}
        {born && ` · ${say("patients.born", { date: date(born, "UTC") })}`}
        {!patient.is_active && ` · ${say("patients.inactive")}`}
      </span>
    </div>
  );
}
