// Short messages at the edge of the screen: what was done, and what failed.
import { notifications } from "@mantine/notifications";

export const tell = {
  done: (message: string) => notifications.show({ message, color: "teal" }),
  failed: (error: Error) => notifications.show({ message: error.message, color: "red", autoClose: 8_000 }),
};
