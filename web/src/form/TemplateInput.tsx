// A line of text that may hold templates: what it can be filled in with is offered as one types `{{` or `[[`.
import { Combobox, TextInput, type TextInputProps, useCombobox } from "@mantine/core";
import { type SyntheticEvent, useLayoutEffect, useRef, useState } from "react";

import { useAround } from "./around";
import { complete, type Completion, filled } from "./completion";

interface Props extends Omit<TextInputProps, "onChange"> {
  value: string;
  onText: (text: string) => void;
}

export function TemplateInput({ value, onText, ...rest }: Props) {
  const { known } = useAround();
  const input = useRef<HTMLInputElement>(null);
  const caret = useRef<number>(undefined);
  const [found, setFound] = useState<Completion>();
  const store = useCombobox({ onDropdownClose: () => store.resetSelectedOption() });
  const look = (event: SyntheticEvent<HTMLInputElement>) => {
    const { value: text, selectionStart } = event.currentTarget;
    const next = complete(text, selectionStart ?? text.length, known);
    setFound(next);
    if (next) store.openDropdown();
    else store.closeDropdown();
  };
  const choose = (option: string) => {
    if (!found) return;
    const next = filled(value, found, option);
    caret.current = next.caret;
    store.closeDropdown();
    onText(next.text);
  };
  useLayoutEffect(() => {
    if (caret.current === undefined) return;
    input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  });
  return (
    <Combobox store={store} onOptionSubmit={choose} withinPortal>
      <Combobox.Target withAriaAttributes={store.dropdownOpened}>
        <TextInput
          {...rest}
          ref={input}
          value={value}
          autoComplete="off"
          onChange={(event) => {
            onText(event.currentTarget.value);
            look(event);
          }}
          onClick={look}
          onBlur={() => store.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options mah={220} style={{ overflowY: "auto" }}>
          {found?.options.map((option) => (
            <Combobox.Option key={option} value={option} className="mono">
              {option}
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
