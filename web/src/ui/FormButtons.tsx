// The end of a form in a dialog: leave it as it was, or save it.
import { Button, Group } from "@mantine/core";

interface Props {
  save?: string;
  saving: boolean;
  onCancel: () => void;
}

export function FormButtons({ save = "Save", saving, onCancel }: Props) {
  return (
    <Group justify="end">
      <Button variant="default" onClick={onCancel}>
        Cancel
      </Button>
      <Button type="submit" loading={saving}>
        {save}
      </Button>
    </Group>
  );
}
