// Where else a step may hang, with all that follows it: found by name.
import { Modal, Select } from "@mantine/core";

import type { Step } from "../api/contract";
import { type Place, placeKey, type Tree } from "./graph";
import { targets } from "./walking";

interface Props {
  tree: Tree;
  step: Step;
  /** Only behind this step. */
  parent?: number;
  onClose: () => void;
  onMove: (place: Place) => void;
}

export function MoveTo({ tree, step, parent, onClose, onMove }: Props) {
  const places = targets(tree, step).filter(({ place }) => parent === undefined || place.parent === parent);
  const choose = (key: string | null) => {
    const target = places.find(({ place }) => placeKey(place) === key);
    if (!target) return;
    onClose();
    onMove(target.place);
  };
  return (
    <Modal opened onClose={onClose} title={`Move "${step.name}"`}>
      <Select
        data-autofocus
        searchable
        label="After"
        description="What follows it goes along."
        placeholder="Choose a step"
        nothingFoundMessage="There is no other place for it"
        defaultDropdownOpened
        data={places.map(({ place, label }) => ({ value: placeKey(place), label }))}
        value={null}
        onChange={choose}
      />
    </Modal>
  );
}
