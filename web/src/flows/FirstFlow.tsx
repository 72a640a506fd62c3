// What a company without flows sees: what a flow is, and three ways to one.
import { Button, Group, Text } from "@mantine/core";
import { Link, useNavigate } from "@tanstack/react-router";

import { useChange } from "../api/hooks";
import { useMe } from "../ui/me";
import { Empty } from "../ui/parts";
import { tell } from "../ui/tell";

export function FirstFlow() {
  const { may } = useMe();
  return (
    <Empty title="There is no flow yet">
      <Text size="sm" mb="md" inherit>
        A flow takes records from one system, works on them, and hands them to another. Draw its steps, run it, and deploy it when it does what you want: then schedules and webhooks start it.
      </Text>
      {may("manager") ? <Ways /> : "A manager can make one."}
    </Empty>
  );
}

function Ways() {
  const navigate = useNavigate();
  const bring = useChange("import_flow", {
    onSuccess: ({ data }) => void navigate({ to: "/flows/$flow/canvas", params: { flow: String(data.id) } }),
  });
  const load = async () => {
    const { SAMPLE } = await import("./sample");
    bring.mutate({ body: SAMPLE }, { onError: tell.failed });
  };
  return (
    <Group justify="center" gap="xs">
      <Link to="/flows" search={{ make: "new" }}>
        <Button component="span">New flow</Button>
      </Link>
      <Button variant="default" loading={bring.isPending} onClick={() => void load()}>
        Load a sample
      </Button>
      <Link to="/flows" search={{ make: "import" }}>
        <Button component="span" variant="default">
          Import
        </Button>
      </Link>
    </Group>
  );
}
