// Where short messages stand.
import "@mantine/notifications/styles.css";

import { notifications, Notifications } from "@mantine/notifications";

export const show = notifications.show;

export function Notices() {
  return <Notifications position="bottom-right" />;
}
