// Patient search in the header, by start of name, number or phone; Enter opens the highlighted patient.
import { useNavigate } from "@tanstack/react-router";
import { type FocusEvent, type KeyboardEvent, useState } from "react";
import { toProblem } from "../platform/api/problem.ts";
import layout from "../platform/design/layout.module.css";
import { useTranslation } from "../platform/messages/translate.ts";
import { getFullName, type PatientSummary } from "./api.ts";
import { formatBirthDate } from "./patient-age.ts";
import classes from "./patient-search.module.css";
import { isSearchable, setSearchHospital, usePatientSearch, useSearchHospital } from "./use-patient-search.ts";

export const SEARCH_INPUT_ID = "patient-search";
const RESULT_LIST_ID = "patient-search-found";
const MAX_RESULTS = 8;
const getOptionId = (index: number) => `${RESULT_LIST_ID}-${index}`;

export function PatientSearch() {
  const t = useTranslation();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [isOpen, setIsOpen] = useState(false);
  const [activeIndex, setActiveIndex] = useState(0);
  const { query, waiting: isSearching, found: results } = usePatientSearch(text, MAX_RESULTS);
  const isListShown = isOpen && isSearchable(text);

  const updateText = (next: string) => {
    setText(next);
    setActiveIndex(0);
    setIsOpen(true);
  };
  const openPatient = (patient: PatientSummary) => {
    setText("");
    setIsOpen(false);
    // On a phone the field covers the header while focused.
    document.getElementById(SEARCH_INPUT_ID)?.blur();
    void navigate({ to: "/patients/$patientId", params: { patientId: patient.patient_id } });
  };
  const handleKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const patient = results[activeIndex];
    const moveActive = (step: number) => setActiveIndex((activeIndex + step + results.length) % results.length);
    if (event.key === "Escape") {
      if (isOpen) setIsOpen(false);
      else setText("");
    } else if (event.key === "Enter" && isListShown && patient) openPatient(patient);
    else if (event.key === "ArrowDown" && results.length > 0) isListShown ? moveActive(1) : setIsOpen(true);
    else if (event.key === "ArrowUp" && results.length > 0 && isListShown) moveActive(-1);
    else return;
    event.preventDefault();
  };
  const handleBlur = (event: FocusEvent<HTMLElement>) => {
    if (!event.currentTarget.contains(event.relatedTarget)) setIsOpen(false);
  };

  return (
    <search className={classes.search} onBlur={handleBlur} onFocus={() => setIsOpen(true)}>
      <svg className={classes.glass} viewBox="0 0 20 20" aria-hidden="true">
        <circle cx="8.5" cy="8.5" r="5.5" />
        <path d="m13 13 5 5" />
      </svg>
      <input
        id={SEARCH_INPUT_ID}
        className={classes.input}
        role="combobox"
        aria-label={t("shell.search")}
        aria-expanded={isListShown}
        aria-controls={RESULT_LIST_ID}
        aria-autocomplete="list"
        aria-activedescendant={isListShown && results.length > 0 ? getOptionId(activeIndex) : undefined}
        placeholder={t("shell.search")}
        title="Ctrl+K"
        value={text}
        onChange={(event) => updateText(event.target.value)}
        onKeyDown={handleKeyDown}
        autoComplete="off"
        autoCorrect="off"
        spellCheck={false}
        enterKeyHint="search"
      />
      <div className={classes.found} hidden={!isListShown}>
        <HospitalChoice />
        <div id={RESULT_LIST_ID} role="listbox" aria-label={t("patients.search.found")}>
          {results.map((patient, index) => (
            <SearchOption
              key={patient.patient_id}
              id={getOptionId(index)}
              patient={patient}
              isActive={index === activeIndex}
              onHover={() => setActiveIndex(index)}
              onChoose={() => openPatient(patient)}
            />
          ))}
        </div>
        <p role="status" className={results.length > 0 ? "visually-hidden" : classes.note}>
          {!isListShown ? (
            ""
          ) : isSearching ? (
            t("patients.search.searching")
          ) : (
            <SearchStatus error={query.error} n={results.length} />
          )}
        </p>
      </div>
    </search>
  );
}

/** Hospital to search, for platform administrators. */
function HospitalChoice() {
  const t = useTranslation();
  const { id, hospitals } = useSearchHospital();
  if (hospitals.length < 2) return null;
  return (
    <label className={classes.hospital}>
      {t("patients.hospital")}
      <select value={id ?? ""} onChange={(event) => setSearchHospital(event.target.value)}>
        {hospitals.map(({ hospital_id, name }) => (
          <option key={hospital_id} value={hospital_id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function SearchStatus({ error, n }: { error: unknown; n: number }) {
  const t = useTranslation();
  if (n > 0) return t("patients.search.n_found", { n });
  if (!error) return t("patients.search.nobody");
  const { code, errorId } = toProblem(error);
  const text = t(code === "unreachable" ? "shell.unreachable" : "patients.search.failed");
  return errorId ? `${text} ${t("common.error_id", { id: errorId })}` : text;
}

type SearchOptionProps = { id: string; patient: PatientSummary; isActive: boolean; onHover: () => void; onChoose: () => void };

function SearchOption({ id, patient, isActive, onHover, onChoose }: SearchOptionProps) {
  const t = useTranslation();
  const { patient_number: n, date_of_birth: dateOfBirth } = patient;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and the keys (aria-activedescendant)
    <div
      id={id}
      role="option"
      aria-selected={isActive}
      tabIndex={-1}
      className={classes.option}
      onPointerMove={onHover}
      // The field keeps the focus; otherwise the list would close before the click.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onChoose}
    >
      <span className={classes.name}>{getFullName(patient)}</span>
      <span className={`${layout.note} ${classes.detail}`}>
        {t("common.number", { n })}
        {dateOfBirth && ` · ${t("patients.born", { date: formatBirthDate(dateOfBirth) })}`}
        {!patient.is_active && ` · ${t("patients.inactive")}`}
      </span>
    </div>
  );
}
