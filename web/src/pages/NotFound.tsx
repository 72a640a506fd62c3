import { Link } from "@tanstack/react-router";

import { Empty } from "../ui/parts";

export function NotFound() {
  return (
    <Empty title="There is no page at this address">
      It may have been deleted, or the address has a typing error. <Link to="/">Go home</Link>
    </Empty>
  );
}
