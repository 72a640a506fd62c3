// Finding a record of a list by a part of its name.
import { SearchField } from "./SearchField";
import { Empty } from "./parts";

interface Props {
  label?: string;
  search: string | undefined;
  onChange: (search: { search: string | undefined }) => void;
}

export function FindByName({ label = "Find by name", search, onChange }: Props) {
  return <SearchField aria-label={label} placeholder={label} w={200} value={search} onChange={(next) => onChange({ search: next })} />;
}

export function NoneNamed({ search }: { search: string }) {
  return <Empty title={`None has "${search}" in its name`}>Any part of a name finds it, in any case of letters.</Empty>;
}
