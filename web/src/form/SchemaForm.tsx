// A form drawn from a JSON Schema. A value that is undefined is left out of what is saved, so that defaults stay defaults.
import { Fieldset, NumberInput, Select, Stack, Switch, TagsInput, TextInput } from "@mantine/core";
import type { ReactNode } from "react";

import { Ticked } from "../ui/Ticked";
import { CodeField } from "./CodeField";
import { Condition } from "./Condition";
import { JsonField } from "./JsonField";
import type { Labelled } from "./labelled";
import { ListField } from "./ListField";
import { MapField } from "./MapField";
import { PathInput } from "./PathInput";
import { PICKERS, RecordPicker } from "./RecordPicker";
import type { Rule } from "./rules";
import { RulesField } from "./RulesField";
import { type Field, fieldOf, label, resolve, type Schema, under } from "./schema";
import { TemplateInput } from "./TemplateInput";

export type Values = Record<string, unknown>;

export interface FormProps {
  schema: Schema;
  root: Schema;
  values: Values;
  /** What is wrong, by dotted place under this form, such as `rules.0.target`. */
  problems: Record<string, string[]>;
  readOnly: boolean;
  onChange: (values: Values) => void;
  hidden?: string[];
}

export function SchemaForm({ schema, root, values, problems, readOnly, onChange, hidden = [] }: FormProps) {
  const set = (name: string, value: unknown) => {
    const { [name]: _, ...rest } = values;
    onChange(value === undefined ? rest : { ...rest, [name]: value });
  };
  const names = Object.keys(schema.properties ?? {}).filter((name) => !hidden.includes(name));
  return (
    <Stack gap="sm">
      {names.map((name) => (
        <FormField
          key={name}
          name={name}
          schema={schema.properties?.[name] ?? {}}
          root={root}
          required={schema.required?.includes(name) ?? false}
          value={values[name]}
          problems={under(problems, name)}
          readOnly={readOnly}
          onChange={(value) => set(name, value)}
        />
      ))}
    </Stack>
  );
}

export interface FieldProps {
  name: string;
  schema: Schema;
  root: Schema;
  required: boolean;
  value: unknown;
  problems: Record<string, string[]>;
  readOnly: boolean;
  onChange: (value: unknown) => void;
}

function FormField(props: FieldProps): ReactNode {
  const { name, root, value, readOnly, onChange, problems } = props;
  const schema = resolve(props.schema, root);
  const field = fieldOf(name, props.schema, root);
  const common = {
    label: label(name),
    description: schema.description && <Ticked>{schema.description}</Ticked>,
    required: props.required,
    error: Object.values(problems).flat().join(" ") || undefined,
    disabled: readOnly,
  };
  const preset = schema.default === undefined || schema.default === null ? "" : String(schema.default);
  if (name in PICKERS) return <RecordPicker {...common} name={name} value={value as number | undefined} onChange={onChange} />;
  switch (field.kind) {
    case "text":
      return <TextField {...common} name={name} isTemplate={schema["x-template"] === true} placeholder={preset} value={text(value)} onText={(next) => onChange(next || undefined)} />;
    case "long-text":
      return <CodeField {...common} placeholder={preset} value={text(value)} onText={(next) => onChange(next || undefined)} />;
    case "number":
      return (
        <NumberInput {...common} placeholder={preset} value={typeof value === "number" ? value : ""} min={field.minimum} max={field.maximum} allowDecimal={!field.whole} clampBehavior="none" onChange={(next) => onChange(next === "" ? undefined : Number(next))} />
      );
    case "boolean":
      return <Switch {...common} checked={typeof value === "boolean" ? value : schema.default === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
    case "choice":
      return <Select {...common} data={field.values} placeholder={preset} value={text(value) || null} clearable={!props.required} onChange={(next) => onChange(next ?? undefined)} />;
    case "texts":
      return <TagsInput {...common} value={Array.isArray(value) ? value.map(String) : []} onChange={(next) => onChange(next.length ? next : undefined)} />;
    case "condition":
      return <Condition {...common} operators={field.operators} value={value as Values | undefined} onChange={onChange} />;
    case "map":
      return <MapField {...common} isTemplate={schema["x-template"] === true} value={value as Values | undefined} onChange={onChange} />;
    case "json":
      return <JsonField {...common} value={value} onChange={onChange} />;
    case "rules":
      return <RulesField {...common} transforms={field.transforms} value={value as Rule[] | undefined} problems={problems} readOnly={readOnly} onChange={onChange} />;
    case "list":
      return <ListField {...props} {...common} items={field.schema} value={value as Values[] | undefined} />;
    case "object":
      return <Group {...props} field={field} {...common} />;
    case "variant":
      return <Variant {...props} field={field} {...common} />;
  }
}

interface TextProps extends Labelled {
  name: string;
  isTemplate: boolean;
  placeholder: string;
  value: string;
  onText: (text: string) => void;
}

function TextField({ name, isTemplate, onText, ...rest }: TextProps) {
  if (isTemplate) return <TemplateInput {...rest} onText={onText} />;
  if (name === "path") return <PathInput {...rest} onText={onText} />;
  return <TextInput {...rest} onChange={(event) => onText(event.currentTarget.value)} />;
}

function Group({ field, label: title, description, value, root, problems, readOnly, onChange }: Omit<FieldProps, "name" | "schema" | "required"> & { field: Extract<Field, { kind: "object" }>; label: string; description?: ReactNode }) {
  const isOn = value !== undefined && value !== null;
  return (
    <Fieldset legend={title} variant="default" p="xs">
      <Stack gap="xs">
        <Switch label={description ?? "Set it"} checked={isOn} disabled={readOnly} onChange={(event) => onChange(event.currentTarget.checked ? {} : undefined)} />
        {isOn && <SchemaForm schema={field.schema} root={root} values={value as Values} problems={problems} readOnly={readOnly} onChange={onChange} />}
      </Stack>
    </Fieldset>
  );
}

function Variant({ field, label: title, description, value, root, problems, readOnly, onChange }: Omit<FieldProps, "name" | "schema" | "required"> & { field: Extract<Field, { kind: "variant" }>; label: string; description?: ReactNode }) {
  const values = value as Values | undefined;
  const chosen = values === undefined ? undefined : String(values[field.by]);
  const schema = chosen === undefined ? undefined : field.variants.get(chosen);
  return (
    <Fieldset legend={title} variant="default" p="xs">
      <Stack gap="xs">
        <Select aria-label={`${title}: ${field.by}`} description={schema?.description ? <Ticked>{schema.description}</Ticked> : description} placeholder="None" clearable data={[...field.variants.keys()]} value={chosen ?? null} disabled={readOnly} onChange={(next) => onChange(next ? { [field.by]: next } : undefined)} />
        {schema && values && <SchemaForm schema={schema} root={root} values={values} problems={problems} readOnly={readOnly} hidden={[field.by]} onChange={onChange} />}
      </Stack>
    </Fieldset>
  );
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}
