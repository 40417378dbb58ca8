// Text field for a number. A number that can be read in two ways is asked about.
import { Button, TextInput, type TextInputProps } from "@mantine/core";
import { useTranslation } from "../messages/translate.ts";
import classes from "./form.module.css";
import { readNumber } from "./parse-number.ts";

type NumberTextInputProps = Omit<TextInputProps, "value" | "onChange"> & { value: string; onText: (text: string) => void };

export function NumberTextInput({ value, onText, ...input }: NumberTextInputProps) {
  const t = useTranslation();
  const reading = readNumber(value);
  // Without separators of thousands, so that each can be read in one way.
  const [first = "", second = ""] = reading.kind === "ambiguous" ? reading.readings.map(String) : [];
  return (
    <div>
      <TextInput
        inputMode="decimal"
        autoComplete="off"
        {...input}
        value={value}
        onChange={({ currentTarget }) => onText(currentTarget.value)}
      />
      {reading.kind === "ambiguous" && (
        <p className={classes.question} role="status">
          {t("common.which_number", { first, second })}
          {[first, second].map((one) => (
            <Button key={one} variant="default" size="compact-sm" onClick={() => onText(one)}>
              {one}
            </Button>
          ))}
        </p>
      )}
    </div>
  );
}
