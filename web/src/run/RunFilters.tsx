// What narrows a list of runs.
import { Button, Group, Select, Switch } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";

import type { RunSearch } from "../addresses";
import { FlowSelect } from "../ui/FlowSelect";
import { InstantField } from "../ui/InstantField";
import { STATUSES } from "../ui/parts";
import { SearchField } from "../ui/SearchField";
import { VersionSelect } from "../ui/VersionSelect";
import { isFiltered, TRIGGERS } from "./search";

interface Props {
  search: RunSearch;
  /** The flow whose runs these are, where it cannot be chosen. */
  flow?: number;
  onChange: (search: RunSearch) => void;
  children: ReactNode;
}

export function RunFilters({ search, flow, onChange, children }: Props) {
  const narrow = (change: Partial<RunSearch>) => onChange({ ...search, ...change, page: undefined });
  const [isOpen, { toggle }] = useDisclosure();
  const of = flow ?? search.flow;
  return (
    <Group gap="xs" mb="xs">
      {flow === undefined && <FlowSelect value={search.flow} onChange={(chosen) => narrow({ flow: chosen, version: undefined })} />}
      {of !== undefined && <VersionSelect flow={of} aria-label="Version" placeholder="All versions" w={170} value={search.version} onChange={(version) => narrow({ version })} />}
      <Select aria-label="State" placeholder="All states" clearable w={140} data={STATUSES.map((label, value) => ({ value: String(value), label }))} value={search.status ?? null} onChange={(status) => narrow({ status: status ?? undefined })} />
      <Select aria-label="Trigger" placeholder="All triggers" clearable w={130} data={TRIGGERS} value={search.trigger ?? null} onChange={(trigger) => narrow({ trigger: trigger ?? undefined })} />
      <Button variant="default" hiddenFrom="sm" aria-expanded={isOpen} onClick={toggle}>
        More
      </Button>
      <Group gap="xs" visibleFrom={isOpen ? undefined : "sm"}>
        <InstantField label="Began from" word="from" value={search.from} onChange={(from) => narrow({ from })} />
        <InstantField label="Began before" word="to" value={search.to} onChange={(to) => narrow({ to })} />
        <SearchField aria-label="Saw the value" placeholder="Saw the value …" w={170} value={search.value} onChange={(value) => narrow({ value })} />
        <Switch label="With warnings" checked={search.warnings === true} onChange={(event) => narrow({ warnings: event.currentTarget.checked || undefined })} />
      </Group>
      {isFiltered(search) && (
        <Button variant="subtle" onClick={() => onChange({})}>
          Clear
        </Button>
      )}
      {children}
    </Group>
  );
}
