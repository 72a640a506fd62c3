// Short messages at the edge of the screen: what was done, and what failed. Their code comes with the first of them.
const notices = () => import("./Notices");

export const tell = {
  done: (message: string) => void notices().then(({ show }) => show({ message, color: "teal" })),
  failed: (error: Error) => void notices().then(({ show }) => show({ message: error.message, color: "red", autoClose: 8_000 })),
};
