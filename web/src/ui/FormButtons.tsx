// The end of a form in a dialog: leave it as it was, or save it.
import { Button, Group } from "@mantine/core";

interface Props {
  save?: string;
  saving: boolean;
  /** Something is missing, as the form says. */
  disabled?: boolean;
  onCancel: () => void;
}

export function FormButtons({ save = "Save", saving, disabled, onCancel }: Props) {
  return (
    <Group justify="end" className="form-end">
      <Button variant="default" onClick={onCancel}>
        Cancel
      </Button>
      <Button type="submit" loading={saving} disabled={disabled}>
        {save}
      </Button>
    </Group>
  );
}
