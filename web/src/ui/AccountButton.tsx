// The button of who is signed in; alone until its menu is wanted.
import { ActionIcon, type ActionIconProps } from "@mantine/core";
import type { ComponentPropsWithRef } from "react";

import { Icon } from "./Icon";

export function AccountButton(props: ActionIconProps & ComponentPropsWithRef<"button">) {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label="Account and appearance" {...props}>
      <Icon name="person" />
    </ActionIcon>
  );
}
