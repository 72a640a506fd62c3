// What narrows the list of dead letters; steps and reasons are those that there are.
import { Button, Group, Select } from "@mantine/core";

import type { LetterSearch } from "../addresses";
import { useRead } from "../api/hooks";
import { FlowSelect } from "../ui/FlowSelect";
import { InstantField } from "../ui/InstantField";
import { filters, STATES } from "./search";

interface Props {
  search: LetterSearch;
  onChange: (search: LetterSearch) => void;
}

export function LetterFilters({ search, onChange }: Props) {
  const counts = useRead("count_dead_letters", { query: filters({ flow: search.flow, state: search.state }) });
  const found = counts.data?.data ?? [];
  const steps = [...new Map(found.map(({ step_key, step_name }) => [step_key, step_name]))].map(([value, label]) => ({ value, label }));
  const reasons = [...new Set(found.map(({ error_class }) => error_class))];
  const narrow = (change: Partial<LetterSearch>) => onChange({ ...search, ...change, page: undefined });
  const isFiltered = Object.entries(search).some(([name, value]) => name !== "page" && value !== undefined);
  return (
    <Group gap="xs" mb="xs">
      <FlowSelect value={search.flow} onChange={(flow) => narrow({ flow, step: undefined, reason: undefined })} />
      <Select aria-label="State" allowDeselect={false} w={110} data={[...STATES, { value: "all", label: "all states" }]} value={search.state ?? "open"} onChange={(state) => narrow({ state: state === "open" ? undefined : (state ?? undefined) })} />
      <Select aria-label="Step" placeholder="All steps" clearable searchable w={150} data={steps} value={search.step ?? null} onChange={(step) => narrow({ step: step ?? undefined })} />
      <Select aria-label="Kind of failure" placeholder="All failures" clearable w={130} data={reasons} value={search.reason ?? null} onChange={(reason) => narrow({ reason: reason ?? undefined })} />
      <InstantField label="Failed from" word="from" value={search.from} onChange={(from) => narrow({ from })} />
      <InstantField label="Failed before" word="to" value={search.to} onChange={(to) => narrow({ to })} />
      {isFiltered && (
        <Button variant="subtle" onClick={() => onChange({})}>
          Clear
        </Button>
      )}
    </Group>
  );
}
